"""Numbers, durations and dates as people say them, in the language of the page."""

from __future__ import annotations

import math
from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import format_decimal

from lti_tool.language import gettext, language, ngettext, pgettext

#: Narrow no-break space: before ; : ? ! % and inside durations, in French.
NARROW = "\u202f"
#: What stands where there is no value.
NOTHING = "–"


def number(value: float | int | None, digits: int = 0) -> str:
    """Write a number with at most `digits` decimals, thousands apart by a narrow space in French."""
    return NOTHING if value is None else _number(float(value), digits, language())


@lru_cache(maxsize=4096)
def _number(value: float, digits: int, lang: str) -> str:
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return str(format_decimal(value, format=pattern, locale=lang))


def percent(value: float | None) -> str:
    """Write a share of 1 in whole per cent; what is not quite 0 or 100 never rounds to it."""
    if value is None:
        return NOTHING
    whole = math.floor(value * 100 + 0.5)
    if 0 < value < 1:
        whole = min(99, max(1, whole))
    return f"{whole}{NARROW}%" if language() == "fr" else f"{whole}%"


def duration(seconds: float | None) -> str:
    """Write a time spent: "1 h 50", "55 min"; under a minute says so."""
    if seconds is None:
        return NOTHING
    minutes = math.floor(seconds / 60 + 0.5)
    if minutes < 1:
        return gettext("moins d’une minute") if seconds > 0 else f"0{NARROW}min"
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}{NARROW}min"
    return f"{hours}{NARROW}h{NARROW}{rest:02d}" if rest else f"{hours}{NARROW}h"


def hours(value: float | None) -> str:
    """Write planned hours: 1.5 is "1 h 30"."""
    return NOTHING if value is None else duration(value * 3600)


def day(value: date, today: date) -> str:
    """Write a day as people say it, inside a sentence: "hier", "dans 3 jours", "le 14 novembre"."""
    return _day(value, (value - today).days, value.year == today.year, language())


@lru_cache(maxsize=4096)
def _day(value: date, ahead: int, same_year: bool, lang: str) -> str:
    if -1 <= ahead <= 1:
        return (gettext("hier"), gettext("aujourd’hui"), gettext("demain"))[ahead + 1]
    if 1 < ahead <= 14:
        return ngettext("dans %(num)d jour", "dans %(num)d jours", ahead)
    if -14 <= ahead < -1:
        return ngettext("il y a %(num)d jour", "il y a %(num)d jours", -ahead)
    written = long_day(value) if not same_year else _date(value, "d MMMM", lang)
    return pgettext("day in a sentence", "le %(date)s") % {"date": written}


def short_day(value: date | None, today: date) -> str:
    """Write a day for a table: "14 nov.", with the year when it is another one."""
    if value is None:
        return NOTHING
    return _date(value, "d MMM" if value.year == today.year else "d MMM y", language())


def long_day(value: date) -> str:
    """Write a day in full without its name: "14 novembre 2026"."""
    return _date(value, "d MMMM y", language())


def full_day(value: date) -> str:
    """Write a day with its name: "samedi 14 novembre 2026"."""
    return _date(value, "EEEE d MMMM y", language())


def week_label(monday: date) -> str:
    """Write the first day of a week for an axis: "9 nov."."""
    return _date(monday, "d MMM", language())


@lru_cache(maxsize=8192)
def _date(value: date, pattern: str, lang: str) -> str:
    text = str(format_date(value, pattern, locale=lang))
    if lang == "fr" and value.day == 1:
        text = text.replace("1 ", "1er ", 1)
    return text


def ago(moment: datetime, now: datetime) -> str:
    """Write how long ago something was, from seconds to days."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return gettext("à l’instant")
    if seconds < 3600:
        return ngettext("il y a %(num)d minute", "il y a %(num)d minutes", seconds // 60)
    if seconds < 86400:
        return ngettext("il y a %(num)d heure", "il y a %(num)d heures", seconds // 3600)
    return ngettext("il y a %(num)d jour", "il y a %(num)d jours", seconds // 86400)


def clock_time(moment: datetime) -> str:
    """Write the hour of an instant already in the course's time zone: "8 h 02"."""
    if language() == "fr":
        return f"{moment.hour}{NARROW}h{NARROW}{moment.minute:02d}"
    return f"{moment.hour}:{moment.minute:02d}"


def _words() -> tuple[str, ...]:
    return (
        gettext("aucune"), gettext("une"), gettext("deux"), gettext("trois"), gettext("quatre"),
        gettext("cinq"), gettext("six"), gettext("sept"), gettext("huit"), gettext("neuf"), gettext("dix"),
        gettext("onze"), gettext("douze"), gettext("treize"), gettext("quatorze"), gettext("quinze"),
        gettext("seize"),
    )  # fmt: skip


def in_words(count: int) -> str:
    """Write a small count of people in words (feminine: "une personne"); figures from 17 on."""
    return _words()[count] if 0 <= count <= 16 else number(count)


def first_capital(text: str) -> str:
    """Raise the first letter only."""
    return text[:1].upper() + text[1:]
