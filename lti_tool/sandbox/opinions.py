"""What the sandbox's trainees thought of modules and sessions: asked, answered and closed in the past.

They take the way of the tool itself (`lti_tool.surveys`), with the instants of the past as its clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random

from sqlalchemy import Connection, Engine, update

from lti_tool import invited, surveys
from lti_tool.access import Viewer
from lti_tool.invited import links
from lti_tool.invited.reading import Recipient
from lti_tool.invited_tables import invited as invitation
from lti_tool.sandbox import asked as whole
from lti_tool.sandbox import behaviour, remarks, traces
from lti_tool.sandbox.people import SEED, Person
from lti_tool.sandbox.platform import Campus
from lti_tool.sandbox.programme import Module, Session, typeset
from lti_tool.surveys import box as survey_box
from lti_tool.surveys import rows
from lti_tool.tables import person as person_table
from tool_config import surveys as templates
from tool_config.database import insert, transaction
from tool_config.surveys import Survey
from xapi.identity import course_id
from xapi.statement import account_key
from xapi.tables import membership

#: Weights of the points 1 to 5 of each module, overall and of the items.
_KIND = (0, 1, 2, 9, 8)
_HARD = (3, 5, 4, 4, 1)


@dataclass(frozen=True)
class _Asked:
    """A questionnaire of a module, or of the session: its window, its mode, how it was received."""

    module: Module | None
    template: str
    mode: str
    opens_at: datetime
    closes_at: datetime
    weights: tuple[int, ...]


def give(engine: Engine, secret_key: str, k: int, silo_id: int, session: Session, campus: Campus) -> int:
    """Open the questionnaires of a session and answer them; return how many answers were given.

    In the current session modules 1 to 3 are closed, the third less well received, and the fourth is open.
    """
    now, key = campus.clock(), survey_box.key(secret_key)
    members = campus.members(session)
    tutor = next(member for member in members if member.role == "tutor")
    with transaction(engine, silo_id, write=False) as conn:
        if surveys.listing(conn, silo_id, course_id(silo_id, session.iri)):
            return 0  # furnished already
    visits = _visits(session, members, now)
    given = 0
    for asked in _asked(session, now):
        with transaction(engine, silo_id) as conn:
            made = surveys.open_survey(
                conn,
                silo_id,
                course_id(silo_id, session.iri),
                module=traces.section_iri(session, asked.module) if asked.module else "",
                template=templates.load()[asked.template].asked(),
                mode=asked.mode,
                opens_at=asked.opens_at,
                closes_at=asked.closes_at,
                by=account_key(session.site.issuer, tutor.user_id),
                now=asked.opens_at,
            )
            if asked.template == whole.BY_LINK:
                _invite(conn, made, secret_key=secret_key)
            elif made.template.audience == "trainees":
                given += _inside(conn, made, asked, session, members, visits, now=now, key=key, k=k)
            else:
                given += _outside(conn, made, session, min(asked.closes_at, now), key=key, k=k)
            surveys.settle_due(conn, silo_id, now=now, key=key, k=k)
    return given


def _inside(
    conn: Connection,
    made: Survey,
    asked: _Asked,
    session: Session,
    members: Sequence[Person],
    visits: dict[int, dict[Person, list[datetime]]],
    *,
    now: datetime,
    key: bytes,
    k: int,
) -> int:
    """Answer as trainees do on their page; return how many did."""
    answering = _answering(asked, visits, members, now)
    for at, person in answering:
        viewer = _viewer(conn, made.silo_id, session, person)
        random = Random(f"{SEED}/opinion/{session.iri}/{_about(asked)}/{person.user_id}")
        attempt = str(uuid.UUID(int=random.getrandbits(128), version=4))
        words = _words(asked, random) if asked.module else whole.words(made.template, random)
        surveys.submit(conn, made, viewer, words, attempt, now=at, key=key, k=k)
    return len(answering)


def _outside(conn: Connection, made: Survey, session: Session, until: datetime, *, key: bytes, k: int) -> int:
    """Answer as people outside the course do through their links; return how many did."""
    home, given = links.home(conn, made), 0
    for at, name in whole.heads(made.opens_at, until):
        random = Random(f"{SEED}/outside/{session.iri}/{name}")
        attempt = str(uuid.UUID(int=random.getrandbits(128), version=4))
        words, account = whole.words(made.template, random), {"homePage": home, "name": name}
        surveys.take(conn, made, account_key(home, name), account, words, attempt, now=at, key=key, k=k)
        given += 1
    return given


def _invite(conn: Connection, made: Survey, *, secret_key: str) -> None:
    """Invite by links, some of which are sent; addresses are of a domain that exists nowhere."""
    at = made.opens_at
    people = [Recipient(f"{box}@rectorat.example", name) for name, box, _ in whole.INVITED]
    invited.add(conn, made, people, locale="fr", secret_key=secret_key, now=at)
    states = {f"{box}@rectorat.example": state for _, box, state in whole.INVITED}
    for one in invited.listing(conn, made, secret_key=secret_key):
        state = states[one.address or ""]
        said = "550 5.1.1 unknown mailbox" if state == "refused" else ""
        sent_at = at + timedelta(minutes=2) if state == "sent" else None
        conn.execute(
            update(invitation)
            .where(*rows.same(invitation, made), invitation.c.invited_id == one.invited_id)
            .values(state=state, said=said, sent_at=sent_at)
        )


def _asked(session: Session, now: datetime) -> Sequence[_Asked]:
    current = now.date() <= session.ends_on - timedelta(weeks=6)
    found = []
    for module in session.modules[1:5] if current else session.modules[1:4]:
        opens = datetime.combine(module.opens_on, time(8), UTC)
        closes = datetime.combine(module.closes_on + timedelta(days=8), time(), UTC)
        if current and module.number == 3:
            closes = datetime.combine(now.date() - timedelta(days=1), time(), UTC)
        if current and module.number == 4:
            closes = datetime.combine(now.date() + timedelta(days=12), time(), UTC)
        if opens < now and opens < closes:
            hard = module.number == 3
            mode = "anonymous" if not current and module.number == 1 else "pseudonymous"
            found.append(_Asked(module, "a-chaud-module", mode, opens, closes, _HARD if hard else _KIND))
    found += [
        _Asked(None, name, "pseudonymous", opens, closes, _KIND)
        for name, opens, closes in whole.windows(session, now)
    ]
    return sorted(found, key=lambda one: one.opens_at)


def _about(asked: _Asked) -> str:
    return str(asked.module.number) if asked.module else asked.template


def _visits(
    session: Session, members: Sequence[Person], now: datetime
) -> dict[int, dict[Person, list[datetime]]]:
    """Return when each trainee still there was in each module, by number."""
    found: dict[int, dict[Person, list[datetime]]] = {}
    gone = set()
    for deed in behaviour.deeds(session, members, now):
        if deed.kind == "left":
            gone.add(deed.person)
        if deed.module is not None and deed.person.role == "trainee":
            found.setdefault(deed.module.number, {}).setdefault(deed.person, []).append(deed.at)
    return {
        number: {person: times for person, times in there.items() if person not in gone}
        for number, there in found.items()
    }


def _answering(
    asked: _Asked, visits: dict[int, dict[Person, list[datetime]]], members: Sequence[Person], now: datetime
) -> list[tuple[datetime, Person]]:
    """Return who answers and when, in order: after their last visit to the module before the closing."""
    until = min(asked.closes_at, now)
    if asked.module is None:
        return _at_any_time(asked, [person for person in members if person.role == "trainee"], until)
    found = []
    for person, times in visits.get(asked.module.number, {}).items():
        seen = [at for at in times if asked.opens_at <= at < until - timedelta(minutes=6)]
        random = Random(f"{SEED}/answers/{asked.module.section_id}/{person.user_id}")
        # Somebody who only passed by does not answer; most of the others do.
        if len(seen) > 3 and random.random() < 0.9:
            found.append((max(seen) + timedelta(minutes=5), person))
    return sorted(found, key=lambda item: (item[0], item[1].user_id))


def _at_any_time(asked: _Asked, people: Sequence[Person], until: datetime) -> list[tuple[datetime, Person]]:
    """Return those who answer a questionnaire about the session, most of them, in its window."""
    found = []
    for person in people:
        random = Random(f"{SEED}/answers/{asked.template}/{asked.opens_at:%Y%m}/{person.user_id}")
        if random.random() < 0.7:
            found.append((asked.opens_at + (until - asked.opens_at) * random.uniform(0.05, 0.9), person))
    return sorted(found, key=lambda item: (item[0], item[1].user_id))


def _viewer(conn: Connection, silo_id: int, session: Session, person: Person) -> Viewer:
    """Return a trainee as the tool knows them once they have opened it."""
    actor, number = account_key(session.site.issuer, person.user_id), course_id(silo_id, session.iri)
    since = datetime.combine(session.starts_on, time(8), UTC)
    known = {"silo_id": silo_id, "actor": actor, "issuer": session.site.issuer, "sub": person.user_id}
    known |= {"name": person.name, "given_name": person.given_name, "family_name": person.family_name}
    conn.execute(insert(conn, person_table).values(**known, created_at=since).on_conflict_do_nothing())
    there = {"silo_id": silo_id, "course_id": number, "actor": actor, "role": "trainee"}
    row = {**there, "source": "launch", "since": since}
    conn.execute(insert(conn, membership).values(row).on_conflict_do_nothing())
    return Viewer(
        silo_id=silo_id,
        launch_id="",
        actor=actor,
        role="trainee",
        course_id=number,
        locale="fr",
        names=False,
        return_url="",
    )


def _words(asked: _Asked, random: Random) -> dict[str, str]:
    def point(weights: Sequence[int]) -> str:
        return str(random.choices(range(1, 6), weights=weights)[0])

    said = {"overall": point(asked.weights), "objectives": point(asked.weights), "useful": point(_KIND)}
    said |= {"pedagogy": point(asked.weights), "organisation": point(asked.weights)}
    hard = asked.weights is _HARD
    if random.random() < 0.75:
        said["liked"] = typeset(random.choice(remarks.LIKED))
    if random.random() < (0.9 if hard else 0.65):
        said["improve"] = typeset(random.choice(remarks.IMPROVE))
    return said
