"""Copies of a silo kept by other stores: which, how far each is, who is at it, what the peer refused.

**Never a row skipped.** A copy goes through the statements in the order (stored, id), no further than the
instant before which every statement is visible (`store.consistent_through`): a row committed late, with an
earlier `stored`, is still ahead of the cursor. The cursor moves in the transaction that says what became of
the statements, after the peer answered: whatever stops in between, they are sent again, which a store
takes as nothing new.

**One worker at a time.** Who forwards holds the row by a claim that ends by itself; every change of the row
is made under that claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import (
    ColumnElement,
    Connection,
    Uuid,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from tool_config.database import Instant, insert
from xapi import store
from xapi.forward_tables import forward, forward_dead
from xapi.tables import statement

VERSIONS = ("auto", "1.0.3", "2.0.0")
#: A worker that was killed gives up its claim after so long; longer than any request takes.
LEASE = timedelta(seconds=60)
#: Failures counted: there the wait is the longest and a request the smallest.
MOST_FAILURES = 10
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_LONGEST_ERROR = 500


class ForwardFault(Exception):  # noqa: N818 - a refusal, as those of the store
    """A copy that cannot be made, found or changed; the message says why."""


@dataclass(frozen=True)
class Forward:
    """One copy: where it is kept and how far it is."""

    silo_id: int
    name: str
    url: str
    version: str
    username: str
    sealed_secret: str = field(repr=False)
    with_answers: bool
    allow_private: bool
    paused: bool
    created_at: datetime
    after_stored: datetime
    after_id: str
    sent: int
    left_out: int
    failures: int
    next_at: datetime | None
    last_error: str
    last_sent_at: datetime | None
    claim: str
    claimed_until: datetime | None


def check_url(url: str, *, allow_private: bool) -> str:
    """Return the endpoint of a store without its final slash; ForwardFault when it cannot be one."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ForwardFault("the address cannot be read") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ForwardFault("the address must be an endpoint such as https://lrs.example.fr/xapi")
    if parts.scheme == "http" and not allow_private:
        raise ForwardFault(
            "the address must begin with https (--allow-private lets a private one do without)"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ForwardFault("the address must hold no name, no parameter and no fragment")
    return url.rstrip("/")


# --- what the command line does --------------------------------------------------------------------------


def add(
    conn: Connection,
    silo_id: int,
    name: str,
    *,
    url: str,
    username: str,
    sealed_secret: str,
    now: datetime,
    version: str = "auto",
    with_answers: bool = False,
    allow_private: bool = False,
    since: datetime | None = None,
) -> None:
    """Make a copy of what is stored after `since` (None: of everything); ForwardFault."""
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise ForwardFault("a forward needs a name of 1 to 100 characters")
    if version not in VERSIONS:
        raise ForwardFault(f"the version must be one of {', '.join(VERSIONS)}")
    row = {
        "silo_id": silo_id,
        "name": name,
        "url": check_url(url, allow_private=allow_private),
        "version": version,
        "username": username,
        "sealed_secret": sealed_secret,
        "with_answers": with_answers,
        "allow_private": allow_private,
        "paused": False,
        "created_at": now,
        "after_stored": since or _BEGINNING,
        "after_id": _LAST_ID if since else _FIRST_ID,
        "sent": 0,
        "left_out": 0,
        "failures": 0,
        "last_error": "",
        "claim": "",
    }
    adding = insert(conn, forward).values(row).on_conflict_do_nothing().returning(forward.c.name)
    if conn.execute(adding).first() is None:
        raise ForwardFault(f"this silo already has a forward named {name!r}")


def get(conn: Connection, silo_id: int, name: str) -> Forward:
    """Return a copy by its name; ForwardFault when there is none."""
    found = conn.execute(select(forward).where(*_is(silo_id, name))).first()
    if found is None:
        raise ForwardFault(f"this silo has no forward named {name!r}")
    return Forward(**found._mapping)


def list_all(conn: Connection, silo_id: int) -> list[Forward]:
    """Return the copies of a silo, by name."""
    rows = conn.execute(select(forward).where(forward.c.silo_id == silo_id).order_by(forward.c.name))
    return [Forward(**row._mapping) for row in rows]


def pause(conn: Connection, silo_id: int, name: str) -> None:
    """Send nothing until `resume`; a batch that is on its way still arrives."""
    _change(conn, silo_id, name, paused=True)


def resume(conn: Connection, silo_id: int, name: str) -> None:
    """Go on from where the copy is, without waiting."""
    _change(conn, silo_id, name, paused=False, next_at=None, failures=0, last_error="")


def remove(conn: Connection, silo_id: int, name: str) -> None:
    """Forget a copy and its dead letters; the peer keeps what it has."""
    get(conn, silo_id, name)
    conn.execute(delete(forward_dead).where(forward_dead.c.silo_id == silo_id, forward_dead.c.name == name))
    conn.execute(delete(forward).where(*_is(silo_id, name)))


def dead(conn: Connection, silo_id: int, name: str, *, limit: int = 100) -> list[Any]:
    """Return (statement_id, status, reason, refused_at, again) of what the peer refused, oldest first."""
    columns = forward_dead.c
    wanted = select(
        columns.statement_id, columns.status, columns.reason, columns.refused_at, columns.again
    ).where(columns.silo_id == silo_id, columns.name == name)
    return list(conn.execute(wanted.order_by(columns.refused_at, columns.statement_id).limit(limit)))


def count_dead(conn: Connection, silo_id: int, name: str) -> int:
    """Return how many statements the peer refused."""
    columns = forward_dead.c
    wanted = select(func.count()).where(columns.silo_id == silo_id, columns.name == name)
    return int(conn.execute(wanted).scalar_one())


def waiting(conn: Connection, one: Forward) -> int:
    """Return how many statements are ahead of the cursor, answers included."""
    wanted = select(func.count()).select_from(statement).where(*_ahead(one))
    return int(conn.execute(wanted).scalar_one())


def retry(conn: Connection, silo_id: int, name: str, ids: Sequence[str] | None = None) -> int:
    """Have refused statements sent again (None: all), now; return how many."""
    resume(conn, silo_id, name)
    marking = update(forward_dead).where(forward_dead.c.silo_id == silo_id, forward_dead.c.name == name)
    if ids is not None:
        marking = marking.where(forward_dead.c.statement_id.in_(ids))
    return int(conn.execute(marking.values(again=True)).rowcount)


def _change(conn: Connection, silo_id: int, name: str, **values: Any) -> None:
    get(conn, silo_id, name)
    conn.execute(update(forward).where(*_is(silo_id, name)).values(**values))


def _is(silo_id: int, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return forward.c.silo_id == silo_id, forward.c.name == name


def rewind(conn: Connection, silo_id: int, moment: datetime) -> None:
    """Bring back the copies that are past an instant: statements are written there (an import).

    What they sent since is sent again. A batch on its way moves no cursor: its claim is taken away.
    """
    conn.execute(
        update(forward)
        .where(forward.c.silo_id == silo_id, forward.c.after_stored >= moment)
        .values(
            after_stored=moment - timedelta(milliseconds=1), after_id=_LAST_ID, claim="", claimed_until=None
        )
    )


# --- what a worker does ------------------------------------------------------------------------------------


def due(conn: Connection, silo_id: int, now: datetime) -> list[str]:
    """Return the names of the copies that have something to send and nobody at it."""
    columns = forward.c
    rows = conn.execute(select(forward).where(columns.silo_id == silo_id, *_is_free(now)))
    waiting = [Forward(**row._mapping) for row in rows]
    return [one.name for one in waiting if again(conn, one, limit=1) or places(conn, one, now, limit=1)]


def _is_free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    columns = forward.c
    return (
        columns.paused.is_(False),
        or_(columns.next_at.is_(None), columns.next_at <= now),
        or_(columns.claimed_until.is_(None), columns.claimed_until <= now),
    )


def claim(conn: Connection, silo_id: int, name: str, token: str, now: datetime) -> Forward | None:
    """Take a copy in hand under a token drawn at random; None when it is not free."""
    taking = (
        update(forward)
        .where(*_is(silo_id, name), *_is_free(now))
        .values(claim=token, claimed_until=now + LEASE)
        .returning(forward)
    )
    found = conn.execute(taking).first()
    return Forward(**found._mapping) if found else None


def places(conn: Connection, one: Forward, now: datetime, *, limit: int) -> list[Any]:
    """Return (stored, id, length) of the next statements to send, none of which can be preceded any more."""
    through = store.consistent_through(conn, one.silo_id, now)
    wanted = (
        select(statement.c.stored, statement.c.id, func.length(statement.c.raw).label("length"))
        .where(statement.c.stored < through, *_ahead(one))
        .order_by(statement.c.stored, statement.c.id)
        .limit(limit)
    )
    return list(conn.execute(wanted))


def _ahead(one: Forward) -> tuple[ColumnElement[bool], ...]:
    place = tuple_(literal(one.after_stored, Instant()), literal(one.after_id, Uuid(as_uuid=False)))
    return (
        statement.c.silo_id == one.silo_id,
        # Said alone too: the planner takes its range of the index from it.
        statement.c.stored >= one.after_stored,
        tuple_(statement.c.stored, statement.c.id) > place,
    )


def again(conn: Connection, one: Forward, *, limit: int) -> list[str]:
    """Return the ids of the refused statements that are to be sent again."""
    columns = forward_dead.c
    wanted = select(columns.statement_id).where(
        columns.silo_id == one.silo_id, columns.name == one.name, columns.again.is_(True)
    )
    return list(
        conn.execute(wanted.order_by(columns.refused_at, columns.statement_id).limit(limit)).scalars()
    )


class ClaimLost(Exception):  # noqa: N818
    """Somebody else forwards, or the copy was removed or brought back: what was sent counts for nothing."""


def advance(
    conn: Connection, one: Forward, *, after: tuple[datetime, str], sent: int, left_out: int, now: datetime
) -> None:
    """Move the cursor past what the peer answered for; raises ClaimLost."""
    columns = forward.c
    _own(
        conn,
        one,
        after_stored=after[0],
        after_id=after[1],
        sent=columns.sent + sent,
        left_out=columns.left_out + left_out,
        claimed_until=now + LEASE,
        **(_well(now) if sent else {}),
    )


def keep_claim(conn: Connection, one: Forward, *, sent: int, now: datetime) -> None:
    """Hold a copy for longer, after sending something again; raises ClaimLost."""
    _own(conn, one, sent=forward.c.sent + sent, claimed_until=now + LEASE, **(_well(now) if sent else {}))


def _well(now: datetime) -> dict[str, Any]:
    """Return what an acceptance changes: one failure less, so that a peer in trouble is not flooded again."""
    failures = forward.c.failures
    return {"last_sent_at": now, "failures": case((failures > 0, failures - 1), else_=0), "last_error": ""}


def release(conn: Connection, one: Forward) -> None:
    """Leave a copy to others."""
    _own(conn, one, claim="", claimed_until=None)


def fail(conn: Connection, one: Forward, reason: str, *, next_at: datetime | None) -> None:
    """Leave a copy for a while, or until somebody resumes it (`next_at` None)."""
    values: dict[str, Any] = {"next_at": next_at} if next_at else {"paused": True}
    _own(
        conn,
        one,
        claim="",
        claimed_until=None,
        failures=min(one.failures + 1, MOST_FAILURES),
        last_error=reason[:_LONGEST_ERROR],
        **values,
    )


def _own(conn: Connection, one: Forward, **values: Any) -> None:
    changing = update(forward).where(*_is(one.silo_id, one.name), forward.c.claim == one.claim)
    if conn.execute(changing.values(**values)).rowcount != 1:
        raise ClaimLost


def bury(
    conn: Connection, one: Forward, statement_id: str, *, status: int, reason: str, now: datetime
) -> None:
    """Keep that the peer refused a statement."""
    said = {"status": status, "reason": reason[:_LONGEST_ERROR], "refused_at": now, "again": False}
    adding = insert(conn, forward_dead).values(
        silo_id=one.silo_id, name=one.name, statement_id=statement_id, **said
    )
    keys = [forward_dead.c.silo_id, forward_dead.c.name, forward_dead.c.statement_id]
    conn.execute(adding.on_conflict_do_update(index_elements=keys, set_=said))


def unbury(conn: Connection, one: Forward, statement_id: str) -> None:
    """Forget a refusal: the peer has the statement now, or there is none any more."""
    conn.execute(
        delete(forward_dead).where(
            forward_dead.c.silo_id == one.silo_id,
            forward_dead.c.name == one.name,
            forward_dead.c.statement_id == statement_id,
        )
    )
