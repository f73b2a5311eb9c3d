"""The file of aggregates: made from the figures of the council note, read with every doubt. PURE but `made`.

A file holds counts of groups, each of k people at least, and nothing else: another key, another version, a
group that is too small, and the whole file is refused.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analyzers import disclosure
from analyzers.adapt import Module
from analyzers.results import Share
from analyzers.yearly import Figures, Years

SCHEMA = "estime-aggregates"
VERSION = 1
#: Bytes, years, lines of a year, themes, letters of a text.
MOST_BYTES = 500_000
MOST_YEARS = 40
MOST_LINES = 600
LONGEST = 200
_LARGEST = 10_000_000


class FileError(Exception):
    """A file that is not read; `code` and what it is about.

    Codes: json, schema, version, keys, type, text, small, many, bytes.
    """

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(f"{code} {about}".strip())
        self.code = code
        self.about = about[:60]


@dataclass(frozen=True)
class Line:
    """One path of a year, all paths of it, or a theme over the years; None: not known, or too few."""

    title: str
    sessions: int
    enrolled: int | None
    #: Enrolled of the sessions that say their places, and these places.
    filled: tuple[int, int] | None
    #: (count, n)
    came: tuple[int, int] | None
    finished: tuple[int, int] | None
    favourable: tuple[int, int] | None
    #: Journées-stagiaires followed.
    in_person: int | None
    distance: int | None


@dataclass(frozen=True)
class Year:
    """A school year (its first calendar year): all paths, then each."""

    year: int
    whole: Line
    paths: tuple[Line, ...]


@dataclass(frozen=True)
class Aggregates:
    """What a file says."""

    institution: str
    made_on: date
    k: int
    years: tuple[Year, ...]
    #: Modules of one theme, all years.
    themes: tuple[Line, ...]


# --- made -------------------------------------------------------------------------------------------------


def made(years: Years, modules: Sequence[Module], *, institution: str, today: date, k: int) -> Aggregates:
    """Return the aggregates of a silo; only groups of k people at least."""
    found = []
    for year in years.years[-MOST_YEARS:]:
        whole = _line("", years.of(year), k)
        if whole is not None:
            titles = years.sizing.community.paths
            paths = [_line(titles[one].title, years.of(year, one), k) for one in years.paths(year)]
            found.append(Year(year, whole, tuple(one for one in paths if one is not None)[:MOST_LINES]))
    return Aggregates(institution[:LONGEST], today, k, tuple(found), _themes(modules, k))


def _line(title: str, figures: Figures, k: int) -> Line | None:
    filled = figures.filled
    if filled is None or filled.enrolled < k:
        return None
    seated = filled.capacity >= k and filled.seated >= k
    return Line(
        title=title[:LONGEST],
        sessions=filled.sessions,
        enrolled=filled.enrolled,
        filled=(filled.seated, round(filled.capacity)) if seated else None,
        came=_pair(filled.presence(k)),
        finished=_pair(figures.finished),
        favourable=_pair(figures.favourable),
        in_person=round(filled.given_in_person) or None,
        distance=round(filled.given_distance) or None,
    )


def _pair(share: Share) -> tuple[int, int] | None:
    return (share.count, share.n) if share.count is not None and share.n else None


def _themes(modules: Sequence[Module], k: int) -> tuple[Line, ...]:
    found: dict[str, list[Module]] = {}
    for one in modules:
        if one.counts.theme:
            found.setdefault(one.counts.theme[:LONGEST], []).append(one)

    def total(
        some: Sequence[Module], pick: Callable[[Module], tuple[int, int] | None]
    ) -> tuple[int, int] | None:
        pairs = [pair for one in some if (pair := pick(one)) is not None and disclosure.enough(pair[1], k)]
        return (sum(count for count, _ in pairs), sum(n for _, n in pairs)) if pairs else None

    lines = [
        Line(
            theme, 0, None, None, None, total(some, lambda one: one.counts.through),
            total(some, lambda one: one.counts.favourable), None, None,
        )
        for theme, some in sorted(found.items())
    ]  # fmt: skip
    return tuple(one for one in lines if one.finished or one.favourable)[:MOST_LINES]


def written(found: Aggregates) -> dict[str, Any]:
    """Return aggregates as the file has them."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "institution": found.institution,
        "made_on": found.made_on.isoformat(),
        "k": found.k,
        "years": [
            {"year": one.year, "whole": _out(one.whole), "paths": [_out(each) for each in one.paths]}
            for one in found.years
        ],
        "themes": [_out(one) for one in found.themes],
    }


def _out(one: Line) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(one).items()}


# --- read -------------------------------------------------------------------------------------------------


def read(content: bytes, *, k: int) -> Aggregates:
    """Read a file; FileError unless it is aggregates of this version, of groups of k people at least."""
    if len(content) > MOST_BYTES:
        raise FileError("bytes")
    try:
        said = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise FileError("json") from None
    return from_written(said, k=k)


def from_written(said: Any, *, k: int) -> Aggregates:
    """Read what `written` gave; FileError."""
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise FileError("schema")
    if said.get("version") != VERSION:
        raise FileError("version", str(said.get("version")))
    _keys(said, ("schema", "version", "institution", "made_on", "k", "years", "themes"))
    years = [_year(one, k) for one in _many(said["years"], "years", MOST_YEARS)]
    if len({one.year for one in years}) != len(years):
        raise FileError("type", "years")
    return Aggregates(
        institution=_text(said["institution"], "institution"),
        made_on=_day(said["made_on"]),
        k=_whole(said["k"], "k"),
        years=tuple(sorted(years, key=lambda one: one.year)),
        themes=tuple(_read_line(one, k, theme=True) for one in _many(said["themes"], "themes", MOST_LINES)),
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_constant(_name: str) -> Any:
    raise ValueError("no such number")


def _year(said: Any, k: int) -> Year:
    _keys(said, ("year", "whole", "paths"))
    year = _whole(said["year"], "year")
    if not 1990 <= year <= 2100:
        raise FileError("type", "year")
    paths = [_read_line(one, k) for one in _many(said["paths"], "paths", MOST_LINES)]
    return Year(year, _read_line(said["whole"], k, whole=True), tuple(paths))


_FIELDS = tuple(Line.__dataclass_fields__)


def _read_line(said: Any, k: int, *, whole: bool = False, theme: bool = False) -> Line:
    _keys(said, _FIELDS)
    values: dict[str, Any] = {
        "title": "" if whole and said["title"] == "" else _text(said["title"], "title"),
        "sessions": _whole(said["sessions"], "sessions"),
        "in_person": _maybe(said["in_person"], "in_person"),
        "distance": _maybe(said["distance"], "distance"),
        "enrolled": _maybe(said["enrolled"], "enrolled"),
    }
    if values["enrolled"] is None and not theme:
        raise FileError("type", "enrolled")
    if values["enrolled"] is not None and values["enrolled"] < k:
        raise FileError("small", str(said["title"]))
    for name in ("came", "finished", "favourable", "filled"):
        values[name] = _pair_of(said[name], name, k)
    return Line(**values)


def _pair_of(said: Any, name: str, k: int) -> tuple[int, int] | None:
    if said is None:
        return None
    if not isinstance(said, list) or len(said) != 2:
        raise FileError("type", name)
    count, n = _whole(said[0], name), _whole(said[1], name)
    if name != "filled" and count > n:
        raise FileError("type", name)
    if n < k:
        raise FileError("small", name)
    return count, n


def _keys(said: Any, names: Sequence[str]) -> None:
    if not isinstance(said, dict):
        raise FileError("type")
    more, less = sorted(set(said) - set(names)), sorted(set(names) - set(said))
    if more or less:
        raise FileError("keys", str((more or less)[0]))


def _many(said: Any, name: str, most: int) -> list[Any]:
    if not isinstance(said, list):
        raise FileError("type", name)
    if len(said) > most:
        raise FileError("many", name)
    return said


def _whole(said: Any, name: str) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said <= _LARGEST:
        raise FileError("type", name)
    return said


def _maybe(said: Any, name: str) -> int | None:
    return None if said is None else _whole(said, name)


def _text(said: Any, name: str) -> str:
    if not isinstance(said, str) or not said.strip() or len(said) > LONGEST:
        raise FileError("text", name)
    # Not `isprintable`, which refuses the narrow spaces of French titles.
    if any(unicodedata.category(sign).startswith("C") for sign in said):
        raise FileError("text", name)
    return said


def _day(said: Any) -> date:
    try:
        return date.fromisoformat(said)
    except (TypeError, ValueError):
        raise FileError("type", "made_on") from None


def as_share(pair: tuple[int, int] | None, k: int) -> Share:
    """Return a pair of a file with its interval."""
    return disclosure.share(pair[0], pair[1], k=k) if pair is not None else Share(None, None)


Written = Mapping[str, Any]
