"""People of files recognised in traces: by address, by account, by hand; silos apart."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from lti_tool import matching
from lti_tool.matching import MatchingError
from lti_tool.tables import person
from tests.conftest import Clock
from tests.factories import opened, traces
from tests.factories.imports import taken
from tests.factories.platform import FakePlatform, jwks_server
from tool_config import addresses, silos
from tool_config.database import insert, transaction
from xapi.statement import account_key

FILE = """Adresse mail;Numéro de compte sur la plateforme;Académie
camille@ac-poitiers.fr;;Poitiers
Paul@AC-lille.fr;41;Lille
zoe@ac-caen.fr;;Normandie
;42;Nantes
;43;Nantes
""".encode()


def add_person(engine: Engine, silo: int, sub: str, **said: Any) -> str:
    actor = account_key(traces.SITE, sub)
    with transaction(engine, silo) as conn:
        row = {"silo_id": silo, "actor": actor, "issuer": traces.SITE, "sub": sub, "created_at": opened.NOW}
        conn.execute(insert(conn, person).values(**row, **said))
    return actor


def key(engine: Engine, silo: int, address: str) -> str:
    with transaction(engine, silo, write=False) as conn:
        return addresses.digest(silos.get(conn, silo), address)


@pytest.fixture
def people(engine: Engine, silo: int, clock: Clock) -> dict[str, str]:
    """Return sub -> actor, of a platform, once a file was imported."""
    with jwks_server() as server:
        FakePlatform(server, clock, opened.PUBLIC, issuer=traces.SITE).register(engine, silo)
    done = taken(engine, silo, FILE, clock, "people")
    assert (done.added, done.refused) == (5, 0)
    return {
        "7": add_person(engine, silo, "7", email="Camille@ac-poitiers.fr", username="cmartin"),
        "41": add_person(engine, silo, "41"),
        "42": add_person(engine, silo, "42"),
        "50": add_person(engine, silo, "50", username="zoe50"),
    }


def known(engine: Engine, silo: int) -> dict[str, str]:
    with transaction(engine, silo, write=False) as conn:
        return matching.actors(conn, silo)


def test_by_address_by_both_and_by_account(engine: Engine, silo: int, people: dict[str, str]) -> None:
    assert known(engine, silo) == {
        key(engine, silo, "camille@ac-poitiers.fr"): people["7"],
        key(engine, silo, "paul@ac-lille.fr"): people["41"],
        f"a:{people['42']}": people["42"],
    }
    with transaction(engine, silo, write=False) as conn:
        (rate,) = matching.rates(conn, silo, matching.actors(conn, silo))
        left, count = matching.unmatched(conn, silo, matching.actors(conn, silo))
    assert (rate.kind, rate.people, rate.matched) == ("people", 5, 3)
    assert count == 2
    assert {each.line for each in left} == {4, 6}
    assert {each.file for each in left} == {"fichier.csv"}


def test_an_address_of_two_accounts_names_nobody(engine: Engine, silo: int, people: dict[str, str]) -> None:
    add_person(engine, silo, "8", email="camille@ac-poitiers.fr")
    assert key(engine, silo, "camille@ac-poitiers.fr") not in known(engine, silo)


def test_by_hand_and_undone(engine: Engine, silo: int, people: dict[str, str], clock: Clock) -> None:
    zoe = key(engine, silo, "zoe@ac-caen.fr")
    with transaction(engine, silo) as conn:
        for said, code in (
            ({"address": "zoe", "account": "50"}, "address"),
            ({"address": "nobody@ac-caen.fr", "account": "50"}, "person"),
            ({"address": "zoe@ac-caen.fr", "account": "999"}, "account"),
            ({"address": "zoe@ac-caen.fr", "account": " "}, "account"),
        ):
            with pytest.raises(MatchingError) as refused:
                matching.link(conn, silo, **said, by="chef", now=clock())
            assert refused.value.code == code
        matching.link(conn, silo, address="ZOE@ac-caen.fr ", account="Zoe50", by="chef", now=clock())
    assert known(engine, silo)[zoe] == people["50"]
    with transaction(engine, silo) as conn:
        assert [each.person_key for each in matching.links(conn, silo)] == [zoe]
        assert matching.unlink(conn, silo, zoe)
        assert not matching.unlink(conn, silo, zoe)
    assert zoe not in known(engine, silo)


def test_a_silo_recognises_nobody_of_another(
    engine: Engine, silo: int, second_silo: int, people: dict[str, str], clock: Clock
) -> None:
    assert known(engine, second_silo) == {}
    assert key(engine, silo, "a@b.fr") != key(engine, second_silo, "a@b.fr")
    with transaction(engine, second_silo) as conn, pytest.raises(MatchingError):
        matching.link(
            conn,
            second_silo,
            person_key=key(engine, silo, "zoe@ac-caen.fr"),
            account="50",
            by="",
            now=clock(),
        )


def test_an_administrator_resolves_on_the_page(
    app: Flask, engine: Engine, silo: int, people: dict[str, str]
) -> None:
    course = opened.add_course(engine, silo)
    admin = opened.reader(app, engine, silo, "admin", course, "chef")
    page = admin.page("/correspondences")
    assert "2 personnes des fichiers ne sont reconnues dans aucune trace" in page
    assert "Personnes et origine" in page
    assert "zoe@ac-caen.fr" not in page
    refused = admin.post("/correspondences", {"address": "zoe@ac-caen.fr", "account": "999"})
    assert refused.status_code == 400
    assert "Aucun compte connu" in refused.get_data(as_text=True)
    assert (
        admin.post("/correspondences", {"address": "zoe@ac-caen.fr", "account": "zoe50"}).status_code == 303
    )
    page = admin.page("/correspondences?done=linked")
    assert "Reconnues à la main" in page
    assert "La correspondance est enregistrée." in page
    undone = {"do": "unlink", "person": key(engine, silo, "zoe@ac-caen.fr")}
    assert admin.post("/correspondences", undone).status_code == 303
    assert "Reconnues à la main" not in admin.page("/correspondences")


@pytest.mark.parametrize("role", ["tutor", "trainee"])
def test_nobody_else_opens_the_page(app: Flask, engine: Engine, silo: int, role: str) -> None:
    reader = opened.reader(app, engine, silo, role, opened.add_course(engine, silo), "7")
    reader.page("/correspondences", 403)
    assert reader.post("/correspondences", {"do": "unlink"}).status_code == 403
