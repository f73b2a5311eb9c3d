"""The table of docs/security.md against the tests that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_ROW = re.compile(r"^\| (\d+) \|(.+)\|(.+)\|(.+)\|$", re.MULTILINE)
FUNCTIONAL = ROOT / "tests" / "functional"
ROWS = {int(row[0]): row[1:] for row in _ROW.findall((ROOT / "docs" / "security.md").read_text())}


def names_in(cell: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", cell)


def written() -> dict[str, str]:
    """Return the tests of refusals: name -> what stands before and in its definition."""
    found = {}
    for path in FUNCTIONAL.glob("test_*.py"):
        text = path.read_text()
        for match in re.finditer(r"((?:^@[^\n]*\n(?:^[ )\]][^\n]*\n)*)*)^def (test_\w+)", text, re.MULTILINE):
            found[match[2]] = match[1]
    return found


def test_the_forty_five_cases_are_there() -> None:
    assert sorted(ROWS) == list(range(1, 46))
    for sent, expected, named in ROWS.values():
        assert sent.strip()
        assert re.search(r"\b(400|401|403|404|409|410|502|accepted|silo|text|not kept|serves)\b", expected)
        assert names_in(named)


@pytest.mark.parametrize("number", sorted(ROWS))
def test_each_names_tests_that_exist_and_run_in_both_modes(number: int) -> None:
    known = written()
    for name in names_in(ROWS[number][2]):
        assert name in known, name
        assert f"_{number:02d}_" in name, name
        assert "sqlite_only" not in known[name], name
        assert "skip" not in known[name], name
        assert '"engine"' not in known[name], name


def test_no_refusal_is_tested_without_a_case() -> None:
    files = ("test_launch_refusals.py", "test_launch_services.py", "test_access.py")
    named = {name for row in ROWS.values() for name in names_in(row[2])}
    for file in files:
        for name in re.findall(
            r"^def (test_(?:refusal|accepted)_\w+)", (FUNCTIONAL / file).read_text(), re.M
        ):
            assert name in named, name
