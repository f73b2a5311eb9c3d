"""Play ADL's conformance suite against the store as it is served (`python -m tests.conformance SUITE`).

SUITE is a checkout of the public suite with its packages (`npm ci`), outside the project. Each engine is the
real thing: `estime serve` on a file, or gunicorn with two processes on PostgreSQL and Redis.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests import services

BIN = Path(sys.executable).parent
ENGINES = ("sqlite", "server")
VERSIONS = ("1.0.3", "2.0.0")
#: Seconds for one run of the suite, which takes about one minute.
LONGEST = 1_200
_SECRET = "for-the-suite-only-0123456789-abcdefghijklmnopqrstuvwxyz"


def main() -> int:
    """Run what is asked for, print a line for each run, return 0 when every test of every run passed."""
    parser = argparse.ArgumentParser(prog="tests.conformance")
    parser.add_argument("suite", type=Path, help="checkout of the suite, its packages installed")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--version", choices=VERSIONS, action="append")
    parser.add_argument("--grep", default="", help="only the tests whose title has this")
    asked = parser.parse_args()
    passed = True
    for engine in asked.engine or ENGINES:
        for version in asked.version or VERSIONS:
            with tempfile.TemporaryDirectory(prefix="estime-conformance-") as folder:
                log = _run(asked.suite, engine, version, asked.grep, Path(folder))
            passed &= report(engine, version, log)
    return 0 if passed else 1


def _run(suite: Path, engine: str, version: str, grep: str, folder: Path) -> dict[str, Any]:
    """Return the log of one run on a store made for it."""
    with served(engine, version, folder) as (url, key, secret):
        command = ["node", "bin/console_runner.js", "-x", version, "-e", f"{url}/xapi"]
        command += ["-a", "-u", key, "-p", secret, *(("-g", grep) if grep else ())]
        before = set((suite / "logs").glob("*.log"))
        # Its exit code is a number of failures modulo 256: the log alone is believed.
        subprocess.run(command, cwd=suite, timeout=LONGEST, stdout=subprocess.DEVNULL, check=False)
        [made] = set((suite / "logs").glob("*.log")) - before
    found: dict[str, Any] = json.loads(made.read_text())
    return found


def report(engine: str, version: str, log: Mapping[str, Any]) -> bool:
    """Print the counts of a run and its failures; tell whether it went to its end with none."""
    total, passed, failed = (log["summary"][name] for name in ("total", "passed", "failed"))
    whole = log["state"] == "finished" and passed + failed == total and failed == 0
    seconds = (log["duration"] or 0) / 1000
    print(
        f"{engine:8} {version}: {passed}/{total} passed, {failed} failed, {log['state']}, {seconds:.0f} s",
        flush=True,
    )
    for title, error in _failures(log["log"] or {}):
        print(f"  {title}\n    {error}")
    return bool(whole)


def _failures(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if node.get("status") == "failed" and not node.get("tests"):
        yield str(node.get("title")), str(node.get("error"))
    for inner in node.get("tests") or ():
        yield from _failures(inner)


# --- the store as it is served ---------------------------------------------------------------------------


@contextmanager
def served(
    engine: str, version: str = "1.0.3", folder: Path | None = None, **more: str
) -> Iterator[tuple[str, str, str]]:
    """Serve an empty store and yield its address, a key with every right and its secret.

    `more`: further settings, ``MAX_BODY="1000"``. The log is `server.log` in `folder`.
    """
    assert folder is not None
    port = services.free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESTIME_")}
    environment |= {
        "ESTIME_DATA_DIR": str(folder),
        "ESTIME_PUBLIC_URL": url,
        "ESTIME_SECRET_KEY": _SECRET,
        "ESTIME_XAPI_DEFAULT_VERSION": version,
        **{f"ESTIME_{name}": value for name, value in more.items()},
    }
    if engine == "sqlite":
        with _serving([str(BIN / "estime"), "serve", "--port", str(port)], environment, folder, url) as key:
            yield url, *key
        return
    with services.postgresql() as database, services.redis() as cache:
        environment |= {"ESTIME_DATABASE_URL": database, "ESTIME_REDIS_URL": cache}
        command = [str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
        command += ["--worker-class", "lti_tool.listening.Worker"]
        command.append("lti_tool.app:create_app_from_environment()")
        _estime(environment, "db", "upgrade")
        with _serving(command, environment, folder, url) as key:
            yield url, *key


@contextmanager
def _serving(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, url: str
) -> Iterator[tuple[str, str]]:
    _estime(environment, "silo", "add", "conformance")
    key = json.loads(_estime(environment, "key", "add", "--silo", "conformance", "--scope", "all"))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_ready(url, process)
        yield key["key"], key["secret"]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _estime(environment: Mapping[str, str], *arguments: str) -> bytes:
    command = [str(BIN / "estime"), *arguments]
    return subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    ).stdout


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"{process.args!r} did not start")


if __name__ == "__main__":
    sys.exit(main())
