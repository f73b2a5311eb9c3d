"""What the page of choices says: what is chosen, by whom more or less often, with what else; never why."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.crossing import LEVEL, Association, CrossCell, Crossing
from analyzers.disclosure import OTHER
from analyzers.free_choices import UNKNOWN, Base, Outcome, Pair
from analyzers.results import Share
from lti_tool.dimension_words import Traits
from lti_tool.formatting import NARROW, number, percent
from lti_tool.language import gettext, language, ngettext
from tool_config import references

#: Sentences of a list; the rest is in the table.
MOST_SAID = 4
#: How options are called: what they are.
KINDS = ("module", "wish", "session", "path")


def kind(name: str) -> str:
    """Name a kind of choice."""
    return {
        "module": gettext("Modules"),
        "wish": gettext("Vœux"),
        "session": gettext("Sessions"),
        "path": gettext("Parcours"),
    }[name]


def option(name: str) -> str:
    """Name the column of the options of a kind."""
    return {
        "module": gettext("Module"),
        "wish": gettext("Vœu"),
        "session": gettext("Session"),
        "path": gettext("Parcours"),
    }[name]


def row(traits: Traits, dimension: str, value: str) -> str:
    """Name a category of a trait."""
    return gettext("non connu") if value == UNKNOWN else traits.value(dimension, value)


def people(traits: Traits, dimension: str, value: str) -> str:
    """Name the people of a category at the start of a sentence: "Les AAE"."""
    if dimension == "corps":
        entry = references.load()["corps"].entries.get(value)
        if entry is not None and "plural" in entry.attributes and language() == "fr":
            return gettext("Les %(people)s", people=entry.attributes["plural"])
    name = row(traits, dimension, value)
    if dimension == "academie" and value != OTHER:
        return gettext("Les personnes de l’académie « %(name)s »", name=name)
    return gettext("Les personnes « %(name)s »", name=name)


def sentence(who: str, what: str, cell: CrossCell) -> str:
    """Say how often people of a category chose an option, against what was expected."""
    if cell.count is None:
        return gettext("%(who)s, « %(what)s » : non montré", who=who, what=what)
    if not cell.count:
        return gettext(
            "%(who)s ne choisissent jamais « %(what)s » ; on en attendait %(expected)s.",
            who=who, what=what, expected=number(cell.expected, 0),
        )  # fmt: skip
    ratio, n = cell.ratio or 1.0, number(cell.count)
    if ratio >= 1:
        return gettext(
            "%(who)s choisissent « %(what)s » %(times)s fois plus souvent qu’attendu ; n = %(n)s.",
            who=who, what=what, times=number(ratio, 1), n=n,
        )  # fmt: skip
    return gettext(
        "%(who)s choisissent « %(what)s » %(times)s fois moins souvent qu’attendu ; n = %(n)s.",
        who=who, what=what, times=number(1 / ratio, 1), n=n,
    )  # fmt: skip


def apart(found: Crossing, more: bool) -> list[tuple[int, int]]:
    """Return the cells that stand out, above or below what was expected, those not known aside."""
    return [
        (i, j)
        for i, j in found.strongest
        if found.rows[i] not in (UNKNOWN, OTHER) and ((found.cells[i][j].ratio or 0.0) > 1) == more
    ]


def said(found: Crossing, traits: Traits, dimension: str, more: bool) -> list[str]:
    """Say the cells that stand out, on one side, the strongest first."""
    return [
        sentence(people(traits, dimension, found.rows[i]), found.columns[j], found.cells[i][j])
        for i, j in apart(found, more)[:MOST_SAID]
    ]


def title(found: Crossing, traits: Traits, dimension: str) -> str:
    """Say which origin avoids what most, else which goes to what, else that none stands out."""
    for more in (False, True):
        places = apart(found, more)
        if places:
            i, j = places[0]
            who, what = people(traits, dimension, found.rows[i]), found.columns[j]
            if more:
                return gettext("%(who)s vont plus souvent vers « %(what)s »", who=who, what=what)
            return gettext("%(who)s évitent « %(what)s »", who=who, what=what)
    return gettext("Aucune origine ne choisit autrement que les autres")


def lead(base: Base, found: Crossing | None, traits: Traits, dimension: str, first: tuple[str, Share]) -> str:
    """Say how many chose, what first, and which origin stands out most."""
    opening = ngettext(
        "%(n)s personne a choisi librement ; « %(what)s » vient en tête, chez %(share)s.",
        "%(n)s personnes ont choisi librement ; « %(what)s » vient en tête, chez %(share)s.",
        len(base.people),
        n=number(len(base.people)),
        what=first[0],
        share=percent(first[1].value),
    )
    if found is None:
        return opening
    sentences = [*said(found, traits, dimension, False)[:1], *said(found, traits, dimension, True)[:1]]
    return " ".join([opening, *sentences])


def strength(test: Association, what: str) -> str:
    """Say how one option goes with the trait: the size first, then how sure it is."""
    p = gettext("p < 0,001") if test.p < 0.001 else gettext("p = %(p)s", p=number(test.p, 3))
    if test.method == "permutation":
        p = gettext("%(p)s, par permutation", p=p)
    size = gettext(
        "V de Cramér %(v)s, entre %(low)s et %(high)s",
        v=number(test.v, 2), low=number(test.low, 2), high=number(test.high, 2),
    )  # fmt: skip
    if test.p >= LEVEL:
        return gettext("« %(what)s » : rien n’indique un lien (%(size)s ; %(p)s).", what=what, size=size, p=p)
    return gettext("« %(what)s » : un lien (%(size)s ; %(p)s).", what=what, size=size, p=p)


def pair(one: Pair) -> str:
    """Say how often two options go together."""
    values = {"first": one.first, "second": one.second, "n": number(one.count)}
    if not one.count:
        return gettext("« %(first)s » et « %(second)s » ne sont jamais choisis ensemble.", **values)
    if one.lift >= 1:
        return gettext(
            "« %(first)s » et « %(second)s » vont ensemble %(times)s fois plus souvent qu’au hasard ; "
            "n = %(n)s.",
            **values, times=number(one.lift, 1),
        )  # fmt: skip
    return gettext(
        "« %(first)s » et « %(second)s » vont ensemble %(times)s fois moins souvent qu’au hasard ; "
        "n = %(n)s.",
        **values, times=number(1 / one.lift, 1),
    )  # fmt: skip


def pairs_title(pairs: Sequence[Pair]) -> str:
    """Say which options go together most, or that none does."""
    out = [one for one in pairs if one.stands_out]
    if not out:
        return gettext("Aucun choix n’en appelle un autre plus que le hasard")
    if out[0].lift > 1:
        return gettext(
            "« %(first)s » et « %(second)s » vont ensemble", first=out[0].first, second=out[0].second
        )
    return gettext(
        "« %(first)s » et « %(second)s » vont rarement ensemble", first=out[-1].first, second=out[-1].second
    )


def wishes_title(found: Outcome) -> str:
    """Say how often the first wish was obtained."""
    if found.obtained.value is None:
        return gettext("Le premier vœu et la place obtenue")
    return gettext("%(share)s des premiers vœux sont obtenus", share=percent(found.obtained.value))


def wishes_lead(found: Outcome) -> str:
    """Say the share of first wishes obtained, with its interval and n."""
    one = found.obtained
    if one.count is None:
        return gettext("La part des premiers vœux obtenus ne se montre pas : trop peu de personnes.")
    return gettext(
        "%(count)s personnes sur %(n)s ont obtenu leur premier vœu, soit %(share)s (entre %(low)s et "
        "%(high)s).",
        count=number(one.count), n=number(one.n), share=percent(one.value), low=decimal(one.low),
        high=decimal(one.high),
    )  # fmt: skip


def decimal(value: float | None) -> str:
    """Write a bound of a share with one decimal."""
    written = number(None if value is None else 100 * value, 1)
    return f"{written}{NARROW}%" if language() == "fr" else f"{written}%"


def share(one: Share) -> str:
    """Write a share with its interval, or why there is none."""
    if one.value is None:
        return gettext("trop peu") if one.suppressed == "few" else gettext("non montré")
    return gettext(
        "%(share)s (entre %(low)s et %(high)s)",
        share=percent(one.value), low=decimal(one.low), high=decimal(one.high),
    )  # fmt: skip


def short(cell: CrossCell) -> str:
    """Write a cell of the table: count, share of its row, ratio, and a mark when it stands out."""
    if cell.count is None:
        return gettext("non montré")
    mark = "" if not cell.stands_out else " ▲" if (cell.ratio or 0) > 1 else " ▼"
    return f"{number(cell.count)} ({percent(cell.share)}){mark}"


def basis(base: Base, name: str) -> list[str]:
    """Say what is counted, what is set aside, what is not shown."""
    k = base.k
    told = []
    if base.given:
        told.append(
            gettext(
                "%(n)s choix sont mis de côté : leur inscription est obligatoire ou de public désigné.",
                n=_at_least(base.given, k),
            )
        )
    if base.unsaid and name in ("session", "path"):
        told.append(
            gettext(
                "%(n)s inscriptions sans mode connu ne sont pas comptées : la colonne « Mode d’inscription » "
                "du fichier des inscriptions les ferait entrer.",
                n=_at_least(base.unsaid, k),
            )
        )
    elif base.unsaid:
        told.append(
            gettext(
                "%(n)s choix de modules dont le mode d’inscription n’est pas connu sont comptés comme "
                "libres.",
                n=_at_least(base.unsaid, k),
            )
        )
    if base.few:
        told.append(
            ngettext(
                "Une option choisie par moins de %(k)s personnes n’est pas montrée.",
                "%(num)d options choisies par moins de %(k)s personnes ne sont pas montrées.",
                base.few, k=number(k),
            )
        )  # fmt: skip
    if base.nearly_all:
        told.append(
            ngettext(
                "Une option que presque tout le monde a choisie n’est pas montrée.",
                "%(num)d options que presque tout le monde a choisies ne sont pas montrées.",
                base.nearly_all,
            )
        )
    if base.beyond:
        told.append(
            ngettext(
                "Les %(most)s options les plus choisies sont montrées ; une autre ne l’est pas.",
                "Les %(most)s options les plus choisies sont montrées ; %(num)d autres ne le sont pas.",
                base.beyond, most=number(len(base.names)),
            )
        )  # fmt: skip
    return told


def _at_least(count: int, k: int) -> str:
    """Write a count of lines, small ones without their number."""
    return number(count) if count >= k else gettext("moins de %(k)s", k=number(k))


def reading(k: int) -> list[str]:
    """Say how the page is read."""
    return [
        gettext(
            "Seuls les choix libres comptent : candidature individuelle ou accès libre, choix de modules, "
            "vœux. Ce qui était obligatoire ou de public désigné est mis de côté. Une personne compte une "
            "fois, à l’année de son premier choix."
        ),
        gettext(
            "Attendu : ce que donnerait la même répartition pour toutes les origines. ▲ et ▼ : l’écart reste "
            "improbable (résidu ajusté, 5 %) une fois corrigé du nombre de cases (Holm). Le V de Cramér, "
            "corrigé de son biais (Bergsma), dit la force du lien, de 0 à 1 ; quand plus d’une case attendue "
            "sur cinq compte moins de 5, la probabilité vient de 9 999 tableaux tirés au hasard."
        ),
        gettext(
            "Ensemble : nombre de personnes qui ont choisi les deux, rapporté à ce que donnerait le hasard, "
            "avec son intervalle à 95 %."
        ),
        gettext(
            "Les catégories de moins de %(k)s personnes sont réunies ; les petites cases ne sont pas "
            "montrées, ni celles que les années, les autres choix ou les autres origines permettraient de "
            "retrouver.",
            k=number(k),
        ),
        gettext("Un lien n’est pas une cause : l’offre, le calendrier, la distance jouent aussi."),
    ]


def empty() -> str:
    """Say that nothing is known yet."""
    return gettext(
        "Aucun choix n’est encore connu : importez les choix de modules, les vœux ou les inscriptions avec "
        "leur mode."
    )


def thin(k: int) -> str:
    """Say why nothing may be shown."""
    return gettext(
        "Trop peu de personnes ont choisi librement pour que leurs choix se montrent : il en faut %(k)s au "
        "moins, pour chaque option aussi.",
        k=number(k),
    )
