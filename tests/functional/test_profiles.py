"""People without a course: what each profile reaches, OpenID Connect, one-time links, withdrawal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Engine, func, select, update

from lti_tool import paths, profiles
from lti_tool.app import create_app
from lti_tool.cli import main
from lti_tool.job_tables import job
from lti_tool.profile_tables import profile_grant, profile_login
from lti_tool.profiles import Grant, links, openid
from lti_tool.tables import audit, launch
from lti_tool.web import reach, signing_in
from tests.conftest import SECRET_KEY, Clock
from tests.factories import jobs, opened
from tests.factories.mailbox import Mailbox, mailbox, text
from tests.factories.opened import Reader
from tests.factories.platform import ABSENT, Browser
from tests.factories.provider import CLIENT, CLIENT_SECRET, Provider, provider
from tool_config.database import transaction
from tool_config.roles import PROFILES
from tool_config.settings import Settings

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
LEA = "lea.roux@ac-lille.fr"


def grant(engine: Engine, silo: int, clock: Clock, profile: str = "lecteur", **more: Any) -> Grant:
    values = {"name": "Léa Roux", "address": LEA, "paths": (), "expires_at": None, **more}
    with transaction(engine, silo) as conn:
        return profiles.grant(
            conn, silo, profile=profile, by="x", secret_key=SECRET_KEY, now=clock(), **values
        )


def reader(app: Flask, engine: Engine, found: Grant, clock: Clock) -> Reader:
    with transaction(engine, found.silo_id) as conn:
        made = profiles.enter(conn, found, locale="fr", now=clock())
    return Reader(app, made.launch_id, made.secret)


def two_paths(engine: Engine, silo: int) -> tuple[int, int]:
    with transaction(engine, silo) as conn:
        return paths.create(conn, silo, "Piloter"), paths.create(conn, silo, "Manager")


def lines(engine: Engine, silo: int, action: str = "login") -> list[tuple[bool, str | None, str | None]]:
    with transaction(engine, silo, write=False) as conn:
        wanted = select(audit.c.accepted, audit.c.role, audit.c.reason).where(audit.c.action == action)
        return [tuple(row) for row in conn.execute(wanted.order_by(audit.c.at, audit.c.audit_id))]


# --- what each profile reaches ------------------------------------------------------------------------


@sqlite_only
def test_each_profile_reaches_its_pages_and_no_other(
    app: Flask, engine: Engine, silo: int, clock: Clock
) -> None:
    course = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course, {"3": "Sara"})
    first, _second = two_paths(engine, silo)
    known = {"course_id": course, "path_id": first, "actor": opened.actor("3")}
    uuid = "6c1f0f5e-3c5a-4a53-9c3b-0d6f4c7c1d11"
    for profile in PROFILES:
        found = grant(engine, silo, clock, profile, paths=(first,))
        browser = reader(app, engine, found, clock)
        reached = set()
        for rule in app.url_map.iter_rules():
            if not rule.rule.startswith("/c/") or rule.endpoint.endswith("_xlsx"):
                continue
            if profile != "lecteur" and rule.endpoint.endswith("_csv"):
                continue
            values = {name: known.get(name, "5") for name in rule.arguments}
            values |= dict.fromkeys(re.findall(r"<uuid:(\w+)>", rule.rule), uuid)
            path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda at: str(values[at[1]]), rule.rule)  # noqa: B023
            path = "/" + path.split("/", 3)[3]
            query = f"?path={first}" if reach.narrowed(profile, rule.endpoint) else ""
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                if rule.endpoint == "pages.leave":
                    continue
                if method == "GET":
                    status = browser.get(path + query).status_code
                else:
                    status = browser.post(path + query, {}, "none").status_code
                may = reach.may(profile, rule.endpoint)
                if not may:
                    assert status == 403, (profile, method, rule.rule, status)
                    continue
                # A form without its token is refused after the profile was let through.
                fine = (200, 204, 303, 400, 404) if method == "GET" else (403,)
                assert status in fine, (profile, rule.rule)
                reached.add(rule.endpoint.partition(".")[2])
        assert {"enter", "about_all"} <= reached
        assert ("crossing" in reached) == (profile != "ingenieur")
        assert ("evidence" in reached) == (profile == "responsable")
        assert not reached & {
            "sessions", "today", "people", "person", "journal", "imports", "profiles", "connections",
            "comments_all", "improvements_all", "path_list", "quality", "correspondences", "template_list",
        }  # fmt: skip
        if profile != "ingenieur":
            page = browser.page("/crossing")
            assert "Se déconnecter" in page
            assert "Réglages</a>" not in page


def test_every_page_that_is_listed_exists(app: Flask) -> None:
    known = {endpoint.partition(".")[2] for endpoint in app.view_functions}
    assert [name for name in reach.PAGES if name not in known] == []
    assert [name for name in reach.TABLES if f"{name}_csv" not in known] == []
    assert {*reach.PAGES, *reach.TABLES} >= reach.WITHOUT_PATH


def test_an_ingenieur_sees_their_paths_one_at_a_time(
    app: Flask, engine: Engine, silo: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard itself, on a page that every profile of the test reaches."""
    first, second = two_paths(engine, silo)
    found = grant(engine, silo, clock, "ingenieur", paths=(first,))
    browser = reader(app, engine, found, clock)
    monkeypatch.setattr(reach, "WITHOUT_PATH", frozenset({"enter", "leave"}))
    led = browser.get("/about?cohort=x")
    assert led.status_code == 303
    assert led.headers["Location"].endswith(f"/about?cohort=x&path={first}")
    assert browser.get(f"/about?path={first}").status_code == 200
    for wrong in (f"path={second}", f"path={first}&path={second}", f"path=0{first}", "path=", "path=-1"):
        assert browser.get(f"/about?{wrong}").status_code == 404, wrong


# --- sessions end -------------------------------------------------------------------------------------


def test_a_profile_withdrawn_or_over_opens_nothing_at_once(
    app: Flask, engine: Engine, silo: int, clock: Clock
) -> None:
    course = opened.add_course(engine, silo)
    admin = opened.reader(app, engine, silo, "admin", course, "chef")
    found = grant(engine, silo, clock)
    browser = reader(app, engine, found, clock)
    assert browser.get("/crossing").status_code == 200
    page = admin.page("/profiles")
    assert "Léa Roux" in page
    assert LEA in page
    token = admin.token()
    assert admin.post(f"/profiles/{found.grant_id}", {"do": "close"}, token).status_code == 303
    assert browser.get("/crossing").status_code == 404
    again = reader(app, engine, found, clock)
    assert again.get("/crossing").status_code == 200
    assert admin.post(f"/profiles/{found.grant_id}", {"do": "withdraw"}, token).status_code == 303
    assert again.get("/crossing").status_code == 404
    assert "Léa Roux" not in admin.page("/profiles")
    assert admin.post(f"/profiles/{found.grant_id}", {"do": "withdraw"}, token).status_code == 404
    reasons = {reason for _accepted, _role, reason in lines(engine, silo, "edit")}
    assert reasons == {"profile: sessions closed", "profile: withdrawn"}
    journal = admin.page("/journal")
    assert "Profil retiré." in journal

    brief = grant(engine, silo, clock, expires_at=clock() + timedelta(hours=2))
    browser = reader(app, engine, brief, clock)
    assert browser.get("/crossing").status_code == 200
    clock.advance(hours=3)
    answer = browser.get("/crossing")
    assert answer.status_code == 401
    assert f'href="/sign-in/{silo}"' in answer.get_data(as_text=True)
    lasting = reader(app, engine, grant(engine, silo, clock), clock)
    clock.advance(hours=8, seconds=1)
    assert lasting.get("/crossing").status_code == 401


@sqlite_only
def test_the_rights_are_those_of_the_grant_now(app: Flask, engine: Engine, silo: int, clock: Clock) -> None:
    found = grant(engine, silo, clock, "responsable")
    browser = reader(app, engine, found, clock)
    assert browser.get("/evidence").status_code == 200
    with transaction(engine, silo) as conn:
        conn.execute(update(profile_grant).values(profile="lecteur"))
    assert browser.get("/evidence").status_code == 403
    left = browser.post("/leave", {}, browser_token(browser))
    assert left.status_code == 303
    assert left.headers["Location"] == f"/sign-in/{silo}"
    assert browser.get("/crossing").status_code == 404


def browser_token(browser: Reader) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', browser.page("/about"))
    assert found
    return found[1]


def test_a_profile_of_one_silo_is_nothing_in_another(
    app: Flask, engine: Engine, silo: int, second_silo: int, clock: Clock
) -> None:
    found = grant(engine, silo, clock)
    browser = reader(app, engine, found, clock)
    moved = Reader(app, browser.launch_id.replace(f"{silo}-", f"{second_silo}-", 1), browser.secret)
    assert moved.get("/crossing").status_code == 404
    with transaction(engine, second_silo, write=False) as conn:
        assert profiles.of_address(conn, second_silo, LEA, secret_key=SECRET_KEY, now=clock()) is None
        assert profiles.listing(conn, second_silo, secret_key=SECRET_KEY) == ()
    neighbour = opened.reader(
        app, engine, second_silo, "admin", opened.add_course(engine, second_silo), "chef"
    )
    token = neighbour.token()
    assert neighbour.post(f"/profiles/{found.grant_id}", {"do": "withdraw"}, token).status_code == 404
    assert browser.get("/crossing").status_code == 200


# --- granting -----------------------------------------------------------------------------------------


def test_an_administrator_grants_by_name(app: Flask, engine: Engine, silo: int, clock: Clock) -> None:
    admin = opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo), "chef")
    first, _second = two_paths(engine, silo)
    token = admin.token()
    good = {
        "name": "Léa  Roux",
        "address": "Lea.Roux@ac-lille.fr",
        "profile": "ingenieur",
        "path": str(first),
    }
    wrong = [
        ({"profile": "admin"}, "Choisissez un profil"), ({"name": " "}, "Donnez le nom"),
        ({"address": "lea"}, "Donnez une adresse"), ({"path": ""}, "Cochez au moins un parcours"),
        ({"path": "99999"}, "Cochez au moins un parcours"), ({"until": "2026-11-20"}, "déjà passé"),
        ({"until": "demain"}, "pas une date"),
    ]  # fmt: skip
    for change, said in wrong:
        answer = admin.post("/profiles", {**good, **change}, token)
        assert answer.status_code == 400, change
        assert said in answer.get_data(as_text=True)
    assert admin.post("/profiles", {**good, "until": "2026-11-21"}, token).status_code == 303
    page = admin.page("/profiles")
    assert "pas encore connectée" in page
    assert "Piloter" in page
    # The same address again: one profile, the later one.
    assert admin.post("/profiles", {**good, "profile": "lecteur", "address": LEA}, token).status_code == 303
    with transaction(engine, silo, write=False) as conn:
        (held,) = profiles.listing(conn, silo, secret_key=SECRET_KEY)
        row = conn.execute(select(profile_grant)).one()
    assert (held.profile, held.name, held.address) == ("lecteur", "Léa Roux", LEA)
    assert "Léa" not in repr(row)
    assert "lille" not in repr(row)
    for role in ("tutor", "trainee"):
        other = opened.reader(
            app, engine, silo, role, opened.add_course(engine, silo, number=int(role == "tutor") + 7), "7"
        )
        assert other.get("/profiles").status_code == 403
        assert other.post("/profiles", good, "x").status_code == 403


@sqlite_only
def test_the_command_line_grants_lists_withdraws(
    settings: Settings, engine: Engine, silo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)
    run = CliRunner().invoke
    words = ["profile", "grant", "--silo", "essai", "--person", "Léa Roux", "--address", LEA]
    refused = run(main, [*words, "--profile", "ingenieur"])
    assert refused.exit_code == 1
    assert "chosen paths" in refused.output
    granted = run(main, [*words, "--profile", "lecteur", "--until", "2040-06-30"])
    assert granted.exit_code == 0, granted.output
    listed = run(main, ["profile", "list", "--silo", "essai"])
    assert '"name":"Léa Roux"' in listed.output
    assert '"used_at":null' in listed.output
    found = re.search(r'"grant_id":"([^"]+)"', listed.output)
    assert found
    assert run(main, ["profile", "withdraw", "nobody", "--silo", "essai"]).exit_code == 1
    assert run(main, ["profile", "withdraw", found[1], "--silo", "essai"]).exit_code == 0
    assert '"profiles":[]' in run(main, ["profile", "list", "--silo", "essai"]).output
    monkeypatch.setenv("ESTIME_OIDC_NEW_SECRET", "very-secret")
    kept = run(
        main, ["profile", "provider", "--silo", "essai", "--issuer", "https://sso.test", "--client-id", "e"]
    )
    assert kept.exit_code == 0
    assert "/sign-in/callback" in kept.output
    assert "very-secret" not in kept.output
    wrong = run(
        main, ["profile", "provider", "--silo", "essai", "--issuer", "http://sso.test", "--client-id", "e"]
    )
    assert wrong.exit_code == 1
    with transaction(engine, silo, write=False) as conn:
        one = openid.provider(conn, silo, secret_key=SECRET_KEY, usual_secret="other")
    assert one is not None
    assert one.client_secret == "very-secret"
    assert "very-secret" not in repr(one)


# --- OpenID Connect -----------------------------------------------------------------------------------


@pytest.fixture
def sso(engine: Engine, silo: int, clock: Clock) -> Iterator[Provider]:
    with provider(clock) as made:
        with transaction(engine, silo) as conn:
            openid.set_provider(
                conn,
                silo,
                made.url,
                CLIENT,
                CLIENT_SECRET,
                secret_key=SECRET_KEY,
                allow_local=True,
                now=clock(),
            )
        yield made


def begun(browser: Browser, silo: int) -> str:
    answer = browser.get(f"/sign-in/{silo}/openid")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    cookie = answer.headers["Set-Cookie"]
    for word in ("__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    return str(answer.headers["Location"])


def signed_in(browser: Browser, silo: int, sso: Provider, **changes: str) -> Any:
    code, asked = sso.authorize(begun(browser, silo))
    query = {"code": code, "state": asked["state"], **changes}
    return browser.get("/sign-in/callback", query_string=query)


def test_a_person_signs_in_by_openid(
    app: Flask, engine: Engine, silo: int, sso: Provider, clock: Clock
) -> None:
    found = grant(engine, silo, clock)
    browser = Browser(app, opened.PUBLIC)
    door = browser.get(f"/sign-in/{silo}").get_data(as_text=True)
    assert "Se connecter avec 127.0.0.1" in door
    answer = signed_in(browser, silo, sso)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    place = answer.headers["Location"]
    page = browser.get(f"{place}crossing")
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert lines(engine, silo) == [(True, "lecteur", None)]
    with transaction(engine, silo, write=False) as conn:
        assert conn.scalar(select(profile_grant.c.used_at)) == clock()
        assert conn.scalar(select(func.count()).select_from(profile_login)) == 0
        assert conn.scalar(select(launch.c.client_id)) == found.grant_id
    # The address may be at userinfo only.
    sso.claims = {"email": ABSENT, "email_verified": ABSENT}
    sso.userinfo = {"sub": "u-1", "email": LEA, "email_verified": True}
    assert signed_in(Browser(app, opened.PUBLIC), silo, sso).status_code == 303
    sso.userinfo["sub"] = "u-2"
    assert signed_in(Browser(app, opened.PUBLIC), silo, sso).status_code == 401


#: What a provider, or somebody in its place, may send instead: changes of claims or of the signature.
ATTACKS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("nonce of another sign-in", {"nonce": "x" * 43}, {}),
    ("no nonce", {"nonce": ABSENT}, {}),
    ("another audience", {"aud": "other"}, {}),
    ("another audience beside ours", {"aud": [CLIENT, "other"]}, {}),
    ("authorised for another", {"azp": "other"}, {}),
    ("another issuer", {"iss": "https://other.test"}, {}),
    ("no issuer", {"iss": ABSENT}, {}),
    ("expired", {"exp": 1_700_000_000}, {}),
    ("no expiry", {"exp": ABSENT}, {}),
    ("expiry that is no number", {"exp": "soon"}, {}),
    ("of the future", {"iat": 4_000_000_000}, {}),
    ("no subject", {"sub": ABSENT}, {}),
    ("a subject that is a number", {"sub": 12}, {}),
    ("address not verified", {"email_verified": False}, {}),
    ("address verified in words", {"email_verified": "true"}, {}),
    ("address verified by nobody", {"email_verified": ABSENT}, {}),
    ("no address", {"email": ABSENT}, {}),
    ("wrong access token", {"at_hash": "AAAA"}, {}),
    ("alg none", {}, {"algorithm": "none"}),
    ("HS256", {}, {"algorithm": "HS256"}),
    ("another algorithm", {}, {"algorithm": "RS512"}),
    ("another key under the same name", {}, {"key": "oidc-2"}),
]


@sqlite_only
def test_what_is_not_verified_opens_nothing(
    app: Flask, engine: Engine, silo: int, sso: Provider, clock: Clock
) -> None:
    grant(engine, silo, clock)
    for rank, (name, claims, manner) in enumerate(ATTACKS):
        if rank % 15 == 0:
            clock.advance(minutes=2)
        sso.claims, sso.key, sso.algorithm = claims, "oidc-1", "RS256"
        for key, value in manner.items():
            setattr(sso, key, value)
        answer = signed_in(Browser(app, opened.PUBLIC), silo, sso)
        assert answer.status_code == 401, (name, answer.status_code)
        assert "Set-Cookie" not in answer.headers, name
    sso.claims, sso.key, sso.algorithm = {}, "oidc-1", "RS256"
    clock.advance(minutes=2)
    assert signed_in(Browser(app, opened.PUBLIC), silo, sso).status_code == 303
    with transaction(engine, silo, write=False) as conn:
        assert conn.scalar(select(func.count()).select_from(launch)) == 1
    refused = [reason for accepted, _role, reason in lines(engine, silo) if not accepted]
    assert len(refused) == len(ATTACKS)
    assert all(str(reason).startswith("profile: ") for reason in refused)
    assert "lille" not in repr(refused)


def test_state_and_code_serve_once_in_one_browser(
    app: Flask, engine: Engine, silo: int, second_silo: int, sso: Provider, clock: Clock
) -> None:
    grant(engine, silo, clock)
    browser, stranger = Browser(app, opened.PUBLIC), Browser(app, opened.PUBLIC)
    code, asked = sso.authorize(begun(browser, silo))
    sent = {"code": code, "state": asked["state"]}
    # Brought to somebody else's browser (login CSRF), even one that has begun a sign-in of its own.
    begun(stranger, silo)
    assert stranger.get("/sign-in/callback", query_string=sent).status_code == 401
    assert sso.redeemed == 0
    assert browser.get("/sign-in/callback", query_string=sent).status_code == 303
    assert browser.get("/sign-in/callback", query_string=sent).status_code == 401
    assert sso.redeemed == 1
    for state in ("", "x", "1." + "a" * 43, f"{second_silo}{asked['state'][len(str(silo)) :]}"):
        assert browser.get("/sign-in/callback", query_string={**sent, "state": state}).status_code in (
            400,
            401,
            404,
        )
    # The code of one sign-in under the state of another: PKCE refuses at the provider.
    first, _ = sso.authorize(begun(stranger, silo))
    answer = signed_in(browser, silo, sso, code=first)
    assert answer.status_code == 502
    assert signed_in(browser, silo, sso, iss="https://other.test").status_code == 401
    assert signed_in(browser, silo, sso, error="access_denied").status_code == 400
    late, asked = sso.authorize(begun(browser, silo))
    clock.advance(minutes=11)
    assert (
        browser.get("/sign-in/callback", query_string={"code": late, "state": asked["state"]}).status_code
        == 401
    )


@sqlite_only
def test_no_grant_no_session_and_providers_that_lie(
    app: Flask, engine: Engine, silo: int, second_silo: int, sso: Provider, clock: Clock
) -> None:
    grant(engine, second_silo, clock)  # a grant of another silo opens nothing here
    browser = Browser(app, opened.PUBLIC)
    assert signed_in(browser, silo, sso).status_code == 403
    grant(engine, silo, clock, expires_at=clock() + timedelta(minutes=1))
    clock.advance(minutes=1)
    assert signed_in(browser, silo, sso).status_code == 403
    assert browser.get(f"/sign-in/{second_silo}/openid").status_code == 404
    assert browser.get("/sign-in/999").status_code == 404
    assert browser.get("/sign-in/0").status_code == 404
    for change in (
        {"issuer": "https://other.test"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
    ):
        sso.discovery = change
        assert browser.get(f"/sign-in/{silo}/openid").status_code == 502, change
    sso.discovery = {"token_endpoint": "http://169.254.169.254/token"}
    assert signed_in(browser, silo, sso).status_code == 502
    sso.discovery = {}
    strict = create_app(replace(settings_of(app), allow_local_network=False), engine=engine, clock=clock)
    assert Browser(strict, opened.PUBLIC).get(f"/sign-in/{silo}/openid").status_code == 502
    clock.advance(minutes=5)
    statuses = [browser.get(f"/sign-in/{silo}/openid").status_code for _ in range(22)]
    assert statuses[:20] == [302] * 20
    assert statuses[-1] == 429


def settings_of(app: Flask) -> Settings:
    found: Settings = app.extensions["estime"].settings
    return found


# --- links --------------------------------------------------------------------------------------------


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture
def posting(settings: Settings, engine: Engine, clock: Clock, box: Mailbox) -> Flask:
    sender: Any = {"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_tls": "none"}
    made = replace(settings, **sender, mail_sender="formation@ecole.test")
    return create_app(made, engine=engine, clock=clock)


def ask(browser: Browser, silo: int, address: str = LEA, **headers: str) -> Any:
    return browser.post(f"/sign-in/{silo}/link", data={"address": address}, headers=headers)


def brought(box: Mailbox, address: str = LEA) -> str:
    found = re.findall(r"https://estime\.test(/sign-in/link/\S+)", text(box.to(address)[-1]))
    assert len(found) == 1
    return str(found[0])


def test_a_link_opens_once_in_the_browser_that_asked(
    posting: Flask, engine: Engine, silo: int, clock: Clock, box: Mailbox
) -> None:
    grant(engine, silo, clock)
    worker = jobs.make_tool(settings_of(posting), engine, clock)
    browser, stranger = Browser(posting, opened.PUBLIC), Browser(posting, opened.PUBLIC)
    assert "Recevoir un lien" in browser.get(f"/sign-in/{silo}").get_data(as_text=True)
    known, unknown = ask(browser, silo, " LEA.ROUX@ac-lille.fr"), ask(stranger, silo, "nobody@ac-lille.fr")
    assert known.status_code == unknown.status_code == 200
    assert known.get_data() == unknown.get_data()
    assert [name for name, _ in known.headers] == [name for name, _ in unknown.headers]
    jobs.drain(worker)
    assert [address for address, _ in box.received] == [LEA]
    link = brought(box)
    with transaction(engine, silo, write=False) as conn:
        stored = repr(conn.execute(select(profile_login)).all()) + repr(
            conn.execute(select(job.c.payload)).all()
        )
    assert link.rpartition(".")[2] not in stored
    assert "lille" not in stored
    assert stranger.get(link).status_code == 401  # it waits for the browser that asked
    assert stranger.post(link).status_code == 401
    assert browser.get(link).status_code == 200  # opening it uses nothing up
    assert browser.post(link, headers={"Origin": "https://evil.test"}).status_code == 403
    assert browser.post(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    answer = browser.post(link)
    assert answer.status_code == 303
    assert browser.get(f"{answer.headers['Location']}crossing").status_code == 200
    assert browser.post(link).status_code == 410
    assert browser.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 404
    assert browser.get("/sign-in/link/x").status_code == 404
    assert (True, "lecteur", None) in lines(engine, silo)


@sqlite_only
def test_a_link_late_withdrawn_or_too_often_asked_for(
    posting: Flask, engine: Engine, silo: int, second_silo: int, clock: Clock, box: Mailbox
) -> None:
    found = grant(engine, silo, clock)
    worker = jobs.make_tool(settings_of(posting), engine, clock)
    browser = Browser(posting, opened.PUBLIC)
    pages = [ask(browser, silo).get_data() for _ in range(5)]
    assert len(set(pages)) == 1
    jobs.drain(worker)
    assert len(box.to(LEA)) == 3  # nobody's box is filled, and nobody is told
    first = brought(box)
    clock.advance(minutes=15, seconds=1)
    assert browser.get(first).status_code == 410
    assert browser.post(first).status_code == 410
    ask(browser, silo, "other@ac-lille.fr", **{"Sec-Fetch-Site": "cross-site"})
    posting.extensions["estime"].cache.delete(f"signin-to:{signing_in.asked_for(SECRET_KEY, silo, LEA)}")
    ask(browser, silo)
    jobs.drain(worker)
    link = brought(box)
    moved = link.replace(f"/link/{silo}.", f"/link/{second_silo}.")
    assert browser.post(moved).status_code == 404
    with transaction(engine, silo) as conn:
        profiles.withdraw(conn, silo, found.grant_id)
    assert browser.post(link).status_code == 410
    assert ask(browser, silo, "no address").status_code == 400
    ask(browser, silo, "nobody@ac-lille.fr")
    clock.advance(hours=1)
    with transaction(engine, silo) as conn:
        jobs_run = conn.scalar(select(func.count()).select_from(profile_login))
    assert jobs_run
    run_tidy(worker, silo)
    with transaction(engine, silo, write=False) as conn:
        assert conn.scalar(select(func.count()).select_from(profile_login)) == 0


def run_tidy(worker: Any, silo: int) -> None:
    from lti_tool import jobs as queue

    with transaction(worker.engine, silo) as conn:
        queue.enqueue(conn, silo, links.NIGHTLY, {}, now=worker.clock())
    jobs.drain(worker)
