"""Lists of recipients, pasted or in a CSV file: one a line, checked, every fault with its line. PURE."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lti_tool import mail

#: Longest name kept, characters.
LONGEST_NAME = 120
#: Lines that a list may have.
MOST_LINES = 2000

_NAMED = re.compile(r"\s*\"?([^\"<>]*?)\"?\s*<\s*([^<>\s]+)\s*>\s*")
_HEADINGS = re.compile(r"(adresses?|e-?mails?|courriels?|m[ée]l|noms?|names?|pr[ée]noms?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Recipient:
    """An address, with a name or ""."""

    address: str
    name: str


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line: `code` is malformed, twice, too_many."""

    line: int
    code: str
    text: str


@dataclass(frozen=True)
class Read:
    """What a list holds; to be taken only without faults."""

    recipients: Sequence[Recipient]
    faults: Sequence[Fault]


def decoded(content: bytes) -> str:
    """Return the text of a file: UTF-8 with or without its mark, else the encoding of Windows."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read(text: str) -> Read:
    """Read a list: `address`, `name <address>`, or columns, one of which holds the address.

    Columns are parted by `;`, tabs or commas. A first line of headings is passed over; empty lines too.
    """
    recipients: list[Recipient] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or (number == 1 and "@" not in line and _HEADINGS.search(line)):
            continue
        if number > MOST_LINES:
            faults.append(Fault(number, "too_many", ""))
            break
        one = _line(line)
        if one is None:
            faults.append(Fault(number, "malformed", line.strip()[:80]))
        elif one.address.casefold() in seen:
            faults.append(Fault(number, "twice", str(seen[one.address.casefold()])))
        else:
            seen[one.address.casefold()] = number
            recipients.append(one)
    return Read(recipients, faults)


def _line(line: str) -> Recipient | None:
    named = _NAMED.fullmatch(line.rstrip(" ;,"))
    if named is not None:
        return _made(named[2], named[1])
    mark = next((mark for mark in (";", "\t", ",") if mark in line), ";")
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]
    addresses = [cell for cell in cells if "@" in cell]
    if len(addresses) != 1:
        return None
    return _made(addresses[0], " ".join(cell for cell in cells if cell and "@" not in cell))


def _made(address: str, name: str) -> Recipient | None:
    address = address.removeprefix("mailto:").strip("<>")
    plain = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
    return Recipient(address, plain[:LONGEST_NAME]) if mail.usable(address) else None
