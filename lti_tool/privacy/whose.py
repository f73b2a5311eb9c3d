"""Who somebody is under all their names: accounts, addresses, rows of files, links by which they answered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, or_, select

from lti_tool import profiles
from lti_tool.imports import opinions
from lti_tool.invited_tables import invited
from lti_tool.matching_tables import person_link
from lti_tool.profile_tables import profile_grant
from lti_tool.surveys import statements as survey_statements
from lti_tool.tables import person
from tool_config import addresses, platforms, silos
from tool_config.sealing import SealError, unseal
from xapi import attachments
from xapi.dataset_tables import dataset_row
from xapi.identity import resolve
from xapi.statement import account_key, actor_key
from xapi.tables import actor as speaker
from xapi.tables import actor_alias, course, statement, statement_agent


@dataclass(frozen=True)
class Person:
    """Somebody of a silo and every name that the store has of them."""

    silo_id: int
    #: The canonical key, that of their account.
    actor: str
    #: Every key of theirs (account, user name, address, its SHA-1, links by which they answered).
    keys: frozenset[str]
    #: As files name them: "m:…" (address), "a:…" (account).
    person_keys: frozenset[str]
    #: Voices of their answers in imported questionnaires (`answer.spoken_by`).
    voices: frozenset[str]
    issuer: str
    sub: str
    username: str
    #: Addresses, as given.
    addresses: frozenset[str]
    #: Names: whole, given and family.
    names: frozenset[str]
    #: (course_id, survey_id, invited_id) of the invitations sent to one of their addresses.
    invitations: frozenset[tuple[int, str, str]]
    #: Hashes of the attachments that statements about them bring.
    attachments: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        """Return the texts by which somebody is known wherever they are written: addresses, whole names."""
        whole = {name for name in self.names if " " in name.strip()}
        return frozenset(self.addresses | whole | ({self.username} if len(self.username) > 3 else set()))

    @property
    def cells(self) -> frozenset[str]:
        """Return what a whole cell or value says when it is theirs, in lower case."""
        said = {self.sub, self.username, *self.addresses, *self.names, *self.keys, *self.person_keys}
        return frozenset(text.strip().casefold() for text in said if text.strip())


def known(conn: Connection, silo_id: int, actor: str) -> bool:
    """Tell whether something is known of an actor: a launch, a roster, a trace."""
    for table in (person, speaker):
        query = select(table.c.actor).where(table.c.silo_id == silo_id, table.c.actor == actor)
        if conn.execute(query).first() is not None:
            return True
    return False


def find(conn: Connection, silo_id: int, actor: str, *, secret_key: str, home: str) -> Person:
    """Return somebody by one of their keys, whether anything is known of them or not.

    `home`: address of the tool, under which it names who ticked a presence.
    """
    actor = resolve(conn, silo_id, [actor]).get(actor, actor)
    p = person.c
    row = conn.execute(select(person).where(p.silo_id == silo_id, p.actor == actor)).first()
    email = (row.email or "").strip() if row else ""
    username = (row.username or "").strip() if row else ""
    keys = {actor, *_aliases(conn, silo_id, actor)}
    if row:
        keys |= _free(conn, silo_id, actor, _names_of_account(row.issuer, username, email))
    accounts, names = _said_by_traces(conn, silo_id, keys)
    known_addresses = {text for text in (email, *(one[1] for one in accounts if one[0] == "mbox")) if text}
    own = {text for text in known_addresses if not _is_shared(conn, silo_id, actor, text)}
    keys |= _free(conn, silo_id, actor, {key for text in own for key in _names_of_address(text)})
    invitations, more = _invitations(conn, silo_id, keys, own, secret_key)
    keys |= more
    keys |= {account_key(home, key) for key in keys}
    keys |= _granted(conn, silo_id, own)
    person_keys = _person_keys(conn, silo_id, keys, own)
    if row:
        names |= {text for text in (row.name, row.given_name, row.family_name) if text and text.strip()}
        whole = [" ".join(filter(None, pair)) for pair in _orders(row.given_name, row.family_name)]
        names |= {text for text in whole if " " in text}
    account = next((one[1:] for one in accounts if one[0] == "account"), ("", ""))
    return Person(
        silo_id=silo_id,
        actor=actor,
        keys=frozenset(keys),
        person_keys=frozenset(person_keys),
        voices=opinions.voices(conn, silo_id, person_keys),
        issuer=row.issuer if row else account[0],
        sub=row.sub if row else account[1],
        username=username,
        addresses=frozenset(own),
        names=frozenset(names),
        invitations=frozenset(invitations),
        attachments=_attachments(conn, silo_id, keys),
    )


def by_name(conn: Connection, silo_id: int, name: str) -> str | None:
    """Return the one actor whom a number, a user name, an address or a key means; None: nobody, or two.

    For an administrator who was asked by letter.
    """
    name = name.strip()
    if not name:
        return None
    p = person.c
    low = name.lower()
    fitting = or_(p.sub == name, func.lower(p.username) == low, func.lower(p.email) == low, p.actor == name)
    found = conn.scalars(select(p.actor).where(p.silo_id == silo_id, fitting)).all()
    if found:
        return found[0] if len(found) == 1 else None
    keys = {name, actor_key({"mbox": f"mailto:{name}"})}
    keys |= {account_key(one.issuer, name) for one in platforms.of_silo(conn, silo_id)}
    traced = select(speaker.c.actor).where(speaker.c.silo_id == silo_id, speaker.c.actor.in_(keys))
    some = conn.scalars(traced).all()
    return some[0] if len(some) == 1 else None


def _attachments(conn: Connection, silo_id: int, keys: Iterable[str]) -> frozenset[str]:
    """Return the hashes of what statements that name somebody bring with them."""
    link, s = statement_agent.c, statement.c
    theirs = select(link.statement_id).where(link.silo_id == silo_id, link.agent.in_(sorted(keys)))
    query = select(s.raw).where(s.silo_id == silo_id, s.id.in_(theirs), s.raw.contains('"attachments"'))
    found: set[str] = set()
    for raw in conn.scalars(query.execution_options(yield_per=500)):
        found |= {item["sha2"].lower() for item, _ in attachments.of(orjson.loads(raw))}
    return frozenset(found)


def _orders(given: str | None, family: str | None) -> tuple[tuple[str | None, str | None], ...]:
    return ((given, family), (family, given))


def _aliases(conn: Connection, silo_id: int, actor: str) -> list[str]:
    a = actor_alias.c
    return list(conn.scalars(select(a.alias).where(a.silo_id == silo_id, a.actor == actor)))


def _names_of_account(issuer: str, username: str, email: str) -> set[str]:
    named = {account_key(issuer, username)} if username and not username.isdigit() else set()
    return named | (_names_of_address(email) if email else set())


def _names_of_address(email: str) -> set[str]:
    """Return the keys under which statements may name an address."""
    found = set()
    for text in {email, email.lower()}:
        mbox = f"mailto:{text}"
        sha1 = hashlib.sha1(mbox.encode(), usedforsecurity=False).hexdigest()
        found |= {actor_key({"mbox": mbox}), actor_key({"mbox_sha1sum": sha1})}
    return found


def _free(conn: Connection, silo_id: int, actor: str, keys: Iterable[str]) -> set[str]:
    """Return those of some keys that are nobody else's: neither another's own nor counted for another."""
    wanted = sorted(set(keys))
    counted = resolve(conn, silo_id, wanted)
    p = person.c
    owned = set(conn.scalars(select(p.actor).where(p.silo_id == silo_id, p.actor.in_(wanted))))
    return {key for key in wanted if counted.get(key, actor) == actor and (key == actor or key not in owned)}


def _said_by_traces(
    conn: Connection, silo_id: int, keys: Iterable[str]
) -> tuple[list[tuple[str, ...]], set[str]]:
    """Return the accounts and addresses that statements gave of some keys, and their names."""
    s = speaker.c
    accounts: list[tuple[str, ...]] = []
    names: set[str] = set()
    query = select(s.identifier, s.name).where(s.silo_id == silo_id, s.actor.in_(sorted(keys)))
    for identifier, name in conn.execute(query):
        said = orjson.loads(identifier) or {}
        if "account" in said:
            accounts.append(("account", said["account"]["homePage"], said["account"]["name"]))
        elif "mbox" in said:
            accounts.append(("mbox", said["mbox"].removeprefix("mailto:")))
        if name and name.strip():
            names.add(name.strip())
    return accounts, names


def _is_shared(conn: Connection, silo_id: int, actor: str, address: str) -> bool:
    """Tell whether another account of the silo has the same address: it then names nobody."""
    p = person.c
    query = select(p.actor).where(
        p.silo_id == silo_id, func.lower(p.email) == address.lower(), p.actor != actor
    )
    return conn.execute(query.limit(1)).first() is not None


def _person_keys(conn: Connection, silo_id: int, keys: set[str], own: Iterable[str]) -> set[str]:
    """Return how files name somebody: by address, by account, by hand, by a row that gives both."""
    owner = silos.get(conn, silo_id)
    found = {f"a:{key}" for key in keys} | {addresses.digest(owner, address) for address in own}
    link = person_link.c
    found |= set(
        conn.scalars(select(link.person_key).where(link.silo_id == silo_id, link.actor.in_(sorted(keys))))
    )
    d, platform = dataset_row.c, platforms.of_silo(conn, silo_id)
    if len(platform) == 1:
        account = d.data["account"].as_string()
        rows = conn.execute(
            select(d.person_key, account)
            .where(d.silo_id == silo_id, d.person_key.startswith("m:"), account.is_not(None))
            .distinct()
        )
        issuer = platform[0].issuer
        found |= {key for key, number in rows if account_key(issuer, str(number)) in keys}
    return found


def _granted(conn: Connection, silo_id: int, own: Iterable[str]) -> set[str]:
    """Return the keys of the profiles that were granted to somebody's addresses."""
    owner = silos.get(conn, silo_id)
    hashes = [addresses.digest(owner, address) for address in own]
    g = profile_grant.c
    query = select(g.grant_id).where(g.silo_id == silo_id, g.address_hash.in_(hashes))
    return {profiles.actor_of(silo_id, grant_id) for grant_id in conn.scalars(query)}


def _invitations(
    conn: Connection, silo_id: int, keys: set[str], own: Iterable[str], secret_key: str
) -> tuple[set[tuple[int, str, str]], set[str]]:
    """Return the invitations sent to somebody, and the keys under which they answer by them."""
    wanted = {address.casefold() for address in own}
    found: set[tuple[int, str, str]] = set()
    answering: set[str] = set()
    i = invited.c
    rows = conn.execute(
        select(i.course_id, i.survey_id, i.invited_id, i.actor, i.respondent, i.address).where(
            i.silo_id == silo_id
        )
    )
    iris = dict[int, str | None]()
    for row in rows.all():
        if row.actor not in keys and not (row.address and _opens(row.address, silo_id, secret_key) in wanted):
            continue
        found.add((row.course_id, row.survey_id, row.invited_id))
        if row.actor is None:
            if row.course_id not in iris:
                c = course.c
                iris[row.course_id] = conn.scalar(
                    select(c.iri).where(c.silo_id == silo_id, c.course_id == row.course_id)
                )
            place = survey_statements.Place(iris[row.course_id] or "", None, "", None)
            home = survey_statements.survey_iri(place, row.survey_id)
            answering.add(account_key(home, row.respondent or row.invited_id))
    return found, answering


def _opens(sealed: str, silo_id: int, secret_key: str) -> str:
    try:
        return unseal(secret_key, f"invited {silo_id}", sealed).casefold()
    except SealError:
        return ""
