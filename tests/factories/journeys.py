"""People who go through a path, made by hand or drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from analyzers.community import Dimension
from analyzers.journeys import Journeys

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def journeys(
    steps: Sequence[Sequence[int]],
    *,
    modules: int,
    states: Sequence[str],
    weeks: Sequence[int] | None = None,
    years: Sequence[int] | None = None,
    traits: Mapping[str, tuple[Sequence[str], Sequence[int]]] | None = None,
    returned: NDArray[np.bool_] | None = None,
) -> Journeys:
    """Return people by the modules they entered; states: "s" stopped, "f" finished, "w" under way."""
    count = len(steps)
    packed = np.full((count, modules), -1, dtype=np.int8)
    for row, some in enumerate(steps):
        packed[row, : len(some)] = some
    week = np.array(weeks if weeks is not None else [len(some) for some in steps], dtype=np.int16)
    return Journeys(
        version="made",
        made_at=NOW,
        today=date(2026, 11, 21),
        modules=tuple(f"Module {rank}" for rank in range(1, modules + 1)),
        ranks=np.arange(modules, dtype=np.int8)[None, :],
        steps=packed,
        returned=np.zeros((count, modules), dtype=bool) if returned is None else returned,
        session=np.zeros(count, dtype=np.int32),
        finished=np.array([state == "f" for state in states]),
        over=np.array([state == "s" for state in states]),
        silent=np.zeros(count, dtype=np.int32),
        last_week=week,
        now_week=week,
        year=np.array(years if years is not None else [2025] * count, dtype=np.int16),
        traits={
            name: Dimension(tuple(values), np.array(codes, dtype=np.int32))
            for name, (values, codes) in (traits or {}).items()
        },
    )


def drawn(seed: int, count: int, modules: int, groups: int = 3, disorder: float = 0.3) -> Journeys:
    """Return people drawn at random: most in order, stopping here and there, of a few groups and years."""
    random = np.random.default_rng(seed)
    steps: list[list[int]] = []
    states: list[str] = []
    for _ in range(count):
        order = list(range(modules))
        if random.random() < disorder:
            a, b = random.choice(modules, 2, replace=False)
            order[a], order[b] = order[b], order[a]
        entered = modules if random.random() < 0.5 else int(random.integers(0, modules + 1))
        steps.append(order[:entered])
        states.append("f" if entered == modules else str(random.choice(["s", "w"], p=[0.75, 0.25])))
    return journeys(
        steps,
        modules=modules,
        states=states,
        weeks=[len(some) + int(random.integers(0, 3)) for some in steps],
        years=random.choice([2024, 2025], count).tolist(),
        traits={
            "corps": ([f"c{rank}" for rank in range(groups)], random.integers(-1, groups, count).tolist())
        },
    )
