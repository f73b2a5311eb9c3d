"""Tools of a site and their registration, as Moodle does it (mod/lti, LTI Dynamic Registration 1.0)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.sandbox.campus import Campus
from lti_tool.sandbox.programme import Site
from lti_tool.sandbox.tools import GRADES, NRPS, Tool

_SPEC = "https://purl.imsglobal.org/spec/"
_TOOL = f"{_SPEC}lti-tool-configuration"
_OTHER_SCOPES = (f"{_SPEC}lti-bo/scope/basicoutcome", f"{_SPEC}lti-ts/scope/toolsetting", "openid")
_LETTERS = string.ascii_letters + string.digits
#: Seconds for which a registration token may serve.
_HOUR = 3600


def blueprint(campus: Campus) -> Blueprint:
    """Return what is under /mod/lti of each site for its tools."""
    admin = Blueprint("registering", __name__)
    _pages(admin, campus)
    _endpoints(admin, campus)
    return admin


def _pages(admin: Blueprint, campus: Campus) -> None:
    @admin.route("/toolconfigure.php", methods=["GET", "POST"])
    def tools(site: str) -> str:
        """Show the tools of the site; a tool's address posted here opens in a frame, to register itself."""
        person = campus.administrator(site, request.values.get("as", "2"))
        url = request.form.get("url", "").strip()
        return render_template(
            "sandbox/tools.html",
            site=campus.site(site),
            person=person,
            tools=[tool for tool in campus.registry.tools if tool.site == site],
            start=f"startltiadvregistration.php?{urlencode({'url': url, 'as': person.user_id})}"
            if url
            else "",
        )

    @admin.get("/startltiadvregistration.php")
    def start(site: str) -> AnyResponse:
        """Send the administrator's frame to the tool, with where to read about this site and a token."""
        campus.administrator(site, request.args.get("as", "2"))
        issuer, now = campus.site(site).issuer, int(campus.clock().timestamp())
        client_id = "".join(secrets.choice(_LETTERS) for _ in range(15))
        token = campus.key.sign({"sub": client_id, "scope": "reg", "iat": now, "exp": now + _HOUR})
        asked = {
            "openid_configuration": f"{issuer}/mod/lti/openid-configuration.php",
            "registration_token": token,
        }
        url = request.args.get("url", "")
        return redirect(f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}", 303)

    @admin.post("/activate.php")
    def activate(site: str) -> AnyResponse:
        """Accept a tool that registered itself."""
        person = campus.administrator(site, request.form.get("as", "2"))
        tool = campus.registry.tool(site, request.form.get("type", ""))
        if tool is not None:
            campus.registry.activate(tool)
        return redirect(f"/{site}/mod/lti/toolconfigure.php?as={person.user_id}", 303)


def _endpoints(admin: Blueprint, campus: Campus) -> None:
    @admin.get("/openid-configuration.php")
    def configuration(site: str) -> Response:
        return jsonify(_configuration(campus.site(site)))

    @admin.post("/openid-registration.php")
    def register(site: str) -> Response | tuple[Response, int]:
        """Register the tool that brings the token given to it, once; it then waits to be activated."""
        campus.site(site)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            return _no("missing_registration_token", 401)
        said = campus.key.read(token)
        if said is None or said.get("scope") != "reg" or said["exp"] <= campus.clock().timestamp():
            return _no("invalid_registration_token", 401)
        if campus.registry.client(site, str(said["sub"])) is not None:
            return _no("token_already_used", 401)
        wanted = request.get_json(silent=True)
        if not isinstance(wanted, dict):
            return _no("invalid_request", 400)
        fault = _fault(wanted)
        if fault:
            return _no(fault, 400)
        tool = campus.registry.add_tool(_tool(site, str(said["sub"]), wanted))
        return jsonify(_answer(tool, wanted))


def _no(reason: str, status: int) -> tuple[Response, int]:
    return jsonify(error=reason), status


def _configuration(site: Site) -> dict[str, Any]:
    base = f"{site.issuer}/mod/lti"
    return {
        "issuer": site.issuer,
        "token_endpoint": f"{base}/token.php",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": f"{base}/certs.php",
        "authorization_endpoint": f"{base}/auth.php",
        "registration_endpoint": f"{base}/openid-registration.php",
        "scopes_supported": [*GRADES, NRPS, *_OTHER_SCOPES],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        f"{_SPEC}lti-platform-configuration": {
            "product_family_code": "moodle",
            "version": "4.5.6 (Build: 20250811)",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
            "variables": ["Context.id", "Context.id.history", "User.username", "Moodle.Person.userGroupIds"],
        },
    }


def _fault(wanted: Mapping[str, Any]) -> str:
    """Return Moodle's word for what is wrong with a registration, or ""."""
    needed = ("response_types", "initiate_login_uri", "redirect_uris", "client_name", "jwks_uri", _TOOL)
    for name in needed:
        if not wanted.get(name):
            return f"missing_{name.rpartition('/')[2].replace('-', '_')}"
    if not isinstance(wanted["redirect_uris"], list):
        return "invalid_redirect_uris"
    if "id_token" not in wanted["response_types"]:
        return "invalid_response_types"
    if wanted.get("token_endpoint_auth_method") != "private_key_jwt":
        return "invalid_token_endpoint_auth_method"
    if wanted.get("application_type", "web") != "web":
        return "invalid_application_type"
    about = wanted[_TOOL]
    if not about.get("domain"):
        return "missing_domain"
    if urlsplit(about.get("target_link_uri", "")).netloc != about["domain"]:
        return "domain_targetlinkuri_mismatch"
    return ""


def _tool(site: str, client_id: str, wanted: Mapping[str, Any]) -> Tool:
    about, scopes = wanted[_TOOL], str(wanted.get("scope", "")).split()
    placing = [m for m in about.get("messages", []) if m.get("type") == "LtiDeepLinkingRequest"]
    claims = about.get("claims") or []
    return Tool(
        site=site,
        type_id="",
        client_id=client_id,
        name=wanted["client_name"],
        login_url=wanted["initiate_login_uri"],
        launch_url=about["target_link_uri"],
        placing_url=placing[0].get("target_link_uri", about["target_link_uri"]) if placing else "",
        redirect_uris=tuple(wanted["redirect_uris"]),
        jwks_url=wanted["jwks_uri"],
        description=about.get("description", ""),
        icon=wanted.get("logo_uri", ""),
        state="pending",
        scopes=(*(GRADES if GRADES[0] in scopes else ()), *((NRPS,) if NRPS in scopes else ())),
        names="given_name" in claims,
        emails="email" in claims,
        parameters=about.get("custom_parameters") or {},
    )


def _answer(tool: Tool, wanted: Mapping[str, Any]) -> dict[str, Any]:
    about = wanted[_TOOL]
    claims = ["sub", "iss"]
    if tool.names:
        claims += ["name", "family_name", "given_name"]
    if tool.emails:
        claims.append("email")
    return {
        "client_id": tool.client_id,
        "token_endpoint_auth_method": "private_key_jwt",
        "response_types": ["id_token"],
        "jwks_uri": tool.jwks_url,
        "initiate_login_uri": tool.login_url,
        "grant_types": ["client_credentials", "implicit"],
        "redirect_uris": list(tool.redirect_uris),
        "application_type": "web",
        "client_name": tool.name,
        "logo_uri": tool.icon,
        "scope": " ".join(tool.scopes),
        _TOOL: {
            "version": "1.3.0",
            "deployment_id": tool.type_id,
            "domain": about["domain"],
            "target_link_uri": tool.launch_url,
            "description": tool.description,
            "custom_parameters": dict(tool.parameters),
            "claims": claims,
            "messages": [{"type": "LtiDeepLinkingRequest", "target_link_uri": tool.placing_url}]
            if tool.placing_url
            else [],
        },
    }
