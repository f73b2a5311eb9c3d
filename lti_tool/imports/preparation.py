"""A file before it goes in: what it is, how it is read, which column is which; corrected by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from lti_tool.imports import files, refusals
from lti_tool.imports.files import File
from tool_config import platforms
from tool_config.database import transaction
from tool_config.references import plain
from tool_config.standards import Standard
from xapi import datasets
from xapi.sources import mapping, tabular
from xapi.sources.cells import Reading, TableFault
from xapi.sources.tabular import Detected

#: Headings that the file of refused lines adds; they are of nothing in particular.
ADDED_HEADINGS = frozenset(map(plain, refusals.ADDED))


@dataclass(frozen=True)
class Preparation:
    """What a page shows of a file before it goes in."""

    file: File
    detected: Detected
    standard: Standard | None
    #: What keeps it from going in.
    faults: tuple[mapping.MappingFault, ...]
    #: Name of the saved mapping that was proposed.
    saved: str = ""


def prepare(
    engine: Engine,
    silo_id: int,
    file_id: str,
    *,
    now: datetime,
    kind: str = "",
    reading: Mapping[str, Any] | None = None,
    columns: tuple[str, ...] | None = None,
    constants: Mapping[str, str] | None = None,
) -> Preparation:
    """Look at a file and keep how it is to be read; what is not given is detected or proposed.

    Raises TableFault when the file cannot be taken: it is then ended as refused, and its bytes go.
    LookupError when it is not waiting any more.
    """
    with transaction(engine, silo_id, write=False) as conn:
        file = files.read(conn, silo_id, file_id)
        known = datasets.known(conn, silo_id)
    if file is None or file.state != files.DRAFT:
        raise LookupError(file_id)
    kind = kind if kind in known else "" if kind else file.kind
    asked = _asked(file.reading, reading)
    try:
        with files.unpacked(engine, silo_id, file_id) as path:
            wanted = [known[kind]] if kind else list(known.values())
            detected = tabular.detect(path, mapping.known_headings(wanted), asked)
    except TableFault as fault:
        if reading is not None and fault.code not in ("numen", "bomb", "entities", "macros"):
            raise  # a wrong correction: the file stays
        with transaction(engine, silo_id) as conn:
            notes = {"fault": fault.code, "params": fault.said}
            files.end(conn, silo_id, file_id, files.REFUSED, now=now, kind=kind, notes=notes)
        raise
    return _proposed(engine, silo_id, file, detected, known, kind, columns, constants)


def _proposed(
    engine: Engine,
    silo_id: int,
    file: File,
    detected: Detected,
    known: Mapping[str, Standard],
    kind: str,
    columns: tuple[str, ...] | None,
    constants: Mapping[str, str] | None,
) -> Preparation:
    header = tuple("" if plain(name) in ADDED_HEADINGS else name for name in detected.header)
    if columns is None and kind == file.kind and file.header == detected.header and any(file.columns):
        columns = file.columns
    with transaction(engine, silo_id) as conn:
        saved = files.saved(conn, silo_id, header_of(detected.header))
        fitting = [one for one in saved if one.kind in known and kind in ("", one.kind)]
        if columns is None and fitting:
            kind, columns = fitting[0].kind, fitting[0].columns
            constants = fitting[0].constants if constants is None else constants
        kind = kind or mapping.guess_kind(header, detected.first, known)
        standard = known.get(kind)
        if columns is not None:
            columns += ("",) * (len(header) - len(columns))
        if columns is None or len(columns) != len(header):
            columns = mapping.propose(header, detected.first, standard) if standard else ("",) * len(header)
        if standard is not None:
            columns = tuple(one if one == "" or standard.field(one) else "" for one in columns)
        constants = dict(file.constants if constants is None else constants)
        if standard is not None:
            constants = _supplied(conn, silo_id, standard, file.name, columns, detected.above) | constants
        files.change(
            conn, silo_id, file.file_id, kind=kind, reading=detected.reading, header=detected.header,
            columns=columns, constants=constants, total=detected.count,
        )  # fmt: skip
        file = replace(
            file,
            kind=kind,
            reading=detected.reading,
            header=detected.header,
            columns=columns,
            constants=constants,
            total=detected.count,
        )
    given = [field for field, text in constants.items() if text.strip()]
    faults = mapping.faults(columns, given, standard) if standard else []
    name = next((one.name for one in fitting if one.columns == columns[: len(one.columns)]), "")
    return Preparation(file, detected, standard, tuple(faults), name)


def _supplied(
    conn: Connection,
    silo_id: int,
    standard: Standard,
    name: str,
    columns: tuple[str, ...],
    above: tuple[tuple[str, str], ...],
) -> dict[str, str]:
    """Return what can be said of a whole file before a person does.

    Its name, the only platform there is, and what the file itself says above its table (title of a meeting).
    """
    found: dict[str, str] = {}
    for label, text in above:
        for field in standard.fields:
            if field.id not in columns and plain(label) in map(plain, field.names):
                found.setdefault(field.id, text)
    if standard.becomes == "answers" and "questionnaire" not in columns:
        found["questionnaire"] = name.rpartition(".")[0] or name
    if standard.becomes == "statements" and "site" not in columns:
        known = {one.issuer for one in platforms.of_silo(conn, silo_id)}
        found |= {"site": known.pop()} if len(known) == 1 else {}
    return found


def remember(conn: Connection, silo_id: int, name: str, ready: Preparation, *, now: datetime) -> None:
    """Save how a file is read under a name, without the columns that refusals add."""
    pairs = zip(ready.detected.header, ready.file.columns, strict=True)
    columns = tuple(field for heading, field in pairs if plain(heading) not in ADDED_HEADINGS)
    file = replace(ready.file, columns=columns)
    files.save(conn, silo_id, name, file, header_of(ready.detected.header), now=now)


def header_of(header: tuple[str, ...]) -> str:
    """Return the hash under which mappings of a header are saved; columns that refusals add do not count."""
    kept = [name for name in header if plain(name) not in ADDED_HEADINGS]
    return mapping.header_digest(kept)


def _asked(before: Reading, changes: Mapping[str, Any] | None) -> Reading | None:
    """Return the reading that a person asks for; None when everything is to be detected."""
    if not changes:
        return before if before.form else None
    values = {**asdict(before), **changes}
    if values["sheet"] != before.sheet or values["member"] != before.member:
        values.update(header=0, last=0)
    return Reading(**values)
