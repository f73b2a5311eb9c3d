"""Frames of a whole silo: made by the worker, kept packed in the store, unpacked once a process.

A page reads what is kept, however old (it says of when it is): the worker makes it again within minutes of a
change. The frame of a small silo is compared with its sources at each reading, and made on the spot when
they have changed. `forget` makes every process read anew at its next page, whatever it remembers.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, select

from lti_tool.community_tables import community_frame
from tool_config.database import insert, transaction

T = TypeVar("T")

#: Bytes under which a frame is compared with its sources at each reading.
_SMALL = 400_000
#: What a process remembers: unpacked frames (tens of MB each, at most), results of analyses.
_FRAMES, _RESULTS = 6, 400
_EPOCH = ""


@dataclass(frozen=True)
class Source(Generic[T]):
    """A frame of a silo: how it is made, packed, and told from an older one."""

    #: Not "": that one is the epoch's.
    name: str
    build: Callable[[Connection, int, datetime], T]
    pack: Callable[[T], bytes]
    #: None: written by an older release.
    unpack: Callable[[bytes], T | None]
    #: Figures that change whenever the frame would; cheap next to making it.
    state: Callable[[Connection, int, datetime], Any]


class _Memory:
    """What one process remembers, the least used dropped first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, value: Any) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


_frames, _results = _Memory(_FRAMES), _Memory(_RESULTS)


def read(conn: Connection, silo_id: int, source: Source[T], *, now: datetime) -> T:
    """Return a frame as it is kept, or made now where it is not, or where it is small and no longer true."""
    t = community_frame.c
    rows = conn.execute(
        select(t.name, t.version, t.state, t.size).where(
            t.silo_id == silo_id, t.name.in_((_EPOCH, source.name))
        )
    )
    found = {row.name: row for row in rows}
    epoch = found[_EPOCH].version if _EPOCH in found else ""
    kept = found.get(source.name)
    state = ""
    if kept is None or kept.size < _SMALL:
        state = _state(conn, silo_id, source, now)
    fresh = kept is not None and (kept.size >= _SMALL or kept.state == state)
    # Engines are told apart: one process may hold several stores.
    key = (str(conn.engine.url), silo_id, source.name, epoch, kept.version if kept and fresh else state)
    frame = _frames.get(key)
    if frame is None and kept is not None and fresh:
        data = conn.scalar(select(t.data).where(t.silo_id == silo_id, t.name == source.name))
        frame = None if data is None else source.unpack(data)
    if frame is None:
        frame = source.build(conn, silo_id, now)
    _frames.put(key, frame)
    return cast(T, frame)


def refresh(engine: Engine, silo_id: int, source: Source[T], *, now: datetime) -> bool:
    """Make a frame again and keep it, unless its sources have not changed; return whether it was."""
    t = community_frame.c
    with transaction(engine, silo_id, write=False) as conn:
        state = _state(conn, silo_id, source, now)
        before = conn.scalar(select(t.state).where(t.silo_id == silo_id, t.name == source.name))
        epoch = _epoch(conn, silo_id)
        if state == before:
            return False
        data = source.pack(source.build(conn, silo_id, now))
    said = {"version": uuid4().hex, "state": state, "size": len(data), "made_at": now, "data": data}
    with transaction(engine, silo_id) as conn:
        if _epoch(conn, silo_id) != epoch:
            return False  # somebody was taken out meanwhile: what was read before holds them still
        _write(conn, silo_id, source.name, said)
    return True


def is_stale(conn: Connection, silo_id: int, source: Source[Any], *, now: datetime) -> bool:
    """Say whether `refresh` would make the frame again."""
    t = community_frame.c
    before = conn.scalar(select(t.state).where(t.silo_id == silo_id, t.name == source.name))
    return before != _state(conn, silo_id, source, now)


def forget(conn: Connection, silo_id: int, *, now: datetime) -> None:
    """Drop every frame of a silo, and what processes remember of them: at the commit of the caller."""
    conn.execute(delete(community_frame).where(community_frame.c.silo_id == silo_id))
    said = {"version": uuid4().hex, "state": "", "size": 0, "made_at": now, "data": b""}
    _write(conn, silo_id, _EPOCH, said)


def result(key: tuple[Hashable, ...], compute: Callable[[], T]) -> T:
    """Return what was computed under a key that names its sources (a frame's `version`) and its question."""
    found = _results.get(key)
    if found is None:
        found = compute()
        _results.put(key, found)
    return cast(T, found)


def _epoch(conn: Connection, silo_id: int) -> str:
    t = community_frame.c
    return conn.scalar(select(t.version).where(t.silo_id == silo_id, t.name == _EPOCH)) or ""


def _state(conn: Connection, silo_id: int, source: Source[Any], now: datetime) -> str:
    return json.dumps(source.state(conn, silo_id, now), default=str)


def _write(conn: Connection, silo_id: int, name: str, said: dict[str, Any]) -> None:
    added = insert(conn, community_frame).values(silo_id=silo_id, name=name, **said)
    conn.execute(added.on_conflict_do_update(index_elements=["silo_id", "name"], set_=said))
