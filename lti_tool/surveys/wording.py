"""Sentences and titles about questionnaires: plain, with their n, never a verdict on a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from analyzers import disclosure
from analyzers.results import CourseProgress, Share
from analyzers.survey_results import ItemSummary, SessionSatisfaction, SurveySummary
from lti_tool import wording
from lti_tool.formatting import day, number, percent, short_day
from lti_tool.language import gettext, language, ngettext
from lti_tool.wording import Place
from tool_config.surveys import Label, Mode


def label(text: Label) -> str:
    """Return a text of a questionnaire in the page's language."""
    return text.in_language(language())


def last_day(closes_at: datetime, zone: ZoneInfo) -> date:
    """Return the last day on which a questionnaire may be answered; the closing instant is outside."""
    return (closes_at - timedelta(seconds=1)).astimezone(zone).date()


# --- modes and states ---------------------------------------------------------------------------------


def origin(mode: Mode, from_file: bool) -> str:
    """Say how the answers are kept, and that they came in a file when they did."""
    said = mode_label(mode)
    return gettext("%(mode)s, venant d’un fichier", mode=said) if from_file else said


def mode_label(mode: Mode) -> str:
    """Name a mode."""
    return gettext("anonyme") if mode == "anonymous" else gettext("sous pseudonyme")


def mode_for_tutor(mode: Mode, k: int) -> str:
    """Say to who opens a questionnaire what a mode means."""
    if mode == "anonymous":
        return gettext(
            "Rien ne relie une réponse à une personne, pas même dans la base de données. Une réponse envoyée "
            "ne se corrige plus. Les résultats viennent plus tard (à partir de %(first)s réponses, puis par "
            "lots), et sous %(k)s réponses à la clôture tout est détruit.",
            first=number(2 * k),
            k=number(k),
        )
    return gettext(
        "Chaque réponse est gardée sous un pseudonyme : personne ne voit qui a répondu quoi, ni ici ni dans "
        "les exports. Chacun peut corriger sa réponse jusqu’à la clôture. Les résultats paraissent à partir "
        "de %(k)s réponses, puis par blocs de %(k)s.",
        k=number(k),
    )


def mode_for_trainee(mode: Mode, k: int) -> str:
    """Say to who answers what becomes of the answer."""
    if mode == "anonymous":
        return gettext(
            "Ce questionnaire est anonyme : rien ne relie vos réponses à vous, pas même dans la base de "
            "données. Vous ne pourrez donc ni les relire ni les changer après l’envoi. À moins de %(k)s "
            "réponses, elles sont détruites à la clôture.",
            k=number(k),
        )
    return gettext(
        "Vos réponses sont gardées sous un pseudonyme : personne ne voit qui a répondu quoi. "
        "Vous pouvez les changer jusqu’à la clôture."
    )


def readers(k: int) -> str:
    """Say to who answers who reads the results."""
    return gettext(
        "Les personnes qui accompagnent cette session lisent les résultats de l’ensemble et les "
        "commentaires, sans nom, à partir de %(k)s réponses. L’administration n’en voit que les chiffres.",
        k=number(k),
    )


def state(summary: SurveySummary, today: date, zone: ZoneInfo) -> str:
    """Say whether a questionnaire is open, and until when."""
    last = last_day(summary.closes_at, zone)
    if summary.state == "scheduled":
        return gettext("ouvre %(when)s", when=day(summary.opens_at.astimezone(zone).date(), today))
    if summary.state == "closed":
        return gettext("clos %(when)s", when=day(last, today))
    if last == today:
        return gettext("ouvert jusqu’à ce soir")
    return gettext("ouvert jusqu’au %(day)s inclus", day=short_day(last, today))


# --- figures ------------------------------------------------------------------------------------------


def received(summary: SurveySummary, k: int) -> str:
    """Write how many people answered: not under `k`; of an anonymous questionnaire still open, by blocks."""
    if summary.state == "scheduled":
        return "–"
    if not disclosure.enough(summary.received, k):
        return gettext("moins de %(k)s", k=number(k))
    if summary.mode == "anonymous" and summary.state == "open":
        return gettext("%(n)s ou plus", n=number(summary.received))
    return number(summary.received)


def favourable(share: Share, *, before: bool = False) -> str:
    """Say a share of favourable answers with its interval and n, for who does not see the mark.

    `before`: what is expected of a training that has not begun, which nobody has an opinion of yet.
    """
    if share.value is None or share.low is None or share.high is None:
        return ""
    if before:
        return ngettext(
            "%(share)s de réponses positives, entre %(low)s et %(high)s, sur %(n)s réponse publiée",
            "%(share)s de réponses positives, entre %(low)s et %(high)s, sur %(n)s réponses publiées",
            share.n or 0,
            share=percent(share.value),
            low=percent(share.low),
            high=percent(share.high),
            n=number(share.n),
        )
    return ngettext(
        "%(share)s d’avis favorables, entre %(low)s et %(high)s, sur %(n)s réponse publiée",
        "%(share)s d’avis favorables, entre %(low)s et %(high)s, sur %(n)s réponses publiées",
        share.n or 0,
        share=percent(share.value),
        low=percent(share.low),
        high=percent(share.high),
        n=number(share.n),
    )


def interval(share: Share) -> str:
    """Write the interval of a share: "de 52 % à 84 %"."""
    if share.low is None or share.high is None:
        return ""
    return gettext("de %(low)s à %(high)s", low=percent(share.low), high=percent(share.high))


def withheld(summary: SurveySummary, k: int) -> str:
    """Say in a few words why the figures of a questionnaire are not shown; "" when they are."""
    if summary.suppressed is None:
        return ""
    if summary.state == "scheduled":
        return gettext("pas encore ouvert")
    if summary.state == "closed" or summary.suppressed == "few":
        return wording_few(k)
    return gettext("à partir de %(n)s réponses", n=number(summary.next_at))


def wording_few(k: int) -> str:
    """Say that too few people answered."""
    return gettext("moins de %(k)s réponses", k=number(k))


def withheld_long(summary: SurveySummary, k: int) -> str:
    """Say why there are no figures yet, and what will bring them."""
    if summary.state == "scheduled":
        return gettext("Ce questionnaire n’est pas encore ouvert.")
    if summary.suppressed == "few":
        return gettext(
            "Moins de %(k)s personnes ont répondu avant la clôture : rien n’est montré, pour que personne ne "
            "puisse être reconnu.",
            k=number(k),
        )
    return gettext(
        "Les résultats paraîtront quand %(n)s personnes au moins auront répondu. D’ici là rien n’est montré, "
        "pour que personne ne puisse être reconnu.",
        n=number(summary.next_at),
    )


def next_step(summary: SurveySummary) -> str:
    """Say when the figures will move; "" once closed or before the first."""
    if summary.next_at is None or summary.suppressed is not None:
        return ""
    return gettext(
        "Les chiffres portent sur %(n)s réponses et ne bougent pas entre deux étapes : la prochaine viendra "
        "à %(next)s réponses, ou à la clôture.",
        n=number(summary.basis.n),
        next=number(summary.next_at),
    )


# --- titles -------------------------------------------------------------------------------------------


def lead(
    modules: Mapping[str, SurveySummary], places: Mapping[str, Place], best: str | None, least: str | None
) -> Markup:
    """Say which module is the best and the least received, with their n; else what is under way."""
    shown = [iri for iri, summary in modules.items() if summary.suppressed is None]
    if best and best in places and (least is None or least in places):
        said = gettext(
            "<b>%(module)s</b> est le module le mieux reçu : %(count)s avis favorables sur %(n)s.",
            **_of(best, modules, places),
        )
        if least:
            said += " " + gettext(
                "<b>%(module)s</b> l’est le moins : %(count)s sur %(n)s.", **_of(least, modules, places)
            )
        else:
            said += " " + gettext("Aucun ne se détache vers le bas.")
        return Markup(said)  # noqa: S704 (titles are escaped by `_of`)
    if len(shown) == 1 and shown[0] in places:
        said = gettext(
            "<b>%(module)s</b> : %(count)s avis favorables sur %(n)s.", **_of(shown[0], modules, places)
        )
        return Markup(said)  # noqa: S704 (titles are escaped by `_of`)
    if modules:
        return Markup.escape(
            gettext("Les premières réponses sont en route : aucun résultat n’est encore publié.")
        )
    return Markup.escape(gettext("Aucun avis n’a encore été demandé dans cette session."))


def _of(iri: str, modules: Mapping[str, SurveySummary], places: Mapping[str, Place]) -> dict[str, object]:
    share = modules[iri].overall.favourable
    place = places[iri]
    name = Markup.escape(wording.module_label(place.position, place.title))
    return {"module": name, "count": number(share.count), "n": number(share.n)}


def modules_title(
    progress: CourseProgress, least: str | None, places: Mapping[str, Place], *, stuck_days: int
) -> str:
    """Add to the title of the modules the least received one, when it stands out."""
    said = wording.modules_title(progress, stuck_days=stuck_days)
    if least is None or least not in places:
        return said
    if least == progress.blocking:
        return gettext("%(title)s, et il est le moins bien reçu", title=said)
    name = gettext("le module %(number)s est le moins bien reçu", number=places[least].position)
    if progress.blocking:
        return gettext("%(title)s ; %(least)s", title=said, least=name)
    return name[:1].upper() + name[1:]


def favourable_name(*, before: bool) -> str:
    """Name the answers in the two highest points: opinions after, what is expected before."""
    return gettext("Réponses positives") if before else gettext("Avis favorables")


def overall_title(item: ItemSummary, *, before: bool = False) -> str:
    """Say what the overall answers show, as far as their interval tells."""
    low, high = item.favourable.low, item.favourable.high
    if low is None or high is None:
        return gettext("Répartition des réponses")
    if before:
        if low > 0.75:
            return gettext("Plus des trois quarts des réponses sont positives")
        if low > 0.5:
            return gettext("Plus de la moitié des réponses sont positives")
        if high < 0.5:
            return gettext("Moins de la moitié des réponses sont positives")
        return gettext("Les réponses sont partagées")
    if low > 0.75:
        return gettext("Plus des trois quarts des avis sont favorables")
    if low > 0.5:
        return gettext("Plus de la moitié des avis sont favorables")
    if high < 0.5:
        return gettext("Moins de la moitié des avis sont favorables")
    return gettext("Les avis sont partagés")


def session_words(found: SessionSatisfaction | None, k: int) -> str:
    """Say the satisfaction of a session in a cell; "" when no questionnaire was opened."""
    if found is None:
        return ""
    if found.favourable.value is None:
        return wording_few(k)
    return favourable(found.favourable)


def done() -> dict[str, str]:
    """Say what a form about questionnaires did, by the word that its address carries."""
    return {
        "survey": gettext("Le questionnaire est enregistré : les participants le trouvent dans leur page."),
        "prolonged": gettext("La clôture est repoussée."),
        "survey_closed": gettext("Le questionnaire est clos."),
        "copied": gettext("La copie est prête : adaptez-la, puis publiez-la."),
        "draft_kept": gettext("Le brouillon est enregistré."),
        "published": gettext("Le questionnaire est publié : il est proposé à qui demande un avis."),
        "unoffered": gettext("Le questionnaire n’est plus proposé ; ce qui est ouvert le reste."),
        "offered": gettext("Le questionnaire est proposé à nouveau."),
        "recalled": gettext("Le rappel est affiché sur la page de qui n’a pas répondu."),
        "cancelled": gettext("Le questionnaire est retiré."),
        "kept_anonymous": gettext(
            "Un questionnaire anonyme ne se retire plus une fois ouvert : pouvoir le retirer dirait que "
            "personne n’a répondu. Vous pouvez le clore."
        ),
        "answered": gettext(
            "Une personne a répondu entre-temps : ce questionnaire ne peut plus être retiré."
        ),
    }


def definition(k: int) -> str:
    """Say what satisfaction is."""
    return gettext(
        "Satisfaction : part d’avis favorables (les deux réponses les plus hautes de la question "
        "d’ensemble), avec son intervalle de confiance. Rien n’est montré sous %(k)s réponses.",
        k=number(k),
    )


def error(code: str, k: int = 0, limit: int = 0) -> str:
    """Say a fault of a form beside its field."""
    return {
        "required": gettext("Cette question attend une réponse."),
        "out_of_scale": gettext("Choisissez l’une des réponses proposées."),
        "too_long": gettext("Ce texte dépasse %(limit)s caractères : raccourcissez-le.", limit=number(limit)),
        "unknown_question": gettext("Cette question n’est plus posée."),
        "mode": gettext("Choisissez l’une des deux façons de répondre."),
        "marked": gettext(
            "Un questionnaire anonyme ne peut pas donner de note : elle dirait qui a répondu. "
            "Choisissez l’un ou l’autre."
        ),
        "module": gettext("Choisissez un module de ce parcours."),
        "already_open": gettext("Un questionnaire de ce module est déjà ouvert à ces dates."),
        "template": gettext("Choisissez un questionnaire de la liste."),
        "day": gettext("Écrivez une date, jour, mois et année."),
        "before_opening": gettext("La clôture doit venir après l’ouverture."),
        "past": gettext("Cette date est déjà passée."),
        "earlier": gettext("Une clôture se repousse seulement : choisissez un jour plus tardif."),
    }.get(code, gettext("Cette réponse n’a pas pu être lue."))
