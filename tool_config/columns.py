"""Rows written column by column, each an array in PostgreSQL's binary form.

Two thousand values of a batch become fifty parameters. The server takes them apart by adding lengths, where
it would read each character of a JSON text; here, what comes back in a column (a verb, a course) is written
once. The form of an array is that of `array_recv` in the server's source (arrayfuncs.c).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    bindparam,
    cast,
    func,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine, UserDefinedType

_HEAD = Struct(">iiIii").pack
_SHORT, _LONG, _DOUBLE, _YES = (Struct(form).pack for form in (">ii", ">iq", ">id", ">i?"))
_LENGTH, _UUID_LENGTH = Struct(">i").pack, Struct(">i").pack(16)
_NULL = _LENGTH(-1)
#: What instants and days are counted from.
_START = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)


class Array(bytes):
    """An array in binary form; each kind has its class, by which the driver finds its number."""


def _text(value: str) -> bytes:
    written = value.encode()
    return _LENGTH(len(written)) + written


@dataclass(frozen=True)
class _Kind:
    """How values of one type are written, with their length before them."""

    made: type[Array]
    #: Number of the type of its values, as in pg_type.dat.
    number: int
    write: Callable[[Any], bytes]
    #: Values can be told apart quickly: equal ones are written once.
    repeats: bool = True


def _json(value: Any) -> bytes:
    try:
        written = orjson.dumps(value)
    except TypeError as error:
        raise ValueError(f"a row cannot be written: {error}") from None
    return _LENGTH(len(written)) + written


def _kind(number: int, array_number: int, write: Callable[[Any], bytes], *, repeats: bool = True) -> _Kind:
    made = type(f"Array{number}", (Array,), {})

    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = array_number

        def dump(self, obj: Any) -> Any:
            return obj

    psycopg.adapters.register_dumper(made, ArrayDumper)
    return _Kind(made, number, write, repeats)


#: The first that a column's type is an instance of.
_KINDS: tuple[tuple[type[TypeEngine[Any]], _Kind], ...] = (
    (BigInteger, _kind(20, 1016, lambda value: _LONG(8, value))),
    (Integer, _kind(23, 1007, lambda value: _SHORT(4, value))),
    (Text, _kind(25, 1009, _text)),
    (Uuid, _kind(2950, 2951, lambda value: _UUID_LENGTH + bytes.fromhex(value.replace("-", "")))),
    (DateTime, _kind(1184, 1185, lambda value: _LONG(8, (value - _START) // _MICROSECOND))),
    (Date, _kind(1082, 1182, lambda value: _SHORT(4, value.toordinal() - _FIRST_DAY))),
    (Boolean, _kind(16, 1000, lambda value: _YES(1, value))),
    (Float, _kind(701, 1022, lambda value: _DOUBLE(8, value))),
    (JSON, _kind(114, 199, _json, repeats=False)),
)


class _Written(UserDefinedType[Array]):
    """A parameter that is written already."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "bytea"


def unnested(column_type: TypeEngine[Any], parameter: str) -> Any:
    """Return the values of a parameter that `packed` has made, one a row."""
    return func.unnest(cast(bindparam(parameter, type_=_Written), postgresql.ARRAY(column_type)))


def packed(table: Table, rows: Sequence[Mapping[str, Any]]) -> list[Array]:
    """Return each column of some rows (at least one) as an array, in the order of the first row's.

    Raises ValueError on what PostgreSQL cannot hold, KeyError when a row lacks a column.
    """
    return [_packed(_kind_of(table.c[name].type), [row[name] for row in rows]) for name in rows[0]]


@lru_cache(maxsize=1000)
def _kind_of(column_type: TypeEngine[Any]) -> _Kind:
    """Return how the values of a column are written; raises TypeError when nobody has said how."""
    plain = column_type.impl if isinstance(column_type, TypeDecorator) else column_type
    for of, kind in _KINDS:
        if isinstance(plain, of):
            return kind
    raise TypeError(f"columns of the type {column_type!r} are not written as arrays")


def _packed(kind: _Kind, values: list[Any]) -> Array:
    head = _HEAD(1, None in values, kind.number, len(values), 1)
    if not kind.repeats:
        return kind.made(head + b"".join(_NULL if one is None else kind.write(one) for one in values))
    # What is equal is written once: 1 and True do not meet in one column.
    written = {one: _NULL if one is None else kind.write(one) for one in set(values)}
    return kind.made(head + b"".join(map(written.__getitem__, values)))
