"""Every kind of background work: who does it, and what comes back every day.

A room adds its kinds here, by a line; handlers that need heavy libraries import them when they run.
"""

from __future__ import annotations

from collections.abc import Mapping

from lti_tool.jobs import Kind, Periodic

KINDS: Mapping[str, Kind] = {}

PERIODIC: tuple[Periodic, ...] = ()
