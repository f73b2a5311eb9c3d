"""Figures: valid for plotly, light, honest, and saying the same as their table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from analyzers import crossing, figures
from analyzers.figures import Labels
from analyzers.results import ActivityProgress, Basis, Chart, Overview, Pace, Share, TimelineDay, Week

MONDAY = date(2026, 10, 5)
LABELS = Labels(
    week="Semaine",
    active="Actifs",
    reference="Sessions précédentes",
    activity="Activité",
    reached="Ouverte",
    completed="Terminée",
    mine="Mes modules",
    band="Groupe",
    low="Premier quart",
    middle="Médiane",
    high="Troisième quart",
    day="Jour",
    minutes="Minutes",
    done="Terminé",
    day_name=date.isoformat,
    short_day=lambda day: f"{day:%d/%m}",
    week_name="S{}".format,
)
BASIS = Basis(58, "overview", None, None)


def overview(*active: int, reference: float | None = None) -> Overview:
    weeks = tuple(
        Week(MONDAY + timedelta(weeks=rank), count, rank == len(active) - 1, reference)
        for rank, count in enumerate(active)
    )
    return Overview(BASIS, 58, 0, 0, {}, weeks, None, True, None, None)


def activity(title: str, reached: int, completed: int, tracked: bool = True) -> ActivityProgress:
    return ActivityProgress(title, title, 1, True, "", None, reached, completed, tracked, None, None, 0)


def pace(band: bool) -> Pace:
    weeks = tuple(MONDAY + timedelta(weeks=rank) for rank in range(4))
    group = tuple((float(rank), rank + 0.5, rank + 1.0) for rank in range(4))
    return Pace(weeks, (0, 1, 1, 2), group if band else None, None if band else "few", BASIS)


SHARE = Share(8, 10, 0.49, 0.94)
WORDS = figures.CrossingWords(
    more="plus",
    less="moins",
    same="autant",
    hidden="caché",
    corner="",
    total="Total",
    said="Dit",
    cell=lambda row, column, cell: f"{row}, {column} : {cell.count}",
    cell_short=lambda cell: str(cell.count),
)
DAYS = (
    TimelineDay(MONDAY, 3, 600, ("Lire",), ("Lire",), ()),
    TimelineDay(MONDAY + timedelta(days=9), 1, 60, ("Quiz",), (), ()),
)

CHARTS: dict[str, Callable[[], Chart]] = {
    "weeks": lambda: figures.weeks(overview(22, 35, 1200), labels=LABELS),
    "weeks with reference": lambda: figures.weeks(overview(22, 35, 0, reference=31.26), labels=LABELS),
    "weeks, empty": lambda: figures.weeks(overview(), labels=LABELS),
    "activities": lambda: figures.module_activities(
        [activity("Lire <b>", 9, 4), activity("Débattre", 3, 0, tracked=False)], enrolled=10, labels=LABELS
    ),
    "activities, empty": lambda: figures.module_activities([], enrolled=0, labels=LABELS),
    "pace": lambda: figures.pace(pace(True), labels=LABELS, required=5),
    "pace alone": lambda: figures.pace(pace(False), labels=LABELS),
    "pace, empty": lambda: figures.pace(Pace((), (), None, "few", BASIS), labels=LABELS),
    "timeline": lambda: figures.timeline(DAYS, labels=LABELS),
    "timeline, empty": lambda: figures.timeline((), labels=LABELS),
    "trend": lambda: figures.trend(
        ["2025", "2026"],
        [[SHARE, None], [SHARE, SHARE], [None, None], [SHARE, SHARE]],
        words=figures.TrendWords("Session", "Favorables", "Bas", "Haut", "n", "Dit", "abcd"),
        labels=LABELS,
    ),
    "months": lambda: figures.months(
        [(MONDAY, 3), (MONDAY + timedelta(days=31), 0)],
        month="Mois",
        name="Lignes",
        month_name=date.isoformat,
        short_month=date.isoformat,
        labels=LABELS,
        said="Dit",
    ),
    "crossed": lambda: figures.crossed(
        crossing.cross(
            [("a", "x")] * 30 + [("a", "y")] * 8 + [("b", "x")] * 7 + [("b", "y")] * 25, k=5, other="…"
        ),
        ["A", "B"],
        ["X", "Y"],
        words=WORDS,
        labels=LABELS,
    ),
}


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest) -> Chart:
    return CHARTS[request.param]()


def test_a_figure_is_valid_json_for_plotly(chart: Chart) -> None:
    figure = json.loads(json.dumps(chart.figure, allow_nan=False))
    assert "template" not in figure["layout"]
    figures.check(figure)


def test_a_figure_cannot_be_zoomed_by_accident_and_has_no_background(chart: Chart) -> None:
    layout: Any = chart.figure["layout"]
    assert layout["dragmode"] is False
    assert layout["xaxis"]["fixedrange"] is True
    assert layout["yaxis"]["fixedrange"] is True
    assert layout["separators"] == ",\u202f"
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"


def test_bars_start_from_zero(chart: Chart) -> None:
    layout: Any = chart.figure["layout"]
    data: Any = chart.figure["data"]
    if all(part.get("mode") == "markers" for part in data):
        assert layout["xaxis"]["ticktext"]  # categories on both sides: nothing is measured along them
        return
    axis = "xaxis" if any(part.get("orientation") == "h" for part in data) else "yaxis"
    assert layout[axis]["range"][0] == 0
    assert layout[axis]["range"][1] > 0
    values = [value for part in data for value in part[axis[0]] if value is not None]
    assert layout[axis]["range"][1] >= max(values, default=0)


def test_colours_are_those_of_the_palette_and_have_a_dark_value(chart: Chart) -> None:
    colours = {text for text in _texts(chart.figure) if text.startswith("#")}
    assert colours <= set(figures.DARK)


def test_nothing_is_fetched_nor_run(chart: Chart) -> None:
    text = json.dumps(chart.figure)
    assert "http" not in text
    assert "//" not in text
    assert "<script" not in text


def test_every_row_of_the_table_has_its_columns(chart: Chart) -> None:
    assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)
    assert chart.description


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def test_weeks_and_their_table_say_the_same() -> None:
    chart = figures.weeks(overview(22, 35, reference=31.26), labels=LABELS)
    bars, line = chart.figure["data"]  # type: ignore[misc]
    assert bars["y"] == [22, 35]
    assert bars["marker"]["pattern"]["shape"] == ["", "/"]  # the running week is told by more than colour
    assert (line["y"], line["line"]["dash"]) == ([31.3, 31.3], "dash")
    assert chart.table.columns == ("Semaine", "Jour", "Actifs", "Sessions précédentes")
    assert chart.table.rows[1] == ("S2", "2026-10-12", 35, 31.3)
    assert chart.description == "Actifs : S1 22, S2 35"


def test_weeks_without_reference_have_neither_line_nor_column() -> None:
    chart = figures.weeks(overview(1, 2), labels=LABELS)
    assert len(chart.figure["data"]) == 1  # type: ignore[arg-type]
    assert chart.table.columns == ("Semaine", "Jour", "Actifs")


def test_many_weeks_name_few_ticks_and_always_the_last() -> None:
    layout: Any = figures.weeks(overview(*range(60)), labels=LABELS).figure["layout"]
    assert len(layout["xaxis"]["tickvals"]) <= 8
    assert layout["xaxis"]["ticktext"][-1] == "S60"


def test_completion_that_nothing_tracks_is_unknown_and_not_zero() -> None:
    chart = CHARTS["activities"]()
    assert chart.table.rows == (("Lire <b>", 9, 4), ("Débattre", 3, None))
    reached, completed = chart.figure["data"]  # type: ignore[misc]
    assert completed["x"] == [4, None]
    assert reached["marker"]["pattern"]["shape"] == "/"
    layout: Any = chart.figure["layout"]
    assert layout["yaxis"]["ticktext"][0] == "Lire &lt;b&gt;"
    assert layout["xaxis"]["range"][1] >= 10  # out of the enrolled


def test_pace_draws_the_band_only_when_it_may_be_shown() -> None:
    assert len(CHARTS["pace"]().figure["data"]) == 4  # type: ignore[arg-type]
    alone = CHARTS["pace alone"]()
    assert len(alone.figure["data"]) == 1  # type: ignore[arg-type]
    assert alone.table.columns == ("Semaine", "Jour", "Mes modules")
    assert CHARTS["pace"]().table.rows[3] == ("S4", "2026-10-26", 2, 3.0, 3.5, 4.0)


def test_the_timeline_marks_the_days_when_something_was_done() -> None:
    chart = CHARTS["timeline"]()
    bars, marks = chart.figure["data"]  # type: ignore[misc]
    assert bars["y"] == [10, 1]
    assert marks["customdata"] == ["Lire"]
    assert chart.table.rows[0] == ("2026-10-05", 10, "Lire")
