"""Jobs done at once, in the thread of the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select

from lti_tool.job_kinds import KINDS, PERIODIC
from lti_tool.job_runner import Runner
from lti_tool.job_tables import job
from lti_tool.jobs import Kind
from lti_tool.outbound import Outbound
from lti_tool.tool import Tool
from tool_config import rules
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.cache import MemoryCache


def make_tool(settings: Settings, engine: Engine, clock: Any) -> Tool:
    """Return what handlers work with; loopback may be asked."""
    return Tool(settings, engine, clock, Outbound(allow_local=True), MemoryCache(), rules.load())


def drain(tool: Tool, kinds: Mapping[str, Kind] = KINDS, *, plans: bool = False) -> int:
    """Do every job that is due, and return how many were done."""
    runner, done = Runner(tool, kinds, PERIODIC), 0
    while count := runner.turn(plans=plans):
        done += count
    return done


def listed(engine: Engine, silo: int, kind: str) -> list[Any]:
    """Return the jobs of a kind, the oldest first."""
    with transaction(engine, silo, write=False) as conn:
        wanted = select(job).where(job.c.silo_id == silo, job.c.kind == kind)
        return list(conn.execute(wanted.order_by(job.c.created_at, job.c.job_id)))
