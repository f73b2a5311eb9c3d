"""The administrator's page of data quality: what is to be mended, the worst first, then each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for

from analyzers import figures
from analyzers.quality import KNOWN, Dataset, Finding, Key, Platform, Supply, findings, trend
from lti_tool import access, quality, quality_sentences, quality_words
from lti_tool.exports import Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.improvements.silo_kinds import quality_reference
from lti_tool.language import gettext, language, ngettext
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.listing import address
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos
from tool_config.standards import Standard
from xapi import datasets, supply


def quality_page(launch: str) -> str:
    """Show what is to be mended in the data, or one source in full."""
    access.require(viewer(), "admin")
    here, now, who = tool(), tool().clock(), viewer()
    with reading() as conn:
        zone = ZoneInfo(silos.get(conn, who.silo_id).time_zone)
        set_time(now, zone)
        known = datasets.known(conn, who.silo_id)
        received = quality.read(conn, who.silo_id, today=now.astimezone(zone).date(), rules=here.rules)
        shell = _shell()
    found = findings(received)
    sources = _sources(received, found, known, zone)
    asked = request.args.get("source", "")
    if asked:
        return _one(asked, received, found, known, shell, sources)
    return render_template(
        "admin/quality.html",
        page_title=gettext("Qualité des données"),
        shell=shell,
        lead=quality_words.lead(received, found, known),
        findings=[_finding(one, received, known) for one in found if one.level > KNOWN],
        others=[_finding(one, received, known) for one in found if one.level == KNOWN],
        sources=sources,
        one=None,
        imports_url=url_for("pages.imports"),
    )


def _one(
    asked: str,
    received: Supply,
    found: Sequence[Finding],
    known: Mapping[str, Standard],
    shell: Shell,
    sources: list[dict[str, Any]],
) -> str:
    """Show one source in full."""
    entry = next((one for one in sources if one["id"] == asked), None)
    if entry is None:
        raise access.NotFound
    mine = [one for one in found if one.source == asked]
    detail = _of(asked, received)
    return render_template(
        "admin/quality.html",
        page_title=entry["title"],
        shell=shell,
        lead=entry["title"],
        one=entry,
        findings=[_finding(one, received, known) for one in mine],
        basis=_basis(detail),
        fields=_fields(detail, known) if isinstance(detail, Dataset) else [],
        facts=_facts(detail) if isinstance(detail, Key) else [],
        trend=_trend(detail, received.today) if isinstance(detail, Dataset | Platform) else None,
        back_url=url_for("pages.quality"),
    )


def _of(source: str, received: Supply) -> Dataset | Platform | Key | None:
    kind, _, name = source.partition(":")
    if kind == "dataset":
        return next(one for one in received.datasets if one.kind == name)
    if kind == "platform":
        return next(one for one in received.platforms if one.name == name)
    if kind == "key":
        return next(one for one in received.keys if one.key_id == name)
    return None


def _finding(one: Finding, received: Supply, known: Mapping[str, Standard]) -> dict[str, Any]:
    page = quality_words.place(one)
    return {
        "level": one.level,
        "word": quality_words.level(one.level),
        "source": quality_words.source(one.source, received, known),
        "source_url": _url(one.source),
        "reference": quality_reference(one),
        "said": quality_words.said(one, known, tool().rules.disclosure.across),
        "mend": quality_words.mend(one),
        "url": url_for(f"pages.{page}") if page else "",
        "link": quality_words.place_name(page) if page else "",
    }


def _url(source: str) -> str:
    return address(url_for("pages.quality"), {"source": source})


def _sources(
    received: Supply, found: Sequence[Finding], known: Mapping[str, Standard], zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Return every source: when it was received, the last day that it speaks of, its size, its faults."""
    rows: list[tuple[str, Any, date | None, str]] = []
    for data in received.datasets:
        at = data.files.received_at or data.written_at
        last = max(data.days, default=None)
        rows.append((f"dataset:{data.kind}", at, last, quality_words.size(data)))
    for site in received.platforms:
        rows.append((f"platform:{site.name}", None, max(site.days, default=None), quality_words.size(site)))
    for key in received.keys:
        rows.append((f"key:{key.key_id}", key.last_at, None, quality_words.size(key)))
    lists, met, asked = received.rosters, received.presences, received.surveys
    rows.append(
        ("rosters", None, None,
         ngettext("%(n)s session active", "%(n)s sessions actives", lists.sessions, n=number(lists.sessions)))
    )  # fmt: skip
    rows.append(
        ("presences", None, met.last_on,
         ngettext("%(n)s regroupement passé", "%(n)s regroupements passés", met.gatherings,
                  n=number(met.gatherings)))
    )  # fmt: skip
    rows.append(
        ("surveys", None, asked.last_on,
         ngettext("%(n)s questionnaire", "%(n)s questionnaires", asked.opened, n=number(asked.opened)))
    )  # fmt: skip
    return [
        {
            "id": source,
            "title": quality_words.source(source, received, known),
            "url": _url(source),
            "received": at.astimezone(zone).date() if at else None,
            "last": last,
            "size": size,
            **_state([one for one in found if one.source == source]),
        }
        for source, at, last, size in rows
    ]


def _state(mine: Sequence[Finding]) -> dict[str, Any]:
    """Say how a source stands: what is to be mended in it, and the worst of it."""
    serious = sum(one.level > KNOWN for one in mine)
    return {
        "level": max((one.level for one in mine), default=0),
        "state": ngettext("%(n)s à reprendre", "%(n)s à reprendre", serious, n=number(serious))
        if serious
        else gettext("en bon état"),
    }


def _basis(detail: Dataset | Platform | Key | None) -> list[str]:
    """Say what the counts rest on."""
    if isinstance(detail, Key):
        return [gettext("Compté parmi les %(n)s derniers énoncés de la communauté.", n=number(supply.RECENT))]
    if isinstance(detail, Dataset) and detail.seen < detail.rows:
        return [
            gettext(
                "Estimé sur %(seen)s lignes tirées au hasard, parmi %(rows)s.",
                seen=number(detail.seen), rows=number(detail.rows),
            )
        ]  # fmt: skip
    return []


def _fields(detail: Dataset, known: Mapping[str, Standard]) -> list[dict[str, Any]]:
    """Return how full each field is, and how many values are outside its reference."""
    outside = {values.field: values.rows for values in detail.outside}
    return [
        {
            "name": field.label.in_language(language()),
            "required": field.required,
            "filled": number(detail.filled.get(field.id, 0)),
            "share": percent(detail.filled.get(field.id, 0) / detail.rows),
            "outside": number(outside[field.id]) if field.id in outside else "–",
        }
        for field in (known[detail.kind].fields if detail.rows else ())
    ]


def _facts(detail: Key) -> list[tuple[str, str]]:
    """Return what is counted of a key, as the page writes it."""
    return [(name, number(count)) for name, count in _counts(detail)]


def _counts(detail: Key) -> list[tuple[str, int]]:
    """Return what is counted of a key."""
    rules = {
        "null": gettext("propriétés vides retirées"),
        "version": gettext("version ajoutée"),
        "id": gettext("identifiant ajouté"),
        "scaled": gettext("score sur une autre échelle, laissé tel quel"),
    }
    return [
        (gettext("Énoncés récents"), detail.recent),
        (gettext("Sans session"), detail.courseless),
        (gettext("De verbe non compris"), detail.unknown.rows),
        (gettext("Mis de côté, en attente"), detail.quarantined),
        *(
            (gettext("Réparés : %(rule)s", rule=word), detail.repaired[rule])
            for rule, word in rules.items()
            if rule in detail.repaired
        ),
    ]


def _trend(detail: Dataset | Platform, today: date) -> dict[str, Any] | None:
    """Return the chart of the months; None for a source without days."""
    months = trend(detail.days, today)
    if not any(count for _, count in months):
        return None
    said = quality_words.trend(months, lines=isinstance(detail, Dataset))
    chart = figures.months(
        months,
        month=gettext("Mois"),
        name=gettext("Journées d’activité") if isinstance(detail, Platform) else gettext("Lignes"),
        month_name=quality_sentences.month,
        short_month=quality_words.short_month,
        labels=chart_labels(),
        said=said,
    )
    return {
        "title": said,
        "chart": chart,
        "reading": [
            gettext(
                "Chaque barre est un mois, d’après le jour dont parlent les lignes ; le dernier, hachuré, "
                "n’est pas fini. Un mois habituel est la médiane des mois d’avant qui ne sont pas vides."
            ),
            *(
                [gettext("Une journée d’activité : une personne, un jour, dans une session.")]
                if isinstance(detail, Platform)
                else []
            ),
        ],
    }


def _shell() -> Shell:
    return Shell(
        title=gettext("Qualité des données"),
        meta="",
        tabs=admin_tabs("quality"),
        open_url=open_url(),
        about_url=url_for("pages.about_all", launch=viewer().launch_id),
        threshold=tool().rules.disclosure.across,
        done=done(),
    )


# --- files --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """What the page reads, for its tables."""

    received: Supply
    found: Sequence[Finding]
    known: Mapping[str, Standard]
    zone: ZoneInfo

    def asked(self) -> Dataset | Platform | Key | None:
        """Return the source that the address names; access.NotFound when there is none."""
        try:
            return _of(request.args.get("source", ""), self.received)
        except StopIteration:
            raise access.NotFound from None


def _read() -> _Read:
    access.require(viewer(), "admin")
    here, now, who = tool(), tool().clock(), viewer()
    with reading() as conn:
        zone = ZoneInfo(silos.get(conn, who.silo_id).time_zone)
        set_time(now, zone)
        known = datasets.known(conn, who.silo_id)
        received = quality.read(conn, who.silo_id, today=now.astimezone(zone).date(), rules=here.rules)
    return _Read(received, findings(received), known, zone)


def sources_table() -> Table:
    """Return every source as the page lists it."""
    read = _read()
    columns: Columns = [
        gettext("Source"), gettext("Ce qu’elle tient"), gettext("Reçu le"),
        gettext("Dernier jour dont elle parle"), gettext("État"),
    ]  # fmt: skip
    rows = [
        (one["title"], one["size"], one["received"], one["last"], one["state"])
        for one in _sources(read.received, read.found, read.known, read.zone)
    ]
    return Table("sources", gettext("Source par source"), columns, rows, noting.community())


def findings_table() -> Table:
    """Return what is to be mended, the worst first; of one source where the address names it."""
    read, asked = _read(), request.args.get("source", "")
    columns: Columns = [gettext("Gravité"), gettext("Source"), gettext("Constat"), gettext("Que faire")]
    said = [
        _finding(one, read.received, read.known) for one in read.found if not asked or one.source == asked
    ]
    rows = [(one["word"], one["source"], one["said"], one["mend"]) for one in said]
    return Table("constats", gettext("Ce qui est à reprendre"), columns, rows, noting.community())


def fields_table() -> Table:
    """Return how full each field of a dataset is."""
    read = _read()
    detail = read.asked()
    if not isinstance(detail, Dataset):
        raise access.NotFound
    outside = {values.field: values.rows for values in detail.outside}
    columns: Columns = [
        gettext("Champ"), gettext("Obligatoire"), gettext("Lignes remplies"),
        Column(gettext("Part"), percent=True), gettext("Hors référence"),
    ]  # fmt: skip
    rows = [
        (
            field.label.in_language(language()), field.required, filled := detail.filled.get(field.id, 0),
            filled / detail.rows, outside.get(field.id),
        )
        for field in (read.known[detail.kind].fields if detail.rows else ())
    ]  # fmt: skip
    basis = [(gettext("Ce qui est compté"), said) for said in _basis(detail)]
    counted = gettext("Lignes"), detail.rows
    name = gettext("Ce qui est rempli, champ par champ")
    return Table("champs", name, columns, rows, noting.community(basis, n=counted))


def facts_table() -> Table:
    """Return what came by one key."""
    detail = _read().asked()
    if not isinstance(detail, Key):
        raise access.NotFound
    basis = [(gettext("Ce qui est compté"), said) for said in _basis(detail)]
    name = gettext("Ce qui est arrivé par cette clé")
    return Table("cle", name, [gettext("Quoi"), gettext("Nombre")], _counts(detail), noting.community(basis))


def months_table() -> Table:
    """Return the months of one source, as its chart draws them."""
    read = _read()
    detail = read.asked()
    drawn = _trend(detail, read.received.today) if isinstance(detail, Dataset | Platform) else None
    if drawn is None:
        raise access.NotFound
    words = [(gettext("Comment lire"), said) for said in drawn["reading"]]
    table = drawn["chart"].table
    return Table("mois", drawn["title"], table.columns, table.rows, noting.community(words))
