"""Names of sessions that files write their own way, said by hand: rows that are in, presences, opinions."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool.imports import opinions
from lti_tool.job_tables import job
from tests.factories import opened
from tests.factories.imports import taken
from tool_config.database import transaction
from xapi import datasets
from xapi.dataset_tables import dataset_row
from xapi.survey_tables import answer

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
HEAD = "Adresse;Session;Regroupement;Jour\r\n"
FILE = HEAD + "a@ac-lille.fr;{0};CV 1;12/11/2026\r\nb@ac-lille.fr;{0};CV 1;12/11/2026\r\n"


def courses(engine: Engine, silo: int) -> list[int | None]:
    with transaction(engine, silo, write=False) as conn:
        query = select(dataset_row.c.course_id).where(dataset_row.c.silo_id == silo)
        return sorted(conn.scalars(query), key=str)


def name(engine: Engine, silo: int, written: str, course: int | None, clock: Any) -> int:
    with transaction(engine, silo) as conn:
        return datasets.name_session(conn, silo, written, course, by="x", now=clock())


def test_a_name_is_said_and_undone(engine: Engine, silo: int, second_silo: int, clock: Any) -> None:
    key = opened.add_course(engine, silo)
    taken(engine, silo, FILE.format("Le stage d’automne").encode(), clock, "attendance")
    assert courses(engine, silo) == [None, None]
    with pytest.raises(LookupError):
        name(engine, silo, "Le stage d’hiver", key, clock)
    with pytest.raises(LookupError):
        name(engine, silo, "Le stage d’automne", key + 1, clock)
    with pytest.raises(LookupError):
        name(engine, second_silo, "Le stage d’automne", key, clock)
    assert name(engine, silo, "Le stage d’automne", key, clock) == 2
    assert courses(engine, silo) == [key, key]
    # The next file is understood too, however it writes the name.
    more = FILE.format("LE STAGE D'AUTOMNE").replace("a@", "c@").replace("b@", "d@")
    taken(engine, silo, more.encode(), clock, "attendance")
    assert courses(engine, silo) == [key] * 4
    with transaction(engine, silo, write=False) as conn:
        assert [(one.written, one.course_id) for one in datasets.session_names(conn, silo)] == [
            ("Le stage d’automne", key)
        ]
        assert datasets.session_names(conn, second_silo) == ()
    assert name(engine, silo, "Le stage d’automne", None, clock) == 4
    assert courses(engine, silo) == [None] * 4


@sqlite_only
def test_the_page_says_which_session_a_name_means(app: Flask, engine: Engine, silo: int, clock: Any) -> None:
    key = opened.add_course(engine, silo)
    taken(engine, silo, FILE.format("Automne").encode(), clock, "attendance")
    admin = opened.reader(app, engine, silo, "admin", key)
    page = admin.page("/correspondences")
    assert "Sessions que les fichiers nomment autrement" in page
    assert '<bdi>Automne</bdi></th><td class="num">2</td>' in page
    form = {"do": "session", "session": "Automne", "course": str(key)}
    assert admin.post("/correspondences", {**form, "course": "12"}).status_code == 400
    assert admin.post("/correspondences", {**form, "session": "Hiver"}).status_code == 400
    assert admin.post("/correspondences", form).status_code == 303
    assert courses(engine, silo) == [key, key]
    assert f'<option value="{key}" selected>' in admin.page("/correspondences")
    with transaction(engine, silo, write=False) as conn:
        assert "imports-nightly" in set(conn.scalars(select(job.c.kind)))


@sqlite_only
def test_opinions_follow_their_session(engine: Engine, silo: int, clock: Any) -> None:
    first = opened.add_course(engine, silo)
    lines = "".join(f"{n};Automne;Très satisfait\r\n" for n in range(6))
    content = ("Id;Session;Êtes-vous satisfait ?\r\n" + lines).encode()
    taken(engine, silo, content, clock, "survey_answers", {"questionnaire": "Fin"})
    name(engine, silo, "Automne", first, clock)
    opinions.publish(engine, silo, file_id=None, by="", now=clock())
    with transaction(engine, silo, write=False) as conn:
        assert set(conn.scalars(select(answer.c.course_id))) == {first}
    name(engine, silo, "Automne", None, clock)
    opinions.publish(engine, silo, file_id=None, by="", now=clock())
    with transaction(engine, silo, write=False) as conn:
        assert conn.scalars(select(answer.c.course_id)).all() == []
