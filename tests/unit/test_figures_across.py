"""Figures of the pages across courses: valid for plotly, the same in their table, nothing hidden drawn."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from analyzers import figures
from analyzers.disclosure import FEW
from analyzers.figures import Labels, across
from analyzers.figures.across import Series
from analyzers.results import Chart, Share

LABELS = Labels(*(["x"] * 14), day_name=date.isoformat, short_day=date.isoformat, week_name=str)
SHARE, HIDDEN = Share(8, 20, 0.22, 0.61), Share(None, None, suppressed=FEW)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def made() -> dict[str, Chart]:
    columns = ("Mois", "Part", "Au moins", "Au plus", "n")
    return {
        "days": across.given_and_planned(
            ["2024", "2025"],
            [Series("Présence", [100, 80]), Series("Distance", [30, 0])],
            [Series("Prévu", [120, None]), Series("Prévu", [None, 10])],
            columns=("Année", "a", "b", "c", "d"), said="Dit", labels=LABELS,
        ),
        "next": across.next_session(
            ["a", "b"], [30, 34], [60, None], ("prochaine", 33.2, 25, 44),
            words=("Inscrits", "Places", "Prévision"), columns=columns, said="Dit", labels=LABELS,
        ),
        "next, not known": across.next_session(
            ["a"], [30], [None], None, words=("Inscrits", "Places", "Prévision"), columns=columns,
            said="Dit", labels=LABELS,
        ),
        "kinds": across.by_kind(
            ["Présence", "Classe <b>"], [120.4, 0], [240, None], words=("Suivies", "Prévues"),
            columns=("Activité", "a", "b"), said="Dit", labels=LABELS,
        ),
        "shares, bars": across.shares(
            ["a", "b"], [SHARE, HIDDEN], line=False, columns=columns, hidden="non montré", said="Dit",
            labels=LABELS, percent=percent,
        ),
        "shares, line": across.shares(
            ["M1", "M2"], [SHARE, None], line=True, columns=columns, hidden="non montré", said="Dit",
            labels=LABELS, extra=[12, None], extra_name="Visites", percent=percent,
        ),
        "links": across.by_link(
            ["sept.", "oct."], [Series("2024-2026", [30, None]), Series("Sans", [90, 70])],
            columns=("Mois", "Tous"), totals=[120, None], hidden="non montré", said="Dit", labels=LABELS,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(made()))
def test_a_figure_is_valid_and_measured_from_zero(name: str) -> None:
    chart = made()[name]
    figure: Any = json.loads(json.dumps(chart.figure, allow_nan=False))
    figures.check(figure)
    assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)
    axis = figure["layout"]["xaxis" if name == "kinds" else "yaxis"]
    assert axis["range"][0] == 0
    assert figure["layout"]["xaxis"]["fixedrange"] is True


def test_what_is_hidden_is_not_drawn() -> None:
    bars = made()["shares, bars"]
    figure: Any = bars.figure
    assert figure["data"][0]["x"] == [0]
    assert bars.table.rows[1][1] == "non montré"
    links = made()["links"]
    drawn: Any = links.figure
    assert drawn["data"][1]["y"] == [30, None]
    assert links.table.rows[1] == ("oct.", "non montré", "non montré", 70)


def test_the_interval_of_the_next_session() -> None:
    figure: Any = made()["next"].figure
    mark = figure["data"][2]
    assert (mark["y"][0] + mark["error_y"]["array"][0], mark["y"][0] - mark["error_y"]["arrayminus"][0]) == (
        pytest.approx(44), pytest.approx(25),
    )  # fmt: skip
    assert made()["next"].table.rows[-1] == ("prochaine", 33.2, None, 25, 44)
