"""Lines of a Moodle log become what the plugin would have sent; what says nothing of a learner does not."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tool_config import vocabulary
from xapi.reading import from_statement
from xapi.sources.moodle_log import Glossary, Line, Site, convert, statements, unmatched
from xapi.statement import parse

SITE = Site("https://moodle.test", lambda number: f"https://moodle.test/course/view.php?id={number}")
AT = datetime(2026, 10, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
COURSE = "https://moodle.test/course/view.php?id=12"


def line(description: str, context: str = "", number: int = 2, at: datetime = AT) -> Line:
    return Line(number, at, context, "", description)


def converted(*lines: Line) -> list[dict[str, Any] | None]:
    glossary = Glossary()
    for each in lines:
        glossary.learn(each)
    return [made for _, made in statements(lines, glossary, SITE)]


VIEWED = line("The user with id '7' viewed the course with id '12'.", "Cours : Piloter")


@pytest.mark.parametrize(
    ("description", "verb", "object_id", "who"),
    [
        (
            "The user with id '7' viewed the section number '3' of the course with id '12'.",
            "viewed",
            COURSE,
            "7",
        ),
        (
            "The user with id '7' viewed the 'page' activity with course module id '31'.",
            "viewed",
            "https://moodle.test/mod/page/view.php?id=31",
            "7",
        ),
        (
            "The user with id '7' has submitted the submission with id '5' for the assignment with course "
            "module id '33'.",
            "submit",
            "https://moodle.test/mod/assign/view.php?id=33#submission",
            "7",
        ),
        (
            "The user with id '7' has submitted the attempt with id '5' for the quiz with course "
            "module id '34'.",
            "completed",
            "https://moodle.test/mod/quiz/view.php?id=34",
            "7",
        ),
        (
            "The user with id '2' enrolled the user with id '9' using the enrolment method 'manual' in the "
            "course with id '12'.",
            "enrolled",
            COURSE,
            "9",
        ),
        (
            "The user with id '7' submitted response for 'feedback' activity with course module id '35'.",
            "submit",
            "https://moodle.test/mod/feedback/view.php?id=35",
            "7",
        ),
    ],
)
def test_what_a_line_becomes(description: str, verb: str, object_id: str, who: str) -> None:
    _, made = converted(VIEWED, line(description))
    assert made is not None
    assert made["verb"]["id"].rsplit("/", 1)[1] == verb
    assert made["object"]["id"] == object_id
    assert made["actor"] == {"account": {"homePage": "https://moodle.test", "name": who}}
    assert made["timestamp"] == "2026-10-01T07:30:00Z"
    event = from_statement(parse(made)[0], vocabulary.load())
    assert event is not None
    assert event.course_iri == COURSE
    assert event.course_title == "Piloter"


def test_a_completion_takes_its_module_from_the_other_lines() -> None:
    done = line(
        "The user with id '2' updated the completion state for the course module with id '31' for the user "
        "with id '7'.",
        "Page : Lire d&apos;abord &amp; vite",
    )
    assert converted(VIEWED, done)[1] is None
    seen = line("The user with id '8' viewed the 'page' activity with course module id '31'.")
    made = converted(VIEWED, done, seen)[1]
    assert made is not None
    assert made["object"]["id"] == "https://moodle.test/mod/page/view.php?id=31"
    assert made["object"]["definition"]["name"] == {"und": "Lire d'abord & vite"}
    assert made["actor"]["account"]["name"] == "7"


@pytest.mark.parametrize(
    "description",
    [
        "The user with id '7' viewed the list of users in the course with id '12'.",
        "The user with id '7' viewed the profile for the user with id '8' in the course with id '12'.",
        "The user with id '2' updated the 'page' activity with course module id '31'.",
        "User added submission 'viewed the course with id 12'",
        "",
    ],
)
def test_other_lines_become_nothing(description: str) -> None:
    assert converted(VIEWED, line(description))[1] is None


def test_those_who_run_the_course_are_told_apart() -> None:
    glossary = Glossary()
    for description in (
        "The user with id '2' updated the 'page' activity with course module id '31'.",
        "The user with id '3' enrolled the user with id '9' using the enrolment method 'manual' in the "
        "course with id '12'.",
        "The user with id '4' enrolled the user with id '4' using the enrolment method 'self' in the "
        "course with id '12'.",
        "The user with id '7' viewed the course with id '12'.",
    ):
        glossary.learn(line(description))
    assert glossary.staff == {"2", "3"}


def test_ids_are_those_of_the_line_and_not_of_the_file() -> None:
    first = converted(VIEWED, VIEWED, line("The user with id '8' viewed the course with id '12'."))
    second = converted(line("The user with id '8' viewed the course with id '12'."), VIEWED, VIEWED)
    ids = [made["id"] for made in first if made]
    assert len(set(ids)) == 3
    assert set(ids) == {made["id"] for made in second if made}


def test_a_line_without_course_in_a_log_without_any() -> None:
    alone = line("The user with id '7' viewed the 'page' activity with course module id '31'.")
    assert convert(alone, Glossary(), SITE) is None


def test_what_another_source_has_is_left_out_once_each() -> None:
    minute = datetime(2026, 10, 1, 7, 30, tzinfo=UTC)
    made = [("a", minute), ("a", minute), ("b", minute), ("a", minute + timedelta(minutes=1))]
    assert unmatched(made, {("a", minute): 1, ("b", minute): 5}) == [False, True, False, True]


@pytest.mark.parametrize(
    ("folder", "name", "encoding", "expected"),
    [
        ("moodle-logs-edify", "Moodle Module 3 SP17.csv", "utf-8-sig", {"viewed": 407, "completed": 100}),
        ("moodle-logs-fr-derived", "journaux_Module_3_SP17.csv", "utf-8", {"viewed": 407, "completed": 100}),
        (
            "moodle-logs-edify",
            "Moodle Module 1 F19.csv",
            "cp1252",
            {"viewed": 4880, "completed": 633, "submit": 38, "enrolled": 33},
        ),
    ],
)
def test_real_logs(
    shared_data: Path, folder: str, name: str, encoding: str, expected: dict[str, int]
) -> None:
    with open(shared_data / folder / name, encoding=encoding, newline="") as file:
        rows = list(csv.reader(file))[1:]
    made = converted(*(line(row[6], row[3], number) for number, row in enumerate(rows, 2)))
    verbs = Counter(each["verb"]["id"].rsplit("/", 1)[1] for each in made if each)
    assert verbs == expected
