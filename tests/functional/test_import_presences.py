"""Lists of participants as Teams, Via and Livestorm export them: read as they are, and marked present."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from lti_tool.imports import running
from tests.factories.imports import HOME, prepared
from tool_config.database import transaction
from xapi import datasets

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
KIND = "attendance"
DAY = "12/11/2026"
PEOPLE = ("camille.martin", "dominique.petit", "sacha.leroy")

TEAMS_FR = (
    "1. Résumé\nTitre de la réunion\tClasse virtuelle 2\nParticipants présents\t3\n"
    "Heure de début\t12/11/2026, 14:00:11\nHeure de fin\t12/11/2026, 15:31:02\n"
    "Durée de la réunion\t1 h 30 min 51 s\nTemps moyen de présence\t1 h 20 min 3 s\n\n2. Participants\n"
    "Nom\tPremière participation\tDernier départ\tDurée de la réunion\tE-mail\tID de participant (UPN)\t"
    "Rôle\n"
    + "".join(
        f"{who}\t{DAY}, 14:02:11\t{DAY}, 15:04:14\t1h 2min 3s\t{who}@ac-lille.fr\t{who}@x.fr\tParticipant\n"
        for who in PEOPLE
    )
    + "\n3. Activités pendant la réunion\nNom\tHeure d’arrivée\tHeure de départ\tDurée\tE-mail\tRôle\n"
    + "".join(
        f"{who}\t12/11/2026, 14:02:11\t12/11/2026, 15:04:14\t1h 2min 3s\t{who}@ac-lille.fr\tParticipant\n"
        for who in PEOPLE
    )
)
TEAMS_EN = (
    "1. Summary\nMeeting title\tClasse virtuelle 2\nAttended participants\t3\n"
    "Start time\t11/12/26, 2:00:11 PM\nEnd time\t11/12/26, 3:31:02 PM\nMeeting duration\t1h 30m 51s\n"
    "Average attendance time\t1h 20m 3s\n\n2. Participants\n"
    "Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole\n"
    + "".join(
        f"{who}\t11/12/26, 2:02:11 PM\t11/12/26, 3:04:14 PM\t1h 2m 3s\t{who}@ac-lille.fr\t{who}@x.fr\tNo\n"
        for who in PEOPLE
    )
    + "\n3. In-Meeting Activities\nName\tJoin Time\tLeave Time\tDuration\tEmail\tRole\n"
    + f"{PEOPLE[0]}\t11/12/26, 2:02:11 PM\t11/12/26, 3:04:14 PM\t1h 2m 3s\t{PEOPLE[0]}@ac-lille.fr\tNo\n"
)
LIVESTORM = (
    "Email,First name,Last name,Registration date,Attended,Attendance rate,Attended at,Left at,"
    "Attendance duration,Has viewed replay\n"
    "camille.martin@ac-lille.fr,Camille,Martin,2026-11-02 10:00:00,true,92,2026-11-12 14:02:11,"
    "2026-11-12 15:04:14,01:02:03,false\n"
    "dominique.petit@ac-lille.fr,Dominique,Petit,2026-11-03 11:00:00,true,80,2026-11-12 14:10:00,"
    "2026-11-12 15:04:00,00:54:00,false\n"
    "sacha.leroy@ac-lille.fr,Sacha,Leroy,2026-11-04 09:00:00,false,0,,,,true\n"
)
VIA = (
    "Rapport de présence : Classe virtuelle 2\n"
    "Date de début :;12/11/2026 14:00\nDate de fin :;12/11/2026 15:30\n\n"
    "Rôle;Nom, Prénom;Adresse de courriel;Présence\n"
    "Participant;Martin, Camille;camille.martin@ac-lille.fr;Présent\n"
    "Participant;Petit, Dominique;dominique.petit@ac-lille.fr;Présent\n"
    "Participant;Leroy, Sacha;sacha.leroy@ac-lille.fr;Absent\n"
)


def utf16(text: str) -> bytes:
    """Return a text as Teams writes its file: UTF-16 with a mark, lines ended for Windows."""
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


@sqlite_only
@pytest.mark.parametrize(
    ("content", "supplied", "asked", "minutes"),
    [
        (utf16(TEAMS_FR), {"gathering": "Classe virtuelle 2"}, {}, 62.05),
        (utf16(TEAMS_EN), {"gathering": "Classe virtuelle 2"}, {}, 62.05),
        (LIVESTORM.encode(), {}, {"gathering": "Classe virtuelle 2", "day": "12/11/2026"}, 62.05),
        (VIA.encode("utf-8-sig"), {}, {"gathering": "Classe virtuelle 2", "day": "12/11/2026"}, None),
    ],
    ids=["teams-fr", "teams-en", "livestorm", "via"],
)
def test_a_list_of_participants(
    engine: Engine, silo: int, clock: Any, content: bytes, supplied: dict[str, str], asked: dict[str, str],
    minutes: float | None,
) -> None:  # fmt: skip
    ready = prepared(engine, silo, content, clock())
    assert ready.file.kind == KIND
    assert ready.detected.count == 3
    assert supplied.items() <= ready.file.constants.items()
    said = {**ready.file.constants, **asked, "session": "PERDIR-7"}
    ready = prepared(engine, silo, content, clock(), KIND, constants=said)
    assert ready.faults == ()
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    assert (done.state, done.added, done.refused) == ("done", 3, 0)
    with transaction(engine, silo, write=False) as conn:
        rows = datasets.rows(conn, silo, KIND)
    assert {row.valid_on for row in rows} == {date(2026, 11, 12)}
    assert {row.data["gathering"] for row in rows} == {"Classe virtuelle 2"}
    told = [row.data.get("minutes") for row in rows]
    assert minutes is None or round(max(filter(None, told)), 2) == minutes
    absent = [row.data.get("present") for row in rows].count(False)
    assert absent == (0 if supplied else 1)


@sqlite_only
def test_a_long_list_of_teams_ends_with_its_own_table(engine: Engine, silo: int, clock: Any) -> None:
    head, _, rest = TEAMS_FR.partition("\n3. ")
    more = "".join(
        f"p{n}\t{DAY}, 14:02:11\t{DAY}, 15:04:14\t1h 2min 3s\tp{n}@ac-lille.fr\tp{n}@lille.fr\tParticipant\n"
        for n in range(60)
    )
    ready = prepared(engine, silo, utf16(head + more + "\n3. " + rest), clock())
    assert (ready.file.kind, ready.detected.count) == (KIND, 63)
