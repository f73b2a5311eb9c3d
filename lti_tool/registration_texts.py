"""What the tool says of itself to a platform that registers it, by language, French first.

Not in the catalogues: a platform keeps these texts in every language at once, whatever the language of the
page in which its administrator registers the tool.
"""

from __future__ import annotations

from collections.abc import Mapping

NAME = "Estime"

DESCRIPTION: Mapping[str, str] = {
    "fr": "Où en est la session, qui a besoin d’un mot, comment chaque module est reçu.",
    "en": "Where the session stands, who needs a word, how each module is received.",
}

PLACE_LABEL: Mapping[str, str] = {
    "fr": "Ajouter un tableau de bord ou un questionnaire Estime",
    "en": "Add an Estime dashboard or questionnaire",
}
