"""Indicators of what is done with what is said: 31 (difficulties and complaints), 32 (improvements)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from lti_tool.documents.content import Block, Section, Text
from lti_tool.evidence.facts import Facts
from lti_tool.evidence.lots import school_year, year_label
from lti_tool.evidence.shaping import Indicator, section, silent
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number
from lti_tool.improvements import wording
from lti_tool.improvements.entries import ANSWER_DAYS, COMPLAINT, Entry
from lti_tool.improvements.figures import Seen
from lti_tool.improvements.log import Line

_SOURCE = "Journal des améliorations et des réclamations d’Estime."


def thirty_first(facts: Facts) -> Section:
    """Indicator 31: difficulties and complaints."""
    told = [line.entry for line in facts.improvements if line.entry.kind == COMPLAINT]
    noted = [line.entry for line in facts.improvements if line.entry.kind != COMPLAINT]
    blocks: list[Block] = []
    if told:
        answered = [entry for entry in told if entry.answered_on is not None]
        many = len(told) > 1
        blocks.append(
            Text(
                f"{number(len(told))} réclamation{'s' if many else ''} reçue{'s' if many else ''}, "
                f"{number(len(answered))} avec une réponse.",
                "lead",
            )
        )
        rows = [
            _complaints(year, [e for e in told if school_year(e.opened_on) == year], facts)
            for year in sorted({school_year(entry.opened_on) for entry in told})
        ]
        columns: Columns = [
            "Année", Column("Réclamations", digits=0), Column("Avec réponse", digits=0),
            Column("Dans le délai", digits=0), Column("En attente", digits=0), Column("En retard", digits=0),
            Column("Jours, médiane", digits=1),
        ]  # fmt: skip
        notes = [
            (
                "Dans le délai",
                f"réponse au plus tard à la date promise, {number(ANSWER_DAYS)} jours après la réception.",
            ),
            ("Ce qui est compté", "des réclamations, non des personnes ; leur texte n’est pas reproduit."),
        ]
        blocks.append(Table("reclamations", "Réclamations et réponses", columns, rows, notes))
    else:
        blocks.append(Text("Aucune réclamation n’a été reçue par l’outil sur ces sessions."))
    if noted:
        many = len(noted) > 1
        blocks.append(
            Text(
                f"{number(len(noted))} difficulté{'s' if many else ''} ou observation{'s' if many else ''} "
                f"{'ont' if many else 'a'} par ailleurs été notée{'s' if many else ''} par les équipes "
                "(indicateur 32)."
            )
        )
    return section(
        Indicator(
            31, "Les difficultés et les réclamations",
            "que le prestataire traite les difficultés rencontrées par les parties prenantes, les "
            "réclamations qu’elles "
            "expriment et les aléas survenus en cours de prestation.",
        ),
        blocks,
        missing=(
            "Les réclamations arrivées par courrier, courriel ou de vive voix n’y sont que si elles ont "
            "été notées.",
            "Les données ne disent rien des aléas (intervenant absent, salle, panne) qui n’ont pas été "
            "notés.",
        ),
        sources=_SOURCE,
    )  # fmt: skip


def _complaints(year: int, found: Sequence[Entry], facts: Facts) -> tuple[Cell, ...]:
    today = facts.made_at.date()
    answered = [(entry, entry.answered_on) for entry in found if entry.answered_on is not None]
    in_time = sum(entry.answer_by is None or on <= entry.answer_by for entry, on in answered)
    waits = [(on - entry.opened_on).days for entry, on in answered]
    return (
        year_label(year), len(found), len(answered), in_time, len(found) - len(answered),
        sum(entry.unanswered(today) for entry in found), statistics.median(waits) if waits else None,
    )  # fmt: skip


def thirty_second(facts: Facts) -> Section:
    """Indicator 32: improvements drawn from appreciations and complaints."""
    lines = facts.improvements
    blocks: list[Block] = []
    if lines:
        states = wording.states()
        decided = sum(line.entry.state in ("decided", "ongoing", "checked") for line in lines)
        checked = sum(line.entry.state == "checked" for line in lines)
        many = len(lines) > 1
        blocks.append(
            Text(
                f"{number(len(lines))} fiche{'s' if many else ''} d’amélioration "
                f"ouverte{'s' if many else ''} ; "
                f"{number(decided)} avec une décision, {number(checked)} dont l’effet a été vérifié.",
                "lead",
            )
        )
        rows = [_improvement(line, facts, states) for line in lines if not line.entry.reserved]
        columns: Columns = [
            "Ouverte le",
            "Ce qui a été vu",
            "Décision et action",
            "Échéance",
            "État",
            "Mesuré après",
        ]
        reserved = sum(line.entry.reserved for line in lines)
        notes = [
            (
                "Ce qui a été vu",
                "le chiffre tel qu’il était ce jour-là, avec son n ; une réclamation n’est pas citée.",
            )
        ]
        if reserved:
            notes.append(("Réservées à l’administration", f"{number(reserved)}, non détaillées."))
        blocks.append(Table("ameliorations", "De l’analyse à l’effet mesuré", columns, rows, notes))
    else:
        blocks.append(silent("ce qui a été amélioré : aucune fiche n’est ouverte sur ces sessions", facts))
    return section(
        Indicator(
            32, "Les mesures d’amélioration",
            "que le prestataire mette en œuvre des mesures d’amélioration à partir de l’analyse des "
            "appréciations et des "
            "réclamations.",
        ),
        blocks,
        missing=(
            "Un chiffre qui monte après une mesure ne prouve pas qu’elle en est la cause.",
            "Ce qui a été décidé en réunion sans être noté n’y est pas : joindre les comptes rendus.",
        ),
        sources=_SOURCE,
    )  # fmt: skip


def _improvement(line: Line, facts: Facts, states: dict[str, str]) -> tuple[Cell, ...]:
    entry = line.entry
    done = " ".join(filter(None, [entry.decision, entry.action]))
    after = " ".join(filter(None, [_figure(line.measured, facts), entry.conclusion]))
    seen = "Réclamation" if entry.kind == COMPLAINT else _figure(line.seen, facts) or entry.noticed
    return entry.opened_on, seen, done, entry.due_on, states[entry.state], after


def _figure(seen: Seen | None, facts: Facts) -> str:
    """Write a frozen figure, unless it is of fewer people than may be told outside the session."""
    if seen is None:
        return ""
    if seen.n is not None and seen.n < facts.k:
        return f"{seen.subject}, {seen.measure.lower()} : moins de {number(facts.k)} personnes."
    return f"{seen.subject}, {seen.measure.lower()} : {seen.words} ({seen.day:%d/%m/%Y})."
