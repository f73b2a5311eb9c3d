"""PURE: columns of a questionnaire's export -> its questions: code, wording, line of a grid, option.

Headings read: LimeSurvey (`code. Question [sub-question]`, `code[SQ001]. …`, or the full text without its
code), Moodle Feedback (`(label) Question`), Moodle Questionnaire (`Q02_name->option`), Sphinx (`Question`,
one column an option as `Question / Option` or `Question_1`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tool_config.references import plain
from xapi.sources import scales
from xapi.sources.scales import Scale

#: Different answers kept of a column: beyond, it is free text or numbers all the same.
_KEPT = 200
_LONGEST_QUESTION = 300
_LIME = re.compile(
    r"(?P<code>(?=\w*[\d_\[]|\w{3})[A-Za-z]\w{0,30}(?:\[\w+\])*)\.\s+(?P<text>.+?)(?:\s*\[(?P<item>[^\[\]]+)\])?",
    re.DOTALL,
)
_FULL = re.compile(r"(?P<text>.+?[?:.…])\s*\[(?P<item>[^\[\]]+)\]", re.DOTALL)
_ARROW = re.compile(r"(?P<code>Q\d+)_(?P<text>.+?)(?:->(?P<item>.+))?", re.DOTALL)
_LABELLED = re.compile(r"\((?P<code>[\w .-]{1,40})\)\s+(?P<text>.+)", re.DOTALL)
_SLASH = re.compile(r"(?P<text>.+?)\s+[/|]\s+(?P<item>.+)", re.DOTALL)
_NUMBERED = re.compile(r"(?P<text>.*[^\W_])_(?P<item>\d{1,3})")
_QUESTIONING = re.compile(
    r"^[qQ]\d{1,3}(?![^\W_])|^Q\d{1,3}[A-Z][a-z]|\?\s*(\[.*\])?\s*$|->|\S \[[^\[\]]+\]$"
    r"|^(?=\w*[\d\[])[A-Za-z]\w{0,30}(\[\w+\])*\. "
)
#: Columns that the tools add for themselves, and names of people.
_TECHNICAL = frozenset(
    plain(text)
    for text in (
        "dernière page", "last page", "langue de départ", "start language", "tête de série", "seed",
        "date de lancement", "date started", "startdate", "date de la dernière action", "date last action",
        "datestamp", "adresse ip", "ip address", "ipaddr", "url de provenance", "referrer url", "refurl",
        "temps total", "total time", "interviewtime", "cle", "date_enreg", "date_modif", "temps_saisie",
        "origine_saisie", "lang_saisie", "appareil_saisie", "progression", "derniere_question_saisie",
        "nom", "prénom", "nom complet", "nom de famille", "nom complet de l'utilisateur", "full name",
        "first name", "last name", "surname", "firstname", "lastname", "nom d'utilisateur", "user full name",
        "institution", "département", "department", "groupe", "groupes", "group", "groups", "token",
        "code d'invitation", "jeton", "téléphone", "phone",
    )
)  # fmt: skip
_TIMES = re.compile(
    r"^(temps pour (la question|le groupe)|durée (de la question|du groupe)|question time|group time)", re.I
)


@dataclass(frozen=True)
class Question:
    """What a column asks."""

    #: Wording, without the item.
    text: str
    code: str = ""
    #: Line of a grid; "" for a question alone.
    item: str = ""
    #: Option of a choice of several, that the column ticks; "" elsewhere.
    option: str = ""
    scale: Scale = field(default_factory=lambda: Scale("text"))


class Column:
    """The answers of one column, counted as they are read."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.full = False

    def add(self, text: str) -> None:
        """Count an answer."""
        if not self.full or text in self.counts:
            self.counts[text] += 1
            self.full = len(self.counts) >= _KEPT

    def sized(self, size: int = 0) -> Scale:
        """Return the scale of the answers; of too many different ones only numbers make any."""
        found = scales.recognise(self.counts, size)
        return Scale("text") if self.full and found.name == "single" else found


def technical(heading: str) -> bool:
    """Tell whether a column is the tool's own, or names somebody: it is no question."""
    return plain(heading) in _TECHNICAL or _TIMES.match(heading) is not None


def questioning(heading: str) -> bool:
    """Tell whether a heading is worded or coded as a question."""
    return _QUESTIONING.search(heading) is not None or len(heading.split()) >= 8


def parsed(heading: str) -> Question:
    """Return what a heading says by itself."""
    text = " ".join(heading.split())
    for pattern in (_ARROW, _LIME, _LABELLED, _FULL):
        found = pattern.fullmatch(text)
        if found:
            said = found.groupdict()
            return Question(
                said["text"].strip()[:_LONGEST_QUESTION],
                re.sub(r"\[.*", "", said.get("code") or ""),
                (said.get("item") or "").strip()[:_LONGEST_QUESTION],
            )
    return Question(text[:_LONGEST_QUESTION])


def plan(
    headings: Sequence[str], columns: Mapping[str, Column], sizes: Mapping[str, int] | None = None
) -> dict[str, Question]:
    """Return the question of each column: grids share a scale, options of a choice of several are told.

    `sizes`: how many degrees the scale of a column has, where somebody said it.
    """
    found = {heading: parsed(heading) for heading in headings}
    found |= _sliced(found, columns)
    sizes = _sizes(headings, columns) | dict(sizes or {})
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for heading, one in found.items():
        groups[(one.code, one.text) if one.item else ("", heading)].append(heading)
    for some in groups.values():
        together: Counter[str] = Counter()
        for heading in some:
            together.update(columns[heading].counts)
        grid = bool(found[some[0]].item)
        if grid and len(some) > 1 and _ticks(some, found, columns):
            for heading in some:
                one = found[heading]
                found[heading] = replace(one, item="", option=one.item, scale=Scale("multiple"))
            continue
        together_size = max(sizes.get(heading, 0) for heading in some)
        shared = scales.recognise(together, together_size) if grid else None
        for heading in some:
            own = columns[heading].sized(sizes.get(heading, 0))
            scale = shared if shared is not None and shared.closed and own.closed else own
            found[heading] = replace(found[heading], scale=scale)
    return found


def _sizes(headings: Sequence[str], columns: Mapping[str, Column]) -> dict[str, int]:
    """Return 5 for the columns whose middle nobody chose, where another column of the same labels has one."""
    spelt = {heading: scales.spelt(columns[heading].counts) for heading in headings}
    whole = [one for one in spelt.values() if one is not None and one.middle]
    return {
        heading: 5
        for heading, one in spelt.items()
        if one is not None and not one.middle and any(one.goes_with(other) for other in whole)
    }


def doubtful(columns: Mapping[str, Column], planned: Mapping[str, Question]) -> int:
    """Count the questions read as of four degrees that may have a middle that nobody chose."""
    found = set()
    for heading, one in planned.items():
        spelt = scales.spelt(columns[heading].counts)
        if spelt is not None and spelt.doubtful and max(one.scale.numbers.values(), default=0) == 4:
            found.add((one.code, one.text, one.item))
    return len(found)


def _sliced(found: Mapping[str, Question], columns: Mapping[str, Column]) -> dict[str, Question]:
    """Return the columns `Question / Option` or `Question_1` of a same question, when they tick options."""
    made: dict[str, Question] = {}
    for pattern in (_SLASH, _NUMBERED):
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for heading, one in found.items():
            match = pattern.fullmatch(one.text)
            if match and not one.item and heading not in made:
                groups[match["text"].strip()].append((heading, match["item"].strip()))
        for text, some in groups.items():
            split = {heading: replace(found[heading], text=text, item=item) for heading, item in some}
            if len(some) > 1 and _ticks(list(split), split, columns):
                made |= {heading: _named(one, columns[heading]) for heading, one in split.items()}
    return made


def _named(one: Question, column: Column) -> Question:
    """Name an option by its label, which some exports write in the cell that ticks it."""
    labels = [text for text in column.counts if plain(text) not in scales.TICKED | scales.LEFT]
    return replace(one, item=labels[0]) if len(labels) == 1 else one


def _ticks(some: Sequence[str], found: Mapping[str, Question], columns: Mapping[str, Column]) -> bool:
    """Tell whether every column of a group ticks its option: yes or no, 1 or 0, or the option's own label."""
    ticked = False
    for heading in some:
        for text in columns[heading].counts:
            own = plain(text)
            label = own not in scales.TICKED and own not in scales.LEFT
            # A label alone in its column ticks it: that of the heading, or any under a mere number.
            alone = len(columns[heading].counts) == 1
            item = found[heading].item
            if label and not (alone and (own == plain(item) or item.isdigit())):
                return False
            ticked = ticked or own in scales.TICKED or label
    return ticked


# --- what a respondent said --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One answer to one question, as analyses read it."""

    question: str
    code: str
    item: str
    scale: str
    #: Degree or number; None where the answer has none.
    value: float | None = None
    #: Label or labels of a closed answer.
    answer: str | list[str] | None = None
    #: Text of an open one.
    comment: str | None = None


def unfolded(cells: Mapping[str, str], questions: Mapping[str, Question]) -> list[Said]:
    """Return what the cells of a respondent say: a line a question, the options of a choice together."""
    found: list[Said] = []
    chosen: dict[tuple[str, str], tuple[Question, list[str]]] = {}
    for heading, text in cells.items():
        one = questions[heading]
        if one.option:
            _, options = chosen.setdefault((one.code, one.text), (one, []))
            if plain(text) not in scales.LEFT:
                options.append(one.option)
        else:
            found.append(_said(one, text))
    found += [Said(one.text, one.code, "", "multiple", None, options) for one, options in chosen.values()]
    return found


def _said(one: Question, text: str) -> Said:
    base = one.text, one.code, one.item, one.scale.name
    if one.scale.name == "text":
        return Said(*base, comment=text)
    if one.scale.name == "multiple":
        return Said(*base, answer=[part.strip() for part in text.split(";") if part.strip()])
    value = one.scale.numbers.get(scales.word(text))
    if value is None and (one.scale.name.startswith("rating") or one.scale.name == "number"):
        value = scales.number(text)
        if value is not None:
            text = f"{value:g}"
    if one.scale.name == "number" and value is not None:
        return Said(*base, value=value)
    return Said(*base, value=value, answer=text)
