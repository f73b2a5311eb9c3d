"""Rows of files about choices turned into columns of numbers: modules chosen, wishes, who made them. PURE.

What was chosen in a session of which somebody's enrolment is mandatory or designated was given to them: it is
set aside. People and sessions are numbers; nobody is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.community import FREE, Dimension, pack_arrays, school_years, unpack_arrays
from analyzers.free_choices import Chosen, Wishes
from tool_config.references import plain

#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 1

#: A row of a file: person_key, session, course_id, what it says by field.
Line = Any
#: Rows of modules chosen: person, option, year, session.
Rows = NDArray[np.int64]


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


def modules(
    lines: Iterable[Line], years: Mapping[str, int], people: dict[str, int], identity: Mapping[str, str]
) -> tuple[Rows, tuple[str, ...], tuple[str, ...]]:
    """Return the modules chosen, then the names of the modules and of the sessions.

    `years`: school year of each session (`session_name`); `people`: who is known by number, completed.
    """
    names, sessions = _Names(), _Names()
    rows = []
    for key, session, course_id, data in lines:
        if key is None or not data.get("module"):
            continue
        who = people.setdefault(identity.get(key, key), len(people))
        name, day = session_name(session, course_id), data.get("chosen_on")
        year = year_of(date.fromisoformat(day)) if day else years.get(name, 0)
        rows.append((who, names.place(str(data["module"])), year, sessions.place(name)))
    return np.array(rows, dtype=np.int64).reshape(-1, 4), tuple(names.texts), tuple(sessions.texts)


def freely(
    rows: Rows,
    options: tuple[str, ...],
    sessions: tuple[str, ...],
    enrolments: Iterable[Line],
    people: Mapping[str, int],
    identity: Mapping[str, str],
) -> Chosen:
    """Return the modules chosen freely, without the traits of who chose them."""
    given, said = _modes(enrolments, identity, people, sessions)
    pair = rows[:, 0] * max(1, len(sessions)) + rows[:, 3]
    aside = np.isin(pair, given)
    return Chosen(
        {},
        options,
        rows[~aside, 0].astype(np.int32),
        rows[~aside, 1].astype(np.int32),
        rows[~aside, 2].astype(np.int16),
        given=int(aside.sum()),
        unsaid=int((~np.isin(pair, said)).sum()),
    )


def _modes(
    lines: Iterable[Any], identity: Mapping[str, str], people: Mapping[str, int], sessions: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the (person, session) pairs of a mode that is not free, and those whose mode is said."""
    size, known = max(1, len(sessions)), {plain(text): at for at, text in enumerate(sessions)}
    given, said = [], []
    for key, session, course_id, data in lines:
        who, where = (
            people.get(identity.get(key, key) or ""),
            known.get(plain(session_name(session, course_id))),
        )
        if who is None or where is None or not data.get("mode"):
            continue
        said.append(who * size + where)
        if data["mode"] not in FREE:
            given.append(said[-1])
    return np.array(given, dtype=np.int64), np.array(said, dtype=np.int64)


def wishes(lines: Iterable[Any], identity: Mapping[str, str], people: dict[str, int]) -> Wishes:
    """Return the wishes, without the traits of who made them."""
    names, rows = _Names(), []
    for key, _, _, data in lines:
        if key is None or not data.get("wish"):
            continue
        who = people.setdefault(identity.get(key, key), len(people))
        obtained = -1 if data.get("obtained") is None else int(bool(data["obtained"]))
        year = year_of(date.fromisoformat(data["asked_on"])) if data.get("asked_on") else 0
        rows.append((who, int(data["rank"]), names.place(str(data["wish"])), obtained, year))
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    # A rank of a person is one wish: of several years the last.
    table = table[np.lexsort((-table[:, 4], table[:, 1], table[:, 0]))]
    once = np.ones(len(table), dtype=bool)
    once[1:] = (table[1:, :2] != table[:-1, :2]).any(axis=1)
    kept = table[once]
    return Wishes(
        {},
        tuple(names.texts),
        kept[:, 0].astype(np.int32),
        kept[:, 1].astype(np.int16),
        kept[:, 2].astype(np.int32),
        kept[:, 3].astype(np.int8),
        kept[:, 4].astype(np.int16),
    )


def session_name(session: str | None, course_id: int | None) -> str:
    """Name a session as rows of files do: by its course where it is known, which no file would write so."""
    return f"estime course number {course_id}" if course_id is not None else plain(session or "")


def year_of(day: date) -> int:
    """Return the first calendar year of the school year of a day."""
    return int(school_years(np.array([day], dtype="datetime64[D]"))[0])


# --- packed ---------------------------------------------------------------------------------------------

_CHOSEN, _WISHED = ("person", "option", "year"), ("person", "rank", "option", "obtained", "year")


def pack(found: Choosing) -> bytes:
    """Return choices as bytes."""
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


def unpack(packed: bytes) -> Choosing | None:
    """Return the choices that `pack` wrote; None when their layout is an older one."""
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
