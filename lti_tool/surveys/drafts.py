"""A questionnaire being written: what the editor's form holds, complete or not. PURE.

A draft is plain JSON, near the content of a template (`tool_config.surveys.parse`) but allowed to be faulty:
numbers stay as typed, texts may be empty, each question keeps its identifier whatever moves around it. It is
{"title", "phase", "audience", "scope", "languages", "minutes", "questions": [block…]}; a block has "id",
"kind", "text", "short", "required", "included", "object", and by its kind "scale" (a name, or points of its
own), "max_length", "options" [{"value", "fr", "en"}], "competency", "of" and "rows" [{"id", "text", …}].
"""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from tool_config import surveys as templates
from tool_config.surveys import AUDIENCES, LANGUAGES, OBJECTS, PHASES, SCALES, SCOPES, Template

Draft = dict[str, Any]
Block = dict[str, Any]

#: Kinds that may be added, in the order offered; each questionnaire has its one overall question already.
KINDS = ("item", "grid", "choice", "choices", "positioning", "recommendation", "comment")
MOST_QUESTIONS = 60
MOST_ROWS = 30
_USUAL_LENGTH = "2000"
#: Longest texts, characters.
LONGEST_TITLE, LONGEST_TEXT, LONGEST_SHORT = 150, 500, 60
#: The scale of a question that has one of its own, in the form.
OWN_SCALE = "own"


def of_template(template: Template) -> Draft:
    """Return the draft that says what a template says."""
    content = templates.dump(template)
    for block in content["questions"]:
        if "scale" in block:
            block["scale"] = _named(block["scale"])
        if "max_length" in block:
            block["max_length"] = str(block["max_length"])
        if block["short"] == block["text"]:
            block["short"] = {}
        for row in block.get("rows", ()):
            if row["short"] == row["text"]:
                row["short"] = {}
    content["minutes"] = str(content["minutes"])
    return {name: value for name, value in content.items() if name not in ("template", "version")}


def _named(points: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return the name of a scale that every template may use, or the points themselves."""
    for name, scale in templates.scales().items():
        if [{"value": point.value, **point.label.as_map()} for point in scale] == points:
            return name
    return points


def content(draft: Draft, name: str, version: int) -> dict[str, Any]:
    """Return what `surveys.parse` reads; texts are kept in the draft's languages only."""
    spoken = draft["languages"]
    blocks = [_block_content(block, spoken) for block in draft["questions"]]
    kept = {key: draft[key] for key in ("phase", "audience", "scope")}
    return {
        **kept,
        "template": name,
        "version": version,
        "languages": spoken,
        "minutes": int(draft["minutes"]),
        "title": _in(draft["title"], spoken),
        "questions": blocks,
    }


def _block_content(block: Block, spoken: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {key: block[key] for key in ("id", "kind", "required", "included")}
    kind: str = block.get("of") or block["kind"]
    made |= _texts(block, spoken, "" if "rows" in block else kind)
    for key in ("scale", "of"):
        if key in block:
            made[key] = block[key]
    if "max_length" in block:
        made["max_length"] = int(block["max_length"])
    if "options" in block:
        made["options"] = [{"value": one["value"], **_in(one, spoken)} for one in block["options"]]
    if "rows" in block:
        made["rows"] = [{"id": row["id"], **_texts(row, spoken, kind)} for row in block["rows"]]
    return made


def _texts(said: Block, spoken: list[str], kind: str) -> dict[str, Any]:
    """Return the texts of a question, and what it is about; `kind`: "" over the rows of a grid."""
    made: dict[str, Any] = {"text": _in(said["text"], spoken)}
    if any(said["short"].get(language) for language in spoken):
        made["short"] = _in(said["short"], spoken)
    about = "competency" if kind == "positioning" else "object"
    return made | ({about: said[about]} if kind and said.get(about) else {})


def _in(label: Mapping[str, Any], spoken: list[str]) -> dict[str, str]:
    return {language: label.get(language, "") for language in spoken}


# --- the form -----------------------------------------------------------------------------------------


def read(form: MultiDict[str, str], before: Draft) -> Draft:
    """Return the draft that a form holds, as typed; `before` gives what a form does not carry."""
    known = {block["id"]: block for block in before["questions"]}
    names = list(dict.fromkeys(form.getlist("q")))[:MOST_QUESTIONS]
    spoken = [language for language in LANGUAGES if language in form.getlist("languages")]
    return {
        "title": _label(form, "title"),
        "phase": _among(form.get("phase"), PHASES, before["phase"]),
        "audience": _among(form.get("audience"), AUDIENCES, before["audience"]),
        "scope": _among(form.get("scope"), SCOPES, before["scope"]),
        "languages": spoken or before["languages"],
        "minutes": form.get("minutes", "").strip(),
        "questions": [_read_block(form, name, known.get(name)) for name in names if _is_block(form, name)],
    }


def _is_block(form: Mapping[str, str], name: str) -> bool:
    kind = form.get(f"q.{name}.kind", "")
    return (kind == "overall" or kind in KINDS) and name.replace("-", "").isalnum() and name.isascii()


def _read_block(form: MultiDict[str, str], name: str, before: Block | None) -> Block:
    here, kind = f"q.{name}", form[f"q.{name}.kind"]
    asked = (
        _among(form.get(f"{here}.asked"), ("always", "offered"), "always") if kind != "overall" else "always"
    )
    block = _said(form, here) | {
        "id": name,
        "kind": kind,
        "required": kind == "overall" or form.get(f"{here}.required") == "1",
        "included": asked == "always",
    }
    if kind == "grid":
        block["of"] = _among(form.get(f"{here}.of"), ("item", "positioning"), "item")
        rows = list(dict.fromkeys(form.getlist(f"{here}.row")))[:MOST_ROWS]
        block["rows"] = [_said(form, f"{here}.row.{row}") | {"id": row} for row in rows if row.isalnum()]
    if kind in SCALES or kind == "grid":
        chosen = form.get(f"{here}.scale", "")
        own = before.get("scale") if before else None
        block["scale"] = own if chosen == OWN_SCALE and isinstance(own, list) else chosen
    if kind in ("choice", "choices"):
        values = dict.fromkeys(value for value in form.getlist(f"{here}.option") if value.isdigit())
        block["options"] = [
            {"value": int(value), **_label(form, f"{here}.option.{value}")}
            for value in list(values)[: templates.MOST_OPTIONS]
        ]
    if kind == "comment":
        block["max_length"] = form.get(f"{here}.max_length", "").strip()
    return block


def _said(form: Mapping[str, str], here: str) -> Block:
    return {
        "text": _label(form, f"{here}.text"),
        "short": _label(form, f"{here}.short"),
        "object": _among(form.get(f"{here}.object"), ("", *OBJECTS), ""),
        "competency": form.get(f"{here}.competency", "").strip(),
    }


def _label(form: Mapping[str, str], here: str) -> dict[str, str]:
    return {language: _line(form.get(f"{here}.{language}", "")) for language in LANGUAGES}


def _line(text: str) -> str:
    """Return a text on one line; the spaces of French typography (U+202F, U+00A0) stay."""
    kept = "".join(c if unicodedata.category(c) not in ("Cc", "Cs") else " " for c in text)
    return " ".join(part for part in kept.split(" ") if part)


def _among(value: str | None, known: Iterable[str], otherwise: str) -> str:
    return value if value is not None and value in known else otherwise


# --- buttons ------------------------------------------------------------------------------------------


def act(draft: Draft, action: str, *, kind: str = "", after: str = "") -> tuple[Draft, str]:
    """Do what a button asks; return the draft and the identifier of the block to show, "" for none.

    `action`: add (a question of `kind`, after the block `after` or last), or "verb:block" or
    "verb:block:part" with the verbs up, down, remove, option-add, option-up, option-down, option-remove,
    row-add, row-up, row-down, row-remove. What cannot be done changes nothing.
    """
    draft = copy.deepcopy(draft)
    verb, _, rest = action.partition(":")
    name, _, part = rest.partition(":")
    blocks = draft["questions"]
    if verb == "add" and kind in KINDS and len(blocks) < MOST_QUESTIONS:
        made = _new(kind, {block["id"] for block in blocks})
        places = [rank for rank, block in enumerate(blocks, 1) if block["id"] == after]
        blocks.insert(places[0] if places else len(blocks), made)
        return draft, made["id"]
    block = next((one for one in blocks if one["id"] == name), None)
    if block is None:
        return draft, ""
    if verb in ("up", "down", "remove"):
        shown = _arrange(blocks, blocks.index(block), verb, fixed=block["kind"] == "overall")
        return draft, shown["id"] if shown else ""
    list_name, _, verb = verb.partition("-")
    parts = block.get({"option": "options", "row": "rows"}.get(list_name, ""))
    if parts is None:
        return draft, name
    if verb == "add":
        _add_part(list_name, parts)
    rank = next((at for at, one in enumerate(parts) if str(one.get("value", one.get("id"))) == part), None)
    if rank is not None and verb in ("up", "down", "remove"):
        _arrange(parts, rank, verb, fixed=False)
    return draft, name


def _arrange(items: list[Block], rank: int, verb: str, *, fixed: bool) -> Block | None:
    """Move or remove one of a list; return the one to show."""
    item = items[rank]
    if verb == "remove":
        if fixed:
            return item
        del items[rank]
        return items[min(rank, len(items) - 1)] if items else None
    to = rank - 1 if verb == "up" else rank + 1
    if 0 <= to < len(items):
        items.insert(to, items.pop(rank))
    return item


def _add_part(name: str, parts: list[Block]) -> None:
    if name == "option" and len(parts) < templates.MOST_OPTIONS:
        free = next(value for value in range(1, 99) if value not in {one["value"] for one in parts})
        parts.append({"value": min(free, templates.MOST_OPTIONS), "fr": "", "en": ""})
    if name == "row" and len(parts) < MOST_ROWS:
        parts.append(_row({one["id"] for one in parts}))


def _row(taken: set[str]) -> Block:
    name = next(f"r{rank}" for rank in range(1, 99) if f"r{rank}" not in taken)
    return {"id": name, "text": {}, "short": {}, "object": "", "competency": ""}


def _new(kind: str, taken: set[str]) -> Block:
    name = next(f"{kind}-{rank}" for rank in range(1, 99) if f"{kind}-{rank}" not in taken)
    block: Block = {"id": name, "kind": kind, "text": {}, "short": {}, "required": False, "included": True}
    block |= {"object": "", "competency": ""}
    if kind in SCALES:
        block["scale"] = usual_scale(kind)
    if kind == "grid":
        block |= {"of": "item", "scale": usual_scale("item"), "rows": [_row(set()), _row({"r1"})]}
    if kind in ("choice", "choices"):
        block["options"] = [{"value": value, "fr": "", "en": ""} for value in (1, 2)]
    if kind == "comment":
        block["max_length"] = _USUAL_LENGTH
    return block


def usual_scale(kind: str) -> str:
    """Return the scale that a new question of a kind begins with."""
    known = {"overall": "satisfaction", "positioning": "mastery-4", "recommendation": "recommendation"}
    return known.get(kind, "agreement")


def scales_for(kind: str) -> list[str]:
    """Return the names of the scales that suit a kind of question (an item for a grid)."""
    allowed = SCALES["positioning" if kind == "positioning" else "item" if kind == "grid" else kind]  # type: ignore[index]
    return [
        name for name, scale in templates.scales().items() if tuple(point.value for point in scale) in allowed
    ]


# --- faults -------------------------------------------------------------------------------------------


def faults(draft: Draft) -> dict[str, str]:
    """Return what keeps a draft from being published: a code by name of field of the form.

    Codes: required, too_long, number, scale, few_options, few_rows, twice.
    """
    spoken: list[str] = draft["languages"]
    found: dict[str, str] = {}
    _fault_label(found, "title", draft["title"], spoken, LONGEST_TITLE)
    if not _whole(draft["minutes"], 1, 60):
        found["minutes"] = "number"
    met: set[str] = set()
    for block in draft["questions"]:
        here = f"q.{block['id']}"
        _fault_said(found, here, block, spoken)
        _fault_kind(found, here, block, spoken)
        said = [(here, block)] if block["kind"] == "positioning" else []
        if block["kind"] == "grid" and block["of"] == "positioning":
            said = [(f"{here}.row.{row['id']}", row) for row in block["rows"]]
        for place, one in said:
            code = one["competency"]
            if not code or len(code) > 60 or code in met:
                kind = "required" if not code else "twice" if code in met else "too_long"
                found[f"{place}.competency"] = kind
            met.add(code)
    return found


def _fault_kind(found: dict[str, str], here: str, block: Block, spoken: list[str]) -> None:
    kind = "positioning" if block.get("of") == "positioning" else block["kind"]
    if "scale" in block and not isinstance(block["scale"], list) and block["scale"] not in scales_for(kind):
        found[f"{here}.scale"] = "scale"
    if "max_length" in block and not _whole(block["max_length"], 1, templates.LONGEST):
        found[f"{here}.max_length"] = "number"
    if "options" in block:
        if len(block["options"]) < 2:
            found[f"{here}.options"] = "few_options"
        for one in block["options"]:
            _fault_label(found, f"{here}.option.{one['value']}", one, spoken, LONGEST_TEXT)
    if "rows" in block:
        if not block["rows"]:
            found[f"{here}.rows"] = "few_rows"
        for row in block["rows"]:
            _fault_said(found, f"{here}.row.{row['id']}", row, spoken)


def _fault_said(found: dict[str, str], here: str, said: Block, spoken: list[str]) -> None:
    _fault_label(found, f"{here}.text", said["text"], spoken, LONGEST_TEXT)
    if any(said["short"].get(language) for language in spoken):
        _fault_label(found, f"{here}.short", said["short"], spoken, LONGEST_SHORT)


def _fault_label(
    found: dict[str, str], here: str, label: Mapping[str, Any], spoken: list[str], longest: int
) -> None:
    for language in spoken:
        text = label.get(language, "")
        if not text or len(text) > longest:
            found[f"{here}.{language}"] = "too_long" if text else "required"


def _whole(text: str, low: int, high: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and low <= int(text) <= high
