"""The job that makes the note: read, set on four pages at most, kept for who asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lti_tool.council import facts as reading
from lti_tool.council import note
from lti_tool.documents import pdf
from lti_tool.documents.content import Document
from lti_tool.exports import kept
from lti_tool.jobs import Failed, JobRun
from tool_config import silos
from tool_config.database import transaction

KIND = "council_note"
#: Words of the steps, in the order in which they come; the page says them.
READING, SETTING, KEEPING = "reading", "setting", "keeping"
#: Why a note cannot be made: nothing of that year may be told; it does not hold on its pages.
EMPTY, LONG = "empty", "long"
MOST_PAGES = 4
_STEPS = 6


def ask(
    conn: Connection,
    silo_id: int,
    owner: str,
    year: int,
    path_id: int | None,
    *,
    texts: bool,
    now: datetime,
) -> str:
    """Ask for the note of a school year, for a path or all of them, and return the id of the export.

    `texts`: with the words of what was decided, which people typed; else their number alone.
    """
    asked = {"year": year, "path_id": path_id, "texts": texts}
    key = f"council {owner} {year} {path_id} {texts}"
    return kept.ask(conn, silo_id, KIND, owner, asked, now=now, key=key)


def make(run: JobRun) -> Mapping[str, Any]:
    """Make the note that a job asks for; done twice, the same file replaces itself."""
    year = int(run.payload["year"])
    path_id = None if run.payload["path_id"] is None else int(run.payload["path_id"])
    run.progress(0, _STEPS, READING)
    with transaction(run.engine, run.silo_id, write=False) as conn:
        zone = ZoneInfo(silos.get(conn, run.silo_id).time_zone)
        try:
            found = reading.read(
                conn, run.silo_id, year, path_id, now=run.clock(), rules=run.rules,
                step=lambda done: run.progress(done, _STEPS, READING),
            )  # fmt: skip
        except reading.Empty:
            raise Failed(EMPTY) from None
    if not run.payload["texts"]:
        found = replace(found, decided=())
    run.progress(_STEPS - 1, _STEPS, SETTING)
    content = pdf.content(fitted(found, zone))
    name = f"estime-note-conseil-{note.school_year(year)}.pdf"
    with transaction(run.engine, run.silo_id) as conn:
        kept.keep(conn, run.silo_id, str(run.payload["export"]), "pdf", name, content)
    run.progress(_STEPS, _STEPS, KEEPING)
    return {}


def fitted(found: reading.Facts, zone: ZoneInfo) -> Document:
    """Return the note with the most lines that four pages hold; Failed when the fewest do not."""
    for lines in note.LINES:
        made = note.document(found, zone, lines)
        if len(pdf.pages(made, ppi=8.0)) <= MOST_PAGES:
            return made
    raise Failed(LONG)
