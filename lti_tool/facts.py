"""The facts that put a person where they are, in plain words; no verdict, no gender, no clock hour."""

from __future__ import annotations

from datetime import date

from markupsafe import Markup

from analyzers.results import Learner
from lti_tool.formatting import day, first_capital, full_day, in_words
from lti_tool.language import gettext, ngettext
from lti_tool.wording import Setting, gathering_kind


def facts(learner: Learner, setting: Setting) -> str:
    """Say in plain words the facts that put somebody in a state."""
    match learner.state:
        case "not_connected":
            parts = [_enrolled(learner, setting.today), deadline(learner, setting.today)]
        case "inactive":
            parts = [_silence(learner), _position(learner, setting)]
        case "slow":
            parts = [_behind(learner, setting), _position(learner, setting)]
        case "on_track":
            parts = [_last(learner, setting.today), _position(learner, setting)]
        case "finished":
            parts = [_completed(learner, setting.today)]
    return first_capital(gettext(" ; ").join(part for part in parts if part)) + "."


def _enrolled(learner: Learner, today: date) -> str:
    if learner.enrolled_on is None:
        return gettext("aucune connexion connue")
    return gettext("inscription %(when)s", when=day(learner.enrolled_on, today))


def deadline(learner: Learner, today: date, *, exact: bool = False) -> str:
    """Say what comes soonest for somebody: a gathering, the closing of a module; "" when nothing does.

    `exact`: by its date, for a text that will be read later.
    """
    if learner.deadline_on is None:
        return ""
    when = (
        gettext("le %(date)s", date=full_day(learner.deadline_on))
        if exact
        else day(learner.deadline_on, today)
    )
    title = learner.deadline_title or ""
    if learner.deadline_kind == "closes":
        return gettext("« %(title)s » ferme %(when)s", title=title, when=when)
    kind = gathering_kind(learner.deadline_kind or "")
    if title.casefold().startswith(kind.casefold()):
        return gettext("« %(title)s », %(when)s", title=title, when=when)
    return gettext("« %(title)s » (%(kind)s), %(when)s", kind=kind, title=title, when=when)


def _silence(learner: Learner) -> str:
    days = learner.days_since or 0
    since = ngettext("rien depuis %(num)d jour", "rien depuis %(num)d jours", days)
    if learner.active_weeks:
        weeks = ngettext(
            "une semaine d’activité",
            "%(weeks)s semaines d’activité",
            learner.active_weeks,
            weeks=in_words(learner.active_weeks),
        )
        return f"{weeks}, {since}"
    return since


def _behind(learner: Learner, setting: Setting) -> str:
    done = ngettext("%(num)d module terminé", "%(num)d modules terminés", learner.modules_done)
    if setting.calendar:
        return gettext(
            "%(done)s, %(expected)s prévus à cette date", done=done, expected=learner.modules_expected
        )
    return gettext(
        "%(done)s, quand la moitié du groupe en a %(expected)s", done=done, expected=learner.modules_expected
    )


def _position(learner: Learner, setting: Setting) -> str:
    place = setting.modules.get(learner.current_module or "")
    if place is None:
        return ""
    if not learner.others_here:
        return gettext("en est au module %(number)s", number=place.position)
    return ngettext(
        "en est au module %(number)s, comme une autre personne",
        "en est au module %(number)s, comme %(num)d autres",
        learner.others_here,
        number=place.position,
    )


def _last(learner: Learner, today: date) -> str:
    return gettext("dernière activité %(when)s", when=day(learner.last_on, today)) if learner.last_on else ""


def _completed(learner: Learner, today: date) -> str:
    if learner.completed_on is None:
        return gettext("parcours terminé")
    return gettext("parcours terminé %(when)s", when=day(learner.completed_on, today))


def person_lead(learner: Learner, name: str, setting: Setting) -> Markup:
    """Say where one person is, for the tutor; of who objects, what they finished alone."""
    done = ngettext(
        "%(done)d module terminé sur %(total)d",
        "%(done)d modules terminés sur %(total)d",
        learner.modules_done,
        done=learner.modules_done,
        total=learner.modules_required,
    )
    if learner.objects:
        return Markup("<b>{}</b>{}{}.").format(name, gettext(" : "), done)
    if not learner.modules_required:
        return Markup("<b>{}</b>{}{}").format(name, gettext(" : "), facts(learner, setting))
    return Markup("<b>{}</b>{}{}. {}").format(name, gettext(" : "), done, facts(learner, setting))
