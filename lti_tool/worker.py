"""The thread that keeps derived tables fresh while the tool runs in one process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from lti_tool import jobs, surveys
from lti_tool.community import work as community
from lti_tool.imports import overtaken
from tool_config.database import transaction
from tool_config.silos import list_ids
from xapi import rollup

log = logging.getLogger(__name__)

#: Buckets of one transaction: short enough that a statement sent meanwhile hardly waits.
_BUCKETS = 300
#: Seconds left to writers between two transactions (SQLite has one writer, which is not queued fairly).
_BREATH = 0.1
#: Between two looks at the questionnaires of a silo that are over.
_CLOSING = timedelta(seconds=10)
#: Between two looks at whether the frames of a silo are older than what they were drawn from.
_GATHERING = timedelta(minutes=5)
#: Seconds to wait after a failure of the store itself.
_AFTER_FAILURE = 5.0


class Worker:
    """Refreshes silo by silo, every `interval` seconds, until stopped; an error never ends it."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        interval: float = 0.5,
        close_surveys: Callable[[Connection, int, datetime], int] | None = None,
    ) -> None:
        """Take what closes a silo's questionnaires (`surveys.closer`); without it they stay open."""
        self._close_surveys = close_surveys
        self._closings: dict[int, datetime] = {}
        self._gatherings: dict[int, datetime] = {}
        self._engine = engine
        self._clock = clock
        self._interval = interval
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="estime-worker", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Let the current transaction end, and the thread with it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def turn(self) -> bool:
        """Refresh every silo once, about `_BUCKETS` buckets each; tell whether something may be left."""
        left = False
        for silo_id in list_ids(self._engine):
            if self._stopping.is_set():
                return False
            try:
                left = self._refresh(silo_id) or left
                self._close(silo_id)
                self._gather(silo_id)
            except Exception:
                # One silo's fault must not keep the others stale; it is tried again at the next turn.
                log.exception("the derived tables of silo %s could not be refreshed", silo_id)
        return left

    def _refresh(self, silo_id: int) -> bool:
        with transaction(self._engine, silo_id, write=False) as conn:
            if not rollup.is_pending(conn, silo_id):
                return False
            logged = overtaken.concerned(conn, silo_id)
        if logged:
            with transaction(self._engine, silo_id) as conn:
                overtaken.void(conn, silo_id, now=self._clock())
        with transaction(self._engine, silo_id) as conn:
            return rollup.refresh(conn, silo_id, now=self._clock(), limit=_BUCKETS) > 0

    def _close(self, silo_id: int) -> None:
        now = self._clock()
        last = self._closings.get(silo_id)
        if self._close_surveys is None or (last is not None and abs(now - last) < _CLOSING):
            return
        self._closings[silo_id] = now
        with transaction(self._engine, silo_id, write=False) as conn:
            if not surveys.has_due(conn, silo_id, now=now):
                return
        with transaction(self._engine, silo_id) as conn:
            self._close_surveys(conn, silo_id, now)

    def _gather(self, silo_id: int) -> None:
        """Ask for the frames of the community to be made again, when something has changed."""
        now = self._clock()
        last = self._gatherings.get(silo_id)
        if last is not None and abs(now - last) < _GATHERING:
            return
        self._gatherings[silo_id] = now
        with transaction(self._engine, silo_id, write=False) as conn:
            if not community.is_due(conn, silo_id, now=now):
                return
        with transaction(self._engine, silo_id) as conn:
            jobs.enqueue(conn, silo_id, community.KIND, {}, now=now, key=community.KIND)

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self._interval
            try:
                if self.turn():
                    pause = min(_BREATH, self._interval)
            except SQLAlchemyError:
                log.exception("the store does not answer the worker")
                pause = _AFTER_FAILURE
            self._stopping.wait(pause)
