"""What the pages that write questionnaires print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flask_babel
from flask import g, render_template, request, url_for

from lti_tool.formatting import number, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import drafts, naming
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.drafts import Block, Draft
from lti_tool.surveys.library import Written
from lti_tool.surveys.wording import label
from lti_tool.web import asking
from lti_tool.web.guard import tool
from lti_tool.web.shell import Shell
from tool_config.surveys import AUDIENCES, LANGUAGES, OBJECTS, PHASES, SCOPES, Template

#: A form seen beforehand keeps no draft in the browser.
_OVER = "2000-01-01T00:00:00+00:00"


# --- lists --------------------------------------------------------------------------------------------


def shipped(template: Template) -> dict[str, Any]:
    """Return a line of the questionnaires that come with the tool."""
    return {
        "name": template.name,
        "title": label(template.title),
        "say": naming.place(template),
        "length": ngettext("%(num)d question", "%(num)d questions", len(template.questions)),
        "minutes": naming.minutes(template.minutes),
        "preview_url": url_for("pages.template_preview", template_id=template.name),
    }


def listed(written: Written) -> dict[str, Any]:
    """Return a line of the questionnaires written here."""
    here: dict[str, Any] = {"template_id": written.template_id}
    draft = written.draft
    return {
        "name": written.template_id,
        "title": label(written.title) or gettext("Sans titre"),
        "say": _say(draft["phase"], draft["scope"], draft["audience"]),
        "state": state(written),
        "changed": short_day(written.changed_at.astimezone(g.zone).date(), g.today),
        "withdrawn": written.withdrawn_at is not None,
        "published": written.version > 0,
        "edit_url": url_for("pages.template_edit", **here),
        "preview_url": url_for("pages.template_preview", **here),
        "withdraw_url": url_for("pages.template_withdraw", **here),
    }


def _say(phase: Any, scope: Any, audience: Any) -> str:
    return " · ".join((naming.phase(phase), naming.scope(scope), naming.audience(audience)))


def state(written: Written) -> str:
    """Say what is published of a questionnaire, and whether it was changed since."""
    if written.withdrawn_at is not None:
        return gettext("n’est plus proposé")
    if not written.version:
        return gettext("brouillon, jamais publié")
    version = number(written.version)
    if written.changed:
        return gettext("version %(version)s publiée, modifiée depuis", version=version)
    return gettext("version %(version)s publiée", version=version)


# --- the form -----------------------------------------------------------------------------------------


def error(code: str) -> str:
    """Say a fault beside its field."""
    return {
        "required": gettext("Ce champ est à remplir."),
        "too_long": gettext("Ce texte est trop long."),
        "number": gettext("Écrivez un nombre entier raisonnable."),
        "scale": gettext("Choisissez une échelle de la liste."),
        "few_options": gettext("Il faut deux réponses possibles au moins."),
        "few_rows": gettext("Il faut une ligne au moins."),
        "twice": gettext("Cette compétence est déjà dans le questionnaire."),
    }[code]


def form(draft: Draft) -> dict[str, Any]:
    """Return what the editor prints of a draft."""
    blocks = draft["questions"]
    spoken = draft["languages"]
    return {
        "draft": draft,
        "languages": [(name, _language(name), name in spoken) for name in LANGUAGES],
        "spoken": [(name, _language(name)) for name in spoken],
        "unspoken": [name for name in LANGUAGES if name not in spoken],
        "phases": [(name, naming.phase(name)) for name in PHASES],
        "audiences": [(name, naming.audience(name)) for name in AUDIENCES],
        "scopes": [(name, naming.scope(name)) for name in SCOPES],
        "objects": [(name, naming.about(name)) for name in ("", *OBJECTS)],
        "kinds": [(name, naming.kind(name)) for name in drafts.KINDS],
        "blocks": [_block(block, rank, len(blocks)) for rank, block in enumerate(blocks, 1)],
        "full": len(blocks) >= drafts.MOST_QUESTIONS,
        "longest": {
            "title": drafts.LONGEST_TITLE,
            "text": drafts.LONGEST_TEXT,
            "short": drafts.LONGEST_SHORT,
        },
    }


def _language(name: str) -> str:
    return gettext("français") if name == "fr" else gettext("anglais")


def _block(block: Block, rank: int, count: int) -> dict[str, Any]:
    kind = block["kind"]
    positioning = "positioning" in (kind, block.get("of"))
    said = next((text for text in block["text"].values() if text), "")
    return {
        **block,
        "here": f"q.{block['id']}",
        "rank": rank,
        "first": rank == 1,
        "last": rank == count,
        "kind_name": naming.kind(kind),
        "called": said[:60] or gettext("sans texte"),
        "positioning": positioning,
        "own_scale": isinstance(block.get("scale"), list),
        "scales": _scales("positioning" if positioning else kind) if "scale" in block else [],
        "parts": len(block.get("options") or block.get("rows") or ()),
    }


def _scales(kind: str) -> Sequence[tuple[str, str]]:
    return [(name, naming.scale(name)) for name in drafts.scales_for(kind)]


# --- what a trainee will see --------------------------------------------------------------------------


def preview(template: Template, shell: Shell, back_url: str, wanted: str) -> str:
    """Show the form of a questionnaire, in the language asked for when it is written in it."""
    spoken = [name for name in LANGUAGES if name in template.languages]
    if wanted not in spoken:
        return _preview(template, shell, back_url, spoken)
    with flask_babel.force_locale(wanted):
        return _preview(template, shell, back_url, spoken)


def _preview(template: Template, shell: Shell, back_url: str, spoken: Sequence[str]) -> str:
    asked = template.asked(
        also=tuple({q.grid.id if q.grid else q.id for q in template.questions if not q.included})
    )
    k = tool().rules.disclosure.course
    questions = asking.blocks(asked, {}, {})
    address: Mapping[str, Any] = request.view_args or {}
    return render_template(
        "trainee/survey.html",
        preview=[
            (_language(name), url_for("pages.template_preview", **address, lang=name)) for name in spoken
        ],
        page_title=label(template.title),
        shell=shell,
        back_url=back_url,
        here="",
        title=label(template.title),
        module=naming.scope(template.scope),
        length=ngettext("%(num)d question", "%(num)d questions", len(questions)),
        minutes=ngettext("%(num)d minute environ", "%(num)d minutes environ", template.minutes),
        mode=survey_wording.mode_for_trainee("pseudonymous", k),
        marked=False,
        readers=survey_wording.readers(k),
        anonymous=False,
        again=False,
        questions=questions,
        faults=0,
        attempt="",
        draft="preview",
        closes=_OVER,
    )
