"""Rows arranged for a crossing: people once, choices apart, what is missing said."""

from __future__ import annotations

from datetime import date
from typing import Any

from analyzers.dimensions import Line, arrange

ORIGINS = {"p": {"academie": "poitiers"}, "q": {"academie": "lille"}, "r": {}}


def line(person: str | None, day: int = 1, **data: Any) -> Line:
    return Line(person, date(2026, 1, day), data)


def test_rows_that_name_nobody_count_each() -> None:
    found = arrange([line(None, a="x", b="1"), line(None, a="x", b="2"), line(None, a="y")], {}, "a", "b")
    assert (found.units, found.people, found.missing) == (2, False, 1)
    assert found.pairs == [("x", "1"), ("x", "2")]


def test_somebody_counts_once_however_many_rows_say_the_same() -> None:
    found = arrange([line("p", a="x", b="1"), line("p", 2, a="x", b="1")], ORIGINS, "a", "b")
    assert (found.units, found.people, found.last) == (1, True, False)
    assert found.pairs == [("x", "1")]


def test_several_choices_of_one_person_are_choices() -> None:
    lines = [
        line("p", module="m1"),
        line("p", 2, module="m2"),
        line("q", module="m1"),
        line("r", module="m1"),
    ]
    found = arrange(lines, ORIGINS, "people.academie", "module")
    assert found.choices == [("poitiers", frozenset({"m1", "m2"})), ("lille", frozenset({"m1"}))]
    assert not found.exchanged
    assert found.missing == 1
    other_way = arrange(lines, ORIGINS, "module", "people.academie")
    assert other_way.choices == found.choices
    assert other_way.exchanged


def test_values_in_one_cell_are_choices_too() -> None:
    found = arrange([line("p", a="x", b=["1", "2"])], ORIGINS, "a", "b")
    assert found.choices == [("x", frozenset({"1", "2"}))]


def test_where_both_change_the_last_known_is_taken() -> None:
    lines = [line("p", 9, a="x", b="2"), line("p", 1, a="y", b="1"), line("q", a="y", b="1")]
    found = arrange(lines, ORIGINS, "a", "b")
    assert found.last
    assert found.pairs == [("x", "2"), ("y", "1")]


def test_other_dimensions_go_beside() -> None:
    found = arrange(
        [line("p", a="x", b="1", c=True), line("r", a="y", b="1")],
        ORIGINS,
        "a",
        "b",
        ["a", "c", "people.academie"],
    )
    assert found.beside == {"c": ["true", ""], "people.academie": ["poitiers", ""]}


def test_crossing_of_what_was_arranged() -> None:
    lines = [line(str(number), a="xy"[number % 2], b="12"[number % 2]) for number in range(40)]
    found = arrange(lines, {}, "a", "b").cross(5)
    assert found.association is not None
    assert found.association.v > 0.9
    assert arrange(lines[:4], {}, "a", "b").cross(5).suppressed == "few"


def test_each_value_of_a_third_dimension_with_several_is_one_by_itself() -> None:
    lines = [
        Line("p", None, {"corps": "x", "place": "y", "module": "1"}),
        Line("p", None, {"corps": "x", "place": "y", "module": "2"}),
        Line("q", None, {"corps": "z", "place": "y", "module": "1"}),
    ]
    found = arrange(lines, {}, "corps", "place", ["corps", "place", "module"])
    assert found.beside == {"module=1": ["1", "1"], "module=2": ["1", "0"]}
    found = arrange(lines, {}, "corps", "module", ["corps", "place", "module"])
    assert found.beside == {"place": ["y", "y"]}
    assert found.choices == [("x", frozenset({"1", "2"})), ("z", frozenset({"1"}))]
