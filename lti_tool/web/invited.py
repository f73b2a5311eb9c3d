"""Who answers a questionnaire by a link: the list, the message, sending, reminding, links to copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, mail
from lti_tool import invited as people
from lti_tool.formatting import number, short_day
from lti_tool.invited import Invited, letters, links, reading, wordings, work
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import SurveyError, naming
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import shell as course_shell
from lti_tool.web.guard import tool, viewer
from lti_tool.web.satisfaction import find
from lti_tool.web.shell import CoursePage, open_course
from lti_tool.web.shell import reading as reading_page
from tool_config.database import transaction
from tool_config.surveys import Survey

#: Faults of a list that are shown at once.
_FAULTS = 20
#: Largest list, bytes.
_LARGEST = 500_000


@dataclass(frozen=True)
class _Shown:
    """What a page shows beside the list: links just drawn, faults of what was sent, what was typed."""

    made: Sequence[tuple[Invited, str]] = ()
    faults: Sequence[str] = ()
    typed: str = ""


def survey_links(launch: str, course_id: int, survey_id: UUID) -> str:
    """Show who was invited, and what may be sent."""
    made = _page(course_id, survey_id, _Shown())
    course_shell.note("look", course_id=course_id)
    return made


def survey_links_change(launch: str, course_id: int, survey_id: UUID) -> Answer | str | tuple[str, int]:
    """Do what a button asks: add, choose, send, remind, remove, copy."""
    act = _ACTS.get(request.form.get("do", ""))
    if act is None:
        raise access.NotFound
    try:
        with transaction(tool().engine, viewer().silo_id) as conn:
            page, asked = _open(conn, course_id, survey_id)
            done = act(conn, page, asked)
            _record(conn, course_id)
    except SurveyError as error:
        if error.code == "not_found":
            raise access.NotFound from None
        return _page(course_id, survey_id, _Shown(faults=[_refusal(error.code)])), 409
    if isinstance(done, _Shown):
        return _page(course_id, survey_id, done), 400 if done.faults else 200
    return redirect(page.url("survey_links", survey_id=survey_id, done=done), 303)


def _open(conn: Connection, course_id: int, survey_id: UUID) -> tuple[CoursePage, Survey]:
    """Return the page of a course and its questionnaire; that of trainees names people: tutors only."""
    page = open_course(conn, course_id)
    asked = find(conn, course_id, survey_id)
    access.require(viewer(), *(("tutor",) if asked.template.audience == "trainees" else ("tutor", "admin")))
    if asked.template.audience == "trainees":
        access.require_people(page.access)
    return page, asked


def _record(conn: Connection, course_id: int) -> None:
    who, now = viewer(), tool().clock()
    audit.write(
        conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, role=who.role,
        course_id=course_id,
    )  # fmt: skip


def _refusal(code: str) -> str:
    return {
        "closed": gettext("Le questionnaire est clos : plus rien ne peut être envoyé."),
        "not_open_yet": gettext("Le questionnaire n’est pas encore ouvert : il n’y a rien à rappeler."),
        "too_soon": gettext("Un rappel a déjà été demandé depuis hier. Attendez un jour entre deux rappels."),
        "too_many": gettext(
            "Un questionnaire s’envoie à %(most)s personnes au plus.", most=number(people.MOST)
        ),
        "anonymous": gettext(
            "Un questionnaire anonyme ne se rappelle pas : personne ne sait qui n’a pas répondu."
        ),
        "smtp": gettext("Aucun serveur de courriel n’est réglé : copiez les liens."),
    }.get(code, gettext("Cette demande ne peut pas être prise en compte."))


# --- what buttons do ----------------------------------------------------------------------------------


def _key() -> str:
    return tool().settings.secret_key


def _locale() -> str:
    wanted = request.form.get("locale", "")
    return wanted if wanted in letters.LOCALES else "fr"


def _add(conn: Connection, page: CoursePage, asked: Survey) -> str | _Shown:
    typed = request.form.get("recipients", "")
    given = request.files.get("file")
    text = reading.decoded(given.read(_LARGEST)) if given is not None and given.filename else typed
    read = reading.read(text[:_LARGEST])
    if read.faults:
        said = [_fault(fault) for fault in read.faults[:_FAULTS]]
        if len(read.faults) > _FAULTS:
            rest = len(read.faults) - _FAULTS
            said.append(ngettext("et %(num)d autre ligne.", "et %(num)d autres lignes.", rest))
        return _Shown(faults=said, typed=text)
    if not read.recipients:
        return _Shown(faults=[gettext("Aucune adresse n’est donnée.")])
    now = tool().clock()
    added = people.add(conn, asked, read.recipients, locale=_locale(), secret_key=_key(), now=now)
    return "invited" if added else "invited_already"


def _fault(fault: reading.Fault) -> str:
    line = number(fault.line)
    if fault.code == "twice":
        return gettext(
            "Ligne %(line)s : la même adresse qu’à la ligne %(other)s.",
            line=line,
            other=number(int(fault.text)),
        )
    if fault.code == "too_many":
        return gettext("Ligne %(line)s : la liste est trop longue.", line=line)
    return gettext(
        "Ligne %(line)s : « %(text)s » n’a pas une adresse et une seule, comme prenom.nom@exemple.fr.",
        line=line,
        text=fault.text,
    )


def _choose(conn: Connection, page: CoursePage, asked: Survey) -> str | _Shown:
    if asked.template.audience != "trainees":
        raise SurveyError("not_found")
    actors = request.form.getlist("actor")
    if not actors:
        return _Shown(faults=[gettext("Personne n’est coché.")])
    now = tool().clock()
    added = people.add_trainees(conn, asked, actors, locale=_locale(), secret_key=_key(), now=now)
    return "invited" if added else "invited_already"


def _send(conn: Connection, page: CoursePage, asked: Survey) -> str | _Shown:
    if not mail.is_set(tool().settings):
        raise SurveyError("smtp")
    return "sending" if people.ask_sending(conn, asked, now=tool().clock()) else "sending_none"


def _remind(conn: Connection, page: CoursePage, asked: Survey) -> str | _Shown:
    if not mail.is_set(tool().settings):
        raise SurveyError("smtp")
    people.ask_reminding(conn, asked, now=tool().clock())
    return "reminding"


def _remove(conn: Connection, page: CoursePage, asked: Survey) -> str | _Shown:
    one = people.find(conn, asked, request.form.get("invited", ""), secret_key=_key())
    people.remove(conn, asked, one.invited_id)
    return "uninvited"


def _copy(conn: Connection, page: CoursePage, asked: Survey) -> str | _Shown:
    """Draw links and show them, this time only: of one person, or of all who got none yet."""
    if asked.state(tool().clock()) == "closed":
        raise SurveyError("closed")
    wanted = request.form.get("invited", "")
    if wanted:
        chosen = [people.find(conn, asked, wanted, secret_key=_key())]
    else:
        every = people.listing(conn, asked, secret_key=_key())
        chosen = [one for one in every if one.state in ("new", "refused", "failed")]
    if not chosen:
        return _Shown(faults=[gettext("Chaque personne a déjà un lien : copiez-le ligne par ligne.")])
    public = tool().settings.public_url
    return _Shown(
        made=[(one, links.address(public, links.copy(conn, asked, one, secret_key=_key()))) for one in chosen]
    )


_ACTS: Mapping[str, Callable[[Connection, CoursePage, Survey], str | _Shown]] = {
    "add": _add,
    "choose": _choose,
    "send": _send,
    "remind": _remind,
    "remove": _remove,
    "copy": _copy,
}


# --- the page -----------------------------------------------------------------------------------------


def _called(conn: Connection, page: CoursePage, some: Sequence[Invited]) -> dict[str, str]:
    """Return what to call people: the name of a trainee, else the name or address given."""
    actors = [one.actor for one in some if one.actor]
    names = course_shell.names(conn, page.access, page.viewer, actors) if actors else {}
    return {
        one.invited_id: names.get(one.actor or "", "")
        or one.name
        or one.address
        or gettext("adresse supprimée")
        for one in some
    }


def _page(course_id: int, survey_id: UUID, shown: _Shown) -> str:
    with reading_page() as conn:
        page, asked = _open(conn, course_id, survey_id)
        return _shown(conn, page, asked, shown)


def _shown(conn: Connection, page: CoursePage, asked: Survey, shown: _Shown) -> str:
    here = tool()
    every = people.listing(conn, asked, secret_key=_key())
    state = asked.state(here.clock())
    trainees = asked.template.audience == "trainees"
    last = people.last_reminder(conn, asked)
    called = _called(conn, page, every)
    return render_template(
        "tutor/invited.html",
        page_title=gettext("Répondre par un lien"),
        shell=page.shell("satisfaction"),
        back_url=page.url("survey_summary", survey_id=asked.survey_id),
        here=page.url("survey_links", survey_id=asked.survey_id),
        title=label(asked.template.title),
        lead=_lead(asked),
        smtp=mail.is_set(here.settings),
        open=state != "closed",
        scheduled=state == "scheduled",
        anonymous=asked.mode == "anonymous",
        trainees=_trainees(conn, page, asked, every) if trainees and state != "closed" else [],
        for_trainees=trainees,
        rows=_rows(conn, page, asked, every, called),
        to_send=sum(1 for one in every if one.address and one.state in ("new", "refused", "failed")),
        without_link=sum(1 for one in every if one.state in ("new", "refused", "failed")),
        may_remind=asked.mode == "pseudonymous"
        and state == "open"
        and any(one.state == "sent" for one in every),
        last=short_day(last.astimezone(g.zone).date(), page.frames.today) if last else "",
        letters=[_letter(conn, asked, locale) for locale in letters.LOCALES],
        kept_days=number(here.rules.surveys.addresses_days),
        made=[
            {"id": f"link-{rank}", "label": called[one.invited_id], "value": link}
            for rank, (one, link) in enumerate(shown.made)
        ],
        faults=shown.faults,
        typed=shown.typed,
        notes=_notes(),
    )


def _lead(asked: Survey) -> str:
    return gettext(
        "Les personnes de cette liste (%(who)s) répondent par un lien personnel, sans compte et sans ouvrir "
        "le cours. Chaque lien sert pour une seule réponse, jusqu’au %(day)s inclus.",
        who=naming.audience(asked.template.audience),
        day=short_day(survey_wording.last_day(asked.closes_at, g.zone), g.today),
    )


def _notes() -> list[str]:
    said = {
        "invited": gettext("Les personnes sont ajoutées. Rien n’est encore envoyé."),
        "invited_already": gettext("Toutes ces personnes étaient déjà dans la liste."),
        "sending": gettext(
            "L’envoi est demandé : les messages partent dans les minutes qui viennent. Rechargez la page "
            "pour suivre leur état."
        ),
        "sending_none": gettext("Il n’y a personne à qui envoyer le lien."),
        "reminding": gettext("Le rappel part vers les personnes qui n’ont pas encore répondu."),
        "uninvited": gettext("La personne est retirée de la liste : son lien ne mène plus à rien."),
        "survey_links": gettext("Le questionnaire est enregistré : dites maintenant à qui envoyer le lien."),
    }.get(request.args.get("done", ""))
    return [said] if said and request.method == "GET" else []


def _rows(
    conn: Connection, page: CoursePage, asked: Survey, every: Sequence[Invited], called: Mapping[str, str]
) -> list[dict[str, Any]]:
    keys = links.actors(conn, asked, every)
    k = tool().rules.disclosure.course
    answered = people.answered(conn, asked, every, list(keys.values()), k=k)
    return [
        {
            "id": one.invited_id,
            "who": called[one.invited_id],
            "address": "" if one.actor else one.address if one.name else "",
            "state": _state(one, page, done=answered.told and keys[one.invited_id] in answered.keys),
            "refused": one.state in ("refused", "failed"),
        }
        for one in every
    ]


def _state(one: Invited, page: CoursePage, *, done: bool) -> str:
    """Say how far the link is; "répondu" moves with the figures."""
    if done:
        return gettext("répondu")
    match one.state:
        case "sent" if one.sent_at is not None:
            day = short_day(one.sent_at.astimezone(g.zone).date(), page.frames.today)
            return gettext("envoyé le %(day)s", day=day)
        case "refused":
            return gettext("refusé par le serveur : %(said)s", said=one.said)
        case "failed":
            return (
                gettext("non envoyé : %(said)s", said=one.said)
                if one.said
                else gettext("non envoyé : le serveur n’a pas répondu")
            )
        case "queued":
            return (
                gettext("en attente, le serveur demande de réessayer : %(said)s", said=one.said)
                if one.said
                else gettext("envoi en cours")
            )
        case "copied":
            return gettext("lien copié")
    return gettext("à envoyer") if one.address else gettext("lien à copier")


def _trainees(
    conn: Connection, page: CoursePage, asked: Survey, every: Sequence[Invited]
) -> list[dict[str, Any]]:
    """Return the people of the course who are not in the list yet."""
    there = {one.actor for one in every}
    there |= page.access.hidden
    known = [one for one in people.trainees(conn, asked) if one.actor not in there]
    names = course_shell.names(conn, page.access, page.viewer, [one.actor for one in known])
    found = [
        {
            "actor": one.actor,
            "name": names.get(one.actor, ""),
            "address": one.address,
        }
        for one in known
    ]
    return sorted(found, key=lambda item: item["name"].casefold())


def _letter(conn: Connection, asked: Survey, locale: str) -> dict[str, str]:
    """Return the message as it will be read, with the place of the link."""
    said = work.described(conn, asked, locale, tool().rules)
    link = links.address(tool().settings.public_url, "…")
    own = wordings.own(wordings.read(conn, asked.silo_id), locale, again=False)
    made = letters.letter(said, address="", link=link, locale=locale, own=own)
    return {
        "locale": locale,
        "name": gettext("en anglais") if locale == "en" else gettext("en français"),
        "subject": made.subject,
        "text": made.text.strip(),
    }
