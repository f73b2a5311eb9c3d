"""Attachments in and out, signed statements (xAPI 1.0.3 Data 2.4.11, 2.6, Communication 1.5)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import Engine

from tests.factories.statements import headers, statement
from tool_config.database import transaction
from xapi import auth

PATH = "/xapi/statements"
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
BINARY = bytes(range(256)) + b"\r\n--frontier\r\n\r\n--"


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock()))


def described(content: bytes, **over: Any) -> dict[str, Any]:
    return {
        "usageType": "http://x.test/usage",
        "display": {"fr": "Une pièce"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
        **over,
    }


def part(content: bytes, kind: str = "text/plain", **over: str) -> tuple[dict[str, str], bytes]:
    head = {
        "Content-Type": kind,
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": hashlib.sha256(content).hexdigest(),
        **over,
    }
    return {name: value for name, value in head.items() if value}, content


def mixed(value: Any, *parts: tuple[dict[str, str], bytes], boundary: str = "xBoundary42") -> bytes:
    made = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode() + json.dumps(value).encode()
    for head, content in parts:
        lines = "".join(f"{name}: {text}\r\n" for name, text in head.items())
        made += f"\r\n--{boundary}\r\n{lines}\r\n".encode() + content
    return made + f"\r\n--{boundary}--\r\n".encode()


def send(client: Any, key: Any, body: bytes, *, kind: str = "multipart/mixed; boundary=xBoundary42") -> Any:
    return client.post(PATH, data=body, content_type=kind, headers=key)


def received(answer: Any) -> tuple[Any, list[tuple[dict[str, str], bytes]]]:
    """Read a multipart answer by hand, as the boundary of its header says."""
    found = re.fullmatch(r"multipart/mixed; boundary=([A-Za-z0-9]+)", answer.content_type)
    assert found is not None, answer.content_type
    first, *pieces = answer.data.split(b"--" + found[1].encode())
    assert first == b""
    assert pieces.pop() == b"--\r\n"
    parts = []
    for piece in pieces:
        head, _, content = piece[2:].partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        parts.append((dict(lines), content[:-2]))
    assert parts[0][0] == {"Content-Type": "application/json"}
    return json.loads(parts[0][1]), parts[1:]


def test_in_and_out(client: Any, key: Any) -> None:
    inner = statement(id=None, timestamp=None, attachments=[described(b"inner")])
    said = statement(
        attachments=[described(b"one"), described(BINARY, contentType="image/png")],
        object={**inner, "objectType": "SubStatement"},
    )
    body = mixed([said, statement()], part(b"one"), part(BINARY, "image/png"), part(b"inner"))
    assert send(client, key, body).status_code == 200
    found = client.get(PATH, query_string={"statementId": said["id"], "attachments": "true"}, headers=key)
    whole, parts = received(found)
    assert whole["id"] == said["id"]
    assert {head["X-Experience-API-Hash"]: content for head, content in parts} == {
        item["sha2"]: content
        for item, content in zip(
            [*said["attachments"], *inner["attachments"]], (b"one", BINARY, b"inner"), strict=True
        )
    }
    assert {head["Content-Type"] for head, _ in parts} == {"text/plain", "image/png"}
    assert {head["Content-Transfer-Encoding"] for head, _ in parts} == {"binary"}
    plain = client.get(PATH, query_string={"statementId": said["id"], "attachments": "false"}, headers=key)
    assert plain.content_type == "application/json"
    assert plain.headers["Last-Modified"] == found.headers["Last-Modified"]
    whole, parts = received(client.get(PATH, query_string={"attachments": "true"}, headers=key))
    assert (len(whole["statements"]), len(parts)) == (2, 3)
    # Nothing attached: still multipart, with the statements alone.
    none = {"attachments": "true", "verb": "http://x.test/none"}
    assert received(client.get(PATH, query_string=none, headers=key)) == ({"statements": [], "more": ""}, [])


def test_pages_of_attachments_are_bounded(client: Any, key: Any, settings: Any, clock: Any) -> None:
    big = [bytes([number]) * (settings.max_body // 2 - 5_000) for number in range(4)]
    for content in big:
        clock.advance(seconds=1)
        body = mixed(statement(attachments=[described(content)]), part(content))
        assert send(client, key, body).status_code == 200
    address, seen = f"{PATH}?attachments=true&ascending=false", []
    while address:
        answer = client.get(address, headers=key)
        assert len(answer.data) < settings.max_body + 100_000
        whole, parts = received(answer)
        seen += [content[0] for _, content in parts]
        address = whole["more"]
    assert seen == [3, 2, 1, 0]


def test_put_and_the_forms_that_are_met(client: Any, key: Any) -> None:
    content = b"here is a simple attachment"
    said = statement(attachments=[described(content)])
    for kind, body in (
        ('multipart/mixed; boundary="x Boundary"', mixed(said, part(content), boundary="x Boundary")),
        ("multipart/mixed;boundary=---314159; charset=x", mixed(said, part(content), boundary="---314159")),
        ("Multipart/Mixed; Boundary=b", b"\r\n" + mixed(said, part(content), boundary="b")),
        ("multipart/mixed; boundary=b", mixed(said, part(content), boundary="b").replace(b": ", b":", 1)),
        ("multipart/mixed; boundary=b", mixed(said, part(content), part(content), boundary="b")),
    ):
        asked = {"statementId": said["id"]}
        answer = client.put(PATH, query_string=asked, data=body, content_type=kind, headers=key)
        assert answer.status_code == 204, (kind, answer.data)
    upper = statement(attachments=[described(content, sha2=hashlib.sha256(content).hexdigest().upper())])
    assert send(client, key, mixed(upper, part(content))).status_code == 200
    long = statement(attachments=[described(content, sha2=hashlib.sha512(content).hexdigest())])
    sent = part(content, **{"X-Experience-API-Hash": hashlib.sha512(content).hexdigest()})
    assert send(client, key, mixed(long, sent)).status_code == 200


def test_what_is_refused(client: Any, key: Any) -> None:
    said = statement(attachments=[described(b"one")])
    good = mixed(said, part(b"one"))
    wrong = {
        "no data": mixed(said),
        "data of nobody": mixed(said, part(b"one"), part(b"two")),
        "another hash": mixed(
            said, part(b"two", **{"X-Experience-API-Hash": said["attachments"][0]["sha2"]})
        ),
        "no hash": mixed(said, part(b"one", **{"X-Experience-API-Hash": ""})),
        "no encoding": mixed(said, part(b"one", **{"Content-Transfer-Encoding": ""})),
        "another encoding": mixed(said, part(b"one", **{"Content-Transfer-Encoding": "base64"})),
        "statements in two parts": mixed(said, part(b"one"), ({"Content-Type": "application/json"}, b"{}")),
        "first part of another type": good.replace(b"application/json", b"text/plain"),
        "no end": good.removesuffix(b"--xBoundary42--\r\n"),
        "no first boundary": good.replace(b"--xBoundary42\r\n", b"", 1),
        "nothing": b"",
        "ends at once": b"--xBoundary42--\r\n",
        "no header end": b"--xBoundary42\r\nContent-Type: application/json\r\n--xBoundary42--\r\n",
        "not JSON": good.replace(b'{"id"', b'{"id', 1),
        "glued boundary": good.replace(b"--xBoundary42\r\n", b"--xBoundary42x\r\n"),
        "many parts": b"--xBoundary42\r\n\r\n" * 3_000 + b"--xBoundary42--\r\n",
    }
    for what, body in wrong.items():
        answer = send(client, key, body)
        assert (answer.status_code, answer.is_json) == (400, True), what
    for kind in (
        "multipart/mixed",
        "multipart/form-data; boundary=xBoundary42",
        "multipart/mixed; boundary=",
    ):
        assert send(client, key, good, kind=kind).status_code == 400, kind
    assert client.get(PATH, headers=key).json["statements"] == []
    assert send(client, key, good).status_code == 200


def test_repairs_keep_the_others_and_their_data(client: Any, engine: Engine, silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        key = headers(auth.issue_key(conn, silo, ["all"], now=clock(), repair="moodle"))
    good, bad = statement(attachments=[described(b"one")]), statement(attachments=[described(b"lost")])
    answer = send(client, key, mixed([good, bad], part(b"one"), part(b"two")))
    assert (answer.status_code, answer.json) == (200, [good["id"], bad["id"]])
    whole, parts = received(client.get(PATH, query_string={"attachments": "true"}, headers=key))
    assert [item["id"] for item in whole["statements"]] == [good["id"]]
    assert [content for _, content in parts] == [b"one"]


# --- signatures --------------------------------------------------------------------------------------------

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(private: Any) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "signer.test")])
    begun = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(begun)
        .not_valid_after(begun + dt.timedelta(days=900))
        .sign(private, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def signed(
    client: Any,
    key: Any,
    said: dict[str, Any],
    *,
    payload: Any = None,
    algorithm: str = "RS256",
    private: Any = RSA,
    header: dict[str, Any] | None = None,
    token: bytes | None = None,
    **over: Any,
) -> int:
    if token is None:
        body = json.dumps(payload or said).encode() if not isinstance(payload, bytes) else payload
        token = jwt.PyJWS().encode(body, private, algorithm=algorithm, headers=header or {}).encode()
    item = described(token, usageType=SIGNATURE, contentType="application/octet-stream", **over)
    body = mixed({**said, "attachments": [item]}, part(token, "application/octet-stream"))
    return int(send(client, key, body).status_code)


def test_signatures_that_hold(client: Any, key: Any) -> None:
    for algorithm in ("RS256", "RS384", "RS512"):
        assert signed(client, key, statement(), algorithm=algorithm) == 200
        chain = {"x5c": [certificate(RSA)]}
        assert signed(client, key, statement(), algorithm=algorithm, header=chain) == 200
    said = statement()
    bare = {name: value for name, value in said.items() if name not in ("id", "timestamp")}
    assert signed(client, key, said, payload=bare) == 200
    for received, signed_for, expected in (
        ("PT1H59.1456S", "PT1H59.14S", 200),
        ("PT59.1S", "PT59,109S", 200),
        ("PT59S", "PT59.009S", 200),
        ("PT59.14S", "PT59.15S", 400),
        ("PT1H", "PT60M", 400),
    ):
        said = statement(result={"duration": received})
        payload = {**said, "result": {"duration": signed_for}}
        assert signed(client, key, said, payload=payload) == expected, (received, signed_for)


def test_signatures_that_do_not(client: Any, key: Any) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curve = ec.generate_private_key(ec.SECP256R1())
    said = statement()
    refused: dict[str, Any] = {
        "another algorithm": {"algorithm": "HS256", "private": b"k" * 32},
        "no algorithm": {"algorithm": "none", "private": None},
        "elliptic": {"algorithm": "ES256", "private": curve},
        "another key": {"header": {"x5c": [certificate(other)]}},
        "a certificate of another kind": {"header": {"x5c": [certificate(curve)]}},
        "no certificate": {"header": {"x5c": []}},
        "not a certificate": {"header": {"x5c": ["AAAA"]}},
        "not in base64": {"header": {"x5c": ["?"]}},
        "another statement": {"payload": {**said, "result": {"success": True}}},
        "another id": {"payload": statement()},
        "not a statement": {"payload": {"a": 1}},
        "broken JSON": {"payload": json.dumps(said).encode()[:-1]},
        "not a token": {"token": b"x"},
        "not base64url": {"token": b"?.?.?"},
        "empty": {"token": b".."},
        "another content type": {"contentType": "text/plain"},
    }
    for what, over in refused.items():
        kind = over.pop("contentType", None)
        if kind is not None:
            token = jwt.PyJWS().encode(json.dumps(said).encode(), RSA, algorithm="RS256").encode()
            item = described(token, usageType=SIGNATURE, contentType=kind)
            assert (
                send(client, key, mixed({**said, "attachments": [item]}, part(token, kind))).status_code
                == 400
            )
            continue
        assert signed(client, key, said, **over) == 400, what
    item = described(
        b"x", usageType=SIGNATURE, contentType="application/octet-stream", fileUrl="http://x.test/s"
    )
    assert client.post(PATH, json={**said, "attachments": [item]}, headers=key).status_code == 400
    assert signed(client, key, said) == 200
