"""Types of paths: distances against a plain dynamic programme, Ward and silhouettes against scipy's."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import silhouette_score  # type: ignore[import-untyped]

from analyzers import typology

MODULES = 4


def packed(*some: tuple[int, ...], width: int = MODULES) -> NDArray[np.int8]:
    made = np.full((len(some), width), -1, dtype=np.int8)
    for row, steps in enumerate(some):
        made[row, : len(steps)] = steps
    return made


def test_costs_and_distances_worked_out_by_hand() -> None:
    # Three go 0 → 1 → 2, one 0 → 2: P(1|0) = 3/4, P(2|0) = 1/4, P(2|1) = 1, nothing the other way.
    variants = packed((0, 1, 2), (0, 2), width=3)
    weights = np.array([3.0, 1.0])
    assert typology.follows(variants, weights, 3).tolist() == [[0, 3, 1], [0, 0, 3], [0, 0, 0]]
    costs = typology.substitution_costs(variants, weights, 3)
    assert costs.tolist() == [[0, 1.25, 1.75], [1.25, 0, 1], [1.75, 1, 0]]
    found = typology.matching_distances(variants, packed((0, 2), (2, 0, 1), (), width=3), costs, 0.875)
    # 0 1 2 → 0 2: take 1 out. → 2 0 1: take 2 in, and 2 out. → nothing: three out.
    assert found[0].tolist() == [0.875, 1.75, 2.625]
    # 0 2 → 2 0 1: take 2 in before, then 2 for 1 (1) is cheaper than out and in (1.75).
    assert found[1].tolist() == [0, 1.875, 1.75]


steps = st.permutations(range(MODULES)).flatmap(
    lambda order: st.integers(0, MODULES).map(lambda length: tuple(order[:length]))
)
cost_tables = st.lists(st.integers(1, 8), min_size=6, max_size=6)


@given(steps, steps, cost_tables)
def test_distances_are_those_of_the_plain_programme(
    one: tuple[int, ...], other: tuple[int, ...], drawn: list[int]
) -> None:
    costs = np.zeros((MODULES, MODULES))
    costs[np.triu_indices(MODULES, 1)] = np.array(drawn) / 4
    costs += costs.T
    indel = costs.max() / 2

    @cache
    def plain(i: int, j: int) -> float:
        if i == 0 or j == 0:
            return float(indel * (i + j))
        replaced = plain(i - 1, j - 1) + float(costs[one[i - 1], other[j - 1]])
        return min(plain(i - 1, j) + float(indel), plain(i, j - 1) + float(indel), replaced)

    found = typology.matching_distances(packed(one), packed(other, one), costs, indel)
    assert found[0, 0] == pytest.approx(plain(len(one), len(other)), abs=1e-12)
    assert found[0, 1] == 0


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(4, 12))
def test_types_are_those_of_people_taken_one_by_one(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(count, 2)) + random.integers(0, 3, size=(count, 1)) * 4
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    weights = random.integers(1, 5, count).astype(np.float64)
    merges = typology.ward(distances, weights)
    each = np.repeat(np.arange(count), weights.astype(int))
    expanded = distances[np.ix_(each, each)]
    tree = linkage(squareform(expanded, checks=False), "ward")
    for types in range(2, min(5, count)):
        mine = typology.cut(merges, types)
        theirs = fcluster(tree, types, "maxclust")
        pairs = {(int(a), int(b)) for a, b in zip(mine[each], theirs, strict=True)}
        assert len(pairs) == types == len(set(mine))
        wanted = silhouette_score(expanded, mine[each], metric="precomputed")
        assert typology.silhouette(distances, mine, weights) == pytest.approx(wanted, abs=1e-9)


def test_the_types_of_a_path() -> None:
    # Two ways, each with a few who stop early: two types, and the rare ones join the nearest.
    variants = packed((0, 1, 2, 3), (0, 1, 2), (3, 2, 1, 0), (3, 2, 1), (3, 2, 0, 1), (1, 0, 2, 3))
    weights = np.array([50.0, 20.0, 30.0, 10.0, 3.0, 2.0])
    found = typology.classify(variants, weights, MODULES, least=21)
    assert found is not None
    assert found.of_variant.tolist() == [0, 0, 1, 1, 1, 0]
    assert found.medoids == (0, 2)
    assert found.silhouette == max(value for _, value in found.silhouettes) > 0.5
    assert found.compared == 6
    assert typology.classify(variants, weights, MODULES, least=44) is None
    assert typology.classify(variants[:2], weights[:2], MODULES, least=1) is None
    assert typology.classify(variants[[0, 0, 0]], weights[:3], MODULES, least=1) is None


def test_rare_variants_join_the_type_that_is_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typology, "MOST_VARIANTS", 4)
    variants = packed((0, 1, 2, 3), (0, 1, 2), (3, 2, 1, 0), (3, 2, 1), (3, 2), (0, 1))
    found = typology.classify(variants, np.array([9.0, 8, 7, 6, 2, 1]), MODULES, least=13)
    assert found is not None
    assert found.compared == 4
    assert found.of_variant.tolist() == [0, 0, 1, 1, 1, 0]
