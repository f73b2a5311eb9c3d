"""What is said of questionnaires in depth: groups, phases, audiences, objects, changes; never of a person."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers import depth
from analyzers.depth import Breakdown, Contrast, Depth, Representation, Strength
from analyzers.disclosure import LINKED, OTHER
from analyzers.shrinkage import Ranking
from analyzers.views import Trend
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, language, ngettext
from tool_config import references, standards

#: From which V who answered is said to differ from who could, beside its test.
_DIFFERS = 0.1
LEVEL = 0.05


def phases() -> dict[str, str]:
    """Return what each phase is called."""
    return {
        "avant": gettext("Avant"),
        "etape": gettext("Point d’étape"),
        "a-chaud": gettext("À chaud"),
        "a-froid": gettext("À froid"),
        "regard-croise": gettext("Regard croisé"),
    }


def audiences() -> dict[str, str]:
    """Return what each audience is called."""
    return {
        "trainees": gettext("Participants"),
        "tutors": gettext("Tuteurs et formateurs"),
        "commanditaires": gettext("Commanditaires"),
        "heads_of_service": gettext("Chefs de service"),
    }


def objects() -> dict[str, str]:
    """Return what a question may be about; "" is nothing in particular."""
    return {
        "content": gettext("Contenu"),
        "pedagogy": gettext("Pédagogie"),
        "ergonomics": gettext("Ergonomie"),
        "technique": gettext("Technique"),
        "access": gettext("Accès"),
        "organisation": gettext("Organisation"),
        "": gettext("Autres questions"),
    }


def cut(name: str) -> str:
    """Name a way of cutting respondents into groups."""
    return {
        depth.DONE: gettext("Avancement"),
        depth.TIME: gettext("Temps passé (estimé)"),
        depth.PRESENCE: gettext("Présence"),
        depth.STRAIGHT: gettext("Réponses en ligne droite"),
    }.get(name) or _origin(name)


def group(name: str, value: str, made: Depth) -> str:
    """Name a group of respondents."""
    if value in (OTHER, depth.UNKNOWN):
        return gettext("Autres ou non connu")
    minutes = number(made.minutes)
    found = {
        (depth.DONE, "done"): gettext("ont terminé"),
        (depth.DONE, "not_done"): gettext("n’ont pas terminé"),
        (depth.TIME, "under"): gettext("moins de %(minutes)s min", minutes=minutes),
        (depth.TIME, "over"): gettext("%(minutes)s min ou plus", minutes=minutes),
        (depth.PRESENCE, "present"): gettext("présents à un regroupement"),
        (depth.PRESENCE, "distance"): gettext("à distance seulement"),
        (depth.STRAIGHT, "straight"): gettext("le même point partout"),
        (depth.STRAIGHT, "varied"): gettext("des points différents"),
    }.get((name, value))
    return found or _origin_value(name, value)


def _origin(name: str) -> str:
    field = next((field for field in standards.load()["people"].fields if field.id == name), None)
    return field.label.in_language(language()) if field else name


def _origin_value(name: str, value: str) -> str:
    field = next((field for field in standards.load()["people"].fields if field.id == name), None)
    for allowed in field.values if field else ():
        if allowed.id == value:
            return allowed.label.in_language(language())
    if field and field.reference:
        entry = references.load()[field.reference].entries.get(value)
        if entry is not None:
            return entry.label
    return value


def why_not(found: Breakdown | Representation, k: int) -> str:
    """Say why groups are not shown."""
    if found.suppressed == LINKED:
        return gettext(
            "Non montré : rapproché des autres découpages, celui-ci ferait reconnaître moins de %(k)s "
            "personnes.",
            k=number(k),
        )
    return gettext(
        "Non montré : il faut au moins deux groupes de %(k)s personnes, et ne laisser personne seul en "
        "dehors.",
        k=number(k),
    )


# --- sentences -------------------------------------------------------------------------------------------


def _p(found: Strength) -> str:
    value = gettext("p < 0,001") if found.p < 0.001 else gettext("p = %(p)s", p=number(found.p, 3))
    return gettext("%(p)s, par permutation", p=value) if found.method == "permutation" else value


def _size(found: Strength) -> str:
    return gettext(
        "V de Cramér %(v)s, entre %(low)s et %(high)s",
        v=number(found.v, 2), low=number(found.low, 2), high=number(found.high, 2),
    )  # fmt: skip


def differs(found: Representation) -> bool:
    """Say whether those who answered are other people than those who could."""
    return found.strength is not None and found.strength.v >= _DIFFERS and found.strength.p < LEVEL


def representation(found: Representation) -> str:
    """Say whether who answered is like who could, by one field: the size first, then the test."""
    if found.strength is None:
        return ""
    what, size, p = cut(found.cut), _size(found.strength), _p(found.strength)
    if differs(found):
        return gettext(
            "Attention : celles et ceux qui ont répondu ne ressemblent pas à l’ensemble des inscrits "
            "(%(what)s : %(size)s ; %(p)s, test du χ²).",
            what=what, size=size, p=p,
        )  # fmt: skip
    return gettext(
        "Rien n’indique que celles et ceux qui ont répondu diffèrent des inscrits "
        "(%(what)s : %(size)s ; %(p)s, test du χ²).",
        what=what, size=size, p=p,
    )  # fmt: skip


def post_stratified(found: Breakdown | None, turnout: Representation, made: Depth) -> str:
    """Say the share weighted like the people asked, or why it is not worked out."""
    weighted = depth.post_stratified(found, turnout) if found is not None else None
    if weighted is None:
        return gettext(
            "La part pondérée selon l’origine n’est pas calculée : il faudrait montrer les avis de chaque "
            "origine."
        )
    value, low, high = weighted
    return gettext(
        "Pondérée selon l’origine des inscrits, la part d’avis favorables serait de %(value)s (de %(low)s à "
        "%(high)s), au lieu de %(raw)s.",
        value=percent(value), low=percent(low), high=percent(high), raw=percent(made.favourable / made.n),
    )  # fmt: skip


def straight(made: Depth, k: int) -> str:
    """Say how many answered in a straight line, and what the share is with and without them."""
    found = made.breakdown(depth.STRAIGHT)
    if found is None or not made.items:
        return gettext(
            "Trop peu d’affirmations sur une même échelle (il en faut quatre) pour repérer des réponses en "
            "ligne droite."
        )
    if found.suppressed:
        return why_not(found, k)
    one = next((one for one in found.groups if one.name == "straight"), None)
    if one is None:
        return gettext("Personne, ou presque, n’a donné le même point à toutes les questions.")
    rest = made.n - one.n
    return ngettext(
        "%(count)s personne sur %(n)s a donné le même point à toutes les questions. Avec elle, %(both)s "
        "d’avis favorables ; sans elle, %(without)s.",
        "%(count)s personnes sur %(n)s ont donné le même point à toutes les questions. Avec elles, %(both)s "
        "d’avis favorables ; sans elles, %(without)s.",
        one.n,
        count=number(one.n), n=number(made.n),
        both=percent(made.favourable / made.n),
        without=percent((made.favourable - one.favourable) / rest),
    )  # fmt: skip


def points(value: float) -> str:
    """Write a difference of shares: "+12 points"."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return gettext("%(value)s points", value=f"{sign}{number(abs(100 * value))}")


def contrast(name: str, one: Contrast, made: Depth) -> str:
    """Say how far a group is from the others, when its interval tells."""
    value, low, high = one.difference
    said = gettext(
        "« %(group)s » : %(difference)s (de %(low)s à %(high)s) par rapport aux autres",
        group=group(name, one.group.name, made), difference=points(value), low=points(low), high=points(high),
    )  # fmt: skip
    return (
        gettext("%(said)s.", said=said) if one.stands_out else gettext("%(said)s : rien de net.", said=said)
    )


def ranking(found: Ranking, names: Sequence[str]) -> str:
    """Say whether modules can be told apart; `names`: in the order of the ranking."""
    if not found.estimates:
        return ""
    if not found.told_apart:
        return gettext(
            "Pris deux à deux, les modules ne se départagent pas : leurs intervalles se recouvrent."
        )
    return gettext(
        "« %(best)s » est mieux reçu que « %(last)s » : leurs intervalles ne se touchent pas.",
        best=names[0], last=names[-1],
    )  # fmt: skip


def trend(found: Trend | None) -> str:
    """Say how satisfaction moves from one session to the next."""
    if found is None:
        return gettext("Il faut trois sessions avec des résultats pour parler d’une évolution.")
    said = gettext(
        "%(slope)s par session, entre %(low)s et %(high)s, sur %(n)s réponses de %(sessions)s sessions",
        slope=points(found.slope), low=points(found.low), high=points(found.high), n=number(found.n),
        sessions=number(found.sessions),
    )  # fmt: skip
    if not found.clear:
        return gettext("Pas d’évolution nette d’une session à l’autre (%(said)s).", said=said)
    if found.slope > 0:
        return gettext("La satisfaction monte : %(said)s.", said=said)
    return gettext("La satisfaction baisse : %(said)s.", said=said)


def observational() -> str:
    """Say that groups compared were not drawn by lot."""
    return gettext(
        "Observation, pas preuve : ces groupes se sont formés d’eux-mêmes, et ce qui les distingue peut "
        "venir d’autre chose."
    )


def debrief_error(code: str) -> str:
    """Say a fault of the form of a debrief."""
    return {
        "required": gettext("Écrivez ce qui a été dit."),
        "too_long": gettext("Ce texte est trop long : raccourcissez-le."),
        "unknown": gettext("Choisissez dans la liste."),
        "number": gettext("Écrivez le nombre de personnes présentes."),
        "future": gettext("Cette date n’est pas encore venue."),
        "day": gettext("Écrivez une date, jour, mois et année."),
    }.get(code, gettext("Cette réponse n’a pas pu être lue."))
