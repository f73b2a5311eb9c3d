"""What every request works with: settings, store, clock, HTTP client, cache, rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from lti_tool.outbound import Outbound
from tool_config.rules import Rules
from tool_config.settings import Settings
from xapi.cache import Cache


@dataclass(frozen=True)
class Tool:
    """What request handlers work with: ``current_app.extensions["estime"]``."""

    settings: Settings
    engine: Engine
    clock: Callable[[], datetime]
    http: Outbound
    cache: Cache
    rules: Rules
