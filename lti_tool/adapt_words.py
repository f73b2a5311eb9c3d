"""What the page of modules to adapt says: evidence in words, order and how far it holds, definitions."""

from __future__ import annotations

from collections.abc import Mapping

from analyzers.adapt import CRITERIA, UNKNOWN, Evidence, Module, Ranked, Ranking
from lti_tool.formatting import long_day, number, percent
from lti_tool.language import gettext, ngettext
from tool_config.rules import Rules


def heads() -> dict[str, str]:
    """Return what heads the columns: shorter where the table is narrow."""
    return {**criteria(), "employer": gettext("Employeur")}


def criteria() -> dict[str, str]:
    """Return what each kind of evidence is called."""
    return {
        "satisfaction": gettext("Satisfaction"),
        "stopping": gettext("Arrêts"),
        "comments": gettext("Commentaires"),
        "expectations": gettext("Attentes"),
        "employer": gettext("Objectifs de l’employeur"),
        "review": gettext("Revue"),
    }


def definitions(rules: Rules) -> dict[str, str]:
    """Return how each kind of evidence is counted."""
    return {
        "satisfaction": gettext(
            "Avis favorables (deux plus hautes réponses à la question d’ensemble) de tous les questionnaires "
            "à chaud du module publiés, toutes sessions du parcours réunies ; seule leur borne basse compte."
        ),
        "stopping": gettext(
            "Parmi celles et ceux qui ont commencé le module : sans l’avoir fini ni fini le parcours, leur "
            "dernière activité y est, et la session est terminée ou rien n’est venu depuis %(days)s jours.",
            days=number(rules.adapt.stopped_days),
        ),
        "comments": gettext(
            "Part des commentaires du module rangés dans un thème où les critiques l’emportent sur les "
            "compliments. Le classement des commentaires se trompe parfois : sa justesse est dite sur leur "
            "page."
        ),
        "expectations": gettext(
            "Part des personnes du parcours qui attendaient le thème du module, multipliée par la part de "
            "celles qui, après le module, ne disent pas que leurs attentes ou les objectifs sont atteints."
        ),
        "employer": gettext(
            "Part des objectifs de l’employeur qui nomment le thème du module, multipliée par la part de "
            "celles et ceux qui s’y arrêtent parmi ceux qui le commencent."
        ),
        "review": gettext(
            "Retard de la revue du module, en part d’une année ; un an ou plus compte en plein."
        ),
    }


def short(name: str, found: Evidence, k: int) -> str:
    """Say a piece of evidence in a cell; "–" or why there is none."""
    if name == "review" and found.value is not None:
        return late(found) if found.count else gettext("à jour")
    if found.about:
        return gettext("moins de %(k)s (n = %(n)s)", k=number(k), n=number(found.n))
    if found.count is None or not found.n:
        return "–" if found.suppressed == UNKNOWN else gettext("trop peu")
    share = (found.n - found.count) / found.n if name == "satisfaction" else found.count / found.n
    if found.stake is not None:
        stake = percent(found.stake[0] / found.stake[1])
        if name == "employer":
            return gettext("%(stake)s des objectifs ; %(share)s arrêtés", stake=stake, share=percent(share))
        return gettext("attendu par %(stake)s ; manqué pour %(share)s", stake=stake, share=percent(share))
    return gettext("%(share)s (n = %(n)s)", share=percent(share), n=number(found.n))


def late(found: Evidence) -> str:
    """Say by how much a review is overdue."""
    return ngettext("en retard de %(num)d jour", "en retard de %(num)d jours", found.count or 0)


def said(name: str, module: Module, k: int) -> str:
    """Say a piece of evidence in a sentence, with its n and interval; why there is none otherwise."""
    found = module.evidence[name]
    if found.value is None:
        return missing(name, found, k)
    if name == "review":
        return _review(module)
    if found.about:
        return _about(name, found, k)
    count, n = found.count or 0, found.n or 0
    words = {
        "satisfaction": lambda: gettext(
            "%(count)s avis favorables sur %(n)s ; rapproché des autres modules, le module en a au moins "
            "%(low)s (borne basse de l’intervalle à 95 %%).",
            count=number(n - count), n=number(n), low=percent(1 - (found.high or 0)),
        ),
        "stopping": lambda: ngettext(
            "%(count)s personne s’y est arrêtée, sur %(n)s qui l’ont commencé (%(interval)s).",
            "%(count)s personnes s’y sont arrêtées, sur %(n)s qui l’ont commencé (%(interval)s).",
            count, count=number(count), n=number(n), interval=interval(found),
        ),
        "comments": lambda: ngettext(
            "%(count)s commentaire sur %(n)s est dans un thème surtout critique (%(interval)s).",
            "%(count)s commentaires sur %(n)s sont dans un thème surtout critique (%(interval)s).",
            count, count=number(count), n=number(n), interval=interval(found),
        ),
        "expectations": lambda: gettext(
            "%(named)s personnes sur %(asked)s attendaient ce thème ; après le module, %(unmet)s réponses "
            "sur %(n)s ne disent pas que c’est atteint (%(interval)s).",
            named=number(_stake(found)[0]), asked=number(_stake(found)[1]), unmet=number(count),
            n=number(n), interval=interval(found),
        ),
        "employer": lambda: ngettext(
            "%(named)s objectif de l’employeur sur %(asked)s nomme ce thème ; %(left)s sur %(n)s s’y sont "
            "arrêtés (%(interval)s).",
            "%(named)s objectifs de l’employeur sur %(asked)s nomment ce thème ; %(left)s sur %(n)s s’y sont "
            "arrêtés (%(interval)s).",
            _stake(found)[0], named=number(_stake(found)[0]), asked=number(_stake(found)[1]),
            left=number(count), n=number(n), interval=interval(found),
        ),
    }  # fmt: skip
    return words[name]()


def _about(name: str, found: Evidence, k: int) -> str:
    """Say a count that is not told."""
    if name == "comments":
        return gettext(
            "Moins de %(k)s commentaires sur %(n)s sont dans un thème surtout critique.",
            k=number(k), n=number(found.n),
        )  # fmt: skip
    said = gettext("Moins de %(k)s personnes s’y sont arrêtées, sur %(n)s.", k=number(k), n=number(found.n))
    if found.stake is None:
        return said
    return ngettext(
        "%(named)s objectif de l’employeur sur %(asked)s nomme ce thème. %(said)s",
        "%(named)s objectifs de l’employeur sur %(asked)s nomment ce thème. %(said)s",
        found.stake[0], named=number(found.stake[0]), asked=number(found.stake[1]), said=said,
    )  # fmt: skip


def _stake(found: Evidence) -> tuple[int, int]:
    return found.stake or (0, 0)


def _review(module: Module) -> str:
    found, day = module.evidence["review"], module.counts.review_on
    written = long_day(day) if day else ""
    if found.count:
        return gettext("À revoir le %(day)s : %(late)s.", day=written, late=late(found))
    return gettext("À revoir le %(day)s : la revue n’est pas en retard.", day=written)


def interval(found: Evidence) -> str:
    """Say the interval of a share drawn towards the common one."""
    return gettext("de %(low)s à %(high)s", low=percent(found.low), high=percent(found.high))


def missing(name: str, found: Evidence, k: int) -> str:
    """Say why a piece of evidence is missing, and what would bring it."""
    if found.suppressed != UNKNOWN:
        return gettext("Moins de %(k)s personnes : ce n’est pas montré, et ne compte pas.", k=number(k))
    return {
        "satisfaction": gettext("Aucun questionnaire publié sur ce module."),
        "stopping": gettext("Aucune trace d’une activité à terminer dans ce module."),
        "comments": gettext("Aucun commentaire lu sur ce module."),
        "expectations": gettext(
            "Aucune attente connue : importez les attentes, avec le thème de chaque module dans le fichier "
            "des modules."
        ),
        "employer": gettext("Aucun objectif de l’employeur connu pour le thème de ce module."),
        "review": gettext("Aucune date de revue : importez le fichier des modules."),
    }[name]


# --- order ------------------------------------------------------------------------------------------------


def reasons(line: Ranked) -> str:
    """Say the two kinds of evidence that add most to the index, the most first."""
    first = sorted(line.parts, key=lambda name: (-line.parts[name], CRITERIA.index(name)))
    kept = [name for name in first if line.parts[name] > 0][:2]
    return " ; ".join(_reason(name, line.module.evidence[name]) for name in kept)


def _reason(name: str, found: Evidence) -> str:
    if found.about:
        return {
            "stopping": gettext("quelques personnes s’y arrêtent"),
            "comments": gettext("quelques commentaires sont critiques"),
            "employer": gettext("l’employeur y tient, et quelques personnes s’y arrêtent"),
        }[name]
    n, count = found.n or 1, found.count or 0
    return {
        "satisfaction": lambda: gettext(
            "%(share)s d’avis favorables (n = %(n)s)", share=percent((n - count) / n), n=number(n)
        ),
        "stopping": lambda: gettext(
            "%(share)s de celles et ceux qui le commencent s’y arrêtent (n = %(n)s)",
            share=percent(count / n), n=number(n),
        ),
        "comments": lambda: gettext(
            "%(share)s de ses commentaires sont dans des thèmes critiques (n = %(n)s)",
            share=percent(count / n), n=number(n),
        ),
        "expectations": lambda: gettext(
            "attendu par %(stake)s des personnes, atteint pour %(share)s",
            stake=percent(found.scale), share=percent((n - count) / n),
        ),
        "employer": lambda: gettext(
            "nommé par %(stake)s des objectifs de l’employeur, quitté par %(share)s",
            stake=percent(found.scale), share=percent(count / n),
        ),
        "review": lambda: gettext("revue %(late)s", late=late(found)),
    }[name]()  # fmt: skip


def lead(ranking: Ranking) -> str:
    """Say which module comes first and why."""
    ranked = ranking.ranked
    if not ranking.lines:
        return gettext("Aucun module n’est encore connu : rattachez des sessions à leur parcours.")
    if not ranked:
        return gettext("Aucun module n’a encore assez d’indices pour être rangé.")
    first = ranked[0]
    if not first.index:
        return gettext("Rien de ce qui est connu ne désigne un module à adapter.")
    return gettext(
        "À reprendre d’abord : « %(module)s » (%(path)s) : %(why)s.",
        module=first.module.counts.title, path=first.module.counts.path, why=reasons(first),
    )  # fmt: skip


def title(ranking: Ranking) -> str:
    """Say how sure the first place is."""
    ranked = ranking.ranked
    if not ranked:
        return gettext("Modules par indice")
    tied = sum((line.low_rank or 0) == 1 for line in ranked)
    if tied == 1:
        return gettext(
            "« %(module)s » reste premier quand on bouge les poids", module=ranked[0].module.counts.title
        )
    return ngettext(
        "%(num)d module peut tenir la première place",
        "%(num)d modules peuvent tenir la première place",
        tied,
    )


def between(line: Ranked) -> str:
    """Say between which ranks a module stands; "" when it is at one alone."""
    if line.rank is None or line.low_rank == line.high_rank:
        return ""
    return gettext("de %(low)s à %(high)s", low=number(line.low_rank), high=number(line.high_rank))


def place(line: Ranked) -> str:
    """Say the rank and how far it holds."""
    if line.rank is None:
        return "–"
    if line.low_rank == line.high_rank:
        return number(line.rank)
    return gettext(
        "%(rank)s (de %(low)s à %(high)s)",
        rank=number(line.rank), low=number(line.low_rank), high=number(line.high_rank),
    )  # fmt: skip


def holds(line: Ranked, ranking: Ranking) -> str:
    """Say how often the module is among the first when shares and weights move; "" unranked."""
    if line.among_first is None:
        return ""
    often = percent(line.among_first)
    if ranking.first == 1:
        return gettext("premier dans %(often)s des tirages", often=often)
    return gettext("dans les %(first)s premiers : %(often)s des tirages", first=ranking.first, often=often)


def known(line: Ranked, on: int) -> str:
    """Say how much is known of a module."""
    return gettext("indices connus : %(known)s sur %(on)s", known=len(line.known), on=on)


def reading(ranking: Ranking, rules: Rules) -> list[str]:
    """Return how to read the page."""
    names = criteria()
    weights = ", ".join(f"{names[name].lower()} {weight:g}" for name, weight in ranking.weights.items())
    return [
        gettext(
            "L’indice va de 0 (rien à reprendre) à 100. C’est la moyenne des indices connus, chacun selon "
            "son poids (%(weights)s). Ce qui manque ne compte ni en bien ni en mal ; il faut deux indices "
            "pour être rangé.",
            weights=weights,
        ),
        gettext(
            "Chaque part est rapprochée de celle de l’ensemble des modules d’autant plus que le module a peu "
            "de réponses (bêta-binomiale, Bayes empirique), puis prise au bord défavorable de son intervalle "
            "à 95 % : un module peu connu n’est pas supposé bon."
        ),
        gettext(
            "Le rang entre parenthèses vient de %(draws)s tirages où les parts bougent dans leur loi et "
            "chaque poids de la moitié au double : neuf fois sur dix, le module est entre ces deux rangs "
            "(Saisana, Saltelli et Tarantola, 2005).",
            draws=number(ranking.draws),
        ),
        *(
            gettext("%(what)s : %(how)s", what=names[name], how=text)
            for name, text in definitions(rules).items()
        ),
        gettext("On range des modules, jamais des formateurs ; la page propose, quelqu’un décide."),
    ]


def weights(rules: Rules) -> Mapping[str, int]:
    """Return the weights that the institution decided."""
    return rules.adapt.weights
