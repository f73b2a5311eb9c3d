"""What all figures share: words, colours, layout, ticks; plotly checks them, in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

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


def trace(kind: str, look: Mapping[str, Any], **values: list[Any]) -> dict[str, Any]:
    """Return a trace of a kind of plotly's, named as its class is: its look, and its values.

    Written as plotly.js reads it, without plotly: loading it takes a process half a second and 30 MB, and
    its answer is the same every time. `check` asks it, of every figure, in the tests.
    """
    return {"type": kind.lower(), **deepcopy(dict(look)), **values}


def check(figure: Mapping[str, Any]) -> None:
    """Check a whole figure with plotly; ValueError when it knows a property or a value not."""
    from plotly import graph_objects as go

    go.Figure(dict(figure), skip_invalid=False)


def hatch(color: str, solidity: float) -> dict[str, Any]:
    return {"fillmode": "replace", "fgcolor": color, "size": 6, "solidity": solidity}


def laid_out(labels: Labels, *, xaxis: dict[str, Any], yaxis: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a quiet layout: no zoom, transparent, a grid across the values only."""
    shared = {"fixedrange": True, "zeroline": False, "showline": False, "ticks": ""}
    quiet: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 12, "color": SOFT},
        "separators": labels.separators,
        "dragmode": False,
        "hovermode": "closest",
        "margin": {"l": 36, "r": 8, "t": 8, "b": 28},
        "bargap": 0.35,
        "showlegend": False,
        "xaxis": {**shared, "showgrid": False, **xaxis},
        "yaxis": {**shared, "gridcolor": LINE, **yaxis},
    }
    return {**quiet, **more}


def ticks(names: Sequence[str]) -> dict[str, Any]:
    """Name the places of an axis, one in a few when they are many; the last is always named."""
    step = max(1, -(-len(names) // _TICKS))
    places = list(range(len(names) - 1, -1, -step))[::-1]
    return {
        "tickvals": places,
        "ticktext": [names[place] for place in places],
        "range": [-0.6, max(len(names), 1) - 0.4],
    }


def whole_ticks(top: float) -> dict[str, Any]:
    """Count people and modules by whole numbers: never a tick at 0,5."""
    for step in (1, 2, 5, 10, 15, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 50_000):
        if top / step <= 4:
            return {"tick0": 0, "dtick": step, "tickformat": ",d"}
    return {"tick0": 0, "tickformat": ",d"}


def date_ticks(first: date, last: date, labels: Labels) -> dict[str, Any]:
    span = max((last - first).days, 1)
    step = max(1, -(-span // 5))
    days = [first + timedelta(days=shift) for shift in range(0, span + 1, step)]
    return {
        "tickvals": [day.isoformat() for day in days],
        "ticktext": [labels.short_day(day) for day in days],
        "range": [(first - timedelta(days=1)).isoformat(), (last + timedelta(days=1)).isoformat()],
    }


def plain(text: str) -> str:
    """Write a title so that plotly, which reads a few tags and entities, shows it as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(title: str, limit: int = 28) -> str:
    return plain(title if len(title) <= limit else title[: limit - 1].rstrip() + "…")


def sentence(name: str, pairs: Any) -> str:
    return f"{name} : " + ", ".join(f"{label} {value}" for label, value in pairs)
