"""The schema on PostgreSQL as an institution grants it: a login role that is no superuser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, make_url, select

from lti_tool import migrations
from tool_config import silos
from tool_config.database import administration, locating, metadata, open_engine, transaction
from tool_config.tables import silo

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Server:
    """A PostgreSQL server on which roles and databases are made for one test."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self.engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        self.made: list[str] = []

    def run(self, command: str) -> None:
        with self.engine.connect() as conn:
            conn.exec_driver_sql(command)

    def database(self, rights: str) -> tuple[str, Engine]:
        """Make a login role with these rights and a database of its own; return its name and an engine."""
        name = f"login_{uuid4().hex[:8]}"
        self.run(f"CREATE ROLE {name} LOGIN {rights}")
        self.run(f"CREATE DATABASE {name} OWNER {name}")
        self.made.append(name)
        address = self.url.set(username=name, database=name, drivername="postgresql")
        return name, open_engine(address.render_as_string(hide_password=False))

    def close(self) -> None:
        for name in self.made:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")
            self.run(f"DROP ROLE {name}")
        self.engine.dispose()


@pytest.fixture
def server(pg_url: str, pg_template: str) -> Iterator[Server]:
    """Yield the server; the role estime_silo exists already (another database uses it)."""
    made = Server(pg_url)
    yield made
    made.close()


def _works(engine: Engine) -> None:
    migrations.upgrade(engine)
    with administration(engine) as conn:
        first = silos.add(conn, "a", now=NOW)
        second = silos.add(conn, "b", now=NOW)
    assert silos.list_ids(engine) == [first, second]
    with transaction(engine, first) as conn:
        assert conn.execute(select(silo.c.name)).scalars().all() == ["a"]
    with locating(engine) as conn:
        assert conn.execute(select(silo.c.name)).scalars().all() == []
    engine.dispose()


def test_a_login_role_granted_beforehand_needs_no_other_right(server: Server) -> None:
    name, engine = server.database("NOSUPERUSER NOCREATEROLE")
    server.run(f"GRANT estime_silo TO {name}")
    _works(engine)


def test_without_the_grant_the_message_says_what_to_type(server: Server) -> None:
    name, engine = server.database("NOSUPERUSER NOCREATEROLE")
    with pytest.raises(migrations.SchemaError, match=f'GRANT estime_silo TO "{name}"'):
        migrations.upgrade(engine)
    with engine.connect() as conn:
        tables = conn.exec_driver_sql(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).scalar_one()
    assert tables == 0
    engine.dispose()
    server.run(f"GRANT estime_silo TO {name}")
    _works(engine)


def test_a_login_role_that_may_make_roles_makes_its_own() -> None:
    from tests import services

    with services.postgresql() as url:
        server = Server(url)
        _, engine = server.database("NOSUPERUSER CREATEROLE")
        _works(engine)
        server.engine.dispose()


def test_two_upgrades_at_once_take_turns(server: Server) -> None:
    name, engine = server.database("NOSUPERUSER NOCREATEROLE")
    server.run(f"GRANT estime_silo TO {name}")
    failures: list[Exception] = []

    def run() -> None:
        try:
            migrations.upgrade(engine)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert migrations.is_current(engine)
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_names(engine: Engine) -> None:
    with administration(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
