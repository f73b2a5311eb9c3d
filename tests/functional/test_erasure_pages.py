"""An erasure from end to end on the pages: asked, decided, and what the person meets afterwards."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine, select

from lti_tool.privacy_tables import erasure_request
from tests.factories import opened, traces
from tests.factories.opened import NOW
from tests.factories.platform import Browser, FakePlatform, jwks_server
from tool_config.database import transaction
from xapi.ingest import ingest
from xapi.rollup import refresh
from xapi.tables import statement

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@sqlite_only
def test_a_trainee_asks_and_an_administrator_decides(app: Any, engine: Engine, silo: int, clock: Any) -> None:
    course = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course, {"3": "Sara Benali", "4": "Paul Roche"})
    with transaction(engine, silo) as conn:
        parents = [traces.section(3), traces.course(2)]
        seen = [traces.statement(who, traces.VIEWED, traces.page(1), NOW, parents=parents) for who in "34"]
        ingest(conn, silo, seen, now=NOW)
        refresh(conn, silo, now=NOW)
    sara = opened.reader(app, engine, silo, "trainee", course, "3")
    tutor = opened.reader(app, engine, silo, "tutor", course)
    admin = opened.reader(app, engine, silo, "admin", course, "chef")
    assert "/me/settings" in sara.page("/me")
    assert "Effacer mes données" in sara.page("/me/settings")
    assert sara.post("/me/erasure", {}).status_code == 303
    page = sara.page("/me/erasure")
    assert "21 décembre" in page
    assert sara.post("/me/erasure", {"withdraw": "yes"}).status_code == 303
    assert "Demander l’effacement" in sara.page("/me/erasure")
    clock.advance(minutes=1)
    sara.post("/me/erasure", {})
    for other in (tutor, sara):
        assert other.get("/erasures").status_code == 403
    listed = admin.page("/erasures")
    assert "Sara" not in listed
    where = re.search(r"/erasures/[0-9a-f]{32}", listed)
    assert where is not None
    shown = admin.page(where[0])
    assert "1 trace d’activité" in shown
    assert "30 jours" in shown
    assert tutor.get(where[0]).status_code == 403
    assert admin.post(where[0], {"decision": "refuse", "reason": " "}).status_code == 400
    assert admin.post(where[0], {"decision": "refuse", "reason": "La session court."}).status_code == 303
    assert "La session court." in sara.page("/me/erasure")
    clock.advance(minutes=1)
    sara.post("/me/erasure", {})
    where = re.search(r"/erasures/[0-9a-f]{32}", admin.page("/erasures"))
    assert where is not None
    assert admin.post(where[0], {"decision": "erase"}).status_code == 400
    assert admin.post(where[0], {"decision": "erase", "sure": "yes"}).status_code == 303
    assert admin.post(where[0], {"decision": "erase", "sure": "yes"}).status_code == 404
    assert sara.get("/me").status_code == 404
    people = tutor.page(f"/courses/{course}/people")
    assert "Sara Benali" not in people
    assert "Paul Roche" in people
    with transaction(engine, silo) as conn:
        # A letter about somebody whom nobody knows is told so.
        assert set(conn.scalars(select(erasure_request.c.state))) == {"withdrawn", "refused", "erased"}
        assert len(conn.execute(select(statement.c.id)).all()) == 1
    assert admin.post("/erasures", {"name": "personne"}).status_code == 400
    assert admin.post("/erasures", {"name": "4"}).status_code == 303
    assert "par courrier" in admin.page("/erasures")


@sqlite_only
def test_somebody_erased_comes_back_only_by_their_own_word(
    app: Any, engine: Engine, silo: int, clock: Any, settings: Any
) -> None:
    from lti_tool.privacy import requests
    from xapi.statement import account_key

    with jwks_server() as server:
        platform = FakePlatform(server, clock, settings.public_url)
        platform.register(engine, silo)
        browser = Browser(app, settings.public_url)
        browser.opened(platform)
        who = account_key(platform.issuer, "3")
        with transaction(engine, silo) as conn:
            asked = requests.ask(conn, silo, who, now=clock())
        with transaction(engine, silo) as conn:
            requests.erase(
                conn, silo, asked.request_id, by="", secret_key=settings.secret_key,
                home=settings.public_url, now=clock(),
            )  # fmt: skip
        answer = browser.launch(platform)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 403
        assert "effacées à votre demande" in page
        with transaction(engine, silo) as conn:
            assert conn.execute(select(statement.c.id)).all() == []
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        forged = browser.client.post("/lti/return", base_url=settings.public_url, data={"token": "x"})
        assert forged.status_code == 401
        back = browser.client.post("/lti/return", base_url=settings.public_url, data={"token": token[1]})
        assert back.status_code == 200
        assert "de retour" in back.get_data(as_text=True)
        assert browser.launch(platform).status_code == 303
