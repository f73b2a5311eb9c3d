"""Exports of statements, and what comes back of them: an equal store, on either engine."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

from lti_tool.cli import main
from tests.conftest import SECRET_KEY
from tests.contract.test_rebuild import drain, snapshot
from tests.factories import traces
from tests.factories.statements import agent, headers, referring, statement, voiding
from tests.functional.test_xapi_attachments import BINARY, described, mixed, part, send
from tool_config import silos
from tool_config.database import administration, open_engine, transaction
from xapi import auth, ingest
from xapi import tables as xapi
from xapi.document_tables import attachment
from xapi.statement import equivalent

PATH = "/xapi/statements"
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

Estime = Callable[..., Result]


@pytest.fixture
def target(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path, clock: Any) -> Iterator[Engine]:
    """Yield a store of the other kind with the silos "essai" and "voisine", and nothing in them."""
    with ExitStack() as stack:
        if engine.dialect.name == "postgresql":
            shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "target.db")
            made = open_engine(f"sqlite:///{tmp_path / 'target.db'}")
            stack.callback(made.dispose)
        else:
            made = stack.enter_context(request.getfixturevalue("other_pg_stores").empty())
        with administration(made) as conn:
            silos.add(conn, "essai", now=clock())
            silos.add(conn, "voisine", now=clock())
        yield made


@pytest.fixture
def estime(monkeypatch: pytest.MonkeyPatch) -> Estime:
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)

    def run(engine: Engine, *words: object, code: int = 0) -> Result:
        monkeypatch.setenv("ESTIME_DATABASE_URL", engine.url.render_as_string(hide_password=False))
        done = CliRunner().invoke(main, [*map(str, words), "--silo", "essai"])
        assert done.exit_code == code, done.output
        return done

    return run


def key_of(engine: Engine, silo_id: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo_id) as conn:
        return headers(auth.issue_key(conn, silo_id, ["all"], now=clock()))


@pytest.fixture
def filled(client: Any, engine: Engine, silo: int, clock: Any) -> int:
    """Fill the silo through HTTP with one of everything; return how many statements it holds."""
    key = key_of(engine, silo, clock)
    modern = {**key, "X-Experience-API-Version": "2.0.0"}

    def post(said: Any, by: Any = key) -> None:
        clock.advance(seconds=7, milliseconds=13)
        answer = client.post(PATH, json=said, headers=by)
        assert answer.status_code == 200, answer.json

    gone, early = statement(), statement()
    post([gone, statement(id=None, actor={**agent("é « 🎓 »"), "name": "Zoë\u2028"})])
    post(voiding(gone["id"]))
    post(voiding(early["id"]))
    post([early, referring(gone["id"]), statement(result={"score": {"raw": 1e21, "scaled": -0.25}})])
    post(
        statement(
            version="2.0.0",
            timestamp="2026-11-20T10:00:00.123456+02:00",
            context={"contextAgents": [{"objectType": "contextAgent", "agent": agent("2")}]},
        ),
        modern,
    )
    inner = {
        "objectType": "SubStatement",
        **{name: statement()[name] for name in ("actor", "verb", "object")},
        "attachments": [described(b"inside")],
    }
    clock.advance(seconds=3)
    body = mixed(
        [statement(attachments=[described(BINARY), described(b"twice")]), statement(object=inner)],
        *(part(BINARY), part(b"twice"), part(b"inside")),
    )
    assert send(client, key, body).status_code == 200
    clock.advance(seconds=3)
    body = mixed(statement(attachments=[described(b"twice")]), part(b"twice"))
    assert send(client, key, body).status_code == 200
    post([statement(attachments=[{**described(b"elsewhere"), "fileUrl": "https://x.test/file"}])])
    at = "2026-10-05T08:0{}:00Z"
    seen = [
        traces.statement(who, verb, traces.page(1), at.format(minute))
        for who, verb, minute in (
            ("3", traces.VIEWED, 1),
            ("3", traces.COMPLETED, 4),
            ("4", traces.VIEWED, 5),
        )
    ]
    post(seen)
    clock.advance(seconds=20)
    return 15


def held(engine: Engine, silo_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Return what two equal stores have in common: all that is known of statements but the key's id."""
    links = (xapi.statement_agent, xapi.statement_activity, xapi.statement_reference, xapi.actor)
    with transaction(engine, silo_id, write=False) as conn:
        wanted = [column for column in xapi.statement.c if column.name != "key_id"]
        found = {"statement": [tuple(row) for row in conn.execute(select(*wanted))]}
        for table in links:
            found[table.name] = [tuple(row) for row in conn.execute(select(table))]
        kept = select(attachment.c.sha2, attachment.c.content_type, attachment.c.body)
        found["attachment"] = [(row.sha2, row.content_type, bytes(row.body)) for row in conn.execute(kept)]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


# --- there and back --------------------------------------------------------------------------------------


def test_an_export_makes_an_equal_store(
    engine: Engine, target: Engine, silo: int, filled: int, estime: Estime, tmp_path: Path
) -> None:
    file = tmp_path / "essai.zip"
    said = json.loads(estime(engine, "export", "statements", "--output", file).stdout)
    assert (said["format"], said["statements"], said["attachments"]) == ("zip", filled, 3)
    assert file.stat().st_mode & 0o777 == 0o600
    taken = json.loads(estime(target, "import", "statements", file, "--as-exported").stdout)
    assert (taken["read"], taken["accepted"], taken["refused"], taken["passed_over"]) == (
        filled,
        filled,
        [],
        [],
    )
    before, after = held(engine, silo), held(target, silo)
    for name, rows in before.items():
        assert rows == after[name], name
    assert [len(before[name]) for name in ("statement", "attachment")] == [filled, 3]
    assert sum(row[-2] for row in before["statement"]) == 2, "voided"
    drain(engine, silo)
    drain(target, silo)
    drawn = snapshot(engine, silo)
    assert drawn == snapshot(target, silo)
    assert len(drawn["event"]) >= 3
    # And the export of the copy is the same file, to the byte.
    again = tmp_path / "again.zip"
    estime(target, "export", "statements", "--output", again)
    assert again.read_bytes() == file.read_bytes()
    assert json.loads(estime(target, "import", "statements", file, "--as-exported").stdout)["accepted"] == 0


def test_a_file_is_not_believed_about_who_and_when(
    engine: Engine, target: Engine, silo: int, filled: int, estime: Estime, tmp_path: Path
) -> None:
    file = tmp_path / "essai.zip"
    estime(engine, "export", "statements", "--output", file)
    taken = json.loads(estime(target, "import", "statements", file).stdout)
    assert (taken["accepted"], taken["refused"]) == (filled, [])
    before = {row[1]: row for row in held(engine, silo)["statement"]}
    after = {row[1]: row for row in held(target, silo)["statement"]}
    assert before.keys() == after.keys()
    for key, row in after.items():
        said, kept = json.loads(row[-1]), json.loads(before[key][-1])
        assert said["authority"]["account"] == {"homePage": "urn:estime", "name": "import"}
        assert said["stored"] > kept["stored"]
        assert equivalent(kept, said)
        assert row[-2] == before[key][-2], "voided"
    assert held(engine, silo)["attachment"] == held(target, silo)["attachment"]


@sqlite_only
def test_lines_without_the_data_of_attachments(
    engine: Engine, silo: int, filled: int, estime: Estime, tmp_path: Path
) -> None:
    refused = estime(engine, "export", "statements", "--format", "jsonl", code=1)
    assert "--without-attachments" in refused.stderr
    plain = estime(engine, "export", "statements", "--without-attachments")
    lines = plain.stdout.split("\n")[:-1]
    assert len(lines) == filled
    moments = [(one["stored"], one["id"]) for one in map(json.loads, lines)]
    assert moments == sorted(moments)
    with transaction(engine, silo, write=False) as conn:
        assert set(lines) == set(conn.scalars(select(xapi.statement.c.raw)))
    assert json.loads(plain.stderr.splitlines()[-1])["statements"] == filled
    file = tmp_path / "a.jsonl.gz"
    estime(engine, "export", "statements", "--output", file, "--without-attachments")
    assert gzip.decompress(file.read_bytes()).decode() == plain.stdout
    assert "already exists" in estime(engine, "export", "statements", "--output", file, code=1).stderr
    assert sorted(path.name for path in tmp_path.glob("a.jsonl.gz*")) == ["a.jsonl.gz"]


@sqlite_only
def test_a_failed_export_leaves_nothing(
    engine: Engine, silo: int, filled: int, estime: Estime, tmp_path: Path
) -> None:
    estime(engine, "export", "statements", "--output", tmp_path / "a.jsonl", code=1)
    assert not list(tmp_path.glob("a.jsonl*"))
    missing = estime(engine, "export", "statements", "--output", tmp_path / "no" / "a.zip", code=1)
    assert "cannot be written" in missing.stderr
    swapped = ("--since", "2026-02-01", "--until", "2026-01-01")
    assert "must come after" in estime(engine, "export", "statements", *swapped, code=2).stderr
    assert "not an instant" in estime(engine, "export", "statements", "--since", "hier", code=2).stderr


def test_one_export_after_the_other_gives_everything_once(
    client: Any, engine: Engine, silo: int, clock: Any, filled: int, estime: Estime, tmp_path: Path
) -> None:
    whole = estime(engine, "export", "statements", "--without-attachments")
    lines = whole.stdout.split("\n")[:-1]
    cut = json.loads(lines[5])["stored"]
    first = estime(engine, "export", "statements", "--without-attachments", "--until", cut)
    through = json.loads(first.stderr.splitlines()[-1])["complete_through"]
    second = estime(engine, "export", "statements", "--without-attachments", "--since", through)
    assert first.stdout + second.stdout == whole.stdout
    through = json.loads(second.stderr.splitlines()[-1])["complete_through"]
    assert estime(engine, "export", "statements", "--without-attachments", "--since", through).stdout == ""


@postgresql_only
def test_a_statement_about_to_be_committed_is_left_to_the_next_export(
    engine: Engine, silo: int, estime: Estime
) -> None:
    from lti_tool.clock import utcnow

    late, soon = statement(), statement()
    with transaction(engine, silo) as conn:
        stored = ingest.begin(conn, silo, [late], utcnow)
        with transaction(engine, silo) as other:
            ingest.ingest(other, silo, [soon], now=utcnow())
        first = estime(engine, "export", "statements")
        assert first.stdout == ""
        ingest.write(conn, silo, [late], stored=stored)
    through = json.loads(first.stderr.splitlines()[-1])["complete_through"]
    second = estime(engine, "export", "statements", "--since", through)
    assert [json.loads(line)["id"] for line in second.stdout.splitlines()] == [late["id"], soon["id"]]


def test_a_silo_exports_what_is_its_own(
    client: Any, engine: Engine, silo: int, second_silo: int, clock: Any, estime: Estime, tmp_path: Path
) -> None:
    for silo_id, secret in ((silo, b"ours"), (second_silo, b"theirs")):
        said = statement(attachments=[described(secret), described(b"both")])
        body = mixed(said, part(secret), part(b"both"))
        assert send(client, key_of(engine, silo_id, clock), body).status_code == 200
    clock.advance(minutes=1)
    estime(engine, "export", "statements", "--output", tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = {f"attachments/{hashlib.sha256(data).hexdigest()}" for data in (b"ours", b"both")}
        assert set(archive.namelist()) == {"statements.jsonl", *names}
        assert archive.read("statements.jsonl").count(b"\n") == 1


# --- files that say they are exports ---------------------------------------------------------------------


@sqlite_only
def test_what_is_no_export_is_refused_line_by_line(
    engine: Engine, silo: int, estime: Estime, tmp_path: Path
) -> None:
    vouched = {"authority": agent("who"), "stored": "2026-11-20T10:00:00.000Z"}
    good = statement(**vouched)
    items = [statement(), good, statement(**{**vouched, "stored": "2099-01-01T00:00:00Z"})]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, items)))
    taken = json.loads(estime(engine, "import", "statements", tmp_path / "a.jsonl", "--as-exported").stdout)
    assert [(one["line"], one["reason"]) for one in taken["refused"]] == [
        (1, "says not when it was stored nor by whom: it is no export of a store"),
        (3, "was stored in the future"),
    ]
    assert [row[1] for row in held(engine, silo)["statement"]] == [good["id"]]


@sqlite_only
def test_attachments_must_be_what_they_say(engine: Engine, silo: int, estime: Estime, tmp_path: Path) -> None:
    good, swapped, missing = (statement(attachments=[described(data)]) for data in (b"a", b"b", b"c"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/a.jsonl", "\n".join(map(json.dumps, (good, swapped, missing))))
        archive.writestr(f"attachments/{good['attachments'][0]['sha2']}", b"a")
        archive.writestr(f"attachments/{swapped['attachments'][0]['sha2']}", b"x")
        archive.writestr("LISEZMOI.txt", "bonjour")
    taken = json.loads(estime(engine, "import", "statements", tmp_path / "a.zip").stdout)
    assert taken["passed_over"] == ["LISEZMOI.txt"]
    assert [(one["member"], one["line"]) for one in taken["refused"]] == [
        ("folder/a.jsonl", line) for line in (2, 3)
    ]
    assert "is another's" in taken["refused"][0]["reason"]
    assert "needs a fileUrl" in taken["refused"][1]["reason"]
    assert [row[2] for row in held(engine, silo)["attachment"]] == [b"a"]
