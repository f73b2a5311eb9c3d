"""The command line: one JSON object on standard output, a sentence and a failure on bad input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, select

from lti_tool.cli import main
from lti_tool.job_tables import job
from tests import services
from tests.conftest import SECRET_KEY
from tests.factories.mailbox import mailbox
from tool_config import platforms, silos
from tool_config.database import administration, locating, open_engine, transaction
from xapi import auth
from xapi.tables import event, rollup_actor, statement

ESTIME = Path(sys.executable).with_name("estime")
PLATFORM = [
    "--issuer",
    "https://moodle.example.fr/campus",
    "--client-id",
    "abc",
    "--auth-url",
    "https://moodle.example.fr/auth",
    "--token-url",
    "https://moodle.example.fr/token",
    "--jwks-url",
    "https://moodle.example.fr/certs",
]


@dataclass
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Estime = Callable[..., Answer]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data directory never served before; no setting of the machine is seen."""
    for name in [name for name in os.environ if name.startswith("ESTIME_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ESTIME_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def estime(folder: Path) -> Estime:
    def run(*arguments: str) -> Answer:
        done = CliRunner().invoke(main, [str(argument) for argument in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    return run


def _refused(answer: Answer, words: str) -> None:
    assert answer.code != 0
    assert words in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_a_silo_is_made_where_nothing_was_served(estime: Estime, folder: Path) -> None:
    answer = estime("silo", "add", "Académie de Nantes")
    assert answer.code == 0
    assert answer.json["silo"] == "Académie de Nantes"
    assert (folder / "estime.db").is_file()
    _refused(estime("silo", "add", "Académie de Nantes"), "already exists")
    _refused(estime("silo", "add", "12"), "cannot name a silo")
    _refused(estime("silo", "add", "a\nb"), "cannot name a silo")
    _refused(estime("silo", "add", "b", "--time-zone", "Europe/Nowhere"), "not a time zone")
    assert [one["silo"] for one in estime("silo", "list").json["silos"]] == ["Académie de Nantes"]


def test_data_dir_may_be_said_after_the_command(estime: Estime, folder: Path, tmp_path: Path) -> None:
    assert estime("silo", "add", "a", "--data-dir", str(tmp_path / "other")).code == 0
    assert (tmp_path / "other" / "estime.db").is_file()
    assert not folder.exists()


def test_a_key_is_made_listed_and_revoked(estime: Estime, folder: Path) -> None:
    estime("silo", "add", "a")
    made = estime("key", "add", "--silo", "a", "--scope", "statements/write", "statements/read").json
    assert made["scopes"] == ["statements/write", "statements/read"]
    assert len(made["secret"]) >= 32
    one = estime(
        "key", "add", "--silo", "1", "--scope", "all", "--scope", "define", "--repair", "moodle"
    ).json
    assert one["scopes"] == ["all", "define"]
    listed = estime("key", "list", "--silo", "a")
    assert {key["key"] for key in listed.json["keys"]} == {made["key"], one["key"]}
    assert made["secret"] not in listed.out
    assert made["secret"].encode() not in (folder / "estime.db").read_bytes()
    assert estime("key", "revoke", made["key"], "--silo", "a").json["revoked"]
    _refused(estime("key", "revoke", made["key"], "--silo", "a"), "no key")
    engine = open_engine(f"sqlite:///{folder / 'estime.db'}")
    with locating(engine) as conn:
        found = silos.find_key(conn, made["key"])
        assert found is not None
        assert found.revoked_at is not None
    engine.dispose()


def test_bad_input_for_a_key(estime: Estime) -> None:
    estime("silo", "add", "a")
    _refused(estime("key", "add", "--silo", "b", "--scope", "all"), "no silo 'b'")
    _refused(estime("key", "add", "--silo", "a", "--scope", "everything"), "unknown scope")
    _refused(estime("key", "add", "--silo", "a", "--scope", "all", "everything"), "unknown scope")
    _refused(estime("key", "add", "--silo", "a"), "--scope")
    _refused(estime("key", "add", "--silo", "a", "--scope", "all", "--repair", "other"), "other")


def test_a_platform_is_registered_then_another_deployment(estime: Estime, folder: Path) -> None:
    estime("silo", "add", "a")
    made = estime("platform", "add", "--silo", "a", *PLATFORM, "--deployment-id", "1").json
    assert made["platform"] == "https://moodle.example.fr/campus"
    assert made["launch_url"].endswith("/lti/launch")
    more = estime("platform", "add", "--silo", "a", *PLATFORM, "--deployment-id", "2", "--deployment-id", "3")
    assert more.json["deployment_ids"] == ["1", "2", "3"]
    _refused(
        estime("platform", "add", "--silo", "a", *PLATFORM, "--deployment-id", "2"), "already registered"
    )
    estime("silo", "add", "b")
    _refused(estime("platform", "add", "--silo", "b", *PLATFORM, "--deployment-id", "2"), "another silo")
    assert len(estime("platform", "list", "--silo", "a").json["platforms"]) == 1
    engine = open_engine(f"sqlite:///{folder / 'estime.db'}")
    assert len(platforms.public_jwks(engine)["keys"]) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--issuer", "moodle", "issuer"),
        ("--auth-url", "http://moodle.example.fr/auth", "https"),
        ("--token-url", "ftp://moodle.example.fr/token", "token URL"),
        ("--jwks-url", "https://127.0.0.1/certs", "private network"),
        ("--jwks-url", "https://localhost/certs", "this machine"),
        ("--client-id", "", "client id"),
        ("--silo", "b", "no silo 'b'"),
    ],
)
def test_bad_input_for_a_platform(estime: Estime, option: str, value: str, said: str) -> None:
    estime("silo", "add", "a")
    base = ["platform", "add", "--silo", "a", *PLATFORM, "--deployment-id", "1"]
    _refused(estime(*base, option, value), said)
    assert estime("platform", "list", "--silo", "a").json["platforms"] == []


def test_a_local_platform_needs_the_development_setting(
    estime: Estime, monkeypatch: pytest.MonkeyPatch
) -> None:
    estime("silo", "add", "a")
    local = [part.replace("https://moodle.example.fr", "http://localhost:8000") for part in PLATFORM]
    _refused(estime("platform", "add", "--silo", "a", *local, "--deployment-id", "1"), "https")
    monkeypatch.setenv("ESTIME_ALLOW_LOCAL_NETWORK", "1")
    assert estime("platform", "add", "--silo", "a", *local, "--deployment-id", "1").code == 0


def test_an_administrator_is_named(estime: Estime) -> None:
    estime("silo", "add", "a")
    issuer = PLATFORM[1]
    _refused(estime("admin", "add", "--silo", "a", "--issuer", issuer, "--sub", "7"), "not a platform")
    estime("platform", "add", "--silo", "a", *PLATFORM, "--deployment-id", "1")
    assert estime("admin", "add", "--silo", "a", "--issuer", issuer, "--sub", "7").json["admin"] == "7"
    _refused(estime("admin", "add", "--silo", "a", "--issuer", issuer, "--sub", ""), "sub")


# --- statements and derived tables -----------------------------------------------------------------


def _statement(number: int) -> dict[str, Any]:
    return {
        "actor": {"account": {"homePage": "https://moodle.example.fr", "name": str(number % 3)}},
        "verb": {"id": "http://id.tincanapi.com/verb/viewed"},
        "object": {
            "id": "https://moodle.example.fr/mod/page/view.php?id=4",
            "definition": {"type": "http://activitystrea.ms/schema/1.0/page"},
        },
        "context": {
            "contextActivities": {
                "parent": [
                    {
                        "id": "https://moodle.example.fr/course/view.php?id=9",
                        "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course"},
                    }
                ]
            }
        },
        "timestamp": f"2026-10-{number % 28 + 1:02d}T08:00:00Z",
    }


def _counts(folder: Path) -> dict[str, int]:
    engine = open_engine(f"sqlite:///{folder / 'estime.db'}")
    with administration(engine) as conn:
        tables = (statement, event, rollup_actor)
        counts = {table.name: conn.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    engine.dispose()
    return counts


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_file_is_imported_once_and_rebuilt(
    estime: Estime, folder: Path, tmp_path: Path, packed: bool
) -> None:
    lines = [json.dumps(_statement(number)) for number in range(40)]
    lines[10] = json.dumps({"actor": {}})
    lines[20] = "{not JSON"
    content = "\n".join(lines).encode()
    file = tmp_path / ("traces.jsonl.gz" if packed else "traces.jsonl")
    file.write_bytes(gzip.compress(content) if packed else content)
    estime("silo", "add", "a")
    answer = estime("import", "statements", str(file), "--silo", "a")
    assert answer.code == 0, answer.err
    report = answer.json
    assert (report["read"], report["accepted"]) == (40, 38)
    assert [one["line"] for one in report["refused"]] == [11, 21]
    assert all(one["reason"] for one in report["refused"])
    assert file.name in answer.err
    assert _counts(folder)["statement"] == 38
    again = estime("import", "statements", str(file), "--silo", "a")
    assert again.code == 0
    assert _counts(folder)["statement"] == 38
    assert estime("rebuild", "--silo", "a").json["rebuilt"] == ["a"]
    assert _counts(folder) == {"statement": 38, "event": 38, "rollup_actor": 3}
    _refused(estime("rebuild", "--silo", "b"), "no silo 'b'")


def test_a_file_that_cannot_be_read(estime: Estime, tmp_path: Path) -> None:
    estime("silo", "add", "a")
    _refused(estime("import", "statements", str(tmp_path / "absent.json"), "--silo", "a"), "cannot be read")
    _refused(estime("import", "statements", str(tmp_path), "--silo", "a"), "cannot be read")
    file = tmp_path / "broken.json.gz"
    file.write_bytes(gzip.compress(b"[" + b"{}," * 1000)[:-12])
    _refused(estime("import", "statements", str(file), "--silo", "a"), "the compressed data is damaged")
    _refused(estime("import", "statements", str(file), "--silo", "b"), "no silo 'b'")


# --- doctor, schema, server ------------------------------------------------------------------------


def test_the_schema_is_made_by_its_command(estime: Estime) -> None:
    first = estime("db", "upgrade").json
    assert first["current"]
    assert estime("db", "upgrade").json == first


def test_doctor_before_and_after(estime: Estime, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "none yet" in estime("doctor").out
    estime("silo", "add", "a")
    answer = estime("doctor", "--json")
    names = {check["name"]: check["well"] for check in answer.json["checks"]}
    assert names["database"]
    assert names["schema"]
    assert names["worker"]
    monkeypatch.setenv("ESTIME_REDIS_URL", f"redis://127.0.0.1:{services.free_port()}/0")
    answer = estime("doctor")
    assert answer.code == 1
    assert "WRONG redis" in answer.out
    monkeypatch.setenv("ESTIME_MAX_BODY", "big")
    answer = estime("doctor")
    assert answer.code == 1
    assert "ESTIME_MAX_BODY" in answer.out


def test_doctor_tries_the_mail_server_and_sends_nothing(
    estime: Estime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> tuple[bool, str]:
        (found,) = (one for one in estime("doctor", "--json").json["checks"] if one["name"] == "mail")
        return found["well"], found["message"]

    assert " mail: " not in estime("doctor").out
    with mailbox() as box:
        monkeypatch.setenv("ESTIME_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("ESTIME_SMTP_PORT", str(box.port))
        monkeypatch.setenv("ESTIME_SMTP_TLS", "none")
        monkeypatch.setenv("ESTIME_MAIL_SENDER", "estime@campus.test")
        assert told() == (True, f"127.0.0.1:{box.port} answers; no message was sent")
        assert estime("doctor").code == 0
        monkeypatch.setenv("ESTIME_SMTP_TLS", "starttls")  # which this server does not offer
        well, said = told()
        assert not well
        assert "ESTIME_SMTP_" in said
        assert box.received == []
    monkeypatch.setenv("ESTIME_SMTP_TLS", "none")
    assert not told()[0]
    assert estime("doctor").code == 1


def test_doctor_tells_of_background_work_that_failed(estime: Estime, folder: Path) -> None:
    silo_id = estime("silo", "add", "a").json["id"]
    now = datetime.now(UTC)
    engine = open_engine(f"sqlite:///{folder / 'estime.db'}")

    def write(job_id: str, key: str | None, state: str, message: str, hours: int) -> None:
        ended = now - timedelta(hours=hours)
        row = {"silo_id": silo_id, "job_id": job_id, "kind": "roster", "key": key, "state": state}
        times = {"created_at": ended, "due_at": ended, "finished_at": ended}
        with transaction(engine, silo_id) as conn:
            conn.execute(job.insert().values(**row, message=message, **times))

    def jobs() -> tuple[bool, str]:
        (found,) = (one for one in estime("doctor", "--json").json["checks"] if one["name"] == "jobs")
        return found["well"], found["message"]

    assert jobs() == (True, "none failed lately")
    write("1", "roster 1", "failed", "unexpected 0123456789ab", 72)
    write("2", "roster 2", "failed", "unexpected 0123456789ab", 3)
    write("3", "roster 2", "done", "", 2)
    write("4", None, "failed", "cancelled", 1)
    assert jobs() == (True, "none failed lately")
    write("5", "roster 3", "failed", "forbidden", 1)
    assert jobs() == (True, "failed and not done since: 1 roster (forbidden)")
    write("6", None, "failed", "unexpected ba9876543210", 1)
    well, message = jobs()
    assert not well
    assert "1 roster (unexpected ba9876543210)" in message
    assert "look for the reference in the log" in message
    assert estime("doctor").code == 1
    engine.dispose()


def test_a_setting_that_cannot_be_used_is_a_sentence(estime: Estime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", "mysql://db/estime")
    _refused(estime("silo", "list"), "ESTIME_DATABASE_URL")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_commands_on_a_server_database(
    estime: Estime, engine: Engine, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    assert estime("silo", "add", "a").code == 0
    assert estime("key", "add", "--silo", "a", "--scope", "all").code == 0
    platform = ["platform", "add", "--silo", "a", *PLATFORM, "--deployment-id", "1"]
    _refused(estime(*platform), "secrets.token_urlsafe")
    _refused(estime("serve"), "secrets.token_urlsafe")
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("ESTIME_REDIS_URL", redis_url)
    monkeypatch.setenv("ESTIME_PUBLIC_URL", "https://estime.test")
    assert estime(*platform).code == 0
    checks = {check["name"]: check["well"] for check in estime("doctor", "--json").json["checks"]}
    checks.pop("browser files")
    assert all(checks.values()), checks
    with administration(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    _refused(estime("serve"), "estime db upgrade")
    assert estime("doctor").code == 1


def test_the_demo_refuses_a_server_database(
    estime: Estime, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", pg_url)
    _refused(estime("demo"), "ESTIME_DATABASE_URL")


@contextmanager
def _serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(ESTIME), "serve", "--port", str(port), "--data-dir", str(folder)]
    with (folder.parent / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait(10)


def test_commands_work_while_the_tool_is_served(folder: Path) -> None:
    port = services.free_port()

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [str(ESTIME), *arguments, "--data-dir", str(folder)],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        return json.loads(done.stdout)

    with _serving(folder, port) as process:
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/health/ready").json()["ready"]
        run("silo", "add", "a")
        key = run("key", "add", "--silo", "a", "--scope", "all")
        sent = httpx.post(
            f"{url}/xapi/statements",
            auth=(key["key"], key["secret"]),
            headers={"X-Experience-API-Version": "1.0.3"},
            json=[_statement(number) for number in range(9)],
        )
        assert sent.status_code == 200, sent.text
        deadline = time.monotonic() + 10
        while _counts(folder)["rollup_actor"] < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert _counts(folder) == {"statement": 9, "event": 9, "rollup_actor": 3}
        run("key", "revoke", key["key"], "--silo", "a")
        time.sleep(auth.FRESH.total_seconds())
        refused = httpx.get(
            f"{url}/xapi/statements",
            auth=(key["key"], key["secret"]),
            headers={"X-Experience-API-Version": "1.0.3"},
        )
        assert refused.status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    log = (folder.parent / "serve.log").read_text()
    assert "POST /xapi/statements 200" in log
    assert key["secret"] not in log
    assert "Traceback" not in log


def test_a_port_already_taken_is_a_sentence(folder: Path) -> None:
    port = services.free_port()
    with _serving(folder, port):
        second = subprocess.run(
            [str(ESTIME), "serve", "--port", str(port), "--data-dir", str(folder)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
        )
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "Traceback" not in second.stderr
