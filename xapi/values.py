"""PURE: the atoms of xAPI: IRI, UUID, mailbox, language tag, timestamp, duration, media type.

Each check takes any JSON value, returns nothing and raises XapiError. Strings seen to be good are
remembered in a bounded set: the same verbs, types and platforms come back in every statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from xapi.errors import XapiError

#: Strings remembered by each check, and the longest one kept: bounds the memory (about 10 MB each).
_REMEMBERED = 20_000
_LONGEST = 300

# RFC 3987 without its exclusions, best effort as Data 2.2.s4.b6 allows (a stray quotation mark is let
# through, as peers do: it is frequent at the end of pasted addresses). http(s) needs a host.
_IRI = re.compile(
    r"(?!https?:(?!//[^/?#]))[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\x7f-\xa0<>{}|\\^`\u2028\u2029\ufffe\uffff]+"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_MBOX = re.compile(r"mailto:[^\s@<>\"(),:;\[\]\\\x00-\x1f]+@[^\s@<>\"(),:;\[\]\\/?#\x00-\x1f]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHA2 = re.compile(r"(?:[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})")
_VERSION_1 = re.compile(r"1\.0(?:\.\d+)?", re.ASCII)
_VERSION_2 = re.compile(r"(?:1\.0(?:\.\d+)?|2\.0(?:\.\d+)?)", re.ASCII)
# ISO 8601:2004 4.4.3.2: weeks alone, or years to seconds; only the smallest may have a fraction.
_DURATION = re.compile(
    r"P(?:\d+(?:[.,]\d+)?W|(?=[\dT])(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)",
    re.ASCII,
)
_FRACTION_INSIDE = re.compile(r"[.,]\d+[YMWDHS].")
# RFC 5646 2.1: language [extlang] [script] [region] variants extensions [private], private alone,
# or one of the irregular tags of the past. Languages of four letters are reserved, and none of five to
# eight was ever registered.
_LANGUAGE = re.compile(
    r"(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3})"
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+"
    r"|en-gb-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)"
    r"|sgn-(?:be-fr|be-nl|ch-de))",
    re.ASCII | re.IGNORECASE,
)
# RFC 6838: a registered top-level type (or a private one), a subtype, RFC 9110 parameters.
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE = re.compile(
    r"(?:application|audio|chemical|example|font|haptics|image|message|model|multipart|text|video|x-[\w.+-]+)"
    rf"/{_WORD}(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|\"(?:[^\"\\]|\\.)*\"))*[ \t]*;?",
    re.ASCII | re.IGNORECASE,
)
# Extended and basic formats of ISO 8601; RFC 3339 is the part of it with a zone, colons and a time.
_INSTANT = re.compile(
    r"(\d{4})(?:-(\d\d)-(\d\d)(?:[Tt](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"|(?=$))|(\d\d)(\d\d)(?:[Tt](\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?|(?=$)))"
    r"(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?",
    re.ASCII,
)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
# Neither the unknown offset, nor years that an offset could push out of the calendar.
_USUAL = re.compile(
    r"(?!0000|0001|9999)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|(?!-00:00)[+-]\d\d:[0-5]\d)",
    re.ASCII,
)

Check = Callable[[Any], None]


def _remembering(pattern: re.Pattern[str], what: str) -> Check:
    """Return a check of strings against a pattern, quick on what it has seen."""
    seen: set[str] = set()
    match = pattern.fullmatch

    def check(value: Any) -> None:
        if value.__class__ is str:
            if value in seen:
                return
            if match(value):
                if len(value) <= _LONGEST:
                    if len(seen) >= _REMEMBERED:
                        seen.clear()
                    seen.add(value)
                return
        raise XapiError(f"must be {what}")

    return check


def _matching(pattern: re.Pattern[str], what: str) -> Check:
    match = pattern.fullmatch

    def check(value: Any) -> None:
        if value.__class__ is not str or not match(value):
            raise XapiError(f"must be {what}")

    return check


iri = _remembering(_IRI, "an IRI with its scheme, such as http://example.org/verbs/seen")
uuid = _matching(_UUID, "a UUID in its standard form, such as 12345678-1234-5678-1234-567812345678")
mbox = _remembering(_MBOX, "a mailbox such as mailto:someone@example.org")
sha1 = _matching(_SHA1, "the 40 hexadecimal digits of a SHA-1 hash")
sha2 = _matching(_SHA2, "the hexadecimal digits of a SHA-2 hash")
media_type = _remembering(_MEDIA_TYPE, "a media type such as text/plain")
version_1 = _matching(_VERSION_1, "1.0 or 1.0.x")
version_2 = _matching(_VERSION_2, "1.0, 1.0.x, 2.0 or 2.0.x")
_language_form = _remembering(_LANGUAGE, "a language tag such as fr or fr-FR (RFC 5646)")


def language(value: Any) -> None:
    """Refuse what is not a language tag (RFC 5646): form, no variant and no singleton twice."""
    _language_form(value)
    if len(value) > 8:
        found = _LANGUAGE.fullmatch(value)
        for group in ("variants", "extensions"):
            text = found[group] if found else None
            parts = text.lower().split("-")[1:] if text else []
            if group == "extensions":
                parts = [part for part in parts if len(part) == 1]
            if len(parts) != len(set(parts)):
                raise XapiError("must be a language tag that says nothing twice (RFC 5646)")


def language_map(value: Any) -> None:
    """Refuse what is not an object of strings by language tag (Data 4.2)."""
    if value.__class__ is not dict:
        raise XapiError('must be a language map, such as {"fr": "…"}')
    for tag, text in value.items():
        language(tag)
        if text.__class__ is not str:
            fault = XapiError("must be a string")
            fault.steps.append(tag)
            raise fault


def string(value: Any) -> None:
    """Refuse what is not a string."""
    if value.__class__ is not str:
        raise XapiError("must be a string")


def boolean(value: Any) -> None:
    """Refuse what is not true or false."""
    if value is not True and value is not False:
        raise XapiError("must be true or false")


def number(value: Any) -> None:
    """Refuse what is not a number (a boolean is none)."""
    if value.__class__ is not float and value.__class__ is not int:
        raise XapiError("must be a number")


def octets(value: Any) -> None:
    """Refuse what is not a whole number of octets."""
    if value.__class__ is not int or value < 0:
        raise XapiError("must be a whole number of octets")


def duration(value: Any) -> None:
    """Refuse what is not an ISO 8601 duration with designators (Data 4.6)."""
    if (
        value.__class__ is not str
        or not _DURATION.fullmatch(value)
        or (("." in value or "," in value) and _FRACTION_INSIDE.search(value))
    ):
        raise XapiError("must be an ISO 8601 duration such as PT1H30M")


def timestamp(value: Any) -> None:
    """Refuse what is not an ISO 8601 date (and time), or has the unknown offset -00:00 (Data 4.5)."""
    if value.__class__ is str:
        if _usual(value) is not None:
            return
        if _INSTANT.fullmatch(value):
            instant(value)
            return
    raise XapiError("must be an ISO 8601 timestamp such as 2026-11-21T08:00:00.000Z")


def timestamp_strict(value: Any) -> None:
    """Refuse what is not a timestamp of RFC 3339, as xAPI 2.0 asks (4.2.7)."""
    if value.__class__ is str:
        if _usual(value) is not None:
            return
        if _RFC3339.fullmatch(value):
            instant(value)
            return
    raise XapiError("must be an RFC 3339 timestamp such as 2026-11-21T08:00:00.000Z")


def _usual(text: str) -> datetime | None:
    """Return the instant of a timestamp in its usual form, None when it takes a closer look.

    The interpreter's own parser is four times quicker.
    """
    if _USUAL.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    return None


def instant(text: str) -> datetime:
    """Return the instant of a timestamp, in UTC, to the microsecond; no zone means UTC.

    Raises XapiError. A leap second is counted as the second before it, 24:00 as the next day's 00:00.
    """
    usual = _usual(text)
    if usual is not None:
        return usual.astimezone(UTC)
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise XapiError("must be an ISO 8601 timestamp such as 2026-11-21T08:00:00.000Z")
    year, *parts, sign, off_h, off_m = found.groups()
    # The two formats, extended and basic, have six parts each.
    month, day, hour, minute, second, fraction = (a or b for a, b in zip(parts[:6], parts[6:], strict=True))
    hours, seconds = int(hour or 0), int(second or 0)
    offset = int(off_h or 0) * 60 + int(off_m or 0)
    if sign == "-" and offset == 0:
        raise XapiError("must not have the offset -00:00")
    try:
        midnight = hours == 24 and int(minute or 0) == 0 and seconds == 0 and not int(fraction or 0)
        made = datetime(
            int(year),
            int(month),
            int(day),
            0 if midnight else hours,
            int(minute or 0),
            59 if seconds == 60 else seconds,
            int((fraction or "")[:6].ljust(6, "0")),
            timezone(timedelta(minutes=-offset if sign == "-" else offset)) if offset else UTC,
        )
        if int(off_m or 0) > 59:
            raise ValueError("minutes of the offset")
        return made.astimezone(UTC) + timedelta(days=1 if midnight else 0)
    except (ValueError, OverflowError):
        raise XapiError("must be a date and a time that exist") from None


def utc_text(moment: datetime) -> str:
    """Return an instant as stored and given back: UTC, milliseconds, ``Z``."""
    text = moment.strftime("%m-%dT%H:%M:%S")
    return f"{moment.year:04d}-{text}.{moment.microsecond // 1000:03d}Z"
