"""The state of the data of a silo: what every room knows of what comes in, put together to be judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, and_, case, func, select

from analyzers.frames import supply
from analyzers.quality import Dataset, Files, Key, Platform, Rosters, Supply, Surveys, Values
from lti_tool import matching
from lti_tool.import_tables import import_file, import_refusal
from lti_tool.imports.files import DONE, DRAFT, REFUSED
from lti_tool.service_tables import course_service
from lti_tool.tables import survey
from tool_config import platforms, silos
from tool_config.rules import Rules
from xapi import datasets
from xapi import supply as written
from xapi.survey_tables import survey_step

#: Statements of an unknown verb shown; they are words of the platform, and say nothing of anybody.
_MOST_VERBS = 8


def read(conn: Connection, silo_id: int, *, today: date, rules: Rules) -> Supply:
    """Count all that the silo receives; nothing of fewer people than the threshold is told by its value."""
    actors = matching.actors(conn, silo_id)
    return Supply(
        today=today,
        datasets=_datasets(conn, silo_id, actors, rules.disclosure.across),
        platforms=_platforms(conn, silo_id, today),
        keys=_keys(conn, silo_id),
        rosters=_rosters(conn, silo_id, today),
        presences=supply.presences(conn, silo_id, today=today),
        surveys=_surveys(conn, silo_id, today),
    )


def _datasets(conn: Connection, silo_id: int, actors: Mapping[str, str], k: int) -> tuple[Dataset, ...]:
    """Return the datasets that have rows or files."""
    known = datasets.known(conn, silo_id)
    named: dict[str, list[str]] = defaultdict(list)
    for key, actor in actors.items():
        named[actor].append(key)
    several = {actor: keys for actor, keys in named.items() if len(keys) > 1}
    counted = {one.kind: one for one in supply.datasets(conn, silo_id, known, k=k, names=several)}
    files, rates = _files(conn, silo_id), {one.kind: one for one in matching.rates(conn, silo_id, actors)}
    found = []
    for kind in known:
        if kind not in counted and kind not in files:
            continue
        one = replace(counted.get(kind) or Dataset(kind, 0, 0), files=files.get(kind, Files()))
        if kind in rates:
            one = replace(one, people=rates[kind].people, matched=rates[kind].matched)
        found.append(one)
    return tuple(found)


def _files(conn: Connection, silo_id: int) -> dict[str, Files]:
    """Return what became of the files of each dataset."""
    f, r = import_file.c, import_refusal.c
    done = case((f.state == DONE, f.finished_at))
    query = (
        select(
            f.kind,
            func.max(done),
            func.count(case((f.state == DRAFT, 1))),
            func.count(case((f.state == REFUSED, 1))),
        )
        .where(f.silo_id == silo_id, f.kind != "")
        .group_by(f.kind)
    )
    found = {
        kind: Files(received_at, waiting, failed)
        for kind, received_at, waiting, failed in conn.execute(query)
    }
    # A line that says otherwise of the same thing has this fault and no other.
    twice = func.count(case((r.faults[(0, 1)].as_string() == "twice", 1)))
    lines = (
        select(f.kind, func.count(), twice)
        .select_from(import_refusal.join(import_file, and_(f.silo_id == r.silo_id, f.file_id == r.file_id)))
        .where(r.silo_id == silo_id, f.kind != "")
        .group_by(f.kind)
    )
    for kind, refused, repeated in conn.execute(lines):
        found[kind] = replace(found[kind], refused=refused, twice=repeated)
    return found


def _platforms(conn: Connection, silo_id: int, today: date) -> tuple[Platform, ...]:
    """Return the traces of each platform, those registered that never sent any included."""
    found = {one.name: one for one in supply.platforms(conn, silo_id, today=today)}
    for one in platforms.of_silo(conn, silo_id):
        if one.active:
            found.setdefault(one.issuer, Platform(one.issuer, {}))
    return tuple(found[name] for name in sorted(found))


def _keys(conn: Connection, silo_id: int) -> tuple[Key, ...]:
    """Return the keys of the store that still open."""
    wrote = written.by_key(conn, silo_id)
    found = []
    for row in silos.list_keys(conn, silo_id):
        if row.revoked_at is not None:
            continue
        one = wrote.get(row.key_id, written.Written())
        verbs = sorted(one.unknown.items(), key=lambda pair: (-pair[1], pair[0]))
        found.append(
            Key(
                key_id=row.key_id,
                label=row.label,
                recent=one.statements,
                last_at=one.last_at,
                courseless=one.courseless,
                unknown=Values("verb", sum(one.unknown.values()), tuple(verbs[:_MOST_VERBS])),
                quarantined=one.quarantined,
                repaired=dict(one.repaired),
            )
        )
    return tuple(found)


def _rosters(conn: Connection, silo_id: int, today: date) -> Rosters:
    """Return the sessions with recent activity whose list of participants is partial, or was refused."""
    c = course_service.c
    problems = set(
        conn.scalars(select(c.course_id).where(c.silo_id == silo_id, c.problem != "").order_by(c.course_id))
    )
    sessions = supply.lately(conn, silo_id, today=today)
    return Rosters(
        sessions=len(sessions),
        partial=tuple((key, title) for key, title, partial in sessions if partial and key not in problems),
        refused=tuple((key, title) for key, title, _ in sessions if key in problems),
    )


def _surveys(conn: Connection, silo_id: int, today: date) -> Surveys:
    """Count questionnaires by what is published of them: nothing is known here of answers not published."""
    s, p = survey.c, survey_step.c
    same = and_(p.silo_id == s.silo_id, p.course_id == s.course_id, p.survey_id == s.survey_id)
    over = s.settled_at.is_not(None)
    query = (
        select(
            func.count(),
            func.count(case((over, 1))),
            func.count(case((and_(over, func.coalesce(p.n, 0) == 0), 1))),
            func.max(case((p.n > 0, p.day))),
        )
        .select_from(survey.outerjoin(survey_step, same))
        .where(s.silo_id == silo_id)
    )
    opened, ended, silent, last_on = conn.execute(query).one()
    return Surveys(opened, ended, silent, last_on)
