"""The report of a benchmark, in Markdown, French or English; no path of a machine is in it."""

from __future__ import annotations

import platform
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from lti_tool.benchmarking.outcomes import (
    FAILED,
    PASSED,
    READ,
    REFUSED,
    AnalysisOutcome,
    Check,
    DatasetOutcome,
    FileOutcome,
    Language,
    Said,
)

#: Files of a data set shown one by one; more are shown by kind.
_ONE_BY_ONE = 30
_STATES = {
    READ: Said("lu", "read"), REFUSED: Said("refusé", "refused"), PASSED: Said("laissé", "left"),
    FAILED: Said("en échec", "failed"),
}  # fmt: skip


def written(found: Sequence[DatasetOutcome], *, day: date, engine: str, language: Language) -> str:
    """Return the report."""
    return "\n".join([*_head(found, day, engine, language), *_parts(found, language)]).rstrip() + "\n"


class _Writer:
    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, fr: str, en: str) -> str:
        return en if self.language == "en" else fr

    def said(self, one: Said) -> str:
        return _cell(one.in_language(self.language))

    def check(self, one: Check) -> str:
        mark = {True: "= ", False: "**≠** ", None: ""}[one.holds]
        return f"{mark}{self.said(one.said)}"


def _head(found: Sequence[DatasetOutcome], day: date, engine: str, language: Language) -> Iterator[str]:
    w = _Writer(language)
    states = Counter(one.state for each in found for one in each.files)
    checks = Counter(
        check.holds
        for each in found
        for check in (
            *(one.check for one in each.files),
            *(figure.check for made in each.analyses for figure in made.figures),
        )
    )
    failed = sum(bool(made.failed) for each in found for made in each.analyses)
    wall, cpu = sum(each.clock.wall for each in found), sum(each.clock.cpu for each in found)
    yield w("# Banc d’essai sur des jeux de données", "# Benchmark on data sets")
    yield ""
    yield w(
        "Écrit par `estime benchmark DOSSIER` : chaque jeu de données entre dans une communauté à lui "
        "d’une base "
        "provisoire, comme par la page des imports, puis passe par chaque analyse qui lui convient.",
        "Written by `estime benchmark FOLDER`: each data set goes into a community of its own of a temporary "
        "store, as by the imports page, then through every analysis that fits it.",
    )
    yield ""
    rows = sum(one.rows for each in found for one in each.files if one.state == READ)
    yield w(
        f"{day:%d/%m/%Y} ; {engine}, Python {platform.python_version()}. **{len(found)} jeux, "
        f"{sum(states.values())} "
        f"fichiers : {states[READ]} lus ({rows} lignes ou déclarations), {states[REFUSED]} refusés avec "
        f"leur raison, "
        f"{states[PASSED]} laissés, {states[FAILED]} en échec ; {checks[True]} chiffres égaux à leur "
        f"référence, "
        f"{checks[False]} différents, {failed} analyses en échec ; {wall:.0f} s ({cpu:.0f} s de "
        f"processeur).**",
        f"{day:%Y-%m-%d}; {engine}, Python {platform.python_version()}. **{len(found)} sets, "
        f"{sum(states.values())} "
        f"files: {states[READ]} read ({rows} rows or statements), {states[REFUSED]} refused with their "
        f"reason, "
        f"{states[PASSED]} left, {states[FAILED]} failed; {checks[True]} figures equal to their reference, "
        f"{checks[False]} different, {failed} analyses failed; {wall:.0f} s ({cpu:.0f} s of processor).**",
    )
    yield ""
    yield w(
        "« = » : égal à la référence ; « ≠ » : différent. Les références sont recalculées par pandas, "
        "scipy ou "
        "scikit-learn, ou lues dans le README des données. Les seuils de publication s’appliquent.",
        "“=”: equal to the reference; “≠”: different. References are computed again by pandas, scipy or "
        "scikit-learn, or read in the data’s own README. Thresholds of disclosure apply.",
    )
    yield ""
    yield w("| jeu | fichiers | lus | refusés | laissés | analyses | mur (s) | processeur (s) |",
            "| set | files | read | refused | left | analyses | wall (s) | processor (s) |")  # fmt: skip
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for each in found:
        own = Counter(one.state for one in each.files)
        yield (
            f"| {_cell(each.name)} | {len(each.files)} | {own[READ]} | {own[REFUSED] + own[FAILED]} | "
            f"{own[PASSED]} "
            f"| {len(each.analyses)} | {each.clock.wall:.1f} | {each.clock.cpu:.1f} |"
        )
    yield ""


def _parts(found: Sequence[DatasetOutcome], language: Language) -> Iterator[str]:
    w = _Writer(language)
    for each in found:
        yield f"## {_cell(each.name)}"
        yield ""
        if each.about:
            yield _cell(each.about)
            yield ""
        yield from _files(each.files, w)
        yield from _analyses(each.analyses, w)


# --- files ------------------------------------------------------------------------------------------------


def _files(found: Sequence[FileOutcome], w: _Writer) -> Iterator[str]:
    if not found:
        return
    yield w(
        "| fichier | sort | jeu reconnu | lignes | refusées | raison, ou premières lignes refusées "
        "| référence | mur (s) |",
        "| file | outcome | dataset | rows | refused | reason, or first lines refused "
        "| reference | wall (s) |",
    )
    yield "|---|---|---|---:|---:|---|---|---:|"
    shown = [[one] for one in found] if len(found) <= _ONE_BY_ONE else _grouped(found)
    for group in shown:
        one = group[0]
        name = _cell(one.name) if len(group) == 1 else f"{_kind_of_name(one.name)} × {len(group)}"
        yield (
            f"| {name} | {w.said(_STATES[one.state])} | {one.kind or '–'} | "
            f"{sum(each.rows for each in group)} "
            f"| {sum(each.refused for each in group)} | {w.said(one.why) or '–'} | {w.check(one.check)} "
            f"| {sum(each.clock.wall for each in group):.1f} |"
        )
    yield ""
    mapped = [one for one in found if one.mapping and one.kind]
    if mapped and len(found) <= _ONE_BY_ONE:
        yield w("Colonnes proposées :", "Columns proposed:")
        yield ""
        for one in mapped:
            pairs = [f"{_cell(heading)[:40]} → {field}" for heading, field in one.mapping]
            more = f" (+ {len(pairs) - 8})" if len(pairs) > 8 else ""
            said = w(f"{len(pairs)} colonnes sur {one.columns}", f"{len(pairs)} of {one.columns} columns")
            yield f"- {_cell(one.name)}: {said} – {', '.join(pairs[:8])}{more}"
        yield ""


def _grouped(found: Sequence[FileOutcome]) -> list[list[FileOutcome]]:
    """Put together the files of one name (or one suffix) and one outcome."""
    groups: dict[tuple[str, str, str, str], list[FileOutcome]] = defaultdict(list)
    for one in found:
        groups[_kind_of_name(one.name), one.state, one.kind, one.why.en if one.state != READ else ""].append(
            one
        )
    return sorted(groups.values(), key=lambda group: -len(group))


def _kind_of_name(name: str) -> str:
    """Return what files of one kind have in common: the last part of their name, or its suffix."""
    last = name.rpartition("/")[2]
    return f"…/{last}" if "/" in name and name.count("/") > 1 else f"*.{last.rpartition('.')[2]}"


# --- analyses ---------------------------------------------------------------------------------------------


def _analyses(found: Sequence[AnalysisOutcome], w: _Writer) -> Iterator[str]:
    if not found:
        yield w("Aucune analyse ne s’y applique.", "No analysis applies to it.")
        yield ""
        return
    yield w("| analyse | trouvé | référence | mur (s) | processeur (s) |",
            "| analysis | found | reference | wall (s) | processor (s) |")  # fmt: skip
    yield "|---|---|---|---:|---:|"
    for made in found:
        if made.failed:
            said = f"{w('en échec', 'failed')} ({_cell(made.failed)})"
            yield f"| {w.said(made.title)} | {said} | – | {_times(made)} |"
        for rank, figure in enumerate(made.figures):
            title, times = (w.said(made.title), _times(made)) if not rank else ("", " | ")
            yield f"| {title} | {w.said(figure.said)} | {w.check(figure.check)} | {times} |"
    yield ""


def _times(made: AnalysisOutcome) -> str:
    return f"{made.clock.wall:.1f} | {made.clock.cpu:.1f}"


def _cell(text: str) -> str:
    """Write a text in a cell of a table: one line, no mark of a column."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
