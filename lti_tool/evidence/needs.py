"""Indicators of what people bring and say: 4 (needs), 8 (positioning at entry), 30 (appreciations)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from analyzers import disclosure
from analyzers.survey_results import ChoiceSummary, ItemSummary, SurveySummary
from lti_tool.documents.content import Block, Section, Text
from lti_tool.evidence import lots, measures
from lti_tool.evidence.facts import Facts, Said, Session
from lti_tool.evidence.measures import Counted
from lti_tool.evidence.shaping import Indicator, section, silent
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number

_AUDIENCES = {
    "trainees": "Stagiaires",
    "tutors": "Équipes pédagogiques",
    "commanditaires": "Commanditaires",
    "heads_of_service": "Chefs de service",
}
_PHASES = {
    "avant": "avant", "etape": "point d’étape", "a-chaud": "à chaud", "a-froid": "à froid",
    "regard-croise": "regard croisé",
}  # fmt: skip


def _before(one: Session) -> list[SurveySummary]:
    return [survey for survey in one.surveys if survey.phase == "avant" and survey.audience == "trainees"]


def fourth(facts: Facts) -> Section:
    """Indicator 4: what people need."""
    k = facts.k
    blocks: list[Block] = []
    needed = measures.measure(facts.sessions, lambda one: measures.opinions(_before(one)), k)
    if needed.total:
        said = measures.in_words(needed.total.share(0, k))
        blocks.append(
            Text(f"Interrogés avant la formation, {said} disent qu’elle répond à un besoin.", "lead")
        )
        blocks.append(
            measures.table(
                "besoin", "La formation répond à un besoin", needed, k, n="Réponses",
                counts=[(0, "D’accord")], shares=[(0, "Part")], interval=True,
                notes=[("D’accord", "les deux réponses les plus hautes à la question posée avant.")],
            )
        )  # fmt: skip
    else:
        blocks.append(silent("ce que les stagiaires disent de leur besoin avant la formation", facts, needed))
    blocks += _choices(facts)
    for name, title, found, note in (
        ("modes", "Comment les personnes sont inscrites", facts.modes, "fichier des inscriptions."),
        ("attentes", "Ce qui est attendu de la formation", facts.expected, "fichier des attentes."),
        ("attentes-de", "Qui a exprimé ces attentes", facts.wished_by, "fichier des attentes."),
    ):
        blocks += _categories(name, title, found, k, note)
    return section(
        Indicator(
            4, "L’analyse du besoin",
            "que le prestataire analyse le besoin du bénéficiaire, en lien avec l’entreprise ou le "
            "financeur concerné.",
        ),
        blocks,
        missing=(
            "Les échanges avec l’employeur ou le commanditaire, les cahiers des charges et les comptes "
            "rendus ne sont "
            "pas dans l’outil : les joindre.",
            "Les données ne disent pas comment ces besoins ont changé le contenu de la formation.",
        ),
        sources="Questionnaires d’attentes d’Estime, fichiers d’inscriptions et d’attentes importés.",
    )  # fmt: skip


def _choices(facts: Facts) -> list[Block]:
    """Return a table for each question with options asked before the training."""
    asked: dict[str, ChoiceSummary] = {}
    for one in facts.sessions:
        for survey in _before(one):
            for choice in survey.choices:
                asked.setdefault(choice.question.text.fr, choice)
    return [table for text, choice in asked.items() if (table := _choice(facts, text, choice)) is not None]


def _choice(facts: Facts, text: str, asked: ChoiceSummary) -> Table | None:
    values = [point.value for point in asked.question.points]

    def counted(one: Session) -> Counted | None:
        found = [
            choice
            for survey in _before(one)
            for choice in survey.choices
            if choice.question.text.fr == text and choice.n
        ]
        if not found:
            return None
        n, people = sum(choice.n or 0 for choice in found), max(choice.n or 0 for choice in found)
        bars = [{bar.value: bar.share.count or 0 for bar in choice.bars} for choice in found]
        return Counted(people, n, tuple(sum(one.get(value, 0) for one in bars) for value in values))

    total = measures.measure(facts.sessions, counted, facts.k).total
    if total is None:
        return None
    rows: list[tuple[Cell, ...]] = [
        (point.label.fr, total.counts[rank], total.share(rank, facts.k).value)
        for rank, point in enumerate(asked.question.points)
    ]
    several = "plusieurs réponses possibles" if asked.several else "une seule réponse"
    columns: Columns = ["Réponse", Column("Personnes", digits=0), Column("Part", percent=True)]
    return Table(asked.question.id, text, columns, rows, [("n", f"{number(total.n)} réponses, {several}.")])


def _categories(name: str, title: str, found: Iterable[Said], k: int, note: str) -> list[Block]:
    told = lots.by_category(((one.year, one.category, one.person) for one in found), k)
    if not told:
        return []
    rows: list[tuple[Cell, ...]] = [
        ("autres" if label == disclosure.OTHER else label, n) for label, n in told.items()
    ]
    notes = [
        ("Personnes", "une fois par session et par ligne ; les lignes trop petites sont réunies."),
        ("Source", note),
    ]
    return [Table(name, title, ["Catégorie", Column("Personnes", digits=0)], rows, notes)]


# --- positioning -------------------------------------------------------------------------------------------


def positions(
    facts: Facts, among: Callable[[SurveySummary], bool]
) -> dict[str, tuple[int, float | None, float | None, float | None]]:
    """Return self-positioning by competency, of some questionnaires: (n, share, low, high)."""
    items: dict[str, str] = {}
    for one in facts.sessions:
        for survey in filter(among, one.surveys):
            for item in survey.positioning:
                items.setdefault(_competency(item), "")
    found: dict[str, tuple[int, float | None, float | None, float | None]] = {}
    for name in items:
        total = measures.measure(facts.sessions, partial(_positioned, name, among), facts.k).total
        if total is not None:
            share = total.share(0, facts.k)
            found[name] = (total.n, share.value, share.low, share.high)
    return found


def _competency(item: ItemSummary) -> str:
    return item.question.short.fr or item.question.text.fr


def _positioned(name: str, among: Callable[[SurveySummary], bool], one: Session) -> Counted | None:
    shown = [
        item.favourable
        for survey in filter(among, one.surveys)
        for item in survey.positioning
        if _competency(item) == name and item.favourable.n
    ]
    if not shown:
        return None
    # The same people may have answered several questionnaires.
    people = max(share.n or 0 for share in shown)
    return Counted(people, sum(share.n or 0 for share in shown), (sum(share.count or 0 for share in shown),))


def is_entry(survey: SurveySummary) -> bool:
    """Say whether a questionnaire is put to trainees before they begin."""
    return survey.phase == "avant" and survey.audience == "trainees"


def eighth(facts: Facts) -> Section:
    """Indicator 8: positioning at entry."""
    blocks: list[Block] = []
    asked = measures.measure(
        facts.sessions,
        lambda one: measures.replies(survey for survey in _before(one) if survey.positioning),
        facts.k,
    )
    found = positions(facts, is_entry)
    if asked.total:
        said = measures.in_words(asked.total.share(0, facts.k))
        blocks.append(Text(f"À l’entrée, {said} des inscrits se sont positionnés.", "lead"))
    if found:
        rows: list[tuple[Cell, ...]] = [(name, *values) for name, values in found.items()]
        columns: Columns = [
            "Compétence", Column("Réponses", digits=0), Column("S’y disent à l’aise", percent=True),
            Column("de", percent=True), Column("à", percent=True),
        ]  # fmt: skip
        notes = [("S’y disent à l’aise", "les deux degrés les plus hauts de l’auto-positionnement.")]
        blocks.append(
            Table("positionnement", "Auto-positionnement à l’entrée, par compétence", columns, rows, notes)
        )
    if not blocks:
        blocks.append(silent("l’auto-positionnement à l’entrée", facts, asked))
    return section(
        Indicator(
            8, "Le positionnement et l’évaluation à l’entrée",
            "que le prestataire détermine les procédures de positionnement et d’évaluation des acquis à "
            "l’entrée de la "
            "prestation.",
        ),
        blocks,
        missing=(
            "L’auto-positionnement est une déclaration : il n’est pas une évaluation des acquis.",
            "Les données ne disent rien des entretiens, des prérequis vérifiés ni des tests passés "
            "ailleurs (les "
            "résultats Pix d’une personne restent les siens).",
            "Elles ne disent pas comment le parcours a été adapté à ces réponses.",
        ),
        sources="Questionnaires d’attentes et de positionnement d’Estime.",
    )  # fmt: skip


# --- appreciations -----------------------------------------------------------------------------------------


def thirtieth(facts: Facts) -> Section:
    """Indicator 30: appreciations collected."""
    every = [survey for one in facts.sessions for survey in one.surveys]
    rows: list[tuple[Cell, ...]] = []
    for audience, who in _AUDIENCES.items():
        for phase, when in _PHASES.items():
            if row := _collected(facts, audience, phase):
                rows.append((who, when, *row))
    blocks: list[Block] = []
    if rows:
        asked = {survey.audience for survey in every}
        blocks.append(
            Text(
                f"{number(len(every))} questionnaires ont été ouverts dans {number(len(facts.sessions))} "
                "sessions, auprès "
                f"de {', '.join(_AUDIENCES[name].lower() for name in _AUDIENCES if name in asked)}.",
                "lead",
            )
        )
        columns: Columns = [
            "Auprès de qui", "Quand", Column("Questionnaires", digits=0), Column("dont clos", digits=0),
            Column("Ont répondu", percent=True), Column("Avis publiés", digits=0),
            Column("Favorables", percent=True), Column("de", percent=True), Column("à", percent=True),
            Column("Commentaires", digits=0),
        ]  # fmt: skip
        notes = [
            ("Ont répondu", "part des personnes interrogées, dans les questionnaires clos des stagiaires."),
            (
                "Avis publiés",
                f"ceux que l’outil montre ; sous {number(facts.k)} personnes, rien n’est repris ici.",
            ),
        ]
        blocks.append(Table("appreciations", "Appréciations recueillies", columns, rows, notes))
    else:
        blocks.append(
            silent("ce que pensent les parties prenantes : aucun questionnaire n’a été ouvert", facts)
        )
    absent = [who for name, who in _AUDIENCES.items() if name not in {survey.audience for survey in every}]
    missing = [
        f"Personne n’a été interrogé parmi les publics suivants : {', '.join(absent).lower()}."
        if absent
        else "",
        "Les commentaires ne sont pas reproduits : ils se lisent dans l’outil, avec leurs thèmes.",
        "Les données ne disent rien des appréciations recueillies de vive voix ou par un autre outil et "
        "non importées.",
    ]
    return section(
        Indicator(
            30, "Les appréciations recueillies",
            "que le prestataire recueille les appréciations des parties prenantes : bénéficiaires, "
            "financeurs, équipes "
            "pédagogiques, entreprises concernées.",
        ),
        blocks,
        missing=[text for text in missing if text],
        sources="Questionnaires d’Estime, anonymes ou sous pseudonyme, publiés par blocs.",
    )  # fmt: skip


def _collected(facts: Facts, audience: str, phase: str) -> tuple[Cell, ...] | None:
    """Return what was collected of an audience at one moment; None when nothing was asked."""

    def asked(one: Session) -> list[SurveySummary]:
        return [survey for survey in one.surveys if survey.audience == audience and survey.phase == phase]

    every = [survey for one in facts.sessions for survey in asked(one)]
    if not every:
        return None
    k = facts.k
    replied = measures.measure(facts.sessions, lambda one: measures.replies(asked(one)), k).total
    liked = measures.measure(facts.sessions, lambda one: measures.opinions(asked(one)), k).total
    share = liked.share(0, k) if liked else None
    written = sum(group.count or 0 for survey in every for group in survey.comments)
    return (
        len(every), sum(survey.state == "closed" for survey in every),
        replied.share(0, k).value if replied else None, liked.n if liked else None,
        share.value if share else None, share.low if share else None, share.high if share else None,
        written if liked else None,
    )  # fmt: skip
