"""Files of statements, real ones and faulty ones, into the store."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, func, select

from tests.factories.statements import statement, voiding
from tool_config.database import transaction
from xapi.sources import statement_files as files
from xapi.sources import statements as source
from xapi.sources.statements import ImportFault, import_file
from xapi.tables import rollup_pending
from xapi.tables import statement as table

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def count(engine: Engine, silo_id: int, what: Any = table) -> int:
    with transaction(engine, silo_id, write=False) as conn:
        wanted = select(func.count()).select_from(what).where(what.c.silo_id == silo_id)
        return int(conn.execute(wanted).scalar_one())


def write(path: Path, items: list[Any], *, array: bool = False) -> Path:
    texts = [item if isinstance(item, bytes) else orjson.dumps(item) for item in items]
    path.write_bytes(b"[\n" + b",\n".join(texts) + b"\n]" if array else b"\n".join(texts) + b"\n")
    return path


def test_the_statements_of_moodle(engine: Engine, silo: int, shared_data: Path, clock: Any) -> None:
    file = shared_data / "moodle-4.5.6" / "statements.json"
    report = import_file(engine, silo, file, now=clock())
    [(member, line, reason)] = report.refused
    assert member == ""
    assert (report.read, report.accepted, report.refused_count) == (35, 34, 1)
    assert "result.response: must be a string" in reason
    text = file.read_text().splitlines()
    assert any("null" in part for part in text[line - 1 : line + 200])
    again = import_file(engine, silo, file, now=clock())
    assert (again.accepted, again.already, count(engine, silo)) == (0, 34, 34)


@sqlite_only
def test_the_statements_of_fun_mooc(engine: Engine, silo: int, shared_data: Path, clock: Any) -> None:
    seen: list[tuple[int, int]] = []
    file = shared_data / "xapi-ralph-fun-mooc" / "statements.jsonl.gz"
    report = import_file(
        engine, silo, file, now=clock(), progress=lambda done, size: seen.append((done, size))
    )
    assert (report.accepted, report.refused) == (13_409, [])
    assert seen == sorted(seen)
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)


@sqlite_only
def test_open_edx_blended_training_and_moodle_plugin(
    engine: Engine, silo: int, shared_data: Path, clock: Any
) -> None:
    reasons: list[str] = []
    accepted = 0
    files = [
        *sorted((shared_data / "xapi-blended-training").glob("*.jsonl")),
        *sorted((shared_data / "xapi-openedx-events" / "expected").glob("*.json")),
        *sorted((shared_data / "xapi-moodle-logstore").glob("tests/**/statements.json")),
    ]
    assert len(files) > 100
    for file in files:
        report = import_file(engine, silo, file, now=clock())
        accepted += report.accepted
        reasons += [one.reason for one in report.refused]
    # Some of these examples share an id. Open edX says scores out of nothing, objects of type GroupActivity
    # and ids that are no IRI.
    reasons = [reason for reason in reasons if "is taken by a different statement" not in reason]
    assert len(reasons) == 20
    known = ("'min' must be less", "objectType: must be", "must be an IRI", "'id' is missing")
    assert all(any(part in reason for part in known) for reason in reasons)
    assert accepted == count(engine, silo) > 600


def test_one_bad_statement_costs_the_others_nothing(
    engine: Engine, silo: int, tmp_path: Path, clock: Any
) -> None:
    taken = statement()
    items = [
        taken,
        b'{"actor": 1, "actor": 2}',
        statement(id=None),
        b"",
        b"not json",
        {**taken, "result": {"success": True}},
        taken,
        statement(verb={"id": "no"}),
        voiding(taken["id"]),
    ]
    report = import_file(engine, silo, write(tmp_path / "a.jsonl", items), now=clock())
    assert [one.line for one in report.refused] == [2, 5, 6, 8]
    assert (report.read, report.accepted, report.already) == (8, 3, 1)
    assert count(engine, silo) == 3


@sqlite_only
@pytest.mark.parametrize("array", [False, True])
def test_an_interrupted_import_goes_on(
    engine: Engine, silo: int, tmp_path: Path, clock: Any, array: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BATCH", 10)
    items = [statement(id=None) for _ in range(35)]
    file = write(tmp_path / "a.json", items, array=array)

    def interrupt(done: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(engine, silo, file, now=clock(), progress=interrupt)
    assert count(engine, silo) == 10
    report = import_file(engine, silo, file, now=clock())
    assert (report.read, report.accepted, report.already) == (35, 25, 10)
    assert count(engine, silo) == 35
    pending = count(engine, silo, rollup_pending)
    assert import_file(engine, silo, file, now=clock()).accepted == 0
    assert (count(engine, silo), count(engine, silo, rollup_pending)) == (35, pending)


@sqlite_only
def test_files_that_cannot_be_read(
    engine: Engine, silo: int, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 100_000)
    good = orjson.dumps(statement())
    bodies = {
        "unclosed": b"[" + good,
        "broken": b"[" + good + b",{]",
        "comma": b"[" + good + b",]",
        "tail": b"[" + good + b"] x",
        "latin": b'["\xe9"]',
        "deep": b"[" + b"[" * 100_000,
        "long line": b" " * 100_001,
        "cut gzip": gzip.compress(good * 50)[:-20],
        "bomb": gzip.compress(b" " * 40_000_000),
        "bomb of lines": gzip.compress(b"\n" * 40_000_000),
    }
    for name, body in bodies.items():
        file = tmp_path / name
        file.write_bytes(body)
        with pytest.raises(ImportFault):
            import_file(engine, silo, file, now=clock())
    assert count(engine, silo) <= 1


@sqlite_only
def test_empty_files_say_nothing(engine: Engine, silo: int, tmp_path: Path, clock: Any) -> None:
    for name, body in {"a": b"", "b": b"[]", "c": b"\n\n", "d": gzip.compress(b"")}.items():
        (tmp_path / name).write_bytes(body)
        assert import_file(engine, silo, tmp_path / name, now=clock()).read == 0
