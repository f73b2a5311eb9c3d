"""What analyses read of comments: those published, and what was drawn from them. A sibling of `frames`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, FromClause, and_, func, select, true

from xapi.comment_tables import comment_member, comment_reading
from xapi.survey_tables import answer, survey_comment, survey_step
from xapi.tables import course

#: Identifiers of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500


@dataclass(frozen=True)
class Scope:
    """Whose comments are read together: those of a course, of a path's sessions, of the silo."""

    kind: Literal["course", "path", "silo"]
    number: int = 0

    @property
    def key(self) -> str:
        """Return its name in tables."""
        return self.kind if self.kind == "silo" else f"{self.kind} {self.number}"

    @classmethod
    def parse(cls, key: str) -> Scope:
        """Read `key` back; ValueError."""
        kind, _, number = key.partition(" ")
        if kind == "course" or kind == "path":
            return cls("course" if kind == "course" else "path", int(number))
        if key != "silo":
            raise ValueError(f"no scope is called {key!r}")
        return cls("silo")

    def holds(self, column: Column[int], silo_id: int) -> ColumnElement[bool]:
        """Return the condition that a course is in it."""
        if self.kind == "course":
            return column == self.number
        if self.kind == "path":
            of_path = select(course.c.course_id).where(
                course.c.silo_id == silo_id, course.c.path_id == self.number
            )
            return column.in_(of_path)
        return true()


@dataclass(frozen=True)
class Comment:
    """A published comment, as written."""

    course_id: int
    survey_id: str
    comment_id: str
    text: str


_TOKEN = ("silo_id", "course_id", "survey_id", "comment_id")


def _same(one: FromClause, other: FromClause, names: Sequence[str] = _TOKEN) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in names))


def _published(silo_id: int, scope: Scope, k: int) -> tuple[Any, tuple[ColumnElement[bool], ...]]:
    """Return the published comments with their answers, and the conditions of a scope."""
    joined = survey_comment.join(
        survey_step, _same(survey_step, survey_comment, ("silo_id", "course_id", "survey_id"))
    ).join(answer, _same(answer, survey_comment, ("silo_id", "course_id", "statement_id")))
    here = survey_comment.c.silo_id == silo_id, scope.holds(survey_comment.c.course_id, silo_id)
    return joined, (*here, survey_step.c.n >= k, answer.c.text.is_not(None))


def published(conn: Connection, silo_id: int, scope: Scope, *, k: int) -> list[Comment]:
    """Return the comments of questionnaires of which at least `k` respondents are published."""
    joined, here = _published(silo_id, scope, k)
    query = (
        select(
            survey_comment.c.course_id, survey_comment.c.survey_id, survey_comment.c.comment_id, answer.c.text
        )
        .select_from(joined)
        .where(*here)
        .order_by(survey_comment.c.comment_id)
    )
    return [Comment(*row) for row in conn.execute(query)]


def waiting(conn: Connection, silo_id: int, scope: Scope, *, k: int) -> tuple[int, int]:
    """Return how many comments are published in a scope, and how many its themes have not seen."""
    joined, here = _published(silo_id, scope, k)
    seen = joined.outerjoin(
        comment_member, and_(_same(comment_member, survey_comment), comment_member.c.scope == scope.key)
    )
    query = select(func.count(), func.count(comment_member.c.comment_id)).select_from(seen).where(*here)
    row = conn.execute(query).one()
    return int(row[0]), int(row[0]) - int(row[1])


def members(conn: Connection, silo_id: int, scope: Scope) -> dict[str, str]:
    """Return the theme of each comment of a scope, by comment; "" for none."""
    query = select(comment_member.c.comment_id, comment_member.c.theme_id).where(
        comment_member.c.silo_id == silo_id, comment_member.c.scope == scope.key
    )
    return {row.comment_id: row.theme_id for row in conn.execute(query)}


def lines(conn: Connection, silo_id: int, scope: Scope) -> Iterator[Any]:
    """Yield the comments read of a scope, with who wrote them and of what: never their texts."""
    joined = (
        comment_member.join(comment_reading, _same(comment_reading, comment_member))
        .join(survey_comment, _same(survey_comment, comment_member))
        .join(answer, _same(answer, survey_comment, ("silo_id", "course_id", "statement_id")))
    )
    query = (
        select(
            comment_member.c.course_id,
            comment_member.c.survey_id,
            comment_member.c.comment_id,
            survey_comment.c.question,
            answer.c.respondent,
            answer.c.module,
            answer.c.phase,
            comment_member.c.theme_id,
            comment_member.c.closeness,
            comment_reading.c.polarity,
        )
        .select_from(joined)
        .where(comment_member.c.silo_id == silo_id, comment_member.c.scope == scope.key)
        # The courses that are still of the scope: a session may have left its path since.
        .where(scope.holds(comment_member.c.course_id, silo_id))
    )
    yield from conn.execute(query)


def texts(conn: Connection, silo_id: int, scope: Scope, comment_ids: Iterable[str]) -> dict[str, str]:
    """Return the masked texts of some comments of a scope."""
    wanted = sorted(set(comment_ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(comment_reading.c.comment_id, comment_reading.c.text).where(
            comment_reading.c.silo_id == silo_id,
            comment_reading.c.comment_id.in_(wanted[start : start + CHUNK]),
            scope.holds(comment_reading.c.course_id, silo_id),
        )
        found.update((row.comment_id, row.text) for row in conn.execute(query))
    return found


def search(conn: Connection, silo_id: int, scope: Scope, words: Sequence[str]) -> set[str]:
    """Return the comments of a scope whose masked text has every word, accents and capitals aside.

    `words`: folded (`word_lists.fold`).
    """
    query = (
        select(comment_member.c.comment_id)
        .select_from(comment_member.join(comment_reading, _same(comment_reading, comment_member)))
        .where(comment_member.c.silo_id == silo_id, comment_member.c.scope == scope.key)
        .where(*(comment_reading.c.plain.contains(word, autoescape=True) for word in words))
    )
    return set(conn.scalars(query))


def scopes(conn: Connection, silo_id: int, *, k: int) -> list[Scope]:
    """Return the scopes of a silo that have published comments: courses, their paths, the silo itself."""
    there = survey_comment.join(
        survey_step, _same(survey_step, survey_comment, ("silo_id", "course_id", "survey_id"))
    ).join(course, _same(course, survey_comment, ("silo_id", "course_id")))
    query = (
        select(course.c.course_id, course.c.path_id)
        .select_from(there)
        .where(survey_comment.c.silo_id == silo_id, survey_step.c.n >= k)
        .distinct()
        .order_by(course.c.course_id)
    )
    rows = conn.execute(query).all()
    found = [Scope("course", row.course_id) for row in rows]
    found += [
        Scope("path", number) for number in sorted({row.path_id for row in rows if row.path_id is not None})
    ]
    return [*found, Scope("silo")] if rows else []
