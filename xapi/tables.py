"""Tables of the store: statements and their links, and what is drawn from them.

``course_id`` is a 63-bit hash of (silo, course IRI) and ``actor`` a hash of the actor's identifier, so
that rows are the same whatever the order of arrival and whatever the engine. An event without a course
carries the sentinel ``-silo_id``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    false,
)

import xapi.comment_tables
import xapi.dataset_tables
import xapi.depth_tables
import xapi.document_tables
import xapi.forward_tables
import xapi.path_tables
import xapi.sealed_tables
import xapi.survey_tables
import xapi.tombstone_tables  # noqa: F401  (all register on the same metadata)
from tool_config.database import Instant, metadata

# --- what was said: the only copy -----------------------------------------------------------------

statement = Table(
    "statement",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("id", Uuid(as_uuid=False), primary_key=True),
    #: When the store received it (UTC, milliseconds); LRS queries filter on it.
    Column("stored", Instant, nullable=False),
    Column("timestamp", Instant, nullable=False),
    Column("verb", Text, nullable=False),
    Column("actor", Text, nullable=False),
    #: Object's IRI when the object is an activity.
    Column("activity", Text),
    Column("registration", Uuid(as_uuid=False)),
    #: Target when the object is a StatementRef; the verb tells whether it voids.
    Column("refers_to", Uuid(as_uuid=False)),
    Column("voided", Boolean, nullable=False, server_default=false()),
    #: Key that wrote it; empty when the tool itself did.
    Column("key_id", Text, nullable=False, server_default=""),
    #: The JSON as stored and given back.
    Column("raw", Text, nullable=False),
)
Index("ix_statement_stored", statement.c.silo_id, statement.c.stored, statement.c.id)
Index("ix_statement_verb", statement.c.silo_id, statement.c.verb, statement.c.stored, statement.c.id)
Index("ix_statement_refers_to", statement.c.silo_id, statement.c.refers_to)
Index("ix_statement_registration", statement.c.silo_id, statement.c.registration, statement.c.stored)

statement_agent = Table(
    "statement_agent",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    Column("agent", Text, primary_key=True),
    #: Where it stands: actor, member, object, authority, instructor, team, sub…
    Column("place", Text, primary_key=True),
    Column("stored", Instant, nullable=False),
    Column("verb", Text, nullable=False),
)
Index(
    "ix_statement_agent_agent",
    statement_agent.c.silo_id,
    statement_agent.c.agent,
    statement_agent.c.stored,
    statement_agent.c.statement_id,
)

statement_activity = Table(
    "statement_activity",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    Column("activity", Text, primary_key=True),
    #: Where it stands: object, parent, grouping, category, other, sub…
    Column("place", Text, primary_key=True),
    Column("stored", Instant, nullable=False),
    Column("verb", Text, nullable=False),
)
Index(
    "ix_statement_activity_activity",
    statement_activity.c.silo_id,
    statement_activity.c.activity,
    statement_activity.c.stored,
    statement_activity.c.statement_id,
)

#: What a statement refers to through its object, and what that refers to in turn: a filter that the
#: target meets is met by the statement (Communication 2.1.3).
statement_reference = Table(
    "statement_reference",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    Column("target_id", Uuid(as_uuid=False), primary_key=True),
    Column("stored", Instant, nullable=False),
)
Index(
    "ix_statement_reference_stored",
    statement_reference.c.silo_id,
    statement_reference.c.stored,
    statement_reference.c.statement_id,
)
Index("ix_statement_reference_target", statement_reference.c.silo_id, statement_reference.c.target_id)

actor = Table(
    "actor",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: 32 hexadecimal digits: hash of the inverse functional identifier (statement.actor_key).
    Column("actor", Text, primary_key=True),
    #: The identifier as JSON ({"account": …}, {"mbox": …}…), without the name.
    Column("identifier", Text, nullable=False),
    Column("name", Text),
    #: Timestamp of the statement that gave the name: the latest wins.
    Column("name_at", Instant),
)

#: Another identifier of a known person (username, mbox): its events are counted for `actor`.
actor_alias = Table(
    "actor_alias",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("actor", Text, nullable=False),
)
Index("ix_actor_alias_actor", actor_alias.c.silo_id, actor_alias.c.actor)

#: Progress of one file's import, so that it resumes and is never done twice.
statement_import = Table(
    "statement_import",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    #: Statements read (accepted or refused) and committed so far.
    Column("position", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("finished_at", Instant),
)

# --- what courses are: known from launches, statements and the editor ------------------------------

path = Table(
    "path",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("path_id", BigInteger, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
)

course = Table(
    "course",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("iri", Text, nullable=False),
    Column("title", Text),
    Column("label", Text),
    Column("path_id", BigInteger),
    #: Overrides the silo's time zone.
    Column("time_zone", Text),
    Column("starts_on", Date),
    Column("ends_on", Date),
    #: Set by a launch: the platform and its own id of the course.
    Column("issuer", Text),
    Column("context_id", Text),
    #: The platform gave a roster: `enrolled` is no longer partial.
    Column("roster_at", Instant),
    Column("created_at", Instant, nullable=False),
)
Index("ix_course_context", course.c.silo_id, course.c.issuer, course.c.context_id)
#: Sessions of one path: the reference of a chart reads the previous ones.
Index("ix_course_path", course.c.silo_id, course.c.path_id)

#: Who is in a course and as what, from launches and rosters (statements of enrolment are in rollup_actor).
membership = Table(
    "membership",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    #: trainee, tutor, admin
    Column("role", Text, nullable=False),
    #: launch, roster, log, hand
    Column("source", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    #: Since when the tutor says that this is no trainee, whatever the platform says.
    Column("aside_at", Instant),
)

#: Corrections made in the outline editor or imported; null means "as drawn from the traces".
outline_edit = Table(
    "outline_edit",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("iri", Text, primary_key=True),
    #: module, activity
    Column("level", Text, nullable=False),
    Column("module", Text),
    Column("title", Text),
    Column("position", Integer),
    Column("required", Boolean),
    Column("hidden", Boolean),
    Column("hours_in_person", Float),
    Column("hours_distance", Float),
    Column("opens_on", Date),
    Column("closes_on", Date),
    #: For a planned gathering: day_in_person, virtual_class, visit; null otherwise.
    Column("gathering", Text),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", Text, nullable=False),
)

# --- what is drawn from statements: `estime rebuild` makes it again ---------------------------------

event = Table(
    "event",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    #: Canonical actor (aliases resolved).
    Column("actor", Text, nullable=False),
    #: The actor's own key in the statement, before aliases.
    Column("spoken_by", Text, nullable=False),
    #: viewed, started, completed… (tool_config/vocabulary.yaml)
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    #: Activity of the outline that this counts for; empty for the course itself.
    Column("activity", Text, nullable=False, server_default=""),
    Column("activity_type", Text, nullable=False, server_default=""),
    Column("activity_title", Text),
    Column("section", Text, nullable=False, server_default=""),
    Column("section_title", Text),
    Column("course_title", Text),
    #: Score from 0 to 1, from raw/min/max, else scaled.
    Column("score", Float),
    Column("success", Boolean),
    #: result.duration, seconds.
    Column("duration", Float),
    Column("registration", Uuid(as_uuid=False)),
)
Index("ix_event_actor", event.c.silo_id, event.c.course_id, event.c.actor, event.c.at)

#: (course, actor, day) to be rolled up; rows are appended and taken, never updated, so none is lost.
rollup_pending = Table(
    "rollup_pending",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pending_id", Uuid(as_uuid=False), primary_key=True),
    #: Empty actor: the outline of the course is to be drawn again (and every learner's modules).
    Column("actor", Text, nullable=False),
    Column("day", Date),
)

_SECONDS = ("seconds_10", "seconds_30", "seconds_60")


def _seconds() -> list[Column[int]]:
    """Time spent, seconds, by the capped-gap method with caps of 10, 30 and 60 minutes."""
    return [Column(name, Integer, nullable=False) for name in _SECONDS]


rollup_actor_day = Table(
    "rollup_actor_day",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    #: In the course's time zone.
    Column("day", Date, primary_key=True),
    Column("events", Integer, nullable=False),
    *_seconds(),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)
Index(
    "ix_rollup_actor_day_day",
    rollup_actor_day.c.silo_id,
    rollup_actor_day.c.course_id,
    rollup_actor_day.c.day,
)

rollup_activity_day = Table(
    "rollup_activity_day",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("activity", Text, primary_key=True),
    Column("events", Integer, nullable=False),
    *_seconds(),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("completed_at", Instant),
    Column("uncompleted_at", Instant),
    Column("attended_at", Instant),
    Column("score", Float),
    Column("score_at", Instant),
)

rollup_activity = Table(
    "rollup_activity",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    Column("activity", Text, primary_key=True),
    Column("events", Integer, nullable=False),
    *_seconds(),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    #: Null when the last word was "uncompleted".
    Column("completed_at", Instant),
    Column("attended_at", Instant),
    #: Latest score, 0 to 1.
    Column("score", Float),
)
Index(
    "ix_rollup_activity_activity",
    rollup_activity.c.silo_id,
    rollup_activity.c.course_id,
    rollup_activity.c.activity,
)

rollup_module = Table(
    "rollup_module",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    Column("module", Text, primary_key=True),
    *_seconds(),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    #: Last time an activity of it was reached for the first time, or completed.
    Column("progress_at", Instant, nullable=False),
    #: Required activities completed, of `required` (both follow the outline).
    Column("done", Integer, nullable=False),
    Column("required", Integer, nullable=False),
    Column("completed_at", Instant),
    #: Mean of the latest scores of its activities, 0 to 1.
    Column("score", Float),
)

rollup_actor = Table(
    "rollup_actor",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    #: Events that the actor did (enrolment by somebody else is not one).
    Column("events", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    *_seconds(),
    #: First and last act, presence included; null when only enrolled.
    Column("first_at", Instant),
    Column("last_at", Instant),
    Column("attended", Integer, nullable=False),
    Column("enrolled_at", Instant),
    Column("left_at", Instant),
    #: A course-completed statement.
    Column("completed_at", Instant),
    #: Module of the last act; empty when none.
    Column("last_module", Text, nullable=False, server_default=""),
    #: Days of rollup_actor_day, one after the other as YYYY-MM-DD: a page reads a course's in one pass.
    Column("days_seen", Text, nullable=False, server_default=""),
)

#: Distinct things said of an activity; the latest timestamp wins. Source of the outline.
activity_fact = Table(
    "activity_fact",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("activity", Text, primary_key=True),
    #: Hash of the other columns but the instants and `tracked`.
    Column("fact", Text, primary_key=True),
    Column("activity_type", Text, nullable=False),
    Column("activity_title", Text),
    Column("section", Text, nullable=False),
    Column("section_title", Text),
    Column("course_title", Text),
    #: A completion (or its undoing) was seen: the platform tracks it.
    Column("tracked", Boolean, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)

#: The outline as pages read it: facts under the corrections of `outline_edit`.
outline_item = Table(
    "outline_item",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("iri", Text, primary_key=True),
    #: module, activity. An activity outside any section is a module that holds itself: two rows.
    Column("level", Text, primary_key=True),
    #: IRI of its module (its own for a module).
    Column("module", Text, nullable=False),
    Column("title", Text, nullable=False),
    #: From 1, within its level (modules) or its module (activities).
    Column("position", Integer, nullable=False),
    Column("required", Boolean, nullable=False),
    Column("activity_type", Text, nullable=False, server_default=""),
    Column("hours_in_person", Float),
    Column("hours_distance", Float),
    Column("opens_on", Date),
    Column("closes_on", Date),
    Column("gathering", Text),
)

#: How fresh the derived rows of a course are.
rollup_state = Table(
    "rollup_state",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    #: Grows at each refresh: a key for caches.
    Column("version", BigInteger, nullable=False),
    Column("refreshed_at", Instant, nullable=False),
)
