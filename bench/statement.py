"""`python -m bench.statement`: what is done to a statement without a store, statements a second on one core.

Batches of 50 go from the bytes of a body to what the store writes: read strictly, validated, completed,
written as it is kept, its keys and its references drawn, and its canonical form with the digest of it. Two
mixtures: a course as Moodle's plugin tells it, where people and activities come back, and the worst case,
where nobody and nothing is ever seen twice. Files of real statements are added with ``--files``.

Time of the processor, so that the figures hold on a machine that does something else meanwhile; what the
machine gives is told by what its parser alone takes of the same bodies.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench import course
from lti_tool.app import settle
from tool_config import vocabulary
from xapi import json_text, reading, statement
from xapi.errors import XapiError

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_STORED = "2026-11-20T09:30:00.000Z"
_AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://estime.test", "name": "0" * 32}}
_BATCH = 50
_TARGET = 20_000
console = Console(width=110)


def main() -> None:
    """Measure each mixture, print."""
    parser = argparse.ArgumentParser(prog="bench.statement")
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="JSON lines, gzipped or not")
    options = parser.parse_args()
    run(options.statements, options.files)


def run(statements: int = 20_000, files: Iterable[Path] = ()) -> None:
    """Measure and print; about ten seconds."""
    settle()
    mixtures = {"a course of Moodle": _shuffled(statements), "nothing seen twice": _distinct(statements)}
    mixtures |= {file.name: _read(file) for file in files}
    measured = {name: _measured(_bodies(said)) for name, said in mixtures.items()}
    table = Table(title=f"A statement without a store, batches of {_BATCH}: microseconds of processor")
    table.add_column("")
    for name in measured:
        table.add_column(name, justify="right")
    for step in next(iter(measured.values()))[1]:
        table.add_row(step, *(f"{seconds[step] / number * 1e6:.1f}" for number, seconds in measured.values()))
    rates = [number / _whole(seconds) for number, seconds in measured.values()]
    table.add_section()
    table.add_row("statements/s a core", *(f"{rate:,.0f}" for rate in rates))
    table.add_row(f"≥ {_TARGET:,}", *("yes" if rate >= _TARGET else "NO" for rate in rates))
    console.print(table)


# --- mixtures ------------------------------------------------------------------------------------------


def _shuffled(number: int) -> list[dict[str, Any]]:
    said = list(course.traces(300, number, _NOW))
    random.Random(1).shuffle(said)
    return said


def _distinct(number: int) -> list[dict[str, Any]]:
    """Return the same statements, each of somebody and about activities never seen before."""
    made: list[dict[str, Any]] = []
    for rank, item in enumerate(_shuffled(number)):
        text = orjson.dumps(item).replace(b".test", b".test/%06d" % rank)
        made.append(orjson.loads(text))
    return made


def _read(file: Path) -> list[dict[str, Any]]:
    content = file.read_bytes()
    if file.suffix == ".gz":
        content = gzip.decompress(content)
    found = [orjson.loads(line) for line in content.splitlines() if line.strip()]
    return [item for item in found if _is_valid(item)]


def _is_valid(item: Any) -> bool:
    try:
        statement.validate(item)
    except XapiError:
        return False
    return True


def _bodies(said: list[dict[str, Any]]) -> list[bytes]:
    return [orjson.dumps(said[start : start + _BATCH]) for start in range(0, len(said), _BATCH)]


# --- measuring -----------------------------------------------------------------------------------------


def _measured(bodies: list[bytes]) -> tuple[int, dict[str, float]]:
    """Return how many statements there are, and seconds of processor by step."""
    seconds: dict[str, float] = defaultdict(float)
    number = 0
    for body in bodies:
        for step, work in _steps(body):
            began = time.thread_time()
            work()
            seconds[step] += time.thread_time() - began
        number += body.count(b'"actor"')
    return number, dict(seconds)


def _whole(seconds: dict[str, float]) -> float:
    """Return the seconds of all the steps that a statement goes through before its store."""
    return sum(value for step, value in seconds.items() if not step.startswith("("))


def _steps(body: bytes) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each step with its work; those in brackets are for comparison."""
    made: dict[str, Any] = {}
    words = vocabulary.load()

    def keep(name: str, work: Callable[[], object]) -> tuple[str, Callable[[], object]]:
        def kept() -> None:
            made[name] = work()

        return name, kept

    yield "(the parser alone)", lambda: orjson.loads(body)
    yield keep("read strictly", lambda: json_text.load(body))
    said = made["read strictly"]
    yield "validated", lambda: statement.parse(said)
    yield keep("completed", lambda: [_completed(item) for item in said])
    whole = made["completed"]
    yield "written, NUL refused", lambda: [json_text.says_nul(orjson.dumps(item)) for item in whole]
    yield "keys, instants", lambda: [_keys(item) for item in whole]
    yield "references", lambda: [statement.links(item) for item in whole]
    yield "canonical form, digest", lambda: [_digest(item) for item in said]
    yield "(event drawn)", lambda: [reading.from_statement(item, words) for item in whole]


def _completed(item: dict[str, Any]) -> dict[str, Any]:
    return statement.completed(
        item, statement_id=item.get("id", ""), stored=_STORED, authority=_AUTHORITY, version="1.0.3"
    )


def _keys(item: dict[str, Any]) -> tuple[str, datetime]:
    return statement.actor_key(item["actor"]), statement.instant_of(item)


def _digest(item: dict[str, Any]) -> str:
    text = orjson.dumps(statement.canonical(item), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


if __name__ == "__main__":
    main()
