"""Files taken in by the import engine, as the page and the command line do."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from lti_tool.imports import files, preparation, running
from lti_tool.imports.files import File
from lti_tool.imports.preparation import Preparation
from tool_config.database import transaction

HOME = "https://estime.test"


def given(engine: Engine, silo: int, content: bytes | Path, now: datetime, name: str = "fichier.csv") -> str:
    """Keep a file and return its id."""
    source = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    with source, transaction(engine, silo) as conn:
        return files.keep(conn, silo, name, source, now=now)


def prepared(
    engine: Engine, silo: int, content: bytes | Path, now: datetime, kind: str = "", **more: Any
) -> Preparation:
    """Keep a file and return how it is proposed to be read."""
    return preparation.prepare(engine, silo, given(engine, silo, content, now), now=now, kind=kind, **more)


def taken(
    engine: Engine,
    silo: int,
    content: bytes | Path,
    clock: Callable[[], datetime],
    kind: str,
    constants: dict[str, str] | None = None,
) -> File:
    """Take a file in and return what became of it."""
    ready = prepared(engine, silo, content, clock(), kind, constants=constants)
    return running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
