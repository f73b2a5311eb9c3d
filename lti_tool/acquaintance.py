"""What is known of somebody and of a course when a launch arrives, and what the launch changes of it.

A class opens together, and most of what a launch says was said before: it is looked up in one query, and
only what differs is written, so that thirty launches of one course do not wait for one another's rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Text, bindparam, literal, null, select, union_all

from lti_tool import login
from lti_tool.launch import Launch
from lti_tool.tables import person
from tool_config.database import Rows, insert, leaving, replacing, write_together
from tool_config.prepared import ask
from tool_config.tables import administrator
from xapi import events, store
from xapi.statement import account_key, actor_key
from xapi.tables import actor as speaker
from xapi.tables import actor_alias, course, membership, rollup_pending
from xapi.tombstone_tables import tombstone_secret

#: Somebody seen less than this ago is not written again for having come back.
SEEN_AGAIN = timedelta(minutes=10)
_SAID = ("username", "name", "given_name", "family_name", "email", "locale")
_COURSE = ("issuer", "context_id", "title", "label")
_EMPTY = [null()] * len(_SAID)

# The statements below are made once: building them costs more than the database takes to answer.
_SILO: BindParameter[int] = bindparam("silo")
#: Those of who comes, and of two more names under which traces may speak of them.
_KEYS = [bindparam(f"key_{rank}", type_=Text) for rank in range(3)]
_PEOPLE = (
    select(literal("person"), person.c.actor, *(person.c[name] for name in _SAID), person.c.seen_at).where(
        person.c.silo_id == _SILO, person.c.actor.in_(_KEYS)
    ),
    select(literal("alias"), actor_alias.c.alias, actor_alias.c.actor, *_EMPTY).where(
        actor_alias.c.silo_id == _SILO, actor_alias.c.alias.in_(_KEYS)
    ),
    select(literal("followed"), actor_alias.c.actor, *_EMPTY, null()).where(
        actor_alias.c.silo_id == _SILO, actor_alias.c.actor.in_(_KEYS)
    ),
    select(literal("spoken"), speaker.c.actor, speaker.c.name, *_EMPTY[1:], speaker.c.name_at).where(
        speaker.c.silo_id == _SILO, speaker.c.actor.in_(_KEYS)
    ),
    select(literal("administrator"), administrator.c.sub, *_EMPTY, null()).where(
        administrator.c.silo_id == _SILO,
        administrator.c.issuer == bindparam("issuer"),
        administrator.c.sub == bindparam("sub"),
    ),
    select(literal("course"), literal(""), *(course.c[name] for name in _COURSE), *_EMPTY[4:], null()).where(
        course.c.silo_id == _SILO, course.c.course_id == bindparam("course")
    ),
    select(literal("member"), membership.c.actor, membership.c.role, *_EMPTY[1:], membership.c.until).where(
        membership.c.silo_id == _SILO,
        membership.c.course_id == bindparam("course"),
        membership.c.actor == bindparam("actor"),
    ),
    select(literal("secret"), tombstone_secret.c.secret, *_EMPTY, null()).where(
        tombstone_secret.c.silo_id == _SILO
    ),
)
_LOOK_UP = union_all(*_PEOPLE)
#: The same, and the login taken with it: PostgreSQL does both in one exchange.
_taken = login.TAKE.cte("taken")
_TAKE_AND_LOOK_UP = union_all(
    *_PEOPLE, select(literal("taken"), _taken.c.state_hash, *_EMPTY, null()).select_from(_taken)
)


@dataclass(frozen=True)
class Known:
    """What the store knows of who comes; ``person`` is None for a newcomer."""

    actor: str
    administrator: bool
    person: Mapping[str, Any] | None
    #: Other names under which traces may speak of the same person, as this launch gives them.
    aliases: Sequence[str] = ()
    #: Alias -> whom it is counted for already.
    held: Mapping[str, str] = field(default_factory=dict)
    #: Keys that are somebody's own, that have traces, or that others are counted for.
    owned: frozenset[str] = frozenset()
    spoken: frozenset[str] = frozenset()
    #: The course of the launch (``_COURSE``) and who comes' place in it (role, until); None: not yet known.
    course: Mapping[str, Any] | None = None
    member: tuple[str, datetime | None] | None = None
    #: What the store of statements has of them.
    stored: store.Known | None = None


def recognise(
    conn: Connection,
    silo_id: int,
    launch: Launch,
    course_id: int = 0,
    spent: Mapping[str, Any] | None = None,
) -> Known:
    """Look up who comes, and to which course, in one query.

    ``spent``: the login to be taken with it (``login.spending``); Refused (401) when it is not there.
    """
    actor = account_key(launch.issuer, launch.sub)
    aliases = [alias for alias in _aliases(launch) if alias != actor]
    found: dict[str, dict[str, Any]] = {
        what: {}
        for what in (
            "person",
            "alias",
            "followed",
            "spoken",
            "administrator",
            "course",
            "member",
            "secret",
            "taken",
        )
    }
    keys = [actor, *aliases]
    values: dict[str, Any] = {"silo": silo_id, "issuer": launch.issuer, "sub": launch.sub}
    values |= {"actor": actor, "course": course_id}
    values |= {f"key_{rank}": key for rank, key in enumerate((keys + [actor] * 2)[:3])}
    together = spent is not None and conn.dialect.name == "postgresql"
    if spent is not None and together:
        values |= spent
    elif spent is not None:
        login.spend(conn, spent)
    for what, key, *rest in ask(conn, _TAKE_AND_LOOK_UP if together else _LOOK_UP, values):
        found[what][key] = rest
    if together and not found["taken"]:
        raise login.already_spent()
    own, place, member = found["person"].get(actor), found["course"].get(""), found["member"].get(actor)
    held = {alias: rest[0] for alias, rest in found["alias"].items()}
    return Known(
        actor=actor,
        administrator=bool(found["administrator"]),
        person=None if own is None else dict(zip((*_SAID, "seen_at"), own, strict=True)),
        aliases=aliases,
        held=held,
        owned=frozenset(found["person"]),
        spoken=frozenset(found["spoken"]) | frozenset(found["followed"]),
        course=None if place is None else dict(zip(_COURSE, place, strict=False)),
        member=None if member is None else (member[0], member[-1]),
        stored=store.Known(
            names={key: (rest[0], rest[-1]) for key, rest in found["spoken"].items()},
            aliases=held,
            courses=frozenset() if place is None else frozenset([course_id]),
            asked=frozenset(keys),
            secret=next(iter(found["secret"]), ""),
        ),
    )


def _aliases(launch: Launch) -> list[str]:
    names = []
    # A username of digits could be somebody's number on the platform.
    if launch.username and not launch.username.isdigit():
        names.append(account_key(launch.issuer, launch.username))
    if launch.email:
        names.append(actor_key({"mbox": f"mailto:{launch.email}"}))
    return names


def person_rows(silo_id: int, launch: Launch, known: Known, now: datetime) -> list[Rows]:
    """Return who came, to be written; what a platform withholds today does not erase what it said before."""
    said = {name: value for name in _SAID if (value := getattr(launch, name))}
    before = known.person
    lately = before is not None and before["seen_at"] is not None and now - before["seen_at"] < SEEN_AGAIN
    if before is not None and lately and all(before[name] == value for name, value in said.items()):
        return []
    values: dict[str, Any] = {**said, "seen_at": now}
    whose = {"silo_id": silo_id, "actor": known.actor, "issuer": launch.issuer, "sub": launch.sub}
    return [Rows(person, [{**whose, "created_at": now, **values}], replacing(*values))]


def add_aliases(conn: Connection, silo_id: int, known: Known) -> None:
    """Let traces that name the person by username or address count for them."""
    write_together(conn, alias_rows(conn, silo_id, known))


def alias_rows(conn: Connection, silo_id: int, known: Known) -> list[Rows]:
    """Return the other names of who comes, to be written, and count for them what those have said already.

    Both are signed by the platform, and still never take what belongs to somebody else: a name that is
    another person's own key, or already another's alias, stays theirs.
    """
    new = [alias for alias in known.aliases if alias not in known.held and alias not in known.owned]
    target = known.held.get(known.actor, known.actor)
    fresh = sorted(alias for alias in new if alias not in known.spoken and alias != target)
    for alias in new:
        if alias in known.spoken:
            events.rename_actor(conn, silo_id, alias, known.actor)
    # Traces that another transaction is writing at this moment are moved at the next refresh.
    pending = events.pending_rows(silo_id, [(-silo_id, alias, None) for alias in fresh])
    return [
        Rows(
            actor_alias,
            [{"silo_id": silo_id, "alias": alias, "actor": target} for alias in fresh],
            leaving,
        ),
        Rows(rollup_pending, pending),
    ]


def place_rows(
    conn: Connection, silo_id: int, launch: Launch, iri: str, key: int, known: Known, role: str, now: datetime
) -> list[Rows]:
    """Write the course where the launch says more than is known; return who is in it, to be written."""
    named = {
        name: value
        for name, value in zip(
            _COURSE,
            (launch.issuer, launch.context_id, launch.context_title, launch.context_label),
            strict=True,
        )
        if value
    }
    if known.course is None or any(known.course[name] != value for name, value in named.items()):
        written = insert(conn, course).values(
            silo_id=silo_id, course_id=key, iri=iri, created_at=now, **named
        )
        conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "course_id"], set_=named))
    if known.member == (role, None):
        return []
    joined = {
        "silo_id": silo_id,
        "course_id": key,
        "actor": known.actor,
        "role": role,
        "source": "launch",
        "since": now,
        "until": None,
    }
    return [Rows(membership, [joined], replacing("role", "until"))]
