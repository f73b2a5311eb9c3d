"""Who is enrolled, and how instants and days are read in bulk.

Enrolled: people whose membership is "trainee", and people whom traces show (enrolled, acting, present or
declared finished) and whom no membership gives another role; minus those whom the tutor set aside and
those who left. Somebody has left when the roster ended the membership, or a statement says so, and nothing
(enrolment, membership, trace or presence) came later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from analyzers.shapes import Columns, local_days
from tool_config.database import Instant
from xapi import tables as t

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class micros(FunctionElement[int]):  # noqa: N801
    """An instant as whole microseconds since 1970: plain numbers for bulk reading.

    A driver takes longer to make a datetime than the database to find its row.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(micros)
def _as_kept(element: micros, compiler: Any, **asked: Any) -> str:
    return str(compiler.process(element.clauses, **asked))


@compiles(micros, "postgresql")
def _from_timestamp(element: micros, compiler: Any, **asked: Any) -> str:
    # A double holds seconds to a quarter of a microsecond until 2106: rounded, the instant is exact.
    inner = compiler.process(element.clauses, **asked)
    return f"CAST(date_part('epoch', {inner}) * 1e6 AS bigint)"


def from_micros(value: int) -> date:
    """Return the UTC day of an instant read by `micros`."""
    return (EPOCH + timedelta(microseconds=value)).date()


#: Parameters of the prepared statements of this package.
SILO: BindParameter[int] = bindparam("silo", type_=Integer)
COURSE: BindParameter[int] = bindparam("course", type_=BigInteger)
AS_OF: BindParameter[datetime] = bindparam("as_of", type_=Instant)


_TOTALS = ("events", "days", "seconds_10", "seconds_30", "seconds_60", "attended")
_A, _M = t.rollup_actor, t.membership
_SAME = and_(_M.c.silo_id == _A.c.silo_id, _M.c.course_id == _A.c.course_id, _M.c.actor == _A.c.actor)


@cache
def enrolled(*, one_course: bool) -> Subquery:
    """Return the enrolled of the course COURSE, or of every course of SILO, at AS_OF, with their totals."""
    traced, listed = _traced(), _listed()
    if one_course:
        traced = traced.where(_A.c.course_id == COURSE)
        listed = listed.where(_M.c.course_id == COURSE)
    return union_all(traced, listed).subquery("enrolled")


def _traced() -> Select[Any]:
    """Return the enrolled whom the rollups know."""
    shown = or_(
        _M.c.actor.is_not(None),
        _A.c.enrolled_at.is_not(None),
        _A.c.events > 0,
        _A.c.attended > 0,
        _A.c.completed_at.is_not(None),
    )
    return (
        select(
            _A.c.course_id,
            _A.c.actor,
            func.coalesce(_A.c.enrolled_at, _M.c.since).label("enrolled_at"),
            _A.c.first_at,
            _A.c.last_at,
            _A.c.completed_at,
            *(_A.c[name] for name in _TOTALS),
            _A.c.last_module,
            _A.c.days_seen,
        )
        .select_from(_A.outerjoin(_M, _SAME))
        .where(
            _A.c.silo_id == SILO,
            or_(_M.c.role.is_(None), _M.c.role == "trainee"),
            _M.c.aside_at.is_(None),
            shown,
            not_(_departed()),
        )
    )


def _departed() -> ColumnElement[bool]:
    """Return whether somebody left, by the roster or by a statement, and nothing came later."""
    removed = and_(
        _M.c.until.is_not(None),
        _M.c.until <= AS_OF,
        or_(_A.c.enrolled_at.is_(None), _A.c.enrolled_at <= _M.c.until),
        or_(_A.c.last_at.is_(None), _A.c.last_at <= _M.c.until),
    )
    left = and_(
        _A.c.left_at.is_not(None),
        or_(_A.c.enrolled_at.is_(None), _A.c.enrolled_at <= _A.c.left_at),
        or_(_A.c.last_at.is_(None), _A.c.last_at <= _A.c.left_at),
        or_(_M.c.since.is_(None), _M.c.since <= _A.c.left_at),
    )
    return or_(removed, left)


def _listed() -> Select[Any]:
    """Return the members of whom the rollups know nothing."""
    return (
        select(
            _M.c.course_id,
            _M.c.actor,
            _M.c.since,
            *(null() for _ in range(3)),
            *(literal(0) for _ in _TOTALS),
            literal(""),
            literal(""),
        )
        .select_from(_M.outerjoin(_A, _SAME))
        .where(
            _M.c.silo_id == SILO,
            _M.c.role == "trainee",
            _M.c.aside_at.is_(None),
            or_(_M.c.until.is_(None), _M.c.until > AS_OF),
            _A.c.actor.is_(None),
        )
    )


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    """Return rows column by column: ``width`` empty columns when there is none."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def local(columns: Sequence[Sequence[int | None]], tz: ZoneInfo) -> list[NDArray[np.datetime64]]:
    """Return columns of instants as columns of days: one conversion for all."""
    length = len(columns[0])
    flat = local_days([value for column in columns for value in column], tz)
    return [flat[rank * length : (rank + 1) * length] for rank in range(len(columns))]


def days(texts: Sequence[str], today: date) -> Columns:
    """Return who was there on which day, until today, from the text of each row's days (``days_seen``).

    A day that is tomorrow's (a clock ahead, another time zone) counts as today; later ones are not believed.
    """
    who = np.repeat(np.arange(len(texts)), [len(text) // 10 for text in texts]).astype(np.int64)
    days = _parse_days("".join(texts))
    limit = np.datetime64(today, "D")
    believed = days <= limit + 1
    if not believed.all():
        who, days = who[believed], days[believed]
    return {"learner": who, "day": np.minimum(days, limit)}


def _parse_days(text: str) -> NDArray[np.datetime64]:
    """Return the days of a text made of YYYY-MM-DD one after the other."""
    digits = np.frombuffer(text.encode(), dtype=np.uint8).reshape(-1, 10).astype(np.int64) - ord("0")
    years = digits[:, :4] @ np.array([1000, 100, 10, 1])
    months = digits[:, 5] * 10 + digits[:, 6]
    first = ((years - 1970) * 12 + months - 1).astype("datetime64[M]").astype("datetime64[D]")
    found: NDArray[np.datetime64] = first + (digits[:, 8] * 10 + digits[:, 9] - 1)
    return found
