"""Sentences and titles: what they say in each case, and that they fall back to plain names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from analyzers.results import (
    ActivityProgress,
    Basis,
    CourseProgress,
    Learner,
    LearnerPath,
    ModuleProgress,
    Overview,
    Pace,
    Sessions,
    State,
    Step,
    StepActivity,
    Week,
)
from lti_tool import facts, messages, wording

N = "\u202f"
TODAY = date(2026, 11, 18)
BASIS = Basis(58, "overview", None, None)
SETTING = wording.Setting(
    TODAY, {"m1": wording.Place(1, "Concepts"), "m3": wording.Place(3, "Pour réfléchir")}, calendar=False
)


def overview(enrolled: int = 58, now: int = 41, before: int = 41, weeks: int = 6, **more: object) -> Overview:
    shown = tuple(
        Week(date(2026, 10, 12) + timedelta(weeks=rank), max(now, before), rank == weeks - 1)
        for rank in range(weeks)
    )
    values: dict[str, object] = {
        "basis": BASIS, "enrolled": enrolled, "active_now": now, "active_before": before, "by_state": {},
        "weeks": shown, "busiest_module": "m3", "online_only": False, "week_number": weeks, "week_count": 20,
    }  # fmt: skip
    return Overview(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("course", "needing", "said"),
    [
        (overview(), 3,
            "<b>41 des 58 inscrits</b> ont été actifs ces sept derniers jours, autant que les sept jours "
         "d’avant. <b>Trois personnes</b> ont besoin d’un mot de votre part."),
        (overview(now=46), 1,
            "<b>46 des 58 inscrits</b> ont été actifs ces sept derniers jours, cinq de plus que les "
         "sept jours d’avant. <b>Une personne</b> a besoin d’un mot de votre part."),
        (overview(now=40), 0,
            "<b>40 des 58 inscrits</b> ont été actifs ces sept derniers jours, un de moins que les "
         "sept jours d’avant. Personne n’attend de mot de votre part."),
        (overview(now=1), 20,
            "<b>Une personne sur 58</b> a été active ces sept derniers jours, 40 de moins que les "
         "sept jours d’avant. <b>20 personnes</b> ont besoin d’un mot de votre part."),
        (overview(now=58, weeks=1), 0,
            "<b>Les 58 inscrits</b> ont été actifs ces sept derniers jours. Personne "
         "n’attend de mot de votre part."),
        (overview(now=0), 0,
            "<b>Personne</b> n’a été actif ces sept derniers jours. 41 personnes l’étaient les sept "
         "jours d’avant. Personne n’attend de mot de votre part."),
        (overview(now=0, before=0, weeks=0), 0,
            "<b>Aucun des 58 inscrits</b> n’a encore de trace d’activité. "
         "Personne n’attend de mot de votre part."),
        (overview(enrolled=0, now=0, before=0, weeks=0), 0,
            "<b>Personne n’est encore inscrit</b> dans cette session, "
         "pour ce que l’outil en sait."),
    ],
)  # fmt: skip
def test_the_lead(course: Overview, needing: int, said: str) -> None:
    assert str(wording.lead(course, needing)) == said


@pytest.mark.parametrize(
    ("course", "said"),
    [
        (overview(), "L’activité tient, portée par le module 3"),
        (overview(now=50), "L’activité monte, portée par le module 3"),
        (overview(now=30), "L’activité baisse par rapport aux sept jours d’avant"),
        (overview(weeks=2), "Activité par semaine"),
        (overview(now=3, before=4), "Activité par semaine"),
    ],
)
def test_the_title_of_weeks(course: Overview, said: str) -> None:
    assert wording.weeks_title(course, wording.Place(3, "Pour réfléchir")) == said


def test_the_title_of_weeks_without_a_module() -> None:
    assert wording.weeks_title(overview(), None) == "L’activité tient"


def module(number: int, finished: int, stuck: int = 0) -> ModuleProgress:
    return ModuleProgress(
        f"m{number}", f"Titre {number}", number, True, None, None, None, 6.0, finished, 58 - finished, 0,
        6600.0, 6000.0, 7000.0, None, 0, stuck,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("blocking", "stuck", "days", "said"),
    [
        ("m3", 10, 14, f"Le module 3 bloque{N}: dix personnes en sont là depuis deux semaines ou plus"),
        ("m3", 19, 10, f"Le module 3 bloque{N}: 19 personnes en sont là depuis 10 jours ou plus"),
        (None, 0, 14, "La moitié du groupe ou plus a terminé le module 2"),
    ],
)
def test_the_title_of_modules(blocking: str | None, stuck: int, days: int, said: str) -> None:
    modules = (module(1, 50), module(2, 40), module(3, 5, stuck))
    assert wording.modules_title(CourseProgress(BASIS, modules, blocking), stuck_days=days) == said


def test_the_title_of_modules_falls_back_to_a_plain_name() -> None:
    progress = CourseProgress(replace(BASIS, n=3), (module(1, 3),), None)
    assert wording.modules_title(progress, stuck_days=14) == "Avancement par module"


def test_the_title_of_a_funnel() -> None:
    def activity(title: str, reached: int, completed: int, tracked: bool = True) -> ActivityProgress:
        return ActivityProgress(title, title, 1, True, "", None, reached, completed, tracked, None, None, 0)

    steep = (activity("Lire", 50, 48), activity("Quiz", 48, 36), activity("Vidéo", 48, 0, tracked=False))
    assert wording.funnel_title(steep) == f"«{N}Quiz{N}»{N}: douze personnes y sont allées sans terminer"
    assert wording.funnel_title((activity("Lire", 4, 0),)) == "Ce que chaque activité a réuni"


def test_a_title_that_says_its_number_is_given_no_other() -> None:
    assert wording.module_label(3, "Pour réfléchir") == "3. Pour réfléchir"
    assert wording.module_label(4, "Module 3 - Pour réfléchir") == "Module 3 - Pour réfléchir"
    assert wording.module_label(4, "3. Pour réfléchir") == "3. Pour réfléchir"


def learner(state: State, **more: object) -> Learner:
    values: dict[str, object] = {
        "actor": "a" * 32, "state": state, "rule": "", "enrolled_on": date(2026, 11, 6), "first_on": None,
        "last_on": None, "days_since": None, "active_weeks": 0, "active_days": 0, "seconds": 0,
        "attended": 0, "modules_done": 0, "modules_required": 5, "modules_expected": 0,
        "current_module": None, "others_here": 0,
        "completed_on": None, "needs_word": True,
    }  # fmt: skip
    return Learner(**{**values, **more})  # type: ignore[arg-type]


DAY = {
    "deadline_on": date(2026, 11, 20),
    "deadline_title": "Journée à Poitiers",
    "deadline_kind": "day_in_person",
}


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (learner("not_connected", **DAY), f"Inscription il y a 12 jours{N}; «{N}Journée à Poitiers{N}» "
         "(regroupement en présence), dans 2 jours."),
        (learner("not_connected", enrolled_on=None), "Aucune connexion connue."),
        (learner("inactive", active_weeks=3, days_since=16, current_module="m3", others_here=9),
         f"Trois semaines d’activité, rien depuis 16 jours{N}; en est au module 3, comme 9 autres."),
        (learner("inactive", days_since=20, current_module="m1"),
            f"Rien depuis 20 jours{N}; en est au module 1."),
        (learner("slow", modules_done=1, modules_expected=3, current_module="m3", others_here=1),
         f"1 module terminé, quand la moitié du groupe en a 3{N}; en est au module 3, comme une autre "
         "personne."),
        (learner("on_track", last_on=date(2026, 11, 17)), "Dernière activité hier."),
        (learner("finished", completed_on=date(2026, 11, 1)), "Parcours terminé le 1er novembre."),
    ],
)  # fmt: skip
def test_the_facts_of_a_person(who: Learner, said: str) -> None:
    assert facts.facts(who, SETTING) == said


def test_what_the_calendar_expects_is_said_as_such() -> None:
    who = learner("slow", modules_done=1, modules_expected=3)
    assert facts.facts(who, replace(SETTING, calendar=True)) == "1 module terminé, 3 prévus à cette date."


def test_a_name_never_becomes_markup() -> None:
    said = facts.person_lead(learner("finished"), "<script>", SETTING)
    assert "<script>" not in said


def test_drafts_differ_by_state_and_keep_exact_dates() -> None:
    drafts: Mapping[State, messages.Message] = {
        state: messages.draft(
            learner(state, current_module="m3", days_since=16, **DAY), "Camille", "Pilotage", SETTING
        )
        for state in ("not_connected", "inactive", "slow", "on_track")
    }
    assert len({draft.body for draft in drafts.values()}) == 4
    assert "je n’ai pas encore vu de connexion" in drafts["not_connected"].body
    assert "remonte à 16 jours" in drafts["inactive"].body
    assert all("vendredi 20 novembre 2026" in draft.body for draft in drafts.values())
    assert all("dans 2 jours" not in draft.body for draft in drafts.values())


def test_an_address_of_mail_carries_the_draft_and_nothing_else() -> None:
    draft = messages.Message("Objet & suite", "Bonjour,\n\nà bientôt ?\n")
    link = messages.mailto("a&bcc=x@y.fr", draft)
    assert link.startswith("mailto:a%26bcc%3Dx@y.fr?subject=Objet%20%26%20suite&body=Bonjour%2C%0D%0A%0D%0A")


def step(status: str = "current") -> Step:
    return Step("m3", "Pour réfléchir", 3, True, status, 1, 5, 0, *[None] * 7)  # type: ignore[arg-type]


def test_the_trainee_is_told_what_is_done_and_what_is_next() -> None:
    quiz = StepActivity("q", "Quiz", True, "", None, None, None, None, False, None, 0)
    path = LearnerPath(BASIS, (step(),), (), 2, 5, step(), quiz, (), False)
    assert str(wording.my_lead(path)) == (
        f"<b>Vous avez terminé deux modules</b> sur 5. La suite{N}: «{N}Quiz{N}», dans «{N}Pour "
        f"réfléchir{N}»."
    )
    hostile = replace(path, next_activity=replace(quiz, title="<img src=x>"))
    assert "<img" not in wording.my_lead(hostile)
    assert "terminé ce parcours" in wording.my_lead(replace(path, finished=True))
    assert "pas encore de trace" in wording.my_lead(replace(path, steps=(), done=0))


@pytest.mark.parametrize(
    ("mine", "band", "said"),
    [
        (2, (1.0, 2.0, 3.0), "Vous êtes au rythme du groupe"),
        (0, (1.0, 2.0, 3.0), "Le groupe est un peu plus loin que vous"),
        (4, (1.0, 2.0, 3.0), "Vous êtes un peu plus loin que le groupe"),
        (2, None, "Votre rythme"),
    ],
)
def test_the_title_of_pace(mine: int, band: tuple[float, float, float] | None, said: str) -> None:
    pace = Pace((TODAY,), (mine,), (band,) if band else None, None if band else "few", BASIS)
    assert wording.pace_title(pace) == said


def test_the_lead_of_sessions() -> None:
    sessions = Sessions(BASIS, (), 0, 0, 0)
    assert "Aucune session" in wording.sessions_lead(sessions)
