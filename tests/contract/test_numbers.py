"""People whose platform withholds their name: a number given once in each course."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine

from lti_tool import people
from lti_tool.tables import person
from tests.conftest import Clock
from tests.factories.surveys import Classroom
from tool_config.database import transaction
from xapi.statement import account_key
from xapi.tables import membership

ISSUER = "https://moodle.test"


@pytest.fixture(params=[3, 30])
def room(request: pytest.FixtureRequest, engine: Engine, silo: int, clock: Clock) -> Classroom:
    """Return a course of nameless people, few or many: their names are not read the same way."""
    return Classroom(engine, silo, clock()).build(request.param)


def shown(room: Classroom, actors: list[str]) -> list[str]:
    """Return what a page that only reads calls people."""
    with transaction(room.engine, room.silo_id, write=False) as conn:
        writing = partial(transaction, room.engine, room.silo_id)
        found = people.display(conn, room.silo_id, room.course_id, actors, writing=writing)
    return [found[actor] for actor in actors]


def join(room: Classroom, actor: str, days: int) -> None:
    with transaction(room.engine, room.silo_id) as conn:
        row = {"silo_id": room.silo_id, "course_id": room.course_id, "actor": actor}
        since = room.now - timedelta(days=days)
        conn.execute(membership.insert().values(**row, role="trainee", source="roster", since=since))


def test_a_number_stays_when_somebody_older_arrives_late(room: Classroom) -> None:
    first = shown(room, room.trainees)
    assert sorted(set(first)) == sorted(first)
    late = account_key(ISSUER, "late")
    join(room, late, days=90)
    with transaction(room.engine, room.silo_id) as conn:
        earlier = membership.c.actor == room.trainees[-1]
        conn.execute(membership.update().where(earlier).values(since=room.now - timedelta(days=200)))
    # The tutor, who came with the first, has a number too.
    assert shown(room, [*room.trainees, late]) == [*first, f"Participant {len(room.trainees) + 2}"]


def test_a_name_given_later_takes_nobody_elses_number(room: Classroom) -> None:
    first = shown(room, room.trainees)
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(person.update().where(person.c.actor == room.trainees[0]).values(name=" Ana Bel "))
    assert shown(room, room.trainees) == ["Ana Bel", *first[1:]]


def test_somebody_the_course_does_not_know_has_a_number_too(room: Classroom) -> None:
    actors = [*room.trainees, account_key(ISSUER, "stranger")]
    assert shown(room, actors) == shown(room, actors)
    assert len(set(shown(room, actors))) == len(actors)


def test_each_course_counts_for_itself(room: Classroom) -> None:
    here = shown(room, room.trainees)
    other = Classroom(room.engine, room.silo_id, room.now, iri=f"{ISSUER}/course/view.php?id=99")
    join(other, room.trainees[-1], days=1)
    assert shown(other, room.trainees[-1:]) == ["Participant 1"]
    assert shown(room, room.trainees) == here
