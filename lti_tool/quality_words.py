"""What the page of data quality says: each thing to mend, what to do about it and where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from babel.dates import format_date

from analyzers import quality
from analyzers.quality import Dataset, Finding, Key, Platform, Supply
from lti_tool import quality_sentences
from lti_tool.formatting import first_capital, number, percent
from lti_tool.language import gettext, language, ngettext
from lti_tool.quality_sentences import month
from tool_config.standards import Standard

#: Titles of sessions and gatherings told in a sentence; the others are counted.
_MOST_PLACES = 3


def level(value: int) -> str:
    """Say how serious a finding is."""
    return {
        quality.WRONG: gettext("fausse des chiffres"),
        quality.INCOMPLETE: gettext("chiffres incomplets"),
        quality.KNOWN: gettext("à savoir"),
    }[value]


def source(name: str, supply: Supply, known: Mapping[str, Standard]) -> str:
    """Name a source."""
    kind, _, rest = name.partition(":")
    if kind == "dataset":
        return known[rest].title.in_language(language())
    if kind == "platform":
        return (
            gettext("Traces de %(site)s", site=_host(rest))
            if rest
            else gettext("Traces de sessions jamais ouvertes")
        )
    if kind == "key":
        key = next(one for one in supply.keys if one.key_id == rest)
        return gettext("Clé « %(key)s »", key=key.label or key.key_id)
    return {
        "rosters": gettext("Listes de participants"),
        "presences": gettext("Présences"),
        "surveys": gettext("Questionnaires"),
    }[kind]


def _host(issuer: str) -> str:
    return issuer.partition("://")[2].rstrip("/") or issuer


def short_month(first: date) -> str:
    """Write a month for an axis of twelve: nov."""
    return str(format_date(first, "LLL", locale=language()))


def said(one: Finding, known: Mapping[str, Standard], k: int) -> str:
    """Say what is wrong, with its count."""
    sentence = quality_sentences.sentence(one, _field(one, known))
    if one.code in ("outside", "sessions", "modules", "unknown"):
        return f"{sentence} {_values(one, k)}"
    if one.places:
        return f"{sentence} {_places(one)}"
    return sentence


def _field(one: Finding, known: Mapping[str, Standard]) -> str:
    standard = known.get(one.source.partition(":")[2])
    field = standard.field(one.field) if standard and one.field else None
    return field.label.in_language(language()) if field else ""


def _values(one: Finding, k: int) -> str:
    """Tell the values that may be shown."""
    if not one.shown:
        return ngettext(
            "Aucune valeur n’est montrée : chacune concerne moins de %(num)d personne.",
            "Aucune valeur n’est montrée : chacune concerne moins de %(num)d personnes.",
            k,
        )
    listed = ", ".join(
        gettext("« %(value)s » (%(n)s)", value=value, n=number(count)) for value, count in one.shown
    )
    return gettext("Le plus souvent : %(values)s.", values=listed)


def _places(one: Finding) -> str:
    titles = " ; ".join(title for _, title in one.places[:_MOST_PLACES])
    left = len(one.places) - _MOST_PLACES
    if left > 0:
        return ngettext(
            "%(titles)s, et %(n)s autre.", "%(titles)s, et %(n)s autres.", left, titles=titles, n=number(left)
        )
    return f"{titles}."


#: Code of a finding -> page where it is mended.
PLACES = {
    "people": "correspondences", "sessions": "path_list", "modules": "sessions",
    "never": "connections", "silent": "connections", "hole": "imports", "courseless": "", "unknown": "",
    "quarantined": "", "repaired": "", "unused": "", "partial": "sessions", "problem": "sessions",
    "unmarked": "imports", "few": "sessions",
}  # fmt: skip


def place(one: Finding) -> str:
    """Return the page where a finding is mended; "" when it is by the command line or at the platform."""
    if one.code == "fall" and one.source.startswith("platform:"):
        return "connections"
    return PLACES.get(one.code, "imports")


def place_name(page: str) -> str:
    """Name the link to a page."""
    return {
        "correspondences": gettext("Ouvrir les correspondances"),
        "path_list": gettext("Voir les sessions connues"),
        "sessions": gettext("Ouvrir les sessions"),
        "connections": gettext("Ouvrir les connexions"),
        "imports": gettext("Ouvrir les imports"),
    }[page]


def mend(one: Finding) -> str:
    """Say what to do."""
    if one.code == "fall" and one.source.startswith("platform:"):
        return gettext("Hors vacances, vérifiez auprès de la plateforme que toutes ses traces partent.")
    return {**_mend_files(), **_mend_sources()}[one.code]


def _mend_files() -> dict[str, str]:
    """Return what to do about datasets and their files."""
    return {
        "required": gettext("Complétez la colonne dans le fichier, puis redéposez-le."),
        "seldom": gettext(
            "Demandez cette colonne à qui tient le fichier, ou vérifiez à l’import qu’elle est reconnue."
        ),
        "outside": gettext("Corrigez ces valeurs dans le fichier, puis redéposez-le."),
        "sessions": gettext(
            "Écrivez dans le fichier le titre ou le numéro que l’outil connaît, puis redéposez-le ; une "
            "session jamais ouverte se connaît en y ouvrant Estime une fois."
        ),
        "modules": gettext(
            "Reprenez dans le fichier les titres du plan, ou faites corriger le plan par qui tutore la "
            "session."
        ),
        "doubles": gettext(
            "Gardez une seule façon d’écrire la session et la personne, retirez le fichier en trop, puis "
            "redéposez."
        ),
        "people": gettext("Reconnaissez-les à la main, ou complétez les adresses dans les fichiers."),
        "old": gettext("Déposez l’extraction la plus récente."),
        "months": gettext("Vérifiez qu’aucun fichier n’a été oublié ; le calendrier l’explique peut-être."),
        "fall": gettext("Vérifiez que le dernier fichier est complet."),
        "waiting": gettext("Relisez-les, puis confirmez ou retirez-les."),
        "failed": gettext("Lisez pourquoi dans le rapport, corrigez le fichier, puis redéposez-le."),
        "twice": gettext("Dans le fichier des lignes refusées, gardez la bonne, puis redonnez-le."),
        "refused": gettext("Corrigez le fichier des lignes refusées, puis redonnez-le."),
    }


def _mend_sources() -> dict[str, str]:
    """Return what to do about traces, keys, lists, presences and questionnaires."""
    return {
        "never": gettext("Vérifiez que l’envoi des traces xAPI de la plateforme est en service."),
        "silent": gettext("Hors vacances, vérifiez auprès de la plateforme que les traces partent toujours."),
        "hole": gettext("Hors vacances, importez les journaux Moodle de cette période."),
        "courseless": gettext(
            "C’est l’usage pour les connexions au site ; sinon, la plateforme doit nommer la session dans le "
            "contexte."
        ),
        "unknown": gettext(
            "Ces énoncés sont gardés mais ne disent rien aux analyses : ajoutez le verbe à vocabulary.yaml, "
            "puis lancez « estime rebuild »."
        ),
        "quarantined": gettext(
            "Lisez pourquoi avec « estime quarantine list », puis rejouez-les ou supprimez-les."
        ),
        "repaired": gettext(
            "Rien à faire : mettre à jour le greffon de la plateforme éviterait ces défauts."
        ),
        "unused": gettext("Si elle ne sert plus, révoquez-la : « estime key revoke »."),
        "partial": gettext(
            "Elle arrive quand qui tutore ouvre la session depuis la plateforme, si le service « noms et "
            "rôles » est permis à l’outil."
        ),
        "problem": gettext(
            "Permettez à l’outil le service « noms et rôles » sur la plateforme, puis redemandez la liste "
            "depuis la session."
        ),
        "unmarked": gettext(
            "Qui tutore les coche dans l’onglet Présences ; sinon, importez la liste de la classe virtuelle."
        ),
        "few": gettext("Prévoyez un temps pour répondre, pendant le dernier regroupement."),
    }


def trend(months: tuple[tuple[date, int], ...], *, lines: bool) -> str:
    """Say what the chart of months shows, of lines or of days of activity."""
    whole = [pair for pair in months[:-1] if pair[1]]
    if not whole:
        return gettext("Rien avant ce mois-ci")
    best = max(whole, key=lambda pair: pair[1])
    fall = quality.fallen(months)
    if fall is not None and not fall[1]:
        return gettext("Rien en %(month)s, contrairement aux mois d’avant", month=month(fall[0]))
    if fall is not None:
        return gettext(
            "%(month)s : %(share)s de moins qu’un mois habituel",
            month=first_capital(month(fall[0])), share=percent(fall[2]),
        )  # fmt: skip
    n = number(best[1])
    amount = (
        ngettext("%(n)s ligne", "%(n)s lignes", best[1], n=n)
        if lines
        else ngettext("%(n)s journée d’activité", "%(n)s journées d’activité", best[1], n=n)
    )
    return gettext("Le mois le plus fourni est %(month)s, avec %(n)s", month=month(best[0]), n=amount)


def size(one: Dataset | Platform | Key) -> str:
    """Say how much a source gave."""
    if isinstance(one, Dataset):
        return ngettext("%(n)s ligne", "%(n)s lignes", one.rows, n=number(one.rows))
    count = sum(one.days.values()) if isinstance(one, Platform) else one.recent
    if isinstance(one, Platform):
        return ngettext(
            "%(n)s journée d’activité en un an", "%(n)s journées d’activité en un an", count, n=number(count)
        )
    return ngettext("%(n)s énoncé récent", "%(n)s énoncés récents", count, n=number(count))


def lead(supply: Supply, found: tuple[Finding, ...], known: Mapping[str, Standard]) -> str:
    """Say the most serious thing, or that nothing is to be mended."""
    if not supply.datasets and not any(one.days for one in supply.platforms):
        return gettext("Aucune donnée n’est encore arrivée : ni trace, ni fichier.")
    serious = [one for one in found if one.level > quality.KNOWN]
    if not serious:
        return gettext("Les données sont en bon état : rien n’est à reprendre.")
    first = serious[0]
    return gettext(
        "À reprendre d’abord : %(source)s. %(said)s",
        source=source(first.source, supply, known),
        said=quality_sentences.sentence(first, _field(first, known)),
    )  # fmt: skip
