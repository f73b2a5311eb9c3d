"""Figures of a course: its weeks, its activities, one learner's pace and days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analyzers.figures.drawing import (
    BLUE,
    ORANGE,
    TEAL,
    Labels,
    date_ticks,
    hatch,
    laid_out,
    plain,
    sentence,
    shortened,
    ticks,
    trace,
    whole_ticks,
)
from analyzers.results import ActivityProgress, Chart, Overview, Pace, Table, TimelineDay


def weeks(overview: Overview, *, labels: Labels) -> Chart:
    """Bars of the active by week, the running one hatched, and the dashed line of previous sessions."""
    shown = overview.weeks
    names = [labels.week_name(rank) for rank in range(1, len(shown) + 1)]
    days = [labels.day_name(week.monday) for week in shown]
    active = [week.active for week in shown]
    shapes = ["/" if week.current else "" for week in shown]
    bars = trace(
        "Bar",
        {
            "name": labels.active,
            "hovertemplate": "%{customdata} : %{y}<extra></extra>",
            "marker": {"color": BLUE, "cornerradius": 2, "pattern": {**hatch(BLUE, 0.5), "shape": ""}},
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
    layout = laid_out(labels, yaxis={"range": [0, top * 1.08], **whole_ticks(top)}, xaxis=ticks(names))
    columns = (labels.week, labels.day, labels.active, *((labels.reference,) if compared else ()))
    rows = tuple(
        (name, day, week.active, *((value,) if compared else ()))
        for name, day, week, value in zip(names, days, shown, reference, strict=True)
    )
    said = labels.description or sentence(labels.active, zip(names, active, strict=True))
    return Chart({"data": data, "layout": layout}, Table(columns, rows), said)


def _dashed(values: Sequence[float | None], labels: Labels) -> dict[str, Any]:
    look = {
        "mode": "lines",
        "name": labels.reference,
        "line": {"color": ORANGE, "width": 2.5, "dash": "dash"},
        "hovertemplate": f"{labels.reference} : %{{y}}<extra></extra>",
    }
    return trace("Scatter", look, x=list(range(len(values))), y=list(values))


def module_activities(activities: Sequence[ActivityProgress], *, enrolled: int, labels: Labels) -> Chart:
    """Horizontal bars of who reached (hatched) and who completed each activity, out of the enrolled."""
    places = list(range(len(activities)))
    titles = [activity.title for activity in activities]
    reached = [activity.reached for activity in activities]
    completed = [activity.completed if activity.tracked else None for activity in activities]
    data = [
        trace(
            "Bar",
            {
                "orientation": "h",
                "name": name,
                "hovertemplate": f"%{{customdata}}<br>{name} : %{{x}}<extra></extra>",
                "marker": {"cornerradius": 2, **marker},
            },
            x=values,
            y=places,
            customdata=[plain(title) for title in titles],
        )
        for values, name, marker in (
            (reached, labels.reached, {"color": TEAL, "pattern": {**hatch(TEAL, 0.45), "shape": "/"}}),
            (completed, labels.completed, {"color": BLUE}),
        )
    ]
    layout = laid_out(
        labels,
        barmode="group",
        bargap=0.35,
        bargroupgap=0.08,
        height=max(180, 46 * len(places) + 70),
        xaxis={"range": [0, max(enrolled, *reached, 1) * 1.02], **whole_ticks(enrolled), "showgrid": True},
        yaxis={
            "autorange": "reversed",
            "tickvals": places,
            "ticktext": [shortened(title) for title in titles],
            "automargin": True,
            "showgrid": False,
        },
    )
    rows = tuple(zip(titles, reached, completed, strict=True))
    said = labels.description or sentence(labels.reached, zip(titles, reached, strict=True))
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
            trace("Scatter", {"showlegend": False, "name": labels.low, **quiet}, x=places, y=low),
            trace("Scatter", filled, x=places, y=high),
            trace("Scatter", median, x=places, y=middle),
        ]
    mine = {
        "mode": "lines+markers",
        "name": labels.mine,
        "line": {"color": BLUE, "width": 3, "shape": "hv"},
        "marker": {"size": 5},
        "hovertemplate": f"{labels.mine} : %{{y}}<extra></extra>",
    }
    data.append(trace("Scatter", mine, x=places, y=list(pace.mine)))
    top = max([*pace.mine, *(high for _, _, high in pace.band or ()), required or 0, 1])
    yaxis = {"range": [0, top * 1.06], **whole_ticks(top)}
    layout = laid_out(labels, yaxis=yaxis, xaxis=ticks(names))
    said = labels.description or sentence(labels.mine, zip(names, pace.mine, strict=True))
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
    data = [trace("Bar", look, x=dates, y=minutes, width=width, customdata=said_days)]
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
            trace(
                "Scatter",
                diamonds,
                x=[dates[place] for place in marked],
                y=[minutes[place] + top * 0.08 for place in marked],
                customdata=[" ; ".join(plain(title) for title in titles) for titles in finished],
            )
        )
    axis: dict[str, Any] = {"type": "date", "showgrid": False}
    if days:
        axis |= date_ticks(days[0].day, days[-1].day, labels)
    layout = laid_out(labels, yaxis={"range": [0, top * 1.18], **whole_ticks(top)}, xaxis=axis)
    rows = tuple(
        (name, value, " ; ".join((*day.completed, *day.attended)))
        for name, value, day in zip(said_days, minutes, days, strict=True)
    )
    said = labels.description or sentence(labels.minutes, zip(said_days, minutes, strict=True))
    table = Table((labels.day, labels.minutes, labels.done), rows)
    return Chart({"data": data, "layout": layout}, table, said)
