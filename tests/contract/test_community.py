"""The frame of the community, from traces and files, on both engines; kept, made again, forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, insert, select

from analyzers.community import MODES, STATUSES, Scope, pack, unpack
from lti_tool import community
from lti_tool.community import work
from lti_tool.community_tables import community_frame
from lti_tool.job_tables import job
from lti_tool.worker import Worker
from tests.contract.test_frames import Store
from tool_config.database import transaction
from xapi import tables as t
from xapi.dataset_tables import dataset_row

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def line(conn: Connection, silo: int, kind: str, key: str, person: str | None = None, **data: Any) -> None:
    place = {name: data.pop(name) for name in ("session", "course_id") if name in data}
    conn.execute(
        insert(dataset_row).values(
            silo_id=silo, kind=kind, row_key=key, person_key=person, data=data, digest="", file_id="f",
            line=1, updated_at=NOW, **place,
        )
    )  # fmt: skip


@pytest.fixture
def filled(engine: Engine, silo: int) -> int:
    """Two sessions of the platform, one that files alone know; four people, one of them in files alone."""
    with transaction(engine, silo) as conn:
        store = Store(conn, silo)
        store.write(t.path, path_id=3, title="PERDIR")
        store.course(7, path_id=3)
        store.course(8, starts_on=None, title="Essai")
        store.member("a", course_id=7)
        store.member("b", course_id=7)
        store.actor("a", 1, 2, course_id=7, completed_at=NOW - timedelta(days=1))
        store.actor("b", 9, course_id=8, attended=2)
        store.member("x", role="tutor", course_id=7)
        line(conn, silo, "people", "1", "a:a", academie="poitiers", corps="IEN", seniority=3.5)
        line(conn, silo, "people", "2", "m:zoe", academie="lille", promotion="2026-2028")
        line(conn, silo, "sessions", "1", session="essai", course_id=8, starts_on="2025-10-01", capacity=30)
        line(conn, silo, "sessions", "2", session="Ailleurs 2026", starts_on="2026-09-20",
             modality="distance", path="PERDIR")  # fmt: skip
        line(conn, silo, "enrolments", "1", "m:zoe", session="Ailleurs 2026", mode="individual",
             status="accepted", enrolled_on="2026-09-01")  # fmt: skip
        line(conn, silo, "enrolments", "2", "a:a", course_id=7, mode="mandatory", status="finished")
        store.write(t.actor, actor="a", identifier="{}")  # the account of the files is one of the platform
        line(conn, silo, "enrolments", "3", "a:a", session="Ailleurs 2026", mode="open", status="refused",
             enrolled_on="2026-09-02", rank=2)  # fmt: skip
    return silo


def test_traces_and_files_make_one_frame(engine: Engine, filled: int) -> None:
    with transaction(engine, filled, write=False) as conn:
        found = community.load(conn, filled, now=NOW)
    assert [path.title for path in found.paths] == ["PERDIR"]
    assert len(found.names) == 3
    assert found.names[2] == "Ailleurs 2026"
    rows = found.enrolments
    pairs = set(zip(rows["person"].tolist(), rows["session"].tolist(), strict=True))
    assert len(pairs) == len(rows["person"]) == 4  # one row a person and session
    assert sorted(found.years) == [2025, 2026]
    assert found.sessions["capacity"][1] == 30
    assert found.paths_of_enrolments().tolist().count(0) >= 2
    alone = rows["session"] == 2
    assert alone.sum() == 1
    assert rows["mode"][alone][0] == MODES.index("individual")
    assert rows["enrolled_on"][alone][0] == np.datetime64("2026-09-01")
    assert np.isnat(rows["first_on"][alone][0])
    asked = found.applications
    assert asked["status"].tolist() == [STATUSES.index("refused")]
    assert asked["rank"].tolist() == [2]
    there = rows["attended"] == 2
    assert there.sum() == 1
    assert rows["session"][there][0] == 1
    zoe = found.traits["academie"].codes[rows["person"][alone][0]]
    assert found.traits["academie"].values[zoe] == "lille"
    assert {"zone", "seniority", "corps", "promotion"} <= set(found.traits)
    assert (found.people, found.in_files, found.matched) == (3, 2, 1)
    assert rows["finished"].tolist().count(True) == 1


def test_packed_and_unpacked_it_is_the_same(engine: Engine, filled: int) -> None:
    with transaction(engine, filled, write=False) as conn:
        found = community.load(conn, filled, now=NOW)
    again = unpack(pack(found))
    assert again is not None
    for table in ("sessions", "enrolments", "applications"):
        for name, column in getattr(found, table).items():
            np.testing.assert_array_equal(getattr(again, table)[name], column, err_msg=name)
            assert getattr(again, table)[name].dtype.kind == column.dtype.kind
    assert again.traits.keys() == found.traits.keys()
    assert (again.paths, again.names, again.version) == (found.paths, found.names, found.version)


def test_a_scope_keeps_its_enrolments_alone(engine: Engine, filled: int) -> None:
    with transaction(engine, filled, write=False) as conn:
        found = community.load(conn, filled, now=NOW)
    assert found.select(Scope()) is found
    assert len(found.select(Scope(year=2025)).enrolments["person"]) == 1
    assert len(found.select(Scope(path=0, year=2026)).enrolments["person"]) == 3
    assert len(found.select(Scope(dimension="academie", value="lille")).enrolments["person"]) == 1
    assert len(found.select(Scope(dimension="academie", value="nowhere")).enrolments["person"]) == 0
    assert len(found.select(Scope(year=2026)).applications["person"]) == 1


def test_what_changes_is_made_again_and_forgotten_at_once(engine: Engine, filled: int) -> None:
    def load(now: datetime = NOW) -> Any:
        with transaction(engine, filled, write=False) as conn:
            return community.load(conn, filled, now=now)

    first = load()
    assert load() is first  # remembered: not read twice
    with transaction(engine, filled) as conn:
        Store(conn, filled).member("late", course_id=7)
    second = load()
    assert len(second.enrolments["person"]) == len(first.enrolments["person"]) + 1
    assert community.refresh(engine, filled, community.ENROLMENTS, now=NOW)
    assert not community.refresh(engine, filled, community.ENROLMENTS, now=NOW)  # nothing changed since
    kept = load()
    with transaction(engine, filled) as conn:
        community.forget(conn, filled, now=NOW)
        assert conn.execute(select(community_frame.c.size)).scalars().all() == [0]
    again = load()
    assert again.version != kept.version
    assert load(NOW + timedelta(days=1)).today == date(2026, 11, 19)


def test_the_worker_asks_for_it_when_something_changed(engine: Engine, filled: int) -> None:
    worker = Worker(engine, lambda: NOW)
    worker.turn()
    with transaction(engine, filled, write=False) as conn:
        assert conn.execute(select(job.c.kind)).scalars().all() == [work.KIND]
    with transaction(engine, filled, write=False) as conn:
        wanted = work.sources(conn, filled)
    assert all(community.refresh(engine, filled, source, now=NOW) for source in wanted)
    with transaction(engine, filled, write=False) as conn:
        assert not work.is_due(conn, filled, now=NOW)
