"""Communities made by hand: sessions and who was in them, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from analyzers.community import MODALITIES, STATUSES, Community, Dimension, Path, school_years

TODAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Run:
    """A session: its path, days, what is planned, and its people by what became of them."""

    path: int
    starts: str
    came: int
    absent: int = 0
    ends: str = ""
    modality: str = "blended"
    capacity: float = np.nan
    hours: tuple[float, float] = (np.nan, np.nan)
    days: float = np.nan
    cost: float = np.nan
    finished: int = 0
    withdrawn: int = 0
    partial: bool = False
    #: Number of the first of its people; −1: people of its own.
    first: int = -1


def community(runs: Sequence[Run], *, traits: dict[str, Dimension] | None = None) -> Community:
    """Return a community of these sessions; people have numbers of their own unless a run says otherwise."""
    rows: list[tuple[int, int, bool, bool, int]] = []
    free = 0
    for place, run in enumerate(runs):
        first = free if run.first < 0 else run.first
        for rank in range(run.came + run.absent + run.withdrawn):
            seen = rank < run.came
            status = STATUSES.index("withdrawn" if rank >= run.came + run.absent else "accepted")
            rows.append((first + rank, place, seen, rank < run.finished, status))
        free = max(free, first + run.came + run.absent + run.withdrawn)
    person, session, seen_, finished, status_ = (np.array(column) for column in zip(*rows, strict=True))
    starts = np.array([run.starts or "NaT" for run in runs], dtype="datetime64[D]")
    ends = np.array([run.ends or "NaT" for run in runs], dtype="datetime64[D]")
    unsaid = np.isnat(ends)
    ends[unsaid] = starts[unsaid] + 5
    years = school_years(starts)
    count = len(rows)
    blank = np.full(count, np.datetime64("NaT", "D"))
    enrolments: dict[str, Any] = {
        "person": person.astype(np.int32), "session": session.astype(np.int32),
        "mode": np.full(count, -1, np.int8), "status": status_.astype(np.int8),
        "enrolled_on": blank, "first_on": np.where(seen_, starts[session], blank), "last_on": blank,
        "finished_on": blank, "left_on": blank, "finished": finished.astype(bool),
        "seconds": np.zeros(count, np.int32), "attended": np.zeros(count, np.int16),
        "active_days": seen_.astype(np.int16), "year": years[session],
    }  # fmt: skip
    sessions: dict[str, Any] = {
        "course_id": np.arange(1, len(runs) + 1, dtype=np.int64),
        "path": np.array([run.path for run in runs], dtype=np.int32),
        "starts": starts, "ends": ends, "year": years,
        "modality": np.array([MODALITIES.index(run.modality) for run in runs], dtype=np.int8),
        "hours_in_person": np.array([run.hours[0] for run in runs], dtype=np.float64),
        "hours_distance": np.array([run.hours[1] for run in runs], dtype=np.float64),
        "days": np.array([run.days for run in runs], dtype=np.float64),
        "capacity": np.array([run.capacity for run in runs], dtype=np.float64),
        "cost_planned": np.full(len(runs), np.nan),
        "cost": np.array([run.cost for run in runs], dtype=np.float64),
        "partial": np.array([run.partial for run in runs], dtype=bool),
    }  # fmt: skip
    paths = sorted({run.path for run in runs if run.path >= 0})
    return Community(
        made_at=datetime(2026, 11, 22, 8, tzinfo=UTC), version="made", today=TODAY, people=free,
        traits=traits or {}, paths=tuple(Path(path + 1, f"Parcours {path}") for path in paths),
        names=tuple(f"S{place}" for place in range(len(runs))), sessions=sessions, enrolments=enrolments,
        applications={}, in_files=0, matched=0,
    )  # fmt: skip
