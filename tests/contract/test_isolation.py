"""Silos are watertight: by the keys of the tables everywhere, and by PostgreSQL itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from lti_tool import migrations
from lti_tool import tables as _lti_tables
from lti_tool.migrations.isolation import APPEND_ONLY, READ_ONLY
from tool_config import silos
from tool_config import tables as config_tables
from tool_config.database import Instant, administration, locating, metadata, transaction
from xapi import tables as _xapi_tables

TABLES = metadata.sorted_tables
assert {config_tables.silo, _xapi_tables.statement, _lti_tables.person} <= set(TABLES)
#: A silo's name is unique among all: it is how the command line finds one.
ACROSS = {("silo", ("name",))}
postgresql_only = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

VALUES: list[tuple[type, Any]] = [
    (Instant, datetime(2026, 1, 2, tzinfo=UTC)),
    (Uuid, str(UUID(int=7))),
    (JSON, {}),
    (Boolean, False),
    (Date, date(2026, 1, 2)),
    (LargeBinary, b"x" * 32),
    (BigInteger, 7),
    (Integer, 7),
    (Float, 0.5),
    (Text, "x"),
]


def _row(table: Table, silo_id: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        row[column.name] = next(value for kind, value in VALUES if isinstance(column.type, kind))
    return row | {"silo_id": silo_id}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_key_of_a_table_names_the_silo(table: Table) -> None:
    unique = [tuple(item.columns.keys()) for item in table.constraints if isinstance(item, UniqueConstraint)]
    unique += [tuple(index.columns.keys()) for index in table.indexes if index.unique]
    keys = [tuple(table.primary_key.columns.keys()), *unique]
    assert [key for key in keys if "silo_id" not in key and (table.name, key) not in ACROSS] == []
    assert not table.c.silo_id.nullable
    for foreign in table.foreign_key_constraints:
        assert "silo_id" in foreign.column_keys


@postgresql_only
def test_every_table_of_the_database_is_behind_a_policy(engine: Engine) -> None:
    query = text(
        "SELECT c.relname, c.relrowsecurity, count(p.polname), bool_and(p.polwithcheck IS NOT NULL) "
        "FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid "
        "WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace GROUP BY 1, 2"
    )
    with administration(engine) as conn:
        found = {row[0]: tuple(row[1:]) for row in conn.execute(query)}
    found.pop("alembic_version")
    assert found == {table.name: (True, 1, True) for table in TABLES}


@pytest.fixture
def two_silos(engine: Engine, silo: int, second_silo: int) -> tuple[int, int]:
    """Return two silos, each with a row in every table."""
    with administration(engine) as conn:
        for table in TABLES:
            for silo_id in (silo, second_silo):
                if table.name != "silo":
                    conn.execute(insert(table).values(_row(table, silo_id)))
    return silo, second_silo


@postgresql_only
def test_without_a_silo_nothing_is_seen(engine: Engine, two_silos: tuple[int, int]) -> None:
    with locating(engine) as conn:
        counts = {table.name: conn.scalar(select(func.count()).select_from(table)) for table in TABLES}
    assert counts == dict.fromkeys(counts, 0)


@postgresql_only
def test_a_silo_sees_its_own_rows_only(engine: Engine, two_silos: tuple[int, int]) -> None:
    for mine in two_silos:
        with transaction(engine, mine) as conn:
            seen = {table.name: conn.scalars(select(table.c.silo_id)).all() for table in TABLES}
        assert seen == {name: [mine] for name in seen}


@postgresql_only
def test_a_silo_writes_its_own_rows_only(engine: Engine, two_silos: tuple[int, int]) -> None:
    mine, theirs = two_silos
    children_first = sorted(TABLES, key=metadata.sorted_tables.index, reverse=True)
    with transaction(engine, mine) as conn:
        for table in children_first:
            if table.name in READ_ONLY:
                with pytest.raises(DBAPIError, match="permission denied"), conn.begin_nested():
                    conn.execute(update(table).values(name="autre"))
                continue
            if table.name in APPEND_ONLY:
                for written in (update(table).values(reason="autre"), table.delete()):
                    with pytest.raises(DBAPIError, match="permission denied"), conn.begin_nested():
                        conn.execute(written)
                continue
            for written in (insert(table).values(_row(table, theirs)), update(table).values(silo_id=theirs)):
                with pytest.raises(DBAPIError, match="row-level security"), conn.begin_nested():
                    conn.execute(written)
            assert conn.execute(table.delete()).rowcount == 1, table.name
        for table in reversed(children_first):
            if table.name not in READ_ONLY | APPEND_ONLY:
                conn.execute(insert(table).values(_row(table, mine)))
    with transaction(engine, theirs) as conn:
        kept = {table.name: conn.scalars(select(table.c.silo_id)).all() for table in TABLES}
    assert kept == {name: [theirs] for name in kept}


@postgresql_only
def test_the_narrow_look_ups_work_without_a_silo(engine: Engine, two_silos: tuple[int, int]) -> None:
    first, second = two_silos
    with locating(engine) as conn:
        found = silos.find_key(conn, "x")
        assert found is not None
        assert found.silo_id in two_silos
        assert found.revoked_at == datetime(2026, 1, 2, tzinfo=UTC)
        assert silos.find_key(conn, "absent") is None
        platforms = conn.execute(text("SELECT silo_id FROM estime_find_platform('x', NULL)")).scalars().all()
        assert sorted(platforms) == [first, second]
        assert conn.execute(text("SELECT count(*) FROM estime_find_platform('x', 'y')")).scalar_one() == 0
        assert conn.execute(text("SELECT count(*) FROM estime_public_keys()")).scalar_one() == 2
    assert silos.list_ids(engine) == [first, second]


@postgresql_only
def test_the_look_ups_run_with_a_fixed_search_path(engine: Engine) -> None:
    query = text(
        "SELECT proname, proconfig, prosecdef, proacl::text FROM pg_proc WHERE proname LIKE 'estime%'"
    )
    with administration(engine) as conn:
        found = conn.execute(query).all()
    assert len(found) == 4
    for name, config, definer, rights in found:
        assert config == ["search_path=public, pg_temp"], name
        assert definer, name
        assert "{=X" not in rights, name
        assert ",=X" not in rights, name


def test_silos_are_listed_and_found(engine: Engine, silo: int, second_silo: int) -> None:
    assert silos.list_ids(engine) == [silo, second_silo]
    with administration(engine) as conn:
        assert silos.by_name(conn, "voisine").silo_id == second_silo
        assert silos.by_name(conn, str(silo)).name == "essai"
        with pytest.raises(silos.SiloError, match="absente"):
            silos.by_name(conn, "absente")
        with pytest.raises(silos.SiloError, match="already exists"):
            silos.add(conn, "essai", now=datetime(2026, 1, 1, tzinfo=UTC))
    with transaction(engine, silo, write=False) as conn:
        own = silos.get(conn, silo)
    assert silos.pseudonym(own, "a" * 32) == silos.pseudonym(own, "a" * 32)
    assert silos.pseudonym(own, "a" * 32) != silos.pseudonym(own, "b" * 32)


def test_an_upgrade_twice_changes_nothing(engine: Engine) -> None:
    assert migrations.is_current(engine)
    migrations.upgrade(engine)
    assert migrations.is_current(engine)
