"""Results put into the rows that templates print: labels, addresses and sentences chosen once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from analyzers.results import (
    ActivityProgress,
    CourseProgress,
    Learner,
    LearnerPath,
    ModuleProgress,
    Step,
    StepActivity,
    TimelineDay,
)
from lti_tool import definitions, facts, wording
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import day, duration, full_day, hours, number, percent, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting
from lti_tool.web.filters import short, when
from lti_tool.web.shell import CoursePage

#: Activities named on one day of a timeline before "et n autres".
_NAMED = 4


@dataclass(frozen=True)
class ModuleRow:
    """A module as tables print it."""

    iri: str
    label: str
    position: int
    url: str
    required: bool
    stands_out: bool
    n: int
    finished: int
    in_progress: int
    not_started: int
    stuck: int
    median_seconds: float | None
    median_seconds_10: float | None
    median_seconds_60: float | None
    median_score: float | None
    scored: int
    planned: float | None
    note: str
    stuck_note: str
    words: str


def module_row(module: ModuleProgress, progress: CourseProgress, url: str, today: date) -> ModuleRow:
    """Put one module into words and numbers."""
    planned = (module.hours_in_person or 0) + (module.hours_distance or 0)
    n = module.finished + module.in_progress + module.not_started
    return ModuleRow(
        iri=module.iri,
        label=wording.module_label(module.position, module.title),
        position=module.position,
        url=url,
        required=module.required,
        stands_out=module.iri == progress.blocking,
        n=n,
        finished=module.finished,
        in_progress=module.in_progress,
        not_started=module.not_started,
        stuck=module.stuck,
        median_seconds=module.median_seconds,
        median_seconds_10=module.median_seconds_10,
        median_seconds_60=module.median_seconds_60,
        median_score=module.median_score,
        scored=module.scored,
        planned=planned or None,
        note=_module_note(module, today),
        stuck_note=stuck_note(module.stuck),
        words=gettext(
            "%(done)s terminé, %(going)s en cours, %(rest)s pas commencé",
            done=number(module.finished),
            going=number(module.in_progress),
            rest=number(module.not_started),
        ),
    )


def _module_note(module: ModuleProgress, today: date) -> str:
    if module.opens_on and module.opens_on > today:
        return gettext("ouvre %(when)s", when=day(module.opens_on, today))
    if module.closes_on and module.closes_on >= today:
        return gettext("ferme %(when)s", when=day(module.closes_on, today))
    return ""


def stuck_note(stuck: int) -> str:
    """Say how many people have not moved in a module for long."""
    return (
        ngettext(
            "%(num)d personne y est depuis longtemps", "%(num)d personnes y sont depuis longtemps", stuck
        )
        if stuck
        else ""
    )


@dataclass(frozen=True)
class ActivityRow:
    """An activity of a module as its table prints it."""

    iri: str
    title: str
    kind: str
    required: bool
    reached: int
    completed: int
    tracked: bool
    median_seconds: float | None
    median_score: float | None
    scored: int
    words: str


def activity_row(activity: ActivityProgress) -> ActivityRow:
    """Put one activity into words and numbers."""
    words = gettext(
        "%(done)s l’ont terminée, %(going)s l’ont ouverte sans la terminer",
        done=number(activity.completed),
        going=number(activity.reached - activity.completed),
    )
    return ActivityRow(
        iri=activity.iri,
        title=activity.title,
        kind=wording.gathering_kind(activity.gathering) if activity.gathering else "",
        required=activity.required,
        reached=activity.reached,
        completed=activity.completed,
        tracked=activity.tracked,
        median_seconds=activity.median_seconds or None,
        median_score=activity.median_score,
        scored=activity.scored,
        words=words,
    )


@dataclass(frozen=True)
class Contact:
    """Somebody who may need a word."""

    name: str
    state: str
    state_label: str
    facts: str
    url: str
    message_url: str | None


@dataclass(frozen=True)
class PersonRow:
    """A participant as the list prints it."""

    actor: str
    name: str
    url: str
    state: str
    state_label: str
    modules: str
    current: str
    last: Markup
    days: int
    attended: int
    time: str


def person_rows(
    learners: Sequence[Learner],
    names: Mapping[str, str],
    setting: wording.Setting,
    base: str,
) -> list[PersonRow]:
    """Put participants into rows; everything repeated is worded once."""
    labels = {state: wording.state_label(state) for state in {learner.state for learner in learners}}
    places = {
        iri: wording.module_label(place.position, place.title) for iri, place in setting.modules.items()
    }
    times = {seconds: duration(seconds or None) for seconds in {learner.seconds for learner in learners}}
    days = {last_on: short(last_on) for last_on in {learner.last_on for learner in learners}}
    return [
        PersonRow(
            actor=learner.actor,
            name=names[learner.actor],
            url=f"{base}/{learner.actor}",
            state=learner.state,
            state_label=labels[learner.state] if not learner.objects else wording.learner_label(learner),
            modules=f"{learner.modules_done}\u202f/\u202f{learner.modules_required}",
            current=places.get(learner.current_module or "", "–"),
            last=days[learner.last_on],
            days=learner.active_days,
            attended=learner.attended,
            time=times[learner.seconds],
        )
        for learner in learners
    ]


@dataclass(frozen=True)
class StepRow:
    """A step of a path with what to say of it."""

    position: int
    label: str
    status: str
    required: bool
    say: Markup
    activities: tuple[ActivityStepRow, ...]


@dataclass(frozen=True)
class ActivityStepRow:
    """An activity on a path with what to say of it."""

    title: str
    required: bool
    completed_on: date | None
    reached_on: date | None
    attended: bool
    say: Markup


def step_rows(steps: Sequence[Step], today: date) -> list[StepRow]:
    """Put the steps of a path into words."""
    return [
        StepRow(
            position=step.position,
            label=wording.module_label(step.position, step.title),
            status=step.status,
            required=step.required,
            say=_step_say(step, today),
            activities=tuple(_activity_step(activity) for activity in step.activities),
        )
        for step in steps
    ]


def _step_say(step: Step, today: date) -> Markup:
    parts: list[Markup | str] = []
    if step.status == "done":
        parts.append(
            gettext("terminé")
            if step.completed_on is None
            else Markup("{} {}").format(gettext("terminé"), when(step.completed_on))
        )
    elif step.status in ("current", "reached"):
        parts.append(
            gettext("%(done)s sur %(total)s activités terminées", done=step.done, total=step.total)
            if step.total
            else gettext("en cours")
        )
    elif step.opens_on and step.opens_on > today:
        parts.append(Markup("{} {}").format(gettext("ouvre"), when(step.opens_on)))
    else:
        parts.append(gettext("pas commencé"))
    if step.seconds:
        parts.append(gettext("%(time)s en ligne", time=duration(step.seconds)))
    if step.score is not None:
        parts.append(gettext("note %(score)s", score=percent(step.score)))
    if step.status in ("todo", "later", "current"):
        if planned := (step.hours_distance or 0) + (step.hours_in_person or 0):
            parts.append(gettext("durée prévue %(time)s", time=hours(planned)))
        if step.closes_on and step.closes_on >= today:
            parts.append(Markup("{} {}").format(gettext("ferme"), when(step.closes_on)))
    return Markup(" · ").join(parts)


def _activity_step(activity: StepActivity) -> ActivityStepRow:
    parts: list[Markup | str] = []
    if activity.attended:
        parts.append(gettext("en présence"))
    elif activity.completed_on:
        parts.append(short(activity.completed_on))
    elif activity.planned_on:
        parts.append(Markup("{} {}").format(gettext("prévu"), when(activity.planned_on)))
    elif activity.reached_on:
        parts.append(gettext("commencée"))
    if activity.score is not None:
        parts.append(percent(activity.score))
    return ActivityStepRow(
        title=activity.title,
        required=activity.required,
        completed_on=activity.completed_on,
        reached_on=activity.reached_on,
        attended=activity.attended,
        say=Markup(" · ").join(parts),
    )


@dataclass(frozen=True)
class DayRow:
    """One day of a timeline."""

    day: date
    label: str
    activities: tuple[str, ...]
    others: int
    completed: tuple[str, ...]
    attended: tuple[str, ...]
    seconds: int


def day_rows(days: Sequence[TimelineDay], today: date) -> list[DayRow]:
    """Put the days of a timeline into rows, latest first; what was completed is not said twice."""
    rows = []
    for item in sorted(days, key=lambda entry: entry.day, reverse=True):
        said = {*item.completed, *item.attended}
        others = tuple(title for title in item.activities if title not in said)
        completed = tuple(title for title in item.completed if title not in item.attended)
        label = full_day(item.day) if (today - item.day).days > 320 else short_day(item.day, today)
        rows.append(
            DayRow(
                item.day,
                label,
                others[:_NAMED],
                max(0, len(others) - _NAMED),
                completed,
                item.attended,
                item.seconds,
            )
        )
    return rows


def contacts(
    learners: Sequence[Learner],
    names: Mapping[str, str],
    setting: wording.Setting,
    base: str,
    *,
    write: Callable[[str], str] | None,
) -> list[Contact]:
    """Put people to contact into rows; without `write` (pseudonyms), no message is offered."""
    return [
        Contact(
            name=names[learner.actor],
            state=learner.state,
            state_label=wording.state_label(learner.state),
            facts=facts.facts(learner, setting),
            url=f"{base}/{learner.actor}",
            message_url=write(learner.actor) if write else None,
        )
        for learner in learners
    ]


def path_table(title: str, path: LearnerPath, page: CoursePage) -> Table:
    """Return a path as a table, a line an activity; a step without any has a line of its own."""
    columns: Columns = [
        gettext("Étape"), gettext("Activité"), gettext("Obligatoire"), gettext("Commencée le"),
        gettext("Terminée le"), gettext("En présence"), Column(gettext("Note"), percent=True),
        gettext("Minutes (estimation)"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for step in path.steps:
        name = wording.module_label(step.position, step.title)
        whole = (
            name, None, step.required, step.first_on, step.completed_on, None, step.score, step.seconds / 60,
        )  # fmt: skip
        rows += [
            (
                name, act.title, step.required and act.required, act.reached_on, act.completed_on,
                act.attended, act.score, act.seconds / 60,
            )
            for act in step.activities
        ] or [whole]  # fmt: skip
    words = [(gettext("Temps en ligne"), definitions.time_spent(page.frames.rules))]
    return Table(gettext("parcours"), title, columns, rows, noting.course(page, words))
