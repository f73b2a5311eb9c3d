"""Figures of the administrator's pages from which an improvement may start."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from analyzers.quality import Finding, findings
from lti_tool import quality, quality_words
from lti_tool.improvements.figures import Reading, Seen
from lti_tool.language import gettext
from tool_config import silos
from xapi import datasets


def quality_reference(one: Finding) -> str:
    """Return the reference of a line of the page of data quality."""
    return " ".join((one.source, one.code, one.field)).rstrip()


def quality_line(reading: Reading, reference: str) -> Seen | None:
    """Read a line of the page of data quality; mended, it is said to be no more.

    `reference`: the source, the code and the field.
    """
    conn, silo_id = reading.conn, reading.silo_id
    today = reading.now.astimezone(ZoneInfo(silos.get(conn, silo_id).time_zone)).date()
    received, known = (
        quality.read(conn, silo_id, today=today, rules=reading.rules),
        datasets.known(conn, silo_id),
    )
    found = next((one for one in findings(received) if quality_reference(one) == reference), None)
    source = reference.split(" ")[0]
    try:
        name = quality_words.source(source, received, known)
    except (KeyError, StopIteration):
        return None  # no such source
    definition = gettext("Page « Qualité des données » : ce qui est à reprendre, compté source par source.")
    if found is None:
        return Seen(
            name, gettext("À reprendre"), gettext("Rien à reprendre sur ce point"), definition, today,
            value=0.0, unit="count",
        )  # fmt: skip
    said = quality_words.said(found, known, reading.rules.disclosure.across)
    return Seen(name, gettext("À reprendre"), said, definition, today, value=float(found.count), unit="count")
