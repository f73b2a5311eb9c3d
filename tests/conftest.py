"""What tests share: a store on both engines, a clock that is set by hand, the application, a browser."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine, create_engine, make_url

from lti_tool.migrations import upgrade
from tests import once, services
from tests.stores import PostgresqlStores, SqliteStores
from tool_config import silos
from tool_config.database import administration, open_engine
from tool_config.settings import Settings

# No deadline: two cores are shared with servers and a browser.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=60)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

once.share()

ROOT = Path(__file__).parent.parent
SECRET_KEY = "for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"


class Clock:
    """A clock that stands still until told: ``clock.advance(minutes=5)``, ``clock.now = …``."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> datetime:
        self.now += timedelta(**parts)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real captures and data sets that are not in the repository."""
    folder = Path(os.environ.get("ESTIME_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        message = f"the shared data sets are not at {folder} (ESTIME_SHARED says where)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


# --- stores ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pg_url() -> Iterator[str]:
    """Yield the address of a PostgreSQL server's superuser, with no schema in it."""
    with services.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with services.redis() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file that holds the empty schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "estime.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def pg_template(pg_url: str) -> str:
    """Return the name of a PostgreSQL database that holds the empty schema, to be copied."""
    name = "estime_template"
    _postgresql_command(pg_url, f"CREATE DATABASE {name}")
    engine = open_engine(_address(pg_url, name))
    upgrade(engine)
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def sqlite_stores(sqlite_template: Path) -> SqliteStores:
    return SqliteStores(sqlite_template)


@pytest.fixture(scope="session")
def pg_stores(pg_url: str, pg_template: str) -> Iterator[PostgresqlStores]:
    stores = PostgresqlStores(pg_url, pg_template)
    yield stores
    stores.close()


@pytest.fixture(scope="session")
def other_pg_stores(pg_url: str, pg_template: str) -> Iterator[PostgresqlStores]:
    """Yield a second database of the kind, for what goes from one store to another."""
    stores = PostgresqlStores(pg_url, pg_template, "other")
    yield stores
    stores.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Yield a store with the schema and nothing in it.

    One engine only: ``@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)``.
    """
    if request.param == "sqlite":
        empty = request.getfixturevalue("sqlite_stores").empty(tmp_path / "estime.db")
    else:
        empty = request.getfixturevalue("pg_stores").empty()
    with empty as made:
        yield made


def _address(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


def _postgresql_command(server: str, command: str) -> None:
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(command)
    admin.dispose()


@pytest.fixture
def silo(engine: Engine, clock: Clock) -> int:
    """Return the number of a silo named "essai"; `second_silo` is another one."""
    return _add_silo(engine, "essai", clock)


@pytest.fixture
def second_silo(engine: Engine, silo: int, clock: Clock) -> int:
    return _add_silo(engine, "voisine", clock)


def _add_silo(engine: Engine, name: str, clock: Callable[[], datetime]) -> int:
    with administration(engine) as conn:
        return silos.add(conn, name, now=clock())


# --- the application ------------------------------------------------------------------------------


@pytest.fixture
def settings(engine: Engine, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        public_url="https://estime.test",
        secret_key=SECRET_KEY,
        allow_local_network=True,
    )


@pytest.fixture
def app(settings: Settings, engine: Engine, clock: Clock) -> Any:
    from lti_tool.app import create_app

    made = create_app(settings, engine=engine, clock=clock)
    made.testing = True
    return made


@pytest.fixture
def client(app: Any) -> Any:
    return app.test_client()


@dataclass(frozen=True)
class Live:
    """An application that listens on loopback."""

    url: str
    app: Any
    engine: Engine


@pytest.fixture
def live_server(settings: Settings, engine: Engine, clock: Clock) -> Iterator[Live]:
    """Yield the application served by waitress on a free port of localhost."""
    import waitress

    from lti_tool.app import create_app

    port = services.free_port()
    url = f"http://localhost:{port}"
    made = create_app(replace(settings, public_url=url), engine=engine, clock=clock)
    server = waitress.create_server(made, host="127.0.0.1", port=port, threads=6)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Live(url, made, engine)
    server.close()
    thread.join(5)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Yield a headless Chromium (playwright); every name ending in .test is this machine."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        message = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP *.test 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()
