"""Comments read in the background: texts to the child process, what it made into tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Connection, delete, select

from analyzers import comment_frames
from analyzers.comment_frames import Comment, Scope
from analyzers.comments import accuracy
from lti_tool import comments
from lti_tool.comments import child
from lti_tool.comments.rosters import names
from lti_tool.jobs import Failed, JobRun, Retry
from tool_config.database import insert, transaction
from tool_config.rules import Rules
from xapi.comment_tables import comment_analysis, comment_member, comment_reading, comment_theme

if TYPE_CHECKING:
    from analyzers.comments.work import Asked, Made

#: Rows of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500


@dataclass(frozen=True)
class _Prepared:
    """Comments to be read, and the state of the themes when they were taken."""

    comments: Sequence[Comment]
    asked: Asked
    #: 0 before the first analysis.
    version: int
    kept: frozenset[str]


def run(job: JobRun) -> Mapping[str, Any]:
    """Read the comments of a scope. Readers who change themes meanwhile are waited for."""
    scope = Scope.parse(str(job.payload["scope"]))
    with transaction(job.engine, job.silo_id, write=False) as conn:
        prepared = prepare(conn, job.silo_id, scope, job.rules)
    if not prepared.comments:
        return {"comments": 0}
    try:
        made = child.read(prepared.asked, job.progress)
    except child.ChildFailed as error:
        raise Failed(f"comments: {error}") from None
    with transaction(job.engine, job.silo_id) as conn:
        keep(conn, job.silo_id, scope, prepared, made, rules=job.rules, now=job.clock())
    return {"comments": len(prepared.comments), "themes": len(made["themes"])}


def ask_all(job: JobRun) -> Mapping[str, Any]:
    """Ask, every night, for what is not read yet."""
    asked = 0
    with transaction(job.engine, job.silo_id) as conn:
        for scope in comment_frames.scopes(conn, job.silo_id, k=job.rules.disclosure.course):
            if comments.standing(conn, job.silo_id, scope, job.rules).stale:
                comments.ask(conn, job.silo_id, scope, now=job.clock())
                asked += 1
    return {"asked": asked}


# --- before -----------------------------------------------------------------------------------------------


def prepare(conn: Connection, silo_id: int, scope: Scope, rules: Rules) -> _Prepared:
    """Take the comments of a scope, the names of its people, the themes that are there."""
    found = comment_frames.published(conn, silo_id, scope, k=rules.disclosure.course)
    place = {comment.comment_id: rank for rank, comment in enumerate(found)}
    courses = sorted({comment.course_id for comment in found})
    of_course = {course_id: rank for rank, course_id in enumerate(courses)}
    members: dict[str, list[int]] = {}
    for comment_id, theme_id in comment_frames.members(conn, silo_id, scope).items():
        if comment_id in place:
            members.setdefault(theme_id, []).append(place[comment_id])
    theme = comment_theme.c
    rows = conn.execute(
        select(comment_theme)
        .where(theme.silo_id == silo_id, theme.scope == scope.key)
        .order_by(theme.theme_id)
    ).all()
    asked: Asked = {
        "texts": [comment.text for comment in found],
        "each": 2 * comments.threshold(scope, rules),
        "roster_of": [of_course[comment.course_id] for comment in found],
        "rosters": [names(conn, silo_id, course_id) for course_id in courses],
        "kept": [
            {
                "theme_id": row.theme_id,
                "profiles": row.profiles,
                "members": sorted(members.get(row.theme_id, [])),
            }
            for row in rows
            if row.kept
        ],
        "known": [{"theme_id": row.theme_id, "profile": row.profiles[0]} for row in rows if not row.kept],
    }
    version = conn.execute(
        select(comment_analysis.c.version).where(
            comment_analysis.c.silo_id == silo_id, comment_analysis.c.scope == scope.key
        )
    ).scalar()
    return _Prepared(found, asked, int(version or 0), frozenset(row.theme_id for row in rows if row.kept))


# --- after ------------------------------------------------------------------------------------------------


def keep(
    conn: Connection,
    silo_id: int,
    scope: Scope,
    prepared: _Prepared,
    made: Made,
    *,
    rules: Rules,
    now: datetime,
) -> None:
    """Write what was read; jobs.Retry when a reader changed the themes meanwhile.

    A comment that was taken back meanwhile is left out.
    """
    where = comment_analysis.c.silo_id == silo_id, comment_analysis.c.scope == scope.key
    row = conn.execute(select(comment_analysis.c.version).where(*where).with_for_update()).first()
    if (row.version if row else 0) != prepared.version:
        raise Retry(1.0, "changed")
    still = {
        comment.comment_id
        for comment in comment_frames.published(conn, silo_id, scope, k=rules.disclosure.course)
    }
    model = accuracy.read().digest
    theme_ids = _write_themes(conn, silo_id, scope, made)
    readings, places = [], []
    for rank, comment in enumerate(prepared.comments):
        if comment.comment_id not in still:
            continue
        key = {
            "silo_id": silo_id,
            "course_id": comment.course_id,
            "survey_id": comment.survey_id,
            "comment_id": comment.comment_id,
        }
        said = {"text": made["texts"][rank], "plain": made["plain"][rank], "model": model}
        said |= {"language": made["languages"][rank], "polarity": made["polarities"][rank]}
        readings.append(key | said)
        theme = made["members"][rank]
        member = {"theme_id": theme_ids[theme] if theme >= 0 else "", "closeness": made["closeness"][rank]}
        places.append(key | {"scope": scope.key} | member)
    _write_rows(conn, silo_id, scope, readings, places)
    conn.execute(delete(comment_analysis).where(*where))
    done = {"version": prepared.version + 1, "comments": len(places), "stability": made["stability"]}
    done |= {"model": model, "made_on": now.astimezone(UTC).date()}
    conn.execute(insert(conn, comment_analysis), {"silo_id": silo_id, "scope": scope.key, **done})


def _write_themes(conn: Connection, silo_id: int, scope: Scope, made: Made) -> list[str]:
    """Replace the themes that nobody touched; those of readers keep all but their words."""
    theme = comment_theme.c
    mine = theme.silo_id == silo_id, theme.scope == scope.key
    conn.execute(delete(comment_theme).where(*mine, theme.kept.is_(False)))
    found = []
    for one in made["themes"]:
        theme_id = one["theme_id"] or uuid4().hex
        found.append(theme_id)
        if one["kept"]:
            changed = comment_theme.update().where(*mine, theme.theme_id == theme_id)
            conn.execute(changed.values(words=one["words"]))
            continue
        row = {"silo_id": silo_id, "scope": scope.key, "theme_id": theme_id, "kept": False}
        row |= {"name": "", "object": "", "profiles": one["profiles"], "words": one["words"]}
        conn.execute(insert(conn, comment_theme), row)
    return found


def _write_rows(
    conn: Connection,
    silo_id: int,
    scope: Scope,
    readings: Sequence[Mapping[str, Any]],
    places: Sequence[Mapping[str, Any]],
) -> None:
    for rows in _lots(readings):
        added = insert(conn, comment_reading)
        keys = [column.name for column in comment_reading.primary_key.columns]
        changed = {name: added.excluded[name] for name in ("text", "plain", "language", "polarity", "model")}
        conn.execute(added.on_conflict_do_update(index_elements=keys, set_=changed), rows)
    member = comment_member.c
    conn.execute(delete(comment_member).where(member.silo_id == silo_id, member.scope == scope.key))
    for rows in _lots(places):
        conn.execute(insert(conn, comment_member), rows)


def _lots(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    for start in range(0, len(rows), CHUNK):
        yield list(rows[start : start + CHUNK])
