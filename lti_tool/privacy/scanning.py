"""PURE: whether something kept (a text, a JSON value, the bytes of a file) says a name of somebody."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import orjson

from lti_tool.privacy.whose import Person
from xapi import cutting, tombstones

#: Bytes of a member of an archive that are looked at.
_MOST = 200_000_000


def says(value: Any, person: Person) -> bool:
    """Tell whether a value names somebody: a key, an account, an address, a whole name in a text.

    A short number ("42") names somebody only where it is the whole of a value.
    """
    if value is None or isinstance(value, bool | int | float):
        return False
    if isinstance(value, str):
        return _text(value, person)
    if isinstance(value, Mapping):
        if tombstones.agents(value) & person.keys:
            return True
        return any(says(item, person) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple):
        return any(says(item, person) for item in value)
    return False


def _text(text: str, person: Person) -> bool:
    plain = text.strip()
    if plain[:1] in "{[" and plain[-1:] in "}]":
        try:
            return says(orjson.loads(plain), person)
        except orjson.JSONDecodeError:
            return _named(plain, person)
    return _named(plain, person)


def _named(text: str, person: Person) -> bool:
    low = text.casefold()
    if low in person.cells:
        return True
    if any(word.casefold() in low for word in person.words):
        return True
    return any(key in low for key in (*person.keys, *person.person_keys))


def without(value: Any, person: Person, *, mark: str) -> Any:
    """Return a JSON value that no longer names somebody: keys become `mark`, names and addresses a word."""
    if isinstance(value, str):
        return mark if value in person.keys else cutting.redacted(value, {*person.words, *person.keys})
    if isinstance(value, Mapping):
        return {name: without(item, person, mark=mark) for name, item in value.items()}
    if isinstance(value, list):
        return [without(item, person, mark=mark) for item in value]
    return value


def file_says(content: bytes, person: Person) -> bool:
    """Tell whether a file, or a member of an archive or of a workbook, names somebody."""
    if content[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return any(
                    bytes_say(archive.read(item), person)
                    for item in archive.infolist()
                    if not item.is_dir() and item.file_size <= _MOST
                )
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return bytes_say(content, person)
    return bytes_say(content, person)


def bytes_say(content: bytes, person: Person) -> bool:
    """Tell whether bytes hold an address, a whole name or a user name, in the encodings that files have."""
    # A number of account is looked for where it is long enough to be nobody else's amount or year.
    said = person.words | ({person.sub} if len(person.sub) >= 5 else set())
    words = {form for word in said for form in (word, word.lower(), word.upper(), word.title())}
    for encoding in ("utf-8", "cp1252", "utf-16-le", "utf-16-be"):
        if any(word.encode(encoding, "ignore") in content for word in words if len(word) > 3):
            return True
    return False
