"""Files made in the background, as their pages show them: how far each is, taken away, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Response, g, url_for
from sqlalchemy import Connection

from lti_tool import access, jobs
from lti_tool.exports import kept, xlsx_file
from lti_tool.exports.kept import Export
from lti_tool.formatting import clock_time, number, short_day
from lti_tool.language import gettext
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import note, reading
from tool_config.database import transaction

_MIMES = {"pdf": "application/pdf", "xlsx": xlsx_file.MIME, "zip": "application/zip"}


@dataclass(frozen=True)
class Made:
    """Files of one kind: what its steps and its failures are called, and the pages that give and forget."""

    kind: str
    steps: Mapping[str, str]
    failures: Mapping[str, str]
    file_page: str
    forget_page: str
    forms: tuple[str, ...] = field(default=("pdf", "xlsx"))

    def mine(self, conn: Connection) -> list[Export]:
        """Return what who looks asked for, the latest first."""
        return kept.mine(conn, viewer().silo_id, self.kind, viewer().actor, now=tool().clock())

    def give(self, export_id: str, form: str) -> Response:
        """Give a file to who asked for it; access.NotFound for anybody else."""
        who = viewer()
        with reading() as conn:
            there = any(one.export_id == export_id for one in self.mine(conn))
            found = kept.read(conn, who.silo_id, export_id, who.actor, form, now=tool().clock())
        if found is None or not there or form not in self.forms:
            raise access.NotFound
        note("export")
        name, content = found
        answer = Response(content, mimetype=_MIMES[form])
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def forget(self, export_id: str) -> None:
        """Take an export away, made or not; access.NotFound for somebody else's."""
        who = viewer()
        with transaction(tool().engine, who.silo_id) as conn:
            one = next((each for each in self.mine(conn) if each.export_id == export_id), None)
            if one is None:
                raise access.NotFound
            if one.job is not None and not one.job.is_over:
                jobs.cancel(conn, who.silo_id, one.job.job_id, now=tool().clock())
            kept.forget(conn, who.silo_id, export_id)

    def row(self, one: Export, title: str, period: str) -> dict[str, Any]:
        """Return one as the list prints it."""
        job = one.job
        return {
            "title": title,
            "period": period,
            "asked": one.created_at,
            "state": self.state(one),
            "running": job is not None and not job.is_over,
            "share": round(100 * job.done / job.total) if job is not None and job.total else 0,
            "files": [
                (
                    each.form.upper(),
                    url_for(self.file_page, export_id=one.export_id, form=each.form),
                    gettext("%(size)s ko", size=number(max(1, round(each.size / 1000)))),
                )
                for each in one.files
            ],
            "until": kept_until(one),
            "forget_url": url_for(self.forget_page, export_id=one.export_id),
        }

    def state(self, one: Export) -> str:
        """Say how far one is."""
        job = one.job
        if one.files:
            at = job.finished_at if job is not None and job.finished_at else one.created_at
            here = at.astimezone(g.zone)
            return gettext(
                "prêt, fait le %(day)s à %(hour)s",
                day=short_day(here.date(), g.today),
                hour=clock_time(here),
            )
        if job is None or job.state == jobs.DONE:
            return gettext("perdu de vue\u202f: demandez-le de nouveau")
        if job.state == jobs.FAILED:
            said = gettext("échec (%(why)s)\u202f: demandez-le de nouveau", why=job.message)
            return self.failures.get(job.message, said)
        if job.state == jobs.WAITING:
            return gettext("en attente")
        return self.steps.get(job.message, gettext("en cours"))


def kept_until(one: Export) -> date:
    """Return the last day on which an export is there."""
    return one.expires_at.astimezone(g.zone).date()


def busy(found: list[Export]) -> bool:
    """Say whether one is being made."""
    return any(one.job is not None and not one.job.is_over for one in found)
