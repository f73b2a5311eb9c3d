"""Results to plotly figures, each with the data table that says the same: the only user of plotly.

A figure is a JSON object {"data": […], "layout": {…}} for plotly.js: bars from zero, fixed ranges, no
template, no address, no function. Words come translated from the caller; colours are those of the light
theme, which the page maps to its own (``DARK`` gives the values of the dark theme). The key is the page's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from analyzers.results import ActivityProgress, Chart, Overview, Pace, Table, TimelineDay

BLUE, TEAL, PLUM, ORANGE = "#12436D", "#28A197", "#801650", "#F46A25"
SOFT, LINE = "#5a6472", "#dfe3e8"
#: Light colour -> dark colour.
DARK = {
    BLUE: "#8ab8e0",
    TEAL: "#5fd0c6",
    PLUM: "#e59abd",
    ORANGE: "#ff9a66",
    SOFT: "#a7b0bd",
    LINE: "#313a47",
}
_FONT = 'ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
#: Most ticks named along an axis of weeks: more would overlap at 400 px.
_TICKS = 8


@dataclass(frozen=True)
class Labels:
    """Words of the charts, translated; callables turn a value into the words of the reader.

    In French: "Semaine", "Participants actifs", "Moyenne des sessions précédentes", "Activité",
    "L’ont ouverte", "L’ont terminée", "Modules terminés", "Moitié du milieu du groupe", "Premier quart",
    "Médiane du groupe", "Troisième quart", "Jour", "Minutes", "Terminé".
    """

    week: str
    active: str
    reference: str
    activity: str
    reached: str
    completed: str
    mine: str
    band: str
    low: str
    middle: str
    high: str
    day: str
    minutes: str
    done: str
    #: A day as people write it: 12 octobre 2026.
    day_name: Callable[[date], str]
    #: The same, short, for an axis: 12 oct.
    short_day: Callable[[date], str]
    #: The name of a week from its rank, 1 for the first: S6.
    week_name: Callable[[int], str]
    #: What the chart says, for people who do not see it; empty: made from the values.
    description: str = ""
    #: Decimal mark, then thousands mark (a narrow no-break space in French).
    separators: str = ",\u202f"


def weeks(overview: Overview, *, labels: Labels) -> Chart:
    """Bars of the active by week, the running one hatched, and the dashed line of previous sessions."""
    shown = overview.weeks
    names = [labels.week_name(rank) for rank in range(1, len(shown) + 1)]
    days = [labels.day_name(week.monday) for week in shown]
    active = [week.active for week in shown]
    shapes = ["/" if week.current else "" for week in shown]
    bars = _trace(
        "Bar",
        {
            "name": labels.active,
            "hovertemplate": "%{customdata} : %{y}<extra></extra>",
            "marker": {"color": BLUE, "cornerradius": 2, "pattern": {**_hatch(BLUE, 0.5), "shape": ""}},
        },
        x=list(range(len(shown))),
        y=active,
        customdata=days,
    )
    bars["marker"]["pattern"]["shape"] = shapes
    data = [bars]
    reference = [None if week.reference is None else round(week.reference, 1) for week in shown]
    compared = any(value is not None for value in reference)
    if compared:
        data.append(_dashed(reference, labels))
    top = max([*active, *(value for value in reference if value is not None), 1])
    layout = _layout(labels, yaxis={"range": [0, top * 1.08], **_whole_ticks(top)}, xaxis=_ticks(names))
    columns = (labels.week, labels.day, labels.active, *((labels.reference,) if compared else ()))
    rows = tuple(
        (name, day, week.active, *((value,) if compared else ()))
        for name, day, week, value in zip(names, days, shown, reference, strict=True)
    )
    said = labels.description or _sentence(labels.active, zip(names, active, strict=True))
    return Chart({"data": data, "layout": layout}, Table(columns, rows), said)


def _dashed(values: Sequence[float | None], labels: Labels) -> dict[str, Any]:
    look = {
        "mode": "lines",
        "name": labels.reference,
        "line": {"color": ORANGE, "width": 2.5, "dash": "dash"},
        "hovertemplate": f"{labels.reference} : %{{y}}<extra></extra>",
    }
    return _trace("Scatter", look, x=list(range(len(values))), y=list(values))


def module_activities(activities: Sequence[ActivityProgress], *, enrolled: int, labels: Labels) -> Chart:
    """Horizontal bars of who reached (hatched) and who completed each activity, out of the enrolled."""
    places = list(range(len(activities)))
    titles = [activity.title for activity in activities]
    reached = [activity.reached for activity in activities]
    completed = [activity.completed if activity.tracked else None for activity in activities]
    data = [
        _trace(
            "Bar",
            {
                "orientation": "h",
                "name": name,
                "hovertemplate": f"%{{customdata}}<br>{name} : %{{x}}<extra></extra>",
                "marker": {"cornerradius": 2, **marker},
            },
            x=values,
            y=places,
            customdata=[_plain(title) for title in titles],
        )
        for values, name, marker in (
            (reached, labels.reached, {"color": TEAL, "pattern": {**_hatch(TEAL, 0.45), "shape": "/"}}),
            (completed, labels.completed, {"color": BLUE}),
        )
    ]
    layout = _layout(
        labels,
        barmode="group",
        bargap=0.35,
        bargroupgap=0.08,
        height=max(180, 46 * len(places) + 70),
        xaxis={"range": [0, max(enrolled, *reached, 1) * 1.02], **_whole_ticks(enrolled), "showgrid": True},
        yaxis={
            "autorange": "reversed",
            "tickvals": places,
            "ticktext": [_shortened(title) for title in titles],
            "automargin": True,
            "showgrid": False,
        },
    )
    rows = tuple(zip(titles, reached, completed, strict=True))
    said = labels.description or _sentence(labels.reached, zip(titles, reached, strict=True))
    columns = (labels.activity, labels.reached, labels.completed)
    return Chart({"data": data, "layout": layout}, Table(columns, rows), said)


def pace(pace: Pace, *, labels: Labels, required: int | None = None) -> Chart:
    """One's own steps beside the band between the quartiles of the others; no band under the threshold."""
    places = list(range(len(pace.weeks)))
    names = [labels.week_name(rank + 1) for rank in places]
    data: list[dict[str, Any]] = []
    if pace.band is not None:
        low, middle, high = (list(values) for values in zip(*pace.band, strict=True))
        quiet = {"mode": "lines", "line": {"width": 0, "color": TEAL}, "hoverinfo": "skip"}
        filled = {"fill": "tonexty", "fillcolor": "rgba(40,161,151,0.22)", "name": labels.band, **quiet}
        median = {
            "mode": "lines",
            "name": labels.middle,
            "line": {"color": TEAL, "width": 1.5, "dash": "dot"},
            "hovertemplate": f"{labels.middle} : %{{y}}<extra></extra>",
        }
        data += [
            _trace("Scatter", {"showlegend": False, "name": labels.low, **quiet}, x=places, y=low),
            _trace("Scatter", filled, x=places, y=high),
            _trace("Scatter", median, x=places, y=middle),
        ]
    mine = {
        "mode": "lines+markers",
        "name": labels.mine,
        "line": {"color": BLUE, "width": 3, "shape": "hv"},
        "marker": {"size": 5},
        "hovertemplate": f"{labels.mine} : %{{y}}<extra></extra>",
    }
    data.append(_trace("Scatter", mine, x=places, y=list(pace.mine)))
    top = max([*pace.mine, *(high for _, _, high in pace.band or ()), required or 0, 1])
    yaxis = {"range": [0, top * 1.06], **_whole_ticks(top)}
    layout = _layout(labels, yaxis=yaxis, xaxis=_ticks(names))
    said = labels.description or _sentence(labels.mine, zip(names, pace.mine, strict=True))
    return Chart({"data": data, "layout": layout}, _pace_table(pace, names, labels), said)


def _pace_table(pace: Pace, names: Sequence[str], labels: Labels) -> Table:
    days = [labels.day_name(week) for week in pace.weeks]
    if pace.band is None:
        rows: Any = zip(names, days, pace.mine, strict=True)
        return Table((labels.week, labels.day, labels.mine), tuple(rows))
    columns = (labels.week, labels.day, labels.mine, labels.low, labels.middle, labels.high)
    rows = zip(names, days, pace.mine, pace.band, strict=True)
    return Table(columns, tuple((name, day, mine, *band) for name, day, mine, band in rows))


def timeline(days: Sequence[TimelineDay], *, labels: Labels) -> Chart:
    """Minutes of each day, from the first to the last; a diamond over the days when something was done."""
    dates = [day.day.isoformat() for day in days]
    minutes = [round(day.seconds / 60) for day in days]
    said_days = [labels.day_name(day.day) for day in days]
    look = {
        "name": labels.minutes,
        "hovertemplate": "%{customdata} : %{y}<extra></extra>",
        "marker": {"color": BLUE, "cornerradius": 2},
    }
    width = [0.8 * 86_400_000] * len(dates)
    data = [_trace("Bar", look, x=dates, y=minutes, width=width, customdata=said_days)]
    top = max([*minutes, 1])
    marked = [place for place, day in enumerate(days) if day.completed or day.attended]
    if marked:
        diamonds = {
            "mode": "markers",
            "name": labels.done,
            "marker": {"color": TEAL, "size": 9, "symbol": "diamond"},
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        finished = [(*days[place].completed, *days[place].attended) for place in marked]
        data.append(
            _trace(
                "Scatter",
                diamonds,
                x=[dates[place] for place in marked],
                y=[minutes[place] + top * 0.08 for place in marked],
                customdata=[" ; ".join(_plain(title) for title in titles) for titles in finished],
            )
        )
    axis: dict[str, Any] = {"type": "date", "showgrid": False}
    if days:
        axis |= _date_ticks(days[0].day, days[-1].day, labels)
    layout = _layout(labels, yaxis={"range": [0, top * 1.18], **_whole_ticks(top)}, xaxis=axis)
    rows = tuple(
        (name, value, " ; ".join((*day.completed, *day.attended)))
        for name, value, day in zip(said_days, minutes, days, strict=True)
    )
    said = labels.description or _sentence(labels.minutes, zip(said_days, minutes, strict=True))
    table = Table((labels.day, labels.minutes, labels.done), rows)
    return Chart({"data": data, "layout": layout}, table, said)


# --- what all share ---------------------------------------------------------------------------------


def _trace(kind: str, look: Mapping[str, Any], **values: list[Any]) -> dict[str, Any]:
    """Return a trace: its look, which plotly checks once a process, and its values."""
    return {**_checked(kind, json.dumps(look)), **values}


def _checked(kind: str, look: str) -> dict[str, Any]:
    """Return a part of a figure that plotly found valid, as one may change it."""
    found: dict[str, Any] = json.loads(_valid(kind, look))
    return found


@lru_cache(maxsize=256)
def _valid(kind: str, look: str) -> str:
    """Check the look of a trace or a layout, written in JSON; ValueError when plotly knows it not.

    Checking costs plotly milliseconds a page, and the looks are few. Nothing is made with a Figure, which
    would bring a template.
    """
    from plotly import graph_objects as go

    return json.dumps(getattr(go, kind)(json.loads(look)).to_plotly_json())


def _hatch(color: str, solidity: float) -> dict[str, Any]:
    return {"fillmode": "replace", "fgcolor": color, "size": 6, "solidity": solidity}


def _layout(labels: Labels, *, xaxis: dict[str, Any], yaxis: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a quiet layout: no zoom, transparent, a grid across the values only."""
    shared = {"fixedrange": True, "zeroline": False, "showline": False, "ticks": ""}
    quiet = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 12, "color": SOFT},
        "separators": labels.separators,
        "dragmode": False,
        "hovermode": "closest",
        "margin": {"l": 36, "r": 8, "t": 8, "b": 28},
        "bargap": 0.35,
        "showlegend": False,
        "xaxis": {**shared, "showgrid": False},
        "yaxis": {**shared, "gridcolor": LINE},
    }
    made = _checked("Layout", json.dumps(quiet))
    axes = {"xaxis": {**made["xaxis"], **xaxis}, "yaxis": {**made["yaxis"], **yaxis}}
    return {**made, **axes, **more}


def _ticks(names: Sequence[str]) -> dict[str, Any]:
    """Name the places of an axis, one in a few when they are many; the last is always named."""
    step = max(1, -(-len(names) // _TICKS))
    places = list(range(len(names) - 1, -1, -step))[::-1]
    return {
        "tickvals": places,
        "ticktext": [names[place] for place in places],
        "range": [-0.6, max(len(names), 1) - 0.4],
    }


def _whole_ticks(top: float) -> dict[str, Any]:
    """Count people and modules by whole numbers: never a tick at 0,5."""
    for step in (1, 2, 5, 10, 15, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 50_000):
        if top / step <= 4:
            return {"tick0": 0, "dtick": step, "tickformat": ",d"}
    return {"tick0": 0, "tickformat": ",d"}


def _date_ticks(first: date, last: date, labels: Labels) -> dict[str, Any]:
    span = max((last - first).days, 1)
    step = max(1, -(-span // 5))
    days = [first + timedelta(days=shift) for shift in range(0, span + 1, step)]
    return {
        "tickvals": [day.isoformat() for day in days],
        "ticktext": [labels.short_day(day) for day in days],
        "range": [(first - timedelta(days=1)).isoformat(), (last + timedelta(days=1)).isoformat()],
    }


def _plain(text: str) -> str:
    """Write a title so that plotly, which reads a few tags and entities, shows it as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(title: str, limit: int = 28) -> str:
    return _plain(title if len(title) <= limit else title[: limit - 1].rstrip() + "…")


def _sentence(name: str, pairs: Any) -> str:
    return f"{name} : " + ", ".join(f"{label} {value}" for label, value in pairs)
