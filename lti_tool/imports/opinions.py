"""Answers of files shown where those given in the tool are: rows of `answer`, a closed questionnaire, a step.

A questionnaire of files is one a course, name and module: its identifier is drawn from these (version 5,
where those opened in the tool are of version 4). Its answers are drawn from the rows of `survey_answers`,
whole, each time a file touches it; what is published of them moves by steps of the threshold all the same, so
that a longer export never shows the answers that it adds one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, delete, distinct, func, select

from analyzers import disclosure
from lti_tool import matching
from lti_tool.imports import opinion_template
from lti_tool.surveys import rows
from lti_tool.tables import survey
from tool_config import rules, surveys
from tool_config.database import insert, transaction
from tool_config.references import plain
from tool_config.surveys import Survey, Template
from xapi import publication
from xapi.answers import FROM_FILES
from xapi.dataset_tables import dataset_row
from xapi.survey_tables import answer, survey_comment, survey_figure, survey_step

KIND = "survey_answers"
_NAMES = UUID("0f2a4f0f-53a1-5c65-9f27-3a1d0e6a7c22")
#: Rows written at a time.
_PART = 2_000


@dataclass(frozen=True)
class _Group:
    """The answers to one questionnaire, on one module of one course."""

    course_id: int
    questionnaire: str
    #: As the files name it; "": of the whole session.
    module: str

    def survey_id(self, silo_id: int) -> str:
        said = (str(silo_id), str(self.course_id), plain(self.questionnaire), plain(self.module))
        return str(uuid5(_NAMES, "\n".join(said)))


def from_file(survey_id: str) -> bool:
    """Tell whether a questionnaire came from files."""
    return UUID(survey_id).version == 5


def publish(
    engine: Engine, silo_id: int, *, file_id: str | None, by: str, now: datetime
) -> Mapping[str, int]:
    """Draw the questionnaires that a file touched, or those that none was drawn of yet; return the notes.

    Without a file, those whose rows went to another session are taken away too.

    Notes: opinions (questionnaires on the pages of their session), unplaced (answers whose session is no
    course of the community: they are drawn once it is known).
    """
    with transaction(engine, silo_id, write=False) as conn:
        groups = _groups(conn, silo_id, file_id)
        known = _drawn(conn, silo_id)
        unplaced = _unplaced(conn, silo_id, file_id)
        gone: set[str] = set()
        if file_id is None:
            drawn = {name for name in known if from_file(name)}
            gone = drawn - {group.survey_id(silo_id) for group in groups}
            groups = [group for group in groups if group.survey_id(silo_id) not in known]
        actors = matching.actors(conn, silo_id) if groups else {}
    if gone:
        with transaction(engine, silo_id) as conn:
            _withdraw(conn, silo_id, sorted(gone))
    shown = 0
    for group in groups:
        with transaction(engine, silo_id) as conn:
            shown += _draw(conn, silo_id, group, actors, by, now)
    return {"opinions": shown, "unplaced": unplaced}


def _said(name: str) -> Any:
    return dataset_row.c.data[name].as_string()


def _groups(conn: Connection, silo_id: int, file_id: str | None) -> list[_Group]:
    d = dataset_row.c
    query = select(d.course_id, _said("questionnaire"), func.coalesce(_said("module"), "")).where(
        d.silo_id == silo_id, d.kind == KIND, d.course_id.is_not(None), _said("questionnaire").is_not(None)
    )
    if file_id is not None:
        query = query.where(d.file_id == file_id)
    return [_Group(*row) for row in conn.execute(query.distinct()).all()]


def _drawn(conn: Connection, silo_id: int) -> set[str]:
    return set(conn.scalars(select(survey.c.survey_id).where(survey.c.silo_id == silo_id)))


def _withdraw(conn: Connection, silo_id: int, names: Sequence[str]) -> None:
    """Take away questionnaires whose rows are of another session now, or gone."""
    for table in (survey_comment, survey_figure, survey_step, answer, survey):
        for start in range(0, len(names), 500):
            some = table.c.survey_id.in_(names[start : start + 500])
            conn.execute(delete(table).where(table.c.silo_id == silo_id, some))


def _unplaced(conn: Connection, silo_id: int, file_id: str | None) -> int:
    d = dataset_row.c
    query = select(func.count()).where(
        d.silo_id == silo_id, d.kind == KIND, d.session.is_not(None), d.course_id.is_(None)
    )
    return int(conn.scalar(query.where(d.file_id == file_id) if file_id is not None else query) or 0)


# --- one questionnaire -------------------------------------------------------------------------------------


def _mine(silo_id: int, group: _Group) -> tuple[Any, ...]:
    d = dataset_row.c
    return (
        d.silo_id == silo_id, d.kind == KIND, d.course_id == group.course_id,
        _said("questionnaire") == group.questionnaire, func.coalesce(_said("module"), "") == group.module,
    )  # fmt: skip


def _draw(
    conn: Connection, silo_id: int, group: _Group, actors: Mapping[str, str], by: str, now: datetime
) -> int:
    """Draw one questionnaire; return 1, or 0 when nothing in it is an opinion of the tool's kinds."""
    rows.lock_course(conn, silo_id, group.course_id)
    module, title = _module(conn, silo_id, group)
    template = _template(conn, silo_id, group, title, "module" if module else "session")
    if template is None:
        return 0
    asked = _opened(conn, silo_id, group, module, template, by, now)
    conn.execute(delete(answer).where(*rows.same(answer, asked)))
    part: list[dict[str, Any]] = []
    for made in _answers(conn, silo_id, group, asked, actors, now):
        part.append(made)
        if len(part) == _PART:
            conn.execute(insert(conn, answer), part)
            part = []
    if part:
        conn.execute(insert(conn, answer), part)
    _step(conn, asked, now)
    return 1


def _module(conn: Connection, silo_id: int, group: _Group) -> tuple[str, str]:
    """Return the module of the outline that a file names ("": none), and the title of the questionnaire."""
    titles = rows.module_titles(conn, silo_id, group.course_id)
    found = [
        iri for iri, title in titles.items() if group.module and plain(title or "") == plain(group.module)
    ]
    if len(found) == 1:
        return found[0], group.questionnaire
    return "", " · ".join(filter(None, (group.questionnaire, group.module)))


def _template(conn: Connection, silo_id: int, group: _Group, title: str, scope: str) -> Template | None:
    """Return the questions, counted by the server: texts are not read for it."""
    value = dataset_row.c.data["value"].as_float()
    names = [_said(name) for name in ("code", "question", "item", "scale")]
    found = conn.execute(
        select(*names, value, _said("answer"))
        .where(*_mine(silo_id, group), _said("scale").not_in(("multiple", "single", "number")))
        .distinct()
    )
    told = ((r[0], r[1], r[2], r[3], r[4], r[5]) for r in found)
    return opinion_template.template(title, opinion_template.gathered(told), scope=scope)


def _opened(
    conn: Connection, silo_id: int, group: _Group, module: str, template: Template, by: str, now: datetime
) -> Survey:
    """Write the questionnaire as one that is over, and return it."""
    d = dataset_row.c
    first, last, named = conn.execute(
        select(func.min(d.valid_on), func.max(d.valid_on), func.count(distinct(d.person_key))).where(
            *_mine(silo_id, group)
        )
    ).one()
    closes = min(datetime.combine(last, time(), UTC) + timedelta(days=1), now) if last else now
    opens = min(datetime.combine(first, time(), UTC) if first else closes, closes - timedelta(minutes=1))
    key = {"silo_id": silo_id, "course_id": group.course_id, "survey_id": group.survey_id(silo_id)}
    said = {
        "module": module, "template": surveys.dump(template),
        "mode": "pseudonymous" if named else "anonymous",
        "opens_at": opens, "closes_at": closes, "settled_at": now,
    }  # fmt: skip
    written = insert(conn, survey).values(**key, **said, created_at=now, created_by=by)
    conn.execute(written.on_conflict_do_update(index_elements=list(key), set_=said))
    found = conn.execute(
        rows.wanted(silo_id, group.course_id).where(survey.c.survey_id == key["survey_id"])
    ).one()
    return rows.from_row(found)


def _answers(
    conn: Connection, silo_id: int, group: _Group, asked: Survey, actors: Mapping[str, str], now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `answer`, in an order that says nothing: that of hashes."""
    d, names = dataset_row.c, ("respondent", "code", "question", "item", "answer", "comment")
    query = select(
        d.person_key, d.data["value"].as_float().label("value"), *(_said(n).label(n) for n in names)
    )
    kinds = {one.id: (one.kind == "comment", frozenset(one.values)) for one in asked.template.questions}
    attempts: dict[str, UUID] = {}
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    met: dict[str, int] = {}
    found = conn.execute(
        query.where(*_mine(silo_id, group)).order_by(d.row_key), execution_options={"yield_per": _PART}
    )
    for row in found:
        name = opinion_template.name_of((row.code or "", row.question or "", row.item or ""))
        if name not in kinds:
            continue
        open_text, points = kinds[name]
        value = None if open_text else _degree(row.value, points)
        text = (row.comment or row.answer or "")[: surveys.LONGEST] if open_text else None
        if value is None and not text:
            continue
        mark = str(row.respondent or "")
        if asked.mode == "anonymous" and text:
            # Nothing ties a comment to the scores of its author, nor to their other comment.
            rank = met[text] = met.get(text, 0) + 1
            mark = f"{name}\n{text}\n{rank}"
        attempt = attempts.get(mark) or uuid5(_NAMES, f"{asked.survey_id}\n{mark}")
        attempts[mark] = attempt
        voice = f"{FROM_FILES}{attempt.hex}"
        yield {
            "silo_id": silo_id, "course_id": group.course_id,
            # A text that changes is another one: what was published of it leaves.
            "statement_id": str(uuid5(attempt, f"{name}\n{text or ''}")),
            "survey_id": asked.survey_id, "question": name, "module": asked.module,
            "phase": asked.template.phase, "spoken_by": voice,
            "respondent": actors.get(row.person_key, voice) if row.person_key else voice,
            "attempt": str(attempt), "at": day, "value": value, "text": text,
        }  # fmt: skip


def voices(conn: Connection, silo_id: int, person_keys: Collection[str]) -> frozenset[str]:
    """Return the voices under which people of the files answered (`answer.spoken_by`)."""
    d = dataset_row.c
    query = select(
        d.course_id, _said("questionnaire"), func.coalesce(_said("module"), ""), _said("respondent")
    ).where(
        d.silo_id == silo_id, d.kind == KIND, d.person_key.in_(sorted(person_keys)),
        d.course_id.is_not(None), _said("questionnaire").is_not(None),
    )  # fmt: skip
    return frozenset(
        _voice(_Group(course, name, module).survey_id(silo_id), str(mark or ""))
        for course, name, module, mark in conn.execute(query.distinct())
    )


def _voice(survey_id: str, mark: str) -> str:
    said = f"{survey_id}\n{mark}"
    return f"{FROM_FILES}{uuid5(_NAMES, said).hex}"


def _degree(value: float | None, known: Collection[int]) -> int | None:
    """Return the point of a scale that a value is; None for what is off it."""
    return int(value) if value is not None and value.is_integer() and int(value) in known else None


def _step(conn: Connection, asked: Survey, now: datetime) -> None:
    """Publish all who are there, when they are enough more than what is published."""
    where = (conn, asked.silo_id, asked.course_id, asked.survey_id)
    overall, k = asked.template.overall.id, rules.load().disclosure.course
    there, before = publication.respondents(*where, overall), publication.published(*where)
    n = disclosure.late_step(there, before, k)
    if n == before and before:
        return
    publication.publish(
        *where, overall=overall, anonymous=False, n=n, received=there, closed=True,
        day=now.astimezone(UTC).date(),
    )  # fmt: skip
