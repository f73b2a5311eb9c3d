"""What is wrong with the data, in sentences: one a code of `analyzers.quality`, with its count."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from analyzers.quality import Finding
from lti_tool.formatting import first_capital, long_day, number, percent
from lti_tool.language import gettext, language, ngettext


def month(first: date) -> str:
    """Write a month in full: novembre 2026."""
    return str(format_date(first, "LLLL y", locale=language()))


def sentence(one: Finding, field: str) -> str:
    """Say what is wrong, with its count; `field`: label of the field that it is about."""
    n, share = number(one.count), percent(one.share)
    for words in (_fields, _rows, _months, _days, _files, _keys, _lists):
        said = words(one, n, share, field)
        if said:
            return said
    raise ValueError(one.code)


def _fields(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with fields that are empty, or filled in with what no table knows."""
    match one.code:
        case "required":
            return ngettext(
                "« %(field)s », pourtant obligatoire, manque dans %(n)s ligne (%(share)s).",
                "« %(field)s », pourtant obligatoire, manque dans %(n)s lignes (%(share)s).",
                one.count, field=field, n=n, share=share,
            )  # fmt: skip
        case "seldom":
            return gettext(
                "« %(field)s » manque dans %(share)s des lignes (%(n)s).", field=field, share=share, n=n
            )
        case "outside":
            return ngettext(
                "« %(field)s » a, dans %(n)s ligne (%(share)s), une valeur qui n’est pas dans la table de "
                "référence.",
                "« %(field)s » a, dans %(n)s lignes (%(share)s), une valeur qui n’est pas dans la table de "
                "référence.",
                one.count, field=field, n=n, share=share,
            )  # fmt: skip
    return ""


def _rows(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with rows that nothing can be joined with."""
    match one.code:
        case "sessions":
            return ngettext(
                "%(n)s ligne (%(share)s) nomme une session que l’outil ne connaît pas.",
                "%(n)s lignes (%(share)s) nomment une session que l’outil ne connaît pas.",
                one.count, n=n, share=share,
            )  # fmt: skip
        case "modules":
            return ngettext(
                "%(n)s ligne (%(share)s) nomme un module qui n’est pas au plan de sa session.",
                "%(n)s lignes (%(share)s) nomment un module qui n’est pas au plan de leur session.",
                one.count, n=n, share=share,
            )  # fmt: skip
        case "doubles":
            return ngettext(
                "%(n)s ligne (%(share)s) redit ce qu’une autre dit de la même personne et de la même "
                "session, sous un autre nom.",
                "%(n)s lignes (%(share)s) redisent ce que d’autres disent de la même personne et de la même "
                "session, sous un autre nom.",
                one.count, n=n, share=share,
            )  # fmt: skip
        case "people":
            return ngettext(
                "%(n)s personne (%(share)s) n’est reconnue dans aucune trace.",
                "%(n)s personnes (%(share)s) ne sont reconnues dans aucune trace.",
                one.count, n=n, share=share,
            )  # fmt: skip
    return ""


def _months(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with months of a source."""
    since = long_day(one.since) if one.since else ""
    match one.code:
        case "old":
            return gettext("Aucun fichier n’est arrivé depuis le %(day)s.", day=since)
        case "months":
            return ngettext(
                "%(n)s mois sans aucune ligne : %(month)s.",
                "%(n)s mois sans aucune ligne, entre %(month)s et %(last)s.",
                one.count, n=n, month=_month(one.since), last=_month(one.until),
            )  # fmt: skip
        case "fall" if not one.count:
            return gettext("%(month)s : rien n’est arrivé.", month=first_capital(_month(one.since)))
        case "fall":
            return gettext(
                "%(month)s : %(share)s de moins qu’un mois habituel.",
                month=first_capital(_month(one.since)), share=share,
            )  # fmt: skip
    return ""


def _days(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with days of traces."""
    since = long_day(one.since) if one.since else ""
    until = long_day(one.until) if one.until else ""
    match one.code:
        case "never":
            return gettext("Aucune trace de cette plateforme n’est arrivée depuis plus d’un an.")
        case "silent":
            return ngettext(
                "Aucune activité depuis %(n)s jour : la dernière est du %(day)s.",
                "Aucune activité depuis %(n)s jours : la dernière est du %(day)s.",
                one.count, n=n, day=since,
            )  # fmt: skip
        case "hole":
            return gettext(
                "Aucune activité pendant %(n)s jours ouvrés, du %(first)s au %(last)s.",
                n=n, first=since, last=until,
            )  # fmt: skip
    return ""


def _files(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with files."""
    match one.code:
        case "waiting":
            return ngettext(
                "%(n)s fichier attend d’être relu et confirmé.",
                "%(n)s fichiers attendent d’être relus et confirmés.",
                one.count, n=n,
            )  # fmt: skip
        case "failed":
            return ngettext(
                "%(n)s fichier n’a pas pu être pris.", "%(n)s fichiers n’ont pas pu être pris.",
                one.count, n=n,
            )  # fmt: skip
        case "twice":
            return ngettext(
                "%(n)s ligne refusée contredit une autre ligne du même fichier.",
                "%(n)s lignes refusées contredisent une autre ligne du même fichier.",
                one.count, n=n,
            )  # fmt: skip
        case "refused":
            return ngettext(
                "%(n)s ligne refusée attend d’être corrigée.",
                "%(n)s lignes refusées attendent d’être corrigées.",
                one.count, n=n,
            )  # fmt: skip
    return ""


def _keys(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with keys of the store."""
    match one.code:
        case "courseless":
            return gettext(
                "%(share)s des énoncés récents (%(n)s) ne nomment aucune session.", share=share, n=n
            )
        case "unknown":
            return gettext(
                "%(share)s des énoncés récents (%(n)s) ont un verbe que l’outil ne comprend pas.",
                share=share, n=n,
            )  # fmt: skip
        case "quarantined":
            return ngettext(
                "%(n)s énoncé est mis de côté : il n’a pas pu être réparé.",
                "%(n)s énoncés sont mis de côté : ils n’ont pas pu être réparés.",
                one.count, n=n,
            )  # fmt: skip
        case "repaired":
            return ngettext(
                "%(n)s énoncé a été réparé à son arrivée.", "%(n)s énoncés ont été réparés à leur arrivée.",
                one.count, n=n,
            )  # fmt: skip
        case "unused":
            return gettext("Aucun énoncé récent n’est arrivé par cette clé.")
    return ""


def _lists(one: Finding, n: str, share: str, field: str) -> str:
    """Say what is wrong with lists, presences and questionnaires."""
    match one.code:
        case "partial":
            return ngettext(
                "La liste des participants de %(n)s session active (%(share)s) est partielle.",
                "La liste des participants de %(n)s sessions actives (%(share)s) est partielle.",
                one.count, n=n, share=share,
            )  # fmt: skip
        case "problem":
            return ngettext(
                "La plateforme n’a pas donné la liste des participants de %(n)s session active.",
                "La plateforme n’a pas donné la liste des participants de %(n)s sessions actives.",
                one.count, n=n,
            )  # fmt: skip
        case "unmarked":
            return ngettext(
                "%(n)s regroupement passé (%(share)s) n’a aucune présence.",
                "%(n)s regroupements passés (%(share)s) n’ont aucune présence.",
                one.count, n=n, share=share,
            )  # fmt: skip
        case "few":
            return ngettext(
                "%(n)s questionnaire terminé (%(share)s) n’a pas reçu assez de réponses pour être publié.",
                "%(n)s questionnaires terminés (%(share)s) n’ont pas reçu assez de réponses pour être "
                "publiés.",
                one.count, n=n, share=share,
            )  # fmt: skip
    return ""


def _month(first: date | None) -> str:
    return month(first) if first else ""
