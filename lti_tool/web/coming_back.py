"""Somebody who was erased opens Estime again: they are told, and come back only if they say so."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, make_response, render_template, request

from lti_tool import audit
from lti_tool.arrival import Erased
from lti_tool.login import Refused
from lti_tool.web.guard import tool
from tool_config.database import transaction
from tool_config.sealing import SealError, seal, unseal
from xapi import tombstones

_USE = "coming back"
#: Seconds for which the page's button serves.
_LIFETIME = 900


def welcome(refusal: Erased) -> Response:
    """Say that everything was erased; nothing is written of who came."""
    here, silo_id = tool(), int(g.silo_id)
    with transaction(here.engine, silo_id) as conn:
        audit.write(
            conn, silo_id, at=here.clock(), action="launch", accepted=False, reason=refusal.reason
        )  # fmt: skip
    until = int(here.clock().timestamp()) + _LIFETIME
    token = seal(here.settings.secret_key, _USE, f"{silo_id} {refusal.who} {until}")
    root = urlsplit(here.settings.public_url).path.rstrip("/")
    page = render_template("lti/erased.html", token=token, here=f"{root}/lti/return", back=False)
    return make_response(page, refusal.status)


def come_back() -> Response:
    """Take away the tombstones of who asks: their own consent, given on the page that they were shown."""
    here = tool()
    try:
        said = unseal(here.settings.secret_key, _USE, request.form.get("token", ""))
    except (SealError, ValueError):
        raise Refused(401, "stale", "return: token forged") from None
    silo_id, who, until = said.split(" ")
    if int(until) < here.clock().timestamp():
        raise Refused(401, "stale", "return: late")
    g.silo_id = int(silo_id)
    with transaction(here.engine, g.silo_id) as conn:
        tombstones.lift(conn, g.silo_id, who)
        audit.write(
            conn, g.silo_id, at=here.clock(), action="edit", accepted=True, reason="privacy: back"
        )  # fmt: skip
    return make_response(render_template("lti/erased.html", token="", here="", back=True))
