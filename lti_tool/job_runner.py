"""The threads that do the jobs of the queue, beside the one that keeps derived tables fresh."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from lti_tool import jobs
from lti_tool.jobs import Claimed, Interrupted, JobRun, Kind, Periodic
from lti_tool.tool import Tool
from tool_config.database import transaction
from tool_config.silos import list_ids
from tool_config.tables import silo

log = logging.getLogger(__name__)

#: Between two looks at what comes back every day.
_PLANNING = timedelta(minutes=1)
#: Seconds between two progress written, so that a handler may tell each row.
_STEP = 0.5
#: Seconds to wait after a failure of the store itself.
_AFTER_FAILURE = 5.0


class Runner:
    """Does jobs, silo by silo: one thread for every kind, one kept for those that are not slow."""

    def __init__(
        self,
        tool: Tool,
        kinds: Mapping[str, Kind],
        periodic: Sequence[Periodic] = (),
        interval: float = 0.5,
    ) -> None:
        self._tool = tool
        self._kinds = dict(kinds)
        self._periodic = tuple(periodic)
        self._interval = interval
        self._stopping = threading.Event()
        self._planned: dict[int, datetime] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; they end with the process."""
        if any(thread.is_alive() for thread in self._threads):
            return
        self._stopping.clear()
        quick = {name: kind for name, kind in self._kinds.items() if not kind.slow}
        self._threads = [
            threading.Thread(target=self._run, args=(kinds, plans), name=f"estime-{name}", daemon=True)
            for name, kinds, plans in (("jobs", self._kinds, True), ("quick-jobs", quick, False))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Put back what is being done at its next step, and end the threads."""
        self._stopping.set()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def turn(self, kinds: Mapping[str, Kind] | None = None, *, plans: bool = True) -> int:
        """Do one job of each silo that has one due; return how many were done."""
        done = 0
        for silo_id in list_ids(self._tool.engine):
            if self._stopping.is_set():
                break
            if plans:
                self._plan(silo_id)
            mine = self._claim(silo_id, self._kinds if kinds is None else kinds)
            if mine is not None:
                self._do(silo_id, mine)
                done += 1
        return done

    def _run(self, kinds: Mapping[str, Kind], plans: bool) -> None:
        while not self._stopping.is_set():
            pause = self._interval
            try:
                if self.turn(kinds, plans=plans):
                    pause = 0.0
            except SQLAlchemyError:
                log.exception("the store does not answer the queue")
                pause = _AFTER_FAILURE
            self._stopping.wait(pause)

    def _plan(self, silo_id: int) -> None:
        """Ask for what comes back every day, and forget what was over long ago."""
        now, last = self._tool.clock(), self._planned.get(silo_id)
        if last is not None and abs(now - last) < _PLANNING:
            return
        self._planned[silo_id] = now
        with transaction(self._tool.engine, silo_id) as conn:
            owner = conn.execute(
                select(silo.c.time_zone, silo.c.created_at).where(silo.c.silo_id == silo_id)
            ).first()
            if owner is None:
                return
            for periodic in self._periodic:
                zone = ZoneInfo(owner.time_zone)
                jobs.plan(conn, silo_id, periodic, zone, since=owner.created_at, now=now)
            jobs.forget(conn, silo_id, now=now)

    def _claim(self, silo_id: int, kinds: Mapping[str, Kind]) -> Claimed | None:
        engine, now = self._tool.engine, self._tool.clock()
        with transaction(engine, silo_id, write=False) as conn:
            if not kinds or not jobs.is_due(conn, silo_id, kinds, now=now):
                return None
        with transaction(engine, silo_id) as conn:
            return jobs.claim(conn, silo_id, kinds, now=now)

    def _do(self, silo_id: int, mine: Claimed) -> None:
        """Run a handler and write how it ended; an error of the handler ends its job, not the thread."""
        tool = self._tool
        progress = _Progress(tool, silo_id, mine, self._stopping)
        run = JobRun(
            tool.engine, silo_id, mine.job_id, mine.payload, tool.settings, tool.clock,
            tool.http, tool.cache, tool.rules, progress, mine.attempt,
        )  # fmt: skip
        with suppress(Interrupted), _Heart(tool, silo_id, mine):
            try:
                result = self._kinds[mine.kind].run(run)
            except jobs.Retry as later:
                self._retry(silo_id, mine, later)
            except jobs.Failed as failure:
                self._fail(silo_id, mine, failure.reason)
            except Interrupted:
                # Stopped half-way: another worker, or this one once started again, takes it from there.
                with transaction(tool.engine, silo_id) as conn:
                    jobs.put_back(conn, silo_id, mine, "", due=tool.clock(), counted=False)
            except Exception:
                reference = uuid4().hex[:12]
                log.exception("a job of kind %s failed, reference %s", mine.kind, reference)
                self._fail(silo_id, mine, f"unexpected {reference}")
            else:
                with transaction(tool.engine, silo_id) as conn:
                    jobs.finish(conn, silo_id, mine, result, now=tool.clock())

    def _retry(self, silo_id: int, mine: Claimed, later: jobs.Retry) -> None:
        if mine.attempt >= self._kinds[mine.kind].attempts:
            self._fail(silo_id, mine, later.reason)
            return
        seconds = jobs.wait(mine.attempt) if later.after_seconds is None else later.after_seconds
        with transaction(self._tool.engine, silo_id) as conn:
            due = self._tool.clock() + timedelta(seconds=seconds)
            jobs.put_back(conn, silo_id, mine, later.reason, due=due)

    def _fail(self, silo_id: int, mine: Claimed, reason: str) -> None:
        with transaction(self._tool.engine, silo_id) as conn:
            jobs.fail(conn, silo_id, mine, reason, now=self._tool.clock())


class _Progress:
    """What a handler calls at each step: written at most twice a second."""

    def __init__(self, tool: Tool, silo_id: int, mine: Claimed, stopping: threading.Event) -> None:
        self._tool, self._silo_id, self._mine, self._stopping = tool, silo_id, mine, stopping
        self._written_at = float("-inf")
        self._message = ""

    def __call__(self, done: int, total: int, message: str = "") -> None:
        if self._stopping.is_set():
            raise Interrupted
        now = time.monotonic()
        if message == self._message and done != total and now - self._written_at < _STEP:
            return
        self._written_at, self._message = now, message
        with transaction(self._tool.engine, self._silo_id) as conn:
            at = self._tool.clock()
            jobs.keep(conn, self._silo_id, self._mine, now=at, step=(done, total, message))


class _Heart:
    """Renews the lease of a job while its handler runs, however long one step of it is."""

    def __init__(self, tool: Tool, silo_id: int, mine: Claimed) -> None:
        self._tool, self._silo_id, self._mine = tool, silo_id, mine
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="estime-job-heart", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(jobs.LEASE.total_seconds() / 3):
            try:
                with transaction(self._tool.engine, self._silo_id) as conn:
                    jobs.keep(conn, self._silo_id, self._mine, now=self._tool.clock())
            except Interrupted:
                return
            except SQLAlchemyError:
                log.exception("the lease of a job could not be renewed")
