"""The page of data quality: what is to be mended in each source, and where, on both engines."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, insert, update

from analyzers.frames import supply
from analyzers.quality import Dataset, Finding, Supply, findings
from lti_tool import quality
from lti_tool.tables import person
from tests.conftest import Clock
from tests.factories import opened, traces
from tests.factories.imports import prepared, taken
from tests.factories.opened import Reader
from tool_config.database import transaction
from tool_config.rules import load as load_rules
from xapi import auth
from xapi import tables as t
from xapi.document_tables import key_repair, quarantine
from xapi.ingest import ingest


@pytest.fixture
def course(engine: Engine, silo: int) -> int:
    return opened.add_course(engine, silo)


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return opened.reader(app, engine, silo, "admin", course, "chef")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def read(engine: Engine, silo: int, clock: Clock) -> Supply:
    with transaction(engine, silo, write=False) as conn:
        return quality.read(conn, silo, today=clock().date(), rules=load_rules())


def told(engine: Engine, silo: int, clock: Clock) -> dict[tuple[str, str], Finding]:
    found = findings(read(engine, silo, clock))
    return {(one.source, one.code): one for one in found}


def dataset(engine: Engine, silo: int, clock: Clock, kind: str) -> Dataset:
    return next(one for one in read(engine, silo, clock).datasets if one.kind == kind)


def know(engine: Engine, silo: int, count: int) -> None:
    """Make the accounts of p0, p1…, as launches do."""
    with transaction(engine, silo) as conn:
        conn.execute(
            insert(person),
            [
                {
                    "silo_id": silo, "actor": opened.actor(f"p{n}"), "issuer": traces.SITE, "sub": f"p{n}",
                    "email": f"p{n}@ac-x.fr", "created_at": opened.NOW,
                }
                for n in range(count)
            ],
        )  # fmt: skip


def people(values: list[str]) -> bytes:
    lines = [f"p{number}@ac-x.fr;{value}" for number, value in enumerate(values)]
    return "\n".join(["Adresse mail;Académie", *lines]).encode()


def test_before_anything_came(admin: Reader) -> None:
    page = admin.page("/quality")
    assert "Aucune donnée n’est encore arrivée" in page
    assert "le plus grave" not in page


def test_a_good_state_says_so(admin: Reader, engine: Engine, silo: int, clock: Clock) -> None:
    know(engine, silo, 20)
    taken(engine, silo, people(["Poitiers"] * 20), clock, "people")
    assert "Les données sont en bon état" in admin.page("/quality")
    page = text(admin.page("/quality?source=dataset:people"))
    assert "Rien : cette source est en bon état." in page
    assert "Académie 20 100 % 0" in page


def test_values_outside_the_reference_are_shown_from_the_threshold_on(
    admin: Reader, engine: Engine, silo: int, clock: Clock
) -> None:
    know(engine, silo, 40)
    taken(engine, silo, people(["Poitiers"] * 26 + ["Poitou (86)"] * 11 + ["Atlantide"] * 3), clock, "people")
    one = told(engine, silo, clock)["dataset:people", "outside"]
    assert (one.count, one.level, one.shown) == (14, 3, (("Poitou (86)", 11),))
    page = text(admin.page("/quality"))
    assert "À reprendre d’abord : Personnes et origine." in page
    assert "dans 14 lignes (35 %), une valeur qui n’est pas dans la table de référence." in page
    assert "Le plus souvent : « Poitou (86) » (11)." in page
    # Three people alone are from there.
    assert "Atlantide" not in page
    assert "Ouvrir les imports" in page


def test_a_rare_value_of_a_person_is_never_shown(
    admin: Reader, engine: Engine, silo: int, clock: Clock
) -> None:
    taken(engine, silo, people(["Poitiers"] * 20 + ["Atlantide"] * 10), clock, "people")
    for page in (admin.page("/quality"), admin.page("/quality?source=dataset:people")):
        assert "Atlantide" not in page
        assert "chacune concerne moins de 11 personnes" in page


def test_values_about_nobody_are_shown_whatever_their_number(engine: Engine, silo: int, clock: Clock) -> None:
    rows = "Parcours;Public visé\nA;IEN\nB;Capitaines au long cours\n"
    taken(engine, silo, rows.encode(), clock, "paths")
    one = told(engine, silo, clock)["dataset:paths", "outside"]
    assert one.shown == (("Capitaines au long cours", 1),)


def choices(engine: Engine, silo: int, clock: Clock, rows: list[str]) -> Any:
    return taken(
        engine, silo, "\n".join(["Adresse mail;Session;Module", *rows]).encode(), clock, "module_choices"
    )


def test_people_sessions_and_modules_that_are_nowhere(
    admin: Reader, engine: Engine, silo: int, course: int, clock: Clock
) -> None:
    opened.take_in(engine, silo, opened.statements("p0", 2, 1), clock)
    rows = [f"p{n}@ac-x.fr;Piloter;{opened.MODULES[0]}" for n in range(12)]
    rows += [f"p{n}@ac-x.fr;Piloter;Cartographie" for n in range(12)]
    rows += [f"p{n}@ac-x.fr;PERDIR-1;Sens et enjeux" for n in range(12)]
    choices(engine, silo, clock, rows)
    found = told(engine, silo, clock)
    source = "dataset:module_choices"
    assert found[source, "modules"].shown == (("Cartographie", 12),)
    assert found[source, "sessions"].shown == (("PERDIR-1", 12),)
    assert found[source, "people"].count == 12
    page = admin.page("/quality")
    assert "12 lignes (33\u202f%) nomment une session que l’outil ne connaît pas." in page
    assert f'href="/c/{admin.launch_id}/correspondences"' in page
    assert f'href="/c/{admin.launch_id}/paths"' in page


def test_the_same_thing_said_under_two_names(engine: Engine, silo: int, course: int, clock: Clock) -> None:
    know(engine, silo, 3)
    choices(
        engine, silo, clock,
        # The title, then its number: one session.
        [
            "p0@ac-x.fr;Piloter;Paie", "p0@ac-x.fr;2;paie", "p1@ac-x.fr;Piloter;Paie",
            "p1@ac-x.fr;2;Vie scolaire",
        ],
    )  # fmt: skip
    assert dataset(engine, silo, clock, "module_choices").doubles == 1
    # Somebody by address, then by account.
    rows = "Numéro de compte sur la plateforme;Session;Module\np2;Piloter;Paie\n"
    choices(engine, silo, clock, ["p2@ac-x.fr;Piloter;Paie"])
    taken(
        engine, silo, rows.encode(), clock,
        "module_choices", constants={"@issuer": traces.SITE},
    )  # fmt: skip
    assert dataset(engine, silo, clock, "module_choices").doubles == 2


def test_files_that_wait_and_lines_to_be_mended(
    admin: Reader, engine: Engine, silo: int, clock: Clock
) -> None:
    know(engine, silo, 3)
    content = "Adresse mail;Académie\np0@ac-x.fr;Lille\np0@ac-x.fr;Lyon\npas une adresse;Lyon\n"
    assert taken(engine, silo, content.encode(), clock, "people").refused == 2
    prepared(engine, silo, people(["Lille"] * 2), clock(), "people")
    found = told(engine, silo, clock)
    assert found["dataset:people", "twice"].count == 1
    assert found["dataset:people", "refused"].count == 1
    assert found["dataset:people", "waiting"].count == 1
    page = admin.page("/quality")
    assert "1 ligne refusée contredit une autre ligne du même fichier." in page
    assert "1 ligne refusée attend d’être corrigée." in page


def test_traces_keys_lists_and_gaps(
    admin: Reader, engine: Engine, silo: int, course: int, clock: Clock
) -> None:
    with transaction(engine, silo) as conn:
        key, _ = auth.issue_key(conn, silo, ["statements/write"], label="Moodle", now=clock())
        conn.execute(update(t.course).where(t.course.c.silo_id == silo).values(issuer=traces.SITE))
        sent = [*opened.statements("p0", 1, 40), *opened.statements("p0", 1, 8)]
        lost = traces.statement(
            "p0", "urn:platform:pondered", traces.activity("urn:place"), clock() - timedelta(days=9)
        )
        ingest(conn, silo, [*sent, lost], now=clock(), key_id=key)
        conn.execute(
            insert(quarantine).values(
                silo_id=silo, quarantine_id="0" * 31 + "1", key_id=key, received_at=clock(), version="1.0.3",
                statement_id="0" * 31 + "2", reason="bad", body="{}",
            )
        )  # fmt: skip
        conn.execute(
            insert(key_repair).values(silo_id=silo, key_id=key, rule="id", statements=5, last_at=clock())
        )
    opened.settle(engine, silo, clock)
    found = told(engine, silo, clock)
    site = f"platform:{traces.SITE}"
    assert found[site, "silent"].count == 8
    hole = found[site, "hole"]
    assert (hole.since, hole.until, hole.count) == (date(2026, 10, 13), date(2026, 11, 12), 23)
    assert found[f"key:{key}", "unknown"].shown == (("urn:platform:pondered", 1),)
    assert found[f"key:{key}", "courseless"].count == 1
    assert found[f"key:{key}", "quarantined"].count == 1
    assert found[f"key:{key}", "repaired"].count == 5
    assert found["rosters", "partial"].places == ((course, "Piloter – Session 2026-3"),)
    page = text(admin.page(f"/quality?source=key:{key}"))
    assert "estime quarantine list" in page
    assert "Réparés : identifiant ajouté 5" in page
    page = admin.page(f"/quality?source={site}")
    assert 'id="figure-trend"' in page
    assert "Aucune activité depuis 8 jours" in page
    assert "Hors vacances" in page


def test_gatherings_where_nobody_was_marked(engine: Engine, silo: int, course: int, clock: Clock) -> None:
    with transaction(engine, silo) as conn:
        for rank, day in enumerate((clock().date() - timedelta(days=3), clock().date())):
            conn.execute(
                insert(t.outline_item).values(
                    silo_id=silo, course_id=course, iri=f"urn:g{rank}", level="activity", module="urn:m",
                    title="Classe virtuelle", position=rank, required=True, opens_on=day,
                    gathering="virtual_class",
                )
            )  # fmt: skip
    found = read(engine, silo, clock).presences
    # Today's is not over.
    assert (found.gatherings, len(found.unmarked)) == (1, 1)


def test_a_large_dataset_is_counted_on_a_part_of_it(
    admin: Reader, engine: Engine, silo: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(engine, silo, people(["Poitiers" if n % 2 else "" for n in range(600)]), clock, "people")
    exact = dataset(engine, silo, clock, "people")
    assert (exact.rows, exact.seen, exact.filled["academie"]) == (600, 600, 300)
    monkeypatch.setattr(supply, "MOST_SEEN", 200)
    part = dataset(engine, silo, clock, "people")
    assert part.rows == 600
    assert 130 < part.seen < 270
    assert 230 < part.filled["academie"] < 370
    assert part.filled["address"] == 600
    assert "lignes tirées au hasard, parmi 600." in admin.page("/quality?source=dataset:people")


def test_another_silo_is_not_seen(
    admin: Reader, engine: Engine, second_silo: int, silo: int, clock: Clock
) -> None:
    taken(engine, second_silo, people(["Atlantide"] * 30), clock, "people")
    assert "Aucune donnée n’est encore arrivée" in admin.page("/quality")
    admin.page("/quality?source=dataset:people", 404)
    assert read(engine, silo, clock).datasets == ()


@pytest.mark.parametrize("role", ["tutor", "trainee"])
def test_nobody_else_looks(app: Flask, engine: Engine, silo: int, course: int, role: str) -> None:
    opened.reader(app, engine, silo, role, course, "7").page("/quality", 403)


def test_the_tabs_of_administrators_are_gathered(admin: Reader) -> None:
    page = admin.page("/quality")
    bars = re.findall(r'<nav class="tabs[^>]*>(.*?)</nav>', page)
    names = [re.findall(r">([^<]+)</a>", bar) for bar in bars]
    assert names == [
        ["Sessions", "Parcours", "Publics", "Commentaires", "Adapter", "Données", "Réglages"],
        ["Qualité", "Imports", "Correspondances"],
    ]
    assert page.count('aria-current="page"') == 1
    assert page.count('aria-current="true"') == 1
    alone = admin.page("/comments")
    assert len(re.findall(r'<nav class="tabs', alone)) == 1
    assert alone.count('aria-current="page"') == 1
    assert 'href="' in re.findall(r'<nav class="tabs under".*?</nav>', admin.page("/journal"))[0]
