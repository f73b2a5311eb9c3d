"""Findings of data quality: what is told, how serious it is, in which order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from analyzers.quality import (
    INCOMPLETE,
    KNOWN,
    WRONG,
    Dataset,
    Files,
    Finding,
    Key,
    Platform,
    Presences,
    Rosters,
    Supply,
    Surveys,
    Values,
    empty_months,
    fallen,
    findings,
    holes,
    trend,
)
from lti_tool import quality_words
from tool_config import standards

TODAY = date(2026, 11, 21)


def whole(**over: object) -> Dataset:
    """Return a dataset in a good state, varied."""
    made: dict[str, object] = {
        "kind": "people",
        "rows": 100,
        "seen": 100,
        "filled": {"address": 100, "corps": 100, "rank": 0},
        "required": frozenset({"address"}),
        "counted": frozenset({"corps", "rank"}),
        "people": 100,
        "matched": 100,
        "files": Files(received_at=datetime(2026, 11, 1, tzinfo=UTC)),
    }
    return Dataset(**{**made, **over})  # type: ignore[arg-type]


def codes(*some: Dataset) -> list[tuple[str, int, int]]:
    return [(one.code, one.level, one.count) for one in findings(Supply(TODAY, datasets=some))]


def test_a_good_state_has_no_finding() -> None:
    days = {TODAY - timedelta(days=shift): 3 for shift in range(300)}
    good = Supply(
        TODAY,
        datasets=(whole(),),
        platforms=(Platform("https://campus.test", days),),
        keys=(Key("k", "Moodle", recent=50),),
        rosters=Rosters(sessions=3),
        presences=Presences(gatherings=2),
        surveys=Surveys(opened=2, over=1),
    )
    assert findings(good) == ()


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"filled": {"address": 99}}, ("required", WRONG, 1)),
        ({"filled": {"address": 100, "corps": 40}}, ("seldom", KNOWN, 60)),
        ({"outside": (Values("corps", 30),)}, ("outside", WRONG, 30)),
        ({"outside": (Values("corps", 5),)}, ("outside", INCOMPLETE, 5)),
        ({"rows": 1000, "filled": {}, "outside": (Values("corps", 1),)}, ("outside", KNOWN, 1)),
        ({"sessions": Values("session", 20)}, ("sessions", WRONG, 20)),
        ({"modules": Values("module", 2)}, ("modules", INCOMPLETE, 2)),
        ({"doubles": 1, "rows": 1000, "filled": {}}, ("doubles", INCOMPLETE, 1)),
        ({"matched": 60}, ("people", WRONG, 40)),
        ({"files": Files(received_at=datetime(2026, 1, 1, tzinfo=UTC))}, ("old", KNOWN, 0)),
        ({"files": Files(waiting=2)}, ("waiting", INCOMPLETE, 2)),
        ({"files": Files(failed=1)}, ("failed", INCOMPLETE, 1)),
        ({"files": Files(refused=4, twice=4)}, ("twice", INCOMPLETE, 4)),
        ({"files": Files(refused=4)}, ("refused", INCOMPLETE, 4)),
    ],
)
def test_a_fault_of_a_dataset(over: dict[str, object], expected: tuple[str, int, int]) -> None:
    assert codes(whole(**over)) == [expected]


def test_the_most_serious_comes_first() -> None:
    found = codes(
        whole(kind="a", matched=99, files=Files(waiting=1)),
        whole(kind="b", sessions=Values("session", 90)),
        whole(kind="c", sessions=Values("session", 30), filled={"corps": 10}, counted=frozenset({"corps"})),
    )
    assert [code for code, _, _ in found] == ["sessions", "sessions", "people", "waiting", "seldom"]
    assert [level for _, level, _ in found] == sorted((level for _, level, _ in found), reverse=True)


def test_a_dataset_without_rows_still_tells_of_its_files() -> None:
    assert codes(Dataset("people", 0, 0, files=Files(failed=1))) == [("failed", INCOMPLETE, 1)]


def test_months_are_counted_and_the_running_one_is_last() -> None:
    days = {date(2026, 11, 3): 2, date(2026, 11, 4): 1, date(2026, 2, 28): 5, date(2025, 11, 30): 9}
    found = dict(trend(days, TODAY))
    assert len(found) == 12
    assert list(found)[-1] == date(2026, 11, 1)
    assert (found[date(2026, 11, 1)], found[date(2026, 2, 1)]) == (3, 5)
    assert date(2025, 11, 1) not in found


def test_months_without_rows_between_the_first_and_the_last() -> None:
    days = {date(2026, 3, 2): 30, date(2026, 6, 9): 30, date(2026, 10, 1): 30}
    assert empty_months(days, TODAY) == tuple(date(2026, month, 1) for month in (4, 5, 7, 8, 9))
    assert empty_months({}, TODAY) == ()
    told = [code for code, _, _ in codes(whole(days=days))]
    assert told == ["months"]
    few = dict.fromkeys(days, 1)
    assert codes(whole(days=few)) == []


def test_a_fall_of_the_last_whole_month() -> None:
    usual = [(date(2026, month, 1), 100) for month in range(1, 10)]
    found = fallen([*usual, (date(2026, 10, 1), 49), (date(2026, 11, 1), 0)])
    assert found is not None
    assert found[:2] == (date(2026, 10, 1), 49)
    assert found[2] == pytest.approx(0.51)
    assert fallen([*usual, (date(2026, 10, 1), 50), (date(2026, 11, 1), 0)]) is None
    # Two months are no habit.
    assert fallen([*usual[:2], (date(2026, 10, 1), 0), (date(2026, 11, 1), 0)]) is None


def test_holes_are_of_weekdays() -> None:
    friday = date(2026, 10, 2)
    # A week-end is no hole, nor four weekdays; a week and its week-ends is one of five.
    assert holes([friday, friday + timedelta(days=3)]) == ()
    assert holes([friday, friday + timedelta(days=7)]) == ()
    assert holes([friday, friday + timedelta(days=10)]) == ((date(2026, 10, 5), date(2026, 10, 9), 5),)


def test_traces_that_stop() -> None:
    def told(days_ago: int) -> list[tuple[str, int, int]]:
        site = Platform("https://campus.test", {TODAY - timedelta(days=days_ago): 5})
        return [(f.code, f.level, f.count) for f in findings(Supply(TODAY, platforms=(site,)))]

    assert told(6) == []
    assert told(7) == [("silent", INCOMPLETE, 7)]
    assert told(21) == [("silent", WRONG, 21)]
    never = findings(Supply(TODAY, platforms=(Platform("https://campus.test", {}),)))
    assert [(one.code, one.level) for one in never] == [("never", WRONG)]


def test_keys() -> None:
    key = Key(
        "k", "Moodle", recent=100, courseless=20, unknown=Values("verb", 30, (("urn:x", 30),)),
        quarantined=2, repaired={"id": 7, "null": 1, "quarantined": 2},
    )  # fmt: skip
    found = {one.code: one for one in findings(Supply(TODAY, keys=(key,)))}
    assert {code: (one.level, one.count) for code, one in found.items()} == {
        "unknown": (WRONG, 30), "quarantined": (INCOMPLETE, 2), "courseless": (KNOWN, 20),
        "repaired": (KNOWN, 8),
    }  # fmt: skip
    assert found["unknown"].shown == (("urn:x", 30),)
    assert [one.code for one in findings(Supply(TODAY, keys=(Key("k", ""),)))] == ["unused"]


def test_lists_presences_and_questionnaires() -> None:
    found = findings(
        Supply(
            TODAY,
            rosters=Rosters(4, partial=((1, "Un"),), refused=((2, "Deux"),)),
            presences=Presences(2, unmarked=((1, "Un – Classe"),)),
            surveys=Surveys(3, 2, 1),
        )
    )
    assert [(one.source, one.code, one.share) for one in found] == [
        ("presences", "unmarked", 0.5), ("rosters", "partial", 0.25), ("rosters", "problem", 0.25),
        ("surveys", "few", 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize(
    "code",
    [
        "required", "seldom", "outside", "sessions", "modules", "doubles", "people", "old", "months", "fall",
        "never", "silent", "hole", "waiting", "failed", "twice", "refused", "courseless", "unknown",
        "quarantined", "repaired", "unused", "partial", "problem", "unmarked", "few",
    ],
)  # fmt: skip
def test_every_finding_is_said_and_tells_what_to_do(code: str, count: int) -> None:
    one = Finding(
        "dataset:people", code, INCOMPLETE, count, 0.3, "corps", since=date(2026, 9, 1), until=TODAY
    )
    said = quality_words.said(one, standards.load(), 11)
    assert said.rstrip().endswith(".")
    assert "%(" not in said
    assert quality_words.mend(one).endswith(".")
    page = quality_words.place(one)
    assert not page or quality_words.place_name(page)
