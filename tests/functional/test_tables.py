"""Every table of the pages leaves as CSV and as XLSX: the same content, no formula, to who sees its page."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, func, insert, select, update

from lti_tool import invitations, paths, surveys
from lti_tool.service_tables import mark, mark_sent
from lti_tool.services import marks
from lti_tool.tables import audit
from lti_tool.web import tables
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.imports import taken
from tests.factories.opened import Reader
from tool_config.database import transaction
from tool_config.surveys import load as templates
from xapi import auth, outline
from xapi.tables import course as course_table

#: What is asked of a table beside what its address holds; "" for the others.
ASKED = {
    "crossing": "kind=people&row=academie&column=corps",
    # Each file taken away adds a line: two of the same lines are asked for.
    "journal": "kind=refusal",
    "source_fields": "source=dataset:people",
    "source_facts": "source=key:{key}",
    "source_months": "source=platform:https%3A%2F%2Fcampus.test",
    "activities": "iri={module}",
    "received": "module={module}",
}
#: Tables that have nothing to give in this room: they answer that they are not there, in both forms.
NOT_HERE = {"source_months"}
#: Who reads the tables of the community, of a course, of oneself.
ROLES = {"": "admin", "courses": "tutor", "me": "trainee"}
#: A text that a spreadsheet must not run.
FORMULA = "=HYPERLINK(1)"


@dataclass(frozen=True)
class Room:
    """A community in which every table has something to show."""

    app: Flask
    engine: Engine
    silo: int
    values: dict[str, str]

    def address(self, name: str, address: str, form: str) -> str:
        """Return the address of a table's file in this room."""
        placed = re.sub(r"<(?:[\w()=]+:)?(\w+)>", lambda found: self.values[found[1]], address)
        query = ASKED.get(name, "").format(**self.values)
        return f"{placed}.{form}" + (f"?{query}" if query else "")

    def reader(self, role: str, who: str = "") -> Reader:
        names = {"tutor": "formateur", "trainee": "3", "admin": "chef"}
        number = int(self.values["course_id"])
        return opened.reader(self.app, self.engine, self.silo, role, number, who or names[role])

    def exported(self) -> int:
        with transaction(self.engine, self.silo, write=False) as conn:
            wanted = select(func.count()).where(audit.c.action == "export", audit.c.silo_id == self.silo)
            return int(conn.execute(wanted).scalar_one())


@pytest.fixture
def room(app: Flask, engine: Engine, silo: int, clock: Clock) -> Room:
    number = opened.add_course(engine, silo, title=FORMULA)
    opened.add_people(engine, silo, number, {str(n): f"Personne {n}" for n in range(1, 13)} | {"13": FORMULA})
    opened.add_people(engine, silo, number, {"formateur": "Nadia Aubert"}, role="tutor")
    opened.take_in(engine, silo, opened.statements("3", 3, 1), clock)
    people = "Adresse mail;Académie;Corps\n" + "\n".join(
        f"p{n}@ac-x.fr;{('Poitiers', 'Lille')[n % 2]};{('PERDIR', 'IEN')[n % 2]}" for n in range(60)
    )
    taken(engine, silo, people.encode(), clock, "people")
    chosen = "Adresse mail;Module;Choisi le\n" + "\n".join(
        f"p{n}@ac-x.fr;{('Climat', 'Conduite')[n // 2 % 2]};02/10/2026" for n in range(60)
    )
    taken(engine, silo, chosen.encode(), clock, "module_choices")
    refused = taken(engine, silo, f"adresse;corps\n{FORMULA};IEN\n".encode(), clock, "people")
    now = clock()
    with transaction(engine, silo) as conn:
        path_id = paths.create(conn, silo, "Piloter")
        paths.assign(conn, silo, [number], path_id)
        wanted = update(course_table).where(course_table.c.course_id == number)
        conn.execute(wanted.values(starts_on=date(2026, 10, 1)))
        invitations.invite(conn, silo, days=7, public_url=opened.PUBLIC, now=now)
        module = next(item.iri for item in outline.read(conn, silo, number) if item.level == "module")
        outline.add_gathering(
            conn,
            silo,
            number,
            title=FORMULA,
            kind="day_in_person",
            day=date(2026, 11, 3),
            module=module,
            hours=3.0,
            by="x",
            now=now,
        )
        named = {"silo_id": silo, "course_id": number, "mark_id": marks.PROGRESS}
        conn.execute(insert(mark).values(**named, label="Progression", made=True, on_at=now, on_by="x"))
        sent = {"score": 40, "state": "sent", "said_at": now, "changed_at": now}
        conn.execute(insert(mark_sent).values(**named, actor=opened.actor("13"), **sent))
        survey = surveys.open_survey(
            conn,
            silo,
            number,
            module=module,
            template=templates()["a-chaud-module"].asked(),
            mode="pseudonymous",
            opens_at=now,
            closes_at=now + timedelta(days=9),
            by="x",
            now=now,
        )
        key, _ = auth.issue_key(conn, silo, ["statements/write"], label="Moodle", now=now)
    opened.settle(engine, silo, clock)
    values = {
        "course_id": str(number), "file_id": refused.file_id, "actor": opened.actor("3"),
        "mark_id": marks.PROGRESS, "survey_id": survey.survey_id, "path_id": str(path_id), "module": module,
        "key": key,
    }  # fmt: skip
    return Room(app, engine, silo, values)


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def written(value: object) -> str:
    """Write a cell of a workbook as the CSV does."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".").replace(".", ",")
    return str(value)


def plain(text: str) -> str:
    """Return a cell of the CSV without what keeps it from running, nor the offset of an instant."""
    return re.sub(r"^(\d{4}-\d\d-\d\dT[\d:]{8})[+-]\d\d:\d\d$", r"\1", text.removeprefix("'"))


def test_every_table_leaves_in_both_forms(room: Room) -> None:
    readers = {role: room.reader(role) for role in ROLES.values()}
    guarded = 0
    for name, address, _ in tables.TABLES:
        role = ROLES.get(address.split("/")[1], "admin")
        before = room.exported()
        answers = {form: readers[role].get(room.address(name, address, form)) for form in tables.FORMS}
        if name in NOT_HERE:
            assert {answer.status_code for answer in answers.values()} == {404}, name
            continue
        assert [answer.status_code for answer in answers.values()] == [200, 200], name
        assert room.exported() == before + 2, name
        guarded += check(name, answers["csv"], answers["xlsx"])
    assert guarded > 3


def check(name: str, as_csv: Any, as_xlsx: Any) -> int:
    """Check the two files of one table; return how many texts were kept from being run."""
    first, second = as_csv.get_data(), as_xlsx.get_data()
    assert first.startswith(b"\xef\xbb\xbf"), name
    assert re.search(r'filename="estime-[a-z-]+-2026-11-21\.csv"', as_csv.headers["Content-Disposition"]), (
        name
    )
    rows = cells(first)
    assert all(len(row) == len(rows[0]) for row in rows), name
    assert not [cell for row in rows for cell in row if re.match(r"[=+@\t\r|]|-(?!\d)", cell)], name
    book = CalamineWorkbook.from_filelike(io.BytesIO(second))
    title, about = book.sheet_names
    assert about == "À lire"
    typed = [[written(cell) for cell in row] for row in book.get_sheet_by_name(title).to_python()]
    assert typed == [[plain(cell) for cell in row] for row in rows], name
    sheet = zipfile.ZipFile(io.BytesIO(second)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet, name
    assert 'state="frozen"' in sheet, name
    said = {str(row[0]): row[1] for row in book.get_sheet_by_name(about).to_python()}
    assert said["Lignes"] == len(rows) - 1, name
    return sum(cell.startswith("'=") for row in rows for cell in row)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_no_table_goes_to_who_may_not_see_its_page(room: Room) -> None:
    elsewhere = opened.add_course(room.engine, room.silo, 3, "Autre")
    stranger = opened.reader(room.app, room.engine, room.silo, "tutor", elsewhere, "autre")
    trainee = room.reader("trainee")
    for name, address, _ in tables.TABLES:
        path = room.address(name, address, "xlsx")
        if address.startswith(("/me/", "/my-data/")):
            continue
        if address.startswith("/courses/"):
            assert stranger.get(path).status_code == 404, name
            own = name == "path_of"
            assert trainee.get(path).status_code == (200 if own else 403), name
            assert trainee.get(path.replace(opened.actor("3"), opened.actor("4"))).status_code in (403, 404)
        else:
            assert stranger.get(path).status_code == 403, name
            assert trainee.get(path).status_code == 403, name


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_is_of_what_the_page_shows(room: Room) -> None:
    tutor = room.reader("tutor")
    number = room.values["course_id"]
    page = tutor.page(f"/courses/{number}/people?q=personne+1&sort=name&dir=desc")
    links = re.findall(r'<a href="([^"]+)">(CSV|XLSX)', page)
    assert [form for _, form in links] == ["CSV", "XLSX"] * (len(links) // 2)
    address = links[0][0].replace("&amp;", "&").partition(f"/c/{tutor.launch_id}")[2]
    rows = cells(tutor.get(address).get_data())
    assert [row[0] for row in rows[1:]] == ["Personne 12", "Personne 11", "Personne 10", "Personne 1"]
    # An argument of the address never becomes one of the address that is made of it.
    page = tutor.page(f"/courses/{number}/modules?sort=time&_external=1&_scheme=javascript&launch=x&form=y")
    made = re.findall(r'<a href="([^"]+modules\.csv[^"]*)"', page)
    assert made == [f"/c/{tutor.launch_id}/courses/{number}/modules.csv?sort=time"] * len(made) != []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_journal_says_what_its_file_leaves_out(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.web.journal.MOST_EXPORTED", 2)
    admin = room.reader("admin")
    assert "Un fichier a 2 lignes au plus" in admin.page("/journal")
    for _ in range(4):
        admin.get("/sessions.csv")
    rows = cells(admin.get("/journal.csv").get_data())
    assert len(rows) == 4
    assert rows[-1][0].startswith("Un fichier a 2 lignes au plus")
