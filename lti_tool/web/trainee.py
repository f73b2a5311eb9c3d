"""The trainee's page: what is done, what is next, the pace beside the group, what is planned."""

from __future__ import annotations

from typing import Any

from flask import render_template

from analyzers import figures, itinerary, progress
from analyzers.frames import LearnerFrames
from analyzers.results import LearnerPath, Pace
from lti_tool import definitions, wording
from lti_tool.exports import Table
from lti_tool.formatting import number
from lti_tool.language import gettext
from lti_tool.web import answering, competencies, complaining, noting, positioned, presenting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.shell import CoursePage, open_person, reading


def me(launch: str) -> str:
    """Show one's own path."""
    with reading() as conn:
        page, mine = open_person(conn, viewer().course_id, viewer().actor)
        asked = answering.invitations(conn, page)
        heard = complaining.heard(conn)
        own = {**positioned.mine(conn), **competencies.own_pix(conn)}
    return render_template("trainee/me.html", invitations=asked, **heard, **own, **me_context(page, mine))


def me_context(page: CoursePage, mine: LearnerFrames) -> dict[str, Any]:
    """Return what the template of the trainee's page prints."""
    path, pace = itinerary.path(mine), progress.pace(mine)
    drawable = (pace.weeks and any(pace.mine)) or pace.band is not None
    return {
        "page_title": gettext("Mon parcours"),
        "shell": page.shell("me"),
        "lead": wording.my_lead(path),
        "steps": presenting.step_rows(path.steps, page.frames.today),
        "progress_say": gettext(
            "Modules obligatoires terminés : %(done)s sur %(total)s.",
            done=number(path.done),
            total=number(path.required),
        ),
        "pace_title": wording.pace_title(pace),
        "pace_hint": _pace_hint(pace),
        "pace": figures.pace(pace, labels=chart_labels()) if drawable else None,
        "pace_key": [
            ("line", gettext("vous")),
            *([("band", gettext("le groupe"))] if pace.band is not None else []),
        ],
        "pace_reading": definitions.reading("pace", tool().rules),
        "planned": _planned(path),
    }


def _pace_hint(pace: Pace) -> str:
    if pace.band is not None:
        return gettext(
            "Vos modules terminés, semaine après semaine, et la moitié du milieu du groupe, sans noms."
        )
    return gettext(
        "Le groupe n’est pas montré : il faut au moins %(k)s autres personnes pour que personne ne s’y "
        "reconnaisse.",
        k=number(tool().rules.disclosure.course),
    )


def _planned(path: LearnerPath) -> list[dict[str, Any]]:
    return [
        {"day": day, "title": title, "kind": wording.gathering_kind(kind)}
        for day, title, kind in path.planned
    ]


# --- files --------------------------------------------------------------------------------------------


def path_table() -> Table:
    """Return one's own path, activity by activity."""
    with reading() as conn:
        page, mine = open_person(conn, viewer().course_id, viewer().actor)
    return presenting.path_table(gettext("Mon parcours"), itinerary.path(mine), page)


def pace_table() -> Table:
    """Return one's own pace beside the group's, as the chart draws it."""
    with reading() as conn:
        page, mine = open_person(conn, viewer().course_id, viewer().actor)
    pace = progress.pace(mine)
    drawn = figures.pace(pace, labels=chart_labels()).table
    words = [(gettext("Comment lire"), said) for said in definitions.reading("pace", tool().rules)]
    return Table("rythme", wording.pace_title(pace), drawn.columns, drawn.rows, noting.course(page, words))
