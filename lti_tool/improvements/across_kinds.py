"""Figures of the pages across courses from which an improvement may start."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from lti_tool import adapt_words, adapting
from lti_tool.formatting import number
from lti_tool.improvements.figures import Reading, Seen
from lti_tool.language import gettext
from tool_config import silos


def adapt_module(reading: Reading, reference: str) -> Seen | None:
    """Read where a module stands among those to adapt, under the institution's own weights.

    `reference`: the path's number, then the module's name as the ranking keeps it.
    """
    ground = adapting.read(reading.conn, reading.silo_id, now=reading.now, rules=reading.rules)
    if ground.find(reference) is None:
        return None
    ranking = adapting.ranking(ground, reading.rules.adapt.weights)
    line = next(one for one in ranking.lines if one.module.reference == reference)
    today = reading.now.astimezone(ZoneInfo(silos.get(reading.conn, reading.silo_id).time_zone)).date()
    subject = gettext("%(module)s (%(path)s)", module=line.module.counts.title, path=line.module.counts.path)
    definition = gettext("Page « À adapter » : la moyenne de ce qui est connu, de 0 à 100, selon son poids.")
    measure = gettext("Indice « à adapter »")
    if line.rank is None or line.index is None:
        few = gettext("Trop peu d’indices sont connus pour ranger ce module")
        return Seen(subject, measure, few, definition, today, unit="score")
    words = gettext(
        "%(index)s sur 100, rang %(rank)s sur %(count)s : %(why)s",
        index=number(100 * line.index),
        rank=adapt_words.place(line),
        count=number(len(ranking.ranked)),
        why=adapt_words.reasons(line),
    )
    return Seen(subject, measure, words, definition, today, value=round(100 * line.index), unit="score")
