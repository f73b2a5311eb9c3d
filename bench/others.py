"""Other courses in the same store: copies of the measured one's rows, made inside the database.

A copy has everything that a page could stumble on (statements, events, rollups, outline, people under
other keys), but did not come through ingestion, and its statements' JSON is cut to 200 characters.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, case, create_engine, func, insert, literal, select
from sqlalchemy.sql.elements import ColumnElement

from bench.course import Measured
from tool_config.database import transaction
from xapi import tables

_COURSE_TABLES = (
    tables.course,
    tables.event,
    tables.rollup_actor_day,
    tables.rollup_activity_day,
    tables.rollup_activity,
    tables.rollup_module,
    tables.rollup_actor,
    tables.activity_fact,
    tables.outline_item,
    tables.rollup_state,
    tables.membership,
)


def copy(engine: Engine, measured: Measured, number: int) -> None:
    """Add one more course of the same size, in one transaction."""
    with transaction(engine, measured.silo_id) as conn:
        for table in _COURSE_TABLES:
            _copy_course_rows(conn, table, measured, number)
        _copy_statements(conn, measured)


def _copy_course_rows(conn: Connection, table: Table, measured: Measured, number: int) -> None:
    chosen: dict[str, ColumnElement[object]] = {column.name: column for column in table.columns}
    chosen["course_id"] = literal(10_000 + number, table.c.course_id.type)
    for name in ("actor", "spoken_by"):
        if name in chosen:
            # 24 of the 32 digits stay; the rest names the copy.
            copied = func.substr(table.c[name], 1, 24) + literal(f"{number:08x}")
            chosen[name] = case((table.c[name] == "", table.c[name]), else_=copied)
    if table is tables.course:
        chosen["iri"] = table.c.iri + literal(f"0{number}")
        chosen["context_id"] = literal(str(10_000 + number))
    rows = select(*chosen.values()).where(
        table.c.silo_id == measured.silo_id, table.c.course_id == measured.course_id
    )
    conn.execute(insert(table).from_select(list(chosen), rows))


def _copy_statements(conn: Connection, measured: Measured) -> None:
    table = tables.statement
    chosen: dict[str, ColumnElement[object]] = {column.name: column for column in table.columns}
    if conn.dialect.name == "sqlite":
        chosen["id"] = func.lower(func.hex(func.randomblob(16)))
    else:
        chosen["id"] = func.gen_random_uuid()
    chosen["raw"] = func.substr(table.c.raw, 1, 200)
    rows = select(*chosen.values()).where(table.c.silo_id == measured.silo_id).limit(measured.statements)
    conn.execute(insert(table).from_select(list(chosen), rows))


def count(engine: Engine, measured: Measured) -> int:
    """Return the statements of the silo."""
    with transaction(engine, measured.silo_id, write=False) as conn:
        wanted = select(func.count()).where(tables.statement.c.silo_id == measured.silo_id)
        return int(conn.execute(wanted).scalar_one())


def settle(engine: Engine) -> None:
    """Let the database take stock, as its own housekeeping would after such a load."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def keep(engine: Engine, folder: Path) -> str:
    """Copy the whole store as it is and return the address of the copy."""
    name = "before"
    if engine.dialect.name == "sqlite":
        engine.dispose()
        shutil.copy(str(engine.url.database), folder / f"{name}.db")
        return f"sqlite:///{folder}/{name}.db"
    original = engine.url.database
    engine.dispose()
    server = create_engine(engine.url.set(database="template1"), isolation_level="AUTOCOMMIT")
    with server.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {original}")
    server.dispose()
    return engine.url.set(database=name).render_as_string(hide_password=False)
