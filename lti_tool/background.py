"""The threads that work beside the web: derived tables kept fresh, jobs done."""

from __future__ import annotations

from lti_tool import surveys
from lti_tool.job_kinds import KINDS, PERIODIC
from lti_tool.job_runner import Runner
from lti_tool.tool import Tool
from lti_tool.worker import Worker


class Background:
    """What `estime serve`, `estime demo` and `estime worker` start, and stop at their end."""

    def __init__(self, tool: Tool) -> None:
        closer = surveys.closer(tool.settings.secret_key, tool.rules.disclosure.course)
        self._worker = Worker(tool.engine, tool.clock, close_surveys=closer)
        self._runner = Runner(tool, KINDS, PERIODIC)

    def start(self) -> None:
        """Start the threads; they end with the process."""
        self._worker.start()
        self._runner.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Let the current transactions end, put back the jobs being done, and end the threads."""
        self._runner.stop(timeout)
        self._worker.stop(timeout)
