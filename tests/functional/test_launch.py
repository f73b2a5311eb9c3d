"""A launch that succeeds: what it opens, what it leaves, real captures, two tabs, new tabs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from sqlalchemy import Engine, event, func, select

from lti_tool import people
from lti_tool.app import create_app
from lti_tool.tables import audit, launch, login_state, person
from tests import services
from tests.factories.platform import (
    CLAIM,
    INSTRUCTOR,
    LEARNER,
    SITE_ADMIN,
    Browser,
    FakePlatform,
    JwksServer,
    jwks_server,
    refreshed,
)
from tool_config import platforms
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from xapi.statement import account_key
from xapi.tables import actor_alias, course, membership, statement


@pytest.fixture
def server() -> Iterator[JwksServer]:
    with jwks_server() as made:
        yield made


@pytest.fixture
def platform(server: JwksServer, clock: Any, settings: Settings, engine: Engine, silo: int) -> FakePlatform:
    made = FakePlatform(server, clock, settings.public_url)
    made.register(engine, silo)
    return made


@pytest.fixture
def visitor(app: Any, settings: Settings) -> Browser:
    return Browser(app, settings.public_url)


def launches(engine: Engine, silo: int) -> list[Any]:
    with transaction(engine, silo, write=False) as conn:
        return list(conn.execute(select(launch).where(launch.c.silo_id == silo)))


def test_login_checks_the_cookie_before_it_spends_the_hint(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    first = visitor.post("/lti/login", data=platform.login())
    assert first.status_code == 302
    assert urlsplit(first.headers["Location"]).path == "/lti/check"
    cookie = first.headers["Set-Cookie"]
    assert cookie.startswith("__Host-estime-login-")
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"):
        assert attribute in cookie
    assert "Domain" not in cookie
    second = visitor.get(first.headers["Location"])
    assert second.status_code == 302
    address = urlsplit(second.headers["Location"])
    sent = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == platform.auth_url
    assert sent["scope"] == "openid"
    assert (sent["response_type"], sent["response_mode"], sent["prompt"]) == ("id_token", "form_post", "none")
    assert sent["redirect_uri"] == f"{platform.public_url}/lti/launch"
    assert sent["login_hint"] == "3"
    assert sent["lti_message_hint"] == platform.login()["lti_message_hint"]
    assert sent["state"].startswith(f"{silo}.")
    with transaction(engine, silo, write=False) as conn:
        row = conn.execute(select(login_state)).one()
    assert sent["state"] not in repr(row)
    assert sent["nonce"] not in repr(row)


def test_login_by_get_works_too(visitor: Browser, platform: FakePlatform) -> None:
    answer = visitor.get("/lti/login", query_string=platform.login())
    assert answer.status_code == 302


def test_a_browser_without_cookies_is_offered_the_same_login_in_a_new_tab(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visitor = Browser(app, settings.public_url)
    visitor.client = app.test_client(use_cookies=False)
    answer = visitor.try_login(platform)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert page.count('class="button') == 1
    assert 'target="_blank"' in page
    link = re.search(r'href="(/lti/login\?[^"]+)"', page)
    assert link is not None
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(login_state)).first() is None
    assert f"frame-ancestors {platform.issuer}" in answer.headers["Content-Security-Policy"]
    tab = Browser(app, settings.public_url)
    again = tab.get(link[1].replace("&amp;", "&"))
    on = tab.get(again.headers["Location"])
    assert on.status_code == 302
    assert on.headers["Location"].startswith(platform.auth_url)


def test_launch_leaves_person_course_membership_alias_statement_and_audit(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    place = visitor.opened(platform)
    assert re.fullmatch(rf"/c/{silo}-[\w-]{{22}}/", place)
    actor = account_key(platform.issuer, "3")
    with transaction(engine, silo, write=False) as conn:
        who = conn.execute(select(person)).one()
        where = conn.execute(select(course)).one()
        member = conn.execute(select(membership)).one()
        said = [json.loads(raw) for raw in conn.execute(select(statement.c.raw)).scalars()]
        aliases = set(conn.execute(select(actor_alias.c.alias)).scalars())
        line = conn.execute(select(audit)).one()
    assert (who.actor, who.name, who.username) == (actor, "Sara Student", "student1")
    assert where.iri == f"{platform.issuer}/course/view.php?id=2"
    assert (where.title, where.label, where.context_id) == ("LTI Course 101", "LTI101", "2")
    assert (member.actor, member.role, member.source) == (actor, "trainee", "launch")
    assert [item["verb"]["id"] for item in said] == ["http://adlnet.gov/expapi/verbs/launched"]
    assert said[0]["actor"]["account"] == {"homePage": platform.issuer, "name": "3"}
    assert said[0]["context"]["contextActivities"]["parent"][0]["id"] == where.iri
    assert account_key(platform.issuer, "student1") in aliases
    assert (line.action, line.accepted, line.actor) == ("launch", True, actor)
    for secret in ("sesskey", "student1@example.test", "Sara"):
        assert secret not in repr(line)


def test_the_second_launch_adds_nothing_but_a_statement(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visitor.opened(platform)
    visitor.opened(platform, name="Sara Doe")
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(person.c.name)).scalars().all() == ["Sara Doe"]
        assert conn.execute(select(func.count()).select_from(course)).scalar() == 1
        assert conn.execute(select(func.count()).select_from(membership)).scalar() == 1
        assert conn.execute(select(func.count()).select_from(statement)).scalar() == 2


@pytest.mark.parametrize(
    ("capture", "role"),
    [
        ("student", "trainee"),
        ("editing-teacher", "tutor"),
        ("admin", "admin"),
        ("student_deeplinked_activity", "trainee"),
    ],
)
def test_real_moodle_captures_launch(
    capture: str,
    role: str,
    visitor: Browser,
    server: JwksServer,
    clock: Any,
    settings: Settings,
    engine: Engine,
    silo: int,
    shared_data: Path,
) -> None:
    kept = json.loads((shared_data / "moodle-4.5.6" / f"idtoken_{capture}.json").read_text())["payload"]
    moodle = FakePlatform(
        server,
        clock,
        settings.public_url,
        issuer=kept["iss"],
        client_id=kept["aud"],
        deployment_id=kept[f"{CLAIM}deployment_id"],
    )
    moodle.register(engine, silo)
    begun = visitor.login(moodle, login_hint=kept["sub"])
    claims = refreshed(kept, begun.nonce, clock(), settings.public_url)
    answer = visitor.send(begun.state, moodle.sign(claims))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    found = launches(engine, silo)[0]
    assert (found.role, found.locale) == (role, "en")
    assert found.return_url == kept[f"{CLAIM}launch_presentation"]["return_url"]
    assert found.services["memberships"].startswith(kept["iss"])
    assert "student1@example.test" not in json.dumps(found.services)
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(course.c.iri)).scalars().all() == [f"{kept['iss']}/course/view.php?id=2"]


def test_two_courses_and_two_people_in_two_tabs_never_overwrite_each_other(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    one, two = visitor.login(platform), visitor.login(platform, login_hint="7")
    other_course = {"id": "9", "label": "B", "title": "Autre cours"}
    second = visitor.send(
        two.state,
        platform.sign(platform.claims(two.nonce, sub="7", context=other_course, roles=[INSTRUCTOR])),
    )
    first = visitor.send(one.state, platform.sign(platform.claims(one.nonce)))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] != second.headers["Location"]
    assert {row.role for row in launches(engine, silo)} == {"trainee", "tutor"}
    for answer in (first, second):
        assert visitor.get(answer.headers["Location"] + "open").status_code == 200


def test_only_some_launch_cookies_are_kept(visitor: Browser, platform: FakePlatform, clock: Any) -> None:
    places = []
    for _ in range(18):
        places.append(visitor.opened(platform))
        clock.advance(seconds=5)
    assert visitor.get(places[0] + "open").status_code == 404
    assert visitor.get(places[-15] + "open").status_code == 200


def test_the_same_answer_posted_twice_at_once_opens_one_launch(
    app: Any, settings: Settings, visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visitor.opened(platform)  # the keys are known
    begun = visitor.login(platform)
    token = platform.sign(platform.claims(begun.nonce))
    cookie = "; ".join(f"{each.key}={each.value}" for each in visitor.client._cookies.values())
    gate, answers = threading.Barrier(6), []

    def send() -> None:
        client = app.test_client(use_cookies=False)
        gate.wait()
        answer = client.post(
            "/lti/launch",
            base_url=settings.public_url,
            data={"state": begun.state, "id_token": token},
            headers={"Cookie": cookie},
        )
        answers.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [303, 401, 401, 401, 401, 401]
    assert len(launches(engine, silo)) == 2


def test_a_launch_goes_to_the_database_a_few_times(
    visitor: Browser, platform: FakePlatform, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.opened(platform)  # the keys and the course are known
    begun = visitor.login(platform)
    token = platform.sign(platform.claims(begun.nonce, sub="4711", email="new@campus.test"))
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        sent.append(text)

    def execute(cursor: Any, text: Any, *rest: Any, **more: Any) -> Any:
        sent.append(str(text))  # on PostgreSQL the driver is asked, past what SQLAlchemy tells of
        return psycopg.Cursor.execute(cursor, text, *rest, **more)

    if engine.dialect.name == "postgresql":
        monkeypatch.setattr(psycopg.RawCursor, "execute", execute)
    else:
        event.listen(engine, "before_cursor_execute", note)
    answer = visitor.send(begun.state, token)
    if engine.dialect.name == "sqlite":
        event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == 303
    assert len(sent) <= {"postgresql": 6, "sqlite": 18}[engine.dialect.name], sent


def test_an_administrator_named_by_the_silo(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int, clock: Any
) -> None:
    with administration(engine) as conn:
        platforms.add_administrator(conn, silo, platform.issuer, "3", clock())
        platforms.add_administrator(conn, silo, platform.issuer, "3", clock())
    visitor.opened(platform, roles=[])
    assert launches(engine, silo)[0].role == "admin"


def test_site_administrator_is_admin_and_manager_is_tutor(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visitor.opened(platform, roles=[INSTRUCTOR, SITE_ADMIN])
    assert launches(engine, silo)[0].role == "admin"


def test_odd_values_are_harmless(visitor: Browser, platform: FakePlatform, engine: Engine, silo: int) -> None:
    title = "<script>alert(1)</script>\u202e" + "é🎉" * 200 + "\x00\ud800"
    place = visitor.opened(
        platform,
        context={"id": "2", "title": title, "label": "<b>\x00"},
        name="<img src=x onerror=alert(1)>",
        given_name="",
        family_name=3,
        email="pas une adresse",
        custom={"estime_choice": "<script>", "v_person_email_primary": "x@example.test", "n": 3},
        launch_presentation={"return_url": "https://evil.test/?sesskey=1", "locale": ["fr"]},
        ext="moodle",
    )
    assert visitor.get(place + "open").status_code == 200
    with transaction(engine, silo, write=False) as conn:
        kept = conn.execute(select(course.c.title)).scalar_one()
        who = conn.execute(select(person)).one()
    assert len(kept) == 300
    assert kept.startswith("<script>alert(1)</script>é🎉")
    assert (who.given_name, who.family_name, who.email) == (None, None, None)
    found = launches(engine, silo)[0]
    assert found.return_url is None
    assert found.services == {"choice": {"estime_choice": "<script>"}}


def test_service_addresses_off_the_platform_are_dropped(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    nrps = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
    ags = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
    visitor.opened(
        platform,
        **{
            nrps: {"context_memberships_url": "https://evil.test/members"},
            ags: {"lineitems": "https://moodle.test@evil.test/x", "lineitem": f"{platform.issuer}/lineitem"},
        },
    )
    assert launches(engine, silo)[0].services == {"lineitem": f"{platform.issuer}/lineitem", "choice": {}}


def test_names_withheld_become_numbers_stable_in_the_course(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int, clock: Any
) -> None:
    nameless = {"name": "", "given_name": "", "family_name": "", "email": ""}
    actors = []
    for sub in ("30", "10", "20"):
        Browser(app, settings.public_url).opened(platform, sub=sub, ext={}, **nameless)
        actors.append(account_key(platform.issuer, sub))
        clock.advance(minutes=1)
    Browser(app, settings.public_url).opened(platform, sub="40", ext={})
    actors.append(account_key(platform.issuer, "40"))
    with transaction(engine, silo, write=False) as conn:
        key = conn.execute(select(course.c.course_id)).scalar_one()
        called = people.display(conn, silo, key, actors)
        named = people.names(conn, silo, actors)
    assert [called[actor] for actor in actors] == [
        "Participant 1",
        "Participant 2",
        "Participant 3",
        "Sara Student",
    ]
    assert named[actors[3]].email == "student1@example.test"


def test_an_alias_never_takes_somebody_elses_traces(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    Browser(app, settings.public_url).opened(platform, sub="abc", ext={}, email="")
    Browser(app, settings.public_url).opened(platform, sub="9", ext={"user_username": "abc"}, email="")
    Browser(app, settings.public_url).opened(platform, sub="10", ext={"user_username": "11"}, email="")
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(actor_alias)).first() is None


def test_new_tab_gets_its_own_launch_by_a_code_that_serves_once(
    app: Any, settings: Settings, visitor: Browser, platform: FakePlatform, clock: Any
) -> None:
    place = visitor.opened(platform)
    offered = visitor.get(place + "open", headers={"Referer": f"{settings.public_url}{place}me"})
    link = re.search(r'href="(/lti/open\?[^"]+)"', offered.get_data(as_text=True))
    assert link is not None
    address = link[1].replace("&amp;", "&")
    tab = Browser(app, settings.public_url)
    assert tab.get(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401
    taken = tab.get(address)
    assert taken.status_code == 303
    assert re.fullmatch(r"/c/[\w-]+/me", taken.headers["Location"])
    assert not taken.headers["Location"].startswith(place)
    assert tab.get(taken.headers["Location"].removesuffix("me") + "open").status_code == 200
    assert visitor.get(place + "open").status_code == 200
    assert Browser(app, settings.public_url).get(address).status_code == 401
    late = visitor.get(place + "open").get_data(as_text=True)
    clock.advance(seconds=61)
    found = re.search(r'href="(/lti/open\?[^"]+)"', late)
    assert found is not None
    assert Browser(app, settings.public_url).get(found[1].replace("&amp;", "&")).status_code == 401


def test_sessions_survive_a_restart(
    visitor: Browser, platform: FakePlatform, settings: Settings, engine: Engine, clock: Any
) -> None:
    place = visitor.opened(platform)
    cookie = "; ".join(f"{each.key}={each.value}" for each in visitor.client._cookies.values())
    again = create_app(settings, engine=engine, clock=clock).test_client(use_cookies=False)
    answer = again.get(place + "open", base_url=settings.public_url, headers={"Cookie": cookie})
    assert answer.status_code == 200


def test_public_keys_are_published(
    app: Any, settings: Settings, engine: Engine, silo: int, clock: Any
) -> None:
    with administration(engine) as conn:
        kid = platforms.ensure_key(conn, silo, settings.secret_key, clock())
        assert platforms.ensure_key(conn, silo, settings.secret_key, clock()) == kid
        assert platforms.private_key(conn, silo, settings.secret_key)[1].startswith(b"-----BEGIN PRIVATE")
        with pytest.raises(platforms.PlatformError):
            platforms.private_key(conn, silo, "another secret key " * 3)
    answer = app.test_client().get("/lti/jwks.json", base_url=settings.public_url)
    assert [key["kid"] for key in answer.get_json()["keys"]] == [kid]
    assert set(answer.get_json()["keys"][0]) == {"kty", "n", "e", "kid", "alg", "use"}


def test_locale_of_the_platform_chooses_the_language(visitor: Browser, platform: FakePlatform) -> None:
    presentation = {"locale": "en_US"}
    place = visitor.opened(platform, launch_presentation=presentation, roles=[LEARNER])
    page = visitor.get(place + "open").get_data(as_text=True)
    assert '<html lang="en"' in page


def test_another_public_address_makes_another_target(settings: Settings) -> None:
    from lti_tool.login import is_ours

    under = replace(settings, public_url="https://host.test/estime").public_url
    assert is_ours("https://host.test/estime/lti/launch", under)
    assert not is_ours("https://host.test/estime-evil/lti/launch", under)
    assert not is_ours("https://host.test@evil.test/estime/", under)
    assert not is_ours("//host.test/estime/", under)


def test_another_deployment_leaves_the_rest_of_a_registration_as_it_was(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    platform.register(
        engine, silo, frame_origins=["https://a.test"], trusted_audiences=["b"], deployment_id="2"
    )
    found = platform.register(engine, silo, deployment_id="3", token_url="https://moodle.test/new")
    assert (found.frame_origins, found.trusted_audiences) == (("https://a.test",), frozenset({"b"}))
    assert found.token_url == "https://moodle.test/new"
    for known in ("1", "2", "3"):
        visitor.opened(platform, deployment_id=known)
    with pytest.raises(platforms.PlatformError):
        platform.register(engine, silo, client_id="another")


def test_launches_work_and_pages_open_without_redis(
    settings: Settings, engine: Engine, clock: Any, platform: FakePlatform
) -> None:
    nowhere = f"redis://127.0.0.1:{services.free_port()}/0"
    app = create_app(replace(settings, redis_url=nowhere), engine=engine, clock=clock)
    visitor = Browser(app, settings.public_url)
    place = visitor.opened(platform)
    page = visitor.get(visitor.entered(place))
    assert page.status_code == 200
    assert visitor.get("/health/ready").status_code == 200
