"""Where a tutor chooses what a course will hold (deep linking), and where each placed link leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

from lti_tool import access, audit, deep_linking, surveys, wording
from lti_tool.access import Viewer
from lti_tool.deep_linking import Item, Request
from lti_tool.formatting import short_day
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import SurveyError, library
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import guard, satisfaction_form, services
from lti_tool.web.guard import tool, viewer
from lti_tool.web.satisfaction_form import Filled, Wanted
from lti_tool.web.shell import CoursePage, Shell, open_course, open_person, reading
from tool_config import platforms
from tool_config import surveys as templates
from tool_config.database import transaction
from tool_config.surveys import Survey, Template

#: Values of the field ``what``, or what they begin with.
_DASHBOARD, _PROGRESS, _OPENED, _ON_MODULE = "dashboard", "progress", "survey:", "module:"
#: Before the name of a template about the whole session.
_ON_SESSION = "session:"


class _Faulty(Exception):  # noqa: N818
    """A form that cannot be followed: the fault of each field. Nothing that it began is kept."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("faulty")
        self.errors = errors


def placing(launch: str) -> str:
    """Show what may be placed in the course."""
    with reading() as conn:
        wanted = _asked(conn)
        page = open_course(conn, viewer().course_id)
        if wanted.placed is not None:
            return _sending(conn, wanted, wanted.placed, by_hand=True)
        first = next(iter(page.setting.modules), "")
        filled = satisfaction_form.blank(first, page.frames.today)
        return _form(conn, page, wanted, filled, set(), {})


def placing_send(launch: str) -> str | tuple[str, int]:
    """Open the questionnaires that were chosen, and send the links to the platform; or nothing at all."""
    what = list(dict.fromkeys(request.form.getlist("what")))
    try:
        with transaction(tool().engine, viewer().silo_id) as conn:
            wanted = _asked(conn, lock=True)
            here = tool()
            platforms.ensure_key(conn, viewer().silo_id, here.settings.secret_key, here.clock())
            page = open_course(conn, viewer().course_id)
            if "cancel" in request.form:
                return _sending(conn, wanted, ())
            items = wanted.placed
            if items is None:
                items = _items(conn, page, wanted, what)
                deep_linking.remember(conn, wanted, items)
                _record(conn)
            return _sending(conn, wanted, items)
    except _Faulty as fault:
        errors = fault.errors
    with reading() as conn:
        page = open_course(conn, viewer().course_id)
        filled = satisfaction_form.filled(request.form)
        return _form(conn, page, _asked(conn), filled, set(what), errors), 400


def _asked(conn: Connection, *, lock: bool = False) -> Request:
    """Return what the platform asked by this launch; access.NotFound when it asked nothing."""
    who = viewer()
    access.require(who, "tutor", "admin")
    if lock:
        deep_linking.lock(conn, who.silo_id, who.launch_id)
    found = deep_linking.asked(conn, who.silo_id, who.launch_id)
    if found is None:
        raise access.NotFound
    return found


def _record(conn: Connection) -> None:
    who = viewer()
    audit.write(
        conn,
        who.silo_id,
        at=tool().clock(),
        action="edit",
        accepted=True,
        actor=who.actor,
        course_id=who.course_id,
    )


# --- the form ------------------------------------------------------------------------------------------


def _opened(conn: Connection) -> list[Survey]:
    """Return the questionnaires of the course that are not over."""
    now, who = tool().clock(), viewer()
    found = surveys.listing(conn, who.silo_id, who.course_id)
    return [each for each in found if each.state(now) != "closed"]


def _form(
    conn: Connection,
    page: CoursePage,
    wanted: Request,
    filled: Filled,
    what: set[str],
    errors: Mapping[str, str],
) -> str:
    tutor = viewer().role == "tutor"
    known = [each for each in _offered(conn).values() if each.audience == "trainees"]
    return render_template(
        "tutor/placing.html",
        page_title=gettext("Ajouter au parcours"),
        shell=_shell(page),
        here=url_for("pages.placing_send"),
        kind="checkbox" if wanted.multiple else "radio",
        what=what,
        errors={name: _fault(code) for name, code in errors.items()},
        opened=[
            (f"{_OPENED}{each.survey_id}", _name(page, each.module), _state(each)) for each in _opened(conn)
        ],
        modules=[
            (f"{_ON_MODULE}{iri}", wording.module_label(place.position, place.title))
            for iri, place in page.setting.modules.items()
        ]
        if tutor
        else [],
        sessions=[
            (
                f"{_ON_SESSION}{each.name}",
                label(each.title),
                ngettext("%(num)d minute environ", "%(num)d minutes environ", each.minutes),
            )
            for each in known
            if each.scope == "session"
        ]
        if tutor
        else [],
        tutor=tutor,
        filled=filled,
        may_mark=services.may_mark_surveys(conn, viewer().course_id),
        mark=_is_marked(),
        templates=[
            {
                "name": each.name,
                "title": label(each.title),
                "minutes": each.minutes,
                "count": sum(1 for question in each.questions if question.included),
                "options": [
                    {"id": name, "text": text, "on": each.name == filled.template and name in filled.also}
                    for name, text, _ in satisfaction_form.optional(each)
                ],
            }
            for each in known
            if each.scope == "module"
        ],
        modes=[
            (mode, survey_wording.mode_label(mode), survey_wording.mode_for_tutor(mode, _k()))
            for mode in templates.MODES
        ],
    )


def _offered(conn: Connection) -> Mapping[str, Template]:
    return library.offered(conn, viewer().silo_id, viewer().course_id)


def _k() -> int:
    return tool().rules.disclosure.course


def _shell(page: CoursePage) -> Shell:
    """Return a header without tabs: the page is one step of a form of the platform."""
    whole = page.shell("placing")
    return Shell(
        title=whole.title,
        meta=whole.meta,
        tabs=(),
        open_url=None,
        about_url=whole.about_url,
        threshold=whole.threshold,
        fresh_at=whole.fresh_at,
    )


def _name(page: CoursePage, module: str) -> str:
    if not module:
        return gettext("Toute la session")
    place = page.setting.modules.get(module)
    return wording.module_label(place.position, place.title) if place else gettext("Module retiré")


def _state(each: Survey) -> str:
    last = survey_wording.last_day(each.closes_at, g.zone)
    return gettext(
        "%(title)s, %(mode)s, jusqu’au %(day)s inclus",
        title=label(each.template.title),
        mode=survey_wording.mode_label(each.mode),
        day=short_day(last, g.today),
    )


def _fault(code: str) -> str:
    return gettext("Choisissez au moins un élément.") if code == "nothing" else survey_wording.error(code)


# --- what was chosen -----------------------------------------------------------------------------------


def _items(conn: Connection, page: CoursePage, wanted: Request, what: Sequence[str]) -> tuple[Item, ...]:
    """Return the links that were chosen, with their questionnaires opened; _Faulty."""
    fresh = [each for each in what if each.startswith((_ON_MODULE, _ON_SESSION))]
    opened = {f"{_OPENED}{each.survey_id}": each for each in _opened(conn)}
    if not what or (len(what) > 1 and not wanted.multiple):
        raise _Faulty({"what": "nothing"})
    if fresh:
        access.require(viewer(), "tutor")
    items = []
    for each in what:
        if each == _DASHBOARD:
            items.append(_dashboard())
        elif each == _PROGRESS:
            items.append(_progress())
        elif each in opened:
            items.append(_questionnaire(page, opened[each]))
        elif each in fresh:
            items.append(_questionnaire(page, _open(conn, page, _read_survey(conn, each), each)))
        else:
            raise _Faulty({"what": "nothing"})
    return tuple(items)


def _is_marked() -> bool:
    return request.form.get("mark") == "1"


def _read_survey(conn: Connection, what: str) -> Wanted:
    """Return the questionnaire that a choice asks for; _Faulty."""
    form = request.form.to_dict()
    if what.startswith(_ON_SESSION):
        form["template"] = what.removeprefix(_ON_SESSION)
    else:
        form["module"] = what.removeprefix(_ON_MODULE)
    asked, errors = satisfaction_form.read(form, tool().clock(), g.zone, _offered(conn))
    if asked is not None and (asked.template.scope == "session") != what.startswith(_ON_SESSION):
        asked, errors = None, {"template": "template"}
    if asked is None:
        raise _Faulty(errors)
    if asked.mode == "anonymous" and _is_marked() and services.may_mark_surveys(conn, viewer().course_id):
        raise _Faulty({"mode": "marked"})
    return asked


def _open(conn: Connection, page: CoursePage, asked: Wanted, what: str) -> Survey:
    """Open a questionnaire, by the same rules as the page that opens one."""
    known = not asked.module or asked.module in page.setting.modules
    try:
        made = surveys.open_survey(
            conn,
            viewer().silo_id,
            viewer().course_id,
            module=asked.module if known else "",
            template=asked.template,
            mode=asked.mode,
            opens_at=asked.opens_at,
            closes_at=asked.closes_at,
            by=viewer().actor,
            now=tool().clock(),
        )
    except SurveyError as error:
        errors = dict(satisfaction_form.errors_of(error.fields))
        if "module" in errors:
            errors[what] = errors.pop("module")
        raise _Faulty(errors) from None
    if _is_marked() and services.may_mark_surveys(conn, viewer().course_id):
        title = page.setting.modules[asked.module].title if asked.module else label(made.template.title)
        services.start_with_survey(conn, viewer().course_id, made.survey_id, title)
    return made


def _dashboard() -> Item:
    return deep_linking.dashboard(
        gettext("Où en est la session ?"),
        gettext("Le tableau de bord de la session ; chaque participant y trouve son propre parcours."),
    )


def _progress() -> Item:
    return deep_linking.progress(
        gettext("Progression des participants"),
        gettext("Où chacun en est du parcours ; chaque participant n’y voit que sa propre progression."),
    )


def _questionnaire(page: CoursePage, opened: Survey) -> Item:
    place = page.setting.modules.get(opened.module)
    title = label(opened.template.title)
    if place is not None:
        title = gettext("%(title)s : %(module)s", title=title, module=place.title)
    minutes = ngettext("%(num)d minute environ", "%(num)d minutes environ", opened.template.minutes)
    return deep_linking.questionnaire(
        title, f"{minutes}, {survey_wording.mode_label(opened.mode)}.", opened.survey_id
    )


def _sending(conn: Connection, wanted: Request, items: Sequence[Item], *, by_hand: bool = False) -> str:
    """Return the page that posts the answer to the platform: by itself, or by its button."""
    here = tool()
    guard.allow_form_to(wanted.return_url)
    return render_template(
        "tutor/placed.html",
        to=wanted.return_url,
        token=deep_linking.respond(
            conn,
            wanted,
            items,
            secret_key=here.settings.secret_key,
            public_url=here.settings.public_url,
            now=here.clock(),
        ),
        titles=[item.title for item in items],
        by_hand=by_hand,
    )


# --- where a placed link leads -------------------------------------------------------------------------


def destination(conn: Connection, who: Viewer) -> str | None:
    """Return the address that a launch's own words lead to, or None: then its role does."""
    if deep_linking.asked(conn, who.silo_id, who.launch_id) is not None:
        return url_for("pages.placing")
    choice = deep_linking.chosen(conn, who.silo_id, who.launch_id)
    if choice is None:
        return None
    if choice.page == deep_linking.QUESTIONNAIRE:
        return _survey_page(conn, who, choice)
    if who.role == "trainee":
        return url_for("pages.me")
    name = "people" if choice.page == deep_linking.PROGRESS else "today"
    return url_for(f"pages.{name}", course_id=who.course_id)


def _survey_page(conn: Connection, who: Viewer, choice: deep_linking.Choice) -> str:
    """Return the questionnaire's page for the role: its form, or its summary. It must be of the course."""
    try:
        found = surveys.find(conn, who.silo_id, who.course_id, str(choice.survey_id or ""))
    except SurveyError:
        return url_for("pages.gone")
    if who.role == "trainee":
        return url_for("pages.survey", survey_id=found.survey_id)
    return url_for("pages.survey_summary", course_id=who.course_id, survey_id=found.survey_id)


def gone(launch: str) -> tuple[str, int]:
    """Say that the questionnaire of a link is not, or no longer, one of this course."""
    who = viewer()
    with reading() as conn:
        if who.role == "trainee":
            page, _ = open_person(conn, who.course_id, who.actor)
        else:
            page = open_course(conn, who.course_id)
    trainee = who.role == "trainee"
    said = render_template(
        "tutor/gone.html",
        page_title=gettext("Ce questionnaire n’est plus là"),
        shell=page.shell("me" if trainee else "satisfaction"),
        trainee=trainee,
        back_url=url_for("pages.me") if trainee else page.url("satisfaction"),
        new_url=page.url("survey_new") if who.role == "tutor" else None,
    )
    return said, 404
