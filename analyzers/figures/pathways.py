"""Figures of the ways through a path: who goes on step after step, and the flow of the first modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzers.figures.drawing import (
    BLUE,
    LINE,
    ORANGE,
    PLUM,
    SOFT,
    TEAL,
    Labels,
    laid_out,
    plain,
    ticks,
    trace,
)
from analyzers.pathways import ELSEWHERE, END, STILL, STOP
from analyzers.results import Chart, Table
from analyzers.survival import Curve

#: Curves drawn; the others are in the table.
MOST_CURVES = 4
_LOOKS = (
    (BLUE, "solid", "circle"),
    (ORANGE, "dash", "diamond"),
    (TEAL, "dot", "square"),
    (PLUM, "dashdot", "x"),
)
#: Points along the edge of a ribbon.
_BEND = 12
_ENDS = {STOP: PLUM, END: TEAL, STILL: BLUE, ELSEWHERE: SOFT}


def going_on(
    names: Sequence[str],
    curves: Sequence[Curve],
    places: Sequence[str],
    *,
    said: Callable[[int, int], str],
    axis: str,
    table: Table,
    description: str,
    labels: Labels,
) -> Chart:
    """Draw the share of each group who go on, step after step, with its interval.

    `places`: names of the points, the start first; `said`: what a point says, by group and place.
    """
    data: list[dict[str, Any]] = []
    shown = list(zip(names, curves, _LOOKS, strict=False))[:MOST_CURVES]
    for rank, (name, curve, (colour, dash, symbol)) in enumerate(shown):
        shift = (rank - (len(shown) - 1) / 2) * 0.06
        x = [place + shift for place in range(len(places))]
        share = (100 * curve.share).tolist()
        data.append(
            trace(
                "Scatter",
                {
                    "mode": "lines+markers",
                    "name": name,
                    "hovertemplate": "%{customdata}<extra></extra>",
                    "line": {"color": colour, "width": 2, "dash": dash, "shape": "hv"},
                    "marker": {"color": colour, "size": 7, "symbol": symbol},
                },
                x=x,
                y=share,
                customdata=[plain(said(rank, place)) for place in range(len(places))],
            )
        )
        data[-1]["error_y"] = {
            "type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": colour,
            "array": (100 * (curve.high - curve.share)).tolist(),
            "arrayminus": (100 * (curve.share - curve.low)).tolist(),
        }  # fmt: skip
    layout = laid_out(
        labels,
        height=280,
        xaxis={**ticks(places), "title": {"text": axis}, "automargin": True},
        yaxis={"range": [0, 103], "ticksuffix": "\u202f%", "dtick": 25, "automargin": True},
    )
    return Chart({"data": data, "layout": layout}, table, description)


@dataclass(frozen=True)
class FlowWords:
    """Words of a flow: its columns, what a link says, the columns of its table."""

    step: Callable[[int], str]
    link: Callable[[int, str, str, int], str]
    columns: tuple[str, str, str, str]
    said: str


def flow(
    links: Mapping[tuple[int, int, int], int],
    modules: Sequence[str],
    ends: Mapping[int, str],
    marks: Mapping[int, str],
    *,
    words: FlowWords,
    labels: Labels,
) -> Chart:
    """Draw ribbons from each module to the next, over the first steps: as wide as their people are many.

    `links`: (step, module, next) -> people; `ends`: names of what else than a module may come next;
    `marks`: what is written in the figure of each, where names would not fit. Drawn with areas and bars:
    the plotly that is shipped has no Sankey.
    """
    steps = max(step for step, _, _ in links) + 1

    def name(value: int) -> str:
        return ends[value] if value < 0 else modules[value]

    nodes = _nodes(links, steps)
    tops: dict[tuple[int, int], float] = {}
    total = max(sum(nodes[step].values()) for step in nodes)
    gap = total * 0.03
    for column in nodes.values():
        at = 0.0
        for value, n in column.items():
            tops[_place(nodes, column), value] = at
            at += n + gap
    data = _ribbons(links, tops, name, words)
    data += _marks(nodes, tops, marks)
    height = max(total + gap * len(column) for column in nodes.values())
    layout = laid_out(
        labels,
        height=max(260, 40 * max(len(column) for column in nodes.values())),
        xaxis={
            "tickvals": list(range(steps + 1)),
            "ticktext": [words.step(step) for step in range(steps + 1)],
            "range": [-0.12, steps + 0.65],
            "side": "top",
        },
        yaxis={"visible": False, "range": [height, -gap]},
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
    )
    rows = tuple(
        (words.step(step), name(module), name(then), n)
        for (step, module, then), n in sorted(links.items(), key=lambda one: (one[0][0], -one[1], one[0]))
    )
    return Chart({"data": data, "layout": layout}, Table(words.columns, rows), words.said)


def _nodes(links: Mapping[tuple[int, int, int], int], steps: int) -> dict[int, dict[int, int]]:
    """Return, for each column, its modules in the order of the design, then its ends, and their people."""
    made: dict[int, dict[int, int]] = {step: {} for step in range(steps + 1)}
    for (step, module, then), n in links.items():
        made[step][module] = made[step].get(module, 0) + n
        if then < 0 or step + 1 == steps:
            made[step + 1][then] = made[step + 1].get(then, 0) + n
    return {
        step: dict(sorted(column.items(), key=lambda one: (one[0] < 0, abs(one[0]))))
        for step, column in made.items()
    }


def _place(nodes: Mapping[int, Mapping[int, int]], column: Mapping[int, int]) -> int:
    return next(step for step, found in nodes.items() if found is column)


def _ribbons(
    links: Mapping[tuple[int, int, int], int],
    tops: Mapping[tuple[int, int], float],
    name: Callable[[int], str],
    words: FlowWords,
) -> list[dict[str, Any]]:
    left, right = dict(tops), dict(tops)
    order = sorted(
        links.items(), key=lambda one: (one[0][0], tops[one[0][0], one[0][1]], tops[one[0][0] + 1, one[0][2]])
    )
    made = []
    for (step, module, then), n in order:
        start, end = left[step, module], right[step + 1, then]
        left[step, module] += n
        right[step + 1, then] += n
        x0, x1 = step + 0.05, step + 0.95
        part = [place / _BEND for place in range(_BEND + 1)]
        ease = [3 * p**2 - 2 * p**3 for p in part]
        xs = [x0 + (x1 - x0) * p for p in part]
        upper = [start + (end - start) * e for e in ease]
        colour = _ENDS.get(then, BLUE)
        made.append(
            trace(
                "Scatter",
                {
                    "mode": "lines", "fill": "toself", "fillcolor": colour, "opacity": 0.32,
                    "line": {"width": 0.5, "color": colour}, "hoveron": "fills", "hoverinfo": "text",
                },
                x=[*xs, *reversed(xs)],
                y=[*upper, *(value + n for value in reversed(upper))],
            )
        )  # fmt: skip
        made[-1]["text"] = plain(words.link(step, name(module), name(then), n))
    return made


def _marks(
    nodes: Mapping[int, Mapping[int, int]], tops: Mapping[tuple[int, int], float], marks: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return the bars of the columns and their names, inside the ribbon that leaves them."""
    bars: dict[str, list[Any]] = {"x": [], "y": [], "base": [], "color": []}
    texts: dict[str, list[Any]] = {"x": [], "y": [], "text": []}
    for step, column in nodes.items():
        for value, n in column.items():
            top = tops[step, value]
            bars["x"].append(step)
            bars["y"].append(n)
            bars["base"].append(top)
            bars["color"].append(_ENDS.get(value, BLUE))
            texts["x"].append(step + 0.06)
            texts["y"].append(top + n / 2)
            texts["text"].append(f"<b>{plain(marks[value])}</b> ({n})")
    column_bars = trace(
        "Bar", {"width": 0.09, "hoverinfo": "skip"}, x=bars["x"], y=bars["y"], base=bars["base"]
    )
    column_bars["marker"] = {"color": bars["color"], "line": {"width": 1, "color": LINE}}
    look = {"mode": "text", "textposition": "middle right", "hoverinfo": "skip", "textfont": {"size": 11}}
    return [column_bars, trace("Scatter", look, **texts)]
