"""What is said of the use after the training: who comes back, what is consulted, what a visit is."""

from __future__ import annotations

from analyzers.aftermath import MONTHS, Audience, Cohort, Returns
from analyzers.disclosure import OTHER
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, ngettext


def cohort(name: str) -> str:
    """Name a promotion."""
    if name == OTHER:
        return gettext("Autres promotions")
    return name or gettext("Promotion non connue")


def link(name: str) -> str:
    """Name a link of the public site."""
    if name == OTHER:
        return gettext("Autres liens")
    return name or gettext("Sans lien de promotion")


def lead(found: Returns, site: Audience | None, k: int) -> str:
    """Open the page: who came back in the first month, and how much is consulted on the public site."""
    said = []
    if found.people is None:
        said.append(
            gettext(
                "Moins de %(k)s personnes ont suivi une session terminée sur la plateforme : rien n’est "
                "montré de leur "
                "retour.",
                k=number(k),
            )
        )  # fmt: skip
    elif not found.months:
        said.append(
            gettext(
                "Aucun mois entier n’a encore passé depuis la fin des sessions : il est trop tôt pour un "
                "retour."
            )
        )
    else:
        first = found.months[0].share
        said.append(
            gettext(
                "Le mois qui suit la fin, %(share)s des stagiaires reviennent dans leur espace (%(count)s "
                "sur %(n)s).",
                share=percent(first.value), count=number(first.count), n=number(first.n),
            )
        )  # fmt: skip
    if site is not None and site.total:
        said.append(public(site))
    return " ".join(said)


def public(site: Audience) -> str:
    """Say how much the public site was used over the months shown."""
    count = number(site.total)
    months = number(len(site.months))
    if site.unit == "views":
        return gettext(
            "Sur le site public, %(count)s pages vues en %(months)s mois.", count=count, months=months
        )
    return gettext("Sur le site public, %(count)s visites en %(months)s mois.", count=count, months=months)


def returns_title(found: Returns) -> str:
    """Say what the chart of months shows: how fast people stop coming back."""
    shares = [one.share.value or 0.0 for one in found.months]
    if len(shares) < 2 or not shares[0]:
        return gettext("Qui revient après la fin, mois après mois")
    if shares[-1] < shares[0] / 2:
        half = next(rank for rank, value in enumerate(shares) if value < shares[0] / 2)
        return ngettext(
            "Après %(num)d mois, on revient deux fois moins",
            "Après %(num)d mois, on revient deux fois moins", half,
        )  # fmt: skip
    return gettext("On revient presque autant %(months)s mois après la fin", months=number(len(shares)))


def month(rank: int) -> str:
    """Name a month after the end."""
    return gettext("M%(rank)s", rank=rank)


def site_title(found: Audience) -> str:
    """Say what the chart of the public site shows: the busiest link of a promotion."""
    named = [(name, rank) for rank, name in enumerate(found.links) if name and name != OTHER]
    if not named:
        return gettext("Le site public, mois après mois")
    name, rank = named[0]
    total = sum(line[rank] or 0 for line in found.cells)
    if any(line[rank] is None for line in found.cells):
        return gettext("Le lien « %(link)s » est le plus suivi", link=name)
    return gettext("Le lien « %(link)s » est le plus suivi : %(count)s", link=name, count=number(total))


def unit(found: Audience) -> str:
    """Name what is counted on the public site."""
    return gettext("Pages vues") if found.unit == "views" else gettext("Visites")


def robots(found: Audience) -> str:
    """Say how many passages of robots were left out."""
    if not found.robots:
        return ""
    return ngettext(
        "%(count)s passage de robot est écarté.", "%(count)s passages de robots sont écartés.", found.robots,
        count=number(found.robots),
    )  # fmt: skip


def size(one: Cohort) -> str:
    """Write a promotion with how many people it is of."""
    return gettext("%(name)s (%(n)s)", name=cohort(one.name), n=number(one.people))


def returns_reading(k: int) -> list[str]:
    """Say what a visit and a month are."""
    return [
        gettext(
            "Une visite : un jour où la personne a laissé au moins une trace dans l’espace d’une session "
            "terminée. Le "
            "premier mois commence le lendemain de la fin ; les espaces sont suivis %(months)s mois.",
            months=number(MONTHS),
        ),
        gettext(
            "Chaque part est celle des stagiaires vus pendant la session et dont la fin est assez ancienne "
            "pour que ce "
            "mois soit entier : n baisse donc avec les mois."
        ),
        gettext(
            "Une promotion de moins de %(k)s personnes à un mois donné n’y est pas montrée, ni une autre si "
            "elle la "
            "laissait deviner. Le nombre de visites ne l’est que si %(k)s personnes sont revenues.",
            k=number(k),
        ),
    ]


def site_reading(k: int) -> list[str]:
    """Say what the logs of the public site hold, and what they do not."""
    return [
        gettext(
            "Le site public ne connaît personne : ses journaux entrent ici en totaux par mois, par page et "
            "par lien, sans "
            "adresse ni visiteur, et ne sont jamais rapprochés des personnes. Une page vue n’est pas une "
            "personne."
        ),
        gettext(
            "Le lien est celui donné à une promotion (?promo=2026-2028). Les passages de robots sont "
            "écartés. Une visite, "
            "quand l’outil d’audience en compte, est une suite de pages d’un même navigateur, selon cet "
            "outil."
        ),
        gettext(
            "Un total de moins de %(k)s n’est pas montré, ni ceux qui permettraient de le retrouver.",
            k=number(k),
        ),
    ]
