"""Copies kept by other stores: as stored, nothing skipped, nothing lost while the other is down."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select

from lti_tool import forwarding
from lti_tool.cli import main
from lti_tool.clock import utcnow
from lti_tool.forwarding import Forwarder, Peers
from tests.conftest import SECRET_KEY, Live
from tests.factories.statements import agent, headers, referring, statement, voiding
from tests.factories.surveys import Classroom
from tests.functional.test_xapi_attachments import described, mixed, part, send
from tool_config.database import transaction
from xapi import auth, delivery, forward, ingest, multipart
from xapi.answers import EXTENSION
from xapi.delivery import PeerError, Reply
from xapi.document_tables import attachment
from xapi.forward_tables import forward_dead
from xapi.sources.statements import import_file
from xapi.statement import equivalent
from xapi.tables import statement as table

PATH = "/xapi/statements"
NAME = "copie"
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


class Peer:
    """A store of the tests' own: remembers what it was sent, answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.kept: dict[str, Any] = {}
        #: Tells what to answer to statements, instead of taking them.
        self.judge: Callable[[list[Any]], Reply | None] = lambda said: None

    def __call__(self, one: Any, url: str, head: Any, body: bytes) -> Reply:
        self.requests.append((url, dict(head), body))
        text = body
        if head["Content-Type"].startswith("multipart"):
            text, _ = multipart.read(head["Content-Type"], body)
        said = json.loads(text)
        judged = self.judge(said)
        if judged is not None:
            return judged
        self.kept.update({item["id"]: item for item in said})
        return Reply(200, {}, json.dumps([item["id"] for item in said]).encode())


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def put(engine: Engine, silo: int, clock: Any) -> Callable[..., list[dict[str, Any]]]:
    def store(*said: dict[str, Any], by: Any = None) -> list[dict[str, Any]]:
        clock.advance(seconds=1)
        with transaction(engine, silo) as conn:
            ingest.ingest(conn, silo, list(said), now=clock(), version="2.0.0" if by else "1.0.3")
        clock.advance(seconds=20)
        return list(said)

    return store


@pytest.fixture
def copied(engine: Engine, silo: int, clock: Any) -> Callable[..., None]:
    def add(**over: Any) -> None:
        wanted = {"url": "https://lrs.test/xapi", "username": "k", "sealed_secret": "s", **over}
        with transaction(engine, silo) as conn:
            forward.add(conn, silo, NAME, now=clock(), **wanted)

    return add


@pytest.fixture
def turn(engine: Engine, silo: int, clock: Any, peer: Peer) -> Callable[[], None]:
    """Return what a worker does until nothing is due."""

    def run() -> None:
        thread = Forwarder(engine, clock, peer)
        for _ in range(200):
            if not thread.turn():
                return
        raise AssertionError("it never ends")

    return run


def state(engine: Engine, silo: int) -> forward.Forward:
    with transaction(engine, silo, write=False) as conn:
        return forward.get(conn, silo, NAME)


def buried(engine: Engine, silo: int) -> dict[str, tuple[int, str]]:
    with transaction(engine, silo, write=False) as conn:
        return {row.statement_id: (row.status, row.reason) for row in conn.execute(select(forward_dead))}


def raws(engine: Engine, silo: int) -> list[str]:
    with transaction(engine, silo, write=False) as conn:
        return list(
            conn.scalars(
                select(table.c.raw).where(table.c.silo_id == silo).order_by(table.c.stored, table.c.id)
            )
        )


# --- what is sent ----------------------------------------------------------------------------------------


def test_the_stored_json_goes_untouched(
    engine: Engine, silo: int, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    odd = statement(
        result={
            "duration": "PT0.5S",
            "extensions": {"http://x.test/e": {"none": None, "one": 1.0, "é": "\u2028"}},
        }
    )
    put(odd, statement(), statement(id=None, timestamp=None))
    copied()
    turn()
    [(url, head, body)] = peer.requests
    assert url == "https://lrs.test/xapi/statements"
    assert head == {"Content-Type": "application/json", "X-Experience-API-Version": "1.0.3"}
    assert body.decode() == "[" + ",".join(raws(engine, silo)) + "]"
    turn()
    assert len(peer.requests) == 1
    one = state(engine, silo)
    assert (one.sent, one.failures, one.claim, one.last_error) == (3, 0, "", "")


@sqlite_only
def test_each_version_under_its_own_header(put: Any, copied: Any, turn: Any, peer: Peer) -> None:
    put(statement(), statement())
    put(
        statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": agent("2")}]}),
        by="2.0.0",
    )
    put(statement())
    copied()
    turn()
    sent = [(head["X-Experience-API-Version"], len(json.loads(body))) for _, head, body in peer.requests]
    assert sent == [("1.0.3", 2), ("2.0.0", 1), ("1.0.3", 1)]


@sqlite_only
def test_what_is_voided_comes_before_what_voids_it(
    monkeypatch: pytest.MonkeyPatch, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    monkeypatch.setattr(delivery, "MOST", 3)
    targets = [statement(id=f"f{rank}000000-0000-4000-8000-000000000000") for rank in range(4)]
    voids = [
        voiding(target["id"], id=f"0{rank}000000-0000-4000-8000-000000000000")
        for rank, target in enumerate(targets)
    ]
    about = referring(voids[0]["id"], id="00000000-0000-4000-8000-00000000000a")
    put(about, *voids, *targets)
    copied()
    turn()
    seen: set[str] = set()
    for _, _, body in peer.requests:
        for item in json.loads(body):
            target = item["object"]["id"] if item["object"].get("objectType") == "StatementRef" else None
            assert target is None or target in seen
            seen.add(item["id"])
    assert seen == {one["id"] for one in (about, *voids, *targets)}


def test_answers_to_questionnaires_stay_unless_told_otherwise(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    room = Classroom(engine, silo, clock() - timedelta(days=3)).build(6, modules=1)
    asked = room.open("pseudonymous")
    for rank in range(3):
        room.answer(asked, rank, overall=4)
    answers = [item for item in map(json.loads, raws(engine, silo)) if EXTENSION in json.dumps(item)]
    assert answers
    put(voiding(answers[0]["id"]), statement())
    total = len(raws(engine, silo))
    clock.advance(minutes=1)
    copied()
    turn()
    kept_back = len(answers) + 1
    assert (state(engine, silo).left_out, len(peer.kept)) == (kept_back, total - kept_back)
    assert EXTENSION not in json.dumps(peer.kept)
    assert answers[0]["id"] not in json.dumps(peer.kept)
    with transaction(engine, silo) as conn:
        forward.remove(conn, silo, NAME)
    copied(with_answers=True)
    turn()
    assert len(peer.kept) == total


def test_attachments_go_with_their_statements(
    client: Any, engine: Engine, silo: int, clock: Any, copied: Any, turn: Any, peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(delivery, "MOST_ATTACHED", 3_000)
    with transaction(engine, silo) as conn:
        key = headers(auth.issue_key(conn, silo, ["all"], now=clock()))
    for letter in b"abcd":
        data = bytes([letter]) * 2_000
        said = statement(attachments=[described(data)])
        assert send(client, key, mixed(said, part(data))).status_code == 200
    client.post(
        PATH, json=statement(attachments=[{**described(b"x"), "fileUrl": "https://x.test/"}]), headers=key
    )
    clock.advance(minutes=1)
    copied()
    turn()
    assert len(peer.kept) == 5
    found: dict[str, bytes] = {}
    for _, head, body in peer.requests:
        if head["Content-Type"].startswith("multipart"):
            parts = multipart.read(head["Content-Type"], body)[1]
            assert sum(len(one.body) for one in parts.values()) <= 3_000
            found.update({sha2: one.body for sha2, one in parts.items()})
    with transaction(engine, silo, write=False) as conn:
        rows = conn.execute(select(attachment.c.sha2, attachment.c.body))
        assert found == {row.sha2: bytes(row.body) for row in rows}
    assert len(found) == 4


# --- what goes wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 409, 413, 422])
@sqlite_only
def test_faulty_statements_are_found_and_set_aside(
    engine: Engine, silo: int, put: Any, copied: Any, turn: Any, peer: Peer, status: int
) -> None:
    said = put(*(statement() for _ in range(30)))
    bad = {said[3]["id"], said[4]["id"], said[29]["id"]}
    peer.judge = lambda sent: (
        Reply(status, {}, b"no \xff such \x00 thing") if bad & {item["id"] for item in sent} else None
    )
    copied()
    turn()
    assert peer.kept.keys() == {item["id"] for item in said} - bad
    found = buried(engine, silo)
    assert found.keys() == bad
    assert all(one[0] == status and "such" in one[1] and "\x00" not in one[1] for one in found.values())
    # Those that come after are not held back, and those set aside go again when asked.
    put(statement())
    turn()
    assert len(peer.kept) == 28
    peer.judge = lambda sent: Reply(400, {}, b"still no") if said[3]["id"] in json.dumps(sent) else None
    with transaction(engine, silo) as conn:
        assert forward.retry(conn, silo, NAME) == 3
    turn()
    assert buried(engine, silo) == {said[3]["id"]: (400, "still no")}
    assert len(peer.kept) == 30


@sqlite_only
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(401, {}, b"who?"), "answers 401: who?"),
        (Reply(404, {}, b""), "answers 404"),
        (Reply(302, {"location": "https://x.test"}, b""), "answers 302"),
        (Reply(500, {}, b"oops"), "answers 500: oops"),
        (Reply(200, {}, b"<html>Bienvenue</html>"), "it is no store"),
        (Reply(200, {}, b"[]"), "it is no store"),
    ],
)
def test_a_fault_of_the_peer_costs_no_statement(
    engine: Engine,
    silo: int,
    clock: Any,
    put: Any,
    copied: Any,
    turn: Any,
    peer: Peer,
    reply: Reply,
    words: str,
) -> None:
    put(statement(), statement())
    copied()
    peer.judge = lambda sent: reply
    waits = []
    for _ in range(4):
        turn()
        one = state(engine, silo)
        assert one.next_at is not None
        waits.append((one.next_at - clock()).total_seconds())
        clock.now = one.next_at
    assert len(peer.requests) == 4, "one attempt each time, none before its time"
    assert words in one.last_error
    assert (one.failures, one.sent, buried(engine, silo)) == (4, 0, {})
    for rank, wait in enumerate(waits):
        assert 2.0 * 2**rank * 0.5 <= wait <= 2.0 * 2**rank * 1.5
    peer.judge = lambda sent: None
    turn()
    one = state(engine, silo)
    assert (one.sent, one.failures, one.last_error, len(peer.kept)) == (2, 3, "", 2)


@sqlite_only
def test_a_peer_that_asks_for_time_gets_it(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    put(statement())
    copied()
    clock.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    asked = {"120": 120, "Sat, 21 Nov 2026 13:00:00 GMT": 3600, "999999": 3600}
    for text, seconds in asked.items():
        with transaction(engine, silo) as conn:
            forward.resume(conn, silo, NAME)
        peer.judge = lambda sent, text=text: Reply(429, {"retry-after": text}, b"slow down")
        turn()
        one = state(engine, silo)
        assert one.next_at is not None
        assert (one.next_at - clock()).total_seconds() == seconds
    one = state(engine, silo)
    assert "429" in one.last_error


@sqlite_only
def test_a_peer_that_refuses_everything_is_left_alone(
    engine: Engine, silo: int, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    said = put(*(statement() for _ in range(60)))
    peer.judge = lambda sent: Reply(400, {}, b"unknown version")
    copied()
    turn()
    one = state(engine, silo)
    assert one.paused
    assert "unknown version" in one.last_error
    assert len(buried(engine, silo)) == delivery.DOUBT
    peer.judge = lambda sent: None
    with transaction(engine, silo) as conn:
        forward.retry(conn, silo, NAME)
    turn()
    assert (peer.kept.keys(), buried(engine, silo)) == ({item["id"] for item in said}, {})


@sqlite_only
def test_a_slow_peer_is_sent_less_at_a_time(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    put(*(statement() for _ in range(90)))

    def judge(sent: list[Any]) -> None:
        if len(sent) > 20:
            raise PeerError("no answer (TimeoutError)")

    peer.judge = judge
    copied()
    for _ in range(14):
        turn()
        clock.advance(hours=1)
    assert len(peer.kept) == 90


# --- the cursor ------------------------------------------------------------------------------------------


@postgresql_only
def test_a_row_committed_late_is_not_skipped(engine: Engine, silo: int, copied: Any, peer: Peer) -> None:
    late, soon = statement(), statement()
    copied(url="https://lrs.test")
    worker = Forwarder(engine, utcnow, peer)
    with transaction(engine, silo) as conn:
        stored = ingest.begin(conn, silo, [late], utcnow)
        with transaction(engine, silo) as other:
            ingest.ingest(other, silo, [soon], now=utcnow())
        worker.turn()
        assert peer.kept == {}, "the one that is there is stored after one that is not"
        ingest.write(conn, silo, [late], stored=stored)
    worker.turn()
    assert list(peer.kept) == [late["id"], soon["id"]]


def test_two_workers_do_not_send_the_same(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, peer: Peer
) -> None:
    put(*(statement() for _ in range(10)))
    copied()
    inside, other = threading.Event(), Peer()

    def judge(sent: list[Any]) -> None:
        Forwarder(engine, clock, other).turn()
        inside.set()

    peer.judge = judge
    Forwarder(engine, clock, peer).turn()
    assert inside.is_set()
    assert (len(peer.kept), other.requests) == (10, [])


def test_a_worker_whose_claim_ended_moves_nothing(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, peer: Peer
) -> None:
    put(*(statement() for _ in range(10)))
    copied()
    other = Peer()

    def judge(sent: list[Any]) -> None:
        clock.advance(minutes=5)  # as if asleep: another takes over and is refused one
        other.judge = lambda given: Reply(400, {}, b"no") if sent[0] in given else None
        Forwarder(engine, clock, other).turn()

    peer.judge = judge
    Forwarder(engine, clock, peer).turn()
    one = state(engine, silo)
    assert (one.sent, one.claim) == (9, "")
    assert buried(engine, silo).keys() == {next(iter(peer.kept))}


def test_what_an_import_stores_in_the_past_is_sent_too(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, turn: Any, peer: Peer, tmp_path: Path
) -> None:
    put(statement())
    copied()
    turn()
    old = statement(stored="2026-10-01T08:00:00.000Z", authority=agent("who"))
    (tmp_path / "a.jsonl").write_text(json.dumps(old))
    assert import_file(engine, silo, tmp_path / "a.jsonl", now=clock(), as_exported=True).accepted == 1
    turn()
    assert old["id"] in peer.kept


@sqlite_only
def test_from_now_on_only(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    put(statement())
    copied(since=clock())
    [after] = put(statement())
    turn()
    assert list(peer.kept) == [after["id"]]
    with transaction(engine, silo) as conn:
        forward.pause(conn, silo, NAME)
    put(statement())
    turn()
    assert len(peer.kept) == 1


def test_silos_keep_to_themselves(
    engine: Engine, silo: int, second_silo: int, clock: Any, put: Any, copied: Any, turn: Any, peer: Peer
) -> None:
    put(statement())
    with transaction(engine, second_silo) as conn:
        ingest.ingest(conn, second_silo, [statement()], now=clock())
        with pytest.raises(forward.ForwardFault):
            forward.get(conn, second_silo, NAME)
    clock.advance(minutes=1)
    copied()
    turn()
    assert [json.dumps(item) for item in peer.kept] == [
        json.dumps(json.loads(raw)["id"]) for raw in raws(engine, silo)
    ]
    with transaction(engine, second_silo) as conn:
        assert forward.list_all(conn, second_silo) == []


# --- over HTTP -------------------------------------------------------------------------------------------


def test_a_copy_in_another_silo_over_http(
    live_server: Live, engine: Engine, silo: int, second_silo: int, clock: Any, put: Any
) -> None:
    with transaction(engine, second_silo) as conn:
        key, secret = auth.issue_key(conn, second_silo, ["statements/write"], now=clock())
    with transaction(engine, silo) as conn:
        mine = headers(auth.issue_key(conn, silo, ["all"], now=clock()))
        forward.add(
            conn, silo, NAME, url=f"{live_server.url}/xapi", username=key, now=clock(), allow_private=True,
            sealed_secret=forwarding.sealed(SECRET_KEY, silo, NAME, secret),
        )  # fmt: skip
    gone = statement()
    put(gone, statement(result={"extensions": {"http://x.test/e": {"none": None}}}), referring(gone["id"]))
    put(voiding(gone["id"]))
    put(
        statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": agent("2")}]}),
        by="2.0.0",
    )
    client = live_server.app.test_client()
    said = statement(attachments=[described(b"data")])
    assert send(client, mine, mixed(said, part(b"data"))).status_code == 200
    clock.advance(minutes=1)
    worker = Forwarder(engine, clock, Peers(SECRET_KEY).post)
    while worker.turn():
        pass
    one = state(engine, silo)
    assert (one.last_error, one.sent, buried(engine, silo)) == ("", 6, {})
    sent, kept = (
        {item["id"]: item for item in map(json.loads, raws(engine, one))} for one in (silo, second_silo)
    )
    assert sent.keys() == kept.keys()
    assert all(equivalent(sent[key], kept[key]) for key in sent)
    with transaction(engine, second_silo, write=False) as conn:
        voided = select(table.c.id).where(table.c.silo_id == second_silo, table.c.voided)
        assert list(conn.scalars(voided)) == [gone["id"]]
        bodies = select(attachment.c.body).where(attachment.c.silo_id == second_silo)
        assert [bytes(body) for body in conn.scalars(bodies)] == [b"data"]
    # A key that is revoked: nothing is lost, the reason is told, and the secret is nowhere.
    with transaction(engine, second_silo) as conn:
        from tool_config import silos

        silos.revoke_key(conn, second_silo, key, now=clock())
    put(statement())
    clock.advance(minutes=1)
    worker.turn()
    one = state(engine, silo)
    assert "answers 401" in one.last_error
    assert secret not in repr(one) + one.last_error + one.sealed_secret


@pytest.fixture
def silent() -> Iterator[str]:
    """Yield the address of a server that redirects to a place where nobody should go."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@sqlite_only
def test_addresses_that_are_not_spoken_to(
    engine: Engine, silo: int, clock: Any, put: Any, copied: Any, silent: str
) -> None:
    put(statement())
    sealed = forwarding.sealed(SECRET_KEY, silo, NAME, "the-secret")
    names = {
        "private.test": ["10.0.0.7"],
        "public.test": ["93.184.216.34"],
        "mixed.test": ["127.0.0.1", "8.8.8.8"],
    }

    def resolve(host: str, port: int) -> list[str]:
        return names.get(host, [host])

    cases = [
        ("https://private.test/xapi", False, "address is private"),
        ("https://127.0.0.1/xapi", False, "address is private"),
        ("https://169.254.169.254/xapi", True, "address is private"),
        ("http://public.test/xapi", True, "plain http is for private addresses only"),
        ("http://mixed.test/xapi", True, "plain http is for private addresses only"),
        (silent, True, "answers 307"),
    ]
    for url, allow_private, words in cases:
        copied(url=url, allow_private=allow_private, sealed_secret=sealed)
        Forwarder(engine, clock, Peers(SECRET_KEY, resolve).post).turn()
        assert words in state(engine, silo).last_error, url
        with transaction(engine, silo) as conn:
            forward.remove(conn, silo, NAME)
    copied(url=silent, allow_private=True, sealed_secret=sealed)
    Forwarder(engine, clock, Peers("another key, as long as the first one").post).turn()
    assert "sealed with another secret key" in state(engine, silo).last_error
    for url in (
        "http://x.test",
        "ftp://x.test",
        "https://k:s@x.test",
        "https://x.test/?a=1",
        "https://[",
        "x",
    ):
        with pytest.raises(forward.ForwardFault):
            forward.check_url(url, allow_private=False)


# --- the command line ------------------------------------------------------------------------------------


def test_from_the_command_line(
    engine: Engine, silo: int, clock: Any, put: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)
    monkeypatch.setattr(
        Peers, "about", lambda self, one: (_ for _ in ()).throw(PeerError("the peer cannot be reached: x"))
    )

    def estime(*words: str, code: int = 0, given: str | None = None) -> Any:
        done = CliRunner().invoke(main, ["forward", *words, "--silo", "essai"], input=given)
        assert done.exit_code == code, done.output
        assert "s3cret" not in done.stdout + done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    [said] = put(statement())
    there = ("--url", "https://lrs.test/xapi/", "--key", "k")
    made = estime("add", NAME, *there, "--secret-file", "-", given="s3cret\n")
    assert (made["url"], made["warning"]) == ("https://lrs.test/xapi", "the peer cannot be reached: x")
    assert "already has a forward" in estime("add", NAME, *there, given="s3cret\n", code=1)
    assert "https" in estime("add", "b", "--url", "http://x.test", "--key", "k", given="s3cret\n", code=1)
    assert "is empty" in estime("add", "b", *there, "--secret-file", "-", given="\n", code=1)
    shown = estime("show", NAME)
    assert (shown["waiting"], shown["dead"], shown["sent"], shown["paused"]) == (1, 0, 0, False)
    assert [one["name"] for one in estime("list")["forwards"]] == [NAME]
    assert estime("pause", NAME)["paused"]
    assert estime("show", NAME)["paused"]
    estime("resume", NAME)
    peer = Peer()
    peer.judge = lambda sent: Reply(400, {}, b"too late")
    Forwarder(engine, clock, peer).turn()
    found = estime("dead", NAME)
    assert (found["count"], found["dead"][0]["statement_id"]) == (1, said["id"])
    assert found["dead"][0]["reason"] == "too late"
    estime("retry", NAME, code=2)
    assert estime("retry", NAME, said["id"])["again"] == 1
    assert estime("show", NAME)["waiting"] == 0
    peer.judge = lambda sent: None
    Forwarder(engine, clock, peer).turn()
    assert estime("dead", NAME)["count"] == 0
    estime("remove", NAME)
    for words in (
        ("show", NAME),
        ("pause", NAME),
        ("dead", NAME),
        ("retry", NAME, "--all"),
        ("remove", NAME),
    ):
        assert "no forward named" in estime(*words, code=1)
    assert hashlib.sha256(b"s3cret").hexdigest() not in str(made)
