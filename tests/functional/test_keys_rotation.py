"""The tool's own keys: rotated without a gap, published before they sign, retired after."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from lti_tool.cli import main
from tests.conftest import Clock
from tests.factories.jobs import drain
from tests.factories.services_platform import member
from tests.factories.services_room import make_room
from tool_config import platforms, tool_keys
from tool_config.database import administration, transaction
from tool_config.platforms import PlatformError
from tool_config.settings import Settings

WEEK = timedelta(days=7)


def published(app: Any, public_url: str) -> set[str]:
    answer = app.test_client().get("/lti/jwks.json", base_url=public_url)
    return {key["kid"] for key in answer.get_json()["keys"]}


def signing(engine: Engine, silo: int, settings: Settings, clock: Clock) -> str:
    with transaction(engine, silo, write=False) as conn:
        return platforms.private_key(conn, silo, settings.secret_key, clock())[0]


def test_a_new_key_is_published_at_once_signs_a_day_later_and_the_old_one_leaves_after_the_overlap(
    app: Any, settings: Settings, engine: Engine, silo: int, second_silo: int, clock: Clock
) -> None:
    with administration(engine) as conn:
        old = platforms.ensure_key(conn, silo, settings.secret_key, clock())
        others = platforms.ensure_key(conn, second_silo, settings.secret_key, clock())
    clock.advance(days=300)
    with administration(engine) as conn:
        new = tool_keys.rotate(conn, silo, settings.secret_key, now=clock(), overlap=WEEK)
        with pytest.raises(PlatformError, match="under way"):
            tool_keys.rotate(conn, silo, settings.secret_key, now=clock(), overlap=WEEK)
    assert published(app, settings.public_url) == {old, new, others}
    assert signing(engine, silo, settings, clock) == old
    clock.advance(hours=23, minutes=59)
    assert signing(engine, silo, settings, clock) == old
    clock.advance(minutes=1)
    assert signing(engine, silo, settings, clock) == new
    assert published(app, settings.public_url) == {old, new, others}
    assert _states(engine, silo, clock) == {old: "leaving", new: "signs"}
    clock.advance(days=6)
    assert published(app, settings.public_url) == {new, others}
    assert _states(engine, silo, clock) == {old: "retired", new: "signs"}
    with administration(engine) as conn:
        assert platforms.ensure_key(conn, silo, settings.secret_key, clock()) == new
    clock.advance(days=91)
    with administration(engine) as conn:
        third = tool_keys.rotate(conn, silo, settings.secret_key, now=clock(), overlap=WEEK)
    assert _states(engine, silo, clock) == {new: "signs", third: "published"}


def _states(engine: Engine, silo: int, clock: Clock) -> dict[str, str]:
    with transaction(engine, silo, write=False) as conn:
        return {key.kid: key.state for key in tool_keys.listing(conn, silo, now=clock())}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_key_that_others_know_is_retired_at_once(
    app: Any, settings: Settings, engine: Engine, silo: int, clock: Clock
) -> None:
    with administration(engine) as conn:
        old = platforms.ensure_key(conn, silo, settings.secret_key, clock())
        new = tool_keys.replace(conn, silo, settings.secret_key, now=clock())
        with pytest.raises(PlatformError, match="2 days"):
            tool_keys.rotate(conn, silo, settings.secret_key, now=clock(), overlap=timedelta(days=1))
    assert old != new
    assert published(app, settings.public_url) == {new}
    assert signing(engine, silo, settings, clock) == new


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_platform_that_keeps_keys_for_a_while_accepts_every_signature_of_a_rotation(
    settings: Settings, engine: Engine, silo: int, clock: Clock
) -> None:
    with make_room(settings, engine, silo, clock, members=[member("3", "Sara Student")]) as room:
        room.launch()
        # This platform reads the keys again once a day only.
        kept: dict[str, Any] = {}

        def keys() -> list[dict[str, Any]]:
            if not kept or clock() - kept["at"] >= timedelta(hours=24):
                kept.update(at=clock(), keys=platforms.public_jwks(engine, clock())["keys"])
            return list(kept["keys"])

        room.moodle.tool_keys = keys
        drain(room.tool)
        with administration(engine) as conn:
            tool_keys.rotate(conn, silo, settings.secret_key, now=clock(), overlap=WEEK)
        signed = []
        for _ in range(30):
            clock.advance(hours=8)
            room.tool.cache.delete(next(iter(room.tool.cache._entries), ""))  # type: ignore[attr-defined]
            assert room.sync().state == "done"
            token = room.moodle.calls("POST", "/token.php")[-1].body["client_assertion"]
            signed.append(jwt.get_unverified_header(token)["kid"])
        assert len(set(signed)) == 2
        assert signed == sorted(signed, key=signed.index)


def test_the_command_lists_and_rotates(engine: Engine, settings: Settings, silo: int, clock: Clock) -> None:
    environment = {
        "ESTIME_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "ESTIME_SECRET_KEY": settings.secret_key,
    }
    with administration(engine) as conn:
        kid = platforms.ensure_key(conn, silo, settings.secret_key, clock())

    def run(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(main, ["keys", *arguments], env=environment)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    listed = run("list")
    assert [(key["kid"], key["state"]) for key in listed["silos"][0]["keys"]] == [(kid, "signs")]
    assert "PRIVATE" not in json.dumps(listed)
    rotated = run("rotate", "--silo", "essai", "--overlap", "3")["silos"][0]["keys"]
    assert [key["state"] for key in rotated] == ["signs", "published"]
    assert "under way" in run("rotate", code=1)
    replaced = run("rotate", "--now")["silos"][0]["keys"]
    assert [key["state"] for key in replaced] == ["retired", "retired", "signs"]
    assert "absente" in run("list", "--silo", "absente", code=1)
