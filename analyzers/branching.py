"""A tree of what people did, cut so that every branch that is shown holds k people or none: PURE.

The leaves of the tree cut for everybody are lots; a lot holds k people at least, and everything a page says
is a sum over lots, so that no difference of two of its figures is about fewer. For groups (years, académies)
the same tree is cut further, the same for all groups, until each group has k people or nobody in each branch:
nothing is then hidden in one group that the others and the total would give back. Small siblings are put
together; steps and weeks only with their neighbours. Each breakdown is a table of groups × coarser lots whose
total is a sum of the same lots, so that breakdowns meet in nothing else: what several tell together is what
each tells by itself (running intersection, Lauritzen 1996, 3.1). Source of the cuts: Hundepool et al.,
*Statistical Disclosure Control* (2012), 4.2 (global recoding of hierarchical tables).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

#: Value of a level where branches of several values were put together.
MIXED = -2
#: Groups of one breakdown at most, "others" included.
MOST_GROUPS = 12


@dataclass(frozen=True, eq=False)
class Branch:
    """What is known of some people."""

    #: A value a level from the root on, `MIXED` where it has several.
    known: tuple[int, ...]
    #: Lowest and highest of the last level's values where it has several.
    span: tuple[int, int] | None
    #: Leaves of the tree that was cut.
    leaves: Ints
    children: tuple[Branch, ...] = field(default=())

    def lots(self) -> list[Branch]:
        """Return the branches without children."""
        return [self] if not self.children else [lot for child in self.children for lot in child.lots()]


@dataclass(frozen=True)
class Levels:
    """How values of a level may go together, by the rank of the level; elsewhere what comes below is lost."""

    #: Neighbours only (steps, weeks).
    ordered: frozenset[int] = frozenset()
    #: What comes below is kept: the same tree without this level.
    joined: frozenset[int] = frozenset()
    #: Few people take the smallest lots of the others with them, rather than whole branches.
    absorbing: frozenset[int] = frozenset()
    #: Levels that are divided however few people there are, so that they can be joined.
    divided: int = 0


def grow(keys: NDArray[np.integer], grain: int, levels: Levels) -> tuple[Branch, NDArray[np.int32]]:
    """Return the tree of rows by the columns of `keys`, and the leaf of each row.

    Branches under `grain` people are not divided further. A value under 0 ends a row: nothing comes after it.
    """
    leaf_of = np.zeros(len(keys), dtype=np.int32)
    count = 0

    def made(rows: Ints, known: tuple[int, ...]) -> Branch:
        nonlocal count
        level = len(known)
        small = level >= levels.divided and len(rows) < grain
        if small or level == keys.shape[1] or (known and known[-1] < 0):
            leaf_of[rows] = count
            count += 1
            return Branch(known, None, np.array([count - 1]))
        values, place = np.unique(keys[rows, level], return_inverse=True)
        children = tuple(
            made(rows[place == rank], (*known, value)) for rank, value in enumerate(values.tolist())
        )
        return Branch(known, None, np.concatenate([child.leaves for child in children]), children)

    tree = made(np.arange(len(keys)), ())
    return tree, leaf_of


def cut(tree: Branch, counts: Ints, k: int, levels: Levels) -> Branch | None:
    """Return the tree with each branch of k people or none in every group; None when nothing can be told.

    `counts`: (groups, leaves).
    """
    made = _Cutting(counts, k, levels).cut(tree)
    return made if made.children else None


class _Cutting:
    """One tree being cut for one table of groups."""

    def __init__(self, counts: Ints, k: int, levels: Levels) -> None:
        self.counts, self.k, self.levels = counts, k, levels

    def cut(self, tree: Branch) -> Branch:
        """Return the tree cut; without children when they cannot be told apart."""
        if not tree.children:
            return tree
        level = len(tree.known)
        if level in self.levels.ordered:
            parts = self._neighbours([self.cut(child) for child in tree.children])
        elif level in self.levels.absorbing:
            parts = self._absorbed(list(tree.children))
        else:
            parts = self._siblings(list(tree.children), joined=level in self.levels.joined)
        if len(parts) == 1 and not self._safe(parts[0]):
            return replace(tree, children=())
        return replace(tree, children=tuple(parts))

    def _siblings(self, raw: list[Branch], *, joined: bool) -> list[Branch]:
        """Put the branches that may not be shown together, then the smallest of the others until they may."""
        made = [(child, self.cut(child)) for child in raw]
        small = [child for child, found in made if not self._safe(found)]
        if not small:
            return [found for _, found in made]
        safe = sorted(
            (pair for pair in made if self._safe(pair[1])),
            key=lambda pair: (self._size(pair[0]), pair[0].known),
        )
        while safe and (len(small) < 2 or not self._safe(replace(_together(small), children=()))):
            small.append(safe.pop(0)[0])
        gathered = self.cut(_zipped(small)) if joined else _together(small)
        return [*sorted((found for _, found in safe), key=lambda part: part.known), gathered]

    def _absorbed(self, raw: list[Branch]) -> list[Branch]:
        """Put the branches that may not be shown in one lot, with the smallest lots of the others."""
        made = [(child, self.cut(child)) for child in raw]
        small = [child for child, found in made if not self._safe(found)]
        rest = [found for _, found in made if self._safe(found)]
        if not small:
            return rest
        values = [value for child in raw for value in _span(child)]
        gathered = replace(
            _together(small),
            known=(*small[0].known[:-1], MIXED),
            span=(min(values), max(values)),
            children=(),
        )
        while rest and not self._safe(gathered):
            least = min(
                (lot for part in rest for lot in part.lots()), key=lambda lot: (self._size(lot), lot.known)
            )
            rest = [left for part in rest if (left := _without(part, least)) is not None]
            gathered = replace(gathered, leaves=np.concatenate([gathered.leaves, least.leaves]))
        return [*rest, gathered]

    def _neighbours(self, parts: list[Branch]) -> list[Branch]:
        """Put each branch that may not be shown with the smaller of its neighbours."""
        while len(parts) > 1:
            size = [self._size(part) for part in parts]
            small = [place for place, part in enumerate(parts) if not self._safe(part)]
            if not small:
                break
            at = min(small, key=lambda place: (size[place], place))
            beside = [place for place in (at - 1, at + 1) if 0 <= place < len(parts)]
            other = min(beside, key=lambda place: (size[place], place))
            first = min(at, other)
            parts[first : first + 2] = [_together(parts[first : first + 2])]
        return parts

    def _size(self, part: Branch) -> int:
        return int(self.counts[:, part.leaves].sum())

    def _safe(self, part: Branch) -> bool:
        """Say whether every lot of a branch has k people or none in each group."""
        totals = summed(self.counts, part.lots())
        return bool(((totals == 0) | (totals >= self.k)).all())


def _span(part: Branch) -> tuple[int, int]:
    return part.span or (part.known[-1], part.known[-1])


def _together(parts: Sequence[Branch]) -> Branch:
    """Return one branch of several: what they share is known, and between what the next level is."""
    if len(parts) == 1:
        return replace(parts[0], children=())
    low, high = min(_span(part)[0] for part in parts), max(_span(part)[1] for part in parts)
    known = (*parts[0].known[:-1], low if low == high else MIXED)
    span = None if low == high else (low, high)
    return Branch(known, span, np.concatenate([part.leaves for part in parts]))


def _zipped(parts: Sequence[Branch]) -> Branch:
    """Return several branches as one that has their children, those of one value (or interval) together."""
    if len(parts) == 1:
        return parts[0]
    whole = _together(parts)
    if not all(part.children for part in parts):
        return whole
    level = len(whole.known)
    children = sorted((child for part in parts for child in part.children), key=_span)
    if any(len(child.known) != level + 1 for child in children):
        return whole
    groups: list[list[Branch]] = []
    top = 0
    for child in children:
        low, high = _span(child)
        if groups and low <= top:
            groups[-1].append(child)
        else:
            groups.append([child])
        top = max(top, high) if len(groups[-1]) > 1 else high
    below = tuple(_renamed(_zipped(group), whole.known) for group in groups)
    return replace(whole, children=below)


def _without(branch: Branch, lot: Branch) -> Branch | None:
    """Return a branch without one of its lots; None when nothing is left."""
    if branch is lot:
        return None
    if not branch.children:
        return branch
    left = [one for child in branch.children if (one := _without(child, lot)) is not None]
    if not left:
        return None
    return replace(branch, leaves=np.concatenate([one.leaves for one in left]), children=tuple(left))


def _renamed(branch: Branch, above: tuple[int, ...]) -> Branch:
    """Return a branch under others than it grew under."""
    known = (*above, *branch.known[len(above) :])
    return replace(branch, known=known, children=tuple(_renamed(one, known) for one in branch.children))


# --- groups -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Groups:
    """A breakdown: the lots of the tree cut for groups, and the people of each group in each lot."""

    #: Categories, the largest first; `other` gathers the rest, "" are those of whom it is not known.
    names: tuple[str, ...]
    lots: tuple[Branch, ...]
    #: (groups, lots)
    counts: Ints


def divide(
    tree: Branch,
    leaves: NDArray[np.int32],
    names: Sequence[str],
    codes: NDArray[np.int32],
    k: int,
    *,
    levels: Levels,
    other: str,
) -> tuple[Groups, NDArray[np.int32]] | None:
    """Return the breakdown that tells most, and the group of each category; None without two groups.

    Large groups allow finer branches. Of all numbers of groups those are taken that divide the first branch
    of the tree, then the one with most (groups − 1) × branches. Every breakdown keeps the first level apart.
    The last category of the answer is that of −1.
    """
    count = int(tree.leaves.max()) + 1
    categories = [*names, ""]
    codes = np.where(codes < 0, len(names), codes)
    table = np.bincount(codes * count + leaves, minlength=len(categories) * count)
    table = table.reshape(len(categories), count)
    size = table.sum(axis=1)
    largest = sorted(np.flatnonzero(size).tolist(), key=lambda place: (-size[place], categories[place]))
    best: tuple[tuple[int, int], list[int], Branch] | None = None
    for kept in range(1, min(len(largest), MOST_GROUPS) + 1):
        rows = _gathered(table, largest, kept)
        if not 2 <= len(rows) <= MOST_GROUPS or len(largest) - kept == 1:
            continue  # one category alone keeps its name
        found = cut(tree, rows, k, levels)
        if found is None or len(found.children) < len(tree.children):
            continue
        detail = min(2, len(found.children[0].lots()))
        score = detail, (len(rows) - 1) * (len(found.lots()) - 1)
        if best is None or score > best[0]:
            best = score, largest[:kept], found
    if best is None:
        return None
    _, alone, found = best
    rows = _gathered(table, largest, len(alone))
    group_of = np.full(len(categories), len(alone), dtype=np.int32)
    group_of[alone] = np.arange(len(alone))
    lots = tuple(found.lots())
    shown = tuple(categories[place] for place in alone) + ((other,) if len(rows) > len(alone) else ())
    return Groups(shown, lots, summed(rows, lots)), group_of


def regroup(
    tree: Branch,
    leaves: NDArray[np.int32],
    names: tuple[str, ...],
    group: NDArray[np.int32],
    k: int,
    levels: Levels,
) -> Groups | None:
    """Return another tree cut for groups that are known already; None when its first level cannot stay."""
    count = int(tree.leaves.max()) + 1
    table = np.bincount(group * count + leaves, minlength=len(names) * count).reshape(len(names), count)
    found = cut(tree, table, k, levels)
    if found is None or len(found.children) < len(tree.children):
        return None
    lots = tuple(found.lots())
    return Groups(names, lots, summed(table, lots))


def summed(table: Ints, lots: Sequence[Branch]) -> Ints:
    """Return the counts of leaves (groups, leaves) summed by lot."""
    made: Ints = np.stack([table[:, lot.leaves].sum(axis=1) for lot in lots], axis=1)
    return made


def _gathered(table: Ints, largest: Sequence[int], kept: int) -> Ints:
    alone, rest = list(largest[:kept]), list(largest[kept:])
    rows = table[alone]
    return np.vstack([rows, table[rest].sum(axis=0, keepdims=True)]) if rest else rows
