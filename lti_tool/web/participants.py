"""Pages about people: the list, its file, one participant, a drafted message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, request
from sqlalchemy import Connection

from analyzers import itinerary
from analyzers.results import STATES, Learner
from lti_tool import access, definitions, facts, messages, people, wording
from lti_tool.exports import Table
from lti_tool.formatting import first_capital, number
from lti_tool.language import gettext, ngettext
from lti_tool.services import arrivals
from lti_tool.web import bystanding, noting, presenting, services
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import Column, Order, address, heads, plain
from lti_tool.web.shell import CoursePage, known_limits, note, open_course, open_person, reading

#: Rows of a list's page.
_PAGE = 300


def _people_columns(names: Mapping[str, str], page: CoursePage) -> list[Column]:
    sorted_names = {actor: plain(name) for actor, name in names.items()}
    rank = {state: position for position, state in enumerate(STATES)}
    places = page.setting.modules

    def current(learner: Learner) -> int | None:
        place = places.get(learner.current_module or "")
        return place.position if place else None

    return [
        Column("name", gettext("Nom"), lambda learner: sorted_names[learner.actor]),
        Column("state", gettext("État"), lambda learner: rank[learner.state]),
        Column(
            "done",
            gettext("Modules terminés"),
            lambda learner: learner.modules_done,
            True,
            first="descending",
        ),
        Column("module", gettext("En est à"), current, False, True),
        Column(
            "last", gettext("Dernière activité"), lambda learner: learner.last_on, True, first="descending"
        ),
        Column(
            "days", gettext("Jours d’activité"), lambda learner: learner.active_days, True, True, "descending"
        ),
        Column("attended", gettext("Présences"), lambda learner: learner.attended, True, True, "descending"),
        Column("time", gettext("Temps estimé"), lambda learner: learner.seconds, True, True, "descending"),
    ]


def _chosen(page: CoursePage, names: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> list[Learner]:
    """Return the learners that the filters and the search of the address keep."""
    state, query = request.args.get("state", ""), plain(request.args.get("q", "").strip())
    group = request.args.get("group", "") if groups else ""
    kept = [
        learner
        for learner in page.learners
        if (not state or learner.state == state or (state == "need" and learner.needs_word))
        and (not group or group in groups.get(learner.actor, ()))
    ]
    return [learner for learner in kept if query in plain(names[learner.actor])] if query else kept


def people_list(launch: str, course_id: int) -> str:
    """Show the participants: searched, filtered by state, sorted."""
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        names = page.names(conn)
        groups = _groups(conn, page)
        roster = services.roster_block(conn, page)
        shown = {one.actor: names[one.actor] for one in _chosen(page, names, groups)}
        aside = bystanding.block(conn, page, shown)
    context = people_context(page, names, groups)
    return render_template("tutor/people.html", **context, roster=roster, bystanders=aside)


def _groups(conn: Connection, page: CoursePage) -> Mapping[str, Sequence[str]]:
    """Return the platform's groups of each learner, to those who see names; nobody else filters by them."""
    if not page.access.named:
        return {}
    return arrivals.groups_of(conn, viewer().silo_id, page.access.course_id)


def people_context(
    page: CoursePage, names: Mapping[str, str], groups: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return what the template of Participants prints."""
    columns = _people_columns(names, page)
    order = Order.read(columns, request.args, "state")
    state, query = request.args.get("state", ""), request.args.get("q", "").strip()
    here = page.url("people")
    group = request.args.get("group", "") if groups else ""
    chosen = order.apply(_chosen(page, names, groups))
    first = _page_number(len(chosen)) * _PAGE
    kept = {"state": state, "q": query, **({"group": group} if groups else {})}
    csv_url = address(page.url("people_csv"), {**kept, **order.arguments()})
    return {
        "page_title": gettext("Participants"),
        "shell": page.shell("people", csv_url),
        "lead": wording.people_lead(page.overview),
        "notes": known_limits(page.overview, roster=False) if page.learners else [],
        "empty": not page.learners,
        "pills": _pills(page, here, state, group),
        "groups": _group_choices(page, groups, group),
        "group": group,
        "here": here,
        "kept": [(name, value) for name, value in {"state": state, **order.arguments()}.items() if value],
        "query": query,
        "state": state,
        "csv_url": csv_url,
        "shown": _shown(len(chosen), len(page.learners), query),
        "people": presenting.person_rows(chosen[first : first + _PAGE], names, page.setting, here),
        "columns": heads(columns, order, here, kept),
        "sorted_by": order.column.label,
        "pages": _pages(len(chosen), here, {**kept, **order.arguments()}),
        "reading": definitions.reading("people", tool().rules),
    }


def _page_number(count: int) -> int:
    asked = request.args.get("page", "1")
    last = max(0, (count - 1) // _PAGE)
    return min(last, max(0, int(asked) - 1)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0


def _pages(count: int, here: str, arguments: Mapping[str, str]) -> list[dict[str, Any]]:
    if count <= _PAGE:
        return []
    current = _page_number(count)
    return [
        {
            "label": number(index + 1),
            "url": address(here, {**arguments, "page": str(index + 1)}),
            "current": index == current,
        }
        for index in range((count - 1) // _PAGE + 1)
    ]


def _group_choices(
    page: CoursePage, groups: Mapping[str, Sequence[str]], chosen: str
) -> list[dict[str, Any]]:
    """Return the groups of the course's learners with their sizes, in the order of their numbers."""
    counts = Counter(name for learner in page.learners for name in groups.get(learner.actor, ()))
    return [
        {
            "id": name,
            "label": gettext("Groupe %(name)s (%(count)s)", name=name, count=number(counts[name])),
            "current": name == chosen,
        }
        for name in sorted(counts, key=arrivals.by_number)
    ]


def _pills(page: CoursePage, here: str, state: str, group: str) -> list[dict[str, Any]]:
    needing = sum(learner.needs_word for learner in page.learners)
    entries = [("", gettext("Tous"), len(page.learners), ""), ("need", gettext("À contacter"), needing, "")]
    days = tool().rules.states.inactive_days
    entries += [
        (key, first_capital(wording.state_label(key)), count, wording.state_meaning(key, inactive_days=days))
        for key in STATES
        if (count := page.overview.by_state.get(key, 0))
    ]
    return [
        {
            "label": label,
            "count": number(count),
            "url": address(here, {"state": key, "group": group}),
            "current": key == state,
            "meaning": meaning,
        }
        for key, label, count, meaning in entries
    ]


def _shown(count: int, total: int, query: str) -> str:
    if not count:
        return (
            gettext("Personne ne correspond à « %(query)s » dans cette liste.", query=query)
            if query
            else gettext("Personne dans cet état.")
        )
    if count == total:
        return ngettext("%(count)s participant", "%(count)s participants", count, count=number(count))
    return ngettext("%(count)s participant sur %(total)s", "%(count)s participants sur %(total)s", count,
                    count=number(count), total=number(total))  # fmt: skip


def people_table(course_id: int) -> Table:
    """Return the list of participants, with the filter and the order of the page."""
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        names = page.names(conn)
        groups = _groups(conn, page)
    order = Order.read(_people_columns(names, page), request.args, "state")
    learners = order.apply(_chosen(page, names, groups))
    columns = [
        gettext("Nom"), gettext("État"), gettext("Inscription"), gettext("Première activité"),
        gettext("Dernière activité"), gettext("Jours d’activité"), gettext("Semaines d’activité"),
        gettext(
            "Présences"), gettext("Modules terminés"), gettext("Modules obligatoires"), gettext("En est à"),
        gettext("Heures en ligne (estimation)"), gettext("Parcours terminé le"),
        *([gettext("Groupes")] if groups else []),
    ]  # fmt: skip
    places = {
        iri: wording.module_label(place.position, place.title) for iri, place in page.setting.modules.items()
    }
    rows = [
        (
            names[learner.actor], wording.learner_label(learner), learner.enrolled_on, learner.first_on,
            learner.last_on, learner.active_days, learner.active_weeks, learner.attended,
            learner.modules_done, learner.modules_required, places.get(learner.current_module or ""),
            learner.seconds / 3600, learner.completed_on,
            *([", ".join(groups.get(learner.actor, ()))] if groups else []),
        )
        for learner in learners
    ]  # fmt: skip
    words = [
        (gettext("États"), definitions.states(tool().rules)),
        (gettext("Terminé"), definitions.completed()),
        (gettext("Temps en ligne"), definitions.time_spent(tool().rules)),
        (gettext("Présences"), definitions.presences()),
    ]
    return Table(gettext("participants"), gettext("Participants"), columns, rows, noting.course(page, words))


def person(launch: str, course_id: int, actor: str) -> str:
    """Show one participant: the path as steps, the timeline; the look is written down."""
    with reading() as conn:
        page, traces = open_person(conn, course_id, actor)
        learner, name = _one(conn, page, actor)
    note("look", course_id=course_id, subject=actor)
    path = itinerary.path(traces)
    days = presenting.day_rows(path.days, page.frames.today)
    return render_template(
        "tutor/person.html",
        page_title=name,
        shell=page.shell("people"),
        people_url=page.url("people"),
        lead=facts.person_lead(learner, name, page.setting),
        learner=learner,
        state_label=wording.learner_label(learner),
        online_only=page.overview.online_only,
        steps=[] if learner.objects else presenting.step_rows(path.steps, page.frames.today),
        days=[] if learner.objects else days[:14],
        days_more=[] if learner.objects else days[14:],
        why=wording.state_meaning(learner.state, inactive_days=tool().rules.states.inactive_days),
        message_url=page.url("message", actor=actor) if page.access.named else None,
        pause_url=page.url("person_pause", actor=actor) if page.access.named else None,
        paused=actor in page.frames.quiet,
    )


def path_table(course_id: int, actor: str) -> Table:
    """Return one participant's path, activity by activity."""
    with reading() as conn:
        page, traces = open_person(conn, course_id, actor)
        learner, name = _one(conn, page, actor)
    if learner.objects:
        raise access.NotFound
    return presenting.path_table(gettext("Parcours de %(name)s", name=name), itinerary.path(traces), page)


def _one(conn: Connection, page: CoursePage, actor: str) -> tuple[Learner, str]:
    """Return a participant of the course and what to call them; access.NotFound for anybody else."""
    learner = next((learner for learner in page.learners if learner.actor == actor), None)
    if learner is None:
        raise access.NotFound
    return learner, page.names(conn, [learner])[actor]


def message(launch: str, course_id: int, actor: str) -> str:
    """Draft a message to one participant; tutors only, since it needs the name."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        learner, name = _one(conn, page, actor)
        known = people.names(conn, viewer().silo_id, [actor]).get(actor)
    note("look", course_id=course_id, subject=actor)
    email = known.email if known else None
    called = (known.given_name if known else None) or name
    draft = messages.draft(learner, called, page.frames.title or gettext("ce parcours"), page.setting)
    return render_template(
        "tutor/message.html",
        page_title=gettext("Un message pour %(name)s", name=name),
        shell=page.shell("people"),
        back_url=page.url("person", actor=actor),
        name=name,
        facts=facts.facts(learner, page.setting),
        message=draft,
        mailto=messages.mailto(email, draft) if email else None,
    )
