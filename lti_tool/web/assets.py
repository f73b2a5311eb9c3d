"""Addresses of the built browser files, named by their content."""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from pathlib import Path

DIST = Path(__file__).parent.parent / "static" / "dist"
_log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    file = DIST / "manifest.json"
    if not file.exists():
        # Pages stay readable without their style: sentences, tables and forms are plain HTML.
        _log.warning("browser files are not built: run `make setup`")
        return {}
    names: dict[str, str] = json.loads(file.read_text())
    return names


def asset(name: str) -> str:
    """Return the address of a built file: `asset("app.css")` -> `/static/app.1f0c….css`."""
    return f"/static/{_manifest().get(name, name)}"
