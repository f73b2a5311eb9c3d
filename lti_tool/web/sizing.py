"""The page of sessions and their places: fill, no-shows, days given, costs, the next session of each path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

import lti_tool.community as community_frame
from analyzers import outlook, sizing
from analyzers.community import Community, Scope
from analyzers.figures import across
from analyzers.figures.across import Series
from analyzers.outlook import Outlook, Verdict
from analyzers.results import Chart
from analyzers.sizing import Filled, Flags, Line, Sizing
from lti_tool import access, sizing_words
from lti_tool.dimension_words import Traits
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import NARROW, number, percent, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting, scoped
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.listing import address
from lti_tool.web.shell import Shell, admin_shell, reading
from xapi import datasets

#: Paths, and sessions of one, that a page shows.
_PATHS, _SESSIONS = 25, 50


@dataclass(frozen=True, eq=False)
class Ground:
    """What the page rests on: the ended sessions, what to expect of each path, what the address asks."""

    community: Community
    sizing: Sizing
    looks: Mapping[int, Outlook]
    scope: Scope
    kept: Flags
    traits: Traits
    shell: Shell

    @property
    def whole(self) -> Filled | None:
        return self.sizing.filled(self.kept)

    @property
    def said(self) -> str:
        return scoped.said(self.community, self.scope, self.traits)


def sizing_page(launch: str) -> str:
    """Show how sessions fill, what they give, and whether they are too large."""
    with reading() as conn:
        ground = read(conn)
    rules, k = tool().rules.sessions, tool().rules.disclosure.across
    looks = _looks(ground)
    years = [(scoped.school_year(year), one) for year, one in reversed(_years(ground))]
    page = _number(request.args.get("page", ""))
    chosen = ground.scope.path
    return render_template(
        "across/sizing.html",
        page_title=gettext("Effectifs et places"),
        shell=ground.shell,
        bar=bar(ground.community, ground.scope, ground.traits, url_for("pages.sizing")),
        lead=sizing_words.lead(ground.whole, _misfits(ground, looks), ground.said, k),
        known=ground.whole is not None,
        any_session=bool(len(ground.community.names)),
        left_out=sizing_words.left_out(ground.sizing.left_out, k),
        days=_days_chart(years),
        days_title=sizing_words.days_title(years),
        paths=[_path(ground, place) for place in _page_of(list(looks), page)] if chosen is None else [],
        pages=_pages(len(looks), page) if chosen is None else [],
        look=_look(ground, looks[chosen]) if chosen in looks else None,
        sessions=[_session(ground, line) for line in _lines(ground)[:_SESSIONS]],
        more=max(0, len(_lines(ground)) - _SESSIONS),
        coming=_coming(ground, looks),
        reading=sizing_words.reading(rules, k),
        rule=sizing_words.rule(rules),
        imports_url=url_for("pages.imports") if not viewer().is_profile else "",
    )


def read(conn: Connection) -> Ground:
    """Read the frame and the scope of the address; what may not be seen is refused."""
    silo_id, rules = viewer().silo_id, tool().rules
    found = community_frame.load(conn, silo_id, now=tool().clock())
    scope = scoped.scope(found)
    access.require_across(viewer(), None if scope.path is None else found.paths[scope.path].path_id)
    k = rules.disclosure.across
    sized = community_frame.result(
        ("sizing", found.version, k, rules.sessions), lambda: sizing.size(found, rules.sessions, k=k)
    )
    looks = community_frame.result(
        ("outlook", found.version, k, rules.sessions), lambda: outlook.look(sized, rules.sessions)
    )
    kept = sized.within(year=scope.year, path=scope.path)
    traits = Traits(datasets.known(conn, silo_id)["people"])
    return Ground(found, sized, looks, scope, kept, traits, shell(conn, "sizing", found))


def shell(conn: Connection, page: str, found: Community) -> Shell:
    """Return the header and footer of a page drawn from the frame of the community."""
    made = admin_shell(conn, page)
    fresh = found.made_at.astimezone(g.zone)
    return replace(made, threshold=tool().rules.disclosure.across, fresh_at=fresh, dated=True)


def bar(found: Community, scope: Scope, traits: Traits, here: str) -> scoped.Bar:
    """Return the filters of a page, with the paths that the viewer may see."""
    made = scoped.bar(found, scope, traits, here)
    allowed = viewer().paths
    if allowed is None:
        return made
    return replace(made, paths=[one for one in made.paths if one.value in {str(path) for path in allowed}])


# --- charts and lines ---------------------------------------------------------------------------------


def _looks(ground: Ground) -> dict[int, Outlook]:
    """Return what is said of the paths in scope, those that do not fit first, then the largest."""
    places = set(ground.sizing.lots.keys[ground.kept, sizing.PATH].tolist())
    order = ("too_large", "too_small", "right", "unknown")

    def rank(look: Outlook) -> tuple[int, int, str]:
        size = sum(line.filled.enrolled for line in look.sessions)
        return order.index(look.verdict), -size, ground.community.paths[look.path].title

    return {look.path: look for look in sorted(ground.looks.values(), key=rank) if look.path in places}


def _misfits(ground: Ground, looks: Mapping[int, Outlook]) -> dict[Verdict, list[str]]:
    """Return the titles of the paths by verdict; none where the page is of one path, and says so below."""
    found: dict[Verdict, list[str]] = {}
    for place, look in looks.items() if ground.scope.path is None else ():
        found.setdefault(look.verdict, []).append(ground.community.paths[place].title)
    return found


def _years(ground: Ground) -> Sequence[tuple[int, Filled]]:
    return sizing.years_of(ground.sizing, ground.kept)


def _days_chart(years: Sequence[tuple[str, Filled]]) -> Chart | None:
    if not any(one.planned_in_person or one.planned_distance for _, one in years):
        return None
    given = gettext("En présence"), gettext("À distance")
    planned = gettext("Prévu en présence"), gettext("Prévu à distance")
    return across.given_and_planned(
        [name for name, _ in years],
        [
            Series(given[0], [round(one.given_in_person) for _, one in years]),
            Series(given[1], [round(one.given_distance) for _, one in years]),
        ],
        [
            Series(planned[0], [round(one.planned_in_person) or None for _, one in years]),
            Series(planned[1], [round(one.planned_distance) or None for _, one in years]),
        ],
        columns=(gettext("Année scolaire"), given[0], planned[0], given[1], planned[1]),
        said=sizing_words.days_title(years),
        labels=chart_labels(),
    )


def _path(ground: Ground, place: int) -> dict[str, Any]:
    """Return a line of the table of paths: figures of the scope, verdict of all its sessions."""
    look = ground.looks[place]
    filled = ground.sizing.filled(ground.kept & ground.sizing.within(path=place))
    assert filled is not None  # the path is in scope
    path = ground.community.paths[place]
    kept = {
        **scoped.arguments(ground.community, ground.scope),
        "path": scoped.path_key(ground.community, place),
    }
    return {
        "title": path.title,
        "url": address(url_for("pages.sizing"), kept),
        "verdict": sizing_words.verdicts()[look.verdict],
        "misfit": look.verdict in ("too_large", "too_small"),
        "suggested": "" if look.suggested is None else number(look.suggested),
        **_figures(filled),
    }


def _figures(filled: Filled) -> dict[str, Any]:
    return {
        "sessions": number(filled.sessions),
        "filled": _of_places(filled),
        "absent": sizing_words.share(filled.absent(tool().rules.disclosure.across)) if filled.known else "–",
        "in_person": _against(filled.given_in_person, filled.planned_in_person),
        "distance": _against(filled.given_distance, filled.planned_distance),
        "cost_day": _money(filled.cost_a_day),
        "cost_person": _money(filled.cost_a_person),
    }


def _of_places(filled: Filled) -> str:
    """Write the enrolled with the places, and how full they are, where these are known of all of them."""
    if filled.fill is None or filled.seated != filled.enrolled:
        return number(filled.enrolled)
    return f"{number(filled.enrolled)} / {number(filled.capacity)} ({percent(filled.fill)})"


def _against(given: float, planned: float) -> str:
    """Write days given with their share of the plan."""
    return f"{number(given)} ({percent(given / planned)})" if planned else "–"


def _money(value: float | None) -> str:
    return "–" if value is None else f"{number(value)}{NARROW}€"


def _look(ground: Ground, look: Outlook) -> dict[str, Any]:
    """Return what is said of one path."""
    rules, k = tool().rules.sessions, tool().rules.disclosure.across
    present = ground.community.today.year - (ground.community.today.month < 8)
    said = sizing_words.verdict(look, rules)
    return {
        "title": gettext("Une session est-elle trop grande ?"),
        "verdict": said,
        "next": sizing_words.next_session(look, k),
        "year": sizing_words.next_year(look, scoped.school_year(present + 1)),
        "chart": _sessions_chart(ground, look, said),
        "chart_title": _chart_title(look),
    }


def _chart_title(look: Outlook) -> str:
    if look.next_session is None:
        return gettext("Inscrits et places de chaque session")
    return gettext(
        "La prochaine session attend %(value)s inscrits, entre %(low)s et %(high)s",
        value=number(look.next_session.value), low=number(look.next_session.low),
        high=number(look.next_session.high),
    )  # fmt: skip


def _sessions_chart(ground: Ground, look: Outlook, said: str) -> Chart | None:
    lines = look.sessions[-24:]
    if not lines:
        return None
    today, ahead = ground.community.today, look.next_session
    words = gettext("Inscrits"), gettext("Places"), gettext("Prévision")
    return across.next_session(
        [short_day(line.starts, today) for line in lines],
        [line.filled.enrolled for line in lines],
        [line.filled.capacity or None for line in lines],
        None if ahead is None else (gettext("prochaine"), ahead.value, ahead.low, ahead.high),
        words=words,
        columns=(
            gettext("Session commencée le"), words[0], words[1], gettext("Au moins"), gettext("Au plus")
        ),
        said=said,
        labels=chart_labels(),
    )  # fmt: skip


def _lines(ground: Ground) -> tuple[Line, ...]:
    return ground.sizing.lines(ground.kept) if ground.scope.path is not None else ()


def _session(ground: Ground, line: Line) -> dict[str, Any]:
    """Return a line of the table of sessions."""
    fill, rules = line.filled.fill, tool().rules.sessions
    return {
        "title": _title(ground.community, line),
        "starts": short_day(line.starts, ground.community.today),
        "size": ""
        if fill is None
        else gettext("pleine")
        if fill * 100 >= rules.full_percent
        else gettext("trop grande")
        if fill * 100 < rules.large_percent
        else "",
        **_figures(line.filled),
    }


def _title(found: Community, line: Line) -> str:
    if line.session < 0:
        return ngettext(
            "%(num)d session réunie à d’autres", "%(num)d petites sessions réunies", line.filled.sessions
        )
    return found.names[line.session] or gettext("Session sans titre")


def _coming(ground: Ground, looks: Mapping[int, Outlook]) -> list[dict[str, str]]:
    """Return the sessions under way or to come, the first to start first, with who is expected to come."""
    found, k = ground.community, tool().rules.disclosure.across
    table, over = found.sessions, sizing.ended(found)
    held = sizing.placed(found)
    made = []
    for place in range(len(found.names)):
        path = int(table["path"][place])
        starts = sizing.day(table["starts"][place])
        if over[place] or starts is None:
            continue
        if ground.scope.path not in (None, path) or ground.scope.year not in (
            None,
            int(table["year"][place]),
        ):
            continue
        count = int((held & (found.enrolments["session"] == place)).sum())
        look = looks.get(path)
        made.append((starts, _expected(found, place, count, look, k)))
    made.sort(key=lambda one: one[0])
    return [line for _, line in made[-_SESSIONS:]]


def _expected(found: Community, place: int, count: int, look: Outlook | None, k: int) -> dict[str, str]:
    capacity = float(found.sessions["capacity"][place])
    rate = look.presence.value if look is not None else None
    enough = count >= k
    return {
        "title": found.names[place] or gettext("Session sans titre"),
        "starts": short_day(sizing.day(found.sessions["starts"][place]), found.today),
        "places": number(capacity) if capacity > 0 else "–",
        "enrolled": number(count) if enough else gettext("moins de %(k)s", k=number(k)),
        "expected": number(round(count * rate)) if enough and rate is not None else "–",
        "suggested": number(look.suggested) if look is not None and look.suggested is not None else "–",
    }


# --- pages and files ----------------------------------------------------------------------------------


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text) else 1


def _page_of(places: Sequence[int], page: int) -> Sequence[int]:
    return places[(page - 1) * _PATHS : page * _PATHS]


def _pages(count: int, current: int) -> list[dict[str, Any]]:
    kept = {name: value for name, value in request.args.items() if name != "page"}
    last = -(-count // _PATHS)
    if last < 2:
        return []
    return [
        {
            "number": number(one), "current": one == current,
            "url": address(url_for("pages.sizing"), {**kept, "page": str(one)}),
        }
        for one in range(1, last + 1)
    ]  # fmt: skip


def sizing_table() -> Table:
    """Return every lot of ended sessions in scope: places, enrolled, presences, days, costs."""
    with reading() as conn:
        ground = read(conn)
    columns: Columns = [
        gettext("Année scolaire"), gettext("Parcours"), gettext("Session"), gettext("Début"), gettext("Fin"),
        *_heads(),
    ]  # fmt: skip
    rows = []
    for line in ground.sizing.lines(ground.kept):
        year = int(ground.sizing.lots.keys[_lot(ground, line), sizing.YEAR]) if line.session >= 0 else 0
        title = ground.community.paths[line.path].title if line.path >= 0 else ""
        name = _title(ground.community, line)
        rows.append(
            (scoped.school_year(year) if year > 0 else "", title, name, line.starts, line.ends,
             *_cells(line.filled))
        )  # fmt: skip
    return Table("effectifs-places", gettext("Effectifs et places"), columns, rows, _notes(ground))


def _lot(ground: Ground, line: Line) -> int:
    return int(ground.sizing.lots.of_session[line.session])


def sizing_paths_table() -> Table:
    """Return what each path in scope adds up to, and what to expect of its next session."""
    with reading() as conn:
        ground = read(conn)
    columns: Columns = [
        gettext("Parcours"), *_heads(), gettext("Taille des sessions"), gettext("Places suggérées"),
        gettext("Sièges"), gettext("Prochaine session"), gettext("Au moins"), gettext("Au plus"),
        gettext("Méthode"), gettext("Écart moyen"), gettext("Écart moyen de la dernière valeur"),
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = []
    for place, look in _looks(ground).items():
        filled = ground.sizing.filled(ground.kept & ground.sizing.within(path=place))
        assert filled is not None
        ahead = look.next_session
        forecast: tuple[Cell, ...] = (None,) * 6 if ahead is None else (
            ahead.value, ahead.low, ahead.high, sizing_words.methods()[ahead.method], ahead.error,
            ahead.naive_error,
        )  # fmt: skip
        rows.append(
            (ground.community.paths[place].title, *_cells(filled), sizing_words.verdicts()[look.verdict],
             look.suggested, look.seats, *forecast)
        )  # fmt: skip
    return Table("places-par-parcours", gettext("Places par parcours"), columns, rows, _notes(ground))


def _heads() -> list[Column | str]:
    return [
        gettext("Sessions"), gettext("Places"), gettext("Inscrits"),
        gettext("Inscrits dont la venue est connue"), gettext("Venus"),
        Column(gettext("Ne sont pas venus"), percent=True),
        gettext("Journées-stagiaires prévues en présence"),
        gettext("Journées-stagiaires données en présence"),
        gettext("Journées-stagiaires prévues à distance"),
        gettext("Journées-stagiaires données à distance"), gettext("Coût"),
        gettext("Coût d’une journée-stagiaire"), gettext("Coût par stagiaire"),
    ]  # fmt: skip


def _cells(filled: Filled) -> tuple[Cell, ...]:
    absent = filled.absent(tool().rules.disclosure.across)
    return (
        filled.sessions, filled.capacity or None, filled.enrolled, filled.known or None,
        filled.came if filled.known else None, absent.value, filled.planned_in_person or None,
        filled.given_in_person or None, filled.planned_distance or None, filled.given_distance or None,
        filled.cost or None, filled.cost_a_day, filled.cost_a_person,
    )  # fmt: skip


def _notes(ground: Ground) -> Sequence[tuple[str, str]]:
    rules, k = tool().rules.sessions, tool().rules.disclosure.across
    said = [*sizing_words.reading(rules, k), *sizing_words.rule(rules)]
    words = [(gettext("Vue"), ground.said), *((gettext("Comment lire"), one) for one in said)]
    whole = ground.whole
    return noting.community(words, n=(gettext("Inscriptions"), whole.enrolled if whole is not None else 0))
