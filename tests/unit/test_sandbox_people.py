"""The sandbox's past: who, what, when; always the same, never in the future."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lti_tool.sandbox import behaviour, programme, traces
from lti_tool.sandbox.people import Person, population
from lti_tool.sandbox.programme import Session, is_holiday

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def sessions() -> tuple[Session, ...]:
    return programme.sessions(ORIGIN, NOW.date())


@pytest.fixture(scope="module")
def people(sessions: tuple[Session, ...]) -> tuple[Person, ...]:
    return population(sessions)


@pytest.fixture(scope="module")
def deeds(sessions: tuple[Session, ...], people: tuple[Person, ...]) -> list[behaviour.Deed]:
    return [deed for session in sessions for deed in behaviour.deeds(session, people, NOW)]


@pytest.fixture(scope="module")
def statements(deeds: list[behaviour.Deed]) -> list[dict[str, Any]]:
    return [traces.statement(deed) for deed in deeds]


def test_three_sessions_of_one_path_in_two_silos(sessions: tuple[Session, ...]) -> None:
    assert [session.label for session in sessions] == ["2026-3", "2026-1", "2026-2"]
    assert [session.site.key for session in sessions] == ["encadrement", "encadrement", "formateurs"]
    assert sessions[0].week(NOW.date()) == (6, 20)
    for session in sessions:
        titles = [module.title for module in session.modules[1:]]
        assert titles == [
            "Concepts en contexte",
            "Sens et enjeux",
            "Pour réfléchir",
            "Analyse de situations",
            "Expérimentations",
        ]
        assert sum(m.hours_in_person + m.hours_distance for m in session.modules) == 36
        assert all(m.opens_on < m.closes_on <= session.ends_on for m in session.modules)
        assert not any(is_holiday(gathering.day) for gathering in session.gatherings)


def test_the_last_module_of_the_current_session_is_not_open_yet(sessions: tuple[Session, ...]) -> None:
    assert sessions[0].modules[5].opens_on > NOW.date()


def test_identifiers_of_a_site_are_its_own(sessions: tuple[Session, ...]) -> None:
    for site in ("encadrement", "formateurs"):
        mine = [s for s in sessions if s.site.key == site]
        cmids = [a.cmid for s in mine for m in s.modules for a in m.activities]
        sections = [m.section_id for s in mine for m in s.modules]
        assert len(cmids) == len(set(cmids))
        assert len(sections) == len(set(sections))


def test_sixty_trainees_always_the_same(sessions: tuple[Session, ...], people: tuple[Person, ...]) -> None:
    later = population(programme.sessions(ORIGIN, date(2027, 3, 2)))
    assert [p.name for p in people] == [p.name for p in later]
    trainees = [p for p in people if p.role == "trainee"]
    assert len(trainees) == 60
    assert len({p.name for p in trainees}) == 60
    assert len({(p.site, p.user_id) for p in people}) == len(people)
    assert all(p.origin and p.origin.academie and p.origin.corps and p.origin.former_job for p in trainees)
    assert Counter(p.courses[0] for p in trainees) == {7: 24, 4: 20, 3: 16}


def test_the_past_is_the_same_each_time(
    sessions: tuple[Session, ...], people: tuple[Person, ...], deeds: list[behaviour.Deed]
) -> None:
    again = [deed for session in sessions for deed in behaviour.deeds(session, people, NOW)]
    assert again == deeds
    assert 6_000 < len(deeds) < 10_000


def test_nothing_happens_after_now_nor_before_enrolment(deeds: list[behaviour.Deed]) -> None:
    assert max(deed.at for deed in deeds) <= NOW
    begun: dict[tuple[str, str, int], str] = {}
    for deed in deeds:
        begun.setdefault((deed.person.site, deed.person.user_id, deed.session.course_id), deed.kind)
    assert set(begun.values()) == {"enrolled", "module_created"}


def test_nobody_enters_a_module_before_it_opens(deeds: list[behaviour.Deed]) -> None:
    early = [d for d in deeds if d.module and d.module.number and d.at.date() < d.module.opens_on]
    assert [d for d in early if d.person.role == "trainee"] == []


def test_weekends_and_holidays_are_quieter(deeds: list[behaviour.Deed]) -> None:
    logins = [d.at.date() for d in deeds if d.kind == "login" and d.person.role == "trainee"]
    weekend = sum(day.weekday() >= 5 for day in logins) / len(logins)
    assert weekend < 2 / 7 * 0.8


def test_every_way_of_learning_shows(deeds: list[behaviour.Deed], people: tuple[Person, ...]) -> None:
    acts = Counter((d.person.site, d.person.user_id) for d in deeds if d.kind not in ("enrolled", "left"))
    by_profile: dict[str, list[int]] = {}
    for person in people:
        if person.role == "trainee":
            by_profile.setdefault(person.profile, []).append(acts[person.site, person.user_id])
    assert by_profile["absent"] == [0] * 4
    assert min(by_profile["weekly"]) > max(by_profile["early_stop"])
    finished = {d.person.user_id for d in deeds if d.kind == "course_completed"}
    assert len(finished) >= 5


def test_module_three_blocks(deeds: list[behaviour.Deed], sessions: tuple[Session, ...]) -> None:
    mine = [d for d in deeds if d.session is sessions[0] and d.person.profile == "stuck"]
    last = {d.person.user_id: d.at for d in mine if d.kind == "module_completed"}
    seen = {d.person.user_id: d.at for d in mine}
    assert len(last) == 5
    assert all((NOW - at).days >= 14 for at in last.values())
    assert all((NOW - at).days < 14 for at in seen.values())


def test_those_who_never_came_attended_nothing(
    sessions: tuple[Session, ...], people: tuple[Person, ...]
) -> None:
    held = behaviour.present(sessions[0], people, NOW.date())
    assert list(held) == ["Classe virtuelle de lancement", "Regroupement en présence"]
    assert all(12 <= len(there) <= 24 for there in held.values())
    assert not any(p.profile in ("absent", "late_enrolled") for there in held.values() for p in there)


def test_no_statement_is_said_twice(statements: list[dict[str, Any]]) -> None:
    assert len({s["id"] for s in statements}) == len(statements)


def test_scores_run_from_minus_one_to_one_as_the_plugin_maps_them(statements: list[dict[str, Any]]) -> None:
    scores = [s["result"]["score"] for s in statements if "score" in s.get("result", {})]
    assert len(scores) > 100
    for score in scores:
        assert score["scaled"] == pytest.approx(score["raw"] / score["max"] * 2 - 1, abs=1e-5)


def _shape(value: Any) -> Any:
    """Keys of an object, all the way down; languages and names of extensions left out."""
    if isinstance(value, dict):
        return {
            key: _shape(item)
            for key, item in value.items()
            if key
            not in (
                "extensions",
                "display",
                "name",
                "description",
                "id",
                "choices",
                "correctResponsesPattern",
            )
        }
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return None


def test_statements_have_the_shape_of_a_real_moodle(
    statements: list[dict[str, Any]], shared_data: Path
) -> None:
    real = json.loads((shared_data / "moodle-4.5.6" / "statements.json").read_text())
    kind = "https://w3id.org/xapi/acrossx/activities/page"

    def key(said: dict[str, Any]) -> tuple[str, str, str]:
        info = said["context"]["extensions"]["http://lrs.learninglocker.net/define/extensions/info"]
        type_ = said["object"]["definition"]["type"]
        return (
            said["verb"]["id"],
            kind if "view.php" in said["object"]["id"] else type_,
            info["event_function"],
        )

    mine = {key(said): said for said in statements}
    compared = 0
    for said in real:
        same = mine.get(key(said))
        if same is None or "response" in said.get("result", {}):
            continue
        compared += 1
        ours = {name: value for name, value in same.items() if name != "id"}
        assert ours.keys() == said.keys()
        assert ours["actor"].keys() == said["actor"].keys()
        assert _shape(ours["context"]) == _shape(said["context"])
        assert _shape(ours["object"]) == _shape(said["object"])
        assert _shape(ours.get("result")) == _shape(said.get("result"))
    assert compared >= 15
