"""The threads that work beside the web: derived tables kept fresh, jobs done, copies sent to other stores."""

from __future__ import annotations

from pathlib import Path

from lti_tool import surveys
from lti_tool.forwarding import Forwarder, Peers
from lti_tool.imports.watching import Watcher
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
        folder = tool.settings.watched_dir
        self._watcher = Watcher(tool.engine, Path(folder), tool.clock) if folder else None
        self._forwarder = Forwarder(tool.engine, tool.clock, Peers(tool.settings.secret_key).post)

    def start(self) -> None:
        """Start the threads; they end with the process."""
        self._worker.start()
        self._runner.start()
        self._forwarder.start()
        if self._watcher is not None:
            self._watcher.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Let the current transactions end, put back the jobs being done, and end the threads."""
        if self._watcher is not None:
            self._watcher.stop(timeout)
        self._forwarder.stop(timeout)
        self._runner.stop(timeout)
        self._worker.stop(timeout)
