"""Data of attachments: what a batch must bring with it, kept once a content, given back (Data 2.4.11)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, func, select

from tool_config import memory
from tool_config.database import insert
from xapi import signature, tombstones
from xapi.document_tables import attachment
from xapi.errors import XapiError
from xapi.multipart import Part

_CHUNK = 500
#: Bytes of a content read at once.
_SLICE = 1_000_000
#: Bytes of contents for which a process makes room first.
_MUCH = 4_000_000
_HEXADECIMAL = re.compile(rb"[0-9a-f]*")


def of(statement: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each attachment of a valid statement and of its sub-statement, with what carries it."""
    target = statement["object"]
    for carrier in (statement, target if target.get("objectType") == "SubStatement" else {}):
        for item in carrier.get("attachments", ()):
            yield item, carrier


def check(statement: Mapping[str, Any], parts: Mapping[str, Part], version: str) -> None:
    """Refuse attachments whose data is nowhere or of another length, and signatures that are wrong.

    Raises XapiError. The data of a signature is looked at once: it is of one statement, and verifying it
    costs a thousand times the bytes that name it.
    """
    signed: set[str] = set()
    for item, carrier in of(statement):
        sha2 = item["sha2"].lower()
        part = parts.get(sha2)
        try:
            if part is not None and not _is_length(item["length"], part.body):
                raise XapiError(f"its length must be {len(part.body)}, that of its data")
            if item["usageType"] == signature.USAGE:
                if item["contentType"] != signature.CONTENT_TYPE:
                    raise XapiError(f"a signature must be {signature.CONTENT_TYPE}")
                if part is None:
                    raise XapiError("a signature must come with its data")
                if sha2 in signed:
                    raise XapiError("a signature is said twice")
                signed.add(sha2)
                signature.check(carrier, part.body, version)
            elif part is None and "fileUrl" not in item:
                raise XapiError("needs a fileUrl, since its data is not sent")
        except XapiError as fault:
            fault.steps.append("attachments")
            raise


def _is_length(length: int, body: bytes) -> bool:
    """Tell whether a length is that of the data; of what it stands for, when it is in hexadecimal.

    ADL's suite sends a picture so, with the length of the picture, and wants it accepted.
    """
    return length == len(body) or (length * 2 == len(body) and _HEXADECIMAL.fullmatch(body) is not None)


def require_used(statements: Iterable[Mapping[str, Any]], parts: Mapping[str, Part]) -> None:
    """Refuse data that no statement speaks of (Communication 1.5.2)."""
    if parts:
        named = {item["sha2"].lower() for one in statements for item, _ in of(one)}
        if not parts.keys() <= named:
            raise XapiError("a part is not an attachment of any statement of the batch")


def keep(
    conn: Connection,
    silo_id: int,
    statements: Iterable[Mapping[str, Any]],
    parts: Mapping[str, Part],
    now: datetime,
) -> None:
    """Keep the data of a batch, under the content type that its statement gives."""
    if not parts:
        return
    erasing = bool(tombstones.secret_of(conn, silo_id))
    if erasing:  # what only statements of somebody erased bring is not kept
        statements = [one for one in tombstones.filtered(conn, silo_id, list(statements)) if one is not None]
    kinds = {item["sha2"].lower(): item["contentType"] for one in statements for item, _ in of(one)}
    adding = insert(conn, attachment).on_conflict_do_nothing()
    for sha2, part in sorted(parts.items()):
        if erasing and sha2 not in kinds:
            continue
        row = {"silo_id": silo_id, "sha2": sha2, "stored": now, "body": part.body}
        conn.execute(adding, {**row, "content_type": kinds.get(sha2, part.content_type)})


def sizes(conn: Connection, silo_id: int, hashes: Sequence[str]) -> dict[str, int]:
    """Return the bytes of each content that is kept."""
    found: dict[str, int] = {}
    for chunk in _chunks(hashes):
        wanted = select(attachment.c.sha2, func.length(attachment.c.body)).where(
            attachment.c.silo_id == silo_id, attachment.c.sha2.in_(chunk)
        )
        found.update((sha2, int(size)) for sha2, size in conn.execute(wanted))
    return found


def read(conn: Connection, silo_id: int, hashes: Sequence[str]) -> list[Part]:
    """Return the contents that are kept, in the order asked.

    Large ones come in slices: a driver holds what it is given twice as long, in hexadecimal.
    """
    known = sizes(conn, silo_id, hashes)
    if sum(known.values()) > _MUCH:
        memory.release()  # what former bodies left behind would come on top of these
    large = {sha2: size for sha2, size in known.items() if size > _SLICE}
    found: dict[str, Part] = {}
    for chunk in _lots({sha2: size for sha2, size in known.items() if sha2 not in large}):
        for row in conn.execute(_wanted(silo_id, chunk, attachment.c.body)):
            found[row.sha2] = Part(row.sha2, row.content_type, bytes(row.body))
    for sha2, size in large.items():
        body = bytearray()
        while len(body) < size:
            slice_ = func.substr(attachment.c.body, len(body) + 1, _SLICE, type_=LargeBinary).label("body")
            row = conn.execute(_wanted(silo_id, [sha2], slice_)).one()
            body += row.body
        found[sha2] = Part(sha2, row.content_type, bytes(body))
    return [found[sha2] for sha2 in hashes if sha2 in found]


def _wanted(silo_id: int, hashes: Sequence[str], body: ColumnElement[Any]) -> Select[Any]:
    return select(attachment.c.sha2, attachment.c.content_type, body).where(
        attachment.c.silo_id == silo_id, attachment.c.sha2.in_(hashes)
    )


def _lots(sizes: Mapping[str, int]) -> Iterator[Sequence[str]]:
    """Yield hashes in lots, each of about a slice in all."""
    lot: list[str] = []
    total = 0
    for sha2, size in sizes.items():
        if lot and (total + size > _SLICE or len(lot) == _CHUNK):
            yield lot
            lot, total = [], 0
        lot.append(sha2)
        total += size
    if lot:
        yield lot


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
