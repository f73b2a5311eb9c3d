"""What a table says of itself in its workbook: whose figures, of when, how many, under which threshold."""

from __future__ import annotations

from collections.abc import Sequence

from flask import g

from lti_tool.formatting import clock_time, long_day, number
from lti_tool.language import gettext
from lti_tool.web.guard import tool
from lti_tool.web.shell import CoursePage

Notes = list[tuple[str, str]]


def course(page: CoursePage, words: Sequence[tuple[str, str]] = ()) -> Notes:
    """Return the notes of a table of a session, its definitions last."""
    frames, overview = page.frames, page.overview
    fresh = frames.fresh_at.astimezone(g.zone) if frames.fresh_at else None
    known = number(overview.enrolled)
    notes = [
        (
            gettext("Session"),
            " · ".join(filter(None, [frames.title or gettext("Session sans titre"), frames.label])),
        ),
        (
            gettext("Inscrits (n)"),
            gettext("%(n)s connus, liste incomplète", n=known) if overview.basis.partial else known,
        ),
        (
            gettext("Données de"),
            f"{long_day(fresh.date())}, {clock_time(fresh)}" if fresh else gettext("aucune donnée reçue"),
        ),
    ]
    return [
        *notes,
        *([(gettext("Noms"), gettext("pseudonymes"))] if not page.access.named else []),
        *_all(words),
    ]


def community(words: Sequence[tuple[str, str]] = (), *, n: tuple[str, int] | None = None) -> Notes:
    """Return the notes of a table of the community; `n`: what is counted, and how many."""
    counted = [(gettext("%(what)s (n)", what=n[0]), number(n[1]))] if n else []
    return [*counted, *_all(words)]


def _all(words: Sequence[tuple[str, str]]) -> Notes:
    k = number(tool().rules.disclosure.course)
    return [*words, (gettext("Seuil de publication"), gettext("%(k)s personnes", k=k))]
