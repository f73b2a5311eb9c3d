"""Questions of every kind on both engines: stored, published option by option, paired, recalled."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from analyzers import answer_frames, choices
from lti_tool import surveys
from lti_tool.surveys import SurveyError, positioning, reminders
from tests.conftest import Clock
from tests.factories.surveys import KEY, Classroom, K
from tool_config import surveys as templates
from tool_config.database import transaction
from tool_config.surveys import Survey, Template
from xapi import answers
from xapi.statement import account_key
from xapi.survey_tables import answer
from xapi.tables import statement


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    return Classroom(engine, silo, clock()).build(14)


def opened(room: Classroom, template: Template, mode: str = "pseudonymous") -> Survey:
    with transaction(room.engine, room.silo_id) as conn:
        return surveys.open_survey(
            conn, room.silo_id, room.course_id, module="", template=template, mode=mode,
            opens_at=room.now, closes_at=room.now + timedelta(days=14), by="x", now=room.now,
        )  # fmt: skip


def say(room: Classroom, survey: Survey, rank: int, **answers_given: str) -> str:
    """Answer as a form does; "_" in a name stands for "-"."""
    return room.answer(
        survey, rank, **{name.replace("_", "-"): value for name, value in answers_given.items()}
    )


EXPECTED = templates.load()["attentes"].asked()


def test_each_kind_is_a_statement_that_xapi_understands(room: Classroom) -> None:
    survey = opened(room, EXPECTED)
    say(room, survey, 0, overall="4", reasons="4,2", means="2", position_c1="3", expect="Du temps")
    with transaction(room.engine, room.silo_id, write=False) as conn:
        raws = [json.loads(raw) for raw in conn.scalars(select(statement.c.raw))]
        drawn = {row.question: row for row in conn.execute(select(answer))}
    said = {raw["context"]["extensions"][answers.EXTENSION]["question"]: raw for raw in raws}
    told = {
        name: (raw["object"]["definition"]["interactionType"], raw["result"]["response"])
        for name, raw in said.items()
    }
    assert told == {
        "overall": ("likert", "4"), "reasons": ("choice", "2[,]4"), "means": ("choice", "2"),
        "position-c1": ("likert", "3"), "expect": ("long-fill-in", "Du temps"),
    }  # fmt: skip
    options = said["reasons"]["object"]["definition"]["choices"]
    assert [option["id"] for option in options] == [str(value) for value in range(1, 7)]
    # About the whole session: no module among the parents.
    assert all(len(raw["context"]["contextActivities"]["parent"]) == 1 for raw in raws)
    assert (drawn["reasons"].value, drawn["reasons"].text) == (0b1010, None)
    assert {row.module for row in drawn.values()} == {""}
    with transaction(room.engine, room.silo_id, write=False) as conn:
        own = surveys.own_answers(conn, survey, room.trainees[0])
    assert own == {"overall": 4, "reasons": 0b1010, "means": 2, "position-c1": 3, "expect": "Du temps"}
    with transaction(room.engine, room.silo_id) as conn:
        assert answers.rebuild(conn, room.silo_id) == 5
        again = {row.question: row.value for row in conn.execute(select(answer))}
    assert again == {name: row.value for name, row in drawn.items()}


@pytest.mark.parametrize("mode", ["pseudonymous", "anonymous"])
def test_options_are_published_one_by_one_among_those_who_answered(room: Classroom, mode: str) -> None:
    survey = opened(room, EXPECTED, mode)
    ticked = ["1,2", "1", "2,3", "", "1,2,3,4", "6", "1", "5,6", "", "2"]
    for rank, reasons in enumerate(ticked):
        say(room, survey, rank, overall="4", reasons=reasons)
    room.close(survey)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = answer_frames.survey(conn, room.silo_id, room.course_id, survey.survey_id)
    assert found is not None
    given = [reasons.split(",") for reasons in ticked if reasons]
    expected = {option: sum(str(option) in one for one in given) for option in range(1, 7)}
    assert found.counts["reasons"] == {templates.ANSWERED_IT: len(given), **expected}
    question = EXPECTED.question("reasons")
    assert question is not None
    summary = choices.summary(question, found.counts["reasons"], k=K)
    assert (summary.n, summary.several) == (8, True)
    assert [bar.share.count for bar in summary.bars] == list(expected.values())
    assert {bar.share.n for bar in summary.bars} == {8}


def test_a_statement_with_an_option_that_cannot_be_counts_for_nothing(room: Classroom) -> None:
    survey = opened(room, EXPECTED)
    say(room, survey, 0, overall="4", reasons="1,2")
    with transaction(room.engine, room.silo_id, write=False) as conn:
        raws = [json.loads(raw) for raw in conn.scalars(select(statement.c.raw))]
    raw = next(one for one in raws if one["result"]["response"] == "1[,]2")
    for response in ("0", "31", "1[,]x", "", "1,2"):
        raw["result"]["response"] = response
        assert answers.from_statement(raw) is None, response


def test_positioning_comes_back_word_for_word_and_is_paired_by_person(room: Classroom) -> None:
    before = opened(room, EXPECTED)
    say(room, before, 0, overall="4", position_c1="1", position_c2="3")
    say(room, before, 1, overall="4", position_c1="2")
    say(room, before, 0, overall="4", position_c1="2", position_c2="3")  # changed their mind
    later = templates.parse(
        {
            **templates.dump(templates.load()["a-chaud-session"]),
            "questions": [
                block | ({"scale": "mastery"} if block["id"] == "position" else {})
                for block in templates.dump(templates.load()["a-chaud-session"])["questions"]
            ],
        }
    )
    after = opened(room, later)
    for old, new in zip(before.template.positioning, after.template.positioning, strict=True):
        assert (old.competency, old.text, old.scale) == (new.competency, new.text, new.scale)
    say(room, after, 0, overall="4", position_c1="4")
    say(room, after, 2, overall="4", position_c1="4")
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert positioning.paired(conn, room.silo_id, room.course_id, now=room.now) == {}  # still open
        own = positioning.own(conn, room.silo_id, room.course_id, room.trainees[0])
        nobody = positioning.own(conn, room.silo_id, room.course_id, room.trainees[5])
    assert {one.question.competency: [point.value for _, _, point in one.said] for one in own} == {
        "C1": [2, 4], "C2": [3]
    }  # fmt: skip
    assert (own[0].change, nobody) == (2, ())
    room.close(after)
    room.close(before)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = positioning.paired(conn, room.silo_id, room.course_id, now=room.now)
    assert {key: [one.value for one in group] for key, group in found.items()} == {
        (room.trainees[0], "C1"): [2, 4]
    }


def test_who_has_not_answered_leaves_the_list_by_steps_and_is_not_named_when_few(room: Classroom) -> None:
    survey = opened(room, EXPECTED)

    def listed() -> reminders.Listed:
        with transaction(room.engine, room.silo_id, write=False) as conn:
            return reminders.listed(conn, survey, now=room.now, k=K)

    def waiting() -> tuple[str, ...]:
        with transaction(room.engine, room.silo_id, write=False) as conn:
            return reminders.waiting(conn, survey, now=room.now)

    for rank in range(9):
        say(room, survey, rank, overall="4")
        assert len(waiting()) == 13 - rank
        assert set(listed().actors) == set(room.trainees[5 if rank >= 4 else 0 :])
    say(room, survey, 9, overall="4")
    assert (listed().actors, listed().few) == ((), True)  # four are left
    assert waiting() == tuple(sorted(room.trainees[10:]))


def test_reminders_are_never_of_an_anonymous_questionnaire(room: Classroom) -> None:
    survey = opened(room, EXPECTED, "anonymous")
    with transaction(room.engine, room.silo_id) as conn:
        for act in (
            lambda: reminders.waiting(conn, survey, now=room.now),
            lambda: reminders.listed(conn, survey, now=room.now, k=K),
            lambda: reminders.remind(conn, survey, by="x", now=room.now),
        ):
            with pytest.raises(SurveyError, match="anonymous"):
                act()
        other = opened_now(room)
        reminders.remind(conn, other, by="x", now=room.now)
        assert reminders.reminded(conn, room.silo_id, room.course_id) == {other.survey_id}
        assert reminders.sent(conn, other) == (room.now,)


def opened_now(room: Classroom) -> Survey:
    return Survey(
        room.silo_id, room.course_id, str(uuid.uuid4()), "", EXPECTED, "pseudonymous",
        room.now, room.now + timedelta(days=1), room.now, "x",
    )  # fmt: skip


def test_others_than_trainees_answer_through_who_has_allowed_them(room: Classroom) -> None:
    survey = opened(room, templates.load()["regard-commanditaires"].asked())
    with pytest.raises(SurveyError, match="not_trainee"):
        room.answer(survey, 0, overall="4")
    with transaction(room.engine, room.silo_id) as conn:
        assert not surveys.for_trainee(conn, room.viewer(room.trainees[0]), now=room.now, key=KEY)
        account = {"homePage": "https://estime.test/guests", "name": "commanditaire-1"}
        actor = account_key(account["homePage"], account["name"])
        done = surveys.take(
            conn, survey, actor, account, {"overall": "4", "again": "2"}, str(uuid.uuid4()),
            now=room.now, key=KEY, k=K,
        )  # fmt: skip
        assert (done, surveys.own_answers(conn, survey, actor)) == ("recorded", {"overall": 4, "again": 2})
