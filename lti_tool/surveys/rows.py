"""Rows of questionnaires: read, locked, and what stands around them. For `surveys` alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from lti_tool.access import Viewer
from lti_tool.surveys import box as survey_box
from lti_tool.surveys.statements import Place
from lti_tool.tables import person, survey
from lti_tool.tables import survey_box as box_table
from tool_config import surveys as templates
from tool_config.roles import TRAINEE
from tool_config.surveys import Mode, Survey, Template
from xapi.survey_tables import survey_step
from xapi.tables import course, membership, outline_item

#: Job that counts further what is closed (`lti_tool.depth`).
DEPTH = "survey_depth"


class SurveyError(Exception):
    """A request about a questionnaire that cannot be granted.

    ``code``: not_found, refused, not_trainee, not_open_yet, closed, invalid, bad_attempt, answered.
    ``fields``: an error code for each faulty field or question, when the code is ``invalid``.
    """

    def __init__(self, code: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(code if not fields else f"{code}: {dict(fields)}")
        self.code = code
        self.fields: Mapping[str, str] = dict(fields or {})


def wanted(silo_id: int, course_id: int) -> Any:
    """Return the query of a course's questionnaires."""
    return select(survey).where(survey.c.silo_id == silo_id, survey.c.course_id == course_id)


@lru_cache(maxsize=256)
def _template(content: bytes) -> Template:
    return templates.restore(orjson.loads(content))


def from_row(row: Row[Any]) -> Survey:
    """Return the questionnaire of a row."""
    mode: Mode = row.mode
    return Survey(
        silo_id=row.silo_id,
        course_id=row.course_id,
        survey_id=row.survey_id,
        module=row.module,
        template=_template(orjson.dumps(row.template)),
        mode=mode,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        created_at=row.created_at,
        created_by=row.created_by,
        settled_at=row.settled_at,
    )


def same(table: Any, asked: Survey) -> tuple[Any, ...]:
    """Return the conditions that name a questionnaire in a table."""
    return (
        table.c.silo_id == asked.silo_id,
        table.c.course_id == asked.course_id,
        table.c.survey_id == asked.survey_id,
    )


def locked(conn: Connection, asked: Survey) -> Survey:
    """Return the questionnaire as it is now, its row locked until the end of the transaction."""
    row = conn.execute(select(survey).where(*same(survey, asked)).with_for_update()).first()
    if row is None:
        raise SurveyError("not_found")
    return from_row(row)


def lock_course(conn: Connection, silo_id: int, course_id: int) -> None:
    """Lock a course's row, so that two openings never cross; raises SurveyError("not_found")."""
    query = select(course.c.course_id).where(course.c.silo_id == silo_id, course.c.course_id == course_id)
    if conn.execute(query.with_for_update()).first() is None:
        raise SurveyError("not_found")


def box(conn: Connection, asked: Survey) -> tuple[bytes, bytes]:
    """Return the participants and the sealed answers of an anonymous questionnaire."""
    query = select(box_table.c.participants, box_table.c.held).where(*same(box_table, asked))
    row = conn.execute(query).one()
    return row.participants, row.held


def unsealed(asked: Survey, sealed: bytes, key: bytes) -> list[survey_box.Answers]:
    """Return the answers held; raises BoxError."""
    return survey_box.unseal(key, asked.survey_id, sealed) if sealed else []


def count_received(conn: Connection, asked: Survey) -> int:
    """Return how many people answered, published or not."""
    if asked.settled_at is not None:
        query = select(survey_step.c.received).where(*same(survey_step, asked))
        return int(conn.execute(query).scalar() or 0)
    if asked.mode == "anonymous":
        return survey_box.count(box(conn, asked)[0])
    query = select(survey.c.received).where(*same(survey, asked))
    return int(conn.execute(query).scalar() or 0)


def trainee_account(conn: Connection, viewer: Viewer) -> dict[str, str]:
    """Return the account of a trainee of the course; raises SurveyError("not_trainee")."""
    query = (
        select(person.c.issuer, person.c.sub)
        .select_from(
            person.join(
                membership,
                (membership.c.silo_id == person.c.silo_id) & (membership.c.actor == person.c.actor),
            )
        )
        .where(
            person.c.silo_id == viewer.silo_id,
            person.c.actor == viewer.actor,
            membership.c.course_id == viewer.course_id,
            membership.c.role == TRAINEE,
            membership.c.until.is_(None),
        )
    )
    row = conn.execute(query).first() if viewer.role == TRAINEE else None
    if row is None:
        raise SurveyError("not_trainee")
    return {"homePage": row.issuer, "name": row.sub}


def module_titles(conn: Connection, silo_id: int, course_id: int) -> dict[str, str]:
    """Return the titles of a course's modules, by IRI."""
    query = select(outline_item.c.iri, outline_item.c.title).where(
        outline_item.c.silo_id == silo_id,
        outline_item.c.course_id == course_id,
        outline_item.c.level == "module",
    )
    return {row.iri: row.title for row in conn.execute(query)}


def place_of(conn: Connection, asked: Survey) -> Place:
    """Return the course and module that the statements name."""
    query = select(course.c.iri, course.c.title).where(
        course.c.silo_id == asked.silo_id, course.c.course_id == asked.course_id
    )
    row = conn.execute(query).one()
    titles = module_titles(conn, asked.silo_id, asked.course_id)
    return Place(row.iri, row.title, asked.module, titles.get(asked.module))
