"""Which cells of a two-way table to hide so that its margins do not give them back: PURE.

What an outsider can deduce of a hidden cell, knowing the margins, the cells shown and that no count is
negative, is an interval; its ends are found exactly by a maximum flow over the hidden cells (the table is
a transportation polytope, whose vertices are whole numbers). Source: Gusfield, "A graph theoretic
approach to statistical data security", SIAM J. Comput. 17 (1988).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence, Set

Place = tuple[int, int]


def protect(
    table: Sequence[Sequence[int]],
    k: int,
    *,
    most: Sequence[int] | None = None,
    unpublished: Set[Place] = frozenset(),
) -> frozenset[Place]:
    """Return the cells to hide: those from 1 to k − 1, then the fewest people more that protect them.

    Every hidden cell ends up known to no better than an interval of width k, and so stands in a row and
    in a column with another. Deterministic: the same table hides the same cells. `table` has a row each
    of as many counts; its margins are shown, so each of them holds k people: then hiding every cell is
    enough at the latest.

    `most`: where people may be in several columns, the people of each row: no cell holds more, and those of
    a row who are not in a column are as few as a cell may be. `unpublished`: cells that nobody is shown.
    """
    small = {
        (i, j) for i, row in enumerate(table) for j in range(len(row)) if is_small(table, (i, j), k, most)
    }
    hidden = small | unpublished
    # What is safe stays so: more hidden cells leave more room.
    safe = set(unpublished - small)
    while True:
        exposed = None
        for cell in sorted(hidden - safe):
            if _width(table, hidden, cell, k, most) < k:
                exposed = cell
                break
            safe.add(cell)
        if exposed is None:
            return frozenset(hidden)
        more = _companions(table, hidden, exposed, k)
        if not more:
            return frozenset(hidden)
        hidden |= more


def is_small(table: Sequence[Sequence[int]], cell: Place, k: int, most: Sequence[int] | None = None) -> bool:
    """Say whether a cell holds too few people, or all of its row but too few."""
    count = table[cell[0]][cell[1]]
    return 0 < count < k or (most is not None and 0 < most[cell[0]] - count < k)


def is_safe(
    table: Sequence[Sequence[int]], hidden: Set[Place], cell: Place, k: int, most: Sequence[int] | None = None
) -> bool:
    """Say whether a hidden cell is known to no better than k people."""
    return _width(table, hidden, cell, k, most) >= k


def bounds(table: Sequence[Sequence[int]], hidden: Set[Place], cell: Place) -> tuple[int, int]:
    """Return the least and the most that a hidden cell can be, from all that is shown."""
    most = sum(sum(row) for row in table)
    count = table[cell[0]][cell[1]]
    return count - _slack(table, hidden, cell, count, up=False), count + _slack(
        table, hidden, cell, most, up=True
    )


def _width(
    table: Sequence[Sequence[int]], hidden: Set[Place], cell: Place, k: int, most: Sequence[int] | None = None
) -> int:
    """Return the width of what can be deduced of a hidden cell, counted no further than k."""
    count = table[cell[0]][cell[1]]
    down = _slack(table, hidden, cell, min(count, k), up=False, most=most)
    room = k - down if most is None else min(k - down, most[cell[0]] - count)
    return down if room <= 0 else down + _slack(table, hidden, cell, room, up=True, most=most)


def _slack(
    table: Sequence[Sequence[int]],
    hidden: Set[Place],
    cell: Place,
    limit: int,
    *,
    up: bool,
    most: Sequence[int] | None = None,
) -> int:
    """Return by how much a hidden cell could grow (`up`) or shrink, counted no further than `limit`.

    Growing it by one takes one off another cell of its column, gives it back to that cell's row, and so
    on until its own row: a flow from its column to its row, which hidden cells carry (column to row: up
    to their count; row to column: up to `most`). Shrinking is the flow the other way.
    """
    residual: dict[tuple[str, int], dict[tuple[str, int], int]] = {}
    endless = sum(sum(row) for row in table) + limit + 1
    for i, j in hidden:
        if (i, j) != cell:
            room = endless if most is None else most[i] - table[i][j]
            residual.setdefault(("row", i), {})[("column", j)] = room
            residual.setdefault(("column", j), {})[("row", i)] = table[i][j]
    source, sink = ("column", cell[1]), ("row", cell[0])
    if not up:
        source, sink = sink, source
    total = 0
    while total < limit:
        path = _path(residual, source, sink)
        if path is None:
            break
        amount = min(limit - total, *(residual[a][b] for a, b in path))
        for a, b in path:
            residual[a][b] -= amount
            residual[b][a] += amount
        total += amount
    return total


def _path(
    residual: dict[tuple[str, int], dict[tuple[str, int], int]],
    source: tuple[str, int],
    sink: tuple[str, int],
) -> list[tuple[tuple[str, int], tuple[str, int]]] | None:
    """Return the shortest path with room left, as its edges; None when there is none."""
    before = {source: source}
    queue = deque([source])
    while queue:
        node = queue.popleft()
        for following, room in residual.get(node, {}).items():
            if room > 0 and following not in before:
                before[following] = node
                queue.append(following)
    if sink not in before:
        return None
    edges = []
    node = sink
    while node != source:
        edges.append((before[node], node))
        node = before[node]
    return edges[::-1]


def _companions(table: Sequence[Sequence[int]], hidden: Set[Place], exposed: Place, k: int) -> set[Place]:
    """Return the next cells to hide: the corners of the rectangle that protects the exposed cell alone.

    Moving t people around its corners changes no margin, so that it makes the cell uncertain by the least
    of its diagonal plus the least of the other. Of those that reach k, the one that hides the fewest
    people more, then the fewest cells. Without any, the smallest cell of the row or column, else of all.
    """
    i, j = exposed
    choices = []
    for r in range(len(table)):
        for c in range(len(table[r])):
            if r == i or c == j:
                continue
            width = min(table[i][j], table[r][c]) + min(table[i][c], table[r][j])
            new = {(i, c), (r, j), (r, c)} - hidden
            if width >= k and new:
                choices.append((sum(table[a][b] for a, b in new), len(new), sorted(new)))
    if choices:
        return set(min(choices)[2])
    shown = [(r, c) for r, row in enumerate(table) for c in range(len(row)) if (r, c) not in hidden]
    near = [cell for cell in shown if cell[0] == i or cell[1] == j]
    smallest = sorted(
        near or shown, key=lambda cell: (table[cell[0]][cell[1]] == 0, table[cell[0]][cell[1]], cell)
    )
    return set(smallest[:1])
