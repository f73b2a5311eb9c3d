"""Documents of activity state, activity profile and agent profile (xAPI 1.0.3 Communication 2.2, 3.1).

A change reads the document, checks the preconditions and writes, with nobody between: on SQLite writers are
one at a time; on PostgreSQL the row is locked, and a row that appears meanwhile is read in its turn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from tool_config.database import insert
from xapi import json_text, tombstones
from xapi.document_tables import document
from xapi.errors import Conflict, NotFound, PreconditionFailed, TooLarge, XapiError

JSON = "application/json"
#: Names in a list, at most: one page of everything that a device has kept.
LONGEST_LIST = 10_000
#: Times that a change is tried again because others write the same document.
_ATTEMPTS = 20


@dataclass(frozen=True)
class Place:
    """Where a document is: a kind and what it is about; "" where the kind has no such part."""

    #: state, activity-profile or agent-profile.
    kind: str
    activity: str = ""
    agent: str = ""
    #: None, for lists and deletions of states: whatever the registration.
    registration: str | None = ""


@dataclass(frozen=True)
class Document:
    """A document as kept."""

    content_type: str
    body: bytes
    sha1: str
    updated_at: datetime

    @property
    def etag(self) -> str:
        """Return the entity tag, quoted (3.1)."""
        return f'"{self.sha1}"'


@dataclass(frozen=True)
class Preconditions:
    """The headers If-Match and If-None-Match as sent, and whether a PUT must have one of them.

    Required (profiles in 1.0.3): a PUT without is refused. In 2.0 it is only for a document that exists.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    #: A PUT without either over a document that exists is a conflict.
    guarded: bool = False
    #: A PUT without either is refused even where there is no document.
    required: bool = False

    def check(self, kept: Document | None, *, replacing: bool) -> None:
        """Refuse a change of what is kept; raises PreconditionFailed, Conflict, XapiError."""
        if self.if_match is not None and not _matches(self.if_match, kept):
            raise PreconditionFailed("the document is not the one of If-Match")
        if self.if_none_match is not None and _matches(self.if_none_match, kept):
            raise PreconditionFailed("the document is one of If-None-Match")
        if not replacing or self.if_match is not None or self.if_none_match is not None:
            return
        if self.guarded and kept is not None:
            raise Conflict(
                "this document exists already: read it, then send its ETag in If-Match to replace it"
            )
        if self.required:
            raise XapiError("If-Match or If-None-Match is needed to put this document")


def _matches(header: str, kept: Document | None) -> bool:
    """Tell whether a document is among the entity tags of a header, or is there when it says ``*``."""
    if kept is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    # Some clients forget the quotes.
    return "*" in tags or kept.etag in tags or kept.sha1 in tags


# --- reading -----------------------------------------------------------------------------------------------


def get(conn: Connection, silo_id: int, place: Place, name: str) -> Document:
    """Return one document; raises NotFound."""
    found = _kept(conn, silo_id, place, name)
    if found is None:
        raise NotFound("no such document")
    return found


def names(conn: Connection, silo_id: int, place: Place, *, since: datetime | None = None) -> list[str]:
    """Return the names of the documents of a place, those changed after `since` when it is given."""
    wanted = select(document.c.name).distinct().where(*_at(silo_id, place))
    if since is not None:
        wanted = wanted.where(document.c.updated_at > since)
    return list(conn.execute(wanted.order_by(document.c.name).limit(LONGEST_LIST)).scalars())


def latest(conn: Connection, silo_id: int, place: Place) -> datetime | None:
    """Return when a document of a place last changed."""
    wanted = select(func.max(document.c.updated_at)).where(*_at(silo_id, place))
    found: datetime | None = conn.execute(wanted).scalar()
    return found


def _at(silo_id: int, place: Place) -> list[ColumnElement[bool]]:
    conditions = [
        document.c.silo_id == silo_id,
        document.c.kind == place.kind,
        document.c.activity == place.activity,
        document.c.agent == place.agent,
    ]
    if place.registration is not None:
        conditions.append(document.c.registration == place.registration)
    return conditions


def _kept(
    conn: Connection, silo_id: int, place: Place, name: str, *, locked: bool = False
) -> Document | None:
    columns = document.c
    wanted = select(columns.content_type, columns.body, columns.sha1, columns.updated_at).where(
        *_at(silo_id, place), columns.name == name
    )
    row = conn.execute(wanted.with_for_update() if locked else wanted).first()
    return Document(row.content_type, bytes(row.body), row.sha1, row.updated_at) if row else None


# --- changing ----------------------------------------------------------------------------------------------


def put(
    conn: Connection,
    silo_id: int,
    place: Place,
    name: str,
    *,
    content_type: str,
    body: bytes,
    preconditions: Preconditions,
    now: datetime,
) -> None:
    """Store a document, in the place of the one that is there."""
    _change(conn, silo_id, place, name, Sent(content_type, body), preconditions, now, merging=False)


def post(
    conn: Connection,
    silo_id: int,
    place: Place,
    name: str,
    *,
    content_type: str,
    body: bytes,
    preconditions: Preconditions,
    now: datetime,
    largest: int | None = None,
) -> None:
    """Store a document, or merge it into the one that is there (2.2); both must then be JSON objects.

    `largest`: bytes that the whole may have; raises TooLarge beyond.
    """
    if _is_json(content_type):
        json_text.load(body)
    sent = Sent(content_type, body)
    _change(conn, silo_id, place, name, sent, preconditions, now, merging=True, largest=largest)


def remove(conn: Connection, silo_id: int, place: Place, name: str, preconditions: Preconditions) -> None:
    """Delete a document; one that is not there is no fault."""
    preconditions.check(_kept(conn, silo_id, place, name, locked=True), replacing=False)
    conn.execute(delete(document).where(*_at(silo_id, place), document.c.name == name))


def remove_all(conn: Connection, silo_id: int, place: Place) -> None:
    """Delete every document of a place."""
    conn.execute(delete(document).where(*_at(silo_id, place)))


@dataclass(frozen=True)
class Sent:
    """A document as received."""

    content_type: str
    body: bytes


def _change(
    conn: Connection,
    silo_id: int,
    place: Place,
    name: str,
    sent: Sent,
    preconditions: Preconditions,
    now: datetime,
    *,
    merging: bool,
    largest: int | None = None,
) -> None:
    if place.agent and tombstones.buried(conn, silo_id, [place.agent]):
        return  # of somebody erased: answered like the others, and not kept
    for _ in range(_ATTEMPTS):
        kept = _kept(conn, silo_id, place, name, locked=True)
        preconditions.check(kept, replacing=not merging)
        made = _merged(kept, sent) if merging and kept is not None else sent
        if largest is not None and len(made.body) > largest:
            raise TooLarge(f"the document would be over {largest} bytes")
        row = {**asdict(made), "sha1": _sha1(made.body), "updated_at": now}
        if kept is not None:
            conn.execute(update(document).where(*_at(silo_id, place), document.c.name == name).values(row))
            return
        row |= {"silo_id": silo_id, "name": name, **asdict(place)}
        adding = insert(conn, document).values(row).on_conflict_do_nothing().returning(document.c.sha1)
        if conn.execute(adding).first() is not None:
            return
        # Another writer made it meanwhile: its document is the one to be judged by.
    raise Conflict("too many others write this document")


def _merged(kept: Document, sent: Sent) -> Sent:
    """Return the properties of both, those sent first where both have them (2.2.s7)."""
    if not (_is_json(kept.content_type) and _is_json(sent.content_type)):
        raise XapiError("a document is merged only where both it and the one kept are application/json")
    whole = {**_properties(kept.body, "kept"), **_properties(sent.body, "sent")}
    return Sent(sent.content_type, json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode())


def _properties(body: bytes, what: str) -> Mapping[str, Any]:
    try:
        json_text.load(body)
        # This one keeps whole numbers whole, however long.
        value = json.loads(body)
    except (XapiError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise XapiError(f"the document {what} is not a JSON object: it cannot be merged")
    return value


def _sha1(body: bytes) -> str:
    """Return the digest that 3.1 asks for in an ETag."""
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON
