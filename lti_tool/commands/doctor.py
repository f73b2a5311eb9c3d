"""`estime doctor`: is this instance able to work, and what to do where it is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from lti_tool import jobs, mail, migrations
from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option
from lti_tool.web.assets import DIST
from tool_config import silos
from tool_config.database import Instant, open_engine, transaction
from tool_config.settings import Settings, SettingsError
from xapi.tables import rollup_pending

#: Buckets that a working worker never lets wait.
BACKLOG = 20_000
#: Background work that failed is told for so long, unless it was done since.
FAILED_LATELY = timedelta(days=2)
_MOST_TOLD = 10
#: Seconds between the clocks of this machine and of the database: launches allow 30.
SKEW = 10


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is well, and what was seen or is to be done."""

    name: str
    well: bool
    message: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@data_dir_option
def doctor(as_json: bool, data_dir: Path | None) -> None:
    """Check the settings, the store and what it needs; exit code 1 when something is wrong."""
    checks = examine(data_dir, utcnow)
    well = all(check.well for check in checks)
    if as_json:
        answer({"well": well, "checks": [vars(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{'ok   ' if check.well else 'WRONG'} {check.name}: {check.message}")
    if not well:
        raise SystemExit(1)


def examine(data_dir: Path | None, clock: Callable[[], datetime]) -> list[Check]:
    """Return every check that could be made; those that need a broken one are left out."""
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        return [Check("settings", False, str(error))]
    settings = settings if data_dir is None else replace(settings, data_dir=data_dir)
    checks = [Check("settings", True, "can be used"), _secret(settings), _address(settings), _assets()]
    if settings.redis_url:
        checks.append(_redis(settings.redis_url))
    if mail.is_set(settings):
        checks.append(_smtp(settings))
    return checks + _store(settings, clock)


def _secret(settings: Settings) -> Check:
    if not settings.is_server and not settings.secret_key:
        return Check("secret key", True, "kept in the data directory")
    try:
        settings.with_secret()
    except SettingsError as error:
        return Check("secret key", False, str(error))
    return Check("secret key", True, "long enough")


def _address(settings: Settings) -> Check:
    url = settings.public_url
    if url.startswith("https://"):
        return Check("public address", True, url)
    if url.startswith(("http://localhost", "http://127.0.0.1")) or settings.allow_local_network:
        return Check("public address", True, f"{url}: for development, browsers of this machine only")
    return Check("public address", False, f"{url}: cookies in a frame need https (ESTIME_PUBLIC_URL)")


def _assets() -> Check:
    if (DIST / "manifest.json").is_file():
        return Check("browser files", True, "built")
    return Check("browser files", False, "not built: run `make setup`")


def _redis(url: str) -> Check:
    # Here, so that the other commands start without it.
    import redis
    from redis.exceptions import RedisError

    try:
        client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        version = client.info("server")["redis_version"]
        client.close()
    except RedisError as error:
        return Check("redis", False, f"out of reach ({type(error).__name__}); pages open without it, slower")
    return Check("redis", True, f"version {version}")


def _smtp(settings: Settings) -> Check:
    """Open the mail server as a message would, sign in, and send nothing."""
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with mail.connected(settings):
            signed = ", signed in" if settings.smtp_user else ""
            return Check("mail", True, f"{where} answers{signed}; no message was sent")
    except mail.Down as error:
        advice = "ESTIME_SMTP_*; messages wait until it answers"
        return Check("mail", False, f"{where} cannot be used ({error}): {advice}")


def _store(settings: Settings, clock: Callable[[], datetime]) -> list[Check]:
    if (
        not settings.is_server
        and not settings.database_url
        and not (settings.data_dir / "estime.db").is_file()
    ):
        return [Check("database", True, f"none yet in {settings.data_dir}: `estime serve` makes it")]
    engine = open_engine(settings.store_url)
    try:
        checks = [_reached(engine), _schema(engine)]
        if checks[-1].well:
            checks += [_clock(engine, clock), _pending(engine), _jobs(engine, clock)]
        return checks
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return [Check("database", False, f"cannot be reached or read: {reason}")]
    finally:
        engine.dispose()


def _reached(engine: Engine) -> Check:
    with engine.connect() as conn:
        version = ".".join(str(part) for part in conn.dialect.server_version_info or ())
    return Check("database", True, f"{engine.dialect.name} {version}")


def _schema(engine: Engine) -> Check:
    if migrations.is_current(engine):
        return Check("schema", True, "that of this version")
    return Check("schema", False, "not that of this version: run `estime db upgrade`")


def _clock(engine: Engine, clock: Callable[[], datetime]) -> Check:
    if engine.dialect.name != "postgresql":
        return Check("clock", True, f"this machine says {clock():%Y-%m-%d %H:%M:%S} UTC")
    with engine.connect() as conn:
        theirs = conn.execute(select(func.clock_timestamp(type_=Instant))).scalar_one()
    seconds = abs((theirs - clock()).total_seconds())
    return Check("clock", seconds < SKEW, f"{seconds:.1f} s from the database's")


def _pending(engine: Engine) -> Check:
    waiting = 0
    for silo_id in silos.list_ids(engine):
        with transaction(engine, silo_id, write=False) as conn:
            mine = rollup_pending.c.silo_id == silo_id
            waiting += conn.execute(select(func.count()).select_from(rollup_pending).where(mine)).scalar_one()
    message = f"{waiting} buckets wait to be refreshed"
    return Check("worker", waiting < BACKLOG, message if waiting < BACKLOG else message + ": is it running?")


def _jobs(engine: Engine, clock: Callable[[], datetime]) -> Check:
    """Tell what background work failed and was not done since; what is to be mended here is WRONG.

    A platform that refuses a roster or marks is told on the pages of its courses: this instance is well.
    """
    found: dict[str, int] = {}
    for silo_id in silos.list_ids(engine):
        with transaction(engine, silo_id, write=False) as conn:
            for kind, reason in jobs.failed(conn, silo_id, since=clock() - FAILED_LATELY):
                found[f"{kind} ({reason})"] = found.get(f"{kind} ({reason})", 0) + 1
    if not found:
        return Check("jobs", True, "none failed lately")
    said = ", ".join(f"{count} {what}" for what, count in sorted(found.items())[:_MOST_TOLD])
    ours = any("(unexpected " in what or f"({jobs.ABANDONED})" in what for what in found)
    advice = ": look for the reference in the log" if ours else ""
    return Check("jobs", not ours, f"failed and not done since: {said}{advice}")
