"""The sessions of a silo, for its administrators: PURE."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from analyzers import disclosure
from analyzers.results import Basis, Sessions, SessionSummary
from analyzers.shapes import SiloFrames


def summaries(frames: SiloFrames, *, k: int) -> Sessions:
    """Return every session, the latest started first; shares only where the group reaches the threshold."""
    rows = frames.sessions
    found = [_summary(row, k) for row in rows]
    found.sort(key=lambda session: session.title)
    found.sort(key=lambda session: session.starts_on or session.last_on or date.min, reverse=True)
    fresh: list[datetime] = [session.fresh_at for session in found if session.fresh_at is not None]
    starts = [session.starts_on for session in found if session.starts_on is not None]
    first = min(starts, default=None)
    return Sessions(
        basis=Basis(
            n=frames.people,
            definition="sessions",
            period=(min(first, frames.today), frames.today) if first else None,
            fresh_at=min(fresh, default=None),
            partial=any(session.partial for session in found),
        ),
        sessions=tuple(found),
        people=frames.people,
        active_now=sum(bool(row["active"]) for row in rows),
        active_before=sum(bool(row["active_before"]) for row in rows),
    )


def _summary(row: Mapping[str, Any], k: int) -> SessionSummary:
    enrolled = int(row["enrolled"])
    return SessionSummary(
        course_id=int(row["course_id"]),
        title=row["title"] or row["label"] or "",
        path_id=row["path_id"],
        path_title=row["path_title"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        enrolled=enrolled,
        active=disclosure.share(int(row["active"]), enrolled, k=k),
        completion=disclosure.share(int(row["finished"]), enrolled, k=k),
        last_on=row["last_on"],
        fresh_at=row["fresh_at"],
        partial=bool(row["partial"]),
    )
