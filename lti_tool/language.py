"""Messages in the language of the page: gettext with its types. Message ids are the French texts.

Outside a request the message itself comes back, in French.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from gettext import NullTranslations
from pathlib import Path

import flask_babel
from babel.support import Translations
from flask import Flask, g, has_request_context


def gettext(message: str, /, **values: object) -> str:
    """Return a message in the page's language; `%(name)s` stands for a value."""
    said = _catalogue().gettext(message)
    return said % _isolated(values) if values else said


def ngettext(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Return the form that fits a count; `%(num)d` stands for it. In French, 0 is singular."""
    return _catalogue().ngettext(singular, plural, count) % {
        "num": count,
        **_isolated(values),
    }


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return a message that the context tells from another of the same words."""
    said = _catalogue().pgettext(context, message)
    return said % _isolated(values) if values else said


def _isolated(values: Mapping[str, object]) -> dict[str, object]:
    """Keep a name or a title written from right to left from carrying the words around it along.

    It is put between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode, UAX 9, 2.7).
    """
    return {
        name: f"\u2068{value}\u2069" if type(value) is str and _RIGHT_TO_LEFT.search(value) else value
        for name, value in values.items()
    }


_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def language() -> str:
    """Return the language of the page, two letters: "fr" unless the reader asked for another that exists."""
    return str(flask_babel.get_locale() or "fr")[:2]


def install_messages(app: Flask) -> None:
    """Give the templates the same catalogue, found once a page and not once a message."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: _catalogue().gettext(message),
        lambda singular, plural, count: _catalogue().ngettext(singular, plural, count),
        newstyle=True,
        pgettext=lambda context, message: _catalogue().pgettext(context, message),
        npgettext=lambda context, one, many, count: _catalogue().npgettext(context, one, many, count),
    )


def _catalogue() -> NullTranslations:
    """Return the messages of the page's language; of none outside a request."""
    if not has_request_context():
        return _NONE
    kept = g.__dict__  # one look-up of the page's own object: hundreds of messages make a page
    if kept.get("catalogue_of", _NONE) != kept.get("locale"):
        kept["catalogue"], kept["catalogue_of"] = _read(language()), kept.get("locale")
    found: NullTranslations = kept["catalogue"]
    return found


@cache
def _read(language: str) -> NullTranslations:
    """Read a catalogue, once a process: Flask-Babel reads its file at every page."""
    return Translations.load(_FOLDER, [language])


_NONE = NullTranslations()
_FOLDER = Path(__file__).parent / "translations"
