"""An anonymous questionnaire attacked by somebody who reads the whole database after each answer.

The attacker knows who answered when and in which order (they watched the door), and reads every table
with its physical order. What was held must not say which answers came with whom; what was released must
say it to no better than a lot.
"""

from __future__ import annotations

import itertools
import random
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, func, select

from analyzers import answer_frames
from lti_tool import surveys
from lti_tool.surveys import SurveyError
from lti_tool.surveys import box as survey_box
from tests.conftest import Clock
from tests.factories.surveys import KEY, Classroom, K
from tool_config.database import administration, metadata, transaction
from tool_config.surveys import Survey
from xapi.survey_tables import answer, survey_step
from xapi.tables import actor, event, rollup_actor, rollup_pending, statement

#: What each trainee says: an overall answer and a comment that only the test can tie to a person.
SECRET = "secret-{:02d}"


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    return Classroom(engine, silo, clock()).build(24)


def dump(room: Classroom) -> dict[str, list[dict[str, Any]]]:
    """Read every table as its owner, in physical order, with what the engine keeps of each row."""
    found: dict[str, list[dict[str, Any]]] = {}
    with administration(room.engine) as conn:
        for table in metadata.sorted_tables:
            hidden = "rowid AS r" if conn.dialect.name == "sqlite" else "ctid::text AS r, xmin::text AS x"
            place = "rowid" if conn.dialect.name == "sqlite" else "ctid"
            query = f'SELECT {hidden}, t.* FROM "{table.name}" AS t ORDER BY t.{place}'
            found[table.name] = [dict(row._mapping) for row in conn.exec_driver_sql(query)]
    return found


def answer_all(room: Classroom, survey: Survey, ranks: list[int]) -> list[dict[str, Any]]:
    states = []
    for rank in ranks:
        room.answer(
            survey, rank, overall=rank % 5 + 1, useful=5, liked=SECRET.format(rank), improve=f"i{rank}"
        )
        states.append(dump(room))
    return states


def said(state: dict[str, list[dict[str, Any]]]) -> set[int]:
    """Return the trainees whose words can be read anywhere in a state of the database."""
    return {int(found) for found in re.findall(r"secret-(\d\d)", str(state))}


def test_nothing_readable_is_kept_before_a_lot_leaves(room: Classroom) -> None:
    states = answer_all(room, room.open("anonymous"), list(range(9)))
    for state in states:
        assert said(state) == set()
        for name in ("statement", "answer", "actor", "statement_agent", "event", "rollup_pending", "audit"):
            assert state[name] == [], name


def test_a_lot_is_five_drawn_among_ten(room: Classroom) -> None:
    survey = room.open("anonymous")
    states = answer_all(room, survey, list(range(10)))
    assert len(said(states[-1])) == 5
    states += answer_all(room, survey, list(range(10, 16)))
    sizes = [len(said(state)) for state in states]
    assert sizes == [0] * 9 + [5] * 5 + [10] * 2


def test_who_leaves_is_chance_not_order(engine: Engine, silo: int, clock: Clock) -> None:
    """Over many lots the first to answer leaves as often as the last: about one time in two."""
    held = [{"overall": rank} for rank in range(10)]
    first = sum({"overall": 0} in survey_box.draw(held, 5)[0] for _ in range(2000))
    last = sum({"overall": 9} in survey_box.draw(held, 5)[0] for _ in range(2000))
    assert 860 < first < 1140  # 6 standard deviations of a fair coin
    assert 860 < last < 1140


def test_no_row_says_when_a_person_answered(room: Classroom) -> None:
    """Successive states differ in the box alone, whose row holds every participant in one value."""
    survey = room.open("anonymous")
    empty = dump(room)
    states = [empty, *answer_all(room, survey, list(range(9)))]
    sizes = set()
    for before, after in itertools.pairwise(states):
        assert {name for name in after if after[name] != before[name]} == {"survey_box"}
        (row,) = after["survey_box"]
        sizes.add(len(bytes(row["held"])))
        people = bytes(row["participants"])
        digests = [people[at : at + 16] for at in range(0, len(people), 16)]
        assert digests == sorted(digests)
        # The identifiers that the rest of the database knows do not appear.
        assert not any(bytes.fromhex(who) in people or who in str(row) for who in room.trainees)
    assert len(sizes) == 1


def test_successive_boxes_share_nothing_readable(room: Classroom) -> None:
    """Write-ahead logs and dead rows keep the old boxes: with no key they are noise."""
    survey = room.open("anonymous")
    boxes = [bytes(state["survey_box"][0]["held"]) for state in answer_all(room, survey, [0, 1, 2])]
    pieces = [{box[at : at + 16] for at in range(len(box) - 16)} for box in boxes]
    assert not pieces[0] & pieces[1]
    assert not pieces[1] & pieces[2]
    other = survey_box.key("another-secret-key-0123456789-abcdefghijkl")
    with pytest.raises(survey_box.BoxError):
        survey_box.unseal(other, survey.survey_id, boxes[0])


def assert_placed_by(rows: list[dict[str, Any]], identifier: str) -> None:
    """Assert that rows lie in the order of an identifier, within each page where the engine has pages.

    PostgreSQL may put a row into an earlier page that still has room for it: between pages, place follows
    sizes as well.
    """
    pages: dict[str, list[str]] = {}
    for row in rows:
        page = row["r"].split(",")[0] if isinstance(row["r"], str) else ""
        pages.setdefault(page, []).append(str(row[identifier]).replace("-", ""))
    for placed in pages.values():
        assert placed == sorted(placed)


def test_released_rows_carry_no_time_no_order_and_no_set(room: Classroom) -> None:
    survey = room.open("anonymous")
    state = answer_all(room, survey, list(range(12)))[-1]
    with transaction(room.engine, room.silo_id, write=False) as conn:
        rows = conn.execute(select(statement)).all()
        drawn = conn.execute(select(answer)).all()
        people = set(conn.scalars(select(actor.c.actor)))
    assert len(rows) == 5 * 4
    assert len({row.stored for row in rows}) == 1
    midnight = datetime(room.now.year, room.now.month, room.now.day, tzinfo=UTC)
    assert {row.timestamp for row in rows} == {midnight}
    # Nobody of the course: accounts of their own, another for each set of scores and each comment.
    assert not people & set(room.trainees)
    assert len({row.actor for row in rows}) == 5 * 3
    for row in rows:
        assert uuid.UUID(row.id).version == 4
        alone = [item for item in drawn if item.attempt == row.registration]
        assert {item.value is None for item in alone} in ({True}, {False})
        assert len(alone) in (1, 2)
    # Physically: by random identifier, so that place says nothing of the set.
    assert_placed_by(state["statement"], "id")
    assert_placed_by(state["answer"], "statement_id")
    if room.engine.dialect.name == "postgresql":
        assert len({row["x"] for row in state["answer"]}) == 1


def test_released_answers_enrol_nobody(room: Classroom) -> None:
    survey = room.open("anonymous")
    answer_all(room, survey, list(range(10)))
    with transaction(room.engine, room.silo_id, write=False) as conn:
        for table in (event, rollup_pending, rollup_actor):
            assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_one_submission_a_person(room: Classroom) -> None:
    survey = room.open("anonymous")
    assert room.answer(survey, 0, overall=5) == "recorded"
    assert room.answer(survey, 0, overall=1) == "already"
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert surveys.has_answered(conn, survey, room.trainees[0], key=KEY)
        assert not surveys.has_answered(conn, survey, room.trainees[1], key=KEY)
        assert surveys.own_answers(conn, survey, room.trainees[0]) == {}
        assert surveys.received(conn, survey, now=room.now, k=K) == 0


@pytest.mark.parametrize("total", [1, 4, 5, 6, 9, 10, 11, 14, 17])
def test_the_closing_lets_out_everybody_or_nobody(room: Classroom, total: int) -> None:
    """Every lot has five people or more, the last one included; under five in all nothing leaves."""
    survey = room.open("anonymous")
    ranks = list(range(total))
    random.Random(total).shuffle(ranks)
    sizes = [0, *(len(said(state)) for state in answer_all(room, survey, ranks))]
    room.close(survey)
    after = dump(room)
    sizes.append(len(said(after)))
    lots = [late - early for early, late in itertools.pairwise(sizes) if late != early]
    assert all(lot >= K for lot in lots)
    assert sum(lots) == (total if total >= K else 0)
    assert after["survey_box"] == []
    with transaction(room.engine, room.silo_id, write=False) as conn:
        closed = surveys.find(conn, room.silo_id, room.course_id, survey.survey_id)
        assert surveys.received(conn, closed, now=room.now, k=K) == total
        found = answer_frames.survey(conn, room.silo_id, room.course_id, survey.survey_id)
    assert found is not None
    assert found.n == (total if total >= K else 0)


def test_published_states_differ_by_five_at_least_the_closing_included(room: Classroom) -> None:
    survey = room.open("anonymous")
    seen = [0]
    for rank in range(18):
        room.answer(survey, rank, overall=4)
        with transaction(room.engine, room.silo_id, write=False) as conn:
            seen.append(conn.execute(select(survey_step.c.n)).scalar() or 0)
    room.close(survey)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        seen.append(conn.execute(select(survey_step.c.n)).scalar_one())
    steps = [late - early for early, late in itertools.pairwise(seen) if late != early]
    assert steps == [5, 5, 8]


def test_what_came_out_is_what_was_said(room: Classroom) -> None:
    survey = room.open("anonymous")
    answer_all(room, survey, list(range(13)))
    room.close(survey)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = answer_frames.survey(conn, room.silo_id, room.course_id, survey.survey_id)
        texts = answer_frames.comments(
            conn, room.silo_id, room.course_id, survey.survey_id, "liked", k=K, limit=100
        )
    assert found is not None
    assert found.counts["overall"] == {1: 3, 2: 3, 3: 3, 4: 2, 5: 2}
    assert found.counts["useful"] == {5: 13}
    assert sorted(texts) == [SECRET.format(rank) for rank in range(13)]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_files_themselves_hold_no_answer_before_a_lot_leaves(room: Classroom) -> None:
    """Read the bytes of the database and of its write-ahead log."""
    survey = room.open("anonymous")
    answer_all(room, survey, list(range(9)))
    database = Path(str(room.engine.url.database))
    files = [database, *database.parent.glob(f"{database.name}-*")]
    assert len(files) >= 2
    for file in files:
        content = file.read_bytes()
        assert b"secret-" not in content
        assert SECRET.format(0).encode("utf-16-le") not in content
    answer_all(room, survey, [9])
    assert any(b"secret-" in file.read_bytes() for file in files)


def test_a_lost_key_leaves_the_box_and_says_so(room: Classroom, caplog: pytest.LogCaptureFixture) -> None:
    survey = room.open("anonymous")
    answer_all(room, survey, list(range(6)))
    with transaction(room.engine, room.silo_id) as conn:
        wrong = survey_box.key("another-secret-key-0123456789-abcdefghijkl")
        assert surveys.settle_due(conn, room.silo_id, now=survey.closes_at, key=wrong, k=K) == 0
    assert "another key" in caplog.text
    assert room.close(survey) == 1
    assert len(said(dump(room))) == 6


def test_a_refused_answer_leaves_no_trace(room: Classroom) -> None:
    survey = room.open("anonymous")
    before = dump(room)
    with pytest.raises(SurveyError, match="required"):
        room.answer(survey, 0, liked="rien")
    assert dump(room) == before


def test_the_largest_answers_fit_in_the_box() -> None:
    from tests.factories.surveys import template

    chosen = template(also=("recommendation",))
    longest = {question.id: '"\\\n\U0001f642' * (question.max_length // 4) for question in chosen.comments}
    full = {**{question.id: 10 for question in chosen.closed}, **longest}
    assert len(orjson.dumps([full] * 9)) <= survey_box.room(chosen, 10)
