"""The schema's migrations, run from code: `upgrade(engine)`, and whether there is one to run."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tool_config.database import administration, locating

#: Two processes that upgrade at once take turns (PostgreSQL advisory lock).
_LOCK = 0x657374696D65
_OLDEST_POSTGRESQL = 15


class SchemaError(Exception):
    """The database cannot hold the schema; the message says why and what to do."""


def upgrade(engine: Engine) -> None:
    """Bring the schema to this version of the tool, in one transaction; nothing to do is fine."""
    with administration(engine) as conn:
        if conn.dialect.name == "postgresql":
            _require_version(conn)
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Return True when the schema is that of this version of the tool."""
    with locating(engine) as conn:
        found = MigrationContext.configure(conn).get_current_heads()
    return set(found) == set(ScriptDirectory.from_config(_config()).get_heads())


def require_current(engine: Engine) -> None:
    """Raise SchemaError when the database is out of reach or its schema is not this version's."""
    try:
        current = is_current(engine)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise SchemaError(f"the database cannot be reached or read: {reason}") from error
    if not current:
        raise SchemaError("the database's schema is not that of this version: run `estime db upgrade`")


def revision(engine: Engine) -> str:
    """Return the name of the schema's revision; empty when there is no schema."""
    with locating(engine) as conn:
        return ",".join(MigrationContext.configure(conn).get_current_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _require_version(conn: Connection) -> None:
    major = int((conn.dialect.server_version_info or (0,))[0])
    if major < _OLDEST_POSTGRESQL:
        raise SchemaError(f"PostgreSQL {_OLDEST_POSTGRESQL} or newer is needed, this server is {major}")
