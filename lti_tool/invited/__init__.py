"""People who answer a questionnaire by a link, without LTI nor account: who they are, and their links.

The rows say to whom a link was given, never whether they answered: that is read of the answers themselves
(pseudonymous) or of the sealed box (anonymous), as for those who answer in the tool. Addresses and names
are sealed, and forgotten some days after the closing (`work.tidy`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import Connection, Row, delete, func, select, update

from analyzers import disclosure
from lti_tool import jobs, mail
from lti_tool.invited.reading import Recipient
from lti_tool.invited_tables import invited, invited_link
from lti_tool.surveys import reminders, rows
from lti_tool.surveys.rows import SurveyError
from lti_tool.tables import person
from tool_config.database import insert
from tool_config.roles import TRAINEE
from tool_config.sealing import SealError, seal, unseal
from tool_config.surveys import Survey
from xapi import publication
from xapi.tables import membership

#: Job that sends what is to be sent of one questionnaire.
KIND = "invited_send"
#: People invited to one questionnaire at most.
MOST = 500
#: Between two reminders of one questionnaire.
BETWEEN = timedelta(hours=20)

State = Literal["new", "copied", "queued", "sent", "refused", "failed"]


@dataclass(frozen=True)
class Invited:
    """Somebody invited; `address` and `name` are empty once forgotten."""

    invited_id: str
    #: Actor of a trainee of the course; None for somebody outside it.
    actor: str | None
    respondent: str | None
    address: str
    name: str
    locale: str
    state: State
    said: str
    sent_at: datetime | None
    remind: bool
    reminded_at: datetime | None


def sealed(secret_key: str, silo_id: int, text: str) -> str | None:
    """Seal an address or a name; None for nothing."""
    return seal(secret_key, f"invited {silo_id}", text) if text else None


def from_row(row: Row[Any], secret_key: str) -> Invited:
    """Return somebody invited; what another secret key sealed is lost, and empty."""

    def opened(text: str | None) -> str:
        try:
            return unseal(secret_key, f"invited {row.silo_id}", text) if text else ""
        except SealError:
            return ""

    return Invited(
        invited_id=row.invited_id,
        actor=row.actor,
        respondent=row.respondent,
        address=opened(row.address),
        name=opened(row.name),
        locale=row.locale,
        state=cast(State, row.state),
        said=row.said,
        sent_at=row.sent_at,
        remind=row.remind,
        reminded_at=row.reminded_at,
    )


def listing(conn: Connection, asked: Survey, *, secret_key: str) -> tuple[Invited, ...]:
    """Return those invited to a questionnaire, by name or address."""
    found = conn.execute(select(invited).where(*rows.same(invited, asked)))
    people = [from_row(row, secret_key) for row in found]
    return tuple(sorted(people, key=lambda one: ((one.name or one.address).casefold(), one.invited_id)))


def find(conn: Connection, asked: Survey, invited_id: str, *, secret_key: str) -> Invited:
    """Return somebody invited; raises SurveyError("not_found")."""
    row = conn.execute(
        select(invited).where(*rows.same(invited, asked), invited.c.invited_id == invited_id)
    ).first()
    if row is None:
        raise SurveyError("not_found")
    return from_row(row, secret_key)


# --- adding and taking away ---------------------------------------------------------------------------


def add(
    conn: Connection,
    asked: Survey,
    recipients: Sequence[Recipient],
    *,
    locale: str,
    secret_key: str,
    now: datetime,
) -> int:
    """Add people outside the course; those whose address is there already are left. Return how many.

    Raises SurveyError: closed, trainees (they are chosen from the list), too_many.
    """
    if asked.template.audience == "trainees":
        raise SurveyError("trainees")
    there = {one.address.casefold() for one in _open(conn, asked, secret_key, now)}
    fresh = [one for one in recipients if not one.address or one.address.casefold() not in there]
    if len(there) + len(fresh) > MOST:
        raise SurveyError("too_many")
    for one in fresh:
        _put(conn, asked, one, actor=None, locale=locale, secret_key=secret_key, now=now)
    return len(fresh)


def add_trainees(
    conn: Connection,
    asked: Survey,
    actors: Iterable[str],
    *,
    locale: str,
    secret_key: str,
    now: datetime,
) -> int:
    """Add people of the course, who answer in their own name; return how many. SurveyError: closed."""
    there = {one.actor for one in _open(conn, asked, secret_key, now)}
    known = {one.actor: one for one in trainees(conn, asked)}
    chosen = [known[actor] for actor in sorted(set(actors) - there) if actor in known]
    for one in chosen:
        recipient = Recipient(one.address, "")
        _put(conn, asked, recipient, actor=one.actor, locale=locale, secret_key=secret_key, now=now)
    return len(chosen)


@dataclass(frozen=True)
class Trainee:
    """Somebody who follows the session, or did; their address, "" when none usable is known."""

    actor: str
    address: str


def trainees(conn: Connection, asked: Survey) -> tuple[Trainee, ...]:
    """Return the trainees of a course who have an account, those who left included."""
    query = (
        select(person.c.actor, func.max(person.c.email))
        .select_from(
            person.join(
                membership,
                (membership.c.silo_id == person.c.silo_id) & (membership.c.actor == person.c.actor),
            )
        )
        .where(
            person.c.silo_id == asked.silo_id,
            membership.c.course_id == asked.course_id,
            membership.c.role == TRAINEE,
            membership.c.aside_at.is_(None),
        )
        .group_by(person.c.actor)
        .order_by(person.c.actor)
    )
    found = ((actor, (email or "").strip()) for actor, email in conn.execute(query))
    return tuple(Trainee(actor, email if mail.usable(email) else "") for actor, email in found)


def _open(conn: Connection, asked: Survey, secret_key: str, now: datetime) -> tuple[Invited, ...]:
    """Lock the questionnaire and return who is invited; raises SurveyError("closed")."""
    if rows.locked(conn, asked).state(now) == "closed":
        raise SurveyError("closed")
    return listing(conn, asked, secret_key=secret_key)


def _put(
    conn: Connection,
    asked: Survey,
    one: Recipient,
    *,
    actor: str | None,
    locale: str,
    secret_key: str,
    now: datetime,
) -> None:
    row = {
        "silo_id": asked.silo_id,
        "course_id": asked.course_id,
        "survey_id": asked.survey_id,
        "invited_id": uuid.uuid4().hex,
        "actor": actor,
        "respondent": None if actor else uuid.uuid4().hex,
        "address": sealed(secret_key, asked.silo_id, one.address),
        "name": sealed(secret_key, asked.silo_id, one.name),
        "locale": locale,
        "state": "new",
        "said": "",
        "remind": False,
        "created_at": now,
    }
    conn.execute(insert(conn, invited), row)


def remove(conn: Connection, asked: Survey, invited_id: str) -> None:
    """Take somebody from the list; their links lead nowhere any more. What they answered stays."""
    for table in (invited_link, invited):
        conn.execute(delete(table).where(*rows.same(table, asked), table.c.invited_id == invited_id))


def forget(conn: Connection, asked: Survey) -> None:
    """Forget all who were invited to a questionnaire, and their links."""
    for table in (invited_link, invited):
        conn.execute(delete(table).where(*rows.same(table, asked)))


# --- sending ------------------------------------------------------------------------------------------


def ask_sending(conn: Connection, asked: Survey, *, now: datetime) -> int:
    """Have the link sent to those who have an address and did not get it; return how many.

    Those who were refused are tried again. A questionnaire not open yet sends when it opens.
    Raises SurveyError("closed").
    """
    _require_not_closed(conn, asked, now)
    waiting = invited.c.state.in_(("new", "refused", "failed")), invited.c.address.is_not(None)
    changed = conn.execute(
        update(invited).where(*rows.same(invited, asked), *waiting).values(state="queued", said="")
    )
    if changed.rowcount:
        enqueue(conn, asked, now=now)
    return changed.rowcount


def ask_reminding(conn: Connection, asked: Survey, *, now: datetime) -> None:
    """Have a reminder sent to those who got the link and have not answered when their turn comes.

    All are marked alike: the rows do not tell who answered. Raises SurveyError: anonymous, closed,
    not_open_yet, too_soon.
    """
    if asked.mode == "anonymous":
        raise SurveyError("anonymous")
    _require_not_closed(conn, asked, now)
    if asked.state(now) == "scheduled":
        raise SurveyError("not_open_yet")
    last = last_reminder(conn, asked)
    if last is not None and now - last < BETWEEN:
        raise SurveyError("too_soon")
    conn.execute(
        update(invited)
        .where(*rows.same(invited, asked), invited.c.state == "sent", invited.c.address.is_not(None))
        .values(remind=True, reminded_at=now)
    )
    enqueue(conn, asked, now=now)


def last_reminder(conn: Connection, asked: Survey) -> datetime | None:
    """Return when a reminder was last asked for."""
    query = select(invited.c.reminded_at).where(
        *rows.same(invited, asked), invited.c.reminded_at.is_not(None)
    )
    return max(conn.scalars(query), default=None)


def enqueue(conn: Connection, asked: Survey, *, now: datetime) -> None:
    """Ask for the job that sends what is to be sent of a questionnaire, from its opening on."""
    payload = {"course": asked.course_id, "survey": asked.survey_id}
    due = max(now, asked.opens_at)
    jobs.enqueue(conn, asked.silo_id, KIND, payload, now=now, due=due, key=f"invited {asked.survey_id}")


def _require_not_closed(conn: Connection, asked: Survey, now: datetime) -> None:
    if rows.locked(conn, asked).state(now) == "closed":
        raise SurveyError("closed")


# --- who answered, as it may be told ------------------------------------------------------------------


@dataclass(frozen=True)
class Answered:
    """Who had answered when the figures last moved, as far as it may be told."""

    #: False: nobody is told apart (anonymous, or so few wait that naming the others would name them).
    told: bool
    keys: frozenset[str]


def answered(
    conn: Connection, asked: Survey, people: Sequence[Invited], keys: Sequence[str], *, k: int
) -> Answered:
    """Return who of those invited had answered at the last step; `keys`: their actors, in order.

    The rule of `reminders.listed`: the state moves with the figures, and those who wait are nobody or `k`.
    """
    if asked.mode == "anonymous" or not people:
        return Answered(told=False, keys=frozenset())
    seen = publication.published(conn, asked.silo_id, asked.course_id, asked.survey_id)
    done = frozenset(reminders.answered(conn, asked)[:seen]) & frozenset(keys)
    waiting = len(keys) - len(done)
    if not done or (waiting and not disclosure.enough(waiting, k)):
        return Answered(told=False, keys=frozenset())
    return Answered(told=True, keys=done)
