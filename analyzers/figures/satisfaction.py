"""Figures of satisfaction: how it goes from one session of a path to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.figures.drawing import BLUE, ORANGE, PLUM, TEAL, Labels, laid_out, plain, shortened, trace
from analyzers.results import Chart, Share, Table

#: A mark and a colour for each phase: never the colour alone.
_LOOKS = (
    (BLUE, "circle", "solid"),
    (ORANGE, "diamond", "dash"),
    (TEAL, "square", "dot"),
    (PLUM, "x", "dashdot"),
)


#: What the page's key of the lines draws, in their order.
KEYS = tuple(symbol for _, symbol, _ in _LOOKS)


@dataclass(frozen=True)
class TrendWords:
    """Words of a trend, translated: of its columns, and what it says as a whole."""

    session: str
    favourable: str
    low: str
    high: str
    answers: str
    said: str
    #: Name of each line.
    phases: Sequence[str]


def trend(
    sessions: Sequence[str],
    lines: Sequence[Sequence[Share | None]],
    *,
    words: TrendWords,
    labels: Labels,
) -> Chart:
    """Draw the share of each line at each session with its interval, on an axis from 0 to 100 %.

    `lines`: one a phase, a share or None a session; `sessions`: their short names, in order.
    """
    data = []
    rows: list[tuple[str | int | float | None, ...]] = []
    for (name, shares), (colour, symbol, dash) in zip(
        zip(words.phases, lines, strict=True), _LOOKS, strict=False
    ):
        known = [
            (place, share)
            for place, share in enumerate(shares)
            if share is not None and share.value is not None and share.low is not None
        ]
        look = {
            "mode": "lines+markers",
            "name": name,
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"size": 9, "symbol": symbol, "color": colour},
            "hovertemplate": "%{customdata}<extra></extra>",
            "error_y": {"type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": colour},
        }
        made = trace(
            "Scatter",
            look,
            x=[place for place, _ in known],
            y=[round(100 * (share.value or 0), 1) for _, share in known],
            customdata=[
                plain(f"{sessions[place]}, {name} : {100 * (share.value or 0):.0f} % (n = {share.n})")
                for place, share in known
            ],
        )
        made["error_y"]["array"] = [100 * ((share.high or 0) - (share.value or 0)) for _, share in known]
        made["error_y"]["arrayminus"] = [100 * ((share.value or 0) - (share.low or 0)) for _, share in known]
        data.append(made)
        rows += [
            (sessions[place], name, _percent(share.value), _percent(share.low), _percent(share.high), share.n)
            for place, share in known
        ]
    layout = laid_out(
        labels,
        height=290,
        margin={"l": 44, "r": 8, "t": 8, "b": 28},
        xaxis={
            "tickvals": list(range(len(sessions))),
            "ticktext": [shortened(name, 20) for name in sessions],
            "range": [-0.5, max(len(sessions), 1) - 0.5],
            "tickangle": -35 if len(sessions) > 4 else 0,
            "automargin": True,
        },
        yaxis={"range": [0, 104], "tick0": 0, "dtick": 25, "ticksuffix": " %"},
    )
    columns = (words.session, "", words.favourable, words.low, words.high, words.answers)
    return Chart({"data": data, "layout": layout}, Table(columns, tuple(rows)), words.said)


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)
