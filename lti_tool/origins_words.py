"""What the page of origins says: who came, from where, what changed, how it is read."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.disclosure import OTHER
from analyzers.origins import UNKNOWN, ZONE, Change, Grid, Line, Picture, Row
from analyzers.results import Share
from lti_tool.dimension_words import Traits
from lti_tool.formatting import NOTHING, number, percent
from lti_tool.language import gettext, language, ngettext

#: Categories named in a sentence; gathered ones named by themselves up to as many.
_NAMED = 3


def school_year(year: int) -> str:
    """Name a school year by its first calendar year."""
    return f"{year}-{year + 1}"


def row(traits: Traits, dimension: str, one: Row) -> str:
    """Name a line: its category, those gathered in it where they are few, else whose rest it is."""
    if one.key == UNKNOWN:
        return gettext("non connu")
    if not one.gathered:
        return _category(traits, dimension, one.key)
    if len(one.gathered) <= _NAMED:
        names = [
            gettext("non connu") if name == UNKNOWN else _category(traits, dimension, name)
            for name in one.gathered
        ]
        return either(names)
    if one.group in ("A", "B", "C"):
        return gettext("autres de la zone %(zone)s", zone=one.group)
    if dimension == ZONE or one.group == OTHER:
        return gettext("Corse et outre-mer")
    return ngettext("%(num)d autre catégorie", "%(num)d autres catégories", len(one.gathered))


def _category(traits: Traits, dimension: str, value: str) -> str:
    if dimension == ZONE and value in ("A", "B", "C"):
        return gettext("Zone %(zone)s", zone=value)
    if dimension == ZONE and value == OTHER:
        return gettext("Corse et outre-mer")
    return traits.value(dimension, value)


def either(names: Sequence[str]) -> str:
    """Join names by "or"."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(first)s ou %(last)s", first=", ".join(names[:-1]), last=names[-1])


def both(names: Sequence[str]) -> str:
    """Join names by "and"."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(first)s et %(last)s", first=", ".join(names[:-1]), last=names[-1])


def lead(found: Picture, traits: Traits, path: str) -> str:
    """Say how many came, from where first, and what changed most since the year before."""
    said = ngettext(
        "En %(year)s, %(n)s personne est venue%(where)s",
        "En %(year)s, %(n)s personnes sont venues%(where)s",
        found.n,
        year=school_year(found.year),
        n=number(found.n),
        where=gettext(" dans « %(path)s »", path=path) if path else "",
    )
    first = [one for one in found.known if one.share.value][:_NAMED]
    if not first:
        return gettext("%(said)s.", said=said)
    named = [
        gettext(
            "%(name)s (%(share)s)",
            name=row(traits, found.dimension, one.row),
            share=percent(one.share.value),
        )
        for one in first
    ]
    return gettext("%(said)s ; d’abord %(first)s.", said=said, first=both(named))


def change_sentence(found: Picture, traits: Traits) -> str:
    """Say which share changed most for sure since the year before; "" without a year before."""
    if found.before is None:
        return ""
    before = school_year(found.before)
    if not found.moved:
        return gettext(
            "Depuis %(before)s, aucune part n’a bougé plus que le hasard ne le ferait.", before=before
        )
    line = found.moved[0]
    moved = line.change
    if moved is None or line.before is None:
        return ""
    values = {
        "name": row(traits, found.dimension, line.row),
        "before": percent(line.before.value),
        "now": percent(line.share.value),
        "since": before,
        "interval": interval(moved),
    }
    if moved.value > 0:
        return gettext(
            "La part de « %(name)s » a augmenté, de %(before)s en %(since)s à %(now)s (%(interval)s).",
            **values,
        )
    return gettext(
        "La part de « %(name)s » a baissé, de %(before)s en %(since)s à %(now)s (%(interval)s).", **values
    )


def title(found: Picture, traits: Traits) -> str:
    """Say what the chart shows: the category that stands out, else its plain name."""
    heavy = [one for one in found.known if one.weight is not None and one.share.low is not None]
    out = [one for one in heavy if (one.share.low or 0) > (one.reference or 0)]
    if out:
        line = max(out, key=lambda one: one.weight or 0)
        return gettext(
            "« %(name)s » pèse %(times)s fois plus que dans la population de référence",
            name=row(traits, found.dimension, line.row), times=number(line.weight, 1),
        )  # fmt: skip
    known = [one for one in found.known if one.share.low is not None]
    if len(known) > 1 and (known[0].share.low or 0) > (known[1].share.high or 0):
        return gettext("« %(name)s » vient en tête", name=row(traits, found.dimension, known[0].row))
    return gettext("Qui vient, par %(trait)s", trait=_lower(traits.label(found.dimension)))


def trend_title(found: Picture, traits: Traits) -> str:
    """Say what the lines over the years show."""
    if not found.moved:
        return gettext("D’une année à l’autre, les parts restent proches")
    line = found.moved[0]
    name = row(traits, found.dimension, line.row)
    if line.change is not None and line.change.value > 0:
        return gettext("La part de « %(name)s » augmente", name=name)
    return gettext("La part de « %(name)s » baisse", name=name)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def interval(one: Change) -> str:
    """Write a change in points with its interval."""
    return gettext(
        "%(value)s points, entre %(low)s et %(high)s",
        value=points(one.value), low=points(one.low), high=points(one.high),
    )  # fmt: skip


def points(value: float) -> str:
    """Write a difference of shares in points, with its sign."""
    written = number(abs(100 * value), 1)
    if written in ("0", "0,0", "0.0"):
        return "0"
    return f"{'+' if value > 0 else '−'}{written}"


def share(one: Share) -> str:
    """Write a share with its interval, or why there is none."""
    if one.value is None:
        return hidden(one)
    return gettext(
        "%(share)s (entre %(low)s et %(high)s)",
        share=percent(one.value), low=_one_decimal(one.low), high=_one_decimal(one.high),
    )  # fmt: skip


def hidden(one: Share) -> str:
    """Say why a share is not shown."""
    return gettext("trop peu") if one.suppressed == "few" else gettext("non montré")


def _one_decimal(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{number(100 * value, 1)}\u202f%" if language() == "fr" else f"{number(100 * value, 1)}%"


def bar(name: str, line: Line) -> str:
    """Say a line of the chart in words."""
    said = gettext("%(name)s : %(share)s", name=name, share=share(line.share))
    if line.share.count is not None:
        said += gettext(", n = %(n)s", n=number(line.share.count))
    if line.reference is not None:
        said += gettext(" ; population de référence : %(share)s", share=_one_decimal(line.reference))
    return said


def basis(found: Picture, grid: Grid, traits: Traits, matched: tuple[int, int]) -> list[str]:
    """Say who is counted, who is not, and what would complete it."""
    trait = _lower(traits.label(found.dimension))
    said = []
    if found.unknown:
        said.append(
            ngettext(
                "%(n)s personne n’a pas de valeur connue pour « %(trait)s » : le fichier « Personnes et "
                "origine » la donnerait.",
                "%(n)s personnes n’ont pas de valeur connue pour « %(trait)s » : le fichier « Personnes et "
                "origine » la donnerait.",
                found.unknown, n=number(found.unknown), trait=trait,
            )
        )  # fmt: skip
    elif found.unknown is None:
        said.append(
            gettext(
                "Quelques personnes n’ont pas de valeur connue pour « %(trait)s » : trop peu pour que leur "
                "nombre se montre.",
                trait=trait,
            )
        )
    if matched[0]:
        said.append(
            gettext(
                "Les traces de %(share)s des personnes des fichiers sont reconnues.",
                share=percent(matched[1] / matched[0]),
            )
        )
    if len(grid.years) < 2:
        said.append(gettext("Une seule année est connue : rien ne se compare encore."))
    return said


def reading(k: int, reference: Sequence[str]) -> list[str]:
    """Say how the page is read."""
    return [
        gettext(
            "Une personne compte une fois par année scolaire (août à juillet), quel que soit le nombre de "
            "ses sessions, et une fois dans chaque parcours où elle est inscrite cette année-là. Les "
            "personnes inscrites sont comptées, désistements compris."
        ),
        gettext(
            "Les parts sont celles des personnes dont la valeur est connue, avec leur intervalle à 95 % "
            "(Wilson). Une évolution est une différence de parts avec son intervalle à 95 % (Newcombe) ; "
            "« net » : elle reste différente de zéro une fois l’intervalle élargi au nombre de lignes "
            "comparées. Les personnes venues les deux années rendent cet intervalle un peu trop large."
        ),
        gettext(
            "Les catégories de moins de %(k)s personnes sont réunies, les académies dans leur zone ; les "
            "petites cases ne sont pas montrées, ni celles qui permettraient de les retrouver d’une année, "
            "d’un parcours ou d’une zone à l’autre. La carte et les fichiers lisent les mêmes cases.",
            k=number(k),
        ),
        gettext("Population de référence : %(sources)s.", sources=" ; ".join(reference))
        if reference
        else gettext(
            "Un fichier « Populations de référence » (les effectifs par académie, par corps…) mettrait à "
            "côté le poids de chacun."
        ),
        gettext("Ces chiffres décrivent qui vient ; ils ne disent pas pourquoi."),
    ]


def empty() -> str:
    """Say that nothing is known yet."""
    return gettext(
        "Aucune origine n’est encore connue : importez le fichier « Personnes et origine » et celui des "
        "inscriptions."
    )


def thin(dimension: str, path: str, k: int) -> str:
    """Say why nothing may be shown."""
    if dimension == ZONE and path:
        return gettext("Les zones se montrent tous parcours réunis : un parcours se regarde par académie.")
    return gettext(
        "Trop peu de personnes pour être montrées ici : il en faut %(k)s au moins dans une année scolaire.",
        k=number(k),
    )
