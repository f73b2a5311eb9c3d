"""Exports of questionnaires taken in as answers: one column a question, grids, choices, scales, anonymity."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from sqlalchemy import Engine

from lti_tool.imports import running
from lti_tool.imports.files import File
from tests.factories import opened
from tests.factories.imports import HOME, prepared, taken
from tests.factories.opened import Reader
from tool_config import addresses, silos
from tool_config.database import transaction
from xapi import datasets

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

KIND = "survey_answers"
TURKIYE = "survey-turkiye-evaluation"
LIME = """"ID de la réponse";"Date de soumission";"Dernière page";"Langue de départ";"Tête de série";"G1. Le module est [Utile]";"G1. Le module est [Clair]";"C1[SQ1]. Qu’avez-vous suivi ? [Vidéo]";"C1[SQ2]. Qu’avez-vous suivi ? [Forum]";"N1. Recommanderiez-vous ?";"T1. Un mot ?"
"1";"2026-11-03 10:00:00";"3";"fr";"12";"Tout à fait d'accord";"Plutôt d’accord";"Oui";"Non";"9";"Très clair, merci."
"2";"2026-11-04 10:00:00";"3";"fr";"13";"Plutôt pas d'accord";"Pas du tout d'accord";"Non";"Oui";"0";""
"3";"";"1";"fr";"14";"Plutôt d'accord";"";"Oui";"Oui";"10";"Trop dense ; à revoir."
""".encode("utf-8-sig")  # noqa: E501


def stored(engine: Engine, silo: int) -> list[Any]:
    with transaction(engine, silo, write=False) as conn:
        return datasets.rows(conn, silo, KIND)


def survey(engine: Engine, silo: int, content: bytes | Path, clock: Any, **constants: str) -> File:
    return taken(engine, silo, content, clock, KIND, {"questionnaire": "À chaud", **constants})


def said(engine: Engine, silo: int, question: str, item: str = "") -> list[Any]:
    rows = [row.data for row in stored(engine, silo) if row.data["question"] == question]
    return [row for row in rows if row.get("item", "") == item]


def test_an_export_of_limesurvey(engine: Engine, silo: int, clock: Any) -> None:
    ready = prepared(engine, silo, LIME, clock())
    assert ready.file.kind == KIND
    assert ready.file.columns[:6] == ("respondent", "answered_on", "", "", "", "asked")
    done = survey(engine, silo, LIME, clock, module="Module 3")
    assert (done.state, done.position, done.added, done.refused) == ("done", 3, 3, 0)
    assert done.notes == {
        "answers": 13, "anonymous": 1, "scale agreement": 2, "scale multiple": 1, "scale rating_10": 1,
        "scale text": 1,
    }  # fmt: skip
    useful = said(engine, silo, "Le module est", "Utile")
    assert sorted((row["value"], row["answer"]) for row in useful) == [
        (2.0, "Plutôt pas d'accord"), (3.0, "Plutôt d'accord"), (4.0, "Tout à fait d'accord"),
    ]  # fmt: skip
    assert {row["module"] for row in useful} == {"Module 3"}
    chosen = [row["answer"] for row in said(engine, silo, "Qu’avez-vous suivi ?")]
    assert sorted(chosen) == [["Forum"], ["Vidéo"], ["Vidéo", "Forum"]]
    assert sorted(row["value"] for row in said(engine, silo, "Recommanderiez-vous ?")) == [0, 9, 10]
    comments = said(engine, silo, "Un mot ?")
    assert {row["comment"] for row in comments} == {"Très clair, merci.", "Trop dense ; à revoir."}
    assert all("answer" not in row for row in comments)


def test_the_same_export_again_changes_nothing(engine: Engine, silo: int, clock: Any) -> None:
    survey(engine, silo, LIME, clock)
    before = stored(engine, silo)
    clock.advance(days=1)
    again = survey(engine, silo, LIME, clock)
    assert (again.added, again.changed, again.same) == (0, 0, 3)
    assert stored(engine, silo) == before
    changed = survey(engine, silo, LIME.replace(b'"9"', b'"8"'), clock)
    assert (changed.added, changed.changed, changed.same) == (0, 1, 2)
    assert len(stored(engine, silo)) == 13


def test_nobody_is_named_where_no_column_does(engine: Engine, silo: int, clock: Any) -> None:
    survey(engine, silo, LIME, clock)
    rows = stored(engine, silo)
    assert {(row.person_key, row.line) for row in rows} == {(None, 0)}
    assert {len(row.data["respondent"]) for row in rows} == {16}


def test_respondents_who_say_the_same_are_two(engine: Engine, silo: int, clock: Any) -> None:
    content = "Q1 Utile ?;Q2 Clair ?\n" + "5;5\n" * 3 + "4;5\n"
    for added in (4, 0):
        done = survey(engine, silo, content.encode(), clock)
        assert (done.added, done.same) == (added, 4 - added)
    assert Counter(row["value"] for row in said(engine, silo, "Q1 Utile ?")) == {5: 3, 4: 1}
    more = survey(engine, silo, (content + "5;5\n").encode(), clock)
    assert (more.added, more.same) == (1, 4)


def test_an_interrupted_export_goes_on(
    engine: Engine, silo: int, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    content = ("Q1 Utile ?;Q2 Clair ?\n" + "5;5\n" * 5 + "4;5\n").encode()
    ready = prepared(engine, silo, content, clock(), KIND, constants={"questionnaire": "À chaud"})

    def stop(_read: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME, progress=stop)
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    assert (done.added, done.same) == (6, 0)
    assert len(stored(engine, silo)) == 12


@sqlite_only
def test_a_person_is_known_by_the_hash_of_an_address(engine: Engine, silo: int, clock: Any) -> None:
    content = (
        "Nom;Adresse e-mail;Module;Satisfaction ?\nDurand;a@b.fr;M1;Très satisfait\nDurand;;M2;Satisfait\n"
    )
    done = survey(engine, silo, content.encode(), clock)
    assert "anonymous" not in done.notes
    with transaction(engine, silo, write=False) as conn:
        key = addresses.digest(silos.get(conn, silo), "a@b.fr")
    rows = stored(engine, silo)
    assert {row.person_key for row in rows} == {key, None}
    assert "durand" not in repr(rows).lower()


@sqlite_only
def test_one_line_an_answer(engine: Engine, silo: int, clock: Any) -> None:
    content = (
        "Questionnaire;Répondant;Question;Réponse\n"
        "À froid;1;Utile ?;Oui\nÀ froid;1;Un mot ?;Rien à dire de plus\n"
        "À froid;2;Utile ?;Non\nÀ froid;2;Un mot ?;Merci à tous\n"
    )
    for added in (4, 0):
        done = taken(engine, silo, content.encode(), clock, KIND)
        assert (done.added, done.same) == (added, 4 - added)
    assert sorted((row["scale"], row["value"]) for row in said(engine, silo, "Utile ?")) == [
        ("yes_no", 0.0), ("yes_no", 1.0),
    ]  # fmt: skip
    assert len({row.data["respondent"] for row in stored(engine, silo)}) == 2


@sqlite_only
def test_a_workbook_of_sphinx_with_choices_in_one_column(engine: Engine, silo: int, clock: Any) -> None:
    out = io.BytesIO()
    rows: list[list[Any]] = [["CLE", "DATE_SAISIE", "Quel rythme ?", "Vos usages", "Sexe"]]
    rows += [[1, "12/11/2026 09:12", "Souvent", "Vidéo;Forum", "Femme"]]
    rows += [[2, "12/11/2026 09:15", "Jamais", "Vidéo", "Homme"]]
    rows += [[3, "13/11/2026 11:00", "Parfois", "Forum;Vidéo;Quiz", "Femme"]]
    rows += [[4, "13/11/2026 11:05", "Souvent", "Quiz", "Homme"]]
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for rank, cells in enumerate(rows):
            sheet.write_row(rank, 0, cells)
    done = survey(engine, silo, out.getvalue(), clock)
    assert (done.added, done.refused) == (4, 0)
    assert sorted(row["value"] for row in said(engine, silo, "Quel rythme ?")) == [1, 3, 4, 4]
    assert ["Forum", "Vidéo", "Quiz"] in [row["answer"] for row in said(engine, silo, "Vos usages")]
    assert {row["scale"] for row in said(engine, silo, "Sexe")} == {"single"}
    assert {str(row.valid_on) for row in stored(engine, silo)} == {"2026-11-12", "2026-11-13"}


@sqlite_only
def test_choices_in_columns_named_by_their_options(engine: Engine, silo: int, clock: Any) -> None:
    content = "Vos usages ? / Vidéo;Vos usages ? / Forum;Note ?\nVidéo;;5\n;Forum;4\nVidéo;Forum;3\n"
    survey(engine, silo, content.encode(), clock)
    chosen = sorted(row["answer"] for row in said(engine, silo, "Vos usages ?"))
    assert chosen == [["Forum"], ["Vidéo"], ["Vidéo", "Forum"]]


@sqlite_only
def test_exports_of_moodle(engine: Engine, silo: int, clock: Any) -> None:
    feedback = (
        "Nom complet de l’utilisateur,Groupes,Date,(utile) Ce module est-il utile ?,(mot) Un mot ?\n"
        'Camille Durand,A,"mardi 3 novembre 2026, 10:12",Très utile,Merci\n'
        'Paul Petit,A,"mardi 3 novembre 2026, 10:14",Peu utile,Trop long et trop dense\n'
    )
    survey(engine, silo, feedback.encode(), clock)
    assert sorted(row["value"] for row in said(engine, silo, "Ce module est-il utile ?")) == [2, 4]
    assert "durand" not in repr(stored(engine, silo)).lower()
    questionnaire = (
        "Réponse,Soumis le :,Institution,Département,Cours,Groupe,ID,Nom complet,Nom d'utilisateur,"
        "Q01_Clair,Q02_Usages->Vidéo,Q02_Usages->Forum\n"
        "1,03/11/2026 10:12,,,PERDIR,,7,C. Durand,cdurand,D'accord,1,0\n"
        "2,03/11/2026 10:15,,,PERDIR,,8,P. Petit,ppetit,Pas d'accord,0,1\n"
    )
    done = survey(engine, silo, questionnaire.encode(), clock)
    assert (done.added, done.refused) == (2, 0)
    assert sorted(row["value"] for row in said(engine, silo, "Clair")) == [2, 3]
    assert sorted(row["answer"] for row in said(engine, silo, "Usages")) == [["Forum"], ["Vidéo"]]
    assert "PERDIR" in {row.session for row in stored(engine, silo)}


@sqlite_only
def test_a_column_may_be_said_to_be_free_text(engine: Engine, silo: int, clock: Any) -> None:
    content = "Une idée ?;Note ?\nBien;5\nBien;4\nBien;3\n".encode()
    ready = prepared(
        engine, silo, content, clock(), KIND, columns=("told", "asked"), constants={"questionnaire": "Q"}
    )
    running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    assert {row["comment"] for row in said(engine, silo, "Une idée ?")} == {"Bien"}


def crossed(admin: Reader) -> str:
    page = admin.page(f"/crossing?kind={KIND}&row=module&column=answer")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@sqlite_only
def test_respondents_count_in_crossings_and_not_their_answers(
    app: Flask, engine: Engine, silo: int, clock: Any
) -> None:
    admin = opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo), "chef")
    header = ";".join(["Module", *(f"Q{rank} Clair ?" for rank in range(10))])

    def export(respondents: int) -> bytes:
        rows = [";".join([f"M{n % 2}", *["Oui" if n % 2 else "Non"] * 10]) for n in range(respondents)]
        return "\n".join([header, *rows]).encode()

    survey(engine, silo, export(8), clock)
    assert len(stored(engine, silo)) == 80
    assert "Trop peu de personnes" in crossed(admin)
    survey(engine, silo, export(60), clock)
    assert "60 personnes comptées." in crossed(admin)


# --- real files --------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize(
    ("name", "rows", "answers"),
    [
        ("survey-limesurvey-rse/public_data_2017_can.csv", 110, 4305),
        ("survey-limesurvey-rse/public_data_2017_nl.csv", 77, 4165),
        pytest.param("survey-limesurvey-rse/public_data_2017_uk.csv", 253, 18278, marks=pytest.mark.slow),
        pytest.param(f"{TURKIYE}/turkiye-student-evaluation.csv", 3507, 112224, marks=pytest.mark.slow),
        ("survey-online-science/pre_survey.csv", 1102, 9057),
        ("survey-online-science/sci_mo_processed.csv", 354, 8269),
        ("survey-hdv2003-fr/hdv2003.csv", 1190, 21219),
    ],
)  # fmt: skip
def test_real_exports_go_in(
    engine: Engine, silo: int, clock: Any, shared_data: Path, name: str, rows: int, answers: int
) -> None:
    done = survey(engine, silo, shared_data / name, clock)
    assert (done.state, done.position, done.refused) == ("done", rows, 0)
    assert done.added + done.notes.get("blank", 0) == rows
    assert done.notes["answers"] == answers
