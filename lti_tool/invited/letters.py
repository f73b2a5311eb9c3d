"""The message that brings a link, in French or English, as plain text and as simple HTML. PURE.

Both hold the same sentences; nothing is loaded from anywhere, and nothing tells that it was opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from markupsafe import Markup, escape

from lti_tool.mail import Letter
from tool_config.surveys import Mode

LOCALES = ("fr", "en")


@dataclass(frozen=True)
class Asked:
    """What a message speaks of, in the language that it is written in."""

    institution: str
    #: Title of the questionnaire.
    title: str
    session: str
    #: Module, or "" for the whole session.
    module: str
    minutes: int
    #: Last day on which it may be answered.
    last_day: date
    mode: Mode
    #: Days after that day when the address is deleted.
    kept_days: int


@dataclass(frozen=True)
class Own:
    """The institution's own words, with places between braces; "" for those of the tool."""

    subject: str = ""
    #: What comes before the link, paragraphs apart by an empty line.
    text: str = ""


_SAID: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "subject": "Votre avis : {title}",
        "again": "Rappel, votre avis : {title}",
        "hello": "Bonjour,",
        "ask": "{institution} vous demande votre avis{about} : « {title} ».",
        "recall": "Nous n’avons pas encore reçu votre avis{about} : « {title} ».",
        "session": " sur la session « {session} »",
        "module": " sur « {module} », dans la session « {session} »",
        "how": "Le questionnaire prend {minutes} min environ et s’ouvre sans compte ni mot de passe, "
        "jusqu’au {day} inclus :",
        "button": "Répondre au questionnaire",
        "once": "Ce lien est personnel et sert pour une seule réponse : ne le transférez pas.",
        "anonymous": "Le questionnaire est anonyme : rien ne relie vos réponses à vous.",
        "pseudonymous": "Vos réponses sont gardées sous un pseudonyme : personne ne voit qui a répondu quoi.",
        "address": "Votre adresse ne sert qu’à cet envoi. Elle est gardée chiffrée, et supprimée {days} "
        "jours après la clôture. Pour toute question ou pour ne plus rien recevoir, répondez à ce message.",
    },
    "en": {
        "subject": "Your opinion: {title}",
        "again": "Reminder, your opinion: {title}",
        "hello": "Hello,",
        "ask": "{institution} would like your opinion{about}: “{title}”.",
        "recall": "We have not received your opinion{about} yet: “{title}”.",
        "session": " on the session “{session}”",
        "module": " on “{module}”, in the session “{session}”",
        "how": "The questionnaire takes about {minutes} min and opens without an account or a password, "
        "until the end of {day}:",
        "button": "Answer the questionnaire",
        "once": "This link is personal and good for one answer: please do not forward it.",
        "anonymous": "The questionnaire is anonymous: nothing ties your answers to you.",
        "pseudonymous": "Your answers are kept under a pseudonym: nobody sees who answered what.",
        "address": "Your address is used for this message only. It is kept encrypted, and deleted {days} "
        "days after the closing. To ask a question or to receive nothing more, answer this message.",
    },
}


_TOOLS_WORDS = Own()


def letter(
    asked: Asked, *, address: str, link: str, locale: str, again: bool = False, own: Own = _TOOLS_WORDS
) -> Letter:
    """Return the message; `again`: a reminder."""
    said = _SAID[locale if locale in LOCALES else "fr"]
    about = ""
    if asked.session:
        about = said["module" if asked.module else "session"].format(
            module=asked.module, session=asked.session
        )
    values = {
        "institution": asked.institution,
        "title": asked.title,
        "about": about,
        "minutes": asked.minutes,
        "day": format_date(asked.last_day, "d MMMM y", locale=locale),
        "days": asked.kept_days,
    }
    before = [
        said["hello"],
        said["recall" if again else "ask"].format_map(values),
        said["how"].format_map(values),
    ]
    places = {
        "institution": asked.institution, "questionnaire": asked.title, "session": asked.session,
        "module": asked.module, "minutes": asked.minutes, "date": values["day"],
    }  # fmt: skip
    if own.text:
        before = [part.strip() for part in own.text.format_map(places).split("\n\n") if part.strip()]
    after = [said["once"], said[asked.mode], said["address"].format_map(values)]
    signed = asked.institution
    return Letter(
        address=address,
        subject=" ".join(own.subject.format_map(places).split())
        or said["again" if again else "subject"].format_map(values),
        text="\n\n".join([*before, link, *after, signed]) + "\n",
        html=_html(before, link, said["button"], after, signed, locale),
    )


def _html(
    before: Sequence[str], link: str, button: str, after: Sequence[str], signed: str, locale: str
) -> str:
    def paragraphs(texts: Sequence[str]) -> Markup:
        return Markup("").join(Markup("<p>{}</p>\n").format(text) for text in texts)

    return str(
        Markup(
            '<!doctype html>\n<html lang="{locale}"><head><meta charset="utf-8">'
            "<title>{button}</title></head>\n"
            '<body style="font-family:sans-serif;font-size:16px;line-height:1.5;max-width:40em">\n{before}'
            '<p><a href="{link}">{button}</a></p>\n<p style="word-break:break-all">{link}</p>\n{after}'
            "<p>{signed}</p>\n</body></html>\n"
        ).format(
            locale=locale,
            button=button,
            link=escape(link),
            before=paragraphs(before),
            after=paragraphs(after),
            signed=signed,
        )
    )
