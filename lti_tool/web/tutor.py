"""Pages that a tutor reads: Ce matin, Modules, Participants, one participant, a drafted message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, request

from analyzers import figures, frames, progress
from analyzers.results import STATES, CourseProgress, Learner
from lti_tool import access, definitions, exports, wording
from lti_tool.exports import Columns, Table
from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import wording as survey_wording
from lti_tool.web import improvement_list, noting, presenting, receiving
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.listing import Column, Order, heads
from lti_tool.web.shell import CoursePage, known_limits, open_course, reading

#: People shown on Ce matin before "voir les autres".
_FIRST_CONTACTS = 5


def today(launch: str, course_id: int) -> str:
    """Show Ce matin: the sentence, who to contact, activity by week, modules."""
    with reading() as conn:
        page = open_course(conn, course_id)
        needing = [learner for learner in page.learners if learner.needs_word]
        names = page.names(conn, needing[:_FIRST_CONTACTS])
        received = receiving.read(conn, page)
        late = improvement_list.late(conn, course_id, page.frames.today)
    return render_template("tutor/today.html", late=late, **today_context(page, needing, names, received))


def today_context(
    page: CoursePage, needing: Sequence[Learner], names: Mapping[str, str], received: receiving.Received
) -> dict[str, Any]:
    """Return what the template of Ce matin prints."""
    overview, setting = page.overview, page.setting
    done = progress.course(page.frames)
    titles = wording.weeks_title(overview, setting.modules.get(overview.busiest_module or ""))
    return {
        "page_title": gettext("Ce matin"),
        "shell": page.shell("today", page.url("people_csv")),
        "lead": wording.lead(overview, len(needing)),
        "notes": [*_withheld(page), *(known_limits(overview) if overview.enrolled else [])],
        "empty": not any(week.active for week in overview.weeks) and not done.modules and not needing,
        "contact_hint": _contact_hint(page),
        "contacts": _contacts(page, needing[:_FIRST_CONTACTS], names),
        "contacts_more": max(0, len(needing) - _FIRST_CONTACTS),
        "alerts": _alerts(needing),
        "people_url": page.url("people", state="need"),
        "weeks_title": titles,
        "weeks_hint": wording.weeks_hint(overview),
        "weeks": figures.weeks(overview, labels=chart_labels()),
        "weeks_key": [("dash", gettext("moyenne des sessions précédentes"))]
        if any(week.reference for week in overview.weeks)
        else [],
        "weeks_reading": definitions.reading("weeks", tool().rules),
        "modules_title": _modules_title(page, done, received),
        "modules": module_rows(page, done),
        "receptions": receiving.cells(page, received),
        "least": received.least,
        "satisfaction_url": page.url("satisfaction"),
    }


def _withheld(page: CoursePage) -> list[str]:
    if page.access.people:
        return []
    return [
        gettext(
            "Cette session est réglée sur « agrégats seulement » : personne n’y est montré en "
            "particulier, ni à contacter."
        )
    ]


def _contact_hint(page: CoursePage) -> str:
    if page.overview.online_only:
        return gettext("Les plus urgents d’abord, d’après l’activité en ligne seulement.")
    return gettext(
        "Les plus urgents d’abord. Les présences aux classes virtuelles et aux regroupements sont comptées."
    )


def _alerts(needing: Sequence[Learner]) -> list[tuple[str, str, int]]:
    """Count who is to be contacted by what put them there: (state, its name, people)."""
    counts = Counter(learner.state for learner in needing)
    return [(state, wording.state_label(state), counts[state]) for state in STATES if counts[state]]


def _contacts(
    page: CoursePage, needing: Sequence[Learner], names: Mapping[str, str]
) -> list[presenting.Contact]:
    return presenting.contacts(
        needing,
        names,
        page.setting,
        page.url("people"),
        write=(lambda actor: page.url("message", actor=actor)) if page.access.named else None,
    )


def _modules_title(page: CoursePage, done: CourseProgress, received: receiving.Received) -> str:
    return survey_wording.modules_title(
        done, received.least, page.setting.modules, stuck_days=tool().rules.states.stuck_days
    )


def module_rows(page: CoursePage, done: CourseProgress) -> list[presenting.ModuleRow]:
    """Return the modules as rows, in the order of the outline."""
    return [
        presenting.module_row(module, done, page.url("module", iri=module.iri), page.frames.today)
        for module in done.modules
    ]


# --- modules ----------------------------------------------------------------------------------------


def _module_columns(receptions: Mapping[str, receiving.Cell]) -> list[Column]:
    def share(row: presenting.ModuleRow) -> float | None:
        return receptions[row.iri].share if row.iri in receptions else None

    def answers(row: presenting.ModuleRow) -> int | None:
        return receptions[row.iri].received if row.iri in receptions else None

    return [
        Column("position", gettext("Module"), lambda row: row.position),
        Column(
            "share",
            gettext("Avancement"),
            lambda row: row.finished / row.n if row.n else 0,
            first="descending",
        ),
        Column("finished", gettext("Terminé"), lambda row: row.finished, True, first="descending"),
        Column("going", gettext("En cours"), lambda row: row.in_progress, True, True, "descending"),
        Column("rest", gettext("Pas commencé"), lambda row: row.not_started, True, True, "descending"),
        Column("stuck", gettext("Y sont depuis longtemps"), lambda row: row.stuck, True, True, "descending"),
        Column("time", gettext("Temps médian"), lambda row: row.median_seconds, True, True, "descending"),
        Column("planned", gettext("Durée prévue"), lambda row: row.planned, True, True, "descending"),
        Column("score", gettext("Note médiane"), lambda row: row.median_score, True, True, "descending"),
        Column("answers", gettext("Réponses"), answers, True, True, "descending"),
        Column("satisfaction", gettext("Satisfaction"), share, first="ascending"),
    ]


def modules(launch: str, course_id: int) -> str:
    """Show the table of modules."""
    with reading() as conn:
        page = open_course(conn, course_id)
        received = receiving.read(conn, page)
    done = progress.course(page.frames)
    receptions = receiving.cells(page, received)
    columns = _module_columns(receptions)
    order = Order.read(columns, request.args, "position")
    return render_template(
        "tutor/modules.html",
        page_title=gettext("Modules"),
        shell=page.shell("modules"),
        modules_title=_modules_title(page, done, received),
        receptions=receptions,
        least=received.least,
        modules_hint=ngettext(
            "Parmi %(count)s personne inscrite. Ouvrez un module pour voir ses activités.",
            "Parmi %(count)s personnes inscrites. Ouvrez un module pour voir ses activités.",
            done.basis.n,
            count=number(done.basis.n),
        ),
        modules=order.apply(module_rows(page, done)),
        columns=heads(columns, order, page.url("modules"), {}),
        reading=definitions.reading("modules", tool().rules),
    )


def module(launch: str, course_id: int) -> str:
    """Show one module: its figures and the activities that people reached and completed."""
    iri = request.args.get("iri", "")
    with reading() as conn:
        page = open_course(conn, course_id)
        if iri not in page.setting.modules:
            raise access.NotFound
        traces = frames.module(conn, page.frames, iri)
        received = receiving.read(conn, page)
    done = progress.course(page.frames)
    row = next(row for row in module_rows(page, done) if row.iri == iri)
    activities = progress.module(page.frames, iri, traces)
    return render_template(
        "tutor/module.html",
        page_title=row.label,
        shell=page.shell("modules"),
        modules_url=page.url("modules"),
        module=row,
        reception=receiving.cells(page, received).get(iri),
        ask_url=page.url("survey_new", module=iri) if viewer().role == "tutor" else None,
        n=row.n,
        lead=_module_lead(row),
        funnel_title=wording.funnel_title(activities),
        funnel_hint=gettext(
            "Chaque barre : qui a ouvert l’activité, et qui l’a terminée, parmi les inscrits."
        ),
        funnel=figures.module_activities(activities, enrolled=row.n, labels=chart_labels()),
        funnel_key=[("hatch", gettext("l’ont ouverte")), ("solid", gettext("l’ont terminée"))],
        activities=[presenting.activity_row(activity) for activity in activities],
        reading=definitions.reading("module", tool().rules),
    )


def _module_lead(row: presenting.ModuleRow) -> str:
    said = (
        ngettext(
            "une personne sur %(n)s l’a terminé",
            "%(finished)s personnes sur %(n)s l’ont terminé",
            row.finished,
            finished=number(row.finished),
            n=number(row.n),
        )
        if row.finished
        else gettext("personne ne l’a encore terminé")
    )
    if row.in_progress:
        said += ", " + ngettext("une l’a commencé", "%(num)d l’ont commencé", row.in_progress)
    return said + "."


# --- files --------------------------------------------------------------------------------------------


def weeks_table(course_id: int) -> Table:
    """Return the weeks of Ce matin, as the chart draws them."""
    with reading() as conn:
        page = open_course(conn, course_id)
    drawn = figures.weeks(page.overview, labels=chart_labels()).table
    words = [(gettext("Comment lire"), said) for said in definitions.reading("weeks", tool().rules)]
    title = gettext("Activité par semaine")
    return Table("semaines", title, drawn.columns, drawn.rows, noting.course(page, words))


def modules_table(course_id: int) -> Table:
    """Return the modules as the page sorts them."""
    with reading() as conn:
        page = open_course(conn, course_id)
        received = receiving.read(conn, page)
    receptions = receiving.cells(page, received)
    order = Order.read(_module_columns(receptions), request.args, "position")
    columns: Columns = [
        gettext("Module"), gettext("Obligatoire"), gettext("Inscrits"), gettext("Terminé"),
        gettext("En cours"), gettext("Pas commencé"), gettext("Y sont depuis longtemps"),
        gettext("Minutes, médiane (estimation)"),
        gettext("Heures prévues"), exports.Column(gettext("Note médiane"), percent=True), gettext("Réponses"),
        exports.Column(gettext("Avis favorables"), percent=True), gettext("À savoir"),
    ]  # fmt: skip
    rows = [
        (
            row.label, row.required, row.n, row.finished, row.in_progress, row.not_started, row.stuck,
            _minutes(row.median_seconds), row.planned, row.median_score,
            cell.responses if (cell := receptions.get(row.iri)) else None, cell.share if cell else None,
            row.note,
        )
        for row in order.apply(module_rows(page, progress.course(page.frames)))
    ]  # fmt: skip
    words = [(gettext("Comment lire"), said) for said in definitions.reading("modules", tool().rules)]
    words.append((gettext("Satisfaction"), survey_wording.definition(tool().rules.disclosure.course)))
    title = gettext("Les modules du parcours")
    return Table("modules", title, columns, rows, noting.course(page, words))


def activities_table(course_id: int) -> Table:
    """Return the activities of one module."""
    iri = request.args.get("iri", "")
    with reading() as conn:
        page = open_course(conn, course_id)
        if iri not in page.setting.modules:
            raise access.NotFound
        traces = frames.module(conn, page.frames, iri)
    columns: Columns = [
        gettext("Activité"), gettext("Obligatoire"), gettext("Ouverte"), gettext("Terminée"),
        gettext("Achèvement suivi"), gettext("Minutes, médiane (estimation)"),
        exports.Column(gettext("Note médiane"), percent=True), gettext("Personnes notées"),
    ]  # fmt: skip
    rows = [
        (
            act.title, act.required, act.reached, act.completed if act.tracked else None, act.tracked,
            _minutes(act.median_seconds or None), act.median_score, act.scored,
        )
        for act in progress.module(page.frames, iri, traces)
    ]  # fmt: skip
    words = [(gettext("Comment lire"), said) for said in definitions.reading("module", tool().rules)]
    place = page.setting.modules[iri]
    title = wording.module_label(place.position, place.title)
    return Table("activites", title, columns, rows, noting.course(page, words))


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60
