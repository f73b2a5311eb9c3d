"""Figures of a course's pages from which an improvement may start."""

from __future__ import annotations

from analyzers import alerts, comparison, frames, progress
from analyzers.results import STATES, Learner, ModuleProgress, Share
from analyzers.survey_results import ItemSummary, SurveySummary
from lti_tool import definitions, wording
from lti_tool.formatting import number
from lti_tool.improvements.figures import Reading, Seen
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import reception
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label

#: Parts of a reference stand one after the other: no IRI, key of a question or of a questionnaire has one.
SEPARATOR = " "


def _parts(reference: str, count: int) -> list[str]:
    """Return the parts of a reference, "" for those that it does not have."""
    return (reference.split(SEPARATOR) + [""] * count)[:count]


def _k(reading: Reading) -> int:
    return reading.rules.disclosure.course


def _module_name(reading: Reading, iri: str) -> str | None:
    for item in reading.frames.outline_modules:
        if item.iri == iri:
            return wording.module_label(item.position, item.title)
    return None


# --- satisfaction ---------------------------------------------------------------------------------------


def _summaries(reading: Reading) -> tuple[SurveySummary, ...]:
    if "summaries" not in reading.kept:
        overview = reading.overview
        reading.kept["summaries"] = reception.course(
            reading.conn,
            reading.silo_id,
            reading.course_id,
            enrolled=overview.enrolled,
            now=reading.now,
            k=_k(reading),
            partial=overview.basis.partial,
        )
    found: tuple[SurveySummary, ...] = reading.kept["summaries"]
    return found


def _summary(reading: Reading, iri: str, survey_id: str) -> SurveySummary | None:
    """Return the questionnaire named, else the one that speaks for the module on its page."""
    if survey_id:
        named = (one for one in _summaries(reading) if (one.module, one.survey_id) == (iri, survey_id))
        return next(named, None)
    return comparison.by_module(_summaries(reading)).get(iri)


def module_satisfaction(reading: Reading, reference: str) -> Seen | None:
    """Read the favourable answers on a module. `reference`: its IRI, then a questionnaire or nothing."""
    iri, survey_id = _parts(reference, 2)
    summary = _summary(reading, iri, survey_id)
    return _item(reading, iri, summary, summary.overall) if summary else None


def item(reading: Reading, reference: str) -> Seen | None:
    """Read the favourable answers to one question. `reference`: IRI, question, questionnaire or nothing."""
    iri, question, survey_id = _parts(reference, 3)
    summary = _summary(reading, iri, survey_id)
    found = next((one for one in (summary.items if summary else ()) if one.question.id == question), None)
    return _item(reading, iri, summary, found) if summary and found else None


def without_survey(reference: str) -> str:
    """Return the reference of a module's figure whatever its questionnaire: a closed one moves no more."""
    return reference.split(SEPARATOR)[0]


def item_without_survey(reference: str) -> str:
    """Return the reference of a question's figure whatever its questionnaire."""
    return SEPARATOR.join(reference.split(SEPARATOR)[:2])


def _item(reading: Reading, iri: str, summary: SurveySummary, found: ItemSummary) -> Seen | None:
    name = _module_name(reading, iri) if iri else gettext("La session entière")
    if name is None:
        return None
    share = found.favourable
    why = survey_wording.withheld(summary, _k(reading)) or survey_wording.wording_few(_k(reading))
    overall = found.question.id == summary.overall.question.id
    return Seen(
        subject=name,
        measure=survey_wording.favourable_name(before=summary.phase == "avant")
        if overall
        else gettext("Accord avec « %(question)s »", question=label(found.question.text)),
        words=survey_wording.favourable(share, before=summary.phase == "avant") or why,
        definition=survey_wording.definition(_k(reading)),
        day=summary.published_on or reading.frames.today,
        value=share.value,
        n=share.n if share.value is not None else None,
        low=share.low,
        high=share.high,
        module=iri,
    )


# --- progress -------------------------------------------------------------------------------------------


def _progress(reading: Reading, iri: str) -> tuple[ModuleProgress, int] | None:
    """Return a module among the enrolled, and their number."""
    if "progress" not in reading.kept:
        reading.kept["progress"] = progress.course(reading.frames)
    done = reading.kept["progress"]
    found = next((module for module in done.modules if module.iri == iri), None)
    return (found, done.basis.n) if found else None


def _counted(
    reading: Reading, iri: str, name: str, measure: str, words: str, definition: str, share: Share
) -> Seen:
    return Seen(
        subject=name,
        measure=measure,
        words=words,
        definition=definition,
        day=reading.frames.today,
        value=None if share.count is None else float(share.count),
        unit="count",
        n=share.n,
        module=iri,
    )


def module_progress(reading: Reading, reference: str) -> Seen | None:
    """Read how many finished a module. `reference`: its IRI."""
    found, name = _progress(reading, reference), _module_name(reading, reference)
    if found is None or name is None:
        return None
    module, n = found
    words = ngettext(
        "%(count)s personne l’a terminé, sur %(n)s",
        "%(count)s personnes l’ont terminé, sur %(n)s",
        module.finished,
        count=number(module.finished),
        n=number(n),
    )
    share = Share(module.finished, n)
    return _counted(reading, reference, name, gettext("Terminé"), words, definitions.completed(), share)


def module_stuck(reading: Reading, reference: str) -> Seen | None:
    """Read how many have not moved in a module for long. `reference`: its IRI."""
    found, name = _progress(reading, reference), _module_name(reading, reference)
    if found is None or name is None:
        return None
    module, n = found
    words = ngettext(
        "%(count)s personne y est depuis longtemps, sur %(n)s",
        "%(count)s personnes y sont depuis longtemps, sur %(n)s",
        module.stuck,
        count=number(module.stuck),
        n=number(n),
    )
    measure, definition = gettext("Y sont depuis longtemps"), definitions.stuck(reading.rules)
    return _counted(reading, reference, name, measure, words, definition, Share(module.stuck, n))


def activity(reading: Reading, reference: str) -> Seen | None:
    """Read how many reached and completed an activity. `reference`: IRI of the module, of the activity."""
    iri, asked = _parts(reference, 2)
    name = _module_name(reading, iri)
    if name is None:
        return None
    traces = frames.module(reading.conn, reading.frames, iri)
    found = next((one for one in progress.module(reading.frames, iri, traces) if one.iri == asked), None)
    if found is None:
        return None
    n = reading.overview.enrolled
    words = gettext(
        "%(reached)s l’ont ouverte, %(completed)s l’ont terminée, sur %(n)s",
        reached=number(found.reached),
        completed=number(found.completed) if found.tracked else gettext("(non suivi)"),
        n=number(n),
    )
    share = Share(found.completed if found.tracked else found.reached, n)
    measure = gettext("Personnes qui l’ont terminée") if found.tracked else gettext("L’ont ouverte")
    subject = f"{name} – {found.title}"
    return _counted(reading, iri, subject, measure, words, definitions.completed(), share)


# --- people, counted --------------------------------------------------------------------------------------


def _learners(reading: Reading) -> tuple[Learner, ...]:
    if "learners" not in reading.kept:
        reading.kept["learners"] = alerts.learners(reading.frames)
    found: tuple[Learner, ...] = reading.kept["learners"]
    return found


def alert(reading: Reading, reference: str) -> Seen | None:
    """Read how many people need a word for the same reason. `reference`: a state."""
    state = next((one for one in STATES if one == reference), None)
    if state is None:
        return None
    learners = _learners(reading)
    count = sum(one.needs_word and one.state == state for one in learners)
    words = ngettext(
        "%(count)s personne à contacter, sur %(n)s",
        "%(count)s personnes à contacter, sur %(n)s",
        count,
        count=number(count),
        n=number(len(learners)),
    )
    return Seen(
        subject=gettext("À contacter"),
        measure=wording.state_label(state),
        words=words,
        definition=definitions.states(reading.rules),
        day=reading.frames.today,
        value=float(count),
        unit="count",
        n=len(learners),
    )


def active(reading: Reading, _reference: str) -> Seen:
    """Read how many were active in the last seven days."""
    overview = reading.overview
    return Seen(
        subject=gettext("Activité de la session"),
        measure=gettext("Actifs sur 7 jours"),
        words=ngettext(
            "%(count)s personne active ces sept derniers jours, sur %(n)s",
            "%(count)s personnes actives ces sept derniers jours, sur %(n)s",
            overview.active_now,
            count=number(overview.active_now),
            n=number(overview.enrolled),
        ),
        definition=definitions.active(),
        day=reading.frames.today,
        value=float(overview.active_now),
        unit="count",
        n=overview.enrolled,
    )
