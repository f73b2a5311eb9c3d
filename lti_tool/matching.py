"""The same person in files and in traces: by address, by account, by hand; inside one silo.

Files name people by a keyed hash of their professional address ("m:…") or by their account ("a:…"); traces
by account. The two are joined here and nowhere else, so that origins stay apart from traces until an
analysis asks, and the rate of joining can be shown beside every figure that rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, or_, select

from lti_tool.import_tables import import_file
from lti_tool.matching_tables import person_link
from lti_tool.tables import person
from tool_config import addresses, platforms, silos
from tool_config.database import insert
from xapi.dataset_tables import dataset_row
from xapi.identity import resolve
from xapi.statement import account_key
from xapi.tables import actor as speaker

#: Unmatched people listed; the rest is counted.
MOST_LISTED = 200


class MatchingError(Exception):
    """A link that cannot be made; `code`: address (not one), person (nobody of the files), account."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Rate:
    """People of a dataset, and those of them whose traces are known."""

    kind: str
    people: int
    matched: int


@dataclass(frozen=True)
class Unmatched:
    """Somebody in files and in no trace: where the first of their lines is."""

    person_key: str
    file: str
    line: int
    session: str | None
    rows: int


@dataclass(frozen=True)
class Link:
    """Two names of one person, joined by hand."""

    person_key: str
    actor: str
    made_at: datetime


def actors(conn: Connection, silo_id: int) -> dict[str, str]:
    """Return who is who: person of the files -> actor of the traces.

    By hand first; then by the address that the platform gives; then by a file that gives address and
    account both; an account is itself. An address that two accounts share names nobody.
    """
    owner = silos.get(conn, silo_id)
    found: dict[str, str] = {}
    shared: set[str] = set()
    p = person.c
    for actor, email in conn.execute(
        select(p.actor, p.email).where(p.silo_id == silo_id, p.email.is_not(None))
    ):
        key = addresses.digest(owner, email)
        if found.setdefault(key, actor) != actor:
            shared.add(key)
    for key in shared:
        del found[key]
    for key, actor in _said_by_files(conn, silo_id).items():
        found.setdefault(key, actor)
    link = person_link.c
    by_hand = conn.execute(select(link.person_key, link.actor).where(link.silo_id == silo_id))
    found |= {row.person_key: row.actor for row in by_hand}
    d = dataset_row.c
    accounts = conn.scalars(
        select(d.person_key).where(d.silo_id == silo_id, d.person_key.startswith("a:")).distinct()
    )
    named = {key: key[2:] for key in accounts if key not in found}
    known = _known(conn, silo_id, set(named.values()))
    found |= {key: actor for key, actor in named.items() if actor in known}
    aliases = resolve(conn, silo_id, set(found.values()))
    return {key: aliases.get(actor, actor) for key, actor in found.items()}


def _said_by_files(conn: Connection, silo_id: int) -> dict[str, str]:
    """Return the accounts of addresses, from rows that give both; of the only platform of the silo."""
    known = platforms.of_silo(conn, silo_id)
    if len(known) != 1:
        return {}
    d = dataset_row.c
    account = d.data["account"].as_string()
    rows = conn.execute(
        select(d.person_key, account)
        .where(d.silo_id == silo_id, d.person_key.startswith("m:"), account.is_not(None))
        .distinct()
        .order_by(d.person_key, account)
    )
    found: dict[str, str] = {}
    for key, number in rows:
        found.setdefault(key, account_key(known[0].issuer, str(number)))
    return found


def _known(conn: Connection, silo_id: int, some: set[str]) -> set[str]:
    """Return those of some actors of whom something is known: a launch, a roster, a trace."""
    wanted, found = sorted(some), set()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        found |= set(
            conn.scalars(select(person.c.actor).where(person.c.silo_id == silo_id, person.c.actor.in_(part)))
        )
        found |= set(
            conn.scalars(
                select(speaker.c.actor).where(speaker.c.silo_id == silo_id, speaker.c.actor.in_(part))
            )
        )
    return found


def rates(conn: Connection, silo_id: int, known: Mapping[str, str]) -> tuple[Rate, ...]:
    """Return, for each dataset that names people, how many there are and how many `actors` knows."""
    d = dataset_row.c
    rows = conn.execute(
        select(d.kind, d.person_key).where(d.silo_id == silo_id, d.person_key.is_not(None)).distinct()
    )
    people: dict[str, list[str]] = {}
    for kind, key in rows:
        people.setdefault(kind, []).append(key)
    return tuple(
        Rate(kind, len(keys), sum(key in known for key in keys)) for kind, keys in sorted(people.items())
    )


def unmatched(conn: Connection, silo_id: int, known: Mapping[str, str]) -> tuple[tuple[Unmatched, ...], int]:
    """Return the people of files without traces, those with most lines first, and how many there are."""
    d, f = dataset_row.c, import_file.c
    firsts = conn.execute(
        select(
            d.person_key,
            func.count().label("rows"),
            func.min(d.file_id).label("file_id"),
        )
        .where(d.silo_id == silo_id, d.person_key.is_not(None))
        .group_by(d.person_key)
    ).all()
    left = [row for row in firsts if row.person_key not in known]
    left.sort(key=lambda row: (-row.rows, row.person_key))
    listed = left[:MOST_LISTED]
    where = {row.person_key: row.file_id for row in listed}
    lines: dict[str, tuple[int, str | None]] = {}
    if where:
        pairs = or_(*(and_(d.person_key == key, d.file_id == file_id) for key, file_id in where.items()))
        for key, line, session in conn.execute(
            select(d.person_key, d.line, d.session).where(d.silo_id == silo_id, pairs).order_by(d.line)
        ):
            lines.setdefault(key, (line, session))
    files = conn.execute(
        select(f.file_id, f.name).where(f.silo_id == silo_id, f.file_id.in_(set(where.values())))
    )
    names = {row.file_id: row.name for row in files}
    return (
        tuple(
            Unmatched(row.person_key, names.get(row.file_id, ""), *lines[row.person_key], row.rows)
            for row in listed
        ),
        len(left),
    )


def link(
    conn: Connection,
    silo_id: int,
    *,
    address: str = "",
    person_key: str = "",
    account: str,
    by: str,
    now: datetime,
) -> str:
    """Say that somebody of the files is an account of the platform, and return the actor.

    The person: a professional address (kept as its hash), or the key that `unmatched` gave. The account:
    its number, its user name, or the address that the platform knows. MatchingError otherwise.
    """
    if address:
        if address.count("@") != 1:
            raise MatchingError("address")
        person_key = addresses.digest(silos.get(conn, silo_id), address)
    d = dataset_row.c
    if not conn.scalar(select(func.count()).where(d.silo_id == silo_id, d.person_key == person_key)):
        raise MatchingError("person")
    actor = _account(conn, silo_id, account.strip())
    if actor is None:
        raise MatchingError("account")
    said = {"actor": actor, "made_by": by, "made_at": now}
    written = insert(conn, person_link).values(silo_id=silo_id, person_key=person_key, **said)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "person_key"], set_=said))
    return actor


def _account(conn: Connection, silo_id: int, name: str) -> str | None:
    """Return the one person whom a number, a user name or an address of the platform means."""
    p = person.c
    fitting = or_(p.sub == name, func.lower(p.username) == name.lower(), func.lower(p.email) == name.lower())
    found = conn.scalars(select(p.actor).where(p.silo_id == silo_id, fitting)).all() if name else []
    return found[0] if len(found) == 1 else None


def unlink(conn: Connection, silo_id: int, person_key: str) -> bool:
    """Undo a link made by hand; False when there is none."""
    c = person_link.c
    return bool(
        conn.execute(delete(person_link).where(c.silo_id == silo_id, c.person_key == person_key)).rowcount
    )


def links(conn: Connection, silo_id: int) -> tuple[Link, ...]:
    """Return the links made by hand, the latest first."""
    c = person_link.c
    rows = conn.execute(
        select(c.person_key, c.actor, c.made_at)
        .where(c.silo_id == silo_id)
        .order_by(c.made_at.desc(), c.person_key)
    )
    return tuple(Link(*row) for row in rows)
