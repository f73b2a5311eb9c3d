"""The one way out: where a request may go, what of an answer is taken, how long it may last."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lti_tool import outbound
from lti_tool.outbound import Outbound, OutboundError, allowed


class Server:
    """A server on loopback that tells what it received."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.command, self.path, dict(self.headers.items()), body))
                try:
                    outer.answer(self)
                except OSError:
                    self.close_connection = True  # the client hung up

            do_GET = do_POST = _do  # noqa: N815  (names of the library)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.port = self._server.server_port

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        match handler.path:
            case "/moved":
                handler.send_response(307)
                handler.send_header("Location", f"http://127.0.0.1:{self.port}/secret")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            case "/cut":
                handler.send_response(200)
                handler.send_header("Content-Length", "100")
                handler.end_headers()
                handler.wfile.write(b"half")
                return
            case "/drips":
                handler.send_response(200)
                handler.end_headers()
                for _ in range(100):
                    handler.wfile.write(b"x")
                    handler.wfile.flush()
                    time.sleep(0.1)
                return
        content = b"x" * 2000 if handler.path == "/large" else b"{}"
        handler.send_response(404 if handler.path == "/absent" else 200)
        handler.send_header("Link", "<a>")
        handler.send_header("Link", "<b>")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def test_a_request_goes_to_the_address_that_was_checked_under_the_name_that_was_asked(server: Server) -> None:
    resolved: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        resolved.append(host)
        return ["127.0.0.1"] if len(resolved) == 1 else ["127.0.0.2"]

    http = Outbound(allow_local=True, resolve=resolve)
    url = f"http://campus.test:{server.port}/a?b=c"
    answer = http.request("POST", url, headers={"Authorization": "Bearer t"}, body=b"x=1")
    assert (answer.status, answer.body, answer.headers["link"]) == (200, b"{}", "<a>, <b>")
    assert resolved == ["campus.test"]
    ((method, path, headers, body),) = server.asked
    assert (method, path, body) == ("POST", "/a?b=c", b"x=1")
    assert headers["Host"] == f"campus.test:{server.port}"
    assert headers["User-Agent"] == "Estime"
    assert "Bearer" not in repr(answer)


def test_an_address_that_does_not_answer_leaves_its_place_to_the_next(server: Server) -> None:
    http = Outbound(allow_local=True, resolve=lambda *_: ["127.9.9.9", "127.0.0.1"])
    assert http.request("GET", f"http://campus.test:{server.port}/absent").status == 404


def test_a_redirection_is_an_answer_and_is_not_followed(server: Server) -> None:
    answer = Outbound(allow_local=True).request(
        "POST", f"http://127.0.0.1:{server.port}/moved", body=b"token"
    )
    assert answer.status == 307
    assert [path for _, path, _, _ in server.asked] == ["/moved"]


@pytest.mark.parametrize(
    ("path", "why"), [("/large", "too large"), ("/cut", "cut short|no answer"), ("/drips", "no answer|cut")]
)
def test_sizes_and_times_are_bounded(server: Server, path: str, why: str) -> None:
    began = time.monotonic()
    http = Outbound(allow_local=True)
    with pytest.raises(OutboundError, match=why):
        http.request("GET", f"http://127.0.0.1:{server.port}{path}", most_bytes=1000, seconds=0.5)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    "url",
    [
        "http://moodle.example/a",
        "ftp://moodle.example/a",
        "file:///etc/passwd",
        "https:///a",
        "https://[::1",
        "https://moodle.example:99999/",
        "https://moodle.example/a b",
        "https://moodle.example/\r\nHost: evil",
        "gopher://127.0.0.1/",
    ],
)
def test_addresses_that_are_not_of_the_web_are_refused_before_any_look_up(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    with pytest.raises(OutboundError, match="address"):
        Outbound(allow_local=False, resolve=resolve).request("GET", url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::",
        "not an address",
    ],
)  # fmt: skip
def test_private_addresses_are_never_connected_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError(address)

    monkeypatch.setattr(outbound, "_connect", connect)
    for answer in ([address], ["93.184.216.34", address]):
        http = Outbound(allow_local=False, resolve=lambda *_, found=answer: found)  # type: ignore[misc]
        with pytest.raises(OutboundError, match="private"):
            http.request("GET", "https://moodle.example/token")
    assert not allowed(address, False)


def test_development_opens_the_machine_and_never_the_cloud_s_own_addresses() -> None:
    assert allowed("127.0.0.1", True)
    assert allowed("192.168.0.1", True)
    assert not allowed("169.254.169.254", True)
    assert not allowed("::ffff:169.254.169.254", True)
    assert allowed("93.184.216.34", False)
