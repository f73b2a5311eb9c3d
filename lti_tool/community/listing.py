"""The list of sessions of a silo, counted by the worker: no page reads the traces of two thousand."""

from __future__ import annotations

import json
import zlib
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from analyzers import frames
from analyzers.frames import community as reading
from analyzers.shapes import SiloFrames, zone
from lti_tool.community.keeping import Source
from tool_config import silos


def _count(conn: Connection, silo_id: int, now: datetime) -> SiloFrames:
    return frames.silo(conn, silo_id, as_of=now)


def _state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `_count` would find something else; the day is one of them."""
    owner = silos.get(conn, silo_id)
    courses = [tuple(row) for row in reading.sessions(conn, silo_id)]
    today = now.astimezone(zone(owner.time_zone, "UTC")).date()
    return today, owner.time_zone, zlib.crc32(repr(courses).encode()), *reading.traces_state(conn, silo_id)


def _pack(counted: SiloFrames) -> bytes:
    rows = [
        [value.isoformat() if isinstance(value, date) else value for value in row.values()]
        for row in counted.sessions
    ]
    names = list(counted.sessions[0]) if rows else []
    said = {"today": counted.today.isoformat(), "people": counted.people, "names": names, "rows": rows}
    return json.dumps(said, ensure_ascii=False).encode()


def _unpack(packed: bytes) -> SiloFrames | None:
    said = json.loads(packed)
    rows = []
    for values in said["rows"]:
        row = dict(zip(said["names"], values, strict=True))
        for name in ("starts_on", "ends_on", "last_on"):
            row[name] = row[name] and date.fromisoformat(row[name])
        row["fresh_at"] = row["fresh_at"] and datetime.fromisoformat(row["fresh_at"])
        rows.append(row)
    return SiloFrames(date.fromisoformat(said["today"]), tuple(rows), said["people"])


SESSIONS: Source[SiloFrames] = Source("sessions", _count, _pack, _unpack, _state)
