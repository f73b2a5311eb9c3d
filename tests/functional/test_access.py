"""Who may see what: roles, courses, silos, browsers, forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask
from sqlalchemy import Engine, select

from lti_tool import access, sessions
from lti_tool.app import create_app
from lti_tool.tables import launch
from lti_tool.web import guard
from tests.factories.platform import INSTRUCTOR, SITE_ADMIN, Browser, FakePlatform, jwks_server
from tool_config.database import transaction
from tool_config.roles import role
from tool_config.settings import Settings
from xapi.statement import account_key
from xapi.tables import course


def probe() -> Blueprint:
    """Return a guarded blueprint with a page for each right."""
    made = Blueprint("probe", __name__, url_prefix="/c/<launch>/probe")
    guard.protect(made)

    @made.get("/courses/<int:course_id>")
    def see_course(launch: str, course_id: int) -> dict[str, Any]:
        with transaction(guard.tool().engine, guard.viewer().silo_id, write=False) as conn:
            seen = access.may_see_course(conn, guard.viewer(), course_id)
        return {"course": seen.course_id, "named": seen.named, "launch": launch}

    @made.get("/courses/<int:course_id>/people/<actor>")
    def see_person(launch: str, course_id: int, actor: str) -> dict[str, Any]:
        with transaction(guard.tool().engine, guard.viewer().silo_id, write=False) as conn:
            seen = access.may_see_person(conn, guard.viewer(), course_id, actor)
        return {"named": seen.named}

    @made.get("/admin")
    def admin(launch: str) -> dict[str, Any]:
        access.require(guard.viewer(), "admin")
        return {}

    @made.route("/form", methods=["GET", "POST"])
    def form(launch: str) -> dict[str, Any]:
        return {"csrf": guard.csrf_token()}

    return made


@pytest.fixture
def app(settings: Settings, engine: Engine, clock: Any) -> Flask:
    made = create_app(settings, engine=engine, clock=clock)
    made.register_blueprint(probe())
    return made


@pytest.fixture
def platform(settings: Settings, engine: Engine, silo: int, clock: Any) -> Iterator[FakePlatform]:
    with jwks_server() as server:
        made = FakePlatform(server, clock, settings.public_url)
        made.register(engine, silo, frame_origins=["http://campus.test:8080"])
        yield made


def visit(app: Flask, platform: FakePlatform, **claims: Any) -> tuple[Browser, str]:
    """Return a new browser and the path of the launch that it opened."""
    browser = Browser(app, platform.public_url)
    return browser, browser.opened(platform, **claims)


def course_of(engine: Engine, silo: int, context_id: str) -> int:
    with transaction(engine, silo, write=False) as conn:
        wanted = select(course.c.course_id).where(course.c.silo_id == silo, course.c.context_id == context_id)
        return int(conn.execute(wanted).scalar_one())


OTHER = {"id": "9", "title": "Autre cours", "label": "B"}


def test_a_trainee_cannot_reach_a_tutors_page(
    app: Flask, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    browser, place = visit(app, platform)
    visit(app, platform, sub="4")
    own = course_of(engine, silo, "2")
    answer = browser.get(f"{place}probe/courses/{own}")
    assert answer.status_code == 403
    assert "pas pour vous" in answer.get_data(as_text=True)
    assert browser.get(f"{place}probe/admin").status_code == 403
    people = f"{place}probe/courses/{own}/people/"
    assert browser.get(people + account_key(platform.issuer, "3")).status_code == 200
    assert browser.get(people + account_key(platform.issuer, "4")).status_code == 404


def test_a_tutor_sees_the_course_of_the_launch_and_no_other(
    app: Flask, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visit(app, platform, context=OTHER, sub="8")
    visit(app, platform, sub="4")
    browser, place = visit(app, platform, sub="7", roles=[INSTRUCTOR])
    own, other = course_of(engine, silo, "2"), course_of(engine, silo, "9")
    assert browser.get(f"{place}probe/courses/{own}").get_json()["named"] is True
    assert browser.get(f"{place}probe/courses/{other}").status_code == 404
    assert browser.get(f"{place}probe/courses/1234").status_code == 404
    four, eight = (account_key(platform.issuer, sub) for sub in ("4", "8"))
    assert browser.get(f"{place}probe/courses/{own}/people/{four}").get_json() == {"named": True}
    assert browser.get(f"{place}probe/courses/{own}/people/{eight}").status_code == 404
    assert browser.get(f"{place}probe/courses/{other}/people/{eight}").status_code == 404
    assert browser.get(f"{place}probe/courses/{own}/people/nobody").status_code == 404


def test_a_tutor_of_two_courses_has_two_launches(
    app: Flask, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    browser = Browser(app, platform.public_url)
    one = browser.opened(platform, roles=[INSTRUCTOR])
    two = browser.opened(platform, roles=[INSTRUCTOR], context=OTHER)
    own, other = course_of(engine, silo, "2"), course_of(engine, silo, "9")
    assert browser.get(f"{one}probe/courses/{own}").status_code == 200
    assert browser.get(f"{two}probe/courses/{other}").status_code == 200
    assert browser.get(f"{one}probe/courses/{other}").status_code == 404
    assert browser.get(f"{two}probe/courses/{own}").status_code == 404


def test_an_administrator_sees_every_course_of_the_silo_with_pseudonyms(
    app: Flask, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visit(app, platform, context=OTHER, sub="8")
    browser, place = visit(app, platform, roles=[INSTRUCTOR, SITE_ADMIN], sub="2")
    for context in ("2", "9"):
        seen = browser.get(f"{place}probe/courses/{course_of(engine, silo, context)}")
        assert seen.get_json()["named"] is False
    assert browser.get(f"{place}probe/admin").status_code == 200


def test_a_silo_cannot_reach_another_silo(
    app: Flask, platform: FakePlatform, engine: Engine, silo: int, second_silo: int
) -> None:
    neighbour = FakePlatform(
        platform.server, platform.clock, platform.public_url, issuer="https://n.test", client_id="n"
    )
    neighbour.register(engine, second_silo)
    visit(app, neighbour)
    browser, place = visit(app, platform, roles=[SITE_ADMIN])
    theirs = course_of(engine, second_silo, "2")
    assert browser.get(f"{place}probe/courses/{theirs}").status_code == 404
    # The launch's id under the other silo's number is no launch of theirs.
    moved = place.replace(f"/c/{silo}-", f"/c/{second_silo}-")
    assert browser.get(f"{moved}probe/admin").status_code == 404


def test_refusal_39_a_launch_of_another_browser_is_not_found(app: Flask, platform: FakePlatform) -> None:
    browser, place = visit(app, platform, roles=[SITE_ADMIN])
    stranger, own = visit(app, platform, roles=[SITE_ADMIN], sub="5")
    assert browser.get(f"{place}probe/admin").status_code == 200
    assert stranger.get(f"{place}probe/admin").status_code == 404
    assert app.test_client().get(f"{place}probe/admin", base_url=platform.public_url).status_code == 404
    secret = {each.key: each.value for each in stranger.client._cookies.values()}
    name = sessions.cookie_name(place.split("/")[2])
    stranger.client.set_cookie(name, next(iter(secret.values())), domain="estime.test", secure=True)
    assert stranger.get(f"{place}probe/admin").status_code == 404
    assert stranger.get(f"{own}probe/admin").status_code == 200
    for wrong in ("x", "1-", "0-" + "a" * 22, "1-" + "é" * 22, "99999999999-" + "a" * 22):
        assert stranger.get(f"/c/{wrong}/probe/admin").status_code == 404


def test_expired_gives_a_way_back_to_the_course(app: Flask, platform: FakePlatform, clock: Any) -> None:
    browser, place = visit(app, platform)
    clock.advance(hours=8, seconds=1)
    answer = browser.get(f"{place}probe/form")
    assert answer.status_code == 401
    page = answer.get_data(as_text=True)
    assert f'href="{platform.issuer}/course/view.php?id=2"' in page
    assert "sesskey" not in page
    # Not to somebody else's browser.
    assert Browser(app, platform.public_url).get(f"{place}probe/form").status_code == 404


def test_forms_need_the_token_and_our_own_pages(app: Flask, platform: FakePlatform) -> None:
    browser, place = visit(app, platform)
    form = f"{place}probe/form"
    token = browser.get(form).get_json()["csrf"]
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert browser.post(form, data={"csrf_token": token}).status_code == 200
    assert browser.post(form, headers={"X-CSRF-Token": token}).status_code == 200
    assert browser.post(form).status_code == 403
    assert browser.post(form, data={"csrf_token": "é"}).status_code == 403
    sent = {"csrf_token": token}
    for headers in (
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert browser.post(form, data=sent, headers=headers).status_code == 403
    good = {"Origin": platform.public_url, "Sec-Fetch-Site": "same-origin"}
    assert browser.post(form, data=sent, headers=good).status_code == 200
    other = browser.opened(platform)
    assert browser.post(f"{other}probe/form", data=sent).status_code == 403


def test_headers_of_a_guarded_page(app: Flask, platform: FakePlatform) -> None:
    browser, place = visit(app, platform)
    answer = browser.get(f"{place}probe/form")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors {platform.issuer} http://campus.test:8080")
    assert "default-src 'none'; script-src 'self'; style-src 'self'; " in policy
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in policy
    outside = browser.get("/c/1-aaaaaaaaaaaaaaaaaaaaaa/probe/form").headers["Content-Security-Policy"]
    assert "evil" not in outside


def test_launch_cookie_is_kept_from_scripts_other_sites_and_sub_domains(
    app: Flask, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    browser = Browser(app, platform.public_url)
    answer = browser.launch(platform)
    launch_id = answer.headers["Location"].split("/")[2]
    found = [
        item
        for item in answer.headers.getlist("Set-Cookie")
        if item.startswith(f"__Host-estime-{launch_id}=")
    ]
    assert len(found) == 1
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"):
        assert attribute in found[0]
    secret = found[0].partition("=")[2].partition(";")[0]
    with transaction(engine, silo, write=False) as conn:
        row = conn.execute(select(launch)).one()
    assert secret not in repr(row)
    assert secret not in answer.headers["Location"]


def test_every_page_under_a_launch_is_guarded(app: Flask, platform: FakePlatform) -> None:
    platform.clock()
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/c/"):
            continue
        assert "launch" in rule.arguments, rule.rule
        known = {"launch": "1-" + "a" * 22}
        uuids = set(re.findall(r"<uuid:(\w+)>", rule.rule))
        known |= dict.fromkeys(uuids, "6c1f0f5e-3c5a-4a53-9c3b-0d6f4c7c1d11")
        values = {name: known.get(name, "5") for name in rule.arguments}
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: values[found[1]], rule.rule)  # noqa: B023
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            answer = app.test_client().open(path, method=method, base_url=platform.public_url)
            assert answer.status_code == 404, (method, rule.rule, answer.status_code)
            assert "frame-ancestors" in answer.headers["Content-Security-Policy"], rule.rule


def test_roles_are_an_exact_list() -> None:
    base = "http://purl.imsglobal.org/vocab/lis/v2/"
    assert role([f"{base}membership#Learner"]) == "trainee"
    assert role([f"{base}membership#Learner", f"{base}membership#Instructor"]) == "tutor"
    assert role([f"{base}membership#ContentDeveloper"]) == "tutor"
    assert role([f"{base}membership#Administrator"]) == "tutor"
    assert role([f"{base}system/person#Administrator"]) == "admin"
    assert role([f"{base}institution/person#Administrator"]) == ""
    assert role([]) == ""
    assert role([f"{base}membership#Instructor"], {f"{base}membership#Instructor": "trainee"}) == "trainee"
    assert role(["x"], {"x": "admin"}) == "admin"


def test_a_new_launch_gives_time_again_to_ones_own_launches_of_the_course_in_this_browser(
    app: Flask, platform: FakePlatform, clock: Any
) -> None:
    browser, place = visit(app, platform)
    copy, other = visit(app, platform)
    elsewhere = browser.opened(platform, context=OTHER)
    clock.advance(hours=9)
    browser.opened(platform, sub="4")
    assert browser.get(f"{place}probe/form").status_code == 401  # somebody else came
    browser.opened(platform, roles=[INSTRUCTOR])
    assert browser.get(f"{place}probe/form").status_code == 401  # as something else
    browser.opened(platform)
    assert browser.get(f"{place}probe/form").status_code == 200
    assert browser.get(f"{elsewhere}probe/form").status_code == 401  # another course
    assert copy.get(f"{other}probe/form").status_code == 401  # another browser
