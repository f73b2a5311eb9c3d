"""Comments: what is shown of them, and what a reader changes of their themes.

`work` reads them in the background; here, what it made is looked at. Every number has passed
`analyzers.comments.picture`, and every text was masked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, delete, select, update

from analyzers import comment_frames
from analyzers.comment_frames import Scope
from analyzers.comments import accuracy, picture
from analyzers.comments.picture import Choice, Line, Picture
from analyzers.comments.word_lists import fold
from lti_tool import jobs, surveys
from lti_tool.jobs import Job
from tool_config.rules import Rules
from tool_config.survey_model import OBJECTS
from xapi.comment_tables import comment_analysis, comment_member, comment_theme
from xapi.tables import course

KIND = "comments"
NIGHTLY = "comments-nightly"

#: Characters of the name that a reader gives to a theme, at most; of a search.
LONGEST_NAME = 80
LONGEST_SEARCH = 200


class CommentError(Exception):
    """A change of a theme that cannot be made. ``code``: unknown, name, same, object."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Theme:
    """A theme: its words, and what a reader said of it."""

    theme_id: str
    name: str
    object: str
    words: tuple[str, ...]
    #: A reader renamed it, merged it, or said what it is about.
    kept: bool
    #: Themes that it was made of.
    parts: int


@dataclass(frozen=True)
class Standing:
    """Where the reading of comments is."""

    #: Comments published, and those that the themes have not seen.
    published: int
    fresh: int
    #: Grows with each reading and each reader's change; 0 before the first reading.
    version: int
    #: The day of the last reading; None before the first.
    made_on: date | None
    stability: Mapping[int, float]
    job: Job | None
    #: What is there was read by the classifier of this version.
    current: bool

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.is_over

    @property
    def stale(self) -> bool:
        """Say whether comments are to be read again, or for the first time."""
        return self.published > 0 and (self.fresh > 0 or self.made_on is None or not self.current)


def threshold(scope: Scope, rules: Rules) -> int:
    """Return how many people must have written the comments of a group that is shown."""
    return rules.disclosure.course if scope.kind == "course" else rules.disclosure.across


# --- looking ----------------------------------------------------------------------------------------------


def standing(conn: Connection, silo_id: int, scope: Scope, rules: Rules) -> Standing:
    """Return what is read, what is not yet, and the work under way."""
    published, fresh = comment_frames.waiting(conn, silo_id, scope, k=rules.disclosure.course)
    row = conn.execute(select(comment_analysis).where(*_mine(silo_id, scope))).first()
    return Standing(
        published=published,
        fresh=fresh,
        version=row.version if row else 0,
        made_on=row.made_on if row else None,
        stability={int(number): value for number, value in row.stability.items()} if row else {},
        job=jobs.latest(conn, silo_id, _job_key(scope)),
        current=row is None or row.model == accuracy.read().digest,
    )


def themes(conn: Connection, silo_id: int, scope: Scope) -> dict[str, Theme]:
    """Return the themes of a scope by identifier."""
    theme = comment_theme.c
    query = select(comment_theme).where(theme.silo_id == silo_id, theme.scope == scope.key)
    return {
        row.theme_id: Theme(row.theme_id, row.name, row.object, tuple(row.words), row.kept, len(row.profiles))
        for row in conn.execute(query)
    }


def lines(
    conn: Connection, silo_id: int, scope: Scope, known: Mapping[str, Theme]
) -> tuple[list[Line], frozenset[str]]:
    """Return the comments read of a scope, and which of their questionnaires are anonymous.

    What a comment is about: what its question says, else what a reader said of its theme. A questionnaire
    that is not there (of a file) is taken for anonymous.
    """
    asked = {
        one.survey_id: one
        for one in (
            surveys.listing(conn, silo_id, scope.number)
            if scope.kind == "course"
            else surveys.in_silo(conn, silo_id)
        )
    }
    about = {
        (survey_id, question.id): question.object or ""
        for survey_id, one in asked.items()
        for question in one.template.comments
    }
    found: list[Line] = []
    for row in comment_frames.lines(conn, silo_id, scope):
        theme = known.get(row.theme_id)
        found.append(
            Line(
                course_id=row.course_id,
                survey_id=row.survey_id,
                comment_id=row.comment_id,
                question=row.question,
                respondent=row.respondent,
                module=row.module,
                phase=row.phase,
                object=about.get((row.survey_id, row.question), "") or (theme.object if theme else ""),
                theme=row.theme_id if theme else "",
                closeness=row.closeness,
                polarity=row.polarity,
            )
        )
    hidden = {line.survey_id for line in found} - {
        name for name, one in asked.items() if one.mode == "pseudonymous"
    }
    return found, frozenset(hidden)


def draw(
    conn: Connection,
    silo_id: int,
    scope: Scope,
    known: Mapping[str, Theme],
    choice: Choice,
    *,
    search: str,
    rules: Rules,
) -> Picture:
    """Return what is shown of the comments of a scope, narrowed and searched."""
    words = fold(search[:LONGEST_SEARCH]).split()
    found = comment_frames.search(conn, silo_id, scope, words) if words else None
    there, anonymous = lines(conn, silo_id, scope, known)
    return picture.draw(there, choice, anonymous=anonymous, k=threshold(scope, rules), found=found)


#: Pictures of each store that nothing narrows to a list, the last ones asked for.
_PICTURES: WeakKeyDictionary[Engine, OrderedDict[tuple[object, ...], Picture]] = WeakKeyDictionary()
_MOST_PICTURES = 64
_lock = Lock()


def overview(
    conn: Connection,
    silo_id: int,
    scope: Scope,
    known: Mapping[str, Theme],
    choice: Choice,
    standing: Standing,
    *,
    rules: Rules,
) -> Picture:
    """Return the picture of a page that lists no comment, kept until something of it changes.

    What changes it has another version, or another number of comments seen: one taken back is counted out.
    """
    k = threshold(scope, rules)
    seen = standing.published - standing.fresh
    key = (silo_id, scope.key, standing.version, seen, choice.dimension, choice.value, k)
    with _lock:
        there = _PICTURES.setdefault(conn.engine, OrderedDict())
        if key in there:
            there.move_to_end(key)
            return there[key]
    made = draw(conn, silo_id, scope, known, Choice(choice.dimension, choice.value), search="", rules=rules)
    if made.chosen is not None:
        made = replace(made, chosen=())
    with _lock:
        there[key] = made
        while len(there) > _MOST_PICTURES:
            there.popitem(last=False)
    return made


def texts(conn: Connection, silo_id: int, scope: Scope, comment_ids: Sequence[str]) -> dict[str, str]:
    """Return the masked texts of comments that `draw` showed."""
    return comment_frames.texts(conn, silo_id, scope, comment_ids)


# --- asking -----------------------------------------------------------------------------------------------


def ask(conn: Connection, silo_id: int, scope: Scope, *, now: datetime) -> None:
    """Ask for the comments of a scope to be read, once however often it is asked."""
    jobs.enqueue(conn, silo_id, KIND, {"scope": scope.key}, now=now, key=_job_key(scope))


def _job_key(scope: Scope) -> str:
    return f"{KIND} {scope.key}"


# --- changing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """Who changes a theme, and when."""

    actor: str
    now: datetime


def rename(conn: Connection, silo_id: int, scope: Scope, theme_id: str, name: str, by: Reader) -> None:
    """Give a theme a name: it stays, with its comments, when new ones come. CommentError: name, unknown."""
    text = " ".join(name.split())
    if not text or len(text) > LONGEST_NAME:
        raise CommentError("name")
    _change(conn, silo_id, scope, theme_id, by, name=text)


def set_object(conn: Connection, silo_id: int, scope: Scope, theme_id: str, what: str, by: Reader) -> None:
    """Say what a theme is about ("" for nothing in particular). CommentError: object, unknown."""
    if what and what not in OBJECTS:
        raise CommentError("object")
    _change(conn, silo_id, scope, theme_id, by, object=what)


def merge(conn: Connection, silo_id: int, scope: Scope, theme_id: str, into: str, by: Reader) -> None:
    """Put the comments of a theme into another, which stays. CommentError: same, unknown."""
    if theme_id == into:
        raise CommentError("same")
    rows = {
        row.theme_id: row
        for row in conn.execute(
            select(comment_theme)
            .where(*_theme(silo_id, scope, theme_id, into))
            .order_by(comment_theme.c.theme_id)
            .with_for_update()
        )
    }
    if len(rows) != 2:
        raise CommentError("unknown")
    left, stays = rows[theme_id], rows[into]
    profiles = [*stays.profiles, *left.profiles]
    member = comment_member.c
    conn.execute(
        update(comment_member)
        .where(member.silo_id == silo_id, member.scope == scope.key, member.theme_id == theme_id)
        .values(theme_id=into)
    )
    conn.execute(delete(comment_theme).where(*_theme(silo_id, scope, theme_id)))
    _change(
        conn, silo_id, scope, into, by,
        name=stays.name or left.name, object=stays.object or left.object, profiles=profiles,
        words=list(picture.mixed([dict(profile) for profile in profiles])),
    )  # fmt: skip


def release(conn: Connection, silo_id: int, scope: Scope, theme_id: str, by: Reader) -> None:
    """Forget what a reader said of a theme, and read the comments again. CommentError: unknown."""
    _change(conn, silo_id, scope, theme_id, by, kept=False, name="", object="")
    ask(conn, silo_id, scope, now=by.now)


def _change(
    conn: Connection, silo_id: int, scope: Scope, theme_id: str, by: Reader, **values: object
) -> None:
    written = {"kept": True, "edited_by": by.actor, "edited_at": by.now} | values
    done = conn.execute(update(comment_theme).where(*_theme(silo_id, scope, theme_id)).values(written))
    if done.rowcount == 0:
        raise CommentError("unknown")
    # What is being read meanwhile is read again: it does not know of this.
    grown = {"version": comment_analysis.c.version + 1}
    conn.execute(update(comment_analysis).where(*_mine(silo_id, scope)).values(grown))


def _mine(silo_id: int, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return comment_analysis.c.silo_id == silo_id, comment_analysis.c.scope == scope.key


def _theme(silo_id: int, scope: Scope, *theme_ids: str) -> tuple[ColumnElement[bool], ...]:
    theme = comment_theme.c
    return theme.silo_id == silo_id, theme.scope == scope.key, theme.theme_id.in_(theme_ids)


def paths_with_comments(conn: Connection, silo_id: int, rules: Rules) -> list[int]:
    """Return the paths whose sessions have published comments."""
    there = comment_frames.scopes(conn, silo_id, k=rules.disclosure.course)
    return [scope.number for scope in there if scope.kind == "path"]


def has_path(conn: Connection, silo_id: int, path_id: int) -> bool:
    """Say whether a session of the silo is a run of a path."""
    query = select(course.c.course_id).where(course.c.silo_id == silo_id, course.c.path_id == path_id)
    return conn.execute(query.limit(1)).first() is not None
