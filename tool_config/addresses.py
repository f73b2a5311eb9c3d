"""Professional addresses, known by a keyed hash only: the same person in two files of one silo."""

from __future__ import annotations

import hmac
import unicodedata

from tool_config.silos import Silo


def digest(owner: Silo, address: str) -> str:
    """Return the hash of an address under the silo's own key: "m:" and 32 hexadecimal digits.

    Capitals and spaces do not count. Nobody without the key can go from an address to it, and it tells
    nothing from one silo to another.
    """
    plain = unicodedata.normalize("NFC", address).strip().casefold()
    return "m:" + hmac.digest(owner.pseudonym_key, b"address\n" + plain.encode(), "sha256").hex()[:32]
