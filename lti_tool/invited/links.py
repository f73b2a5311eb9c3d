"""Links by which a questionnaire is answered: drawn, found again by their keyed hash, used for one answer.

A token is 32 random bytes behind the number of its silo; only HMAC-SHA-256 under a key derived from the
secret key is kept. Opening a link writes nothing: scanners of messages follow links too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from lti_tool import surveys
from lti_tool.invited import Invited, from_row
from lti_tool.invited_tables import invited, invited_link
from lti_tool.surveys import Outcome, SurveyError, rows
from lti_tool.surveys import statements as survey_statements
from lti_tool.tables import person
from tool_config.database import insert
from tool_config.surveys import Survey
from xapi.statement import account_key
from xapi.survey_tables import answer

_TOKEN = re.compile(r"([1-9][0-9]{0,9})\.[A-Za-z0-9_-]{43}")


class LinkError(Exception):
    """A link that opens nothing: `code` is unknown, used, closed, not_open_yet."""

    def __init__(self, code: str, found: Found | None = None) -> None:
        super().__init__(code)
        self.code = code
        #: What the link leads to; None of an unknown one.
        self.found = found


@dataclass(frozen=True)
class Found:
    """What a link leads to."""

    survey: Survey
    one: Invited
    #: Account in whose name a pseudonymous questionnaire is answered, and its key.
    account: Mapping[str, str]
    actor: str


def silo_of(token: str) -> int | None:
    """Return the silo that a token names, or None when it is none."""
    found = _TOKEN.fullmatch(token)
    return int(found[1]) if found and int(found[1]) < 2**31 else None


def digest(secret_key: str, token: str) -> str:
    """Return the keyed hash under which a token is kept."""
    key = hmac.new(secret_key.encode(), b"estime answer link", hashlib.sha256).digest()
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()


def draw(conn: Connection, asked: Survey, invited_id: str, *, secret_key: str) -> str:
    """Return a new token of somebody invited; those before it go on leading to the same form."""
    token = f"{asked.silo_id}.{secrets.token_urlsafe(32)}"
    row = {
        "silo_id": asked.silo_id,
        "course_id": asked.course_id,
        "token_hash": digest(secret_key, token),
        "survey_id": asked.survey_id,
        "invited_id": invited_id,
    }
    conn.execute(insert(conn, invited_link), row)
    return token


def drop(conn: Connection, asked: Survey, token: str, *, secret_key: str) -> None:
    """Forget a token that reached nobody."""
    hashed = invited_link.c.token_hash == digest(secret_key, token)
    conn.execute(delete(invited_link).where(*rows.same(invited_link, asked), hashed))


def copy(conn: Connection, asked: Survey, one: Invited, *, secret_key: str) -> str:
    """Return a token to be handed over by hand."""
    token = draw(conn, asked, one.invited_id, secret_key=secret_key)
    where = *rows.same(invited, asked), invited.c.invited_id == one.invited_id
    conn.execute(update(invited).where(*where, invited.c.state == "new").values(state="copied"))
    return token


def address(public_url: str, token: str) -> str:
    """Return the address that a token makes."""
    return f"{public_url}/answer/{token}"


def find(conn: Connection, token: str, *, secret_key: str) -> Found:
    """Return what a token leads to, whatever the state of its questionnaire; LinkError("unknown")."""
    silo_id = silo_of(token)
    if silo_id is None:
        raise LinkError("unknown")
    same = (
        (invited.c.silo_id == invited_link.c.silo_id)
        & (invited.c.course_id == invited_link.c.course_id)
        & (invited.c.survey_id == invited_link.c.survey_id)
        & (invited.c.invited_id == invited_link.c.invited_id)
    )
    row = conn.execute(
        select(invited)
        .select_from(invited.join(invited_link, same))
        .where(invited_link.c.silo_id == silo_id, invited_link.c.token_hash == digest(secret_key, token))
    ).first()
    if row is None:
        raise LinkError("unknown")
    try:
        asked = surveys.find(conn, silo_id, row.course_id, row.survey_id)
    except SurveyError:
        raise LinkError("unknown") from None
    one = from_row(row, secret_key)
    account = account_of(conn, asked, one)
    if account is None:
        raise LinkError("unknown")
    return Found(asked, one, account, actor_of(one, account))


def actor_of(one: Invited, account: Mapping[str, str]) -> str:
    """Return the key of who answers: that of a trainee is the one that aliases led to."""
    return one.actor or account_key(account["homePage"], account["name"])


def account_of(conn: Connection, asked: Survey, one: Invited) -> dict[str, str] | None:
    """Return the account that somebody invited answers under; None for a trainee who is no more known."""
    if one.actor is None:
        return {"homePage": home(conn, asked), "name": one.respondent or one.invited_id}
    query = select(person.c.issuer, person.c.sub).where(
        person.c.silo_id == asked.silo_id, person.c.actor == one.actor
    )
    row = conn.execute(query).first()
    return None if row is None else {"homePage": row.issuer, "name": row.sub}


def home(conn: Connection, asked: Survey) -> str:
    """Return where the accounts of people outside the course are: the questionnaire itself."""
    return survey_statements.survey_iri(rows.place_of(conn, asked), asked.survey_id)


def actors(conn: Connection, asked: Survey, some: Iterable[Invited]) -> dict[str, str]:
    """Return the keys under which people answer, by invitation."""
    outside = home(conn, asked)
    return {
        one.invited_id: one.actor or account_key(outside, one.respondent or one.invited_id) for one in some
    }


def check(conn: Connection, token: str, *, secret_key: str, key: bytes, now: datetime) -> Found:
    """Return what may be answered through a token; LinkError: unknown, not_open_yet, closed, used.

    `key`: `surveys.box.key(secret_key)`.
    """
    found = find(conn, token, secret_key=secret_key)
    state = found.survey.state(now)
    if state != "open":
        raise LinkError("closed" if state == "closed" else "not_open_yet", found)
    if surveys.has_answered(conn, found.survey, found.actor, key=key):
        raise LinkError("used", found)
    return found


def submit(
    conn: Connection,
    token: str,
    answers: Mapping[str, str],
    attempt: str,
    *,
    secret_key: str,
    key: bytes,
    k: int,
    now: datetime,
) -> tuple[Found, Outcome]:
    """Take the one answer that a token is good for; the same form sent twice is "repeated".

    `k`: threshold of the course. Raises LinkError like `check`, SurveyError (invalid, bad_attempt).
    """
    found = find(conn, token, secret_key=secret_key)
    rows.locked(conn, found.survey)  # from here to the end nobody else answers it
    try:
        check(conn, token, secret_key=secret_key, key=key, now=now)
    except LinkError as error:
        if error.code == "used" and _is_same(conn, found, attempt):
            return found, "repeated"
        raise
    outcome = surveys.take(
        conn, found.survey, found.actor, found.account, answers, attempt, now=now, key=key, k=k
    )
    return found, outcome


def _is_same(conn: Connection, found: Found, attempt: str) -> bool:
    """Say whether an attempt is the one that was taken; never told of an anonymous questionnaire."""
    if found.survey.mode == "anonymous":
        return False
    query = select(answer.c.attempt).where(
        *rows.same(answer, found.survey), answer.c.respondent == found.actor
    )
    return attempt.lower() in {str(known) for known in conn.scalars(query)}
