"""Furnish an empty store for the demo: silos, platforms, keys, statements, outlines, presences.

The statements take the way of a real Moodle: POST /xapi/statements, with a key, by batches.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import Connection, Engine, select, update

from lti_tool import attendance, debriefs, depth
from lti_tool.sandbox import behaviour, files, granted, improving, opinions, past, skills, traces
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.platform import Campus
from lti_tool.sandbox.programme import PATH_TITLE, Session, Site
from lti_tool.sandbox.wayfaring import take_ways
from lti_tool.tool import Tool
from tool_config import platforms, silos
from tool_config.database import administration, insert, transaction
from xapi import auth, outline, rollup
from xapi.identity import course_id
from xapi.statement import account_key
from xapi.tables import course, membership, path

#: Statements a request; the plugin sends up to 30 by default, more if told so.
BATCH = 50
_PATH_ID = 1
#: What tutors heard together: module, object, days after it opens, people present, words.
HEARD: tuple[tuple[int, str, int, int, str], ...] = (
    (
        3,
        "organisation",
        9,
        14,
        "La note d’analyse prend plus de temps qu’annoncé : trois heures plutôt que deux.",
    ),
    (
        3,
        "ergonomics",
        9,
        14,
        "Le dépôt des données de l’établissement est difficile à trouver dans le module.",
    ),
    (
        1,
        "pedagogy",
        10,
        17,
        "Le groupe apprécie les exemples tirés d’établissements réels et en voudrait un de collège.",
    ),
)


class SeedError(Exception):
    """The tool refused what the sandbox gave it; the message holds its answer."""


@dataclass(frozen=True)
class Furnished:
    """What was put in."""

    statements: int
    people: int
    silos: int


def furnish(app: Flask, campus: Campus, say: Callable[[str], None]) -> Furnished:
    """Fill the store of `app` (schema in place, nothing in it) with what the sandbox's past holds."""
    tool: Tool = app.extensions["estime"]
    sent = 0
    connected = [site for site in campus.sites if site.connected]
    for site in connected:
        silo_id = _silo(tool.engine, site, tool.clock())
        _platform(tool, silo_id, site, campus)
        say(f'Community "{site.silo}": platform {site.issuer} registered')
        header = _key(tool.engine, silo_id, tool.clock())
        for session in campus.sessions:
            if session.site != site:
                continue
            done = behaviour.deeds(session, campus.people, campus.clock())
            _send(app, header, [traces.statement(deed) for deed in done], tool.settings.public_url)
            sent += len(done)
            say(f"Session {session.label}: {len(done)} statements posted to /xapi/statements")
        _refresh(tool.engine, silo_id, tool.clock())
        for session in campus.sessions:
            if session.site == site:
                _describe(tool, silo_id, session, campus)
                _opinions(tool, silo_id, session, campus)
        _refresh(tool.engine, silo_id, tool.clock())
        if campus.sessions[0].site == site:
            noted = improving.note(tool.engine, tool.rules, silo_id, campus.sessions[0], campus)
            say(f'Community "{site.silo}": {noted} improvements noted in {campus.sessions[0].label}')
        say(f'Community "{site.silo}": outlines, planned hours and presences in place, figures computed')
        mine = [session for session in campus.sessions if session.site == site]
        if mine:
            members = [one for one in campus.people if one.site == site.key]
            rows = files.bring(tool, silo_id, mine, members) + skills.bring(tool, silo_id, mine, members)
            say(f'Community "{site.silo}": {rows} rows of files (origin, choices, enrolments, sessions…) in')
            head = next(one for one in campus.people if one.site == site.key and one.role == "admin")
            granted.grant(tool, silo_id, _actor(head, mine[0]), _PATH_ID)
        _deepen(tool, silo_id, mine, campus)
        sent += take_ways(tool, silo_id, site, campus, _sender(app, header, tool))
        sent += _remember(app, tool, silo_id, site, campus, header)
    keys = {site.key for site in connected}
    trainees = sum(1 for person in campus.people if person.role == "trainee" and person.site in keys)
    return Furnished(sent, trainees, len(connected))


def _remember(app: Flask, tool: Tool, silo_id: int, site: Site, campus: Campus, header: str) -> int:
    """Put in what the community did before; return how many statements that was."""
    now, sent = campus.clock(), 0
    over = past.sessions(site, campus.today)
    for session in over:
        left = past.statements(session, now)
        _send(app, header, left, tool.settings.public_url)
        sent += len(left)
    _refresh(tool.engine, silo_id, now)
    past.bring(tool, silo_id, site, campus)
    for session in over:
        with transaction(tool.engine, silo_id) as conn:
            there = past.describe(conn, silo_id, session, now=now)
        _refresh(tool.engine, silo_id, now)
        past.attend(tool, silo_id, session, there, now=now)
    _refresh(tool.engine, silo_id, now)
    return sent


def _silo(engine: Engine, site: Site, now: datetime) -> int:
    with administration(engine) as conn:
        found = [silo for silo in silos.list_all(conn) if silo.name == site.silo]
        return found[0].silo_id if found else silos.add(conn, site.silo, now=now)


def _platform(tool: Tool, silo_id: int, site: Site, campus: Campus) -> None:
    port = campus.origin.rpartition(":")[2]
    with administration(tool.engine) as conn:
        platforms.add(
            conn,
            silo_id,
            issuer=site.issuer,
            client_id=site.client_id,
            deployment_id=site.deployment_id,
            auth_url=f"{site.issuer}/mod/lti/auth.php",
            token_url=f"{site.issuer}/mod/lti/token.php",
            jwks_url=f"{site.issuer}/mod/lti/certs.php",
            # Other names of the same machine under which the sandbox may be looked at.
            frame_origins=(campus.origin, f"http://campus.test:{port}", f"http://localhost:{port}"),
            now=campus.clock(),
            allow_local=True,
        )
        platforms.ensure_key(conn, silo_id, tool.settings.secret_key, campus.clock())


def _key(engine: Engine, silo_id: int, now: datetime) -> str:
    with transaction(engine, silo_id) as conn:
        key, secret = auth.issue_key(
            conn, silo_id, ["statements/write", "define"], now=now, label="sandbox", repair="moodle"
        )
    return "Basic " + b64encode(f"{key}:{secret}".encode()).decode()


def _send(app: Flask, header: str, statements: list[dict[str, Any]], public_url: str) -> None:
    client = app.test_client()
    for batch in traces.batches(statements, BATCH):
        answer = client.post(
            "/xapi/statements",
            data=orjson.dumps(batch),
            base_url=public_url,
            headers={
                "Authorization": header,
                "Content-Type": "application/json",
                "X-Experience-API-Version": "1.0.3",
            },
        )
        if answer.status_code != 200:
            raise SeedError(f"the store answered {answer.status_code}: {answer.get_data(as_text=True)[:300]}")


def _sender(app: Flask, header: str, tool: Tool) -> Callable[[list[dict[str, Any]]], None]:
    """Return what posts statements with a key."""
    return lambda statements: _send(app, header, statements, tool.settings.public_url)


def _refresh(engine: Engine, silo_id: int, now: datetime) -> None:
    while True:
        with transaction(engine, silo_id) as conn:
            if not rollup.refresh(conn, silo_id, now=now):
                return


# --- what traces do not say --------------------------------------------------------------------------


def _describe(tool: Tool, silo_id: int, session: Session, campus: Campus) -> None:
    now = campus.clock()
    number = course_id(silo_id, session.iri)
    people = [p for p in campus.people if p.site == session.site.key and session.course_id in p.courses]
    tutor = next(person for person in people if person.role == "tutor")
    with transaction(tool.engine, silo_id) as conn:
        _date(conn, silo_id, number, session)
        _staff(conn, silo_id, number, session, people, now)
        outline.edit(conn, silo_id, number, _edits(session), by=_actor(tutor, session), now=now)
        gatherings = _gatherings(conn, silo_id, number, session, _actor(tutor, session), now)
        # Virtual classes are recorded: missing one keeps nobody from finishing its module.
        optional = [g.title for g in session.gatherings if g.kind == "virtual_class"]
        outline.edit(
            conn,
            silo_id,
            number,
            [outline.Edit(gatherings[title], required=False) for title in optional],
            by=_actor(tutor, session),
            now=now,
        )
    _refresh(tool.engine, silo_id, now)
    with transaction(tool.engine, silo_id) as conn:
        for title, there in behaviour.present(session, campus.people, campus.today).items():
            attendance.mark(
                conn,
                silo_id,
                number,
                gatherings[title],
                {_actor(person, session) for person in there},
                by=_actor(tutor, session),
                now=now,
                authority_home=tool.settings.public_url,
            )


def _opinions(tool: Tool, silo_id: int, session: Session, campus: Campus) -> None:
    k = tool.rules.disclosure.course
    opinions.give(tool.engine, tool.settings.secret_key, k, silo_id, session, campus)


def _deepen(tool: Tool, silo_id: int, sessions: list[Session], campus: Campus) -> None:
    """Count closed questionnaires further, once origins are there, and write down what was heard."""
    now = campus.clock()
    for session in sessions:
        tutor = next(person for person in campus.members(session) if person.role == "tutor")
        for number, about, day, present, said in HEARD:
            module = session.modules[number]
            when = module.opens_on + timedelta(days=day)
            if when <= campus.today:
                with transaction(tool.engine, silo_id) as conn:
                    debriefs.write(
                        conn,
                        silo_id,
                        course_id(silo_id, session.iri),
                        module=traces.section_iri(session, module),
                        about=about,
                        said=said,
                        day=when,
                        present=present,
                        by=_actor(tutor, session),
                        now=now,
                    )
    with transaction(tool.engine, silo_id) as conn:
        for asked in depth.due(conn, silo_id):
            depth.seal(conn, asked, now=now, rules=tool.rules)


def _actor(person: Person, session: Session) -> str:
    return account_key(session.site.issuer, person.user_id)


def _date(conn: Connection, silo_id: int, number: int, session: Session) -> None:
    """Give the session its dates and its path: in real life, the administrator's choice."""
    known = conn.execute(select(path.c.path_id).where(path.c.silo_id == silo_id)).first()
    if known is None:
        conn.execute(insert(conn, path).values(silo_id=silo_id, path_id=_PATH_ID, title=PATH_TITLE))
    conn.execute(
        update(course)
        .where(course.c.silo_id == silo_id, course.c.course_id == number)
        .values(path_id=_PATH_ID, starts_on=session.starts_on, ends_on=session.ends_on)
    )


def _staff(
    conn: Connection, silo_id: int, number: int, session: Session, people: list[Person], now: datetime
) -> None:
    """Say who is staff, as the platform's roster will: traces alone cannot tell a tutor from a trainee."""
    since = min(datetime.combine(session.starts_on, time(8), UTC), now)
    for person in people:
        if person.role == "trainee":
            continue
        row = {"silo_id": silo_id, "course_id": number, "actor": _actor(person, session)}
        row |= {"role": person.role, "source": "roster", "since": since}
        conn.execute(insert(conn, membership).values(row).on_conflict_do_nothing())


def _edits(session: Session) -> list[outline.Edit]:
    """Return what a designer corrects by hand: titles of sections, hours, dates, what is required."""
    edits = []
    for module in session.modules:
        edits.append(
            outline.Edit(
                traces.section_iri(session, module),
                title=module.title,
                hidden=not module.number,
                hours_in_person=module.hours_in_person or None,
                hours_distance=module.hours_distance or None,
                opens_on=module.opens_on,
                closes_on=module.closes_on,
            )
        )
        edits += [
            outline.Edit(traces.activity_iri(session, activity), required=activity.required)
            for activity in module.activities
        ]
    return edits


def _gatherings(
    conn: Connection, silo_id: int, number: int, session: Session, by: str, now: datetime
) -> dict[str, str]:
    """Plan the gatherings; return their IRIs by title."""
    modules = {module.number: traces.section_iri(session, module) for module in session.modules}
    return {
        gathering.title: outline.add_gathering(
            conn,
            silo_id,
            number,
            title=gathering.title,
            kind=gathering.kind,
            day=gathering.day,
            module=modules[gathering.module],
            hours=gathering.hours,
            by=by,
            now=now,
        )
        for gathering in session.gatherings
    }
