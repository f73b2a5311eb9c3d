"""What processes take of the processors and of the memory, read where Linux tells it (/proc)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from tool_config.database import administration

_TICKS = os.sysconf("SC_CLK_TCK")


def children(parent: int) -> list[int]:
    """Return a process and all that came of it."""
    found = [parent]
    parents = {pid: parent_of for pid, (parent_of, _) in _table().items()}
    for known in found:
        found += [pid for pid, parent_of in parents.items() if parent_of == known]
    return found


def resident(pid: int) -> int:
    """Return the bytes of memory that a process holds, at most so far (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no memory is told of process {pid}")


def listener(port: int) -> int:
    """Return the first process, of those started by this one, that has the port in its command."""
    for pid in sorted(children(os.getpid())):
        told = Path(f"/proc/{pid}/cmdline").read_bytes()
        if f":{port}".encode() in told:
            return pid
    raise RuntimeError(f"no process listens on {port}")


@contextmanager
def watched(engine: Engine, port: int) -> Iterator[dict[str, float]]:
    """Yield seconds of processor that are spent meanwhile: of the application, the database, the clients.

    The application is the process of that port with its children; the database, the server of the engine;
    the clients, this process.
    """
    with administration(engine) as conn:
        backend = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    roots = {"application": listener(port), "database": _table()[int(backend)][0]}
    before = {name: _seconds(root) for name, root in roots.items()}
    began = time.process_time()
    spent: dict[str, float] = {}
    yield spent
    spent |= {name: _seconds(root) - before[name] for name, root in roots.items()}
    spent["clients"] = time.process_time() - began


def _seconds(root: int) -> float:
    table = _table()
    return sum(table[pid][1] for pid in children(root) if pid in table)


def _table() -> dict[int, tuple[int, float]]:
    """Return, by process, its parent and the seconds of processor that it took."""
    found: dict[int, tuple[int, float]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                told = Path(f"/proc/{name}/stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            fields = told.rpartition(")")[2].split()
            # Its own time, and that of the children that ended.
            ticks = sum(int(fields[place]) for place in (11, 12, 13, 14))
            found[int(name)] = (int(fields[1]), ticks / _TICKS)
    return found
