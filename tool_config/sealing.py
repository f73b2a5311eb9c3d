"""Secrets of others that the tool keeps: encrypted with the secret key of the settings, for one use each."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealError(Exception):
    """What was sealed with another secret key, or for another use."""


def seal(secret_key: str, use: str, text: str) -> str:
    """Return a text encrypted for one use ("forward 3 backup"); nothing but the same use opens it."""
    return _cipher(secret_key, use).encrypt(text.encode()).decode()


def unseal(secret_key: str, use: str, sealed: str) -> str:
    """Return the text; raises SealError."""
    try:
        return _cipher(secret_key, use).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealError(f"the secret of {use} was sealed with another secret key") from None


def _cipher(secret_key: str, use: str) -> Fernet:
    """Derive the cipher of one use (HKDF, RFC 5869)."""
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"estime secret of {use}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))
