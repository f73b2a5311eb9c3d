"""The child process that reads comments: started for one reading, and its memory given back at its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import orjson

if TYPE_CHECKING:  # importing it would bring scikit-learn here
    from analyzers.comments.work import Asked, Made

#: Seconds after which it is believed lost.
LONGEST = 900.0
_COMMAND = (sys.executable, "-I", "-m", "analyzers.comments.work")
#: Of the environment of this process, what the child is given: none of its secrets.
_GIVEN = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")


class ChildFailed(Exception):  # noqa: N818  (how a reading ends)
    """The child ended without an answer; the message is a word, never a text."""


def read(asked: Asked, progress: Callable[[int, int, str], None]) -> Made:
    """Have comments read, telling the progress; an exception of `progress` ends the child. ChildFailed."""
    given = {name: os.environ[name] for name in _GIVEN if name in os.environ}
    # One thread of computation: the others serve pages.
    given |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    child = subprocess.Popen(  # noqa: S603  (this interpreter, and a module of ours)
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=given
    )
    limit = threading.Timer(LONGEST, child.kill)
    limit.daemon = True
    limit.start()
    try:
        return _talk(child, orjson.dumps(asked), progress)
    finally:
        limit.cancel()
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


def _talk(child: subprocess.Popen[bytes], sent: bytes, progress: Callable[[int, int, str], None]) -> Made:
    if child.stdin is None or child.stdout is None:
        raise ChildFailed("pipe")
    try:
        child.stdin.write(sent)
        child.stdin.close()
    except BrokenPipeError:
        raise ChildFailed("ended") from None
    for line in child.stdout:
        said = orjson.loads(line)
        if "made" in said:
            return cast("Made", said["made"])
        if "failed" in said:
            raise ChildFailed(str(said["failed"]))
        done, total, word = said["step"]
        progress(done, total, word)
    raise ChildFailed("ended")
