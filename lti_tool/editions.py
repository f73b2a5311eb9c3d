"""The sessions of a path with what they published, for who may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from analyzers import answer_frames, views
from analyzers.views import Edition
from lti_tool.access import NotFound, Viewer
from lti_tool.formatting import first_capital
from lti_tool.surveys import rows
from lti_tool.tables import survey
from tool_config.roles import ADMIN, TUTOR
from tool_config.surveys import Survey
from xapi.tables import course, membership, outline_item, path

#: Sessions set side by side: the latest ones.
MOST = 24


@dataclass(frozen=True)
class PathEditions:
    """A path and those of its sessions that somebody may see, the first to begin first."""

    title: str
    editions: tuple[Edition, ...]
    #: Name of each module that was spoken of, in the order of the outline, as the latest session writes it.
    modules: tuple[str, ...]
    #: Sessions of the path that this person may not see.
    others: int
    #: Name of a module -> the latest session in which it was spoken of, and its IRI there.
    latest: Mapping[str, tuple[int, str]]


def of_path(conn: Connection, viewer: Viewer, path_id: int, *, k: int) -> PathEditions:
    """Return every session of a path, for an administrator; NotFound for a path of another silo."""
    title = conn.scalar(
        select(path.c.title).where(path.c.silo_id == viewer.silo_id, path.c.path_id == path_id)
    )
    if title is None:
        raise NotFound
    return _read(conn, viewer, path_id, title, k)


def of_course(conn: Connection, viewer: Viewer, course_id: int, *, k: int) -> PathEditions | None:
    """Return the sessions of a course's path; None when it has no path. The caller may see the course."""
    found = conn.execute(
        select(path.c.path_id, path.c.title)
        .select_from(
            course.join(path, (path.c.silo_id == course.c.silo_id) & (path.c.path_id == course.c.path_id))
        )
        .where(course.c.silo_id == viewer.silo_id, course.c.course_id == course_id)
    ).first()
    return None if found is None else _read(conn, viewer, found.path_id, found.title, k)


def _read(conn: Connection, viewer: Viewer, path_id: int, title: str, k: int) -> PathEditions:
    c = course.c
    sessions = conn.execute(
        select(c.course_id, c.title, c.label, c.starts_on).where(
            c.silo_id == viewer.silo_id, c.path_id == path_id
        )
    ).all()
    seeing = allowed(conn, viewer, [row.course_id for row in sessions])
    seen = [row for row in sessions if row.course_id in seeing]
    seen.sort(key=lambda row: (row.starts_on or date.min, row.title or "", row.course_id))
    seen = seen[-MOST:]
    keys = [row.course_id for row in seen]
    asked = _surveys(conn, viewer.silo_id, keys)
    published = answer_frames.courses(conn, viewer.silo_id, keys)
    names, order = modules(conn, viewer.silo_id, keys)
    editions = tuple(
        views.edition(
            row.course_id,
            _short(row.label or row.title or "", title),
            row.starts_on,
            asked.get(row.course_id, ()),
            published,
            names.get(row.course_id, {}),
            k=k,
        )
        for row in seen
    )
    spoken = {name for one in editions for name in one.modules}
    latest = {
        name: (one.course_id, iri)
        for one in editions
        for iri, name in names.get(one.course_id, {}).items()
        if name in one.modules
    }
    return PathEditions(
        title, editions, tuple(name for name in order if name in spoken), len(sessions) - len(seeing), latest
    )


def _short(name: str, path_title: str) -> str:
    """Return what tells a session from the others of its path: "session 2026-1", without the path's title."""
    if name.casefold().startswith(path_title.casefold()):
        return first_capital(name[len(path_title) :].strip(" –—-:·(")) or name
    return name


def allowed(conn: Connection, viewer: Viewer, course_ids: Sequence[int]) -> set[int]:
    """Return those of some sessions that somebody may see: all, or those that they tutor."""
    if viewer.role == ADMIN:
        return set(course_ids)
    m = membership.c
    found = conn.scalars(
        select(m.course_id).where(
            m.silo_id == viewer.silo_id,
            m.course_id.in_(course_ids),
            m.actor == viewer.actor,
            m.role == TUTOR,
            m.until.is_(None),
        )
    )
    return {*found, viewer.course_id} & set(course_ids)


def _surveys(conn: Connection, silo_id: int, course_ids: Sequence[int]) -> dict[int, list[Survey]]:
    query = select(survey).where(survey.c.silo_id == silo_id, survey.c.course_id.in_(course_ids))
    found: dict[int, list[Survey]] = {}
    for row in conn.execute(query.order_by(survey.c.opens_at, survey.c.survey_id)):
        found.setdefault(row.course_id, []).append(rows.from_row(row))
    return found


def modules(
    conn: Connection, silo_id: int, course_ids: Sequence[int]
) -> tuple[dict[int, dict[str, str]], list[str]]:
    """Return the modules of sessions by a name that they share, and these names in the outline's order.

    Each session has modules of its own: those of one title are the same module of the path.
    """
    o = outline_item.c
    query = select(o.course_id, o.iri, o.title, o.position).where(
        o.silo_id == silo_id, o.course_id.in_(course_ids), o.level == "module"
    )
    rank = {key: place for place, key in enumerate(course_ids)}
    found = sorted(conn.execute(query), key=lambda row: (-rank[row.course_id], row.position, row.iri))
    written: dict[str, str] = {}
    names: dict[int, dict[str, str]] = {}
    for row in found:
        name = written.setdefault(" ".join((row.title or "").split()).casefold(), row.title or "")
        names.setdefault(row.course_id, {})[row.iri] = name
    return names, list(dict.fromkeys(written.values()))
