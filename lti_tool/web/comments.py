"""Pages of comments: themes of a course for its tutor, of a path or of all sessions for an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as Answer

from analyzers.comment_frames import Scope
from analyzers.comments.picture import DIMENSIONS, POLARITIES, Choice, Picture, ThemePicture
from lti_tool import access, audit, comments, wording
from lti_tool.comments import CommentError, Standing, Theme
from lti_tool.comments import wording as words
from lti_tool.exports import Column, Table
from lti_tool.formatting import number, percent
from lti_tool.improvements import wording as improvement_wording
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting, theme_bars
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import address
from lti_tool.web.shell import Shell, admin_tabs, done, open_course, open_url, reading, set_time
from tool_config import silos
from tool_config.database import transaction
from xapi.tables import course, outline_item, path

#: Comments listed at once.
_LISTED = 30


@dataclass(frozen=True)
class Place:
    """Where comments are read: a course, or an administrator's scope."""

    scope: Scope
    shell: Shell
    #: IRI -> what a module is called.
    modules: Mapping[str, str]
    #: (path, title) of those that may be chosen.
    paths: tuple[tuple[int, str], ...] = ()

    def url(self, **values: Any) -> str:
        """Return the address of this page."""
        if self.scope.kind == "course":
            return url_for("pages.comments", course_id=self.scope.number, **values)
        if self.scope.kind == "path":
            values["path"] = self.scope.number
        return url_for("pages.comments_all", **values)


# --- where ------------------------------------------------------------------------------------------------


def _course(conn: Connection, course_id: int) -> Place:
    """Return the place of a course; texts are for who accompanies it: an administrator has the other page."""
    access.require(viewer(), "tutor")
    page = open_course(conn, course_id)
    modules = {
        iri: wording.module_label(one.position, one.title) for iri, one in page.setting.modules.items()
    }
    return Place(Scope("course", course_id), page.shell("satisfaction"), modules)


def _all(conn: Connection) -> Place:
    """Return the place of a path, or of every session; access.NotFound for a path of somebody else."""
    access.require(viewer(), "admin")
    silo_id, asked = viewer().silo_id, request.values.get("path", "")
    set_time(tool().clock(), ZoneInfo(silos.get(conn, silo_id).time_zone))
    there = comments.paths_with_comments(conn, silo_id, tool().rules)
    query = select(path.c.path_id, path.c.title).where(path.c.silo_id == silo_id, path.c.path_id.in_(there))
    titles = {row.path_id: row.title for row in conn.execute(query)}
    scope = Scope("silo")
    if asked:
        if not (asked.isascii() and asked.isdigit()) or int(asked[:18]) not in titles:
            raise access.NotFound
        scope = Scope("path", int(asked))
    shell = Shell(
        title=gettext("Commentaires"),
        meta=titles[scope.number] if scope.kind == "path" else gettext("toutes les sessions"),
        tabs=admin_tabs("comments_all"),
        open_url=open_url(),
        about_url=url_for("pages.about_all"),
        threshold=tool().rules.disclosure.across,
        done=done(),
    )
    paths = tuple(sorted(titles.items(), key=lambda item: item[1]))
    return Place(scope, shell, _titles(conn, scope) if scope.kind == "path" else {}, paths)


def _titles(conn: Connection, scope: Scope) -> dict[str, str]:
    """Return what the modules of a path's sessions are called: the sessions of one path share no IRI."""
    query = (
        select(outline_item.c.iri, outline_item.c.position, outline_item.c.title)
        .join(
            course,
            (course.c.silo_id == outline_item.c.silo_id) & (course.c.course_id == outline_item.c.course_id),
        )
        .where(outline_item.c.silo_id == viewer().silo_id, outline_item.c.level == "module")
        .where(course.c.path_id == scope.number)
    )
    return {row.iri: wording.module_label(row.position, row.title) for row in conn.execute(query)}


# --- looking ----------------------------------------------------------------------------------------------


def comments_page(launch: str, course_id: int) -> str:
    """Show what the comments of a course speak of."""
    with reading() as conn:
        return _page(conn, _course(conn, course_id))


def comments_all(launch: str) -> str:
    """Show what the comments of a path, or of every session, speak of."""
    with reading() as conn:
        return _page(conn, _all(conn))


def _choice() -> Choice:
    """Read what the address narrows the page to; what is not offered is nothing."""
    dimension, _, value = request.args.get("of", "").partition(" ")
    polarity = request.args.get("polarity", "")
    return Choice(
        dimension if dimension in DIMENSIONS else "",
        value if dimension in DIMENSIONS else "",
        request.args.get("theme", "")[:64],
        polarity if polarity in POLARITIES else "",
    )


def _page(conn: Connection, place: Place, fault: str = "") -> str:
    silo_id, rules = viewer().silo_id, tool().rules
    standing = comments.standing(conn, silo_id, place.scope, rules)
    standing = _asked(place, standing)
    known = comments.themes(conn, silo_id, place.scope)
    search = request.args.get("q", "").strip()[: comments.LONGEST_SEARCH]
    choice = _choice()
    if _listing(choice, search):
        shown = comments.draw(conn, silo_id, place.scope, known, choice, search=search, rules=rules)
    else:
        shown = comments.overview(conn, silo_id, place.scope, known, choice, standing, rules=rules)
    start = _start(shown)
    listed = shown.chosen or () if _listing(choice, search) else ()
    wanted = [*listed[start : start + _LISTED], *(one for theme in shown.themes for one in theme.verbatims)]
    texts = comments.texts(conn, silo_id, place.scope, wanted)
    k = comments.threshold(place.scope, rules)
    return render_template(
        "comments/page.html",
        page_title=gettext("Commentaires"),
        shell=place.shell,
        here=place.url(),
        fault=fault,
        back_url=url_for("pages.satisfaction", course_id=place.scope.number)
        if place.scope.kind == "course"
        else None,
        standing=standing,
        state=_state(standing, shown),
        progress=_progress(standing),
        fresh=_fresh(standing),
        k=k,
        lead=words.lead(shown, known) if shown.count is not None else "",
        positive=words.positive(shown.positive) if shown.positive else "",
        themes=[_row(place, shown, known[theme.theme_id], theme, texts) for theme in shown.themes],
        key=theme_bars.key(words.polarities()),
        others=shown.others,
        choice=choice,
        search=search,
        filters=_filters(place, shown),
        polarities=words.polarities(),
        objects=improvement_wording.objects(),
        names=[(theme.theme_id, words.title(known[theme.theme_id])) for theme in shown.themes],
        list=_list(place, shown, choice, search, texts, start),
        reading=words.reading_notes(standing, k),
        paths=place.paths,
        path=place.scope.number if place.scope.kind == "path" else 0,
        narrowed=bool(choice.dimension),
        longest=comments.LONGEST_NAME,
    )


def _asked(place: Place, standing: Standing) -> Standing:
    """Ask for what is not read yet, in a short transaction beside the page's; a failure waits for a hand."""
    failed = standing.job is not None and standing.job.state == "failed"
    if not standing.stale or standing.running or failed:
        return standing
    with transaction(tool().engine, viewer().silo_id) as conn:
        comments.ask(conn, viewer().silo_id, place.scope, now=tool().clock())
        return comments.standing(conn, viewer().silo_id, place.scope, tool().rules)


def _state(standing: Standing, shown: Picture) -> str:
    """Return none, first, failed, few, narrow or ready."""
    if standing.published == 0:
        return "none"
    if standing.made_on is None:
        return "first" if standing.running else "failed"
    if shown.count is None:
        return "few" if shown.choices is None else "narrow"
    return "ready"


def _progress(standing: Standing) -> dict[str, Any] | None:
    if standing.job is None or not standing.running:
        return None
    share = 100 * standing.job.done // standing.job.total if standing.job.total else 0
    return {"share": share, "words": words.step(standing.job.message)}


def _fresh(standing: Standing) -> str:
    if standing.made_on is None or not standing.fresh:
        return ""
    return ngettext(
        "%(num)s commentaire publié depuis la dernière lecture n’est pas encore dans les thèmes.",
        "%(num)s commentaires publiés depuis la dernière lecture ne sont pas encore dans les thèmes.",
        standing.fresh,
        num=number(standing.fresh),
    )


def _row(
    place: Place, shown: Picture, theme: Theme, drawn: ThemePicture, texts: Mapping[str, str]
) -> dict[str, Any]:
    most = max(one.share for one in shown.themes)
    return {
        "id": theme.theme_id,
        "title": words.title(theme),
        "name": theme.name,
        "kept": theme.kept,
        "object": theme.object,
        "words": ", ".join(theme.words),
        "count": number(drawn.count),
        "share": percent(drawn.share),
        "width": 100 * drawn.share / most,
        "bar": theme_bars.bar(drawn.polarities, words.polarities(), words.title(theme)),
        "positive": percent(drawn.positive.value),
        "interval": gettext(
            "entre %(low)s et %(high)s", low=percent(drawn.positive.low), high=percent(drawn.positive.high)
        ),
        "verbatims": [texts[one] for one in drawn.verbatims if one in texts],
        "url": address(place.url(), {**_kept(place), "theme": theme.theme_id}) + "#list-title",
        "improve": f"{place.scope.key} {theme.theme_id}" if place.scope.kind == "course" else "",
    }


def _filters(place: Place, shown: Picture) -> list[dict[str, Any]]:
    """Return what the page may be narrowed to: a group a dimension, with more than one choice."""
    titles = {"module": gettext("Module"), "phase": gettext("Moment"), "object": gettext("Objet")}
    groups: list[dict[str, Any]] = []
    for dimension, values in (shown.choices or {}).items():
        if len(values) < 2 or (place.scope.kind == "silo" and dimension == "module"):
            continue
        options: list[dict[str, str]] = [
            {"value": f"{dimension} {value}", "text": f"{_value(place, dimension, value)} ({number(count)})"}
            for value, count in values.items()
        ]
        groups.append(
            {"title": titles[dimension], "options": sorted(options, key=lambda option: option["text"])}
        )
    return groups


def _value(place: Place, dimension: str, value: str) -> str:
    if words.is_other(value):
        return words.other(dimension)
    if dimension == "module":
        return place.modules.get(value, gettext("Module retiré") if value else gettext("Toute la session"))
    if dimension == "phase":
        return words.phase(value)
    return improvement_wording.objects().get(value, gettext("Sans objet précis"))


def _kept(place: Place) -> dict[str, str]:
    """Return what the address chooses, to be kept by a link."""
    kept = {name: request.args.get(name, "") for name in ("of", "polarity", "q")}
    return kept | ({} if place.scope.kind != "path" else {"path": str(place.scope.number)})


def _listing(choice: Choice, search: str) -> bool:
    return bool(choice.theme or choice.polarity or search)


def _start(shown: Picture) -> int:
    text = request.args.get("from", "0")
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    return min(wanted, len(shown.chosen or ()))


def _list(
    place: Place, shown: Picture, choice: Choice, search: str, texts: Mapping[str, str], start: int
) -> dict[str, Any] | None:
    """Return the comments chosen, a page of them; None when nothing narrows them."""
    if not _listing(choice, search) or shown.count is None:
        return None
    if shown.chosen is None:
        return {"few": True}
    count, after = len(shown.chosen), start + _LISTED
    kept = {**_kept(place), "theme": choice.theme}
    return {
        "few": False,
        "title": ngettext("%(num)s commentaire", "%(num)s commentaires", count, num=number(count)),
        "texts": [texts[one] for one in shown.chosen[start:after] if one in texts],
        "more_url": address(place.url(), {**kept, "from": str(after)}) + "#list-title"
        if after < count
        else None,
        "first_url": address(place.url(), kept) + "#list-title" if start else None,
    }


# --- changing ---------------------------------------------------------------------------------------------


def comments_change(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Rename a theme of a course, merge two, say what one is about, or forget it."""
    with reading() as conn:
        place = _course(conn, course_id)
    return _change(place, course_id)


def comments_all_change(launch: str) -> Answer | tuple[str, int]:
    """Do the same for a path, or for every session."""
    with reading() as conn:
        place = _all(conn)
    return _change(place, None)


def _change(place: Place, course_id: int | None) -> Answer | tuple[str, int]:
    who, now, form = viewer(), tool().clock(), request.form
    asked, theme = form.get("do", ""), form.get("theme", "")
    by = comments.Reader(who.actor, now)
    try:
        with transaction(tool().engine, who.silo_id) as conn:
            if asked == "rename":
                comments.rename(conn, who.silo_id, place.scope, theme, form.get("name", ""), by)
            elif asked == "merge":
                comments.merge(conn, who.silo_id, place.scope, theme, form.get("into", ""), by)
            elif asked == "object":
                comments.set_object(conn, who.silo_id, place.scope, theme, form.get("object", ""), by)
            elif asked == "release":
                comments.release(conn, who.silo_id, place.scope, theme, by)
            elif asked == "again":
                comments.ask(conn, who.silo_id, place.scope, now=now)
            else:
                raise CommentError("unknown")
            audit.write(
                conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, role=who.role,
                course_id=course_id,
            )  # fmt: skip
    except CommentError as error:
        with reading() as conn:
            return _page(conn, place, _sentence(error)), 400
    return redirect(place.url(done=f"theme-{asked}"), 303)


def _sentence(error: CommentError) -> str:
    return {
        "name": gettext(
            "Donnez au thème un nom de %(most)s caractères au plus.", most=number(comments.LONGEST_NAME)
        ),
        "same": gettext("Choisissez un autre thème : un thème ne se réunit pas à lui-même."),
        "object": gettext("Choisissez l’objet dans la liste."),
    }.get(error.code, gettext("Ce thème n’existe plus : les commentaires ont été relus depuis."))


# --- files ------------------------------------------------------------------------------------------------


def course_table(course_id: int) -> Table:
    """Give the themes of a course as a table."""
    with reading() as conn:
        place = _course(conn, course_id)
        page = open_course(conn, course_id)
        return _table(conn, place, noting.course(page, [(gettext("Polarité"), words.measured())]))


def all_table() -> Table:
    """Give the themes of a path, or of every session, as a table."""
    with reading() as conn:
        return _table(conn, _all(conn), noting.community([(gettext("Polarité"), words.measured())]))


def _table(conn: Connection, place: Place, notes: noting.Notes) -> Table:
    silo_id = viewer().silo_id
    known = comments.themes(conn, silo_id, place.scope)
    choice = Choice(_choice().dimension, _choice().value)
    shown = comments.draw(conn, silo_id, place.scope, known, choice, search="", rules=tool().rules)
    said = words.polarities()
    rows = [
        (
            words.title(known[one.theme_id]),
            ", ".join(known[one.theme_id].words),
            improvement_wording.objects().get(known[one.theme_id].object, ""),
            one.count,
            one.share,
            *(one.polarities[name] for name in POLARITIES),
            one.positive.value,
            one.positive.low,
            one.positive.high,
        )
        for one in shown.themes
    ]
    return Table(
        name="themes",
        title=gettext("Thèmes des commentaires"),
        columns=(
            gettext("Thème"), gettext("Mots"), gettext("Objet"), gettext("Commentaires"),
            Column(gettext("Part"), percent=True), *(said[name] for name in POLARITIES),
            Column(gettext("Plutôt positifs"), percent=True), Column(gettext("Borne basse"), percent=True),
            Column(gettext("Borne haute"), percent=True),
        ),
        rows=rows,
        notes=notes,
    )  # fmt: skip
