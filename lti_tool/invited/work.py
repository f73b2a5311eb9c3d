"""Messages with links sent in the background, and addresses forgotten once they have served.

A message whose worker died between the server's answer and its row is sent again: twice at worst, never
not at all. Each message has a link of its own, so that none has to be kept to be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, or_, select, update

from lti_tool import mail, surveys
from lti_tool.invited import KIND, Invited, from_row, letters, links, wordings
from lti_tool.invited_tables import invited, invited_link
from lti_tool.jobs import Failed, JobRun, Retry
from lti_tool.surveys import SurveyError, rows
from lti_tool.surveys import box as survey_box
from lti_tool.tables import survey
from tool_config import silos
from tool_config.database import transaction
from tool_config.rules import Rules
from tool_config.surveys import Survey
from xapi.tables import course

__all__ = ["ATTEMPTS", "KIND", "NIGHTLY", "described", "send", "tidy"]

NIGHTLY = "invited_tidy"
#: Tries of one sending: with waits that double up to six hours, more than two days.
ATTEMPTS = 18


def described(conn: Connection, asked: Survey, locale: str, rules: Rules) -> letters.Asked:
    """Return what a message says of a questionnaire."""
    owner = silos.get(conn, asked.silo_id)
    title = conn.execute(
        select(course.c.title).where(course.c.silo_id == asked.silo_id, course.c.course_id == asked.course_id)
    ).scalar()
    modules = rows.module_titles(conn, asked.silo_id, asked.course_id)
    last = (asked.closes_at - timedelta(seconds=1)).astimezone(ZoneInfo(owner.time_zone)).date()
    return letters.Asked(
        institution=owner.name,
        title=asked.template.title.in_language("en" if locale == "en" else "fr"),
        session=title or "",
        module=modules.get(asked.module, ""),
        minutes=asked.template.minutes,
        last_day=last,
        mode=asked.mode,
        kept_days=rules.surveys.addresses_days,
    )


# --- sending ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Prepared:
    """One message about to be sent."""

    one: Invited
    token: str
    letter: mail.Letter
    name: str
    again: bool


def send(run: JobRun) -> Mapping[str, Any]:
    """Send what is to be sent of a questionnaire; what the server puts off is tried again later."""
    course_id, survey_id = int(run.payload["course"]), str(run.payload["survey"])
    with transaction(run.engine, run.silo_id) as conn:
        try:
            asked = surveys.find(conn, run.silo_id, course_id, survey_id)
        except SurveyError:
            return {}  # taken back meanwhile
        waiting = _waiting(conn, asked, run)
    if not waiting:
        return {}
    if not mail.is_set(run.settings):
        _give_up(run, asked)
        raise Failed("smtp")
    reason = ""
    try:
        with mail.connected(run.settings) as server:
            for invited_id in waiting:
                reason = _one(run, asked, invited_id, server) or reason
                run.progress(0, 0, "")
    except mail.Down as error:
        reason = f"smtp {error}"
    if reason and run.attempt >= ATTEMPTS:
        _give_up(run, asked)
        raise Failed(reason)
    if reason:
        raise Retry(None, reason)
    return {}


def _to_send(asked: Survey) -> tuple[Any, ...]:
    return (*rows.same(invited, asked), or_(invited.c.state == "queued", invited.c.remind.is_(True)))


def _waiting(conn: Connection, asked: Survey, run: JobRun) -> list[str]:
    """Return whom to write to; once the questionnaire is closed nobody, and nothing waits any more."""
    if asked.state(run.clock()) == "closed":
        _stop(conn, asked, "new")
        return []
    query = select(invited.c.invited_id).where(*_to_send(asked)).order_by(invited.c.invited_id)
    return list(conn.scalars(query))


def _give_up(run: JobRun, asked: Survey) -> None:
    with transaction(run.engine, run.silo_id) as conn:
        _stop(conn, asked, "failed")


def _stop(conn: Connection, asked: Survey, state: str) -> None:
    """Let nothing wait any more; what the server last said stays."""
    mine = rows.same(invited, asked)
    conn.execute(update(invited).where(*mine, invited.c.state == "queued").values(state=state))
    conn.execute(update(invited).where(*mine, invited.c.remind.is_(True)).values(remind=False))


def _one(run: JobRun, asked: Survey, invited_id: str, server: mail.Server) -> str:
    """Send one message, outside any transaction; return why it must be tried again, or "". Raises Down."""
    with transaction(run.engine, run.silo_id) as conn:
        prepared = _prepare(conn, run, asked, invited_id)
    if prepared is None:
        return ""
    values: dict[str, Any] = {"remind": False}
    drop, later = True, ""
    try:
        server.send(prepared.letter, name=prepared.name, now=run.clock())
    except mail.Refused as error:
        # That a reminder was refused would tell who was reminded, that is who had not answered.
        values |= {} if prepared.again else {"state": "refused", "said": str(error)}
    except mail.Later as error:
        values = {} if prepared.again else {"said": str(error)}
        later = "smtp later"
    else:
        drop = False
        values |= {} if prepared.again else {"state": "sent", "sent_at": run.clock(), "said": ""}
    with transaction(run.engine, run.silo_id) as conn:
        if drop:
            links.drop(conn, asked, prepared.token, secret_key=run.settings.secret_key)
        if values:
            where = *rows.same(invited, asked), invited.c.invited_id == invited_id
            conn.execute(update(invited).where(*where).values(values))
    return later


def _prepare(conn: Connection, run: JobRun, asked: Survey, invited_id: str) -> _Prepared | None:
    """Draw a link and write the message; None when there is no more need of it."""
    row = conn.execute(select(invited).where(*_to_send(asked), invited.c.invited_id == invited_id)).first()
    if row is None:
        return None
    secret_key = run.settings.secret_key
    one = from_row(row, secret_key)
    account = links.account_of(conn, asked, one)
    where = *rows.same(invited, asked), invited.c.invited_id == invited_id
    if not one.address or account is None:
        conn.execute(update(invited).where(*where).values(state="failed", remind=False))
        return None
    again = one.state != "queued"
    actor = links.actor_of(one, account)
    if again and surveys.has_answered(conn, asked, actor, key=survey_box.key(secret_key)):
        conn.execute(update(invited).where(*where).values(remind=False))
        return None
    token = links.draw(conn, asked, invited_id, secret_key=secret_key)
    said = described(conn, asked, one.locale, run.rules)
    link = links.address(run.settings.public_url, token)
    own = wordings.own(wordings.read(conn, asked.silo_id), one.locale, again=again)
    letter = letters.letter(said, address=one.address, link=link, locale=one.locale, again=again, own=own)
    return _Prepared(one, token, letter, said.institution, again)


# --- forgetting ---------------------------------------------------------------------------------------


def tidy(run: JobRun) -> Mapping[str, Any]:
    """Forget addresses, names and links some days after the closing; all of what has no questionnaire."""
    limit = run.clock() - timedelta(days=run.rules.surveys.addresses_days)
    with transaction(run.engine, run.silo_id) as conn:
        there = (
            select(survey.c.course_id, survey.c.survey_id, survey.c.closes_at)
            .where(survey.c.silo_id == run.silo_id)
            .subquery()
        )
        query = (
            select(invited.c.course_id, invited.c.survey_id, there.c.closes_at)
            .select_from(
                invited.outerjoin(
                    there,
                    (there.c.course_id == invited.c.course_id) & (there.c.survey_id == invited.c.survey_id),
                )
            )
            .where(invited.c.silo_id == run.silo_id)
            .where(or_(there.c.survey_id.is_(None), there.c.closes_at <= limit))
            .distinct()
        )
        done = conn.execute(query).all()
        for course_id, survey_id, closes_at in done:
            _forget(conn, run.silo_id, course_id, survey_id, whole=closes_at is None)
    return {"questionnaires": len(done)}


def _forget(conn: Connection, silo_id: int, course_id: int, survey_id: str, *, whole: bool) -> None:
    tables = (invited_link, invited) if whole else (invited_link,)
    for table in tables:
        same = table.c.silo_id == silo_id, table.c.course_id == course_id, table.c.survey_id == survey_id
        conn.execute(table.delete().where(*same))
    if not whole:
        # The name drawn goes too: then nothing ties answers to a line of the list.
        same = (
            invited.c.silo_id == silo_id,
            invited.c.course_id == course_id,
            invited.c.survey_id == survey_id,
        )
        gone = {"address": None, "name": None, "respondent": None, "actor": None, "said": ""}
        conn.execute(update(invited).where(*same).values(gone))
