"""What the pages of competencies say: leads, bands and levels, how to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzers.competencies import BANDS, Balance, Moved, Support, Team, Worked
from analyzers.disclosure import OTHER
from lti_tool.competencies import OfPath
from lti_tool.formatting import hours, number, percent
from lti_tool.language import gettext, ngettext
from lti_tool.pix import Levels


def views() -> dict[str, str]:
    """Return the parts of the page and what they are called."""
    return {
        "path": gettext("Compétences d’un parcours"),
        "trainers": gettext("Équipes de formateurs"),
        "pix": gettext("Niveaux Pix"),
        "hours": gettext("Heures échangées"),
    }


# --- a path -----------------------------------------------------------------------------------------------


def path_lead(found: OfPath, title: str) -> str:
    """Say how much of the framework a path works, and what is left."""
    if not found.supports:
        return gettext("Rien ne dit encore quelles compétences travaille « %(path)s ».", path=title)
    worked = len(found.supports) - len(found.gaps)
    said = ngettext(
        "« %(path)s » travaille %(num)d compétence sur %(count)s",
        "« %(path)s » travaille %(num)d compétences sur %(count)s",
        worked,
        path=title,
        count=number(len(found.supports)),
    )
    if not found.gaps:
        return gettext("%(said)s : aucune n’est laissée de côté.", said=said)
    first = " ; ".join(one.competency.label for one in found.gaps[:3])
    rest = len(found.gaps) - 3
    if rest > 0:
        return gettext(
            "%(said)s. Sans module : %(first)s, et %(rest)s autres.",
            said=said,
            first=first,
            rest=number(rest),
        )
    return gettext("%(said)s. Sans module : %(first)s.", said=said, first=first)


def path_title(found: OfPath) -> str:
    """Say what the table shows."""
    known = [one for one in found.supports if one.modules and one.hours]
    if not known:
        return gettext("Ce qui étaye chaque compétence")
    most = max(known, key=lambda one: one.hours or 0)
    return gettext(
        "« %(name)s » reçoit le plus d’heures : %(hours)s",
        name=most.competency.label,
        hours=hours(most.hours),
    )


def support(one: Support, k: int) -> list[str]:
    """Say what supports a competency, a sentence a module, then how people placed themselves."""
    said = [_worked(module, k) for module in one.modules]
    if one.moved is not None:
        said.append(moved(one.moved))
    return said or [gettext("Aucun module ne la travaille.")]


def _worked(module: Worked, k: int) -> str:
    parts = [module.title if module.hours is None else f"{module.title} ({hours(module.hours)})"]
    if module.finished.count is not None:
        parts.append(
            gettext(
                "terminé par %(count)s sur %(n)s",
                count=number(module.finished.count), n=number(module.finished.n),
            )
        )  # fmt: skip
    elif module.finished.suppressed and module.finished.n is None:
        parts.append(gettext("achèvements : moins de %(k)s personnes, ou aucune trace", k=number(k)))
    if module.mark is not None:
        parts.append(
            gettext("note moyenne %(mark)s (n = %(n)s)", mark=percent(module.mark), n=number(module.marked))
        )
    if module.met.count is not None:
        parts.append(
            gettext(
                "objectifs atteints %(share)s (n = %(n)s)",
                share=percent(module.met.value),
                n=number(module.met.n),
            )
        )
    return " ; ".join(parts)


def moved(found: Moved) -> str:
    """Say how people placed themselves before and after."""
    return gettext(
        "positionnement : %(mean)s point en moyenne, de %(low)s à %(high)s (n = %(n)s)",
        mean=_signed(found.mean), low=_signed(found.low), high=_signed(found.high), n=number(found.n),
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"+{number(value, 1)}" if value > 0 else number(value, 1)


def path_reading(k: int) -> list[str]:
    """Return how to read the table of a path."""
    return [
        gettext(
            "Une compétence est travaillée quand le fichier « Compétences travaillées par les modules » la "
            "rattache à un module du parcours. Ses heures sont celles de ces modules, à la part dite par le "
            "fichier (le module entier quand il n’en dit rien)."
        ),
        gettext(
            "Terminé : les personnes qui ont fini le module, parmi celles qui l’ont commencé, toutes "
            "sessions réunies. Objectifs atteints : accord à cette question des questionnaires publiés "
            "(à défaut, avis favorables). Positionnement : les mêmes personnes avant et à la fin, sessions "
            "réunies, intervalle à 95 %."
        ),
        gettext(
            "Avoir fini un module n’est pas maîtriser une compétence : ces indices disent où chercher. Rien "
            "n’est montré sous %(k)s personnes.",
            k=number(k),
        ),
    ]


# --- trainers ---------------------------------------------------------------------------------------------


def levels() -> dict[str, str]:
    """Return what trainers' levels are called."""
    return {
        "beginner": gettext("débutant"), "able": gettext("confirmé"), "expert": gettext("expert"),
        "": gettext("niveau non dit"),
    }  # fmt: skip


def trainers_lead(found: Sequence[Team], k: int) -> str:
    """Say how many competencies the teams cover, and which are held by few."""
    if not found:
        return gettext("Aucun fichier ne dit encore les compétences des formateurs.")
    few = [team for team in found if team.trainers is None]
    said = ngettext(
        "%(num)d compétence est déclarée par des formateurs",
        "%(num)d compétences sont déclarées par des formateurs",
        len(found),
    )
    if not few:
        return gettext("%(said)s, chacune par %(k)s personnes ou plus.", said=said, k=number(k))
    return ngettext(
        "%(said)s ; %(num)d par moins de %(k)s personnes.",
        "%(said)s ; %(num)d par moins de %(k)s personnes.",
        len(few),
        said=said,
        k=number(k),
    )


def trainers_reading(k: int) -> list[str]:
    """Return how to read the map of trainers."""
    return [
        gettext(
            "Chaque formateur compte une fois par compétence, au niveau qu’il déclare. La carte sert à "
            "composer des équipes, jamais à classer : aucun nom n’y est, et le fichier n’en garde pas."
        ),
        gettext(
            "Un nombre de moins de %(k)s n’est pas montré, ni celui qui permettrait de le retrouver par "
            "soustraction.",
            k=number(k),
        ),
    ]


# --- Pix --------------------------------------------------------------------------------------------------


def bands() -> dict[str, str]:
    """Return what the bands of levels are called, as Pix does, the lowest first."""
    return {
        "none": gettext("sous le niveau 1"), "novice": gettext("novice (1–2)"),
        "independent": gettext("indépendant (3–4)"), "advanced": gettext("avancé (5–6)"),
        "expert": gettext("expert (7–8)"), OTHER: gettext("autres niveaux"),
    }  # fmt: skip


def pix_lead(found: Levels, k: int) -> str:
    """Say which domain is least mastered."""
    if not found.domains:
        return gettext("Aucun fichier de résultats Pix n’est encore là.")
    reached = {
        domain: share
        for domain, there in found.domains.items()
        if (share := independent(there[""][""])) is not None
    }
    if len(reached) < 2:
        return gettext(
            "Trop peu de personnes pour comparer les domaines : les niveaux de moins de %(k)s sont réunis.",
            k=number(k),
        )
    low, high = min(reached, key=lambda name: reached[name]), max(reached, key=lambda name: reached[name])
    return gettext(
        "C’est en « %(low)s » que le moins de personnes atteignent le niveau 3 (%(less)s), en « %(high)s » "
        "qu’elles sont le plus nombreuses (%(more)s).",
        low=low, less=percent(reached[low]), high=high, more=percent(reached[high]),
    )  # fmt: skip


def independent(there: Mapping[str, int | None]) -> float | None:
    """Return the share of those at level 3 or over; None when a band is not told apart."""
    names = [name for _, name in BANDS]
    if OTHER in there or any(there.get(name) is None for name in names):
        return None
    counts = [there[name] or 0 for name in names]
    total = sum(counts)
    return sum(counts[2:]) / total if total else None


def pix_reading(k: int) -> list[str]:
    """Return how to read the levels."""
    return [
        gettext(
            "Le dernier niveau de chaque personne dans chaque domaine, de 0 à 8. Une personne lit le sien "
            "sur sa page ; ici ne sont que des nombres de personnes."
        ),
        gettext(
            "Les niveaux trop rares sont réunis sous « autres niveaux ». Un nombre de moins de %(k)s n’est "
            "pas montré, ni celui qui permettrait de le retrouver.",
            k=number(k),
        ),
    ]


# --- hours ------------------------------------------------------------------------------------------------


def hours_lead(found: Sequence[Balance]) -> str:
    """Say who owes most to whom."""
    if not found:
        return gettext("Aucun échange d’heures n’est connu pour cette période.")
    first = found[0]
    if first.balance < 0.05:
        return gettext("Les échanges d’heures sont à l’équilibre.")
    return owes(first)


def owes(one: Balance) -> str:
    """Say who owes what."""
    if one.balance < 0.05:
        return gettext("%(first)s et %(second)s sont quittes.", first=one.first, second=one.second)
    return gettext(
        "%(second)s doit %(hours)s à %(first)s.",
        second=one.second, hours=hours(one.balance), first=one.first,
    )  # fmt: skip


def hours_reading() -> list[str]:
    """Return how to read the balance."""
    return [
        gettext(
            "Qui reçoit des heures doit la part dite par le fichier ; sans part écrite, la totalité moins "
            "celle de qui donne. Le solde est ce que l’une doit à l’autre une fois les deux sens comptés."
        ),
        gettext("Ce sont des heures entre institutions : aucune personne n’y figure."),
    ]


def doubts(one: Balance) -> str:
    """Say what is to be checked in the lines of a pair; "" when nothing is."""
    parts = []
    if one.without_share:
        parts.append(ngettext("%(num)d ligne sans part", "%(num)d lignes sans part", one.without_share))
    if one.odd:
        parts.append(
            ngettext(
                "%(num)d ligne dont les parts ne font pas 100 %%",
                "%(num)d lignes dont les parts ne font pas 100 %%",
                one.odd,
            )
        )
    return ", ".join(parts)
