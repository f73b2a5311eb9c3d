"""What the pages of imports print, and what their forms send back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import g, url_for

from lti_tool.exports import Table
from lti_tool.formatting import number
from lti_tool.imports import files, sentences, source_words
from lti_tool.imports.files import File, Refusal, Saved
from lti_tool.imports.preparation import Preparation
from lti_tool.imports.sentences import label
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting
from tool_config.references import plain
from tool_config.standards import Field, Standard
from xapi.sources import scales
from xapi.sources.cells import text_of
from xapi.sources.delimited import ENCODINGS, SEPARATORS
from xapi.sources.mapping import MappingFault

#: Files listed, the latest given.
MOST_FILES = 50
#: Lines told one by one on the page; the others are in the file of refused lines.
MOST_LINES = 50
#: Rows shown under the headings, longest text shown of a cell.
_ROWS, _CELL = 3, 60


def _groups() -> dict[str, str]:
    return {
        "people": gettext("Personnes et inscriptions"),
        "offer": gettext("Parcours, sessions et moyens"),
        "skills": gettext("Compétences"),
        "opinions": gettext("Questionnaires"),
        "use": gettext("Usages"),
        "": gettext("Vos jeux de données"),
    }


def _by_title(item: dict[str, Any]) -> str:
    return plain(str(item["title"]))


def kinds(known: Mapping[str, Standard], chosen: str = "") -> list[dict[str, Any]]:
    """Return the datasets for a choice, by group."""
    found: list[dict[str, Any]] = []
    for group, title in _groups().items():
        some: list[dict[str, Any]] = [
            {"name": one.name, "title": label(one.title), "chosen": one.name == chosen}
            for one in known.values()
            if (one.group if one.group in _groups() else "") == group
        ]
        if some:
            found.append({"title": title, "kinds": sorted(some, key=_by_title)})
    return found


# --- the list ----------------------------------------------------------------------------------------------


def listing(
    given: Sequence[File],
    known: Mapping[str, Standard],
    counts: Mapping[str, tuple[int, datetime]],
    saved: Sequence[Saved],
) -> dict[str, Any]:
    """Return what the page of imports prints."""
    return {
        "lead": _lead(given),
        "groups": kinds(known),
        "files": [_line(file, known) for file in given[:MOST_FILES]],
        "older": _older() if len(given) > MOST_FILES else "",
        "datasets": [_dataset(one, counts.get(one.name)) for one in known.values()],
        "saved": [{"name": one.name, "title": _title(one.kind, known)} for one in saved],
    }


def _lead(given: Sequence[File]) -> str:
    waiting = sum(file.state == files.DRAFT for file in given)
    if waiting:
        return ngettext(
            "Un fichier attend votre accord pour être importé.",
            "%(num)d fichiers attendent votre accord pour être importés.",
            waiting,
        )
    if any(file.refused for file in given if file.state == files.DONE):
        return gettext("Des lignes ont été refusées : ouvrez l’import pour les corriger.")
    return gettext("Déposez un fichier : vous verrez comment il est lu avant que rien n’entre.")


def _line(file: File, known: Mapping[str, Standard]) -> dict[str, Any]:
    return {
        "name": file.name,
        "url": url_for("pages.import_one", file_id=file.file_id),
        "title": _title(file.kind, known),
        "at": file.created_at,
        "say": state(file),
        "refused": number(file.refused) if file.refused else "",
        "by": "" if file.created_by else gettext("dépôt automatique"),
    }


def _title(kind: str, known: Mapping[str, Standard]) -> str:
    return label(known[kind].title) if kind in known else "–"


def state(file: File) -> str:
    """Say where a file stands."""
    if file.state == files.DRAFT:
        return gettext("à vérifier")
    if file.state == files.REFUSED:
        return gettext("refusé")
    if file.state == files.RUNNING:
        return gettext("en cours")
    entered = file.added + file.changed
    if not entered:
        return gettext("rien de nouveau")
    return ngettext("%(count)s ligne entrée", "%(count)s lignes entrées", entered, count=number(entered))


def _dataset(one: Standard, known: tuple[int, datetime] | None) -> dict[str, Any]:
    return {
        "title": label(one.title),
        "about": label(one.about),
        "rows": number(known[0]) if known else "–",
        "at": known[1] if known else None,
        "blank_url": url_for("pages.standard_file", kind=one.name, name="modele.xlsx"),
        "example_url": url_for("pages.standard_file", kind=one.name, name="exemple.csv"),
        "fields": [_field(field) for field in one.fields],
    }


def _field(field: Field) -> dict[str, Any]:
    about = [label(field.about)] if field.about else []
    if field.values:
        about.append(", ".join(label(value.label) for value in field.values))
    return {
        "label": label(field.label),
        "type": sentences.type_label(field) + (f" ({field.unit})" if field.unit else ""),
        "required": field.required,
        "about": " ".join(about),
        "example": field.example,
    }


# --- before it goes in -------------------------------------------------------------------------------------


def draft(
    ready: Preparation, known: Mapping[str, Standard], earlier: File | None, sites: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the page of a waiting file prints; `sites`: addresses of the platforms known."""
    file, detected = ready.file, ready.detected
    return {
        "lead": _what(ready),
        "earlier": earlier.created_at if earlier else None,
        "saved_as": ready.saved,
        "groups": kinds(known, file.kind),
        "about": label(ready.standard.about) if ready.standard else "",
        "form": file.reading.form,
        "reading": file.reading,
        "encodings": _with(ENCODINGS, file.reading.encoding),
        "separators": [(mark, _separator(mark)) for mark in _with(SEPARATORS, file.reading.separator)],
        "sheets": detected.sheets,
        "members": detected.members,
        "columns": [_column(rank, name, ready) for rank, name in enumerate(detected.header)],
        "choices": _choices(ready.standard),
        "constants": _constants(ready),
        "sites": sites,
        "missing": missing(ready),
        "ready": ready.standard is not None and not ready.faults,
    }


def _with(known: Sequence[str], chosen: str) -> list[str]:
    return list(known) if chosen in known else [*known, chosen]


def _separator(mark: str) -> str:
    return {";": gettext("point-virgule"), ",": gettext("virgule"), "\t": gettext("tabulation")}.get(
        mark, mark
    )


def _what(ready: Preparation) -> str:
    count = ready.detected.count
    lines = ngettext("%(count)s ligne", "%(count)s lignes", count, count=number(count))
    columns = ngettext("%(num)d colonne", "%(num)d colonnes", sum(map(bool, ready.detected.header)))
    return gettext("%(lines)s, %(columns)s. Rien n’est encore entré.", lines=lines, columns=columns)


def _column(rank: int, name: str, ready: Preparation) -> dict[str, Any]:
    texts = [text_of(row.cells[rank]) for row in ready.detected.first if rank < len(row.cells)]
    return {
        "rank": rank,
        "name": name or gettext("(sans titre)"),
        "field": ready.file.columns[rank],
        "scale": _scale(texts) if ready.file.columns[rank] == "asked" else "",
        "texts": [one if len(one) <= _CELL else one[:_CELL] + "…" for one in texts[:_ROWS] if one],
    }


def _scale(texts: Sequence[str]) -> str:
    """Say how the first answers of a question are read; the others may change it."""
    found = scales.recognise(Counter(text for text in texts if text)).name
    return source_words.scale(found) if found in scales.WORDED else ""


def _choices(standard: Standard | None) -> list[tuple[str, str]]:
    if standard is None:
        return []
    return [(f.id, label(f.label) + (" *" if f.required else "")) for f in standard.fields]


def _constants(ready: Preparation) -> list[dict[str, Any]]:
    """Return the fields that no column gives and that one value may give for the whole file."""
    if ready.standard is None:
        return []
    found = []
    for field in ready.standard.fields:
        if field.id not in ready.file.columns and field.type != "address":
            given = ready.file.constants.get(field.id, "")
            needed = any(fault.field.id == field.id for fault in ready.faults)
            offered = field.required or bool(given) or field.role in ("session", "path", "day", "module")
            offered = offered or field.id == "degrees"  # of the scales of a questionnaire
            if offered or needed:
                found.append(
                    {"id": field.id, "label": label(field.label), "value": given, "needed": needed,
                     "example": field.example}
                )  # fmt: skip
    return found


def missing(ready: Preparation) -> list[str]:
    """Say what keeps a file from going in."""
    if ready.standard is None:
        return [gettext("Dites de quel jeu de données il s’agit.")]
    return [_mapping_fault(fault) for fault in ready.faults]


def _mapping_fault(fault: MappingFault) -> str:
    name = label(fault.field.label)
    if fault.code == "twice":
        return gettext("« %(field)s » est donné par deux colonnes : n’en gardez qu’une.", field=name)
    if fault.instead is not None:
        return gettext(
            "Aucune colonne ne donne « %(field)s », ni « %(other)s ».",
            field=name,
            other=label(fault.instead.label),
        )
    return gettext("Aucune colonne ne donne « %(field)s ».", field=name)


def corrections(file: File, form: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form of a waiting file corrects, as arguments of `preparation.prepare`."""
    reading: dict[str, Any] = {}
    for name in ("encoding", "separator", "sheet", "member", "decimal", "days"):
        if form.get(name):
            reading[name] = form[name]
    for name in ("header", "last"):
        text = form.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 8 and (name == "last" or int(text)):
            reading[name] = int(text)
    if reading.get("encoding") not in _with(ENCODINGS, file.reading.encoding):
        reading.pop("encoding", None)
    if reading.get("separator") not in _with(SEPARATORS, file.reading.separator):
        reading.pop("separator", None)
    kind = form.get("kind", "")
    columns: tuple[str, ...] | None = None
    count = form.get("columns", "")
    moved = any(
        name in reading and reading[name] != getattr(file.reading, name)
        for name in ("encoding", "separator", "sheet", "member", "header")
    )
    if (
        kind == file.kind
        and not moved
        and count.isascii()
        and count.isdigit()
        and int(count) == len(file.header)
    ):
        columns = tuple(form.get(f"column-{rank}", "") for rank in range(int(count)))
    constants = {
        name.removeprefix("constant-"): text.strip()[:300]
        for name, text in form.items()
        if name.startswith("constant-") and text.strip()
    }
    return {"kind": kind, "reading": reading, "columns": columns, "constants": constants}


# --- afterwards --------------------------------------------------------------------------------------------


def report(file: File, known: Mapping[str, Standard], told: Sequence[Refusal], kept: int) -> dict[str, Any]:
    """Return what the page of a file that is in, or going in, prints."""
    share = 100 * file.position / file.total if file.total else 0
    return {
        "file": file,
        "title": _title(file.kind, known),
        "running": file.state == files.RUNNING,
        "share": round(share),
        "lead": _became(file),
        "counts": [(name, number(count)) for name, count in _counts(file)],
        "notes": [
            sentences.note(code, count)
            for code, count in file.notes.items()
            if isinstance(count, int) and count
        ],
        "lines": [
            {"line": one.line, "faults": [sentences.cell_fault(fault) for fault in one.faults]}
            for one in told
        ],
        "more": max(kept - len(told), 0),
        "lost": lost(file.refused - kept) if file.refused > kept else "",
        "refused_url": url_for("pages.import_refused_csv", file_id=file.file_id) if kept else None,
        "replay_url": url_for("pages.import_replay", file_id=file.file_id),
    }


def _became(file: File) -> str:
    if file.state == files.RUNNING:
        return gettext("L’import est en cours. Vous pouvez quitter cette page : il continue.")
    if file.state == files.REFUSED:
        return sentences.file_fault(file.notes["fault"], file.notes.get("params", {}))
    if not file.refused:
        return gettext("Tout est entré.") if file.added + file.changed else gettext("Tout y était déjà.")
    return ngettext(
        "Une ligne n’a pas pu entrer : corrigez-la, puis renvoyez-la.",
        "%(count)s lignes n’ont pas pu entrer : corrigez-les, puis renvoyez-les.",
        file.refused,
        count=number(file.refused),
    )


def _counts(file: File) -> list[tuple[str, int]]:
    return [
        (gettext("Lignes lues"), file.position),
        (gettext("Nouvelles"), file.added),
        (gettext("Changées"), file.changed),
        (gettext("Déjà là, à l’identique"), file.same),
        (gettext("Refusées"), file.refused),
    ]


def _older() -> str:
    return gettext("Les %(count)s derniers fichiers sont montrés.", count=number(MOST_FILES))


def lost(count: int) -> str:
    """Say that refused lines were not kept."""
    return ngettext(
        "%(num)d ligne refusée de plus n’a pas été gardée.",
        "%(num)d lignes refusées de plus n’ont pas été gardées.",
        count,
    )


# --- files -------------------------------------------------------------------------------------------------


def files_table(found: Sequence[File], known: Mapping[str, Standard]) -> Table:
    """Return the files given last; `found` has one more when there are older ones."""
    columns = [
        gettext("Fichier"), gettext("Jeu de données"), gettext("État"), gettext("Lignes refusées"),
        gettext("Déposé"), gettext("Dépôt automatique"),
    ]  # fmt: skip
    rows = [
        (
            file.name, _title(file.kind, known), state(file), file.refused,
            file.created_at.astimezone(g.zone), not file.created_by,
        )
        for file in found[:MOST_FILES]
    ]  # fmt: skip
    left_out = _older() if len(found) > MOST_FILES else ""
    return Table("imports", gettext("Fichiers déposés"), columns, rows, noting.community(), left_out)


def datasets_table(known: Mapping[str, Standard]) -> Table:
    """Return the columns of every dataset."""
    columns = [
        gettext("Jeu de données"), gettext("Colonne"), gettext("Nature"), gettext("À remplir"),
        gettext("Exemple"), gettext("Précisions"),
    ]  # fmt: skip
    rows = [
        (label(one.title), each["label"], each["type"], each["required"], each["example"], each["about"])
        for one in known.values()
        for each in map(_field, one.fields)
    ]
    return Table("jeux-de-donnees", gettext("Ce que l’outil comprend"), columns, rows, noting.community())


def counts_table(file: File) -> Table:
    """Return what became of the lines of a file."""
    words = [(gettext("Fichier"), file.name)]
    name = gettext("Ce que sont devenues les lignes")
    columns = [gettext("Quoi"), gettext("Nombre")]
    return Table("compte-rendu", name, columns, _counts(file), noting.community(words))
