"""What the store refuses, each with its HTTP status and a message that may be shown.

::

    XapiError            400  the request or the statement is not as the specification says
    ├── Unauthorized     401  no key, a wrong one or a revoked one
    ├── Forbidden        403  the key lacks the scope
    ├── NotFound         404  no such statement, or voided, or no such resource
    ├── Conflict         409  an id that is taken, a document that exists
    ├── PreconditionFailed 412  the document is not the one that If-Match or If-None-Match speaks of
    └── TooLarge         413  a body over the limit
"""

from __future__ import annotations


class XapiError(Exception):
    """A refusal; `path` is the faulty property (``[3].actor.mbox``), empty when it is the whole."""

    status = 400

    def __init__(self, reason: str, *, index: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        #: Names and positions from the fault outwards; grows as the validator unwinds.
        self.steps: list[str | int] = []
        #: Position in the batch of the statement at fault, when there is one.
        self.index = index

    @property
    def path(self) -> str:
        """Return the faulty property from the outermost inwards."""
        text = "" if self.index is None else f"[{self.index}]"
        for step in reversed(self.steps):
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class Unauthorized(XapiError):  # noqa: N818 - these are answers, named as HTTP names them
    """No key, a wrong one or a revoked one."""

    status = 401


class Forbidden(XapiError):  # noqa: N818
    """The key lacks the scope that the request needs."""

    status = 403


class NotFound(XapiError):  # noqa: N818
    """No such statement for this key, or no such resource."""

    status = 404


class Conflict(XapiError):  # noqa: N818
    """An id that is taken by a different statement."""

    status = 409


class PreconditionFailed(XapiError):  # noqa: N818
    """The document is not the one that If-Match or If-None-Match speaks of."""

    status = 412


class TooLarge(XapiError):  # noqa: N818
    """A body over the limit of the settings."""

    status = 413
