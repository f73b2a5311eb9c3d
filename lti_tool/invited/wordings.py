"""The words of an institution in the messages that bring a link: its subject and opening, by language.

What follows the link (it is personal, what becomes of the answers and of the address) is not theirs to
change: it says what the tool does. Kept beside what the institution says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from string import Formatter

from sqlalchemy import Connection, delete, select

from lti_tool.compliance_tables import institution
from lti_tool.invited.letters import LOCALES, Own
from tool_config.database import insert

#: An invitation, a reminder.
KINDS = ("invite", "remind")
PARTS = ("subject", "text")
#: What may stand between braces.
PLACES = ("institution", "questionnaire", "session", "module", "minutes", "date")
LONGEST = {"subject": 150, "text": 1500}
_FIELD = "letter."

#: (language, kind, part) -> words; a part that is missing is the tool's.
Words = Mapping[tuple[str, str, str], str]
EVERY = tuple((locale, kind, part) for locale in LOCALES for kind in KINDS for part in PARTS)


def fault(part: str, text: str) -> str:
    """Return what is wrong with a part: too_long, line, braces, a place not known; "" when nothing is."""
    if len(text) > LONGEST[part]:
        return "too_long"
    if part == "subject" and "\n" in text.strip():
        return "line"
    try:
        found = [(name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None]
    except ValueError:
        return "braces"
    for name, spec, how in found:
        if name not in PLACES:
            return f"{{{name}}}"
        if spec or how:
            return "braces"
    return ""


def read(conn: Connection, silo_id: int) -> dict[tuple[str, str, str], str]:
    """Return the words of a silo, whatever was written of them."""
    c = institution.c
    rows = conn.execute(
        select(c.field, c.value).where(c.silo_id == silo_id, c.field.startswith(_FIELD, autoescape=True))
    )
    known = {_name(key): key for key in EVERY}
    return {known[row.field]: row.value for row in rows if row.field in known}


def write(conn: Connection, silo_id: int, words: Words, *, by: str, now: datetime) -> None:
    """Keep words; an empty part is the tool's again. ValueError when one has a fault."""
    for key, text in words.items():
        value = text.replace("\r\n", "\n").strip()
        if key not in EVERY or fault(key[2], value):
            raise ValueError(_name(key))
        if not value:
            mine = institution.c.silo_id == silo_id, institution.c.field == _name(key)
            conn.execute(delete(institution).where(*mine))
            continue
        row = {"value": value, "changed_at": now, "changed_by": by}
        written = insert(conn, institution).values(silo_id=silo_id, field=_name(key), **row)
        conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "field"], set_=row))


def own(words: Words, locale: str, *, again: bool) -> Own:
    """Return the words of one message."""
    kind = "remind" if again else "invite"
    return Own(*(words.get((locale, kind, part), "") for part in PARTS))


def _name(key: tuple[str, str, str]) -> str:
    return _FIELD + ".".join(key)
