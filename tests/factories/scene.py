"""A tool, its platform and a browser, to check that what must be refused is, and how."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, func, select

from lti_tool.tables import audit, launch, person
from tests.factories.platform import Begun, Browser, FakePlatform, jwks_server
from tool_config.database import transaction
from tool_config.settings import Settings

#: What a page of refusal must never hold.
PERSONAL = ("Sara", "student1", "sesskey", "Dg7w4SmCBb", "LTI Course 101", "eyJ")


@dataclass
class Scene:
    """A tool with one platform in one silo, and a browser."""

    app: Any
    settings: Settings
    engine: Engine
    silo: int
    clock: Any
    platform: FakePlatform
    visitor: Browser
    caplog: pytest.LogCaptureFixture

    def counts(self) -> tuple[int, int]:
        with transaction(self.engine, self.silo, write=False) as conn:
            return tuple(  # type: ignore[return-value]
                conn.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (launch, person)
            )

    def lines(self) -> list[str]:
        """Return the audit lines written so far: those of the silo, and those of no silo."""
        wanted = select(audit.c.reason).where(audit.c.accepted.is_(False))
        with transaction(self.engine, self.silo, write=False) as conn:
            kept = [str(item) for item in conn.execute(wanted).scalars()]
        return kept + [entry.getMessage() for entry in self.caplog.records if entry.name == "estime.audit"]

    def refuses(self, status: int, act: Callable[[], Any]) -> Any:
        """Check one refusal whole; return the answer."""
        before, lines = self.counts(), self.lines()
        answer = act()
        page = answer.get_data(as_text=True)
        assert answer.status_code == status, (answer.status_code, self.lines()[len(lines) :], page)
        assert '<h1 class="lead">' in page
        assert "Traceback" not in page
        for personal in PERSONAL:
            assert personal not in page
        assert self.counts() == before
        assert not any("__Host-estime-" in item for item in answer.headers.getlist("Set-Cookie"))
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
        written = self.lines()[len(lines) :]
        assert len(written) == 1, written
        for personal in PERSONAL:
            assert personal not in written[0]
        return answer

    def refuses_claims(self, status: int, **changes: Any) -> Any:
        """Check that a token with these claims is refused, whatever else is right."""
        return self.refuses(status, lambda: self.visitor.launch(self.platform, **changes))

    def refuses_token(self, status: int, make: Callable[[Begun], str]) -> None:
        """Check a refusal before the signature has passed: the same login then still serves."""
        begun = self.visitor.login(self.platform)
        self.refuses(status, lambda: self.visitor.send(begun.state, make(begun)))
        good = self.platform.sign(self.platform.claims(begun.nonce))
        assert self.visitor.send(begun.state, good).status_code == 303


def in_mode(settings: Settings, engine: Engine, request: pytest.FixtureRequest) -> Settings:
    """Return settings of the mode that goes with an engine: PostgreSQL with an empty Redis, SQLite alone."""
    if engine.dialect.name != "postgresql":
        return settings
    url = request.getfixturevalue("redis_url")
    redis.Redis.from_url(url).flushdb()
    return replace(settings, redis_url=url)


@contextmanager
def make_scene(
    app: Any,
    settings: Settings,
    engine: Engine,
    silo: int,
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Scene]:
    """Yield a scene whose platform is registered in the silo."""
    caplog.set_level(logging.WARNING, "estime.audit")
    with jwks_server() as server:
        platform = FakePlatform(server, clock, settings.public_url)
        platform.register(engine, silo)
        visitor = Browser(app, settings.public_url)
        yield Scene(app, settings, engine, silo, clock, platform, visitor, caplog)
