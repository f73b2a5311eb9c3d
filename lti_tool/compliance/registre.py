"""Entry of the register of processing activities (RGPD, article 30, paragraph 1)."""

from lti_tool.compliance import common
from lti_tool.compliance.facts import Facts
from lti_tool.documents.content import Document, Points, Section, Text
from lti_tool.formatting import number


def document(facts: Facts) -> Document:
    """Return the entry."""
    sources = ", ".join(facts.platforms) or "aucune plateforme enregistrée à ce jour"
    size = (
        f"{number(facts.people)} personnes connues, {number(facts.sessions)} sessions, "
        f"{number(facts.traces)} traces"
    )
    return common.document(
        facts,
        "Registre des activités de traitement",
        "Suivi pédagogique, satisfaction et pilotage de la formation (RGPD, article 30)",
        (
            Section(
                "Responsable et contacts",
                (
                    Points(
                        (
                            f"Responsable du traitement : {facts.of('controller')}, {facts.of('address')}.",
                            f"Délégué à la protection des données : {facts.of('dpo')}, "
                            f"{facts.of('dpo_contact')}.",
                            f"Prestataire qui exploite l’outil : {facts.of('processor')}.",
                        )
                    ),
                ),
            ),
            Section("Finalités", (common.purposes(), Text("Ne sont pas des finalités :"), common.not_for())),
            Section(
                "Base légale",
                (
                    Text("Exécution d’une mission d’intérêt public (RGPD, article 6, paragraphe 1, point e), "
                         "confiée "
                         f"par : {facts.of('legal_basis')}."),
                    Text("Aucune donnée de l’article 9 n’est demandée. Les champs libres portent "
                         "l’avertissement de "
                         "n’y écrire ni santé, ni opinion, ni appartenance."),
                ),
            ),
            Section("Personnes et données", (
                common.people(facts), Text(f"À ce jour : {size}. Sources : {sources}.", "hint"),
            )),
            Section("Destinataires", (common.recipients(facts),)),
            Section(
                "Transferts hors de l’Union européenne",
                (
                    Text("L’outil n’en fait aucun : pages, polices et scripts viennent du serveur de "
                         "l’institution, et "
                         "l’analyse des commentaires se fait sur ce serveur, hors ligne. Hébergement déclaré "
                         ": "
                         f"{facts.of('host')}, {facts.of('host_country')}."),
                ),
            ),
            Section("Durées de conservation", (common.kept(facts),)),
            Section("Mesures de sécurité (article 32)", (common.measures(facts),)),
            Section("Droits des personnes", (common.rights(facts),)),
        ),
        common.signature(f"Pour le responsable du traitement, {facts.of('signatory')}"),
    )  # fmt: skip
