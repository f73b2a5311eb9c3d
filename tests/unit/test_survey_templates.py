"""Questionnaire templates: the one that ships, the faults that are told, the copy that is kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tool_config import surveys
from tool_config.surveys import TemplateError

FILE = Path(surveys.__file__).with_name("surveys") / "a-chaud-module.yaml"
CONTENT = yaml.safe_load(FILE.read_text(encoding="utf-8"))
TEMPLATE = surveys.load()["a-chaud-module"]
LINES = len(FILE.read_text(encoding="utf-8").splitlines())


def test_the_template_that_ships() -> None:
    asked = TEMPLATE.asked()
    kinds = [question.kind for question in asked.questions]
    assert kinds == ["overall", "item", "item", "item", "item", "comment", "comment"]
    assert asked.overall.values == (1, 2, 3, 4, 5)
    assert asked.phase == "a-chaud"
    for question in TEMPLATE.questions:
        for label in (question.text, question.short, *(point.label for point in question.scale)):
            assert label.in_language("fr") == label.fr
            assert label.in_language("en-GB") == label.en


def test_the_recommendation_is_off_unless_asked_for() -> None:
    assert TEMPLATE.asked().question("recommendation") is None
    found = TEMPLATE.asked(also=("recommendation",)).question("recommendation")
    assert found is not None
    assert found.values == tuple(range(11))
    assert TEMPLATE.asked(without=("improve",)).question("improve") is None


@pytest.mark.parametrize("chosen", [{"also": ("nope",)}, {"without": ("overall",)}])
def test_a_choice_that_makes_no_sense_is_refused(chosen: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(TemplateError):
        TEMPLATE.asked(**chosen)


def test_the_copy_kept_comes_back_equal() -> None:
    asked = TEMPLATE.asked(also=("recommendation",), without=("liked",))
    assert surveys.restore(orjson.loads(orjson.dumps(surveys.dump(asked)))) == asked


def _positioning(name: str, competency: str = "A1") -> dict[str, Any]:
    text = {"fr": "Conduire un projet", "en": "Lead a project"}
    return {"id": name, "kind": "positioning", "scale": "mastery-4", "text": text, "competency": competency}


def _choice(options: int, kind: str = "choice") -> dict[str, Any]:
    made = [{"value": rank, "fr": f"n° {rank}", "en": f"no. {rank}"} for rank in range(1, options + 1)]
    return {"id": "pick", "kind": kind, "text": {"fr": "Lequel", "en": "Which"}, "options": made}


def _grid(rows: list[str], **more: Any) -> dict[str, Any]:
    made = [{"id": name, "text": {"fr": name, "en": name}, "object": "content"} for name in rows]
    text = {"fr": "Et ceci", "en": "And this"}
    return {"id": "g", "kind": "grid", "scale": "agreement-4", "text": text, "rows": made, **more}


FAULTS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda c: c.pop("title"), "the file: 'title' is missing"),
    (lambda c: c.update(colour="blue"), "the file: unknown key 'colour'"),
    (lambda c: c["title"].pop("en"), "title: 'en' is missing"),
    (lambda c: c["title"].update(en=" "), "title.en: expected a text"),
    (lambda c: c.update(version=0), "version: expected a positive whole number"),
    (lambda c: c.update(template="Été"), "template: expected small letters"),
    (lambda c: c["questions"][1].update(id="overall"), "'overall' is there twice"),
    (lambda c: c["questions"][1].update(kind="slider"), r"questions\[1\].kind: unknown kind 'slider'"),
    (lambda c: c["questions"][1].update(scale="none"), r"questions\[1\].scale: expected one of"),
    (lambda c: c["questions"][1].update(scale="recommendation"), r"questions\[1\].scale: the values"),
    (lambda c: c["questions"][0].update(required=False), "exactly one must be of kind overall"),
    (lambda c: c["questions"].pop(0), "exactly one must be of kind overall"),
    (lambda c: c["questions"][9].update(max_length=9999), r"questions\[9\]: a comment has"),
    (lambda c: c["questions"][9].pop("max_length"), r"questions\[9\].max_length: expected a positive"),
    (lambda c: c.update(scales={"own": [{"value": "1", "fr": "a", "en": "a"}]}), r"scales.own\[0\].value"),
    (lambda c: c["questions"][1].update(object="weather"), r"questions\[1\].object: expected one of"),
    (lambda c: c["questions"][1].update(competency="A1"), r"questions\[1\]: unknown key 'competency'"),
    (lambda c: c["questions"].append(_positioning("x", competency="")), "expected the code of a competency"),
    (lambda c: c["questions"].extend([_positioning("x"), _positioning("y")]), "two for the competency 'A1'"),
    (lambda c: c["questions"].append(_choice(1)), r"questions\[11\].options: expected two or more"),
    (lambda c: c["questions"].append(_choice(31)), r"questions\[11\].options: expected two or more"),
    (lambda c: c["questions"].append(_grid([])), r"questions\[11\].rows: expected a list of rows"),
    (lambda c: c["questions"].append(_grid(["a", "a"])), "'g-a' is there twice"),
    (lambda c: c.update(audience="parents"), "audience: expected one of: trainees"),
    (lambda c: c.update(scope="world"), "scope: expected one of: module, session"),
    (lambda c: c.update(phase="tiede"), "phase: expected one of: avant"),
    (lambda c: c.update(languages=["de"]), "languages: expected some of: fr, en"),
    (lambda c: c.update(questions=[]), "questions: expected a list"),
    (lambda c: c["questions"][1].update(required="yes"), r"questions\[1\].required: expected true or false"),
]


@pytest.mark.parametrize(("spoil", "message"), FAULTS, ids=[message[:40] for _, message in FAULTS])
def test_a_fault_is_told_with_its_place(spoil: Callable[[Any], Any], message: str) -> None:
    content = copy.deepcopy(CONTENT)
    spoil(content)
    with pytest.raises(TemplateError, match=message):
        surveys.parse(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            FILE.read_text(encoding="utf-8") + "\nversion: 2\n",
            f"twin.yaml: line {LINES + 2}: 'version' is written twice",
        ),
        (FILE.read_text(encoding="utf-8"), "twin.yaml: template: 'a-chaud-module' is not the name"),
        ("a: [", "twin.yaml: while parsing"),
        ("- 1", "twin.yaml: the file: expected names with values"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "twin.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=message):
        surveys.load(tmp_path)


def varied(**more: Any) -> surveys.Template:
    """Return a template with every kind of question."""
    content = copy.deepcopy(CONTENT)
    content["questions"] += [_choice(3), {**_choice(4, "choices"), "id": "ticks"}]
    content["questions"] += [_grid(["a", "b"]), _positioning("lead")]
    return surveys.parse({**content, **more})


def test_rows_of_a_grid_are_questions_and_it_is_asked_or_left_out_as_a_whole() -> None:
    template = varied()
    assert [row.id for row in template.questions if row.grid] == ["g-a", "g-b"]
    assert {row.kind for row in template.questions if row.grid} == {"item"}
    blocks = [rows for grid, rows in template.blocks if grid]
    assert [[row.id for row in rows] for rows in blocks] == [["g-a", "g-b"]]
    assert template.asked(without=("g",)).question("g-a") is None
    with pytest.raises(TemplateError):
        template.asked(without=("g-a",))
    assert [question.competency for question in template.positioning] == ["A1"]
    assert surveys.restore(orjson.loads(orjson.dumps(surveys.dump(template)))) == template


def test_a_questionnaire_in_one_language_is_shown_in_it_to_everybody() -> None:
    content = copy.deepcopy(CONTENT)
    content["languages"] = ["fr"]
    content["title"] = {"fr": "Seulement en français"}
    template = surveys.parse(content)
    assert template.title.in_language("en") == "Seulement en français"
    assert template.title.as_map() == {"fr": "Seulement en français"}
    assert surveys.restore(surveys.dump(template)) == template


def test_options_ticked_are_one_number_and_come_back() -> None:
    template = varied().asked()
    values, errors = template.check({"overall": "4", "pick": "2", "ticks": "1,4", "g-a": "4"})
    assert errors == {}
    ticks = template.question("ticks")
    assert ticks is not None
    assert (values["pick"], values["ticks"], surveys.ticked(0b1001)) == (2, 0b1001, (1, 4))
    assert ticks.written(values["ticks"]) == "1[,]4"
    assert ticks.read("1[,]4") == values["ticks"]
    _, errors = template.check({"overall": "4", "pick": "1,2", "ticks": "5", "g-a": "5", "g": "1"})
    assert errors == {
        "pick": "out_of_scale", "ticks": "out_of_scale", "g-a": "out_of_scale", "g": "unknown_question"
    }  # fmt: skip


@given(st.sets(st.integers(1, surveys.MOST_OPTIONS), min_size=1))
def test_a_mask_holds_exactly_what_was_ticked(options: set[int]) -> None:
    assert surveys.ticked(surveys.mask(options)) == tuple(sorted(options))
    assert 0 < surveys.mask(options) < 2**31


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no questionnaire template"):
        surveys.load(tmp_path)


def test_comments_are_cleaned_and_blanks_are_no_answer() -> None:
    values, errors = TEMPLATE.asked().check(
        {"overall": " 4 ", "useful": "", "liked": "  un\r\ndeux\x00\x1b\ud800 ", "improve": " \n "}
    )
    assert (values, errors) == ({"overall": 4, "liked": "un\ndeux"}, {})


@given(st.dictionaries(st.sampled_from([q.id for q in TEMPLATE.questions] + ["x"]), st.text(max_size=12)))
def test_what_is_taken_is_always_within_the_template(answers: dict[str, str]) -> None:
    asked = TEMPLATE.asked()
    values, errors = asked.check(answers)
    assert set(errors.values()) <= {"unknown_question", "required", "out_of_scale", "too_long"}
    for name, value in values.items():
        question = asked.question(name)
        assert question is not None
        assert value in question.values if question.scale else isinstance(value, str) and value
