"""What a verified launch leaves behind: course, person, membership, aliases, a statement, a session."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

import tincan
from sqlalchemy import Connection, select

from lti_tool import sessions
from lti_tool.launch import Launch
from lti_tool.login import Refused
from lti_tool.sessions import Opened
from lti_tool.tables import person
from tool_config import platforms, roles
from tool_config.database import insert
from xapi import events
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.statement import account_key, actor_key
from xapi.tables import actor_alias, course, membership

_LAUNCHED = "http://adlnet.gov/expapi/verbs/launched"
_COURSE_TYPE = "https://w3id.org/xapi/cmi5/activitytype/course"
#: The dashboard is no activity of the course: it counts for the course itself.
_TOOL_TYPE = "http://id.tincanapi.com/activitytype/site"


def course_iri(family: str, issuer: str, context_id: str) -> str:
    """Return the IRI by which the platform's traces name a course; quirks of families live here."""
    if family == "moodle":
        return f"{issuer.rstrip('/')}/course/view.php?id={quote(context_id, safe='')}"
    return f"{issuer.rstrip('/')}#context={quote(context_id, safe='')}"


def effective_role(conn: Connection, silo_id: int, launch: Launch) -> str:
    """Return the role of a launch: the one it holds, or that of an administrator named by the silo."""
    if platforms.is_administrator(conn, silo_id, launch.issuer, launch.sub):
        return roles.ADMIN
    return launch.role


def arrive(
    conn: Connection,
    silo_id: int,
    launch: Launch,
    *,
    family: str,
    locale: str,
    public_url: str,
    now: datetime,
) -> tuple[Opened, str, int]:
    """Write everything that a launch leaves, and return the session, the actor and the course's number.

    Refused (403) when its roles give no right: nothing is then written.
    """
    role = effective_role(conn, silo_id, launch)
    if not role:
        raise Refused(403, "role", "launch: no role gives access")
    actor = account_key(launch.issuer, launch.sub)
    iri = course_iri(family, launch.issuer, launch.context_id)
    course_id = _upsert_course(conn, silo_id, launch, iri, now)
    _upsert_person(conn, silo_id, launch, actor, now)
    _upsert_membership(conn, silo_id, course_id, actor, role, now)
    _add_aliases(conn, silo_id, launch, actor)
    opened = sessions.open_launch(
        conn,
        silo_id,
        {
            "issuer": launch.issuer,
            "client_id": launch.client_id,
            "deployment_id": launch.deployment_id,
            "actor": actor,
            "role": role,
            "course_id": course_id,
            "resource_link_id": launch.resource_link_id,
            "locale": locale,
            "return_url": launch.return_url or None,
            "services": {**launch.services, "choice": dict(launch.choice)},
        },
        now=now,
    )
    statement = launched(launch, iri, course_id, public_url=public_url, now=now, language=locale)
    ingest(conn, silo_id, [statement], now=now)
    return opened, actor, course_id


def _upsert_course(conn: Connection, silo_id: int, launch: Launch, iri: str, now: datetime) -> int:
    key = course_id(silo_id, iri)
    named = {"issuer": launch.issuer, "context_id": launch.context_id}
    if launch.context_title:
        named["title"] = launch.context_title
    if launch.context_label:
        named["label"] = launch.context_label
    written = insert(conn, course).values(silo_id=silo_id, course_id=key, iri=iri, created_at=now, **named)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "course_id"], set_=named))
    return key


def _upsert_person(conn: Connection, silo_id: int, launch: Launch, actor: str, now: datetime) -> None:
    """Write who came; what a platform withholds today does not erase what it said before."""
    said = {
        name: value
        for name, value in asdict(launch).items()
        if name in ("username", "name", "given_name", "family_name", "email", "locale") and value
    }
    values: dict[str, Any] = {**said, "seen_at": now}
    written = insert(conn, person).values(
        silo_id=silo_id, actor=actor, issuer=launch.issuer, sub=launch.sub, created_at=now, **values
    )
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "actor"], set_=values))


def _upsert_membership(
    conn: Connection, silo_id: int, course_id: int, actor: str, role: str, now: datetime
) -> None:
    written = insert(conn, membership).values(
        silo_id=silo_id, course_id=course_id, actor=actor, role=role, source="launch", since=now
    )
    changed = {"role": role, "until": None}
    conn.execute(
        written.on_conflict_do_update(index_elements=["silo_id", "course_id", "actor"], set_=changed)
    )


def _add_aliases(conn: Connection, silo_id: int, launch: Launch, actor: str) -> None:
    """Let traces that name the person by username or address count for them.

    Both are signed by the platform, and still never take what belongs to somebody else: a name that is
    another person's own key, or already another's alias, stays theirs.
    """
    aliases = []
    # A username of digits could be somebody's number on the platform.
    if launch.username and not launch.username.isdigit():
        aliases.append(account_key(launch.issuer, launch.username))
    if launch.email:
        aliases.append(actor_key({"mbox": f"mailto:{launch.email}"}))
    for alias in aliases:
        owner = select(person.c.actor).where(person.c.silo_id == silo_id, person.c.actor == alias)
        held = select(actor_alias.c.actor).where(
            actor_alias.c.silo_id == silo_id, actor_alias.c.alias == alias
        )
        if alias != actor and not conn.execute(owner).first() and not conn.execute(held).first():
            events.rename_actor(conn, silo_id, alias, actor)


def launched(
    launch: Launch, iri: str, course_id: int, *, public_url: str, now: datetime, language: str
) -> dict[str, Any]:
    """Return the statement that says that somebody opened the tool in a course."""
    link = quote(launch.resource_link_id, safe="")
    statement = tincan.Statement(
        id=uuid.uuid4(),
        actor=tincan.Agent(account=tincan.AgentAccount(home_page=launch.issuer, name=launch.sub)),
        verb=tincan.Verb(id=_LAUNCHED, display=tincan.LanguageMap({"en": "launched", "fr": "a ouvert"})),
        object=tincan.Activity(
            id=f"{public_url}/courses/{course_id}/links/{link}",
            definition=tincan.ActivityDefinition(
                type=_TOOL_TYPE, name=tincan.LanguageMap({language: launch.resource_link_title or "Estime"})
            ),
        ),
        context=tincan.Context(
            language=language,
            context_activities=tincan.ContextActivities(
                parent=[tincan.Activity(id=iri, definition=_course_definition(launch, language))]
            ),
        ),
        timestamp=now,
    )
    said: dict[str, Any] = json.loads(statement.to_json())
    said.pop("version", None)  # the store says which version it speaks
    return said


def _course_definition(launch: Launch, language: str) -> tincan.ActivityDefinition:
    name = {language: launch.context_title} if launch.context_title else None
    return tincan.ActivityDefinition(type=_COURSE_TYPE, name=tincan.LanguageMap(name) if name else None)
