"""Queries of the frames read what they name, and nothing of the neighbours."""

from __future__ import annotations

import re

from analyzers.frames import one_course


def test_progress_within_a_module_looks_at_that_module_only() -> None:
    text = str(one_course._modules_statement(30))
    read = [
        names for names in re.findall(r"FROM ([a-z_, ]+?)\s+(?:\n|WHERE)", text) if "rollup_module" in names
    ]
    assert read == ["rollup_module"]
