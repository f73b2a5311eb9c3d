"""Somebody who is everywhere is erased: nothing of them is found again, and nothing of the others is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from lti_tool.imports import tombstoned
from lti_tool.privacy import erasure, holdings, requests, scrubbing, whose
from lti_tool.surveys import box
from tests.conftest import SECRET_KEY, Clock
from tests.factories import everywhere as scene
from tool_config import addresses, silos
from tool_config.database import metadata, transaction
from xapi import attachments, documents, rollup, tombstones
from xapi import tables as x
from xapi.documents import Place, Preconditions
from xapi.ingest import ingest
from xapi.multipart import Part
from xapi.sources.checking import Record


@pytest.fixture
def everywhere(engine: Engine, silo: int, clock: Clock) -> scene.Everywhere:
    made = scene.build(engine, silo, clock(), secret_key=SECRET_KEY)
    with transaction(engine, silo) as conn:
        scene.fill(conn, silo, _person(conn, silo), holdings.HOLDINGS)
    return made


def _person(conn: Any, silo: int) -> whose.Person:
    return whose.find(conn, silo, scene.ACTOR, secret_key=SECRET_KEY, home=scene.HOME)


def _erase(engine: Engine, silo: int, now: datetime) -> dict[str, int]:
    with transaction(engine, silo) as conn:
        asked = requests.ask(conn, silo, scene.ACTOR, now=now)
    with transaction(engine, silo) as conn:
        counts = requests.erase(
            conn, silo, asked.request_id, by=scene.FRIEND, secret_key=SECRET_KEY, home=scene.HOME, now=now
        )
    erasure.forget_memory()
    return dict(counts)


def _found(engine: Engine, silo: int, needles: tuple[str, ...]) -> list[tuple[str, str]]:
    with transaction(engine, silo, write=False) as conn:
        texts = {table.name: scene.dump(conn, silo, table) for table in metadata.sorted_tables}
    return [(name, needle) for name, text in texts.items() for needle in needles if needle in text]


def test_nothing_of_somebody_erased_is_found_again(
    engine: Engine, silo: int, clock: Clock, everywhere: scene.Everywhere, tmp_path: Path
) -> None:
    with transaction(engine, silo, write=False) as conn:
        person = _person(conn, silo)
        absent = [
            (one.table.name, one.what)
            for one in holdings.HOLDINGS
            if next(holdings.rows(conn, person, one), None) is None
        ]
        seen = erasure.preview(conn, silo, scene.ACTOR, secret_key=SECRET_KEY, home=scene.HOME)
    assert absent == []
    assert _found(engine, silo, everywhere.needles)
    counts = _erase(engine, silo, clock())
    own = box.digest(box.key(SECRET_KEY), scene.SURVEY, scene.ACTOR).hex()
    assert _found(engine, silo, (*everywhere.needles, own)) == []
    assert (counts["traces"], counts["mentions"]) == (9, 6)
    assert (seen.goes["traces"], seen.mentions) == (8, 7)  # a group of one is theirs: told by its members
    assert counts["answers"] == seen.goes["answers"] == 2
    assert scrubbing.scrub(engine) is (engine.dialect.name == "sqlite")
    for path in tmp_path.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert [needle for needle in everywhere.needles if needle.encode() in content] == [], path


def test_what_is_of_others_stays(
    engine: Engine, silo: int, clock: Clock, everywhere: scene.Everywhere
) -> None:
    def colleague() -> dict[str, Any]:
        with transaction(engine, silo, write=False) as conn:
            columns = [
                x.rollup_actor.c[name] for name in ("events", "days", "seconds_30", "completed_at", "last_at")
            ]
            mine = select(*columns).where(
                x.rollup_actor.c.silo_id == silo, x.rollup_actor.c.actor == scene.FRIEND
            )
            spoken = select(func.count()).where(
                x.statement.c.silo_id == silo, x.statement.c.actor == scene.FRIEND
            )
            return {
                "rollup": [tuple(row) for row in conn.execute(mine)],
                "statements": conn.scalar(spoken),
                "answers": scene.dump(conn, silo, holdings.answer).count("rien à redire"),
            }

    before = colleague()
    _erase(engine, silo, clock())
    after = colleague()
    # Two spoke of Camille herself: what the colleague is told to have done of her goes with her.
    assert before["statements"] - after["statements"] == 2
    assert after["rollup"]
    assert after["answers"] == before["answers"] == 1
    again = after["rollup"]
    rollup.rebuild(engine, silo, now=clock())
    assert colleague()["rollup"] == again
    assert _found(engine, silo, everywhere.needles) == []


def test_nothing_brings_them_back_unseen(
    engine: Engine, silo: int, clock: Clock, everywhere: scene.Everywhere
) -> None:
    _erase(engine, silo, clock())
    with transaction(engine, silo, write=False) as conn:
        size = conn.scalar(select(func.count()).select_from(x.statement))
        owner = silos.get(conn, silo)
    clock.advance(hours=1)
    for batch in (everywhere.batch[:3], everywhere.batch[13:]):
        sent = [dict(one) for one in batch if one["verb"]["id"] != "http://adlnet.gov/expapi/verbs/voided"]
        with transaction(engine, silo) as conn:
            ids = ingest(conn, silo, sent, now=clock(), key_id="k")
        assert ids == [one["id"] for one in sent]
    # Without ids too: they are drawn here.
    fresh = {name: value for name, value in everywhere.batch[0].items() if name != "id"}
    with transaction(engine, silo) as conn:
        assert len(ingest(conn, silo, [fresh], now=clock(), key_id="k")) == 1
        records = [
            Record(2, "k1", addresses.digest(owner, scene.EMAIL.upper()), None, None, {}, "d"),
            Record(3, "k2", f"a:{scene.ACTOR}", None, None, {}, "d"),
            Record(4, "k3", f"a:{scene.FRIEND}", None, None, {}, "d"),
        ]
        assert [one.line for one in tombstoned.left(conn, silo, records)] == [4]
        place = Place("state", "https://campus.test/a", scene.ACTOR, "")
        documents.put(
            conn, silo, place, "n", content_type="text/plain", body=b"x", preconditions=Preconditions(),
            now=clock(),
        )  # fmt: skip
        body = Part("0" * 64, "text/plain", scene.FILE)
        note = [one for one in everywhere.batch if "attachments" in one]
        attachments.keep(conn, silo, note, {note[0]["attachments"][0]["sha2"]: body}, clock())
        # Ids of the statements answered stay said, and nothing else.
        assert conn.scalar(select(func.count()).select_from(x.statement)) == size
        assert tombstones.lift(conn, silo, scene.ACTOR) is True
        assert tombstones.lift(conn, silo, scene.ACTOR) is False
        ingest(conn, silo, [fresh], now=clock())
    assert _found(engine, silo, (scene.ACTOR,))
