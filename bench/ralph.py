"""Ralph, the other store of learning records written in Python, played the same batches on the same machine.

It is installed from the package registry into an environment of its own under ``bench/.cache`` (outside what
is versioned), and runs as it is shipped: file back end, HTTP Basic, its history kept, uvicorn, one process.
One thing is changed: its file back end refuses a second batch unless told to append.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import services

VERSION = "5.1.0"
#: requests: it imports it without saying so.
_PACKAGES = (f"ralph-malph[backend-fs,cli,lrs]=={VERSION}", "requests")
_CACHE = Path(__file__).parent / ".cache" / f"ralph-{VERSION}"
_START = """
import sys
import uvicorn
from ralph.backends.data.base import BaseOperationType
from ralph.backends.lrs.fs import FSLRSBackend
FSLRSBackend.default_operation_type = BaseOperationType.APPEND
uvicorn.run("ralph.api:app", host="127.0.0.1", port=int(sys.argv[1]), access_log=False)
"""
KEY = ("bench", "secret")
PATH = "/xAPI/statements"


class NotInstalledError(Exception):
    """It cannot be had here; the message says why."""


def install() -> Path:
    """Return the folder of its programs, installed the first time (a minute); raises NotInstalledError."""
    programs = _CACHE / "bin"
    if (_CACHE / "done").exists():
        return programs
    try:
        venv.create(_CACHE, clear=True, with_pip=True)
        command = [str(programs / "python"), "-m", "pip", "install", "--quiet", *_PACKAGES]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(_CACHE, ignore_errors=True)
        said = (getattr(error, "stderr", None) or str(error).encode()).decode(errors="replace")
        raise NotInstalledError(said.strip().splitlines()[-1][:200]) from None
    (_CACHE / "done").touch()
    return programs


@contextmanager
def serving() -> Iterator[int]:
    """Run it on loopback and yield its port; raises NotInstalledError."""
    programs = install()
    port = services.free_port()
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RALPH_")}
        environment |= {
            "RALPH_APP_DIR": folder,
            "RALPH_RUNSERVER_BACKEND": "fs",
            "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(data),
        }
        person = ["-u", KEY[0], "-p", KEY[1], "-s", "all", "-M", "mailto:bench@example.org", "-N", "bench"]
        made = [str(programs / "ralph"), "auth", *person, "-w"]
        subprocess.run(made, check=True, capture_output=True, env=environment, timeout=120)
        command = [str(programs / "python"), "-c", _START, str(port)]
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            try:
                _await(port, process)
                yield port
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(5)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/__heartbeat__")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.2)
    raise NotInstalledError("it did not start")


if __name__ == "__main__":
    try:
        print(install(), file=sys.stdout)
    except NotInstalledError as error:
        sys.exit(f"Ralph cannot be installed here: {error}")
