"""`python -m bench.satisfaction`: summaries of a course whose questionnaires hold 50,000 answers.

The rows of answers are written straight into their table; the last ones come through the door, so that
the figures are published by the tool itself. Prints the time of a submission too, and of what the
worker publishes beside.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from lti_tool import migrations, surveys
from lti_tool.surveys import late, reception
from lti_tool.tables import survey as survey_table
from tests import services
from tests.factories.surveys import Classroom, K
from tool_config import silos
from tool_config.database import administration, open_engine, transaction
from tool_config.surveys import Survey
from xapi.survey_tables import answer

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET_MS = 80
_SUBMISSION_MS = 150
_SUBMITTED = 40
_OTHERS = 7
console = Console(width=110)


def main() -> None:
    """Build the answers, measure, print."""
    parser = argparse.ArgumentParser(prog="bench.satisfaction")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--answers", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with store(options.engine) as url:
        run(url, options.answers, options.rounds)


@contextmanager
def store(engine: str) -> Iterator[str]:
    if engine == "postgresql":
        with services.postgresql(durable=True) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        yield f"sqlite:///{folder}/estime.db"


def run(url: str, answers: int, rounds: int) -> None:
    """Measure on the store at ``url``: one questionnaire with ``answers`` rows, seven small ones."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    with administration(engine) as conn:
        silo_id = silos.add(conn, "bench", now=NOW)
    room = Classroom(engine, silo_id, NOW).build(_SUBMITTED, modules=1 + _OTHERS)
    opened = [room.open(module=rank) for rank in range(1, 2 + _OTHERS)]
    respondents = answers // len(opened[0].template.questions)
    for survey in opened:
        fill(room, survey, respondents if survey is opened[0] else 100)
    submissions: list[float] = []
    steps: list[float] = []
    for rank in range(_SUBMITTED):
        submissions.append(_timed(lambda rank=rank: room.answer(opened[0], rank, overall=4)))  # type: ignore[misc]
        if rank % K == K - 1:
            steps.append(_timed(lambda: _work(room)))
    for survey in opened[1:]:
        for rank in range(5):
            room.answer(survey, rank, overall=4)
    if engine.dialect.name == "postgresql":
        with administration(engine) as conn:
            conn.exec_driver_sql("ANALYZE")
    asked: dict[str, Any] = {"enrolled": 2 * respondents, "now": room.now, "k": K}

    def course() -> None:
        with transaction(engine, silo_id, write=False) as conn:
            reception.course(conn, silo_id, room.course_id, **asked)

    def module() -> None:
        with transaction(engine, silo_id, write=False) as conn:
            survey = surveys.find(conn, silo_id, room.course_id, opened[0].survey_id)
            reception.one(conn, survey, **asked)
            for question in survey.template.comments:
                reception.comments(conn, survey, question.id, k=K)

    console.print(
        f"{engine.dialect.name}: {respondents:,} respondents, {answers:,} answers in one questionnaire"
    )
    for name, read in (("module, with its comments", module), ("course, 8 questionnaires", course)):
        read()
        _report(name, [_timed(read) for _ in range(rounds)], _TARGET_MS)
    _report("submission, while the worker publishes every fifth", submissions, _SUBMISSION_MS)
    console.print(
        f"worker: the first publication {steps[0]:.0f} ms ({respondents * 2:,} comments), the following ones "
        f"{statistics.median(steps[1:]):.0f} ms (median)"
    )
    engine.dispose()


def fill(room: Classroom, survey: Survey, respondents: int) -> None:
    """Write the answers of invented people straight into their table."""
    rng = random.Random(survey.survey_id)
    rows = []
    for rank in range(respondents):
        who, attempt = f"{rng.getrandbits(128):032x}", str(uuid.uuid4())
        for question in survey.template.questions:
            row = {
                "silo_id": room.silo_id,
                "course_id": room.course_id,
                "statement_id": str(uuid.uuid4()),
                "survey_id": survey.survey_id,
                "question": question.id,
                "module": survey.module,
                "phase": survey.template.phase,
                "respondent": who,
                "spoken_by": who,
                "attempt": attempt,
                "at": NOW + timedelta(seconds=rank),
                "value": rng.choice(question.values) if question.values else None,
                "text": None if question.values else "Un commentaire de longueur ordinaire. " * 3,
            }
            rows.append(row)
    with administration(room.engine) as conn:
        for start in range(0, len(rows), 5000):
            conn.execute(answer.insert(), rows[start : start + 5000])
        counted = survey_table.c.survey_id == survey.survey_id
        conn.execute(survey_table.update().where(counted).values(received=respondents))


def _work(room: Classroom) -> None:
    """Publish as the worker does, between two submissions."""
    with transaction(room.engine, room.silo_id) as conn:
        late.publish(conn, room.silo_id, now=room.now, k=K)


def _timed(read: Callable[[], object]) -> float:
    began = time.perf_counter()
    read()
    return 1000 * (time.perf_counter() - began)


def _report(name: str, times: list[float], target: int | None) -> None:
    p95 = statistics.quantiles(times, n=20)[-1]
    verdict = "" if target is None else f", under {target}: {'yes' if p95 < target else 'NO'}"
    console.print(f"{name}: p50 {statistics.median(times):.1f} ms, p95 {p95:.1f} ms{verdict}")


if __name__ == "__main__":
    main()
