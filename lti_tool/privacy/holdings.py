"""Where a person is held: every table of the store, and the files beside it.

For each place: which rows, what they say (`What`), what an erasure does of them (`Fate`). Tables that
hold nobody say why. A test enumerates the tables of the metadata: a new one is not forgotten.

To add a table: a `Holding` below (or a line in `NOBODY`), and for rows that a condition of SQL cannot find
or change, a step in `lti_tool.privacy.erasure`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Table, and_, false, or_, select, true, tuple_

from lti_tool import tables as t
from lti_tool.community_tables import community_frame
from lti_tool.compliance_tables import institution
from lti_tool.export_tables import export, export_file
from lti_tool.import_tables import import_chunk, import_file, import_refusal
from lti_tool.improvement_tables import improvement, improvement_change
from lti_tool.information_tables import information_seen, objection
from lti_tool.invited_tables import invited, invited_link
from lti_tool.job_tables import job
from lti_tool.matching_tables import person_link
from lti_tool.people_tables import course_number
from lti_tool.privacy import scanning
from lti_tool.privacy.whose import Person
from lti_tool.privacy_tables import course_privacy, erasure_request, exclusion, pause, retention_rule
from lti_tool.profile_tables import profile_grant
from lti_tool.saved_tables import comparison_file, saved_view
from lti_tool.service_tables import course_group, mark, mark_sent
from lti_tool.survey_template_tables import survey_reminder, survey_template, survey_template_version
from tool_config import tables as c
from xapi import tables as x
from xapi.comment_tables import comment_member, comment_reading, comment_theme
from xapi.dataset_tables import dataset_row
from xapi.depth_tables import debrief
from xapi.document_tables import attachment, document, quarantine
from xapi.path_tables import session_name
from xapi.survey_tables import answer, survey_comment

#: What rows say; `lti_tool.privacy.wording` has the words.
What = Literal[
    "identity", "enrolment", "traces", "progress", "answers", "comments", "documents", "files", "marks",
    "messages", "complaints", "improvements", "work", "looks", "sessions", "waiting", "refused", "exports",
    "authorship", "choices", "requests",
]  # fmt: skip
#: deleted: the rows go; cut: the row stays and no longer names the person; kept: as it is, and why.
Fate = Literal["deleted", "cut", "kept"]

Where = Callable[[Person], ColumnElement[bool]]


@dataclass(frozen=True)
class Holding:
    """One way in which a table holds a person."""

    table: Table
    what: What
    fate: Fate
    #: The rows, beside the silo's own: those, or (with `holds`) more than those.
    where: Where
    #: Why a row that is cut, or kept, stays (`lti_tool.privacy.wording.why`).
    why: str = ""
    #: Columns in which a key of the person is written over (`cut`).
    columns: tuple[str, ...] = ()
    #: Tells of a row found whether the person is in it, where SQL cannot.
    holds: Callable[[Mapping[str, Any], Person], bool] | None = None
    #: The rows are the person's own, to be given to them; else they only name them as an author.
    own: bool = True
    #: Done by a step of `erasure` rather than by deleting or writing over.
    step: str = ""
    #: Its rows are numbered in a preview; not those that only lead to others, nor those of everybody.
    counted: bool = True


def _in(table: Table, *columns: str) -> Where:
    """Return the rows in which one of some columns is a key of the person."""
    return lambda person: or_(*(table.c[name].in_(sorted(person.keys)) for name in columns))


def _in_courses(table: Table, column: str = "actor") -> Where:
    """Return the same of a table whose keys begin with the course: that of each is named, for the index."""

    def where(person: Person) -> ColumnElement[bool]:
        known = select(x.course.c.course_id).where(x.course.c.silo_id == person.silo_id)
        here = or_(table.c.course_id == -person.silo_id, table.c.course_id.in_(known))
        return and_(here, table.c[column].in_(sorted(person.keys)))

    return where


def _statements(person: Person) -> Any:
    link = x.statement_agent.c
    return select(link.statement_id).where(
        link.silo_id == person.silo_id, link.agent.in_(sorted(person.keys))
    )


def _by_statement(table: Table, column: str = "statement_id") -> Where:
    return lambda person: table.c[column].in_(_statements(person))


def _answers(person: Person) -> ColumnElement[bool]:
    a = answer.c
    keys = sorted(person.keys)
    return or_(a.respondent.in_(keys), a.spoken_by.in_([*keys, *sorted(person.voices)]))


def _published(table: Table) -> Where:
    """Return the rows of comments that were published from answers of the person."""

    def where(person: Person) -> ColumnElement[bool]:
        said = select(survey_comment.c.comment_id).where(
            survey_comment.c.silo_id == person.silo_id,
            survey_comment.c.statement_id.in_(
                select(answer.c.statement_id).where(answer.c.silo_id == person.silo_id, _answers(person))
            ),
        )
        return table.c.comment_id.in_(said)

    return where


def _invited(table: Table) -> Where:
    def where(person: Person) -> ColumnElement[bool]:
        some = sorted(person.invitations)
        columns = (table.c.course_id, table.c.survey_id, table.c.invited_id)
        return tuple_(*columns).in_(some) if some else false()

    return where


def _handovers(person: Person) -> ColumnElement[bool]:
    launch = t.launch.c
    own = select(launch.launch_id).where(
        launch.silo_id == person.silo_id, launch.actor.in_(sorted(person.keys))
    )
    return t.handover.c.launch_id.in_(own)


def _all(_person: Person) -> ColumnElement[bool]:
    return true()


def _says(*columns: str) -> Callable[[Mapping[str, Any], Person], bool]:
    """Tell whether one of some columns (texts, JSON, bytes) says a name of the person."""
    return lambda row, person: any(scanning.says(row[name], person) for name in columns)


#: Reasons; `lti_tool.privacy.wording` has the sentences.
_SHARED, _WORK = "shared", "work"

HOLDINGS: tuple[Holding, ...] = (
    # --- who they are
    Holding(t.person, "identity", "deleted", _in(t.person, "actor")),
    Holding(x.actor, "identity", "deleted", _in(x.actor, "actor"), counted=False),
    Holding(x.actor_alias, "identity", "deleted", _in(x.actor_alias, "alias", "actor"), counted=False),
    Holding(
        person_link, "identity", "deleted",
        lambda person: or_(
            person_link.c.actor.in_(sorted(person.keys)),
            person_link.c.person_key.in_(sorted(person.person_keys)),
        ),
    ),
    Holding(
        person_link, "authorship", "cut", _in(person_link, "made_by"), _WORK, ("made_by",), own=False
    ),
    Holding(
        c.administrator, "identity", "deleted",
        lambda person: and_(
            c.administrator.c.issuer == person.issuer, c.administrator.c.sub == person.sub,
        ),
    ),
    Holding(
        profile_grant, "identity", "deleted",
        lambda person: profile_grant.c.address_hash.in_(sorted(person.person_keys)),
    ),
    Holding(
        profile_grant, "authorship", "cut", _in(profile_grant, "granted_by"), _WORK, ("granted_by",),
        own=False,
    ),
    # --- the sessions in which they are
    Holding(x.membership, "enrolment", "deleted", _in_courses(x.membership)),
    Holding(course_number, "enrolment", "deleted", _in_courses(course_number), counted=False),
    Holding(course_group, "enrolment", "deleted", _in_courses(course_group), counted=False),
    Holding(pause, "enrolment", "deleted", _in_courses(pause)),
    Holding(pause, "authorship", "cut", _in(pause, "set_by"), _WORK, ("set_by",), own=False),
    Holding(
        dataset_row, "choices", "deleted",
        lambda person: dataset_row.c.person_key.in_(sorted(person.person_keys)),
    ),
    # --- their traces, and what is drawn from them
    Holding(
        x.statement, "traces", "deleted", _by_statement(x.statement, "id"),
        "shared", step="statements",
    ),
    Holding(
        x.statement_agent, "traces", "deleted", _in(x.statement_agent, "agent"), step="statements",
        counted=False,
    ),
    Holding(
        x.statement_activity, "traces", "deleted", _by_statement(x.statement_activity), step="statements",
        counted=False,
    ),
    Holding(
        x.statement_reference, "traces", "deleted",
        lambda person: or_(
            x.statement_reference.c.statement_id.in_(_statements(person)),
            x.statement_reference.c.target_id.in_(_statements(person)),
        ),
        step="statements",
        counted=False,
    ),
    Holding(
        attachment, "files", "deleted",
        lambda person: attachment.c.sha2.in_(sorted(person.attachments)) if person.attachments else false(),
        "shared", step="attachments",
    ),
    Holding(document, "documents", "deleted", _in(document, "agent")),
    Holding(x.event, "traces", "deleted", _in_courses(x.event), step="statements", counted=False),
    Holding(
        x.rollup_pending, "progress", "deleted", _in(x.rollup_pending, "actor"), own=False, counted=False
    ),
    *(
        Holding(table, "progress", "deleted", _in_courses(table))
        for table in (
            x.rollup_actor_day, x.rollup_activity_day, x.rollup_activity, x.rollup_module, x.rollup_actor,
        )
    ),
    Holding(
        community_frame, "progress", "deleted", _all,
        "shared", own=False,
        step="frames", counted=False,
    ),
    Holding(
        quarantine, "refused", "deleted", _all, holds=_says("body", "reason"),
    ),
    # --- what they said
    Holding(answer, "answers", "deleted", _answers, step="answers"),
    Holding(survey_comment, "comments", "deleted", _published(survey_comment), step="answers"),
    Holding(
        comment_reading, "comments", "deleted", _published(comment_reading), step="answers", counted=False
    ),
    Holding(
        comment_member, "comments", "deleted", _published(comment_member), step="answers", counted=False
    ),
    Holding(
        t.survey_box, "answers", "cut", _all,
        "shared",
        own=False, step="boxes", counted=False,
    ),
    Holding(invited, "messages", "deleted", _invited(invited)),
    Holding(invited_link, "messages", "deleted", _invited(invited_link), own=False, counted=False),
    Holding(
        improvement, "complaints", "cut", _in(improvement, "author"),
        "complaint", step="complaints",
    ),
    Holding(
        improvement, "improvements", "cut", _in(improvement, "owner", "opened_by"), _WORK,
        ("owner", "opened_by"), own=False,
    ),
    Holding(
        improvement, "improvements", "cut", _all, _SHARED, own=False, step="names",
        holds=_says("noticed", "decision", "owner_name", "action", "conclusion", "answer", "told", "done"),
    ),
    Holding(
        improvement_change, "improvements", "cut", _all, _WORK, own=False, step="names",
        holds=_says("by", "fields", "reason"),
    ),
    Holding(debrief, "authorship", "cut", _in(debrief, "recorded_by"), _WORK, ("recorded_by",), own=False),
    # --- marks and work under way
    Holding(mark_sent, "marks", "deleted", _in_courses(mark_sent)),
    Holding(mark, "authorship", "cut", _in(mark, "on_by"), _WORK, ("on_by",), own=False),
    Holding(
        job, "waiting", "deleted", _all, own=False, holds=_says("payload", "result", "message", "key"),
    ),
    Holding(export, "exports", "deleted", _in(export, "owner"), step="exports"),
    Holding(
        export_file, "exports", "deleted", _all,
        "shared", own=False,
        step="exports", counted=False,
    ),
    # --- files of imports
    Holding(
        import_file, "authorship", "cut", _in(import_file, "created_by"), _WORK, ("created_by",), own=False
    ),
    Holding(import_chunk, "refused", "deleted", _all, own=False, step="waiting files", counted=False),
    Holding(import_refusal, "refused", "deleted", _all, holds=_says("cells", "faults")),
    # --- who came, who looked
    Holding(t.handover, "sessions", "deleted", _handovers, own=False, counted=False),
    Holding(t.launch, "sessions", "deleted", _in(t.launch, "actor")),
    Holding(
        t.audit, "looks", "cut", _in(t.audit, "actor", "subject"),
        "looks",
        ("actor", "subject"), step="append only",
    ),
    # --- what they did for others: it stays, without them
    *(
        Holding(table, "authorship", "cut", _in(table, column), _WORK, (column,), own=False)
        for table, column in (
            (t.survey, "created_by"), (survey_reminder, "by"), (survey_template, "created_by"),
            (survey_template_version, "published_by"), (x.outline_edit, "updated_by"),
            (comment_theme, "edited_by"), (session_name, "made_by"), (retention_rule, "changed_by"),
            (institution, "changed_by"),
            (course_privacy, "set_by"), (erasure_request, "decided_by"), (comparison_file, "added_by"),
        )
    ),
    # --- what they asked
    Holding(information_seen, "requests", "deleted", _in(information_seen, "actor"), counted=False),
    Holding(objection, "requests", "deleted", _in(objection, "actor"), counted=False),
    Holding(saved_view, "requests", "deleted", _in(saved_view, "owner"), counted=False),
    Holding(
        erasure_request, "requests", "cut", _in(erasure_request, "actor"),
        "request",
        ("actor",),
    ),
    Holding(exclusion, "requests", "deleted", _in(exclusion, "actor", "tutor")),
)  # fmt: skip

_SETTINGS = "settings of the silo: no person"
_OF_COURSE = "what a course is made of: no person"
_COUNTS = "counts published under the threshold: nobody can be told from them"
_HASHES = "keyed hashes of secrets: whose, nothing says"

#: Tables that hold nobody, and why.
NOBODY: Mapping[str, str] = {
    "silo": _SETTINGS,
    "information_version": "what everybody is told",
    "platform": _SETTINGS,
    "deployment": _SETTINGS,
    "tool_key": _SETTINGS,
    "lrs_key": "keys of programs, under a label that an administrator gave",
    "key_secret": _HASHES,
    "key_repair": "counts of statements by key",
    "login_state": f"{_HASHES}; gone within minutes",
    "profile_login": f"{_HASHES}; gone within minutes",
    "profile_provider": _SETTINGS,
    "invitation": f"{_HASHES}; an invitation is a platform's",
    "course": _OF_COURSE,
    "course_origin": _OF_COURSE,
    "course_ancestor": _OF_COURSE,
    "course_service": _OF_COURSE,
    "path": _OF_COURSE,
    "path_pattern": _OF_COURSE,
    "outline_item": _OF_COURSE,
    "activity_fact": "what activities are called; drawn again without the traces that went",
    "rollup_state": _OF_COURSE,
    "sealed_course": _COUNTS,
    "survey_step": _COUNTS,
    "survey_figure": _COUNTS,
    "survey_depth": _COUNTS,
    "comment_analysis": "how many comments were read, when",
    "dataset_standard": _SETTINGS,
    "import_mapping": "how files of one heading are read: no line of them",
    "statement_import": "name and progress of a file; its lines are statements",
    "forward": "address and place of a copy: the statements are in `statement`",
    "forward_dead": "statements by number; the row goes with the statement",
    "tombstone": "keyed hashes, kept so that nothing brings the person back",
    "tombstone_secret": "a key",
}


@dataclass(frozen=True)
class Files:
    """A place beside the store where a person may be written."""

    where: str
    held: bool
    why: str


#: Files of the tool, and what becomes of a person there.
FILES: tuple[Files, ...] = (
    Files(
        "database (SQLite: estime.db, -wal, -shm)", True,
        "rows as above; the file is written anew the following night, so that no freed page keeps them",
    ),
    Files("secret.key", False, "a key"),
    Files(
        "folder of deposits (ESTIME_WATCHED_DIR)", True,
        "files of the institution, which puts and takes them: named in the preview, not written to",
    ),
    Files("temporary files of imports", True, "gone at the end of the import that made them"),
    Files("backups of the institution", True, "kept for ESTIME_BACKUP_DAYS days, said to the person"),
    Files("logs of the server", False, "no name, no address, no key of a person is written there"),
    Files("Redis", False, "access tokens of platforms and counters: no person"),
)  # fmt: skip


def rows(conn: Connection, person: Person, holding: Holding) -> Iterator[dict[str, Any]]:
    """Yield the rows in which a holding has a person, a few at a time, in the order of their keys."""
    table = holding.table
    query = select(table).where(table.c.silo_id == person.silo_id, holding.where(person))
    ordered = query.order_by(*table.primary_key.columns).execution_options(yield_per=500)
    for found in conn.execute(ordered):
        row = dict(found._mapping)
        if holding.holds is None or holding.holds(row, person):
            yield row


def of(table: Table) -> Sequence[Holding]:
    """Return the ways in which a table holds people."""
    return [holding for holding in HOLDINGS if holding.table is table]
