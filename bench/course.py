"""The measured course: invented people and their traces, taken in through the one door of the store."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from lti_tool.tables import person
from tool_config import platforms, silos
from tool_config.database import administration, insert, transaction
from xapi import rollup
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.statement import account_key
from xapi.tables import course, membership

SITE = "https://moodle.bench.test"
COURSE = f"{SITE}/course/view.php?id=7"
_BATCH = 500
_DAYS = 120
_MODULES, _ACTIVITIES = 5, 8
_ADL = "http://adlnet.gov/expapi/verbs/"
_VIEWED = "http://id.tincanapi.com/verb/viewed"
_KINDS = (
    ("page", "http://activitystrea.ms/schema/1.0/page"),
    ("quiz", "http://id.tincanapi.com/activitytype/school-assessment"),
    ("forum", "http://id.tincanapi.com/activitytype/forum-topic"),
    ("resource", "http://activitystrea.ms/schema/1.0/file"),
)
_TUTOR = "9000"


@dataclass(frozen=True)
class Measured:
    """What was built, and how long it took (seconds)."""

    silo_id: int
    course_id: int
    tutor: str
    learners: tuple[str, ...]
    statements: int
    ingested_in: float
    refreshed_in: float


def build(engine: Engine, *, learners: int, statements: int, now: datetime) -> Measured:
    """Make a silo with one course in it: its statements, people, memberships, and what is drawn from them."""
    with administration(engine) as conn:
        silo_id = silos.add(conn, "mesure", now=now - timedelta(days=_DAYS + 1))
        platforms.add(
            conn,
            silo_id,
            issuer=SITE,
            client_id="bench",
            deployment_id="1",
            auth_url=f"{SITE}/auth",
            token_url=f"{SITE}/token",
            jwks_url=f"{SITE}/certs",
            now=now,
        )
    began = time.perf_counter()
    batch: list[dict[str, Any]] = []
    for said in traces(learners, statements, now):
        batch.append(said)
        if len(batch) == _BATCH:
            _take(engine, silo_id, batch, now)
            batch = []
    if batch:
        _take(engine, silo_id, batch, now)
    ingested = time.perf_counter()
    number = course_id(silo_id, COURSE)
    actors = _people(engine, silo_id, number, learners, now)
    with transaction(engine, silo_id) as conn:
        while rollup.refresh(conn, silo_id, now=now):
            pass
    return Measured(
        silo_id=silo_id,
        course_id=number,
        tutor=account_key(SITE, _TUTOR),
        learners=actors,
        statements=statements,
        ingested_in=ingested - began,
        refreshed_in=time.perf_counter() - ingested,
    )


def _take(engine: Engine, silo_id: int, batch: list[dict[str, Any]], now: datetime) -> None:
    with transaction(engine, silo_id) as conn:
        ingest(conn, silo_id, batch, now=now)


def _people(engine: Engine, silo_id: int, number: int, learners: int, now: datetime) -> tuple[str, ...]:
    """Write who the people are, as launches would; return the learners' keys."""
    actors = tuple(account_key(SITE, str(1000 + rank)) for rank in range(learners))
    everybody = [*zip(actors, (str(1000 + rank) for rank in range(learners)), strict=True)]
    everybody.append((account_key(SITE, _TUTOR), _TUTOR))
    with transaction(engine, silo_id) as conn:
        written = insert(conn, course).values(
            silo_id=silo_id, course_id=number, iri=COURSE, title="Parcours mesuré", created_at=now
        )
        conn.execute(written.on_conflict_do_nothing())
        changed = course.c.course_id == number
        conn.execute(
            course.update()
            .where(course.c.silo_id == silo_id, changed)
            .values(title="Parcours mesuré", issuer=SITE, context_id="7")
        )
        for actor, sub in everybody:
            conn.execute(
                insert(conn, person).values(
                    silo_id=silo_id,
                    actor=actor,
                    issuer=SITE,
                    sub=sub,
                    name=f"Camille Martin-{sub}",
                    given_name="Camille",
                    family_name=f"Martin-{sub}",
                    created_at=now,
                )
            )
            conn.execute(
                insert(conn, membership).values(
                    silo_id=silo_id,
                    course_id=number,
                    actor=actor,
                    role="tutor" if sub == _TUTOR else "trainee",
                    source="launch",
                    since=now - timedelta(days=_DAYS),
                )
            )
    return actors


# --- traces, in the shape that Moodle's plugin sends -------------------------------------------------


def traces(learners: int, total: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield ``total`` statements of ``learners`` people, in the order of time within each person."""
    chance = random.Random(20261122)
    for rank in range(learners):
        share = total // learners + (1 if rank < total % learners else 0)
        pace = chance.uniform(0.15, 1.0)
        visits = max(1, share // 9)
        starts = sorted(now - timedelta(days=chance.uniform(0.1, _DAYS)) for _ in range(visits))
        for number in range(share):
            visit = min(number // 9, visits - 1)
            at = starts[visit] + timedelta(minutes=4 * (number - 9 * visit) * chance.uniform(0.2, 1.0))
            reached = 1 + int(pace * (_MODULES * _ACTIVITIES - 1) * number / share)
            yield _statement(chance, rank, min(at, now), chance.randrange(max(0, reached - 6), reached + 1))


def _statement(chance: random.Random, rank: int, at: datetime, activity: int) -> dict[str, Any]:
    activity = min(activity, _MODULES * _ACTIVITIES - 1)
    section, kind = activity // _ACTIVITIES, _KINDS[activity % len(_KINDS)]
    verb = _VIEWED
    result: dict[str, Any] = {}
    draw = chance.random()
    if draw > 0.9:
        verb, result = f"{_ADL}completed", {"completion": True}
    elif draw > 0.8 and kind[0] == "quiz":
        verb = "https://w3id.org/xapi/tla/verbs/scored"
        raw = round(chance.uniform(4, 20), 1)
        result = {"score": {"raw": raw, "min": 0, "max": 20, "scaled": raw / 20}}
    said: dict[str, Any] = {
        "id": str(UUID(int=chance.getrandbits(128), version=4)),
        "actor": {"account": {"homePage": SITE, "name": str(1000 + rank)}, "name": "Camille Martin"},
        "verb": {"id": verb},
        "object": _thing(
            f"{SITE}/mod/{kind[0]}/view.php?id={100 + activity}", kind[1], f"Activité {activity}"
        ),
        "context": {
            "contextActivities": {
                "parent": [
                    _thing(
                        f"{SITE}/course/section.php?id={section + 1}",
                        "http://id.tincanapi.com/activitytype/section",
                        f"Module {section + 1}",
                    ),
                    _thing(COURSE, "https://w3id.org/xapi/cmi5/activitytype/course", "Parcours mesuré"),
                ],
                "category": [_thing(SITE, "http://id.tincanapi.com/activitytype/lms", "Site")],
            }
        },
        "timestamp": at.isoformat(timespec="milliseconds"),
    }
    if result:
        said["result"] = result
    return said


def _thing(iri: str, kind: str, name: str) -> dict[str, Any]:
    return {"objectType": "Activity", "id": iri, "definition": {"type": kind, "name": {"fr": name}}}
