"""Message ids are French as it is typeset; the English catalogue is complete; plurals are right in French."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

import lti_tool

ROOM = Path(lti_tool.__file__).parent
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@pytest.fixture(scope="module")
def messages() -> Catalog:
    """Return every message of the pages, as extracted from code and templates."""
    found = Catalog()
    with open(ROOM.parent / "babel.cfg") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
    for _, _, message, _, context in extract_from_dir(ROOM, methods, options, keywords):
        found.add(message, context=context)
    return found


def _catalogue(language: str) -> Catalog:
    with open(ROOM / "translations" / language / "LC_MESSAGES" / "messages.po", "rb") as file:
        return read_po(file, locale=language)


def _texts(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def test_there_are_messages(messages: Catalog) -> None:
    assert len(messages) > 300


#: A straight apostrophe; a sign without its narrow space before; a guillemet without its narrow space.
_PLAIN = re.compile(r"'|(?<![\u202f<(/\d])[;?!](?!\w)|(?<![\u202fps\d]):(?=\s|$)|(?<!\u202f)»|«(?!\u202f)")


def test_french_is_typeset(messages: Catalog) -> None:
    found = [text for message in messages if message.id for text in _texts(message) if _PLAIN.search(text)]
    assert found == []


def test_french_avoids_words_that_judge(messages: Catalog) -> None:
    forbidden = re.compile(r"à risque|décroch|à l’arrêt|jamais entré|retient", re.I)
    found = [text for message in messages if message.id for text in _texts(message) if forbidden.search(text)]
    assert found == []


def test_english_is_complete(messages: Catalog) -> None:
    english = _catalogue("en")
    missing = []
    for message in messages:
        if not message.id:
            continue
        known = english.get(message.id, context=message.context)
        texts = (known.string if isinstance(known.string, tuple) else (known.string,)) if known else ()
        if not texts or not all(texts) or len(texts) != len(_texts(message)):
            missing.append(message.id)
    assert missing == []


def test_english_keeps_every_value(messages: Catalog) -> None:
    faults = []
    for message in _catalogue("en"):
        if message.id:
            said = message.string if isinstance(message.string, tuple) else (message.string,)
            wanted = set(_PLACEHOLDER.findall(_texts(message)[-1]))
            faults += [message.id for text in said[-1:] if set(_PLACEHOLDER.findall(text)) != wanted]
    assert faults == []


def test_the_catalogues_can_be_compiled() -> None:
    """A percent sign before a letter may be taken for a placeholder, and stops the set-up."""
    for language in ("fr", "en"):
        catalogue = _catalogue(language)
        assert [message.id for message in catalogue if message.id and message.check(catalogue)] == []


def test_zero_is_singular_in_french(messages: Catalog) -> None:
    compiled = BytesIO()
    write_mo(compiled, _catalogue("fr"))
    compiled.seek(0)
    french = Translations(compiled)
    plurals = [message.id for message in messages if message.id and not isinstance(message.id, str)]
    assert plurals
    for singular, plural in plurals:
        assert french.ungettext(singular, plural, 0) == singular
        assert french.ungettext(singular, plural, 2) == plural
