"""Lines of files about people who were erased: they are left out, and counted in the report."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from xapi import tombstones
from xapi.sources.checking import Record


def left(conn: Connection, silo_id: int, records: Sequence[Record]) -> list[Record]:
    """Return the records that are of nobody erased; files know people by address or by account."""
    people = {record.person_key for record in records if record.person_key is not None}
    names = people | {key.removeprefix("a:") for key in people if key.startswith("a:")}
    gone = tombstones.buried(conn, silo_id, names) if names else set()
    if not gone:
        return list(records)
    return [
        record
        for record in records
        if record.person_key is None
        or (record.person_key not in gone and record.person_key.removeprefix("a:") not in gone)
    ]
