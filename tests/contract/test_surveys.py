"""Questionnaires on both engines: opened, answered, published step by step, closed."""

from __future__ import annotations

import json
import random
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from analyzers import answer_frames
from analyzers.survey_results import Published, SurveySummary
from lti_tool import surveys
from lti_tool.surveys import SurveyError, late, reception
from lti_tool.worker import Worker
from tests.conftest import Clock
from tests.factories.surveys import COURSE, KEY, SECRET, Classroom, K, template
from tool_config.database import transaction
from tool_config.surveys import Survey
from xapi import answers, auth, ingest, rollup
from xapi.survey_tables import answer, survey_comment, survey_step
from xapi.tables import event, rollup_pending, statement


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    return Classroom(engine, silo, clock()).build(24, modules=2)


def published(room: Classroom, survey: Survey) -> Published | None:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        return answer_frames.survey(conn, room.silo_id, room.course_id, survey.survey_id)


def summary(room: Classroom, survey: Survey) -> SurveySummary:
    """Summarise one questionnaire, the two ways that pages may."""
    asked: dict[str, Any] = {"enrolled": len(room.trainees), "now": room.now, "k": K}
    with transaction(room.engine, room.silo_id, write=False) as conn:
        survey = surveys.find(conn, room.silo_id, room.course_id, survey.survey_id)
        alone = reception.one(conn, survey, **asked)
        assert alone in reception.course(conn, room.silo_id, room.course_id, **asked)
    return alone


def comments(room: Classroom, survey: Survey, question: str = "liked") -> list[str]:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = answer_frames.comments(
            conn, room.silo_id, room.course_id, survey.survey_id, question, k=K, limit=1000
        )
    return sorted(found)


def count(room: Classroom, table: object) -> int:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


# --- opening ------------------------------------------------------------------------------------------


def test_an_opened_questionnaire_keeps_its_copy_of_the_template(room: Classroom) -> None:
    survey = room.open()
    assert survey.template == template()
    assert survey.template.question("recommendation") is None
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert surveys.listing(conn, room.silo_id, room.course_id) == (survey,)


def test_faults_of_an_opening_are_told_by_field(room: Classroom) -> None:
    room.open()
    with transaction(room.engine, room.silo_id) as conn, pytest.raises(SurveyError) as caught:
        surveys.open_survey(
            conn,
            room.silo_id,
            room.course_id,
            module="https://elsewhere.test/",
            template=template(),
            mode="named",
            opens_at=room.now,
            closes_at=room.now,
            by="x",
            now=room.now,
        )
    assert caught.value.fields == {"module": "unknown", "mode": "unknown", "closes_at": "before_opening"}
    with pytest.raises(SurveyError, match="already_open"):
        room.open()
    assert room.open(module=2).module.endswith("-2")


def test_a_questionnaire_is_not_brought_forward_and_is_cancelled_only_unanswered(room: Classroom) -> None:
    survey = room.open()
    with transaction(room.engine, room.silo_id) as conn:
        with pytest.raises(SurveyError, match="earlier"):
            surveys.prolong(conn, survey, survey.closes_at - timedelta(days=1), now=room.now)
        survey = surveys.prolong(conn, survey, survey.closes_at + timedelta(days=1), now=room.now)
    room.answer(survey, 0, overall=4)
    with transaction(room.engine, room.silo_id) as conn, pytest.raises(SurveyError, match="answered"):
        surveys.cancel(conn, survey)
    other = room.open(module=2)
    with transaction(room.engine, room.silo_id) as conn:
        surveys.cancel(conn, other)
        assert surveys.listing(conn, room.silo_id, room.course_id) == (survey,)


# --- answering ----------------------------------------------------------------------------------------


def test_an_answer_is_a_statement_a_question_and_no_event(room: Classroom) -> None:
    survey, attempt = room.open(), str(uuid.uuid4())
    assert (
        room.answer(survey, 0, attempt, overall=4, useful=5, liked="  Le temps d’échange\r\n") == "recorded"
    )
    with transaction(room.engine, room.silo_id) as conn:
        ids = {str(item) for item in conn.scalars(select(statement.c.id))}
        rows = conn.execute(select(answer).order_by(answer.c.question)).all()
    assert ids == {str(uuid.uuid5(uuid.UUID(attempt), name)) for name in ("overall", "useful", "liked")}
    told = {row.question: row.text if row.value is None else row.value for row in rows}
    assert told == {"overall": 4, "useful": 5, "liked": "Le temps d’échange"}
    assert {(row.course_id, row.module, row.phase) for row in rows} == {
        (room.course_id, f"{COURSE}#section-1", "a-chaud")
    }
    assert count(room, event) == 0
    assert count(room, rollup_pending) == 0


def test_the_same_attempt_twice_changes_nothing(room: Classroom) -> None:
    survey, attempt = room.open(), str(uuid.uuid4())
    assert room.answer(survey, 0, attempt, overall=4) == "recorded"
    assert room.answer(survey, 0, attempt, overall=2) == "repeated"
    assert count(room, statement) == 1
    with pytest.raises(SurveyError, match="bad_attempt"):
        room.answer(survey, 1, attempt, overall=2)


def test_a_second_attempt_takes_the_place_of_the_first(room: Classroom) -> None:
    survey = room.open()
    for rank in range(4):
        room.answer(survey, rank, overall=5, liked=f"premier {rank}")
    assert room.answer(survey, 0, overall=1, improve="le rythme") == "replaced"
    with transaction(room.engine, room.silo_id) as conn:
        own = surveys.own_answers(conn, survey, room.trainees[0])
    assert own == {"overall": 1, "improve": "le rythme"}
    room.answer(survey, 4, overall=5)
    found = published(room, survey)
    assert found is not None
    assert (found.n, found.counts["overall"]) == (5, {1: 1, 5: 4})
    assert comments(room, survey) == ["premier 1", "premier 2", "premier 3"]


@pytest.mark.parametrize(
    ("answers_given", "fields"),
    [
        ({}, {"overall": "required"}),
        ({"overall": "6"}, {"overall": "out_of_scale"}),
        ({"overall": "4", "useful": "4.0"}, {"useful": "out_of_scale"}),
        ({"overall": "4", "liked": "a" * 2001}, {"liked": "too_long"}),
        ({"overall": "4", "recommendation": "9"}, {"recommendation": "unknown_question"}),
    ],
)
def test_faulty_answers_are_told_by_question(
    room: Classroom, answers_given: dict[str, str], fields: dict[str, str]
) -> None:
    survey = room.open()
    with pytest.raises(SurveyError) as caught:
        room.answer(survey, 0, **answers_given)
    assert (caught.value.code, caught.value.fields) == ("invalid", fields)
    assert count(room, statement) == 0


def test_only_trainees_of_the_course_within_the_window(room: Classroom) -> None:
    survey = room.open()

    def refused(actor: str, role: str, now: object, attempt: str = str(uuid.uuid4())) -> str:
        with transaction(room.engine, room.silo_id) as conn, pytest.raises(SurveyError) as caught:
            surveys.submit(
                conn,
                survey,
                room.viewer(actor, role),
                {"overall": "4"},
                attempt,
                now=now,
                key=KEY,
                k=K,  # type: ignore[arg-type]
            )
        return caught.value.code

    me = room.trainees[0]
    assert refused(me, "tutor", room.now) == "not_trainee"
    assert refused("f" * 32, "trainee", room.now) == "not_trainee"
    assert refused(me, "trainee", room.now - timedelta(minutes=1)) == "not_open_yet"
    assert refused(me, "trainee", survey.closes_at) == "closed"
    assert refused(me, "trainee", room.now, "not-a-uuid") == "bad_attempt"


def test_a_trainee_is_asked_what_is_open_the_unanswered_first(room: Classroom) -> None:
    first, second = room.open(), room.open("anonymous", module=2, days=20)
    room.answer(first, 0, overall=3)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        asked = surveys.for_trainee(conn, room.viewer(room.trainees[0]), now=room.now, key=KEY)
    assert [(item.survey, item.module_title, item.answered) for item in asked] == [
        (second, "Module 2", False),
        (first, "Module 1", True),
    ]


# --- publishing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("authority", [None, auth.authority("https://estime.test", "k")])
def test_answers_that_a_key_writes_count_for_nothing(
    room: Classroom, authority: dict[str, Any] | None
) -> None:
    """Who may write statements would answer four times beside a person, and read that person's answer."""
    survey = room.open()
    room.answer(survey, 0, overall=2, liked="Ce que je suis seul à dire")
    with transaction(room.engine, room.silo_id) as conn:
        raws = conn.scalars(select(statement.c.raw).where(statement.c.raw.contains("question=overall"))).all()
        said = json.loads(next(raw for raw in raws if json.loads(raw)["result"]["response"] == "2"))
        del said["authority"], said["stored"]
        forged = [
            {
                **said,
                "id": str(uuid.uuid4()),
                "actor": {"account": {"homePage": "https://campus.test", "name": name}},
                "context": {**said["context"], "registration": str(uuid.uuid4())},
                "authority": {"objectType": "Agent", "account": {"homePage": "urn:estime", "name": "import"}},
            }
            for name in ("user-00000", "a", "b", "c", "d")
        ]
        ingest.ingest(conn, room.silo_id, forged, now=room.now, authority=authority)
        assert answers.rebuild(conn, room.silo_id) == 2
    assert count(room, answer) == 2
    room.close(survey)
    assert published(room, survey) is None or published(room, survey).n == 0  # type: ignore[union-attr]
    assert comments(room, survey) == []


def test_published_by_blocks_of_five_then_whole_at_closing(room: Classroom) -> None:
    survey = room.open()
    seen = []
    for rank in range(12):
        room.answer(survey, rank, overall=rank % 5 + 1, liked=f"avis {rank:02d}")
        found = summary(room, survey)
        seen.append(found.basis.n)
        assert sum(bar.count for bar in found.overall.distribution) == found.basis.n
        assert found.received == rank + 1
    assert seen == [0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10, 10]
    assert comments(room, survey) == [f"avis {rank:02d}" for rank in range(10)]
    assert summary(room, survey).next_at == 15
    assert room.close(survey) == 1
    last = summary(room, survey)
    assert (last.state, last.basis.n, last.received, last.next_at) == ("closed", 12, 12, None)
    assert len(comments(room, survey)) == 12
    assert room.close(survey) == 0


def test_four_answers_are_never_shown(room: Classroom) -> None:
    survey = room.open()
    for rank in range(4):
        room.answer(survey, rank, overall=5, liked="bien")
    assert summary(room, survey).suppressed == "waiting"
    room.close(survey)
    found = summary(room, survey)
    assert (found.suppressed, found.received, found.overall.distribution) == ("few", 4, ())
    assert found.overall.favourable.suppressed == "few"
    assert comments(room, survey) == []


def test_a_change_of_mind_does_not_show_before_the_next_step(room: Classroom) -> None:
    survey = room.open()
    for rank in range(7):
        room.answer(survey, rank, overall=5, liked="bien")
    before = published(room, survey)
    room.answer(survey, 0, overall=1, liked="finalement non")
    assert published(room, survey) == before
    assert comments(room, survey) == ["bien"] * 5
    for rank in range(7, 10):
        room.answer(survey, rank, overall=5)
    after = published(room, survey)
    assert after is not None
    assert after.counts["overall"] == {1: 1, 5: 9}
    assert "finalement non" in comments(room, survey)


@pytest.mark.parametrize(("mode", "steps"), [("pseudonymous", [5, 10, 17]), ("anonymous", [5, 10])])
def test_a_large_questionnaire_is_published_by_the_worker(
    room: Classroom, monkeypatch: pytest.MonkeyPatch, mode: str, steps: list[int]
) -> None:
    monkeypatch.setattr(late, "AT_ONCE", 10)
    survey = room.open(mode)
    worker = Worker(room.engine, lambda: room.now, close_surveys=surveys.closer(SECRET, K))
    seen = []
    for rank in range(18):
        room.answer(survey, rank, overall=4, liked=f"avis {rank}")
        if rank in (10, 12, 16, 17):
            worker.turn()
        found = published(room, survey)
        if found is not None and found.n not in seen:
            seen.append(found.n)
            assert sum(found.counts["overall"].values()) == found.n
            assert found.comments["liked"] == found.n == len(comments(room, survey))
    assert seen == steps
    room.close(survey)
    last = published(room, survey)
    assert last is not None
    assert (last.n, last.closed) == (18, True)


def test_a_rebuild_draws_the_same_answers_and_keeps_what_was_published(room: Classroom) -> None:
    survey = room.open()
    for rank in range(7):
        room.answer(survey, rank, overall=rank % 5 + 1, liked=f"avis {rank}")
    with transaction(room.engine, room.silo_id) as conn:
        before = sorted(map(tuple, conn.execute(select(answer))), key=str)
        figures, shown = published(room, survey), comments(room, survey)
    rollup.rebuild(room.engine, room.silo_id, now=room.now)
    with transaction(room.engine, room.silo_id) as conn:
        after = sorted(map(tuple, conn.execute(select(answer))), key=str)
    assert after == before
    assert (published(room, survey), comments(room, survey)) == (figures, shown)


def test_a_voided_comment_is_no_longer_shown(room: Classroom) -> None:
    survey = room.open()
    attempt = str(uuid.uuid4())
    room.answer(survey, 0, attempt, overall=5, liked="à retirer")
    for rank in range(1, 5):
        room.answer(survey, rank, overall=5, liked="bien")
    gone = str(uuid.uuid5(uuid.UUID(attempt), "liked"))
    voiding = {
        "actor": {"account": {"homePage": "https://campus.test", "name": "user-00000"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": gone},
    }
    with transaction(room.engine, room.silo_id) as conn:
        ingest.ingest(conn, room.silo_id, [voiding], now=room.now)
    assert comments(room, survey) == ["bien"] * 4
    assert summary(room, survey).comments[0].count == 4


def test_the_order_in_which_statements_arrive_changes_nothing(room: Classroom) -> None:
    """The same statements, drawn again in a shuffled order, give the same latest attempts."""
    survey = room.open()
    for rank in [0, 1, 2, 3, 0, 1, 4]:
        room.answer(survey, rank, overall=rank % 5 + 1, liked=f"avis {rank}")
    expected = published(room, survey)
    with transaction(room.engine, room.silo_id) as conn:
        rows = [dict(row) for row in conn.execute(select(statement)).mappings()]
        conn.execute(answer.delete())
        random.Random(4).shuffle(rows)
        for row in rows:
            answers.record(conn, room.silo_id, [row, row])
        conn.execute(survey_step.delete())
        conn.execute(survey_comment.delete())
        surveys._step(conn, survey, now=survey.opens_at, k=K, closed=False)
    found = published(room, survey)
    assert expected is not None
    assert found is not None
    assert (found.n, found.counts, found.comments) == (expected.n, expected.counts, expected.comments)


def test_two_silos_do_not_see_each_other(room: Classroom, second_silo: int) -> None:
    survey = room.open()
    for rank in range(5):
        room.answer(survey, rank, overall=5)
    with transaction(room.engine, second_silo, write=False) as conn:
        assert surveys.in_silo(conn, second_silo) == ()
        assert answer_frames.silo(conn, second_silo) == {}
        with pytest.raises(SurveyError, match="not_found"):
            surveys.find(conn, second_silo, room.course_id, survey.survey_id)


@pytest.mark.parametrize("mode", ["pseudonymous", "anonymous"])
def test_answers_at_the_same_moment_are_neither_lost_nor_doubled(room: Classroom, mode: str) -> None:
    survey = room.open(mode)
    attempts = {rank: str(uuid.uuid4()) for rank in range(12)}
    outcomes: list[str] = []

    def send(rank: int) -> None:
        with transaction(room.engine, room.silo_id) as conn:
            outcomes.append(
                surveys.submit(
                    conn,
                    survey,
                    room.viewer(room.trainees[rank]),
                    {"overall": "4"},
                    attempts[rank],
                    now=room.now,
                    key=KEY,
                    k=K,
                )
            )

    threads = [threading.Thread(target=send, args=(rank,)) for rank in [*range(12), *range(12)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count("recorded") == 12
    assert len(outcomes) == 24
    room.close(survey)
    found = summary(room, survey)
    assert (found.basis.n, found.received) == (12, 12)


@pytest.mark.parametrize("mode", ["pseudonymous", "anonymous"])
def test_the_worker_closes_what_is_over(room: Classroom, clock: Clock, mode: str) -> None:
    survey = room.open(mode)
    for rank in range(6):
        room.answer(survey, rank, overall=4)
    worker = Worker(room.engine, clock, close_surveys=surveys.closer(SECRET, K))
    clock.now = survey.closes_at - timedelta(minutes=1)
    worker.turn()
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert not surveys.has_due(conn, room.silo_id, now=clock())
        assert surveys.has_due(conn, room.silo_id, now=survey.closes_at)
    room.now = clock.advance(minutes=1)
    worker.turn()
    found = summary(room, survey)
    assert (found.state, found.basis.n, found.received) == ("closed", 6, 6)


def test_a_session_is_the_sum_of_its_published_questionnaires(room: Classroom) -> None:
    first, second = room.open(), room.open("anonymous", module=2)
    for rank in range(7):
        room.answer(first, rank, overall=5 if rank < 4 else 2)
        room.answer(second, rank, overall=1)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = reception.sessions(conn, room.silo_id, k=K)[room.course_id]
    assert (found.published, found.opened, found.favourable.count, found.favourable.n) == (1, 2, 4, 5)
    room.close(second)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = reception.sessions(conn, room.silo_id, k=K)[room.course_id]
    assert (found.published, found.favourable.count, found.favourable.n) == (2, 4, 14)
