"""The box of an anonymous questionnaire: who answered, what is held; PURE.

Both are one value each, rewritten whole at each answer. People are sorted keyed digests. Held answers are
shuffled, padded to a constant size and encrypted anew each time, so that two successive states (a
write-ahead log, a dead row, a backup) do not show which answer came with whom. The key is derived from
the secret key of the settings, which is not in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from random import SystemRandom
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tool_config.surveys import Template

#: Answers of one person: question -> point or text.
Answers = dict[str, int | str]

#: Bytes that stand for one person.
DIGEST = 16
_NONCE = 12
#: Bytes of one character in JSON at most; a question's name, quotes and separators beside its answer.
_CHARACTER = 4
_BESIDE = 80


class BoxError(Exception):
    """A box that this secret key does not open."""


def key(secret_key: str) -> bytes:
    """Derive the key of the boxes from the secret key of the settings (HKDF, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"estime survey box").derive(
        secret_key.encode()
    )


def digest(box_key: bytes, survey_id: str, actor: str) -> bytes:
    """Return what stands for a person in one box: 16 bytes, another in each questionnaire."""
    return hmac.digest(box_key, f"participant\n{survey_id}\n{actor}".encode(), hashlib.sha256)[:DIGEST]


def count(participants: bytes) -> int:
    """Return how many people answered."""
    return len(participants) // DIGEST


def has(participants: bytes, person: bytes) -> bool:
    """Say whether a person answered."""
    return person in _people(participants)


def add(participants: bytes, person: bytes) -> bytes:
    """Return the participants with one more, sorted: the place says nothing of when."""
    return b"".join(sorted({*_people(participants), person}))


def without(participants: bytes, people: set[bytes], drawn: Callable[[int], bytes]) -> bytes:
    """Return the participants with numbers drawn in the places of some: the count stays, they are nobody."""
    return b"".join(sorted(drawn(DIGEST) if one in people else one for one in _people(participants)))


def _people(participants: bytes) -> list[bytes]:
    return [participants[at : at + DIGEST] for at in range(0, len(participants), DIGEST)]


def room(template: Template, sets: int) -> int:
    """Return the bytes that `sets` answers to a template take at most: the size of every box of it."""
    one = sum(question.max_length * _CHARACTER + _BESIDE for question in template.questions)
    return sets * one + 2


def seal(box_key: bytes, survey_id: str, held: list[Answers], size: int) -> bytes:
    """Shuffle, pad to `size` bytes and encrypt; raises ValueError when that is too small."""
    shuffled = SystemRandom().sample(held, len(held))
    plain = orjson.dumps(shuffled)
    if len(plain) > size:
        raise ValueError("the answers held do not fit in their box")
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(box_key).encrypt(nonce, plain.ljust(size), survey_id.encode())


def unseal(box_key: bytes, survey_id: str, held: bytes) -> list[Answers]:
    """Return the answers held; BoxError when the secret key is not the one that sealed them."""
    try:
        plain = AESGCM(box_key).decrypt(held[:_NONCE], held[_NONCE:], survey_id.encode())
    except InvalidTag:
        raise BoxError(f"the box of the questionnaire {survey_id} was sealed with another key") from None
    except ValueError:
        raise BoxError(f"the box of the questionnaire {survey_id} is cut short") from None
    found: list[Any] = orjson.loads(plain)
    return found


def draw(held: list[Answers], n: int) -> tuple[list[Answers], list[Answers]]:
    """Return `n` answers drawn at random, in a random order, and those that stay."""
    mixed = SystemRandom().sample(held, len(held))
    return mixed[:n], mixed[n:]
