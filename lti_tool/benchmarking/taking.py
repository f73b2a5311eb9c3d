"""Files of a data set taken into its silo: as the import page does it, with what a person would answer."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, select

from analyzers import recomputed
from lti_tool import paths
from lti_tool.benchmarking.outcomes import (
    FAILED,
    NO_REFERENCE,
    PASSED,
    READ,
    REFUSED,
    Check,
    FileOutcome,
    Said,
    timed,
)
from lti_tool.imports import files, preparation, running
from lti_tool.imports.preparation import Preparation
from tool_config.database import insert, transaction
from xapi import rollup
from xapi.errors import XapiError
from xapi.identity import course_id
from xapi.sources.cells import TableFault, text_of
from xapi.sources.checking import SENTENCES
from xapi.sources.statement_files import ImportFault
from xapi.sources.statements import import_file
from xapi.sources.tabular import opened
from xapi.tables import course, outline_item

#: What a person would say of a whole file, where the file does not.
_SITE, SESSION = "https://benchmark.invalid", "Benchmark"
_ABOUT = re.compile(r"^(readme|licen[cs]e|changelog|notice)", re.IGNORECASE)
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".log", ".xml", ".zip", ".json")
#: Courses given a path, at most.
_MOST_TIED = 50
#: Rows of a table kept as they are, for analyses of its columns.
MOST_ROWS = 40_000
#: Bytes read of a file to tell whether it holds statements.
_PEEK = 200_000


@dataclass(frozen=True)
class Raw:
    """A table as its file has it."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: The dataset that it went into, or "".
    kind: str

    def column(self, place: int) -> list[str]:
        return [row[place] if place < len(row) else "" for row in self.rows]


@dataclass
class Room:
    """The silo of a data set, and the tables read into it."""

    engine: Engine
    silo_id: int
    clock: Callable[[], datetime]
    readme: str
    tables: list[Raw]

    def now(self) -> datetime:
        return self.clock()


def wanted(path: Path) -> bool:
    """Say whether a file is data rather than words about it."""
    return not path.name.startswith(".") and not _ABOUT.match(path.name)


def take(room: Room, path: Path, name: str) -> FileOutcome:
    """Take one file in; whatever goes wrong is told, never raised."""
    with timed() as clock:
        try:
            made = _take(room, path, name)
        except Exception as error:  # a bad file must not keep the others from being read
            said = f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"
            said = said.replace(str(path.parent), "…")
            made = FileOutcome(name, FAILED, why=Said(said, said))
    return FileOutcome(**{**made.__dict__, "clock": clock})


def _take(room: Room, path: Path, name: str) -> FileOutcome:
    if path.stat().st_size == 0:
        return FileOutcome(name, PASSED, why=Said("fichier vide", "empty file"))
    if _holds_statements(path):
        return _statements(room, path, name)
    if path.suffix.lower() not in _TABLES:
        return FileOutcome(
            name, PASSED,
            why=Said("ni tableau, ni déclarations xAPI, ni journal", "no table, no xAPI statements, no log"),
        )  # fmt: skip
    return _table(room, path, name)


# --- statements -------------------------------------------------------------------------------------------


def _holds_statements(path: Path) -> bool:
    """Say whether a JSON file begins with a statement: an actor, a verb, an object."""
    names = path.name.lower()
    if not names.endswith((".json", ".jsonl", ".json.gz", ".jsonl.gz")):
        return False
    raw = path.read_bytes()[:64_000_000] if not names.endswith(".gz") else _unzipped(path)
    text = raw.lstrip()
    first = text.split(b"\n", 1)[0] if not names.removesuffix(".gz").endswith(".json") else text
    try:
        found = orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    one = found[0] if isinstance(found, list) and found else found
    return isinstance(one, dict) and {"actor", "verb", "object"} <= one.keys()


def _unzipped(path: Path) -> bytes:
    with gzip.open(path) as source:
        return source.read(_PEEK) if ".jsonl" in path.name else source.read()


def _statements(room: Room, path: Path, name: str) -> FileOutcome:
    try:
        report = import_file(room.engine, room.silo_id, path, now=room.now(), repaired=True)
    except (ImportFault, XapiError) as fault:
        return FileOutcome(name, REFUSED, "statements", why=Said(str(fault)[:200], str(fault)[:200]))
    _settle(room)
    _tie(room)
    why = "; ".join(f"l. {one.line}: {one.reason}"[:160] for one in report.refused[:2])
    return FileOutcome(
        name, READ if report.accepted or report.already else REFUSED, "statements",
        report.accepted + report.already, report.refused_count, Said(why, why),
        check=_in_readme(room, report.read, name),
    )  # fmt: skip


# --- tables -----------------------------------------------------------------------------------------------


def _table(room: Room, path: Path, name: str) -> FileOutcome:
    try:
        ready = _prepared(room, path)
    except TableFault as fault:
        return FileOutcome(name, REFUSED, why=Said(str(fault), f"{fault.code}: {fault}"))
    with opened(path, ready.file.reading) as table:
        kept = tuple(tuple(map(text_of, row.cells)) for row in islice(table.rows, MOST_ROWS))
        header = tuple(table.header)
    kind = ready.standard.name if ready.standard else ""
    room.tables.append(Raw(name, header, kept, kind))
    check = _counted(room, path, name, ready)
    if ready.standard is None:
        why = Said(
            "aucun jeu de données du standard ne lui ressemble : ses colonnes sont analysées telles quelles",
            "no dataset of the standard looks like it: its columns are analysed as they are",
        )
        return FileOutcome(name, PASSED, rows=ready.detected.count, why=why, columns=len(header), check=check)
    if ready.faults:
        missing = ", ".join(sorted({fault.field.id for fault in ready.faults}))
        why = Said(f"il y manque : {missing}", f"it lacks: {missing}")
        return FileOutcome(
            name, REFUSED, kind, ready.detected.count, why=why, columns=len(header), check=check
        )
    done = running.run(room.engine, room.silo_id, ready.file.file_id, clock=room.clock, home=_SITE)
    _settle(room)
    _tie(room)
    refused = _refused(room, ready.file.file_id)
    pairs = zip(ready.detected.header, ready.file.columns, strict=False)
    return FileOutcome(
        name, READ if done.state == files.DONE else REFUSED, kind, done.position - done.refused, done.refused,
        refused, tuple((heading, field) for heading, field in pairs if field), len(header), check,
    )  # fmt: skip


def _prepared(room: Room, path: Path) -> Preparation:
    """Return how a file is proposed to be read, with what a person would add where something is missing."""
    with path.open("rb") as source, transaction(room.engine, room.silo_id) as conn:
        file_id = files.keep(conn, room.silo_id, path.name, source, now=room.now())
    ready = preparation.prepare(room.engine, room.silo_id, file_id, now=room.now())
    if ready.standard is None:
        return ready
    given = {"site": _SITE, "session": SESSION, "framework": path.stem, "questionnaire": path.stem}
    missing = {fault.field.id for fault in ready.faults}
    if ready.standard.becomes == "answers" and "session" not in ready.file.columns:
        missing.add("session")  # so that the questionnaire is shown with a session
    constants = {name: text for name, text in given.items() if name in missing}
    if not constants:
        return ready
    if "session" in constants:
        with transaction(room.engine, room.silo_id) as conn:
            _session(conn, room)
    return preparation.prepare(
        room.engine, room.silo_id, file_id, now=room.now(), kind=ready.file.kind,
        constants={**ready.file.constants, **constants},
    )  # fmt: skip


def _session(conn: Connection, room: Room) -> None:
    """Have the session that a person would have chosen for a questionnaire that names none."""
    iri = f"{_SITE}/course/view.php?id=1"
    row = {
        "silo_id": room.silo_id, "course_id": course_id(room.silo_id, iri), "iri": iri, "title": SESSION,
        "created_at": room.now(),
    }  # fmt: skip
    conn.execute(insert(conn, course).values(row).on_conflict_do_nothing())


def _tie(room: Room) -> None:
    """Give each course with traces a path of its own, as a person would who has one session of it."""
    c, held = course.c, select(outline_item.c.course_id).where(outline_item.c.silo_id == room.silo_id)
    with transaction(room.engine, room.silo_id) as conn:
        lonely = conn.execute(
            select(c.course_id, c.title).where(
                c.silo_id == room.silo_id, c.course_id >= 0, c.path_id.is_(None), c.course_id.in_(held)
            )
        ).all()
        for course_number, title in lonely[:_MOST_TIED]:
            made = paths.create(conn, room.silo_id, (title or f"{course_number}")[:150])
            paths.assign(conn, room.silo_id, [course_number], made)


def _settle(room: Room) -> None:
    while True:
        with transaction(room.engine, room.silo_id) as conn:
            if not rollup.refresh(conn, room.silo_id, now=room.now()):
                return


def _refused(room: Room, file_id: str) -> Said:
    """Say the first lines refused and why."""
    with transaction(room.engine, room.silo_id, write=False) as conn:
        first = files.refusals(conn, room.silo_id, file_id, limit=2)
    said = "; ".join(f"l. {one.line}: {_reason(one.faults[0])}" for one in first if one.faults)
    return Said(said, said)


def _reason(fault: list[Any]) -> str:
    code, params = str(fault[1]), fault[3] if len(fault) > 3 and isinstance(fault[3], dict) else {}
    try:
        return SENTENCES.get(code, code).format(**params)
    except (KeyError, IndexError):
        return code


# --- references -------------------------------------------------------------------------------------------


def _counted(room: Room, path: Path, name: str, ready: Preparation) -> Check:
    """Set the number of rows against pandas, and against what the data's own README says."""
    count, reading = ready.detected.count, ready.file.reading
    if reading.form != "csv" or reading.member:
        return _in_readme(room, count, name)
    try:
        other = recomputed.rows_of(
            str(path), encoding=reading.encoding, separator=reading.separator, header=reading.header
        )
    except Exception as error:  # pandas refuses what the tool reads: say so
        said = type(error).__name__
        return Check(Said(f"pandas ne le lit pas ({said})", f"pandas does not read it ({said})"))
    told = _in_readme(room, count, name)
    more = f" ; {told.said.fr}" if told.holds else "", f"; {told.said.en}" if told.holds else ""
    if other == count:
        return Check(Said(f"pandas : {other} lignes{more[0]}", f"pandas: {other} rows{more[1]}"), True)
    return Check(
        Said(f"pandas : {other} lignes, et ici {count}", f"pandas: {other} rows, here {count}"), False
    )


def _in_readme(room: Room, count: int, name: str) -> Check:
    """Look for a number of rows in what the data say of themselves."""
    spaced = f"{count:,}"
    forms = {str(count), spaced, spaced.replace(",", " "), spaced.replace(",", "\u202f")}
    found = any(re.search(rf"(?<![\d,.]){re.escape(form)}(?![\d])", room.readme) for form in forms)
    if count < 20 or not found:
        return NO_REFERENCE
    return Check(Said(f"son README dit {count}", f"its README says {count}"), True)
