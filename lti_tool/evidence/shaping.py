"""The shape of every indicator's section: what is asked, what the data says, what it does not, sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lti_tool.documents.content import Block, Points, Section, Text
from lti_tool.evidence.facts import Facts
from lti_tool.evidence.measures import Measured
from lti_tool.formatting import number


@dataclass(frozen=True)
class Indicator:
    """One indicator of the standard, in a few words; `asks` completes "L’indicateur demande…"."""

    number: int
    title: str
    asks: str


def section(indicator: Indicator, said: Sequence[Block], *, missing: Sequence[str], sources: str) -> Section:
    """Return the section of an indicator."""
    return Section(
        f"Indicateur {indicator.number} · {indicator.title}",
        (Text(f"L’indicateur demande {indicator.asks}", "quote"),),
        (
            Section("Ce que disent les données", tuple(said)),
            Section("Ce qu’elles ne disent pas", (Points(tuple(missing)),)),
            Section("Sources", (Text(sources, "hint"),)),
        ),
    )


def silent(what: str, facts: Facts, found: Measured | None = None, *, ended: bool = False) -> Text:
    """Say that the data says nothing of something, or why: too few people, none over (`ended`)."""
    if ended and not any(one.over for one in facts.sessions):
        return Text(f"Aucune session n’est encore terminée : rien ne se dit de {what}.")
    if found is not None and found.left_out:
        return Text(f"Moins de {number(facts.k)} personnes par année : rien ne peut être dit de {what}.")
    return Text(f"Les données ne disent rien de {what}.")
