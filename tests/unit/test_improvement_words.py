"""What the improvement log says of two readings of a figure, and what may not be published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lti_tool.improvements import Entry, Seen, reviewing, wording

TODAY = date(2026, 11, 21)
SEEN = Seen("3", "Avis favorables", "…", "…", date(2026, 11, 1), 0.3, "share", 14, 0.12, 0.55)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (replace(SEEN, value=0.5, low=0.27, high=0.73, day=TODAY), "De 30 % à 50 %. Les deux intervalles"),
        (replace(SEEN, value=0.9, low=0.7, high=0.97, day=TODAY), "De 30 % à 90 %."),
        (SEEN, "La mesure n’a pas bougé"),
        (replace(SEEN, value=None, low=None, high=None), "L’une des deux mesures n’est pas montrée"),
        (replace(SEEN, measure="Autre chose", value=0.9), ""),
    ],
)
def test_two_readings_claim_no_more_than_they_show(after: Seen, said: str) -> None:
    found = plain(wording.moved(SEEN, after))
    assert found.startswith(said)
    assert bool(found) == bool(said)
    assert ("recouvrent" in found) == ("intervalles" in said)


def test_a_frozen_figure_comes_back_the_same() -> None:
    assert Seen.from_stored(SEEN.stored()) == SEEN
    assert SEEN.digest() != replace(SEEN, n=15).digest()


def test_names_addresses_and_numbers_are_found() -> None:
    names = ["Zoé Lefèvre-Martin", "Ng O", "Pierre Blanc"]
    assert reviewing.named("Merci à zoé, et à Zoe.", names) == ["Zoe"]
    assert reviewing.named("LEFÈVRE-MARTIN l’a dit ; la page blanche aussi.", names) == ["LEFÈVRE-MARTIN"]
    assert reviewing.named("Un O, un Ng.", names) == []
    assert reviewing.reaches("a.b@ac-x.fr ou +33 6 12 34 56 78") == ["a.b@ac-x.fr", "+33 6 12 34 56 78"]
    assert reviewing.reaches("12 personnes sur 24, le 10 novembre 2026") == []


def entry(**more: object) -> Entry:
    made = Entry(1, 7, "x", "active", "", "", "", "decided", "", TODAY, "a", due_on=TODAY)
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "late", "said"),
    [
        (entry(), False, "pour le 21 nov."),
        (entry(due_on=date(2026, 11, 20)), True, "en retard de 1 jour"),
        (entry(due_on=date(2026, 11, 1), state="checked"), False, ""),
        (entry(due_on=date(2026, 11, 1), state="abandoned"), False, ""),
        (entry(kind="complaint", state="observed", due_on=None, answer_by=TODAY), False,
         "à répondre avant le 22 nov."),
        (entry(kind="complaint", state="checked", answer_by=date(2026, 11, 19)), True,
         "réponse en retard de 2 jours"),
        (entry(kind="complaint", state="abandoned", answer_by=date(2026, 11, 19)), False, ""),
    ],
)  # fmt: skip
def test_what_is_due_and_what_is_late(given: Entry, late: bool, said: str) -> None:
    assert given.late(TODAY) is late
    assert plain(wording.due(given, TODAY)) == said
