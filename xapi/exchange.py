"""One request to the store and its answer, whatever carries them: resources know no web framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.auth import Credential
from xapi.errors import TooLarge, XapiError

#: PostgreSQL's deadlock, serialization failure and unique violation (somebody wrote the same at the same
#: moment): the same request succeeds, or is refused with its reason, when it is done again.
_TRANSIENT = ("40P01", "40001", "23505")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int = 200
    #: Whole, or in pieces.
    body: bytes | Sequence[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Exchange:
    """A request whose key is known."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime]
    credential: Credential
    #: 1.0.3 or 2.0.0.
    version: str
    method: str
    parameters: Mapping[str, list[str]]
    #: Value of a header by its name in any case; None when it is not sent.
    header: Callable[[str], str | None]
    #: Reads at most that many bytes of the body.
    read: Callable[[int], bytes]
    #: Told in X-Experience-API-Consistent-Through once known.
    consistent: datetime | None = None

    @property
    def is_modern(self) -> bool:
        """Tell whether the request is of xAPI 2.0."""
        return self.version.startswith("2.")

    def body(self) -> bytes:
        """Return the body; raises TooLarge over the limit of the settings."""
        if (self.header("Content-Encoding") or "identity").lower() != "identity":
            raise XapiError("a compressed body is not accepted")
        limit = self.settings.max_body
        announced = self.header("Content-Length") or ""
        too_large = announced.isascii() and announced.isdigit() and int(announced[:20]) > limit
        content = b"" if too_large else self.read(limit + 1)
        if too_large or len(content) > limit:
            raise TooLarge(f"the body is over {limit} bytes")
        return content

    def content_type(self) -> str:
        """Return the media type of the body, in lower case, without its parameters."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    def flat(self, *known: str) -> dict[str, str]:
        """Return the parameters, each given once; raises XapiError on one that is not among `known`."""
        for name, given in self.parameters.items():
            if name not in known:
                raise XapiError(f"unknown parameter {name[:100]!r}")
            if len(given) != 1:
                raise XapiError(f"the parameter {name!r} is given {len(given)} times")
            if "\x00" in given[0]:
                raise XapiError(f"the parameter {name!r} holds the character NUL")
        return {name: given[0] for name, given in self.parameters.items()}

    def written(
        self, work: Callable[[Connection], Result], *, opening: Callable[[], str] = lambda: ""
    ) -> Result:
        """Do some work in one transaction of the key's silo, committed when this returns; twice at most.

        `opening`: gives SQL that PostgreSQL is given as it begins.
        """
        for last in (False, True):
            try:
                with transaction(self.engine, self.credential.silo_id, opening=opening()) as conn:
                    return work(conn)
            except DBAPIError as error:
                if last or getattr(error.orig, "sqlstate", None) not in _TRANSIENT:
                    raise
        raise AssertionError("unreachable")
