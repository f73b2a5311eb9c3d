"""What every page of a course shares: who looks, the course's frames, names, header and footer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, g, request, url_for
from sqlalchemy import Connection

from analyzers import alerts, engagement, frames
from analyzers.results import Learner, Overview
from analyzers.shapes import CourseFrames
from lti_tool import access, audit, people, wording
from lti_tool.access import CourseAccess, Viewer
from lti_tool.comments import wording as comment_wording
from lti_tool.formatting import number
from lti_tool.improvements import wording as improvement_wording
from lti_tool.language import gettext, ngettext, pgettext
from lti_tool.privacy import keeping_apart, objecting
from lti_tool.surveys import wording as survey_wording
from lti_tool.web import reach
from lti_tool.web.guard import tool
from tool_config import silos
from tool_config.database import transaction


def viewer() -> Viewer:
    """Return who looks, as the guard found."""
    found: Viewer = g.viewer
    return found


@dataclass(frozen=True)
class Tab:
    """A tab of the header."""

    label: str
    url: str
    current: bool
    #: Pages gathered under it, shown when one of them is open.
    within: Sequence[Tab] = ()


@dataclass(frozen=True)
class Shell:
    """Header and footer of a page."""

    title: str
    meta: str
    tabs: Sequence[Tab]
    #: Where the way into a tab of its own is offered; None in such a tab already.
    open_url: str | None
    about_url: str
    threshold: int
    fresh_at: datetime | None = None
    #: The page speaks of traces, and says of when they are.
    dated: bool = False
    export_url: str | None = None
    pseudonyms: bool = False
    sessions_url: str | None = None
    done: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class CoursePage:
    """A course read for one page, in one read transaction."""

    viewer: Viewer
    access: CourseAccess
    frames: CourseFrames

    @cached_property
    def overview(self) -> Overview:
        return engagement.overview(self.frames)

    @cached_property
    def learners(self) -> tuple[Learner, ...]:
        """Return those whom the page may show one by one: none of a course set to aggregates only."""
        if not self.access.people:
            return ()
        hidden = self.access.hidden
        return tuple(one for one in alerts.learners(self.frames) if one.actor not in hidden)

    @cached_property
    def setting(self) -> wording.Setting:
        return wording.Setting(
            today=self.frames.today,
            modules={
                item.iri: wording.Place(item.position, item.title) for item in self.frames.outline_modules
            },
            calendar=any(item.closes_on for item in self.frames.outline_modules),
        )

    def url(self, page: str, **values: Any) -> str:
        """Return the address of another page of this course."""
        return url_for(
            f"pages.{page}", launch=self.viewer.launch_id, course_id=self.access.course_id, **values
        )

    def names(self, conn: Connection, learners: Sequence[Learner] | None = None) -> Mapping[str, str]:
        """Return what to call learners (all by default): names for tutors, else pseudonyms."""
        some = self.learners if learners is None else learners
        return names(conn, self.access, self.viewer, [learner.actor for learner in some])

    def shell(self, current: str, export_url: str | None = None) -> Shell:
        """Return the header and footer, with the tab of this page marked."""
        administrator = self.viewer.role == "admin"
        return Shell(
            title=self.frames.title or gettext("Session sans titre"),
            meta=_meta(self.frames.label, self.overview),
            tabs=self._tabs(current),
            open_url=open_url(),
            about_url=self.url("about"),
            threshold=tool().rules.disclosure.course,
            fresh_at=self.frames.fresh_at,
            dated=True,
            export_url=export_url,
            pseudonyms=administrator,
            sessions_url=url_for("pages.sessions", launch=self.viewer.launch_id) if administrator else None,
            done=done(),
        )

    def _tabs(self, current: str) -> list[Tab]:
        pages = [
            ("today", gettext("Ce matin")),
            ("modules", gettext("Modules")),
            ("people", gettext("Participants")),
            ("satisfaction", gettext("Satisfaction")),
            ("improvements", gettext("Améliorations")),
        ]
        if self.viewer.role == "trainee":
            return []
        if self.viewer.role == "admin":
            pages.append(("course_settings", gettext("Confidentialité")))
        if self.viewer.role == "tutor":
            pages += [("outline", pgettext("tab", "Parcours")), ("attendance", gettext("Présences"))]
        return [Tab(label, self.url(page), page == current) for page, label in pages]


def open_course(conn: Connection, course_id: int) -> CoursePage:
    """Read the course that the viewer asks for; access.NotFound or Forbidden when it is not theirs."""
    who, now = viewer(), tool().clock()
    allowed = access.may_see_course(conn, who, course_id)
    read = _read(conn, who.silo_id, course_id, now)
    set_time(now, ZoneInfo(read.time_zone))
    return CoursePage(who, allowed, read)


def open_person(conn: Connection, course_id: int, actor: str) -> tuple[CoursePage, frames.LearnerFrames]:
    """Read one person's traces and their course; access.NotFound or Forbidden when they may not be seen."""
    who, now = viewer(), tool().clock()
    allowed = access.may_see_person(conn, who, course_id, actor)
    read = _read(conn, who.silo_id, course_id, now)
    set_time(now, ZoneInfo(read.time_zone))
    return CoursePage(who, allowed, read), frames.learner(conn, read, actor)


def _read(conn: Connection, silo_id: int, course_id: int, now: datetime) -> CourseFrames:
    read = frames.course(conn, silo_id, course_id, as_of=now, rules=tool().rules)
    objecting_here = objecting.of_silo(conn, silo_id)
    return replace(
        read,
        quiet=keeping_apart.paused(conn, silo_id, course_id) | objecting_here,
        objecting=objecting_here,
    )


def reading() -> AbstractContextManager[Connection]:
    """Return the one read transaction of a page, confined to the viewer's silo."""
    return transaction(tool().engine, viewer().silo_id, write=False)


def set_time(now: datetime, zone: ZoneInfo) -> None:
    """Fix the instant, the day and the zone of the page, for every date on it."""
    g.now, g.zone, g.today = now, zone, now.astimezone(zone).date()


def open_url() -> str | None:
    """Return where a tab of its own is offered, unless the page is in one."""
    if request.headers.get("Sec-Fetch-Dest") == "document" or viewer().is_profile:
        return None
    return url_for("lti.handing_over.offer", launch=viewer().launch_id)


def done() -> list[str]:
    """Say what the form that led here did; the address carries only a word of a fixed list."""
    said = {
        "outline": gettext(
            "Le plan est enregistré. Les chiffres se recalculent dans les secondes qui viennent."
        ),
        "gathering": gettext(
            "Le regroupement est ajouté : ses présences se cochent dans l’onglet Présences."
        ),
        "imported": gettext(
            "Le plan importé est enregistré. Les chiffres se recalculent dans les secondes qui viennent."
        ),
        "attendance": gettext("Les présences sont enregistrées."),
        "roster": gettext("La liste des inscrits est demandée à la plateforme."),
        "tied": gettext("Les sessions cochées sont rattachées."),
        "path": gettext("Le parcours est modifié."),
        "linked": gettext("La correspondance est enregistrée."),
        "privacy": gettext("Le réglage est enregistré."),
        "retained": gettext("Les durées sont enregistrées."),
        "erased": gettext("Ses données sont effacées."),
        "refused": gettext("La demande est refusée : la personne en lit le motif."),
        "objection": gettext("Votre opposition est prise en compte, dès maintenant."),
        "objection_ended": gettext("Votre opposition est levée."),
        "institution": gettext("Les renseignements sont enregistrés."),
        "withdrawn": gettext("L’invitation est retirée : son lien ne sert plus."),
        "heard": gettext("Ce qui a été dit est noté."),
        "unheard": gettext("La note est retirée."),
        **survey_wording.done(),
        **comment_wording.done(),
        **improvement_wording.done(),
    }.get(request.args.get("done", ""))
    return [said] if said else []


def admin_tabs(current: str) -> list[Tab]:
    """Return the tabs of the administrator's pages, with the one of this page marked."""
    shown = [(label, [page for page in pages if _reached(page[0])]) for label, pages in _groups()]
    return [
        # Alone, of all that a tab gathers, a page of a profile goes by its own name.
        _group((len(pages) == 1 and viewer().is_profile and pages[0][1]) or label, pages, current)
        for label, pages in shown
        if pages
    ]


def _groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every tab of the community with its pages: (page, label where a tab has several)."""
    return [
        (
            gettext("Sessions"),
            [
                ("sessions", gettext("Liste")),
                ("sizing", gettext("Effectifs et places")),
                ("modality", gettext("Présence et distance")),
                ("aftermath", gettext("Après la formation")),
            ],
        ),
        (
            pgettext("tab", "Parcours"),
            [
                ("path_list", gettext("Liste")),
                ("pathways", gettext("Cheminements")),
                ("competencies", gettext("Compétences")),
            ],
        ),
        (
            gettext("Publics"),
            [
                ("origins", gettext("Origines")),
                ("choices", gettext("Choix")),
                ("crossing", gettext("Croisements")),
            ],
        ),
        (gettext("Commentaires"), [("comments_all", "")]),
        (
            gettext("Adapter"),
            [
                ("adapt", gettext("À adapter")),
                ("improvements_all", gettext("Journal")),
                ("evidence", gettext("Preuves Qualiopi")),
                ("council_note", gettext("Note du conseil")),
                ("comparison", gettext("Comparaison")),
            ],
        ),
        (
            gettext("Données"),
            [
                ("quality", gettext("Qualité")),
                ("imports", gettext("Imports")),
                ("correspondences", gettext("Correspondances")),
            ],
        ),
        (
            gettext("Réglages"),
            [
                ("connections", gettext("Connexions")),
                ("template_list", gettext("Questionnaires")),
                ("compliance", gettext("Dossier de conformité")),
                ("profiles", gettext("Profils")),
                ("saved_views", gettext("Vues enregistrées")),
                ("erasures", gettext("Effacements")),
                ("retention", gettext("Durées de conservation")),
                ("journal", gettext("Journal")),
            ],
        ),
    ]


def page_names() -> dict[str, str]:
    """Return what each page across courses is called: its tab, or its place under one."""
    return {page: name or label for label, pages in _groups() for page, name in pages}


def _reached(page: str) -> bool:
    """Say whether a page is there, and for who looks."""
    endpoint = f"pages.{page}"
    if endpoint not in current_app.view_functions:
        return False
    return not viewer().is_profile or reach.may(viewer().role, endpoint)


def admin_shell(conn: Connection, current: str) -> Shell:
    """Return the header and footer of an administrator's page about the whole silo."""
    owner = silos.get(conn, viewer().silo_id)
    set_time(tool().clock(), ZoneInfo(owner.time_zone))
    return Shell(
        title=owner.name,
        meta="",
        tabs=admin_tabs(current),
        open_url=open_url(),
        about_url=url_for("pages.about_all", launch=viewer().launch_id),
        threshold=tool().rules.disclosure.across if viewer().is_profile else tool().rules.disclosure.course,
        done=done(),
    )


def leave_url() -> str | None:
    """Return where the session is ended by who signed in without a course; None for a launch."""
    return url_for("pages.leave") if "viewer" in g and viewer().is_profile else None


def _group(label: str, pages: Sequence[tuple[str, str]], current: str) -> Tab:
    """Return a tab that leads to the first of its pages; the pages themselves when there are several."""
    within = [Tab(name, url_for(f"pages.{page}"), page == current) for page, name in pages]
    here = any(tab.current for tab in within)
    return Tab(label, within[0].url, here, within if len(within) > 1 else ())


def _meta(label: str | None, overview: Overview) -> str:
    parts = [label] if label else []
    if overview.week_number and overview.week_count:
        week, count = overview.week_number, overview.week_count
        parts.append(
            gettext("semaine %(week)s sur %(count)s", week=week, count=count)
            if week <= count
            else gettext("session terminée")
        )
    elif overview.week_number:
        parts.append(gettext("semaine %(week)s", week=overview.week_number))
    if overview.enrolled:
        parts.append(_enrolled(overview))
    return " · ".join(parts)


def _enrolled(overview: Overview) -> str:
    count = number(overview.enrolled)
    if overview.basis.partial:
        return ngettext(
            "%(count)s inscrit connu, liste partielle",
            "%(count)s inscrits connus, liste partielle",
            overview.enrolled,
            count=count,
        )
    return ngettext("%(count)s inscrit", "%(count)s inscrits", overview.enrolled, count=count)


def known_limits(overview: Overview, *, roster: bool = True) -> list[str]:
    """Say what the figures do not see: presences, a roster not yet known."""
    notes = []
    if overview.basis.partial and roster:
        notes.append(
            gettext(
                "La liste complète des inscrits n’est pas encore connue de l’outil : seules les personnes "
                "inscrites ou vues par les traces sont comptées."
            )
        )
    if overview.online_only:
        notes.append(
            gettext("Activité en ligne seulement : aucune présence n’est connue dans cette session.")
        )
    return notes


def names(conn: Connection, allowed: CourseAccess, who: Viewer, actors: Sequence[str]) -> Mapping[str, str]:
    """Return how to call people: by name where the access says so, else by pseudonym.

    Not those kept from who looks, nor anybody where people are not shown one by one.
    """
    actors = [actor for actor in actors if allowed.people and actor not in allowed.hidden]
    if allowed.named:
        return people.display(conn, who.silo_id, allowed.course_id, actors, writing=_writing)
    owner = silos.get(conn, who.silo_id)
    return {actor: silos.pseudonym(owner, actor) for actor in actors}


def _writing() -> AbstractContextManager[Connection]:
    """Return a short transaction beside that of the page: numbers given to people stay."""
    return transaction(tool().engine, viewer().silo_id)


def note(action: str, *, course_id: int | None = None, subject: str | None = None) -> None:
    """Write in the audit that the viewer looked, or took a file away: a short transaction of its own."""
    who = viewer()
    with transaction(tool().engine, who.silo_id) as conn:
        audit.write(
            conn,
            who.silo_id,
            at=tool().clock(),
            action=action,
            accepted=True,
            actor=who.actor,
            role=who.role,
            subject=subject,
            course_id=course_id,
        )
