"""Files of statements, real ones and faulty ones, into the store."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
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
from xapi.tables import rollup_pending, statement_import
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
    monkeypatch.setattr(files, "HARMLESS", 1_000_000)
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
        "bomb": gzip.compress(b" " * 1_200_000),
        "bomb of lines": gzip.compress(b"\n" * 1_200_000),
        "bomb of an array": gzip.compress(b"[" + b" " * 1_200_000),
        "unclosed string": b'[{"a": "' + b"x" * 300_000,
        "long element": b'[{"a": "' + b"x" * 300_000 + b'"}]',
        "not a value": b"[nonsense, 1]",
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


# --- arrays and archives ---------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_an_array_is_read_piece_by_piece(
    engine: Engine, silo: int, tmp_path: Path, clock: Any, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK", chunk)
    name = '\\ \u00e9 " 🎓 ]},{[ '
    items = [statement(actor={"account": {"homePage": "https://é.test", "name": name * n}}) for n in (1, 9)]
    texts = [json.dumps(item, indent=1, ensure_ascii=bool(n)).encode() for n, item in enumerate(items)]
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf \n [" + b" ,\n\n".join(texts) + b"\r\n]\n")
    bad = write(tmp_path / "b.json", [statement(), {"no": 1}, 12, [[]], statement()], array=True)
    report = import_file(engine, silo, tmp_path / "a.json", now=clock())
    assert (report.accepted, report.refused) == (2, [])
    report = import_file(engine, silo, bad, now=clock())
    assert (report.accepted, [one.line for one in report.refused]) == (2, [3, 4, 5])
    several = "\n".join(json.dumps(statement(), indent=2) for _ in range(3))
    (tmp_path / "c.json").write_text(several)
    assert import_file(engine, silo, tmp_path / "c.json", now=clock()).accepted == 3
    # A first line cut short is one faulty line among others.
    lines = write(tmp_path / "d.jsonl", [b'{"actor": {', statement(), statement()])
    report = import_file(engine, silo, lines, now=clock())
    assert (report.accepted, [one.line for one in report.refused]) == (2, [1])


def archived(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def test_a_zip_of_files(
    engine: Engine, silo: int, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BATCH", 4)
    same = statement()
    line = orjson.dumps(same)
    members = {
        "notes.txt": b"bonjour",
        "a/one.jsonl": b"\n".join([line, b"", b"{}", orjson.dumps(statement(id=None))]),
        "__MACOSX/a/one.jsonl": b"nonsense",
        "two.JSON": b"[" + orjson.dumps(statement(id=None)) + b",\n" + line + b",\n7]",
        "three.ndjson.gz": gzip.compress(orjson.dumps(statement()) + b"\n"),
    }
    file = archived(tmp_path / "a.zip", members)
    seen: list[tuple[int, int]] = []
    report = import_file(engine, silo, file, now=clock(), progress=lambda *move: seen.append(move))
    assert (report.read, report.accepted, report.already) == (7, 4, 1)
    assert [(one.member, one.line) for one in report.refused] == [("a/one.jsonl", 3), ("two.JSON", 3)]
    assert report.passed_over == ["notes.txt", "__MACOSX/a/one.jsonl"]
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    assert (count(engine, silo), import_file(engine, silo, file, now=clock()).read) == (4, 7)


@sqlite_only
def test_archives_that_are_refused(
    engine: Engine, silo: int, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "HARMLESS", 1_000_000)
    line = orjson.dumps(statement())
    good = archived(tmp_path / "good.zip", {"a.jsonl": line}, zipfile.ZIP_STORED).read_bytes()
    sealed = bytearray(good)
    sealed[good.index(b"PK\x01\x02") + 8] |= 1
    cases = {
        "over 200 times": archived(tmp_path / "bomb.zip", {"a.jsonl": b" " * 2_000_000}),
        "over 200": archived(tmp_path / "many.zip", {f"{n}.jsonl": b" " * 600_000 for n in range(3)}),
        "in another way than deflate": archived(tmp_path / "l.zip", {"a.json": line}, zipfile.ZIP_LZMA),
        "no file whose name ends": archived(tmp_path / "none.zip", {"a.txt": line}),
        "a.json.gz: the file says over 200": archived(
            tmp_path / "inner.zip", {"a.json.gz": gzip.compress(b"\n" * 2_000_000)}
        ),
        "is encrypted": tmp_path / "sealed.zip",
        "is damaged": tmp_path / "cut.zip",
        "a.jsonl is damaged": tmp_path / "changed.zip",
    }
    (tmp_path / "sealed.zip").write_bytes(sealed)
    (tmp_path / "cut.zip").write_bytes(good[:-30])
    (tmp_path / "changed.zip").write_bytes(good.replace(b"experienced", b"experiencex"))
    for reason, file in cases.items():
        with pytest.raises(ImportFault, match=reason):
            import_file(engine, silo, file, now=clock())
    assert count(engine, silo) == 0


# --- the command, killed and weighed ---------------------------------------------------------------------

ESTIME = Path(sys.executable).with_name("estime")


def environment(engine: Engine) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESTIME_")}
    return kept | {"ESTIME_DATABASE_URL": engine.url.render_as_string(hide_password=False)}


def test_an_import_that_is_killed_goes_on(engine: Engine, silo: int, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [statement(id=None) for _ in range(2_500)])
    command = [str(ESTIME), "import", "statements", str(file), "--silo", "essai"]
    shared: dict[str, Any] = {"env": environment(engine), "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, **shared)
    deadline = time.monotonic() + 60
    while count(engine, silo) == 0:
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait(10)
    with transaction(engine, silo, write=False) as conn:
        [place] = conn.execute(select(statement_import.c.position, statement_import.c.finished_at)).all()
    assert 0 < place.position < 2_500
    assert (count(engine, silo), place.finished_at) == (place.position, None)
    done = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, **shared).stdout)
    assert (done["read"], done["already"]) == (2_500, place.position)
    assert done["accepted"] == 2_500 - place.position
    assert count(engine, silo) == 2_500


def weigh(command: list[str], engine: Engine, folder: Path) -> float:
    """Run a command and return the largest memory that it held, in megabytes."""
    most = 0
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, env=environment(engine), stdout=out, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            # Not what wait4 says: that counts the test's own memory, before the command took its place.
            state = Path(f"/proc/{process.pid}/status").read_text()
            said = [line.split()[1] for line in state.splitlines() if line.startswith("VmHWM")]
            most = max(most, *map(int, said)) if said and str(ESTIME) in _told(process.pid) else most
            time.sleep(0.02)
    assert process.returncode == 0
    return most / 1000


def _told(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def heavy(file: Path, megabytes: int, text: int, *, array: bool = False) -> Path:
    """Write statements that hold `text` characters each."""
    with file.open("wb") as out:
        out.write(b"[" if array else b"")
        for rank in range(megabytes * 1_000_000 // (text + 300)):
            out.write(b"," if array and rank else b"")
            out.write(orjson.dumps(statement(result={"response": f"{rank} " + "mot " * (text // 4)})))
            out.write(b"" if array else b"\n")
        out.write(b"]" if array else b"")
    return file


@sqlite_only
@pytest.mark.parametrize("array", [False, True])
def test_memory_does_not_follow_the_size_of_a_file(
    engine: Engine, silo: int, tmp_path: Path, array: bool
) -> None:
    file = heavy(tmp_path / "a.json", 40, 40_000, array=array)
    assert file.stat().st_size > 35_000_000
    command = [str(ESTIME), "import", "statements", str(file), "--silo", "essai"]
    assert 30 < weigh(command, engine, tmp_path) < 150
    assert json.loads((tmp_path / "out").read_bytes())["accepted"] == count(engine, silo) > 400
    if not array:
        command = [str(ESTIME), "export", "statements", "--silo", "essai", "--format", "jsonl"]
        assert 30 < weigh(command, engine, tmp_path) < 150
        assert (tmp_path / "out").stat().st_size > 35_000_000


@pytest.mark.slow
@pytest.mark.parametrize("text", [600, 8_000])
def test_memory_stays_flat_over_two_hundred_megabytes(
    engine: Engine, silo: int, tmp_path: Path, text: int
) -> None:
    file = heavy(tmp_path / "a.jsonl", 200, text)
    command = [str(ESTIME), "import", "statements", str(file), "--silo", "essai"]
    weights = [weigh(command, engine, tmp_path)]
    total = count(engine, silo)
    assert json.loads((tmp_path / "out").read_bytes())["accepted"] == total > 20_000
    command = [str(ESTIME), "export", "statements", "--silo", "essai", "--format"]
    for kind in ("jsonl", "jsonl.gz", "zip"):
        weights.append(weigh([*command, kind], engine, tmp_path))
    copy = ["--silo", "essai", "--output", str(tmp_path / "b.zip")]
    weigh([str(ESTIME), "export", "statements", *copy], engine, tmp_path)
    print("MB held:", [round(one) for one in weights])
    assert max(weights) < 150
