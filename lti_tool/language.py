"""Messages in the language of the page: gettext with its types. Message ids are the French texts.

Outside a request the message itself comes back, in French.
"""

from __future__ import annotations

import flask_babel


def gettext(message: str, /, **values: object) -> str:
    """Return a message in the page's language; `%(name)s` stands for a value."""
    return str(flask_babel.gettext(message, **values))


def ngettext(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Return the form that fits a count; `%(num)d` stands for it. In French, 0 is singular."""
    return str(flask_babel.ngettext(singular, plural, count, **values))


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return a message that the context tells from another of the same words."""
    return str(flask_babel.pgettext(context, message, **values))


def language() -> str:
    """Return the language of the page, two letters: "fr" unless the reader asked for another that exists."""
    return str(flask_babel.get_locale() or "fr")[:2]
