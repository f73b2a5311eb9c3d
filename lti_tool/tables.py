"""Tables of the web application: people, launches, sessions, audit."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

import lti_tool.community_tables
import lti_tool.compliance_tables
import lti_tool.export_tables
import lti_tool.import_tables
import lti_tool.improvement_tables
import lti_tool.information_tables
import lti_tool.invited_tables
import lti_tool.job_tables
import lti_tool.matching_tables
import lti_tool.people_tables
import lti_tool.privacy_tables
import lti_tool.profile_tables
import lti_tool.registration_tables
import lti_tool.saved_tables
import lti_tool.service_tables
import lti_tool.survey_template_tables  # noqa: F401  (all register on the same metadata)
from tool_config.database import Instant, metadata

#: A person of a platform: (silo, issuer, sub). `actor` is the key of account {homePage: issuer, name: sub}.
person = Table(
    "person",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("sub", Text, nullable=False),
    Column("username", Text),
    Column("name", Text),
    Column("given_name", Text),
    Column("family_name", Text),
    Column("email", Text),
    Column("locale", Text),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),
)

#: A login under way: consumed once, by the launch that answers it.
login_state = Table(
    "login_state",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("state_hash", Text, primary_key=True),
    Column("nonce_hash", Text, nullable=False),
    #: Hash of the secret that the browser keeps in its cookie.
    Column("binding_hash", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

#: An opened course: what a browser may look at, authorised by the secret of the launch's own cookie.
launch = Table(
    "launch",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("launch_id", Text, primary_key=True),
    #: Hash of the secret that the browser keeps.
    Column("session_hash", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("deployment_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    #: trainee, tutor, admin; empty: no right.
    Column("role", Text, nullable=False),
    #: What was seen to hold: an administrator of the site, a tutor of this course…
    Column("course_id", BigInteger, nullable=False),
    Column("resource_link_id", Text, nullable=False, server_default=""),
    Column("locale", Text, nullable=False, server_default="fr"),
    Column("return_url", Text),
    #: Service URLs and custom choice kept for later (JSON).
    Column("services", JSON, nullable=False, default=dict),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
Index("ix_launch_expiry", launch.c.silo_id, launch.c.expires_at)

#: One-time code that carries a launch into a new tab, whose cookies are of another partition.
handover = Table(
    "handover",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("code_hash", Text, primary_key=True),
    Column("launch_id", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

#: Who did what, or was refused and why; no token, no name, no address in it.
audit = Table(
    "audit",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("audit_id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    #: One of lti_tool.audit.ACTIONS; a refusal has `accepted` false and a reason.
    Column("action", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("actor", Text),
    #: Whom it was about, where it was about one person.
    Column("subject", Text),
    Column("course_id", BigInteger),
    Column("reason", Text),
    #: Role that a launch gave: trainee, tutor, admin.
    Column("role", Text),
)
Index("ix_audit_at", audit.c.silo_id, audit.c.at)

#: A questionnaire opened on a module; its template is a copy that no longer changes.
survey = Table(
    "survey",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    #: IRI of the module; "" for the whole session.
    Column("module", Text, nullable=False),
    Column("template", JSON, nullable=False),
    #: pseudonymous, anonymous
    Column("mode", Text, nullable=False),
    Column("opens_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    #: People who answered a pseudonymous questionnaire; counted again at each step.
    Column("received", Integer, nullable=False, server_default="0"),
    #: The last step is published; nothing moves any more.
    Column("settled_at", Instant),
)

#: An anonymous questionnaire's box: who answered and what is held, in one row rewritten whole at each
#: answer, so that no row, order, identifier nor size tells one answer from another.
survey_box = Table(
    "survey_box",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    #: Sorted keyed digests of the people who answered, 16 bytes each.
    Column("participants", LargeBinary, nullable=False),
    #: Answers not yet released: shuffled, padded to a constant size, encrypted anew each time.
    Column("held", LargeBinary, nullable=False),
)
