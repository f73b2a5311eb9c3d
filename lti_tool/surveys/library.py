"""Questionnaires that an institution writes: kept as drafts, published as versions that never change.

A course's tutors write theirs, administrators those of the silo. What ships with the tool
(`tool_config.surveys.load`) is read only: it is copied. Who may write which is decided by the caller.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update

from lti_tool.survey_template_tables import survey_template, survey_template_version
from lti_tool.surveys import drafts
from lti_tool.surveys.drafts import Draft
from tool_config import surveys as templates
from tool_config.database import insert
from tool_config.surveys import Label, Template


class LibraryError(Exception):
    """A request about a questionnaire being written that cannot be granted.

    ``code``: not_found, conflict (saved meanwhile by another tab or person), faulty (``fields`` says where).
    """

    def __init__(self, code: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(code if not fields else f"{code}: {dict(fields)}")
        self.code = code
        self.fields: Mapping[str, str] = dict(fields or {})


@dataclass(frozen=True)
class Written:
    """A questionnaire being written."""

    silo_id: int
    template_id: str
    #: The course whose tutors write it; None: the silo's.
    course_id: int | None
    draft: Draft
    token: int
    #: Latest version published; 0 when none is.
    version: int
    #: The draft says something else than that version.
    changed: bool
    changed_at: datetime
    withdrawn_at: datetime | None

    @property
    def title(self) -> Label:
        said = self.draft["title"]
        return Label(fr=said.get("fr", ""), en=said.get("en", ""))


def listing(conn: Connection, silo_id: int, course_id: int | None) -> tuple[Written, ...]:
    """Return what may be seen: the silo's, and the course's when one is given; the latest changed first."""
    mine: ColumnElement[bool] = survey_template.c.course_id.is_(None)
    if course_id is not None:
        mine = or_(survey_template.c.course_id == course_id, and_(mine, survey_template.c.version > 0))
    query = select(survey_template).where(survey_template.c.silo_id == silo_id, mine)
    order = (survey_template.c.changed_at.desc(), survey_template.c.template_id)
    return tuple(_written(row) for row in conn.execute(query.order_by(*order)))


def find(conn: Connection, silo_id: int, template_id: str) -> Written:
    """Return one; raises LibraryError("not_found")."""
    query = select(survey_template).where(
        survey_template.c.silo_id == silo_id, survey_template.c.template_id == template_id
    )
    row = conn.execute(query).first()
    if row is None:
        raise LibraryError("not_found")
    return _written(row)


def _written(row: Row[Any]) -> Written:
    names = (
        "silo_id", "template_id", "course_id", "draft", "token", "version", "changed", "changed_at",
        "withdrawn_at",
    )  # fmt: skip
    return Written(**{name: getattr(row, name) for name in names})


def create(
    conn: Connection, silo_id: int, course_id: int | None, draft: Draft, *, by: str, now: datetime
) -> Written:
    """Begin a questionnaire with a draft."""
    name = f"q-{secrets.token_hex(8)}"
    row: dict[str, Any] = {"silo_id": silo_id, "template_id": name, "course_id": course_id, "draft": draft}
    row |= {"token": 1, "version": 0, "changed": True}
    conn.execute(
        insert(conn, survey_template), {**row, "created_at": now, "created_by": by, "changed_at": now}
    )
    return find(conn, silo_id, name)


def save(conn: Connection, written: Written, draft: Draft, *, token: int, now: datetime) -> Written:
    """Keep a draft; raises LibraryError("conflict") when `token` is not that of what is kept."""
    same = draft == written.draft
    changed = {"draft": draft, "token": token + 1, "changed": written.changed or not same, "changed_at": now}
    done = conn.execute(
        update(survey_template)
        .where(
            survey_template.c.silo_id == written.silo_id,
            survey_template.c.template_id == written.template_id,
            survey_template.c.token == token,
        )
        .values(**changed)
    )
    if done.rowcount != 1:
        raise LibraryError("conflict")
    return find(conn, written.silo_id, written.template_id)


def publish(conn: Connection, written: Written, *, by: str, now: datetime) -> Template:
    """Publish the draft as the next version; without a change since the last, return that one.

    Raises LibraryError("faulty") with a code by field of the form, ("conflict") when it was saved meanwhile.
    """
    if written.version and not written.changed:
        return _version(conn, written.silo_id, written.template_id, written.version)
    found = drafts.faults(written.draft)
    if found:
        raise LibraryError("faulty", found)
    version = written.version + 1
    template = templates.parse(drafts.content(written.draft, written.template_id, version))
    done = conn.execute(
        update(survey_template)
        .where(
            survey_template.c.silo_id == written.silo_id,
            survey_template.c.template_id == written.template_id,
            survey_template.c.token == written.token,
        )
        .values(version=version, changed=False, changed_at=now, withdrawn_at=None)
    )
    if done.rowcount != 1:
        raise LibraryError("conflict")
    row = {"content": templates.dump(template), "published_at": now, "published_by": by}
    key = {"silo_id": written.silo_id, "template_id": written.template_id, "version": version}
    conn.execute(insert(conn, survey_template_version), {**key, **row})
    return template


def _version(conn: Connection, silo_id: int, template_id: str, version: int) -> Template:
    query = select(survey_template_version.c.content).where(
        survey_template_version.c.silo_id == silo_id,
        survey_template_version.c.template_id == template_id,
        survey_template_version.c.version == version,
    )
    return _restored(orjson.dumps(conn.execute(query).scalar_one()))


@lru_cache(maxsize=256)
def _restored(content: bytes) -> Template:
    return templates.restore(orjson.loads(content))


def withdraw(conn: Connection, written: Written, *, now: datetime) -> None:
    """Offer a questionnaire no longer, or again; what was opened with it stays."""
    conn.execute(
        update(survey_template)
        .where(
            survey_template.c.silo_id == written.silo_id,
            survey_template.c.template_id == written.template_id,
        )
        .values(withdrawn_at=None if written.withdrawn_at else now)
    )


def offered(conn: Connection, silo_id: int, course_id: int | None) -> Mapping[str, Template]:
    """Return what may be opened in a course, by name: what ships, then the latest versions published."""
    mine: ColumnElement[bool] = survey_template.c.course_id.is_(None)
    if course_id is not None:
        mine = or_(mine, survey_template.c.course_id == course_id)
    joined = and_(
        survey_template_version.c.silo_id == survey_template.c.silo_id,
        survey_template_version.c.template_id == survey_template.c.template_id,
        survey_template_version.c.version == survey_template.c.version,
    )
    query = (
        select(survey_template.c.template_id, survey_template_version.c.content)
        .select_from(survey_template.join(survey_template_version, joined))
        .where(survey_template.c.silo_id == silo_id, survey_template.c.withdrawn_at.is_(None), mine)
        .order_by(survey_template_version.c.published_at.desc(), survey_template.c.template_id)
    )
    written = {row.template_id: _restored(orjson.dumps(row.content)) for row in conn.execute(query)}
    return {**templates.load(), **written}
