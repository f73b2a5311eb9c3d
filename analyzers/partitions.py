"""Several ways of cutting the same people into groups, whose totals give no small group back: PURE.

Of a closed questionnaire pages show how many favourable answers each group holds: those who finished and the
others, those who spent little time and the others… Each group has k people at least, but that is not
enough: who knows the groups (a tutor knows who finished) may add and subtract their totals. If all who
finished spent much time, and two others as well, the difference of two groups is two people.

People who are together in every cut are one *atom*; a total is a sum over atoms, and so is whatever is
worked out from totals: a vector of the row space of the matrix groups × atoms. A cut is admitted when no
vector of that space, not null, bears on fewer than k people. With H the projection on that space, such a
vector stands on a set T of atoms exactly when the largest eigenvalue of H restricted to T is 1, which its
trace bounds. Counts also lie between 0 and the people of an atom: an atom under k whose count is thereby
known to one value is refused as well, unless a published group of k people all alike says it already.

Sources: the least weight of a linear code, MacWilliams and Sloane (1977), chapter 1, for the question;
Duncan, Keller-McNulty and Stokes (2004) on disclosure of linear queries; Hundepool et al., *Statistical
Disclosure Control* (2012), chapter 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure
from analyzers.disclosure import FEW, LINKED, OTHER

Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]

#: Sets of atoms looked at; beyond, a cut is refused rather than admitted unseen.
_MOST_SETS = 200_000
_NEAR = 1e-7


def gathered(values: Sequence[str], k: int) -> list[str]:
    """Return the group of each person: the small ones together, so that each holds k people or is all."""
    groups = disclosure.grouped(Counter(values), k=k, other=OTHER)
    return [groups[value] for value in values]


def admit(
    cuts: Mapping[str, Sequence[str]], outcome: Sequence[bool], k: int
) -> dict[str, tuple[list[str], str | None]]:
    """Choose, in their order, the cuts that may be shown together; return group of each person and refusal.

    `cuts`: name -> category of each person; `outcome`: what is counted in each group. Refused: "few" (no
    two groups of k people), "linked" (with the cuts already admitted it would give a small group back).
    """
    kept: list[list[str]] = []
    found: dict[str, tuple[list[str], str | None]] = {}
    for name, values in cuts.items():
        groups = gathered(values, k)
        sizes = Counter(groups)
        if len(sizes) < 2 or min(sizes.values()) < k:
            found[name] = ([], FEW)
        elif not safe([*kept, groups], outcome, k):
            found[name] = ([], LINKED)
        else:
            kept.append(groups)
            found[name] = (groups, None)
    return found


def safe(cuts: Sequence[Sequence[str]], outcome: Sequence[bool], k: int) -> bool:
    """Say whether the totals of all the groups of some cuts, known to their people, give nobody back."""
    if not cuts:
        return True
    labels = np.array([np.unique(np.asarray(cut, dtype=str), return_inverse=True)[1] for cut in cuts]).T
    atoms, place = np.unique(labels, axis=0, return_inverse=True)
    place = place.reshape(-1)
    people = np.bincount(place, minlength=len(atoms))
    counts = np.bincount(place, weights=np.asarray(outcome, dtype=float), minlength=len(atoms))
    groups: Flags = np.vstack(
        [
            atoms[:, column] == value
            for column in range(atoms.shape[1])
            for value in np.unique(atoms[:, column])
        ]
    )
    return not _stands_on_few(groups, people, k) and not _pinned(groups, people, counts, k)


def _stands_on_few(groups: Flags, people: NDArray[np.int64], k: int) -> bool:
    """Say whether a combination of totals bears on fewer than k people; also when that takes too long."""
    _, values, rows = np.linalg.svd(groups.astype(float), full_matrices=False)
    basis = rows[values > 1e-9 * values[0]]
    shadow: Reals = basis.T @ basis
    small = sorted(np.flatnonzero(people < k), key=lambda atom: -shadow[atom, atom])
    weight = [float(shadow[atom, atom]) for atom in small]
    size = [int(people[atom]) for atom in small]
    looked = 0
    stack: list[tuple[int, tuple[int, ...], int, float]] = [(0, (), 0, 0.0)]
    while stack:
        start, chosen, total, trace = stack.pop()
        if trace >= 1 - _NEAR:
            inside = [small[rank] for rank in chosen]
            if np.linalg.eigvalsh(shadow[np.ix_(inside, inside)])[-1] >= 1 - _NEAR:
                return True
        for rank in range(start, len(small)):
            # What may still come in weighs no more than this one, as many times as people are left.
            if trace + weight[rank] * (k - 1 - total) < 1 - _NEAR:
                break
            if total + size[rank] < k:
                looked += 1
                stack.append((rank + 1, (*chosen, rank), total + size[rank], trace + weight[rank]))
        if looked > _MOST_SETS:
            return True
    return False


def _pinned(groups: Flags, people: NDArray[np.int64], counts: NDArray[Any], k: int) -> bool:
    """Say whether bounds alone tell the count of an atom under k that no group of people all alike tells."""
    from scipy.optimize import linprog

    totals = groups @ counts
    alike = (totals < 0.5) | (totals > groups @ people - 0.5)
    told = groups[alike].any(axis=0) if alike.any() else np.zeros(len(people), dtype=bool)
    limits = [(0, int(most)) for most in people]
    for atom in np.flatnonzero((people < k) & ~told):
        aim = np.zeros(len(people))
        aim[atom] = 1
        ends = [
            linprog(sign * aim, A_eq=groups.astype(float), b_eq=totals, bounds=limits, method="highs")
            for sign in (1, -1)
        ]
        if not all(end.success for end in ends) or -ends[1].fun - ends[0].fun < 1 - _NEAR:
            return True
    return False
