"""Data protection impact assessment (RGPD, article 35; method of the CNIL: context, principles, risks)."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.exports import Table
from lti_tool.formatting import number

_RISKS = (
    (
        "Accès illégitime aux données",
        "Un tiers, un collègue ou la hiérarchie lit l’activité ou l’avis d’une personne",
        "Jugement porté sur la personne, pression, perte de confiance, réponses insincères",
        "Droits vérifiés sur l’objet, cloisonnement, pseudonymes, seuils, journal des consultations, session "
        "qui expire",
        "Importante",
        "Limitée",
    ),
    (
        "Modification non désirée",
        "Une trace falsifiée ou mal rapprochée fait croire qu’une personne n’a pas travaillé",
        "Relance injustifiée, attestation fausse",
        "Traces jamais réécrites, clés par portée, rapprochement fait à la vue de tous et corrigeable, "
        "alerte qui dit "
        "sur quels faits elle repose, décision laissée à une personne",
        "Limitée",
        "Limitée",
    ),
    (
        "Disparition des données",
        "Panne, erreur, purge prématurée",
        "Perte d’une preuve de formation, questionnaire à refaire",
        "Écriture en une transaction, purge montrée avant d’être faite, sauvegardes, export par la personne",
        "Limitée",
        "Négligeable",
    ),
    (
        "Réidentification à partir de chiffres d’ensemble",
        "Deux tableaux soustraits, un filtre étroit, une réponse de plus",
        "Avis ou origine d’une personne devinés",
        "Seuils, masquage secondaire, filtres fixes, publication par blocs, mêmes cases dans les fichiers",
        "Importante",
        "Négligeable",
    ),
    (
        "Détournement de finalité",
        "Usage pour l’évaluation, l’inspection ou le contrôle du temps",
        "Atteinte à la carrière, au droit de grève, à la vie privée",
        "Aucune heure d’une personne, aucun accès de la hiérarchie, tuteur écarté à la demande, pause sans "
        "motif, "
        "charte signée, chaque regard journalisé et visible de la personne",
        "Importante",
        "Limitée",
    ),
)


def document(facts: Facts) -> Document:
    """Return the assessment, with ratings proposed to those who decide."""
    heads = ["Risque", "Source", "Effet sur les personnes", "Mesures en place", "Gravité", "Vraisemblance"]
    return common.document(
        facts,
        "Analyse d’impact relative à la protection des données",
        "Suivi pédagogique, satisfaction et pilotage de la formation (RGPD, article 35)",
        (
            Section(
                "Pourquoi une analyse",
                (
                    Text("Deux critères du Comité européen de la protection des données (lignes directrices "
                         "WP 248) "
                         "suffisent à la rendre nécessaire ; trois sont réunis :"),
                    Points(
                        (
                            "suivi systématique d’une activité en ligne ;",
                            "personnes en situation de dépendance envers l’institution qui les forme ou les "
                            "emploie ;",
                            "croisement de sources : traces, questionnaires, listes de sessions, origine.",
                        )
                    ),
                ),
            ),
            Section(
                "Le traitement",
                (
                    common.purposes(),
                    common.people(facts),
                    Text(f"Volume à ce jour : {number(facts.people)} personnes, {number(facts.sessions)} "
                         "sessions, "
                         f"{number(facts.traces)} traces."),
                    common.recipients(facts),
                ),
            ),
            Section(
                "Principes fondamentaux",
                sections=(
                    Section("Proportionnalité", (Points((
                        "Chaque finalité correspond à une page et à une question posée par les métiers ; une "
                        "donnée qui "
                        "ne sert à aucune page n’est pas demandée.",
                        "L’outil fonctionne quand la plateforme ne donne ni nom ni adresse.",
                        "Aucune note de sentiment par personne : la polarité des commentaires ne se lit que "
                        "par groupe.",
                        "Le temps passé est une estimation, dite comme telle ; les heures d’activité ne sont "
                        "pas montrées.",
                    )),)),
                    Section("Durées", (common.kept(facts),)),
                    Section("Information et droits", (
                        Text("L’information est donnée avant le premier usage, selon le rôle, et reste à un "
                             "clic de "
                             "chaque page ; ses versions sont gardées, ainsi que la date de lecture de "
                             "chacun."),
                        common.rights(facts),
                    )),
                    Section("Sous-traitance et transferts", (Text(
                        f"Prestataire : {facts.of('processor')} ; ses prestataires : "
                        f"{facts.of('subprocessors')} ; "
                        f"hébergeur : {facts.of('host')}, {facts.of('host_country')}. L’outil ne transmet "
                        "rien hors de "
                        "l’Union européenne."),)),
                ),
            ),
            Section("Mesures de sécurité", (common.measures(facts),)),
            Section(
                "Risques",
                (
                    Text("Gravité et vraisemblance sont proposées ; il revient au responsable, avec le "
                         "délégué à la "
                         "protection des données et le RSSI, de les confirmer.", "hint"),
                    Table("risques", "Risques pour les personnes", heads, _RISKS),
                ),
            ),
            Section(
                "Plan d’action",
                (
                    Points(
                        (
                            "Faire signer la charte aux tuteurs avant l’ouverture de leurs sessions.",
                            "Présenter le traitement au comité social d’administration.",
                            "Relire chaque année les durées, les profils accordés et le journal des "
                            "consultations.",
                            "Essayer une restauration de sauvegarde, effacements compris.",
                        )
                    ),
                ),
            ),
            Section(
                "Avis",
                (
                    Text("Avis du délégué à la protection des données : ……………………………………………………………………………"),
                    Text("Avis des personnes concernées ou de leurs représentants : ………………………………………………………"),
                ),
            ),
        ),
        (
            *common.signature(f"Pour le responsable du traitement, {facts.of('signatory')}"),
            *common.signature("Le délégué à la protection des données"),
        ),
    )  # fmt: skip
