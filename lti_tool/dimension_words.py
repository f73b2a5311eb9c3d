"""How dimensions and their categories are called on pages."""

from __future__ import annotations

from collections.abc import Mapping

from analyzers import disclosure
from analyzers.community import SENIORITY
from lti_tool.language import gettext, language
from tool_config import references
from tool_config.standards import Field, Standard


def label(field: Field) -> str:
    """Name a dimension in the language of the page."""
    return field.label.in_language(language())


def value_label(field: Field, value: str) -> str:
    """Write a category: the label of its list or reference, else as the file has it."""
    if value == disclosure.OTHER:
        return gettext("Autres")
    for allowed in field.values:
        if allowed.id == value:
            return allowed.label.in_language(language())
    if field.reference:
        entry = references.load()[field.reference].entries.get(value)
        if entry is not None:
            return entry.label
    if field.type == "yes_no":
        return gettext("oui") if value == "true" else gettext("non")
    return value


class Traits:
    """What to call the traits of people (`Community.traits`), from the standard of a silo."""

    def __init__(self, people: Standard) -> None:
        self._fields = {field.id: field for field in people.fields}

    def label(self, trait: str) -> str:
        """Name a trait."""
        if trait == "zone":
            return gettext("Zone de vacances")
        return label(self._fields[trait]) if trait in self._fields else trait

    def value(self, trait: str, value: str) -> str:
        """Name a category of a trait."""
        if value == disclosure.OTHER:
            return gettext("Autres")
        if trait == "zone":
            entry = references.load()["zones"].entries.get(value)
            return entry.label if entry else value
        if trait == "seniority":
            return _bands().get(value, value)
        return value_label(self._fields[trait], value) if trait in self._fields else value


def _bands() -> Mapping[str, str]:
    names = [name for _, name in SENIORITY]
    said = [
        gettext("moins de 3 ans"),
        gettext("3 à 5 ans"),
        gettext("6 à 10 ans"),
        gettext("11 ans et plus"),
    ]
    return dict(zip(names, said, strict=True))
