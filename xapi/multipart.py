"""PURE: multipart/mixed, statements first and attachments after (Communication 1.5.2, RFC 2046)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from xapi import values
from xapi.errors import XapiError

#: Parts of one body, and bytes of one part's header, at most.
MOST_PARTS = 2_000
LONGEST_HEADER = 8_000
UNKNOWN = "application/octet-stream"

_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)', re.IGNORECASE)
#: SHA-2 by its number of hexadecimal digits.
_HASHES = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(frozen=True)
class Part:
    """The data of one attachment; `sha2` in lower case, verified when it was received."""

    sha2: str
    content_type: str
    body: bytes


def read(content_type: str, body: bytes) -> tuple[bytes, dict[str, Part]]:
    """Return the JSON of the first part, and the attachments by hash; raises XapiError."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise XapiError("multipart/mixed needs its boundary")
    parts = _split(body, (found[1] or found[2]).encode("latin-1", "replace"))
    headers, statements = parts[0]
    if _type(headers) != "application/json":
        raise XapiError("the first part must be application/json: the statements")
    attachments: dict[str, Part] = {}
    for position, (headers, content) in enumerate(parts[1:], 2):
        try:
            part = _attachment(headers, content)
        except XapiError as fault:
            raise XapiError(f"part {position} {fault.reason}") from None
        attachments[part.sha2] = part
    return statements, attachments


def _split(body: bytes, boundary: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Return header and content of each part; what stands before the first and after the last is left.

    The body is looked through where it is: a content is copied once, and may be as large as the body.
    """
    mark = b"\r\n--" + boundary
    if body.count(mark) + body.startswith(mark[2:]) > MOST_PARTS + 1:
        raise XapiError(f"the body has more than {MOST_PARTS} parts")
    parts: list[tuple[dict[str, str], bytes]] = []
    at = 0 if body.startswith(mark[2:]) else body.find(mark) + 2
    while at != 1:
        start = at + len(mark) - 2
        end = body.find(mark, start)
        if body.startswith(b"--", start):
            if parts:
                return parts
            break
        stop = end if end >= 0 else len(body)
        line = body.find(b"\r\n", start, stop)
        if line < 0 or body[start:line].strip(b" \t"):
            raise XapiError("the body is not multipart as its boundary says")
        parts.append(_part(body, line + 2, stop))
        at = end + 2
    raise XapiError("the body does not end with its boundary")


def _part(body: bytes, start: int, stop: int) -> tuple[dict[str, str], bytes]:
    """Part headers, in lower case, and their content; ``Name:value`` without a space is fine."""
    if body.startswith(b"\r\n", start, stop):
        return {}, body[start + 2 : stop]
    end = body.find(b"\r\n\r\n", start, stop)
    if end < 0 or end - start > LONGEST_HEADER:
        raise XapiError("a part has no end of header")
    headers: dict[str, str] = {}
    for line in body[start:end].split(b"\r\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise XapiError("a part has a header that cannot be read")
        headers[name.strip().lower()] = value.strip()
    return headers, body[end + 4 : stop]


def _type(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _attachment(headers: dict[str, str], content: bytes) -> Part:
    if headers.get("content-transfer-encoding", "").lower() != "binary":
        raise XapiError("needs the header Content-Transfer-Encoding: binary")
    sha2 = headers.get("x-experience-api-hash", "").lower()
    if len(sha2) not in _HASHES:
        raise XapiError("needs the header X-Experience-API-Hash: the SHA-2 of its content")
    if digest(content, sha2) != sha2:
        raise XapiError("has a content that is not the one of its X-Experience-API-Hash")
    try:
        values.media_type(headers.get("content-type"))
        return Part(sha2, headers["content-type"], content)
    except XapiError:
        return Part(sha2, UNKNOWN, content)


def digest(content: bytes, like: str) -> str:
    """Return the SHA-2 of a content, of as many digits as another one that is known to be one."""
    return hashlib.new(_HASHES[len(like)], content).hexdigest()


def pieces(boundary: str, statements: bytes, attachments: Iterable[Part]) -> list[bytes]:
    """Return a body in the pieces that it is made of, none of them copied.

    `boundary` has letters and digits only and occurs nowhere else.
    """
    line = f"--{boundary}\r\n".encode()
    made = [line, b"Content-Type: application/json\r\n\r\n", statements, b"\r\n"]
    for part in attachments:
        header = (
            f"Content-Type: {part.content_type}\r\nContent-Transfer-Encoding: binary\r\n"
            f"X-Experience-API-Hash: {part.sha2}\r\n\r\n"
        )
        made += [line, header.encode("latin-1", "replace"), part.body, b"\r\n"]
    return [*made, f"--{boundary}--\r\n".encode()]


def write(boundary: str, statements: bytes, attachments: Iterable[Part]) -> bytes:
    """Return a body as `pieces` does, in one."""
    return b"".join(pieces(boundary, statements, attachments))
