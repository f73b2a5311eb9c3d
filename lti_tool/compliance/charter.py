"""The charter that tutors sign before they see people by name."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.formatting import number


def document(facts: Facts) -> Document:
    """Return the charter."""
    return common.document(
        facts,
        "Charte des tuteurs",
        "Ce à quoi s’engage qui voit le suivi de stagiaires par leur nom",
        (
            Section(
                "Pourquoi je vois ces données",
                (
                    Text("Pour accompagner les stagiaires de mes sessions, et pour aucune autre raison. Une "
                         "alerte me "
                         "conseille de regarder ; c’est moi qui comprends, et moi qui décide.", "lead"),
                ),
            ),
            Section(
                "Je m’engage à",
                (
                    Points(
                        (
                            "n’ouvrir la page d’une personne que si j’ai une raison pédagogique : chaque "
                            "regard est noté, "
                            "et la personne le voit ;",
                            "prendre des nouvelles avec tact : « sans activité depuis deux semaines » n’est "
                            "pas un "
                            "reproche, et une absence peut avoir une raison que je n’ai pas à connaître ;",
                            "ne noter que des faits utiles au suivi, jamais la santé, une opinion, une "
                            "appartenance : la "
                            "personne peut demander à lire ce que j’écris ;",
                            "me retirer du suivi d’une personne que j’inspecte, que j’évalue ou dont "
                            "j’accompagne la "
                            "titularisation ;",
                            "ne chercher à reconnaître personne dans les commentaires et les chiffres "
                            "d’ensemble ;",
                            "garder pour moi ce que je vois, et détruire les fichiers que j’ai emportés dès "
                            "qu’ils ne "
                            "servent plus ;",
                            "fermer ma session sur un poste partagé, ne prêter mon compte à personne ;",
                            "signaler sans attendre une erreur, un accès indu ou un fichier perdu à "
                            f"{facts.of('dpo_contact')}.",
                        )
                    ),
                ),
            ),
            Section(
                "Je ne fais jamais",
                (
                    common.not_for(),
                    Points(
                        (
                            "transmettre à un chef de service ou à un employeur ce que fait une personne ;",
                            "croiser ces données avec d’autres hors de l’outil.",
                        )
                    ),
                ),
            ),
            Section(
                "Ce que l’outil fait pour m’aider à la tenir",
                (
                    Points(
                        (
                            "Je ne vois que mes sessions.",
                            f"Sous {number(facts.k)} réponses, il ne montre ni chiffre ni commentaire.",
                            "Il ne montre aucune heure d’activité.",
                            "Une personne en pause n’apparaît plus dans les alertes.",
                        )
                    ),
                ),
            ),
        ),
        common.signature("Lu et accepté"),
    )  # fmt: skip
