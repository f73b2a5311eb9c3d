"""Somebody who is in every table of a silo, beside a colleague who must not be touched."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Date, Engine, Float, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy import select as sql_select

from lti_tool import tables as t
from lti_tool.import_tables import import_chunk, import_file, import_refusal
from lti_tool.improvement_tables import improvement, improvement_change
from lti_tool.invited import sealed
from lti_tool.invited_tables import invited, invited_link
from lti_tool.privacy import holdings
from lti_tool.privacy.whose import Person
from lti_tool.profile_tables import profile_grant
from lti_tool.surveys import box
from tests.factories import traces
from tool_config import addresses, silos
from tool_config.database import Instant, insert, transaction
from xapi import events, rollup
from xapi import tables as x
from xapi.answers import FROM_FILES
from xapi.comment_tables import comment_member, comment_reading
from xapi.dataset_tables import dataset_row
from xapi.document_tables import attachment, quarantine
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.statement import account_key, actor_key
from xapi.survey_tables import answer, survey_comment

SUB, USERNAME, EMAIL = "90210417", "cmartin7788", "Camille.Martin@ac-test.example"
NAME, GIVEN, FAMILY = "Camille Martin-Duval", "Camille", "Martin-Duval"
SENTENCE = "une phrase que Camille seule a dite : zyzomys"
COLLEAGUE = "71130022"
HOME = "https://estime.test"
SURVEY = "6a3f8a0e-5df5-4a38-9f43-0f2ac7f6f9d1"
FILE = b"Les notes de Camille, jointes"
MBOX = f"mailto:{EMAIL}"
SHA1 = hashlib.sha1(MBOX.encode(), usedforsecurity=False).hexdigest()
ACTOR, FRIEND = account_key(traces.SITE, SUB), account_key(traces.SITE, COLLEAGUE)


@dataclass(frozen=True)
class Everywhere:
    """The scene: its course, what names the person, the statements that were sent."""

    course: int
    needles: tuple[str, ...]
    batch: list[dict[str, Any]]


def build(engine: Engine, silo: int, now: datetime, *, secret_key: str) -> Everywhere:
    """Put Camille everywhere."""
    key = course_id(silo, f"{traces.SITE}/course/view.php?id=2")
    batch = said(now - timedelta(days=40))
    with transaction(engine, silo) as conn:
        ingest(conn, silo, batch, now=now - timedelta(days=39))
        _person(conn, silo, key, now)
        _beside(conn, silo, key, now, secret_key)
        _answers(conn, silo, key, now)
        _files(conn, silo, now)
        rollup.refresh(conn, silo, now=now)
        owner = silos.get(conn, silo)
    names = {SUB, USERNAME, EMAIL, EMAIL.lower(), NAME, FAMILY, SENTENCE, "zyzomys", SHA1, ACTOR}
    names |= {account_key(traces.SITE, USERNAME), actor_key({"mbox": MBOX}), account_key(HOME, ACTOR)}
    names |= {addresses.digest(owner, EMAIL), FILE.decode()}
    return Everywhere(key, tuple(sorted(names)), batch)


# --- statements -------------------------------------------------------------------------------------------


def said(at: datetime) -> list[dict[str, Any]]:
    """Return statements in which Camille stands in every place, and those of a colleague."""
    mine, friend = traces.agent(SUB), traces.agent(COLLEAGUE)
    mine["name"] = NAME
    by_name = {**traces.agent(USERNAME), "name": NAME}
    by_mail: dict[str, Any] = {"objectType": "Agent", "mbox": MBOX, "name": NAME}
    by_sha1: dict[str, Any] = {"objectType": "Agent", "mbox_sha1sum": SHA1}
    here = {"contextActivities": {"parent": [traces.section(3), traces.course(2)]}}
    made = []

    def say(who: dict[str, Any], rank: int, target: dict[str, Any] | None = None, **more: Any) -> None:
        whole = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"everywhere {rank}")),
            "actor": who,
            "verb": {"id": traces.VIEWED},
            "object": target or traces.page(rank),
            "timestamp": (at + timedelta(minutes=rank)).isoformat(),
            "context": {**here, **more.pop("context", {})},
            **more,
        }
        made.append(whole)

    for rank, who in enumerate((mine, by_name, by_mail, by_sha1)):
        say(who, rank, result={"response": SENTENCE})
    group = {"objectType": "Group", "member": [mine, friend]}
    say(group, 10)
    say({"objectType": "Group", "member": [mine]}, 11)
    say(friend, 12, {**mine, "objectType": "Agent"})
    say(friend, 13, context={"instructor": mine})
    say(friend, 14, context={"team": group})
    say(friend, 15, context={"extensions": {"urn:note": f"vu avec {NAME} ({EMAIL})"}, "instructor": by_mail})
    say(friend, 16, authority=mine)
    say(friend, 17, authority={"objectType": "Agent", "account": {"homePage": HOME, "name": ACTOR}})
    say(
        friend, 18,
        {
            "objectType": "SubStatement", "actor": mine, "verb": {"id": traces.VIEWED},
            "object": traces.page(9),
        },
    )  # fmt: skip
    sha2 = hashlib.sha256(FILE).hexdigest()
    note = {
        "usageType": "https://test/notes", "display": {"fr": "Notes"}, "contentType": "text/plain",
        "length": len(FILE), "sha2": sha2, "fileUrl": "https://campus.test/notes",
    }  # fmt: skip
    say(mine, 19, attachments=[note])
    say(friend, 20)
    say(friend, 21, verb={"id": traces.COMPLETED})
    say(mine, 22)
    made.append(traces.voiding(str(made[-1]["id"]), (at + timedelta(minutes=30)).isoformat()))
    return made


# --- the rest ---------------------------------------------------------------------------------------------


def _person(conn: Connection, silo: int, key: int, now: datetime) -> None:
    whole = {
        "issuer": traces.SITE, "sub": SUB, "username": USERNAME, "name": NAME, "given_name": GIVEN,
        "family_name": FAMILY, "email": EMAIL, "locale": "fr", "created_at": now, "seen_at": now,
    }  # fmt: skip
    conn.execute(insert(conn, t.person), {"silo_id": silo, "actor": ACTOR, **whole})
    other = {**dict.fromkeys(whole), "issuer": traces.SITE, "sub": COLLEAGUE, "created_at": now}
    conn.execute(insert(conn, t.person), {"silo_id": silo, "actor": FRIEND, **other})
    for alias in (account_key(traces.SITE, USERNAME), actor_key({"mbox": MBOX})):
        events.rename_actor(conn, silo, alias, ACTOR)
    events.rename_actor(conn, silo, actor_key({"mbox_sha1sum": SHA1}), ACTOR)
    for who in (ACTOR, FRIEND):
        row = {"silo_id": silo, "course_id": key, "actor": who, "role": "trainee", "source": "launch"}
        conn.execute(insert(conn, x.membership), {**row, "since": now - timedelta(days=60)})
    owner = silos.get(conn, silo)
    for rank, person_key in enumerate((addresses.digest(owner, EMAIL), f"a:{ACTOR}")):
        row = {
            "silo_id": silo, "kind": "people", "row_key": f"{rank:032d}", "person_key": person_key,
            "session": None, "course_id": None, "data": {"corps": "IEN"}, "digest": "d", "file_id": "f",
            "line": 2, "updated_at": now,
        }  # fmt: skip
        conn.execute(insert(conn, dataset_row), row)
    row = {"silo_id": silo, "grant_id": "g", "profile": "lecteur", "address": "scellée", "name": "scellé"}
    conn.execute(
        insert(conn, profile_grant),
        {**row, "address_hash": addresses.digest(owner, EMAIL), "paths": [], "granted_by": FRIEND,
         "created_at": now},
    )  # fmt: skip


def _beside(conn: Connection, silo: int, key: int, now: datetime, secret_key: str) -> None:
    """What is kept beside: sealed boxes, invitations, complaints, what others wrote, the quarantine."""
    kept = {"silo_id": silo, "sha2": hashlib.sha256(FILE).hexdigest(), "stored": now}
    conn.execute(insert(conn, attachment), {**kept, "content_type": "text/plain", "body": FILE})
    own = box.digest(box.key(secret_key), SURVEY, ACTOR)
    boxed = box.add(box.add(b"", own), box.digest(box.key(secret_key), SURVEY, FRIEND))
    place = {"silo_id": silo, "course_id": key, "survey_id": SURVEY}
    conn.execute(insert(conn, t.survey_box), {**place, "participants": boxed, "held": b""})
    one = {**place, "invited_id": "i1", "respondent": "r1", "locale": "fr", "state": "sent", "said": ""}
    letter = {"address": sealed(secret_key, silo, EMAIL), "name": sealed(secret_key, silo, NAME)}
    conn.execute(insert(conn, invited), {**one, **letter, "remind": False, "created_at": now})
    conn.execute(insert(conn, invited_link), {**place, "token_hash": "h", "invited_id": "i1"})
    entry = dict.fromkeys(("reference", "module", "object", "decision", "action", "conclusion", "answer"), "")
    entry |= {"told": "", "done": "", "state": "observed", "opened_on": now.date(), "version": 2}
    for rank, said in enumerate(
        (
            {"kind": "complaint", "noticed": SENTENCE, "author": ACTOR, "owner": FRIEND, "owner_name": ""},
            {"kind": "observation", "noticed": f"vu avec {NAME}", "owner": ACTOR, "owner_name": NAME},
        )
    ):
        row = {"silo_id": silo, "course_id": key, "improvement_id": f"e{rank}", "reserved": False}
        conn.execute(insert(conn, improvement), {**row, **entry, **said, "opened_by": ACTOR})
        change = {"version": 1, "at": now, "by": ACTOR, "role": "tutor", "step": "opened", "reason": NAME}
        fields = {"noticed": [None, said["noticed"]], "owner": [None, ACTOR]}
        del row["reserved"]
        conn.execute(insert(conn, improvement_change), {**row, **change, "figure": None, "fields": fields})
    bad = {"silo_id": silo, "quarantine_id": str(uuid.uuid4()), "key_id": "k", "received_at": now}
    body = f'{{"actor": {{"account": {{"homePage": "{traces.SITE}", "name": "{SUB}"}}}}, "verb": 3}}'
    more = {"version": "1.0.3", "statement_id": str(uuid.uuid4()), "reason": "verb", "body": body}
    conn.execute(insert(conn, quarantine), {**bad, **more})


def _answers(conn: Connection, silo: int, key: int, now: datetime) -> None:
    place = {"silo_id": silo, "course_id": key, "survey_id": SURVEY}
    of_file = f"{FROM_FILES}{uuid.uuid4().hex}"
    for respondent, voice in ((ACTOR, ACTOR), (ACTOR, of_file), (FRIEND, FRIEND)):
        number, shown = str(uuid.uuid4()), str(uuid.uuid4())
        text = SENTENCE if respondent == ACTOR else "rien à redire"
        row: dict[str, Any] = {
            "statement_id": number,
            "question": "liked",
            "respondent": respondent,
            "spoken_by": voice,
        }
        row |= {"attempt": str(uuid.uuid4()), "at": now, "text": text, "module": "", "phase": ""}
        conn.execute(insert(conn, answer), {**place, **row})
        comment = {**place, "comment_id": shown}
        conn.execute(insert(conn, survey_comment), {**comment, "question": "liked", "statement_id": number})
        read = {"text": text, "plain": text, "language": "fr", "polarity": "neutral", "model": "m"}
        conn.execute(insert(conn, comment_reading), {**comment, **read})
        conn.execute(
            insert(conn, comment_member), {**comment, "scope": "s", "theme_id": "", "closeness": 0.1}
        )


def _files(conn: Connection, silo: int, now: datetime) -> None:
    row = {
        "silo_id": silo, "file_id": "waiting", "name": f"liste {NAME}.csv", "digest": "d", "size": 9,
        "kind": "",
        "state": "draft", "reading": {}, "columns": [], "constants": {}, "notes": {}, "created_at": now,
        "created_by": ACTOR,
    }  # fmt: skip
    conn.execute(insert(conn, import_file), row)
    text = f"Nom;Courriel\nMartin-Duval Camille;{EMAIL}\n".encode("cp1252")
    chunk = {"silo_id": silo, "file_id": "waiting", "rank": 0, "content": text}
    conn.execute(insert(conn, import_chunk), chunk)
    refused = {"silo_id": silo, "file_id": "past", "line": 4, "faults": [["Note", "number", "x", {}]]}
    conn.execute(insert(conn, import_refusal), {**refused, "cells": [EMAIL, "x"]})


#: Columns that hold a key of somebody in tables that nothing above has filled.
_PEOPLE = {"actor", "agent", "alias", "author", "owner", "by", "subject", "tutor", "respondent"}


def fill(conn: Connection, silo: int, person: Person, some: Iterable[holdings.Holding]) -> None:
    """Add a row that holds the person to each table in which they are not yet."""
    for rank, holding in enumerate(some):
        if next(holdings.rows(conn, person, holding), None) is None:
            conn.execute(insert(conn, holding.table).on_conflict_do_nothing(), _row(holding, silo, rank))


def _row(holding: holdings.Holding, silo: int, rank: int) -> dict[str, Any]:
    table = holding.table
    row: dict[str, Any] = {"silo_id": silo}
    for column in table.columns:
        if column.name == "silo_id":
            continue
        if column.name == "course_id":
            row["course_id"] = course_id(silo, f"{traces.SITE}/course/view.php?id=2")
            continue
        named = column.name in _PEOPLE or column.name.endswith("_by")
        named = named and column.name not in ("asked_by", "tied_by")
        row[column.name] = ACTOR if named and isinstance(column.type, Text) else _value(table, column, rank)
    if table.name == "administrator":
        row |= {"issuer": traces.SITE, "sub": SUB}
    if table.name == "job":
        row |= {"payload": {"actor": ACTOR}}
    if table.name == "handover":
        row |= {"launch_id": "text"}
    if table.name == "erasure_request":
        row |= {"state": "asked" if holding.columns == ("actor",) else "refused", "actor": ACTOR}
    if table.name == "launch":
        row |= {"launch_id": "text"}
    return row


def _value(table: Table, column: Any, rank: int) -> Any:
    values: list[tuple[type, Any]] = [
        (Instant, datetime(2026, 11, 1, tzinfo=UTC)), (Uuid, str(uuid.UUID(int=rank + 1))), (JSON, {}),
        (Boolean, False), (Date, date(2026, 11, 1)), (LargeBinary, b"x"), (Integer, 500 + rank),
        (Float, 0.5), (Text, "text"),
    ]  # fmt: skip
    return next(value for kind, value in values if isinstance(column.type, kind))


def dump(conn: Connection, silo: int, table: Table) -> str:
    """Return every value of a table as text, bytes as they are read in several encodings."""
    found = []
    for row in conn.execute(sql_select(table).where(table.c.silo_id == silo)):
        for value in row:
            if isinstance(value, bytes):
                found += [value.decode("utf-8", "replace"), value.decode("cp1252", "replace"), value.hex()]
            else:
                found.append(str(value))
    return "\n".join(found)
