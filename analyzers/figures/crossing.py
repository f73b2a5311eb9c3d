"""Figure of a crossing: which pairs of categories stand out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analyzers.crossing import CrossCell, Crossing
from analyzers.figures.drawing import BLUE, ORANGE, SOFT, Labels, laid_out, plain, shortened, trace
from analyzers.results import Chart, Table


@dataclass(frozen=True)
class CrossingWords:
    """Words of a crossing, translated: names of the marks, of the corner of the table and of its totals."""

    more: str
    less: str
    same: str
    hidden: str
    corner: str
    total: str
    said: str
    #: A cell in a sentence, and in a table.
    cell: Callable[[str, str, CrossCell], str]
    cell_short: Callable[[CrossCell], str]


def crossed(
    found: Crossing, rows: Sequence[str], columns: Sequence[str], *, words: CrossingWords, labels: Labels
) -> Chart:
    """Mark what stands out of a crossing: a triangle up for more than expected, down for less.

    `rows`, `columns`: the categories as people read them, in the order of `found`. A dot is what was
    expected, a cross what is not shown.
    """
    marks: dict[str, list[tuple[int, int, str]]] = {"more": [], "less": [], "as": [], "hidden": []}
    for i, line in enumerate(found.cells):
        for j, cell in enumerate(line):
            marks[_mark(cell)].append((j, i, words.cell(rows[i], columns[j], cell)))
    symbols = {
        "more": (words.more, "triangle-up", BLUE),
        "less": (words.less, "triangle-down", ORANGE),
        "as": (words.same, "circle", SOFT),
        "hidden": (words.hidden, "x-thin-open", SOFT),
    }
    data = []
    for kind, (name, symbol, colour) in symbols.items():
        if not marks[kind]:
            continue
        x, y, said = (list(values) for values in zip(*marks[kind], strict=True))
        look = {
            "mode": "markers",
            "name": name,
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {
                "symbol": symbol,
                "size": 8 if kind == "hidden" else 6 if kind == "as" else 14,
                "color": colour,
                "line": {"width": 1, "color": colour},
            },
        }
        data.append(trace("Scatter", look, x=x, y=y, customdata=[plain(text) for text in said]))
    layout = laid_out(
        labels,
        height=max(200, 34 * len(rows) + 130),
        xaxis={
            "tickvals": list(range(len(columns))),
            "ticktext": [shortened(name, 22) for name in columns],
            "range": [-0.6, len(columns) - 0.4],
            "tickangle": -35 if len(columns) > 3 else 0,
            "automargin": True,
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [shortened(name) for name in rows],
            "range": [len(rows) - 0.4, -0.6],
            "automargin": True,
        },
    )
    lines: tuple[tuple[str | int | float | None, ...], ...] = tuple(
        (name, *(words.cell_short(cell) for cell in line), total)
        for name, line, total in zip(rows, found.cells, found.row_totals, strict=True)
    )
    table = Table((words.corner, *columns, words.total), lines)
    return Chart({"data": data, "layout": layout}, table, words.said)


def _mark(cell: CrossCell) -> str:
    if cell.ratio is None:
        return "hidden"
    if not cell.stands_out:
        return "as"
    return "more" if cell.ratio > 1 else "less"
