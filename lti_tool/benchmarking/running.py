"""A folder of data sets taken through a temporary store, a silo of its own each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from lti_tool import migrations
from lti_tool.benchmarking import analyses, taking
from lti_tool.benchmarking.outcomes import DatasetOutcome, timed
from lti_tool.benchmarking.taking import Room
from tool_config import silos
from tool_config.database import administration, open_engine

Say = Callable[[str], None]
#: Characters of a README kept as what the data are.
_ABOUT = 200


@contextmanager
def store(database: str = "") -> Iterator[Engine]:
    """Yield a store with its schema: a file of its own, gone at the end, unless an address is given."""
    with tempfile.TemporaryDirectory(prefix="estime-benchmark-") as folder:
        engine = open_engine(database or f"sqlite:///{folder}/benchmark.db")
        try:
            migrations.upgrade(engine)
            yield engine
        finally:
            engine.dispose()


def run(engine: Engine, folder: Path, *, clock: Callable[[], datetime], say: Say) -> list[DatasetOutcome]:
    """Take every data set of a folder: each folder inside, and the files beside them together."""
    found = []
    for rank, (name, files) in enumerate(_datasets(folder)):
        with timed() as took:
            with administration(engine) as conn:
                silo_id = silos.add(conn, f"benchmark {rank} {clock().timestamp():.0f}", now=clock())
            room = Room(engine, silo_id, clock, _readme(files), [])
            outcomes = tuple(
                taking.take(room, path, str(path.relative_to(_home(folder, name))))
                for path in files
                if taking.wanted(path)
            )
            made = analyses.run(room, silo_id)
        say(f"{name}: {len(outcomes)} files, {len(made)} analyses, {took.wall:.1f} s")
        found.append(DatasetOutcome(name, _about(files), outcomes, made, took))
    return found


def _datasets(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield each data set with its files, in the order of names."""
    beside = sorted(path for path in folder.iterdir() if path.is_file())
    if any(map(taking.wanted, beside)):
        yield folder.name, beside
    for inside in sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."):
        yield inside.name, sorted(path for path in inside.rglob("*") if path.is_file())


def _home(folder: Path, name: str) -> Path:
    return folder / name if (folder / name).is_dir() else folder


def _readme(files: list[Path]) -> str:
    texts = [path for path in files if path.name.lower().startswith("readme")]
    return texts[0].read_text(encoding="utf-8", errors="replace") if texts else ""


def _about(files: list[Path]) -> str:
    """Return the title of the data's own README, without what stands before the dash."""
    first = next((line.lstrip("# ").strip() for line in _readme(files).splitlines() if line.strip()), "")
    return first.rpartition(" — ")[2][:_ABOUT]
