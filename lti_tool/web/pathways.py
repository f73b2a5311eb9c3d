"""The page of the ways through a path: where people stop, in which order they go, by which ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

import lti_tool.community as community_frame
from analyzers import pathways, stopping, told_types
from analyzers import results as shown
from analyzers.community import Community, Scope
from analyzers.figures import pathways as figures
from analyzers.journeys import Journeys
from analyzers.pathways import People, Picture
from analyzers.results import Chart
from analyzers.stopping import Course
from analyzers.told_types import Kept, Type
from lti_tool import access, journeys, typologies
from lti_tool import pathways_words as words
from lti_tool.dimension_words import Traits
from lti_tool.formatting import long_day, number, percent
from lti_tool.language import gettext
from lti_tool.web import scoped
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.scoped import Group, Option
from lti_tool.web.shell import Shell, admin_shell, reading
from tool_config.database import transaction
from xapi import datasets

#: What the address asks to show: everybody, one year, or groups side by side. Never two at once: the guard
#: protects each of these views with what is told of everybody, and no other is offered.
_YEAR, _BY = "year:", "by:"
#: Ways shown on the page; the others are in the table that one takes away.
_WAYS = 12


@dataclass(frozen=True, eq=False)
class Ground:
    """What the page rests on. `picture` None: too few people; `people`: those of the year asked, or all."""

    community: Community
    scope: Scope
    path_id: int
    frame: Journeys
    picture: Picture | None
    people: People | None
    #: What is asked for: "", "year:2025", "by:corps".
    asked: str
    types: tuple[Type, ...]
    kept: Kept | None
    traits: Traits
    shell: Shell

    @property
    def title(self) -> str:
        return "" if self.scope.path is None else self.community.paths[self.scope.path].title

    @property
    def by(self) -> str:
        return self.asked.removeprefix(_BY) if self.asked.startswith(_BY) else ""

    @property
    def groups(self) -> tuple[People, ...]:
        """Return the groups to be compared; everybody alone when nothing is compared."""
        if self.by and self.picture is not None and self.picture.groups:
            return self.picture.groups
        return () if self.people is None else (self.people,)

    def name(self, group: People) -> str:
        """Return what a group is called; "" for everybody."""
        if not self.by or self.picture is None or not self.picture.groups:
            return ""
        if group.name == "":
            return gettext("non renseigné")
        if self.by == pathways.YEAR and group.name.isdigit():
            return scoped.school_year(int(group.name))
        return self.traits.value(self.by, group.name)


def pathways_page(launch: str) -> str:
    """Show the ways through one path."""
    with reading() as conn:
        ground = read(conn)
        late = _is_late(conn, ground)
    if late:
        with transaction(tool().engine, viewer().silo_id) as conn:
            typologies.ask(conn, viewer().silo_id, ground.path_id, now=tool().clock())
    course = stopping.by_step(ground.groups)
    return render_template(
        "across/pathways.html",
        page_title=gettext("Cheminements"),
        shell=ground.shell,
        any_path=ground.scope.path is not None,
        bar=_bar(ground),
        show=_show(ground),
        lead=words.lead(ground.title, ground.picture, ground.people, course, ground.frame.sessions)
        if ground.scope.path is not None
        else gettext("Aucun parcours n’a encore de session."),
        known=ground.people is not None,
        apart=_apart(ground),
        **(_context(ground, course) if ground.people is not None else {}),
        paths_url=url_for("pages.path_list") if not viewer().is_profile else "",
    )


def read(conn: Connection) -> Ground:
    """Read the path that the address asks for (else the one with most people); else access.NotFound."""
    silo_id, now, rules = viewer().silo_id, tool().clock(), tool().rules
    found = community_frame.load(conn, silo_id, now=now)
    scope = scoped.scope(found)
    asked = request.args.get("show", "")
    if scope.year is not None:  # a link from a page that keeps the year
        asked = asked or f"{_YEAR}{scope.year}"
    scope = Scope(path=_path(found, scope.path))
    path_id = 0 if scope.path is None else found.paths[scope.path].path_id
    access.require_across(viewer(), path_id or None)
    frame = journeys.load(conn, silo_id, path_id, now=now)
    by = _dimension(frame, asked)
    k, days = rules.disclosure.across, rules.adapt.stopped_days
    picture = community_frame.result(
        ("pathways", frame.version, k, days, by),
        lambda: pathways.picture(frame, k=k, stopped_days=days, by=by),
    )
    people = None if picture is None else picture.people
    if picture is not None and asked.startswith(_YEAR):
        people = picture.group(asked.removeprefix(_YEAR))
    kept = typologies.read(conn, silo_id, path_id)
    types: tuple[Type, ...] = ()
    if kept is not None and picture is not None:
        whole, made = picture, kept
        types = community_frame.result(
            ("types", frame.version, made.version, k, days),
            lambda: told_types.tell(made, frame, whole, k=k, stopped_days=days),
        )
    traits = Traits(datasets.known(conn, silo_id)["people"])
    shell = replace(
        admin_shell(conn, "pathways"), threshold=k, fresh_at=frame.made_at.astimezone(g.zone), dated=True
    )
    return Ground(found, scope, path_id, frame, picture, people, asked, types, kept, traits, shell)


def _path(found: Community, chosen: int | None) -> int | None:
    """Return the place of the path asked for, else of the one with most enrolments that may be seen."""
    if chosen is not None:
        if found.paths[chosen].path_id <= 0:
            raise access.NotFound  # files alone name it: nobody's way is known
        return chosen
    allowed = viewer().paths
    places = found.paths_of_enrolments()
    size = {
        place: int((places == place).sum())
        for place, one in enumerate(found.paths)
        if one.path_id > 0 and (allowed is None or one.path_id in allowed)
    }
    return max(size, key=lambda place: (size[place], -place)) if size else None


def _dimension(frame: Journeys, asked: str) -> str:
    """Return the breakdown that a view needs; access.NotFound for a view that is not offered."""
    if not asked:
        return ""
    if asked.startswith(_YEAR) and asked.removeprefix(_YEAR) in frame.codes(pathways.YEAR)[0]:
        return pathways.YEAR
    by = asked.removeprefix(_BY)
    if asked.startswith(_BY) and (by == pathways.YEAR or by in frame.traits):
        return by
    raise access.NotFound


def _bar(ground: Ground) -> scoped.Bar:
    made = scoped.bar(ground.community, ground.scope, ground.traits, url_for("pages.pathways"), years=False)
    allowed = viewer().paths
    known = {str(one.path_id) for one in ground.community.paths if one.path_id > 0}
    return replace(
        made,
        paths=[
            one
            for one in made.paths
            if one.value in known and (allowed is None or one.value in {str(path) for path in allowed})
        ],
    )


def _show(ground: Ground) -> list[Group]:
    """Return what may be shown: one year, or groups side by side."""
    years = [year for year in ground.frame.codes(pathways.YEAR)[0] if year]

    def option(value: str, label: str) -> Option:
        return Option(value, label, value == ground.asked)

    compared = [option(f"{_BY}{pathways.YEAR}", gettext("les années scolaires"))] if len(years) > 1 else []
    compared += [
        option(f"{_BY}{name}", gettext("selon : %(trait)s", trait=ground.traits.label(name)))
        for name in ground.frame.traits
    ]
    return [
        Group(gettext("Comparer"), compared),
        Group(
            gettext("Une année"),
            [option(f"{_YEAR}{year}", scoped.school_year(int(year))) for year in reversed(years)],
        ),
    ]


def _apart(ground: Ground) -> str:
    """Say what was asked for and cannot be told apart."""
    if ground.picture is None or not ground.asked:
        return ""
    if ground.people is None:
        return gettext("Cette année compte trop peu de personnes, ou d’arrêts, pour être montrée à part.")
    if ground.by and not ground.picture.groups:
        return gettext("Les groupes sont trop petits pour être comparés : tout le monde est montré ensemble.")
    return ""


def _is_late(conn: Connection, ground: Ground) -> bool:
    """Say whether the types are to be asked for: never made, or not since yesterday."""
    if ground.picture is None or (ground.kept and ground.kept.made_on >= ground.frame.today):
        return False
    job = typologies.under_way(conn, viewer().silo_id, ground.path_id)
    return job is None or (
        job.is_over and (ground.kept is None or job.created_at.date() < tool().clock().date())
    )


# --- cards --------------------------------------------------------------------------------------------


def _context(ground: Ground, course: Course | None) -> dict[str, Any]:
    people, picture = ground.people, ground.picture
    assert people is not None  # the caller looked
    assert picture is not None
    k, days = tool().rules.disclosure.across, tool().rules.adapt.stopped_days
    modules = ground.frame.modules
    names = [ground.name(group) for group in ground.groups]
    weeks = stopping.by_week(ground.groups)
    everybody = not ground.asked
    return {
        "stops_title": words.stops_title(course),
        "stops": words.stops(course, names, people, modules) if course else [],
        "steps": _curves(ground, course, names, gettext("Modules ouverts"), words.step),
        "weeks": _curves(ground, weeks, names, gettext("Semaine depuis le début"), words.week),
        "keys": _keys(names),
        "reading_stops": words.reading_stops(days, k),
        "order_title": words.order_title(people, picture.placed),
        "order": words.order(people, picture.agreement, picture.placed, modules)
        if everybody
        else words.order(people, None, (), modules),
        "order_groups": _order_groups(ground),
        "placed": _placed(ground) if everybody else [],
        "reading_order": words.reading_order(k),
        "ways_title": words.ways_title(people, modules),
        "variety": words.variety(people),
        "flow": _flow(people, modules),
        "ways": [
            (words.way(steps, modules), number(n), percent(n / people.n))
            for steps, n in people.variants[:_WAYS]
        ],
        "more_ways": max(0, len(people.variants) - _WAYS),
        "follows": _follows(people, modules),
        "modules": modules,
        "reading_ways": words.reading_ways(k),
        "of_year": ground.asked.startswith(_YEAR),
        **_types(ground, k),
    }  # fmt: skip


def _types(ground: Ground, k: int) -> dict[str, Any]:
    kept, modules = ground.kept, ground.frame.modules
    return {
        "types_title": words.types_title(ground.types),
        "types": [words.type_of(one, modules) for one in ground.types],
        "types_said": words.silhouette(kept) if kept and kept.types and ground.types else "",
        "types_waiting": kept is None,
        "types_on": long_day(kept.made_on) if kept else "",
        "reading_types": words.reading_types(k),
    }


def _keys(names: Sequence[str]) -> list[tuple[str, str]]:
    marks = ("circle", "diamond", "square")
    return list(zip(marks, names, strict=False)) if len(names) > 1 else []


def _curves(
    ground: Ground, course: Course | None, names: Sequence[str], axis: str, name: Any
) -> Chart | None:
    if course is None:
        return None
    places = [gettext("début"), *(name(span) for span in course.spans)]

    def said(rank: int, place: int) -> str:
        return words.point(names[rank], course, rank, place, f"{axis}, {places[place]}")

    table = shown.Table(
        (
            *([gettext("Groupe")] if len(names) > 1 else []), axis, gettext("Encore là"),
            gettext("S’arrêtent"), gettext("Continuent"), gettext("Entre"), gettext("Et"),
        ),
        tuple(
            (*([names[rank]] if len(names) > 1 else []), places[place], *_point(curve, place))
            for rank, curve in enumerate(course.curves)
            for place in range(1, len(places))
        ),
    )  # fmt: skip
    description = " ".join(words.stops(course, names, ground.groups[0], ground.frame.modules))
    return figures.going_on(
        names, course.curves, places, said=said, axis=axis, table=table, description=description,
        labels=chart_labels(),
    )  # fmt: skip


def _point(curve: Any, place: int) -> tuple[str, ...]:
    return (
        number(round(float(curve.tally.at_risk[place]))),
        number(round(float(curve.tally.ended[place]))),
        percent(float(curve.share[place])),
        percent(float(curve.low[place])),
        percent(float(curve.high[place])),
    )


def _order_groups(ground: Ground) -> list[tuple[str, str, str, str]]:
    """Return, of each group compared, how many follow the design."""
    if len(ground.groups) < 2:
        return []
    made = []
    for group in ground.groups:
        share = group.straight
        if share.value is None:
            made.append((ground.name(group), number(group.n), "–", ""))
            continue
        between = gettext("de %(low)s à %(high)s", low=percent(share.low), high=percent(share.high))
        said = gettext("%(share)s (sur %(n)s)", share=percent(share.value), n=number(share.n or 0))
        made.append((ground.name(group), number(group.n), said, between))
    return made


def _placed(ground: Ground) -> list[dict[str, str]]:
    """Return the modules against their design, with who came back to them."""
    assert ground.picture is not None
    return [
        {
            "rank": str(one.module + 1),
            "title": ground.frame.modules[one.module],
            "n": number(one.n),
            "place": words.place(one),
            "between": gettext("de %(low)s à %(high)s", low=number(one.low, 2), high=number(one.high, 2)),
            "returned": words.returned(ground.picture.returns[one.module])
            if one.module in ground.picture.returns
            else "–",
        }
        for one in ground.picture.placed
    ]


def _flow(people: People, modules: Sequence[str]) -> Chart | None:
    links = people.flow()
    if not links:
        return None

    def link(step: int, module: str, then: str, n: int) -> str:
        return gettext("%(module)s → %(then)s : %(n)s personnes", module=module, then=then, n=number(n))

    flow_words = figures.FlowWords(
        step=lambda step: gettext("Pas %(rank)s", rank=step + 1),
        link=link,
        columns=(gettext("Pas"), gettext("De"), gettext("Vers"), gettext("Personnes")),
        said=words.ways_title(people, modules),
    )
    titles = [f"{rank}. {name}" for rank, name in enumerate(modules, 1)]
    marks = {**{place: str(place + 1) for place in range(len(modules))}, **words.ends()}
    return figures.flow(links, titles, words.ends(), marks, words=flow_words, labels=chart_labels())


def _follows(people: People, modules: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return what follows each module: the module, then each next one with its share."""
    made = []
    for module, name in enumerate(modules):
        after = {then: n for (first, then), n in people.follows.items() if first == module}
        total = sum(after.values())
        if total:
            said = [
                gettext(
                    "%(module)s : %(share)s (%(n)s)", module=f"{then + 1}. {modules[then]}",
                    share=percent(n / total), n=number(n),
                )
                for then, n in sorted(after.items(), key=lambda one: (-one[1], one[0]))
            ]  # fmt: skip
            made.append((f"{module + 1}. {name}", said))
    return made
