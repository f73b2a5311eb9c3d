"""The outline drawn from the traces, corrected by hand, read from files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from lti_tool.exports import csv_file
from tests.factories import traces
from tool_config.database import transaction
from xapi import outline, rollup
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.outline import Edit, Item, OutlineError
from xapi.tables import outline_edit

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
NINE = datetime(2026, 11, 20, 8, tzinfo=UTC)
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


# --- drawing: pure ----------------------------------------------------------------------------------------


def fact(activity: str, section: str = "", minutes: int = 0, **said: Any) -> Any:
    at = NINE + timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "activity": activity,
        "fact": f"{activity}{section}{said}",
        "activity_type": "",
        "activity_title": activity or None,
        "section": section,
        "section_title": None,
        "course_title": None,
        "tracked": False,
        "first_at": at,
        "last_at": at,
    }
    return SimpleNamespace(**{**values, **said})


def by_hand(iri: str, **said: Any) -> Any:
    names = ("module", "title", "position", "required", "hidden", "hours_in_person", "hours_distance")
    values = dict.fromkeys((*names, "opens_on", "closes_on", "gathering"))
    return SimpleNamespace(iri=iri, **{**values, **said})


def shape(facts: list[Any], edits: list[Any] | None = None) -> list[str]:
    """Return the visible outline as lines: modules, then their activities after a dash."""
    return [
        item.title if item.level == "module" else f"- {item.title}"
        for item in outline.draw(facts, edits or []).visible
    ]


def test_sections_hold_activities_and_the_others_hold_themselves() -> None:
    facts = [
        fact("b", "s1", 5, section_title="Un"),
        fact("a", "s1", 9),
        fact("c", minutes=1),
        fact("d", "s2", 3, section_title="Deux"),
    ]
    assert shape(facts) == ["c", "- c", "Deux", "- d", "Un", "- b", "- a"]


def test_sections_follow_their_numbers_the_general_one_first() -> None:
    facts = [
        fact("a", "s9", 0, section_title="Section 10"),
        fact("b", "s3", 1, section_title="Section 2"),
        fact("c", "s1", 2, section_title="Généralités"),
    ]
    assert shape(facts) == ["Généralités", "- c", "Section 2", "- b", "Section 10", "- a"]


def test_sections_without_numbers_follow_those_of_the_platform() -> None:
    base = "https://campus.test/course/section.php?id="
    facts = [
        fact("a", f"{base}31", 0, section_title="Troisième"),
        fact("b", f"{base}4", 1, section_title="Première"),
        fact("c", f"{base}12", 2, section_title="Deuxième"),
    ]
    assert [line for line in shape(facts) if line[0] != "-"] == ["Première", "Deuxième", "Troisième"]


def test_the_latest_word_gives_the_titles() -> None:
    facts = [
        fact("a", "s", 9, activity_title="Nouveau", course_title="Cours renommé"),
        fact("a", "s", 1, activity_title="Ancien", section_title="Section", course_title="Cours"),
    ]
    assert shape(facts) == ["Section", "- Nouveau"]
    assert outline.draw(facts, []).course_title == "Cours renommé"


def test_what_nothing_names_shows_the_end_of_its_address() -> None:
    assert shape([fact("https://a.test/mod/page/view.php?id=3", activity_title=None)])[0] == "view.php?id=3"


def test_required_is_what_is_tracked_or_planned() -> None:
    facts = [fact("a", "s", tracked=True), fact("b", "s", 1), fact("c", minutes=2)]
    drawing = outline.draw(facts, [by_hand("g", gathering="visit", module="s", opens_on=date(2026, 11, 1))])
    required = {(item.level, item.iri): item.required for item in drawing.items}
    assert required == {
        ("module", "s"): True,
        ("activity", "a"): True,
        ("activity", "b"): False,
        ("activity", "g"): True,
        ("module", "c"): False,
        ("activity", "c"): False,
    }
    assert all(i.required for i in outline.draw(facts[1:], []).items if i.level == "module")


def test_hands_correct_titles_order_module_and_hide() -> None:
    facts = [fact("a", "s"), fact("b", "s", 1), fact("c", "s", 2), fact("d", minutes=3)]
    edits = [
        by_hand("c", position=1, title="Le premier"),
        by_hand("d", module="s"),
        by_hand("b", hidden=True),
    ]
    assert shape(facts, edits) == ["s", "- Le premier", "- a", "- d"]
    drawing = outline.draw(facts, edits)
    assert [item.position for item in drawing.visible] == [1, 1, 2, 3]
    assert [item.iri for item in drawing.items if item.hidden] == ["b"]
    assert shape(facts, [by_hand("s", hidden=True)]) == ["d", "- d"]


def test_an_unknown_module_or_a_circle_changes_nothing() -> None:
    facts = [fact("a", "s"), fact("b"), fact("c", minutes=1)]
    edits = [by_hand("a", module="nowhere"), by_hand("b", module="c"), by_hand("c", module="b")]
    drawing = outline.draw(facts, edits)
    assert {item.iri: item.module for item in drawing.items if item.level == "activity"} == {
        "a": "s",
        "b": "b",
        "c": "c",
    }


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(
        [fact(name, section, minutes) for name in "abcd" for section in ("", "s", "t") for minutes in (0, 5)]
    )
)
def test_the_order_of_facts_does_not_matter(facts: list[Any]) -> None:
    expected = outline.draw(sorted(facts, key=lambda f: f.fact), [by_hand("a", position=2)])
    assert outline.draw(facts, [by_hand("a", position=2)]) == expected


# --- editing ----------------------------------------------------------------------------------------------


def visited(conn: Connection, silo: int) -> int:
    """Store a visit of each of three activities; return the course."""
    ingest(
        conn,
        silo,
        [
            traces.statement(
                "3",
                traces.VIEWED,
                traces.page(rank),
                NINE + timedelta(minutes=rank),
                parents=[traces.section(7, "Concepts"), traces.course()],
            )
            for rank in (1, 2, 3)
        ],
        now=NOW,
    )
    return drained(conn, silo)


def drained(conn: Connection, silo: int) -> int:
    while rollup.refresh(conn, silo, now=NOW):
        pass
    return course_id(silo, traces.course()["id"])


PAGES = [traces.page(rank)["id"] for rank in (1, 2, 3)]
SECTION = traces.section(7)["id"]


def refused(conn: Connection, silo: int, number: int, *edits: Edit) -> list[tuple[str, str]]:
    with pytest.raises(OutlineError) as caught:
        outline.edit(conn, silo, number, edits, by="formateur", now=NOW)
    assert not conn.execute(select(outline_edit)).all()
    return [(problem.code, problem.column) for problem in caught.value.problems]


def test_edits_are_seen_after_the_refresh_and_given_back(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number = visited(conn, silo)
        edits = [
            Edit(SECTION, title=" Mettre en contexte ", hours_in_person=6, opens_on=date(2026, 9, 1)),
            Edit(PAGES[2], position=1, required=True),
        ]
        assert outline.edit(conn, silo, number, edits, by="formateur", now=NOW) == 2
        shown = outline.read(conn, silo, number, hidden=True)
        drained(conn, silo)
        items = outline.read(conn, silo, number)
        assert items == shown
        assert (items[0].title, items[0].hours_in_person) == ("Mettre en contexte", 6.0)
        assert [item.iri for item in items] == [SECTION, PAGES[2], PAGES[0], PAGES[1]]
        assert outline.edit(conn, silo, number, [Edit(SECTION, title=None)], by="x", now=NOW) == 1
        drained(conn, silo)
        first = outline.read(conn, silo, number)[0]
        assert (first.title, first.hours_in_person) == ("Concepts", 6.0)


def test_what_is_sent_back_as_shown_changes_nothing(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number = visited(conn, silo)
        shown = outline.read(conn, silo, number, hidden=True)
        reading = outline.read_csv(csv_file.write(outline.HEADINGS, outline.lines(shown)))
        assert reading.problems == ()
        assert len(reading.edits) == 4
        assert outline.edit(conn, silo, number, reading.edits, by="formateur", now=NOW) == 0
        assert not conn.execute(select(outline_edit)).all()


@sqlite_only
def test_faulty_edits_are_refused_together_and_nothing_is_written(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number = visited(conn, silo)
        assert refused(
            conn,
            silo,
            number,
            Edit("urn:unknown", title="x"),
            Edit(PAGES[0], module="urn:nowhere", position=0),
            Edit(PAGES[1], hours_distance=-1, title="x" * 301),
            Edit(PAGES[1], hours_in_person=float("nan")),
            Edit(SECTION, opens_on=date(2026, 9, 2), closes_on=date(2026, 9, 1)),
        ) == [
            ("unknown_iri", "iri"),
            ("unknown_module", "module"),
            ("position_range", "position"),
            ("title_length", "title"),
            ("hours_range", "hours_distance"),
            ("repeated_iri", "iri"),
            ("hours_range", "hours_in_person"),
            ("dates_order", "closes_on"),
        ]


@sqlite_only
def test_dates_are_compared_with_those_already_there(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number = visited(conn, silo)
        outline.edit(conn, silo, number, [Edit(SECTION, opens_on=date(2026, 9, 2))], by="x", now=NOW)
        with pytest.raises(OutlineError) as caught:
            outline.edit(conn, silo, number, [Edit(SECTION, closes_on=date(2026, 9, 1))], by="x", now=NOW)
        assert caught.value.problems[0].code == "dates_order"


def test_a_gathering_is_planned_once_in_its_module(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number = visited(conn, silo)
        wanted: dict[str, Any] = {
            "title": "Jour 1",
            "kind": "day_in_person",
            "day": date(2026, 10, 2),
            "hours": 6.5,
            "by": "formateur",
            "now": NOW,
        }
        iri = outline.add_gathering(conn, silo, number, module=SECTION, **wanted)
        assert outline.add_gathering(conn, silo, number, module=SECTION, **wanted) == iri
        alone = outline.add_gathering(conn, silo, number, **{**wanted, "kind": "virtual_class"})
        drained(conn, silo)
        items = {(item.level, item.iri): item for item in outline.read(conn, silo, number)}
        day = items["activity", iri]
        assert (day.module, day.gathering, day.hours_in_person) == (SECTION, "day_in_person", 6.5)
        assert (day.opens_on, day.required, day.position) == (date(2026, 10, 2), True, 1)
        assert items["module", alone].hours_distance == 6.5
        for faulty, code in (
            ({"kind": "party"}, "gathering_kind"),
            ({"module": "urn:none"}, "unknown_module"),
            ({"title": " "}, "title_length"),
            ({"hours": -2}, "hours_range"),
        ):
            with pytest.raises(OutlineError) as caught:
                outline.add_gathering(conn, silo, number, **{**wanted, **faulty})
            assert caught.value.problems[0].code == code
        with pytest.raises(OutlineError):
            outline.add_gathering(conn, silo, 12, **wanted)


# --- files ------------------------------------------------------------------------------------------------

FILE = """Identifiant;Titre;Position;Obligatoire;Heures en présence;Ouverture;Fermeture;Remarque
urn:a;Été;2;oui;1,5;02/09/2026;2026-12-31;x
urn:b;;;;;;;
"""


@pytest.mark.parametrize(
    "content",
    [
        FILE.encode(),
        FILE.encode("utf-8-sig"),
        FILE.encode("cp1252"),
        FILE.replace("1,5", "1.5").replace(";", ",").encode(),
        FILE.replace("\n", "\r\n").encode(),
        ("\n" + FILE).encode(),
    ],
)
def test_files_of_french_spreadsheets(content: bytes) -> None:
    reading = outline.read_csv(content)
    assert reading.problems == ()
    assert reading.ignored == ("Remarque",)
    first, second = reading.edits
    assert replace(first, line=None) == Edit(
        "urn:a",
        title="Été",
        position=2,
        required=True,
        hours_in_person=1.5,
        opens_on=date(2026, 9, 2),
        closes_on=date(2026, 12, 31),
    )
    assert (second.title, second.required, second.module) == (None, None, outline.KEEP)


def test_faults_say_line_and_column() -> None:
    reading = outline.read_csv(
        "identifiant;position;heures à distance;ouverture;obligatoire\n"
        "urn:a;un;6 h;31/02/2026;oui\n"
        ";1;x;;peut-être\n"
        "urn:b;;;;;en trop\n"
    )
    assert reading.edits == ()
    assert [(p.code, p.line, p.column, p.params.get("text")) for p in reading.problems] == [
        ("number", 2, "position", "un"),
        ("day", 2, "opens_on", "31/02/2026"),
        ("hours", 3, "hours_distance", "x"),
        ("yes_no", 3, "required", "peut-être"),
        ("iri_missing", 3, "iri", None),
        ("cells", 4, "", None),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"titre;position\nx;1\n", "iri_column"),
        (b"iri;titre;title\nx;1;2\n", "repeated_column"),
        (b'iri;titre\nx;"a\n', "separator"),
        (b"iri;titre\n\x81;a\n", "encoding"),
        (b"iri\n" + b"x\n" * 5001, "too_long"),
    ],
)
def test_files_that_cannot_be_read(content: bytes, code: str) -> None:
    reading = outline.read_csv(content)
    assert reading.edits == ()
    assert [problem.code for problem in reading.problems] == [code]


def test_a_title_never_runs_as_a_formula() -> None:
    item = Item("urn:a", "module", "urn:a", '=HYPERLINK("x")', 1, True, hours_in_person=1.5)
    text = csv_file.write(outline.HEADINGS, outline.lines([item])).decode()
    assert text.startswith("\ufeffidentifiant;")
    assert "'=HYPERLINK" in text
    assert ";1,5;" in text
    assert outline.read_csv(text.encode()).edits[0].title == item.title


@settings(max_examples=150, deadline=None)
@example(b";")
@given(st.binary(max_size=300))
def test_any_file_is_answered(content: bytes) -> None:
    reading = outline.read_csv(content)
    assert not (reading.edits and reading.problems)
