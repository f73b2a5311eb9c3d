"""What the documents share: whose they are, what is kept how long, what protects, what is left to say."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.exports import Table
from lti_tool.formatting import long_day, number

_BEFORE, _AFTER = re.compile(r" ([;:!?»%])"), re.compile(r"« ")


def document(
    facts: Facts, title: str, subtitle: str, sections: tuple[Section, ...], visa: tuple[str, ...]
) -> Document:
    """Return a document with its first page: who, when, what is left to be said."""
    made = Document(
        title=title,
        subtitle=subtitle,
        language="fr",
        made_at=facts.made_at,
        facts=(
            ("Responsable du traitement", facts.of("controller")),
            ("Communauté", facts.community),
            ("Délégué à la protection des données", f"{facts.of('dpo')}, {facts.of('dpo_contact')}"),
            ("Fait le", f"{long_day(facts.made_at.date())}, d’après les réglages en vigueur à cette date"),
            ("Outil", f"Estime, version {facts.release}"),
        ),
        sections=(*_missing(facts), *sections),
        visa=visa,
    )
    typed: Document = typeset(made)
    return typed


def typeset(said: Any) -> Any:
    """Return the same content with the narrow no-break spaces that French asks for."""
    if isinstance(said, str):
        return _AFTER.sub("«\u202f", _BEFORE.sub("\u202f\\1", said))
    if isinstance(said, tuple | list):
        return tuple(typeset(one) for one in said)
    if is_dataclass(said) and not isinstance(said, type):
        return replace(said, **{one.name: typeset(getattr(said, one.name)) for one in fields(said)})
    return said


def _missing(facts: Facts) -> tuple[Section, ...]:
    if not facts.missing:
        return ()
    return (
        Section(
            "À compléter avant signature",
            (
                Text("L’outil ne sait pas ce qui suit. Écrivez-le sur la page « Dossier de conformité », "
                     "puis préparez de nouveau ce document, ou complétez les pointillés.", "hint"),
                Points(facts.missing),
            ),
        ),
    )  # fmt: skip


def signature(who: str) -> tuple[str, ...]:
    """Return the lines that somebody signs under."""
    return (f"{who}, à ………………………………………, le ……………………………", "Nom, qualité et signature :")


def purposes() -> Points:
    """Say what the processing is for."""
    return Points(
        (
            "Accompagner les stagiaires d’une session : voir qui n’a pas commencé, qui est sans activité "
            "depuis "
            "longtemps, quel module bloque, et proposer une aide.",
            "Donner à chaque stagiaire son propre avancement et ce qui est détenu sur lui.",
            "Recueillir l’avis des stagiaires, des formateurs et des commanditaires sur chaque module, et "
            "suivre "
            "les améliorations qui en sont tirées.",
            "Connaître, par des chiffres d’ensemble, les publics, les choix, les cheminements et la "
            "fréquentation, "
            "pour adapter l’offre, dimensionner les sessions et équilibrer présence et distance.",
        )
    )


def not_for() -> Points:
    """Say what the processing must never be used for."""
    return Points(
        (
            "L’évaluation professionnelle, l’inspection, l’avancement, la titularisation ou la discipline "
            "d’un agent.",
            "Le contrôle du temps de travail : l’outil ne montre aucune heure d’activité d’une personne.",
            "Le classement des formateurs.",
            "Une décision prise par la machine seule (RGPD, article 22) : une alerte conseille, une personne "
            "décide.",
        )
    )


def people(facts: Facts) -> Table:
    """Return the people concerned and what is held of them."""
    rows: list[tuple[str, str, str]] = [
        (
            "Stagiaires",
            "Identité donnée par la plateforme (nom, adresse professionnelle, numéro de compte) ; "
            "inscriptions ; "
            "traces d’activité (ouverture, achèvement, note, date) ; présences ; réponses aux questionnaires",
            "Plateforme de formation, formulaires de l’outil, fichiers importés",
        ),
        (
            "Formateurs et tuteurs",
            "Identité donnée par la plateforme ; sessions suivies ; pages de personnes consultées ; "
            "améliorations "
            "et comptes rendus dont ils sont les auteurs",
            "Plateforme de formation, usage de l’outil",
        ),
        (
            "Commanditaires et chefs de service",
            "Adresse, chiffrée, le temps d’un questionnaire par lien ; réponses",
            "Tuteur ou administrateur qui les invite",
        ),
        (
            "Administrateurs et lecteurs d’agrégats",
            "Identité, profil accordé, connexions",
            "Plateforme de formation, fournisseur d’identité, administrateur",
        ),
    ]
    for standard, of_people in facts.datasets:
        if of_people:
            labels = ", ".join(field.label.fr.lower() for field in standard.fields if field.personal)
            rows.append(
                (f"Fichier « {standard.title.fr} »", labels or "aucune donnée personnelle de plus", "Import")
            )
    return Table("personnes", "Personnes et données", ["Personnes", "Données", "D’où elles viennent"], rows)


def recipients(facts: Facts) -> Table:
    """Return who sees what."""
    rows = [
        ("Tuteurs d’une session", "Les personnes de cette session, par leur nom ; jamais celles d’une autre. "
                                  "Une "
         "session peut être mise en « chiffres d’ensemble seulement », une personne peut écarter un tuteur."),
        ("Stagiaires", "Eux-mêmes ; le groupe par des chiffres d’ensemble."),
        ("Administrateurs de la communauté", "Les sessions, sous pseudonymes "
                                             f"({number(facts.administrators)} "
         "personne(s) nommée(s) dans l’outil)."),
        ("Profils sans cours", f"Des chiffres d’ensemble seulement, à partir de {number(facts.k_across)} "
                               "personnes "
         f"({number(sum(facts.profiles.values()))} profil(s) accordé(s))."),
        ("Commanditaires", "Les résultats publiés ; aucune trace d’une personne."),
        ("Hiérarchie", "Aucune trace individuelle."),
    ]  # fmt: skip
    rows += [
        (
            f"Copie envoyée à {host}",
            "Les traces" + (", réponses comprises." if answers else ", sans les réponses."),
        )
        for host, answers in facts.copies
    ]
    return Table("destinataires", "Qui voit quoi", ["Destinataires", "Ce qu’ils voient"], rows)


def kept(facts: Facts) -> Table:
    """Return how long each kind of data is kept."""
    rows = [(one.kind, one.how_long) for one in facts.kept]
    rows.append(("Sauvegardes", f"{number(facts.backup_days)} jours ; {facts.of('backups')}"))
    return Table("durees", "Durées de conservation en vigueur", ["Données", "Durée"], rows)


def measures(facts: Facts) -> Table:
    """Return what protects the data, as it is set up."""
    store = (
        "PostgreSQL, où chaque communauté est isolée par la sécurité au niveau des lignes, en plus des "
        "requêtes"
        if facts.engine == "postgresql"
        else "SQLite, un fichier du serveur, réservé à une petite installation"
    )
    rows = [
        ("Cloisonnement", f"{store}. Un droit se vérifie sur l’objet demandé, jamais sur le rôle seul."),
        ("Entrée", "Par la plateforme (LTI 1.3 : jeton signé, à usage unique, vérifié) ; "
         + (f"par {facts.sign_in} (OpenID Connect) ; " if facts.sign_in else "") + "aucun mot de passe dans "
                                                                                   "l’outil."),
        ("Clés d’envoi des traces", f"{number(sum(facts.keys.values()))} clé(s) en service, limitées par "
                                    "portée, "
         "gardées sous forme d’empreintes (argon2), révocables en moins de cinq secondes."),
        ("Identifiants", "Les adresses des fichiers ne sont gardées que sous forme d’empreintes à clé ; le "
                         "NUMEN n’est "
         "jamais gardé ; secrets et adresses des invitations chiffrés."),
        ("Confidentialité statistique", f"Rien n’est montré sous {number(facts.k)} personnes dans une "
                                        "session, sous "
         f"{number(facts.k_across)} entre sessions ; cases voisines masquées ; publication par blocs, pour "
         "que deux "
         "vues ne se soustraient pas."),
        ("Questionnaires anonymes", "Réponses mêlées par lots d’au moins cinq, sans heure ni ordre, sans "
                                    "lien avec la "
         "personne, pas même dans la base."),
        ("Journal", "Connexions, refus, consultations de la page d’une personne, exports : qui, quand, qui "
                    "est "
         "concerné ; personne ne peut le modifier."),
        ("Transport", "HTTPS ; les adresses privées sont refusées aux requêtes que fait l’outil."),
        ("Hébergement", f"{facts.of('host')}, {facts.of('host_country')} ; adresse de service : "
                        f"{facts.host}."),
    ]  # fmt: skip
    return Table("mesures", "Mesures en place", ["Objet", "Mesure"], rows)


def rights(facts: Facts) -> Points:
    """Say which rights people have, and how."""
    return Points(
        (
            "Savoir ce qui est détenu, et en recevoir une copie : page « Mes données » (articles 15 et 20).",
            "S’opposer, pour une raison tenant à sa situation : plus d’alerte, de profil ni de comparaison, "
            "tout de "
            "suite, et c’est réversible (article 21).",
            "Faire rectifier : auprès de la plateforme pour l’identité, du tuteur pour une présence (article "
            "16).",
            "Demander l’effacement : réponse sous un mois (articles 12 et 17).",
            f"Écrire à {facts.of('rights_contact')} ou au délégué à la protection des données "
            f"({facts.of('dpo_contact')}), et à la CNIL (3, place de Fontenoy, 75007 Paris, cnil.fr).",
        )
    )
