"""Closed questionnaires counted further, once: groups of their respondents, by traces, answers and origin.

Only pseudonymous questionnaires of trainees, only when they are settled, and only when the people at hand are
those of the published figures. What is sealed is read by pages; it is not made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select

from analyzers import answer_frames, depth, frames, paired, traits
from analyzers.depth import Depth, Member, Respondent
from lti_tool import matching
from lti_tool.jobs import JobRun
from lti_tool.privacy import objecting
from lti_tool.surveys import rows
from lti_tool.tables import survey
from tool_config.database import insert, transaction
from tool_config.rules import Rules
from tool_config.surveys import Survey
from xapi import datasets
from xapi.depth_tables import survey_depth

KIND, NIGHTLY = rows.DEPTH, "every_survey_depth"
#: How long origins that are not there yet are waited for, after the closing.
PATIENCE = timedelta(days=30)
#: Share of the people asked whose origin must be known for it to be counted.
_KNOWN = 0.5
#: Fields of origin counted, the first of the standard with enough known.
_ORIGINS = 2
_PEOPLE = "people"


def run(job: JobRun) -> Mapping[str, Any]:
    """Count what is due in a silo, a questionnaire a transaction."""
    with transaction(job.engine, job.silo_id, write=False) as conn:
        waiting = due(conn, job.silo_id)
    done = 0
    for rank, asked in enumerate(waiting):
        with transaction(job.engine, job.silo_id) as conn:
            done += seal(conn, asked, now=job.clock(), rules=job.rules)
        job.progress(rank + 1, len(waiting), "")
    return {"sealed": done}


def due(conn: Connection, silo_id: int) -> list[Survey]:
    """Return the closed pseudonymous questionnaires that are not counted yet, the first closed first.

    A self-positioning before the session comes before the one after it: changes need both.
    """
    same = and_(
        survey_depth.c.silo_id == survey.c.silo_id,
        survey_depth.c.course_id == survey.c.course_id,
        survey_depth.c.survey_id == survey.c.survey_id,
    )
    found = conn.execute(
        select(survey)
        .select_from(survey.outerjoin(survey_depth, same))
        .where(
            survey.c.silo_id == silo_id,
            survey.c.settled_at.is_not(None),
            survey.c.mode == "pseudonymous",
            survey_depth.c.survey_id.is_(None),
        )
        .order_by(survey.c.closes_at, survey.c.survey_id)
    )
    return [one for one in map(rows.from_row, found) if one.template.audience == "trainees"]


def seal(conn: Connection, asked: Survey, *, now: datetime, rules: Rules) -> bool:
    """Count one questionnaire and keep it; False while the origins of its people are waited for."""
    where = (conn, asked.silo_id, asked.course_id, asked.survey_id)
    published = answer_frames.survey(*where)
    said = answer_frames.respondents(*where, asked.template.overall.id)
    k = rules.disclosure.course
    if published is None or not _same_people(asked, published.counts, said):
        return _keep(conn, asked, now, None)
    objects = objecting.of_silo(conn, asked.silo_id)
    course = frames.course(conn, asked.silo_id, asked.course_id, as_of=now, rules=rules)
    course = replace(course, objecting=objects)
    people = sorted({*course.learner_columns["actor"].tolist(), *said})
    origins, names, some = _origins(conn, asked.silo_id, people)
    origins = {who: said_of for who, said_of in origins.items() if who not in objects}
    if some and not names and now < asked.closes_at + PATIENCE:
        return False
    known, minutes = traits.of(course, asked, said)
    overall = asked.template.overall
    respondents = [
        Respondent(answers[overall.id] in overall.values[-2:], {**known.get(who, {}), **origins.get(who, {})})
        for who, answers in sorted(said.items())
    ]
    made = depth.seal(
        respondents,
        [Member(who in said, origins.get(who, {})) for who in people],
        cuts=[cut for cut in _cuts(asked) if any(cut in one.traits for one in respondents)],
        origins=names,
        k=k,
        made_on=now.date(),
        minutes=minutes,
        items=sum(depth.STRAIGHT in one for one in known.values()),
        changes=_changes(conn, asked, said, k),
    )
    return _keep(conn, asked, now, made)


def _cuts(asked: Survey) -> tuple[str, ...]:
    """Return the cuts that make sense: what people did since says nothing of what they expected."""
    return (depth.STRAIGHT,) if asked.template.phase == "avant" else depth.CUTS


def _keep(conn: Connection, asked: Survey, now: datetime, made: Depth | None) -> bool:
    key = {"silo_id": asked.silo_id, "course_id": asked.course_id, "survey_id": asked.survey_id}
    content = {} if made is None else depth.dump(made)
    row = {**key, "made_on": now.date(), "content": content}
    conn.execute(insert(conn, survey_depth).values(row).on_conflict_do_nothing())
    return True


def _same_people(
    asked: Survey, counts: Mapping[str, Mapping[int, int]], said: Mapping[str, Mapping[str, int]]
) -> bool:
    """Say whether the answers at hand are those published: closed early, some were left out of the figures.

    Groups of other people than those of the figures would give back who is in one and not in the other.
    """
    name = asked.template.overall.id
    if not said or any(name not in answers for answers in said.values()):
        return False
    found = Counter(answers[name] for answers in said.values())
    return found == Counter({value: n for value, n in counts.get(name, {}).items() if n})


# --- what is known of people ----------------------------------------------------------------------------


def _origins(
    conn: Connection, silo_id: int, people: Sequence[str]
) -> tuple[dict[str, dict[str, str]], list[str], bool]:
    """Return the origin of people by field, the fields that enough of them have, and if any file told."""
    read = datasets.rows(conn, silo_id, _PEOPLE, ("person_key", "data"))
    standard = datasets.known(conn, silo_id)[_PEOPLE]
    fields = [field.id for field in standard.fields if field.role == "dimension"]
    identity, wanted = matching.actors(conn, silo_id), set(people)
    found: dict[str, dict[str, str]] = {}
    any_row = False
    for key, data in read:
        any_row = True
        who = identity.get(key or "")
        if who in wanted:
            found[who] = {name: str(data[name]) for name in fields if data.get(name) not in (None, "")}
    counts = Counter(name for own in found.values() for name in own)
    names = [name for name in fields if counts[name] >= _KNOWN * len(people)]
    return found, names[:_ORIGINS], any_row


# --- self-positioning -------------------------------------------------------------------------------------


def _changes(
    conn: Connection, asked: Survey, said: Mapping[str, Mapping[str, int]], k: int
) -> tuple[paired.Change, ...]:
    """Return how the group moved on each competency since the first closed questionnaire that asked it."""
    if not asked.template.positioning:
        return ()
    found = conn.execute(
        rows.wanted(asked.silo_id, asked.course_id)
        .where(
            survey.c.settled_at.is_not(None),
            survey.c.mode == "pseudonymous",
            survey.c.closes_at < asked.closes_at,
        )
        .order_by(survey.c.closes_at, survey.c.survey_id)
    )
    earlier = [one for one in map(rows.from_row, found) if one.template.positioning]
    if not earlier:
        return ()
    points = [
        _points(
            one,
            answer_frames.respondents(
                conn, one.silo_id, one.course_id, one.survey_id, one.template.overall.id
            ),
        )
        for one in earlier
    ]
    return paired.changes(points[0], _points(asked, said), points[1:], k=k)


def _points(asked: Survey, said: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {
        question.competency: {
            who: answers[question.id] for who, answers in said.items() if question.id in answers
        }
        for question in asked.template.positioning
    }
