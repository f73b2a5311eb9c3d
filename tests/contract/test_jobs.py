"""The queue of background work, on both engines: asked in a transaction, done once, never lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as hour
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from lti_tool import jobs
from lti_tool.job_runner import Runner
from lti_tool.job_tables import job
from lti_tool.jobs import Failed, Interrupted, Job, JobRun, Kind, Retry, every
from lti_tool.outbound import Outbound
from lti_tool.tool import Tool
from tests.conftest import Clock
from tool_config import rules
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.cache import MemoryCache

KINDS = {"count": Kind(lambda run: {"seen": run.payload["n"]})}


@pytest.fixture
def tool(settings: Settings, engine: Engine, clock: Clock) -> Tool:
    return Tool(settings, engine, clock, Outbound(allow_local=True), MemoryCache(), rules.load())


def ask(tool: Tool, silo: int, n: int = 1, **more: Any) -> str:
    with transaction(tool.engine, silo) as conn:
        return jobs.enqueue(conn, silo, "count", {"n": n}, now=tool.clock(), **more)


def look(tool: Tool, silo: int, job_id: str) -> Job:
    with transaction(tool.engine, silo, write=False) as conn:
        found = jobs.read(conn, silo, job_id)
    assert found is not None
    return found


def drain(tool: Tool, kinds: Mapping[str, Kind]) -> int:
    runner, done = Runner(tool, kinds), 0
    while count := runner.turn():
        done += count
    return done


def test_a_job_exists_when_its_callers_transaction_commits(tool: Tool, silo: int) -> None:
    with transaction(tool.engine, silo) as conn:
        lost = jobs.enqueue(conn, silo, "count", {"n": 1}, now=tool.clock())
        conn.rollback()
    with transaction(tool.engine, silo, write=False) as conn:
        assert jobs.read(conn, silo, lost) is None
    kept = ask(tool, silo, 2)
    assert look(tool, silo, kept).state == "waiting"
    assert drain(tool, KINDS) == 1
    done = look(tool, silo, kept)
    assert (done.state, done.result, done.is_over) == ("done", {"seen": 2}, True)


def test_a_silo_never_sees_the_jobs_of_another(tool: Tool, silo: int, second_silo: int) -> None:
    mine = ask(tool, silo, key="k")
    theirs = ask(tool, second_silo, key="k")
    assert mine != theirs
    with transaction(tool.engine, second_silo, write=False) as conn:
        assert jobs.read(conn, second_silo, mine) is None
    with transaction(tool.engine, second_silo) as conn:
        assert not jobs.cancel(conn, second_silo, mine, now=tool.clock())
    assert drain(tool, KINDS) == 2


def test_a_job_is_done_when_it_is_due_and_not_before(tool: Tool, silo: int, clock: Clock) -> None:
    later = ask(tool, silo, due=clock.now + timedelta(hours=1))
    assert drain(tool, KINDS) == 0
    clock.advance(hours=1)
    assert drain(tool, KINDS) == 1
    assert look(tool, silo, later).state == "done"


def test_jobs_of_one_key_are_one_while_they_wait(tool: Tool, silo: int, clock: Clock) -> None:
    first = ask(tool, silo, 1, key="roster", due=clock.now + timedelta(hours=1))
    assert ask(tool, silo, 2, key="roster") == first
    assert ask(tool, silo, 3, key="roster", due=clock.now + timedelta(hours=5)) == first
    assert ask(tool, silo, 9, key="other") != first
    assert drain(tool, KINDS) == 2
    assert look(tool, silo, first).result == {"seen": 3}
    clock.advance(seconds=1)
    again = ask(tool, silo, 4, key="roster")
    assert again != first
    with transaction(tool.engine, silo, write=False) as conn:
        newest = jobs.latest(conn, silo, "roster")
    assert newest is not None
    assert newest.job_id == again


def test_a_job_asked_for_while_it_runs_is_done_once_more(tool: Tool, silo: int) -> None:
    seen: list[int] = []

    def handler(run: JobRun) -> None:
        seen.append(run.payload["n"])
        if len(seen) == 1:
            assert ask(tool, silo, 2, key="roster") == run.job_id

    job_id = ask(tool, silo, 1, key="roster")
    assert drain(tool, {"count": Kind(handler)}) == 2
    assert seen == [1, 2]
    assert look(tool, silo, job_id).is_over


def test_several_workers_never_do_one_job_twice(tool: Tool, silo: int) -> None:
    for n in range(40):
        ask(tool, silo, n)
    seen: Counter[int] = Counter()
    lock = threading.Lock()

    def handler(run: JobRun) -> None:
        with lock:
            seen[run.payload["n"]] += 1

    failures: list[Exception] = []

    def work() -> None:
        try:
            drain(tool, {"count": Kind(handler)})
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert seen == Counter(range(40))


def test_a_job_whose_worker_died_is_taken_again_after_its_lease(tool: Tool, silo: int, clock: Clock) -> None:
    job_id = ask(tool, silo)
    with transaction(tool.engine, silo) as conn:
        dead = jobs.claim(conn, silo, KINDS, now=clock.now)
    assert dead is not None
    clock.advance(seconds=jobs.LEASE.total_seconds() - 1)
    assert drain(tool, KINDS) == 0
    clock.advance(seconds=1)
    assert drain(tool, KINDS) == 1
    assert look(tool, silo, job_id).attempts == 2
    # The first one was only slow: what it has to say comes too late.
    says: list[Callable[[Connection], None]] = [
        lambda conn: jobs.finish(conn, silo, dead, {"seen": "late"}, now=clock.now),
        lambda conn: jobs.fail(conn, silo, dead, "late", now=clock.now),
        lambda conn: jobs.keep(conn, silo, dead, now=clock.now, step=(1, 2, "late")),
        lambda conn: jobs.put_back(conn, silo, dead, "late", due=clock.now),
    ]
    for late in says:
        with pytest.raises(Interrupted), transaction(tool.engine, silo) as conn:
            late(conn)
    assert look(tool, silo, job_id).result == {"seen": 1}


def test_a_job_that_kills_its_workers_ends(tool: Tool, silo: int, clock: Clock) -> None:
    job_id = ask(tool, silo)
    for _ in range(jobs.MOST_ATTEMPTS):
        with transaction(tool.engine, silo) as conn:
            assert jobs.claim(conn, silo, KINDS, now=clock.now)
        clock.advance(seconds=jobs.LEASE.total_seconds())
    assert drain(tool, KINDS) == 0
    ended = look(tool, silo, job_id)
    assert (ended.state, ended.message) == ("failed", jobs.ABANDONED)


def test_the_lease_is_renewed_while_a_handler_runs(
    tool: Tool, silo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.6))
    real = replace(tool, clock=lambda: datetime.now(UTC))
    job_id = ask(real, silo)
    taken: list[int] = []

    def slow(run: JobRun) -> None:
        taken.append(run.attempt)
        time.sleep(1.5)

    first = threading.Thread(target=drain, args=(real, {"count": Kind(slow)}))
    first.start()
    while not taken:
        time.sleep(0.01)
    while first.is_alive():
        assert drain(real, {"count": Kind(slow)}) == 0
        time.sleep(0.1)
    assert taken == [1]
    assert look(real, silo, job_id).state == "done"


def test_retries_wait_longer_and_longer_then_give_up(tool: Tool, silo: int, clock: Clock) -> None:
    job_id = ask(tool, silo)

    def refuse(run: JobRun) -> None:
        raise Retry(None, "away")

    waits: list[float] = []
    while not look(tool, silo, job_id).is_over:
        assert drain(tool, {"count": Kind(refuse, attempts=5)}) == 1
        seen = look(tool, silo, job_id)
        assert seen.message == "away"
        if not seen.is_over:
            waits.append((seen.due_at - clock.now).total_seconds())
            clock.now = seen.due_at
    assert len(waits) == 4
    assert all(0.8 * 30 * 2**rank <= wait <= 1.2 * 30 * 2**rank for rank, wait in enumerate(waits))
    assert look(tool, silo, job_id).state == "failed"
    assert jobs.wait(100) <= 1.2 * 6 * 3600


def test_a_chosen_wait_is_kept_and_a_new_asking_cuts_it_short(tool: Tool, silo: int, clock: Clock) -> None:
    job_id = ask(tool, silo, key="roster")

    def refuse(run: JobRun) -> None:
        raise Retry(3600, "away")

    drain(tool, {"count": Kind(refuse)})
    assert look(tool, silo, job_id).due_at == clock.now + timedelta(hours=1)
    assert ask(tool, silo, 5, key="roster") == job_id
    assert drain(tool, KINDS) == 1
    assert look(tool, silo, job_id).result == {"seen": 5}


@pytest.mark.parametrize(
    ("raised", "message"), [(Failed("no_service"), "no_service"), (RuntimeError("secret"), "unexpected ")]
)
def test_a_failure_says_why_and_the_next_job_is_done(
    tool: Tool, silo: int, raised: Exception, message: str
) -> None:
    failing, other = ask(tool, silo, 0), ask(tool, silo, 1)

    def handler(run: JobRun) -> None:
        if run.payload["n"] == 0:
            raise raised

    assert drain(tool, {"count": Kind(handler)}) == 2
    ended = look(tool, silo, failing)
    assert ended.state == "failed"
    assert ended.message.startswith(message)
    assert "secret" not in ended.message
    assert look(tool, silo, other).state == "done"


def test_progress_is_seen_while_the_job_runs_and_a_cancelled_job_stops(tool: Tool, silo: int) -> None:
    seen: list[tuple[str, int, int, str]] = []
    reached: list[int] = []

    def handler(run: JobRun) -> None:
        for step in range(5):
            run.progress(step, 5, f"step {step}")
            found = look(tool, silo, run.job_id)
            seen.append((found.state, found.done, found.total, found.message))
            if step == 1:
                with transaction(tool.engine, silo) as conn:
                    assert jobs.cancel(conn, silo, run.job_id, now=tool.clock())
        reached.append(1)

    job_id = ask(tool, silo)
    drain(tool, {"count": Kind(handler)})
    assert seen == [("running", 0, 5, "step 0"), ("running", 1, 5, "step 1")]
    assert reached == []
    ended = look(tool, silo, job_id)
    assert (ended.state, ended.message) == ("failed", jobs.CANCELLED)
    with transaction(tool.engine, silo) as conn:
        assert not jobs.cancel(conn, silo, job_id, now=tool.clock())


def test_a_runner_that_stops_puts_back_what_it_was_doing(tool: Tool, silo: int) -> None:
    job_id = ask(tool, silo)
    begun = threading.Event()

    def handler(run: JobRun) -> None:
        begun.set()
        for step in range(1000):
            run.progress(step, 1000, str(step))
            time.sleep(0.01)

    runner = Runner(tool, {"count": Kind(handler)}, interval=0.01)
    runner.start()
    assert begun.wait(10)
    runner.stop()
    back = look(tool, silo, job_id)
    assert (back.state, back.attempts) == ("waiting", 0)
    assert drain(tool, KINDS) == 1


def test_a_quick_job_does_not_wait_behind_a_slow_one(tool: Tool, silo: int) -> None:
    release = threading.Event()

    def long(run: JobRun) -> None:
        assert release.wait(20)

    with transaction(tool.engine, silo) as conn:
        jobs.enqueue(conn, silo, "long", {}, now=tool.clock())
    runner = Runner(tool, {**KINDS, "long": Kind(long, slow=True)}, interval=0.01)
    runner.start()
    try:
        quick = ask(tool, silo)
        end = time.monotonic() + 10
        while not look(tool, silo, quick).is_over:
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        release.set()
        runner.stop()


def test_a_nightly_job_is_asked_once_a_day_at_its_hour(tool: Tool, silo: int, clock: Clock) -> None:
    # 21 November 2026, 09:00 in Paris; the silo was made at that instant.
    days: list[str] = []
    kinds = {"night": Kind(lambda run: days.append(run.payload["day"]))}
    runners = [Runner(tool, kinds, (every("night", at=hour(3, 10)),)) for _ in range(2)]

    def turn() -> None:
        for runner in runners:
            while runner.turn():
                pass

    turn()
    assert days == []
    clock.now = datetime(2026, 11, 22, 2, 9, tzinfo=UTC)  # 03:09 in Paris
    turn()
    assert days == []
    for _ in range(3):
        clock.advance(minutes=1)
        turn()
    assert days == ["2026-11-22"]
    # The worker was away for three nights: one turn makes up for them.
    clock.advance(days=3, hours=5)
    turn()
    assert days == ["2026-11-22", "2026-11-25"]


def test_jobs_that_are_over_are_forgotten_in_the_end(tool: Tool, silo: int, clock: Clock) -> None:
    ask(tool, silo)
    waiting = ask(tool, silo, due=clock.now + timedelta(days=60))
    drain(tool, KINDS)
    clock.advance(days=13)
    drain(tool, KINDS)
    assert _count(tool, silo) == 2
    clock.advance(days=2)
    drain(tool, KINDS)
    assert _count(tool, silo) == 1
    assert look(tool, silo, waiting).state == "waiting"


def _count(tool: Tool, silo: int) -> int:
    with transaction(tool.engine, silo, write=False) as conn:
        return int(conn.scalar(select(func.count()).select_from(job)) or 0)


def test_a_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it(tool: Tool, silo: int) -> None:
    with transaction(tool.engine, silo) as conn:
        job_id = jobs.enqueue(conn, silo, "newer", {}, now=tool.clock())
    assert drain(tool, KINDS) == 0
    assert look(tool, silo, job_id).state == "waiting"
    done: Callable[[JobRun], Mapping[str, Any]] = lambda run: {}  # noqa: E731
    assert drain(tool, {"newer": Kind(done)}) == 1
