"""Days of instants in a time zone, and columns read as frames."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.shapes import local_days
from tests.factories.courses import START, Entry, Person, course

_ZONES = (
    "Europe/Paris",
    "Pacific/Tahiti",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "UTC",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


@given(
    st.lists(st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),
    st.sampled_from(_ZONES),
)
def test_days_are_those_of_the_calendar_of_the_zone(moments: list[datetime | None], name: str) -> None:
    tz = ZoneInfo(name)
    found = local_days([None if moment is None else micros(moment) for moment in moments], tz)
    assert found.dtype == np.dtype("datetime64[D]")
    assert found.tolist() == [None if moment is None else moment.astimezone(tz).date() for moment in moments]


@pytest.mark.parametrize("zone", _ZONES)
def test_days_when_clocks_change_are_read_instant_by_instant(zone: str) -> None:
    tz = ZoneInfo(zone)
    for start in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        hours = [start + timedelta(minutes=20 * step) for step in range(3 * 72)]
        found = local_days([micros(moment) for moment in hours], tz)
        assert found.tolist() == [moment.astimezone(tz).date() for moment in hours]


def test_frames_say_what_the_columns_say() -> None:
    made = course([Person("ana", (START,), {"m1": Entry(1)}), Person("bea")])
    assert made.learners["actor"].tolist() == ["ana", "bea"]
    assert made.modules["done"].tolist() == [1]
    assert made.days["learner"].tolist() == [0]
    assert str(made.days["day"].dtype) == "datetime64[s]"
    assert made.row_of("bea") == 1
    assert made.row_of("nobody") is None
