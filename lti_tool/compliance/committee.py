"""Note for the comité social d'administration: a new tool that sees agents at work in training."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.formatting import number


def document(facts: Facts) -> Document:
    """Return the note."""
    return common.document(
        facts,
        "Note au comité social d’administration",
        "Introduction d’un outil de suivi pédagogique et de mesure de la satisfaction en formation",
        (
            Section(
                "Ce qui est proposé",
                (
                    Text("Les sessions de formation hybrides s’ouvrent sur une plateforme qui garde la trace "
                         "des "
                         "activités. L’outil présenté ici rassemble ces traces, les présences et les "
                         "questionnaires, pour aider les stagiaires pendant la formation et améliorer "
                         "celle-ci ensuite.", "lead"),
                    common.purposes(),
                ),
            ),
            Section("Ce qui est exclu", (common.not_for(),)),
            Section(
                "Ce qui change pour les agents",
                (
                    Points(
                        (
                            "Stagiaires : une page dit où ils en sont ; un tuteur peut prendre des nouvelles "
                            "plus tôt. "
                            "Répondre aux questionnaires reste libre, et les minutes demandées sont "
                            "annoncées.",
                            "Tuteurs et formateurs : une liste de personnes à accompagner, des avis par "
                            "module ; aucun "
                            "classement de formateurs, ni entre eux ni entre sessions.",
                            "Encadrement : rien d’individuel ; des chiffres d’ensemble, à partir de "
                            f"{number(facts.k_across)} personnes.",
                        )
                    ),
                ),
            ),
            Section(
                "Garanties",
                (
                    Points(
                        (
                            "Aucune heure d’activité d’une personne n’est montrée ; congé, grève ou mandat "
                            "ne se lisent "
                            "pas : la pause se met sans motif.",
                            "Chaque consultation de la page d’une personne est notée et visible d’elle.",
                            "Un tuteur qui inspecte ou conseille pour la titularisation peut être écarté.",
                            "Chacun peut s’opposer, sans avoir à craindre d’effet sur son inscription.",
                            "Les questionnaires anonymes le sont par construction.",
                        )
                    ),
                    common.recipients(facts),
                    common.kept(facts),
                ),
            ),
            Section("Droits des agents", (common.rights(facts),)),
            Section(
                "Suivi proposé au comité",
                (
                    Points(
                        (
                            "Un point chaque année : nombre de sessions suivies, de demandes d’opposition et "
                            "d’effacement, profils accordés, améliorations décidées.",
                            "Toute finalité nouvelle revient devant le comité.",
                        )
                    ),
                    Text("Avis du comité, séance du ……………………………… : …………………………………………………………………………"),
                ),
            ),
        ),
        common.signature(f"Pour l’administration, {facts.of('signatory')}"),
    )  # fmt: skip
