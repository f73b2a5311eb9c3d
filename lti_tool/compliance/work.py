"""The documents written: one by one, or all of them in one archive for the page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from lti_tool.compliance import (
    aipd,
    charter,
    committee,
    facts,
    homologation,
    information,
    processing,
    registre,
)
from lti_tool.compliance.facts import Facts
from lti_tool.documents import docx, pdf
from lti_tool.documents.content import Document
from lti_tool.exports import kept
from lti_tool.jobs import JobRun
from tool_config.database import transaction

KIND = "compliance"
#: Steps that the page tells.
READING, WRITING = "reading", "writing"
#: Name of the file -> what makes it, in the order of the file to be signed.
DOCUMENTS: Mapping[str, Callable[[Facts], Document]] = {
    "1-registre-des-traitements": registre.document,
    "2-analyse-d-impact": aipd.document,
    "3-information-des-agents": information.document,
    "4-homologation-de-securite": homologation.document,
    "5-note-au-comite-social": committee.document,
    "6-charte-des-tuteurs": charter.document,
    "7-accord-de-sous-traitance": processing.document,
}
FORMS: Mapping[str, Callable[[Document], bytes]] = {"docx": docx.content, "pdf": pdf.content}


def write(found: Facts) -> Iterator[tuple[str, bytes]]:
    """Yield each document in each form: the name of its file, and its bytes."""
    for name, make in DOCUMENTS.items():
        made = make(found)
        for form, content in FORMS.items():
            yield f"{name}.{form}", content(made)


def ask(conn: Connection, silo_id: int, owner: str, *, now: Any) -> str:
    """Ask for the whole file, and return the id of the export."""
    return kept.ask(conn, silo_id, KIND, owner, {}, now=now, key=f"compliance {owner}")


def make(run: JobRun) -> Mapping[str, Any]:
    """Make the archive that a job asks for; done twice, the same file replaces itself."""
    now, total = run.clock(), len(DOCUMENTS) * len(FORMS) + 1
    run.progress(0, total, READING)
    with transaction(run.engine, run.silo_id, write=False) as conn:
        found = facts.read(conn, run.silo_id, settings=run.settings, rules=run.rules, now=now)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for rank, (name, content) in enumerate(write(found)):
            archive.writestr(name, content)
            run.progress(rank + 1, total, WRITING)
    name = f"estime-conformite-{found.made_at:%Y-%m-%d}.zip"
    with transaction(run.engine, run.silo_id) as conn:
        kept.keep(conn, run.silo_id, str(run.payload["export"]), "zip", name, out.getvalue())
    run.progress(total, total, WRITING)
    return {"documents": len(DOCUMENTS)}
