"""What is said of a file and of its lines, in the language of the page: plainly, with what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lti_tool.imports import source_words
from lti_tool.language import gettext, language, ngettext
from tool_config.standards import Field
from tool_config.surveys import Label


def label(text: Label) -> str:
    """Return a text of a standard in the page's language."""
    return text.in_language(language())


def file_fault(code: str, params: Mapping[str, Any]) -> str:
    """Say why a file is refused, and what to do."""
    said = {
        "empty": gettext("Le fichier est vide."),
        "encoding": gettext(
            "Le texte n’est pas en %(encoding)s (ligne %(line)s) : choisissez un autre encodage."
        ),
        "not_a_table": gettext("Ce n’est pas un tableau : donnez un fichier CSV, XLSX, ODS, JSON ou ZIP."),
        "old_excel": gettext(
            "C’est un fichier d’un ancien Excel (.xls, .xlsb) : enregistrez-le en .xlsx, puis redéposez-le."
        ),
        "encrypted": gettext(
            "Le fichier est protégé par un mot de passe : enregistrez-le sans, puis redéposez-le."
        ),
        "macros": gettext(
            "Le fichier contient des macros, qui ne sont jamais prises : enregistrez-le en .xlsx, puis "
            "redéposez-le."
        ),
        "entities": gettext(
            "Le fichier déclare des entités XML, ce qu’aucun tableur ne fait : il est refusé."
        ),
        "bomb": gettext("Une fois déplié, le fichier serait démesuré : il est refusé."),
        "damaged": gettext("Le fichier est abîmé, ou n’est pas ce que dit son nom."),
        "too_wide": gettext("Le tableau a plus de %(maximum)s colonnes : retirez celles qui ne servent pas."),
        "too_long": gettext("Le tableau a plus de %(maximum)s lignes : coupez-le en plusieurs fichiers."),
        "too_many_cells": gettext(
            "Le tableau a plus de %(maximum)s cellules : coupez-le en plusieurs fichiers."
        ),
        "long_cell": gettext(
            "Ligne %(line)s : une cellule dépasse %(maximum)s caractères. Un guillemet est peut-être resté "
            "ouvert."
        ),
        "no_header": gettext("Aucune ligne de titres n’a été trouvée."),
        "no_sheet": gettext("Le classeur n’a pas de feuille nommée « %(sheet)s »."),
        "no_table": gettext("L’archive ne contient aucun tableau (CSV, XLSX, ODS, JSON)."),
        "no_member": gettext("L’archive ne contient pas « %(member)s »."),
        "erased": gettext(
            "Le fichier a été retiré : il nommait une personne dont les données viennent d’être effacées à "
            "sa demande. Redéposez-le : ses lignes seront laissées de côté."
        ),
        "json_shape": gettext("Ce JSON n’est pas une liste d’objets."),
        "several_reports": gettext(
            "Le fichier contient plusieurs rapports de formes différentes : exportez-les un par un."
        ),
        "unknown_log": gettext(
            "C’est le journal d’un serveur, dans une forme que l’outil ne lit pas : donnez la forme commune "
            "ou combinée, W3C, ou JSON."
        ),
        "visits": gettext(
            "Chaque ligne décrit une visite et ce qui distingue les visiteurs : l’outil ne prend que des "
            "totaux, par page ou par jour, qui ne désignent personne. Rien n’en a été gardé."
        ),
        "json_text": gettext("Ce JSON ne se lit pas, à partir de la ligne %(line)s."),
        "numen": gettext(
            "La colonne « %(column)s » contient des NUMEN (ligne %(line)s). L’outil n’en prend jamais : "
            "retirez cette colonne, puis redéposez le fichier. Rien n’en a été gardé."
        ),
    }[code]
    return said % dict(params)


def to_be_checked() -> str:
    """Say of a deposit that its columns were not all recognised."""
    return gettext(
        "Ses colonnes n’ont pas toutes été reconnues : le fichier attend sur la page Imports, où la "
        "correspondance se complète."
    )


def cell_fault(fault: Sequence[Any]) -> str:
    """Say what is wrong with a cell or a line: [column, code, text, params]."""
    column, code, text, params = fault
    said = reason(code, params)
    if not column:
        return said
    if text:
        return gettext("%(column)s : « %(text)s » %(reason)s", column=column, text=text, reason=said)
    return gettext("%(column)s : %(reason)s", column=column, reason=said)


def reason(code: str, params: Mapping[str, Any]) -> str:
    """Say what is wrong, after the name of the column and the text found."""
    said = {
        "missing": gettext("est à remplir."),
        "numen": gettext("contient un NUMEN, que l’outil ne prend jamais."),
        "twice": gettext("La ligne %(line)s dit autre chose de la même personne ou de la même chose."),
        "too_many_cells": gettext("La ligne a plus de cellules qu’il n’y a de titres."),
        "day": gettext("n’est pas un jour (attendu : 31/12/2026)."),
        "instant": gettext("n’est pas un jour avec son heure (attendu : 31/12/2026 14:30)."),
        "number": gettext("n’est pas un nombre."),
        "integer": gettext("n’est pas un nombre entier."),
        "yes_no": gettext("n’est ni oui ni non."),
        "choice": gettext("n’est pas dans la liste : %(allowed)s."),
        "address": gettext("n’est pas une adresse électronique."),
        "duration": gettext("n’est pas une durée (attendu : 1 h 30, ou 1,5)."),
        "too_small": gettext("est en dessous de %(minimum)s."),
        "too_large": gettext("est au-dessus de %(maximum)s."),
        "too_long": gettext("dépasse %(maximum)s caractères."),
        "pattern": gettext("n’a pas la forme attendue (%(pattern)s)."),
        "formula_error": gettext("est une formule en erreur."),
    }[code]
    values = {name: _shown(value) for name, value in params.items()}
    return said % values


def _shown(value: Any) -> Any:
    return f"{value:g}".replace(".", ",") if isinstance(value, float) else value


def note(code: str, count: int) -> str:
    """Say what else came of a file."""
    if code == "presences":
        return ngettext("%(num)d présence a été inscrite.", "%(num)d présences ont été inscrites.", count)
    if code == "gatherings":
        return ngettext(
            "%(num)d regroupement a été ajouté au plan de sa session.",
            "%(num)d regroupements ont été ajoutés au plan de leur session.",
            count,
        )
    if code == "unknown_people":
        return ngettext(
            "%(num)d ligne parle d’une personne que l’outil ne connaît pas encore dans la session : sa "
            "présence "
            "comptera quand elle y sera connue.",
            "%(num)d lignes parlent de personnes que l’outil ne connaît pas encore dans la session : leur "
            "présence comptera quand elles y seront connues.",
            count,
        )
    if code == "unknown_sessions":
        return ngettext(
            "%(num)d ligne parle d’une session que l’outil ne reconnaît pas : elle est gardée, sans effet "
            "pour "
            "l’instant.",
            "%(num)d lignes parlent de sessions que l’outil ne reconnaît pas : elles sont gardées, sans "
            "effet "
            "pour l’instant.",
            count,
        )
    if code == "dated":
        return ngettext("%(num)d session a reçu ses dates.", "%(num)d sessions ont reçu leurs dates.", count)
    if code == "tied":
        return ngettext(
            "%(num)d session est rattachée à son parcours.",
            "%(num)d sessions sont rattachées à leur parcours.",
            count,
        )
    return source_words.note(code, count)


def type_label(field: Field) -> str:
    """Name the type of a field."""
    said = {
        "text": gettext("texte"),
        "integer": gettext("nombre entier"),
        "number": gettext("nombre"),
        "percent": gettext("pourcentage"),
        "hours": gettext("durée en heures"),
        "minutes": gettext("durée en minutes"),
        "day": gettext("jour"),
        "instant": gettext("jour et heure"),
        "yes_no": gettext("oui ou non"),
        "choice": gettext("liste"),
        "address": gettext("adresse électronique"),
        "list": gettext("plusieurs valeurs"),
        "columns": gettext("une colonne par question"),
    }
    return said[field.type]
