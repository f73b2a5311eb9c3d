"""The administrator's pages: every session of the community, by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

from analyzers import sessions
from analyzers.results import Sessions, SessionSummary, Share
from lti_tool import access, community, definitions, exports, wording
from lti_tool.exports import Columns, Table
from lti_tool.formatting import number, percent, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import wording as survey_wording
from lti_tool.web import improvement_list, noting, receiving
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import Column, Order, address, heads, plain
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos


@dataclass(frozen=True)
class SessionRow:
    """A session as the list prints it."""

    title: str
    url: str
    dates: str
    enrolled: str
    partial: bool
    active: str
    completion: str
    satisfaction: receiving.SessionCell | None
    last_on: date | None


#: Sessions of one page of the list.
_ROWS = 100
#: Satisfaction of the sessions that opened a questionnaire, by course.
Received = Mapping[int, receiving.SessionCell]


def _columns(received: Received) -> list[Column]:
    def satisfaction(session: SessionSummary) -> float | None:
        return _share_of(session, received)

    return [
        Column("title", gettext("Session"), lambda session: plain(session.title)),
        Column("starts", gettext("Dates"), lambda session: session.starts_on, False, True, "descending"),
        Column("enrolled", gettext("Inscrits"), lambda session: session.enrolled, True, first="descending"),
        Column(
            "active",
            gettext("Actifs sur 7 jours"),
            lambda session: session.active.value,
            True,
            first="descending",
        ),
        Column(
            "completion",
            gettext("Parcours terminés"),
            lambda session: session.completion.value,
            True,
            first="descending",
        ),
        Column("satisfaction", gettext("Satisfaction"), satisfaction, first="ascending"),
        Column(
            "last", gettext("Dernière activité"), lambda session: session.last_on, True, True, "descending"
        ),
    ]


def session_list(launch: str) -> str:
    """Show every session of the silo, grouped by path."""
    access.require(viewer(), "admin")
    with reading() as conn:
        found = _read(conn)
        received = receiving.session_cells(conn)
        late = improvement_list.late(conn, None, g.today)
    return render_template("admin/sessions.html", late=late, **sessions_context(found, received))


def sessions_context(found: Sessions, received: Received) -> dict[str, Any]:
    """Return what the template of the sessions prints."""
    columns = _columns(received)
    order = Order.read(columns, request.args, "starts")
    query = request.args.get("q", "").strip()
    here = url_for("pages.sessions", launch=viewer().launch_id)
    chosen = order.apply(_matching(found, query))
    kept = {"q": query, **order.arguments()}
    csv_url = address(url_for("pages.sessions_csv", launch=viewer().launch_id), kept)
    page = _page(len(chosen))
    first = (page - 1) * _ROWS
    turns = {
        "newer": address(here, {**kept, "page": str(page - 1)}) if page > 1 else "",
        "older": address(here, {**kept, "page": str(page + 1)}) if first + _ROWS < len(chosen) else "",
    }
    return {
        "page_title": gettext("Sessions"),
        "shell": _shell(found, csv_url),
        "lead": wording.sessions_lead(found),
        "known": bool(found.sessions),
        "here": here,
        "kept": list(order.arguments().items()),
        "query": query,
        "csv_url": csv_url,
        "shown": _shown(len(chosen), query, first),
        **turns,
        "columns": heads(columns, order, here, {"q": query}),
        "groups": _groups(chosen[first : first + _ROWS], received),
        "reading": [
            *definitions.reading("sessions", tool().rules),
            survey_wording.definition(tool().rules.disclosure.course),
        ],
    }


def sessions_table() -> Table:
    """Return the list of sessions as the page filters and sorts it; what may not be shown stays empty."""
    access.require(viewer(), "admin")
    with reading() as conn:
        found = _read(conn)
        received = receiving.session_cells(conn)
    chosen = Order.read(_columns(received), request.args, "starts").apply(
        _matching(found, request.args.get("q", "").strip())
    )
    columns: Columns = [
        gettext("Parcours"), gettext("Session"), gettext("Début"), gettext("Fin"), gettext("Inscrits"),
        gettext("Liste complète"), gettext("Actifs sur 7 jours"), gettext("Parcours terminés"),
        gettext("Dernière activité"), exports.Column(gettext("Avis favorables"), percent=True),
    ]  # fmt: skip
    rows = [
        (
            session.path_title, title(session), session.starts_on, session.ends_on, session.enrolled,
            not session.partial, session.active.count, session.completion.count, session.last_on,
            _share_of(session, received),
        )
        for session in chosen
    ]  # fmt: skip
    rules = tool().rules
    words = [
        (gettext("Inscrits"), definitions.enrolled()),
        (gettext("Actifs"), definitions.active()),
        (gettext("Terminé"), definitions.completed()),
        (gettext("Satisfaction"), survey_wording.definition(rules.disclosure.course)),
    ]
    counted = gettext("Personnes inscrites"), found.people
    return Table("sessions", gettext("Sessions"), columns, rows, noting.community(words, n=counted))


def _read(conn: Connection) -> Sessions:
    now, silo_id = tool().clock(), viewer().silo_id
    set_time(now, ZoneInfo(silos.get(conn, silo_id).time_zone))
    return sessions.summaries(community.sessions(conn, silo_id, now=now), k=tool().rules.disclosure.course)


def shell(conn: Connection) -> Shell:
    """Return the header and footer of a page about all sessions."""
    return _shell(_read(conn), url_for("pages.sessions_csv", launch=viewer().launch_id))


def _matching(found: Sessions, query: str) -> list[SessionSummary]:
    wanted = plain(query)
    return [s for s in found.sessions if wanted in plain(f"{s.title} {s.path_title or ''}")]


def _share_of(session: SessionSummary, received: Received) -> float | None:
    return received[session.course_id].share if session.course_id in received else None


def _groups(chosen: Sequence[SessionSummary], received: Received) -> list[dict[str, Any]]:
    """Group sessions by path, paths in the order of their first session; those without path come last."""
    groups: dict[str, list[SessionRow]] = {}
    for session in sorted(chosen, key=lambda s: s.path_title is None):
        groups.setdefault(session.path_title or gettext("Sans parcours connu"), []).append(
            _row(session, received)
        )
    return [{"title": path, "rows": rows} for path, rows in groups.items()]


def title(session: SessionSummary) -> str:
    """Name a session, even when the platform has not."""
    return session.title or gettext("Session sans titre")


def _row(session: SessionSummary, received: Received) -> SessionRow:
    today = tool().clock().date()
    dates = ""
    if session.starts_on:
        dates = gettext("depuis le %(start)s", start=short_day(session.starts_on, today))
        if session.ends_on:
            dates = gettext(
                "%(start)s → %(end)s",
                start=short_day(session.starts_on, today),
                end=short_day(session.ends_on, today),
            )
    return SessionRow(
        title=title(session),
        url=url_for("pages.today", launch=viewer().launch_id, course_id=session.course_id),
        dates=dates,
        enrolled=number(session.enrolled),
        partial=session.partial,
        active=_share(session.active),
        completion=_share(session.completion),
        satisfaction=received.get(session.course_id),
        last_on=session.last_on,
    )


def _share(share: Share) -> str:
    if share.count is None:
        return wording.suppressed(tool().rules.disclosure.course)
    return f"{number(share.count)} ({percent(share.value)})"


def _page(count: int) -> int:
    """Read the page asked for, from 1; what is no page of the list is the first."""
    asked = request.args.get("page", "")
    return int(asked) if asked.isdecimal() and 1 <= int(asked) <= -(-count // _ROWS) else 1


def _shown(count: int, query: str, first: int) -> str:
    if not count:
        return gettext("Aucune session ne correspond à « %(query)s ».", query=query)
    if count > _ROWS:
        return gettext(
            "%(first)s à %(last)s sur %(count)s sessions",
            first=number(first + 1),
            last=number(min(first + _ROWS, count)),
            count=number(count),
        )
    return ngettext("%(count)s session", "%(count)s sessions", count, count=number(count))


def _shell(found: Sessions, csv_url: str) -> Shell:
    return Shell(
        title=gettext("Sessions de la communauté"),
        meta=ngettext(
            "%(count)s session", "%(count)s sessions", len(found.sessions), count=number(len(found.sessions))
        ),
        tabs=admin_tabs("sessions"),
        open_url=open_url(),
        about_url=url_for("pages.about_all", launch=viewer().launch_id),
        threshold=tool().rules.disclosure.course,
        fresh_at=found.basis.fresh_at,
        dated=True,
        export_url=csv_url,
        done=done(),
    )
