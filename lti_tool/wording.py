"""Sentences and titles written from results: what a colleague would say, never a verdict on a person.

Message ids are the French text; every function reads the language of the page and touches nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from analyzers.results import (
    ActivityProgress,
    CourseProgress,
    Learner,
    LearnerPath,
    Overview,
    Pace,
    Sessions,
    State,
)
from lti_tool.formatting import first_capital, in_words, number
from lti_tool.language import gettext, ngettext

#: A title that already says its number is not given another.
_NUMBERED = re.compile(r"^\s*(\d|(module|s[ée]quence|[ée]tape|partie|section|unit|week|semaine)\s+\w)", re.I)


@dataclass(frozen=True)
class Place:
    """A module as sentences name it."""

    position: int
    title: str


@dataclass(frozen=True)
class Setting:
    """What sentences about people need to know of their course."""

    today: date
    modules: Mapping[str, Place]
    #: A module is expected by the calendar rather than by the group's median.
    calendar: bool = False


def _rich(text: str) -> Markup:
    """Take a message as HTML: message ids are ours, and only numbers are ever put into them before."""
    return Markup(text)  # noqa: S704


def learner_label(learner: Learner) -> str:
    """Name the state of somebody; of who objects, only that they do."""
    if learner.objects and learner.state != "finished":
        return gettext("s’oppose au suivi")
    return state_label(learner.state)


def state_label(state: State) -> str:
    """Name a state in a few words that fit a tag and name nobody's gender."""
    match state:
        case "not_connected":
            return gettext("pas encore de connexion")
        case "inactive":
            return gettext("sans activité récente")
        case "slow":
            return gettext("rythme plus lent")
        case "on_track":
            return gettext("en bonne voie")
        case "finished":
            return gettext("parcours terminé")


def state_meaning(state: State, *, inactive_days: int) -> str:
    """Say what puts somebody in a state."""
    return {
        "not_connected": gettext("Inscription sans aucune trace ni présence."),
        "inactive": gettext(
            "Au moins %(days)s jours sans trace ni présence, parcours non terminé.",
            days=number(inactive_days),
        ),
        "slow": gettext(
            "Moins de modules terminés que le calendrier ne le prévoit, ou que la moitié du groupe."
        ),
        "on_track": gettext("Activité récente, au rythme prévu."),
        "finished": gettext("Parcours déclaré terminé, ou tous les modules obligatoires le sont."),
    }[state]


def gathering_kind(kind: str) -> str:
    """Name a kind of gathering, without article."""
    return {
        "day_in_person": gettext("regroupement en présence"),
        "virtual_class": gettext("classe virtuelle"),
        "visit": gettext("visite"),
        "opens": gettext("ouverture"),
        "closes": gettext("échéance"),
    }.get(kind, gettext("rendez-vous"))


def module_label(position: int, title: str) -> str:
    """Name a module in a list: "3. Pour réfléchir", unless its title says its number."""
    return title if _NUMBERED.match(title) else f"{position}. {title}"


# --- Ce matin ---------------------------------------------------------------------------------------


def lead(overview: Overview, needing: int) -> Markup:
    """Say who was active of the enrolled, against the week before, and how many need a word."""
    sentences = [_activity_sentence(overview)]
    if overview.enrolled:
        sentences.append(_needing_sentence(needing))
    return Markup(" ").join(sentences)


def _activity_sentence(overview: Overview) -> Markup:
    total, now = overview.enrolled, overview.active_now
    if not total:
        return _rich(
            gettext("<b>Personne n’est encore inscrit</b> dans cette session, pour ce que l’outil en sait.")
        )
    if not any(week.active for week in overview.weeks) and not now:
        return _rich(
            ngettext(
                "<b>La seule personne inscrite</b> n’a pas encore de trace d’activité.",
                "<b>Aucun des %(total)s inscrits</b> n’a encore de trace d’activité.",
                total,
                total=number(total),
            )
        )
    if not now:
        return _rich(gettext("<b>Personne</b> n’a été actif ces sept derniers jours.")) + _trend(
            overview, tail=True
        )
    if now == total:
        who = ngettext(
            "<b>La seule personne inscrite</b> a été active",
            "<b>Les %(total)s inscrits</b> ont été actifs",
            total,
            total=number(total),
        )
    else:
        who = ngettext(
            "<b>Une personne sur %(total)s</b> a été active",
            "<b>%(now)s des %(total)s inscrits</b> ont été actifs",
            now,
            now=number(now),
            total=number(total),
        )
    return Markup("{} {}{}").format(_rich(who), gettext("ces sept derniers jours"), _trend(overview))


def _trend(overview: Overview, *, tail: bool = False) -> Markup:
    """Compare with the seven days before, when the session is old enough for that."""
    before, difference = overview.active_before, overview.active_now - overview.active_before
    if tail:
        return _rich(
            " "
            + ngettext(
                "Une personne l’était les sept jours d’avant.",
                "%(num)d personnes l’étaient les sept jours d’avant.",
                before,
            )
            if before
            else ""
        )
    if (overview.week_number or 2) < 2 or not before:
        return Markup(".")
    if difference == 0:
        return _rich(gettext(", autant que les sept jours d’avant."))
    if difference > 0:
        more = ngettext(
            ", un de plus que les sept jours d’avant.",
            ", %(count)s de plus que les sept jours d’avant.",
            difference,
            count=in_words(difference),
        )
        return _rich(more)
    fewer = ngettext(
        ", un de moins que les sept jours d’avant.",
        ", %(count)s de moins que les sept jours d’avant.",
        -difference,
        count=in_words(-difference),
    )
    return _rich(fewer)


def _needing_sentence(needing: int) -> Markup:
    if not needing:
        return _rich(gettext("Personne n’attend de mot de votre part."))
    text = ngettext(
        "<b>Une personne</b> a besoin d’un mot de votre part.",
        "<b>%(who)s personnes</b> ont besoin d’un mot de votre part.",
        needing,
        who=first_capital(in_words(needing)),
    )
    return _rich(text)


def weeks_title(overview: Overview, busiest: Place | None) -> str:
    """Say how activity moves, or name the chart when too little is known to tell."""
    before, now = overview.active_before, overview.active_now
    past = [week for week in overview.weeks if not week.current and week.active]
    if len(past) < 2 or max(before, now) < 5:
        return gettext("Activité par semaine")
    slack = max(2, round(before * 0.1))
    if now < before - slack:
        return gettext("L’activité baisse par rapport aux sept jours d’avant")
    rising = now > before + slack
    if busiest:
        return (
            gettext("L’activité monte, portée par le module %(number)s", number=busiest.position)
            if rising
            else gettext("L’activité tient, portée par le module %(number)s", number=busiest.position)
        )
    return gettext("L’activité monte") if rising else gettext("L’activité tient")


def weeks_hint(overview: Overview) -> str:
    """Say what the bars count and what the line is, when there is one."""
    counted = gettext("Participants actifs par semaine, sur %(total)s.", total=number(overview.enrolled))
    if any(week.reference is not None for week in overview.weeks):
        return counted + " " + gettext("Le trait : la moyenne des sessions précédentes du parcours.")
    return counted


def modules_title(progress: CourseProgress, *, stuck_days: int) -> str:
    """Say which module holds people back, else how far the group is, else what the table is."""
    blocking = next((module for module in progress.modules if module.iri == progress.blocking), None)
    if blocking:
        weeks = stuck_days // 7
        since = (
            ngettext(
                "depuis une semaine ou plus",
                "depuis %(weeks)s semaines ou plus",
                weeks,
                weeks=in_words(weeks),
            )
            if stuck_days >= 7 and stuck_days % 7 == 0
            else gettext("depuis %(days)s jours ou plus", days=number(stuck_days))
        )
        return ngettext(
            "Le module %(number)s bloque : une personne en est là %(since)s",
            "Le module %(number)s bloque : %(who)s personnes en sont là %(since)s",
            blocking.stuck,
            number=blocking.position,
            who=in_words(blocking.stuck),
            since=since,
        )
    done = [m for m in progress.modules if progress.basis.n and m.finished * 2 >= progress.basis.n]
    if done and progress.basis.n >= 5:
        return gettext("La moitié du groupe ou plus a terminé le module %(number)s", number=done[-1].position)
    return gettext("Avancement par module")


def funnel_title(activities: tuple[ActivityProgress, ...]) -> str:
    """Say which activity most people opened without completing it, when that is clear."""
    open_ended = [a for a in activities if a.tracked and a.reached >= 5 and a.reached - a.completed >= 3]
    if not open_ended:
        return gettext("Ce que chaque activité a réuni")
    widest = max(open_ended, key=lambda a: a.reached - a.completed)
    left = widest.reached - widest.completed
    return ngettext(
        "« %(title)s » : une personne y est allée sans terminer",
        "« %(title)s » : %(who)s personnes y sont allées sans terminer",
        left,
        title=widest.title,
        who=in_words(left),
    )


# --- people -------------------------------------------------------------------------------------------


def people_lead(overview: Overview) -> Markup:
    """Count people by state, those who need a word first, leaving out empty states."""
    if not overview.enrolled:
        return _rich(
            gettext("<b>Personne n’est encore inscrit</b> dans cette session, pour ce que l’outil en sait.")
        )
    counts = [(state, overview.by_state.get(state, 0)) for state in overview.by_state]
    listed = ", ".join(f"{number(count)} {state_label(state)}" for state, count in counts if count)
    who = ngettext("<b>Une personne</b>", "<b>%(num)d inscrits</b>", overview.enrolled)
    return Markup("{}{}{}.").format(_rich(who), gettext(" : "), listed)


# --- trainee --------------------------------------------------------------------------------------------


def my_lead(path: LearnerPath) -> Markup:
    """Say what is done and what is next, to the person."""
    if path.finished:
        return _rich(
            gettext("<b>Vous avez terminé ce parcours.</b> Tout reste à votre disposition ci-dessous.")
        )
    if not path.steps:
        return _rich(
            gettext(
                "<b>Votre parcours n’a pas encore de trace ici.</b> Il se dessinera dès les premières "
                "activités."
            )
        )
    if not path.done:
        done = gettext("<b>Vous n’avez pas encore terminé de module</b>, sur %(total)s.", total=path.required)
    else:
        done = ngettext(
            "<b>Vous avez terminé un module</b> sur %(total)s.",
            "<b>Vous avez terminé %(done)s modules</b> sur %(total)s.",
            path.done,
            done=in_words(path.done),
            total=path.required,
        )
    if path.next_step is None:
        return _rich(done)
    module = path.next_step.title
    if path.next_activity is None:
        return Markup("{} {}").format(_rich(done), gettext("La suite : « %(module)s ».", module=module))
    what = gettext(
        "La suite : « %(activity)s », dans « %(module)s ».", activity=path.next_activity.title, module=module
    )
    return Markup("{} {}").format(_rich(done), what)


def pace_title(pace: Pace) -> str:
    """Say how one's pace stands beside the group, kindly; name the chart when the group is not shown."""
    if pace.band is None or not pace.mine:
        return gettext("Votre rythme")
    low, _, high = pace.band[-1]
    if pace.mine[-1] < low:
        return gettext("Le groupe est un peu plus loin que vous")
    if pace.mine[-1] > high:
        return gettext("Vous êtes un peu plus loin que le groupe")
    return gettext("Vous êtes au rythme du groupe")


# --- administrator ----------------------------------------------------------------------------------------


def sessions_lead(sessions: Sessions) -> Markup:
    """Say how many sessions and people there are, and how many moved this week."""
    count = len(sessions.sessions)
    if not count:
        return _rich(gettext("<b>Aucune session</b> n’est encore connue dans cette communauté."))
    who = ngettext("une personne", "%(people)s personnes", sessions.people, people=number(sessions.people))
    what = ngettext(
        "<b>Une session</b>, %(who)s.",
        "<b>%(count)s sessions</b>, %(who)s.",
        count,
        count=number(count),
        who=who,
    )
    if not sessions.active_now:
        return _rich(what) + " " + gettext("Aucune n’a eu d’activité ces sept derniers jours.")
    active = ngettext(
        "Une session a eu de l’activité ces sept derniers jours",
        "%(num)d sessions ont eu de l’activité ces sept derniers jours",
        sessions.active_now,
    )
    return Markup("{} {}{}").format(_rich(what), active, _sessions_trend(sessions))


def _sessions_trend(sessions: Sessions) -> str:
    if sessions.active_now == sessions.active_before:
        return gettext(", autant que les sept jours d’avant.")
    return gettext(", contre %(before)s les sept jours d’avant.", before=number(sessions.active_before))


def suppressed(threshold: int) -> str:
    """Say why a value may not be shown."""
    return gettext("moins de %(k)s personnes", k=number(threshold))
