"""Rows written as columns are the rows that were given, whatever their types and their texts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    select,
)

from tool_config import columns
from tool_config.database import Instant, Rows, administration, insert_rows, leaving, write_together

TABLE = Table(
    "every_type",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("large", BigInteger),
    Column("text", Text),
    Column("id", Uuid(as_uuid=False)),
    Column("at", Instant),
    Column("day", Date),
    Column("yes", Boolean),
    Column("share", Float),
    Column("said", JSON(none_as_null=True)),
)
NAMES = tuple(TABLE.c.keys())
TEXTS = ("", "a'b\"c\\d", '{null,"x"}', "NULL", "é\u202f😀\ttab\nline\x7f", "x" * 100_000)


def row(number: int) -> dict[str, Any]:
    sign = -1 if number % 2 else 1
    return {
        "number": sign * number,
        "large": sign * (2**62 + number),
        "text": TEXTS[number % len(TEXTS)],
        "id": str(uuid4()),
        "at": datetime(
            1969, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=sign * number % 12))
        ),
        "day": date(1 + 40 * number, 2, 28),
        "yes": sign > 0,
        "share": sign * number / 7,
        "said": {"a": [number, None, TEXTS[number % len(TEXTS)]]} if number % 3 else [],
    }


@pytest.fixture
def emptied(engine: Engine) -> Any:
    with administration(engine) as conn:
        TABLE.create(conn)
    yield TABLE
    with administration(engine) as conn:
        TABLE.drop(conn)


def kept(conn: Any) -> list[dict[str, Any]]:
    found = conn.execute(select(TABLE)).mappings()
    return sorted((dict(one) for one in found), key=lambda one: int(one["number"]))


def test_every_type_comes_back(engine: Engine, emptied: Table) -> None:
    given = [row(number) for number in range(30)]
    given += [{**dict.fromkeys(NAMES), "number": 100 + number} for number in range(2)]
    expected = sorted(given, key=lambda one: int(one["number"]))
    with administration(engine) as conn:
        assert set(insert_rows(conn, emptied, given, returning="number")) == {one["number"] for one in given}
        assert kept(conn) == [{**one, "at": one["at"] and one["at"].astimezone(UTC)} for one in expected]
        # What is there stays, and is not told as new.
        again = [{**given[0], "text": "other"}, row(50)]
        assert insert_rows(conn, emptied, again, conflicts=True, returning="number") == [50]
        write_together(conn, [Rows(emptied, again, leaving), Rows(emptied, [row(60)]), Rows(emptied, [])])
        assert len(kept(conn)) == len(given) + 2
        assert "other" not in [one["text"] for one in kept(conn)]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_what_cannot_be_kept_is_refused(engine: Engine, emptied: Table) -> None:
    for wrong in ({"said": {1, 2}}, {"text": "\ud800"}):
        with administration(engine) as conn, pytest.raises(ValueError, match=r"."):
            insert_rows(conn, emptied, [{**row(1), **wrong}])
    other = Table("bytes", MetaData(), Column("body", LargeBinary))
    with pytest.raises(TypeError, match="LargeBinary"):
        columns.packed(other, [{"body": b"x"}])
