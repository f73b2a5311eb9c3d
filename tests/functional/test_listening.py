"""Processes that share a socket: one whose threads are all busy leaves who comes to the others."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from lti_tool import listening
from lti_tool.listening import Worker

#: Requests that come while one worker is busy: each would have an even chance of going to it.
_LATER = 24


@dataclass
class Held:
    """An application whose /slow answers when it is let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    #: Which worker answered, a request at a time.
    answered: list[int] = field(default_factory=list)

    def answer(
        self, worker: int, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        self.answered.append(worker)
        if environ["PATH_INFO"] == "/slow":
            self.begun.set()
            assert self.let_go.wait(60)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


@contextmanager
def _workers(application: Held, count: int, threads: int) -> Iterator[int]:
    """Run workers as gunicorn does, in threads instead of processes, on one socket; yield its port."""
    config = Config()
    config.set("threads", threads)
    config.set("graceful_timeout", 5)
    log = SimpleNamespace(access_log_enabled=False)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as shared:
        shared.setblocking(False)
        # Each has the socket under a number of its own, as processes have.
        mine = [SimpleNamespace(sock=shared.dup()) for _ in range(count)]
        made = [Worker(0, os.getppid(), [one], None, 30, config, log) for one in mine]
        for rank, worker in enumerate(made):
            worker.wsgi = partial(application.answer, rank)
            worker.wsgi.config = {"MAX_CONTENT_LENGTH": 1000}
        running = [threading.Thread(target=worker.run) for worker in made]
        for thread in running:
            thread.start()
        try:
            yield shared.getsockname()[1]
        finally:
            application.let_go.set()
            for worker in made:
                worker.alive = False
            for thread in running:
                thread.join(20)
            for worker in made:
                worker.tmp.close()


def _get(port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as made:
        made.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: made.recv(4096), b""))


def test_a_worker_without_a_free_thread_leaves_connections_to_the_others() -> None:
    """One thread each: while the first answers slowly, everybody else is answered by the second."""
    held = Held()
    with _workers(held, count=2, threads=1) as port, ThreadPoolExecutor(1) as apart:
        slow = apart.submit(_get, port, "/slow")
        try:
            assert held.begun.wait(10)
            for _ in range(_LATER):
                assert _get(port, "/").endswith(b"ok")
            assert not slow.done()
        finally:
            held.let_go.set()
        assert slow.result(10).endswith(b"ok")


def test_a_short_request_is_answered_alone_in_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads to spare, and still nobody is taken beside what was begun a moment ago."""
    monkeypatch.setattr(listening, "SHORT", 1000.0)
    held = Held()
    with _workers(held, count=2, threads=4) as port, ThreadPoolExecutor(1) as apart:
        slow = apart.submit(_get, port, "/slow")
        try:
            assert held.begun.wait(10)
            for _ in range(_LATER):
                assert _get(port, "/").endswith(b"ok")
        finally:
            held.let_go.set()
        assert slow.result(10).endswith(b"ok")
    first, *others = held.answered
    assert others == [1 - first] * _LATER


def test_a_worker_takes_as_many_as_it_has_threads() -> None:
    held = Held()
    with _workers(held, count=1, threads=2) as port, ThreadPoolExecutor(1) as apart:
        slow = apart.submit(_get, port, "/slow")
        try:
            assert held.begun.wait(10)
            assert _get(port, "/").endswith(b"ok")
        finally:
            held.let_go.set()
        assert slow.result(10).endswith(b"ok")
