"""Silos kept apart by PostgreSQL itself: the role, its grants, row-level security, narrow look-ups."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from lti_tool.migrations import SchemaError
from tool_config.database import SILO_ROLE

#: Rows that a silo may read but that only the owner (the command line) writes.
READ_ONLY = frozenset({"silo"})
#: Rows that a silo may add and read, and never change nor take away.
APPEND_ONLY = frozenset({"audit", "improvement_change"})

_MINE = "silo_id = NULLIF(current_setting('app.silo', true), '')::int"

#: Functions that a connection without a silo may call, with what they return.
_LOOKUPS = {
    "estime_silos()": (
        "TABLE (silo_id int)",
        "SELECT s.silo_id FROM silo s",
    ),
    "estime_find_key(wanted text)": (
        "TABLE (silo_id int, key_id text, secret_hash text, scopes text, repair text, "
        "revoked_at timestamptz)",
        "SELECT k.silo_id, k.key_id, k.secret_hash, k.scopes, k.repair, k.revoked_at "
        "FROM lrs_key k WHERE k.key_id = wanted",
    ),
    "estime_find_platform(wanted_issuer text, wanted_client text)": (
        "SETOF platform",
        "SELECT p.* FROM platform p WHERE p.issuer = wanted_issuer "
        "AND (wanted_client IS NULL OR p.client_id = wanted_client)",
    ),
    "estime_public_keys()": (
        "TABLE (silo_id int, kid text, public_jwk json, created_at timestamptz, retired_at timestamptz)",
        "SELECT k.silo_id, k.kid, k.public_jwk, k.created_at, k.retired_at FROM tool_key k",
    ),
}


def create_role(conn: Connection) -> None:
    """Make the role to which transactions step down, unless it exists; the login role must be a member.

    Raises SchemaError, with what an administrator of the server is to type, when it is not allowed.
    """
    try:
        with conn.begin_nested():
            found = conn.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = $1", (SILO_ROLE,))
            if found.first() is None:
                conn.exec_driver_sql(f"CREATE ROLE {SILO_ROLE} NOLOGIN")
            conn.exec_driver_sql(f"GRANT {SILO_ROLE} TO CURRENT_USER")
    except ProgrammingError as error:
        # Made and granted beforehand by somebody who may: stepping down already works.
        try:
            with conn.begin_nested():
                conn.exec_driver_sql(f"SET LOCAL ROLE {SILO_ROLE}")
                conn.exec_driver_sql("RESET ROLE")
        except ProgrammingError:
            login = conn.exec_driver_sql("SELECT current_user").scalar_one()
            raise SchemaError(
                f"the database's user may not make the role {SILO_ROLE}: ask an administrator of PostgreSQL "
                f'to type: CREATE ROLE {SILO_ROLE} NOLOGIN; GRANT {SILO_ROLE} TO "{login}";'
            ) from error
    schema = _schema(conn)
    conn.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {SILO_ROLE}")
    conn.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {SILO_ROLE}")


def confine(conn: Connection, table: str) -> None:
    """Let a silo see and write its own rows of a table, and no other."""
    rights = "SELECT" if table in READ_ONLY else "SELECT, INSERT, UPDATE, DELETE"
    conn.exec_driver_sql(f'GRANT {rights} ON "{table}" TO {SILO_ROLE}')
    conn.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    conn.exec_driver_sql(
        f'CREATE POLICY own_silo ON "{table}" TO {SILO_ROLE} USING ({_MINE}) WITH CHECK ({_MINE})'
    )


def append_only(conn: Connection, table: str) -> None:
    """Take from silos the right to change or delete rows of a table already confined."""
    conn.exec_driver_sql(f'REVOKE UPDATE, DELETE ON "{table}" FROM {SILO_ROLE}')


def create_lookups(conn: Connection) -> None:
    """Make the functions that find a key or a platform before its silo is known; they run as the owner."""
    schema = _schema(conn)
    for signature, (returned, body) in _LOOKUPS.items():
        conn.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returned} LANGUAGE sql STABLE "
            f"SECURITY DEFINER SET search_path = {schema}, pg_temp AS $${body}$$"
        )
        name, _, arguments = signature.partition("(")
        types = ", ".join(part.split()[-1] for part in arguments.rstrip(")").split(",") if part.strip())
        conn.exec_driver_sql(f"REVOKE ALL ON FUNCTION {name}({types}) FROM PUBLIC")
        conn.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {name}({types}) TO {SILO_ROLE}")


def _schema(conn: Connection) -> str:
    name = str(conn.exec_driver_sql("SELECT current_schema()").scalar_one())
    return conn.dialect.identifier_preparer.quote(name)
