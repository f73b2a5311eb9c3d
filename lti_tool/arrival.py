"""What a verified launch leaves behind: course, person, membership, aliases, a statement, a session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import tincan
from sqlalchemy import Connection

from lti_tool import acquaintance, audit, paths, sessions
from lti_tool.acquaintance import Known
from lti_tool.launch import Launch
from lti_tool.login import Refused
from lti_tool.services import arrivals
from lti_tool.sessions import Opened
from lti_tool.tables import audit as audit_table
from tool_config import families, roles
from tool_config.database import Rows, write_together
from xapi import tombstones
from xapi.identity import course_id
from xapi.ingest import ingest

_LAUNCHED = "http://adlnet.gov/expapi/verbs/launched"
_COURSE_TYPE = "https://w3id.org/xapi/cmi5/activitytype/course"
#: The dashboard is no activity of the course: it counts for the course itself.
_TOOL_TYPE = "http://id.tincanapi.com/activitytype/site"


class Erased(Refused):
    """Who comes was erased at their own request; nothing is written until they say that they come back."""

    def __init__(self, who: str) -> None:
        super().__init__(403, "erased", "launch: erased at their own request")
        #: Not the `actor` of a refusal, which the audit would keep.
        self.who = who


@dataclass(frozen=True)
class Arrived:
    """A launch that succeeded: its session, who came, as what, in which course."""

    opened: Opened
    actor: str
    role: str
    course_id: int


def effective_role(known: Known, launch: Launch) -> str:
    """Return the role of a launch: the one it holds, or that of an administrator named by the silo."""
    return roles.ADMIN if known.administrator else launch.role


def arrive(
    conn: Connection,
    silo_id: int,
    launch: Launch,
    *,
    family: str,
    locale: str,
    public_url: str,
    now: datetime,
    spent: Mapping[str, Any] | None = None,
) -> Arrived:
    """Write everything that a launch leaves, and return who came where.

    In a transaction that announced itself (``xapi.store.announced``), ``now`` read since it began: most
    of what is new goes to the server at once, with the end of the transaction. ``spent``: the login that
    is taken for it (``login.spending``), Refused (401) when it is not there. Refused (403) when its roles
    give no right: nothing is then written.
    """
    iri = families.family(family).course_iri(launch.issuer, launch.context_id)
    key = course_id(silo_id, iri)
    known = acquaintance.recognise(conn, silo_id, launch, key, spent)
    actor = known.actor
    secret = known.stored.secret if known.stored is not None else ""
    if secret and tombstones.buried(conn, silo_id, [actor], secret=secret):
        raise Erased(actor)
    role = effective_role(known, launch)
    if not role:
        raise Refused(403, "role", "launch: no role gives access", actor=actor, course_id=key)
    if launch.placing is not None and role not in (roles.TUTOR, roles.ADMIN):
        raise Refused(
            403, "role", "launch: only tutors choose what a course holds", actor=actor, course_id=key
        )
    rows = acquaintance.place_rows(conn, silo_id, launch, iri, key, known, role, now)
    paths.seen(
        conn,
        silo_id,
        key,
        issuer=launch.issuer,
        context_id=launch.context_id,
        idnumber=launch.idnumber,
        history=launch.history,
    )
    rows += acquaintance.person_rows(silo_id, launch, known, now)
    rows += acquaintance.alias_rows(conn, silo_id, known)
    arrivals.remember(conn, silo_id, key, launch, actor, role, now=now)
    line = audit.line(silo_id, action="launch", accepted=True, actor=actor, course_id=key, role=role, at=now)
    rows.append(Rows(audit_table, [line]))
    session = _session(launch, actor, role, key, locale)
    if launch.placing is not None:  # to choose what a course holds is not to open an activity of it
        write_together(conn, rows)
        return Arrived(sessions.open_launch(conn, silo_id, session, now=now), actor, role, key)
    opened, row = sessions.prepare(silo_id, session, now=now)
    statement = launched(launch, iri, key, public_url=public_url, now=now, language=locale)
    ingest(
        conn,
        silo_id,
        [statement],
        now=now,
        announced=True,
        beside=[*rows, row],
        known=known.stored,
        ending=True,
    )
    return Arrived(opened, actor, role, key)


def _session(launch: Launch, actor: str, role: str, key: int, locale: str) -> dict[str, Any]:
    """Return what is kept of a launch while it is open (columns of the table ``launch``)."""
    return {
        "issuer": launch.issuer,
        "client_id": launch.client_id,
        "deployment_id": launch.deployment_id,
        "actor": actor,
        "role": role,
        "course_id": key,
        "resource_link_id": launch.resource_link_id,
        "locale": locale,
        "return_url": launch.return_url or None,
        "services": {
            **launch.services,
            "choice": dict(launch.choice),
            **({"placing": dict(launch.placing)} if launch.placing is not None else {}),
        },
    }


def launched(
    launch: Launch, iri: str, key: int, *, public_url: str, now: datetime, language: str
) -> dict[str, Any]:
    """Return the statement that says that somebody opened the tool in a course."""
    said = _said(
        iri,
        launch.context_title,
        f"{public_url}/courses/{key}/links/{quote(launch.resource_link_id, safe='')}",
        launch.resource_link_title or "Estime",
        language,
    )
    account = {"homePage": launch.issuer, "name": launch.sub}
    actor = {"objectType": "Agent", "account": account}
    return {"actor": actor, **said, "timestamp": now.isoformat()}


@lru_cache(maxsize=500)
def _said(
    course: str, course_title: str | None, link: str, link_title: str, language: str
) -> Mapping[str, Any]:
    """Return what is said of everybody who opens the same link of the same course; not to be changed."""
    name = tincan.LanguageMap({language: course_title}) if course_title else None
    statement = tincan.Statement(
        actor=tincan.Agent(),
        verb=tincan.Verb(id=_LAUNCHED, display=tincan.LanguageMap({"en": "launched", "fr": "a ouvert"})),
        object=tincan.Activity(
            id=link,
            definition=tincan.ActivityDefinition(
                type=_TOOL_TYPE, name=tincan.LanguageMap({language: link_title})
            ),
        ),
        context=tincan.Context(
            language=language,
            context_activities=tincan.ContextActivities(
                parent=[
                    tincan.Activity(
                        id=course, definition=tincan.ActivityDefinition(type=_COURSE_TYPE, name=name)
                    )
                ]
            ),
        ),
    )
    said: dict[str, Any] = json.loads(statement.to_json())
    return {name: said[name] for name in ("verb", "object", "context")}
