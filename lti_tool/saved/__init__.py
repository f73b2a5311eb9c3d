"""Saved views: a page across courses with its filters, under a name; its files, and every month."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from lti_tool.exports import kept
from lti_tool.saved_tables import saved_view

#: Kind of the exports, and of the job that makes them.
KIND = "saved_view"
NIGHTLY = "saved_views_monthly"
#: Files of a view are kept so long.
KEPT = timedelta(days=14)
#: Views of one person, letters of a name and of the parameters.
MOST = 50
LONGEST_NAME = 80
LONGEST_QUERY = 1000


class ViewError(Exception):
    """A view that cannot be saved; `code`: name, page, many."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class View:
    """One saved view."""

    silo_id: int
    view_id: str
    owner: str
    role: str
    name: str
    page: str
    query: str
    monthly: bool
    created_at: datetime


def add(
    conn: Connection,
    silo_id: int,
    *,
    owner: str,
    role: str,
    name: str,
    page: str,
    query: str,
    now: datetime,
) -> str:
    """Keep a page under a name and return its id. Raises ViewError."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ViewError("name")
    if len(query) > LONGEST_QUERY:
        raise ViewError("page")
    c = saved_view.c
    mine = select(func.count()).where(c.silo_id == silo_id, c.owner == owner)
    if (conn.scalar(mine) or 0) >= MOST:
        raise ViewError("many")
    view_id = secrets.token_urlsafe(16)
    conn.execute(
        insert(saved_view).values(
            silo_id=silo_id, view_id=view_id, owner=owner, role=role, name=name, page=page, query=query,
            monthly=False, created_at=now,
        )
    )  # fmt: skip
    return view_id


def listing(conn: Connection, silo_id: int, owner: str) -> tuple[View, ...]:
    """Return the views of somebody, by name."""
    c = saved_view.c
    rows = conn.execute(select(saved_view).where(c.silo_id == silo_id, c.owner == owner)).all()
    return tuple(sorted((_view(row) for row in rows), key=lambda one: (one.name.casefold(), one.view_id)))


def read(conn: Connection, silo_id: int, view_id: str) -> View | None:
    """Return a view, whoever saved it: its id is its link."""
    row = conn.execute(select(saved_view).where(*_one(silo_id, view_id))).first()
    return None if row is None else _view(row)


def remove(conn: Connection, silo_id: int, view_id: str) -> None:
    """Take a view away; its files go on their day."""
    conn.execute(delete(saved_view).where(*_one(silo_id, view_id)))


def forget(conn: Connection, silo_id: int, owner: str) -> None:
    """Take away every view of somebody."""
    conn.execute(delete(saved_view).where(saved_view.c.silo_id == silo_id, saved_view.c.owner == owner))


def every_month(conn: Connection, silo_id: int, view_id: str, wanted: bool, today: date) -> None:
    """Have a view made every month from the next one on, or no more."""
    where = _one(silo_id, view_id)
    conn.execute(update(saved_view).where(*where).values(monthly=wanted, made_on=today if wanted else None))


def due(conn: Connection, silo_id: int, today: date) -> Sequence[View]:
    """Return the views whose files of this month are not asked for yet, and note that they are."""
    c = saved_view.c
    first = today.replace(day=1)
    where = c.silo_id == silo_id, c.monthly.is_(True), or_(c.made_on.is_(None), c.made_on < first)
    found = [_view(row) for row in conn.execute(select(saved_view).where(*where).order_by(c.view_id)).all()]
    conn.execute(update(saved_view).where(*where).values(made_on=today))
    return found


def ask(conn: Connection, view: View, *, now: datetime, mailed: bool = False) -> str:
    """Ask for the files of a view, for who saved it, and return the id of the export."""
    asked = {"view": view.view_id, "name": view.name, "mailed": mailed}
    key = f"view {view.view_id} {mailed}"
    return kept.ask(conn, view.silo_id, KIND, view.owner, asked, now=now, key=key, days=KEPT)


def _one(silo_id: int, view_id: str) -> tuple[Any, Any]:
    return saved_view.c.silo_id == silo_id, saved_view.c.view_id == view_id


def _view(row: Row[Any]) -> View:
    return View(
        row.silo_id, row.view_id, row.owner, row.role, row.name, row.page, row.query, row.monthly,
        row.created_at,
    )  # fmt: skip
