"""What is done to an entry of the improvement log: opened, decided, acted on, checked, abandoned, published.

Each change raises the entry's version and adds a line to its history, which nobody rewrites. A form carries
the version that it was made from: an older one is refused (Stale), so that two people never write over each
other. Nobody below commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select, update

from lti_tool.improvement_tables import improvement, improvement_change
from lti_tool.improvements.figures import Seen
from tool_config.database import insert

OBSERVATION, COMPLAINT = "observation", "complaint"
STATES = ("observed", "decided", "ongoing", "checked", "abandoned")
#: What a remark is about.
OBJECTS = ("content", "pedagogy", "ergonomics", "technique", "access", "organisation")
#: States in which something is still to be done.
OPEN = ("observed", "decided", "ongoing")
#: Step -> states from which it may be taken.
_FROM: Mapping[str, tuple[str, ...]] = {
    "decided": OPEN,
    "acted": ("decided", "ongoing"),
    "checked": ("decided", "ongoing"),
    "abandoned": OPEN,
    "reopened": ("checked", "abandoned"),
    "answered": STATES,
    "published": STATES,
    "withdrawn": STATES,
}
LONGEST = 2000
LONGEST_NAME = 120
#: Days in which a complaint is answered.
ANSWER_DAYS = 15
#: Complaints that one session may send in a day.
MOST_COMPLAINTS = 50


class ImprovementError(Exception):
    """A change that cannot be made; `fields` has the fault of each field: required, too_long, past, state…"""

    def __init__(self, **faults: str) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in faults.items()))
        self.fields = faults


class Stale(Exception):  # noqa: N818
    """Somebody else changed the entry since the form was made; nothing was written."""


@dataclass(frozen=True)
class Author:
    """Who makes a change; `actor` None: a trainee, whoever they are."""

    actor: str | None
    role: str


@dataclass(frozen=True)
class Entry:
    """One entry, as its row is."""

    silo_id: int
    course_id: int
    improvement_id: str
    kind: str
    reference: str
    module: str
    object: str
    state: str
    noticed: str
    opened_on: date
    opened_by: str | None
    decision: str = ""
    owner: str | None = None
    owner_name: str = ""
    due_on: date | None = None
    action: str = ""
    conclusion: str = ""
    checked_version: int | None = None
    author: str | None = None
    reserved: bool = False
    answer_by: date | None = None
    answer: str = ""
    answered_on: date | None = None
    told: str = ""
    done: str = ""
    published_on: date | None = None
    version: int = 1

    def late(self, today: date) -> bool:
        """Say whether what was to be done by a day is not, or a complaint not answered in time."""
        action = self.state in ("decided", "ongoing") and self.due_on is not None and self.due_on < today
        return action or self.unanswered(today)

    def unanswered(self, today: date) -> bool:
        """Say whether a complaint should have been answered by now."""
        waiting = self.answered_on is None and self.state != "abandoned"
        return waiting and self.answer_by is not None and self.answer_by < today

    def may(self, step: str) -> bool:
        """Say whether a step may be taken from the state that the entry is in."""
        if step == "answered":
            return self.kind == COMPLAINT
        if step == "withdrawn":
            return self.published_on is not None
        return self.state in _FROM[step]


COLUMNS = tuple(improvement.c[item.name] for item in fields(Entry))


def find(conn: Connection, silo_id: int, course_id: int, improvement_id: str) -> Entry | None:
    """Return an entry of a course (0: of the silo), or None."""
    c = improvement.c
    query = select(*COLUMNS).where(
        c.silo_id == silo_id, c.course_id == course_id, c.improvement_id == improvement_id
    )
    row = conn.execute(query).first()
    return Entry(**row._mapping) if row else None


def open_entry(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    improvement_id: str,
    kind: str,
    reference: str = "",
    figure: Seen | None = None,
    noticed: str = "",
    about: str = "",
    by: Author,
    now: datetime,
    today: date,
    module: str = "",
    author: str | None = None,
    reserved: bool = False,
) -> Entry:
    """Open an entry; sent twice under one identifier, it is opened once.

    `figure` is frozen as it was read just now; without one, `noticed` is required. `author`: whose complaint,
    when they chose to be named. Raises ImprovementError.
    """
    faults = _faults({"noticed": noticed}, required=() if figure else ("noticed",))
    if about and about not in OBJECTS:
        faults["object"] = "unknown"
    if faults:
        raise ImprovementError(**faults)
    known = find(conn, silo_id, course_id, improvement_id)
    if known is not None:
        return known
    made = Entry(
        silo_id=silo_id,
        course_id=course_id,
        improvement_id=improvement_id,
        kind=kind,
        reference=reference,
        module=figure.module if figure else module,
        object=about,
        state="observed",
        noticed=noticed.strip(),
        opened_on=today,
        opened_by=by.actor,
        author=author,
        reserved=reserved,
        answer_by=today + timedelta(days=ANSWER_DAYS) if kind == COMPLAINT else None,
    )
    written = conn.execute(insert(conn, improvement).values(asdict(made)).on_conflict_do_nothing())
    if written.rowcount:  # else the other click of a double one was first
        _write(conn, made, "opened", by=by, now=now, figure=figure)
    return made


def complain(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    improvement_id: str,
    text: str,
    about: str,
    module: str,
    author: str | None,
    reserved: bool,
    today: date,
) -> Entry:
    """Open a trainee's complaint, cut to the day; without `author` nothing says whose it is.

    Raises ImprovementError, {"noticed": "many"} when the session has sent all that a day takes.
    """
    c = improvement.c
    sent = select(c.improvement_id).where(
        c.silo_id == silo_id, c.course_id == course_id, c.kind == COMPLAINT, c.opened_on == today,
        c.opened_by.is_(None),
    )  # fmt: skip
    if len(conn.execute(sent.limit(MOST_COMPLAINTS)).all()) == MOST_COMPLAINTS:
        raise ImprovementError(noticed="many")
    return open_entry(
        conn,
        silo_id,
        course_id,
        improvement_id=improvement_id,
        kind=COMPLAINT,
        noticed=text,
        about=about,
        by=Author(None, "trainee"),
        now=datetime.combine(today, time(), UTC),
        today=today,
        module=module,
        author=author,
        reserved=reserved,
    )


# --- steps ------------------------------------------------------------------------------------------------


def decide(
    conn: Connection,
    entry: Entry,
    version: int,
    *,
    decision: str,
    owner: str | None,
    owner_name: str,
    due_on: date | None,
    by: Author,
    now: datetime,
    today: date,
) -> Entry:
    """Say what is decided, who does it and by when; may be said again while the entry is open."""
    faults = _faults({"decision": decision, "owner_name": owner_name}, required=("decision",))
    if not owner and not owner_name.strip():
        faults["owner_name"] = "required"
    if due_on is None:
        faults["due_on"] = "day"
    elif due_on < today and due_on != entry.due_on:
        faults["due_on"] = "past"
    values = {
        "decision": decision.strip(),
        "owner": owner or None,
        "owner_name": "" if owner else owner_name.strip(),
        "due_on": due_on,
        "state": "ongoing" if entry.state == "ongoing" else "decided",
    }
    return _step(conn, entry, version, "decided", values, faults, by=by, now=now)


def act(conn: Connection, entry: Entry, version: int, *, action: str, by: Author, now: datetime) -> Entry:
    """Say what is done."""
    values = {"action": action.strip(), "state": "ongoing"}
    faults = _faults({"action": action}, required=("action",))
    return _step(conn, entry, version, "acted", values, faults, by=by, now=now)


def check(
    conn: Connection,
    entry: Entry,
    version: int,
    *,
    conclusion: str,
    figure: Seen | None,
    by: Author,
    now: datetime,
) -> Entry:
    """Say what was measured after: `figure`, read again just now, is frozen; the entry is over."""
    values = {"conclusion": conclusion.strip(), "state": "checked", "checked_version": version + 1}
    faults = _faults({"conclusion": conclusion}, required=("conclusion",))
    return _step(conn, entry, version, "checked", values, faults, by=by, now=now, figure=figure)


def abandon(conn: Connection, entry: Entry, version: int, *, reason: str, by: Author, now: datetime) -> Entry:
    """Give up, saying why."""
    faults = _faults({"reason": reason}, required=("reason",))
    values = {"state": "abandoned", "conclusion": reason.strip()}
    return _step(conn, entry, version, "abandoned", values, faults, by=by, now=now, reason=reason.strip())


def reopen(conn: Connection, entry: Entry, version: int, *, by: Author, now: datetime) -> Entry:
    """Take up again what was over; what was measured stays in the history."""
    values = {"state": "decided" if entry.decision else "observed", "conclusion": "", "checked_version": None}
    return _step(conn, entry, version, "reopened", values, {}, by=by, now=now)


def answer(
    conn: Connection, entry: Entry, version: int, *, answer: str, by: Author, now: datetime, today: date
) -> Entry:
    """Answer a complaint: who chose to be named reads it on their page."""
    faults = _faults({"answer": answer}, required=("answer",))
    values = {"answer": answer.strip(), "answered_on": entry.answered_on or today}
    return _step(conn, entry, version, "answered", values, faults, by=by, now=now)


def publish(
    conn: Connection,
    entry: Entry,
    version: int,
    *,
    told: str,
    done: str,
    faults: Mapping[str, str],
    by: Author,
    now: datetime,
    today: date,
) -> Entry:
    """Show the trainees what was told and what was done; `faults`: what a review of the texts found."""
    found = {**faults, **_faults({"told": told, "done": done}, required=("told", "done"))}
    if not entry.course_id:
        found["told"] = "silo"
    values: dict[str, Any] = {"told": told.strip(), "done": done.strip(), "published_on": today}
    if entry.kind == COMPLAINT and entry.author is None:
        values["answered_on"] = entry.answered_on or today  # nobody to answer but everybody
    return _step(conn, entry, version, "published", values, found, by=by, now=now)


def withdraw(conn: Connection, entry: Entry, version: int, *, by: Author, now: datetime) -> Entry:
    """Take an entry off the trainees' page; its texts are kept."""
    return _step(conn, entry, version, "withdrawn", {"published_on": None}, {}, by=by, now=now)


def _step(
    conn: Connection,
    entry: Entry,
    version: int,
    step: str,
    values: Mapping[str, Any],
    faults: Mapping[str, str],
    *,
    by: Author,
    now: datetime,
    figure: Seen | None = None,
    reason: str = "",
) -> Entry:
    """Write one step and its line of history; Stale when `version` is not the entry's any more."""
    if version != entry.version:
        raise Stale
    if not entry.may(step):
        raise ImprovementError(state="state")
    if faults:
        raise ImprovementError(**faults)
    c = improvement.c
    mine = and_(
        c.silo_id == entry.silo_id,
        c.course_id == entry.course_id,
        c.improvement_id == entry.improvement_id,
        c.version == version,
    )
    written = conn.execute(update(improvement).where(mine).values(**values, version=version + 1))
    if written.rowcount != 1:
        raise Stale
    changed = replace(entry, **values, version=version + 1)
    _write(conn, changed, step, by=by, now=now, figure=figure, reason=reason, before=entry)
    return changed


def _write(
    conn: Connection,
    entry: Entry,
    step: str,
    *,
    by: Author,
    now: datetime,
    figure: Seen | None = None,
    reason: str = "",
    before: Entry | None = None,
) -> None:
    told = {
        item.name: [_plain(getattr(before, item.name)), _plain(getattr(entry, item.name))]
        for item in (fields(Entry) if before else ())
        if item.name != "version" and getattr(before, item.name) != getattr(entry, item.name)
    }
    conn.execute(
        insert(conn, improvement_change).values(
            silo_id=entry.silo_id,
            course_id=entry.course_id,
            improvement_id=entry.improvement_id,
            version=entry.version,
            at=now,
            by=by.actor,
            role=by.role,
            step=step,
            figure=figure.stored() if figure else None,
            fields=told,
            reason=reason,
        )
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _faults(texts: Mapping[str, str], *, required: tuple[str, ...]) -> dict[str, str]:
    found = {name: "required" for name in required if not texts[name].strip()}
    for name, text in texts.items():
        if len(text) > (LONGEST_NAME if name == "owner_name" else LONGEST):
            found[name] = "too_long"
    return found
