"""The import engine, from bytes to rows: stored once, told line by line, taken up where it stopped."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import Engine, select

from lti_tool.imports import files, preparation, refusals, running
from tests.factories import opened
from tests.factories.imports import HOME, given, prepared, taken
from tool_config import addresses, silos
from tool_config.database import transaction
from tool_config.standards import StandardError
from xapi import datasets
from xapi.dataset_tables import dataset_row
from xapi.sources.cells import TableFault

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

PEOPLE = """Nom;Adresse mail;Académie;Corps;Ancienneté;Sexe;Promo
Martin;Camille@ac-poitiers.fr;Poitiers;PERDIR;3,5;F;2026
Durand;paul@ac-lille.fr;LILLE;IEN;douze;M;2026
Petit;;Nantes;IEN;2;M;2026
Gros;x@ac-caen.fr;Académie de Caen;IEN;2;Homme;2026
""".encode("cp1252")


def stored(engine: Engine, silo: int, kind: str) -> list[Any]:
    with transaction(engine, silo, write=False) as conn:
        return datasets.rows(conn, silo, kind)


def lines(engine: Engine, silo: int, file_id: str) -> list[files.Refusal]:
    with transaction(engine, silo, write=False) as conn:
        return list(refusals.every(conn, silo, file_id))


def test_what_is_right_goes_in_and_what_is_not_is_told(engine: Engine, silo: int, clock: Any) -> None:
    done = taken(engine, silo, PEOPLE, clock, "people")
    assert (done.state, done.position, done.added, done.refused) == ("done", 4, 2, 2)
    told = {one.line: [fault[:3] for fault in one.faults] for one in lines(engine, silo, done.file_id)}
    assert told == {
        3: [["Ancienneté", "number", "douze"]],
        4: [["Adresse mail", "missing", ""]],
    }
    rows = {row.data["academie"]: row for row in stored(engine, silo, "people")}
    assert set(rows) == {"poitiers", "normandie"}
    assert rows["poitiers"].data == {
        "academie": "poitiers", "corps": "perdir", "seniority": 3.5, "gender": "F", "promotion": "2026",
    }  # fmt: skip
    with transaction(engine, silo, write=False) as conn:
        owner = silos.get(conn, silo)
    assert rows["poitiers"].person_key == addresses.digest(owner, "camille@AC-poitiers.fr ")


def test_neither_names_nor_addresses_are_stored(engine: Engine, silo: int, clock: Any) -> None:
    taken(
        engine, silo, PEOPLE.replace(b"douze", b"12").replace(b"Petit;;", b"Petit;p@b.fr;"), clock, "people"
    )
    said = repr(stored(engine, silo, "people")).lower()
    assert "martin" not in said
    assert "@" not in said


def test_the_same_file_twice_changes_nothing(engine: Engine, silo: int, clock: Any) -> None:
    taken(engine, silo, PEOPLE, clock, "people")
    before = stored(engine, silo, "people")
    clock.advance(days=1)
    again = taken(engine, silo, PEOPLE, clock, "people")
    assert (again.added, again.changed, again.same, again.refused) == (0, 0, 2, 2)
    assert stored(engine, silo, "people") == before


def test_a_changed_row_replaces_the_one_before(engine: Engine, silo: int, clock: Any) -> None:
    taken(engine, silo, PEOPLE, clock, "people")
    done = taken(engine, silo, PEOPLE.replace(b";3,5;", b";4;"), clock, "people")
    assert (done.added, done.changed, done.same) == (0, 1, 1)
    assert sorted(row.data["seniority"] for row in stored(engine, silo, "people")) == [2, 4]


def test_two_lines_that_contradict_each_other_are_told(engine: Engine, silo: int, clock: Any) -> None:
    content = "adresse;académie\na@b.fr;Lille\na@b.fr;Nice\nA@B.fr;Lille\n".encode()
    for _ in range(2):
        done = taken(engine, silo, content, clock, "people")
        assert done.refused == 1
        [told] = lines(engine, silo, done.file_id)
        assert (told.line, told.faults) == (3, [["", "twice", "", {"line": 2}]])
        assert [row.data["academie"] for row in stored(engine, silo, "people")] == ["lille"]


def test_refused_lines_go_in_once_mended(engine: Engine, silo: int, clock: Any) -> None:
    ready = prepared(engine, silo, PEOPLE, clock(), "people")
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    with transaction(engine, silo, write=False) as conn:
        every = refusals.every(conn, silo, done.file_id)
        content = refusals.as_csv(ready.detected.header, every, lambda fault: str(fault[1]))
    text = content.decode("utf-8-sig").splitlines()
    assert text[1] == "Durand;paul@ac-lille.fr;LILLE;IEN;douze;M;2026;3;number"
    mended = content.replace(b"douze", b"12").replace(b"Petit;;", b"Petit;petit@ac-nantes.fr;")
    again = taken(engine, silo, mended, clock, "people")
    assert (again.added, again.refused) == (2, 0)
    assert len(stored(engine, silo, "people")) == 4


def test_an_interrupted_import_goes_on_where_it_stopped(
    engine: Engine, silo: int, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 10)
    rows = [f"p{rank}@ac-lille.fr;{rank if rank != 17 else 'x'}" for rank in range(35)]
    content = "\n".join(["adresse;ancienneté", *rows, rows[0] + "9", ""]).encode()
    ready = prepared(engine, silo, content, clock(), "people")
    seen: list[int] = []

    def stop(done: int, _total: int) -> None:
        seen.append(done)
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME, progress=stop)
    with transaction(engine, silo, write=False) as conn:
        half = files.read(conn, silo, ready.file.file_id)
    assert half is not None
    assert (half.state, half.position, half.added, half.refused) == ("running", 20, 19, 1)
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    assert (done.state, done.position, done.added, done.refused) == ("done", 36, 34, 2)
    assert [one.line for one in lines(engine, silo, done.file_id)] == [19, 37]
    assert len(stored(engine, silo, "people")) == 34


def test_the_bytes_go_once_the_file_is_in(engine: Engine, silo: int, clock: Any) -> None:
    done = taken(engine, silo, PEOPLE, clock, "people")
    with pytest.raises(LookupError), files.unpacked(engine, silo, done.file_id):
        pass
    with pytest.raises(running.NotReady):
        running.run(engine, silo, done.file_id, clock=clock, home=HOME)


@sqlite_only
def test_a_numen_is_refused_by_its_heading_and_by_its_form(engine: Engine, silo: int, clock: Any) -> None:
    for content in (
        "NUMEN;adresse\n;a@b.fr\n",
        "agent;adresse\n12E3456789ABC;a@b.fr\n",
        "adresse;corps\na@b.fr;IEN (12e3456789abc)\n",
    ):
        file_id = given(engine, silo, content.encode(), clock())
        with pytest.raises(TableFault, match="NUMEN"):
            preparation.prepare(engine, silo, file_id, now=clock())
        with transaction(engine, silo, write=False) as conn:
            left = files.read(conn, silo, file_id)
        assert left is not None
        assert left.state == "refused"
        assert "12E3456789ABC" not in repr(left).upper()
        with pytest.raises(LookupError), files.unpacked(engine, silo, file_id):
            pass


@sqlite_only
def test_a_mapping_is_saved_and_proposed_again(engine: Engine, silo: int, clock: Any) -> None:
    content = b"qui;d'ou\na@b.fr;Lille\n"
    ready = prepared(engine, silo, content, clock(), "people", columns=("address", "academie"))
    assert ready.faults == ()
    with transaction(engine, silo) as conn:
        preparation.remember(conn, silo, "Fichier du rectorat", ready, now=clock())
    again = prepared(engine, silo, "QUI;D'où\nc@d.fr;Nice\n".encode(), clock())
    assert (again.saved, again.file.kind) == ("Fichier du rectorat", "people")
    assert again.file.columns == ("address", "academie")


@sqlite_only
def test_a_field_may_be_given_once_for_the_whole_file(engine: Engine, silo: int, clock: Any) -> None:
    content = b"adresse\na@b.fr\n"
    ready = prepared(engine, silo, content, clock(), "attendance")
    assert {fault.field.id for fault in ready.faults} == {"session", "gathering", "day"}
    with pytest.raises(running.NotReady):
        running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    given_once = {"session": "S1", "gathering": "Classe 1", "day": "3 nov. 2026"}
    done = taken(engine, silo, content, clock, "attendance", given_once)
    assert (done.added, done.notes) == (1, {"unknown_sessions": 1})
    [row] = stored(engine, silo, "attendance")
    assert (row.session, str(row.valid_on)) == ("S1", "2026-11-03")


# --- other forms -------------------------------------------------------------------------------------------


def workbook(rows: list[list[Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **options}) as book:
        sheet = book.add_worksheet("Feuille 1")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for rank, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if hasattr(cell, "year"):
                    sheet.write_datetime(rank, column, cell, day)
                else:
                    sheet.write(rank, column, cell)
    return out.getvalue()


@sqlite_only
def test_a_workbook_with_a_title_above_its_headings(engine: Engine, silo: int, clock: Any) -> None:
    from datetime import datetime

    content = workbook(
        [
            ["Sessions 2026"],
            [],
            ["Code session", "Début", "Date de fin", "Places", "Heures à distance", "Coût"],
            ["S1", datetime(2026, 10, 5), "18/12/2026", 60, "12 h 30", 1234.5],
            ["S2", 46300, "18 décembre 2026", "soixante", "2,5", "1 234,50 €"],
        ]
    )
    done = taken(engine, silo, content, clock, "sessions")
    assert (done.added, done.refused) == (1, 1)
    [row] = stored(engine, silo, "sessions")
    assert row.data == {
        "session": "S1", "starts_on": "2026-10-05", "ends_on": "2026-12-18", "capacity": 60,
        "hours_distance": 12.5, "cost": 1234.5,
    }  # fmt: skip
    [told] = lines(engine, silo, done.file_id)
    assert (told.line, told.cells[0], told.faults[0][:3]) == (5, "S2", ["Places", "number", "soixante"])


@sqlite_only
def test_a_hundred_faults_are_told_one_by_one(engine: Engine, silo: int, clock: Any) -> None:
    rows: list[list[Any]] = [["adresse", "académie", "ancienneté", "genre"]]
    for rank in range(25):
        rows.append([f"a{rank}@b", "Lille", "beaucoup", "?"])
        rows.append([f"a{rank}@b.fr", "Lille", -4, "F"])
    done = taken(engine, silo, workbook(rows), clock, "people")
    told = lines(engine, silo, done.file_id)
    assert (done.added, done.refused, len(told)) == (0, 50, 50)
    assert sum(len(one.faults) for one in told) == 100
    assert {fault[1] for one in told for fault in one.faults} == {"address", "number", "choice", "too_small"}


@sqlite_only
def test_json_and_archives(engine: Engine, silo: int, clock: Any) -> None:
    import zipfile

    content = json.dumps([{"email": "a@b.fr", "académie": "Lille"}, {"email": "c@d.fr"}]).encode()
    assert taken(engine, silo, content, clock, "people").added == 2
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("lisez-moi.md", "rien")
        packed.writestr("b/gens.csv", "adresse;corps\ne@f.fr;IEN\n")
        packed.writestr("a/autres.csv", "adresse;corps\ng@h.fr;IEN\n")
    ready = prepared(engine, silo, out.getvalue(), clock(), "people")
    assert ready.detected.members == ("a/autres.csv", "b/gens.csv")
    other = preparation.prepare(
        engine, silo, ready.file.file_id, now=clock(), kind="people", reading={"member": "b/gens.csv"}
    )
    assert other.detected.reading.member == "b/gens.csv"
    assert other.detected.first[0].cells == ("e@f.fr", "IEN")
    assert running.run(engine, silo, other.file.file_id, clock=clock, home=HOME).added == 1


# --- attendance --------------------------------------------------------------------------------------------

_HEADINGS = (
    "Nom", "Première participation", "Dernière sortie", "Durée de la réunion", "Adresse e-mail",
    "ID du participant (UPN)", "Rôle",
)  # fmt: skip
_ANNE = (
    "Anne A",
    "12/11/2026, 14:02:10",
    "12/11/2026, 15:28:00",
    "1h 25m 50s",
    "anne@ac-poitiers.fr",
    "",
    "",
)
_BOB = ("Bob B", "12/11/2026, 14:05:00", "12/11/2026, 15:28:00", "1h 23m", "inconnu@ac-poitiers.fr", "", "")
_PEOPLE = "\n".join("\t".join(cells) for cells in (_HEADINGS, _ANNE, _BOB))
TEAMS = f"""1. Récapitulatif
Titre de la réunion\tClasse virtuelle 2
Participants ayant assisté\t3

2. Participants
{_PEOPLE}

3. Activités de la réunion
Nom\tHeure d'arrivée
Anne A\t12/11/2026, 14:02:10
""".encode("utf-16")


def test_a_list_of_teams_marks_people_present(engine: Engine, silo: int, clock: Any) -> None:
    course = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course, {"anne": "Anne A", "cleo": "Cléo C"})
    given_once = {"session": "Session 2026-3", "gathering": "Classe virtuelle 2"}
    for added in (1, 0):
        done = taken(engine, silo, TEAMS, clock, "attendance", given_once)
        assert (done.added, done.same, done.refused) == (2 * added, 2 - 2 * added, 0)
        assert done.notes == ({"presences": 1, "gatherings": 1, "unknown_people": 1} if added else {})
    from lti_tool import attendance

    with transaction(engine, silo, write=False) as conn:
        present = attendance.read(conn, silo, course)
    assert list(present.values()) == [{opened.actor("anne")}]
    rows = stored(engine, silo, "attendance")
    assert [round(row.data["minutes"]) for row in sorted(rows, key=lambda r: r.line)] == [86, 83]
    assert {row.course_id for row in rows} == {course}
    assert {row.data["joined_at"] for row in rows} == {"2026-11-12T13:02:10Z", "2026-11-12T13:05:00Z"}


# --- a dataset of one's own --------------------------------------------------------------------------------

OWN = """
standard: visits
version: 1
title: Visites de conseil
key: [session, day]
fields:
  - {id: session, type: text, role: session, label: Session, required: true}
  - {id: day, type: day, role: day, label: Jour}
  - {id: theme, type: choice, role: dimension, label: Thème, values: [climat, pilotage]}
  - {id: people, type: integer, role: measure, label: Personnes, minimum: 0}
"""


def test_an_institution_declares_a_dataset(engine: Engine, silo: int, second_silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        made = datasets.declare(conn, silo, OWN, now=clock())
    assert [field.id for field in made.dimensions + made.measures] == ["theme", "people"]
    done = taken(
        engine, silo, "session;jour;thème;personnes\nS1;3/11/2026;Climat;12\n".encode(), clock, "visits"
    )
    assert done.added == 1
    assert stored(engine, silo, "visits")[0].data["theme"] == "climat"
    with transaction(engine, second_silo, write=False) as conn:
        assert "visits" not in datasets.known(conn, second_silo)
    with transaction(engine, silo) as conn:
        with pytest.raises(StandardError, match="another key"):
            datasets.declare(conn, silo, OWN.replace("[session, day]", "[session]"), now=clock())
        with pytest.raises(StandardError, match="dataset of the tool"):
            datasets.declare(conn, silo, OWN.replace("visits", "people"), now=clock())
        datasets.declare(conn, silo, OWN.replace("pilotage]", "pilotage, autre]"), now=clock())


# --- real files --------------------------------------------------------------------------------------------


_MATOMO = "matomo-exports/test_"
_SIGLES = {"famille": "domain", "sigle": "code", "libelle": "competency"}


@sqlite_only
@pytest.mark.parametrize(
    ("name", "kind", "columns", "added", "refused"),
    [
        ("ref-france/sigles_encadrement.csv", "competencies", _SIGLES, 22, 0),
        ("oulad/courses.csv", "sessions", {}, 12, 0),
        pytest.param("oulad/studentInfo.csv", "enrolments", {}, 19363, 0, marks=pytest.mark.slow),
        ("oulad/studentRegistration.csv", "enrolments", {}, 19363, 0),
        ("oulad/vle.csv", "consultations", {}, 3694, 0),
        (f"{_MATOMO}csvExport_xp1_inner0_trans-en__VisitsSummary.get_day.csv", "consultations", {}, 1, 0),
        (f"{_MATOMO}OneVisitorTwoVisits_csv__API.get_month.csv", "consultations", {}, 1, 0),
        (f"{_MATOMO}csvExport_multi__VisitsSummary.get_week.csv", "consultations", {}, 1, 0),
    ],
)  # fmt: skip
def test_real_files_go_in(
    engine: Engine, silo: int, clock: Any, shared_data: Path, name: str, kind: str,
    columns: dict[str, str], added: int, refused: int,
) -> None:  # fmt: skip
    ready = prepared(engine, silo, shared_data / name, clock(), kind, constants={"framework": "Sigles"})
    wanted = list(ready.file.columns)
    for heading, field in columns.items():
        wanted[ready.detected.header.index(heading)] = field
    ready = preparation.prepare(
        engine, silo, ready.file.file_id, now=clock(), kind=kind, columns=tuple(wanted)
    )
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    assert done.state == "done"
    assert (done.added, done.refused) == (added, refused)


def test_a_silo_sees_nothing_of_another(engine: Engine, silo: int, second_silo: int, clock: Any) -> None:
    done = taken(engine, silo, PEOPLE, clock, "people")
    with transaction(engine, second_silo, write=False) as conn:
        assert files.read(conn, second_silo, done.file_id) is None
        assert files.latest(conn, second_silo) == []
        assert datasets.counts(conn, second_silo) == {}
        assert (
            conn.execute(select(dataset_row.c.row_key).where(dataset_row.c.silo_id == second_silo)).all()
            == []
        )
