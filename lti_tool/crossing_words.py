"""What a crossing says, in plain sentences: how strong, how sure, which pairs stand out."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.crossing import LEVEL, Association, CrossCell, Crossing
from analyzers.dimensions import Arranged
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, ngettext

#: Pairs told in sentences; the others are in the table.
MOST_SAID = 5
#: Cramér's V from which a link is called weak, clear, strong (Cohen 1988, for two categories).
_WEAK, _CLEAR, _STRONG = 0.1, 0.3, 0.5


def strength(found: Association, row: str, column: str) -> str:
    """Say how two dimensions go together: the size first, then how sure it is."""
    size = gettext(
        "V de Cramér %(v)s, entre %(low)s et %(high)s",
        v=number(found.v, 2),
        low=number(found.low, 2),
        high=number(found.high, 2),
    )
    if found.p >= LEVEL:
        return gettext(
            "Rien n’indique un lien entre « %(row)s » et « %(column)s » (%(size)s ; %(p)s).",
            row=row, column=column, size=size, p=_p(found),
        )  # fmt: skip
    word = (
        gettext("fort") if found.v >= _STRONG
        else gettext("net") if found.v >= _CLEAR
        else gettext("faible") if found.v >= _WEAK
        else gettext("très faible")
    )  # fmt: skip
    return gettext(
        "Lien %(word)s entre « %(row)s » et « %(column)s » (%(size)s ; %(p)s).",
        word=word, row=row, column=column, size=size, p=_p(found),
    )  # fmt: skip


def _p(found: Association) -> str:
    value = gettext("p < 0,001") if found.p < 0.001 else gettext("p = %(p)s", p=number(found.p, 3))
    if found.method == "permutation":
        return gettext("%(p)s, par permutation", p=value)
    return value


def pair(row: str, column: str, cell: CrossCell) -> str:
    """Say how often a pair comes, against what was expected, with its count."""
    if cell.count is None:
        return gettext("%(row)s × %(column)s : non montré", row=row, column=column)
    if not cell.count:
        return gettext(
            "%(row)s : « %(column)s » n’y vient jamais ; on en attendait %(expected)s.",
            row=row, column=column, expected=number(cell.expected, 1),
        )  # fmt: skip
    ratio, n = cell.ratio or 1.0, number(cell.count)
    if ratio >= 1:
        return gettext(
            "%(row)s : « %(column)s » vient %(ratio)s fois plus souvent qu’attendu ; n = %(n)s.",
            row=row, column=column, ratio=number(ratio, 1), n=n,
        )  # fmt: skip
    return gettext(
        "%(row)s : « %(column)s » vient %(ratio)s fois moins souvent qu’attendu ; n = %(n)s.",
        row=row, column=column, ratio=number(1 / ratio, 1), n=n,
    )  # fmt: skip


def pairs(found: Crossing, rows: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Say the pairs that stand out, the strongest first."""
    return [pair(rows[i], columns[j], found.cells[i][j]) for i, j in found.strongest[:MOST_SAID]]


def title(found: Crossing, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Say what the chart shows: the pair that stands out most, or that none does."""
    if not found.strongest:
        return gettext("Aucun couple ne sort de ce qui était attendu")
    i, j = found.strongest[0]
    cell = found.cells[i][j]
    said = {"row": rows[i], "column": columns[j]}
    if (cell.ratio or 0) > 1:
        return gettext("« %(row)s » va plus souvent qu’attendu avec « %(column)s »", **said)
    return gettext("« %(row)s » va moins souvent qu’attendu avec « %(column)s »", **said)


def basis(arranged: Arranged, k: int) -> list[str]:
    """Say who is counted, who is left out, and what is not shown."""
    said = [
        ngettext(
            "%(n)s personne comptée.", "%(n)s personnes comptées.", arranged.units, n=number(arranged.units)
        )
        if arranged.people
        else ngettext(
            "%(n)s ligne comptée.", "%(n)s lignes comptées.", arranged.units, n=number(arranged.units)
        )
    ]
    if arranged.missing:
        said.append(
            ngettext(
                "%(n)s est laissée de côté, faute de l’une des deux valeurs.",
                "%(n)s sont laissées de côté, faute de l’une des deux valeurs.",
                arranged.missing,
                n=number(arranged.missing),
            )
        )
    if arranged.last:
        said.append(
            gettext("Quand les valeurs d’une personne changent, la dernière connue de chacune est prise.")
        )
    if arranged.choices:
        said.append(
            gettext(
                "Une personne peut avoir plusieurs valeurs : chaque colonne est éprouvée à part, et les "
                "probabilités sont corrigées de leur nombre (Holm)."
            )
        )
    said.append(
        gettext(
            "Les catégories de moins de %(k)s sont réunies, les petites cases ne sont pas montrées, ni "
            "celles qui permettraient de les retrouver.",
            k=number(k),
        )
    )
    return said


def short(cell: CrossCell) -> str:
    """Write a cell of the table: count, share of its row, and a mark when it stands out."""
    if cell.count is None:
        return gettext("non montré")
    mark = "" if not cell.stands_out else " ▲" if (cell.ratio or 0) > 1 else " ▼"
    return f"{number(cell.count)} ({percent(cell.share)}){mark}"
