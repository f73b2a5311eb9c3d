"""The job that makes a pack: what is read, then the two files, each kept for who asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lti_tool.documents import pdf, workbook
from lti_tool.evidence import facts as reading
from lti_tool.evidence import pack
from lti_tool.exports import kept
from lti_tool.jobs import Failed, JobRun
from tool_config import silos
from tool_config.database import transaction

KIND = "evidence"
#: Words of the steps, in the order in which they come; the page says them.
READING, SETTING, KEEPING = "reading", "setting", "keeping"
#: Why a pack cannot be made.
GONE = "path"


def ask(
    conn: Connection, silo_id: int, owner: str, path_id: int, years: tuple[int, int], *, now: datetime
) -> str:
    """Ask for the pack of a path over some school years, and return the id of the export."""
    asked = {"path_id": path_id, "first": years[0], "last": years[1]}
    key = f"evidence {owner} {path_id} {years[0]} {years[1]}"
    return kept.ask(conn, silo_id, KIND, owner, asked, now=now, key=key)


def make(run: JobRun) -> Mapping[str, Any]:
    """Make the pack that a job asks for; done twice, the same files replace themselves."""
    asked, now = run.payload, run.clock()
    years = int(asked["first"]), int(asked["last"])
    # Three steps after the sessions: the PDF, the workbook, both kept.
    with transaction(run.engine, run.silo_id, write=False) as conn:
        zone = ZoneInfo(silos.get(conn, run.silo_id).time_zone)
        try:
            found = reading.read(
                conn, run.silo_id, int(asked["path_id"]), years, now=now, rules=run.rules,
                step=lambda done, total: run.progress(done, total + 3, READING),
            )  # fmt: skip
        except reading.UnknownPath:
            raise Failed(GONE) from None
    count = len(found.sessions)
    made = pack.document(found, zone)
    run.progress(count, count + 3, SETTING)
    files = {"pdf": pdf.content(made)}
    run.progress(count + 1, count + 3, SETTING)
    files["xlsx"] = workbook.content(made)
    run.progress(count + 2, count + 3, KEEPING)
    stem = f"estime-preuves-{_slug(found.path)}-{years[0]}-{years[1] + 1}"
    with transaction(run.engine, run.silo_id) as conn:
        for form, content in files.items():
            kept.keep(conn, run.silo_id, str(asked["export"]), form, f"{stem}.{form}", content)
    run.progress(count + 3, count + 3, KEEPING)
    return {"sessions": count}


def _slug(title: str) -> str:
    """Return a title as a part of a file's name: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "parcours"
