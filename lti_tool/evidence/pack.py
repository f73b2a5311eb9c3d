"""The pack as one document: whose figures, how they are counted, then the indicators one by one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lti_tool.documents.content import Document, Points, Section
from lti_tool.evidence import improving, measures, needs, results
from lti_tool.evidence.facts import Facts, Session
from lti_tool.evidence.lots import year_label
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import clock_time, long_day, number

_STANDARD = "référentiel national sur la qualité des actions concourant au développement des compétences"


def document(facts: Facts, zone: ZoneInfo) -> Document:
    """Return the pack of a path, dated in a time zone."""
    at = facts.made_at.astimezone(zone)
    return Document(
        title=f"Preuves Qualiopi · {facts.path}",
        subtitle=f"Sessions commencées en {period(facts.years)}, d’après les données d’Estime",
        language="fr",
        made_at=at,
        facts=_facts(facts, at),
        sections=(
            _reading(facts),
            results.second(facts),
            needs.fourth(facts),
            needs.eighth(facts),
            results.eleventh(facts),
            results.twelfth(facts),
            needs.thirtieth(facts),
            improving.thirty_first(facts),
            improving.thirty_second(facts),
        ),
        visa=(
            "Vu pour servir de pièce à l’audit, à …………………………………………, le ……………………………",
            "Nom, qualité et signature :",
        ),
    )


def period(years: tuple[int, int]) -> str:
    """Write the school years of a pack: "2025-2026", "2024-2025 à 2026-2027"."""
    first, last = years
    return year_label(first) if first == last else f"{year_label(first)} à {year_label(last)}"


def _facts(facts: Facts, at: datetime) -> tuple[tuple[str, str], ...]:
    sessions = facts.sessions
    over = sum(one.over for one in sessions)
    told = {key for lot in measures.enrolled(sessions, facts.k).told for key in lot.parts}
    enrolled = sum(one.enrolled for one in sessions if one.course_id in told)
    return (
        ("Communauté", facts.community),
        ("Parcours", facts.path),
        ("Période", f"sessions commencées en {period(facts.years)} (années scolaires, de septembre à août)"),
        ("Sessions", f"{number(len(sessions))}, dont {_over(over)}"),
        ("Inscriptions", number(enrolled) if told else f"moins de {number(facts.k)}"),
        ("Fait le", f"{long_day(at.date())}, {clock_time(at)}, d’après ce qui était reçu à cette heure"),
    )


def _over(count: int) -> str:
    return f"{number(count) if count else 'aucune'} terminée{'s' if count > 1 else ''}"


def _reading(facts: Facts) -> Section:
    k = number(facts.k)
    partial = sum(one.partial for one in facts.sessions)
    points = [
        f"Ce dossier répond à huit indicateurs du {_STANDARD} : 2, 4, 8, 11, 12, 30, 31 et 32. Il dit ce "
        "que les "
        "données disent, et ce qu’elles ne disent pas ; il ne remplace aucune autre pièce.",
        f"Rien n’est montré sous {k} personnes. Les sessions trop petites sont réunies avec d’autres de la "
        "même année "
        f"scolaire ; une année qui n’a pas {k} personnes n’est comptée nulle part.",
        "Une part vient avec son n et son intervalle à 95 % : plus il est large, moins il y a de réponses. "
        "Deux "
        "intervalles qui se recouvrent ne disent pas de différence.",
        "Ces chiffres observent : aucun ne prouve une cause, aucun ne juge une personne.",
        "Les textes des fiches d’amélioration sont ceux qui ont été saisis : à relire avant de diffuser.",
    ]
    if partial:
        many = partial > 1
        points.append(
            f"La liste des inscrits de {number(partial)} session{'s' if many else ''} n’est pas connue en "
            "entier : seules "
            "les personnes inscrites ou vues par les traces y sont comptées."
        )
    return Section("Comment lire ce dossier", (Points(tuple(points)), _sessions(facts)))


def _sessions(facts: Facts) -> Table:
    told = measures.enrolled(facts.sessions, facts.k).told
    size = {key: len(lot.parts) for lot in told for key in lot.parts}
    rows: list[tuple[Cell, ...]] = [
        _session(one, size.get(one.course_id, 0), facts.k) for one in facts.sessions
    ]
    columns: Columns = ["Session", "Année", "Début", "Fin", "État", Column("Inscrits", digits=0)]
    return Table("sessions", "Les sessions de ce dossier", columns, rows)


def _session(one: Session, together: int, k: int) -> tuple[Cell, ...]:
    """Return the line of a session; ``together``: sessions told with it, itself included, or 0."""
    state = "terminée" if one.over else "en cours"
    enrolled: Cell = one.enrolled if together == 1 else "réunie" if together else f"moins de {number(k)}"
    return one.title, year_label(one.year), one.starts_on, one.ends_on, state, enrolled
