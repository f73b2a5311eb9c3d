"""The ways through a path as files: who stops where, every way that is shown, every link of the flow."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers import stopping
from lti_tool import pathways_words as words
from lti_tool.exports import Column, Columns, Table
from lti_tool.language import gettext
from lti_tool.web import noting
from lti_tool.web.guard import tool
from lti_tool.web.pathways import Ground, read
from lti_tool.web.shell import reading


def stops_table() -> Table:
    """Return who stops where, a line a group and step."""
    with reading() as conn:
        ground = read(conn)
    columns: Columns = [
        gettext("Groupe"), gettext("Mesure"), gettext("Étape"), gettext("Encore là"), gettext("S’arrêtent"),
        Column(gettext("Continuent"), percent=True), Column(gettext("Borne basse"), percent=True),
        Column(gettext("Borne haute"), percent=True),
    ]  # fmt: skip
    rows = []
    for course, measure, name in (
        (stopping.by_step(ground.groups), gettext("Modules ouverts"), words.step),
        (stopping.by_week(ground.groups), gettext("Semaine depuis le début"), words.week),
    ):
        for group, curve in zip(ground.groups, course.curves if course else (), strict=False):
            for place, span in enumerate(course.spans if course else (), 1):
                tally = curve.tally
                rows.append(
                    (
                        ground.name(group) or gettext("Tout le monde"), measure, name(span),
                        round(float(tally.at_risk[place])), round(float(tally.ended[place])),
                        float(curve.share[place]), float(curve.low[place]), float(curve.high[place]),
                    )
                )  # fmt: skip
    k, days = tool().rules.disclosure.across, tool().rules.adapt.stopped_days
    return Table(
        "arrets", gettext("Où l’on s’arrête"), columns, rows, _notes(ground, words.reading_stops(days, k))
    )


def ways_table() -> Table:
    """Return every way that is shown, a line each."""
    with reading() as conn:
        ground = read(conn)
    columns: Columns = [
        gettext("Modules, dans l’ordre"),
        gettext("Personnes"),
        Column(gettext("Part"), percent=True),
    ]
    rows = [
        (" → ".join(ground.frame.modules[step] for step in steps), n, n / people.n)
        for people in ([ground.people] if ground.people else [])
        for steps, n in people.variants
    ]
    k = tool().rules.disclosure.across
    return Table("chemins", gettext("Chemins suivis"), columns, rows, _notes(ground, words.reading_ways(k)))


def links_table() -> Table:
    """Return the flow from module to module, a line a link."""
    with reading() as conn:
        ground = read(conn)
    names = {**dict(enumerate(ground.frame.modules)), **words.ends()}
    columns: Columns = [gettext("Pas"), gettext("De"), gettext("Vers"), gettext("Personnes")]
    links = ground.people.flow(len(ground.frame.modules)) if ground.people else {}
    rows = [(step + 1, names[module], names[then], n) for (step, module, then), n in sorted(links.items())]
    k = tool().rules.disclosure.across
    return Table(
        "suites", gettext("De module en module"), columns, rows, _notes(ground, words.reading_ways(k))
    )


def _notes(ground: Ground, said: Sequence[str]) -> noting.Notes:
    n = None if ground.people is None else (gettext("Personnes"), ground.people.n)
    about = [(gettext("Parcours"), ground.title), *((gettext("Comment lire"), one) for one in said)]
    return noting.community(about, n=n)
