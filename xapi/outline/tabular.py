"""Outlines as CSV files that a French spreadsheet opens and saves.

Read: UTF-8 with or without its mark, else cp1252; `;` or `,`; decimal comma or point; days as dd/mm/yyyy
or ISO 8601. Written: UTF-8 with its mark, `;`, decimal comma, dd/mm/yyyy.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xapi.outline.items import KEEP, Edit, Item, Problem

#: Column of the file -> field of the edit; the first heading of each is the one written.
_HEADINGS: dict[str, tuple[str, ...]] = {
    "iri": ("identifiant", "iri", "id"),
    "level": ("niveau", "level"),
    "module": ("module",),
    "title": ("titre", "title"),
    "position": ("position", "ordre", "order"),
    "required": ("obligatoire", "required"),
    "hidden": ("masque", "hidden"),
    "hours_in_person": ("heures en presence", "hours in person"),
    "hours_distance": ("heures a distance", "hours at a distance"),
    "opens_on": ("ouverture", "debut", "opens"),
    "closes_on": ("fermeture", "fin", "closes"),
    "gathering": ("rencontre", "gathering"),
}
HEADINGS = (
    "identifiant",
    "niveau",
    "module",
    "titre",
    "position",
    "obligatoire",
    "masqué",
    "heures en présence",
    "heures à distance",
    "ouverture",
    "fermeture",
    "rencontre",
)
_READ_ONLY = frozenset({"level", "gathering"})
_YES = frozenset({"oui", "o", "1", "vrai", "true", "yes", "x"})
_NO = frozenset({"non", "n", "0", "faux", "false", "no"})
_FRENCH_DAY = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
#: What makes a spreadsheet take a text for a formula.
#: A title that files keep from being run as a formula, by an apostrophe.
_GUARDED = re.compile(r"'+[ \ufeff]*[=+\-@\t\r\n|]")
MAX_LINES = 5000
MAX_PROBLEMS = 100


@dataclass(frozen=True)
class Reading:
    """What a file says: edits to apply, or what is wrong with it (then nothing is to be applied)."""

    edits: tuple[Edit, ...]
    #: Codes: encoding, empty, separator, iri_column, repeated_column, too_long, cells, iri_missing,
    #: number, hours, day, yes_no; `params` holds the text found, or the columns.
    problems: tuple[Problem, ...]
    #: Headings that mean nothing here; said to the person, not refused.
    ignored: tuple[str, ...] = ()


class _CellError(Exception):
    """A cell that cannot be read."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_csv(content: bytes | str) -> Reading:
    """Read an outline from a file; an empty cell gives the value back to what the traces say."""
    text = _decoded(content) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    if text is None:
        return _refused("encoding")
    if not text.strip():
        return _refused("empty")
    first = text.lstrip().splitlines()[0]
    separator = ";" if first.count(";") >= first.count(",") else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        return _refused("separator")
    start = next((rank for rank, cells in enumerate(lines) if any(cell.strip() for cell in cells)), None)
    if start is None:
        return _refused("empty")
    columns, ignored = _columns(lines[start])
    if "iri" not in columns:
        return _refused("iri_column", line=start + 1)
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    if repeated:
        return _refused("repeated_column", line=start + 1, columns=", ".join(repeated))
    if len(lines) - start > MAX_LINES:
        return _refused("too_long", maximum=str(MAX_LINES))
    edits: list[Edit] = []
    problems: list[Problem] = []
    for number, cells in enumerate(lines[start + 1 :], start + 2):
        if any(cell.strip() for cell in cells):
            _read_line(number, cells, columns, edits, problems)
    return Reading(() if problems else tuple(edits), tuple(problems[:MAX_PROBLEMS]), ignored)


def _refused(code: str, *, line: int | None = None, **params: str) -> Reading:
    return Reading((), (Problem(code, line=line, params=params),))


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _plain(heading: str) -> str:
    """Return a heading without accents, case, and double spaces."""
    letters = unicodedata.normalize("NFD", heading.strip().lower())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).replace("_", " ").split())


def _columns(headings: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    names = {heading: field for field, known in _HEADINGS.items() for heading in known}
    found = [names.get(_plain(heading), "") for heading in headings]
    ignored = [h.strip() for h, name in zip(headings, found, strict=True) if not name and h.strip()]
    return found, tuple(ignored)


def _read_line(
    number: int, cells: Sequence[str], columns: Sequence[str], edits: list[Edit], problems: list[Problem]
) -> None:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(Problem("cells", line=number))
        return
    values: dict[str, Any] = {}
    faults: list[Problem] = []
    for name, cell in zip(columns, cells, strict=False):
        if not name or name in _READ_ONLY:
            continue
        try:
            values[name] = _value(name, cell.strip())
        except _CellError as fault:
            faults.append(Problem(fault.code, line=number, column=name, params={"text": cell.strip()[:80]}))
    iri = values.pop("iri", None)
    if iri is None:
        faults.append(Problem("iri_missing", line=number, column="iri"))
    problems += faults
    if not faults:
        if values.get("module") == iri:
            values["module"] = KEEP
        edits.append(Edit(iri=str(iri), line=number, **values))


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    if name == "title" and _GUARDED.match(text):
        return text[1:]
    if name in ("iri", "module", "title"):
        return text
    if name in ("opens_on", "closes_on"):
        return _day(text)
    if name in ("required", "hidden"):
        word = _plain(text)
        if word not in _YES and word not in _NO:
            raise _CellError("yes_no")
        return word in _YES
    if name == "position":
        if not text.isascii() or not text.isdigit() or len(text) > 6:
            raise _CellError("number")
        return int(text)
    cleaned = re.sub(r"[\s\u00a0\u202f]|h$", "", text).replace(",", ".")
    if not re.fullmatch(r"-?\d{1,6}(\.\d+)?", cleaned):
        raise _CellError("hours")
    return float(cleaned)


def _day(text: str) -> date:
    found = _FRENCH_DAY.fullmatch(text)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text[:10])
    except ValueError:
        raise _CellError("day") from None


def lines(items: Iterable[Item]) -> list[tuple[str | int | float | date | None, ...]]:
    """Return the outline as the lines of a file, under `HEADINGS`; `read_csv` reads them back."""
    return [
        (
            item.iri,
            "module" if item.level == "module" else "activité",
            item.module,
            item.title,
            item.position,
            "oui" if item.required else "non",
            "oui" if item.hidden else "non",
            item.hours_in_person,
            item.hours_distance,
            item.opens_on,
            item.closes_on,
            item.gathering or "",
        )
        for item in items
        if item.level == "module" or item.module != item.iri  # a module that holds itself is one line
    ]
