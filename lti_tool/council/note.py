"""The note as a document: who came, what they chose, how it went, what was decided, what to adapt. PURE.

In French, like the council that reads it. Each figure has its n; each change its interval, and no change is
said that its interval does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analyzers import intervals
from analyzers.origins import Line
from analyzers.results import Share
from analyzers.sizing import Filled
from lti_tool import adapt_words
from lti_tool.council.facts import Facts, Part
from lti_tool.documents.content import Block, Document, Points, Section, Text, Whisker, Whiskers
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import clock_time, long_day, number, percent

#: Lines of each table, from the most that is tried to the fewest.
LINES = (8, 6, 4, 3)
_STATES = {
    "observed": "constat à traiter",
    "decided": "décidé",
    "ongoing": "en cours",
    "checked": "vérifié",
    "abandoned": "abandonné",
}
_ENTRIES = {
    "observed": "à traiter",
    "decided": "décidée",
    "ongoing": "en cours",
    "checked": "vérifiée",
    "abandoned": "abandonnée",
}
#: Signs of a decision that a cell keeps.
_LONGEST = 140


def school_year(year: int) -> str:
    """Name a school year: 2026 -> 2026-2027."""
    return f"{year}-{year + 1}"


def document(facts: Facts, zone: ZoneInfo, lines: int = LINES[0]) -> Document:
    """Return the note, with so many lines a table at most."""
    at = facts.made_at.astimezone(zone)
    what = facts.path or "toute la communauté"
    sections = (
        Section("En bref", (Points(_brief(facts)),)),
        Section("Qui est venu", tuple(_who(facts, lines))),
        Section("Ce qui a été choisi", tuple(_chosen(facts, lines))),
        Section("Comment les formations ont été reçues", tuple(_received(facts, lines))),
        Section("Jusqu’où les parcours sont suivis", tuple(_stops(facts, lines))),
        Section("Places et journées", tuple(_places(facts))),
        Section("Ce qui a été décidé", tuple(_decided(facts, lines))),
        Section("Ce qu’il faudrait adapter d’abord", tuple(_adapt(facts, lines))),
        Section("Définitions", (Points(_definitions(facts)),)),
    )
    return Document(
        title=f"Note au conseil d’orientation · {school_year(facts.year)}",
        subtitle=what,
        language="fr",
        made_at=at,
        facts=_facts(facts, at),
        sections=sections,
    )


def _facts(facts: Facts, at: datetime) -> tuple[tuple[str, str], ...]:
    read = facts.read_at.astimezone(at.tzinfo)
    return (
        ("Communauté", facts.community),
        ("Période", f"année scolaire {school_year(facts.year)}, comparée à {school_year(facts.year - 1)}"),
        ("Seuil", f"rien n’est dit de moins de {number(facts.k)} personnes"),
        ("Données du", f"{long_day(read.date())}, {clock_time(read)}"),
    )


# --- words ------------------------------------------------------------------------------------------------


def told(share: Share) -> str:
    """Write a share with its interval and n: "62 % (de 55 % à 68 %, n = 143)"."""
    low, high = percent(share.low), percent(share.high)
    return f"{percent(share.value)} (de {low} à {high}, n\u202f=\u202f{number(share.n)})"


def change(now: Share, before: Share | None) -> str:
    """Say how a share moved since the year before; "" where one of the two is not known."""
    pairs = [(one.count, one.n) for one in (now, before) if one is not None]
    (count, n), (count0, n0) = pairs[0], pairs[-1]
    if len(pairs) < 2 or count is None or not n or count0 is None or not n0:
        return ""
    value, low, high = intervals.difference((count, n), (count0, n0))
    if low <= 0 <= high:
        return "sans écart sûr avec l’année précédente"
    points = number(abs(100 * value), 0)
    way = "de plus" if value > 0 else "de moins"
    return f"{points} point{'s' if abs(100 * value) >= 1.5 else ''} {way} que l’année précédente"


def moved(now: float | None, before: float | None) -> str:
    """Say how a count moved: "12 % de plus que l’année précédente"; "" where there is nothing to compare."""
    if now is None or not before:
        return ""
    part = now / before - 1
    if abs(part) < 0.005:
        return "comme l’année précédente"
    return f"{percent(abs(part))} de {'plus' if part > 0 else 'moins'} que l’année précédente"


def _and(text: str, more: str) -> str:
    return f"{text}, {more}" if more else text


# --- sections ---------------------------------------------------------------------------------------------


def _brief(facts: Facts) -> tuple[str, ...]:
    said: list[str] = []
    now, before = facts.now, facts.before
    if facts.people is not None:
        said.append(f"{number(facts.people)} personnes ont eu une session dans l’année, finie ou en cours.")
    if now.filled is not None:
        over = before.filled
        said.append(
            _and(
                f"{number(now.filled.sessions)} sessions sont terminées, pour "
                f"{number(now.filled.enrolled)} inscriptions",
                moved(now.filled.enrolled, over.enrolled if over else None),
            )
            + "."
        )
    if now.favourable.value is not None:
        moving = change(now.favourable, before.favourable)
        said.append(_and(f"{told(now.favourable)} des avis à chaud sont favorables", moving) + ".")
    if now.finished.value is not None:
        moving = change(now.finished, before.finished)
        said.append(_and(f"{told(now.finished)} des inscrits ont terminé", moving) + ".")
    first = [line for line in facts.ranking.lines if line.rank is not None and line.index][:1]
    said += [f"À regarder d’abord\u202f: «\u202f{one.module.counts.title}\u202f»." for one in first]
    return tuple(said) or ("Les données de cette année ne disent encore rien qui puisse être montré.",)


def _who(facts: Facts, lines: int) -> list[Block]:
    picture = facts.came
    if facts.people is None:
        return [
            Text(f"Moins de {number(facts.k)} personnes, ou aucune origine connue\u202f: rien n’est dit.")
        ]
    if picture is None:
        return [Text(f"{number(facts.people)} personnes, dont l’origine n’est pas connue.", "lead")]
    known = [line for line in picture.known if line.share.value is not None]
    sure = picture.moved
    head = f"{number(picture.n)} personnes, chacune comptée une fois."
    if picture.unknown:
        head += f" L’académie de {number(picture.unknown)} n’est pas connue."
    if sure:
        names = ", ".join(_academie(facts, line) for line in sure[:3])
        head += f" La part change pour sûr\u202f: {names}."
    rows: list[tuple[Cell, ...]] = [
        (_academie(facts, line), line.share.count, line.share.value, _before(line.before), _sure(line))
        for line in known[:lines]
    ]
    columns: Columns = [
        "Académie", Column("Personnes", digits=0), Column("Part", percent=True),
        Column("Année précédente", percent=True), "Changement",
    ]  # fmt: skip
    return [Text(head, "lead"), *_table("academies", "Origine par académie", columns, rows, len(known))]


def _academie(facts: Facts, line: Line) -> str:
    return facts.traits.value("academie", line.row.key)


def _before(share: Share | None) -> float | None:
    return share.value if share is not None else None


def _sure(line: Line) -> str:
    if line.change is None:
        return "–"
    if not line.change.sure:
        return "sans écart sûr"
    return "en hausse" if line.change.value > 0 else "en baisse"


def _chosen(facts: Facts, lines: int) -> list[Block]:
    if not facts.choices or facts.choosers is None:
        return [
            Text("Aucun choix libre ne peut être montré\u202f: modes d’inscription inconnus, ou trop peu.")
        ]
    first = facts.choices[0]
    head = (
        f"Parmi {number(facts.choosers)} personnes qui ont choisi librement, «\u202f{first.title}\u202f» est "
        f"pris par {percent(first.share.value)}."
    )
    rows: list[tuple[Cell, ...]] = [
        (one.title, one.share.count, one.share.value, one.share.low, one.share.high, _before(one.before))
        for one in facts.choices[:lines]
    ]
    columns: Columns = [
        "Parcours", Column("Choix", digits=0), Column("Part", percent=True), Column("de", percent=True),
        Column("à", percent=True), Column("Année précédente", percent=True),
    ]  # fmt: skip
    return [Text(head, "lead"), *_table("choix", "Choix libres", columns, rows, len(facts.choices))]


def _received(facts: Facts, lines: int) -> list[Block]:
    now = facts.now.favourable
    if now.value is None:
        return [Text("Aucun avis publié ne peut être montré pour cette année.")]
    head = _and(f"{told(now)} des avis à chaud sont favorables", change(now, facts.before.favourable))
    parts = sorted(
        (part for part in facts.parts if part.now.favourable.value is not None),
        key=lambda part: part.now.favourable.low or 0.0,
    )
    blocks: list[Block] = [Text(f"{head}.", "lead")]
    if len(parts) > 1:
        blocks.append(_drawn(parts[:lines]))
    return blocks


def _drawn(parts: Sequence[Part]) -> Whiskers:
    title = "Avis favorables par parcours, le moins bien reçu d’abord"
    rows = []
    for part in parts:
        share = part.now.favourable
        low, high = share.low or 0.0, share.high or 0.0
        rows.append(Whisker(part.title, share.value or 0.0, low, high, told(share)))
    alt = f"{title}. " + "\u202f; ".join(f"{row.label}\u202f: {row.said}" for row in rows) + "."
    return Whiskers(title, alt, tuple(rows))


def _stops(facts: Facts, lines: int) -> list[Block]:
    blocks: list[Block] = []
    now = facts.now.finished
    if now.value is not None:
        head = _and(f"{told(now)} des inscrits ont terminé", change(now, facts.before.finished))
        blocks.append(Text(f"{head}.", "lead"))
    rows: list[tuple[Cell, ...]] = [
        (part.title, part.now.finished.n, part.now.finished.value, part.before.finished.value)
        for part in facts.parts
        if part.now.finished.value is not None
    ]
    columns: Columns = [
        "Parcours", Column("Inscrits", digits=0), Column("Ont terminé", percent=True),
        Column("Année précédente", percent=True),
    ]  # fmt: skip
    if rows:
        blocks += _table("achevement", "Parcours terminés", columns, rows[:lines], len(rows))
    if facts.stops:
        blocks.append(Points(tuple(f"{path}\u202f: {said}" for path, said in facts.stops)))
    stops = [
        (line.module.counts.title, found)
        for line in facts.ranking.lines
        if (found := line.module.evidence["stopping"]).count is not None and found.n
    ]
    stops.sort(key=lambda pair: -(pair[1].low or 0.0))
    said = [
        f"«\u202f{title}\u202f»\u202f: {percent((found.count or 0) / (found.n or 1))} de celles et ceux qui "
        f"l’ont commencé n’ont pas été plus loin (n\u202f=\u202f{number(found.n)})."
        for title, found in stops[:3]
    ]
    if said:
        blocks.append(Text("Modules où l’on s’arrête le plus, toutes années réunies\u202f:"))
        blocks.append(Points(tuple(said)))
    return blocks or [Text("Aucun achèvement n’est connu des sessions de cette année.")]


def _places(facts: Facts) -> list[Block]:
    now, before = facts.now.filled, facts.before.filled
    if now is None:
        return [Text("Aucune session terminée de cette année ne peut être dite.")]
    rows: list[tuple[Cell, ...]] = []
    for label, pick in _COUNTED:
        value, last = pick(now), pick(before) if before is not None else None
        if value or last:
            rows.append((label, value or None, last or None, moved(value or None, last) or "–"))
    head = f"{number(now.sessions)} sessions terminées, {number(now.enrolled)} inscriptions."
    if now.fill is not None:
        head += f" Les places sont remplies à {percent(now.fill)} là où elles sont connues."
    absent = now.absent(facts.k)
    if absent.value is not None:
        head += f" {told(absent)} des inscrits ne sont jamais venus."
    columns: Columns = [
        "Ce qui est compté", Column(school_year(facts.year), digits=0),
        Column(school_year(facts.year - 1), digits=0), "Changement",
    ]  # fmt: skip
    return [Text(head, "lead"), Table("places", "Sessions et journées-stagiaires", columns, rows)]


def _whole(name: str) -> Callable[[Filled], float]:
    def pick(filled: Filled) -> float:
        return float(getattr(filled, name))

    return pick


_COUNTED = (
    ("Sessions", _whole("sessions")),
    ("Inscriptions", _whole("enrolled")),
    ("Places (sessions qui les disent)", _whole("capacity")),
    ("Journées-stagiaires en présence, prévues", _whole("planned_in_person")),
    ("Journées-stagiaires en présence, suivies", _whole("given_in_person")),
    ("Journées-stagiaires à distance, prévues", _whole("planned_distance")),
    ("Journées-stagiaires à distance, suivies", _whole("given_distance")),
)


def _decided(facts: Facts, lines: int) -> list[Block]:
    total = sum(facts.log.values())
    if not total:
        return [Text("Aucune fiche d’amélioration n’a été ouverte cette année.")]
    parts = [f"{number(count)} {_agreed(state, count)}" for state, count in facts.log.items()]
    many = "s" if total > 1 else ""
    head = f"{number(total)} fiche{many} d’amélioration ouverte{many} dans l’année\u202f: {', '.join(parts)}."
    rows: list[tuple[Cell, ...]] = [
        (one.about, _short(one.decision), _STATES.get(one.state, one.state), one.due_on)
        for one in facts.decided[: min(lines, 6)]
    ]
    columns: Columns = ["À propos de", "Décision", "État", "Échéance"]
    if not rows:
        return [Text(head, "lead")]
    return [Text(head, "lead"), *_table("decisions", "Décisions", columns, rows, len(facts.decided))]


def _agreed(state: str, count: int) -> str:
    """Write the state of so many entries: "2 vérifiées"."""
    said = _ENTRIES.get(state, state)
    return f"{said}s" if count > 1 and said.endswith("e") else said


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"


def _adapt(facts: Facts, lines: int) -> list[Block]:
    ranked = [line for line in facts.ranking.lines if line.rank is not None and line.index]
    if not ranked:
        return [Text("Trop peu d’indices sont connus pour ranger des modules.")]
    rows: list[tuple[Cell, ...]] = [
        (rank, line.module.counts.title, line.module.counts.path, adapt_words.reasons(line))
        for rank, line in enumerate(ranked[: min(lines, 5)], start=1)
    ]
    columns: Columns = [Column("Ordre", digits=0), "Module", "Parcours", "Pourquoi"]
    return [
        Text("L’ordre aide à choisir où regarder\u202f; il ne décide pas.", "hint"),
        *_table("adapter", "Modules à adapter", columns, rows, len(ranked)),
    ]


def _table(
    name: str, title: str, columns: Columns, rows: Sequence[tuple[Cell, ...]], there: int
) -> list[Block]:
    left = f"{number(there - len(rows))} autres lignes sont dans Estime." if there > len(rows) else ""
    return [Table(name, title, columns, rows, left_out=left)] if rows else []


def _definitions(facts: Facts) -> tuple[str, ...]:
    k = number(facts.k)
    return (
        "Année scolaire\u202f: d’août à juillet. Une session compte dans celle où elle commence\u202f; une "
        "personne compte une fois par année, quel que soit son nombre de sessions.",
        f"Rien n’est dit de moins de {k} personnes\u202f: les sessions trop petites sont réunies à d’autres, "
        "les catégories trop petites aussi.",
        "Une part vient avec son n et son intervalle à 95 % (Wilson)\u202f; un changement n’est dit que si "
        "l’intervalle de l’écart (Newcombe) ne contient pas zéro.",
        "Avis favorables\u202f: les deux réponses les plus hautes à la question d’ensemble, à chaud, des "
        "sessions rattachées à un parcours. Terminé\u202f: la plateforme ou un fichier le dit.",
        "Journée-stagiaire\u202f: une personne pendant une journée. Prévue\u202f: jours prévus × places. "
        "Suivie\u202f: jours prévus × personnes venues.",
        "Choix libres\u202f: candidatures individuelles et accès libre\u202f; ce qui était obligatoire ou "
        "désigné est mis à part.",
        "Ces chiffres observent\u202f: aucun ne prouve une cause, aucun ne juge une personne.",
    )
