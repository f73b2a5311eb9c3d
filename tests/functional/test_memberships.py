"""Rosters over HTTP: who is in a course, who left, what a platform may not make the tool believe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from analyzers import alerts, frames
from lti_tool.service_tables import course_service
from lti_tool.services import memberships
from lti_tool.tables import person
from tests.conftest import Clock
from tests.factories import opened, traces
from tests.factories.jobs import drain, listed
from tests.factories.platform import INSTRUCTOR, LEARNER, SITE_ADMIN, Browser
from tests.factories.services_platform import Asked, member, moodle
from tests.factories.services_room import Room, make_room
from tool_config import platforms, rules
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from xapi.statement import account_key, actor_key
from xapi.tables import actor_alias, course, membership

PEOPLE = [
    member("3", "Sara Student"),
    member("4", "Ståle Näsström"),
    member("7", "Edith Editor", "Instructor"),
]


@pytest.fixture
def room(settings: Settings, engine: Engine, silo: int, clock: Clock) -> Iterator[Room]:
    with make_room(settings, engine, silo, clock, members=[dict(one) for one in PEOPLE]) as made:
        yield made


sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


# --- when -------------------------------------------------------------------------------------------------


def test_the_first_launch_of_a_tutor_asks_for_the_roster(room: Room) -> None:
    room.launch(sub="3", roles=[LEARNER], name="Sara Student")
    assert listed(room.engine, room.silo, "roster") == []
    room.launch()
    assert [row.state for row in listed(room.engine, room.silo, "roster")] == ["waiting"]
    assert drain(room.tool) == 1
    assert room.members() == {"3": ("trainee", True), "4": ("trainee", True), "7": ("tutor", True)}
    assert room.states().keys() == {"3", "4"}
    assert room.rows(course)[0].roster_at == room.clock.now
    room.launch()
    assert len(listed(room.engine, room.silo, "roster")) == 1


@sqlite_only
def test_people_who_never_launched_are_enrolled_and_not_yet_connected(room: Room) -> None:
    room.launch()
    drain(room.tool)
    room.clock.advance(days=30)
    states = room.states()
    assert states.keys() == {"3", "4"}
    assert set(states.values()) == {"not_connected"}


@sqlite_only
def test_every_night_brings_the_rosters_of_courses_that_are_alive(room: Room) -> None:
    room.launch()
    drain(room.tool, plans=True)
    room.moodle.members.append(member("5", "Nora Newcomer"))
    asked = len(room.moodle.calls("GET", "/memberships"))
    room.clock.now = datetime(2026, 11, 22, 2, 9, tzinfo=room.clock.now.tzinfo)
    drain(room.tool, plans=True)
    assert len(room.moodle.calls("GET", "/memberships")) == asked
    room.clock.advance(minutes=2)
    drain(room.tool, plans=True)
    assert len(room.moodle.calls("GET", "/memberships")) == asked + 1
    assert room.members()["5"] == ("trainee", True)
    # Two months without a trace: the platform is left alone.
    room.clock.advance(days=61)
    drain(room.tool, plans=True)
    assert len(room.moodle.calls("GET", "/memberships")) == asked + 1
    assert listed(room.engine, room.silo, memberships.NIGHTLY)[-1].result == {"courses": 0}


@sqlite_only
def test_a_course_whose_platform_offers_no_roster_is_said_to_be_partial(room: Room) -> None:
    claims = dict.fromkeys(room.moodle.claims())
    browser, place = room.launch(**claims)
    assert listed(room.engine, room.silo, "roster") == []
    page = browser.get(f"{place}courses/{room.course()}/people").get_data(as_text=True)
    assert "Liste partielle" in page
    # The service comes with a later launch.
    room.launch()
    drain(room.tool)
    page = browser.get(f"{place}courses/{room.course()}/people").get_data(as_text=True)
    assert "Liste partielle" not in page
    assert "Ståle Näsström" in page


@sqlite_only
def test_every_page_that_counts_the_enrolled_says_that_a_list_is_partial(room: Room) -> None:
    claims = dict.fromkeys(room.moodle.claims())
    room.launch(sub="3", roles=[LEARNER], name="Sara Student", **claims)
    browser, place = room.launch(**claims)
    pages = ("today", "modules", "people", "outline", "attendance", "satisfaction", "improvements", "about")
    for page in (*pages, f"people/{room.actor('3')}"):
        found = browser.get(f"{place}courses/{room.course()}/{page}").get_data(as_text=True)
        assert "1 inscrit connu, liste partielle" in found, page
    room.launch()
    drain(room.tool)
    for page in pages:
        found = browser.get(f"{place}courses/{room.course()}/{page}").get_data(as_text=True)
        assert "2 inscrits" in found, page
        assert "partielle" not in found, page


@sqlite_only
def test_who_never_came_is_said_so_wherever_people_are_listed(room: Room) -> None:
    browser, place = room.launch()
    drain(room.tool)
    room.clock.advance(hours=7)  # a launch lasts eight
    here = f"{place}courses/{room.course()}"
    for page in ("people", "people.csv", f"people/{room.actor('4')}"):
        assert "pas encore de connexion" in browser.get(f"{here}/{page}").get_data(as_text=True), page
    room.clock.advance(days=30)
    browser, place = room.launch()
    assert "pas encore de connexion" in browser.get(f"{place}courses/{room.course()}/today").get_data(
        as_text=True
    )


# --- who --------------------------------------------------------------------------------------------------


def test_departures_are_kept_with_their_dates_and_returns_clear_them(room: Room) -> None:
    room.launch()
    drain(room.tool)
    gone = room.moodle.members.pop(1)
    left_on = room.clock.advance(days=2)
    assert room.sync().result == {"present": 2, "arrived": 0, "left": 1, "pages": 1}
    row = next(row for row in room.rows(membership) if row.actor == room.actor("4"))
    assert row.until == left_on
    assert room.states().keys() == {"3"}
    room.clock.advance(days=1)
    assert room.sync().result == {"present": 2, "arrived": 0, "left": 0, "pages": 1}
    assert next(row for row in room.rows(membership) if row.actor == room.actor("4")).until == left_on
    room.moodle.members.append(gone)
    room.clock.advance(days=1)
    assert room.sync().result == {"present": 3, "arrived": 1, "left": 0, "pages": 1}
    assert room.states().keys() == {"3", "4"}


def test_suspended_people_are_no_longer_there(room: Room) -> None:
    room.launch()
    drain(room.tool)
    room.moodle.members[1]["status"] = "Inactive"
    room.clock.advance(hours=1)
    room.sync()
    assert room.members()["4"] == ("trainee", False)


def test_a_role_held_by_a_launch_is_not_weakened_by_the_roster(room: Room) -> None:
    room.moodle.members.append(member("6", "Tina Tutor"))  # a non-editing teacher, as Moodle's roster says
    room.launch()
    room.launch(sub="6", name="Tina Tutor")
    drain(room.tool)
    assert room.members()["6"] == ("tutor", True)
    # Without a launch, the roster's word is all there is.
    room.moodle.members.append(member("8", "Max Manager", "Instructor"))
    room.sync()
    assert room.members()["8"] == ("tutor", True)
    room.moodle.members[-1]["roles"] = ["Learner"]
    room.clock.advance(hours=1)
    room.sync()
    assert room.members()["8"] == ("trainee", True)


@sqlite_only
def test_who_holds_a_role_without_being_enrolled_does_not_leave(room: Room) -> None:
    room.launch(sub="99", name="Site Administrator")
    room.clock.advance(hours=1)
    room.sync()
    assert room.members()["99"] == ("tutor", True)


@sqlite_only
def test_who_comes_in_while_the_roster_is_read_has_not_left(room: Room) -> None:
    room.launch()
    drain(room.tool)
    room.clock.advance(hours=1)

    def meanwhile(asked: Asked) -> None:
        room.moodle.before = lambda _asked: None
        room.launch(sub="12", roles=[LEARNER], name="Late Comer")

    room.moodle.before = meanwhile
    assert room.sync().state == "done"
    assert room.members()["12"] == ("trainee", True)


@sqlite_only
def test_roles_are_mapped_as_the_platform_asks_and_others_give_nothing(room: Room) -> None:
    mapped = {"http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor": "tutor"}
    with administration(room.engine) as conn:
        conn.execute(update(platforms.platform).values(role_map=mapped))
    room.moodle.members += [
        member("20", "Mentor One", "Mentor"),
        member("21", "Uri Learner", LEARNER),
        member("22", "Nobody Known", "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"),
        member("23", "Look Alike", "membership/Learner#Instructor"),
    ]
    room.launch()
    drain(room.tool)
    found = room.members()
    assert (found["20"][0], found["21"][0]) == ("tutor", "trainee")
    assert "22" not in found
    assert "23" not in found


def test_staff_of_the_roster_who_never_launched_are_not_counted(room: Room) -> None:
    """Moodle lists a non-editing teacher as a learner: marks that they gave tell them apart."""
    room.moodle.members += [
        member("6", "Tina Tutor"),
        member("8", "Max Manager", "Manager"),
        member("20", "Mentor One", "Mentor"),
    ]
    room.launch()
    iri = f"{room.platform.issuer}/course/view.php?id=2"
    at = room.clock.now - timedelta(hours=3)

    def by(name: str) -> dict[str, Any]:
        return {"objectType": "Agent", "account": {"homePage": room.platform.issuer, "name": name}}

    def said(who: str, verb: str, instructor: str = "") -> dict[str, Any]:
        made = traces.statement(who, verb, traces.page(1), at, parents=[traces.course(2)])
        made["actor"] = by(who)
        made["context"]["contextActivities"]["parent"][0]["id"] = iri
        if instructor:
            made["context"]["instructor"] = by(instructor)
        return made

    sent = [said("3", traces.SCORED, "6"), said("4", traces.SCORED, "4"), said("20", traces.VIEWED)]
    opened.take_in(room.engine, room.silo, sent, room.clock)
    room.clock.advance(minutes=1)
    room.sync()
    found = {room.actor(sub): sub for sub in ("3", "4", "6", "7", "8", "20")}
    assert {found[actor] for actor in _enrolled(room)} == {"3", "4"}
    assert (room.members()["6"], room.members()["4"]) == (("tutor", True), ("trainee", True))
    # The next night says the same, and what they do afterwards makes no participant of them.
    room.clock.advance(days=1)
    at = room.clock.now
    opened.take_in(room.engine, room.silo, [said("20", traces.VIEWED), said("6", traces.VIEWED)], room.clock)
    room.clock.advance(minutes=1)
    room.sync()
    assert {found[actor] for actor in _enrolled(room)} == {"3", "4"}


@sqlite_only
def test_names_are_taken_as_given_and_what_is_withheld_erases_nothing(room: Room) -> None:
    bare = {"status": "Active", "roles": ["Learner"], "user_id": "30"}
    odd = {**bare, "user_id": "31", "name": "<script>alert(1)</script>\u202e" + "x" * 400, "email": "not one"}
    room.moodle.members += [bare, odd]
    room.launch()
    drain(room.tool)
    people = {row.sub: row for row in room.rows(person)}
    assert (people["30"].name, people["30"].email, people["30"].seen_at) == (None, None, None)
    assert people["31"].name.startswith("<script>")
    assert len(people["31"].name) == 300
    assert "\u202e" not in people["31"].name
    assert people["31"].email is None
    assert (people["3"].name, people["3"].email) == ("Sara Student", "sara@example.test")
    for one in room.moodle.members:
        for name in ("name", "given_name", "family_name", "email", "ext_user_username"):
            one.pop(name, None)
    room.clock.advance(days=1)
    room.sync()
    assert {row.sub: row.name for row in room.rows(person)}["3"] == "Sara Student"


@sqlite_only
def test_traces_that_name_somebody_by_username_or_address_join_them(room: Room) -> None:
    room.launch()
    drain(room.tool)
    aliases = {row.alias: row.actor for row in room.rows(actor_alias)}
    assert aliases[account_key(room.platform.issuer, "user.sara")] == room.actor("3")
    assert aliases[actor_key({"mbox": "mailto:sara@example.test"})] == room.actor("3")


@sqlite_only
def test_somebody_whom_traces_alone_show_is_not_enrolled_once_the_roster_is_known(room: Room) -> None:
    room.launch()
    iri = f"{room.platform.issuer}/course/view.php?id=2"
    at = room.clock.now - timedelta(hours=3)

    def viewed(name: str, home: str = room.platform.issuer) -> dict[str, Any]:
        said = traces.statement(name, traces.VIEWED, traces.course(2), at)
        said["actor"]["account"] = {"homePage": home, "name": name}
        said["object"] = {"id": iri, "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course"}}
        said["context"] = {}
        return said

    opened.take_in(room.engine, room.silo, [viewed("50"), viewed("3"), viewed("unresolved.name")], room.clock)
    before = _enrolled(room)
    assert {room.actor("50"), room.actor("3")} <= before
    room.clock.advance(minutes=1)
    room.sync()
    after = _enrolled(room)
    assert room.actor("50") not in after
    assert room.actor("3") in after
    # Nobody can say that this one is not somebody of the roster under another name.
    assert room.actor("unresolved.name") in after


def _enrolled(room: Room) -> set[str]:
    with transaction(room.engine, room.silo, write=False) as conn:
        read = frames.course(conn, room.silo, room.course(), as_of=room.clock(), rules=rules.load())
    return {one.actor for one in alerts.learners(read)}


# --- pages, faults ----------------------------------------------------------------------------------------


def test_pages_are_followed_to_the_last(room: Room) -> None:
    room.moodle.members = [member(str(rank), f"Person Number{rank}") for rank in range(100, 126)]
    room.moodle.page = 10
    room.launch()
    drain(room.tool)
    assert len(room.members()) == 27
    assert len(room.moodle.calls("GET", "/memberships")) == 3


@sqlite_only
@pytest.mark.parametrize(
    "fault", ["error", "foreign", "cut", "other_course", "html", "unreadable", "loop", "empty_object"]
)
def test_a_page_that_fails_never_marks_anybody_as_departed(room: Room, fault: str) -> None:
    room.moodle.members = [member(str(rank), f"Person Number{rank}") for rank in range(100, 106)]
    room.launch()
    drain(room.tool)
    assert len(room.members()) == 7
    kept = room.moodle.members
    room.moodle.page = 3

    def before(asked: Asked) -> Any:
        kind = "application/json"
        second = "from=3" in asked.path
        body = {"context": room.moodle.context, "members": kept[:1]}
        match fault:
            case "error" if second:
                return 500, kind, {}, {}
            case "foreign":
                return 200, kind, body, {"Link": '<https://evil.test/next>; rel="next"'}
            case "cut" if second:
                return 200, kind, b'{"members": [', {}
            case "other_course":
                return 200, kind, {"context": {"id": "9"}, "members": kept[:1]}, {}
            case "html":
                return 200, "text/html", b"<html>maintenance</html>", {}
            case "unreadable":
                return 200, kind, {**body, "members": [kept[0], {"user_id": 5}]}, {}
            case "loop":
                return 200, kind, body, {"Link": f'<{room.moodle.url}{asked.path}>; rel="next"'}
            case "empty_object":
                return 200, kind, {}, {}
        return None

    room.moodle.before = lambda asked: None if asked.path.endswith("token.php") else before(asked)
    room.clock.advance(hours=1)
    job = room.sync()
    assert job.state == ("waiting" if fault == "error" else "failed")
    assert all(there for _, there in room.members().values())
    words = {"error": "busy", "foreign": "foreign", "unreadable": "unreadable"}
    assert room.problem() == words.get(fault, "nonsense")
    assert not [one for one in room.moodle.asked if "evil" in one.path]
    # All is well again: what was said to be wrong is forgotten.
    room.moodle.before = lambda asked: None
    room.moodle.page = None
    room.sync()
    assert room.problem() == ""


@sqlite_only
def test_a_departure_between_two_pages_hides_nobody(room: Room) -> None:
    room.moodle.members = [member(str(rank), f"Person Number{rank}") for rank in range(100, 106)]
    room.launch()
    drain(room.tool)
    room.moodle.page = 3

    def before(asked: Asked) -> None:
        if "from=3" in asked.path and len(room.moodle.members) == 6:
            del room.moodle.members[0]  # 103 moves to the first page, which was read already

    room.moodle.before = before
    room.clock.advance(hours=1)
    assert room.sync().result == {"present": 6, "arrived": 0, "left": 0, "pages": 4}
    found = room.members()
    assert found["103"] == ("trainee", True)
    # Read at the beginning, gone before the end: the next reading will tell.
    assert found["100"] == ("trainee", True)
    room.clock.advance(hours=1)
    room.sync()
    assert room.members()["100"] == ("trainee", False)


def test_a_token_is_asked_once_kept_and_renewed_when_refused(room: Room) -> None:
    room.launch()
    drain(room.tool)
    room.sync()
    assert len(room.moodle.assertions) == 1
    said = room.moodle.assertions[0]
    assert said["aud"] == f"{room.moodle.url}/mod/lti/token.php"
    assert said["exp"] - said["iat"] == 60
    assert room.moodle.calls("POST", "/token.php")[0].body["scope"].split() == [
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
    ]
    room.moodle.tokens.clear()
    assert room.sync().state == "done"
    assert len(room.moodle.assertions) == 2


@sqlite_only
def test_a_token_ends_with_its_life_and_is_not_readable_in_the_cache(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, tuple[bytes, float]] = {}
    cache = room.tool.cache
    monkeypatch.setattr(cache, "set", lambda key, value, ttl: kept.update({key: (value, ttl)}))
    room.launch()
    drain(room.tool)
    ((value, life),) = kept.values()
    assert life == 3600 - 60
    assert b"token1" not in value


@sqlite_only
@pytest.mark.parametrize(
    ("answer", "problem", "state"),
    [
        ((401, {}), "forbidden", "failed"),
        ((403, {}), "forbidden", "failed"),
        ((404, {}), "gone", "failed"),
        ((503, {"Retry-After": "120"}), "busy", "waiting"),
        ((429, {}), "busy", "waiting"),
        ((302, {"Location": "http://127.0.0.1:1/"}), "nonsense", "failed"),
    ],
)
def test_what_a_platform_answers_is_said_and_tried_again_when_it_may_pass(
    room: Room, answer: tuple[int, dict[str, str]], problem: str, state: str
) -> None:
    status, headers = answer
    room.launch()
    room.moodle.before = lambda asked: (
        None if asked.path.endswith("token.php") else (status, "application/json", {}, headers)
    )
    drain(room.tool)
    (row,) = listed(room.engine, room.silo, "roster")
    assert (row.state, row.message, room.problem()) == (state, problem, problem)
    if headers.get("Retry-After"):
        assert row.due_at == room.clock.now + timedelta(seconds=120)
    calls = room.moodle.calls("GET", "/memberships")
    assert len(calls) == (2 if status == 401 else 1)


@sqlite_only
def test_the_bearer_never_leaves_the_platforms_origin(room: Room) -> None:
    room.launch()
    with moodle() as other, transaction(room.engine, room.silo) as conn:
        url = f"{other.url}/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
        conn.execute(update(course_service).values(memberships_url=url))
    drain(room.tool)
    assert room.problem() == "foreign"
    assert other.asked == []


@sqlite_only
def test_a_platform_on_a_private_address_is_not_asked(room: Room) -> None:
    room.launch()
    from lti_tool.outbound import Outbound

    drain(replace(room.tool, http=Outbound(allow_local=False)))
    assert room.problem() == "blocked"
    assert room.moodle.asked == []


@sqlite_only
def test_a_key_that_the_platform_does_not_know_is_said(room: Room) -> None:
    room.moodle.tool_keys = list
    room.launch()
    drain(room.tool)
    assert room.problem() == "token"


# --- groups -----------------------------------------------------------------------------------------------


def test_groups_sent_by_the_platform_filter_the_participants(room: Room) -> None:
    with transaction(room.engine, room.silo) as conn:
        assert conn.execute(select(course)).first() is None
    room.launch()
    drain(room.tool)
    browser, place = room.launch()
    address = f"{place}courses/{room.course()}/people"
    assert "Groupe" not in browser.get(address).get_data(as_text=True)
    room.launch(sub="3", roles=[LEARNER], name="Sara Student", custom={"estime_groups": "12, 7"})
    room.launch(sub="4", roles=[LEARNER], name="Ståle Näsström", custom={"estime_groups": "7"})
    page = browser.get(address).get_data(as_text=True)
    assert "Groupe 7" in page
    assert "Groupe 12" in page
    page = browser.get(f"{address}?group=12").get_data(as_text=True)
    assert "Sara Student" in page
    assert "Ståle" not in page
    csv = browser.get(f"{address}.csv?group=12").get_data(as_text=True)
    assert "Sara Student" in csv
    assert "Ståle" not in csv
    # The literal name of a variable that the platform does not know says nothing, an empty list empties.
    again = {"sub": "4", "roles": [LEARNER], "name": "Ståle Näsström"}
    room.launch(**again, custom={"estime_groups": "$Moodle.Person.userGroupIds"})
    assert "Ståle" in browser.get(f"{address}?group=7").get_data(as_text=True)
    room.launch(**again, custom={"estime_groups": ""})
    assert "Ståle" not in browser.get(f"{address}?group=7").get_data(as_text=True)


def test_groups_are_shown_to_tutors_only(room: Room) -> None:
    room.launch()
    drain(room.tool)
    room.launch(sub="3", roles=[LEARNER], name="Sara Student", custom={"estime_groups": "7"})
    browser, place = room.launch(sub="40", roles=[INSTRUCTOR, SITE_ADMIN], name="Site Administrator")
    address = f"{place}courses/{room.course()}/people"
    assert "Groupe 7" not in browser.get(address).get_data(as_text=True)
    # What an administrator asks for is not answered either: a filter would tell who is in a group.
    everybody = browser.get(f"{address}.csv").get_data(as_text=True)
    assert browser.get(f"{address}.csv?group=7").get_data(as_text=True) == everybody


# --- the page ---------------------------------------------------------------------------------------------


def post(room: Room, browser: Browser, address: str, **form: str) -> Any:
    """Send a form of a page of the tutor, with its token."""
    page = browser.get(f"{address.split('/courses/')[0]}/courses/{room.course()}/people")
    token = re.search(r'data-large="([0-9a-f]{64})"', page.get_data(as_text=True))
    assert token is not None
    origin = {"Origin": room.platform.public_url}
    return browser.post(address, data={**form, "csrf_token": token[1]}, headers=origin)


def test_the_button_brings_the_roster_and_the_page_says_when(room: Room) -> None:
    browser, place = room.launch()
    drain(room.tool)
    address = f"{place}courses/{room.course()}/people"
    page = browser.get(address).get_data(as_text=True)
    assert "Liste des inscrits mise à jour aujourd’hui à 9\u202fh\u202f00." in page
    assert "Mettre à jour la liste" in page
    room.moodle.members.append(member("5", "Nora Newcomer"))
    room.clock.advance(minutes=30)
    answer = post(room, browser, f"{address}/roster")
    assert answer.status_code == 303
    asked = browser.get(answer.headers["Location"])
    assert asked.headers["Refresh"] == "4"
    assert "Une mise à jour est en cours" in asked.get_data(as_text=True)
    assert "Mettre à jour la liste" not in asked.get_data(as_text=True)
    assert post(room, browser, f"{address}/roster").status_code == 303
    assert drain(room.tool) == 1
    done = browser.get(answer.headers["Location"])
    assert "Refresh" not in done.headers
    assert "mise à jour aujourd’hui à 9\u202fh\u202f30." in done.get_data(as_text=True)
    assert "Nora Newcomer" in done.get_data(as_text=True)


@sqlite_only
def test_a_failure_is_said_in_words_and_the_last_list_stays(room: Room) -> None:
    room.launch()
    drain(room.tool)
    room.clock.advance(days=1)
    room.moodle.before = lambda asked: (503, "text/html", b"", {})
    room.sync()
    browser, place = room.launch()
    page = browser.get(f"{place}courses/{room.course()}/people").get_data(as_text=True)
    assert "mise à jour hier à" in page
    assert "a échoué\u202f: la plateforme est occupée ou en maintenance." in page
    assert "Un nouvel essai aura lieu tout seul." in page
    assert "Sara Student" in page


@sqlite_only
def test_only_tutors_of_the_course_may_ask_for_its_roster(room: Room) -> None:
    browser, place = room.launch()
    course_id = room.course()
    drain(room.tool)
    other, elsewhere = room.launch(context={"id": "9", "title": "Autre", "label": "B"})
    assert post_to(room, other, elsewhere, f"{elsewhere}courses/{course_id}/people/roster") == 404
    trainee, own = room.launch(sub="3", roles=[LEARNER])
    assert post_to(room, trainee, own, f"{own}courses/{course_id}/people/roster") in (403, 404)
    assert browser.post(f"{place}courses/{course_id}/people/roster").status_code in (400, 403)
    keys = [row.key for row in listed(room.engine, room.silo, "roster")]
    assert keys.count(memberships.key(course_id)) == 1


def post_to(room: Room, browser: Browser, place: str, address: str) -> int:
    """Send a form of another course with one's own token; return the status."""
    page = browser.get(browser.entered(place))
    token = re.search(r'data-large="([0-9a-f]{64})"', page.get_data(as_text=True))
    assert token is not None
    answer = browser.post(
        address, data={"csrf_token": token[1]}, headers={"Origin": room.platform.public_url}
    )
    return int(answer.status_code)
