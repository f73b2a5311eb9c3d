"""What templates may call: formats, dates, addresses of the browser files."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from flask import Flask, g
from markupsafe import Markup

from lti_tool import formatting
from lti_tool.language import language
from lti_tool.web.assets import asset


def today() -> date:
    """Return the day of the page, in its course's time zone."""
    return g.today  # type: ignore[no-any-return]


def when(value: date | None) -> Markup:
    """Write a day as people say it, with the exact one on hover and for screen readers."""
    if value is None:
        return Markup("–")
    return _time(value, formatting.day(value, today()), language())


def short(value: date | None) -> Markup:
    """Write a day for a table, with the exact one on hover."""
    if value is None:
        return Markup("–")
    return _time(value, formatting.short_day(value, today()), language())


@lru_cache(maxsize=4096)
def _time(value: date, text: str, _lang: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), formatting.full_day(value), text
    )


def clock(value: datetime) -> Markup:
    """Write the hour of an instant in the page's time zone."""
    local = value.astimezone(g.zone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), formatting.full_day(local.date()), formatting.clock_time(local)
    )


def ago(value: datetime) -> str:
    """Write how long ago an instant was."""
    return formatting.ago(value, g.now)


def install(app: Flask) -> None:
    """Give the application's templates their filters and globals."""
    environment = app.jinja_env
    environment.globals.update(asset=asset, page_locale=language)
    environment.filters.update(
        number=formatting.number,
        percent=formatting.percent,
        duration=formatting.duration,
        hours=formatting.hours,
        fullday=formatting.full_day,
        longday=formatting.long_day,
        when=when,
        shortday=short,
        clock=clock,
        ago=ago,
    )
    environment.trim_blocks = True
    environment.lstrip_blocks = True
