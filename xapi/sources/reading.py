"""What a cell means: days, instants, numbers, durations, yes or no, one of a list; French and English.

PURE. `read` gives the value of a cell for a field of a standard, or raises CellFault with a code that pages
put into a sentence. An empty cell is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tool_config import references
from tool_config.references import plain
from tool_config.standards import Field
from xapi.sources.cells import Cell, text_of

#: Longest text kept of a cell.
LONGEST_TEXT = 10_000
YES = frozenset({"oui", "o", "1", "vrai", "true", "yes", "y", "x", "present", "presente", "p"})
NO = frozenset({"non", "n", "0", "faux", "false", "no", "absent", "absente", "a", "abs", "excuse", "excusee"})
#: What a spreadsheet writes where a formula failed.
_ERRORS = frozenset({
    "#ref!", "#n/a", "#div/0!", "#value!", "#name?", "#num!", "#null!", "#valeur!", "#nom?",
    "#nombre!", "#nul!",
})  # fmt: skip
_DASHES = frozenset("-–—")
_NOTHING = frozenset({"n/a", "na", "null", "nan", "(vide)", "nc", "n.c.", "n.r."})
_MONTHS = {
    name: rank
    for rank, names in enumerate(
        (
            "janvier janv jan january", "fevrier fevr fev february feb", "mars mar march",
            "avril avr april apr", "mai may", "juin jun june", "juillet juil jul july", "aout aou august aug",
            "septembre sept sep september", "octobre oct october", "novembre nov november",
            "decembre dec december",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMERIC_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_WORDED = re.compile(r"(?:[a-z]+\.?,?\s+)?(\d{1,2})(?:er|st|nd|rd|th)?\s+([a-z]+)\.?,?\s+(\d{4}|\d{2})")
_MONTH_FIRST = re.compile(r"(?:[a-z]+\.?,?\s+)?([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_AFTER_DAY = re.compile(r"(?:[\s,t]*(?:a |at )?\d{1,2}\s*[:h]\s*\d{2}.*|\s*[,/-]\s*\d{4}-\d{2}-\d{2}|\s*)")
_MONTH_ALONE = re.compile(r"(\d{4})-(\d{1,2})|([a-z]+)\.? (\d{4})")
_CLOCK = re.compile(r"(\d{1,2})\s*[:h]\s*(\d{2})(?:\s*:\s*(\d{2})(?:[.,](\d{1,6}))?)?\s*([ap]\.?m\.?)?", re.I)
_OFFSET = re.compile(r"\s*(z|utc|[+-]\d{2}:?\d{2})$", re.I)
_SPACES = re.compile(r"[\s\u00a0\u202f']")
_AMOUNT = re.compile(
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:d|j|jours?|days?))?\s*(?:(\d+(?:[.,]\d+)?)\s*(?:h|heures?|hours?|hrs?))?\s*"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:m|min|mn|minutes?|mins?)?)?\s*(?:(\d+(?:[.,]\d+)?)\s*(?:s|sec|secondes?|seconds?))?",
    re.I,
)
_COLONS = re.compile(r"(\d{1,4}):(\d{2})(?::(\d{2}))?")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,190}\.[a-z][a-z0-9-]{0,30}", re.I)
#: Day 0 of a spreadsheet, and the last day that it can write.
_SERIAL_ZERO, _SERIAL_LAST = date(1899, 12, 30), 2_958_465


class CellFault(Exception):  # noqa: N818 - a refusal, as those of the store
    """A cell that cannot be read; `code`: day, instant, number, integer, yes_no, choice, address, duration,
    too_small, too_large, too_long, pattern, formula_error."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


_PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Manner:
    """How the cells of a file are written."""

    decimal: str = ","
    #: dmy, mdy
    days: str = "dmy"
    zone: ZoneInfo = _PARIS


def read(cell: Cell, field: Field, manner: Manner) -> Any:
    """Return the value of a cell for a field: None, str, int, float, bool, date, datetime (UTC), list.

    Raises CellFault.
    """
    text = text_of(cell)
    if not text or text in _DASHES or (field.type != "text" and text.lower() in _NOTHING):
        return None
    if text.lower() in _ERRORS:
        raise CellFault("formula_error")
    return _READERS[field.type](cell, text, field, manner)


# --- texts -------------------------------------------------------------------------------------------------


def _text(_cell: Cell, text: str, field: Field, _manner: Manner) -> str:
    if len(text) > LONGEST_TEXT:
        raise CellFault("too_long", maximum=LONGEST_TEXT)
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise CellFault("pattern", pattern=field.pattern)
    return text


def _list(cell: Cell, text: str, field: Field, manner: Manner) -> list[str]:
    parts = [part.strip() for part in re.split(r"[;\n|]", text) if part.strip()]
    if field.values or field.reference:
        return [_choice(cell, part, field, manner) for part in parts]
    return [_text(cell, part, field, manner) for part in parts]


def _address(_cell: Cell, text: str, _field: Field, _manner: Manner) -> str:
    inside = re.search(r"<([^<>]+)>$", text)
    found = (inside[1] if inside else text).removeprefix("mailto:").strip()
    if not _ADDRESS.fullmatch(found):
        raise CellFault("address")
    return found


def _choice(_cell: Cell, text: str, field: Field, _manner: Manner) -> str:
    """Return the id of the value meant; of a reference, the text itself when it is in none."""
    if field.reference:
        return references.load()[field.reference].find(text) or _text(_cell, text, field, _manner)
    found = _spellings(field).get(plain(text)) or _spellings(field).get(text.strip().casefold())
    if found is None:
        raise CellFault("choice", allowed=", ".join(value.label.fr for value in field.values))
    return found


@lru_cache(maxsize=1000)
def _spellings(field: Field) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in field.values:
        for text in (value.id, value.label.fr, value.label.en, *value.aliases):
            found.setdefault(text.strip().casefold(), value.id)
            found.setdefault(plain(text) or text, value.id)
    return found


def _yes_no(_cell: Cell, text: str, _field: Field, _manner: Manner) -> bool:
    word = plain(text)
    if word not in YES and word not in NO:
        raise CellFault("yes_no")
    return word in YES


# --- numbers -----------------------------------------------------------------------------------------------


def _number(cell: Cell, text: str, field: Field, manner: Manner) -> float:
    if isinstance(cell, bool):
        raise CellFault("number")
    value = float(cell) if isinstance(cell, int | float) else number(text, manner.decimal)
    if value is None or value != value or abs(value) > 1e15:
        raise CellFault("number")
    return _within(value, field)


def number(text: str, decimal: str = ",") -> float | None:
    """Return the number that a text writes, with spaces between thousands and either mark; None: none.

    A mark followed by three digits is between thousands only when it is not the decimal one.
    """
    bare = _SPACES.sub("", text).removesuffix("€").removeprefix("€").removeprefix("$")
    other = "." if decimal == "," else ","
    if re.fullmatch(rf"[-+]?\d{{1,3}}(?:{re.escape(other)}\d{{3}})+(?:{re.escape(decimal)}\d+)?", bare):
        bare = bare.replace(other, "")
    bare = bare.replace(",", ".")
    return float(bare) if re.fullmatch(r"[-+]?(\d{1,18}(\.\d*)?|\.\d+)(e[-+]?\d{1,2})?", bare, re.I) else None


def _within(value: float, field: Field) -> float:
    if field.minimum is not None and value < field.minimum:
        raise CellFault("too_small", minimum=field.minimum)
    if field.maximum is not None and value > field.maximum:
        raise CellFault("too_large", maximum=field.maximum)
    return value


def _integer(cell: Cell, text: str, field: Field, manner: Manner) -> int:
    value = _number(cell, text, field, manner)
    if not value.is_integer():
        raise CellFault("integer")
    return int(value)


def _percent(cell: Cell, text: str, field: Field, manner: Manner) -> float:
    """Return a percentage: 72 %, 72, or a spreadsheet's 0.72 written as a share."""
    if isinstance(cell, float) and not isinstance(cell, bool) and 0 < cell < 1:
        return _within(round(100 * cell, 6), field)
    if isinstance(cell, str):
        return _number(text, text.removesuffix("%").strip(), field, manner)
    return _number(cell, text, field, manner)


def _duration(unit: float) -> Callable[[Cell, str, Field, Manner], float]:
    """Return a reader of durations, in a unit of so many seconds."""

    def read_duration(cell: Cell, text: str, field: Field, manner: Manner) -> float:
        if isinstance(cell, timedelta):
            return _within(cell.total_seconds() / unit, field)
        if isinstance(cell, time):
            return _within((cell.hour * 3600 + cell.minute * 60 + cell.second) / unit, field)
        if isinstance(cell, datetime):  # a spreadsheet's duration over a day, or a time with its day 0
            since = cell.replace(tzinfo=None) - datetime.combine(_SERIAL_ZERO, time())
            return _within(since.total_seconds() / unit, field)
        plainly = float(cell) if isinstance(cell, int | float) else number(text, manner.decimal)
        if plainly is not None:
            return _within(plainly, field)
        seconds = _seconds(text)
        if seconds is None:
            raise CellFault("duration")
        return _within(round(seconds / unit, 6), field)

    return read_duration


def _seconds(text: str) -> float | None:
    clock = _COLONS.fullmatch(text.strip())
    if clock:
        # Two parts are hours and minutes; three are hours, minutes and seconds.
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0)
    found = _AMOUNT.fullmatch(text.strip())
    if not found or not any(found.groups()):
        return None
    parts = [float((part or "0").replace(",", ".")) for part in found.groups()]
    return parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3]


# --- days and instants -------------------------------------------------------------------------------------


def _day(cell: Cell, text: str, _field: Field, manner: Manner) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    found = day(text, manner.days)
    if found is None and isinstance(cell, int | float):
        found = _serial(float(cell))
    if found is None:
        raise CellFault("day")
    return found


def day(text: str, order: str = "dmy") -> date | None:
    """Return the day that a text writes: 03/02/2026, 2026-02-03, 3 février 2026, 3 févr. 26…

    An hour may follow, or the end of a period; a month alone is its first day.
    """
    found = _day_at_start(text, order)
    if found:
        return found[0] if _AFTER_DAY.fullmatch(found[1]) else None
    month = _MONTH_ALONE.fullmatch(" ".join(_unaccented(text).split()))
    if month is None:
        return None
    if month[1]:
        return _made(int(month[1]), int(month[2]), 1, long=True)
    return _made(int(month[4]), _MONTHS.get(month[3], 0), 1, long=True)


def _day_at_start(text: str, order: str) -> tuple[date, str] | None:
    """Return the day that a text begins with, and what follows it."""
    worded = " ".join(_unaccented(text).split())
    for pattern, places in ((_ISO, (1, 2, 3)), (_YEAR_FIRST, (1, 2, 3)), (_NUMERIC_DAY, _places(order))):
        found = pattern.match(worded)
        if found and not worded[found.end() : found.end() + 1].isdigit():
            made = _made(*(int(found[place]) for place in places), long=len(found[places[0]]) == 4)
            return (made, worded[found.end() :]) if made else None
    found = _WORDED.match(worded)
    if found and found[2] in _MONTHS:
        made = _made(int(found[3]), _MONTHS[found[2]], int(found[1]), long=len(found[3]) == 4)
        return (made, worded[found.end() :]) if made else None
    found = _MONTH_FIRST.match(worded)
    if found and found[1] in _MONTHS:
        made = _made(int(found[3]), _MONTHS[found[1]], int(found[2]), long=True)
        return (made, worded[found.end() :]) if made else None
    return None


def _places(order: str) -> tuple[int, int, int]:
    return (3, 1, 2) if order == "mdy" else (3, 2, 1)


def _made(year: int, month: int, number_of_day: int, *, long: bool) -> date | None:
    if not long:
        year += 2000 if year < 70 else 1900
    try:
        return date(year, month, number_of_day)
    except ValueError:
        return None


def _unaccented(text: str) -> str:
    table = str.maketrans("àâäéèêëîïôöùûüç\u00a0\u202f", "aaaeeeeiioouuuc  ")
    return text.strip().lower().translate(table)


def _serial(value: float) -> date | None:
    if not 1 <= value <= _SERIAL_LAST:
        return None
    return _SERIAL_ZERO + timedelta(days=int(value))


def _instant(cell: Cell, text: str, _field: Field, manner: Manner) -> datetime:
    made = instant(cell, text, manner)
    if made is None:
        raise CellFault("instant")
    return made


def instant(cell: Cell, text: str, manner: Manner) -> datetime | None:
    """Return an instant in UTC; without an offset it is of the zone of `manner`; a day alone is its noon."""
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=manner.zone)).astimezone(UTC)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        whole = _serial(float(cell))
        if whole is None:
            return None
        seconds = round((float(cell) % 1) * 86400)
        return (
            (datetime.combine(whole, time()) + timedelta(seconds=seconds))
            .replace(tzinfo=manner.zone)
            .astimezone(UTC)
        )
    found = _day_at_start(text, manner.days)
    if found is None:
        return None
    rest = found[1].strip().lstrip(",t").strip()
    rest = re.sub(r"^(a|at|le)\s+", "", rest)
    if not rest:
        return datetime.combine(found[0], time(12), manner.zone).astimezone(UTC)
    offset = _OFFSET.search(rest)
    clock = _CLOCK.fullmatch(rest[: offset.start()].strip() if offset else rest)
    at = _time(clock) if clock else None
    if at is None:
        return None
    zone = datetime.strptime(_offset(offset[1]), "%z").tzinfo if offset else manner.zone
    return datetime.combine(found[0], at, zone).astimezone(UTC)


def _offset(text: str) -> str:
    return "+0000" if text.lower() in ("z", "utc") else text.replace(":", "")


def _time(clock: re.Match[str]) -> time | None:
    hour, half = int(clock[1]), (clock[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    try:
        return time(hour, int(clock[2]), int(clock[3] or 0), int((clock[4] or "0").ljust(6, "0")))
    except ValueError:
        return None


_READERS: dict[str, Callable[[Cell, str, Field, Manner], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "percent": _percent,
    "hours": _duration(3600),
    "minutes": _duration(60),
    "day": _day,
    "instant": _instant,
    "yes_no": _yes_no,
    "choice": _choice,
    "address": _address,
    "list": _list,
    "columns": _text,
}
