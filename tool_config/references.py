"""Reference tables: `references/*.yaml`, académies, zones, corps… Written from public facts.

What an imported cell says is looked for among the ids, labels and aliases, without accents nor capitals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).with_name("references")


@dataclass(frozen=True)
class Entry:
    """One line of a reference table; `attributes`: what else is known of it (zone, region, family…)."""

    id: str
    label: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Reference:
    """A reference table; `found` leads from a plain spelling to the entry's id."""

    name: str
    title: Mapping[str, str]
    entries: Mapping[str, Entry]
    found: Mapping[str, str] = field(repr=False)

    def find(self, text: str) -> str | None:
        """Return the id of the entry that a text means; None when it is of none."""
        return self.found.get(plain(text))


def plain(text: str) -> str:
    """Return a text without accents, capitals, punctuation nor double spaces, for comparing."""
    kept = text.lower()
    if not text.isascii():
        letters = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE").casefold())
        kept = _BEYOND.sub(lambda found: "" if unicodedata.combining(found[0]) else " ", letters)
    return _APART.sub(" ", kept).strip()


_BEYOND, _APART = re.compile(r"[^\x00-\x7f]"), re.compile(r"[^a-z0-9+%]+")


@cache
def load(folder: Path = _FOLDER) -> Mapping[str, Reference]:
    """Read every reference table, by name; ValueError when a spelling means two entries."""
    tables = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml")))
    return {made.name: made for made in map(_reference, tables)}


def _reference(content: dict[str, Any]) -> Reference:
    entries: dict[str, Entry] = {}
    found: dict[str, str] = {}
    for item in content["values"]:
        entry = Entry(
            str(item["id"]),
            str(item["label"]),
            {k: str(v) for k, v in item.items() if k not in ("id", "label", "aliases")},
        )
        entries[entry.id] = entry
        for text in (entry.id, entry.label, *map(str, item.get("aliases", ()))):
            if found.setdefault(plain(text), entry.id) != entry.id:
                raise ValueError(f"{content['reference']}: {text!r} means two entries")
    return Reference(content["reference"], content["title"], entries, found)
