"""A row of a file against its standard: a record of the dataset, or what is wrong with it, column by column.

PURE. An address is turned into its keyed hash here and goes no further; names that no field asks for are
never looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from tool_config.references import plain
from tool_config.standards import Field, Standard
from xapi.sources.cells import Row, text_of
from xapi.sources.mapping import Columns
from xapi.sources.reading import CellFault, Manner, read
from xapi.sources.tabular import NUMEN

#: Code of a fault of a cell or a row -> English sentence; pages have theirs in both languages.
SENTENCES = {
    "missing": "must be filled in",
    "numen": "holds a NUMEN, which the tool never takes",
    "twice": "the line {line} says otherwise of the same thing",
    "too_many_cells": "the line has more cells than there are headings",
    "day": "is not a day",
    "instant": "is not a day with an hour",
    "number": "is not a number",
    "integer": "is not a whole number",
    "yes_no": "is neither yes nor no",
    "choice": "is none of: {allowed}",
    "address": "is not an e-mail address",
    "duration": "is not a duration",
    "too_small": "is under {minimum:g}",
    "too_large": "is over {maximum:g}",
    "too_long": "is over {maximum} characters",
    "pattern": "has not the form {pattern}",
    "formula_error": "is a formula that failed",
}

#: Longest text of a faulty cell that is shown again, characters.
SHOWN = 80


@dataclass(frozen=True)
class Fault:
    """What is wrong with a cell, or with a row (`column` is then empty)."""

    #: Heading of the column.
    column: str
    #: A key of `SENTENCES`.
    code: str
    text: str
    params: Mapping[str, Any]

    def __str__(self) -> str:
        said = f" ({self.text})" if self.text else ""
        return f"{self.column}{said}: {SENTENCES[self.code].format(**self.params)}".lstrip(": ")


@dataclass(frozen=True)
class Record:
    """A row that is right. `data`: field -> value as JSON has it."""

    line: int
    key: str
    person_key: str | None
    session: str | None
    valid_on: date | None
    data: Mapping[str, Any]
    #: Hash of everything that the row says.
    digest: str
    #: The address itself, for who writes a statement from the row in the same transaction; never stored.
    address: str | None = None


@dataclass(frozen=True)
class People:
    """How the person of a row is named without being named."""

    #: Keyed hash of a professional address.
    address_key: Callable[[str], str]
    #: Key of an account of the platform, by its number.
    account_key: Callable[[str], str]


class Checker:
    """Checks the rows of one file, one after the other."""

    def __init__(
        self,
        standard: Standard,
        header: Sequence[str],
        columns: Columns,
        manner: Manner,
        people: People,
        constants: Mapping[str, str] | None = None,
    ) -> None:
        self._standard = standard
        self._header = header
        self._names = _told_apart(header)
        self._manner = manner
        self._people = people
        self._columns = [(rank, standard.field(name)) for rank, name in enumerate(columns) if name]
        given = {name: text for name, text in (constants or {}).items() if text.strip()}
        self._constants = {name: text for name, text in given.items() if name not in columns}
        self._fields = {field.id: field for field in standard.fields}
        self._headings = {field.id: header[rank] for rank, field in reversed(self._columns) if field}
        self._person = standard.of_role("person")
        self._session = next(iter(standard.of_role("session")), None)
        self._day = next(iter(standard.of_role("day")), None)

    def check(self, row: Row) -> Record | list[Fault]:
        """Return the record of a row, or its faults."""
        values, faults = self._read(row)
        faults += self._required(values, {fault.column for fault in faults})
        if faults:
            return faults
        address = next((values.pop(f.id, None) for f in self._person if f.type == "address"), None)
        person_key = self._person_key(address, values)
        valid_on = self._valid_on(values)
        if self._day is not None and values.get(self._day.id) is None and valid_on is not None:
            values[self._day.id] = valid_on
        data = {name: _as_json(value) for name, value in values.items() if value is not None}
        key = self._key(data, person_key)
        digest = _hash([person_key, data])
        return Record(
            row.line,
            key,
            person_key,
            self._text(self._session, data),
            valid_on,
            data,
            digest,
            address,
        )

    def _read(self, row: Row) -> tuple[dict[str, Any], list[Fault]]:
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        if any(text_of(cell) for cell in row.cells[len(self._header) :]):
            faults.append(Fault("", "too_many_cells", "", {}))
        for rank, field in self._columns:
            if field is not None:
                self._cell(row.cells[rank], field, self._names[rank], values, faults)
        for name, text in self._constants.items():
            if name in self._fields:
                self._cell(text, self._fields[name], self._fields[name].label.fr, values, faults)
        return values, faults

    def _cell(
        self, cell: Any, field: Field, heading: str, values: dict[str, Any], faults: list[Fault]
    ) -> None:
        text = text_of(cell)
        if len(text) >= 13 and NUMEN.search(text):
            faults.append(Fault(heading, "numen", "", {}))
            return
        if field.type == "columns":
            values.setdefault(field.id, {})
        try:
            value = read(cell, field, self._manner)
        except CellFault as fault:
            faults.append(Fault(heading, fault.code, text[:SHOWN], fault.params))
            return
        if field.type == "columns":
            if value is not None:
                values[field.id][heading] = value
        elif isinstance(value, list):
            values.setdefault(field.id, []).extend(value)
        elif values.get(field.id) is None:
            values[field.id] = value

    def _required(self, values: Mapping[str, Any], faulty: set[str]) -> list[Fault]:
        found = []
        for field in self._standard.fields:
            said = values.get(field.id) is not None or (
                field.instead and values.get(field.instead) is not None
            )
            heading = self._headings.get(field.id, field.label.fr)
            if field.required and not said and heading not in faulty:
                found.append(Fault(heading, "missing", "", {}))
        return found

    def _person_key(self, address: str | None, values: dict[str, Any]) -> str | None:
        if address is not None:
            return self._people.address_key(address)
        for field in self._person:
            if field.type != "address" and values.get(field.id) is not None:
                return self._people.account_key(str(values[field.id]))
        return None

    def _key(self, data: Mapping[str, Any], person_key: str | None) -> str:
        """Return the hash of what names a row, however it is spelt."""
        if not self._standard.key:
            return _hash([self._standard.name, person_key, data])
        parts = [person_key if name == "person" else _spelt(data.get(name)) for name in self._standard.key]
        return _hash([self._standard.name, *parts])

    def _text(self, field: Field | None, data: Mapping[str, Any]) -> str | None:
        return None if field is None or data.get(field.id) is None else str(data[field.id])

    def _valid_on(self, values: Mapping[str, Any]) -> date | None:
        value = values.get(self._day.id) if self._day else None
        if value is None and self._day is not None and self._day.instead:
            value = values.get(self._day.instead)
        if isinstance(value, datetime):
            return value.astimezone(self._manner.zone).date()
        return value


def _told_apart(header: Sequence[str]) -> list[str]:
    """Return the headings, those that come again with their number."""
    seen: dict[str, int] = {}
    names = []
    for name in header:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _spelt(value: Any) -> Any:
    return plain(value) or value if isinstance(value, str) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _hash(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
