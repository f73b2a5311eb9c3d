"""A classroom whose trainees commented, and readings made by hand: no child process."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from analyzers.comment_frames import Scope
from analyzers.comments.word_lists import fold
from lti_tool.comments import work
from lti_tool.jobs import JobRun
from tests.factories.surveys import Classroom
from tool_config import rules
from tool_config.database import insert, transaction
from tool_config.surveys import Survey
from xapi.survey_tables import answer, survey_comment, survey_step

RULES = rules.load()
#: A word of a comment -> the theme that a reading made by hand puts it in.
SUBJECTS = ("rythme", "forum", "quiz")


def said(rank: int, more: str = "") -> str:
    """Return the comment of a trainee: three subjects in turn, well and badly spoken of."""
    word = SUBJECTS[rank % 3]
    return f"Le {word} est {'parfait' if rank % 2 else 'pénible'}, avis {chr(97 + rank)}{more}"


def publish_all(room: Classroom, survey: Survey, ranks: Sequence[int], more: str = "") -> None:
    """Publish the comments of trainees straight into the tables: the way there has its own tests."""
    publish(room, survey, [(room.trainees[rank], said(rank, more)) for rank in ranks])


def publish(room: Classroom, survey: Survey, written: Sequence[tuple[str, str]]) -> None:
    """Publish comments: (respondent, text)."""
    key = {"silo_id": room.silo_id, "course_id": room.course_id, "survey_id": survey.survey_id}
    rows, shown = [], []
    for who, text in written:
        statement = {"statement_id": str(uuid.uuid4()), "question": "liked"}
        row = {"module": survey.module, "phase": survey.template.phase, "respondent": who, "spoken_by": who}
        rows.append(key | statement | row | {"attempt": str(uuid.uuid4()), "at": room.now, "text": text})
        shown.append(key | statement | {"comment_id": str(uuid.uuid4())})
    people = len({who for who, _ in written})
    step = {"n": people, "closed": True, "received": people, "comments": {}, "day": room.now.date()}
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(insert(conn, answer), rows)
        conn.execute(insert(conn, survey_step), key | step)
        conn.execute(insert(conn, survey_comment), shown)


def made_by_hand(asked: Any) -> Any:
    """Return what the child would: a theme a subject, the reader's first and untouched."""
    themes = [
        {
            "theme_id": one["theme_id"],
            "kept": True,
            "profiles": one["profiles"],
            "words": list(one["profiles"][0]),
        }
        for one in asked["kept"]
    ]
    words = {
        word: rank for rank, one in enumerate(asked["kept"]) for part in one["profiles"] for word in part
    }
    stays = {place: rank for rank, one in enumerate(asked["kept"]) for place in one["members"]}
    known = {next(iter(one["profile"])): one["theme_id"] for one in asked["known"]}
    members = []
    for place, text in enumerate(asked["texts"]):
        word = next((word for word in SUBJECTS if word in text), "")
        if place not in stays and word and word not in words:
            words[word] = len(themes)
            made = {
                "theme_id": known.get(word, ""),
                "kept": False,
                "profiles": [{word: 1.0}],
                "words": [word],
            }
            themes.append(made)
        members.append(stays.get(place, words.get(word, -1)))
    return {
        "texts": asked["texts"],
        "plain": [fold(text) for text in asked["texts"]],
        "languages": ["fr"] * len(members),
        "polarities": ["positive" if "parfait" in text else "negative" for text in asked["texts"]],
        "themes": themes,
        "members": members,
        "closeness": [0.5] * len(members),
        "stability": {"3": 0.8},
    }


def read_by_hand(room: Classroom, scope: Scope) -> None:
    """Read the comments of a scope without a child process."""
    with transaction(room.engine, room.silo_id) as conn:
        prepared = work.prepare(conn, room.silo_id, scope, RULES)
        work.keep(
            conn, room.silo_id, scope, prepared, made_by_hand(prepared.asked), rules=RULES, now=room.now
        )


def run_job(room: Classroom, scope: Scope, steps: list[tuple[int, int, str]]) -> JobRun:
    """Return the turn of a job that reads a scope."""
    nothing: Any = None
    return JobRun(
        engine=room.engine, silo_id=room.silo_id, job_id="x", payload={"scope": scope.key}, settings=nothing,
        clock=lambda: room.now, http=nothing, cache=nothing, rules=RULES,
        progress=lambda done, total, message: steps.append((done, total, message)),
    )  # fmt: skip
