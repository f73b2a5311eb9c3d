"""What is said of sessions and their places: verdicts, forecasts, days given, how it is all counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzers import forecast
from analyzers.forecast import Forecast
from analyzers.outlook import RECENT, Outlook, Verdict
from analyzers.results import Share
from analyzers.sizing import Filled
from lti_tool.formatting import first_capital, number, percent
from lti_tool.language import gettext, ngettext
from tool_config.rules import SessionRules


def verdicts() -> dict[Verdict, str]:
    """Name the verdicts, as the table has them."""
    return {
        "too_large": gettext("trop grande"),
        "too_small": gettext("trop petite"),
        "right": gettext("à la bonne taille"),
        "unknown": gettext("places inconnues"),
    }


def methods() -> dict[str, str]:
    """Name the ways of forecasting."""
    return {
        "last": gettext("la dernière valeur"),
        "seasonal": gettext("la valeur de la même session un an avant"),
        "level": gettext("la moyenne (niveau constant)"),
        "smoothing": gettext("le lissage exponentiel simple"),
        "trend": gettext("la tendance de Holt"),
    }


def share(found: Share) -> str:
    """Write a share with its interval: "14 % (11 à 17)"."""
    if found.value is None or found.low is None or found.high is None:
        return gettext("non montré") if found.suppressed else "–"
    return gettext(
        "%(value)s (%(low)s à %(high)s)",
        value=percent(found.value), low=percent(found.low), high=percent(found.high),
    )  # fmt: skip


def lead(found: Filled | None, misfits: Mapping[Verdict, Sequence[str]], scope: str, k: int) -> str:
    """Open the page: how many came, and where the places do not fit (titles of paths by verdict)."""
    if found is None:
        return gettext(
            "Aucune session terminée ne réunit assez d’inscrits pour être comptée : il en faut %(k)s.",
            k=number(k),
        )
    said = gettext(
        "%(scope)s : %(enrolled)s inscriptions dans %(sessions)s sessions terminées",
        scope=scope, enrolled=number(found.enrolled), sessions=number(found.sessions),
    )  # fmt: skip
    came = found.presence(k)
    if came.value is not None:
        said = gettext("%(said)s ; %(share)s des inscrits sont venus", said=said, share=percent(came.value))
    return first_capital(" ".join([f"{said}.", *_misfits(misfits)]))


def _misfits(misfits: Mapping[Verdict, Sequence[str]]) -> list[str]:
    said = []
    large, small = misfits.get("too_large", ()), misfits.get("too_small", ())
    if large:
        said.append(gettext("Sessions trop grandes : %(paths)s.", paths=_listed(large)))
    if small:
        said.append(gettext("Sessions trop petites : %(paths)s.", paths=_listed(small)))
    return said


def _listed(titles: Sequence[str]) -> str:
    """Name the first two, and count the others."""
    named = ", ".join(gettext("« %(title)s »", title=title) for title in titles[:2])
    left = len(titles) - 2
    if left <= 0:
        return named
    return ngettext(
        "%(named)s et %(num)d autre parcours", "%(named)s et %(num)d autres parcours", left, named=named
    )


def verdict(look: Outlook, rules: SessionRules) -> str:
    """Answer "is a session too large, too small?" in a sentence."""
    facts = ngettext(
        "%(seated)s inscrits pour %(places)s places à la dernière session",
        "%(seated)s inscrits pour %(places)s places sur les %(num)d dernières sessions",
        look.counted,
        seated=number(look.seated), places=number(look.places),
    )  # fmt: skip
    if look.verdict == "unknown":
        return gettext(
            "Le nombre de places de ses sessions n’est pas connu : on ne peut pas juger leur taille."
        )
    if look.verdict == "too_large":
        said = gettext("Une session est trop grande : %(facts)s.", facts=facts)
    elif look.verdict == "too_small":
        full = ngettext(
            "%(num)d session était pleine", "%(num)d sessions étaient pleines", look.full
        )  # fmt: skip
        said = (
            gettext("Une session est trop petite : %(facts)s, et %(full)s.", facts=facts, full=full)
            if look.full
            else gettext("Une session est trop petite pour ceux qu’on attend : %(facts)s.", facts=facts)
        )
    else:
        said = gettext("Une session est à la bonne taille : %(facts)s.", facts=facts)
    return " ".join([said, *_places(look, rules)])


def _places(look: Outlook, rules: SessionRules) -> list[str]:
    if look.suggested is None:
        return []
    said = [
        gettext(
            "%(places)s places suffiraient %(often)s fois sur 100.",
            places=number(look.suggested), often=number(rules.capacity_percent),
        )
    ]  # fmt: skip
    if look.seats is not None and look.presence.value is not None:
        said.append(
            gettext(
                "Comme %(share)s des inscrits viennent, %(seats)s sièges sont à prévoir.",
                share=percent(look.presence.value), seats=number(look.seats),
            )
        )  # fmt: skip
    if look.hides_demand:
        said.append(
            gettext("Des sessions pleines ont pu écarter du monde : la demande est peut-être plus forte.")
        )
    return said


def next_session(look: Outlook, k: int) -> str:
    """Say the forecast of the next session, or why there is none."""
    if look.next_session is None:
        known = len(look.sessions)
        return gettext(
            "Pas de prévision de la prochaine session : il faut au moins %(least)s sessions terminées de "
            "%(k)s "
            "inscrits ou plus ; %(known)s.",
            least=number(forecast.least()), k=number(k),
            known=ngettext("%(num)d est connue", "%(num)d sont connues", known) if known
            else gettext("aucune n’est connue"),
        )  # fmt: skip
    return gettext("Prochaine session : %(said)s", said=_forecast(look.next_session, by_year=False))


def next_year(look: Outlook, year: str) -> str:
    """Say the forecast of the next school year, or why there is none."""
    if look.next_year is None:
        known = len(look.years)
        return gettext(
            "Pas de prévision pour %(year)s : il faut %(least)s années scolaires terminées de suite ; "
            "%(known)s.",
            year=year, least=number(forecast.least(2)),
            known=ngettext("%(num)d est connue", "%(num)d sont connues", known) if known
            else gettext("aucune n’est connue"),
        )  # fmt: skip
    return gettext(
        "Année scolaire %(year)s : %(said)s", year=year, said=_forecast(look.next_year, by_year=True)
    )


def _forecast(found: Forecast, *, by_year: bool) -> str:
    past = (
        ngettext("%(num)d année passée", "%(num)d années passées", found.origins)
        if by_year
        else ngettext("%(num)d session passée", "%(num)d sessions passées", found.origins)
    )
    said = gettext(
        "%(value)s inscrits attendus, entre %(low)s et %(high)s (intervalle à 95 %%).",
        value=number(found.value), low=number(found.low), high=number(found.high),
    )  # fmt: skip
    error = number(found.error, 1)
    if found.method == "last":
        return gettext(
            "%(said)s Rien ne fait mieux que reprendre la dernière valeur : essayé sur %(past)s, l’écart "
            "moyen "
            "est de %(error)s.",
            said=said, past=past, error=error,
        )  # fmt: skip
    return gettext(
        "%(said)s C’est %(method)s qui s’est le moins trompé : essayé sur %(past)s, l’écart moyen est de "
        "%(error)s, "
        "contre %(naive)s en reprenant la dernière valeur.",
        said=said, method=methods()[found.method], past=past, error=error, naive=number(found.naive_error, 1),
    )  # fmt: skip


def days_title(years: Sequence[tuple[str, Filled]]) -> str:
    """Say what the chart of days shows: the last year against its plan."""
    for name, found in reversed(years):
        if found.planned_in_person:
            return gettext(
                "En %(year)s, %(share)s des journées-stagiaires prévues en présence ont eu lieu",
                year=name, share=percent(found.given_in_person / found.planned_in_person),
            )  # fmt: skip
    return gettext("Journées-stagiaires données, en présence et à distance")


def left_out(count: int, k: int) -> str:
    """Say how many ended sessions are nowhere; "" for none."""
    if not count:
        return ""
    return ngettext(
        "%(num)d session terminée n’a pas d’inscrit connu : elle n’est comptée nulle part.",
        "%(num)d sessions terminées n’ont pas d’inscrit connu : elles ne sont comptées nulle part.",
        count,
    )


def reading(rules: SessionRules, k: int) -> list[str]:
    """Say how places, presences and days are counted."""
    return [
        gettext(
            "Seules les sessions terminées comptent. Inscrits : les places données, sauf celles rendues "
            "avant que la "
            "personne ait été vue. Remplissage : inscrits pour une place."
        ),
        gettext(
            "Venus : présents à un regroupement, vus par une trace, ou dits par un fichier avoir terminé ou "
            "non. Une "
            "session où personne n’a été vu, ou dont la liste des inscrits n’est pas connue, ne compte pas "
            "ici."
        ),
        gettext(
            "Journée-stagiaire : %(hours)s heures suivies par une personne. Prévues : les jours prévus, fois "
            "les "
            "places (ou les inscrits). Données : les jours prévus, fois les personnes venues. Coût : le "
            "réel, sinon "
            "le prévu, sur les sessions qui le disent.",
            hours=number(rules.hours_a_day),
        ),
        gettext(
            "Les sessions, puis les parcours, de moins de %(k)s personnes sont réunis à d’autres de la même "
            "année, "
            "et ne sont comptés qu’avec eux : aucune différence entre deux vues ne porte sur moins de %(k)s "
            "personnes.",
            k=number(k),
        ),
    ]


def rule(rules: SessionRules) -> list[str]:
    """Say the rule of the places and of the forecasts."""
    return [
        gettext(
            "Places suggérées : le nombre d’inscrits que la prochaine session ne dépasse pas %(often)s fois "
            "sur 100. "
            "Trop grande : moins de %(large)s %% des places occupées sur les %(recent)s dernières sessions, "
            "ou places "
            "suggérées sous cette part. Trop petite : la moitié des sessions pleines (%(full)s %% des "
            "places), ou "
            "places suggérées au-delà de 110 %% de celles d’aujourd’hui.",
            often=number(rules.capacity_percent), large=number(rules.large_percent),
            full=number(rules.full_percent), recent=number(RECENT),
        ),
        gettext(
            "Cinq façons de prévoir sont essayées sur le passé, chacune avec ce qui était connu à chaque "
            "date ; celle "
            "dont l’écart moyen est le plus petit est gardée. L’intervalle vient de ces écarts (loi "
            "binomiale "
            "négative), élargi parce qu’ils sont peu nombreux."
        ),
    ]  # fmt: skip
