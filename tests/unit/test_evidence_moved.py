"""How the same people moved, sessions taken together: what the pack says of indicator 11."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from analyzers import paired
from analyzers.paired import Change
from lti_tool.evidence import results
from lti_tool.evidence.facts import Facts, Session
from lti_tool.exports import Table
from tool_config import rules


def _changed(pairs: list[tuple[int, int]]) -> Change:
    return paired.change("c1", [one for one, _ in pairs], [other for _, other in pairs])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([(1, 3), (2, 3), (2, 2), (1, 5)], [(4, 4), (5, 1), (3, 4)]),
        ([(2, 3), (2, 3), (1, 2)], [(4, 4), (3, 3)]),
    ],
)
def test_groups_taken_together_are_all_their_people_at_once(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    parts = [paired.sums(_changed(one)) for one in (first, second)]
    added = paired.Sums(
        *(sum(getattr(one, name) for one in parts) for name in ("n", "before", "after", "squares"))
    )
    found, whole = paired.together("c1", added), _changed(first + second)
    for name in ("n", "before", "after", "mean", "low", "high", "dz"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), abs=1e-9), name


def test_nothing_shown_adds_nothing() -> None:
    assert paired.sums(Change("c1", None, suppressed="few")) is None


def _session(number: int, people: int, pairs: list[tuple[int, int]]) -> Session:
    return Session(
        number, f"Session {number}", 2025, date(2025, 9, number), None, True, False, people, people, 0, 0,
        False, 0, (), {("Analyser des indicateurs", 4): _changed(pairs)},
    )  # fmt: skip


def _tables(*sessions: Session) -> list[Table]:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    facts = Facts("Cadres", "Piloter", (2025, 2025), now, rules.load(), sessions, (), (), (), ())
    return [block for block in results.eleventh(facts).sections[0].blocks if isinstance(block, Table)]


def test_the_pack_tells_of_the_same_people_from_its_threshold_on() -> None:
    pairs = [(1, 3), (2, 3), (2, 2), (1, 2), (3, 4), (2, 4)]
    table = next(
        one for one in _tables(_session(1, 8, pairs), _session(2, 9, pairs)) if one.name == "evolution"
    )
    assert table.rows[0][:5] == ("Analyser des indicateurs", 4, 12, pytest.approx(11 / 6), 3.0)
    assert table.rows[0][5] == pytest.approx(7 / 6)
    # Six people are under the threshold of the pack, eleven.
    assert not [one for one in _tables(_session(1, 14, pairs)) if one.name == "evolution"]
