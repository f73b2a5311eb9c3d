"""PURE: signed statements: a JSON Web Signature that says the same (xAPI 1.0.3 Data 2.6, RFC 7515)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from xapi import json_text, statement
from xapi.errors import XapiError

USAGE = "http://adlnet.gov/expapi/attachments/signature"
CONTENT_TYPE = "application/octet-stream"

_ALGORITHMS: Mapping[str, type[hashes.HashAlgorithm]] = {
    "RS256": hashes.SHA256,
    "RS384": hashes.SHA384,
    "RS512": hashes.SHA512,
}
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*")
#: Bits of the largest key that is worked with.
_LARGEST_KEY = 8_192


def check(signed: Mapping[str, Any], token: bytes, version: str) -> None:
    """Refuse a signature that is broken, of another algorithm, or of another statement; raises XapiError.

    `signed`: the statement that carries the signature. With certificates in its header (x5c) the signature
    is verified with the first; without, nothing says by which key, and its form and payload are checked. Who
    the certificate belongs to is for the reader to judge.
    """
    parts = token.strip().split(b".")
    if len(parts) != 3:
        raise XapiError("the signature is not a JSON Web Signature in its compact form")
    head, payload, mark = (_decoded(part) for part in parts)
    header = _json(head, "header")
    algorithm = _ALGORITHMS.get(str(header.get("alg")))
    if algorithm is None:
        raise XapiError("the signature must be of RS256, RS384 or RS512")
    if "crit" in header:
        raise XapiError("the signature asks for extensions that are not known here")
    if not mark:
        raise XapiError("the signature is empty")
    if "x5c" in header:
        _verify(_key(header["x5c"]), mark, parts[0] + b"." + parts[1], algorithm())
    said = _json(payload, "payload")
    try:
        statement.validate(said, version)
    except XapiError as fault:
        raise XapiError(f"the payload of the signature is not a statement: {fault}") from None
    if not statement.equivalent(said, signed):
        raise XapiError("the payload of the signature is another statement")


def _decoded(part: bytes) -> bytes:
    if not _BASE64URL.fullmatch(part):
        raise XapiError("the signature is not in base64url")
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise XapiError("the signature is not in base64url") from None


def _json(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = json_text.load(text)
    except XapiError:
        value = None
    if not isinstance(value, dict):
        raise XapiError(f"the {what} of the signature is not a JSON object")
    return value


def _key(chain: Any) -> RSAPublicKey:
    """Return the key of the first certificate of a chain."""
    first = chain[0] if isinstance(chain, list) and chain else None
    if not isinstance(first, str):
        raise XapiError("x5c of the signature must be an array of certificates")
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(first, validate=True)).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise XapiError(f"the certificate of the signature cannot be read: {type(error).__name__}") from None
    if not isinstance(key, RSAPublicKey) or key.key_size > _LARGEST_KEY:
        raise XapiError("the certificate of the signature must hold an RSA key")
    return key


def _verify(key: RSAPublicKey, mark: bytes, content: bytes, algorithm: hashes.HashAlgorithm) -> None:
    try:
        key.verify(mark, content, PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError):
        raise XapiError("the signature is not that of its certificate") from None
