"""Where trainees place themselves, on their own page: their own answers only."""

from __future__ import annotations

from typing import Any

from flask import g
from sqlalchemy import Connection

from lti_tool.formatting import number, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import naming, positioning
from lti_tool.surveys.positioning import Own
from lti_tool.surveys.wording import label
from lti_tool.web.guard import viewer


def mine(conn: Connection) -> dict[str, Any]:
    """Return the viewer's own positions by competency, for their page; {"positioned": None} without any."""
    who = viewer()
    found = positioning.own(conn, who.silo_id, who.course_id, who.actor)
    if not found:
        return {"positioned": None}
    compared = [one for one in found if len(one.said) > 1]
    return {"positioned": {"title": _title(compared), "rows": [_row(one) for one in found]}}


def _title(compared: list[Own]) -> str:
    if not compared:
        return gettext("Où vous vous situez")
    up = sum(1 for one in compared if one.change > 0)
    if not any(one.change for one in compared):
        return gettext("Vous vous situez comme au début")
    if not up:
        return gettext("Votre regard sur vos compétences a changé")
    return ngettext(
        "Vous vous situez plus haut sur %(num)d compétence, parmi %(count)s",
        "Vous vous situez plus haut sur %(num)d compétences, parmi %(count)s",
        up,
        count=number(len(compared)),
    )


def _row(one: Own) -> dict[str, Any]:
    points = len(one.question.scale)
    return {
        "name": label(one.question.text),
        "said": [
            {
                "phase": naming.phase(phase),
                "day": short_day(at.astimezone(g.zone).date(), g.today),
                "text": label(point.label),
                "rank": gettext("%(value)s sur %(most)s", value=number(point.value), most=number(points)),
            }
            for phase, at, point in one.said
        ],
        "change": _change(one),
    }


def _change(one: Own) -> str:
    if len(one.said) < 2:
        return ""
    if one.change == 0:
        return gettext("pareil")
    return (
        ngettext("%(num)d échelon de plus", "%(num)d échelons de plus", one.change)
        if one.change > 0
        else ngettext("%(num)d échelon de moins", "%(num)d échelons de moins", -one.change)
    )
