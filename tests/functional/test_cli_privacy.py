"""Commands of privacy: an erasure from the request to the end, durations, pseudonyms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from lti_tool.cli import main
from lti_tool.migrations import upgrade
from tests.conftest import SECRET_KEY
from tests.factories import opened
from tool_config import silos
from tool_config.database import administration, open_engine


def test_the_commands_erase_keep_and_rotate(tmp_path: Path, monkeypatch: Any) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/estime.db")
    upgrade(engine)
    with administration(engine) as conn:
        silo = silos.add(conn, "essai", now=datetime(2026, 1, 1, tzinfo=UTC))
    course = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course, {"90210417": "Sara Benali"})
    monkeypatch.setenv("ESTIME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)

    def run(*arguments: str, code: int = 0) -> dict[str, Any]:
        done = CliRunner().invoke(main, [*arguments, "--silo", "essai"])
        assert done.exit_code == code, done.output
        found: dict[str, Any] = json.loads(done.stdout) if code == 0 else {}
        return found

    run("privacy", "ask", "nobody", code=1)
    asked = run("privacy", "ask", "90210417")["request"]
    assert run("privacy", "preview", asked)["goes"] == {"enrolment": 1, "identity": 1}
    before = run("privacy", "list")["requests"][0]
    assert before["state"] == "asked"
    run("pseudonyms", "rotate")
    assert run("privacy", "list")["requests"][0]["actor"] != before["actor"]
    run("privacy", "erase", asked, code=1)
    assert run("privacy", "erase", asked, "--yes")["written_anew"] is True
    run("privacy", "erase", asked, "--yes", code=1)
    assert b"90210417" not in (tmp_path / "estime.db").read_bytes()
    assert run("retention", "--set", "traces=90")["days"]["traces"] == 90
    run("retention", "--set", "traces=1", code=1)
    assert run("retention", "--dry-run")["sessions"] == []
    assert run("retention")["gone"] == {}
