"""Types of ways as they are kept and told: how many follow each, and what most of them do. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from analyzers import typology
from analyzers.community import pack_arrays, unpack_arrays
from analyzers.journeys import FINISHED, INTERRUPTED, UNDER_WAY, Journeys
from analyzers.pathways import Picture, told_by_type
from analyzers.typology import Progress

#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 1


@dataclass(frozen=True, eq=False)
class Kept:
    """The types of a path, of when: None where its ways are too few, or too alike, to be put into types."""

    version: str
    made_on: date
    #: (variants, modules)
    variants: NDArray[np.int8]
    #: (variants,)
    of_variant: NDArray[np.int32]
    types: int
    #: (number of types tried, mean silhouette)
    silhouettes: tuple[tuple[int, float], ...]
    compared: int


@dataclass(frozen=True)
class Type:
    """A type as it is told. `exact`: `n` is all of it; else it is that many at least."""

    n: int
    exact: bool
    #: Most follow the design.
    straight: bool
    #: What became of most.
    state: int
    #: Modules entered by half of them.
    entered: int
    #: Module that stands out of the design, and by how many places later (earlier: under 0); None: none does.
    apart: tuple[int, float] | None


def make(frame: Journeys, *, k: int, progress: Progress | None = None) -> Kept:
    """Put the ways of a path into types of k people or more."""
    rows = frame.steps[frame.entered > 0]
    variants, counts = np.unique(rows, axis=0, return_counts=True)
    found = typology.classify(
        variants, counts.astype(np.float64), len(frame.modules), least=k, progress=progress
    )
    nothing = np.full(len(variants), -1, dtype=np.int32)
    return Kept(
        uuid4().hex,
        frame.today,
        variants,
        nothing if found is None else found.of_variant,
        0 if found is None else len(found.medoids),
        () if found is None else found.silhouettes,
        0 if found is None else found.compared,
    )


def tell(kept: Kept, frame: Journeys, picture: Picture, *, k: int, stopped_days: int) -> tuple[Type, ...]:
    """Return the types with their people of today, the largest first; those under k are left out."""
    of_person = _of_people(kept, frame)
    state = frame.state(stopped_days)
    made = []
    for place, (n, exact) in sorted(told_by_type(frame, picture, of_person, k=k).items()):
        who = of_person == place
        if n < k or int(who.sum()) < k:
            continue
        counts = np.bincount(state[who], minlength=3)
        made.append(
            Type(
                n=n,
                exact=exact,
                straight=bool((frame.inversions[who] == 0).mean() > 0.5),
                state=max((FINISHED, INTERRUPTED, UNDER_WAY), key=lambda one: int(counts[one])),
                entered=int(np.median(frame.entered[who])),
                apart=_apart(frame, who),
            )
        )
    return tuple(sorted(_alike(made), key=lambda one: -one.n))


def _alike(types: Sequence[Type]) -> list[Type]:
    """Return types with those that would be told by the same words put together."""
    found: dict[tuple[object, ...], Type] = {}
    for one in types:
        key = (one.straight, one.state, one.entered, one.apart and (one.apart[0], one.apart[1] > 0))
        other = found.get(key)
        found[key] = (
            one if other is None else replace(other, n=other.n + one.n, exact=other.exact and one.exact)
        )
    return list(found.values())


def _of_people(kept: Kept, frame: Journeys) -> NDArray[np.int32]:
    """Return the type of each person, −1 where the way is new since, or where no module was entered."""
    at = {row.tobytes(): kind for row, kind in zip(kept.variants, kept.of_variant.tolist(), strict=True)}
    if kept.variants.shape[1:] != frame.steps.shape[1:]:
        return np.full(frame.people, -1, dtype=np.int32)
    rows, place = np.unique(frame.steps, axis=0, return_inverse=True)
    types = np.array([at.get(row.tobytes(), -1) for row in rows], dtype=np.int32)
    return types[place.reshape(-1)]


def _apart(frame: Journeys, who: NDArray[np.bool_]) -> tuple[int, float] | None:
    """Return the module that most of some people take at another place than designed, and by how much."""
    best: tuple[int, float] | None = None
    for module in range(len(frame.modules)):
        took = (frame.steps == module) & who[:, None]
        shifts = frame.shifts[took]
        if len(shifts) < who.sum() / 2 or (shifts != 0).mean() <= 0.5:
            continue
        mean = float(shifts.mean())
        if best is None or abs(mean) > abs(best[1]):
            best = module, mean
    return best


# --- packed -------------------------------------------------------------------------------------------


def pack(kept: Kept) -> bytes:
    head = {
        "layout": _LAYOUT,
        "version": kept.version,
        "made_on": kept.made_on.isoformat(),
        "types": kept.types,
        "silhouettes": [list(one) for one in kept.silhouettes],
        "compared": kept.compared,
    }
    return pack_arrays(head, {"variants": kept.variants, "of_variant": kept.of_variant})


def unpack(packed: bytes) -> Kept | None:
    head, arrays = unpack_arrays(packed)
    if head.get("layout") != _LAYOUT:
        return None
    return Kept(
        head["version"],
        date.fromisoformat(head["made_on"]),
        arrays["variants"],
        arrays["of_variant"],
        head["types"],
        tuple((int(count), float(value)) for count, value in head["silhouettes"]),
        head["compared"],
    )
