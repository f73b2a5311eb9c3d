"""Families of platforms: their peculiarities in one place, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tool_config import families

ROOT = Path(__file__).parent.parent.parent
_NAMED = re.compile(
    r"moodle|magist|canvas|brightspace|blackboard|user_username|view\.php|/mod/|/d2l/", re.IGNORECASE
)

#: Where a platform may be named in code, and why. Anywhere else it is a quirk that got out.
ALLOWED = {
    "tool_config/families.py": "the one place of quirks",
    "tool_config/tables.py": "the default of a column, and the name of a set of repairs",
    "tool_config/platforms.py": "the default family of a registration, and examples in messages",
    "lti_tool/commands/registry.py": "options and their help",
    "lti_tool/registration.py": "the family that a platform says it is of",
    "lti_tool/web/registration.py": "words shown to who registers a Moodle",
    "lti_tool/benchmarking/analyses.py": "the name of a standard of files",
    "lti_tool/benchmarking/taking.py": "the name of a standard of files",
    "xapi/repair.py": "the set of repairs of one source of traces, asked for by name",
    "xapi/quarantine.py": "calls that set of repairs",
}


def named_in(path: Path) -> list[int]:
    """Return the lines of code (not of documentation) that name a platform."""
    tree = ast.parse(path.read_text())
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        words = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            # Sentences for people may name what they know; a value or an address may not.
            words = "" if " " in node.value.strip() else node.value
        elif isinstance(node, ast.Name):
            words = node.id
        elif isinstance(node, ast.Attribute):
            words = node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            words = node.name
        if _NAMED.search(words):
            found.append(getattr(node, "lineno", 0))
    return found


def sources() -> list[str]:
    rooms = ("tool_config", "xapi", "analyzers", "lti_tool")
    apart = ("lti_tool/sandbox/", "lti_tool/migrations/", "xapi/sources/", "lti_tool/imports/")
    paths = (path.relative_to(ROOT).as_posix() for room in rooms for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in paths if not path.startswith(apart))


def test_no_platform_is_named_in_code_but_where_its_quirks_are() -> None:
    assert len(sources()) > 100
    named = {path: found for path in sources() if (found := named_in(ROOT / path))}
    assert {path: found for path, found in named.items() if path not in ALLOWED} == {}
    assert sorted(set(ALLOWED) - set(named)) == []  # nothing stays allowed that is no longer there


@pytest.mark.parametrize("name", ["lti_tool/launch.py", "lti_tool/login.py", "lti_tool/arrival.py"])
def test_launches_ask_the_family_and_never_compare_its_name(name: str) -> None:
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.Compare):
            assert "family" not in ast.unparse(node.left), ast.unparse(node)


def test_courses_are_named_as_the_familys_traces_name_them() -> None:
    moodle = families.family("moodle")
    assert moodle.course_iri("https://m.test/", "2") == "https://m.test/course/view.php?id=2"
    other = families.family("generic")
    assert other.course_iri("https://c.test", "2a/b?c#d&e") == "https://c.test#context=2a%2Fb%3Fc%23d%26e"
    assert other.course_iri("https://c.test", "a b") != other.course_iri("https://c.test", "a%20b")


def test_a_family_without_a_word_here_is_the_generic_one() -> None:
    assert families.family("brightspace") is families.GENERIC
    assert families.family("Moodle") is families.family("moodle")
    assert families.GENERIC.username_of({"https://purl.imsglobal.org/spec/lti/claim/ext": {}}) is None


@pytest.mark.parametrize("ext", [None, "x", [], {}, 3])
def test_usernames_of_another_type_are_none(ext: object) -> None:
    claims = {"https://purl.imsglobal.org/spec/lti/claim/ext": ext}
    assert families.family("moodle").username_of(claims) is None
