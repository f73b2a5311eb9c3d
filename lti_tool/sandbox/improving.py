"""Improvements of the sandbox's current session: noted, decided, done, checked, told; and two complaints.

They take the way of the tool itself (`lti_tool.improvements`), with instants of the past as its clock.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from lti_tool.improvements import Author, Entry, Reading, entries, registry
from lti_tool.sandbox import traces
from lti_tool.sandbox.platform import Campus
from lti_tool.sandbox.programme import Session, typeset
from tool_config.database import transaction
from tool_config.rules import Rules
from xapi.identity import course_id
from xapi.statement import account_key


@dataclass(frozen=True)
class _Room:
    """Where entries are made: a course, its tutor, two of its trainees, the day of the demo."""

    conn: Connection
    silo_id: int
    course_id: int
    tutor: Author
    trainees: tuple[str, str]
    now: datetime
    rules: Rules

    def opened(self, rank: int, days_ago: int, kind: str, reference: str, noticed: str, about: str) -> Entry:
        """Open an entry some days ago from a figure as it is read today."""
        figure = registry.read(
            Reading(self.conn, self.silo_id, self.course_id, self.now, self.rules), kind, reference
        )
        at = self.now - timedelta(days=days_ago)
        return entries.open_entry(
            self.conn, self.silo_id, self.course_id, improvement_id=self.name(rank), kind=kind,
            reference=reference if figure else "", figure=figure, noticed=typeset(noticed), about=about,
            by=self.tutor, now=at, today=at.date(),
        )  # fmt: skip

    def name(self, rank: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"estime-demo:{self.course_id}:{rank}"))

    def decided(self, entry: Entry, days_ago: int, due_in: int, decision: str, name: str = "") -> Entry:
        at = self.now - timedelta(days=days_ago)
        return entries.decide(
            self.conn, entry, entry.version, decision=typeset(decision),
            owner=None if name else self.tutor.actor, owner_name=name,
            due_on=(self.now + timedelta(days=due_in)).date(), by=self.tutor, now=at, today=at.date(),
        )  # fmt: skip

    def acted(self, entry: Entry, days_ago: int, action: str) -> Entry:
        at = self.now - timedelta(days=days_ago)
        return entries.act(self.conn, entry, entry.version, action=typeset(action), by=self.tutor, now=at)


def note(engine: Engine, rules: Rules, silo_id: int, session: Session, campus: Campus) -> int:
    """Note the improvements of a session; return how many there are."""
    members = campus.members(session)
    tutor = next(member for member in members if member.role == "tutor")
    trainees = [account_key(session.site.issuer, one.user_id) for one in members if one.role == "trainee"]
    key = course_id(silo_id, session.iri)
    with transaction(engine, silo_id) as conn:
        author = Author(account_key(session.site.issuer, tutor.user_id), "tutor")
        room = _Room(conn, silo_id, key, author, (trainees[0], trainees[1]), campus.clock(), rules)
        modules = [traces.section_iri(session, one) for one in session.modules if one.number]
        _figures(room, modules)
        _complaints(room, modules)
    return 6


def _figures(room: _Room, modules: list[str]) -> None:
    """Note what figures of the modules showed."""
    first = room.opened(
        1, 12, "module_satisfaction", modules[2],
        "L’étude de données est mal reçue : les consignes arrivent tard et le temps annoncé est trop court.",
        "pedagogy",
    )  # fmt: skip
    first = room.decided(
        first, 10, -2, "Ajouter un exemple corrigé et annoncer trois heures au lieu de deux."
    )
    room.acted(first, 4, "L’exemple corrigé est en ligne depuis lundi ; le temps annoncé reste à reprendre.")
    room.opened(
        2, 5, "module_stuck", modules[2],
        "Plusieurs personnes s’arrêtent au même endroit, avant le dépôt de l’étude.", "content",
    )  # fmt: skip
    second = room.opened(3, 20, "module_satisfaction", modules[1], "Le forum est apprécié.", "pedagogy")
    second = room.decided(
        second, 18, 14, "Ouvrir un fil d’échanges dans chaque module.", "Équipe de conception"
    )
    second = room.acted(second, 9, "Un fil d’échanges est ouvert dans les modules 3 et 4.")
    second = entries.publish(
        room.conn, second, second.version,
        told=typeset("Les échanges du forum vous aident, vous en voudriez ailleurs."),
        done=typeset("Un fil d’échanges est ouvert dans les modules 3 et 4."),
        faults={}, by=room.tutor, now=room.now - timedelta(days=6),
        today=(room.now - timedelta(days=6)).date(),
    )  # fmt: skip
    figure = registry.read_again(
        Reading(room.conn, room.silo_id, room.course_id, room.now, room.rules), second.kind, second.reference
    )
    entries.check(
        room.conn, second, second.version, figure=figure, by=room.tutor, now=room.now - timedelta(days=1),
        conclusion=typeset("Les fils vivent ; la satisfaction se relira au module 4."),
    )  # fmt: skip
    third = room.opened(
        4, 15, entries.OBSERVATION, "", "Le lien de la classe virtuelle a changé sans avis.", "access"
    )
    entries.abandon(
        room.conn, third, third.version, by=room.tutor, now=room.now - timedelta(days=14),
        reason=typeset("Lien rétabli le soir même par la plateforme."),
    )  # fmt: skip


def _complaints(room: _Room, modules: list[str]) -> None:
    """Send two complaints: one answered and signed, one unsigned that waits."""
    day = (room.now - timedelta(days=11)).date()
    signed = entries.complain(
        room.conn, room.silo_id, room.course_id, improvement_id=room.name(5),
        text=typeset("L’attestation de présence de la journée n’est toujours pas arrivée."),
        about="organisation", module="", author=room.trainees[0], reserved=False, today=day,
    )  # fmt: skip
    at = room.now - timedelta(days=8)
    entries.answer(
        room.conn, signed, signed.version, by=room.tutor, now=at, today=at.date(),
        answer=typeset("Les attestations partent le mois suivant ; la vôtre est demandée."),
    )  # fmt: skip
    entries.complain(
        room.conn, room.silo_id, room.course_id, improvement_id=room.name(6),
        text=typeset("Les vidéos du module ne passent pas sur le réseau de l’établissement."),
        about="technique", module=modules[0], author=None, reserved=False,
        today=(room.now - timedelta(days=3)).date(),
    )  # fmt: skip
