"""PURE: strict reading of JSON: no duplicate key, no NaN, no invalid UTF-8, bounded depth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from xapi.errors import TooLarge, XapiError

#: Levels of arrays and objects; real statements have about ten.
MAX_DEPTH = 100
#: Arrays, objects and commas in one text: what a text costs in memory once read, up to 250 times its bytes.
MOST_VALUES = 500_000
#: Bytes of a part of an array: about five hundred statements.
PART = 500_000
_TO_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
#: Up to the next bracket, strings passed over; a quotation mark alone opens a string that does not end.
_TO_BRACKET = re.compile(
    rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+(?:[{}\[\]]|"|\Z)', re.DOTALL
)
_ARRAY = re.compile(rb"[ \t\r\n]*\[")
_SPACE = re.compile(rb"[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,")
_TOO_DEEP = f"the body has more than {MAX_DEPTH} levels"


def load(body: bytes) -> Any:
    """Read a JSON text strictly; raises XapiError with the reason.

    The parser keeps the last of two equal keys without a word. Fewer keys in the parsed value, written
    again, than in the text means that some were lost. Counting takes a few microseconds where a parser
    with hooks takes ten times the parsing.
    """
    if len(body) > MOST_VALUES and body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise TooLarge(f"the body has more than {MOST_VALUES} values")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise XapiError(f"the body is not JSON: {error}") from None
    except (RecursionError, MemoryError):
        raise XapiError("the body is too deep") from None
    marks = 0
    for item in value if value.__class__ is list else (value,):
        try:
            written = orjson.dumps(item)
        except TypeError:
            raise XapiError(_TOO_DEEP) from None
        # As many levels as brackets, at most: real statements have about twenty, those in texts included.
        if written.count(b"{") + written.count(b"[") >= MAX_DEPTH:
            _refuse_deep(outside_strings(written), MAX_DEPTH - (value is not item))
        marks += _without_escapes(written).count(b'":')
    is_doubtful = _is_spaced(body) or marks != _without_escapes(body).count(b'":')
    # Not written as we would, or a key is lost: count what is a key beyond doubt.
    if is_doubtful and _colons(body) != _colons(orjson.dumps(value)):
        raise XapiError(f"a key is given twice in one object: {_first_duplicate(body)!r}")
    return value


def is_array(body: bytes) -> bool:
    """Tell whether a text can be nothing but an array."""
    return _ARRAY.match(body) is not None


def parts(body: bytes, largest: int) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a large array begin and end, each some of its items with their commas.

    Between brackets each is an array: all of them read strictly, one after the other, the whole is JSON,
    and the array's items are theirs. Raises TooLarge, with the position of the item, on one of more than
    `largest` bytes; XapiError when the array does not end. Reads nothing of the parts yet to come.
    """
    found = _ARRAY.match(body)
    if found is None:
        raise XapiError("the body must be an array")
    start, item, depth, position = found.end(), found.end(), 1, 0
    for mark in _TO_BRACKET.finditer(body, start):
        end = mark.end()
        bracket = body[end - 1 : end] if end > mark.start() else b""
        if depth > 1 and end - item > largest:
            raise TooLarge(f"a statement is over {largest} bytes", index=position)
        if bracket in (b"{", b"["):
            item = end - 1 if depth == 1 else item
            depth += 1
            if depth > MAX_DEPTH + 1:
                raise XapiError(_TOO_DEEP)
        elif bracket in (b"}", b"]") and depth > 1:
            depth -= 1
            position += depth == 1
            comma = _COMMA.match(body, end) if depth == 1 and end - start >= PART else None
            if comma is not None:
                yield start, end
                start = comma.end()
        elif bracket == b"]" and _SPACE.fullmatch(body, end):
            # An empty array is one; nothing after a comma is not.
            if start > found.end() and _SPACE.fullmatch(body, start, end - 1):
                break
            yield start, end - 1
            return
        else:
            break
    raise XapiError("the body is not JSON: its array does not end as it should")


def _colons(text: bytes) -> int:
    return outside_strings(text).count(b":")


def _is_spaced(body: bytes) -> bool:
    """Tell whether a colon may stand apart from its key, or be written by its number."""
    return (
        b"\n" in body
        or b"\t" in body
        or b"\r" in body
        or b'" ' in body
        or (b"\\" in body and b"\\u003" in body)
    )


def _without_escapes(text: bytes) -> bytes:
    """Return a JSON text where quotation marks bound strings and nothing else.

    A mark and a colon then meet at the end of a key and at the start of the strings that begin with a
    colon: as often in a text as in its value written again, unless a key is lost.
    """
    if b"\\" in text:
        return text.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    return text


def outside_strings(text: bytes) -> bytes:
    """Return a JSON text without its strings; `text` must be valid JSON."""
    return b"".join(_without_escapes(text).split(b'"')[::2])


def says_nul(text: bytes) -> bool:
    """Tell whether a JSON text holds the character NUL, which PostgreSQL cannot keep."""
    # The backslash alone first: a search of one byte is thirty times quicker.
    return b"\\" in text and b"\\u0000" in text and b"\\u0000" in text.replace(b"\\\\", b"")


def _refuse_deep(skeleton: bytes, most: int) -> None:
    brackets = skeleton.translate(_TO_ONE_BRACKET, _NOT_BRACKETS)
    for _ in range(most):
        if not brackets:
            return
        # Each round removes the innermost level.
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise XapiError(_TOO_DEEP)


def _first_duplicate(body: bytes) -> str:
    """Return the first key found twice, for the message."""
    found: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key[:100])
            seen.add(key)

    json.loads(body, object_pairs_hook=keep, parse_int=str)
    return found[0] if found else ""
