"""The page of presence and distance: hours by kind of activity, outcomes by modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from sqlalchemy import Connection

import lti_tool.community as community_frame
from analyzers import modality
from analyzers.community import Community, Scope
from analyzers.figures import across
from analyzers.modality import Following, Modality, Outcome
from analyzers.results import Chart, Share
from lti_tool import access, modality_words
from lti_tool.community import following as kept_following
from lti_tool.dimension_words import Traits
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.language import gettext
from lti_tool.web import noting, scoped
from lti_tool.web import sizing as sizes
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.shell import Shell, reading
from xapi import datasets


@dataclass(frozen=True, eq=False)
class Ground:
    """What the page rests on."""

    community: Community
    following: Following
    found: Modality
    scope: Scope
    traits: Traits
    shell: Shell

    @property
    def said(self) -> str:
        return scoped.said(self.community, self.scope, self.traits)


def modality_page(launch: str) -> str:
    """Show hours by kind of activity, then completion, opinions and marks by modality."""
    with reading() as conn:
        ground = read(conn)
    found = ground.found
    known = sum(found.sessions) + found.unknown > 0
    return render_template(
        "across/modality.html",
        page_title=gettext("Présence et distance"),
        shell=ground.shell,
        bar=sizes.bar(ground.community, ground.scope, ground.traits, url_for("pages.modality")),
        lead=modality_words.lead(found, ground.said),
        known=known,
        any_session=bool(len(ground.community.names)),
        caution=modality_words.caution(),
        hours=_hours_chart(found),
        hours_title=modality_words.hours_title(found),
        aside=modality_words.aside(found),
        outcomes=[_outcome(one) for one in found.outcomes if _is_said(one)],
        sizes=[
            {"name": name, "sessions": number(sessions), "enrolled": number(enrolled)}
            for name, sessions, enrolled in zip(
                modality_words.modalities(), found.sessions, found.enrolled, strict=True
            )
            if sessions
        ],
        unsaid=modality_words.unsaid(found, ground.following.unsaid),
        reading=modality_words.reading(tool().rules.disclosure.across),
        imports_url=url_for("pages.imports") if not viewer().is_profile else "",
    )


def read(conn: Connection) -> Ground:
    """Read the frames and the scope of the address; what may not be seen is refused."""
    silo_id, now = viewer().silo_id, tool().clock()
    found = community_frame.load(conn, silo_id, now=now)
    scope = scoped.scope(found)
    access.require_across(viewer(), None if scope.path is None else found.paths[scope.path].path_id)
    following = kept_following.load(conn, silo_id, now=now)
    k = tool().rules.disclosure.across
    made = community_frame.result(
        ("modality", found.version, id(following), k, scope),
        lambda: (following, modality.study(found, following, k=k, year=scope.year, path=scope.path)),
    )[1]
    traits = Traits(datasets.known(conn, silo_id)["people"])
    return Ground(found, following, made, scope, traits, sizes.shell(conn, "modality", found))


def _is_said(found: Outcome) -> bool:
    return any(one is not None and one.n for one in (*found.shares, *found.means))


def _hours_chart(found: Modality) -> Chart | None:
    if not any(one.followed or one.planned for one in found.hours):
        return None
    names = modality_words.kinds()
    words = gettext("Heures suivies"), gettext("Heures prévues")
    return across.by_kind(
        [names[one.kind] for one in found.hours],
        [one.followed for one in found.hours],
        [one.planned or None for one in found.hours],
        words=words,
        columns=(gettext("Activité"), *words),
        said=modality_words.hours_title(found),
        labels=chart_labels(),
    )


def _outcome(found: Outcome) -> dict[str, Any]:
    title = modality_words.outcome_title(found)
    return {
        "name": found.name,
        "title": title,
        "said": [modality_words.difference(found.name, pair) for pair in found.comparisons],
        "effects": [
            f"{_pair(pair.first, pair.second)} – {modality_words.effect(found.name, pair.effect)}"
            for pair in found.comparisons
        ],
        "chart": _shares_chart(found, title) if found.shares else None,
        "means": _means(found),
    }


def _pair(first: int, second: int) -> str:
    names = modality_words.modalities()
    return gettext("%(first)s / %(second)s", first=names[first], second=names[second])


def _shares_chart(found: Outcome, title: str) -> Chart:
    names = modality_words.modalities()
    shown = [(name, one) for name, one in zip(names, found.shares, strict=True) if one is not None]
    what = gettext("Achèvement") if found.name == "completion" else gettext("Avis favorables")
    counted = gettext("Inscrits (n)") if found.name == "completion" else gettext("Réponses (n)")
    return across.shares(
        [name for name, _ in shown],
        [one for _, one in shown],
        line=False,
        columns=(gettext("Modalité"), what, gettext("Au moins"), gettext("Au plus"), counted),
        hidden=gettext("non montré"),
        said=title,
        labels=chart_labels(),
        percent=percent,
    )


def _means(found: Outcome) -> list[dict[str, str]]:
    names = modality_words.modalities()
    return [
        {"name": name, "mean": percent(one.mean), "n": number(one.n)}
        for name, one in zip(names, found.means, strict=False)
        if one is not None
    ]


def modality_table() -> Table:
    """Return every outcome by modality, then every comparison: plain, and within paths."""
    with reading() as conn:
        ground = read(conn)
    columns: Columns = [
        gettext("Résultat"), gettext("Modalité ou comparaison"), gettext("n"),
        Column(gettext("Valeur"), percent=True), Column(gettext("Au moins"), percent=True),
        Column(gettext("Au plus"), percent=True), Column(gettext("À parcours égal"), percent=True),
        Column(gettext("Au moins, à parcours égal"), percent=True),
        Column(gettext("Au plus, à parcours égal"), percent=True), gettext("Parcours qui ont les deux"),
        gettext("Parcours"), gettext("Taille d’effet"),
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = []
    labels = {
        "completion": gettext("Achèvement"),
        "satisfaction": gettext("Avis favorables"),
        "marks": gettext("Résultats"),
    }
    for outcome in ground.found.outcomes:
        rows += _rows(outcome, labels[outcome.name])
    words = [(gettext("Vue"), ground.said)]
    words += [
        (gettext("Comment lire"), one) for one in modality_words.reading(tool().rules.disclosure.across)
    ]
    n = gettext("Inscriptions"), sum(ground.found.enrolled)
    return Table(
        "presence-distance", gettext("Présence et distance"), columns, rows, noting.community(words, n=n)
    )


def _rows(outcome: Outcome, label: str) -> list[Sequence[Cell]]:
    names = modality_words.modalities()
    rows: list[Sequence[Cell]] = []
    for place, name in enumerate(names):
        one: Share | None = outcome.shares[place] if outcome.shares else None
        mark = outcome.means[place] if outcome.means else None
        if one is not None and one.n:
            rows.append((label, name, one.n, one.value, one.low, one.high, *(None,) * 6))
        elif mark is not None:
            rows.append((label, name, mark.n, mark.mean, *(None,) * 8))
    for pair in outcome.comparisons:
        inside = pair.pooled
        within: tuple[Cell, ...] = (None,) * 3 if inside is None else (inside.value, inside.low, inside.high)
        rows.append(
            (label, _pair(pair.first, pair.second), None, pair.value, pair.low, pair.high, *within, pair.both,
             pair.paths, pair.effect)
        )  # fmt: skip
    return rows


def hours_table() -> Table:
    """Return the hours followed and planned of each kind of activity."""
    with reading() as conn:
        ground = read(conn)
    names = modality_words.kinds()
    rows = [(names[one.kind], one.followed, one.planned) for one in ground.found.hours]
    columns = [gettext("Activité"), gettext("Heures suivies"), gettext("Heures prévues")]
    words = [(gettext("Vue"), ground.said), *(
        (gettext("Comment lire"), one) for one in modality_words.reading(tool().rules.disclosure.across)[:1]
    )]  # fmt: skip
    title = gettext("Heures par nature d’activité")
    return Table("heures-par-nature", title, columns, rows, noting.community(words))
