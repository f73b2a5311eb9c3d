"""A course with modules, trainees and a questionnaire, for the tests of satisfaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from lti_tool import surveys
from lti_tool.access import Viewer
from lti_tool.surveys import box as survey_box
from lti_tool.tables import person
from tool_config import surveys as templates
from tool_config.database import insert, transaction
from tool_config.surveys import Survey, Template
from xapi.identity import course_id
from xapi.statement import account_key
from xapi.tables import course, membership, outline_item

ISSUER = "https://campus.test"
COURSE = f"{ISSUER}/course/view.php?id=12"
MODULE = f"{COURSE}#section-1"
SECRET = "for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"
KEY = survey_box.key(SECRET)
K = 5


def template(**chosen: tuple[str, ...]) -> Template:
    return templates.load()["a-chaud-module"].asked(**chosen)


@dataclass
class Classroom:
    """A course of a silo; `now` moves with each answer unless said otherwise."""

    engine: Engine
    silo_id: int
    now: datetime
    iri: str = COURSE
    trainees: list[str] = field(default_factory=list)

    @property
    def course_id(self) -> int:
        return course_id(self.silo_id, self.iri)

    def build(self, size: int, modules: int = 1) -> Classroom:
        with transaction(self.engine, self.silo_id) as conn:
            key = {"silo_id": self.silo_id, "course_id": self.course_id}
            conn.execute(
                insert(conn, course),
                {**key, "iri": self.iri, "title": "Piloter un établissement", "created_at": self.now},
            )
            for rank in range(1, modules + 1):
                item = {
                    "iri": f"{self.iri}#section-{rank}",
                    "level": "module",
                    "module": f"{self.iri}#section-{rank}",
                    "title": f"Module {rank}",
                    "position": rank,
                    "required": True,
                }
                conn.execute(insert(conn, outline_item), {**key, **item})
            for rank in range(size):
                self.trainees.append(self._join(conn, f"user-{rank:05d}", "trainee"))
            self._join(conn, "tutor", "tutor")
        return self

    def _join(self, conn: Connection, sub: str, role: str) -> str:
        actor = account_key(ISSUER, sub)
        conn.execute(
            insert(conn, person).on_conflict_do_nothing(),
            {"silo_id": self.silo_id, "actor": actor, "issuer": ISSUER, "sub": sub, "created_at": self.now},
        )
        conn.execute(
            insert(conn, membership),
            {
                "silo_id": self.silo_id,
                "course_id": self.course_id,
                "actor": actor,
                "role": role,
                "source": "launch",
                "since": self.now,
            },
        )
        return actor

    def viewer(self, actor: str, role: str = "trainee") -> Viewer:
        return Viewer(
            silo_id=self.silo_id,
            launch_id=f"{self.silo_id}-x",
            actor=actor,
            role=role,
            course_id=self.course_id,
            locale="fr",
            names=False,
            return_url="",
        )

    def open(self, mode: str = "pseudonymous", module: int = 1, days: int = 14) -> Survey:
        with transaction(self.engine, self.silo_id) as conn:
            return surveys.open_survey(
                conn,
                self.silo_id,
                self.course_id,
                module=f"{self.iri}#section-{module}",
                template=template(),
                mode=mode,
                opens_at=self.now,
                closes_at=self.now + timedelta(days=days),
                by=account_key(ISSUER, "tutor"),
                now=self.now,
            )

    def answer(self, survey: Survey, rank: int, attempt: str | None = None, **answers: str | int) -> str:
        self.now += timedelta(minutes=7)
        with transaction(self.engine, self.silo_id) as conn:
            return surveys.submit(
                conn,
                survey,
                self.viewer(self.trainees[rank]),
                {name: str(value) for name, value in answers.items()},
                attempt or str(uuid.uuid4()),
                now=self.now,
                key=KEY,
                k=K,
            )

    def close(self, survey: Survey) -> int:
        self.now = max(self.now, survey.closes_at) + timedelta(minutes=1)
        with transaction(self.engine, self.silo_id) as conn:
            return surveys.settle_due(conn, self.silo_id, now=self.now, key=KEY, k=K)
