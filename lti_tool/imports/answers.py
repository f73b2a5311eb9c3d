"""Exports of questionnaires into rows of answers: one a respondent and question, whatever the export's shape.

The file is read twice: the scale of a question shows in all its answers. A row of the dataset says the
questionnaire, the question, its scale, the value, the label; the person only where a column names one.
Without any, a respondent is told from the others by what they said, and no order is kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, func, select

from lti_tool.imports import opinions
from lti_tool.imports.destined import Destined, Outcome
from tool_config.database import transaction
from xapi import datasets
from xapi.dataset_tables import dataset_row
from xapi.datasets import Written
from xapi.sources import questions, scales
from xapi.sources.checking import Record
from xapi.sources.questions import Column, Question, Said

KIND = "survey_answers"
#: Answers stored at a time: a questionnaire may have hundreds of questions.
_PART = 5_000
#: What the answers of one respondent have in common.
_SHARED = ("questionnaire", "session", "module", "answered_on")


@dataclass
class Survey:
    """One export being taken in."""

    questions: dict[str, Question]
    #: Whether no respondent is named, nor numbered.
    anonymous: bool
    #: Respondents met so far who cannot be told apart otherwise.
    met: Counter[str] = field(default_factory=Counter)
    #: Lines that answer nothing.
    blank: int = 0
    #: Questions read as of four degrees that may have a fifth, which nobody chose.
    doubtful: int = 0


def begin(_engine: Engine, _destined: Destined, records: Iterator[Record]) -> Survey:
    """Read a whole export to know the scale of each question."""
    columns: dict[str, Column] = defaultdict(Column)
    opened: set[str] = set()
    anonymous, sizes = True, dict[str, int]()
    for record in records:
        anonymous = anonymous and record.person_key is None
        opened |= record.data.get("told", {}).keys()
        for heading, text in _cells(record).items():
            columns[heading].add(text)
            if "degrees" in record.data:
                sizes[heading] = record.data["degrees"]
    planned = questions.plan(list(columns), columns, sizes)
    for heading in opened & planned.keys():
        planned[heading] = replace(questions.parsed(heading), scale=scales.Scale("text"))
    unsure = {heading: one for heading, one in planned.items() if heading not in sizes}
    return Survey(planned, anonymous, doubtful=questions.doubtful(columns, unsure))


def _cells(record: Record) -> dict[str, str]:
    """Return what a line answers, by heading or by wording of the question."""
    said = record.data
    cells = {**said.get("asked", {}), **said.get("told", {})}
    if said.get("question"):
        text = said["answer"] if said.get("answer") else _number(said.get("value"))
        if text:
            item = f" [{said['item']}]" if said.get("item") else ""
            cells[f"{said['question']}{item}"] = text
    return {heading: text for heading, text in cells.items() if not scales.is_aside(text)}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


# --- line after line ---------------------------------------------------------------------------------------


def write(conn: Connection, destined: Destined, records: Sequence[Record]) -> Outcome:
    """Store the answers of some lines; Outcome counts the lines."""
    counted: Counter[str] = Counter()
    part: list[list[Record]] = []
    for record in records:
        part.append(_rows(destined.state, record))
        if sum(map(len, part)) >= _PART:
            counted += _put(conn, destined, part)
            part = []
    counted += _put(conn, destined, part)
    return Outcome(Written(counted["added"], counted["changed"], counted["same"]))


def again(_engine: Engine, destined: Destined, records: Sequence[Record]) -> None:
    """Go over lines that were written before an interruption: respondents alike are numbered."""
    for record in records:
        _respondent(destined.state, record)


def _put(conn: Connection, destined: Destined, part: Sequence[Sequence[Record]]) -> Counter[str]:
    """Store the answers of some respondents; return how many respondents are new, changed, the same."""
    rows = {one.key: one for some in part for one in some}
    before = datasets.digests(conn, destined.silo_id, KIND, sorted(rows))
    datasets.write(
        conn, destined.silo_id, KIND, list(rows.values()), file_id=destined.file_id,
        courses=destined.courses, now=destined.now,
    )  # fmt: skip
    counted: Counter[str] = Counter()
    survey: Survey = destined.state
    for some in part:
        if not some:
            survey.blank += 1
        elif all(before.get(one.key) == one.digest for one in some):
            counted["same"] += 1
        else:
            counted["changed" if any(one.key in before for one in some) else "added"] += 1
    return counted


def _rows(survey: Survey, record: Record) -> list[Record]:
    """Return the rows of the dataset that a line becomes."""
    who = _respondent(survey, record)
    shared = {name: record.data[name] for name in _SHARED if name in record.data}
    return [
        _row(survey, record, who, shared, said)
        for said in questions.unfolded(_cells(record), survey.questions)
    ]


def _row(survey: Survey, record: Record, who: str, shared: Mapping[str, Any], said: Said) -> Record:
    data = {
        **shared,
        "respondent": who,
        "question": said.question,
        "code": said.code,
        "item": said.item,
        "scale": said.scale,
        "value": said.value,
        "answer": said.answer,
        "comment": said.comment,
    }
    data = {name: value for name, value in data.items() if value is not None and value != ""}
    key = _hash([KIND, shared.get("questionnaire"), who, said.question, said.item])
    return Record(
        line=0 if survey.anonymous else record.line,
        key=key,
        person_key=record.person_key,
        session=record.session,
        valid_on=record.valid_on,
        data=data,
        digest=_hash([record.person_key, data]),
    )


def _respondent(survey: Survey, record: Record) -> str:
    """Return the mark of a respondent: the same for the same file again, saying nothing of who it is.

    By the number of the response, else the person, else what was said; then by the rank among those alike.
    """
    said = record.data
    name = said.get("respondent") or record.person_key or [said.get("asked"), said.get("told")]
    if said.get("question") and not said.get("respondent") and record.person_key is None:
        name = [said.get("question"), said.get("item"), said.get("answer"), said.get("value")]
    mark = _hash([name, *(said.get(field) for field in _SHARED if field != "answered_on")])
    if said.get("question") and said.get("respondent"):
        return mark[:16]  # one line an answer: the lines of a respondent go together
    survey.met[mark] += 1
    return _hash([mark, survey.met[mark]])[:16]


def _hash(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


# --- at the end --------------------------------------------------------------------------------------------


def finish(engine: Engine, destined: Destined) -> Mapping[str, int]:
    """Return the notes of the report: answers, and how questions were read."""
    survey: Survey = destined.state
    table = dataset_row.c
    with transaction(engine, destined.silo_id, write=False) as conn:
        answers = conn.scalar(
            select(func.count()).where(
                table.silo_id == destined.silo_id, table.kind == KIND, table.file_id == destined.file_id
            )
        )
    apart = {(one.code, one.text, one.item): one.scale.name for one in survey.questions.values()}
    read = Counter(apart.values())
    return {
        "answers": int(answers or 0),
        **opinions.publish(
            engine, destined.silo_id, file_id=destined.file_id, by=destined.by, now=destined.now
        ),
        "blank": survey.blank,
        "anonymous": int(survey.anonymous),
        "doubtful": survey.doubtful,
        **{f"scale {name}": count for name, count in read.most_common()},
    }
