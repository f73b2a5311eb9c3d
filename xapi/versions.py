"""PURE: which xAPI a request speaks (xAPI 1.0.3 Communication 3.3)."""

from __future__ import annotations

import re

from xapi.errors import XapiError

HEADER = "X-Experience-API-Version"
#: Version of a header -> version of the data model and of the answer.
_VERSIONS = (
    (re.compile(r"1\.0(?:\.[0-9]+)?"), "1.0.3"),
    (re.compile(r"2\.0(?:\.[0-9]+)?"), "2.0.0"),
)


def read(header: str | None) -> str:
    """Return the version to answer in; refuse a request without one or with another."""
    if header is None:
        raise XapiError(f"the header {HEADER} is missing")
    for pattern, version in _VERSIONS:
        if pattern.fullmatch(header.strip()):
            return version
    raise XapiError(f"{HEADER} must be 1.0.x or 2.0.x")
