"""Every table, and on PostgreSQL the walls between silos."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine, create_lookups, create_role
from tool_config.database import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "activity_fact",
    "actor",
    "actor_alias",
    "administrator",
    "answer",
    "attachment",
    "audit",
    "course",
    "deployment",
    "document",
    "event",
    "handover",
    "key_repair",
    "launch",
    "login_state",
    "lrs_key",
    "membership",
    "outline_edit",
    "outline_item",
    "path",
    "person",
    "platform",
    "quarantine",
    "rollup_activity",
    "rollup_activity_day",
    "rollup_actor",
    "rollup_actor_day",
    "rollup_module",
    "rollup_pending",
    "rollup_state",
    "silo",
    "statement",
    "statement_activity",
    "statement_agent",
    "statement_import",
    "statement_reference",
    "survey",
    "survey_box",
    "survey_comment",
    "survey_figure",
    "survey_step",
    "tool_key",
)


def upgrade() -> None:
    _create()
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        create_role(conn)
        for table in TABLES:
            confine(conn, table)
        create_lookups(conn)


def _create() -> None:
    op.create_table(
        "activity_fact",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("activity_type", sa.Text(), nullable=False),
        sa.Column("activity_title", sa.Text(), nullable=True),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("section_title", sa.Text(), nullable=True),
        sa.Column("course_title", sa.Text(), nullable=True),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("first_at", Instant(timezone=True), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "activity", "fact", name=op.f("pk_activity_fact")),
    )
    op.create_table(
        "actor",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "actor", name=op.f("pk_actor")),
    )
    op.create_table(
        "actor_alias",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "alias", name=op.f("pk_actor_alias")),
    )
    op.create_table(
        "administrator",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "issuer", "sub", name=op.f("pk_administrator")),
    )
    op.create_table(
        "answer",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), server_default="", nullable=False),
        sa.Column("phase", sa.Text(), server_default="", nullable=False),
        sa.Column("respondent", sa.Text(), nullable=False),
        sa.Column("spoken_by", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "statement_id", name=op.f("pk_answer")),
    )
    op.create_index("ix_answer_attempt", "answer", ["silo_id", "attempt"], unique=False)
    op.create_index("ix_answer_respondent", "answer", ["silo_id", "course_id", "respondent"], unique=False)
    op.create_index(
        "ix_answer_survey",
        "answer",
        ["silo_id", "course_id", "survey_id", "question", "respondent"],
        unique=False,
    )
    op.create_table(
        "attachment",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("sha2", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("stored", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "sha2", name=op.f("pk_attachment")),
    )
    op.create_table(
        "audit",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("audit_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "audit_id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["silo_id", "at"], unique=False)
    op.create_table(
        "course",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("path_id", sa.BigInteger(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("context_id", sa.Text(), nullable=True),
        sa.Column("roster_at", Instant(timezone=True), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", name=op.f("pk_course")),
    )
    op.create_index("ix_course_context", "course", ["silo_id", "issuer", "context_id"], unique=False)
    op.create_index("ix_course_path", "course", ["silo_id", "path_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("sha1", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "silo_id", "kind", "activity", "agent", "registration", "name", name=op.f("pk_document")
        ),
    )
    op.create_table(
        "event",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("spoken_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("activity", sa.Text(), server_default="", nullable=False),
        sa.Column("activity_type", sa.Text(), server_default="", nullable=False),
        sa.Column("activity_title", sa.Text(), nullable=True),
        sa.Column("section", sa.Text(), server_default="", nullable=False),
        sa.Column("section_title", sa.Text(), nullable=True),
        sa.Column("course_title", sa.Text(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("duration", sa.Float(), nullable=True),
        sa.Column("registration", sa.Uuid(as_uuid=False), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "statement_id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_actor", "event", ["silo_id", "course_id", "actor", "at"], unique=False)
    op.create_table(
        "handover",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("launch_id", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "code_hash", name=op.f("pk_handover")),
    )
    op.create_table(
        "key_repair",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("statements", sa.BigInteger(), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "key_id", "rule", name=op.f("pk_key_repair")),
    )
    op.create_table(
        "launch",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("launch_id", sa.Text(), nullable=False),
        sa.Column("session_hash", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("resource_link_id", sa.Text(), server_default="", nullable=False),
        sa.Column("locale", sa.Text(), server_default="fr", nullable=False),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "launch_id", name=op.f("pk_launch")),
    )
    op.create_index("ix_launch_expiry", "launch", ["silo_id", "expires_at"], unique=False)
    op.create_table(
        "login_state",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("nonce_hash", sa.Text(), nullable=False),
        sa.Column("binding_hash", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "state_hash", name=op.f("pk_login_state")),
    )
    op.create_table(
        "lrs_key",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("repair", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("revoked_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "key_id", name=op.f("pk_lrs_key")),
    )
    op.create_table(
        "membership",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.Column("until", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", name=op.f("pk_membership")),
    )
    op.create_table(
        "outline_edit",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=True),
        sa.Column("hours_in_person", sa.Float(), nullable=True),
        sa.Column("hours_distance", sa.Float(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("gathering", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "iri", name=op.f("pk_outline_edit")),
    )
    op.create_table(
        "outline_item",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("activity_type", sa.Text(), server_default="", nullable=False),
        sa.Column("hours_in_person", sa.Float(), nullable=True),
        sa.Column("hours_distance", sa.Float(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("gathering", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "iri", "level", name=op.f("pk_outline_item")),
    )
    op.create_table(
        "path",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("path_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "path_id", name=op.f("pk_path")),
    )
    op.create_table(
        "person",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("seen_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "actor", name=op.f("pk_person")),
    )
    op.create_table(
        "platform",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("auth_url", sa.Text(), nullable=False),
        sa.Column("token_url", sa.Text(), nullable=False),
        sa.Column("jwks_url", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), server_default="moodle", nullable=False),
        sa.Column("frame_origins", sa.JSON(), nullable=False),
        sa.Column("trusted_audiences", sa.JSON(), nullable=False),
        sa.Column("role_map", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "issuer", name=op.f("pk_platform")),
    )
    op.create_table(
        "quarantine",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("quarantine_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "quarantine_id", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_received", "quarantine", ["silo_id", "received_at"], unique=False)
    op.create_table(
        "rollup_activity",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("seconds_10", sa.Integer(), nullable=False),
        sa.Column("seconds_30", sa.Integer(), nullable=False),
        sa.Column("seconds_60", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(timezone=True), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("completed_at", Instant(timezone=True), nullable=True),
        sa.Column("attended_at", Instant(timezone=True), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", "activity", name=op.f("pk_rollup_activity")),
    )
    op.create_index(
        "ix_rollup_activity_activity", "rollup_activity", ["silo_id", "course_id", "activity"], unique=False
    )
    op.create_table(
        "rollup_activity_day",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("seconds_10", sa.Integer(), nullable=False),
        sa.Column("seconds_30", sa.Integer(), nullable=False),
        sa.Column("seconds_60", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(timezone=True), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("completed_at", Instant(timezone=True), nullable=True),
        sa.Column("uncompleted_at", Instant(timezone=True), nullable=True),
        sa.Column("attended_at", Instant(timezone=True), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("score_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "silo_id", "course_id", "actor", "day", "activity", name=op.f("pk_rollup_activity_day")
        ),
    )
    op.create_table(
        "rollup_actor",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("seconds_10", sa.Integer(), nullable=False),
        sa.Column("seconds_30", sa.Integer(), nullable=False),
        sa.Column("seconds_60", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(timezone=True), nullable=True),
        sa.Column("last_at", Instant(timezone=True), nullable=True),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", Instant(timezone=True), nullable=True),
        sa.Column("left_at", Instant(timezone=True), nullable=True),
        sa.Column("completed_at", Instant(timezone=True), nullable=True),
        sa.Column("last_module", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", name=op.f("pk_rollup_actor")),
    )
    op.create_table(
        "rollup_actor_day",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("seconds_10", sa.Integer(), nullable=False),
        sa.Column("seconds_30", sa.Integer(), nullable=False),
        sa.Column("seconds_60", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(timezone=True), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", "day", name=op.f("pk_rollup_actor_day")),
    )
    op.create_index(
        "ix_rollup_actor_day_day", "rollup_actor_day", ["silo_id", "course_id", "day"], unique=False
    )
    op.create_table(
        "rollup_module",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("seconds_10", sa.Integer(), nullable=False),
        sa.Column("seconds_30", sa.Integer(), nullable=False),
        sa.Column("seconds_60", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(timezone=True), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.Column("progress_at", Instant(timezone=True), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.Column("completed_at", Instant(timezone=True), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", "module", name=op.f("pk_rollup_module")),
    )
    op.create_table(
        "rollup_pending",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pending_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "pending_id", name=op.f("pk_rollup_pending")),
    )
    op.create_table(
        "rollup_state",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("refreshed_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", name=op.f("pk_rollup_state")),
    )
    op.create_table(
        "silo",
        sa.Column("silo_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="Europe/Paris", nullable=False),
        sa.Column("pseudonym_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", name=op.f("pk_silo")),
        sa.UniqueConstraint("name", name=op.f("uq_silo_name")),
    )
    op.create_table(
        "statement",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("stored", Instant(timezone=True), nullable=False),
        sa.Column("timestamp", Instant(timezone=True), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=True),
        sa.Column("registration", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("refers_to", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("voided", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("key_id", sa.Text(), server_default="", nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "id", name=op.f("pk_statement")),
    )
    op.create_index("ix_statement_refers_to", "statement", ["silo_id", "refers_to"], unique=False)
    op.create_index(
        "ix_statement_registration", "statement", ["silo_id", "registration", "stored"], unique=False
    )
    op.create_index("ix_statement_stored", "statement", ["silo_id", "stored", "id"], unique=False)
    op.create_index("ix_statement_verb", "statement", ["silo_id", "verb", "stored", "id"], unique=False)
    op.create_table(
        "statement_activity",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("stored", Instant(timezone=True), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "silo_id", "statement_id", "activity", "place", name=op.f("pk_statement_activity")
        ),
    )
    op.create_index(
        "ix_statement_activity_activity",
        "statement_activity",
        ["silo_id", "activity", "stored", "statement_id"],
        unique=False,
    )
    op.create_table(
        "statement_agent",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("stored", Instant(timezone=True), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "statement_id", "agent", "place", name=op.f("pk_statement_agent")),
    )
    op.create_index(
        "ix_statement_agent_agent",
        "statement_agent",
        ["silo_id", "agent", "stored", "statement_id"],
        unique=False,
    )
    op.create_table(
        "statement_import",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.Column("finished_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "digest", name=op.f("pk_statement_import")),
    )
    op.create_table(
        "statement_reference",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("target_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("stored", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "statement_id", "target_id", name=op.f("pk_statement_reference")),
    )
    op.create_index(
        "ix_statement_reference_stored",
        "statement_reference",
        ["silo_id", "stored", "statement_id"],
        unique=False,
    )
    op.create_index(
        "ix_statement_reference_target", "statement_reference", ["silo_id", "target_id"], unique=False
    )
    op.create_table(
        "survey",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("template", sa.JSON(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("opens_at", Instant(timezone=True), nullable=False),
        sa.Column("closes_at", Instant(timezone=True), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settled_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "survey_id", name=op.f("pk_survey")),
    )
    op.create_table(
        "survey_box",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("participants", sa.LargeBinary(), nullable=False),
        sa.Column("held", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "survey_id", name=op.f("pk_survey_box")),
    )
    op.create_table(
        "survey_comment",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint(
            "silo_id", "course_id", "survey_id", "comment_id", name=op.f("pk_survey_comment")
        ),
    )
    op.create_index(
        "ix_survey_comment_question",
        "survey_comment",
        ["silo_id", "course_id", "survey_id", "question", "comment_id"],
        unique=False,
    )
    op.create_index(
        "ix_survey_comment_statement", "survey_comment", ["silo_id", "statement_id"], unique=False
    )
    op.create_table(
        "survey_figure",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "silo_id", "course_id", "survey_id", "question", "value", name=op.f("pk_survey_figure")
        ),
    )
    op.create_table(
        "survey_step",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=True),
        sa.Column("comments", sa.JSON(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "survey_id", name=op.f("pk_survey_step")),
    )
    op.create_table(
        "tool_key",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("private_pem", sa.Text(), nullable=False),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("retired_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "kid", name=op.f("pk_tool_key")),
    )
    op.create_table(
        "deployment",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["silo_id", "issuer"],
            ["platform.silo_id", "platform.issuer"],
            name=op.f("fk_deployment_silo_id_issuer_platform"),
        ),
        sa.PrimaryKeyConstraint("silo_id", "issuer", "deployment_id", name=op.f("pk_deployment")),
    )
