"""A course on a fake Moodle, with the tool beside it: for the tests of rosters and marks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from analyzers import alerts, frames
from lti_tool import jobs
from lti_tool.access import Viewer
from lti_tool.app import create_app
from lti_tool.service_tables import course_service
from lti_tool.services import memberships
from lti_tool.tables import launch, person
from lti_tool.tool import Tool
from tests.conftest import Clock
from tests.factories.jobs import drain, make_tool
from tests.factories.platform import INSTRUCTOR, Browser, FakePlatform
from tests.factories.services_platform import Moodle, launching, moodle
from tool_config import platforms, rules
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from xapi.statement import account_key
from xapi.tables import course, membership


@dataclass
class Room:
    """A course on a fake Moodle, and the tool beside it."""

    tool: Tool
    silo: int
    moodle: Moodle
    platform: FakePlatform
    app: Any
    clock: Clock

    @property
    def engine(self) -> Engine:
        return self.tool.engine

    def launch(self, **claims: Any) -> tuple[Browser, str]:
        """Launch as the tutor (by default), with the claims of the services."""
        browser = Browser(self.app, self.platform.public_url)
        said = {"sub": "7", "roles": [INSTRUCTOR], "name": "Edith Editor", **self.moodle.claims(), **claims}
        said = {"ext": {"user_username": f"user.{said['sub']}"}, "email": f"{said['sub']}@a.fr", **said}
        return browser, browser.opened(self.platform, **said)

    def actor(self, sub: str) -> str:
        return account_key(self.platform.issuer, sub)

    def rows(self, table: Any) -> list[Any]:
        with transaction(self.engine, self.silo, write=False) as conn:
            return list(conn.execute(select(table).where(table.c.silo_id == self.silo)))

    def course(self) -> int:
        return int(self.rows(course)[0].course_id)

    def members(self) -> dict[str, tuple[str, bool]]:
        """Return {sub: (role, still there)} of those whom the tool keeps as people."""
        subs = {row.actor: row.sub for row in self.rows(person)}
        rows = [row for row in self.rows(membership) if row.actor in subs]
        return {subs[row.actor]: (row.role, row.until is None) for row in rows}

    def states(self) -> dict[str, str]:
        """Return {sub: state} of those whom pages show as enrolled."""
        with transaction(self.engine, self.silo, write=False) as conn:
            read = frames.course(conn, self.silo, self.course(), as_of=self.clock(), rules=rules.load())
        subs = {row.actor: row.sub for row in self.rows(person)}
        return {subs[one.actor]: one.state for one in alerts.learners(read)}

    def viewer(self, sub: str) -> Viewer:
        """Return somebody as a page knows them, by their last launch."""
        rows = [row for row in self.rows(launch) if row.actor == self.actor(sub)]
        row = max(rows, key=lambda one: one.created_at)
        return Viewer(
            silo_id=self.silo, launch_id=row.launch_id, actor=row.actor, role=row.role,
            course_id=row.course_id, locale="fr", names=row.role == "tutor", return_url="",
        )  # fmt: skip

    def ask(self) -> str:
        with transaction(self.engine, self.silo) as conn:
            return memberships.ask(conn, self.silo, self.course(), now=self.clock())

    def sync(self) -> jobs.Job:
        """Bring the roster now, and return the job."""
        job_id = self.ask()
        drain(self.tool)
        with transaction(self.engine, self.silo, write=False) as conn:
            found = jobs.read(conn, self.silo, job_id)
        assert found is not None
        return found

    def problem(self) -> str:
        return str(self.rows(course_service)[0].problem)


@contextmanager
def make_room(settings: Settings, engine: Engine, silo: int, clock: Clock, **services: Any) -> Iterator[Room]:
    """Serve a fake Moodle with these services, registered in a silo that has a key pair."""
    with moodle(**services) as campus:
        campus.tool_keys = lambda: platforms.public_jwks(engine, clock())["keys"]
        with administration(engine) as conn:
            platforms.ensure_key(conn, silo, settings.secret_key, clock())
        with launching(campus, clock, settings.public_url) as platform:
            platform.register(engine, silo)
            app = create_app(settings, engine=engine, clock=clock)
            yield Room(make_tool(settings, engine, clock), silo, campus, platform, app, clock)
