"""The clock of a running process; everything below the edge is handed one."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present instant, aware."""
    return datetime.now(UTC)
