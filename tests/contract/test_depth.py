"""Closed questionnaires counted further, on both engines: once, of the people published, and kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from analyzers import answer_frames
from analyzers.depth import Depth
from lti_tool import debriefs, depth
from lti_tool.debriefs import DebriefError
from lti_tool.job_tables import job
from lti_tool.surveys import closing
from tests.conftest import Clock
from tests.factories.surveys import COURSE, ISSUER, KEY, Classroom, K
from tool_config import rules
from tool_config.database import insert, transaction
from tool_config.surveys import Survey
from xapi import rollup
from xapi.dataset_tables import dataset_row
from xapi.depth_tables import debrief, survey_depth
from xapi.statement import account_key
from xapi.tables import event, statement

ITEMS = ("objectives", "useful", "pedagogy", "organisation")


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    return Classroom(engine, silo, clock()).build(24, modules=2)


def answered(room: Classroom, survey: Survey, people: int) -> None:
    """Let people answer: the first six in a straight line, all at 5; a third of the others unfavourable."""
    for rank in range(people):
        point = 5 if rank < 6 else 2 if rank % 3 == 0 else 4
        items = dict.fromkeys(ITEMS, 5) if rank < 6 else dict(zip(ITEMS, (3, 4, 2, 5), strict=True))
        room.answer(survey, rank, None, overall=point, **items)


def origins(room: Classroom, known: int) -> None:
    with transaction(room.engine, room.silo_id) as conn:
        for rank, actor in enumerate(room.trainees[:known]):
            row = {
                "silo_id": room.silo_id, "kind": "people", "row_key": f"{rank:032x}", "digest": "x",
                "person_key": f"a:{actor}", "data": {"corps": "IEN" if rank % 2 else "PERDIR"},
                "file_id": "f", "line": rank, "updated_at": room.now,
            }  # fmt: skip
            conn.execute(insert(conn, dataset_row), row)


def seal(room: Classroom) -> list[bool]:
    with transaction(room.engine, room.silo_id) as conn:
        waiting = depth.due(conn, room.silo_id)
        return [depth.seal(conn, one, now=room.now, rules=rules.load()) for one in waiting]


def sealed(room: Classroom) -> dict[str, Depth]:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        return answer_frames.depths(conn, room.silo_id, room.course_id)


def test_a_closed_questionnaire_is_counted_once(room: Classroom) -> None:
    survey = room.open()
    answered(room, survey, 18)
    origins(room, 24)
    assert seal(room) == []  # open: not yet
    room.close(survey)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert conn.scalars(select(job.c.kind)).all() == [depth.KIND]
    assert seal(room) == [True]
    found = sealed(room)[survey.survey_id]
    assert (found.n, found.favourable, found.items) == (18, 14, 18)
    straight = found.breakdown("straight")
    assert straight is not None
    assert [(one.name, one.n, one.favourable) for one in straight.groups] == [
        ("straight", 6, 6),
        ("varied", 12, 8),
    ]
    assert [(one.enrolled, one.answered) for one in found.representations[0].groups] == []  # 3 of 12 silent
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(dataset_row.update().values(data={"corps": "IEN"}))
    assert seal(room) == []
    assert sealed(room)[survey.survey_id] == found


def test_what_was_left_out_of_the_figures_is_left_out_of_groups(room: Classroom) -> None:
    survey = room.open()
    answered(room, survey, 12)
    with transaction(room.engine, room.silo_id) as conn:
        closing.close(conn, survey, now=room.now, key=KEY, k=K)
    assert seal(room) == [True]
    assert sealed(room) == {}  # 10 of 12 published: groups of the 12 would give the two back
    assert seal(room) == []


def test_an_anonymous_questionnaire_is_never_counted_further(room: Classroom) -> None:
    survey = room.open("anonymous")
    answered(room, survey, 18)
    room.close(survey)
    assert seal(room) == []


def test_origins_that_come_late_are_waited_for_a_month(room: Classroom) -> None:
    survey = room.open()
    answered(room, survey, 18)
    origins(room, 3)
    room.close(survey)
    assert seal(room) == [False]
    room.now += timedelta(days=31)
    assert seal(room) == [True]
    assert sealed(room)[survey.survey_id].representations == ()


# --- debriefs ---------------------------------------------------------------------------------------------


def write_down(room: Classroom, **changed: Any) -> None:
    given: dict[str, Any] = {
        "module": f"{COURSE}#section-1", "about": "ergonomics", "said": "  Le forum\r\nest introuvable. ",
        "day": room.now.date(), "present": 12,
    }  # fmt: skip
    with transaction(room.engine, room.silo_id) as conn:
        debriefs.write(
            conn,
            room.silo_id,
            room.course_id,
            by=account_key(ISSUER, "tutor"),
            now=room.now,
            **(given | changed),
        )


def heard(room: Classroom) -> list[debriefs.Debrief]:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        return list(debriefs.read(conn, room.silo_id, room.course_id))


def test_a_debrief_is_a_statement_and_no_event(room: Classroom) -> None:
    write_down(room)
    write_down(room)  # a double click
    found = heard(room)
    assert [(one.said, one.present, one.about, one.module) for one in found] == [
        ("Le forum\nest introuvable.", 12, "ergonomics", f"{COURSE}#section-1")
    ]
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert conn.scalar(select(func.count()).select_from(statement)) == 1
        assert conn.scalar(select(func.count()).select_from(event)) == 0
    rollup.rebuild(room.engine, room.silo_id, now=room.now)
    assert heard(room) == found
    with transaction(room.engine, room.silo_id) as conn:
        debriefs.remove(
            conn,
            room.silo_id,
            room.course_id,
            found[0].debrief_id,
            by=account_key(ISSUER, "tutor"),
            now=room.now,
        )
    assert heard(room) == []
    rollup.rebuild(room.engine, room.silo_id, now=room.now)
    assert heard(room) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"said": " "}, "said"),
        ({"said": "x" * 4001}, "said"),
        ({"present": 0}, "present"),
        ({"about": "people"}, "about"),
        ({"module": "https://elsewhere.test/"}, "module"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_faults_of_a_debrief_are_told_by_field(room: Classroom, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(DebriefError) as caught:
        write_down(room, **changed)
    assert list(caught.value.fields) == [field]
    tomorrow = room.now.date() + timedelta(days=1)
    with pytest.raises(DebriefError, match="day"):
        write_down(room, day=tomorrow)


def test_names_in_what_was_heard_are_masked(room: Classroom) -> None:
    write_down(room, said="Madame Renaud (06 12 34 56 78, c.renaud@ac-poitiers.fr) attend un corrigé.")
    said = heard(room)[0].said
    assert "attend un corrigé" in said
    assert not any(text in said for text in ("Renaud", "06 12", "c.renaud"))


def test_nothing_of_another_silo_is_read(room: Classroom) -> None:
    write_down(room)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert list(debriefs.read(conn, room.silo_id + 1, room.course_id)) == []
        for table in (debrief, survey_depth):
            assert "silo_id" in {column.name for column in table.primary_key}
