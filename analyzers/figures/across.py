"""Figures of the pages across courses: days given, next session, modalities, months after the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from analyzers.figures.drawing import (
    BLUE,
    ORANGE,
    SOFT,
    TEAL,
    Labels,
    hatch,
    laid_out,
    plain,
    shortened,
    ticks,
    trace,
    whole_ticks,
)
from analyzers.results import Chart, Share, Table

Row = tuple[str | int | float | None, ...]


@dataclass(frozen=True)
class Series:
    """One line or set of bars: its name, and a value a place (None: nothing there)."""

    name: str
    values: Sequence[float | None]


def given_and_planned(
    names: Sequence[str],
    given: Sequence[Series],
    planned: Sequence[Series],
    *,
    columns: Sequence[str],
    said: str,
    labels: Labels,
) -> Chart:
    """Draw bars of what was given, by kind, with a diamond where it was planned to reach.

    `given`, `planned`: as many series, in the same order; `columns`: of the table, place first.
    """
    looks = ((BLUE, ""), (TEAL, "/"))
    data: list[dict[str, Any]] = []
    width = 0.8 / max(len(given), 1)
    for rank, (bars, marks, (colour, shape)) in enumerate(zip(given, planned, looks, strict=False)):
        shift = (rank - (len(given) - 1) / 2) * width
        places = [place + shift for place in range(len(names))]
        data.append(
            trace(
                "Bar",
                {
                    "name": bars.name,
                    "width": width * 0.9,
                    "hovertemplate": "%{customdata}<extra></extra>",
                    "marker": {
                        "color": colour,
                        "cornerradius": 2,
                        "pattern": {**hatch(colour, 0.35), "shape": shape},
                    },
                },
                x=places,
                y=[value or 0 for value in bars.values],
                customdata=_said(names, bars),
            )
        )
        data.append(
            trace(
                "Scatter",
                {
                    "mode": "markers",
                    "name": marks.name,
                    "hovertemplate": "%{customdata}<extra></extra>",
                    "marker": {"symbol": "diamond", "size": 9, "color": ORANGE},
                },
                x=places,
                y=list(marks.values),
                customdata=_said(names, marks),
            )
        )
    top = max([1.0, *(value or 0 for series in (*given, *planned) for value in series.values)])
    layout = laid_out(
        labels,
        height=240,
        yaxis={"range": [0, top * 1.08], **whole_ticks(top), "automargin": True},
        xaxis={**ticks(names), "automargin": True},
    )
    rows = [
        (name, *(series.values[place] for pair in zip(given, planned, strict=True) for series in pair))
        for place, name in enumerate(names)
    ]
    return Chart({"data": data, "layout": layout}, Table(tuple(columns), tuple(rows)), said)


def next_session(
    names: Sequence[str],
    enrolled: Sequence[int],
    capacity: Sequence[float | None],
    ahead: tuple[str, float, int, int] | None,
    *,
    words: Sequence[str],
    columns: Sequence[str],
    said: str,
    labels: Labels,
) -> Chart:
    """Draw the enrolled of each session as bars, its places as dashes, and the next one with its interval.

    `ahead`: its name, the forecast, the ends of its interval; `words`: enrolled, places, forecast.
    """
    data: list[dict[str, Any]] = [
        trace(
            "Bar",
            {
                "name": words[0],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"color": BLUE, "cornerradius": 2},
            },
            x=list(range(len(names))),
            y=list(enrolled),
            customdata=_said(names, Series(words[0], enrolled)),
        ),
        trace(
            "Scatter",
            {
                "mode": "markers",
                "name": words[1],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {
                    "symbol": "line-ew", "size": 18, "color": ORANGE, "line": {"width": 3, "color": ORANGE},
                },
            },
            x=list(range(len(names))),
            y=list(capacity),
            customdata=_said(names, Series(words[1], capacity)),
        ),
    ]  # fmt: skip
    every = list(names)
    top = max([1.0, *enrolled, *(value or 0 for value in capacity)])
    if ahead is not None:
        name, value, low, high = ahead
        every.append(name)
        top = max(top, high)
        mark = trace(
            "Scatter",
            {
                "mode": "markers",
                "name": words[2],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"symbol": "square", "size": 10, "color": TEAL},
                "error_y": {"type": "data", "symmetric": False, "thickness": 2, "width": 6, "color": TEAL},
            },
            x=[len(names)],
            y=[round(value, 1)],
            customdata=[plain(f"{name}, {words[2]} : {value:.0f} ({low}–{high})")],
        )
        mark["error_y"]["array"], mark["error_y"]["arrayminus"] = [high - value], [value - low]
        data.append(mark)
    layout = laid_out(
        labels,
        height=260,
        yaxis={"range": [0, top * 1.08], **whole_ticks(top), "automargin": True},
        xaxis={**ticks(every), "automargin": True},
    )
    rows: list[Row] = [
        (name, count, place, None, None) for name, count, place in zip(names, enrolled, capacity, strict=True)
    ]
    if ahead is not None:
        rows.append((ahead[0], round(ahead[1], 1), None, ahead[2], ahead[3]))
    return Chart({"data": data, "layout": layout}, Table(tuple(columns), tuple(rows)), said)


def by_kind(
    names: Sequence[str],
    followed: Sequence[float],
    planned: Sequence[float | None],
    *,
    words: Sequence[str],
    columns: Sequence[str],
    said: str,
    labels: Labels,
) -> Chart:
    """Draw hours as horizontal bars, with a diamond for what was planned; `words`: followed, planned."""
    places = list(range(len(names)))
    data = [
        trace(
            "Bar",
            {
                "name": words[0],
                "orientation": "h",
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"color": BLUE, "cornerradius": 2},
            },
            y=places,
            x=[round(value, 1) for value in followed],
            customdata=_said(names, Series(words[0], followed)),
        ),
        trace(
            "Scatter",
            {
                "mode": "markers",
                "name": words[1],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"symbol": "diamond", "size": 11, "color": ORANGE},
            },
            y=places,
            x=list(planned),
            customdata=_said(names, Series(words[1], planned)),
        ),
    ]
    top = max([1.0, *followed, *(value or 0 for value in planned)])
    layout = laid_out(
        labels,
        height=60 + 42 * len(names),
        xaxis={"range": [0, top * 1.08], **whole_ticks(top), "showgrid": True},
        yaxis={
            "tickvals": places, "ticktext": [shortened(name) for name in names],
            "range": [len(names) - 0.4, -0.6], "automargin": True, "showgrid": False,
        },
    )  # fmt: skip
    rows = [
        (name, round(done, 1), None if plan is None else round(plan, 1))
        for name, done, plan in zip(names, followed, planned, strict=True)
    ]
    return Chart({"data": data, "layout": layout}, Table(tuple(columns), tuple(rows)), said)


def shares(
    names: Sequence[str],
    values: Sequence[Share | None],
    *,
    line: bool,
    columns: Sequence[str],
    hidden: str,
    said: str,
    labels: Labels,
    extra: Sequence[int | None] = (),
    extra_name: str = "",
    percent: Callable[[float | None], str],
) -> Chart:
    """Draw shares with their intervals from 0: dots along a line of time, or bars apart.

    `columns`: of the table: place, share, lowest, highest, n; `extra`: one column more; `hidden`: what is
    written of a share that may not be shown.
    """
    known = [
        (place, share)
        for place, share in enumerate(values)
        if share is not None and share.value is not None and share.low is not None and share.high is not None
    ]
    look: dict[str, Any] = {
        "name": columns[1],
        "hovertemplate": "%{customdata}<extra></extra>",
        "error_y": {"type": "data", "symmetric": False, "thickness": 2, "width": 6, "color": BLUE},
    }
    if line:
        look |= {
            "mode": "lines+markers",
            "line": {"color": BLUE, "width": 2},
            "marker": {"color": BLUE, "size": 8},
        }
    else:
        look |= {"marker": {"color": BLUE, "opacity": 0.35, "cornerradius": 2}, "width": 0.45}
    made = trace(
        "Scatter" if line else "Bar",
        look,
        x=[place for place, _ in known],
        y=[round(100 * (share.value or 0), 1) for _, share in known],
        customdata=[
            plain(f"{names[place]} : {percent(share.value)} (n = {share.n})") for place, share in known
        ],
    )
    made["error_y"]["array"] = [100 * ((share.high or 0) - (share.value or 0)) for _, share in known]
    made["error_y"]["arrayminus"] = [100 * ((share.value or 0) - (share.low or 0)) for _, share in known]
    top = max([5.0, *(100 * (share.high or 0) for _, share in known)])
    layout = laid_out(
        labels,
        height=240,
        margin={"l": 48, "r": 8, "t": 8, "b": 28},
        xaxis={**ticks(names), "automargin": True},
        yaxis={"range": [0, min(104, top * 1.1)], "ticksuffix": " %", "nticks": 5},
    )
    rows: list[Row] = []
    for place, (name, share) in enumerate(zip(names, values, strict=True)):
        cells: Row = (hidden, None, None, None)
        if share is not None and share.value is not None:
            cells = (percent(share.value), percent(share.low), percent(share.high), share.n)
        rows.append((name, *cells, *((extra[place],) if extra else ())))
    heads = (*columns, *((extra_name,) if extra else ()))
    return Chart({"data": [made], "layout": layout}, Table(heads, tuple(rows)), said)


def by_link(
    months: Sequence[str],
    links: Sequence[Series],
    *,
    columns: Sequence[str],
    totals: Sequence[int | None],
    hidden: str,
    said: str,
    labels: Labels,
) -> Chart:
    """Draw the totals of each month as bars, and the most used links as lines over them.

    `links`: every link, the most used first; the first three are drawn. `columns`: month, total.
    """
    data = [
        trace(
            "Bar",
            {
                "name": columns[1],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"color": SOFT, "opacity": 0.3, "cornerradius": 2},
            },
            x=list(range(len(months))),
            y=[value or 0 for value in totals],
            customdata=_said(months, Series(columns[1], totals)),
        )
    ]
    looks = ((BLUE, "circle", "solid"), (ORANGE, "diamond", "dash"), (TEAL, "square", "dot"))
    for series, (colour, symbol, dash) in zip(links, looks, strict=False):
        data.append(
            trace(
                "Scatter",
                {
                    "mode": "lines+markers",
                    "name": series.name,
                    "line": {"color": colour, "width": 2, "dash": dash},
                    "marker": {"color": colour, "size": 8, "symbol": symbol},
                    "hovertemplate": "%{customdata}<extra></extra>",
                },
                x=list(range(len(months))),
                y=list(series.values),
                customdata=_said(months, series),
            )
        )
    top = max([1.0, *(float(value or 0) for value in totals)])
    layout = laid_out(
        labels,
        height=240,
        yaxis={"range": [0, top * 1.08], **whole_ticks(top), "automargin": True},
        xaxis={**ticks(months), "automargin": True},
    )

    def shown(value: float | None) -> float | str:
        return hidden if value is None else value

    rows = [
        (month, shown(totals[place]), *(shown(series.values[place]) for series in links))
        for place, month in enumerate(months)
    ]
    heads = (*columns, *(series.name for series in links))
    return Chart({"data": data, "layout": layout}, Table(heads, tuple(rows)), said)


#: Looks of the page's key for the lines of `by_link`.
LINK_KEYS = ("circle", "diamond", "square")


def _said(names: Sequence[str], series: Series) -> list[str]:
    def written(value: float | None) -> str:
        return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")

    return [
        plain(f"{name}, {series.name} : {written(value)}")
        for name, value in zip(names, series.values, strict=True)
    ]
