"""Empty stores for the tests, one after another, on one engine a kind: its compiled SQL is used again.

Making a database takes longer than most tests, and compiling SQL as long; both are done once a process.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from tool_config.database import open_engine

#: Larger tables are truncated: rows that are only deleted leave their pages to be read by all that follows.
_LARGE = 128 * 1024

#: All that a test may do to a database beside its rows.
_SHAPE = """
SELECT md5(string_agg(said, '|' ORDER BY said)) FROM (
  SELECT 'r' || c.oid || c.relname || c.relrowsecurity || c.relforcerowsecurity
      || coalesce(c.relacl::text, '')
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'a' || a.attrelid || a.attname || a.atttypid || a.attisdropped || a.attnotnull
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
  UNION ALL SELECT 'k' || conrelid || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT 'p' || oid || polname || coalesce(pg_get_expr(polqual, polrelid), '') FROM pg_policy
  UNION ALL SELECT 'f' || oid || md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 't' || oid || tgname || tgenabled::text FROM pg_trigger
  UNION ALL SELECT 's' || nspname FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT 'g' || coalesce(setconfig::text, '') FROM pg_db_role_setting
) AS shape(said)
"""

_EMPTY = f"""
DO $$
DECLARE
  name text; size bigint;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name, size IN SELECT relname, pg_relation_size(oid) FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version' LOOP
    IF size > {_LARGE} THEN
      EXECUTE format('TRUNCATE public.%%I CASCADE', name);
    ELSIF size > 0 THEN
      EXECUTE format('DELETE FROM public.%%I', name);
    END IF;
  END LOOP;
  FOR name IN SELECT relname FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' LOOP
    EXECUTE format('ALTER SEQUENCE public.%%I RESTART', name);
  END LOOP;
END $$
"""


class SqliteStores:
    """Copies of one file that holds the empty schema; the engine is sent from one copy to the next."""

    def __init__(self, template: Path) -> None:
        self._template = template
        self._path = template
        self._engine = open_engine(f"sqlite:///{template}")
        event.listen(self._engine, "do_connect", self._point)

    def _point(self, _dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
        arguments[0] = str(self._path)

    @contextmanager
    def empty(self, path: Path) -> Iterator[Engine]:
        shutil.copy(self._template, path)
        self._path = path
        yield _own(self._engine, f"sqlite:///{path}")
        self._engine.dispose()


class PostgresqlStores:
    """One database, emptied after each test; made again from the template when its schema was touched."""

    def __init__(self, server: str, template: str, name: str = "used") -> None:
        self._template, self._name = template, f"{template}_{name}"
        url = make_url(server)
        self._admin = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        self._cleaner = create_engine(
            url.set(drivername="postgresql+psycopg", database=self._name), isolation_level="AUTOCOMMIT"
        )
        self._url = url.set(database=self._name).render_as_string(hide_password=False)
        self._engine = open_engine(self._url)
        self._shape = self._make()

    @contextmanager
    def empty(self) -> Iterator[Engine]:
        if self._shape is None:
            self._shape = self._make()
        shape, self._shape = self._shape, None  # made again, should the test or the cleaning be interrupted
        yield _own(self._engine, self._url)
        self._engine.dispose()
        with closing(self._cleaner.connect()) as conn:
            conn.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if _read_shape(conn) == shape:
                conn.exec_driver_sql(_EMPTY)
                self._shape = shape

    def _make(self) -> str:
        self._cleaner.dispose()
        self._engine.dispose()
        with self._admin.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
            conn.exec_driver_sql(f"CREATE DATABASE {self._name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        with closing(self._cleaner.connect()) as conn:
            return _read_shape(conn)

    def close(self) -> None:
        for engine in (self._engine, self._cleaner, self._admin):
            engine.dispose()


def _read_shape(conn: Connection) -> str:
    shape = conn.exec_driver_sql(_SHAPE).scalar_one()
    version = conn.exec_driver_sql("SELECT string_agg(version_num, ',') FROM alembic_version").scalar_one()
    return f"{version} {shape}"


def _own(engine: Engine, url: str) -> Engine:
    """Return an engine that no test had before (what is remembered by engine is forgotten)."""
    made = engine.execution_options()
    made.url = make_url(url).set(drivername=engine.url.drivername)
    return made
