"""Questionnaires of a course: opened on a module or on the whole, answered, published step by step.

Answers to a pseudonymous questionnaire become statements at once. Those to an anonymous one are held in
its box (`box`) and leave by lots drawn at random, never fewer than the threshold: a lot leaves when
two would fit, so that at least one stays and the closing can let out everybody. Fewer than the threshold
in all are destroyed at closing and only counted.

Every function that writes locks the questionnaire's row first: two answers never cross.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, delete, select, update

from analyzers import disclosure
from lti_tool import jobs
from lti_tool.access import Viewer
from lti_tool.surveys import alignment, late, rows
from lti_tool.surveys import box as survey_box
from lti_tool.surveys import statements as survey_statements
from lti_tool.surveys.rows import SurveyError
from lti_tool.tables import survey
from lti_tool.tables import survey_box as box_table
from tool_config import surveys as templates
from tool_config.database import insert
from tool_config.surveys import MODES, Survey, Template
from xapi import ingest as door
from xapi import publication
from xapi.survey_tables import answer

__all__ = ["Asked", "Outcome", "SurveyError"]

_log = logging.getLogger(__name__)

Outcome = Literal["recorded", "replaced", "repeated", "already"]


@dataclass(frozen=True)
class Asked:
    """A questionnaire as a trainee meets it."""

    survey: Survey
    module_title: str
    answered: bool


# --- opening and reading ------------------------------------------------------------------------------


def open_survey(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    module: str,
    template: Template,
    mode: str,
    opens_at: datetime,
    closes_at: datetime,
    by: str,
    now: datetime,
) -> Survey:
    """Open a questionnaire; `template` is what `Template.asked` chose. It no longer changes.

    `module`: the IRI of one, or "" when the template's scope is the session. Positioning questions are
    asked as they first were in the session (`alignment.aligned`).

    Raises SurveyError("invalid") with a code by field: module (unknown, already_open), mode (unknown),
    closes_at (before_opening, past).
    """
    rows.lock_course(conn, silo_id, course_id)
    errors: dict[str, str] = {}
    if mode not in MODES:
        errors["mode"] = "unknown"
    if closes_at <= opens_at:
        errors["closes_at"] = "before_opening"
    elif closes_at <= now:
        errors["closes_at"] = "past"
    modules = {""} if template.scope == "session" else rows.module_titles(conn, silo_id, course_id)
    if module not in modules:
        errors["module"] = "unknown"
    before = listing(conn, silo_id, course_id)
    for other in before:
        same = _subject(other.module, other.template) == _subject(module, template)
        if same and other.settled_at is None and other.opens_at < closes_at and opens_at < other.closes_at:
            errors["module"] = "already_open"
    if errors:
        raise SurveyError("invalid", errors)
    key = {"silo_id": silo_id, "course_id": course_id, "survey_id": str(uuid.uuid4())}
    row = {
        "module": module,
        "template": templates.dump(alignment.aligned(template, before)),
        "mode": mode,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "created_at": now,
        "created_by": by,
    }
    conn.execute(insert(conn, survey), {**key, **row})
    if mode == "anonymous":
        conn.execute(insert(conn, box_table), {**key, "participants": b"", "held": b""})
    return find(conn, silo_id, course_id, key["survey_id"])  # type: ignore[arg-type]


def _subject(module: str, template: Template) -> tuple[str, str, str]:
    """Return what two questionnaires open at once may not have in common."""
    return module, template.phase, template.audience


def find(conn: Connection, silo_id: int, course_id: int, survey_id: str) -> Survey:
    """Return a questionnaire of a course; raises SurveyError("not_found")."""
    row = conn.execute(rows.wanted(silo_id, course_id).where(survey.c.survey_id == survey_id)).first()
    if row is None:
        raise SurveyError("not_found")
    return rows.from_row(row)


def listing(conn: Connection, silo_id: int, course_id: int) -> tuple[Survey, ...]:
    """Return the questionnaires of a course, the latest opened first."""
    query = rows.wanted(silo_id, course_id).order_by(survey.c.opens_at.desc(), survey.c.survey_id)
    return tuple(rows.from_row(row) for row in conn.execute(query))


def in_silo(conn: Connection, silo_id: int) -> tuple[Survey, ...]:
    """Return every questionnaire of a silo, for the list of sessions."""
    query = select(survey).where(survey.c.silo_id == silo_id).order_by(survey.c.course_id, survey.c.survey_id)
    return tuple(rows.from_row(row) for row in conn.execute(query))


def prolong(conn: Connection, asked: Survey, closes_at: datetime, *, now: datetime) -> Survey:
    """Put off the closing of a questionnaire that is not over; it is never brought forward.

    To close just after an answer would show that answer alone. Raises SurveyError (closed, invalid).
    """
    current = rows.locked(conn, asked)
    if current.state(now) == "closed":
        raise SurveyError("closed")
    if closes_at <= current.closes_at:
        raise SurveyError("invalid", {"closes_at": "earlier"})
    conn.execute(update(survey).where(*rows.same(survey, current)).values(closes_at=closes_at))
    return find(conn, current.silo_id, current.course_id, current.survey_id)


def cancel(conn: Connection, asked: Survey) -> None:
    """Take back a questionnaire that nobody answered; raises SurveyError("answered") otherwise."""
    current = rows.locked(conn, asked)
    if rows.count_received(conn, current):
        raise SurveyError("answered")
    for table in (box_table, survey):
        conn.execute(delete(table).where(*rows.same(table, current)))


def received(conn: Connection, asked: Survey, *, now: datetime, k: int) -> int:
    """Return how many people answered; of an anonymous questionnaire still open, by blocks of `k`."""
    n = rows.count_received(conn, asked)
    return n // k * k if asked.mode == "anonymous" and asked.state(now) != "closed" else n


# --- answering ----------------------------------------------------------------------------------------


def for_trainee(conn: Connection, viewer: Viewer, *, now: datetime, key: bytes) -> tuple[Asked, ...]:
    """Return the questionnaires open to a trainee now, those to be answered first, the first to close first.

    `key`: `box.key(settings.secret_key)`.
    """
    found = [
        asked
        for asked in listing(conn, viewer.silo_id, viewer.course_id)
        if asked.state(now) == "open" and asked.template.audience == "trainees"
    ]
    titles = rows.module_titles(conn, viewer.silo_id, viewer.course_id) if found else {}
    made = [
        Asked(asked, titles.get(asked.module, ""), has_answered(conn, asked, viewer.actor, key=key))
        for asked in found
    ]
    return tuple(sorted(made, key=lambda item: (item.answered, item.survey.closes_at, item.survey.survey_id)))


def has_answered(conn: Connection, asked: Survey, actor: str, *, key: bytes) -> bool:
    """Say whether a person answered; of an anonymous one, to be told to that person only.

    Who answered an anonymous questionnaire is forgotten when it is over.
    """
    if asked.mode == "anonymous":
        if asked.settled_at is not None:
            return False
        participants = rows.box(conn, asked)[0]
        return survey_box.has(participants, survey_box.digest(key, asked.survey_id, actor))
    return bool(own_answers(conn, asked, actor))


def own_answers(conn: Connection, asked: Survey, actor: str) -> dict[str, int | str]:
    """Return a person's latest answers, to be changed; nothing of an anonymous questionnaire."""
    if asked.mode == "anonymous":
        return {}
    found = conn.execute(
        select(answer.c.question, answer.c.value, answer.c.text, answer.c.at, answer.c.attempt).where(
            *rows.same(answer, asked), answer.c.respondent == actor
        )
    ).all()
    latest = max(((row.at, row.attempt) for row in found), default=None)
    return {
        row.question: row.text if row.value is None else row.value
        for row in found
        if (row.at, row.attempt) == latest
    }


def submit(
    conn: Connection,
    asked: Survey,
    viewer: Viewer,
    answers: Mapping[str, str],
    attempt: str,
    *,
    now: datetime,
    key: bytes,
    k: int,
) -> Outcome:
    """Take a trainee's answers, as a form sends them; sending them twice changes nothing.

    `attempt`: the UUID that the browser drew with the form. Outcomes: recorded, replaced (a second attempt
    takes the place of the first), repeated (the same attempt again: nothing changed), already (anonymous:
    this person answered; nothing changed). `key`: `box.key(…)`; `k`: threshold of the course.

    Raises SurveyError: not_found, not_trainee, not_open_yet, closed, bad_attempt, invalid (by question).
    """
    if (asked.silo_id, asked.course_id) != (viewer.silo_id, viewer.course_id):
        raise SurveyError("not_found")
    if asked.template.audience != "trainees":
        raise SurveyError("not_trainee")
    attempt = _uuid(attempt)
    account = rows.trainee_account(conn, viewer)
    return take(conn, asked, viewer.actor, account, answers, attempt, now=now, key=key, k=k)


def take(
    conn: Connection,
    asked: Survey,
    actor: str,
    account: Mapping[str, str],
    answers: Mapping[str, str],
    attempt: str,
    *,
    now: datetime,
    key: bytes,
    k: int,
) -> Outcome:
    """Take the answers of somebody whom the caller has allowed to answer this questionnaire, like `submit`.

    `account`: {"homePage", "name"} of the person, in whose name a pseudonymous questionnaire is answered;
    `actor`: its `xapi.statement.account_key`. Raises SurveyError: not_found, not_open_yet, closed,
    bad_attempt, invalid (by question).
    """
    attempt = _uuid(attempt)
    current = rows.locked(conn, asked)
    state = current.state(now)
    if state != "open":
        raise SurveyError("not_open_yet" if state == "scheduled" else "closed")
    values, errors = current.template.check(answers)
    if errors:
        raise SurveyError("invalid", errors)
    if current.mode == "anonymous":
        return _hold(conn, current, actor, values, now=now, key=key, k=k)
    taken = conn.execute(
        select(answer.c.respondent).where(answer.c.silo_id == current.silo_id, answer.c.attempt == attempt)
    ).first()
    if taken is not None:
        if taken.respondent == actor:
            return "repeated"
        raise SurveyError("bad_attempt")
    again = bool(own_answers(conn, current, actor))
    place = rows.place_of(conn, current)
    made = survey_statements.pseudonymous(current, place, values, account=account, attempt=attempt, at=now)
    door.ingest(conn, current.silo_id, made, now=now)
    if not again:
        one_more = {"received": survey.c.received + 1}
        conn.execute(update(survey).where(*rows.same(survey, current)).values(one_more))
    if not late.is_large(rows.count_received(conn, current)):
        _step(conn, current, now=now, k=k, closed=False)
    return "replaced" if again else "recorded"


def _hold(
    conn: Connection,
    asked: Survey,
    actor: str,
    values: dict[str, int | str],
    *,
    now: datetime,
    key: bytes,
    k: int,
) -> Outcome:
    """Put an anonymous answer in its box; let a lot out when another stays behind."""
    participants, sealed = rows.box(conn, asked)
    who = survey_box.digest(key, asked.survey_id, actor)
    if survey_box.has(participants, who):
        return "already"
    held = [*rows.unsealed(asked, sealed, key), values]
    lot: list[survey_box.Answers] = []
    if len(held) >= 2 * k:
        lot, held = survey_box.draw(held, k)
    size = survey_box.room(asked.template, 2 * k)
    changed = {
        "participants": survey_box.add(participants, who),
        "held": survey_box.seal(key, asked.survey_id, held, size),
    }
    conn.execute(update(box_table).where(*rows.same(box_table, asked)).values(**changed))
    if lot:
        _release(conn, asked, lot, now=now)
        if not late.is_large(survey_box.count(changed["participants"])):
            _step(conn, asked, now=now, k=k, closed=False)
    return "recorded"


def _release(conn: Connection, asked: Survey, lot: Sequence[survey_box.Answers], *, now: datetime) -> None:
    """Turn a lot into statements dated of the day, under accounts drawn at random, in random order."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    place = rows.place_of(conn, asked)
    made = [item for one in lot for item in survey_statements.anonymous(asked, place, one, day=day)]
    # Their ids are random: in this order nothing of a set of answers stays together.
    made.sort(key=lambda item: str(item["id"]))
    door.ingest(conn, asked.silo_id, made, now=now)


# --- publishing ---------------------------------------------------------------------------------------


def closer(secret_key: str, k: int) -> Callable[[Connection, int, datetime], int]:
    """Return what the worker does for a silo: the steps of large questionnaires, then `settle_due`."""
    key = survey_box.key(secret_key)

    def close(conn: Connection, silo_id: int, now: datetime) -> int:
        late.publish(conn, silo_id, now=now, k=k)
        return settle_due(conn, silo_id, now=now, key=key, k=k)

    return close


def has_due(conn: Connection, silo_id: int, *, now: datetime) -> bool:
    """Say whether a questionnaire is over and not yet settled, or a large one has more to publish."""
    query = select(survey.c.survey_id).where(
        survey.c.silo_id == silo_id, survey.c.settled_at.is_(None), survey.c.closes_at <= now
    )
    return conn.execute(query.limit(1)).first() is not None or bool(late.waiting(conn, silo_id, k=1))


def settle_due(conn: Connection, silo_id: int, *, now: datetime, key: bytes, k: int) -> int:
    """Close and publish the questionnaires whose window is over; return how many. For the worker.

    A box that the secret key does not open is left as it is, and logged.
    """
    query = (
        select(survey)
        .where(survey.c.silo_id == silo_id, survey.c.settled_at.is_(None), survey.c.closes_at <= now)
        .order_by(survey.c.course_id, survey.c.survey_id)
        .with_for_update(skip_locked=True)
    )
    done = 0
    for row in conn.execute(query).all():
        asked = rows.from_row(row)
        try:
            _settle(conn, asked, now=now, key=key, k=k)
        except survey_box.BoxError as error:
            _log.error("silo %d: %s", silo_id, error)
            continue
        done += 1
    if done:
        jobs.enqueue(conn, silo_id, rows.DEPTH, {}, now=now, key=rows.DEPTH)
    return done


def _settle(conn: Connection, asked: Survey, *, now: datetime, key: bytes, k: int) -> None:
    if asked.mode == "anonymous":
        sealed = rows.box(conn, asked)[1]
        held = rows.unsealed(asked, sealed, key)
        if disclosure.enough(len(held), k):
            _release(conn, asked, survey_box.draw(held, len(held))[0], now=now)
    _step(conn, asked, now=now, k=k, closed=True)
    conn.execute(delete(box_table).where(*rows.same(box_table, asked)))
    conn.execute(update(survey).where(*rows.same(survey, asked)).values(settled_at=now))


def _step(conn: Connection, asked: Survey, *, now: datetime, k: int, closed: bool) -> None:
    """Publish what the guard allows, if it is more than what is published."""
    where = (conn, asked.silo_id, asked.course_id, asked.survey_id)
    overall, anonymous = asked.template.overall.id, asked.mode == "anonymous"
    before = publication.published(*where)
    # The counter first: most answers complete no block, and counting them all again costs.
    there = (
        publication.respondents(*where, overall) if anonymous or closed else rows.count_received(conn, asked)
    )
    n = disclosure.step(there, before, closed=closed, k=k)
    if n == before and not closed:
        return
    if not anonymous:
        there = publication.respondents(*where, overall)
        conn.execute(update(survey).where(*rows.same(survey, asked)).values(received=there))
        n = disclosure.step(there, before, closed=closed, k=k)
    if late.is_large(there) and not closed:
        return  # imported answers that nobody had counted: the worker sees now that they are many
    publication.publish(
        *where,
        overall=overall,
        anonymous=anonymous,
        n=n,
        received=rows.count_received(conn, asked) if closed else None,
        closed=closed,
        day=now.astimezone(UTC).date(),
        multiple=asked.template.multiple,
    )


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise SurveyError("bad_attempt") from None
