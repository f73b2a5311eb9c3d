"""Every kind of figure from which an improvement may start. A room adds its kinds here, by a line."""

from __future__ import annotations

from collections.abc import Mapping

from lti_tool.improvements import across_kinds, comment_kinds, course_kinds, silo_kinds
from lti_tool.improvements.figures import Kind, Reading, Seen
from lti_tool.language import gettext

KINDS: Mapping[str, Kind] = {
    "module_satisfaction": Kind(
        "course",
        lambda: gettext("Satisfaction d’un module"),
        course_kinds.module_satisfaction,
        course_kinds.without_survey,
    ),
    "item": Kind(
        "course",
        lambda: gettext("Question d’un questionnaire"),
        course_kinds.item,
        course_kinds.item_without_survey,
    ),
    "module_progress": Kind(
        "course", lambda: gettext("Avancement d’un module"), course_kinds.module_progress
    ),
    "module_stuck": Kind("course", lambda: gettext("Module qui bloque"), course_kinds.module_stuck),
    "activity": Kind("course", lambda: gettext("Étape d’un module"), course_kinds.activity),
    "alert": Kind("course", lambda: gettext("Personnes à contacter"), course_kinds.alert),
    "active": Kind("course", lambda: gettext("Activité de la session"), course_kinds.active),
    "comment_theme": Kind("course", lambda: gettext("Thème de commentaires"), comment_kinds.theme),
    "adapt_module": Kind("silo", lambda: gettext("Module à adapter"), across_kinds.adapt_module),
    "quality": Kind("silo", lambda: gettext("Qualité des données"), silo_kinds.quality_line),
}


def read(reading: Reading, kind: str, reference: str) -> Seen | None:
    """Read a figure; None when there is no such kind there, or when the reference names nothing."""
    known = KINDS.get(kind)
    if known is None or (known.scope == "course") != (reading.course_id != 0):
        return None
    return known.read(reading, reference)


def read_again(reading: Reading, kind: str, reference: str) -> Seen | None:
    """Read the same figure later; None when there is nothing to read any more."""
    known = KINDS.get(kind)
    return read(reading, kind, known.later(reference)) if known else None
