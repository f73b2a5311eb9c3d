"""The frame of choices: modules chosen and wishes of the files, with the traits of who made them.

What was chosen in a session of which somebody's enrolment is mandatory or designated was given to them: it is
set aside. Sessions and paths chosen are in the frame of the enrolments (`free_choices.of_enrolments`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from analyzers import census
from analyzers.community import FREE, Dimension, pack_arrays, school_years, unpack_arrays
from analyzers.frames import community as reading
from analyzers.free_choices import Chosen, Wishes
from lti_tool import matching
from lti_tool.community.keeping import Source, read
from lti_tool.matching_tables import person_link
from lti_tool.tables import person
from tool_config import references
from tool_config.references import plain
from xapi import datasets
from xapi.dataset_tables import dataset_row

#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 1
_KINDS = ("people", "enrolments", "sessions", "module_choices", "wishes")
_TRAITS = ("text", "choice", "yes_no")


@dataclass(frozen=True, eq=False)
class Choosing:
    """Modules chosen and wishes of a silo, of when."""

    made_at: datetime
    #: Names this very state.
    version: str
    modules: Chosen
    wishes: Wishes


@dataclass
class _Names:
    """Texts numbered in the order in which they come; two spellings of one are one."""

    texts: list[str] = field(default_factory=list)
    _at: dict[str, int] = field(default_factory=dict)

    def place(self, text: str) -> int:
        found = self._at.setdefault(plain(text), len(self.texts))
        if found == len(self.texts):
            self.texts.append(text)
        return found


def load(conn: Connection, silo_id: int, *, now: datetime) -> Choosing:
    """Return the choices of a silo as they are kept; `made_at` says of when."""
    return read(conn, silo_id, CHOICES, now=now)


def gather(conn: Connection, silo_id: int, now: datetime) -> Choosing:
    """Read the choices and wishes of a silo, and who made them."""
    identity = matching.actors(conn, silo_id)
    people: dict[str, int] = {}
    years = _years(conn, silo_id)
    names, sessions = _Names(), _Names()
    rows = []
    for key, session, course_id, data in _lines(conn, silo_id, "module_choices"):
        if key is None or not data.get("module"):
            continue
        who = people.setdefault(identity.get(key, key), len(people))
        where = sessions.place(_session(session, course_id))
        day = data.get("chosen_on")
        year = _year(day) if day else years.get(_session(session, course_id), 0)
        rows.append((who, names.place(str(data["module"])), year, where))
    given, said = _modes(_lines(conn, silo_id, "enrolments"), identity, people, sessions)
    modules = np.array(rows, dtype=np.int64).reshape(-1, 4)
    pair = modules[:, 0] * max(1, len(sessions.texts)) + modules[:, 3]
    aside = np.isin(pair, given)
    wishes, options = _wishes(_lines(conn, silo_id, "wishes"), identity, people)
    fields = [one.id for one in datasets.known(conn, silo_id)["people"].dimensions if one.type in _TRAITS]
    academies = references.load()["academies"].entries.values()
    zones = {entry.id: entry.attributes["zone"] for entry in academies if "zone" in entry.attributes}
    traits = census.traits(_lines(conn, silo_id, "people"), fields, zones, people, identity)
    return Choosing(
        now,
        uuid4().hex,
        Chosen(
            traits,
            tuple(names.texts),
            modules[~aside, 0].astype(np.int32),
            modules[~aside, 1].astype(np.int32),
            modules[~aside, 2].astype(np.int16),
            given=int(aside.sum()),
            unsaid=int((~np.isin(pair, said)).sum()),
        ),
        _wishes_of(traits, options, wishes),
    )


def _modes(
    lines: Iterable[Any], identity: Mapping[str, str], people: Mapping[str, int], sessions: _Names
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the (person, session) pairs of a mode that is not free, and those whose mode is said."""
    size, known = max(1, len(sessions.texts)), {plain(text): at for at, text in enumerate(sessions.texts)}
    given, said = [], []
    for key, session, course_id, data in lines:
        who, where = people.get(identity.get(key, key) or ""), known.get(plain(_session(session, course_id)))
        if who is None or where is None or not data.get("mode"):
            continue
        said.append(who * size + where)
        if data["mode"] not in FREE:
            given.append(said[-1])
    return np.array(given, dtype=np.int64), np.array(said, dtype=np.int64)


def _wishes(
    lines: Iterable[Any], identity: Mapping[str, str], people: dict[str, int]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names, rows = _Names(), []
    for key, _, _, data in lines:
        if key is None or not data.get("wish"):
            continue
        who = people.setdefault(identity.get(key, key), len(people))
        obtained = -1 if data.get("obtained") is None else int(bool(data["obtained"]))
        day = data.get("asked_on")
        rows.append(
            (who, int(data["rank"]), names.place(str(data["wish"])), obtained, _year(day) if day else 0)
        )
    return np.array(rows, dtype=np.int64).reshape(-1, 5), tuple(names.texts)


def _wishes_of(traits: Mapping[str, Dimension], options: tuple[str, ...], rows: NDArray[np.int64]) -> Wishes:
    """Return wishes; a person's first wish is one: of several years the last."""
    latest = np.lexsort((-rows[:, 4], rows[:, 1], rows[:, 0]))
    rows = rows[latest]
    once = np.ones(len(rows), dtype=bool)
    once[1:] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    kept = rows[once]
    return Wishes(
        traits,
        options,
        kept[:, 0].astype(np.int32),
        kept[:, 1].astype(np.int16),
        kept[:, 2].astype(np.int32),
        kept[:, 3].astype(np.int8),
        kept[:, 4].astype(np.int16),
    )


def _years(conn: Connection, silo_id: int) -> dict[str, int]:
    """Return the school year of each session, by what rows of files call it."""
    found = {
        _session(row.title, row.course_id): row.starts_on
        for row in reading.sessions(conn, silo_id)
        if row.starts_on is not None
    }
    for _, session, course_id, data in _lines(conn, silo_id, "sessions"):
        if data.get("starts_on"):
            found.setdefault(_session(session, course_id), date.fromisoformat(data["starts_on"]))
    return {name: _year(day.isoformat()) for name, day in found.items()}


def _session(session: str | None, course_id: int | None) -> str:
    """Name a session as rows of files do: by its course where it is known, which no file would write so."""
    return f"estime course number {course_id}" if course_id is not None else plain(session or "")


def _year(day: str) -> int:
    return int(school_years(np.array([day], dtype="datetime64[D]"))[0])


def _lines(conn: Connection, silo_id: int, kind: str) -> Iterable[Any]:
    return datasets.stream(conn, silo_id, kind, ("person_key", "session", "course_id", "data"))


def _state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    d, p, k = dataset_row.c, person.c, person_link.c
    files = conn.execute(
        select(d.kind, func.count(), func.max(d.updated_at), func.count(d.course_id))
        .where(d.silo_id == silo_id, d.kind.in_(_KINDS))
        .group_by(d.kind)
        .order_by(d.kind)
    )
    courses = [tuple(row) for row in reading.sessions(conn, silo_id)]
    links = select(func.count(), func.max(k.made_at)).where(k.silo_id == silo_id)
    return (
        [list(row) for row in files],
        zlib.crc32(repr(courses).encode()),
        conn.scalar(select(func.count(p.email)).where(p.silo_id == silo_id)),
        *conn.execute(links).one(),
    )


# --- packed ---------------------------------------------------------------------------------------------

_CHOSEN, _WISHED = ("person", "option", "year"), ("person", "rank", "option", "obtained", "year")


def _pack(found: Choosing) -> bytes:
    traits = found.modules.traits
    head = {
        "layout": _LAYOUT,
        "made_at": found.made_at.isoformat(),
        "version": found.version,
        "traits": {name: list(trait.values) for name, trait in traits.items()},
        "modules": list(found.modules.options),
        "wishes": list(found.wishes.options),
        "given": found.modules.given,
        "unsaid": found.modules.unsaid,
    }
    arrays = {f"trait/{name}": trait.codes for name, trait in traits.items()}
    arrays |= {f"modules/{name}": getattr(found.modules, name) for name in _CHOSEN}
    arrays |= {f"wishes/{name}": getattr(found.wishes, name) for name in _WISHED}
    return pack_arrays(head, arrays)


def _unpack(packed: bytes) -> Choosing | None:
    head, arrays = unpack_arrays(packed)
    if head.get("layout") != _LAYOUT:
        return None
    traits = {
        name: Dimension(tuple(values), arrays[f"trait/{name}"]) for name, values in head["traits"].items()
    }
    chosen: dict[str, Any] = {name: arrays[f"modules/{name}"] for name in _CHOSEN}
    wished: dict[str, Any] = {name: arrays[f"wishes/{name}"] for name in _WISHED}
    return Choosing(
        datetime.fromisoformat(head["made_at"]),
        head["version"],
        Chosen(traits, tuple(head["modules"]), **chosen, given=head["given"], unsaid=head["unsaid"]),
        Wishes(traits, tuple(head["wishes"]), **wished),
    )


CHOICES: Source[Choosing] = Source("choices", gather, _pack, _unpack, _state)
