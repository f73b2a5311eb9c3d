"""What is said of the ways through a path, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.journeys import FINISHED, INTERRUPTED
from analyzers.pathways import ELSEWHERE, END, STILL, STOP, Agreement, People, Picture, Placed
from analyzers.results import Share
from analyzers.stopping import Course
from analyzers.told_types import Kept, Type
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, ngettext

#: p under which groups are said to differ.
_LEVEL = 0.05
#: Mean shift, in places, from which a module is said to be taken earlier or later than designed.
_APART = 0.5


def title(name: str) -> str:
    """Quote a module or a path."""
    return gettext("« %(name)s »", name=name)


# --- the page -----------------------------------------------------------------------------------------


def lead(
    path: str, picture: Picture | None, people: People | None, course: Course | None, sessions: int
) -> str:
    """Say who went through a path, how many followed its order, where most stop."""
    if picture is None or people is None:
        return gettext(
            "Trop peu de personnes ont suivi %(path)s pour dire par où elles passent.", path=title(path)
        )
    parts = [
        ngettext(
            "%(path)s : %(n)s personnes, %(num)d session.",
            "%(path)s : %(n)s personnes, %(num)d sessions.",
            sessions,
            path=title(path),
            n=number(people.n),
        )
    ]
    if people.straight.value is not None:
        parts.append(straight(people.straight))
    if course is not None and course.worst is not None:
        parts.append(gettext("On s’arrête le plus %(where)s.", where=where(course.spans[course.worst])))
    return " ".join(parts)


def straight(share: Share) -> str:
    """Say how many follow the order designed."""
    return gettext(
        "%(share)s suivent l’ordre prévu (%(count)s sur %(n)s, entre %(low)s et %(high)s).",
        share=percent(share.value), count=number(share.count or 0), n=number(share.n or 0),
        low=percent(share.low), high=percent(share.high),
    )  # fmt: skip


def where(span: tuple[int, int]) -> str:
    """Say after how many modules, inside a sentence."""
    low, high = span
    if high == 0:
        return gettext("avant d’entrer dans un premier module")
    if low == high:
        return ngettext("après le premier module", "après %(num)d modules", low)
    return gettext("après %(low)s à %(high)s modules", low=low, high=high)


def step(span: tuple[int, int]) -> str:
    """Name a span of modules entered on an axis."""
    low, high = span
    return str(low) if low == high else gettext("%(low)s à %(high)s", low=low, high=high)


def week(span: tuple[int, int]) -> str:
    """Name a span of weeks on an axis; the first week is 1."""
    low, high = span[0] + 1, span[1] + 1
    return gettext("S%(rank)s", rank=low) if low == high else gettext("S%(low)s–%(high)s", low=low, high=high)


# --- where people stop --------------------------------------------------------------------------------


def stops_title(course: Course | None) -> str:
    """Say what the curve by module shows."""
    if course is None or course.worst is None:
        return gettext("Où l’on s’arrête")
    return gettext("On s’arrête le plus %(where)s", where=where(course.spans[course.worst]))


def stops(course: Course, names: Sequence[str], people: People, modules: Sequence[str]) -> list[str]:
    """Say how many stop where, and whether groups differ."""
    said = []
    if course.worst is None:
        said.append(gettext("Trop peu de personnes s’arrêtent pour dire où sans en reconnaître une."))
    elif len(course.curves) == 1:
        curve, place = course.curves[0], course.worst + 1
        said.append(
            gettext(
                "%(count)s personnes s’arrêtent %(where)s, sur %(risk)s qui y étaient encore ; %(share)s "
                "continuent au-delà (entre %(low)s et %(high)s).",
                count=number(round(float(curve.tally.ended[place]))), where=where(course.spans[course.worst]),
                risk=number(round(float(curve.tally.at_risk[place]))),
                share=percent(float(curve.share[place])), low=percent(float(curve.low[place])),
                high=percent(float(curve.high[place])),
            )
        )  # fmt: skip
        if people.stops:
            module, count = max(people.stops.items(), key=lambda one: (one[1], -one[0]))
            said.append(
                gettext(
                    "Le dernier module ouvert est le plus souvent %(module)s : %(count)s personnes dont le "
                    "cheminement entier est connu s’y arrêtent.",
                    module=title(modules[module]), count=number(count),
                )
            )  # fmt: skip
    if len(course.curves) > 1:
        said += _compared(course, names)
    return said


def _compared(course: Course, names: Sequence[str]) -> list[str]:
    last = sorted(
        ((float(curve.share[-1]), name) for name, curve in zip(names, course.curves, strict=True)),
        reverse=True,
    )
    (high, first), (low, lowest) = last[0], last[-1]
    said = [
        gettext(
            "Vont au bout sans s’arrêter : %(first)s, %(high)s ; %(lowest)s, %(low)s.",
            first=first, high=percent(high), lowest=lowest, low=percent(low),
        )
    ]  # fmt: skip
    test = course.test
    if test is None:
        return said
    p = gettext("p < 0,001") if test.p < 0.001 else gettext("p = %(p)s", p=number(test.p, 3))
    result = gettext(
        "log-rank : χ² = %(chi2)s, %(df)s ddl, %(p)s", chi2=number(test.chi2, 1), df=test.df, p=p
    )
    said.append(
        gettext("Les groupes ne s’arrêtent pas au même rythme (%(test)s).", test=result)
        if test.p < _LEVEL
        else gettext(
            "Rien n’indique que les groupes s’arrêtent à des rythmes différents (%(test)s).", test=result
        )
    )
    return said


def point(name: str, course: Course, rank: int, place: int, at: str) -> str:
    """Say a point of a curve."""
    curve = course.curves[rank]
    said = gettext(
        "%(at)s : %(share)s continuent (entre %(low)s et %(high)s) ; %(risk)s y étaient encore",
        at=at, share=percent(float(curve.share[place])), low=percent(float(curve.low[place])),
        high=percent(float(curve.high[place])), risk=number(round(float(curve.tally.at_risk[place]))),
    )  # fmt: skip
    return gettext("%(name)s, %(said)s", name=name, said=said) if name else said


# --- order --------------------------------------------------------------------------------------------


def order_title(people: People, placed: Sequence[Placed]) -> str:
    """Say what stands out of the order followed."""
    return (
        gettext("Ordre suivi, ordre prévu")
        if people.straight.value is None
        else gettext("%(share)s suivent l’ordre prévu", share=percent(people.straight.value))
    )


def order(
    people: People, agreement: Agreement | None, placed: Sequence[Placed], modules: Sequence[str]
) -> list[str]:
    """Say how far people follow the order designed, and which modules they move."""
    said = []
    if people.straight.value is not None:
        said.append(straight(people.straight))
    if people.untold:
        said.append(
            gettext(
                "De %(n)s autres personnes, l’ordre n’est pas montré : elles seraient trop peu à part.",
                n=number(people.untold),
            )
        )
    if agreement is not None:
        said.append(
            gettext(
                "Accord moyen avec l’ordre prévu (τ de Kendall, de −1 à 1) : %(tau)s, entre %(low)s et "
                "%(high)s (%(n)s personnes).",
                tau=number(agreement.mean, 2), low=number(agreement.low, 2), high=number(agreement.high, 2),
                n=number(agreement.n),
            )
        )  # fmt: skip
    apart = sorted((one for one in placed if _clear(one)), key=lambda one: -abs(one.shift))
    said += [moved(modules[one.module], one) for one in apart[:3]]
    return said


def _clear(one: Placed) -> bool:
    return abs(one.shift) >= _APART and (one.low > 0 or one.high < 0)


def moved(name: str, one: Placed) -> str:
    """Say that a module is taken earlier or later than designed."""
    said = {"module": title(name), "places": number(abs(one.shift), 1), "n": number(one.n)}
    if one.shift > 0:
        return gettext(
            "%(module)s est pris plus tard que prévu : de %(places)s place en moyenne (n = %(n)s).", **said
        )
    return gettext(
        "%(module)s est pris plus tôt que prévu : de %(places)s place en moyenne (n = %(n)s).", **said
    )


def place(one: Placed) -> str:
    """Write the mean place of a module against its design."""
    if not _clear(one):
        return gettext("à sa place")
    value = number(abs(one.shift), 1)
    return (
        gettext("%(value)s plus tard", value=value)
        if one.shift > 0
        else gettext("%(value)s plus tôt", value=value)
    )


# --- ways ---------------------------------------------------------------------------------------------


def ends() -> dict[int, str]:
    """Name what may come after a module, beside another module."""
    return {
        STOP: gettext("arrêt"),
        END: gettext("parcours terminé"),
        STILL: gettext("en cours"),
        ELSEWHERE: gettext("autre suite"),
    }


def ways_title(people: People, modules: Sequence[str]) -> str:
    """Say which way is the most followed."""
    if not people.variants:
        return gettext("Les premiers pas")
    steps, n = people.variants[0]
    return gettext(
        "%(share)s suivent le même chemin : %(way)s",
        share=percent(n / people.n),
        way=way(steps, modules),
    )


def way(steps: Sequence[int], modules: Sequence[str]) -> str:
    """Write a way by the ranks of its modules; none: nobody entered one."""
    if not steps:
        return gettext("aucun module")
    ranks = [str(module + 1) for module in steps]
    if len(steps) > 2 and list(steps) == list(range(steps[0], steps[-1] + 1)):
        return gettext("modules %(first)s à %(last)s, dans l’ordre", first=ranks[0], last=ranks[-1])
    return " → ".join(ranks)


def variety(people: People) -> str:
    """Say how varied ways are."""
    if people.variety is None:
        return gettext("Aucun chemin n’est suivi par assez de personnes pour être montré.")
    known = sum(n for _, n in people.variants)
    return gettext(
        "Les chemins montrés sont ceux de %(known)s personnes sur %(n)s ; ensemble ils sont aussi variés que "
        "%(count)s chemins également suivis, au moins (entropie).",
        known=number(known), n=number(people.n), count=number(people.variety, 1),
    )  # fmt: skip


def returned(share: Share) -> str:
    """Write how many came back to a module."""
    return gettext(
        "%(share)s (%(count)s sur %(n)s)",
        share=percent(share.value),
        count=number(share.count or 0),
        n=number(share.n or 0),
    )


# --- types --------------------------------------------------------------------------------------------


def type_of(one: Type, modules: Sequence[str]) -> str:
    """Tell a type in words."""
    n = number(one.n) if one.exact else gettext("au moins %(n)s", n=number(one.n))
    return gettext(
        "%(n)s personnes %(order)s et %(end)s.", n=n, order=_order(one, modules), end=_end(one, modules)
    )


def _order(one: Type, modules: Sequence[str]) -> str:
    if one.straight:
        return gettext("suivent l’ordre prévu")
    if one.apart is None:
        return gettext("prennent les modules dans un autre ordre")
    module, shift = one.apart
    if shift > 0:
        return gettext("gardent %(module)s pour plus tard que prévu", module=title(modules[module]))
    return gettext("prennent %(module)s plus tôt que prévu", module=title(modules[module]))


def _end(one: Type, modules: Sequence[str]) -> str:
    if one.state == FINISHED:
        return gettext("vont jusqu’au bout")
    known = one.straight and 0 < one.entered <= len(modules)
    last = title(modules[one.entered - 1]) if known else ""
    if one.state == INTERRUPTED:
        if known:
            return gettext("s’arrêtent après %(module)s", module=last)
        return ngettext("s’arrêtent après un module", "s’arrêtent après %(num)d modules", one.entered)
    if known:
        return gettext("en sont à %(module)s", module=last)
    return ngettext("en sont au premier module", "en sont à %(num)d modules", one.entered)


def types_title(types: Sequence[Type]) -> str:
    """Say how many types there are."""
    if not types:
        return gettext("Façons de suivre le parcours")
    return ngettext(
        "Une façon de suivre le parcours se détache", "%(num)d façons de suivre le parcours", len(types)
    )


def silhouette(kept: Kept) -> str:
    """Say how well types are told apart, and among what."""
    value = dict(kept.silhouettes)[kept.types]
    how = (
        gettext("nettement séparées") if value >= 0.5
        else gettext("assez bien séparées") if value >= 0.25
        else gettext("peu séparées : à lire avec prudence")
    )  # fmt: skip
    tried = ", ".join(f"{count} ({number(found, 2)})" for count, found in kept.silhouettes)
    return gettext(
        "Elles sont %(how)s (silhouette moyenne %(value)s ; selon le nombre de façons essayé, %(tried)s). "
        "%(compared)s chemins différents comparés deux à deux.",
        how=how, value=number(value, 2), tried=tried, compared=number(kept.compared),
    )  # fmt: skip


# --- how to read --------------------------------------------------------------------------------------


def reading_stops(stopped_days: int, k: int) -> list[str]:
    """Say how curves are drawn."""
    return [
        gettext(
            "S’arrêter : ne pas avoir terminé alors que la session est finie, l’avoir quittée, ou n’y "
            "avoir laissé aucune trace depuis %(days)s jours. Qui a terminé ne s’arrête pas ; qui "
            "continue compte jusqu’où il en est (données censurées). La semaine est celle de la dernière "
            "trace.",
            days=number(stopped_days),
        ),
        gettext(
            "La courbe est celle de Kaplan et Meier, l’intervalle (95 %) celui de Greenwood (log-log), la "
            "comparaison le test du log-rank. Chacun compte une fois : dans la dernière session où il est "
            "allé."
        ),
        gettext(
            "Les étapes où moins de %(k)s personnes s’arrêtent sont réunies à leurs voisines, les petits "
            "groupes entre eux ; un état trop rare est compté avec le plus proche.",
            k=number(k),
        ),
    ]


def reading_order(k: int) -> list[str]:
    """Say how orders are compared."""
    return [
        gettext(
            "L’ordre suivi est celui de la première ouverture de chaque module obligatoire ; l’ordre "
            "prévu, celui du plan de la session. Sauter un module n’est pas changer l’ordre. Sont "
            "comparées les personnes qui ont ouvert deux modules au moins."
        ),
        gettext(
            "Plus tôt, plus tard : de combien de places le module s’écarte en moyenne de sa place prévue, "
            "parmi les modules ouverts. Un retour : une trace dans un module, un jour au moins après en "
            "avoir ouvert un autre."
        ),
        gettext("Rien n’est dit de moins de %(k)s personnes.", k=number(k)),
    ]


def reading_ways(k: int) -> list[str]:
    """Say how ways are gathered."""
    return [
        gettext(
            "Chaque ruban va d’un module au suivant, large comme le nombre de personnes. Les chemins "
            "suivis par moins de %(k)s personnes sont réunis : « autre suite ».",
            k=number(k),
        ),
        gettext(
            "Un module porte son rang dans le plan. La part est celle des personnes passées par ce module "
            "dont la suite est montrée (P(b|a) = n ab / n a)."
        ),
    ]


def reading_types(k: int) -> list[str]:
    """Say how types are made."""
    return [
        gettext(
            "Deux chemins sont d’autant plus proches qu’il faut peu de changements pour passer de l’un à "
            "l’autre (appariement optimal : remplacer a par b coûte 2 − P(b|a) − P(a|b), ajouter ou ôter "
            "la moitié du plus cher). Ils sont réunis par la méthode de Ward, chaque chemin pesant ses "
            "personnes ; le nombre de façons est celui dont la silhouette est la plus grande."
        ),
        gettext(
            "Ce qui est dit d’une façon vaut pour la plupart des siens, pas pour chacun. Aucune n’a moins "
            "de %(k)s personnes. Ces façons décrivent, elles ne jugent personne.",
            k=number(k),
        ),
    ]
