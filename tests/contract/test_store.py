"""What the statement store promises, on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import Engine, func, select

from tests.factories.statements import VERB, VOIDED, agent, referring, statement, voiding
from tool_config.database import transaction
from xapi import filters, query, store
from xapi.errors import Conflict, NotFound, XapiError
from xapi.filters import Listing, Single
from xapi.ingest import ingest
from xapi.statement import actor_key
from xapi.tables import actor, event, rollup_pending, statement_agent
from xapi.tables import statement as statement_table

Say = Callable[..., list[str]]
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def say(engine: Engine, silo: int, clock: Any) -> Say:
    """Store statements, each call a second after the one before."""

    def tell(*batch: dict[str, Any], silo_id: int = silo, **options: Any) -> list[str]:
        clock.advance(seconds=1)
        with transaction(engine, silo_id) as conn:
            return ingest(conn, silo_id, batch, now=clock(), **options)

    return tell


@pytest.fixture
def ids(engine: Engine, silo: int) -> Callable[..., list[str]]:
    """List ids by filter."""

    def find(silo_id: int = silo, **filters: Any) -> list[str]:
        with transaction(engine, silo_id, write=False) as conn:
            page = query.page(conn, silo_id, Listing(**filters), through=FUTURE)
        return [orjson.loads(raw)["id"] for raw in page.raw]

    return find


def get(engine: Engine, silo_id: int, statement_id: str, voided: bool = False) -> dict[str, Any]:
    with transaction(engine, silo_id, write=False) as conn:
        found: dict[str, Any] = orjson.loads(query.one(conn, silo_id, Single(statement_id, voided, "exact")))
    return found


def count(engine: Engine, silo_id: int, table: Any) -> int:
    with transaction(engine, silo_id, write=False) as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_statement_comes_back_as_said_and_completed(engine: Engine, silo: int, say: Say) -> None:
    said = statement(timestamp=None, result={"extensions": {"http://x.test/e": None}})
    [made] = say(said, authority=agent("key"))
    found = get(engine, silo, made)
    assert found["timestamp"] == found["stored"] == "2026-11-21T08:00:01.000Z"
    assert found["version"] == "1.0.0"
    assert found["authority"] == agent("key")
    for name, value in said.items():
        assert found[name] == value


def test_a_single_context_activity_becomes_an_array(engine: Engine, silo: int, say: Say) -> None:
    course = {"id": "https://lms.test/course/1"}
    [made] = say(statement(context={"contextActivities": {"parent": course}}))
    assert get(engine, silo, made)["context"]["contextActivities"] == {"parent": [course]}


def test_saying_the_same_again_writes_nothing(engine: Engine, silo: int, say: Say) -> None:
    said = statement()
    assert say(said) == say({**said, "timestamp": "2026-11-20T11:00:00+01:00"})
    assert count(engine, silo, statement_table) == 1
    links = count(engine, silo, statement_agent)
    pending = count(engine, silo, rollup_pending)
    say(said)
    assert count(engine, silo, statement_agent) == links
    assert count(engine, silo, rollup_pending) == pending


def test_another_statement_under_the_same_id_rolls_the_batch_back(
    engine: Engine, silo: int, say: Say
) -> None:
    said = statement()
    say(said)
    fresh = statement()
    with pytest.raises(Conflict) as refusal:
        say(fresh, {**said, "result": {"success": True}})
    assert refusal.value.index == 1
    with pytest.raises(NotFound):
        get(engine, silo, fresh["id"])


def test_equal_ids_in_a_batch_are_refused(say: Say) -> None:
    said = statement()
    with pytest.raises(XapiError, match="same id"):
        say(said, {**said, "id": said["id"].upper()})


def test_one_fault_refuses_the_batch_and_is_named(engine: Engine, silo: int, say: Say) -> None:
    with pytest.raises(XapiError) as refusal:
        say(statement(), statement(actor={"mbox": "nobody"}))
    assert refusal.value.path == "[1].actor.mbox"
    assert count(engine, silo, statement_table) == 0


def test_what_json_cannot_say_is_refused(say: Say) -> None:
    for value in ("a\x00b", 2**80, "\ud800"):
        with pytest.raises(XapiError):
            say(statement(result={"extensions": {"http://x.test/e": value}}))


@pytest.mark.parametrize("order", ["target first", "voiding first", "together"])
def test_voiding_in_every_order(engine: Engine, silo: int, say: Say, ids: Any, order: str) -> None:
    target = statement()
    void = voiding(target["id"])
    if order == "together":
        say(void, target)
    else:
        for item in (target, void) if order == "target first" else (void, target):
            say(item)
    with pytest.raises(NotFound):
        get(engine, silo, target["id"])
    assert get(engine, silo, target["id"], voided=True)["id"] == target["id"]
    with pytest.raises(NotFound):
        get(engine, silo, void["id"], voided=True)
    assert ids() == [void["id"]]
    assert count(engine, silo, event) == 0


def test_a_voiding_statement_is_never_voided(engine: Engine, silo: int, say: Say, ids: Any) -> None:
    target = statement()
    void = voiding(target["id"])
    say(target)
    say(void)
    say(voiding(void["id"]))
    assert get(engine, silo, void["id"])["verb"]["id"] == VOIDED
    with pytest.raises(NotFound):
        get(engine, silo, target["id"])


def test_a_filter_met_by_the_target_is_met_by_what_refers_to_it(say: Say, ids: Any) -> None:
    first = statement(verb={"id": "http://x.test/verbs/passed"})
    second = referring(first["id"])
    third = referring(second["id"])
    for item in (third, first, second):
        say(item)
    assert ids(verb="http://x.test/verbs/passed") == [second["id"], first["id"], third["id"]]
    assert ids(agent=actor_key(agent())) == [second["id"], first["id"], third["id"]]
    say(voiding(first["id"]))
    found = ids(verb="http://x.test/verbs/passed")
    assert found[1:] == [second["id"], third["id"]]
    assert first["id"] not in found


def test_filters(say: Say, ids: Any, clock: Any) -> None:
    registration = str(uuid4())
    page = "https://lms.test/page"
    in_group = {"objectType": "Group", "member": [agent("m1"), agent("m2")]}
    [plain] = say(statement())
    [member] = say(statement(actor=in_group))
    [target] = say(statement(object=agent("seen"), context={"registration": registration}))
    [taught] = say(
        statement(
            context={
                "instructor": agent("tutor"),
                "contextActivities": {"parent": [{"id": page}]},
                "registration": registration.upper(),
            }
        )
    )
    [inside] = say(
        statement(
            verb={"id": "http://x.test/verbs/planned"},
            object={
                "objectType": "SubStatement",
                "actor": agent("sub"),
                "verb": {"id": VERB},
                "object": {"id": page},
            },
        )
    )
    assert ids() == [inside, taught, target, member, plain]
    assert ids(ascending=True) == [plain, member, target, taught, inside]
    assert ids(agent=actor_key(agent("m2"))) == [member]
    assert ids(agent=actor_key(agent("seen"))) == [target]
    assert ids(agent=actor_key(agent("tutor"))) == []
    assert ids(agent=actor_key(agent("tutor")), related_agents=True) == [taught]
    assert ids(agent=actor_key(agent("sub")), related_agents=True) == [inside]
    assert ids(activity=page) == []
    assert ids(activity=page, related_activities=True) == [inside, taught]
    assert ids(registration=registration) == [taught, target]
    assert ids(registration=registration, agent=actor_key(agent())) == [taught, target]
    assert ids(verb="http://x.test/verbs/planned") == [inside]
    assert ids(verb=VERB, activity="https://lms.test/mod/page/view.php?id=1") == [taught, member, plain]
    since = datetime(2026, 11, 21, 8, 0, 2, tzinfo=UTC)
    assert ids(since=since) == [inside, taught, target]
    assert ids(until=since) == [member, plain]
    assert ids(since=since, until=since + timedelta(seconds=1), agent=actor_key(agent())) == [target]


def test_silos_are_watertight(engine: Engine, silo: int, second_silo: int, say: Say, ids: Any) -> None:
    said = statement()
    say(said)
    assert ids(silo_id=second_silo) == []
    with pytest.raises(NotFound):
        get(engine, second_silo, said["id"])
    say({**said, "result": {"success": True}}, silo_id=second_silo)
    assert "result" not in get(engine, silo, said["id"])


def test_the_latest_name_is_kept_whatever_the_order(engine: Engine, silo: int, say: Say) -> None:
    for day, name in ((20, "Ada L."), (22, "Ada Lovelace"), (21, "Ada")):
        say(statement(actor={**agent(), "name": name}, timestamp=f"2026-10-{day}T10:00:00Z"))
    with transaction(engine, silo, write=False) as conn:
        row = conn.execute(select(actor).where(actor.c.actor == actor_key(agent()))).one()
    assert row.name == "Ada Lovelace"
    assert orjson.loads(row.identifier) == {"account": agent()["account"]}


@pytest.mark.parametrize("ascending", [False, True])
def test_pages_neither_skip_nor_repeat_while_others_write(
    engine: Engine, silo: int, say: Say, ascending: bool
) -> None:
    before = [say(*(statement() for _ in range(7))) for _ in range(6)]
    expected = {one for batch in before for one in batch}
    seen: list[str] = []
    asked: Listing | None = Listing(limit=5, ascending=ascending, verb=VERB)
    while asked:
        with transaction(engine, silo, write=False) as conn:
            page = query.page(conn, silo, asked, through=FUTURE)
        seen += [orjson.loads(raw)["id"] for raw in page.raw]
        say(statement()) if len(seen) < 30 else None
        asked = _next(asked, page)
    assert len(seen) == len(set(seen))
    assert expected <= set(seen)
    stored = [statement_id for statement_id in seen if statement_id in expected]
    assert len(stored) == len(expected)


def _next(asked: Listing, page: query.Page) -> Listing | None:
    if page.after is None:
        return None
    again = filters.read({"more": [filters.cursor(asked, page.after)]})
    assert isinstance(again, Listing)
    return again


def test_consistent_through_holds_while_writers_commit_out_of_order(engine: Engine, silo: int) -> None:
    """Everything stored before the instant that was given was visible then: nothing appears later."""
    stop = threading.Event()
    faults: list[BaseException] = []

    def now() -> datetime:
        return datetime.now(UTC)

    def write(pause: float) -> None:
        try:
            while not stop.is_set():
                batch = [statement(), statement()]
                with transaction(engine, silo) as conn:
                    stored = store.begin(conn, silo, now, alone=False)
                    stop.wait(pause)
                    ingest(conn, silo, batch, now=stored)
        except BaseException as error:
            faults.append(error)

    writers = [threading.Thread(target=write, args=(pause,)) for pause in (0.0, 0.02, 0.11)]
    for writer in writers:
        writer.start()
    seen: list[tuple[datetime, set[str]]] = []
    begun = datetime.now(UTC)
    # Long enough for a machine that does much else: the writers leave little to who reads.
    while not (took := datetime.now(UTC) - begun) > timedelta(seconds=60) and not (
        took > timedelta(seconds=2) and len(seen) > 10 and seen[-1][1]
    ):
        with transaction(engine, silo, write=False) as conn:
            through = store.consistent_through(conn, silo, now())
            seen.append((through, _stored_before(conn, silo, through)))
    stop.set()
    for writer in writers:
        writer.join(20)
    assert not faults
    assert len(seen) > 10
    with transaction(engine, silo, write=False) as conn:
        for through, visible in seen[:: max(1, len(seen) // 200)]:
            assert _stored_before(conn, silo, through) == visible
    assert seen[-1][1], "the instant moves on while writers write"


def _stored_before(conn: Any, silo_id: int, through: datetime) -> set[str]:
    wanted = select(statement_table.c.id).where(
        statement_table.c.silo_id == silo_id, statement_table.c.stored < through
    )
    return set(conn.execute(wanted).scalars())


def test_concurrent_writers_of_the_same_batch_agree(engine: Engine, silo: int) -> None:
    batch = [statement() for _ in range(20)]
    void = [voiding(item["id"]) for item in batch[:5]]
    faults: list[BaseException] = []

    def write(items: list[dict[str, Any]]) -> None:
        try:
            with transaction(engine, silo) as conn:
                ingest(conn, silo, items, now=datetime.now(UTC))
        except BaseException as error:
            faults.append(error)

    threads = [
        threading.Thread(target=write, args=(items,))
        for items in (batch, batch[::-1], void, batch[5:], void[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not faults
    with transaction(engine, silo, write=False) as conn:
        voided = select(func.count()).where(statement_table.c.silo_id == silo, statement_table.c.voided)
        assert conn.execute(voided).scalar_one() == 5
    assert count(engine, silo, statement_table) == 25
