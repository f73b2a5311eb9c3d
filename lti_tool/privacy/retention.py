"""How long things are kept, by silo and kind, counted from the session's end; what is over leaves at night.

A session whose end is not known is never purged: its start says nothing. One that lasts two years is not
purged in its first. Before its traces go, what was counted of a session is sealed (`sealed_course`), and the
published figures of its questionnaires stay: neither is drawn from traces again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, and_, func, select

from lti_tool.import_tables import import_file, import_refusal
from lti_tool.privacy_tables import retention_rule
from lti_tool.tables import audit, survey
from tool_config import silos
from tool_config.database import insert
from xapi.sealed_tables import sealed_course
from xapi.survey_tables import answer
from xapi.tables import course, event

#: Kind -> days by default, fewest, most.
KINDS: Mapping[str, tuple[int, int, int]] = {
    # Traces and all that is drawn from them person by person: from the session's end.
    "traces": (365, 30, 1825),
    # Named answers, one by one: from the closing of the questionnaire. Published figures stay.
    "answers": (365, 30, 1825),
    # Comments, with the answers that they are in: from the closing too.
    "comments": (730, 30, 1825),
    # Lines refused by imports: from the day of the file.
    "imports": (30, 1, 30),
    # The audit: who came, who looked at whom.
    "looks": (365, 180, 1825),
}


class RetentionError(Exception):
    """A duration that cannot be: `kind` unknown, or days out of its bounds."""


@dataclass(frozen=True)
class Rule:
    """How long a kind is kept."""

    kind: str
    days: int
    fewest: int
    most: int


@dataclass(frozen=True)
class Ended:
    """A session whose traces are over: since when, and how many there are."""

    course_id: int
    title: str
    ends_on: date
    traces: int


@dataclass(frozen=True)
class Plan:
    """What leaves at the next run."""

    courses: tuple[Ended, ...]
    #: Of the other kinds.
    counts: Mapping[str, int]
    #: Sessions without a known end, which are never purged.
    endless: int
    #: Sessions sealed before, with their day.
    sealed: tuple[tuple[str, date], ...] = field(default=())


def rules(conn: Connection, silo_id: int) -> tuple[Rule, ...]:
    """Return how long each kind is kept in a silo."""
    c = retention_rule.c
    rows = conn.execute(select(c.kind, c.days).where(c.silo_id == silo_id))
    said = {row.kind: row.days for row in rows}
    return tuple(
        Rule(kind, min(max(said.get(kind, usual), fewest), most), fewest, most)
        for kind, (usual, fewest, most) in KINDS.items()
    )


def set_rule(conn: Connection, silo_id: int, kind: str, days: int, *, by: str, now: datetime) -> None:
    """Keep a kind for so many days; raises RetentionError."""
    if kind not in KINDS or not KINDS[kind][1] <= days <= KINDS[kind][2]:
        raise RetentionError(kind)
    said = {"days": days, "changed_at": now, "changed_by": by}
    written = insert(conn, retention_rule).values(silo_id=silo_id, kind=kind, **said)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "kind"], set_=said))


def days_of(conn: Connection, silo_id: int) -> dict[str, int]:
    """Return the days of each kind."""
    return {rule.kind: rule.days for rule in rules(conn, silo_id)}


def over(conn: Connection, silo_id: int, *, now: datetime) -> list[tuple[int, str, date]]:
    """Return (course, title, end) of the sessions whose traces have been kept long enough."""
    zone = ZoneInfo(silos.get(conn, silo_id).time_zone)
    last = now.astimezone(zone).date() - timedelta(days=days_of(conn, silo_id)["traces"])
    c = course.c
    query = select(c.course_id, c.title, c.ends_on).where(
        c.silo_id == silo_id, c.ends_on.is_not(None), c.ends_on < last
    )
    return [(row[0], row[1] or "", row[2]) for row in conn.execute(query.order_by(c.ends_on, c.course_id))]


def plan(conn: Connection, silo_id: int, *, now: datetime) -> Plan:
    """Count what would leave, changing nothing."""
    s, c = sealed_course.c, course.c
    found = conn.execute(select(s.course_id, s.sealed_at).where(s.silo_id == silo_id))
    done = {row.course_id: row.sealed_at for row in found}
    ended = []
    titles: dict[int, str] = {}
    for course_id, title, ends_on in over(conn, silo_id, now=now):
        titles[course_id] = title
        number = conn.scalar(
            select(func.count()).where(event.c.silo_id == silo_id, event.c.course_id == course_id)
        )
        if number or course_id not in done:
            ended.append(Ended(course_id, title, ends_on, int(number or 0)))
    counts = {}
    for kind, (table, where) in conditions(silo_id, days_of(conn, silo_id), now).items():
        counts[kind] = int(conn.scalar(select(func.count()).select_from(table).where(where)) or 0)
    endless = select(func.count()).where(c.silo_id == silo_id, c.course_id >= 0, c.ends_on.is_(None))
    past = tuple((titles.get(key, ""), at.date()) for key, at in sorted(done.items(), key=lambda one: one[1]))
    return Plan(tuple(ended), counts, int(conn.scalar(endless) or 0), past)


def conditions(silo_id: int, days: Mapping[str, int], now: datetime) -> dict[str, tuple[Table, Any]]:
    """Return, for each kind but traces, the table and the rows of it that have been kept long enough."""
    f = import_file.c

    def settled(kind: str) -> Any:
        c = survey.c
        return select(c.survey_id).where(
            c.silo_id == silo_id,
            c.course_id == answer.c.course_id,
            c.settled_at.is_not(None),
            c.closes_at < now - timedelta(days=days[kind]),
        )

    old_files = select(f.file_id).where(
        f.silo_id == silo_id, f.created_at < now - timedelta(days=days["imports"])
    )
    mine = answer.c.silo_id == silo_id
    closed = answer.c.text.is_(None)
    return {
        "answers": (answer, and_(mine, closed, answer.c.survey_id.in_(settled("answers")))),
        "comments": (answer, and_(mine, ~closed, answer.c.survey_id.in_(settled("comments")))),
        "imports": (
            import_refusal,
            and_(import_refusal.c.silo_id == silo_id, import_refusal.c.file_id.in_(old_files)),
        ),
        "looks": (
            audit,
            and_(audit.c.silo_id == silo_id, audit.c.at < now - timedelta(days=days["looks"])),
        ),
    }
