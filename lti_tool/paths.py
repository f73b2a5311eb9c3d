"""Sessions and the path that each is a run of: tied by copy, by number, or by hand.

A path is designed once and run many times; each run is a course of the platform. Figures across sessions
are wrong when a session counts for another path, so that every tie says what made it and can be corrected:
by hand first, never undone by the rest; then by the pattern of the institution's numbers; then by what the
platform says of the copies (`Context.id.history`). Every reader takes the tie from ``course.path_id``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import unquote

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from tool_config.database import insert
from xapi.path_tables import course_ancestor, course_origin, path_pattern
from xapi.tables import course, path

Tie = Literal["hand", "pattern", "copy", "file", ""]
#: Longest title and pattern kept, most ancestors read of what a platform sends.
MOST_TITLE, MOST_PATTERN, MOST_ANCESTORS = 200, 100, 50


class PathError(Exception):
    """Something asked of a path that cannot be done; `code` says what: title, pattern, unknown, taken."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


@dataclass(frozen=True)
class TiedSession:
    """A session and what tied it to its path."""

    course_id: int
    title: str
    idnumber: str
    starts_on: date | None
    ends_on: date | None
    tied_by: Tie


@dataclass(frozen=True)
class Path:
    """A path, the patterns of its numbers, and its sessions, the latest first."""

    path_id: int
    title: str
    patterns: tuple[str, ...]
    sessions: tuple[TiedSession, ...]


@dataclass(frozen=True)
class Paths:
    """Every path of a silo by title, and the sessions that belong to none."""

    paths: tuple[Path, ...]
    untied: tuple[TiedSession, ...]


# --- what the platform says -------------------------------------------------------------------------


def ancestors(history: str) -> tuple[str, ...]:
    """Return the courses that a session was copied from, as `Context.id.history` lists them.

    Percent-encoded identifiers between commas, the most recent copy first (LTI Core 1.3, variables of the
    context). A variable that the platform does not know arrives as it was typed: nothing is read from it.
    """
    if history.lstrip().startswith("$"):
        return ()
    found = [unquote(item.strip()) for item in history.split(",")]
    return tuple(dict.fromkeys(item[:255] for item in found if item))[:MOST_ANCESTORS]


def seen(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    issuer: str,
    context_id: str,
    idnumber: str,
    history: str,
) -> None:
    """Keep what a launch says of where a session comes from, and tie the session when it is new."""
    idnumber, history = idnumber.strip()[:255], history.strip()[:4000]
    if not idnumber and not ancestors(history):
        return
    o = course_origin.c
    known = conn.execute(
        select(o.idnumber, o.history).where(o.silo_id == silo_id, o.course_id == course_id)
    ).first()
    if known is not None and tuple(known) == (idnumber, history):
        return
    said = {"idnumber": idnumber, "history": history}
    written = insert(conn, course_origin).values(silo_id=silo_id, course_id=course_id, **said)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "course_id"], set_=said))
    a = course_ancestor.c
    conn.execute(delete(course_ancestor).where(a.silo_id == silo_id, a.course_id == course_id))
    rows = [
        {"silo_id": silo_id, "course_id": course_id, "rank": rank, "issuer": issuer, "context_id": name}
        for rank, name in enumerate(ancestors(history), 1)
        if name != context_id
    ]
    if rows:
        conn.execute(insert(conn, course_ancestor), rows)
    tie(conn, silo_id, course_id)


def tie(conn: Connection, silo_id: int, course_id: int) -> None:
    """Tie a session by its number, else by its copies; one tied by hand stays as it is."""
    o, c = course_origin.c, course.c
    found = conn.execute(
        select(o.idnumber, o.tied_by, c.path_id, c.issuer, c.context_id)
        .select_from(course.join(course_origin, and_(o.silo_id == c.silo_id, o.course_id == c.course_id)))
        .where(c.silo_id == silo_id, c.course_id == course_id)
    ).first()
    if found is None or found.tied_by == "hand":
        return
    by_number = _by_pattern(conn, silo_id, found.idnumber)
    if by_number is not None:
        _write(conn, silo_id, [course_id], by_number, "pattern")
    elif found.path_id is None or found.tied_by in ("copy", "pattern"):
        by_copy = _by_copy(conn, silo_id, course_id, found.issuer, found.context_id)
        if by_copy is not None:
            _write(conn, silo_id, [course_id], by_copy, "copy")
        elif found.tied_by == "pattern":
            _write(conn, silo_id, [course_id], None, "")


def _by_pattern(conn: Connection, silo_id: int, idnumber: str) -> int | None:
    """Return the path whose pattern fits a number; the longest pattern speaks first."""
    if not idnumber:
        return None
    p = path_pattern.c
    rows = conn.execute(select(p.pattern, p.path_id).where(p.silo_id == silo_id)).all()
    fitting = [(len(row.pattern), row.pattern, row.path_id) for row in rows if _fits(idnumber, row.pattern)]
    return max(fitting)[2] if fitting else None


def _fits(idnumber: str, pattern: str) -> bool:
    return fnmatchcase(idnumber.casefold(), pattern.casefold())


def _by_copy(
    conn: Connection, silo_id: int, course_id: int, issuer: str | None, context_id: str | None
) -> int | None:
    """Return the path of the courses that share an origin, made when they have none yet.

    Relatives: the courses it was copied from, those copied from it, and those copied from the same one,
    known here or not: the model that sessions are copied from is often never opened.
    """
    if issuer is None:
        return None
    a, c = course_ancestor.c, course.c
    own = conn.execute(
        select(a.context_id).where(a.silo_id == silo_id, a.course_id == course_id).order_by(a.rank)
    )
    origins = list(own.scalars())
    shared = select(a.course_id).where(
        a.silo_id == silo_id, a.issuer == issuer, a.context_id.in_([*origins, context_id or ""])
    )
    relatives = conn.execute(
        select(c.course_id, c.path_id, c.context_id, c.title)
        .where(
            c.silo_id == silo_id,
            c.course_id != course_id,
            or_(
                and_(c.issuer == issuer, c.context_id.in_(origins)),
                c.course_id.in_(shared),
            ),
        )
        .order_by(c.course_id)
    ).all()
    if not relatives:
        return None
    near = {name: rank for rank, name in enumerate(origins)}
    ranked = sorted(relatives, key=lambda row: (near.get(row.context_id, len(near)), row.course_id))
    known = next((row.path_id for row in ranked if row.path_id is not None), None)
    if known is not None:
        return int(known)
    mine = conn.execute(select(c.title).where(c.silo_id == silo_id, c.course_id == course_id)).scalar()
    made = create(conn, silo_id, _name([row.title for row in ranked] + [mine]))
    _write(conn, silo_id, [row.course_id for row in ranked], made, "copy")
    return made


def _name(titles: Iterable[str | None]) -> str:
    """Name a path after what its sessions' titles share, else after the first of them.

    "Piloter un EPLE (2026-1)" and "Piloter un EPLE (2026-2)" make "Piloter un EPLE".
    """
    known = [title for title in titles if title]
    if not known:
        return "?"
    words = [title.split() for title in known]
    shared: list[str] = []
    for column in zip(*words, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    text = re.sub(r"[\s–—:(\[,/-]+$", "", " ".join(shared))
    return (text if len(text) >= 4 else known[0])[:MOST_TITLE]


# --- what an administrator decides --------------------------------------------------------------------


def create(conn: Connection, silo_id: int, title: str) -> int:
    """Make a path and return its number; PathError "title" when there is nothing to call it."""
    title = _title(title)
    # 52 bits: JavaScript and spreadsheets keep it exact.
    path_id = 1 + secrets.randbelow((1 << 52) - 1)
    conn.execute(insert(conn, path).values(silo_id=silo_id, path_id=path_id, title=title))
    return path_id


def rename(conn: Connection, silo_id: int, path_id: int, title: str) -> None:
    """Rename a path; PathError "title", "unknown"."""
    title = _title(title)
    _require(conn, silo_id, path_id)
    conn.execute(update(path).where(path.c.silo_id == silo_id, path.c.path_id == path_id).values(title=title))


def assign(conn: Connection, silo_id: int, course_ids: Sequence[int], path_id: int | None) -> int:
    """Tie sessions by hand to a path, or to none, and return how many there were; PathError "unknown".

    Courses that the silo does not have are left out.
    """
    if path_id is not None:
        _require(conn, silo_id, path_id)
    own = _own(conn, silo_id, course_ids)
    _write(conn, silo_id, own, path_id, "hand")
    return len(own)


def tie_by_file(conn: Connection, silo_id: int, course_ids: Sequence[int], path_id: int) -> None:
    """Tie sessions to the path that an imported file names."""
    _write(conn, silo_id, course_ids, path_id, "file")


def release(conn: Connection, silo_id: int, course_ids: Sequence[int]) -> int:
    """Give sessions back to what the platform says: a tie made by hand no longer holds."""
    own = _own(conn, silo_id, course_ids)
    _write(conn, silo_id, own, None, "")
    for course_id in own:
        tie(conn, silo_id, course_id)
    return len(own)


def add_pattern(conn: Connection, silo_id: int, path_id: int, pattern: str) -> int:
    """Tie every session whose number fits a pattern ("DIR-2026-*"), and return how many do.

    PathError "pattern" when it would fit everything, "taken" when it is another path's, "unknown".
    """
    pattern = " ".join(pattern.split())[:MOST_PATTERN]
    if not re.sub(r"[*?\[\]!\s-]", "", pattern):
        raise PathError("pattern", pattern)
    _require(conn, silo_id, path_id)
    p = path_pattern.c
    others = conn.execute(select(p.pattern, p.path_id).where(p.silo_id == silo_id)).all()
    if any(row.pattern.casefold() == pattern.casefold() and row.path_id != path_id for row in others):
        raise PathError("taken", pattern)
    written = insert(conn, path_pattern).values(silo_id=silo_id, path_id=path_id, pattern=pattern)
    conn.execute(written.on_conflict_do_nothing())
    fitting = _fitting(conn, silo_id, pattern)
    for course_id in fitting:
        tie(conn, silo_id, course_id)
    return len(fitting)


def remove_pattern(conn: Connection, silo_id: int, path_id: int, pattern: str) -> None:
    """Take a pattern away; the sessions that it tied are looked at again."""
    p = path_pattern.c
    conn.execute(delete(path_pattern).where(p.silo_id == silo_id, p.path_id == path_id, p.pattern == pattern))
    for course_id in _fitting(conn, silo_id, pattern):
        tie(conn, silo_id, course_id)


def merge(conn: Connection, silo_id: int, path_id: int, into: int) -> None:
    """Give a path's sessions and patterns to another, and remove it; PathError "unknown"."""
    _require(conn, silo_id, path_id)
    _require(conn, silo_id, into)
    if path_id == into:
        return
    c, p = course.c, path_pattern.c
    conn.execute(update(course).where(c.silo_id == silo_id, c.path_id == path_id).values(path_id=into))
    for pattern in (
        conn.execute(select(p.pattern).where(p.silo_id == silo_id, p.path_id == path_id)).scalars().all()
    ):
        moved = insert(conn, path_pattern).values(silo_id=silo_id, path_id=into, pattern=pattern)
        conn.execute(moved.on_conflict_do_nothing())
    conn.execute(delete(path_pattern).where(p.silo_id == silo_id, p.path_id == path_id))
    conn.execute(delete(path).where(path.c.silo_id == silo_id, path.c.path_id == path_id))


def read(conn: Connection, silo_id: int) -> Paths:
    """Return every path with its sessions, and the sessions without path."""
    c, o = course.c, course_origin.c
    rows = conn.execute(
        select(
            c.course_id, c.path_id, c.title, c.starts_on, c.ends_on,
            func.coalesce(o.idnumber, "").label("idnumber"),
            func.coalesce(o.tied_by, "").label("tied_by"),
        )
        .select_from(
            course.outerjoin(course_origin, and_(o.silo_id == c.silo_id, o.course_id == c.course_id))
        )
        .where(c.silo_id == silo_id)
    ).all()  # fmt: skip
    sessions: dict[int | None, list[TiedSession]] = {}
    for row in rows:
        sessions.setdefault(row.path_id, []).append(
            TiedSession(row.course_id, row.title or "", row.idnumber, row.starts_on, row.ends_on, row.tied_by)
        )
    patterns: dict[int, list[str]] = {}
    p = path_pattern.c
    for path_id, pattern in conn.execute(
        select(p.path_id, p.pattern).where(p.silo_id == silo_id).order_by(p.pattern)
    ):
        patterns.setdefault(path_id, []).append(pattern)
    titles: Mapping[int, str] = {
        row.path_id: row.title
        for row in conn.execute(select(path.c.path_id, path.c.title).where(path.c.silo_id == silo_id))
    }
    made = [
        Path(number, title, tuple(patterns.get(number, ())), _latest(sessions.get(number, ())))
        for number, title in titles.items()
    ]
    untied = [session for number, found in sessions.items() if number not in titles for session in found]
    return Paths(tuple(sorted(made, key=lambda one: (one.title.casefold(), one.path_id))), _latest(untied))


# --- the parts ----------------------------------------------------------------------------------------


def _latest(sessions: Iterable[TiedSession]) -> tuple[TiedSession, ...]:
    return tuple(
        sorted(sessions, key=lambda one: (-(one.starts_on or date.min).toordinal(), one.title, one.course_id))
    )


def _title(text: str) -> str:
    title = " ".join(text.split())[:MOST_TITLE]
    if not title:
        raise PathError("title")
    return title


def _require(conn: Connection, silo_id: int, path_id: int) -> None:
    found = conn.execute(select(path.c.path_id).where(path.c.silo_id == silo_id, path.c.path_id == path_id))
    if found.first() is None:
        raise PathError("unknown", str(path_id))


def _own(conn: Connection, silo_id: int, course_ids: Sequence[int]) -> list[int]:
    c = course.c
    found = conn.execute(select(c.course_id).where(c.silo_id == silo_id, c.course_id.in_(list(course_ids))))
    return list(found.scalars())


def _fitting(conn: Connection, silo_id: int, pattern: str) -> list[int]:
    o = course_origin.c
    rows = conn.execute(
        select(o.course_id, o.idnumber).where(o.silo_id == silo_id, o.idnumber != "").order_by(o.course_id)
    ).all()
    return [row.course_id for row in rows if _fits(row.idnumber, pattern)]


def _write(conn: Connection, silo_id: int, course_ids: Sequence[int], path_id: int | None, by: Tie) -> None:
    if not course_ids:
        return
    c = course.c
    conn.execute(
        update(course).where(c.silo_id == silo_id, c.course_id.in_(list(course_ids))).values(path_id=path_id)
    )
    rows = [{"silo_id": silo_id, "course_id": course_id, "tied_by": by} for course_id in sorted(course_ids)]
    written = insert(conn, course_origin)
    conn.execute(
        written.on_conflict_do_update(
            index_elements=["silo_id", "course_id"], set_={"tied_by": written.excluded.tied_by}
        ),
        rows,
    )
