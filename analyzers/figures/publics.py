"""Figures of who comes and of what they choose: bars with their interval, lines over school years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.figures.drawing import (
    BLUE,
    ORANGE,
    PLUM,
    TEAL,
    Labels,
    laid_out,
    plain,
    shortened,
    trace,
)
from analyzers.results import Chart, Share, Table

#: A mark and a colour a line: never the colour alone.
_LOOKS = (
    (BLUE, "circle", "solid"),
    (ORANGE, "diamond", "dash"),
    (TEAL, "square", "dot"),
)
#: Lines that can be told apart.
MOST_LINES = len(_LOOKS)


@dataclass(frozen=True)
class Bar:
    """A share with its name; `reference`: that of the population beside it."""

    name: str
    share: Share
    reference: float | None
    #: What the mark says when pointed at.
    said: str


def bars(lines: Sequence[Bar], *, columns: Sequence[str], reference: str, said: str, labels: Labels) -> Chart:
    """Draw shares as bars from zero with their interval, a diamond where the reference is.

    `columns`: of the table (name, people, share, low, high, and the reference where there is one);
    `reference`: name of its mark. What may not be shown is left out of the drawing.
    """
    shown = [(place, one) for place, one in enumerate(lines) if one.share.value is not None]
    drawn = trace(
        "Bar",
        {
            "orientation": "h",
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {"color": BLUE, "cornerradius": 2},
            "error_x": {"type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": ORANGE},
        },
        y=[place for place, _ in shown],
        x=[_percent(one.share.value) for _, one in shown],
        customdata=[plain(one.said) for _, one in shown],
    )
    drawn["error_x"]["array"] = [_apart(one.share.high, one.share.value) for _, one in shown]
    drawn["error_x"]["arrayminus"] = [_apart(one.share.value, one.share.low) for _, one in shown]
    data = [drawn]
    beside = [(place, one) for place, one in enumerate(lines) if one.reference is not None]
    if beside:
        look = {
            "mode": "markers",
            "name": reference,
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {"symbol": "diamond-open", "size": 11, "color": PLUM, "line": {"width": 2}},
        }
        data.append(
            trace(
                "Scatter",
                look,
                y=[place for place, _ in beside],
                x=[_percent(one.reference) for _, one in beside],
                customdata=[plain(one.said) for _, one in beside],
            )
        )
    layout = laid_out(
        labels,
        height=max(150, 26 * len(lines) + 50),
        xaxis={"range": [0, _top([one for _, one in shown], beside)], "ticksuffix": " %", "showgrid": True},
        yaxis={
            "tickvals": list(range(len(lines))),
            "ticktext": [shortened(one.name) for one in lines],
            "range": [len(lines) - 0.4, -0.6],
            "automargin": True,
        },
    )
    table = Table(tuple(columns), tuple(_row(one, bool(beside)) for one in lines))
    return Chart({"data": data, "layout": layout}, table, said)


def _row(one: Bar, reference: bool) -> tuple[str | int | float | None, ...]:
    share = one.share
    cells = (one.name, share.count, _percent(share.value), _percent(share.low), _percent(share.high))
    return (*cells, _percent(one.reference)) if reference else cells


def _top(shown: Sequence[Bar], beside: Sequence[tuple[int, Bar]]) -> float:
    ends = [one.share.high or 0.0 for one in shown] + [one.reference or 0.0 for _, one in beside]
    return min(102.0, 108 * max([*ends, 0.01]))


def over_years(
    years: Sequence[str],
    lines: Sequence[tuple[str, Sequence[Share]]],
    *,
    columns: Sequence[str],
    said: str,
    labels: Labels,
) -> Chart:
    """Draw the share of the first lines over school years; the table has them all.

    `columns`: of the table: name, then (year, people, share) a row.
    """
    data = []
    top = 0.01
    for (name, shares), (colour, symbol, dash) in zip(lines, _LOOKS, strict=False):
        known = list(enumerate(shares))  # a year that is not shown is a gap
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
            y=[_percent(share.value) for _, share in known],
            customdata=[
                plain(f"{years[place]}, {name} : {100 * (share.value or 0):.0f} % (n = {share.n})")
                for place, share in known
            ],
        )
        made["error_y"]["array"] = [_apart(share.high, share.value) for _, share in known]
        made["error_y"]["arrayminus"] = [_apart(share.value, share.low) for _, share in known]
        top = max([top, *(share.high or 0.0 for _, share in known)])
        data.append(made)
    layout = laid_out(
        labels,
        height=260,
        margin={"l": 44, "r": 8, "t": 8, "b": 28},
        xaxis={
            "tickvals": list(range(len(years))),
            "ticktext": list(years),
            "range": [-0.5, max(len(years), 1) - 0.5],
            "tickangle": -35 if len(years) > 5 else 0,
            "automargin": True,
        },
        yaxis={"range": [0, min(104.0, 110 * top)], "ticksuffix": " %"},
    )
    rows = tuple((name, *(_percent(share.value) for share in shares)) for name, shares in lines)
    return Chart({"data": data, "layout": layout}, Table(tuple(columns), rows), said)


def _apart(high: float | None, low: float | None) -> float:
    return round(100 * ((high or 0.0) - (low or 0.0)), 2)


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


# --- map --------------------------------------------------------------------------------------------------

#: Académie -> its tile: short name, column, row; overseas on the left, the Pacific below.
TILES: dict[str, tuple[str, int, int]] = {
    "lille": ("LIL", 4, 0), "normandie": ("NOR", 3, 1), "amiens": ("AMI", 4, 1), "reims": ("REI", 5, 1),
    "nancy_metz": ("N-M", 6, 1), "strasbourg": ("STR", 7, 1), "rennes": ("REN", 2, 2),
    "versailles": ("VER", 3, 2), "paris": ("PAR", 4, 2), "creteil": ("CRÉ", 5, 2), "nantes": ("NAN", 2, 3),
    "orleans_tours": ("O-T", 3, 3), "dijon": ("DIJ", 5, 3), "besancon": ("BES", 6, 3),
    "poitiers": ("POI", 2, 4), "limoges": ("LIM", 3, 4), "clermont_ferrand": ("CLE", 4, 4),
    "lyon": ("LYO", 5, 4), "grenoble": ("GRE", 6, 4), "bordeaux": ("BOR", 2, 5), "toulouse": ("TOU", 3, 5),
    "montpellier": ("MON", 4, 5), "aix_marseille": ("A-M", 5, 5), "nice": ("NIC", 6, 5),
    "corse": ("COR", 7, 6), "guadeloupe": ("GUA", 0, 0), "martinique": ("MAR", 0, 1),
    "guyane": ("GUY", 0, 2), "la_reunion": ("RÉU", 0, 3), "mayotte": ("MAY", 0, 4),
    "saint_pierre_et_miquelon": ("SPM", 0, 6), "saint_barthelemy": ("SBA", 1, 6),
    "saint_martin": ("SMA", 2, 6), "nouvelle_caledonie": ("N-C", 3, 6),
    "polynesie_francaise": ("POL", 4, 6), "wallis_et_futuna": ("W-F", 5, 6),
}  # fmt: skip
#: Depths of the colour, from the palest.
_DEPTHS = (0.08, 0.2, 0.36, 0.88, 1.0)


@dataclass(frozen=True)
class Tile:
    """A square of the map: where, what is written, how deep; hatched where nothing may be shown."""

    x: int
    y: int
    short: str
    written: str
    said: str
    opacity: float
    #: Written in the colour of what stands on the accent.
    light: bool
    #: Plain, coloured, or hatched.
    look: str


def tile(
    academie: str, share: float | None, top: float, *, written: str, said: str, nobody: bool = False
) -> Tile | None:
    """Return the tile of an académie, its depth in fifths of the largest share; None: it has no place."""
    place = TILES.get(academie)
    if place is None:
        return None
    depth = 0 if not share or top <= 0 else min(4, int(5 * share / top))
    return Tile(
        place[1], place[2], place[0], written, said, _DEPTHS[depth], share is not None and depth > 2,
        "plain" if nobody else "hatched" if share is None else "coloured",
    )  # fmt: skip
