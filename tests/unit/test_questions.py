"""Questions and scales recognised from headings and answers, in French and in English."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xapi.sources import scales
from xapi.sources.questions import Column, Question, doubtful, parsed, plan, questioning, technical, unfolded


@pytest.mark.parametrize(
    ("heading", "code", "text", "item"),
    [
        ("rse1. Do you write code?", "rse1", "Do you write code?", ""),
        ("tool5[multi]. Which platforms? [Cloud service]", "tool5", "Which platforms?", "Cloud service"),
        ("likert0[SQ001]. Le module est [Utile]", "likert0", "Le module est", "Utile"),
        ("Le module est-il ? [Clair]", "", "Le module est-il ?", "Clair"),
        ("Q02_Rythme->Trop lent", "Q02", "Rythme", "Trop lent"),
        ("(utile) Ce module est-il utile ?", "utile", "Ce module est-il utile ?", ""),
        ("Ce module m’est utile", "", "Ce module m’est utile", ""),
        ("p.\u00a0ex. un mot", "", "p. ex. un mot", ""),
    ],
)
def test_what_a_heading_says(heading: str, code: str, text: str, item: str) -> None:
    found = parsed(heading)
    assert (found.code, found.text, found.item) == (code, text, item)


@pytest.mark.parametrize(
    ("answers", "name", "numbers"),
    [
        (
            "Tout à fait d'accord|Plutôt d’accord|Plutôt pas d'accord|Pas du tout d'accord",
            "agreement",
            "4321",
        ),
        ("TOUT À FAIT D’ACCORD|ni d'accord, ni pas d'accord|Pas d’accord", "agreement", "532"),
        ("Strongly agree|Agree|Neither agree or disagree|Disagree|Strongly disagree", "agreement", "54321"),
        ("Très satisfaite|Satisfait(e)|Peu satisfait·e|Pas du tout satisfaits", "satisfaction", "4321"),
        ("Toujours|Souvent|Parfois|Rarement|Jamais", "frequency", "54321"),
        ("1 - Jamais|5 - Toujours", "frequency", "15"),
        ("5 - Jamais|1 - Toujours", "frequency", "15"),
        ("1. Jamais|2. Rarement|4. Souvent", "frequency", "124"),
        ("1. Jamais|2. Rarement|3. Souvent|4. Toujours", "frequency", "1234"),
        ("Excellent|Bonne|Moyen|Mauvais", "quality", "5432"),
        ("Oui|Non", "yes_no", "10"),
        ("Très utile|Peu utile", "usefulness", "42"),
    ],
)
def test_a_scale_is_known_by_its_words(answers: str, name: str, numbers: str) -> None:
    words = answers.split("|")
    found = scales.recognise(dict.fromkeys(words, 3) | {"Sans opinion": 1})
    assert found.name == name
    assert "".join(f"{found.numbers[scales.word(word)]:g}" for word in words) == numbers


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (["1", "5", "3"], "rating_5"),
        (["1", "2", "4"], "rating_4"),
        (["0", "10", "7"], "rating_10"),
        (["2634,398", "12"], "number"),
        (["2019", "2020"], "number"),
        (["Vidéo;Forum", "Vidéo", "Forum;Quiz", "Quiz;Vidéo"], "multiple"),
        (["Femme", "Homme", "Femme", "Homme"], "single"),
        (["Très clair, merci.", "Trop dense ; à revoir."], "text"),
        ([], "text"),
    ],
)
def test_other_answers(answers: list[str], name: str) -> None:
    column = Column()
    for text in answers:
        column.add(text)
    assert column.sized().name == name


def column(answers: str) -> Column:
    made = Column()
    for text in answers.split("|"):
        made.add(text)
    return made


def test_a_middle_that_nobody_chose_is_known_by_another_question_or_said() -> None:
    whole = column("Très insatisfait|Neutre|Satisfait|Très satisfait")
    part = column("Insatisfait|Satisfait|Très satisfait")
    other = column("Pas du tout satisfait|Assez satisfait|Très satisfait")
    usual = column("Plutôt pas d’accord|Plutôt d’accord")

    def degrees(planned: dict[str, Question], name: str) -> float:
        return max(planned[name].scale.numbers.values())

    alone = {"B": part, "C": other, "D": usual}
    planned = plan(list(alone), alone)
    assert [degrees(planned, name) for name in alone] == [4, 4, 4]
    assert doubtful(alone, planned) == 2
    some = {"A": whole, **alone}
    planned = plan(list(some), some)
    assert [degrees(planned, name) for name in some] == [5, 5, 4, 4]
    assert doubtful(some, planned) == 1
    planned = plan(list(alone), alone, {"B": 5, "C": 5, "D": 4})
    assert [degrees(planned, name) for name in alone] == [5, 5, 4]
    assert doubtful(alone, planned) == 0


def test_the_degrees_of_a_scale_of_five_without_its_middle_are_five() -> None:
    said = {1: {"Très insatisfait": 2}, 4: {"Satisfait": 3}}
    assert scales.degrees("satisfaction", said) == (
        "Très insatisfait", "Peu satisfait", "Ni satisfait ni insatisfait", "Satisfait", "Très satisfait",
    )  # fmt: skip
    assert len(scales.degrees("satisfaction", {3: {"Satisfait": 3}, 4: {"Très satisfait": 1}})) == 4


def test_a_column_of_many_different_texts_is_free_text() -> None:
    column = Column()
    for rank in range(2000):
        column.add(f"mot {rank}")
        column.add("toujours le même")
    assert column.sized().name == "text"


def test_a_grid_shares_its_scale() -> None:
    columns = {"G1. Le module est [Utile]": Column(), "G1. Le module est [Clair]": Column()}
    for heading, answers in zip(
        columns, (("Tout à fait d'accord", "Neutre"), ("Plutôt d'accord",)), strict=True
    ):
        for text in answers:
            columns[heading].add(text)
    planned = plan(list(columns), columns)
    [said] = unfolded({"G1. Le module est [Clair]": "Plutôt d'accord"}, planned)
    assert (said.item, said.value) == ("Clair", 4)


def test_a_choice_left_empty_by_all_its_options_is_not_answered() -> None:
    columns = {"C[1]. Quoi ? [Vidéo]": Column(), "C[2]. Quoi ? [Forum]": Column()}
    for column in columns.values():
        column.add("Oui")
        column.add("Non")
    planned = plan(list(columns), columns)
    assert unfolded({}, planned) == []
    [none] = unfolded(dict.fromkeys(columns, "Non"), planned)
    assert none.answer == []


@pytest.mark.parametrize(
    "heading", ["Dernière page", "SEED", "Adresse IP", "Nom complet", "Temps pour la question : Q1"]
)
def test_columns_that_are_no_questions(heading: str) -> None:
    assert technical(heading)


def test_headings_that_are_questions() -> None:
    asked = ("Q1", "q12 Clair", "Utile ?", "Utile ? [Oui]", "rse1. Do you", "Q02_Clair->Oui")
    assert all(map(questioning, asked))
    assert not any(map(questioning, ("Adresse mail", "Académie", "Date de début", "Sexe")))


_TEXTS = st.text(max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_TEXTS, st.lists(_TEXTS.filter(bool), max_size=8), max_size=8))
def test_any_headings_and_answers_are_read(said: dict[str, list[str]]) -> None:
    columns = {heading: Column() for heading in said}
    for heading, answers in said.items():
        for text in answers:
            columns[heading].add(text)
    planned = plan(list(columns), columns)
    for rank in range(8):
        cells = {heading: answers[rank] for heading, answers in said.items() if rank < len(answers)}
        found = unfolded(cells, planned)
        options = sum(bool(planned[heading].option) for heading in cells)
        assert len(cells) - options <= len(found) <= len(cells)
