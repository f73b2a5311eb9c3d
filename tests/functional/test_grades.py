"""Marks sent to a gradebook over HTTP: said once, each later than the last, never of a tutor."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from lti_tool import surveys
from lti_tool.service_tables import course_service, mark, mark_sent
from lti_tool.services import grades, marks
from lti_tool.services.gradebook import scores_url, with_query
from lti_tool.services.marks import PROGRESS, MarkError
from lti_tool.surveys import box as survey_box
from lti_tool.tables import survey
from tests.conftest import Clock
from tests.factories import opened, traces
from tests.factories.jobs import drain, listed
from tests.factories.platform import ABSENT, INSTRUCTOR, LEARNER, SITE_ADMIN, Browser
from tests.factories.services_platform import Asked, member
from tests.factories.services_room import Room, make_room
from tool_config import surveys as templates
from tool_config.database import transaction
from tool_config.settings import Settings
from tool_config.surveys import Survey
from xapi.tables import outline_item

PEOPLE = [
    member("3", "Sara Student"),
    member("4", "Ståle Näsström"),
    member("5", "Nora Newcomer"),
    member("7", "Edith Editor", "Instructor"),
]
LINK = {"label": "Estime", "scoreMaximum": 100, "resourceId": "", "tag": "", "resourceLinkId": "1"}

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def room(settings: Settings, engine: Engine, silo: int, clock: Clock) -> Iterator[Room]:
    """Yield a course with three trainees and a tutor, their roster brought."""
    members = [dict(one) for one in PEOPLE]
    with make_room(settings, engine, silo, clock, members=members, items={2: dict(LINK)}) as made:
        made.launch()
        drain(made.tool)
        progress(made, u7=3)  # the tutor went through it: the three modules are known
        yield made


def switch_on(room: Room, mark_id: str = PROGRESS, own: tuple[str, str] | None = None) -> None:
    with transaction(room.engine, room.silo) as conn:
        marks.switch_on(
            conn, room.silo, room.course(), mark_id, "Progression (Estime)",
            by=room.actor("7"), now=room.clock(), own=own,
        )  # fmt: skip


def progress(room: Room, **done: int) -> None:
    """Let people finish some of the course's three modules: ``u3=2`` is user 3, two modules."""
    sent: list[dict[str, Any]] = []
    for who, modules in done.items():
        for rank in range(1, modules + 1):
            at = room.clock.now - timedelta(minutes=60 - rank)
            parents = [traces.section(rank, opened.MODULES[rank - 1]), traces.course(2)]
            for said in (traces.VIEWED, traces.COMPLETED):
                target = traces.page(100 * rank, f"Étape {rank}")
                sent.append(traces.statement(who[1:], said, target, at, parents=parents))
    text = {traces.SITE: room.platform.issuer}
    opened.take_in(room.engine, room.silo, [_renamed(one, text) for one in sent], room.clock)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def said(room: Room) -> dict[str, int]:
    """Return {user: score} of the gradebook's columns, whatever the column."""
    return {user: grade["score"] for (_, user), grade in room.moodle.grades.items()}


def states(room: Room) -> dict[str, tuple[str, str]]:
    by_actor = {room.actor(sub): sub for sub in ("3", "4", "5", "7")}
    return {by_actor[row.actor]: (row.state, row.reason) for row in room.rows(mark_sent)}


# --- progress ---------------------------------------------------------------------------------------------


def test_progress_goes_to_the_gradebook_of_trainees_only(room: Room) -> None:
    progress(room, u3=3, u4=1, u7=3)
    switch_on(room)
    drain(room.tool)
    assert said(room) == {"3": 100, "4": 33}
    assert states(room) == {"3": ("sent", ""), "4": ("sent", "")}
    (posted, *_) = room.moodle.calls("POST", "/scores")
    assert posted.headers["content-type"] == "application/vnd.ims.lis.v1.score+json"
    for one in room.moodle.calls("POST", "/scores"):
        assert one.body["gradingProgress"] == "FullyGraded"
        assert one.body["activityProgress"] == (
            "Completed" if one.body["scoreGiven"] == 100 else "InProgress"
        )
        assert datetime.fromisoformat(one.body["timestamp"]).tzinfo is not None
    # One column, made by the tool, and known again.
    ((number, column),) = ((key, one) for key, one in room.moodle.items.items() if key != 2)
    assert (column["resourceId"], column["tag"], column["scoreMaximum"]) == ("progress", "estime", 100)
    assert room.rows(mark)[0].lineitem_url == room.moodle.item_url(number)
    assert not [one for one in room.moodle.asked if "limit=" in one.path and "lineitems" in one.path]


def test_what_was_said_is_not_said_again_and_what_changes_is_said_later(room: Room) -> None:
    progress(room, u3=1)
    switch_on(room)
    drain(room.tool)
    first = room.moodle.calls("POST", "/scores")
    room.clock.advance(hours=1)
    assert drain(room.tool) == 1
    assert len(room.moodle.calls("POST", "/scores")) == len(first) == 1
    progress(room, u3=2)
    room.clock.advance(hours=1)
    drain(room.tool)
    assert said(room) == {"3": 66}
    stamps = [datetime.fromisoformat(one.body["timestamp"]) for one in room.moodle.calls("POST", "/scores")]
    assert stamps == sorted(set(stamps))


@sqlite_only
def test_timestamps_grow_even_when_the_clock_stands_still(room: Room) -> None:
    switch_on(room)
    for done in (1, 2, 3):
        progress(room, u3=done)
        with transaction(room.engine, room.silo) as conn:
            marks.ask(conn, room.silo, room.course(), PROGRESS, now=room.clock())
        drain(room.tool)
    posted = room.moodle.calls("POST", "/scores")
    stamps = [datetime.fromisoformat(one.body["timestamp"]) for one in posted]
    assert stamps == [room.clock.now + timedelta(seconds=rank) for rank in range(3)]
    assert said(room) == {"3": 100}
    last = room.clock.now
    assert grades.instant(last, last + timedelta(seconds=9)) == last + timedelta(seconds=10)
    assert grades.instant(last, None) == last


def test_a_grade_is_never_sent_for_a_tutor(room: Room) -> None:
    # Learner in Moodle's roster, tutor by launch: a non-editing teacher.
    room.moodle.members.append(member("6", "Tina Tutor"))
    room.launch(sub="6", roles=[INSTRUCTOR], name="Tina Tutor")
    room.sync()
    progress(room, u6=3, u7=3, u3=3)
    switch_on(room)
    drain(room.tool)
    assert said(room) == {"3": 100}
    assert {one.body["userId"] for one in room.moodle.calls("POST", "/scores")} == {"3"}
    # A trainee who becomes a tutor between two turns is left alone too.
    progress(room, u4=1)
    room.launch(sub="4", roles=[INSTRUCTOR], name="Ståle")
    room.clock.advance(hours=1)
    drain(room.tool)
    assert {one.body["userId"] for one in room.moodle.calls("POST", "/scores")} == {"3"}


@sqlite_only
def test_who_left_is_not_marked(room: Room) -> None:
    switch_on(room)
    drain(room.tool)
    progress(room, u3=1, u4=1)
    room.moodle.members = [one for one in room.moodle.members if one["user_id"] != "4"]
    room.clock.advance(minutes=1)
    room.sync()
    room.clock.advance(hours=1)
    drain(room.tool)
    assert said(room) == {"3": 33}


@sqlite_only
def test_the_activitys_own_column_is_taken_when_the_launch_gives_it(room: Room) -> None:
    progress(room, u3=3)
    switch_on(room, own=("1", room.moodle.item_url(2)))
    drain(room.tool)
    assert room.moodle.grades.keys() == {(2, "3")}
    assert room.moodle.items.keys() == {2}
    assert not room.moodle.calls("GET", "/lineitems")


@sqlite_only
def test_a_column_is_found_again_rather_than_made_twice(room: Room) -> None:
    switch_on(room)
    drain(room.tool)
    with transaction(room.engine, room.silo) as conn:
        conn.execute(delete(mark))
    switch_on(room)
    progress(room, u3=3)
    drain(room.tool)
    assert len(room.moodle.items) == 2
    assert said(room) == {"3": 100}


@sqlite_only
def test_a_column_that_was_removed_is_made_again_unless_it_is_an_activitys_own(room: Room) -> None:
    progress(room, u3=1)
    switch_on(room)
    drain(room.tool)
    del room.moodle.items[4]
    progress(room, u3=2)
    room.clock.advance(hours=1)
    drain(room.tool)
    room.clock.advance(seconds=2)
    drain(room.tool)
    assert room.moodle.grades[(5, "3")]["score"] == 66
    switch_on(room, own=("1", room.moodle.item_url(2)))
    del room.moodle.items[2]
    progress(room, u3=3)
    drain(room.tool)
    assert room.rows(mark)[0].problem == "gone"


# --- what the gradebook answers ---------------------------------------------------------------------------


def test_409_is_said_again_later_with_a_later_instant(room: Room) -> None:
    progress(room, u3=1)
    switch_on(room)
    drain(room.tool)
    # Somebody wrote there since, by a clock that is ahead.
    column = next(iter(room.moodle.grades))
    room.moodle.grades[column]["at"] = room.clock.now + timedelta(seconds=3610)
    progress(room, u3=2)
    room.clock.advance(hours=1)
    drain(room.tool)
    assert states(room) == {"3": ("waiting", "later")}
    assert room.rows(mark)[0].problem == "later"
    (job,) = listed(room.engine, room.silo, "marks")
    assert (job.state, job.message) == ("waiting", "later")
    room.clock.advance(seconds=30)
    drain(room.tool)
    assert states(room) == {"3": ("sent", "")}
    assert said(room) == {"3": 66}
    assert room.rows(mark)[0].problem == ""


def test_400_is_a_refusal_of_that_person_and_stops_nobody_else(room: Room) -> None:
    progress(room, u3=1, u4=2, u5=3)
    room.moodle.members[1]["roles"] = ["Instructor"]  # a teacher for the gradebook, since a moment ago
    switch_on(room)
    drain(room.tool)
    assert states(room) == {"3": ("sent", ""), "4": ("refused", "refused"), "5": ("sent", "")}
    posted = len(room.moodle.calls("POST", "/scores"))
    room.clock.advance(hours=1)
    drain(room.tool)
    assert len(room.moodle.calls("POST", "/scores")) == posted
    room.moodle.members[1]["roles"] = ["Learner"]
    with transaction(room.engine, room.silo) as conn:
        marks.try_again(conn, room.silo, room.course(), PROGRESS, now=room.clock())
    drain(room.tool)
    assert states(room)["4"] == ("sent", "")


@sqlite_only
@pytest.mark.parametrize(
    ("status", "problem", "state"),
    [
        (500, "busy", "waiting"),
        (503, "busy", "waiting"),
        (403, "forbidden", "failed"),
        (302, "nonsense", "failed"),
    ],
)
def test_a_gradebook_that_does_not_answer_is_asked_again_and_nothing_is_lost(
    room: Room, status: int, problem: str, state: str
) -> None:
    progress(room, u3=1, u4=2)
    switch_on(room)
    posted: list[str] = []

    def failing(asked: Asked) -> Any:
        if not asked.path.split("?")[0].endswith("/scores"):
            return None
        posted.append(asked.body["userId"])
        return (status, "application/json", {}, {}) if len(posted) == 2 else None

    room.moodle.before = failing
    drain(room.tool)
    assert room.rows(mark)[0].problem == problem
    (job,) = listed(room.engine, room.silo, "marks")
    assert job.state == state
    assert len(said(room)) == 1
    assert sorted(states(room).values()) == [("sent", ""), ("waiting", "")]
    room.clock.advance(minutes=2)
    with transaction(room.engine, room.silo) as conn:
        marks.ask(conn, room.silo, room.course(), PROGRESS, now=room.clock())
    drain(room.tool)
    assert said(room) == {"3": 33, "4": 66}
    # The one that had been taken was not said twice.
    taken = posted[0]
    assert [one.body["userId"] for one in room.moodle.calls("POST", "/scores")].count(taken) == 1


@sqlite_only
def test_a_worker_that_dies_half_way_loses_and_repeats_nothing(room: Room) -> None:
    progress(room, u3=1, u4=2, u5=3)
    switch_on(room)

    class Died(BaseException):
        pass

    real = room.moodle.before
    seen: list[str] = []

    def dying(asked: Asked) -> None:
        if asked.path.split("?")[0].endswith("/scores"):
            seen.append(asked.body["userId"])

    room.moodle.before = dying
    original = marks.note
    calls: list[str] = []

    def note(*args: Any) -> None:
        calls.append("note")
        if len(calls) == 2:
            raise Died
        original(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "note", note)
        with pytest.raises(Died):
            drain(room.tool)
    room.moodle.before = real
    room.clock.advance(minutes=2)
    drain(room.tool)
    assert said(room) == {"3": 33, "4": 66, "5": 100}
    assert set(states(room).values()) == {("sent", "")}


@sqlite_only
def test_nothing_is_said_once_switched_off(room: Room) -> None:
    progress(room, u3=1)
    switch_on(room)
    with transaction(room.engine, room.silo) as conn:
        marks.switch_off(conn, room.silo, room.course(), PROGRESS, now=room.clock())
    drain(room.tool)
    assert said(room) == {}
    assert listed(room.engine, room.silo, "marks")[0].state == "done"


@sqlite_only
def test_nothing_more_is_said_once_switched_off_during_a_turn(room: Room) -> None:
    progress(room, u3=1, u4=2, u5=3)
    switch_on(room)

    def switch_off(asked: Asked) -> None:
        if asked.path.split("?")[0].endswith("/scores"):
            with transaction(room.engine, room.silo) as conn:
                marks.switch_off(conn, room.silo, room.course(), PROGRESS, now=room.clock())

    before, room.moodle.before = room.moodle.before, switch_off
    drain(room.tool)
    assert len(said(room)) == 1
    assert sorted(state for state, _ in states(room).values()) == ["sent", "waiting", "waiting"]
    room.moodle.before = before
    # Switched on again, what is left is said.
    switch_on(room)
    drain(room.tool)
    assert said(room) == {"3": 33, "4": 66, "5": 100}


@sqlite_only
def test_no_mark_is_said_of_who_comes_as_a_tutor_during_a_turn(room: Room) -> None:
    progress(room, u3=1, u4=2)
    switch_on(room)
    came: list[str] = []

    def come(asked: Asked) -> None:
        if asked.path.split("?")[0].endswith("/scores") and not came:
            other = "4" if asked.body["userId"] == "3" else "3"
            came.append(other)
            room.launch(sub=other)

    room.moodle.before = come
    drain(room.tool)
    assert len(came) == 1
    assert came[0] not in said(room)
    assert len(said(room)) == 1


@sqlite_only
def test_a_platform_without_the_service_or_the_right_takes_no_marks(room: Room) -> None:
    with transaction(room.engine, room.silo) as conn:
        conn.execute(update(course_service).values(scopes=[]))
    with pytest.raises(MarkError, match="no_service"):
        switch_on(room)
    with transaction(room.engine, room.silo) as conn:
        conn.execute(delete(course_service))
        assert not marks.is_offered(conn, room.silo, room.course())


# --- questionnaires ---------------------------------------------------------------------------------------


def ask_opinion(room: Room, mode: str = "pseudonymous") -> Survey:
    """Open a questionnaire on a module of the course."""
    module = f"{room.platform.issuer}/course/view.php?id=2#section-1"
    key = {"silo_id": room.silo, "course_id": room.course()}
    with transaction(room.engine, room.silo) as conn:
        if conn.execute(select(outline_item).where(outline_item.c.iri == module)).first() is None:
            conn.execute(
                insert(outline_item).values(
                    **key, iri=module, level="module", module=module, title="Un", position=1, required=True
                )
            )
        template = templates.load()["a-chaud-module"].asked()
        return surveys.open_survey(
            conn, room.silo, room.course(), module=module, template=template, mode=mode,
            opens_at=room.clock.now, closes_at=room.clock.now + timedelta(days=9),
            by=room.actor("7"), now=room.clock.now,
        )  # fmt: skip


def answer(room: Room, asked: Survey, sub: str) -> None:
    room.launch(sub=sub, roles=[LEARNER])
    said = {question.id: "4" for question in asked.template.questions if question.scale and question.required}
    with transaction(room.engine, room.silo) as conn:
        surveys.submit(
            conn, asked, room.viewer(sub), said, str(uuid.uuid4()), now=room.clock(),
            key=survey_box.key(room.tool.settings.secret_key), k=5,
        )  # fmt: skip


def test_taking_part_is_said_the_night_after_in_one_lot(room: Room) -> None:
    asked = ask_opinion(room)
    switch_on(room, asked.survey_id)
    for sub in ("3", "5"):
        room.clock.advance(minutes=7)
        answer(room, asked, sub)
    drain(room.tool)
    # Nor does asking for a turn tell who has just answered.
    with transaction(room.engine, room.silo) as conn:
        marks.ask(conn, room.silo, room.course(), asked.survey_id, now=room.clock())
    drain(room.tool)
    assert said(room) == {}
    room.clock.now = datetime(2026, 11, 22, 2, 45, tzinfo=room.clock.now.tzinfo)
    drain(room.tool, plans=True)
    room.clock.advance(seconds=9)
    drain(room.tool, plans=True)
    assert said(room) == {"3": 100, "5": 100}
    assert len({one.body["timestamp"] for one in room.moodle.calls("POST", "/scores")}) == 1


@sqlite_only
def test_an_anonymous_questionnaire_has_no_mark(room: Room) -> None:
    asked = ask_opinion(room, "anonymous")
    with pytest.raises(MarkError, match="anonymous"):
        switch_on(room, asked.survey_id)
    assert room.rows(mark) == []


@sqlite_only
def test_a_mark_is_not_added_once_people_answered_without_being_told(room: Room) -> None:
    asked = ask_opinion(room)
    answer(room, asked, "3")
    with pytest.raises(MarkError, match="answered"):
        switch_on(room, asked.survey_id)


# --- pages ------------------------------------------------------------------------------------------------


def form(room: Room, browser: Browser, address: str, page: str, **values: Any) -> Any:
    """Send a form of a page, with its token."""
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert token is not None
    headers = {"Origin": room.platform.public_url}
    return browser.post(address, data={**values, "csrf_token": token[1]}, headers=headers)


def text(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return str(answer.get_data(as_text=True))


def test_a_tutor_switches_the_mark_of_progress_on_reads_its_state_and_switches_it_off(room: Room) -> None:
    progress(room, u3=3, u4=1)
    room.moodle.members[1]["roles"] = ["Instructor"]
    browser, place = room.launch()
    outline = f"{place}courses/{room.course()}/outline"
    address = f"{place}courses/{room.course()}/marks/progress"
    page = text(browser, outline)
    assert "Envoyer la progression au carnet de notes" in page
    answer = form(room, browser, address, page, do="on")
    assert answer.status_code == 303
    assert "aucune note" in text(browser, outline).lower()
    drain(room.tool)
    # The launch gives the activity's own column.
    assert room.moodle.grades.keys() == {(2, "3")}
    page = text(browser, outline)
    assert "1 note envoyée, 1 refusée." in page
    people = text(browser, address)
    assert "refusée\u202f: le carnet de notes ne prend pas de note pour cette personne" in people
    assert "Ståle Näsström" in people
    assert "envoyée" in people
    assert form(room, browser, address, page, do="again").status_code == 303
    assert form(room, browser, address, page, do="off").status_code == 303
    assert "Plus rien n’est envoyé." in text(browser, outline)


@sqlite_only
def test_marks_are_neither_shown_nor_switched_by_others(room: Room) -> None:
    progress(room, u3=3)
    switch_on(room)
    drain(room.tool)
    course_id = room.course()
    for claims in (
        {"sub": "3", "roles": [LEARNER]},
        {"sub": "40", "roles": [INSTRUCTOR, SITE_ADMIN]},
        {"context": {"id": "9", "title": "Autre", "label": "B"}},
    ):
        browser, place = room.launch(**claims)
        where = browser.entered(place)
        token = re.search(r'data-large="([0-9a-f]{64})"', text(browser, where))
        assert token is not None
        address = f"{place}courses/{course_id}/marks/progress"
        assert browser.get(address).status_code in (403, 404)
        sent = {"csrf_token": token[1], "do": "off"}
        headers = {"Origin": room.platform.public_url}
        assert browser.post(address, data=sent, headers=headers).status_code in (403, 404)
    assert room.rows(mark)[0].off_at is None
    browser, place = room.launch()
    unknown = f"{place}courses/{course_id}/marks/{uuid.uuid4()}"
    assert browser.get(unknown).status_code == 404


@sqlite_only
def test_a_questionnaire_is_opened_with_its_mark_and_who_answers_is_told(room: Room) -> None:
    browser, place = room.launch()
    new = f"{place}courses/{room.course()}/satisfaction/new"
    page = text(browser, new)
    assert "Noter la participation" in page
    module = re.search(r'<option value="([^"]+)"', page)
    assert module is not None
    filled = {
        "module": module[1].replace("&amp;", "&"),
        "template": "a-chaud-module",
        "opens": "2026-11-21",
        "closes": "2026-11-30",
        "mark": "1",
    }
    refused = form(room, browser, new, page, **filled, mode="anonymous")
    assert refused.status_code == 400
    assert "ne peut pas donner de note" in refused.get_data(as_text=True)
    assert room.rows(survey) == []
    opened_ = form(room, browser, new, page, **filled, mode="pseudonymous")
    assert opened_.status_code == 303, opened_.get_data(as_text=True)[:3000]
    assert "Notes de participation" in text(browser, opened_.headers["Location"])
    (asked,) = room.rows(survey)
    trainee, own = room.launch(sub="3", roles=[LEARNER])
    told = text(trainee, f"{own}surveys/{asked.survey_id}")
    assert "Une note de participation." in told
    assert "on y verra que vous avez répondu" in told
    with transaction(room.engine, room.silo) as conn:
        marks.switch_off(conn, room.silo, room.course(), asked.survey_id, now=room.clock())
    assert "Une note de participation." not in text(trainee, f"{own}surveys/{asked.survey_id}")


@sqlite_only
def test_a_questionnaire_placed_in_the_course_may_have_its_mark(room: Room) -> None:
    settings = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "accept_multiple": True,
        "deep_link_return_url": f"{room.platform.issuer}/mod/lti/contentitem_return.php?course=2",
    }
    placing: dict[str, Any] = {
        "message_type": "LtiDeepLinkingRequest",
        "resource_link": ABSENT,
        "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings": settings,
    }
    browser, place = room.launch(**placing)
    page = text(browser, f"{place}placing")
    assert "Noter la participation" in page
    modules = re.findall(r'name="what" value="(module:[^"]+)"', page)
    filled = {
        "what": modules[:2],
        "template": "a-chaud-module",
        "opens": "2026-11-21",
        "closes": "2026-11-30",
        "mark": "1",
    }
    refused = form(room, browser, f"{place}placing", page, **filled, mode="anonymous")
    assert refused.status_code == 400
    assert "ne peut pas donner de note" in refused.get_data(as_text=True)
    assert 'name="mark" value="1" checked' in refused.get_data(as_text=True)
    assert room.rows(survey) == room.rows(mark) == []
    assert form(room, browser, f"{place}placing", page, **filled, mode="pseudonymous").status_code == 200
    made = room.rows(survey)
    assert len(made) == 2
    assert {row.mark_id for row in room.rows(mark)} == {row.survey_id for row in made}
    with transaction(room.engine, room.silo) as conn:
        conn.execute(update(course_service).values(scopes=[]))
    ags = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
    browser, place = room.launch(**{**placing, ags: ABSENT})
    assert "Noter la participation" not in text(browser, f"{place}placing")


# --- addresses --------------------------------------------------------------------------------------------


def test_addresses_of_scores_keep_their_parameters() -> None:
    assert (
        scores_url("https://m.test/a/4/lineitem?type_id=1") == "https://m.test/a/4/lineitem/scores?type_id=1"
    )
    assert scores_url("https://m.test/a/4") == "https://m.test/a/4/scores"
    assert with_query("https://m.test/a?type_id=1", {"tag": "x y"}) == "https://m.test/a?type_id=1&tag=x+y"
