"""What is held of a person, what goes and what stays, in their words."""

from __future__ import annotations

from collections.abc import Mapping

from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext


def counted(what: str, count: int) -> str:
    """Say how many things of a kind there are; "" for a kind that is not told by itself."""
    said = {
        "identity": ngettext(
            "%(count)s fiche d’identité (nom, adresse, compte)",
            "%(count)s éléments d’identité (nom, adresse, comptes, rapprochements)",
            count, count=number(count),
        ),
        "enrolment": ngettext(
            "%(count)s inscription à une session", "%(count)s inscriptions à des sessions", count,
            count=number(count),
        ),
        "choices": ngettext(
            "%(count)s ligne de fichier importé (origine, vœux, présences, résultats)",
            "%(count)s lignes de fichiers importés (origine, vœux, présences, résultats)",
            count, count=number(count),
        ),
        "traces": ngettext(
            "%(count)s trace d’activité", "%(count)s traces d’activité", count, count=number(count)
        ),
        "mentions": ngettext(
            "%(count)s trace d’une autre personne, dont le nom a été retiré",
            "%(count)s traces d’autres personnes, dont le nom a été retiré", count, count=number(count),
        ),
        "progress": ngettext(
            "%(count)s ligne calculée (jours, temps estimé, avancement)",
            "%(count)s lignes calculées (jours, temps estimé, avancement)", count, count=number(count),
        ),
        "answers": ngettext(
            "%(count)s réponse à un questionnaire", "%(count)s réponses à des questionnaires", count,
            count=number(count),
        ),
        "comments": ngettext(
            "%(count)s commentaire affiché", "%(count)s commentaires affichés", count, count=number(count)
        ),
        "complaints": ngettext(
            "%(count)s réclamation signée", "%(count)s réclamations signées", count, count=number(count)
        ),
        "documents": ngettext(
            "%(count)s document d’une activité", "%(count)s documents d’activités", count, count=number(count)
        ),
        "files": ngettext("%(count)s fichier joint", "%(count)s fichiers joints", count, count=number(count)),
        "marks": ngettext("%(count)s note envoyée", "%(count)s notes envoyées", count, count=number(count)),
        "messages": ngettext(
            "%(count)s invitation à répondre", "%(count)s invitations à répondre", count, count=number(count)
        ),
        "sessions": ngettext(
            "%(count)s ouverture d’Estime", "%(count)s ouvertures d’Estime", count, count=number(count)
        ),
        "refused": ngettext(
            "%(count)s ligne ou trace mise à l’écart", "%(count)s lignes ou traces mises à l’écart", count,
            count=number(count),
        ),
        "waiting": ngettext(
            "%(count)s travail en attente", "%(count)s travaux en attente", count, count=number(count)
        ),
        "exports": ngettext(
            "%(count)s fichier préparé", "%(count)s fichiers préparés", count, count=number(count)
        ),
        "requests": ngettext(
            "%(count)s mise à l’écart d’un tuteur", "%(count)s mises à l’écart de tuteurs", count,
            count=number(count),
        ),
    }  # fmt: skip
    return said.get(what, "")


def listed(counts: Mapping[str, int]) -> list[str]:
    """Say what goes, or went, the kinds in one order."""
    order = (
        "identity", "enrolment", "choices", "traces", "mentions", "progress", "answers", "comments",
        "complaints", "documents", "files", "marks", "messages", "sessions", "refused", "waiting", "exports",
        "requests",
    )  # fmt: skip
    return [counted(what, counts[what]) for what in order if counts.get(what)]


def stays() -> list[str]:
    """Say what an erasure leaves in any case, and why."""
    return [
        gettext(
            "Les chiffres déjà publiés des questionnaires : personne ne peut y être reconnu, et les corriger "
            "montrerait par différence ce que la personne avait répondu."
        ),
        gettext(
            "Les réponses aux questionnaires anonymes : rien ne dit de qui elles sont, pas même à l’outil."
        ),
        gettext(
            "Ce que d’autres personnes ont écrit d’elle avec leurs propres mots dans un questionnaire : les "
            "noms en sont déjà masqués à l’affichage."
        ),
        gettext(
            "Une empreinte chiffrée, pour qu’un nouvel envoi ou un nouvel import ne la fasse pas revenir. "
            "Elle ne permet pas de la retrouver."
        ),
    ]


def why(text: str) -> str:
    """Return the reason for which rows stay without the person, in the page's language."""
    said = {
        "shared": gettext(
            "D’autres personnes y sont aussi : la ligne reste, sans rien qui désigne celle-ci."
        ),
        "work": gettext("Ce que la personne a fait pour d’autres reste ; plus rien ne dit que c’était elle."),
        "complaint": gettext("La réclamation reste au journal d’amélioration, sans texte ni auteur."),
        "looks": gettext(
            "Le journal prouve ce qui a été consulté et par qui : il reste, sous un nom tiré au sort."
        ),
        "request": gettext(
            "La preuve que la demande a été reçue et suivie reste, sans dire de qui elle venait."
        ),
    }
    return said.get(text, "")


def backups(days: int) -> str:
    """Say what backups still hold, and until when."""
    return ngettext(
        "Les sauvegardes gardent une copie pendant %(num)d jour encore, puis elle disparaît avec elles. Si "
        "l’une devait être restaurée d’ici là, l’effacement serait refait.",
        "Les sauvegardes gardent une copie pendant %(num)d jours encore, puis elle disparaît avec elles. Si "
        "l’une devait être restaurée d’ici là, l’effacement serait refait.",
        days,
    )
