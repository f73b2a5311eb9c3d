"""Marks that a tutor asked the tool to keep in the gradebook: what is to be said, what was, what was refused.

A mark says that somebody went so far (progress) or took part (questionnaire), never how well. What is to be
said is drawn anew from the store at each turn and compared with what was said: a turn done twice says nothing
twice. Marks of a questionnaire leave the night after, in an order drawn at random and with one instant for
all, so that they tell nobody when an answer came. An anonymous questionnaire has none: a mark would say who
answered.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from lti_tool import jobs
from lti_tool.jobs import JobRun
from lti_tool.service_tables import course_service, mark, mark_sent
from lti_tool.services.client import LINE_ITEM, SCORE
from lti_tool.tables import person, survey
from tool_config import roles
from tool_config.database import insert, transaction
from xapi.tables import membership

KIND, NIGHTLY = "marks", "all_marks"
PROGRESS = "progress"
WAITING, SENT, REFUSED = "waiting", "sent", "refused"
#: Between two looks at the progress of a course.
AGAIN = timedelta(hours=1)


class MarkError(Exception):
    """A mark that cannot be switched on. ``reason``: anonymous, no_service, answered."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class MarkState:
    """What a page says of a mark."""

    mark_id: str
    on: bool
    problem: str
    #: The column exists in the gradebook.
    ready: bool
    tried_at: datetime | None
    sent: int
    waiting: int
    refused: int


@dataclass(frozen=True)
class Due:
    """One person of whom something is to be said."""

    actor: str
    sub: str
    score: int
    said_at: datetime | None


def key(course_id: int, mark_id: str) -> str:
    """Return the key of the jobs about one mark."""
    return f"{KIND} {course_id} {mark_id}"


def ask(
    conn: Connection,
    silo_id: int,
    course_id: int,
    mark_id: str,
    *,
    now: datetime,
    due: datetime | None = None,
) -> str:
    """Ask for what is new to be said, in the caller's transaction."""
    payload = {"course_id": course_id, "mark_id": mark_id}
    return jobs.enqueue(conn, silo_id, KIND, payload, now=now, due=due, key=key(course_id, mark_id))


def ask_all(run: JobRun) -> Mapping[str, int]:
    """Ask for every mark that is on: the job of each night."""
    now = run.clock()
    with transaction(run.engine, run.silo_id) as conn:
        wanted = select(mark.c.course_id, mark.c.mark_id).where(
            mark.c.silo_id == run.silo_id, mark.c.off_at.is_(None)
        )
        found = conn.execute(wanted.order_by(mark.c.course_id, mark.c.mark_id)).all()
        for rank, row in enumerate(found):
            due = now + rank * timedelta(seconds=3)
            ask(conn, run.silo_id, row.course_id, row.mark_id, now=now, due=due)
    return {"marks": len(found)}


# --- on and off --------------------------------------------------------------------------------------------


def is_offered(conn: Connection, silo_id: int, course_id: int, own: str | None = None) -> bool:
    """Tell whether the platform takes marks of this course; ``own``: the column of the launch at hand."""
    row = conn.execute(
        select(course_service.c.lineitems_url, course_service.c.scopes).where(
            course_service.c.silo_id == silo_id, course_service.c.course_id == course_id
        )
    ).first()
    if row is None or SCORE not in (row.scopes or ()):
        return False
    return bool(own) or (bool(row.lineitems_url) and LINE_ITEM in row.scopes)


def switch_on(
    conn: Connection,
    silo_id: int,
    course_id: int,
    mark_id: str,
    label: str,
    *,
    by: str,
    now: datetime,
    own: tuple[str, str] | None = None,
) -> None:
    """Keep a mark from now on; ``own``: resource link and column of the launch, used for progress.

    Raises MarkError: a questionnaire's mark is chosen when it opens, so that who answers has been told.
    """
    if mark_id != PROGRESS:
        _require_open_to_marks(conn, silo_id, course_id, mark_id)
        own = None
    link_id, url = own or ("", None)
    if url is not None and _is_used(conn, silo_id, course_id, mark_id, url):
        link_id, url = "", None
    if not is_offered(conn, silo_id, course_id, url):
        raise MarkError("no_service")
    values = {
        "label": label,
        "link_id": link_id,
        "lineitem_url": url,
        "made": url is None,
        "on_at": now,
        "on_by": by,
        "off_at": None,
        "problem": "",
    }
    written = insert(conn, mark).values(silo_id=silo_id, course_id=course_id, mark_id=mark_id, **values)
    conn.execute(
        written.on_conflict_do_update(index_elements=["silo_id", "course_id", "mark_id"], set_=values)
    )
    ask(conn, silo_id, course_id, mark_id, now=now)


def _require_open_to_marks(conn: Connection, silo_id: int, course_id: int, survey_id: str) -> None:
    row = conn.execute(
        select(survey.c.mode, survey.c.received).where(
            survey.c.silo_id == silo_id, survey.c.course_id == course_id, survey.c.survey_id == survey_id
        )
    ).one()
    if row.mode == "anonymous":
        raise MarkError("anonymous")
    if row.received:
        raise MarkError("answered")


def _is_used(conn: Connection, silo_id: int, course_id: int, mark_id: str, url: str) -> bool:
    wanted = select(mark.c.mark_id).where(
        mark.c.silo_id == silo_id,
        mark.c.course_id == course_id,
        mark.c.mark_id != mark_id,
        mark.c.lineitem_url == url,
    )
    return conn.execute(wanted).first() is not None


def switch_off(conn: Connection, silo_id: int, course_id: int, mark_id: str, *, now: datetime) -> None:
    """Say nothing more; the marks that the gradebook has stay there."""
    conn.execute(
        update(mark)
        .where(*_one(mark, silo_id, course_id, mark_id), mark.c.off_at.is_(None))
        .values(off_at=now)
    )


def try_again(conn: Connection, silo_id: int, course_id: int, mark_id: str, *, now: datetime) -> None:
    """Let what was refused be said once more."""
    conn.execute(
        update(mark_sent)
        .where(*_one(mark_sent, silo_id, course_id, mark_id), mark_sent.c.state == REFUSED)
        .values(state=WAITING, reason="", changed_at=now)
    )
    ask(conn, silo_id, course_id, mark_id, now=now)


def _one(table: Any, silo_id: int, course_id: int, mark_id: str) -> tuple[Any, ...]:
    return table.c.silo_id == silo_id, table.c.course_id == course_id, table.c.mark_id == mark_id


# --- looking -----------------------------------------------------------------------------------------------


def state(conn: Connection, silo_id: int, course_id: int, mark_id: str) -> MarkState | None:
    """Return the state of a mark, or None when nobody ever asked for it."""
    row = conn.execute(select(mark).where(*_one(mark, silo_id, course_id, mark_id))).first()
    if row is None:
        return None
    counted = select(mark_sent.c.state, func.count()).where(*_one(mark_sent, silo_id, course_id, mark_id))
    found = conn.execute(counted.group_by(mark_sent.c.state))
    counts: dict[str, int] = {name: count for name, count in found}  # noqa: C416  (rows, not pairs)
    return MarkState(
        mark_id=mark_id,
        on=row.off_at is None,
        problem=row.problem,
        ready=bool(row.lineitem_url),
        tried_at=row.tried_at,
        sent=counts.get(SENT, 0),
        waiting=counts.get(WAITING, 0),
        refused=counts.get(REFUSED, 0),
    )


def is_on(conn: Connection, silo_id: int, course_id: int, mark_id: str) -> bool:
    """Tell whether a mark is kept."""
    wanted = select(mark.c.mark_id).where(*_one(mark, silo_id, course_id, mark_id), mark.c.off_at.is_(None))
    return conn.execute(wanted).first() is not None


def people(conn: Connection, silo_id: int, course_id: int, mark_id: str) -> list[Any]:
    """Return (actor, score, state, reason, said_at) of those of whom something was or is to be said."""
    wanted = select(
        mark_sent.c.actor, mark_sent.c.score, mark_sent.c.state, mark_sent.c.reason, mark_sent.c.said_at
    ).where(*_one(mark_sent, silo_id, course_id, mark_id))
    return list(conn.execute(wanted.order_by(mark_sent.c.actor)))


# --- what is to be said ------------------------------------------------------------------------------------


def gradable(conn: Connection, silo_id: int, course_id: int, issuer: str) -> dict[str, str]:
    """Return {actor: sub} of those of whom a mark may be said: the trainees of the course, nobody else."""
    wanted = (
        select(person.c.actor, person.c.sub)
        .select_from(
            person.join(
                membership,
                and_(membership.c.silo_id == person.c.silo_id, membership.c.actor == person.c.actor),
            )
        )
        .where(
            person.c.silo_id == silo_id,
            person.c.issuer == issuer,
            membership.c.course_id == course_id,
            membership.c.role == roles.TRAINEE,
            membership.c.aside_at.is_(None),
            membership.c.until.is_(None),
        )
    )
    return {row.actor: row.sub for row in conn.execute(wanted)}


def may_say(conn: Connection, silo_id: int, course_id: int, mark_id: str, actor: str) -> bool:
    """Tell whether a mark is still kept, and this person still one of whom it may be said.

    Asked just before each is said: a turn lasts long, and a tutor may switch the mark off meanwhile, or the
    person come as a tutor.
    """
    trainee = select(membership.c.actor).where(
        membership.c.silo_id == silo_id,
        membership.c.course_id == course_id,
        membership.c.actor == actor,
        membership.c.role == roles.TRAINEE,
        membership.c.aside_at.is_(None),
        membership.c.until.is_(None),
    )
    kept = select(mark.c.mark_id).where(
        *_one(mark, silo_id, course_id, mark_id), mark.c.off_at.is_(None), trainee.exists()
    )
    return conn.execute(kept).first() is not None


def prepare(
    conn: Connection,
    silo_id: int,
    course_id: int,
    mark_id: str,
    wanted: Mapping[str, int],
    *,
    now: datetime,
) -> None:
    """Write what is new to be said; a mark of nothing is said only to take back another."""
    known = {row.actor: row for row in people(conn, silo_id, course_id, mark_id)}
    fresh = []
    for actor, score in wanted.items():
        before = known.get(actor)
        if before is None and score:
            fresh.append(
                {"silo_id": silo_id, "course_id": course_id, "mark_id": mark_id, "actor": actor,
                 "score": score, "state": WAITING, "changed_at": now}
            )  # fmt: skip
        elif before is not None and before.score != score:
            conn.execute(
                update(mark_sent)
                .where(*_one(mark_sent, silo_id, course_id, mark_id), mark_sent.c.actor == actor)
                .values(score=score, state=WAITING, reason="", changed_at=now)
            )
    if fresh:
        conn.execute(insert(conn, mark_sent).on_conflict_do_nothing(), fresh)


def due(
    conn: Connection, silo_id: int, course_id: int, mark_id: str, people_: Mapping[str, str]
) -> list[Due]:
    """Return what waits to be said of those who may be marked, in an order drawn at random."""
    wanted = select(mark_sent.c.actor, mark_sent.c.score, mark_sent.c.said_at).where(
        *_one(mark_sent, silo_id, course_id, mark_id), mark_sent.c.state == WAITING
    )
    found = [
        Due(row.actor, people_[row.actor], row.score, row.said_at)
        for row in conn.execute(wanted)
        if row.actor in people_
    ]
    random.SystemRandom().shuffle(found)
    return found


def note(
    conn: Connection,
    silo_id: int,
    course_id: int,
    mark_id: str,
    one: Due,
    state: str,
    reason: str,
    said_at: datetime,
) -> None:
    """Write what became of one score; it stays to be said when another has taken its place meanwhile."""
    conn.execute(
        update(mark_sent)
        .where(*_one(mark_sent, silo_id, course_id, mark_id), mark_sent.c.actor == one.actor)
        .values(said_at=said_at)
    )
    conn.execute(
        update(mark_sent)
        .where(
            *_one(mark_sent, silo_id, course_id, mark_id),
            mark_sent.c.actor == one.actor,
            mark_sent.c.score == one.score,
        )
        .values(state=state, reason=reason)
    )
