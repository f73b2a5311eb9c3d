"""The demo furnished twice on the same data holds nothing twice."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from lti_tool.sandbox.seed import furnish
from lti_tool.tool import Tool
from tests.browser.conftest import Running
from tool_config.database import administration
from xapi.tables import event, membership, outline_item, statement

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_furnishing_again_doubles_nothing(running: Running) -> None:
    tool: Tool = running.demo.tool.extensions["estime"]

    def counts() -> list[int]:
        with administration(tool.engine) as conn:
            tables = (statement, event, membership, outline_item)
            return [conn.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]

    before = counts()
    furnish(running.demo.tool, running.demo.campus, lambda _: None)
    assert counts() == before
    assert before[0] > 6_000
