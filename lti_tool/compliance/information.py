"""What agents are told before they use the tool (RGPD, articles 13 and 14), to be posted or sent."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.formatting import number


def document(facts: Facts) -> Document:
    """Return the notice."""
    sources = ", ".join(facts.platforms) or "votre plateforme de formation"
    return common.document(
        facts,
        "Information des agents",
        "Ce que l’outil Estime recueille pendant une formation, pourquoi, et vos droits (RGPD, articles 13 "
        "et 14)",
        (
            Section(
                "En bref",
                (
                    Text("Pendant une formation, l’outil garde la trace de ce que vous ouvrez et achevez sur "
                         "la "
                         "plateforme, de vos présences et de vos réponses aux questionnaires. Vos tuteurs "
                         "s’en servent "
                         "pour vous aider ; l’institution, pour améliorer la formation. Votre hiérarchie n’y "
                         "a pas "
                         "accès.", "lead"),
                ),
            ),
            Section("À quoi cela sert", (common.purposes(),)),
            Section("À quoi cela ne sert jamais", (common.not_for(),)),
            Section(
                "Ce qui est recueilli, et d’où cela vient",
                (common.people(facts), Text(f"Les traces viennent de {sources}.")),
            ),
            Section(
                "Sur quel fondement",
                (
                    Text(f"Une mission d’intérêt public ({facts.of('legal_basis')}) : votre accord n’est pas "
                         "demandé, "
                         "mais vous pouvez vous opposer. Répondre à un questionnaire reste libre."),
                ),
            ),
            Section("Qui le voit", (common.recipients(facts),)),
            Section("Combien de temps", (common.kept(facts),)),
            Section(
                "Ce qui vous protège",
                (
                    Points(
                        (
                            f"Rien n’est montré d’un groupe de moins de {number(facts.k)} personnes.",
                            "Un questionnaire anonyme l’est vraiment : l’outil lui-même ne sait pas qui a "
                            "répondu quoi.",
                            "Chaque regard porté sur votre page est noté ; vous pouvez voir qui, et quand.",
                            "Vous pouvez demander qu’un tuteur ne voie pas votre page, par exemple s’il vous "
                            "inspecte.",
                            "Vous pouvez vous mettre en pause sans dire pourquoi.",
                            "Aucune décision n’est prise par la machine.",
                        )
                    ),
                ),
            ),
            Section("Vos droits, et comment les exercer", (common.rights(facts),)),
        ),
        (),
    )  # fmt: skip
