"""Hostile input: always a 4xx with its reason in JSON, never a 500, and memory and time bounded."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import jwt
import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine

from lti_tool import listening
from tests import services
from tests.conformance import served
from tests.factories.statements import agent, headers, statement
from tests.functional.test_xapi_attachments import RSA, SIGNATURE, described, mixed, part, send
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi import auth, json_text, multipart, validation

PATH = "/xapi/statements"
STATE = "/xapi/activities/state"
PLACE = {"activityId": "https://lms.test/a", "agent": json.dumps(agent()), "stateId": "s"}
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
JSON = "application/json"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings whose limit is quickly passed."""
    return replace(settings, max_body=2_000_000)


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock()))


@pytest.fixture(autouse=True)
def as_served(request: pytest.FixtureRequest) -> None:
    """Let an unforeseen error become a 500, as it would be, instead of passing through the client."""
    if "client" in request.fixturenames:
        app = request.getfixturevalue("app")
        app.testing = False
        app.config["PROPAGATE_EXCEPTIONS"] = False


def refused(answer: Any, *codes: int) -> str:
    """Return the reason of a refusal."""
    assert answer.status_code in (codes or (400,)), (answer.status_code, answer.data[:300])
    assert answer.content_type == JSON
    reason = answer.json["error"]
    assert reason
    assert len(answer.data) < 2_000
    return str(reason)


# --- JSON ------------------------------------------------------------------------------------------------


def _bodies() -> Iterator[tuple[str, bytes]]:
    plain = orjson.dumps(statement(result={"extensions": {"http://x.test/e": "HERE"}, "score": {"raw": 7}}))
    for number in (
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"-1e999",
        b"9" * 5_000,
        b"1." + b"0" * 5_000 + b"x",
    ):
        yield f"number {number[:9]!r}", plain.replace(b'"raw":7', b'"raw":' + number)
    yield "deep arrays", b"[" * 500_000
    yield "deep and closed", b"[" * 200_000 + b"]" * 200_000
    yield "deep objects", b'{"a":' * 100_000
    yield "deep inside", plain.replace(b'"HERE"', b'{"a":[' * 90 + b"]}" * 90)
    yield "two keys", plain.replace(b'"HERE"', b'{"k":1,"\\u006b":2}')
    yield "UTF-16", plain.decode().encode("utf-16")
    yield "latin-1", plain.replace(b"HERE", b"\xe9")
    yield "overlong", plain.replace(b"HERE", b"\xc0\xaf")
    yield "half a surrogate", plain.replace(b"HERE", b"\\udc00")
    yield "NUL", plain.replace(b"HERE", b"\\u0000")
    yield "a control character", plain.replace(b"HERE", b"\x01")
    yield "a comment", plain + b"// end"
    yield "two values", plain + plain
    yield "gzip", gzip.compress(plain)
    yield "a long string without end", b'"' + b"x" * 900_000


@pytest.mark.parametrize(
    ("what", "body"), _bodies(), ids=lambda value: value if isinstance(value, str) else ""
)
@SQLITE
def test_json_that_is_none(client: Any, key: Any, what: str, body: bytes) -> None:
    begun = time.process_time()
    refused(client.post(PATH, data=body, content_type=JSON, headers=key))
    if what != "NUL":
        refused(client.post(STATE, query_string=PLACE, data=body, content_type=JSON, headers=key))
    assert time.process_time() - begun < 2


@SQLITE
def test_a_million_agents(client: Any, key: Any) -> None:
    people = [{"mbox": f"mailto:u{number}@x.test"} for number in range(validation.MOST_ITEMS + 1)]
    crowd = statement(actor={"objectType": "Group", "member": people})
    assert str(validation.MOST_ITEMS) in refused(client.post(PATH, json=crowd, headers=key))
    million = b'{"actor":{"objectType":"Group","member":[' + b'{"mbox":"mailto:a@b.c"},' * 80_000 * 10
    refused(client.post(PATH, data=million, content_type=JSON, headers=key), 413)
    allowed = statement(actor={"objectType": "Group", "member": people[:1_000]})
    assert client.post(PATH, json=allowed, headers=key).status_code == 200


@SQLITE
def test_what_takes_few_bytes_and_much_memory(client: Any, key: Any, settings: Any) -> None:
    """Six million empty arrays are 19 MB of text and half a gigabyte of objects."""
    for piece in (b"[],", b"{},", b'"",', b"1,", b'{"":0},'):
        body = b"[" + piece * (settings.max_body // len(piece) - 2) + b"1]"
        sent = {"data": body, "content_type": JSON, "headers": key}
        answer = client.post(STATE, query_string=PLACE, **sent)
        assert str(json_text.MOST_VALUES) in refused(answer, 413)
        # Statements are read a lot at a time: the first lot of these has none.
        tracemalloc.start()
        try:
            refused(client.post(PATH, **sent), 400, 413)
            assert tracemalloc.get_traced_memory()[1] < 60_000_000
        finally:
            tracemalloc.stop()


@SQLITE
def test_a_document_never_outgrows_the_limit(client: Any, key: Any, settings: Any) -> None:
    half = "x" * (settings.max_body * 2 // 3)
    for name, codes in (("a", (204,)), ("b", (413,)), ("a", (204,))):
        answer = client.post(STATE, query_string=PLACE, json={name: half}, headers=key)
        assert answer.status_code in codes, answer.data[:200]
    assert set(client.get(STATE, query_string=PLACE, headers=key).json) == {"a"}


@SQLITE
def test_merging_into_a_document_that_was_put_as_it_is(client: Any, key: Any) -> None:
    asked = {"query_string": PLACE, "content_type": JSON, "headers": key}
    for body in (
        *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (150, 900, 1_010, 5_000)),
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b"\xff",
    ):
        assert client.put(STATE, data=body, **asked).status_code == 204
        refused(client.post(STATE, data=b'{"b":1}', **asked))
        assert client.get(STATE, query_string=PLACE, headers=key).data == body


# --- size, encoding, headers, addresses ------------------------------------------------------------------


@SQLITE
def test_compressed_bodies_are_refused_unread(client: Any, key: Any) -> None:
    bomb = zlib.compress(b"0" * 20_000_000, 9)
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, identity", "x"):
        packed = {**key, "Content-Encoding": coding}
        for path, more in ((PATH, {}), (STATE, PLACE)):
            answer = client.post(path, query_string=more, data=bomb, content_type=JSON, headers=packed)
            assert "compressed" in refused(answer, 400, 415)


@SQLITE
def test_bodies_over_the_limit_wherever_they_go(client: Any, key: Any, settings: Any) -> None:
    big = b" " * (settings.max_body + 1)
    kinds = (JSON, "multipart/mixed; boundary=x", "application/x-www-form-urlencoded", "text/plain")
    for kind in kinds:
        refused(client.post(PATH, data=big, content_type=kind, headers=key), 400, 413)
        refused(client.put(STATE, query_string=PLACE, data=big, content_type=kind, headers=key), 413)
    asked = {"query_string": {"method": "PUT"}, "data": big, "content_type": kinds[2], "headers": key}
    refused(client.post(PATH, **asked), 413)


HEADERS: list[dict[str, str]] = [
    {"X-Experience-API-Version": "1.0.3, 2.0.0"},
    {"X-Experience-API-Version": "1.0." + "9" * 5_000 + "x"},
    {"X-Experience-API-Version": "1.0.²"},
    {"X-Experience-API-Version": "2"},
    {"X-Experience-API-Version": " "},
    {"Authorization": "Basic " + "A" * 60_000},
    {"Authorization": "Basic " + base64.b64encode(b"a" * 400 + b":\x00").decode()},
    {"Authorization": "Basic =" * 2_000},
    {"Authorization": "Basic"},
    {"Authorization": "Digest username=x"},
    {"Authorization": "é"},
]
HARMLESS = [
    {"Accept-Language": "q=" * 3_000 + ";q=nan, fr;q=1e999, *;q=-1, é;q=x"},
    {"Accept": "x" * 5_000},
    {"If-Match": "," * 5_000},
    {"Range": "bytes=0-1,2-3" + ",4-5" * 1_000},
    {"Cookie": "a=" * 2_000},
    {"X-Forwarded-For": "x" * 5_000},
]


@SQLITE
def test_headers_that_make_no_sense(client: Any, key: Any) -> None:
    for wrong in HEADERS:
        for method, path, more in (("GET", PATH, {}), ("POST", PATH, {}), ("DELETE", STATE, PLACE)):
            answer = client.open(path, method=method, query_string=more, headers={**key, **wrong})
            refused(answer, 400, 401)
    for odd in HARMLESS:
        asked = {"format": "canonical"}
        answer = client.get(PATH, query_string=asked, headers={**key, **odd})
        assert answer.status_code == 200, odd


@SQLITE
def test_content_types_that_make_no_sense(client: Any, key: Any) -> None:
    for kind in (
        "application/json\u00e9",
        "application/jsonx",
        "json",
        ";" * 5_000,
        "multipart/mixed; boundary=" + "x" * 71,
        'multipart/mixed; boundary="',
        "multipart/mixed; boundary=a; boundary=b; boundary=é",
        "multipart/mixed;" + ";boundary" * 2_000,
    ):
        refused(client.post(PATH, data=b"[]", content_type=kind, headers=key))
        if len(kind) > 255 or not kind.isascii():
            refused(client.put(STATE, query_string=PLACE, data=b"x", content_type=kind, headers=key))


ADDRESSES = [
    "statementId=" + "x" * 20_000,
    "&".join(["limit=1"] * 1_000),
    "&".join(f"p{number}=1" for number in range(2_000)),
    "agent=" + quote("[" * 5_000),
    "agent=" + quote('{"account":' * 2_000),
    "agent=" + quote('{"mbox":"mailto:a@b.test","mbox":"mailto:a@b.test"}'),
    "agent=%ff%fe",
    "agent=%00",
    "verb=http://x.test/%00",
    "verb=%ed%a0%80",
    "since=9999-12-31T23:59:60-23:59",
    "since=0001-01-01T00:00:00%2B14:00",
    "until=2026-01-01T00:00:00.%d9%a0Z",
    "limit=%d9%a0",
    "limit=1e3",
    "limit=" + "9" * 5_000,
    "registration=urn:uuid:12345678-1234-5678-1234-567812345678",
    "=",
    "&&&=&",
    "%",
    "more=" + "A" * 20_000,
]


@SQLITE
def test_addresses_that_make_no_sense(client: Any, key: Any) -> None:
    for text in ADDRESSES:
        answer = client.get(f"{PATH}?{text}", headers=key)
        if text in ("&&&=&", "="):
            assert answer.status_code in (200, 400)
        else:
            refused(answer)
    for path in (
        "/xapi/" + "a/" * 5_000,
        "/xapi/%00",
        "/xapi/..%2f..%2fetc",
        "/xapi//statements",
        "/xapi/STATEMENTS",
    ):
        assert client.get(path, headers=key).status_code in (404, 308), path[:40]


# --- cursors ---------------------------------------------------------------------------------------------

VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
PARTS = ("a", "ra", "v", "i", "ri", "r", "s", "u", "up", "l", "f", "at", "t", "id", "x")
GOOD: dict[str, Any] = {"l": 5, "f": "exact", "t": "2026-01-01T00:00:00+00:00", "id": str(uuid4())}


@SQLITE
@settings_of_hypothesis(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(PARTS), VALUES | st.lists(VALUES, max_size=2)))
def test_cursors_that_this_store_never_gave(client: Any, key: Any, said: dict[str, Any]) -> None:
    text = json.dumps({**GOOD, **said}).encode()
    cursor = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    answer = client.get(PATH, query_string={"more": cursor}, headers=key)
    assert answer.status_code in (200, 400), answer.data
    assert answer.is_json


@SQLITE
def test_cursors_that_are_no_json(client: Any, key: Any) -> None:
    for text in (b"", b"[]", b"null", b"\xff", b"{}", b"[" * 5_000, b'{"l":1,"l":2}', b'"x"'):
        refused(client.get(PATH, query_string={"more": base64.urlsafe_b64encode(text).decode()}, headers=key))
    for cursor in ("", "é", "=", "!!!!", "A", "\u0660"):
        refused(client.get(PATH, query_string={"more": cursor}, headers=key))


# --- multipart -------------------------------------------------------------------------------------------


def test_the_length_of_an_attachment_is_that_of_its_bytes(client: Any, key: Any) -> None:
    for length, code in ((3, 200), (0, 400), (2, 400), (4, 400), (10**15, 400)):
        said = statement(attachments=[described(b"one", length=length)])
        assert send(client, key, mixed(said, part(b"one"))).status_code == code, length
    for text, length, code in (
        (b"ffd8ff", 3, 200),
        (b"ffd8ff", 6, 200),
        (b"ffd8ff", 4, 400),
        (b"ffd8fg", 3, 400),
    ):
        said = statement(attachments=[described(text, length=length)])
        assert send(client, key, mixed(said, part(text))).status_code == code, (text, length)
    # Nothing is known of what is elsewhere.
    elsewhere = statement(attachments=[described(b"one", length=99, fileUrl="https://x.test/f")])
    assert client.post(PATH, json=elsewhere, headers=key).status_code == 200
    with_data = statement(attachments=[described(b"one", length=99, fileUrl="https://x.test/f")])
    assert send(client, key, mixed(with_data, part(b"one"))).status_code == 400


@SQLITE
def test_parts_by_thousands(client: Any, key: Any) -> None:
    contents = [str(number).encode() for number in range(multipart.MOST_PARTS - 1)]
    said = statement(attachments=[described(content) for content in contents])
    assert send(client, key, mixed(said, *map(part, contents))).status_code == 200
    one_more = statement(attachments=[described(b"1")])
    many = [part(b"1")] * (multipart.MOST_PARTS + 1)
    refused(send(client, key, mixed(one_more, *many)))
    refused(send(client, key, b"--xBoundary42\r\n\r\n\r\n" * 100_000))
    refused(send(client, key, b"\r\n--" * 400_000))
    # The same data twice is the same data.
    assert send(client, key, mixed(one_more, part(b"1"), part(b"1"))).status_code == 200


def _parts() -> Iterator[tuple[str, bytes]]:
    said = statement(attachments=[described(b"one")])
    good = mixed(said, part(b"one"))
    other = hashlib.sha256(b"other").hexdigest()
    yield "wrong hash", mixed(said, part(b"two", **{"X-Experience-API-Hash": said["attachments"][0]["sha2"]}))
    yield "hash of another", mixed(said, part(b"one", **{"X-Experience-API-Hash": other}))
    yield "hash that is none", mixed(said, part(b"one", **{"X-Experience-API-Hash": "g" * 64}))
    yield "SHA-1", mixed(said, part(b"one", **{"X-Experience-API-Hash": hashlib.sha1(b"one").hexdigest()}))
    yield (
        "same hash, other bytes",
        mixed(said, part(b"one"), part(b"two", **{"X-Experience-API-Hash": said["attachments"][0]["sha2"]})),
    )
    yield "no boundary at all", good.replace(b"xBoundary42", b"other")
    yield "a boundary inside", mixed(said, part(b"o\r\n--xBoundary42\r\nne"))
    yield "nested", mixed(said, part(good, "multipart/mixed; boundary=xBoundary42"))
    yield (
        "endless header",
        good.replace(b"Content-Type: text", b"X: " + b"x" * 9_000 + b"\r\nContent-Type: text"),
    )
    yield "header without colon", good.replace(b"Content-Transfer-Encoding: binary", b"nothing")
    yield "bare line feeds", good.replace(b"\r\n", b"\n")
    yield "cut", good[: len(good) // 2]
    yield "statements last", mixed([], part(b"one")).replace(b"[]", b"")
    yield "base64", mixed(said, part(b"one", **{"Content-Transfer-Encoding": "base64"}))
    yield "binary JSON", good.replace(b'{"id"', b'\xff\xfe{"id"', 1)


@pytest.mark.parametrize(
    ("what", "body"), _parts(), ids=lambda value: value if isinstance(value, str) else ""
)
@SQLITE
def test_multipart_that_is_none(client: Any, key: Any, what: str, body: bytes) -> None:
    assert what
    refused(send(client, key, body))
    assert client.get(PATH, headers=key).json["statements"] == []


@SQLITE
def test_one_signature_is_of_one_statement(client: Any, key: Any) -> None:
    """Otherwise a few bytes ask for thousands of verifications."""
    said = statement()
    token = jwt.PyJWS().encode(json.dumps(said).encode(), RSA, algorithm="RS256").encode()
    item = described(token, usageType=SIGNATURE, contentType="application/octet-stream")
    twice = mixed({**said, "attachments": [item, item]}, part(token, "application/octet-stream"))
    assert "signature" in refused(send(client, key, twice))
    once = mixed({**said, "attachments": [item]}, part(token, "application/octet-stream"))
    assert send(client, key, once).status_code == 200


@SQLITE
@settings_of_hypothesis(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_multipart_with_bytes_changed(client: Any, key: Any, data: Any) -> None:
    body = bytearray(mixed(statement(attachments=[described(b"one")]), part(b"one")))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    answer = send(client, key, bytes(body))
    assert answer.status_code in (200, 400), answer.data


# --- pages -----------------------------------------------------------------------------------------------


def test_pages_are_bounded_in_bytes(client: Any, key: Any, settings: Any, clock: Any) -> None:
    size = settings.max_body // 3
    sent = []
    for number in range(7):
        clock.advance(seconds=1)
        long = statement(result={"response": str(number) * size})
        assert client.post(PATH, json=long, headers=key).status_code == 200
        sent.append(long["id"])
    clock.advance(minutes=1)
    for ascending in ("true", "false"):
        address, found, pages = f"{PATH}?limit=0&ascending={ascending}", [], 0
        while address:
            answer = client.get(address, headers=key)
            assert len(answer.data) <= settings.max_body + 10_000
            found += [one["id"] for one in answer.json["statements"]]
            address, pages = answer.json["more"], pages + 1
        assert found == (sent if ascending == "true" else sent[::-1])
        assert pages > 1


# --- slow clients, HTTP that is none: on sockets ---------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve a small application with the clocks of `lti_tool.listening` set to one second; yield the port."""
    for name in ("HEAD_SECONDS", "PASS_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(listening, name, 1)
    monkeypatch.setattr(listening, "LEAST_RATE", 10_000_000)
    large = b"x" * 30_000_000

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [large if environ["PATH_INFO"] == "/large" else str(len(body)).encode()]

    port = services.free_port()
    made = listening.server(application, max_body=1_000, threads=2, host="127.0.0.1", port=port)
    made.adj.cleanup_interval = 1
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield port
    made.close()


def _connect(port: int, text: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=20)
    made.sendall(text)
    return made


def _read(one: socket.socket) -> bytes:
    """Return everything until the other side closes."""
    found = b""
    try:
        while piece := one.recv(65_536):
            found += piece
    except ConnectionResetError:
        return found
    finally:
        one.close()
    return found


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"


def test_slow_clients_are_timed_and_keep_nobody_waiting(hasty: int) -> None:
    slow = [_connect(hasty, (b"GET / HT", HEAD, HEAD + b"\r\nbeginning")[number % 3]) for number in range(90)]
    begun = time.monotonic()
    for _ in range(10):
        with _connect(hasty, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as one:
            assert _read(one).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begun < 2
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.2):
            for one in slow:
                try:
                    one.sendall(b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        time.sleep(3.5)
    finally:
        stop.set()
        thread.join()
    for one in slow:
        said = _read(one)
        assert b" 408 " in said or said == b"", said[:100]
    assert time.monotonic() - begun < 15


def test_who_does_not_read_the_answer_is_let_go(hasty: int) -> None:
    deaf = [_connect(hasty, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(6)]
    begun = time.monotonic()
    with _connect(hasty, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as one:
        assert _read(one).endswith(b"0")
    time.sleep(max(0.0, 6 - (time.monotonic() - begun)))
    for one in deaf:
        assert len(_read(one)) < 30_000_000


def test_http_that_is_none_is_refused_in_json(hasty: int) -> None:
    for text, code in (
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ):
        head, _, body = _read(_connect(hasty, text)).partition(b"\r\n\r\n")
        assert head.split()[1] == str(code).encode(), (text[:60], head)
        assert b"application/json" in head
        assert json.loads(body)["error"]


def _resident(pid: int) -> int:
    """Return the highest memory that a process had so far, bytes."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_memory_is_bounded_as_served(tmp_path: Path) -> None:
    """`estime serve` under eight hostile clients at once: refusals only, and little more memory."""
    most = 200_000_000
    with served("sqlite", folder=tmp_path) as (url, name, secret):
        [pid] = _listeners(int(url.rpartition(":")[2]))
        shared: dict[str, Any] = {"auth": (name, secret), "timeout": 120}
        shared["headers"] = {"X-Experience-API-Version": "1.0.3", "Content-Type": JSON}
        httpx.post(f"{url}/xapi/statements", content=orjson.dumps(statement()), **shared)
        before = _resident(pid)
        empty = b"[" + b"[]," * 6_000_000 + b"1]"
        crowd = b'{"actor":{"objectType":"Group","member":[' + b'{"mbox":"mailto:a@b.c"},' * 800_000
        bodies = [empty, crowd, b"[" * 19_000_000, b'{"a":' * 3_000_000] * 2
        codes: list[int] = []

        def send_one(body: bytes) -> None:
            codes.append(httpx.post(f"{url}/xapi/statements", content=body, **shared).status_code)

        threads = [threading.Thread(target=send_one, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert len(codes) == 8
        assert set(codes) <= {400, 413}
        assert _resident(pid) - before < most
        assert httpx.get(f"{url}/xapi/statements", **shared).status_code == 200
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def _listeners(port: int) -> set[int]:
    """Return the processes that listen on a port of loopback."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
            inodes.add(fields[9])
    found = set()
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(
                str(link.readlink()) == f"socket:[{inode}]" for link in folder.iterdir() for inode in inodes
            ):
                found.add(int(folder.parent.name))
        except OSError:
            continue
    return found
