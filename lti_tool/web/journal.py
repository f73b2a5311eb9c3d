"""The administrator's page of the audit: who came in, who was refused, who looked at whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from sqlalchemy import Connection, select

from lti_tool import access, audit, audit_words
from lti_tool.audit import Line, Wanted
from lti_tool.exports import Table
from lti_tool.formatting import number
from lti_tool.language import gettext
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import address
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos
from xapi.tables import course

PAGE = 50
#: Lines of one file: what a spreadsheet opens without trouble.
MOST_EXPORTED = 50_000


@dataclass(frozen=True)
class Row:
    """A line as the page prints it."""

    at: datetime
    kind: str
    accepted: bool
    who: str
    role: str
    subject: str
    course: str
    course_url: str
    reason: str
    reference: str


@dataclass(frozen=True)
class Asked:
    """What the form of the page asks for; days are of the silo's time zone, both included."""

    kind: str
    first: date | None
    last: date | None
    page: int

    def arguments(self) -> dict[str, str]:
        return {
            "kind": self.kind,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        }

    def wanted(self, zone: ZoneInfo) -> Wanted:
        since = datetime.combine(self.first, time.min, zone) if self.first else None
        until = datetime.combine(self.last + timedelta(days=1), time.min, zone) if self.last else None
        return Wanted(self.kind, since and since.astimezone(UTC), until and until.astimezone(UTC))


def journal(launch: str) -> str:
    """Show the lines, the latest first, by pages."""
    access.require(viewer(), "admin")
    asked = _read_form()
    here = url_for("pages.journal")
    with reading() as conn:
        owner = silos.get(conn, viewer().silo_id)
        zone = ZoneInfo(owner.time_zone)
        set_time(tool().clock(), zone)
        found = audit.lines(
            conn, owner.silo_id, asked.wanted(zone), limit=PAGE + 1, offset=(asked.page - 1) * PAGE
        )
        rows = _rows(conn, owner, found[:PAGE])
    kept = asked.arguments()
    return render_template(
        "admin/journal.html",
        page_title=gettext("Journal"),
        shell=_shell(owner.name),
        rows=rows,
        kinds=audit_words.kinds(),
        asked=asked,
        here=here,
        filtered=any(kept.values()),
        limit=_limit(),
        csv_url=address(url_for("pages.journal_csv"), kept),
        newer=address(here, {**kept, "page": str(asked.page - 1)}) if asked.page > 1 else "",
        older=address(here, {**kept, "page": str(asked.page + 1)}) if len(found) > PAGE else "",
    )


def journal_table() -> Table:
    """Return the lines that the form chooses, the latest first; the oldest are left out beyond a limit."""
    access.require(viewer(), "admin")
    asked = _read_form()
    with reading() as conn:
        owner = silos.get(conn, viewer().silo_id)
        zone = ZoneInfo(owner.time_zone)
        set_time(tool().clock(), zone)
        found = audit.lines(conn, owner.silo_id, asked.wanted(zone), limit=MOST_EXPORTED + 1)
        rows = _rows(conn, owner, found[:MOST_EXPORTED])
    columns = [
        gettext("Instant"), gettext("Quoi"), gettext("Accepté"), gettext("Qui"), gettext("Rôle"),
        gettext("Session"), gettext("Sur qui"), gettext("Motif"), gettext("Référence"),
    ]  # fmt: skip
    lines = [
        (
            # Of somebody who is known, the day: no page tells the hours of a person.
            row.at.astimezone(zone).date() if row.who else row.at.astimezone(zone), row.kind, row.accepted,
            row.who, row.role, row.course, row.subject,
            row.reason, row.reference,
        )
        for row in rows
    ]  # fmt: skip
    words = [(gettext("Qui, sur qui"), gettext("pseudonymes, les mêmes que dans les listes"))]
    left_out = _limit() if len(found) > MOST_EXPORTED else ""
    return Table("journal", gettext("Journal"), columns, lines, noting.community(words), left_out)


def _limit() -> str:
    return gettext(
        "Un fichier a %(count)s lignes au plus, les plus récentes : pour les plus anciennes, choisissez des "
        "jours.",
        count=number(MOST_EXPORTED),
    )


def _read_form() -> Asked:
    kind = request.args.get("kind", "")
    page = request.args.get("page", "1")
    return Asked(
        kind=kind if kind in (*audit.ACTIONS, audit.REFUSAL) else "",
        first=_day(request.args.get("from", "")),
        last=_day(request.args.get("to", "")),
        page=int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 6 and int(page) else 1,
    )


def _day(text: str) -> date | None:
    """Return a day typed in the form; None when there is none, or none that a calendar has."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None


def _rows(conn: Connection, owner: silos.Silo, found: Sequence[Line]) -> list[Row]:
    titles = _titles(conn, owner.silo_id, {line.course_id for line in found if line.course_id is not None})
    words = audit_words.kinds()

    def called(actor: str | None) -> str:
        return silos.pseudonym(owner, actor) if actor else ""

    return [
        Row(
            at=line.at,
            kind=words.get(line.action, line.action),
            accepted=line.accepted,
            who=called(line.actor),
            role=audit_words.role(line.role),
            subject=called(line.subject),
            course=titles.get(line.course_id or 0, ""),
            course_url=(url_for("pages.today", course_id=line.course_id) if line.course_id in titles else ""),
            reason=audit_words.reason(line.reason),
            reference=line.audit_id,
        )
        for line in found
    ]


def _titles(conn: Connection, silo_id: int, courses: set[int]) -> Mapping[int, str]:
    wanted = sorted(courses)
    found: dict[int, str] = {}
    for start in range(0, len(wanted), 500):
        some = course.c.course_id.in_(wanted[start : start + 500])
        query = select(course.c.course_id, course.c.title).where(course.c.silo_id == silo_id, some)
        found.update((key, title or gettext("Session sans titre")) for key, title in conn.execute(query))
    return found


def _shell(name: str) -> Shell:
    return Shell(
        title=name,
        meta="",
        tabs=admin_tabs("journal"),
        open_url=open_url(),
        about_url=url_for("pages.about_all"),
        threshold=tool().rules.disclosure.course,
        done=done(),
    )
