"""Background work: a durable queue in SQL, written in the transaction of whoever asks for it.

A job is done at least once: a worker that dies leaves a lease behind, and when it is over another takes the
job again. Two workers never have one job at the same time (SKIP LOCKED on PostgreSQL, the write lock on
SQLite), and of the jobs with the same ``key`` one at most is waiting or running. Handlers therefore commit
their own steps, and bear being run twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, case, delete, or_, select, update

from lti_tool.job_tables import job
from lti_tool.outbound import Outbound
from tool_config.database import insert
from tool_config.rules import Rules
from tool_config.settings import Settings
from xapi.cache import Cache

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"

#: A worker that has not been heard of for so long is believed dead; it makes itself heard thrice as often.
LEASE = timedelta(seconds=90)
#: Jobs that are over are kept so long, then forgotten.
KEPT = timedelta(days=14)
#: Tries of one job, where its kind says nothing else.
MOST_ATTEMPTS = 8
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 6 * 3600.0
#: Said of a job whose workers died, one after the other.
ABANDONED = "abandoned"
CANCELLED = "cancelled"


class Retry(Exception):  # noqa: N818  (it is no error: the job goes on later)
    """Raised by a handler: to be done again later. ``reason`` is a word that pages put into a sentence."""

    def __init__(self, after_seconds: float | None, reason: str) -> None:
        super().__init__(reason)
        #: None: a wait that doubles at each attempt.
        self.after_seconds = after_seconds
        self.reason = reason


class Failed(Exception):  # noqa: N818  (how a job ends)
    """Raised by a handler: it cannot be done, and trying again would not help. ``reason`` is a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Interrupted(Exception):  # noqa: N818  (how a turn ends)
    """The job is no longer this worker's: cancelled, taken by another, or the process is stopping."""


@dataclass(frozen=True)
class Job:
    """A job as pages show it. ``total`` is 0 while it is not known."""

    job_id: str
    kind: str
    key: str | None
    payload: Mapping[str, Any]
    #: waiting, running, done, failed
    state: str
    done: int
    total: int
    message: str
    result: Mapping[str, Any] | None
    attempts: int
    due_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


@dataclass(frozen=True)
class JobRun:
    """What a handler works with. It opens its own transactions, never one around a network call."""

    engine: Engine
    silo_id: int
    job_id: str
    payload: Mapping[str, Any]
    settings: Settings
    clock: Callable[[], datetime]
    http: Outbound
    cache: Cache
    rules: Rules
    #: Progress of (done, total, message); raises Interrupted when the job is no longer this worker's.
    progress: Callable[[int, int, str], None] = field(repr=False)
    #: From 1.
    attempt: int = 1


Handler = Callable[[JobRun], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Kind:
    """Who does a kind of job. A ``slow`` one (minutes) leaves a thread to the others."""

    run: Handler
    slow: bool = False
    attempts: int = MOST_ATTEMPTS


# --- asking ------------------------------------------------------------------------------------------------


def enqueue(
    conn: Connection,
    silo_id: int,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    due: datetime | None = None,
    key: str | None = None,
) -> str:
    """Ask for a job and return its id; it exists when the caller's transaction commits.

    With a ``key``, a job of that key which still waits takes the new payload (and the earlier of the two
    instants), and one that runs is done once more afterwards: in both cases its id is returned.
    """
    added = insert(conn, job).values(_row(silo_id, uuid4().hex, kind, payload, now, due or now, key))
    new, waits = added.excluded, job.c.state == WAITING
    earlier = and_(waits, new.due_at < job.c.due_at)
    wanted = added.on_conflict_do_update(
        index_elements=[job.c.silo_id, job.c.key],
        index_where=job.c.finished_at.is_(None),
        set_={
            "kind": new.kind,
            "payload": new.payload,
            "due_at": case((earlier, new.due_at), else_=job.c.due_at),
            "again_at": case((waits, None), else_=new.due_at),
            "attempts": case((waits, 0), else_=job.c.attempts),
        },
    ).returning(job.c.job_id)
    return str(conn.execute(wanted).scalar_one())


def _row(
    silo_id: int,
    job_id: str,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    due: datetime,
    key: str | None,
) -> dict[str, Any]:
    return {
        "silo_id": silo_id,
        "job_id": job_id,
        "kind": kind,
        "payload": dict(payload),
        "state": WAITING,
        "key": key,
        "due_at": due,
        "created_at": now,
    }


@dataclass(frozen=True)
class Periodic:
    """A job of every day, at an hour of the silo's own time zone."""

    kind: str
    at: time


def every(kind: str, *, at: time) -> Periodic:
    """Return a job to be done every day at ``at``, for `job_kinds.PERIODIC`."""
    return Periodic(kind, at)


def plan(
    conn: Connection, silo_id: int, periodic: Periodic, zone: ZoneInfo, *, since: datetime, now: datetime
) -> None:
    """Ask for the last day's turn of a periodic job, once whoever asks, unless it was before ``since``."""
    here = now.astimezone(zone)
    day = here.date() if here.time() >= periodic.at else here.date() - timedelta(days=1)
    turn = datetime.combine(day, periodic.at, zone)
    if turn < since or now - turn > KEPT / 2:
        return
    job_id = uuid5(NAMESPACE_URL, f"{periodic.kind} {day}").hex
    payload = {"day": day.isoformat()}
    row = _row(silo_id, job_id, periodic.kind, payload, now, now, f"every {periodic.kind}")
    conn.execute(insert(conn, job).values(row).on_conflict_do_nothing())


def cancel(conn: Connection, silo_id: int, job_id: str, *, now: datetime) -> bool:
    """End a job that is not over: its worker is told at its next step; tell whether there was one."""
    ended = conn.execute(
        update(job)
        .where(job.c.silo_id == silo_id, job.c.job_id == job_id, job.c.finished_at.is_(None))
        .values(state=FAILED, message=CANCELLED, claim=None, lease_until=None, again_at=None, finished_at=now)
    )
    return ended.rowcount > 0


# --- looking -----------------------------------------------------------------------------------------------


def read(conn: Connection, silo_id: int, job_id: str) -> Job | None:
    """Return a job, or None when it is unknown or was forgotten."""
    return _job(conn.execute(_jobs(silo_id).where(job.c.job_id == job_id)).first())


def latest(conn: Connection, silo_id: int, key: str) -> Job | None:
    """Return the last job asked for with a key, over or not."""
    newest = _jobs(silo_id).where(job.c.key == key).order_by(job.c.created_at.desc(), job.c.job_id).limit(1)
    return _job(conn.execute(newest).first())


def failed(conn: Connection, silo_id: int, *, since: datetime) -> list[tuple[str, str]]:
    """Return kind and reason of the jobs that failed since an instant, and that were not done afterwards."""
    later = job.alias("later")
    done = select(later.c.job_id).where(
        later.c.silo_id == job.c.silo_id,
        later.c.key == job.c.key,
        later.c.state == DONE,
        later.c.finished_at > job.c.finished_at,
    )
    wanted = select(job.c.kind, job.c.message).where(
        job.c.silo_id == silo_id,
        job.c.state == FAILED,
        job.c.message != CANCELLED,
        job.c.finished_at > since,
        ~done.exists(),
    )
    ordered = wanted.order_by(job.c.finished_at.desc(), job.c.job_id).limit(1000)
    return [(row.kind, row.message) for row in conn.execute(ordered)]


_SHOWN = tuple(job.c[name] for name in Job.__dataclass_fields__)


def _jobs(silo_id: int) -> Any:
    return select(*_SHOWN).where(job.c.silo_id == silo_id)


def _job(row: Row[Any] | None) -> Job | None:
    return None if row is None else Job(**row._mapping)


# --- doing: for the runner ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claimed:
    """A job that one worker has; ``claim`` is drawn for this turn."""

    job_id: str
    kind: str
    payload: Mapping[str, Any]
    attempt: int
    claim: str


def is_due(conn: Connection, silo_id: int, kinds: Collection[str], *, now: datetime) -> bool:
    """Tell whether there is something to claim."""
    return conn.execute(select(job.c.job_id).where(_due(silo_id, kinds, now)).limit(1)).first() is not None


def claim(conn: Connection, silo_id: int, kinds: Mapping[str, Kind], *, now: datetime) -> Claimed | None:
    """Take the job due for the longest time, if there is one that nobody has.

    One that has used up its attempts ends as failed instead.
    """
    wanted = (
        select(job.c.job_id, job.c.kind, job.c.payload, job.c.attempts, job.c.started_at)
        .where(_due(silo_id, kinds, now))
        .order_by(job.c.due_at, job.c.job_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while (row := conn.execute(wanted).first()) is not None:
        one = job.c.silo_id == silo_id, job.c.job_id == row.job_id
        if row.attempts < kinds[row.kind].attempts:
            token = uuid4().hex
            conn.execute(
                update(job)
                .where(*one)
                .values(
                    state=RUNNING,
                    claim=token,
                    lease_until=now + LEASE,
                    attempts=row.attempts + 1,
                    started_at=row.started_at or now,
                )
            )
            return Claimed(row.job_id, row.kind, row.payload, row.attempts + 1, token)
        conn.execute(
            update(job)
            .where(*one)
            .values(state=FAILED, message=ABANDONED, claim=None, lease_until=None, finished_at=now)
        )
    return None


def _due(silo_id: int, kinds: Collection[str], now: datetime) -> ColumnElement[bool]:
    free = or_(
        and_(job.c.state == WAITING, job.c.due_at <= now),
        and_(job.c.state == RUNNING, job.c.lease_until <= now),
    )
    return and_(job.c.silo_id == silo_id, job.c.finished_at.is_(None), free, job.c.kind.in_(list(kinds)))


def keep(
    conn: Connection,
    silo_id: int,
    mine: Claimed,
    *,
    now: datetime,
    step: tuple[int, int, str] | None = None,
) -> None:
    """Renew the lease, with the progress made if any; Interrupted when the job is no longer ours."""
    values: dict[str, Any] = {"lease_until": now + LEASE}
    if step is not None:
        values.update(zip(("done", "total", "message"), step, strict=True))
    if conn.execute(update(job).where(_ours(silo_id, mine)).values(values)).rowcount == 0:
        raise Interrupted


def finish(
    conn: Connection, silo_id: int, mine: Claimed, result: Mapping[str, Any] | None, *, now: datetime
) -> None:
    """End a job that is done; Interrupted when it is no longer ours."""
    values = {"state": DONE, "message": "", "result": None if result is None else dict(result)}
    _end(conn, silo_id, mine, values, now)


def fail(conn: Connection, silo_id: int, mine: Claimed, reason: str, *, now: datetime) -> None:
    """End a job that cannot be done; Interrupted when it is no longer ours."""
    _end(conn, silo_id, mine, {"state": FAILED, "message": reason}, now)


def put_back(
    conn: Connection, silo_id: int, mine: Claimed, reason: str, *, due: datetime, counted: bool = True
) -> None:
    """Let a job wait until ``due``; Interrupted when it is no longer ours. ``counted``: it was a try."""
    again_at = _hold(conn, silo_id, mine)
    conn.execute(
        update(job)
        .where(_ours(silo_id, mine))
        .values(
            state=WAITING,
            message=reason,
            claim=None,
            lease_until=None,
            due_at=due if again_at is None else min(due, again_at),
            again_at=None,
            attempts=job.c.attempts if counted else job.c.attempts - 1,
        )
    )


def _end(conn: Connection, silo_id: int, mine: Claimed, values: dict[str, Any], now: datetime) -> None:
    again_at = _hold(conn, silo_id, mine)
    if again_at is None:
        values["finished_at"] = now
    else:  # asked for again meanwhile
        values.update(state=WAITING, due_at=again_at, again_at=None, attempts=0, done=0, total=0)
    conn.execute(update(job).where(_ours(silo_id, mine)).values(**values, claim=None, lease_until=None))


def _hold(conn: Connection, silo_id: int, mine: Claimed) -> datetime | None:
    """Lock our job until the end of the transaction, and return when it was asked for again."""
    row = conn.execute(select(job.c.again_at).where(_ours(silo_id, mine)).with_for_update()).first()
    if row is None:
        raise Interrupted
    again_at: datetime | None = row.again_at
    return again_at


def _ours(silo_id: int, mine: Claimed) -> ColumnElement[bool]:
    return and_(job.c.silo_id == silo_id, job.c.job_id == mine.job_id, job.c.claim == mine.claim)


def wait(attempt: int) -> float:
    """Return the seconds to wait after a failed attempt: doubled each time, and never quite the same."""
    longest: float = min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT)
    return longest * random.uniform(0.8, 1.2)  # noqa: S311  (spreads retries, keeps no secret)


def forget(conn: Connection, silo_id: int, *, now: datetime) -> int:
    """Delete the jobs that were over long ago; return how many."""
    old = job.c.finished_at.is_not(None), job.c.finished_at < now - KEPT
    return conn.execute(delete(job).where(job.c.silo_id == silo_id, *old)).rowcount
