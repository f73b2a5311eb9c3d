"""Words of the charts, in the language of the page."""

from __future__ import annotations

from analyzers.figures import Labels
from lti_tool.formatting import long_day, week_label
from lti_tool.language import gettext, language


def chart_labels() -> Labels:
    """Return the words that figures are written with."""
    return Labels(
        week=gettext("Semaine"),
        active=gettext("Participants actifs"),
        reference=gettext("Moyenne des sessions précédentes"),
        activity=gettext("Activité"),
        reached=gettext("L’ont ouverte"),
        completed=gettext("L’ont terminée"),
        mine=gettext("Mes modules terminés"),
        band=gettext("Moitié du milieu du groupe"),
        low=gettext("Premier quart du groupe"),
        middle=gettext("Médiane du groupe"),
        high=gettext("Troisième quart du groupe"),
        day=gettext("Semaine du"),
        minutes=gettext("Minutes"),
        done=gettext("Terminé"),
        day_name=long_day,
        short_day=week_label,
        week_name=lambda rank: gettext("S%(rank)s", rank=rank),
        separators=",\u202f" if language() == "fr" else ".,",
    )
