"""Cells into values, as French and English files write them; headings into fields."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.imports import documents
from tests.conftest import ROOT
from tool_config import references, standards
from tool_config.references import plain
from tool_config.standards import Field, StandardError
from tool_config.surveys import Label
from xapi.sources import mapping
from xapi.sources.cells import Row
from xapi.sources.reading import CellFault, Manner, day, number, read


def field(kind: str, **more: Any) -> Field:
    return Field("f", kind, Label("Champ", "Field"), **more)


@pytest.mark.parametrize(
    ("cell", "order", "wanted"),
    [
        ("03/02/2026", "dmy", date(2026, 2, 3)),
        ("03/02/2026", "mdy", date(2026, 3, 2)),
        ("3.2.26", "dmy", date(2026, 2, 3)),
        ("2026-02-03", "dmy", date(2026, 2, 3)),
        ("2026-02-03T10:00:00Z", "dmy", date(2026, 2, 3)),
        ("27 juin 17, 05:54", "dmy", date(2017, 6, 27)),
        ("mardi 3 févr. 2026", "dmy", date(2026, 2, 3)),
        ("1er août 2026", "dmy", date(2026, 8, 1)),
        ("12 déc. 2026", "dmy", date(2026, 12, 12)),
        ("February 3, 2026", "dmy", date(2026, 2, 3)),
        ("2009-12-28,2010-01-03", "dmy", date(2009, 12, 28)),
        ("2010-01", "dmy", date(2010, 1, 1)),
        ("janvier 2010", "dmy", date(2010, 1, 1)),
        (46056, "dmy", date(2026, 2, 3)),
        (46056.6, "dmy", date(2026, 2, 3)),
        (datetime(2026, 2, 3, 10), "dmy", date(2026, 2, 3)),
        ("31/02/2026", "dmy", "day"),
        ("13/13/2026", "dmy", "day"),
        ("bientôt", "dmy", "day"),
        ("03/02/2026 et plus", "dmy", "day"),
        (-4, "dmy", "day"),
    ],
)  # fmt: skip
def test_days(cell: Any, order: str, wanted: Any) -> None:
    _is(cell, field("day"), wanted, Manner(days=order))


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("12/11/2026 14:02", datetime(2026, 11, 12, 13, 2, tzinfo=UTC)),
        ("12/11/2026, 14:02:10", datetime(2026, 11, 12, 13, 2, 10, tzinfo=UTC)),
        ("12/11/2026 à 14h02", datetime(2026, 11, 12, 13, 2, tzinfo=UTC)),
        ("12/07/2026 2:02:10 PM", datetime(2026, 7, 12, 12, 2, 10, tzinfo=UTC)),
        ("2026-11-12T14:02:10+02:00", datetime(2026, 11, 12, 12, 2, 10, tzinfo=UTC)),
        ("2026-11-12 14:02:10 UTC", datetime(2026, 11, 12, 14, 2, 10, tzinfo=UTC)),
        ("12 nov. 26, 14:02", datetime(2026, 11, 12, 13, 2, tzinfo=UTC)),
        ("12/11/2026", datetime(2026, 11, 12, 11, 0, tzinfo=UTC)),
        (datetime(2026, 11, 12, 14, 2), datetime(2026, 11, 12, 13, 2, tzinfo=UTC)),
        (46338.5, datetime(2026, 11, 12, 11, 0, tzinfo=UTC)),
        ("12/11/2026 25:02", "instant"),
        ("14:02", "instant"),
    ],
)  # fmt: skip
def test_instants(cell: Any, wanted: Any) -> None:
    _is(cell, field("instant"), wanted)


@pytest.mark.parametrize(
    ("text", "decimal", "wanted"),
    [
        ("3,5", ",", 3.5), ("3.5", ",", 3.5), ("3.5", ".", 3.5), ("1 234,50 €", ",", 1234.5),
        ("1\u202f234,5", ",", 1234.5), ("1.234,5", ",", 1234.5), ("1.234", ",", 1234), ("1.234", ".", 1.234),
        ("1,234.5", ".", 1234.5), ("1,234", ".", 1234), ("1,234", ",", 1.234), ("-0,5", ",", -0.5),
        ("1e3", ",", 1000), ("douze", ",", None), ("1,2,3", ",", None), ("", ",", None), ("1-2", ",", None),
    ],
)  # fmt: skip
def test_numbers(text: str, decimal: str, wanted: float | None) -> None:
    assert number(text, decimal) == wanted


@pytest.mark.parametrize(
    ("cell", "kind", "wanted"),
    [
        ("72 %", "percent", 72), (0.72, "percent", 72), ("72,5", "percent", 72.5), (72, "percent", 72),
        ("1 h 30", "hours", 1.5), ("1h30", "hours", 1.5), ("2,5", "hours", 2.5), ("1:30", "hours", 1.5),
        (timedelta(hours=30), "hours", 30), (time(1, 30), "hours", 1.5), ("1h 25m 50s", "minutes", 85.833333),
        ("90", "minutes", 90), ("4 min 30s", "minutes", 4.5), ("longtemps", "hours", "duration"),
        ("oui", "yes_no", True), ("Absent", "yes_no", False), (1, "yes_no", True), (False, "yes_no", False),
        ("peut-être", "yes_no", "yes_no"), (3.0, "integer", 3), ("3,2", "integer", "integer"),
        ("Camille <c.d@ac-lille.fr>", "address", "c.d@ac-lille.fr"), ("c.d@ac", "address", "address"),
        ("a; b\nc", "list", ["a", "b", "c"]), ("=1+1", "text", "=1+1"), ("#REF!", "text", "formula_error"),
        ("", "number", None), (None, "text", None), ("n/a", "number", None), ("–", "text", None),
        ("x" * 10_001, "text", "too_long"),
    ],
)  # fmt: skip
def test_other_values(cell: Any, kind: str, wanted: Any) -> None:
    _is(cell, field(kind), wanted)


def test_bounds_patterns_and_lists() -> None:
    _is("-1", field("number", minimum=0.0), "too_small")
    _is("9", field("integer", maximum=5.0), "too_large")
    _is("abc", field("text", pattern="[A-Z]+"), "pattern")
    gender = standards.load()["people"].field("gender")
    assert gender is not None
    for text, wanted in (("Mme", "F"), ("HOMME", "M"), ("f", "F"), ("inconnu", "choice")):
        _is(text, gender, wanted)
    academie = standards.load()["people"].field("academie")
    assert academie is not None
    for text, wanted in (
        ("Académie de Créteil", "creteil"),
        ("ROUEN", "normandie"),
        ("Atlantide", "Atlantide"),
    ):
        _is(text, academie, wanted)


def _is(cell: Any, asked: Field, wanted: Any, manner: Manner | None = None) -> None:
    try:
        found = read(cell, asked, manner or Manner())
    except CellFault as fault:
        found = fault.code
    assert found == wanted


@given(st.text(max_size=40), st.sampled_from(standards.TYPES))
def test_any_text_is_a_value_or_a_fault(text: str, kind: str) -> None:
    asked = field(kind, values=standards.load()["people"].fields[6].values if kind == "choice" else ())
    found = None
    with suppress(CellFault):
        found = read(text, asked, Manner())
    assert found is None or text.strip()


@given(st.dates(min_value=date(1970, 1, 1), max_value=date(2069, 12, 31)))
def test_any_day_is_read_however_it_is_written(given_day: date) -> None:
    assert day(given_day.strftime("%d/%m/%Y")) == given_day
    assert day(given_day.strftime("%m/%d/%Y"), "mdy") == given_day
    assert day(given_day.strftime("%d/%m/%y")) == given_day
    assert day(given_day.isoformat()) == given_day


# --- headings ----------------------------------------------------------------------------------------------


def test_every_heading_of_a_standard_leads_to_its_field() -> None:
    for standard in standards.load().values():
        for name in ("id", "fr", "en"):
            header = [one.id if name == "id" else getattr(one.label, name) for one in standard.fields]
            assert mapping.propose(header, (), standard) == tuple(one.id for one in standard.fields)


def test_a_file_is_recognised_by_its_headings() -> None:
    known = standards.load()
    for standard in known.values():
        header = [one.label.fr for one in standard.fields]
        assert mapping.guess_kind(header, (), known) == standard.name
    assert mapping.guess_kind(["foo", "bar"], (), known) == ""


def test_columns_without_a_name_of_ours_are_known_by_their_cells() -> None:
    rows = [Row(2, ("a@b.fr", "Lille", "12")), Row(3, ("c@d.fr", "Académie de Nice", "15"))]
    assert mapping.propose(("qui", "où", "n"), rows, standards.load()["people"]) == (
        "address",
        "academie",
        "",
    )


def test_no_heading_means_two_fields() -> None:
    for standard in standards.load().values():
        found: dict[str, str] = {}
        for one in standard.fields:
            for name in one.names:
                assert found.setdefault(plain(name), one.id) == one.id, (standard.name, name)


def test_references_agree_with_public_facts(shared_data: Any) -> None:
    import csv

    academies = references.load()["academies"]
    with (shared_data / "ref-france" / "academies.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        found = academies.find(row["academie"])
        assert found is not None, row
        assert academies.find(row["code_academie"]) == found
    assert len(academies.entries) == len(rows)
    zones = references.load()["zones"]
    assert all(zones.find(entry.attributes["zone"]) for entry in academies.entries.values())


# --- the standard as documents -----------------------------------------------------------------------------


def test_the_documents_of_the_standard_are_up_to_date(tmp_path: Any) -> None:
    docs = ROOT / "docs"
    written = documents.write(tmp_path)
    for path in written:
        assert (docs / path.relative_to(tmp_path)).read_bytes() == path.read_bytes(), (
            f"{path.name}: run `estime standard write docs`"
        )
    assert {path.name for path in (docs / "data-standard").iterdir()} == {path.name for path in written[1:]}


OWN = "standard: a\nversion: 1\ntitle: A\nfields:\n  - {id: b, type: text, label: B}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "named entries"),
        (OWN.replace("version: 1", "version: 0"), "version"),
        (OWN.replace("type: text", "type: texte"), "b.type"),
        (OWN.replace("title: A", "titre: A"), "unknown entry 'titre'"),
        (OWN.replace("id: b", "id: person"), "taken"),
        (OWN + "  - {id: b, type: text, label: B}\n", "twice"),
        (OWN + "key: [c]\n", "no field 'c'"),
        (OWN.replace("type: text", "type: text, role: measure"), "a measure is a number"),
        (OWN.replace("type: text", "type: choice"), "values or a reference"),
        (OWN.replace("label: B", "label: B, pattern: '(a+)+'"), "repetition"),
        (OWN.replace("label: B", "label: B, pattern: '('"), "pattern"),
        (OWN + "title: B\n", "written twice"),
        ("a: &x [1]\nb: *x\n", "no alias"),
        ("a: !!python/object:os.system {}\n", "not YAML"),
        ("- " * 5000, "too deep"),
        (OWN + " " * 100_001, "over"),
    ],
)  # fmt: skip
def test_a_standard_that_cannot_be_used_is_said_why(text: str, said: str) -> None:
    with pytest.raises(StandardError, match=said):
        standards.parse(text)
