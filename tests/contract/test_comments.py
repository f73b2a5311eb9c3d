"""Comments read and kept, on both engines: what a reader changes stays, what is taken back goes."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, select

from analyzers import comment_frames
from analyzers.comment_frames import Scope
from analyzers.comments.picture import Choice, Picture
from lti_tool import comments, jobs
from lti_tool.comments import CommentError, Reader, work
from tests.conftest import Clock
from tests.factories.commented import RULES, SUBJECTS, made_by_hand, publish_all, read_by_hand
from tests.factories.surveys import Classroom, K
from tool_config.database import transaction
from xapi import publication
from xapi.comment_tables import comment_member, comment_reading, comment_theme
from xapi.survey_tables import survey_comment
from xapi.tables import course


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    made = Classroom(engine, silo, clock()).build(26, modules=2)
    publish_all(made, made.open(), range(18))
    return made


def scope(room: Classroom) -> Scope:
    return Scope("course", room.course_id)


EVERYTHING = Choice()


def drawn(room: Classroom, choice: Choice = EVERYTHING, search: str = "", of: Scope | None = None) -> Picture:
    where = of or scope(room)
    with transaction(room.engine, room.silo_id, write=False) as conn:
        known = comments.themes(conn, room.silo_id, where)
        return comments.draw(conn, room.silo_id, where, known, choice, search=search, rules=RULES)


def named(room: Classroom) -> dict[str, str]:
    """Return the identifier of each theme by its first word."""
    with transaction(room.engine, room.silo_id, write=False) as conn:
        return {one.words[0]: name for name, one in comments.themes(conn, room.silo_id, scope(room)).items()}


def test_themes_hold_the_comments_published_and_search_finds_them(room: Classroom) -> None:
    read_by_hand(room, scope(room))
    shown = drawn(room)
    assert shown.count == 18
    assert [theme.count for theme in shown.themes] == [6, 6, 6]
    assert shown.positive is not None
    assert (shown.positive.count, shown.positive.n) == (9, 18)
    found = drawn(room, search="RYTHME  penible").chosen
    assert found is not None
    assert len(found) == 3
    with transaction(room.engine, room.silo_id, write=False) as conn:
        texts = comments.texts(conn, room.silo_id, scope(room), found)
    assert all("rythme est pénible" in text for text in texts.values())
    assert drawn(room, search="100%").chosen == ()


def test_a_theme_renamed_or_merged_stays_when_new_comments_come(room: Classroom) -> None:
    read_by_hand(room, scope(room))
    by, names = Reader("tutor", room.now), named(room)
    with transaction(room.engine, room.silo_id) as conn:
        comments.rename(conn, room.silo_id, scope(room), names["rythme"], "  Rythme et charge ", by)
        comments.merge(conn, room.silo_id, scope(room), names["forum"], names["quiz"], by)
        comments.set_object(conn, room.silo_id, scope(room), names["quiz"], "pedagogy", by)
    assert sorted(theme.count for theme in drawn(room).themes) == [6, 12]
    publish_all(room, room.open(module=2), range(8), more=" encore")
    with transaction(room.engine, room.silo_id, write=False) as conn:
        there = comments.standing(conn, room.silo_id, scope(room), RULES)
    assert (there.published, there.fresh, there.stale) == (26, 8, True)
    read_by_hand(room, scope(room))
    with transaction(room.engine, room.silo_id, write=False) as conn:
        known = comments.themes(conn, room.silo_id, scope(room))
        assert not comments.standing(conn, room.silo_id, scope(room), RULES).stale
    assert known[names["rythme"]].name == "Rythme et charge"
    assert known[names["quiz"]].parts == 2
    assert {name: theme.count for theme in drawn(room).themes for name in [theme.theme_id]} == {
        names["rythme"]: 9,
        names["quiz"]: 17,
    }
    of_object = drawn(room, Choice("object", "pedagogy"))
    assert of_object.count == 17


def test_a_theme_given_back_is_read_again_with_the_others(room: Classroom) -> None:
    read_by_hand(room, scope(room))
    by, names = Reader("tutor", room.now), named(room)
    with transaction(room.engine, room.silo_id) as conn:
        comments.rename(conn, room.silo_id, scope(room), names["rythme"], "Rythme", by)
        comments.release(conn, room.silo_id, scope(room), names["rythme"], by)
        job = jobs.latest(conn, room.silo_id, f"comments {scope(room).key}")
    assert job is not None
    assert not job.is_over
    read_by_hand(room, scope(room))
    with transaction(room.engine, room.silo_id, write=False) as conn:
        assert not any(one.kept for one in comments.themes(conn, room.silo_id, scope(room)).values())
    assert set(named(room)) == set(SUBJECTS)
    assert named(room)["forum"] == names["forum"]  # known again by its words


def test_what_cannot_be_changed_is_refused(room: Classroom, second_silo: int) -> None:
    read_by_hand(room, scope(room))
    by, theme = Reader("tutor", room.now), named(room)["rythme"]
    here = room.silo_id, scope(room)
    with transaction(room.engine, room.silo_id) as conn:
        for code, change in (
            ("name", lambda: comments.rename(conn, *here, theme, " ", by)),
            ("name", lambda: comments.rename(conn, *here, theme, "x" * 81, by)),
            ("unknown", lambda: comments.rename(conn, *here, "nowhere", "x", by)),
            ("unknown", lambda: comments.rename(conn, room.silo_id, Scope("silo"), theme, "x", by)),
            ("same", lambda: comments.merge(conn, *here, theme, theme, by)),
            ("unknown", lambda: comments.merge(conn, *here, theme, "nowhere", by)),
            ("object", lambda: comments.set_object(conn, *here, theme, "people", by)),
        ):
            with pytest.raises(CommentError) as refused:
                change()
            assert refused.value.code == code
    with transaction(room.engine, second_silo) as conn, pytest.raises(CommentError):
        comments.rename(conn, second_silo, scope(room), theme, "x", by)


def test_a_reader_who_changes_a_theme_during_a_reading_is_waited_for(room: Classroom) -> None:
    read_by_hand(room, scope(room))
    with transaction(room.engine, room.silo_id) as conn:
        prepared = work.prepare(conn, room.silo_id, scope(room), RULES)
        comments.rename(
            conn, room.silo_id, scope(room), named(room)["quiz"], "Le quiz", Reader("tutor", room.now)
        )
    made = made_by_hand(prepared.asked)
    with transaction(room.engine, room.silo_id) as conn, pytest.raises(jobs.Retry):
        work.keep(conn, room.silo_id, scope(room), prepared, made, rules=RULES, now=room.now)


def test_a_comment_taken_back_leaves_every_table_at_once(room: Classroom) -> None:
    read_by_hand(room, scope(room))
    with transaction(room.engine, room.silo_id) as conn:
        gone = conn.execute(select(survey_comment.c.statement_id, survey_comment.c.comment_id)).first()
        assert gone is not None
        publication.forget(conn, room.silo_id, [gone.statement_id])
        for table in (comment_reading, comment_member):
            left = set(conn.scalars(select(table.c.comment_id)))
            assert len(left) == 17
            assert gone.comment_id not in left
    assert drawn(room).count == 17


def test_a_picture_kept_is_made_again_when_something_changes(room: Classroom) -> None:
    read_by_hand(room, scope(room))

    def seen() -> tuple[int | None, int]:
        with transaction(room.engine, room.silo_id, write=False) as conn:
            there = comments.standing(conn, room.silo_id, scope(room), RULES)
            known = comments.themes(conn, room.silo_id, scope(room))
            where = conn, room.silo_id, scope(room), known, EVERYTHING, there
            shown = comments.overview(*where, rules=RULES)
            assert comments.overview(*where, rules=RULES) is shown
        return shown.count, len(shown.themes)

    assert seen() == (18, 3)
    names = named(room)
    with transaction(room.engine, room.silo_id) as conn:
        by = Reader("tutor", room.now)
        comments.merge(conn, room.silo_id, scope(room), names["forum"], names["quiz"], by)
    assert seen() == (18, 2)
    with transaction(room.engine, room.silo_id) as conn:
        publication.forget(conn, room.silo_id, [str(conn.scalar(select(survey_comment.c.statement_id)))])
    assert seen() == (17, 2)


def test_one_taken_back_while_it_was_read_is_not_kept(room: Classroom) -> None:
    with transaction(room.engine, room.silo_id, write=False) as conn:
        prepared = work.prepare(conn, room.silo_id, scope(room), RULES)
    with transaction(room.engine, room.silo_id) as conn:
        statement = conn.scalar(select(survey_comment.c.statement_id))
        publication.forget(conn, room.silo_id, [str(statement)])
        work.keep(
            conn, room.silo_id, scope(room), prepared, made_by_hand(prepared.asked), rules=RULES, now=room.now
        )
    assert drawn(room).count == 17


def test_an_open_questionnaire_gives_only_its_published_comments(
    engine: Engine, silo: int, clock: Clock
) -> None:
    room = Classroom(engine, silo, clock()).build(12)
    survey = room.open()
    for rank in range(K + 2):
        room.answer(survey, rank, overall=4, liked="Le rythme")
        with transaction(engine, silo, write=False) as conn:
            published, fresh = comment_frames.waiting(conn, silo, scope(room), k=K)
        assert published == fresh == (K if rank + 1 >= K else 0)


def test_the_sessions_of_a_path_are_read_together_under_the_wider_threshold(room: Classroom) -> None:
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(course.update().values(path_id=7))
    for where in (Scope("path", 7), Scope("silo")):
        read_by_hand(room, where)
        assert drawn(room, of=where).count == 18
        # Themes of six people: enough for a course, too few across.
        assert drawn(room, of=where).themes == ()
    with transaction(room.engine, room.silo_id, write=False) as conn:
        found = comment_frames.scopes(conn, room.silo_id, k=K)
    assert found == [scope(room), Scope("path", 7), Scope("silo")]
    assert [Scope.parse(one.key) for one in found] == found


def test_nothing_is_kept_that_says_who_or_when() -> None:
    for table in (comment_reading, comment_member, comment_theme):
        names = set(table.c.keys())
        assert not names & {"respondent", "actor", "at", "attempt", "statement_id"}


def test_a_store_without_its_comments_has_nothing_read(room: Classroom) -> None:
    read_by_hand(room, scope(room))
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(delete(survey_comment).where(survey_comment.c.silo_id == room.silo_id))
    assert drawn(room).count is None
