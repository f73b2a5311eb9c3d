"""Table of what an institution says of itself, for the documents that it signs."""

from sqlalchemy import Column, Integer, Table, Text

from tool_config.database import Instant, metadata

#: One particular: who is responsible, whom to write to, who hosts…
institution = Table(
    "institution",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: lti_tool.compliance.institution.FIELDS, lti_tool.invited.wordings
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)
