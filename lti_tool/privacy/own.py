"""What is held of a person, for that person: counted in words, and as a file complete to the last table.

The file is drawn from `holdings`, so that a table which holds people cannot be left out of it: a test
enumerates them. Of the traces of others which name the person, only which and when are given.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, or_, select

from lti_tool import people
from lti_tool.exports import Table, csv_file, kept
from lti_tool.formatting import long_day
from lti_tool.jobs import JobRun
from lti_tool.language import gettext
from lti_tool.privacy import holdings, whose, wording
from lti_tool.privacy.holdings import HOLDINGS, Holding
from lti_tool.privacy.whose import Person
from lti_tool.tables import audit
from tool_config import silos
from tool_config.database import transaction
from xapi.tables import statement, statement_agent

KIND = "my_data"
READING, WRITING = "reading", "writing"
#: What counts as a look at somebody.
_LOOKS = ("look", "export")
#: Columns that say nothing of the person, and would only help to find a row.
_INNER = frozenset({"silo_id", "session_hash", "digest", "canonical_hash"})


@dataclass(frozen=True)
class Look:
    """One look at a person: the day, who ("" where the name is not known), as what, and what they did."""

    day: date
    who: str
    role: str
    action: str


def given() -> tuple[Holding, ...]:
    """Return the holdings whose rows are given to the person: all that are their own."""
    return tuple(one for one in HOLDINGS if one.own)


def told(conn: Connection, person: Person) -> list[str]:
    """Say in words how many things of each kind are held."""
    counts: Counter[str] = Counter()
    for holding in given():
        if not holding.counted:
            continue
        if holding.table is statement:
            counts["traces"] += _own_statements(conn, person)
        else:
            counts[holding.what] += _count(conn, person, holding)
    return wording.listed(counts)


def looks(conn: Connection, person: Person, zone: ZoneInfo, *, limit: int | None = None) -> list[Look]:
    """Return who looked at somebody, the latest first; their own looks are not listed."""
    c, keys = audit.c, sorted(person.keys)
    query = (
        select(c.at, c.actor, c.role, c.action)
        .where(
            c.silo_id == person.silo_id, c.subject.in_(keys), c.action.in_(_LOOKS), c.accepted,
            or_(c.actor.is_(None), c.actor.not_in(keys)),
        )
        .order_by(c.at.desc(), c.audit_id)
    )  # fmt: skip
    rows = conn.execute(query if limit is None else query.limit(limit)).all()
    names = people.names(conn, person.silo_id, {row.actor for row in rows if row.actor})
    return [
        Look(
            row.at.astimezone(zone).date(),
            (names[row.actor].text or "") if row.actor in names else "",
            row.role or "",
            row.action,
        )
        for row in rows
    ]


def _count(conn: Connection, person: Person, holding: Holding) -> int:
    if holding.holds is not None:
        return sum(1 for _ in holdings.rows(conn, person, holding))
    table = holding.table
    query = select(func.count()).select_from(table)
    return int(conn.scalar(query.where(table.c.silo_id == person.silo_id, holding.where(person))) or 0)


def _own_statements(conn: Connection, person: Person) -> int:
    return int(conn.scalar(select(func.count()).select_from(_of_person(person).subquery())) or 0)


def _of_person(person: Person) -> Any:
    link = statement_agent.c
    return (
        select(link.statement_id)
        .where(link.silo_id == person.silo_id, link.agent.in_(sorted(person.keys)), link.place == "actor")
        .distinct()
    )


# --- the file ----------------------------------------------------------------------------------------------


def archive(conn: Connection, person: Person, zone: ZoneInfo, now: datetime) -> bytes:
    """Return the file: a page of words, one file a table, who looked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in _files(conn, person, zone, now):
            packed.writestr(name, content)
    return out.getvalue()


def _files(conn: Connection, person: Person, zone: ZoneInfo, now: datetime) -> Iterator[tuple[str, bytes]]:
    written: dict[str, tuple[str, int]] = {}
    rows_of: dict[str, list[dict[str, Any]]] = {}
    for holding in given():
        if holding.table is audit:
            continue  # who looked goes in words, the others' keys do not
        own = set(conn.scalars(_of_person(person))) if holding.table is statement else None
        for row in holdings.rows(conn, person, holding):
            said = _given(holding, row, own)
            rows_of.setdefault(holding.table.name, []).append(said)
        written.setdefault(holding.table.name, (holding.what, 0))
    for name, (what, _) in sorted(written.items()):
        rows = _distinct(rows_of.get(name, []))
        written[name] = (what, len(rows))
        yield f"donnees/{name}.json", json.dumps(rows, ensure_ascii=False, indent=1).encode()
    seen = looks(conn, person, zone)
    yield "qui-a-regarde.csv", csv_file.content(looks_table(seen))
    yield "lisez-moi.txt", _readme(told(conn, person), written, len(seen), zone, now).encode()


def _given(holding: Holding, row: Mapping[str, Any], own: set[Any] | None) -> dict[str, Any]:
    """Return a row as it is given; of a trace of somebody else, only which and when."""
    if own is not None and row["id"] not in own:
        row = {name: row[name] for name in ("id", "timestamp", "verb") if name in row}
    return {name: _plain(value, name) for name, value in row.items() if name not in _INNER}


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
        return json.loads(text) if name == "raw" else text
    if isinstance(value, datetime | date):
        return value.isoformat()
    if name == "raw" and isinstance(value, str):
        return json.loads(value)
    return value


def _distinct(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep each row once: two holdings of a table may find the same."""
    found = {json.dumps(row, sort_keys=True, default=str): row for row in rows}
    return list(found.values())


def looks_table(seen: Sequence[Look]) -> Table:
    """Return who looked as a table."""
    roles = {"tutor": gettext("tuteur"), "admin": gettext("administrateur")}
    actions = {"look": gettext("a ouvert votre page"), "export": gettext("a emporté un fichier")}
    rows = [
        (one.day, one.who or gettext("nom inconnu"), roles.get(one.role, one.role), actions[one.action])
        for one in seen
    ]
    columns = [gettext("Jour"), gettext("Qui"), gettext("En tant que"), gettext("Ce qu’il ou elle a fait")]
    return Table("regards", gettext("Qui a regardé vos données"), columns, rows)


def _readme(
    said: Sequence[str], written: Mapping[str, tuple[str, int]], seen: int, zone: ZoneInfo, now: datetime
) -> str:
    lines = [
        gettext("Ce qu’Estime garde de vous, le %(day)s.", day=long_day(now.astimezone(zone).date())),
        "",
        *(f"- {one}" for one in said),
        "",
        gettext("Le dossier « donnees » a un fichier JSON par table, tel que l’outil le garde\u202f:"),
        *(f"- donnees/{name}.json\u202f: {count}" for name, (_, count) in sorted(written.items())),
        "",
        gettext(
            "« qui-a-regarde.csv » dit qui a ouvert votre page ou emporté un fichier, et quel "
            "jour\u202f: %(n)s.",
            n=seen,
        ),
        gettext(
            "Les réponses aux questionnaires anonymes n’y sont pas\u202f: rien ne dit lesquelles sont les "
            "vôtres."
        ),
        gettext(
            "Des traces d’autres personnes qui vous citent, seuls le numéro, la date et le verbe sont donnés."
        ),
    ]
    return "\n".join(lines) + "\n"


def ask(conn: Connection, silo_id: int, actor: str, *, now: datetime) -> str:
    """Ask for one's own file, and return the id of the export."""
    return kept.ask(conn, silo_id, KIND, actor, {"actor": actor}, now=now, key=f"{KIND} {actor}")


def make(run: JobRun) -> Mapping[str, Any]:
    """Make the file that a job asks for; done twice, the same file replaces itself."""
    now, actor = run.clock(), str(run.payload["actor"])
    run.progress(0, 2, READING)
    with transaction(run.engine, run.silo_id, write=False) as conn:
        zone = ZoneInfo(silos.get(conn, run.silo_id).time_zone)
        person = whose.find(
            conn, run.silo_id, actor, secret_key=run.settings.secret_key, home=run.settings.public_url
        )
        content = archive(conn, person, zone, now)
    run.progress(1, 2, WRITING)
    name = f"estime-mes-donnees-{now.astimezone(zone):%Y-%m-%d}.zip"
    with transaction(run.engine, run.silo_id) as conn:
        kept.keep(conn, run.silo_id, str(run.payload["export"]), "zip", name, content)
    run.progress(2, 2, WRITING)
    return {"size": len(content)}
