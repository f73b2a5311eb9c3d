"""Which pages each profile reaches: a list, and nothing that is not on it.

The guard looks here before any page of somebody who signed in without a course. Who holds an ingénieur's
grant sees their paths one at a time: every page of theirs that is not in `WITHOUT_PATH` is asked with `path`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tool_config.roles import INGENIEUR, LECTEUR, PROFILES, RESPONSABLE

_ALL = frozenset(PROFILES)
#: Pages that cannot be narrowed to a path.
_WHOLE = frozenset({RESPONSABLE, LECTEUR})
_HEAD = frozenset({RESPONSABLE})

#: Page, as pages.py names it -> profiles that reach it. Its tables come along.
PAGES: Mapping[str, frozenset[str]] = {
    "enter": _ALL,
    "about_all": _ALL,
    "leave": _ALL,
    "information": _ALL,
    "information_seen": _ALL,
    "my_data": _ALL,
    "my_data_ask": _ALL,
    "my_data_file": _ALL,
    "my_data_forget": _ALL,
    "saved_views": _ALL,
    "saved_view_add": _ALL,
    "saved_view_received": _ALL,
    "saved_view_open": _ALL,
    "saved_view_change": _ALL,
    "saved_view_file": _ALL,
    "origins": _ALL,
    "choices": _WHOLE,
    "crossing": _WHOLE,
    "adapt": _ALL,
    "sizing": _ALL,
    "adapt_module": _ALL,
    "competencies": _ALL,
    "pathways": _ALL,
    "comparison": _WHOLE,
    "comparison_add": _HEAD,
    "comparison_export": _HEAD,
    "comparison_remove": _HEAD,
    "council_note": _ALL,
    "council_ask": _ALL,
    "council_file": _ALL,
    "council_forget": _ALL,
    "evidence": _HEAD,
    "evidence_ask": _HEAD,
    "evidence_file": _HEAD,
    "evidence_forget": _HEAD,
}
#: Tables whose name is not that of a page.
TABLES: Mapping[str, frozenset[str]] = {
    "choices_years": _WHOLE,
    "choices_pairs": _WHOLE,
    "trainer_teams": _WHOLE,
    "pix_levels": _WHOLE,
    "hours_owed": _WHOLE,
    "packs": _HEAD,
    "pathways_links": _ALL,
    "pathways_ways": _ALL,
    "pathways_stops": _ALL,
    "sizing_paths": _ALL,
    "modality": _ALL,
    "modality_hours": _ALL,
    "aftermath": _WHOLE,
    "aftermath_site": _WHOLE,
    "notes": _ALL,
    "looks": _ALL,
}
#: Pages of no path at all, or whose form names it.
WITHOUT_PATH = frozenset(
    {
        "enter", "about_all", "leave", "saved_views", "saved_view_add", "saved_view_received",
        "saved_view_open", "saved_view_change", "saved_view_file", "council_note", "council_ask",
        "council_file", "council_forget", "notes", "information", "information_seen", "my_data",
        "my_data_ask", "my_data_file", "my_data_forget", "looks",
    }
)  # fmt: skip
#: Of other rooms: the way into a tab of its own, and whether the session still runs.
_DOORS = frozenset({"lti.handing_over.offer", "lti.handing_over.alive"})


def may(role: str, endpoint: str) -> bool:
    """Say whether a profile reaches an endpoint ("pages.crossing", "pages.crossing_csv")."""
    if endpoint in _DOORS:
        return role in _ALL
    room, _, name = endpoint.partition(".")
    if room != "pages":
        return False
    stem = name.removesuffix("_csv").removesuffix("_xlsx")
    return role in (PAGES.get(name) or PAGES.get(stem) or TABLES.get(stem) or frozenset())


def narrowed(role: str, endpoint: str) -> bool:
    """Say whether a page is seen one path at a time."""
    name = endpoint.partition(".")[2].removesuffix("_csv").removesuffix("_xlsx")
    return role == INGENIEUR and endpoint not in _DOORS and name not in WITHOUT_PATH


def within(paths: Collection[int], arguments: Mapping[str, Any], named: Sequence[str]) -> bool:
    """Say whether an address keeps to some paths: it names one at least, and no other.

    `arguments`: what the address holds (`path_id`); `named`: every value of its parameter `path`.
    """
    known = {str(path) for path in paths}
    asked = [*([str(arguments["path_id"])] if "path_id" in arguments else ()), *named]
    return bool(asked) and all(value in known for value in asked)
