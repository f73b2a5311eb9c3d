"""`estime benchmark`: a made folder, each file read or refused with its reason, figures checked."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from lti_tool.benchmarking import taking
from lti_tool.benchmarking.outcomes import FileOutcome
from lti_tool.benchmarking.taking import Room
from lti_tool.cli import main
from tests.factories.opened import statements


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of people and marks, a set of traces, a set of what cannot be read, a file beside them."""
    home = tmp_path / "sets"
    people, traces, broken = home / "people", home / "traces", home / "broken"
    for one in (people, traces, broken):
        one.mkdir(parents=True)
    chance = random.Random(3)
    lines = ["Adresse mail;Académie;Corps"]
    lines += [
        f"p{n}@ac-x.fr;{'Lille' if n % 2 else 'Poitiers'};{'IEN' if n % 3 else 'AAE'}" for n in range(60)
    ]
    (people / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    marks = ["Adresse mail;Devoir;Note"]
    marks += [f"p{n}@ac-x.fr;Devoir {1 + n % 2};{chance.randint(0, 20)}" for n in range(60)]
    (people / "marks.csv").write_text("\n".join(marks), encoding="utf-8")
    left = ["member,region,group,date_unregistration"]
    left += [f"m{n},{'N' if n % 2 else 'S'},{n % 3},{n if n % 4 == 0 else ''}" for n in range(80)]
    (people / "registered.csv").write_text("\n".join(left), encoding="utf-8")
    (people / "README.md").write_text(
        "# people — sixty made people\n\npeople.csv: 60 rows\n", encoding="utf-8"
    )
    sent = [one for rank in range(12) for one in statements(f"s{rank}", 1 + rank % 3, 3)]
    text = "\n".join(json.dumps(one) for one in [*sent, {"actor": {}, "verb": {}, "object": {}}])
    (traces / "sent.jsonl").write_text(text, encoding="utf-8")
    (broken / "noise.csv").write_bytes(bytes(range(256)) * 40)
    (broken / "empty.csv").write_bytes(b"")
    (broken / "half.json").write_text('{"actor": ', encoding="utf-8")
    (broken / "schema.xsd").write_text("<a/>", encoding="utf-8")
    (home / "beside.csv").write_text("Adresse mail;Module\np1@ac-x.fr;Paie\n", encoding="utf-8")
    return home


def lines_of(report: str, start: str) -> list[list[str]]:
    found = [line for line in report.splitlines() if line.startswith(f"| {start}")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found]


def test_a_folder_is_read_refused_computed_and_checked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report.md"
    real = taking._take

    def taken(room: Room, path: Path, name: str) -> FileOutcome:
        if path.name == "schema.xsd":
            raise RuntimeError(f"the disk of {path.parent} is on fire")
        return real(room, path, name)

    monkeypatch.setattr(taking, "_take", taken)
    made = CliRunner().invoke(main, ["benchmark", str(folder), "--out", str(out), "--language", "en"])
    assert made.exit_code == 0, made.output
    report = out.read_text(encoding="utf-8")
    assert "4 sets, 9 files: 4 read" in report
    assert "0 different, 0 analyses failed" in report
    assert str(tmp_path) not in report
    (people,) = lines_of(report, "people.csv")
    assert people[1:5] == ["read", "people", "60", "0"]
    assert people[6] == "= pandas: 60 rows; its README says 60"
    assert "Académie → academie" in report
    (sent,) = lines_of(report, "sent.jsonl")
    assert (sent[1], sent[2], sent[4]) == ("read", "statements", "1")
    assert lines_of(report, "noise.csv")[0][1] in ("refused", "left")
    assert lines_of(report, "empty.csv")[0][1] == "left"
    burnt = lines_of(report, "schema.xsd")[0]
    assert burnt[1] == "failed"
    assert "on fire" in burnt[5]
    assert lines_of(report, "Marks")[0][2].startswith("= pandas: ")
    assert "12 seen; 3 modules" in report
    assert lines_of(report, "Interruption")[0][2].startswith("= scipy: ")
    assert "log-rank χ²" in report
    assert any(cell[2].startswith("= scipy: χ²") for cell in lines_of(report, "Crossings"))
