"""Analyses of the columns of a table, whatever its file is: crossings, interruption, comments, marks.

They serve where the store has no place for a file, and set the tool's own analyses against other libraries.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

from analyzers import crossing, disclosure, interruption, recomputed
from analyzers.comments import work
from analyzers.comments.polarity import CLASSES
from lti_tool.benchmarking.outcomes import Check, Figure, Said
from lti_tool.benchmarking.taking import Raw

#: Categories of a column that may be crossed.
_FEW, _MANY = 2, 12
#: Pairs of columns crossed of a table, comments read of a column: enough to prove, not to wait.
_PAIRS, _COMMENTS = 6, 300
_NUMBER = re.compile(r"^[-+]?\d+(?:[.,]\d+)?$")
_ENDED = re.compile(r"unregist|desinscri|désinscri|abandon|left|depart|départ|interrup", re.IGNORECASE)
_TEXT_LENGTH, _WORDS = 25, 4
_EPSILON = 1e-6


def crossings(raw: Raw, k: int) -> Iterator[Figure]:
    """Cross pairs of columns with few categories, the strongest first; χ² is set against scipy's."""
    columns = _categories(raw)
    found = []
    for (first, one), (second, other) in list(combinations(columns.items(), 2))[: _PAIRS * 4]:
        pairs = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
        if len(pairs) < k:
            continue
        made = crossing.cross(pairs, k=k, other=disclosure.OTHER)
        if made.association is not None:
            found.append((made.association, first, second, pairs))
    found.sort(key=lambda item: -item[0].v)
    for association, first, second, pairs in found[:_PAIRS]:
        figure = f"V = {association.v:.3f} [{association.low:.3f} ; {association.high:.3f}]"
        p = f"p = {association.p:.2g}" if association.p >= 1e-4 else "p < 0,0001"
        yield Figure(
            Said(f"{first} × {second} : {figure}, {p} (n = {association.n})",
                 f"{first} × {second}: {figure}, {p.replace(',', '.')} (n = {association.n})"),
            same_chi2(association, pairs),
        )  # fmt: skip


def same_chi2(association: crossing.Association, pairs: Sequence[tuple[str, str]]) -> Check:
    rows, columns = len({a for a, _ in pairs}), len({b for _, b in pairs})
    if association.method != "chi2":
        return Check(Said("par permutation : rien de tel dans scipy", "by permutation: scipy has none"))
    if (rows, columns) != association.shape:
        return Check(Said("petites catégories réunies avant le test", "small categories gathered first"))
    other = recomputed.chi2(pairs)
    holds = abs(other - association.chi2) <= _EPSILON * max(1.0, other)
    said = f"scipy : χ² = {other:.4f}"
    return Check(Said(said, said.replace(" :", ":")), holds)


def _categories(raw: Raw) -> dict[str, list[str]]:
    """Return the columns of few categories, each of them held by several rows."""
    found = {}
    for place, heading in enumerate(raw.header):
        values = raw.column(place)
        counts = Counter(value for value in values if value)
        if heading and _FEW <= len(counts) <= _MANY and counts.total() >= len(values) / 2:
            found[heading] = values
    return found


# --- interruption -----------------------------------------------------------------------------------------


def interruptions(raw: Raw) -> Iterator[Figure]:
    """Follow who left and when: Kaplan–Meier and log-rank, set against scipy's."""
    place = next((n for n, heading in enumerate(raw.header) if _ENDED.search(heading)), None)
    if place is None:
        return
    values = raw.column(place)
    if not any(values) or not all(_NUMBER.match(value) for value in values if value):
        return
    ended = [bool(value) for value in values]
    last = max(_number(value) for value in values if value)
    times = [_number(value) if value else last for value in values]
    found = interruption.left((times, ended))
    if found is None:
        return
    other = recomputed.still_there(times, ended)
    name = raw.header[place]
    yield Figure(
        Said(
            f"« {name} » : {found.share:.1%} encore là après {found.after:g} jours "
            f"[{found.low:.1%} ; {found.high:.1%}] (n = {found.n})",
            f"“{name}”: {found.share:.1%} still there after {found.after:g} days "
            f"[{found.low:.1%}; {found.high:.1%}] (n = {found.n})",
        ),
        Check(Said(f"scipy : {other:.4%}", f"scipy: {other:.4%}"), abs(other - found.share) < _EPSILON),
    )
    yield from _by_group(raw, times, ended)


def _by_group(raw: Raw, times: Sequence[float], ended: Sequence[bool]) -> Iterator[Figure]:
    """Compare the two largest groups of each column of few categories."""
    for heading, values in list(_categories(raw).items())[:3]:
        (first, _), (second, _) = Counter(value for value in values if value).most_common(2)
        groups = [
            (
                [time for time, value in zip(times, values, strict=True) if value == name],
                [over for over, value in zip(ended, values, strict=True) if value == name],
            )
            for name in (first, second)
        ]
        found = interruption.compare(groups)
        if found is None:
            continue
        other = recomputed.log_rank(groups[0], groups[1])
        text = f"log-rank χ² = {found.chi2:.3f}, p = {found.p:.2g}"
        yield Figure(
            Said(
                f"{heading}, « {first} » et « {second} » : {text}",
                f"{heading}, “{first}” and “{second}”: {text}",
            ),
            Check(Said(f"scipy : χ² = {other:.3f}", f"scipy: χ² = {other:.3f}"),
                  abs(other - found.chi2) <= _EPSILON * max(1.0, other)),
        )  # fmt: skip


# --- comments ---------------------------------------------------------------------------------------------


def comments(raw: Raw) -> Iterator[Figure]:
    """Read the column of longest texts: themes, polarity, which labels of the file are set against."""
    place = _texts(raw)
    if place is None:
        return
    labels = next((n for n, heading in enumerate(raw.header) if heading.strip().lower() == "polarity"), None)
    rows = list(
        dict.fromkeys(
            (row[place], row[labels] if labels is not None else "") for row in raw.rows if row[place]
        )
    )
    rows = rows[:_COMMENTS]
    made = work.read(
        {"texts": [text for text, _ in rows], "each": 11, "roster_of": [0] * len(rows), "rosters": [[]],
         "kept": [], "known": []},
        lambda *_: None,
    )  # fmt: skip
    placed = sum(member >= 0 for member in made["members"])
    first = ", ".join(made["themes"][0]["words"][:5]) if made["themes"] else "–"
    yield Figure(
        Said(
            f"« {raw.header[place]} » : {len(rows)} textes, {len(made['themes'])} thèmes qui en réunissent "
            f"{placed} ; le premier : {first}",
            f"“{raw.header[place]}”: {len(rows)} texts, {len(made['themes'])} themes gathering {placed}; "
            f"the first: {first}",
        )
    )
    counts = Counter(made["polarities"])
    told = ", ".join(f"{name} {counts[name]}" for name in CLASSES)
    yield Figure(Said(f"polarité : {told}", f"polarity: {told}"), _polarity(rows, made["polarities"]))


def _texts(raw: Raw) -> int | None:
    """Return the column that holds sentences, the longest ones; None when none does."""
    best, found = 0.0, None
    for place in range(len(raw.header)):
        values = [value for value in raw.column(place) if value]
        if len(values) < 30 or len(set(values)) < len(values) / 4:
            continue
        length = median(map(len, values))
        if (
            length >= _TEXT_LENGTH
            and median(len(value.split()) for value in values) >= _WORDS
            and length > best
        ):
            best, found = length, place
    return found


def _polarity(rows: Sequence[tuple[str, str]], said: Sequence[str]) -> Check:
    """Set the polarities against the labels of the file, where a text has one."""
    labels: dict[str, set[str]] = {}
    for text, label in rows:
        if label in CLASSES:
            labels.setdefault(text, set()).add(label)
    pairs = [
        (found, next(iter(labels[text])))
        for (text, _), found in zip(rows, said, strict=True)
        if len(labels.get(text, ())) == 1
    ]
    if not pairs:
        return Check(Said("aucune étiquette dans le fichier", "no label in the file"))
    right = recomputed.accuracy([one for one, _ in pairs], [label for _, label in pairs])
    common = Counter(label for _, label in pairs).most_common(1)[0][1] / len(pairs)
    return Check(
        Said(
            f"étiquettes du fichier : {right:.1%} justes sur {len(pairs)} (la plus fréquente : {common:.1%})",
            f"labels of the file: {right:.1%} right of {len(pairs)} (the commonest: {common:.1%})",
        )
    )


def _number(text: str) -> float:
    return float(text.replace(",", "."))
