"""What a page across courses looks at: a school year, a path, a group of people; read from its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from analyzers.community import Community, Scope
from lti_tool import access
from lti_tool.dimension_words import Traits
from lti_tool.language import gettext
from tool_config.references import plain

#: Between a dimension and its value, in an address.
_OF = ":"


@dataclass(frozen=True)
class Option:
    """A choice of a list, as the template prints it."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Group:
    """Choices under one heading."""

    title: str
    options: Sequence[Option]


@dataclass(frozen=True)
class Bar:
    """The filters of a page; an empty list is not offered."""

    here: str
    years: Sequence[Option]
    paths: Sequence[Option]
    people: Sequence[Group]


def scope(community: Community, *, people: Sequence[str] = ()) -> Scope:
    """Read the scope of the address: ``year``, ``path``, ``people`` (dimension:value, of those offered).

    What the community does not have is not found (access.NotFound).
    """
    year, path, group = (request.args.get(name, "") for name in ("year", "path", "people"))
    if year and (not year.isdigit() or int(year) not in community.years):
        raise access.NotFound
    places = {path_key(community, place): place for place in range(len(community.paths))}
    if path and path not in places:
        raise access.NotFound
    dimension, _, value = group.partition(_OF)
    if group and (
        dimension not in people
        or dimension not in community.traits
        or value not in community.traits[dimension].values
    ):
        raise access.NotFound
    return Scope(int(year) if year else None, places.get(path), dimension or None, value if group else None)


def arguments(community: Community, chosen: Scope) -> dict[str, str]:
    """Return a scope as the arguments of an address."""
    made = {
        "year": str(chosen.year) if chosen.year is not None else "",
        "path": "" if chosen.path is None else path_key(community, chosen.path),
        "people": f"{chosen.dimension}{_OF}{chosen.value}" if chosen.dimension else "",
    }
    return {name: value for name, value in made.items() if value}


def bar(
    community: Community,
    chosen: Scope,
    traits: Traits,
    here: str,
    *,
    years: bool = True,
    paths: bool = True,
    people: Sequence[str] = (),
) -> Bar:
    """Return the filters of a page; `people`: the dimensions whose values may be chosen."""
    titles = sorted(range(len(community.paths)), key=lambda place: plain(community.paths[place].title))
    return Bar(
        here,
        [Option(str(year), school_year(year), year == chosen.year) for year in reversed(community.years)]
        if years
        else (),
        [
            Option(path_key(community, place), community.paths[place].title, place == chosen.path)
            for place in titles
        ]
        if paths
        else (),
        [
            Group(
                traits.label(name),
                [
                    Option(
                        f"{name}{_OF}{value}",
                        traits.value(name, value),
                        (name, value) == (chosen.dimension, chosen.value),
                    )
                    for value in community.traits[name].values
                ],
            )
            for name in people
            if name in community.traits
        ],
    )


def said(community: Community, chosen: Scope, traits: Traits) -> str:
    """Say a scope in words, for the heading of a page or of a file."""
    parts = []
    if chosen.path is not None:
        parts.append(community.paths[chosen.path].title)
    if chosen.year is not None:
        parts.append(school_year(chosen.year))
    if chosen.dimension and chosen.value is not None:
        parts.append(
            gettext(
                "%(dimension)s : %(value)s",
                dimension=traits.label(chosen.dimension),
                value=traits.value(chosen.dimension, chosen.value),
            )
        )
    return " · ".join(parts) or gettext("toutes les années, tous les parcours")


def school_year(year: int) -> str:
    """Name a school year by its first calendar year: 2026 -> 2026-2027."""
    return f"{year}-{year + 1}"


def path_key(community: Community, place: int) -> str:
    """Name a path in an address: its number, or its title where files alone know it."""
    path = community.paths[place]
    return str(path.path_id) if path.path_id > 0 else f"t{_OF}{plain(path.title)}"
