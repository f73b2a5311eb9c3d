"""Themes of comments from which an improvement may start."""

from __future__ import annotations

from analyzers.comment_frames import Scope
from analyzers.comments.picture import Choice
from lti_tool import comments
from lti_tool.comments import wording as words
from lti_tool.formatting import number, percent
from lti_tool.improvements.figures import Reading, Seen
from lti_tool.language import gettext, ngettext


def theme(reading: Reading, reference: str) -> Seen | None:
    """Read how many comments of a course speak of a theme. `reference`: the course's scope, the theme.

    No comment is quoted: only what the page counts, under the same threshold.
    """
    scope = Scope("course", reading.course_id)
    key, _, theme_id = reference.rpartition(" ")
    known = comments.themes(reading.conn, reading.silo_id, scope)
    if key != scope.key or theme_id not in known:
        return None
    shown = comments.draw(
        reading.conn, reading.silo_id, scope, known, Choice(), search="", rules=reading.rules
    )
    drawn = next((one for one in shown.themes if one.theme_id == theme_id), None)
    k = number(comments.threshold(scope, reading.rules))
    subject, measure = gettext("Commentaires"), words.title(known[theme_id])
    definition = gettext(
        "Thème : commentaires rapprochés par leurs mots ; rien n’est compté de moins de %(k)s personnes.", k=k
    )
    today = reading.frames.today
    if drawn is None:
        few = gettext("Trop peu de personnes en parlent pour que ce soit montré")
        return Seen(subject, measure, few, definition, today, unit="count")
    said = ngettext(
        "%(count)s commentaire en parle, soit %(share)s",
        "%(count)s commentaires en parlent, soit %(share)s",
        drawn.count,
        count=number(drawn.count),
        share=percent(drawn.share),
    )
    tone = words.positive(drawn.positive)
    return Seen(
        subject, measure, f"{said}, {tone}" if tone else said, definition, today,
        value=float(drawn.count), unit="count", n=shown.count,
    )  # fmt: skip
