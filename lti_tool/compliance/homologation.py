"""Elements for the security accreditation of the service (RGS, decree 2010-112)."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.exports import Table
from lti_tool.formatting import number

_NEEDS = (
    ("Disponibilité", "Moyenne", "Un arrêt d’une journée gêne les tuteurs ; aucun service vital n’en dépend. "
                                 "La "
     "plateforme garde les traces et les renvoie."),
    ("Intégrité", "Forte", "Une trace fausse nuirait à une personne. Les traces ne sont pas réécrites ; ce "
                           "qui en est "
     "tiré se recalcule."),
    ("Confidentialité", "Forte", "Activité et avis d’agents publics nommément désignés."),
    ("Traçabilité", "Forte", "Qui a regardé la page d’une personne, qui a emporté un fichier, qui a changé "
                             "un droit."),
)  # fmt: skip
_THREATS = (
    (
        "Usurpation d’un lancement LTI",
        "Jeton signé par la plateforme, état et nonce à usage unique liés au navigateur, "
        "quarante-cinq cas de refus essayés à chaque version (docs/security.md)",
    ),
    (
        "Vol de session",
        "Témoin par lancement, Secure, HttpOnly, partitionné ; expiration ; rien dans les adresses",
    ),
    (
        "Injection, script dans un titre",
        "Requêtes à paramètres, gabarits échappés, politique de contenu sans script en ligne",
    ),
    ("Fichier piégé", "Formules désamorcées, macros et entités refusées, tailles et archives bornées"),
    (
        "Requête forcée vers le réseau interne",
        "Adresses vérifiées publiques avant et pendant la connexion, aucune redirection suivie",
    ),
    (
        "Passage d’une communauté à l’autre",
        "Numéro de communauté dans chaque clé et chaque requête, sécurité au niveau "
        "des lignes de PostgreSQL, essai qui énumère toutes les tables et toutes les pages",
    ),
    ("Saturation", "Taille des corps et nombre de requêtes bornés, mémoire des processus mesurée"),
    ("Perte d’un secret", "Secrets chiffrés ou en empreintes, rotation des clés par commande, recouvrement"),
    ("Abus d’un administrateur", "Pseudonymes, journal que personne ne modifie, droits relus"),
)


def document(facts: Facts) -> Document:
    """Return the elements, and the form of the decision."""
    storage = "PostgreSQL" if facts.engine == "postgresql" else "SQLite"
    parts = [
        f"Application web Estime {facts.release}, servie à l’adresse {facts.host}, derrière un serveur "
        "mandataire HTTPS.",
        f"Base de données : {storage}"
        + (" ; Redis pour le cache et les limites, jamais seule copie de rien." if facts.redis else "."),
        f"Plateformes reliées : {', '.join(facts.platforms) or 'aucune à ce jour'}.",
        f"Courrier sortant : {facts.mail_server or 'aucun serveur réglé'}.",
        f"Fournisseur d’identité : {facts.sign_in or 'aucun ; entrée par la plateforme ou par lien envoyé'}.",
        "Copies vers d’autres entrepôts de traces : "
        + (", ".join(host for host, _ in facts.copies) or "aucune")
        + ".",
    ]
    return common.document(
        facts,
        "Dossier d’homologation de sécurité",
        "Éléments pour l’autorité d’homologation (référentiel général de sécurité, décret n° 2010-112 du 2 "
        "février 2010)",
        (
            Section("Périmètre", (Points(tuple(parts)),)),
            Section(
                "Acteurs",
                (
                    Points(
                        (
                            f"Autorité d’homologation : {facts.of('authority')}.",
                            "Responsable de la sécurité des systèmes d’information : "
                            f"{facts.of('security_officer')}.",
                            f"Exploitant : {facts.of('processor')} ; hébergeur : {facts.of('host')}.",
                        )
                    ),
                ),
            ),
            Section(
                "Besoins de sécurité",
                (
                    Text("Niveaux proposés, à confirmer par l’autorité.", "hint"),
                    Table("besoins", "Besoins de sécurité", ["Critère", "Niveau", "Pourquoi"], _NEEDS),
                ),
            ),
            Section(
                "Menaces et mesures",
                (
                    Table("menaces", "Menaces et mesures en place", ["Menace", "Mesures"], _THREATS),
                    common.measures(facts),
                ),
            ),
            Section(
                "Risques résiduels",
                (
                    Points(
                        (
                            "L’outil fait confiance à la plateforme qui signe les lancements : un compte "
                            "usurpé sur la "
                            "plateforme l’est aussi ici.",
                            "Ce qu’un tuteur recopie hors de l’outil n’est plus protégé par lui : la charte "
                            "y répond.",
                            "Sur SQLite, la base est un fichier : son accès est celui du compte du serveur.",
                            f"Les sauvegardes gardent {number(facts.backup_days)} jours ce qui a été effacé.",
                        )
                    ),
                ),
            ),
            Section(
                "Avant la mise en service",
                (
                    Points(
                        (
                            "`estime doctor` sans reproche, sur le serveur même.",
                            "Certificat HTTPS, mises à jour du système, comptes nominatifs des exploitants.",
                            "Restauration d’une sauvegarde essayée.",
                            "Essai d’intrusion ou revue externe selon la politique de l’institution.",
                        )
                    ),
                ),
            ),
            Section(
                "Décision",
                (
                    Text("L’autorité d’homologation prononce : ☐ une homologation ☐ une homologation "
                         "provisoire "
                         "☐ un refus, pour une durée de ………… mois, sous les réserves suivantes : "
                         "…………………………………"),
                ),
            ),
        ),
        common.signature(f"L’autorité d’homologation, {facts.of('authority')}"),
    )  # fmt: skip
