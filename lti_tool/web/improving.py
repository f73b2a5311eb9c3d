"""One entry of the improvement log: opened from a figure, decided, acted on, checked, published."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as Answer

from lti_tool import access, people
from lti_tool.improvements import (
    Entry,
    ImprovementError,
    Seen,
    Stale,
    entries,
    following,
    log,
    registry,
    reviewing,
    wording,
)
from lti_tool.language import gettext
from lti_tool.web import improvement_place
from lti_tool.web.guard import tool, viewer
from lti_tool.web.improvement_place import Place, author, open_place, reader, record
from lti_tool.web.shell import reading
from tool_config.database import transaction
from xapi.tables import membership


def _day(text: str) -> date | None:
    """Read a day as the browser sends it; None when it cannot be read or is out of reason."""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


# --- opening -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Started:
    """What an entry is opened from."""

    kind: str
    reference: str
    seen: Seen | None


def _started(conn: Connection, course_id: int, sent: Mapping[str, str]) -> _Started:
    """Read the figure that the address or the form names; NotFound when it names nothing here."""
    kind, reference = sent.get("of", ""), sent.get("ref", "")
    if kind in ("", entries.OBSERVATION, entries.COMPLAINT):
        return _Started(kind or entries.OBSERVATION, "", None)
    seen = registry.read(reader(conn, course_id), kind, reference)
    if seen is None:
        raise access.NotFound
    return _Started(kind, reference, seen)


def improvement_new(launch: str, course_id: int) -> str:
    """Show the form that opens an entry, with the figure as it will be kept."""
    with reading() as conn:
        place = open_place(conn, course_id)
        started = _started(conn, course_id, request.args)
    return _new(place, started, {})


def improvement_add(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Open an entry: the figure is read again here, and frozen if it is still the one that was shown."""
    errors: dict[str, str] = {}
    with transaction(tool().engine, viewer().silo_id) as conn:
        place = open_place(conn, course_id)
        started = _started(conn, course_id, request.form)
        module = request.form.get("module", "")
        if started.seen is not None and request.form.get("shown") != started.seen.digest():
            errors = {"shown": "moved"}
        else:
            try:
                made = entries.open_entry(
                    conn,
                    viewer().silo_id,
                    course_id,
                    improvement_id=_attempt(),
                    kind=started.kind,
                    reference=started.reference,
                    figure=started.seen,
                    noticed=request.form.get("noticed", ""),
                    about=request.form.get("object", ""),
                    module=module if module in dict(place.modules) else "",
                    by=author(),
                    now=tool().clock(),
                    today=place.today,
                )
                record(conn, course_id)
                address = place.url("improvement", improvement_id=made.improvement_id, done="noted")
                return redirect(address, 303)
            except ImprovementError as error:
                errors = error.fields
    return _new(place, started, errors), 409 if "shown" in errors else 400


def _attempt() -> str:
    """Return the identifier that the form carries, so that a double click opens one entry."""
    try:
        return str(UUID(request.form.get("attempt", "")))
    except ValueError:
        raise access.NotFound from None


def _new(place: Place, started: _Started, errors: Mapping[str, str]) -> str:
    return render_template(
        "improvements/new.html",
        page_title=gettext("Noter une amélioration"),
        shell=place.shell,
        started=started,
        attempt=request.form.get("attempt") or uuid.uuid4(),
        figureless=[
            (entries.OBSERVATION, gettext("Une observation"), gettext("ce que vous avez vu ou entendu")),
            (
                entries.COMPLAINT,
                gettext("Une réclamation"),
                gettext(
                    "reçue de vive voix, par courriel… ; à répondre %(delay)s", delay=wording.answer_delay()
                ),
            ),
        ],
        modules=place.modules,
        objects=wording.objects(),
        sent=request.form,
        errors={name: wording.fault(code) for name, code in errors.items()},
        here=place.url("improvement_add"),
        back_url=place.list_url,
    )


# --- one entry ---------------------------------------------------------------------------------------------


def improvement(launch: str, course_id: int, improvement_id: UUID) -> str:
    """Show an entry: what was seen, what is decided, done and measured, its history."""
    with reading() as conn:
        place = open_place(conn, course_id)
        entry = find(conn, course_id, improvement_id)
        return _entry_page(conn, place, entry, _Sent())


def find(conn: Connection, course_id: int, improvement_id: UUID) -> Entry:
    """Return an entry that the viewer may follow; NotFound."""
    entry = entries.find(conn, viewer().silo_id, course_id, str(improvement_id))
    if entry is None:
        raise access.NotFound
    access.may_follow_improvement(conn, viewer(), course_id, reserved=entry.reserved)
    return entry


@dataclass(frozen=True)
class _Sent:
    """What a form sent that could not be kept: its step, its faults, the changes made meanwhile."""

    step: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    #: Words found in a text to be published.
    found: tuple[str, ...] = ()
    #: The entry's version when the form was made, if it is not any more.
    stale: int | None = None


def improvement_change(launch: str, course_id: int, improvement_id: UUID) -> Answer | tuple[str, int]:
    """Take one step of an entry; a step that cannot be taken shows the page again, with what was sent."""
    step = request.form.get("step", "")
    if step not in _STEPS:
        raise access.NotFound
    text = request.form.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    found: tuple[str, ...] = ()
    with transaction(tool().engine, viewer().silo_id) as conn:
        place = open_place(conn, course_id)
        entry = find(conn, course_id, improvement_id)
        try:
            if version != entry.version:
                raise Stale
            if step == "published":
                found = _found(conn, course_id)
            _STEPS[step](conn, place, entry, version)
            record(conn, course_id)
            said = {"published": "told", "withdrawn": "untold"}.get(step, "improvement")
            return redirect(place.url("improvement", improvement_id=improvement_id, done=said), 303)
        except ImprovementError as error:
            sent = _Sent(step, error.fields, found)
        except Stale:
            entry = find(conn, course_id, improvement_id)
            sent = _Sent(step, stale=version)
        page = _entry_page(conn, place, entry, sent)
    return page, 409 if sent.stale is not None or "state" in sent.errors else 400


def _decide(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    owner = request.form.get("owner", "")
    known = [*improvement_place.team(conn, place.course_id), entry.owner]
    entries.decide(
        conn, entry, version,
        decision=request.form.get("decision", ""),
        owner=owner if owner in known else None,
        owner_name=request.form.get("owner_name", ""),
        due_on=_day(request.form.get("due_on", "")),
        by=author(), now=tool().clock(), today=place.today,
    )  # fmt: skip


def _act(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    entries.act(conn, entry, version, action=request.form.get("action", ""), by=author(), now=tool().clock())


def _check(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    here = reader(conn, entry.course_id)
    figure = registry.read_again(here, entry.kind, entry.reference)
    wanted = request.form.get("measured_in", "")
    if wanted:
        there = {str(one.course_id): one.seen for one in following.following(here, viewer(), entry)}
        if wanted not in there:
            raise access.NotFound
        figure = there[wanted]
    entries.check(
        conn, entry, version, conclusion=request.form.get("conclusion", ""), figure=figure, by=author(),
        now=tool().clock(),
    )  # fmt: skip


def _abandon(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    entries.abandon(
        conn, entry, version, reason=request.form.get("reason", ""), by=author(), now=tool().clock()
    )


def _reopen(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    entries.reopen(conn, entry, version, by=author(), now=tool().clock())


def _answer(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    entries.answer(
        conn, entry, version, answer=request.form.get("answer", ""), by=author(), now=tool().clock(),
        today=place.today,
    )  # fmt: skip


def _publish(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    faults = {} if request.form.get("reviewed") else {"reviewed": "reviewed"}
    for name in ("told", "done"):
        if reviewing.reaches(request.form.get(name, "")):
            faults[name] = "reaches"
    if not request.form.get("nobody") and _found(conn, place.course_id):
        faults["nobody"] = "required"
    entries.publish(
        conn, entry, version,
        told=request.form.get("told", ""), done=request.form.get("done", ""), faults=faults,
        by=author(), now=tool().clock(), today=place.today,
    )  # fmt: skip


def _withdraw(conn: Connection, place: Place, entry: Entry, version: int) -> None:
    entries.withdraw(conn, entry, version, by=author(), now=tool().clock())


_STEPS: Mapping[str, Callable[[Connection, Place, Entry, int], None]] = {
    "decided": _decide,
    "acted": _act,
    "checked": _check,
    "abandoned": _abandon,
    "reopened": _reopen,
    "answered": _answer,
    "published": _publish,
    "withdrawn": _withdraw,
}


def _found(conn: Connection, course_id: int) -> tuple[str, ...]:
    """Return the words of the texts sent that are names of people of the course."""
    query = select(membership.c.actor).where(
        membership.c.silo_id == viewer().silo_id, membership.c.course_id == course_id
    )
    known = people.names(conn, viewer().silo_id, conn.scalars(query))
    texts = f"{request.form.get('told', '')}\n{request.form.get('done', '')}"
    return tuple(reviewing.named(texts, (name.text for name in known.values() if name.text)))


def _entry_page(conn: Connection, place: Place, entry: Entry, sent: _Sent) -> str:
    line = log.one(conn, entry)
    again = None
    if entry.may("checked"):
        again = registry.read_again(reader(conn, entry.course_id), entry.kind, entry.reference)
    later = following.following(reader(conn, entry.course_id), viewer(), entry) if line.seen else []
    changes = log.history(conn, entry)
    team = improvement_place.team(conn, place.course_id)
    persons = improvement_place.called(
        conn, [*team, entry.owner, entry.opened_by, *(change.by for change in changes)]
    )
    signed = improvement_place.called(conn, [entry.author], named=True)
    after = line.measured or again
    return render_template(
        "improvements/entry.html",
        page_title=wording.title(entry, line.seen),
        shell=place.shell,
        entry=entry,
        title=wording.title(entry, line.seen),
        state_label=wording.states()[entry.state],
        kind_label=wording.kinds().get(entry.kind, entry.kind),
        object_label=wording.objects().get(entry.object, ""),
        module_label=dict(place.modules).get(entry.module, ""),
        due=wording.due(entry, place.today),
        late=entry.late(place.today),
        seen=line.seen,
        measured=line.measured,
        again=again,
        later=later,
        moved=wording.moved(line.seen, after) if line.seen and after else "",
        owner=persons.get(entry.owner or "", entry.owner_name),
        opened_by=persons.get(entry.opened_by or "", ""),
        author=signed.get(entry.author or "", ""),
        team=[(actor, persons[actor]) for actor in dict.fromkeys([*team, *filter(None, [entry.owner])])],
        history=[_change_row(change, persons, place.today) for change in changes],
        since=[_change_row(one, persons, place.today) for one in changes if one.version > (sent.stale or 0)]
        if sent.stale is not None
        else [],
        sent=sent,
        held=_held(entry, sent),
        errors={name: wording.fault(code) for name, code in sent.errors.items()},
        delay=wording.answer_delay(),
        here=place.url("improvement_change", improvement_id=entry.improvement_id),
        back_url=place.list_url,
    )


def _held(entry: Entry, sent: _Sent) -> dict[str, str]:
    """Return what each field of the forms holds: what was sent and not kept, else what the entry says."""
    kept = {
        "decision": entry.decision,
        "owner": entry.owner or ("" if entry.owner_name else viewer().actor),
        "owner_name": entry.owner_name,
        "due_on": entry.due_on.isoformat() if entry.due_on else "",
        "action": entry.action,
        "conclusion": entry.conclusion,
        "measured_in": "",
        "answer": entry.answer,
        "told": entry.told or ("" if entry.kind == entries.COMPLAINT else entry.noticed),
        "done": entry.done or entry.action,
        "reason": "",
        "reviewed": "",
        "nobody": "",
    }
    return {
        **kept,
        **{name: request.form.get(name, "") for name in kept if sent.step and name in request.form},
    }


def _change_row(change: log.Change, persons: Mapping[str, str], today: date) -> dict[str, Any]:
    columns = wording.columns()
    roles = {"trainee": gettext("un ou une stagiaire")}
    return {
        "at": change.at.astimezone(g.zone) if change.by else change.at,
        "by": persons.get(change.by or "", roles.get(change.role, "")),
        "by_trainee": change.by is None,
        "step": wording.steps()[change.step],
        "figure": change.figure,
        "reason": change.reason,
        "fields": [
            (
                columns[name],
                wording.value(name, before, persons, today),
                wording.value(name, after, persons, today),
            )
            for name, (before, after) in change.fields.items()
            if name in columns and not (name == "conclusion" and change.reason)
        ],
    }
