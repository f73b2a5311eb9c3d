"""Data standards: `standards/*.yaml`, checked when they are loaded, frozen afterwards.

A standard says what a dataset is made of: its fields, which of them name a row (`key`), and what becomes of
a row (`becomes`). An institution declares one of its own in the same words (`parse`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tool_config import references
from tool_config.surveys import Label

#: What a cell is read as. `list` holds several texts, `columns` those of several columns by heading,
#: `hours` and `minutes` also read 1 h 30.
TYPES = (
    "text", "integer", "number", "percent", "hours", "minutes", "day", "instant", "yes_no", "choice",
    "address", "list", "columns",
)  # fmt: skip
#: What a field is for: a way to find the person, the session, the path, the module, the day of the row,
#: or something to count by (dimension) or to add up (measure).
ROLES = ("person", "session", "path", "module", "day", "dimension", "measure")
#: Types of a measure.
NUMBERS = frozenset({"integer", "number", "percent", "hours", "minutes"})
#: What becomes of a row that is right, beside rows of a dataset.
OUTCOMES = ("rows", "presences", "sessions", "answers", "statements", "audience")
#: Longest file of an institution's own standard, bytes; most fields.
LONGEST = 100_000
MOST_FIELDS = 100

_FOLDER = Path(__file__).with_name("standards")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_STANDARD_KEYS = {"standard", "version", "title", "about", "key", "fields", "becomes", "group"}
_FIELD_KEYS = {
    "id", "type", "role", "label", "about", "unit", "values", "reference", "required", "personal",
    "example", "aliases", "minimum", "maximum", "pattern", "or",
}  # fmt: skip


class StandardError(Exception):
    """A standard that cannot be used; the message says where in the file and why."""


@dataclass(frozen=True)
class Value:
    """One allowed value of a field."""

    id: str
    label: Label
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Field:
    """One column of a dataset."""

    id: str
    type: str
    label: Label
    about: Label | None = None
    role: str = ""
    unit: str = ""
    #: Closed list; a value outside it is refused.
    values: tuple[Value, ...] = ()
    #: Name of a reference table; a value outside it is kept as written, and said.
    reference: str = ""
    required: bool = False
    #: Says something of a person; `address` is never kept, only its keyed hash.
    personal: bool = False
    example: str = ""
    aliases: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    #: Another field that may stand instead of this required one.
    instead: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every heading under which the field may come."""
        return (self.id, self.label.fr, self.label.en, *self.aliases)


@dataclass(frozen=True)
class Standard:
    """A dataset that the tool understands."""

    name: str
    version: int
    title: Label
    about: Label
    #: Fields that name a row; empty: all of them. `person` stands for whichever field names the person.
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    becomes: str = "rows"
    #: Heading under which lists show it.
    group: str = ""

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.id == name), None)

    def of_role(self, role: str) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.role == role)

    @property
    def dimensions(self) -> tuple[Field, ...]:
        """Fields to count by."""
        return self.of_role("dimension")

    @property
    def measures(self) -> tuple[Field, ...]:
        """Fields to add up."""
        return self.of_role("measure")


@cache
def load(folder: Path = _FOLDER) -> Mapping[str, Standard]:
    """Read every standard of a folder, by name; StandardError says which file, where and why."""
    found: dict[str, Standard] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            standard = parse(path.read_text(encoding="utf-8"))
        except StandardError as error:
            raise StandardError(f"{path.name}: {error}") from None
        if standard.name != path.stem:
            raise StandardError(f"{path.name}: standard: {standard.name!r} is not the name of the file")
        found[standard.name] = standard
    return found


class _Loader(yaml.SafeLoader):
    """YAML without aliases (a small file must not grow), in which a key written twice is a fault."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise StandardError(f"line {mark.line + 1}: no alias (*) is allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in names:
                raise StandardError(f"line {key.start_mark.line + 1}: {name!r} is written twice")
            names.add(name)
        return super().construct_mapping(node, deep)


def parse(text: str) -> Standard:
    """Check the text of a standard and return it frozen; raises StandardError."""
    if len(text) > LONGEST:
        raise StandardError(f"the file is over {LONGEST} characters")
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise StandardError(f"not YAML: {' '.join(str(error).split())[:300]}") from None
    except RecursionError:
        raise StandardError("too deep") from None
    root = _mapping(content, "the file", _STANDARD_KEYS, {"standard", "version", "title", "fields"})
    items = root["fields"]
    if not isinstance(items, list) or not 0 < len(items) <= MOST_FIELDS:
        raise StandardError(f"fields: expected a list of 1 to {MOST_FIELDS} fields")
    fields = tuple(_field(item, f"fields[{rank}]") for rank, item in enumerate(items))
    name, times = Counter(field.id for field in fields).most_common(1)[0]
    if times > 1:
        raise StandardError(f"fields: {name!r} is there twice")
    title = _label(root["title"], "title")
    becomes = root.get("becomes", "rows")
    if becomes not in OUTCOMES:
        raise StandardError(f"becomes: expected one of {', '.join(OUTCOMES)}")
    made = Standard(
        name=_name(root["standard"], "standard"),
        version=_whole(root["version"], "version"),
        title=title,
        about=_label(root["about"], "about") if "about" in root else title,
        key=_texts(root.get("key", []), "key"),
        fields=fields,
        becomes=becomes,
        group=_name(root["group"], "group") if "group" in root else "",
    )
    _check(made)
    return made


def _check(made: Standard) -> None:
    """Refuse names that point nowhere."""
    known = {field.id for field in made.fields}
    people = bool(made.of_role("person"))
    for name in made.key:
        if name not in known and not (name == "person" and people):
            raise StandardError(f"key: no field {name!r}")
    for field in made.fields:
        if field.instead and field.instead not in known:
            raise StandardError(f"{field.id}.or: no field {field.instead!r}")
    for role in ("session", "day"):
        if len(made.of_role(role)) > 1:
            raise StandardError(f"fields: two are of role {role}")


def _field(content: Any, where: str) -> Field:
    item = _mapping(content, where, _FIELD_KEYS, {"id", "type", "label"})
    name = _name(item["id"], f"{where}.id")
    where = name
    if name == "person":
        raise StandardError(f"{where}: 'person' is taken: it stands for whichever field names the person")
    kind, role = item["type"], item.get("role", "")
    if kind not in TYPES:
        raise StandardError(f"{where}.type: expected one of {', '.join(TYPES)}")
    if role and role not in ROLES:
        raise StandardError(f"{where}.role: expected one of {', '.join(ROLES)}")
    if role == "measure" and kind not in NUMBERS:
        raise StandardError(f"{where}: a measure is a number, not of type {kind}")
    if role == "day" and kind not in ("day", "instant"):
        raise StandardError(f"{where}: the day of a row is of type day or instant")
    if kind == "address" and role != "person":
        raise StandardError(f"{where}: an address is of role person")
    values = _values(item.get("values", []), f"{where}.values")
    reference = item.get("reference", "")
    if reference and reference not in references.load():
        raise StandardError(f"{where}.reference: no reference {reference!r}")
    if (kind == "choice") != bool(values or reference) and kind != "list":
        raise StandardError(f"{where}: a choice, and it alone, has values or a reference")
    pattern = item.get("pattern", "")
    if pattern:
        _compiled(pattern, f"{where}.pattern")
    return Field(
        id=name,
        type=kind,
        role=role,
        label=_label(item["label"], f"{where}.label"),
        about=_label(item["about"], f"{where}.about") if "about" in item else None,
        unit=str(item.get("unit", "")),
        values=values,
        reference=reference,
        required=_flag(item.get("required", False), f"{where}.required"),
        personal=_flag(item.get("personal", role == "person"), f"{where}.personal"),
        example=str(item.get("example", "")),
        aliases=_texts(item.get("aliases", []), f"{where}.aliases"),
        minimum=_bound(item.get("minimum"), f"{where}.minimum"),
        maximum=_bound(item.get("maximum"), f"{where}.maximum"),
        pattern=pattern,
        instead=str(item.get("or", "")),
    )


def _compiled(pattern: Any, where: str) -> None:
    """Refuse a pattern that is wrong, or in which a repetition repeats (slow on a crafted cell)."""
    try:
        re.compile(str(pattern))
    except re.error as error:
        raise StandardError(f"{where}: {error}") from None
    if len(str(pattern)) > 100 or re.search(r"[+*}]\)*[+*{]|\)[+*{]", str(pattern)):
        raise StandardError(f"{where}: too long, or a repetition of a repetition")


def _values(content: Any, where: str) -> tuple[Value, ...]:
    if not isinstance(content, list):
        raise StandardError(f"{where}: expected a list")
    found = []
    for rank, item in enumerate(content):
        here = f"{where}[{rank}]"
        if not isinstance(item, dict):
            text = str(item)
            found.append(Value(text, Label(text, text)))
            continue
        given = _mapping(item, here, {"id", "label", "aliases"}, {"id", "label"})
        found.append(
            Value(str(given["id"]), _label(given["label"], here), _texts(given.get("aliases", []), here))
        )
    if len({value.id for value in found}) < len(found):
        raise StandardError(f"{where}: a value is there twice")
    return tuple(found)


def _mapping(content: Any, where: str, allowed: set[str], required: set[str]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise StandardError(f"{where}: expected named entries")
    unknown = sorted(str(name) for name in content if name not in allowed)
    if unknown:
        raise StandardError(f"{where}: unknown entry {unknown[0]!r}")
    missing = sorted(required - content.keys())
    if missing:
        raise StandardError(f"{where}: {missing[0]!r} is missing")
    return content


def _label(content: Any, where: str) -> Label:
    """Read a text in both languages; a text alone stands for both."""
    if isinstance(content, str) and content.strip():
        return Label(content.strip(), content.strip())
    given = _mapping(content, where, {"fr", "en"}, {"fr", "en"})
    if not all(isinstance(text, str) and text.strip() for text in given.values()):
        raise StandardError(f"{where}: expected texts")
    return Label(given["fr"].strip(), given["en"].strip())


def _name(content: Any, where: str) -> str:
    if not isinstance(content, str) or not _NAME.fullmatch(content):
        raise StandardError(f"{where}: expected small letters, digits and _, not {content!r}")
    return content


def _texts(content: Any, where: str) -> tuple[str, ...]:
    if not isinstance(content, Sequence) or isinstance(content, str):
        raise StandardError(f"{where}: expected a list")
    return tuple(str(item) for item in content)


def _whole(content: Any, where: str) -> int:
    if not isinstance(content, int) or isinstance(content, bool) or content < 1:
        raise StandardError(f"{where}: expected a positive whole number")
    return content


def _flag(content: Any, where: str) -> bool:
    if not isinstance(content, bool):
        raise StandardError(f"{where}: expected true or false")
    return content


def _bound(content: Any, where: str) -> float | None:
    if content is None:
        return None
    if isinstance(content, bool) or not isinstance(content, int | float):
        raise StandardError(f"{where}: expected a number")
    return float(content)
