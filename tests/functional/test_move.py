"""`estime move`: a whole silo from SQLite to PostgreSQL and back, verified by counts and digests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)

from lti_tool import audit, forwarding, invited, moving, profiles
from lti_tool import tables as lti
from lti_tool.app import create_app
from lti_tool.cli import main
from lti_tool.profiles import openid
from tests.conftest import SECRET_KEY, Clock
from tests.factories import opened
from tests.factories.opened import NOW, Reader
from tests.factories.surveys import Classroom
from tool_config import platforms, sealing, silos
from tool_config.database import administration, metadata, open_engine, transaction
from tool_config.settings import Settings
from tool_config.tables import silo as silo_table
from xapi import auth, forward, rollup
from xapi.survey_tables import answer
from xapi.tables import event, rollup_pending, statement, statement_agent

PEOPLE = {"1": "Camille Renaud", "2": "Idriss Belkacem", "3": "Hélène Pasquier"}
PAGES = ("today", "modules", "people", "people.csv", "outline", "attendance")

Move = Callable[..., Any]


@pytest.fixture
def target(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """Yield an empty store of the other kind."""
    if engine.dialect.name == "postgresql":
        path = tmp_path / "target.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        made = open_engine(f"sqlite:///{path}")
        yield made
        made.dispose()
        return
    with request.getfixturevalue("other_pg_stores").empty() as made:
        yield made


@dataclass
class Filled:
    """A silo with something in every corner, and a tutor's browser."""

    silo_id: int
    course_id: int
    tutor: Reader
    room: Classroom
    anonymous: Any


@pytest.fixture
def filled(app: Flask, engine: Engine, silo: int, clock: Clock) -> Filled:
    course_id = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course_id, PEOPLE)
    opened.add_people(engine, silo, course_id, {"formateur": "Nadia Aubert"}, role="tutor")
    sent = [one for who in PEOPLE for one in opened.statements(who, int(who), 1)]
    opened.take_in(engine, silo, sent, clock)
    room = Classroom(engine, silo, clock() - timedelta(days=3)).build(12, modules=2)
    anonymous, named = room.open("anonymous"), room.open("pseudonymous", module=2)
    for rank in range(12):
        room.answer(anonymous, rank, overall=rank % 5 + 1, liked=f"Été « {rank} » 🎓")
        if rank < 6:
            room.answer(named, rank, overall=5)
    with administration(engine) as conn:
        auth.issue_key(conn, silo, ["all"], now=NOW)
        platforms.add(
            conn, silo, issuer="https://moodle.test", client_id="c", deployment_id="1", now=NOW,
            auth_url="https://moodle.test/a", token_url="https://moodle.test/t", jwks_url="https://moodle.test/j",
        )  # fmt: skip
        platforms.ensure_key(conn, silo, SECRET_KEY, NOW)
    tutor = opened.reader(app, engine, silo, "tutor", course_id)
    tutor.page(f"/courses/{course_id}/today")
    return Filled(silo, course_id, tutor, room, anonymous)


@pytest.fixture
def estime(monkeypatch: pytest.MonkeyPatch) -> Move:
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)

    def run(source: Engine, target: Engine, *arguments: str) -> Any:
        addresses = [one.url.render_as_string(hide_password=False) for one in (source, target)]
        command = ["move", "--from", addresses[0], "--to", addresses[1], *arguments]
        done = CliRunner().invoke(main, command)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run


def everything(engine: Engine, silo_id: int) -> dict[str, list[Any]]:
    with administration(engine) as conn:
        return {
            table.name: sorted(conn.execute(select(table).where(table.c.silo_id == silo_id)).all(), key=repr)
            for table in metadata.sorted_tables
        }


def empty(engine: Engine) -> bool:
    with administration(engine) as conn:
        return not any(
            conn.scalar(select(func.count()).select_from(table)) for table in metadata.sorted_tables
        )


def test_no_table_of_the_store_is_forgotten(engine: Engine) -> None:
    assert set(moving.TABLES) == set(metadata.sorted_tables)
    assert {table.name for table in moving.TABLES} | {"alembic_version"} == set(
        inspect(engine).get_table_names()
    )


def test_a_whole_silo_arrives(
    engine: Engine, target: Engine, filled: Filled, estime: Move, settings: Settings, clock: Clock
) -> None:
    before = everything(engine, filled.silo_id)
    filled_tables = {name for name, rows in before.items() if rows}
    assert {
        "statement",
        "event",
        "launch",
        "survey_box",
        "answer",
        "tool_key",
        "rollup_actor",
    } <= filled_tables
    done = estime(engine, target, "--silo", "essai")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    (moved,) = said["moved"]
    assert moved["tables"].keys() == before.keys()
    assert {name: table["rows"] for name, table in moved["tables"].items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert moved["opened"] is True
    assert moved["sealed"] == 2
    assert everything(target, filled.silo_id) == before
    assert everything(engine, filled.silo_id) == before
    _behaves_the_same(engine, target, filled, settings, clock)


def _behaves_the_same(
    engine: Engine, target: Engine, filled: Filled, settings: Settings, clock: Clock
) -> None:
    """Pages, a rebuild, the boxes and the next silo's number, on the target."""
    there = create_app(
        replace(settings, database_url=target.url.render_as_string(hide_password=False)),
        engine=target,
        clock=clock,
    )
    elsewhere = replace(filled.tutor, app=there)
    for page in PAGES:
        path = f"/courses/{filled.course_id}/{page}"
        assert elsewhere.page(path) == filled.tutor.page(path), page
    moved = everything(target, filled.silo_id)
    for store in (engine, target):
        rollup.rebuild(store, filled.silo_id, now=clock())
    rebuilt = everything(target, filled.silo_id)
    again = everything(engine, filled.silo_id)
    for name in rebuilt.keys() - {"audit"}:  # each store wrote who looked at it
        assert rebuilt[name] == again[name], name
    for name in ("event", "rollup_actor", "rollup_actor_day", "rollup_activity", "rollup_module", "answer"):
        assert rebuilt[name] == moved[name], name
    room = replace(filled.room, engine=target)
    assert room.close(filled.anonymous) > 0
    with transaction(target, filled.silo_id) as conn:
        said = select(func.count()).where(
            answer.c.survey_id == filled.anonymous.survey_id, answer.c.question == "overall"
        )
        assert conn.scalar(said) == 12
        assert platforms.private_key(conn, filled.silo_id, SECRET_KEY)[1].startswith(b"-----BEGIN")
    with administration(target) as conn:
        assert silos.add(conn, "suivante", now=NOW) == filled.silo_id + 1


def _invented(column: Column[Any], rank: int) -> Any:
    """Return a value that a column may hold: signs, fractions and instants that engines write differently."""
    kind = column.type
    if isinstance(kind, Uuid):
        return str(UUID(int=rank + 1))
    if isinstance(kind, JSON):
        return {"é": [1, 0.1, None, True, {"": "🎓"}], "b": 1e21, "a": -0.0}
    if isinstance(kind, Boolean):
        return bool(rank % 2)
    if isinstance(kind, Date):
        return date(2026, 2, 28)
    if isinstance(kind, Float):
        return rank + 0.1
    if isinstance(kind, Integer):
        return rank + 1
    if isinstance(kind, LargeBinary):
        return b"\x00\xff" + bytes([rank])
    if isinstance(kind, Text):
        return f" é\n🎓{rank}"
    return NOW + timedelta(microseconds=rank)


def _rows_of(table: Table) -> int:
    """Return how many rows are written into a table: one where a silo has one at most."""
    return 1 if [column.name for column in table.primary_key] == ["silo_id"] else 3


def test_rows_of_every_table_arrive_as_they_are(
    engine: Engine, target: Engine, silo: int, estime: Move
) -> None:
    with administration(engine) as conn:
        for table in moving.TABLES:
            if table.name == "silo":
                continue
            for rank in range(_rows_of(table)):
                row = {one.name: _invented(one, rank) for one in table.columns if one.name != "silo_id"}
                conn.execute(insert(table).values(silo_id=silo, **row))
    before = everything(engine, silo)
    assert {table.name: _rows_of(table) for table in moving.TABLES} == {
        name: len(rows) for name, rows in before.items()
    }
    done = estime(engine, target)
    assert done.exit_code == 0, done.stderr
    assert everything(target, silo) == before


def test_a_questionnaire_that_nobody_answered_yet_goes_along(
    engine: Engine, target: Engine, filled: Filled, estime: Move
) -> None:
    filled.room.close(filled.anonymous)
    opened_just_now = filled.room.open("anonymous")
    done = estime(engine, target)
    assert done.exit_code == 0, done.stderr
    (moved,) = json.loads(done.stdout)["moved"]
    assert (moved["opened"], moved["sealed"]) == (True, 1)
    assert everything(target, filled.silo_id) == everything(engine, filled.silo_id)
    room = replace(filled.room, engine=target)
    assert room.answer(opened_just_now, 0, overall=3) == "recorded"


def test_the_physical_order_of_the_target_says_nothing(
    engine: Engine, target: Engine, filled: Filled, estime: Move
) -> None:
    filled.room.close(filled.anonymous)
    assert estime(engine, target).exit_code == 0
    place = "rowid" if target.dialect.name == "sqlite" else "ctid"
    with administration(target) as conn:
        for table in (statement, answer, statement_agent):
            columns = ", ".join(column.name for column in table.primary_key.columns)
            rows = conn.exec_driver_sql(f"SELECT {columns} FROM {table.name} ORDER BY {place}").all()
            assert len(rows) > 20
            plain = [tuple(str(value) if isinstance(value, UUID) else value for value in row) for row in rows]
            # PostgreSQL may put a short row back in the room left on an earlier page.
            later = sum(before > after for before, after in pairwise(plain))
            assert later <= (0 if target.dialect.name == "sqlite" else len(plain) // 10), table.name


def test_a_silo_already_there_is_refused(
    engine: Engine, target: Engine, filled: Filled, estime: Move
) -> None:
    assert estime(engine, target).exit_code == 0
    before = everything(target, filled.silo_id)
    again = estime(engine, target)
    assert again.exit_code == 1
    assert "already has a silo named essai" in again.stderr
    assert again.stdout == ""
    assert everything(target, filled.silo_id) == before


def test_the_number_of_another_silo_is_refused(
    engine: Engine, target: Engine, filled: Filled, estime: Move
) -> None:
    with administration(target) as conn:
        assert silos.add(conn, "ailleurs", now=NOW) == filled.silo_id
    done = estime(engine, target)
    assert done.exit_code == 1
    assert f"the number {filled.silo_id} of essai is that of the silo ailleurs" in done.stderr
    with administration(target) as conn:
        assert conn.scalar(select(func.count()).select_from(statement)) == 0


def test_another_revision_or_none_is_refused(
    engine: Engine, target: Engine, filled: Filled, estime: Move
) -> None:
    with administration(target) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    done = estime(engine, target)
    assert done.exit_code == 1
    assert "the target at 0000" in done.stderr
    with administration(target) as conn:
        conn.exec_driver_sql("DELETE FROM alembic_version")
    assert "the target has no schema" in estime(engine, target).stderr
    assert empty(target)


def test_a_difference_found_at_the_end_leaves_nothing(
    engine: Engine, target: Engine, filled: Filled, estime: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One value altered on its way: the counts agree, the digests do not."""
    real = moving.count

    def altered(conn: Any, table: Any, silo_id: int) -> moving.Count:
        if table is event:
            some = select(event.c.statement_id).where(event.c.silo_id == silo_id).limit(1).scalar_subquery()
            conn.execute(update(event).where(event.c.statement_id == some).values(section_title="autre"))
        return real(conn, table, silo_id)

    monkeypatch.setattr(moving, "count", altered)
    done = estime(engine, target)
    assert done.exit_code == 1
    assert "event of essai is not the same in the target" in done.stderr
    assert empty(target)


def test_every_silo_goes_each_with_its_own(
    engine: Engine, target: Engine, filled: Filled, second_silo: int, clock: Clock, estime: Move
) -> None:
    other = opened.add_course(engine, second_silo)
    opened.take_in(engine, second_silo, opened.statements("9", 1, 1), clock)
    with transaction(engine, second_silo) as conn:
        conn.execute(delete(rollup_pending).where(rollup_pending.c.silo_id == second_silo))
        audit.write(conn, second_silo, at=NOW, action="look", accepted=True, course_id=other)
    assert estime(engine, target, "--silo", "voisine").exit_code == 0
    with administration(target) as conn:
        assert conn.scalars(select(silo_table.c.name)).all() == ["voisine"]
        assert set(conn.scalars(select(lti.audit.c.silo_id))) == {second_silo}
    # The names of all are looked at before anything is written.
    assert "already has a silo named voisine" in estime(engine, target).stderr
    assert estime(engine, target, "--silo", "essai").exit_code == 0
    for one in (filled.silo_id, second_silo):
        assert everything(target, one) == everything(engine, one)


def test_another_secret_key_is_told(
    engine: Engine, target: Engine, filled: Filled, estime: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY[::-1])
    done = estime(engine, target)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["moved"][0]["opened"] is False
    assert "does not open what is encrypted" in done.stderr


def test_the_secret_of_a_forward_is_tried_too(
    engine: Engine, target: Engine, silo: int, estime: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silo that keeps a copy elsewhere, and nothing else that is sealed."""
    with transaction(engine, silo) as conn:
        forward.add(
            conn, silo, "copie", url="https://lrs.test/xapi", username="u", now=NOW,
            sealed_secret=forwarding.sealed(SECRET_KEY, silo, "copie", "s3cret"),
        )  # fmt: skip
    with administration(engine) as conn:
        (one,) = silos.list_all(conn)
        assert moving._sealed(conn, one, SECRET_KEY) == (1, True)
        assert moving._sealed(conn, one, SECRET_KEY[::-1]) == (1, False)
    done = estime(engine, target)
    assert done.exit_code == 0, done.stderr
    assert [json.loads(done.stdout)["moved"][0][name] for name in ("sealed", "opened")] == [1, True]


def test_every_use_tried_is_one_that_something_is_sealed_for(silo: int) -> None:
    """The names of the uses are written twice: here they are held together."""
    sealed = {
        "sealed_secret": forwarding.sealed(SECRET_KEY, silo, "copie", "x"),
        "client_secret": sealing.seal(SECRET_KEY, openid._use(silo), "x"),
        "profile_grant": profiles._sealed(SECRET_KEY, silo, "x"),
        "invited": str(invited.sealed(SECRET_KEY, silo, "x")),
    }
    for column, use in moving.SECRETS:
        text = sealed.get(column.name) or sealed[column.table.name]
        assert sealing.unseal(SECRET_KEY, use.format(silo_id=silo, name="copie"), text) == "x"


def test_a_source_that_is_not_there_is_not_made(target: Engine, tmp_path: Path) -> None:
    address = target.url.render_as_string(hide_password=False)
    done = CliRunner().invoke(
        main, ["move", "--from", f"sqlite:///{tmp_path / 'absent.db'}", "--to", address]
    )
    assert done.exit_code == 1
    assert "there is no file" in done.stderr
    assert not (tmp_path / "absent.db").exists()
    assert CliRunner().invoke(main, ["move", "--from", "x", "--to", address]).exit_code == 2
