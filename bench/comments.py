"""`python -m bench.comments`: 5,000 comments read, as the job does it, and the page that shows them.

The comments are remarks of the demonstration put together by chance, two to four a comment, published in one
course. Prints seconds and processor time of the child process, the most memory that it ever held, what this
process holds before and after, and the time of the page's figures.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import time

from rich.console import Console
from rich.table import Table

from analyzers.comment_frames import Scope
from analyzers.comments.picture import Choice
from bench import satisfaction
from lti_tool import comments, migrations
from lti_tool.comments import work
from lti_tool.sandbox import remarks
from tests.factories.commented import RULES, publish, run_job
from tests.factories.surveys import Classroom
from tool_config import silos
from tool_config.database import administration, open_engine, transaction

_TARGET_S = 30.0
_WARM_MS, _COLD_MS = 100.0, 500.0
_ROUNDS = 30
console = Console(width=110)


def main() -> None:
    """Build the comments, read them, print."""
    parser = argparse.ArgumentParser(prog="bench.comments")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--comments", type=int, default=5000)
    options = parser.parse_args()
    with satisfaction.store(options.engine) as url:
        run(url, options.comments)


def run(url: str, count: int) -> None:
    """Measure on the store at ``url``."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    with administration(engine) as conn:
        silo_id = silos.add(conn, "bench", now=satisfaction.NOW)
    room = Classroom(engine, silo_id, satisfaction.NOW).build(1)
    publish(room, room.open(), written(count))
    if engine.dialect.name == "postgresql":
        with administration(engine) as conn:
            conn.exec_driver_sql("ANALYZE")
    scope = Scope("course", room.course_id)
    before, began, mine = (
        resource.getrusage(resource.RUSAGE_CHILDREN),
        time.perf_counter(),
        time.process_time(),
    )
    held = _resident()
    done = work.run(run_job(room, scope, []))
    seconds, own = time.perf_counter() - began, time.process_time() - mine
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = child.ru_utime + child.ru_stime - before.ru_utime - before.ru_stime
    table = Table(title=f"{done['comments']:,} comments, {done['themes']} themes ({engine.dialect.name})")
    for name in ("", "measured", "target"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("seconds in all", f"{seconds:.1f}", f"< {_TARGET_S:.0f}: {_verdict(seconds < _TARGET_S)}")
    table.add_row("processor, child", f"{cpu:.1f} s", "")
    table.add_row("processor, this process", f"{own:.1f} s", "")
    table.add_row("memory of the child at most", f"{child.ru_maxrss / 1024:.0f} MB", "given back")
    table.add_row("memory of this process, before and after", f"{held:.0f}, {_resident():.0f} MB", "")
    for name, cold, target in (("warm", False, _WARM_MS), ("cold", True, _COLD_MS)):
        times = [_page(room, scope, cold=cold) for _ in range(_ROUNDS + 1)][1:]
        p95 = statistics.quantiles(times, n=20)[-1]
        table.add_row(
            f"figures of the page, {name}, processor, p50 and p95",
            f"{statistics.median(times):.0f}, {p95:.0f} ms",
            f"< {target:.0f}: {_verdict(p95 < target)}",
        )
    console.print(table)
    engine.dispose()


def written(count: int) -> list[tuple[str, str]]:
    """Return comments with who wrote them, a person each."""
    rng = random.Random(5000)
    said = (*remarks.LIKED, *remarks.IMPROVE)
    return [(f"{rank:032x}", " ".join(rng.sample(said, rng.randint(2, 4)))) for rank in range(count)]


def _page(room: Classroom, scope: Scope, *, cold: bool) -> float:
    began = time.process_time()
    with transaction(room.engine, room.silo_id, write=False) as conn:
        there = comments.standing(conn, room.silo_id, scope, RULES)
        known = comments.themes(conn, room.silo_id, scope)
        if cold:
            comments.draw(conn, room.silo_id, scope, known, Choice(), search="", rules=RULES)
        else:
            comments.overview(conn, room.silo_id, scope, known, Choice(), there, rules=RULES)
    return 1000 * (time.process_time() - began)


def _resident() -> float:
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _verdict(kept: bool) -> str:
    return "yes" if kept else "NO"


if __name__ == "__main__":
    main()
