"""The HTTP server of both modes: waitress, with clocks on slow clients; alone, or as a worker of gunicorn.

A thread answers whole requests only: what is still arriving waits in the loop of the sockets, bounded in
number, in bytes and in time, so that slow clients keep nobody else waiting. gunicorn's own threads read
from the socket themselves: eight slow clients would hold two processes.

    gunicorn --worker-class lti_tool.listening.Worker 'lti_tool.app:create_app_from_environment()'
"""

from __future__ import annotations

import logging
import os
import resource
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import waitress
from gunicorn.workers import base
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, MultiSocketServer
from waitress.task import ErrorTask
from waitress.utilities import Error

#: Seconds for the head of a request to arrive, and for a body or an answer to pass.
HEAD_SECONDS = 15
PASS_SECONDS = 30
#: Bytes a second below which a body or an answer is given up, beyond those seconds.
LEAST_RATE = 20_000
#: Seconds for which a connection may stay open with nothing asked.
IDLE_SECONDS = 30
LARGEST_HEAD = 65_536
#: Seconds for which a request is answered alone in its process, if another can be.
SHORT = 0.1
#: What waits in memory of one request; more goes to a temporary file.
IN_MEMORY = 65_536
MOST_CONNECTIONS = 1_000
#: Files that the process needs beside its connections.
_OTHER_FILES = 200

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class RequestTimeoutError(Error):  # type: ignore[misc]
    """A request that did not arrive in time."""

    code = 408
    reason = "Request Timeout"


class Refusal(ErrorTask):  # type: ignore[misc]
    """What is wrong with HTTP itself, said in JSON."""

    def execute(self) -> None:
        error = self.request.error
        body = orjson.dumps({"error": f"{error.reason}: {error.body}"})
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that ends when its client is too slow, whichever way the bytes go."""

    error_task_class = Refusal
    request: Any
    _arriving_since = 0.0
    _leaving_until = 0.0

    def readable(self) -> bool:
        """Tell whether more is awaited; asked at every turn of the loop, hence where clocks are read."""
        now = time.time()
        if self._is_too_slow_to_read(now):
            self.handle_close()
            return False
        self._refuse_late_request(now)
        return bool(super().readable())

    def _refuse_late_request(self, now: float) -> None:
        with self.requests_lock:
            request = self.request
            if request is None or self.requests or self.will_close or self.close_when_flushed:
                self._arriving_since = 0.0
                return
            if not self._arriving_since:
                self._arriving_since = now
            allowed: float = HEAD_SECONDS
            if request.headers_finished:
                allowed = PASS_SECONDS + request.body_bytes_received / LEAST_RATE
            if now - self._arriving_since <= allowed:
                return
            request.error = RequestTimeoutError(f"the request had not arrived after {allowed:.0f} seconds")
            request.completed = True
            self.request = None
            self.requests.append(request)
        self.server.add_task(self)

    def _is_too_slow_to_read(self, now: float) -> bool:
        if self.requests or not self.total_outbufs_len:
            self._leaving_until = 0.0
            return False
        if not self._leaving_until:
            self._leaving_until = now + PASS_SECONDS + self.total_outbufs_len / LEAST_RATE
        return now > self._leaving_until


def server(application: Wsgi, *, max_body: int, threads: int, **more: Any) -> Any:
    """Return a waitress server; `more`: host and port, or sockets that listen already."""
    # A queue is no fault, and clients make it: nothing to fill a log with.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, soft - _OTHER_FILES)
    made = waitress.create_server(
        application,
        threads=threads,
        ident=None,
        # The application says what is too large; this is for those who go on sending.
        max_request_body_size=max_body + 1_000_000,
        max_request_header_size=LARGEST_HEAD,
        inbuf_overflow=IN_MEMORY,
        recv_bytes=65_536,
        connection_limit=max(most, 50),
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=5,
        asyncore_use_poll=True,
        **more,
    )
    for listener in made.map.values() if isinstance(made, MultiSocketServer) else [made]:
        if isinstance(listener, BaseWSGIServer):
            listener.channel_class = Channel
    return made


class Worker(base.Worker):  # type: ignore[misc]
    """A process of gunicorn that serves with the server above, `--threads` at a time."""

    def run(self) -> None:
        """Serve until told to stop; then answer what has arrived, for `--graceful-timeout` at most."""
        sockets: dict[int, Any] = {}
        made = server(
            self._logged,
            max_body=int(self.wsgi.config["MAX_CONTENT_LENGTH"]),
            threads=self.cfg.threads,
            sockets=[listener.sock for listener in self.sockets],
            map=sockets,
        )
        for listener in [one for one in sockets.values() if isinstance(one, BaseWSGIServer)]:
            _take_when_free(listener, self.cfg.threads)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            busy = any(isinstance(one, Channel) and one.requests for one in list(sockets.values()))
            wasyncore.loop(timeout=SHORT if busy else 1.0, use_poll=True, map=sockets, count=1)
        deadline = time.monotonic() + self.cfg.graceful_timeout
        for listener in [one for one in sockets.values() if one.accepting]:
            listener.accepting = False
            listener.del_channel()
        while time.monotonic() < deadline and any(_is_busy(one) for one in sockets.values()):
            self.notify()
            wasyncore.loop(timeout=0.2, use_poll=True, map=sockets, count=1)
        made.task_dispatcher.shutdown()

    def _logged(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, count the request, and write gunicorn's access log when it is asked for."""
        begun = time.perf_counter()
        said: list[str] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            said[:] = [status]
            return start_response(status, headers, exc_info)

        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
        answer: Iterable[bytes] = self.wsgi(environ, start)
        if self.log.access_log_enabled:
            spent = timedelta(seconds=time.perf_counter() - begun)
            environ.setdefault("RAW_URI", environ.get("PATH_INFO", ""))
            made = SimpleNamespace(status=said[0], headers=())
            self.log.access(made, SimpleNamespace(headers=()), environ, spent)
        return answer


def _take_when_free(listener: Any, threads: int) -> None:
    """Let a listener take a connection only while one of its process's threads has nothing to answer.

    Whoever comes otherwise waits in the queue of the socket, which all processes share: the first that is
    free takes whoever came first. In a busy process's own queue, one would wait while another is idle.

    Threads of one process take turns, so that two short requests there end as late as the later of them:
    another is taken beside what is answered only once that has lasted (``SHORT``), as a long page does.
    """
    ready = listener.readable

    def readable() -> bool:
        now = time.time()
        begun = [one.last_activity for one in list(listener.active_channels.values()) if one.requests]
        return bool(ready()) and len(begun) < threads and all(now - at >= SHORT for at in begun)

    listener.readable = readable


def _is_busy(one: Any) -> bool:
    return isinstance(one, Channel) and bool(one.requests or one.request or one.total_outbufs_len)
