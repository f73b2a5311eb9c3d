"""Agreement between the controller and whoever runs the tool for it (RGPD, article 28)."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.formatting import number


def document(facts: Facts) -> Document:
    """Return the agreement, its annexes filled."""
    controller, processor = facts.of("controller"), facts.of("processor")
    return common.document(
        facts,
        "Accord de sous-traitance",
        "Traitement de données personnelles pour le compte du responsable (RGPD, article 28)",
        (
            Section(
                "Parties et objet",
                (
                    Text(f"Entre {controller}, {facts.of('address')}, responsable du traitement, et "
                         f"{processor}, "
                         "sous-traitant."),
                    Text("Le sous-traitant héberge, exploite et maintient l’outil Estime pour le "
                         "responsable. Nature : "
                         "collecte, conservation, calcul, affichage, effacement. Durée : celle du marché ou "
                         "de la "
                         "convention n° ………………………………."),
                    common.purposes(),
                    common.people(facts),
                ),
            ),
            Section(
                "Obligations du sous-traitant",
                (
                    Points(
                        (
                            "ne traiter les données que sur instruction écrite du responsable, et l’avertir "
                            "si une "
                            "instruction lui paraît contraire au droit ;",
                            "n’y donner accès qu’à des personnes tenues au secret, nommément désignées ;",
                            "tenir les mesures de sécurité de l’annexe, et ne pas les affaiblir ;",
                            "ne recourir à un autre prestataire qu’avec l’accord écrit préalable du "
                            "responsable, sous les "
                            f"mêmes obligations (à ce jour : {facts.of('subprocessors')}) ;",
                            "ne transférer aucune donnée hors de l’Union européenne ;",
                            "transmettre sous cinq jours ouvrés toute demande d’une personne qu’il "
                            "recevrait, et aider le "
                            "responsable à y répondre ;",
                            "l’avertir d’une violation de données au plus tard 48 heures après l’avoir "
                            "connue, avec ce "
                            "que demande l’article 33 ;",
                            "l’aider pour l’analyse d’impact et la consultation de l’autorité ;",
                            "tenir son registre (article 30, paragraphe 2) et donner de quoi vérifier le "
                            "présent accord, "
                            "audits compris ;",
                            "en fin de contrat, rendre les données dans un format ouvert (traces xAPI, "
                            "tableaux CSV) puis "
                            "les détruire, sauvegardes comprises sous "
                            f"{number(facts.backup_days)} jours, et l’attester.",
                        )
                    ),
                ),
            ),
            Section(
                "Obligations du responsable",
                (
                    Points(
                        (
                            "donner ses instructions par écrit ;",
                            "informer les personnes et décider des demandes d’effacement ;",
                            "désigner administrateurs et profils, et les relire.",
                        )
                    ),
                ),
            ),
            Section("Annexe 1 : mesures de sécurité", (common.measures(facts),)),
            Section("Annexe 2 : durées de conservation", (common.kept(facts),)),
        ),
        (
            *common.signature(f"Pour le responsable, {facts.of('signatory')}"),
            *common.signature("Pour le sous-traitant"),
        ),
    )  # fmt: skip
