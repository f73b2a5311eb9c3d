"""What pages say of comments: leads, states, how to read; in the language of the page."""

from __future__ import annotations

from analyzers import disclosure
from analyzers.comments import accuracy
from analyzers.comments.picture import Picture, ThemePicture
from analyzers.results import Share
from lti_tool.comments import Standing, Theme
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import naming
from tool_config.survey_model import PHASES

#: Words of a theme without a name.
_NAMED_BY = 3


def title(theme: Theme) -> str:
    """Return what a theme is called: by a reader, else by its first words."""
    return theme.name or ", ".join(theme.words[:_NAMED_BY])


def polarities() -> dict[str, str]:
    """Return what each polarity is called."""
    return {
        "negative": gettext("plutôt négatif"),
        "neutral": gettext("neutre ou partagé"),
        "positive": gettext("plutôt positif"),
    }


def phase(name: str) -> str:
    """Name a phase; a file may have one of its own."""
    for known in PHASES:
        if known == name:
            return naming.phase(known)
    return name or gettext("sans phase")


def other(name: str) -> str:
    """Return what the choice that gathers small ones is called, by dimension."""
    return {
        "module": gettext("Autres modules"),
        "phase": gettext("Autres moments"),
        "object": gettext("Autres objets"),
    }[name]


def is_other(value: str) -> bool:
    """Say whether a choice gathers small ones."""
    return value == disclosure.OTHER


def lead(shown: Picture, known: dict[str, Theme]) -> str:
    """Return the sentence of the page: what is spoken of most, and how."""
    count = shown.count or 0
    said = ngettext("%(count)s commentaire lu", "%(count)s commentaires lus", count, count=number(count))
    if not shown.themes:
        return gettext("%(read)s : aucun thème n’est assez partagé pour être montré.", read=said)
    first = shown.themes[0]
    return gettext(
        "%(read)s. On parle le plus de « %(theme)s » : %(share)s des commentaires, %(tone)s.",
        read=said,
        theme=title(known[first.theme_id]),
        share=percent(first.share),
        tone=_tone(first),
    )


def _tone(theme: ThemePicture) -> str:
    """Say how a theme is spoken of, by the larger side; undecided unless it is half."""
    half = theme.count / 2
    if theme.polarities["positive"] >= half:
        return gettext("le plus souvent en bien")
    if theme.polarities["negative"] >= half:
        return gettext("le plus souvent en mal")
    return gettext("sans que l’avis penche nettement")


def positive(share: Share) -> str:
    """Write the share of positive comments, with its interval."""
    if share.value is None:
        return ""
    return gettext(
        "%(share)s plutôt positifs (entre %(low)s et %(high)s)",
        share=percent(share.value), low=percent(share.low), high=percent(share.high),
    )  # fmt: skip


def measured() -> str:
    """Say how often the polarity is right: figures of the command that trained it."""
    known = accuracy.read()
    model, baseline = known.scores["model"], known.scores["majority"]
    return gettext(
        "La polarité est estimée par un programme, et il se trompe : sur %(n)s phrases d’avis "
        "sur des cours qu’il "
        "n’avait jamais lues, il a raison %(fr)s du temps en français et %(en)s en anglais "
        "(répondre toujours "
        "« positif » donnerait %(base)s). Quand il dit « négatif », c’est juste dans %(negative)s des cas. "
        "C’est une tendance sur un ensemble de commentaires, jamais l’avis d’une personne.",
        n=number(known.both.n),
        fr=percent(model["fr"].accuracy),
        en=percent(model["en"].accuracy),
        base=percent(baseline["fr"].accuracy),
        negative=percent(known.precision["negative"]),
    )


def reading_notes(standing: Standing, k: int) -> list[str]:
    """Return the sentences of « comment lire »."""
    notes = [
        gettext(
            "Avant toute lecture, les noms, adresses, téléphones et numéros sont masqués. Un nom rare peut "
            "échapper, un mot ordinaire être masqué à tort."
        ),
        gettext(
            "Les thèmes viennent des mots : des commentaires qui emploient les mêmes mots vont ensemble. "
            "Chaque commentaire est dans un seul thème, ou dans aucun."
        ),
    ]
    if standing.stability:
        best = max(standing.stability.values())
        notes.append(
            gettext(
                "Le nombre de thèmes est celui qui revient le mieux quand on recommence sur des "
                "parties tirées "
                "au hasard des commentaires (meilleur accord : %(best)s sur 1 ; Greene, O’Callaghan et "
                "Cunningham, 2014).",
                best=number(best, 2),
            )
        )
    return [
        *notes,
        measured(),
        gettext(
            "La part de commentaires plutôt positifs est donnée avec son intervalle à 95 % (Wilson), qui ne "
            "compte pas les erreurs du programme."
        ),
        gettext(
            "Un thème que vous renommez ou réunissez reste : les commentaires qui y sont n’en "
            "bougent plus, et les "
            "nouveaux le rejoignent quand leurs mots sont plus proches des siens que de ceux "
            "des autres thèmes."
        ),
        gettext(
            "Rien n’est montré de moins de %(k)s personnes. Les commentaires sont publiés par "
            "groupes, dans un "
            "ordre tiré au hasard : rien ne dit qui a écrit, ni quand.",
            k=number(k),
        ),
    ]


def step(message: str) -> str:
    """Say what is being done."""
    return {
        "reading": gettext("noms masqués, mots ramenés à leur forme du dictionnaire"),
        "themes": gettext("recherche des thèmes"),
        "polarity": gettext("estimation de la polarité"),
    }.get(message, gettext("en attente"))


def done() -> dict[str, str]:
    """Say what a form of the page did, by the word that its address carries."""
    return {
        "theme-rename": gettext("Le thème est renommé : il gardera ce nom et ses commentaires."),
        "theme-merge": gettext("Les deux thèmes sont réunis : ils le resteront."),
        "theme-object": gettext("L’objet du thème est enregistré."),
        "theme-release": gettext("Le thème est rendu à l’analyse : les commentaires sont relus."),
        "theme-again": gettext("La lecture des commentaires est demandée."),
    }
