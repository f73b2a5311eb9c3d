"""Links to questionnaires on both engines: sent by a real SMTP server, good for one answer, forgotten."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from lti_tool import invited as people
from lti_tool import surveys
from lti_tool.invited import links, reading, work
from lti_tool.invited.links import LinkError
from lti_tool.invited_tables import invited, invited_link
from lti_tool.surveys import SurveyError
from lti_tool.tables import person
from tests.conftest import Clock
from tests.factories import jobs
from tests.factories.mailbox import Mailbox, link, mailbox, text
from tests.factories.surveys import KEY, SECRET, Classroom, K
from tool_config import surveys as templates
from tool_config.database import transaction
from tool_config.settings import Settings
from tool_config.surveys import Survey
from xapi.survey_tables import answer
from xapi.tables import event, membership

PEOPLE = "Anne Roy <anne@mairie.test>\nbob@mairie.test\ncléo;cleo@mairie.test"


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    return Classroom(engine, silo, clock()).build(8)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture
def tool(settings: Settings, engine: Engine, clock: Clock, box: Mailbox) -> Any:
    sender = {"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_tls": "none"}
    made = replace(settings, **sender, mail_sender="formation@ecole.test", secret_key=SECRET)  # type: ignore[arg-type]
    return jobs.make_tool(made, engine, clock)


def ask(room: Classroom, mode: str = "pseudonymous", audience: str = "regard-commanditaires") -> Survey:
    template = templates.load()[audience].asked()
    with transaction(room.engine, room.silo_id) as conn:
        return surveys.open_survey(
            conn, room.silo_id, room.course_id, module="", template=template, mode=mode,
            opens_at=room.now, closes_at=room.now + timedelta(days=14), by="tutor", now=room.now,
        )  # fmt: skip


def invite(room: Classroom, asked: Survey, text: str = PEOPLE, *, send: bool = True) -> None:
    read = reading.read(text)
    assert read.faults == []
    with transaction(room.engine, room.silo_id) as conn:
        people.add(conn, asked, read.recipients, locale="fr", secret_key=SECRET, now=room.now)
        if send:
            people.ask_sending(conn, asked, now=room.now)


def states(room: Classroom, asked: Survey) -> dict[str, tuple[str, str]]:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = people.listing(conn, asked, secret_key=SECRET)
    return {one.address.partition("@")[0]: (one.state, one.said) for one in found}


def good(asked: Survey, value: str = "1") -> dict[str, str]:
    """Return answers to every required question."""
    return {
        question.id: str(question.points[-1].value) if question.points else "x"
        for question in asked.template.questions
        if question.required
    } | {asked.template.overall.id: value}


def say(room: Classroom, token: str, answers: dict[str, str], attempt: str | None = None) -> str:
    room.now += timedelta(minutes=1)
    with transaction(room.engine, room.silo_id) as conn:
        return links.submit(
            conn, token, answers, attempt or str(uuid.uuid4()),
            secret_key=SECRET, key=KEY, k=K, now=room.now,
        )[1]  # fmt: skip


def token_of(message: Any) -> str:
    return link(message).rpartition("/")[2]


def count(room: Classroom, table: Any) -> int:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_mailed_link_takes_one_answer_of_nobodys_name(
    room: Classroom, box: Mailbox, tool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked = ask(room)
    invite(room, asked)
    jobs.drain(tool)
    assert states(room, asked) == dict.fromkeys(("anne", "bob", "cleo"), ("sent", ""))
    (message,) = box.to("anne@mairie.test")
    assert message["From"] == "essai <formation@ecole.test>"
    assert message["Subject"].startswith("Votre avis")
    assert link(message) in text(message, "html")
    assert "<img" not in text(message, "html")
    token = token_of(message)
    people_before, events = count(room, membership), count(room, event)
    attempt = str(uuid.uuid4())
    assert say(room, token, good(asked), attempt) == "recorded"
    assert say(room, token, good(asked), attempt) == "repeated"
    with pytest.raises(LinkError, match="used"):
        say(room, token, good(asked))
    with transaction(room.engine, room.silo_id, write=False) as conn:
        spoken = set(conn.scalars(select(answer.c.respondent)))
        rows = repr(conn.execute(select(invited)).all()) + repr(conn.execute(select(invited_link)).all())
    assert len(spoken) == 1
    assert spoken.isdisjoint(room.trainees)
    for secret in ("anne", "mairie", "Roy", token, token.partition(".")[2]):
        assert secret not in rows
        assert secret not in caplog.text
    assert (count(room, membership), count(room, event)) == (people_before, events)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_server_refuses_one_delays_another_and_takes_the_third(
    room: Classroom, box: Mailbox, tool: Any, clock: Clock
) -> None:
    asked = ask(room)
    box.answers["anne@mairie.test"] = "550 5.1.1 <anne@mairie.test>: no such mailbox"
    box.answers["bob@mairie.test"] = "451 4.7.1 greylisted, try again"
    box.data_answers["cleo@mairie.test"] = "554 5.6.0 content refused"
    invite(room, asked, PEOPLE + "\ndora@mairie.test")
    jobs.drain(tool)
    found = states(room, asked)
    assert found["anne"][0] == "refused"
    assert found["anne"][1].startswith("550 5.1.1 …")
    assert "anne@" not in found["anne"][1]
    assert found["bob"] == ("queued", "451 4.7.1 greylisted, try again")
    assert found["cleo"] == ("refused", "554 5.6.0 content refused")
    assert found["dora"] == ("sent", "")
    assert count(room, invited_link) == 1  # links that reached nobody are forgotten
    del box.answers["bob@mairie.test"]
    assert jobs.drain(tool) == 0  # not before its time
    clock.advance(minutes=1)
    assert jobs.drain(tool) == 1
    assert states(room, asked)["bob"] == ("sent", "")
    assert len(box.received) == 2


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_server_that_is_down_gets_the_messages_when_it_is_up_again(
    room: Classroom, box: Mailbox, tool: Any, clock: Clock
) -> None:
    asked = ask(room)
    box.stop()
    invite(room, asked)
    jobs.drain(tool)
    (waiting,) = jobs.listed(room.engine, room.silo_id, work.KIND)
    assert (waiting.state, waiting.message) == ("waiting", "smtp unreachable")
    box.start()
    clock.advance(minutes=1)
    jobs.drain(tool)
    assert {state for state, _ in states(room, asked).values()} == {"sent"}
    assert sorted(who for who, _ in box.received) == [
        "anne@mairie.test", "bob@mairie.test", "cleo@mairie.test",
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_the_server_never_takes_is_given_up_and_said(
    room: Classroom, box: Mailbox, tool: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "ATTEMPTS", 3)
    asked = ask(room)
    box.answers["bob@mairie.test"] = "451 later"
    invite(room, asked)
    for _ in range(work.ATTEMPTS):
        jobs.drain(tool)
        clock.advance(hours=8)
    assert states(room, asked)["bob"] == ("failed", "451 later")
    (job,) = jobs.listed(room.engine, room.silo_id, work.KIND)
    assert (job.state, job.message) == ("failed", "smtp later")


def test_a_reminder_goes_to_those_who_have_not_answered_and_the_rows_do_not_tell(
    room: Classroom, box: Mailbox, tool: Any, clock: Clock
) -> None:
    asked = ask(room)
    invite(room, asked)
    jobs.drain(tool)
    say(room, token_of(box.to("bob@mairie.test")[0]), good(asked))
    with transaction(room.engine, room.silo_id) as conn:
        people.ask_reminding(conn, asked, now=room.now)
        with pytest.raises(SurveyError, match="too_soon"):
            people.ask_reminding(conn, asked, now=room.now)
    clock.now = room.now
    before = len(box.received)
    jobs.drain(tool)
    assert sorted(who for who, _ in box.received[before:]) == ["anne@mairie.test", "cleo@mairie.test"]
    assert box.to("anne@mairie.test")[1]["Subject"].startswith("Rappel")
    with transaction(room.engine, room.silo_id, write=False) as conn:
        columns = (invited.c.state, invited.c.remind, invited.c.reminded_at, invited.c.sent_at)
        assert len(set(conn.execute(select(*columns)).all())) == 1
    first, second = (token_of(message) for message in box.to("anne@mairie.test"))
    assert first != second
    assert say(room, second, good(asked)) == "recorded"
    with pytest.raises(LinkError, match="used"):
        say(room, first, good(asked))


def test_an_anonymous_questionnaire_is_answered_once_and_nothing_ties_the_link(
    room: Classroom, box: Mailbox, tool: Any
) -> None:
    asked = ask(room, "anonymous")
    invite(room, asked, "\n".join(f"p{rank}@mairie.test" for rank in range(10)))
    jobs.drain(tool)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        before = conn.execute(select(invited).order_by(invited.c.invited_id)).all()
    for _, message in box.received:
        assert say(room, token_of(message), good(asked)) == "recorded"
    with pytest.raises(LinkError, match="used"):
        say(room, token_of(box.received[0][1]), good(asked))
    with transaction(room.engine, room.silo_id) as conn:
        assert conn.execute(select(invited).order_by(invited.c.invited_id)).all() == before
        spoken = set(conn.scalars(select(answer.c.respondent)))
        known = links.actors(conn, asked, people.listing(conn, asked, secret_key=SECRET))
        assert spoken  # a lot has left
        assert spoken.isdisjoint(known.values())
        with pytest.raises(SurveyError, match="anonymous"):
            people.ask_reminding(conn, asked, now=room.now)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_trainee_chosen_from_the_list_answers_in_their_own_name(room: Classroom) -> None:
    asked = ask(room, audience="a-froid")
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(person.update().values(email="x@mairie.test"))
        conn.execute(membership.update().values(until=room.now))  # three months later nobody is enrolled
        with pytest.raises(SurveyError, match="trainees"):
            people.add(conn, asked, [], locale="fr", secret_key=SECRET, now=room.now)
        chosen = [room.trainees[0], "nobody"]
        now = room.now
        assert people.add_trainees(conn, asked, chosen, locale="en", secret_key=SECRET, now=now) == 1
        assert people.add_trainees(conn, asked, chosen, locale="en", secret_key=SECRET, now=now) == 0
        (one,) = people.listing(conn, asked, secret_key=SECRET)
        token = links.copy(conn, asked, one, secret_key=SECRET)
    assert say(room, token, good(asked)) == "recorded"
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert set(conn.scalars(select(answer.c.respondent))) == {room.trainees[0]}


def test_links_open_nothing_when_closed_withdrawn_or_of_another_silo(
    room: Classroom, engine: Engine, second_silo: int
) -> None:
    asked = ask(room)
    invite(room, asked, send=False)
    with transaction(engine, room.silo_id) as conn:
        one, other, _ = people.listing(conn, asked, secret_key=SECRET)
        token, gone = (links.copy(conn, asked, each, secret_key=SECRET) for each in (one, other))
        people.remove(conn, asked, other.invited_id)
    elsewhere = f"{second_silo}.{token.partition('.')[2]}"
    for wrong in (gone, elsewhere, token[:-1] + ("A" if token[-1] != "A" else "B"), "x", f"0{token}"):
        silo_id = links.silo_of(wrong) or room.silo_id
        with transaction(engine, silo_id, write=False) as conn, pytest.raises(LinkError, match="unknown"):
            links.find(conn, wrong, secret_key=SECRET)
    room.now = asked.closes_at
    with pytest.raises(LinkError, match="closed"):
        say(room, token, good(asked))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_who_answered_is_told_by_steps_and_not_of_a_few(room: Classroom, box: Mailbox, tool: Any) -> None:
    asked = ask(room)
    invite(room, asked, "\n".join(f"p{rank}@mairie.test" for rank in range(10)))
    jobs.drain(tool)

    def told() -> people.Answered:
        with transaction(room.engine, room.silo_id, write=False) as conn:
            every = people.listing(conn, asked, secret_key=SECRET)
            keys = list(links.actors(conn, asked, every).values())
            return people.answered(conn, asked, every, keys, k=K)

    for rank, (_, message) in enumerate(box.received, 1):
        say(room, token_of(message), good(asked))
        shown = told()
        # Until the fifth no figure has moved; from then on five are published till the tenth.
        assert (shown.told, len(shown.keys)) == (rank >= K, 0 if rank < K else 10 if rank == 10 else 5)


def test_addresses_are_forgotten_some_days_after_the_closing(
    room: Classroom, box: Mailbox, tool: Any, clock: Clock
) -> None:
    asked = ask(room)
    invite(room, asked)
    jobs.drain(tool)
    say(room, token_of(box.received[0][1]), good(asked))
    clock.now = asked.closes_at + timedelta(days=29)
    jobs.drain(tool, plans=True)
    assert set(states(room, asked)) == {"anne", "bob", "cleo"}
    clock.advance(days=2)
    jobs.drain(tool, plans=True)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        kept = conn.execute(select(invited.c.address, invited.c.name, invited.c.respondent)).all()
    assert kept == [(None, None, None)] * 3
    assert count(room, invited_link) == 0


def test_lists_are_read_and_faults_told_by_line() -> None:
    read = reading.read(
        'Nom;Adresse\nAnne Roy;anne@x.test\n\n"Roy, Bob" <bob@x.test>\n'
        "cleo@x.test,Cléo\nANNE@x.test\nzoé@x.test\na@b.test c@d.test\nx@localhost\n<eve@x.test>;"
    )
    assert [(one.address, one.name) for one in read.recipients] == [
        ("anne@x.test", "Anne Roy"), ("bob@x.test", "Roy, Bob"), ("cleo@x.test", "Cléo"), ("eve@x.test", ""),
    ]  # fmt: skip
    assert [(fault.line, fault.code) for fault in read.faults] == [
        (6, "twice"), (7, "malformed"), (8, "malformed"), (9, "malformed"),
    ]  # fmt: skip
    assert reading.decoded("é".encode("cp1252")) == reading.decoded("\ufeffé".encode()) == "é"
