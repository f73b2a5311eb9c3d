"""Orders in which people take modules, put into types: optimal matching, then Ward. PURE.

Distance of two sequences: the cheapest way to turn one into the other; replacing a by b costs
2 − P(b|a) − P(a|b) (what often follows is near), taking in or out costs half of the dearest replacement, so
that a replacement is never dearer than taking out and in, and the distance is one. Types are those of Ward's
criterion on these distances, each variant weighing as many people as follow it; how many types: the widest
mean silhouette. Sources: Abbott and Tsay, Sociol. Methods Res. 29 (2000); Gabadinho et al., J. Stat. Softw.
40 (2011), 9.3 (transition rates as costs); Ward, JASA 58 (1963); Murtagh and Legendre, J. Classif. 31 (2014);
Rousseeuw, J. Comput. Appl. Math. 20 (1987).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]
#: (variants, steps): modules in the order of their first entry, −1 after the last.
Sequences = NDArray[np.int8]

#: Called with what is done and the whole, now and then.
Progress = Callable[[int, int], None]

#: Distinct variants that are compared two by two; the rest goes to the nearest type.
MOST_VARIANTS = 2_000
#: Types looked for.
LEAST_TYPES, MOST_TYPES = 2, 8


@dataclass(frozen=True, eq=False)
class Typology:
    """Types of sequences. `of_variant`: (variants,) the type of each, from 0, the largest type first."""

    of_variant: NDArray[np.int32]
    #: Variant that stands for each type: the least far from its people.
    medoids: tuple[int, ...]
    #: Mean silhouette by number of types tried, −1 to 1; the largest was kept.
    silhouettes: tuple[tuple[int, float], ...]
    #: Variants compared two by two.
    compared: int

    @property
    def silhouette(self) -> float:
        """Return the mean silhouette of the types kept."""
        return dict(self.silhouettes)[len(self.medoids)]


def classify(
    variants: Sequences,
    weights: Reals,
    modules: int,
    *,
    least: float,
    progress: Progress | None = None,
) -> Typology | None:
    """Put distinct variants into types of `least` people or more; None when there are not two such.

    `weights`: people of each variant. Of more than `MOST_VARIANTS`, the most followed are compared and each
    of the others joins the type of the nearest medoid.
    """
    order = np.argsort(-weights, kind="stable")
    chosen = np.sort(order[:MOST_VARIANTS])
    if len(chosen) < LEAST_TYPES + 1:
        return None
    costs = substitution_costs(variants, weights, modules)
    indel = float(costs.max()) / 2
    distances = matching_distances(variants[chosen], variants[chosen], costs, indel, progress)
    if not distances.any():
        return None
    weight = weights[chosen]
    tree = ward(distances, weight)
    found: dict[int, tuple[float, NDArray[np.int32]]] = {}
    for count in range(LEAST_TYPES, min(MOST_TYPES, len(chosen) - 1) + 1):
        labels = cut(tree, count)
        if np.bincount(labels, weights=weight).min() < least:
            break  # finer types only split these further
        found[count] = silhouette(distances, labels, weight), labels
    if not found:
        return None
    best = max(found, key=lambda count: (round(found[count][0], 12), -count))
    labels = _largest_first(found[best][1], weight)
    medoids = [_medoid(distances, weight, np.flatnonzero(labels == one)) for one in range(best)]
    of_variant = np.full(len(variants), -1, dtype=np.int32)
    of_variant[chosen] = labels
    rest = np.flatnonzero(of_variant < 0)
    if len(rest):
        far = matching_distances(variants[rest], variants[chosen[medoids]], costs, indel)
        of_variant[rest] = far.argmin(axis=1)
    return Typology(
        of_variant,
        tuple(int(chosen[place]) for place in medoids),
        tuple((count, value) for count, (value, _) in found.items()),
        len(chosen),
    )


# --- distances ----------------------------------------------------------------------------------------


def follows(variants: Sequences, weights: Reals, modules: int) -> Reals:
    """Return n_ab, (modules, modules): people who entered b for the first time right after a."""
    first, then = variants[:, :-1], variants[:, 1:]
    known = then >= 0
    counted = np.broadcast_to(weights[:, None], known.shape)[known]
    flat = first[known].astype(np.int64) * modules + then[known]
    made = np.bincount(flat, weights=counted, minlength=modules * modules).astype(np.float64)
    return made.reshape(modules, modules)


def substitution_costs(variants: Sequences, weights: Reals, modules: int) -> Reals:
    """Return 2 − P(b|a) − P(a|b) for each pair of modules, 0 on the diagonal."""
    counts = follows(variants, weights, modules)
    total = counts.sum(axis=1, keepdims=True)
    p = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    costs: Reals = 2 - p - p.T
    np.fill_diagonal(costs, 0.0)
    return costs


def matching_distances(
    rows: Sequences,
    columns: Sequences,
    costs: Reals,
    indel: float,
    progress: Progress | None = None,
) -> Reals:
    """Return the optimal matching distance of each row to each column (Needleman and Wunsch, 1970).

    One row against all columns at a time: the programme runs over steps, numpy over columns.
    """
    lengths = (columns >= 0).sum(axis=1)
    width = int(lengths.max(initial=0))
    everyone = np.arange(len(columns))
    made = np.zeros((len(rows), len(columns)))
    for place, row in enumerate(rows):
        own = row[row >= 0]
        # (own steps, columns, steps): steps that are not there are computed and never read
        replace = costs[own][:, columns[:, :width]]
        before = np.repeat(indel * np.arange(width + 1)[:, None], len(columns), axis=1)
        for i in range(len(own)):
            now = np.empty_like(before)
            now[0] = before[0] + indel
            for j in range(width):
                now[j + 1] = np.minimum(
                    np.minimum(before[j + 1], now[j]) + indel, before[j] + replace[i, :, j]
                )
            before = now
        made[place] = before[lengths, everyone]
        if progress is not None and place % 100 == 99:
            progress(place + 1, len(rows))
    return made


# --- clusters -----------------------------------------------------------------------------------------


def ward(distances: Reals, weights: Reals) -> Ints:
    """Return the merges of Ward's method, (variants − 1, 2), the cheapest first.

    A merge names two clusters: a variant by its place, a cluster by variants + the rank of its merge, as
    scipy's linkage does; heights are those of each variant repeated as often as it weighs. By chains of
    nearest neighbours (Murtagh 1983) and the formula of Lance and Williams on squared distances.
    """
    n = len(weights)
    size = weights.astype(np.float64).copy()
    squared = distances**2 * (2 * np.outer(size, size) / np.add.outer(size, size))
    np.fill_diagonal(squared, np.inf)
    merges: list[tuple[float, int, int]] = []
    chain: list[int] = []
    alive = np.ones(n, dtype=bool)
    while len(merges) < n - 1:
        if not chain:
            chain.append(int(np.flatnonzero(alive)[0]))
        last = chain[-1]
        near = int(squared[last].argmin())
        if len(chain) > 1 and squared[last, chain[-2]] <= squared[last, near]:
            near = chain[-2]
        if len(chain) > 1 and near == chain[-2]:
            chain = chain[:-2]
            merges.append((float(squared[last, near]), last, near))
            _join(squared, size, alive, kept=near, gone=last)
        else:
            chain.append(near)
    return _ranked(merges, n)


def _join(squared: Reals, size: Reals, alive: NDArray[np.bool_], *, kept: int, gone: int) -> None:
    """Put one cluster into another."""
    a, b, apart = size[kept], size[gone], squared[kept, gone]
    alive[gone] = False
    others = alive.copy()
    others[kept] = False
    c = size[others]
    new = ((a + c) * squared[kept, others] + (b + c) * squared[gone, others] - c * apart) / (a + b + c)
    squared[kept, others] = new
    squared[others, kept] = new
    squared[gone] = np.inf
    squared[:, gone] = np.inf
    size[kept] = a + b


def _ranked(merges: list[tuple[float, int, int]], n: int) -> Ints:
    """Name the clusters of merges in the order of their heights."""
    parent = list(range(n))
    name = list(range(n))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    made = np.empty((n - 1, 2), dtype=np.int64)
    for rank, (_, a, b) in enumerate(sorted(merges, key=lambda one: one[0])):
        first, second = root(a), root(b)
        made[rank] = sorted((name[first], name[second]))
        parent[second] = first
        name[first] = n + rank
    return made


def cut(merges: Ints, count: int) -> NDArray[np.int32]:
    """Return the cluster of each variant when `count` of them are left."""
    n = len(merges) + 1
    members: dict[int, list[int]] = {place: [place] for place in range(n)}
    for rank in range(n - count):
        first, second = merges[rank].tolist()
        members[n + rank] = members.pop(first) + members.pop(second)
    labels = np.empty(n, dtype=np.int32)
    for label, name in enumerate(sorted(members)):
        labels[members[name]] = label
    return labels


def silhouette(distances: Reals, labels: NDArray[np.int32], weights: Reals) -> float:
    """Return the mean silhouette of people, each variant counted as often as it weighs; 0 for one alone."""
    count = int(labels.max()) + 1
    member = np.zeros((len(labels), count))
    member[np.arange(len(labels)), labels] = weights
    total = member.sum(axis=0)
    sums = distances @ member
    own = sums[np.arange(len(labels)), labels]
    size = total[labels]
    inside = np.divide(own, size - 1, out=np.zeros_like(own), where=size > 1)
    means = sums / total
    means[np.arange(len(labels)), labels] = np.inf
    outside = means.min(axis=1)
    largest = np.maximum(inside, outside)
    each = np.divide(outside - inside, largest, out=np.zeros_like(own), where=(size > 1) & (largest > 0))
    return float((each * weights).sum() / weights.sum())


def _largest_first(labels: NDArray[np.int32], weights: Reals) -> NDArray[np.int32]:
    total = np.bincount(labels, weights=weights)
    place = np.empty(len(total), dtype=np.int32)
    place[np.argsort(-total, kind="stable")] = np.arange(len(total), dtype=np.int32)
    made: NDArray[np.int32] = place[labels]
    return made


def _medoid(distances: Reals, weights: Reals, members: Ints) -> int:
    far = distances[np.ix_(members, members)] @ weights[members]
    return int(members[far.argmin()])
