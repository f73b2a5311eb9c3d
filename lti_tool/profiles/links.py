"""One-time links by e-mail: fifteen minutes, once, in the browser that asked.

Whether an address has a grant changes nothing that is seen: the same rows are written, the same page comes,
and the job that follows sends a message or does not. The link holds a code under the secret key; nothing in
the store makes one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import Connection, Row, delete, insert, select

from lti_tool import jobs, mail, profiles, sessions
from lti_tool.jobs import JobRun, Retry
from lti_tool.mail import Letter
from lti_tool.profile_tables import profile_login
from lti_tool.profiles import Grant
from lti_tool.profiles.openid import SignInError
from tool_config import silos
from tool_config.database import transaction

KIND = "profile_link"
NIGHTLY = "profile_tidy"
LIFETIME = timedelta(minutes=15)
#: Waits of a message that a server puts off, all inside the life of its link.
ATTEMPTS = 4
_TOKEN = re.compile(r"([1-9][0-9]{0,9})\.([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")


def ask(
    conn: Connection, silo_id: int, address: str, *, secret_key: str, now: datetime, write: bool = True
) -> tuple[str, str]:
    """Note that a link is asked for and return (name of the cookie, what the browser keeps in it).

    `write=False`: too many were asked for; nothing is written, nothing tells it.
    """
    login_id, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    if write:
        found = profiles.of_address(conn, silo_id, address, secret_key=secret_key, now=now)
        conn.execute(
            insert(profile_login).values(
                silo_id=silo_id, state_hash=login_id, kind="link", binding_hash=sessions.digest(secret),
                grant_id=found.grant_id if found else None, created_at=now, expires_at=now + LIFETIME,
            )
        )  # fmt: skip
        jobs.enqueue(conn, silo_id, KIND, {"login": login_id}, now=now)
    return cookie_name(login_id), secret


def cookie_name(login_id: str) -> str:
    """Return the name of the cookie of a link asked for."""
    return f"__Host-estime-signin-{sessions.digest(login_id)[:16]}"


def token(secret_key: str, silo_id: int, login_id: str) -> str:
    """Return what the link ends with."""
    message = f"estime profile link\n{silo_id}\n{login_id}".encode()
    return f"{silo_id}.{login_id}.{hmac.digest(secret_key.encode(), message, 'sha256').hex()}"


def read(text: str, *, secret_key: str) -> tuple[int, str]:
    """Return (silo, login) of a link that the tool made; SignInError for any other."""
    found = _TOKEN.fullmatch(text)
    if not found or int(found[1]) >= 2**31:
        raise SignInError(404, "unknown", "profile: link malformed")
    silo_id, login_id = int(found[1]), found[2]
    if not hmac.compare_digest(token(secret_key, silo_id, login_id), text):
        raise SignInError(404, "unknown", "profile: link forged")
    return silo_id, login_id


def check(conn: Connection, silo_id: int, login_id: str, secret: str | None, now: datetime) -> Row[Any]:
    """Return the row of a link that may be used here and now; opening it uses nothing up."""
    p = profile_login.c
    row = conn.execute(select(profile_login).where(*_mine(silo_id, login_id), p.expires_at > now)).first()
    if row is None or row.grant_id is None:
        raise SignInError(410, "stale", "profile: link spent or late")
    if not secret or not hmac.compare_digest(row.binding_hash, sessions.digest(secret)):
        raise SignInError(401, "browser", "profile: link in another browser")
    return row


def spend(
    conn: Connection, silo_id: int, login_id: str, secret: str | None, *, secret_key: str, now: datetime
) -> Grant:
    """Take a link, once, and return the grant that it opens."""
    row = check(conn, silo_id, login_id, secret, now)
    taken = conn.execute(delete(profile_login).where(*_mine(silo_id, login_id))).rowcount
    found = profiles.read(conn, silo_id, row.grant_id, secret_key=secret_key)
    if taken != 1 or found is None or found.is_over(now):
        raise SignInError(410, "stale", "profile: link spent or late")
    return found


def _mine(silo_id: int, login_id: str) -> tuple[Any, ...]:
    p = profile_login.c
    return p.silo_id == silo_id, p.state_hash == login_id, p.kind == "link"


# --- the message ------------------------------------------------------------------------------------------


def send(run: JobRun) -> Mapping[str, Any]:
    """Send the link that somebody asked for, if their address has a grant and the link still lives."""
    login_id, now = str(run.payload["login"]), run.clock()
    p = profile_login.c
    with transaction(run.engine, run.silo_id, write=False) as conn:
        row = conn.execute(
            select(profile_login).where(*_mine(run.silo_id, login_id), p.expires_at > now)
        ).first()
        grant_id = row.grant_id if row is not None else None
        found = grant_id and profiles.read(conn, run.silo_id, grant_id, secret_key=run.settings.secret_key)
        institution = silos.get(conn, run.silo_id).name
    if not found or not found.address or not mail.is_set(run.settings):
        return {}
    made = token(run.settings.secret_key, run.silo_id, login_id)
    written = letter(found, institution, f"{run.settings.public_url}/sign-in/link/{made}")
    try:
        with mail.connected(run.settings) as server:
            server.send(written, name=institution, now=now)
    except mail.Refused:
        return {}  # nobody may know that this address has a grant
    except (mail.Later, mail.Down):
        raise Retry(60.0, "smtp") from None
    return {}


def letter(found: Grant, institution: str, link: str) -> Letter:
    """Return the message that brings a link; in French, like the community's pages by default."""
    before = [
        "Bonjour,",
        f"Vous avez demandé à ouvrir les chiffres de {institution} dans Estime. Ce lien sert une fois, "
        "pendant 15 minutes, dans le navigateur où vous l’avez demandé\u202f:",
    ]
    after = [
        "Si vous ne l’avez pas demandé, ne faites rien\u202f: sans votre navigateur, ce lien n’ouvre rien.",
        institution,
    ]
    html = Markup("").join(Markup("<p>{}</p>\n").format(text) for text in before)
    html += Markup('<p><a href="{0}">Ouvrir Estime</a></p>\n').format(escape(link))
    html += Markup("").join(Markup("<p>{}</p>\n").format(text) for text in after)
    page = Markup(
        '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8"><title>Estime</title></head>\n<body>\n'
    )
    return Letter(
        address=found.address,
        subject="Votre lien pour ouvrir Estime",
        text="\n\n".join([*before, link, *after]) + "\n",
        html=str(page + html + Markup("</body></html>\n")),
    )


def tidy(run: JobRun) -> Mapping[str, Any]:
    """Forget sign-ins that came to nothing, every night."""
    with transaction(run.engine, run.silo_id) as conn:
        p = profile_login.c
        gone = conn.execute(
            delete(profile_login).where(p.silo_id == run.silo_id, p.expires_at <= run.clock())
        ).rowcount
    return {"sign_ins": gone}
