"""Numbers, durations and dates as people say them, in French and in English."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from hypothesis import given
from hypothesis import strategies as st

from lti_tool import formatting
from lti_tool.exports import csv_file
from lti_tool.web.listing import Column, Order, plain

NARROW = "\u202f"
TODAY = date(2026, 11, 22)


@pytest.fixture
def english() -> Iterator[None]:
    app = Flask("lti_tool.app")
    Babel(app, default_locale="en", default_translation_directories="/nowhere")
    with app.test_request_context(), force_locale("en"):
        yield


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, f"0{NARROW}min"),
        (20, "moins d’une minute"),
        (31, f"1{NARROW}min"),
        (55 * 60, f"55{NARROW}min"),
        (59.6 * 60, f"1{NARROW}h"),
        (110 * 60, f"1{NARROW}h{NARROW}50"),
        (7500, f"2{NARROW}h{NARROW}05"),
    ],
)
def test_durations(seconds: float | None, said: str) -> None:
    assert formatting.duration(seconds) == said


def test_planned_hours() -> None:
    assert formatting.hours(1.5) == f"1{NARROW}h{NARROW}30"


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "–"), (0, "0"), (0.001, "1"), (0.794, "79"), (0.995, "99"), (0.9999, "99"), (1, "100")],
)
def test_a_share_that_is_not_all_never_rounds_to_all(value: float | None, said: str) -> None:
    assert formatting.percent(value) == (said if said == "–" else f"{said}{NARROW}%")


def test_numbers() -> None:
    assert formatting.number(12345.6, 1) == f"12{NARROW}345,6"
    assert formatting.number(None) == "–"


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, "aujourd’hui"), (-1, "hier"), (1, "demain"), (-12, "il y a 12 jours"), (3, "dans 3 jours"),
        (-21, "le 1er novembre"), (20, "le 12 décembre"), (43, "le 4 janvier 2027"),
        (-500, "le 10 juillet 2025"),
    ],
)  # fmt: skip
def test_days_as_people_say_them(ahead: int, said: str) -> None:
    assert formatting.day(TODAY + timedelta(days=ahead), TODAY) == said


def test_days_in_tables() -> None:
    assert formatting.short_day(date(2026, 11, 14), TODAY) == "14 nov."
    assert formatting.short_day(date(2025, 11, 1), TODAY) == "1er nov. 2025"
    assert formatting.full_day(TODAY) == "dimanche 22 novembre 2026"


def test_how_long_ago() -> None:
    now = datetime(2026, 11, 22, 8, 3, tzinfo=UTC)
    assert formatting.ago(now, now) == "à l’instant"
    assert formatting.ago(now - timedelta(minutes=1), now) == "il y a 1 minute"
    assert formatting.ago(now - timedelta(hours=30), now) == "il y a 1 jour"
    assert formatting.clock_time(now) == f"8{NARROW}h{NARROW}03"


def test_small_counts_are_words() -> None:
    assert [formatting.in_words(count) for count in (1, 10, 16, 17)] == ["une", "dix", "seize", "17"]


@pytest.mark.usefixtures("english")
def test_english() -> None:
    assert formatting.percent(0.79) == "79%"
    assert formatting.number(12345.6, 1) == "12,345.6"
    assert formatting.short_day(date(2026, 11, 1), TODAY) == "1 Nov"


@given(st.text())
def test_no_cell_of_a_file_is_a_formula(text: str) -> None:
    content = csv_file.write(["a"], [[text]]).decode("utf-8-sig")
    cell = content.split("\r\n", 1)[1].lstrip('"').lstrip()
    assert not cell.startswith(("=", "+", "-", "@"))


def test_a_file_is_for_french_spreadsheets() -> None:
    content = csv_file.write(["Nom", "Heures"], [["Zoé", 1.5], ["Léa", None]])
    assert content == b"\xef\xbb\xbf" + "Nom;Heures\r\nZoé;1,5\r\nLéa;\r\n".encode()


def test_lists_sort_without_accents_and_keep_the_unknown_last() -> None:
    columns = [
        Column("name", "Nom", plain),
        Column("size", "Taille", lambda name: {"a": 1}.get(name), number=True),
    ]
    assert Order.read(columns, {}, "name").apply(["Zoé", "élan", "Abel"]) == ["Abel", "élan", "Zoé"]
    for way in ("asc", "desc"):
        assert Order.read(columns, {"sort": "size", "dir": way}, "name").apply(["b", "a"]) == ["a", "b"]
    assert Order.read(columns, {"sort": "'; DROP"}, "name").column.key == "name"
