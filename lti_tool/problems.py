"""What is wrong with an outline, in words: which line, what was read, what is expected."""

from __future__ import annotations

from collections.abc import Mapping

from lti_tool.formatting import number
from lti_tool.language import gettext
from xapi.outline import MAX_HOURS, MAX_TITLE, Problem


def sentence(problem: Problem, titles: Mapping[str, str]) -> str:
    """Say one problem; its line of the file or its title comes first."""
    said = _said(problem)
    if problem.line is not None:
        return gettext("Ligne %(line)s : %(said)s", line=number(problem.line), said=said)
    title = titles.get(problem.iri)
    return gettext("« %(title)s » : %(said)s", title=title, said=said) if title else said


def _said(problem: Problem) -> str:
    text = problem.params.get("text", "")
    match problem.code:
        case "encoding":
            return gettext("Ce fichier n’est pas un texte lisible. Enregistrez-le au format CSV UTF-8.")
        case "empty":
            return gettext("Le fichier est vide.")
        case "separator":
            return gettext("Les colonnes ne se lisent pas. Séparez-les par des points-virgules.")
        case "iri_column":
            return gettext("La colonne « identifiant » manque. Partez du plan exporté ici.")
        case "repeated_column":
            return gettext(
                "Une colonne est donnée deux fois : %(columns)s.", columns=problem.params.get("columns", "")
            )
        case "too_long":
            return gettext(
                "Le fichier compte trop de lignes (%(maximum)s au plus).",
                maximum=problem.params.get("maximum", ""),
            )
        case "cells":
            return gettext("plus de cellules que de colonnes.")
        case "iri_missing":
            return gettext("l’identifiant manque.")
        case "number":
            return gettext("« %(text)s » n’est pas un nombre entier.", text=text)
        case "hours":
            return gettext("« %(text)s » n’est pas un nombre d’heures, comme 1,5.", text=text)
        case "day":
            return gettext("« %(text)s » n’est pas une date, comme 14/11/2026.", text=text)
        case "yes_no":
            return gettext("« %(text)s » : écrivez oui ou non.", text=text)
    return _of_edit(problem)


def _of_edit(problem: Problem) -> str:
    match problem.code:
        case "unknown_iri":
            return gettext("cette ligne ne correspond à rien de ce parcours.")
        case "repeated_iri":
            return gettext("cet identifiant est déjà sur une autre ligne.")
        case "unknown_module":
            return gettext("ce module n’existe pas dans ce parcours.")
        case "title_length":
            return gettext("le titre doit avoir de 1 à %(most)s caractères.", most=number(MAX_TITLE))
        case "position_range":
            return gettext("l’ordre doit être un nombre entier à partir de 1.")
        case "hours_range":
            return gettext("les heures vont de 0 à %(most)s.", most=number(MAX_HOURS))
        case "dates_order":
            return gettext("la fermeture vient avant l’ouverture.")
        case "gathering_kind":
            return gettext("cette nature de regroupement n’existe pas.")
    return gettext("la valeur n’est pas acceptée (%(code)s).", code=problem.code)
