"""Which column of a file is which field of a standard: proposed, then corrected by a person.

PURE. A mapping is one field id a column, in the order of the columns; "" leaves a column out. A field of type
list may stand for several columns.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tool_config import references
from tool_config.references import plain
from tool_config.standards import Field, Standard
from xapi.sources import questions, reading, scales
from xapi.sources.cells import Cell, Row, text_of

Columns = tuple[str, ...]

#: Least likeness of two headings, from 0 to 1.
_LIKE = 0.6
#: Columns answered in the words of a scale from which on a file is a questionnaire.
_WORDED = 3
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.I)
#: Types whose cells are tried before a column is proposed for a field, and the manners in which they are.
_CHECKED = frozenset({"day", "instant"})
_MANNERS = (reading.Manner(), reading.Manner(".", "mdy"))
_EMPTY_WORDS = frozenset(plain("de la le les du des d l un une en a au aux et ou the of in on").split())


@dataclass(frozen=True)
class MappingFault:
    """What keeps a mapping from being used; `code`: missing, twice."""

    code: str
    field: Field
    #: The field that may stand instead.
    instead: Field | None = None


def known_headings(standards: Collection[Standard]) -> frozenset[str]:
    """Return every heading of some standards, plainly written."""
    return frozenset(
        plain(name) for standard in standards for field in standard.fields for name in field.names
    )


def header_digest(header: Sequence[str]) -> str:
    """Return a hash of the headings, the same whatever their case and accents."""
    return hashlib.sha256("\n".join(plain(name) for name in header).encode()).hexdigest()[:32]


def propose(header: Sequence[str], rows: Sequence[Row], standard: Standard) -> Columns:
    """Propose a mapping: by exact headings first, then by likeness, then by what the cells say."""
    found = [""] * len(header)
    free = list(standard.fields)
    for likeness in (_exact, _alike):
        scored = sorted(
            (
                (-likeness(name, field), order, rank, field)
                for rank, name in enumerate(header)
                if not found[rank] and name
                for order, field in enumerate(free)
            ),
            key=lambda item: item[:3],
        )
        for score, _, rank, field in scored:
            if score >= 0 or found[rank] or (field not in free and field.type != "list"):
                continue
            found[rank] = field.id
            if field in free and field.type != "list":
                free.remove(field)
    for rank in _unreadable(found, rows, standard):
        found[rank] = ""
    _sniff(found, rows, [field for field in free if field.id not in found])
    _ask(found, header, standard)
    return tuple(found)


def _ask(found: list[str], header: Sequence[str], standard: Standard) -> None:
    """Give the columns of a questionnaire that are of nothing else to its questions, one a column.

    Where a column holds the wording of the question and another its answer, it is one line an answer already.
    """
    asked = next((field.id for field in standard.fields if field.type == "columns"), None)
    if asked is None or ("question" in found and {"answer", "value"} & set(found)):
        return
    for rank, name in enumerate(header):
        if name and found[rank] in ("", "question", "answer", "value"):
            found[rank] = "" if questions.technical(name) else asked


def _unreadable(found: Sequence[str], rows: Sequence[Row], standard: Standard) -> list[int]:
    """Return the columns whose first cells say nothing that their field could be: days that are no days…

    A required field keeps its column: each line then tells what is wrong with it.
    """
    wrong = []
    for rank, name in enumerate(found):
        field = standard.field(name) if name else None
        if field is None or field.required or field.type not in _CHECKED:
            continue
        cells = [row.cells[rank] for row in rows if rank < len(row.cells) and text_of(row.cells[rank])]
        if len(cells) >= 2 and not any(_reads(cell, field) for cell in cells):
            wrong.append(rank)
    return wrong


def _reads(cell: Cell, field: Field) -> bool:
    for manner in _MANNERS:
        try:
            reading.read(cell, field, manner)
        except reading.CellFault:
            continue
        return True
    return False


#: Words that a heading of identifiers holds.
_NAMING = frozenset({"id", "identifiant", "userid", "code", "numero"})


def _finer(header: Sequence[str], standard: Standard, others: Collection[Standard]) -> bool:
    """Tell whether a file names in each row a person or a thing that a dataset has no field for.

    Its rows are then of something finer: clicks of a person on a resource are no enrolments, and would
    replace one another. A dataset that takes a column a question takes any.
    """
    if any(field.type == "columns" for field in standard.fields):
        return False
    own = known_headings([standard])
    naming = {
        plain(name)
        for other in others
        for field in other.fields
        if field.role == "person" or (field.id in other.key and field.role in ("", "dimension"))
        for name in field.names
    }
    return any(
        set(re.split(r"[ _]", plain(name))) & _NAMING and plain(name) in naming - own
        for name in header
        if name
    )


def _fits(columns: Columns, standard: Standard) -> bool:
    """Tell whether columns could be of a standard at all.

    People are named by a column, and something is said of them; a dataset that requires nothing is known by
    something that it counts.
    """
    given = set(columns)
    for field in standard.fields:
        named = field.id in given or field.instead in given
        if field.required and field.role == "person" and not named:
            return False
    people = {field.id for field in standard.of_role("person")}
    if any(field.required for field in standard.fields):
        return bool(given - people - {""})
    return any(field.id in given for field in standard.measures)


def guess_kind(header: Sequence[str], rows: Sequence[Row], standards: Mapping[str, Standard]) -> str:
    """Return the name of the standard that a header fits best; "" when it fits none."""
    best, name = 0.0, ""
    for standard in standards.values():
        columns = propose(header, rows, standard)
        if not _fits(columns, standard) or _finer(header, standard, standards.values()):
            continue
        unread = sum(
            not field and any(_exact(heading, one) > 0 for one in standard.fields if one.type in _CHECKED)
            for heading, field in zip(header, columns, strict=True)
        )
        columns = tuple(
            "" if _is_columns(field, standard) and not questions.questioning(heading) else field
            for heading, field in zip(header, columns, strict=True)
        )
        known = [field for field in columns if field]
        required = [field for field in standard.fields if field.required]
        # What no column gives may be given once for the whole file: the session of a list, most of all.
        missing = [fault.field for fault in faults(columns, (), standard)]
        lacking = sum(0.25 if field.role == "session" else 0.75 for field in missing)
        exact = sum(
            _exact(heading, standard.field(field)) > 0  # type: ignore[arg-type]
            for heading, field in zip(header, columns, strict=True)
            if field
        )
        asked = sum(_is_columns(field, standard) for field in known)
        own = sum(field.role not in ("session", "day") for field in missing)
        if missing and not asked and exact <= max(1, own):
            continue
        score = exact + 0.5 * (len(known) - exact) - lacking - 0.5 * unread + 0.1 * len(required)
        if known and score > best:
            best, name = score, standard.name
    return name or next((one.name for one in standards.values() if _answered(header, rows, one)), "")


def _answered(header: Sequence[str], rows: Sequence[Row], standard: Standard) -> bool:
    """Tell whether a file of no dataset is a questionnaire all the same: it numbers or names its respondents,
    and several of its columns are answered in the words of a scale, whatever their headings.
    """
    columns = propose(header, rows, standard)
    if not {"respondent", *(field.id for field in standard.of_role("person"))} & set(columns):
        return False
    worded = 0
    for rank, field in enumerate(columns):
        if _is_columns(field, standard):
            texts = [text_of(row.cells[rank]) for row in rows if rank < len(row.cells)]
            said = Counter(text for text in texts if text)
            worded += len(said) > 1 and scales.recognise(said).name in scales.WORDED
    return worded >= _WORDED


def faults(columns: Columns, constants: Collection[str], standard: Standard) -> list[MappingFault]:
    """Return what keeps a mapping from being used; `constants`: fields given once for the whole file."""
    given = {*columns, *constants} - {""}
    found = []
    for field in standard.fields:
        if field.required and field.id not in given and field.instead not in given:
            instead = standard.field(field.instead) if field.instead else None
            found.append(MappingFault("missing", field, instead))
        if columns.count(field.id) > 1 and field.type not in ("list", "columns"):
            found.append(MappingFault("twice", field))
    return found


def _is_columns(name: str, standard: Standard) -> bool:
    field = standard.field(name)
    return field is not None and field.type == "columns"


def _exact(heading: str, field: Field) -> float:
    wanted = plain(heading)
    return 1.0 if wanted and any(plain(name) == wanted for name in field.names) else 0.0


def _alike(heading: str, field: Field) -> float:
    """Return how much a heading is like the best name of a field, 0 under the least."""
    words = set(plain(heading).split()) - _EMPTY_WORDS
    best = 0.0
    for name in field.names:
        other = set(plain(name).split()) - _EMPTY_WORDS
        if words and other:
            best = max(best, len(words & other) / len(words | other))
    if (
        field.type == "list"
        and words
        and re.sub(r"\d+", "", plain(heading)).strip() in map(plain, field.names)
    ):
        return 1.0
    return best if best >= _LIKE else 0.0


def _sniff(found: list[str], rows: Sequence[Row], free: Sequence[Field]) -> None:
    """Give columns without a name of ours to fields that their cells show: addresses, references."""
    for field in free:
        for rank, taken in enumerate(found):
            if taken:
                continue
            texts = [text_of(row.cells[rank]) for row in rows if rank < len(row.cells)]
            texts = [text for text in texts if text]
            if len(texts) >= 2 and all(_shows(text, field) for text in texts):
                found[rank] = field.id
                break


def _shows(text: str, field: Field) -> bool:
    if field.type == "address":
        return _ADDRESS.fullmatch(text) is not None
    if field.reference:
        table = references.load()[field.reference]
        return not text.isdigit() and table.find(text) is not None
    return False
