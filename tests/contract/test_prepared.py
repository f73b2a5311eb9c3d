"""Statements given to PostgreSQL by libpq: prepared at their second use, found again whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from tool_config.database import Instant, Rows, administration, open_engine, write_last
from tool_config.prepared import ask, forget

_TWICE = select(bindparam("number", type_=Integer) * 2, bindparam("word", type_=Text))


_NOTED = Table("noted", MetaData(), Column("noted_id", Integer), Column("said", Text))


@pytest.fixture(scope="module")
def server(pg_url: str) -> Iterator[Engine]:
    """Yield a server with a table of this module's own."""
    engine = open_engine(pg_url)
    with administration(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE noted (noted_id int PRIMARY KEY, said text)")
    yield engine
    with administration(engine) as conn:
        conn.exec_driver_sql("DROP TABLE noted")
    engine.dispose()


def _asked(server: Engine) -> list[tuple[object, ...]]:
    with administration(server) as conn:
        return ask(conn, _TWICE, {"number": 21, "word": "l’été \\ 'x'"})


def test_a_statement_answers_the_same_before_and_after_it_is_prepared(server: Engine) -> None:
    wanted = [(42, "l’été \\ 'x'")]
    assert [_asked(server) for _ in range(4)] == [wanted] * 4


def test_what_the_server_forgot_is_prepared_again(server: Engine) -> None:
    """The driver makes the server forget its own statements, and these, when something is rolled back."""
    for _ in range(3):
        with server.connect() as conn:
            assert ask(conn, _TWICE, {"number": 1, "word": "a"}) == [(2, "a")]
            for rank in range(8):  # until the driver prepares it, hence has something to forget
                conn.execute(text("SELECT CAST(:rank AS int)"), {"rank": rank})
            with pytest.raises(DBAPIError), conn.begin_nested():
                conn.exec_driver_sql("SELECT 1 / 0")
            assert ask(conn, _TWICE, {"number": 2, "word": None}) == [(4, None)]
            conn.rollback()
            assert ask(conn, _TWICE, {"number": 3, "word": "c"}) == [(6, "c")]
    with server.connect() as conn:
        conn.exec_driver_sql("DEALLOCATE ALL")
        forget(conn)
        assert ask(conn, _TWICE, {"number": 3, "word": "c"}) == [(6, "c")]


def test_rows_that_end_a_transaction_are_all_there_or_none(server: Engine) -> None:
    said = ["d’un", 'deux "2" \\n', "trois 😀 $1", "quatre; COMMIT; --'"]
    for number, what in enumerate(said):
        with administration(server) as conn:
            write_last(conn, [Rows(_NOTED, [{"noted_id": number, "said": what}])])
    for _ in range(2):
        with pytest.raises(IntegrityError):
            _write_beside(server)
    with administration(server) as conn:
        found = conn.exec_driver_sql("SELECT said FROM noted ORDER BY noted_id").scalars().all()
    assert found == said


def _write_beside(server: Engine) -> None:
    with administration(server) as conn:
        conn.exec_driver_sql("INSERT INTO noted VALUES (100, 'beside')")
        write_last(conn, [Rows(_NOTED, [{"noted_id": 1, "said": "again"}])])


def test_no_text_is_cut_at_a_nul(server: Engine) -> None:
    for _ in range(3):
        with pytest.raises(DBAPIError, match="NUL"), administration(server) as conn:
            ask(conn, _TWICE, {"number": 1, "word": "be\x00fore"})


def test_a_connection_that_the_server_closed_is_left(server: Engine) -> None:
    _asked(server)
    with pytest.raises(OperationalError):
        _ask_when_cut_off(server)
    assert _asked(server) == [(42, "l’été \\ 'x'")]


def _ask_when_cut_off(server: Engine) -> None:
    with administration(server) as conn, administration(server) as other:
        mine = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other.execute(select(func.pg_terminate_backend(mine, 5000)))
        ask(conn, _TWICE, {"number": 1, "word": "a"})


def test_an_instant_goes_and_comes_back(server: Engine) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
    same = select(bindparam("moment", type_=Instant))
    for _ in range(3):
        with administration(server) as conn:
            assert ask(conn, same, {"moment": moment}) == [(moment,)]
