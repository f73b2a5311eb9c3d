"""Marks sent to a gradebook: one job a mark, which says what is new, waits and tries again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, select, update

from analyzers import alerts, frames
from lti_tool import jobs
from lti_tool.jobs import JobRun
from lti_tool.service_tables import course_service, mark
from lti_tool.services import gradebook, marks
from lti_tool.services.client import Client, ServiceError
from lti_tool.services.gradebook import MOST, Score
from tool_config import platforms
from tool_config.database import transaction
from tool_config.platforms import Platform
from xapi.survey_tables import answer

log = logging.getLogger(__name__)

#: Seconds before a score that came too early is said again.
_LATER = 30.0


@dataclass(frozen=True)
class _Column:
    """A mark that is on, and where it goes."""

    course_id: int
    mark_id: str
    label: str
    lineitem_url: str | None
    made: bool
    lineitems_url: str | None
    scopes: frozenset[str]
    platform: Platform


def send(run: JobRun) -> Mapping[str, int]:
    """Say what is new of one mark: the handler of `marks.KIND`."""
    course_id, mark_id = int(run.payload["course_id"]), str(run.payload["mark_id"])
    column, people = _prepare(run, course_id, mark_id)
    if column is None:
        return {"sent": 0, "refused": 0, "later": 0}
    try:
        counts = _say(run, column, people)
    except ServiceError as error:
        log.warning("marks of a course could not be sent: %s", error)
        reason = error.reason
        if reason == "gone" and column.made and column.lineitem_url:
            # Somebody removed the column: it is found or made again, once a job.
            _note(run, column, "", forget=True)
            if run.attempt == 1:
                raise jobs.Retry(1.0, reason) from error
        _note(run, column, reason)
        if error.passing:
            raise jobs.Retry(error.wait, reason) from error
        raise jobs.Failed(reason) from error
    if counts["later"]:
        _note(run, column, "later")
        raise jobs.Retry(_LATER, "later")
    _note(run, column, "")
    _come_back(run, column)
    return counts


def _prepare(run: JobRun, course_id: int, mark_id: str) -> tuple[_Column | None, dict[str, str]]:
    """Return where a mark goes and whom it may concern, what is to be said of them written down."""
    now = run.clock()
    with transaction(run.engine, run.silo_id, write=False) as conn:
        column = _column(conn, run.silo_id, course_id, mark_id)
        if column is None:
            return None, {}
        people = marks.gradable(conn, run.silo_id, course_id, column.platform.issuer)
        wanted = _wanted(run, conn, course_id, mark_id, now)
    wanted = {actor: score for actor, score in wanted.items() if actor in people}
    with transaction(run.engine, run.silo_id) as conn:
        marks.prepare(conn, run.silo_id, course_id, mark_id, wanted, now=now)
    return column, people


def _column(conn: Connection, silo_id: int, course_id: int, mark_id: str) -> _Column | None:
    row = conn.execute(
        select(
            mark.c.label,
            mark.c.lineitem_url,
            mark.c.made,
            course_service.c.lineitems_url,
            course_service.c.scopes,
            course_service.c.issuer,
        )
        .select_from(
            mark.join(
                course_service,
                and_(
                    course_service.c.silo_id == mark.c.silo_id,
                    course_service.c.course_id == mark.c.course_id,
                ),
            )
        )
        .where(
            mark.c.silo_id == silo_id,
            mark.c.course_id == course_id,
            mark.c.mark_id == mark_id,
            mark.c.off_at.is_(None),
        )
    ).first()
    platform = platforms.get(conn, silo_id, row.issuer) if row is not None else None
    if row is None or platform is None or not platform.active:
        return None
    return _Column(
        course_id, mark_id, row.label, row.lineitem_url, row.made,
        row.lineitems_url, frozenset(row.scopes or ()), platform,
    )  # fmt: skip


def _wanted(run: JobRun, conn: Connection, course_id: int, mark_id: str, now: datetime) -> dict[str, int]:
    """Return the score of each person, out of 100: how far they are, or that they took part."""
    if mark_id != marks.PROGRESS:
        # Not those of today: whoever asks for a turn now learns nothing of who answered just now.
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        took_part = select(answer.c.respondent.distinct()).where(
            answer.c.silo_id == run.silo_id,
            answer.c.course_id == course_id,
            answer.c.survey_id == mark_id,
            answer.c.at < today,
        )
        return dict.fromkeys(conn.execute(took_part).scalars(), MOST)
    read = frames.course(conn, run.silo_id, course_id, as_of=now, rules=run.rules)
    found = {}
    for learner in alerts.learners(read):
        if learner.completed_on is not None:
            found[learner.actor] = MOST
        elif learner.modules_required:
            found[learner.actor] = int(MOST * learner.modules_done / learner.modules_required)
    return found


def _say(run: JobRun, column: _Column, people: Mapping[str, str]) -> dict[str, int]:
    client = Client(run, column.platform)
    url = column.lineitem_url or _find(run, client, column)
    began = run.clock()
    with transaction(run.engine, run.silo_id, write=False) as conn:
        waiting = marks.due(conn, run.silo_id, column.course_id, column.mark_id, people)
    counts = {"sent": 0, "refused": 0, "later": 0}
    for rank, one in enumerate(waiting):
        run.progress(rank, len(waiting), "sending")
        with transaction(run.engine, run.silo_id, write=False) as conn:
            if not marks.may_say(conn, run.silo_id, column.course_id, column.mark_id, one.actor):
                continue
        at = instant(began, one.said_at)
        outcome = gradebook.send(client, url, Score(one.sub, one.score, one.score == MOST, at))
        counts[outcome] += 1
        state = {"sent": marks.SENT, "refused": marks.REFUSED, "later": marks.WAITING}[outcome]
        reason = "" if outcome == "sent" else outcome
        with transaction(run.engine, run.silo_id) as conn:
            marks.note(conn, run.silo_id, column.course_id, column.mark_id, one, state, reason, at)
    return counts


def instant(now: datetime, last: datetime | None) -> datetime:
    """Return an instant later than the last one said of somebody, in whole seconds as platforms compare."""
    whole = now.replace(microsecond=0)
    return whole if last is None else max(whole, last + timedelta(seconds=1))


def _find(run: JobRun, client: Client, column: _Column) -> str:
    if not column.lineitems_url:
        raise ServiceError("forbidden", "no address of columns")
    url = gradebook.find_or_make(client, column.lineitems_url, column.scopes, column.mark_id, column.label)
    with transaction(run.engine, run.silo_id) as conn:
        conn.execute(update(mark).where(*_same(run, column)).values(lineitem_url=url))
    return url


def _note(run: JobRun, column: _Column, problem: str, *, forget: bool = False) -> None:
    values = {"tried_at": run.clock(), "problem": problem, **({"lineitem_url": None} if forget else {})}
    with transaction(run.engine, run.silo_id) as conn:
        conn.execute(update(mark).where(*_same(run, column)).values(values))


def _same(run: JobRun, column: _Column) -> tuple[ColumnElement[bool], ...]:
    return (
        mark.c.silo_id == run.silo_id,
        mark.c.course_id == column.course_id,
        mark.c.mark_id == column.mark_id,
    )


def _come_back(run: JobRun, column: _Column) -> None:
    """Look at the progress again in a while; questionnaires wait for the night."""
    if column.mark_id == marks.PROGRESS:
        now = run.clock()
        with transaction(run.engine, run.silo_id) as conn:
            marks.ask(conn, run.silo_id, column.course_id, column.mark_id, now=now, due=now + marks.AGAIN)
