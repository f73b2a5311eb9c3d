"""Who is kept from whom, on the pages: a trainee's own settings, a course's, a pause set by a tutor."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, people
from lti_tool.language import gettext
from lti_tool.privacy import keeping_apart, whose
from lti_tool.privacy.keeping_apart import ADMINISTRATOR, PERSON
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import open_course, open_person, reading
from tool_config import silos
from tool_config.database import transaction


def my_settings(launch: str) -> str:
    """Show a trainee their pause, and the tutors whom they keep apart."""
    access.require(viewer(), "trainee")
    who = viewer()
    with reading() as conn:
        page, _ = open_person(conn, who.course_id, who.actor)
        apart = keeping_apart.kept_from(conn, who.silo_id, who.actor)
        some = keeping_apart.tutors(conn, who.silo_id, who.course_id)
        names = people.names(conn, who.silo_id, {*some, *apart})
    rows = [
        {
            "tutor": tutor,
            "name": (names[tutor].text if tutor in names else None) or gettext("une personne de l’équipe"),
            "apart": tutor in apart,
            "asked": apart.get(tutor, PERSON) == PERSON,
        }
        for tutor in dict.fromkeys([*some, *apart])
        if tutor != who.actor
    ]
    return render_template(
        "trainee/settings.html",
        page_title=gettext("Mes réglages de confidentialité"),
        shell=page.shell("me"),
        paused=who.actor in page.frames.quiet,
        tutors=rows,
        back_url=url_for("pages.me"),
        here=url_for("pages.my_settings_send"),
    )


def my_settings_send(launch: str) -> Answer:
    """Pause, take up again, keep a tutor apart or not: at once, without a reason."""
    access.require(viewer(), "trainee")
    who, now = viewer(), tool().clock()
    do, tutor = request.form.get("do", ""), request.form.get("tutor", "")
    with transaction(tool().engine, who.silo_id) as conn:
        if do in ("pause", "resume"):
            on = do == "pause"
            keeping_apart.set_pause(
                conn, who.silo_id, who.course_id, who.actor, on, by=who.actor, now=now
            )  # fmt: skip
        elif do == "apart" and tutor in keeping_apart.tutors(conn, who.silo_id, who.course_id):
            keeping_apart.exclude(conn, who.silo_id, tutor, who.actor, by=PERSON, now=now)
        elif do == "together":
            keeping_apart.include(conn, who.silo_id, tutor, who.actor, by=PERSON)
        else:
            raise access.NotFound
    return redirect(url_for("pages.my_settings", done="privacy"), 303)


def person_pause(launch: str, course_id: int, actor: str) -> Answer:
    """Pause a participant, or take up again: by a tutor of the course, without a reason."""
    access.require(viewer(), "tutor")
    who, on = viewer(), request.form.get("do") == "pause"
    with transaction(tool().engine, who.silo_id) as conn:
        access.may_see_person(conn, who, course_id, actor)
        now = tool().clock()
        keeping_apart.set_pause(conn, who.silo_id, course_id, actor, on, by=who.actor, now=now)
        _note(conn, course_id)
    return redirect(url_for("pages.person", course_id=course_id, actor=actor, done="privacy"), 303)


def course_settings(launch: str, course_id: int) -> str:
    """Show an administrator what a course shows of people, and who is kept from whom."""
    with reading() as conn:
        access.may_see_course(conn, viewer(), course_id)
    access.require(viewer(), "admin")
    return _course_settings(course_id, "")


def _course_settings(course_id: int, fault: str) -> str:
    who = viewer()
    with reading() as conn:
        page = open_course(conn, course_id)
        owner = silos.get(conn, who.silo_id)
        some = keeping_apart.tutors(conn, who.silo_id, course_id)
        apart = keeping_apart.of_tutors(conn, who.silo_id, some)

    def called(actor: str) -> str:
        return silos.pseudonym(owner, actor)

    rows: list[dict[str, Any]] = [
        {"tutor": tutor, "actor": actor, "who": called(actor), "from": called(tutor), "asked": by == PERSON}
        for tutor, actor, by in apart
    ]
    return render_template(
        "admin/course_privacy.html",
        page_title=gettext("Confidentialité de la session"),
        shell=page.shell("course_settings"),
        only=not page.access.people,
        tutors=[(tutor, called(tutor)) for tutor in some],
        apart=rows,
        fault=fault,
        here=page.url("course_settings_send"),
    )


def course_settings_send(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Set a course to aggregates only or not; keep a person from a tutor, or not any more."""
    access.require(viewer(), "admin")
    who, now, form = viewer(), tool().clock(), request.form
    fault = ""
    with transaction(tool().engine, who.silo_id) as conn:
        access.may_see_course(conn, who, course_id)
        tutor = form.get("tutor", "")
        if tutor and tutor not in keeping_apart.tutors(conn, who.silo_id, course_id):
            raise access.NotFound
        match form.get("do"):
            case "aggregates" | "people" as chosen:
                only = chosen == "aggregates"
                keeping_apart.set_aggregates_only(
                    conn, who.silo_id, course_id, only, by=who.actor, now=now
                )  # fmt: skip
            case "apart":
                actor = whose.by_name(conn, who.silo_id, form.get("name", "")[:300])
                if actor is None:
                    fault = gettext("Personne, ou plusieurs personnes, sous ce nom.")
                elif tutor:
                    keeping_apart.exclude(conn, who.silo_id, tutor, actor, by=ADMINISTRATOR, now=now)
            case "together":
                keeping_apart.include(conn, who.silo_id, tutor, form.get("actor", ""), by=ADMINISTRATOR)
            case _:
                raise access.NotFound
        if not fault:
            _note(conn, course_id)
    if fault:
        return _course_settings(course_id, fault), 400
    return redirect(url_for("pages.course_settings", course_id=course_id, done="privacy"), 303)


def _note(conn: Connection, course_id: int) -> None:
    who = viewer()
    audit.write(
        conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor, role=who.role,
        course_id=course_id, reason="privacy: settings",
    )  # fmt: skip
