"""Tables of questionnaires: the answers, drawn from statements, and what is published of them."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Index, Integer, Table, Text, Uuid

from tool_config.database import Instant, metadata

#: Answers to questionnaires, drawn from `answered` statements; several attempts of one respondent stay.
answer = Table(
    "answer",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    Column("survey_id", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("module", Text, nullable=False, server_default=""),
    #: When in the session it is asked: `survey_model.PHASES`.
    Column("phase", Text, nullable=False, server_default=""),
    #: Canonical actor (aliases resolved); drawn at random for an anonymous answer.
    Column("respondent", Text, nullable=False),
    #: The actor's own key in the statement, before aliases.
    Column("spoken_by", Text, nullable=False),
    Column("attempt", Uuid(as_uuid=False), nullable=False),
    #: Midnight (UTC) of the day of release for an anonymous answer.
    Column("at", Instant, nullable=False),
    #: Point of the scale, number of the option, `survey_model.mask` of several; null for a text.
    Column("value", Integer),
    Column("text", Text),
)
Index(
    "ix_answer_survey",
    answer.c.silo_id,
    answer.c.course_id,
    answer.c.survey_id,
    answer.c.question,
    answer.c.respondent,
)
Index("ix_answer_respondent", answer.c.silo_id, answer.c.course_id, answer.c.respondent)
Index("ix_answer_attempt", answer.c.silo_id, answer.c.attempt)

# --- what was published of a questionnaire: sealed step by step, kept by a rebuild ------------------

#: The last step published; nothing is read of a questionnaire but this and the two tables below.
survey_step = Table(
    "survey_step",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    #: Respondents in the published figures; 0 when none may be published.
    Column("n", Integer, nullable=False),
    #: The questionnaire is over: nothing follows.
    Column("closed", Boolean, nullable=False),
    #: People who answered in all, published or not; known at closing.
    Column("received", Integer),
    #: Question -> comments published.
    Column("comments", JSON, nullable=False, default=dict),
    Column("day", Date, nullable=False),
)

#: Respondents by point or option. Of a question with several choices: a row an option, and one of value
#: `survey_model.ANSWERED_IT` for all who answered it.
survey_figure = Table(
    "survey_figure",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("value", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
)

#: Comments published; the text stays in `answer`, and what is erased there leaves from here too.
survey_comment = Table(
    "survey_comment",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    #: Drawn at random: the order in which comments are shown.
    Column("comment_id", Uuid(as_uuid=False), primary_key=True),
    Column("question", Text, nullable=False),
    Column("statement_id", Uuid(as_uuid=False), nullable=False),
)
Index(
    "ix_survey_comment_question",
    survey_comment.c.silo_id,
    survey_comment.c.course_id,
    survey_comment.c.survey_id,
    survey_comment.c.question,
    survey_comment.c.comment_id,
)
Index("ix_survey_comment_statement", survey_comment.c.silo_id, survey_comment.c.statement_id)
