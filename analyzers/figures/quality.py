"""Figure of a source of data: what it gave, month by month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from analyzers.figures.drawing import BLUE, Labels, hatch, laid_out, ticks, trace, whole_ticks
from analyzers.results import Chart, Table


def months(
    counts: Sequence[tuple[date, int]],
    *,
    month: str,
    name: str,
    month_name: Callable[[date], str],
    short_month: Callable[[date], str],
    labels: Labels,
    said: str,
) -> Chart:
    """Bars of the rows of each month, the running one (the last) hatched.

    `month`, `name`: headings of the table; `said`: what the chart shows, in a sentence.
    """
    values = [count for _, count in counts]
    names = [month_name(first) for first, _ in counts]
    bars = trace(
        "Bar",
        {
            "name": name,
            "hovertemplate": "%{customdata} : %{y}<extra></extra>",
            "marker": {"color": BLUE, "cornerradius": 2, "pattern": {**hatch(BLUE, 0.5), "shape": ""}},
        },
        x=list(range(len(values))),
        y=values,
        customdata=names,
    )
    bars["marker"]["pattern"]["shape"] = [""] * (len(values) - 1) + ["/"]
    top = max([*values, 1])
    layout = laid_out(
        labels,
        height=190,
        yaxis={"range": [0, top * 1.08], **whole_ticks(top), "automargin": True},
        xaxis={**ticks([short_month(first) for first, _ in counts]), "tickangle": 0},
    )
    rows = tuple(zip(names, values, strict=True))
    return Chart({"data": [bars], "layout": layout}, Table((month, name), rows), said)
