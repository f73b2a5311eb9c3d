"""Indicators of what came of the training: 2 (results), 11 (objectives), 12 (engagement)."""

from __future__ import annotations

from analyzers import paired
from lti_tool.documents.content import Block, Points, Section, Text
from lti_tool.evidence import measures, needs
from lti_tool.evidence.facts import Facts, Session
from lti_tool.evidence.measures import Counted, Measured
from lti_tool.evidence.shaping import Indicator, section, silent
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number

_FINISHED = (
    "Terminé",
    "la plateforme déclare le parcours achevé, ou tous ses modules obligatoires le sont.",
)
_INTERVAL = ("De… à…", "intervalle de Wilson à 95 %.")
_ENROLLED = (
    "Inscrits",
    "personnes inscrites à la session, départs ôtés ; qui suit deux sessions compte deux fois.",
)


def completion(facts: Facts) -> Measured:
    """Count who finished among the enrolled of sessions that are over."""

    def counted(one: Session) -> Counted | None:
        return Counted(one.enrolled, one.enrolled, (one.finished,)) if one.over else None

    return measures.measure(facts.sessions, counted, facts.k)


def satisfaction(facts: Facts) -> Measured:
    """Count favourable overall answers of trainees, at the end of modules and of sessions."""
    return measures.measure(
        facts.sessions,
        lambda one: measures.opinions(s for s in one.surveys if s.is_satisfaction and s.phase == "a-chaud"),
        facts.k,
    )


def second(facts: Facts) -> Section:
    """Indicator 2: results that are published."""
    done, liked = completion(facts), satisfaction(facts)
    blocks: list[Block] = []
    if done.total:
        said = measures.in_words(done.total.share(0, facts.k))
        blocks.append(
            Text(
                f"Dans les sessions terminées, {said} des {number(done.total.n)} personnes inscrites ont "
                "terminé le "
                "parcours.",
                "lead",
            )
        )
        blocks += measures.whiskers(
            "Part des inscrits qui ont terminé, session par session", done, 0, facts.k
        )
        blocks.append(
            measures.table(
                "achevement", "Inscrits qui ont terminé le parcours", done, facts.k, n="Inscrits",
                counts=[(0, "Ont terminé")], shares=[(0, "Part")], interval=True,
                notes=[_FINISHED, _ENROLLED, _INTERVAL],
            )
        )  # fmt: skip
    else:
        blocks.append(silent("l’achèvement du parcours", facts, done, ended=True))
    if liked.total:
        said = measures.in_words(liked.total.share(0, facts.k))
        blocks.append(Text(f"À la fin des modules et des sessions, {said} des avis sont favorables.", "lead"))
        blocks.append(
            measures.table(
                "satisfaction", "Avis des stagiaires à chaud", liked, facts.k, n="Avis publiés",
                counts=[(0, "Favorables")], shares=[(0, "Part")], interval=True,
                notes=[
                    (
                        "Avis favorables",
                        "les deux réponses les plus hautes de la question d’ensemble ; une personne "
                        "interrogée sur "
                        "plusieurs modules donne plusieurs avis, ce qui resserre un peu l’intervalle.",
                    ),
                    _INTERVAL,
                ],
            )
        )  # fmt: skip
    else:
        blocks.append(silent("la satisfaction à chaud", facts, liked))
    return section(
        Indicator(
            2, "Des indicateurs de résultats",
            "que le prestataire diffuse des indicateurs de résultats adaptés à la nature des prestations "
            "et des "
            "publics accueillis.",
        ),
        blocks,
        missing=(
            "Rien ne dit où, quand ni à qui ces résultats ont été diffusés : joindre la page ou le "
            "document publié.",
            "Les données ne disent rien des certifications, de l’insertion ni de la mobilité qui suivent.",
        ),
        sources="Traces de la plateforme, présences cochées ou transmises, questionnaires à chaud d’Estime.",
    )  # fmt: skip


def eleventh(facts: Facts) -> Section:
    """Indicator 11: reaching the objectives."""
    done = completion(facts)
    blocks: list[Block] = []
    if done.total:
        said = measures.in_words(done.total.share(0, facts.k))
        blocks.append(
            Text(f"Le parcours est terminé par {said} des inscrits (tableau de l’indicateur 2).", "lead")
        )  # fmt: skip
    else:
        blocks.append(silent("l’achèvement du parcours", facts, done, ended=True))
    later = measures.measure(
        facts.sessions,
        lambda one: measures.opinions(s for s in one.surveys if s.is_satisfaction and s.phase == "a-froid"),
        facts.k,
    )
    if later.total:
        said = measures.in_words(later.total.share(0, facts.k))
        blocks.append(Text(f"Quelques mois après, {said} des avis restent favorables.", "lead"))
        blocks.append(
            measures.table(
                "a-froid", "Avis des stagiaires à froid", later, facts.k, n="Avis publiés",
                counts=[(0, "Favorables")], shares=[(0, "Part")], interval=True, notes=[_INTERVAL],
            )
        )  # fmt: skip
    else:
        blocks.append(silent("l’avis des stagiaires quelques mois après", facts, later))
    blocks += _positioned(facts)
    return section(
        Indicator(
            11, "L’atteinte des objectifs",
            "que le prestataire évalue l’atteinte, par les bénéficiaires, des objectifs de la prestation.",
        ),
        blocks,
        missing=(
            "Terminer un parcours n’est pas en atteindre les objectifs : l’achèvement dit ce qui a été "
            "suivi, pas ce "
            "qui a été appris.",
            "L’auto-positionnement est une déclaration ; aucune épreuve, aucun jury n’est connu de l’outil.",
            "Les données ne disent rien de ce qui a changé dans les pratiques, sinon ce que les personnes "
            "en déclarent.",
        ),
        sources="Traces de la plateforme, questionnaires à froid d’Estime.",
    )  # fmt: skip


def _positioned(facts: Facts) -> list[Block]:
    """Return self-positioning by competency, at entry and after; nothing unless it was asked at both."""
    moved = _moved(facts)
    before = needs.positions(facts, needs.is_entry)
    after = needs.positions(facts, lambda survey: survey.is_satisfaction and survey.phase == "a-chaud")
    known = {name for (name, _), _ in moved}
    both = [name for name in before if name in after and name not in known]
    made: list[Block] = [_paired(moved)] if moved else []
    if not both:
        return made
    columns: Columns = [
        "Compétence", Column("Réponses à l’entrée", digits=0), Column("À l’aise à l’entrée", percent=True),
        Column("Réponses après", digits=0), Column("À l’aise après", percent=True),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [(name, *before[name][:2], *after[name][:2]) for name in both]
    notes = [
        ("À l’aise", "les deux degrés les plus hauts de l’auto-positionnement."),
        ("Comparaison", "de groupes : ce ne sont pas toujours les mêmes personnes avant et après."),
    ]
    return [*made, Table("acquis", "Auto-positionnement, avant et après", columns, rows, notes)]


def _moved(facts: Facts) -> list[tuple[tuple[str, int], paired.Change]]:
    """Return how the same people moved, by competency and scale, sessions taken together."""
    parts = {
        (one.course_id, key): added
        for one in facts.sessions
        for key, change in one.changes.items()
        if (added := paired.sums(change)) is not None
    }
    found = []
    for key in dict.fromkeys(key for _, key in parts):

        def counted(one: Session, key: tuple[str, int] = key) -> Counted | None:
            part = parts.get((one.course_id, key))
            return None if part is None else Counted(part.n, part.n, (part.before, part.after, part.squares))

        total = measures.measure(facts.sessions, counted, facts.k).total
        if total is not None:
            found.append((key, paired.together(key[0], paired.Sums(total.n, *total.counts))))
    return found


def _paired(moved: list[tuple[tuple[str, int], paired.Change]]) -> Table:
    columns: Columns = [
        "Compétence", Column("Degrés", digits=0), Column("Personnes", digits=0),
        Column("Moyenne à l’entrée", digits=2), Column("Moyenne après", digits=2),
        Column("Évolution", digits=2), Column("de", digits=2), Column("à", digits=2),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (name, points, one.n, one.before, one.after, one.mean, one.low, one.high)
        for (name, points), one in moved
    ]
    notes = [
        ("Personnes", "celles qui se sont situées deux fois, à l’entrée et à la fin : les mêmes."),
        ("Évolution", "moyenne de leurs évolutions, en degrés, avec son intervalle à 95 % (Student)."),
    ]
    return Table(
        "evolution", "Auto-positionnement des mêmes personnes, à l’entrée et après", columns, rows, notes
    )


def twelfth(facts: Facts) -> Section:
    """Indicator 12: engagement, and paths that stop."""

    def ended(one: Session) -> Counted | None:
        if not one.over:
            return None
        left = max(0, one.connected - one.finished)
        return Counted(one.enrolled, one.enrolled, (min(one.connected, one.enrolled), left, one.finished))

    def running(one: Session) -> Counted | None:
        return None if one.over else Counted(one.enrolled, one.enrolled, (one.connected, one.idle))

    def met(one: Session) -> Counted | None:
        return Counted(one.enrolled, one.enrolled, (one.present,)) if one.presences else None

    k = facts.k
    over, now = (measures.measure(facts.sessions, counted, k) for counted in (ended, running))
    presence = measures.measure(facts.sessions, met, k)
    blocks: list[Block] = []
    if over.total:
        came = measures.in_words(over.total.share(0, k))
        stopped = measures.in_words(over.total.share(1, k))
        blocks.append(
            Text(
                f"Dans les sessions terminées, {came} des inscrits se sont connectés ou étaient présents ; "
                f"{stopped} "
                "sont venus sans terminer.",
                "lead",
            )
        )
        blocks.append(
            measures.table(
                "engagement", "Sessions terminées : venus, interrompus, terminé", over, k, n="Inscrits",
                shares=[(0, "Venus"), (1, "Venus sans terminer"), (2, "Ont terminé")],
                notes=[
                    ("Venus", "au moins une trace sur la plateforme ou une présence."),
                    (
                        "Venus sans terminer",
                        "interruption ou parcours resté ouvert : les traces ne les distinguent pas.",
                    ),
                    _FINISHED,
                ],
            )
        )  # fmt: skip
    else:
        blocks.append(silent("l’engagement dans les sessions terminées", facts, over, ended=True))
    if now.total:
        days = number(facts.rules.states.inactive_days)
        blocks.append(
            measures.table(
                "en-cours", "Sessions en cours", now, k, n="Inscrits",
                shares=[(0, "Venus"), (1, "Sans activité récente")],
                notes=[("Sans activité récente", f"ni trace ni présence depuis {days} jours ou plus.")],
            )
        )  # fmt: skip
    if presence.total:
        blocks.append(
            measures.table(
                "presences", "Présences connues", presence, k, n="Inscrits",
                shares=[(0, "Présents au moins une fois")],
                notes=[("Présences", "celles qui ont été cochées ou transmises, là où il y en a.")],
            )
        )  # fmt: skip
    blocks.append(
        Points(
            (
                "Chaque matin, l’outil montre à qui tutore les personnes pas encore connectées, sans "
                "activité récente "
                "ou au rythme plus lent, avec les faits qui le disent ; la personne décide et écrit.",
                "L’alerte ne vaut pas décision : aucune relance n’est envoyée par la machine seule.",
            )
        )
    )
    return section(
        Indicator(
            12, "L’engagement et la prévention des interruptions",
            "que le prestataire décrive et mette en œuvre des mesures pour favoriser l’engagement des "
            "bénéficiaires et "
            "prévenir les ruptures de parcours.",
        ),
        blocks,
        missing=(
            "Les données ne disent pas pourquoi une personne s’est interrompue (congé, mutation, charge de "
            "travail…).",
            "Elles ne disent rien des échanges par courriel ou téléphone, ni de ce que les relances ont "
            "changé.",
        ),
        sources="Traces de la plateforme, présences cochées ou transmises, liste des inscrits.",
    )  # fmt: skip
