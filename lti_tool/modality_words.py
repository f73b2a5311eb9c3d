"""What is said of presence and distance: hours, differences, what they may not be taken for."""

from __future__ import annotations

from analyzers.community import MODALITIES
from analyzers.modality import Comparison, Modality, Name, Outcome
from analyzers.stratified import Marks
from lti_tool.formatting import first_capital, number, percent
from lti_tool.language import gettext, ngettext
from tool_config.activity_kinds import Kind

#: Difference of shares (or marks out of 1) under which nothing is said to differ in practice.
_SLIGHT = 0.02


def modalities() -> tuple[str, ...]:
    """Name the modalities, in the order of `MODALITIES`."""
    names = {
        "in_person": gettext("en présence"),
        "distance": gettext("à distance"),
        "blended": gettext("hybride"),
    }
    return tuple(names[name] for name in MODALITIES)


def kinds() -> dict[Kind, str]:
    """Name the kinds of activities."""
    return {
        "in_person": gettext("En présence"),
        "virtual_class": gettext("Classes virtuelles"),
        "conference": gettext("Conférences et webinaires"),
        "self_training": gettext("Autoformation"),
        "collaborative": gettext("À plusieurs en ligne"),
    }


def lead(found: Modality, scope: str) -> str:
    """Open the page: what share is followed at a distance, and what differs most surely."""
    total = sum(found.sessions) + found.unknown
    if not total:
        return gettext(
            "Aucune session terminée ne réunit assez d’inscrits pour comparer la présence et la distance."
        )
    said = []
    if found.distance_share is not None:
        said.append(
            gettext(
                "%(scope)s : %(share)s des heures suivies l’ont été à distance.",
                scope=scope, share=percent(found.distance_share),
            )
        )  # fmt: skip
    else:
        said.append(
            ngettext(
                "%(scope)s : %(num)d session terminée ; les heures suivies n’y sont pas connues.",
                "%(scope)s : %(num)d sessions terminées ; les heures suivies n’y sont pas connues.",
                total, scope=scope,
            )
        )  # fmt: skip
    completion = found.outcomes[0]
    if completion.comparisons:
        said.append(difference(completion.name, completion.comparisons[0]))
    return first_capital(" ".join(said))


def outcome_title(found: Outcome) -> str:
    """Say what a chart shows: the first difference that is sure, else its plain name."""
    plain = {
        "completion": gettext("Achèvement selon la modalité"),
        "satisfaction": gettext("Avis favorables selon la modalité"),
        "marks": gettext("Résultats selon la modalité"),
    }[found.name]
    names = modalities()
    for pair in found.comparisons:
        inside = pair.pooled
        if inside is None or not (inside.low > 0 or inside.high < 0):
            continue
        more, less = (pair.first, pair.second) if inside.value > 0 else (pair.second, pair.first)
        words = {"more": names[more], "less": names[less]}
        if found.name == "completion":
            return gettext("Dans un même parcours, on termine plus « %(more)s » que « %(less)s »", **words)
        if found.name == "satisfaction":
            return gettext("Dans un même parcours, « %(more)s » plaît plus que « %(less)s »", **words)
        return gettext("Dans un même parcours, on réussit mieux « %(more)s » que « %(less)s »", **words)
    return plain


def difference(name: Name, pair: Comparison) -> str:
    """Say the plain difference, then that within paths."""
    names = modalities()
    words = {"first": names[pair.first], "second": names[pair.second], "gap": points(pair.value),
             "interval": interval(pair.low, pair.high)}  # fmt: skip
    said = {
        "completion": gettext(
            "Achèvement : %(gap)s « %(first)s » par rapport à « %(second)s » (%(interval)s).", **words
        ),
        "satisfaction": gettext(
            "Avis favorables : %(gap)s « %(first)s » par rapport à « %(second)s » (%(interval)s).", **words
        ),
        "marks": gettext(
            "Résultats : %(gap)s « %(first)s » par rapport à « %(second)s » (%(interval)s).", **words
        ),
    }[name]
    return f"{said} {within(pair)}"


def within(pair: Comparison) -> str:
    """Say the difference within the paths that have both modalities, and whether the plain one misleads."""
    if pair.pooled is None:
        return gettext(
            "Aucun parcours n’a les deux : l’écart peut venir des parcours autant que de la modalité."
        )
    inside = pair.pooled
    said = ngettext(
        "Dans le seul parcours qui a les deux, sur %(paths)s : %(gap)s (%(interval)s).",
        "Dans les %(num)d parcours qui ont les deux, sur %(paths)s : %(gap)s (%(interval)s).",
        pair.both,
        paths=number(pair.paths), gap=points(inside.value), interval=interval(inside.low, inside.high),
    )  # fmt: skip
    if inside.low <= 0 <= inside.high:
        more = gettext("À parcours égal, rien ne les départage.")
    elif pair.value * inside.value < 0:
        more = gettext("L’écart s’inverse : ce sont les parcours qui le faisaient.")
    elif abs(pair.value) - abs(inside.value) > _SLIGHT:
        more = gettext("Une partie de l’écart vient donc des parcours.")
    else:
        more = gettext("L’écart ne vient donc pas des parcours.")
    return f"{said} {more}"


def points(value: float) -> str:
    """Write a difference of shares in points: "+4 points"."""
    sign = "+" if value >= 0 else "−"
    return ngettext(
        "%(value)s point",
        "%(value)s points",
        round(abs(100 * value)),
        value=f"{sign}{number(abs(100 * value))}",
    )


def interval(low: float, high: float) -> str:
    """Write the ends of an interval of points."""

    def side(value: float) -> str:
        return f"{'−' if value < 0 else '+'}{number(abs(100 * value))}"

    return gettext("de %(low)s à %(high)s", low=side(low), high=side(high))


def effect(name: Name, value: float) -> str:
    """Write an effect size with its name."""
    measure = gettext("g de Hedges") if name == "marks" else gettext("h de Cohen")
    return gettext("%(measure)s : %(value)s", measure=measure, value=number(value, 2).replace("-", "−"))


def marks(found: Marks | None) -> str:
    """Write a mean of marks."""
    return gettext("non connu") if found is None else percent(found.mean)


def unsaid(found: Modality, unsaid_hours: int) -> list[str]:
    """Say what the figures leave out."""
    said = []
    if found.unknown:
        said.append(
            ngettext(
                "%(num)d session terminée est de modalité inconnue, ou réunie à une autre : elle n’est pas "
                "comparée.",
                "%(num)d sessions terminées sont de modalité inconnue, ou réunies à d’autres : elles ne sont "
                "pas "
                "comparées.",
                found.unknown,
            )
        )  # fmt: skip
    if unsaid_hours:
        said.append(
            ngettext(
                "%(num)d présence à un regroupement sans durée ne compte pas d’heures.",
                "%(num)d présences à des regroupements sans durée ne comptent pas d’heures.",
                unsaid_hours,
            )
        )
    return said


def hours_title(found: Modality) -> str:
    """Say what the chart of hours shows: the kind that takes most."""
    ranked = sorted(found.hours, key=lambda one: -one.followed)
    total = sum(one.followed for one in ranked)
    if not total:
        return gettext("Heures suivies par nature d’activité")
    return gettext(
        "%(kind)s : %(share)s des heures suivies",
        kind=kinds()[ranked[0].kind], share=percent(ranked[0].followed / total),
    )  # fmt: skip


def aside(found: Modality) -> str:
    """Say the hours planned outside gatherings; "" for none."""
    if not found.planned_online and not found.planned_aside:
        return ""
    return gettext(
        "Hors regroupements, %(online)s heures étaient prévues à distance (autoformation et travail à "
        "plusieurs) et "
        "%(aside)s en présence, tous inscrits confondus.",
        online=number(found.planned_online), aside=number(found.planned_aside),
    )  # fmt: skip


def reading(k: int) -> list[str]:
    """Say how hours are counted and modalities compared."""
    return [
        gettext(
            "Heures, dans les sessions de la plateforme. Suivies : la durée des regroupements où la personne "
            "était présente, et son temps en "
            "ligne estimé dans "
            "chaque sorte d’activité. Prévues : la durée des regroupements, fois les inscrits. Ce que moins "
            "de %(k)s "
            "personnes ont suivi n’est compté nulle part.",
            k=number(k),
        ),
        gettext(
            "La modalité est celle de la session entière. Achèvement : part des inscrits qui ont terminé, "
            "dans les "
            "sessions où quelqu’un a terminé. Avis favorables : ce qui est publié des questionnaires clos. "
            "Résultats : "
            "moyenne des notes des modules, sur 100."
        ),
        gettext(
            "Écart simple : intervalle de Newcombe (parts) ou de Welch (moyennes), à 95 %%. À parcours "
            "égal : "
            "Mantel-Haenszel, sur les seuls parcours qui ont les deux modalités.",
            k=number(k),
        ),
        caution(),
    ]  # fmt: skip


def caution() -> str:
    """Say that nobody drew lots."""
    return gettext(
        "Personne n’a tiré la modalité au sort : les publics, les années et les contenus diffèrent aussi. Un "
        "écart "
        "n’est pas un effet."
    )
