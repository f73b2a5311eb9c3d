"""A folder that receives files: taken in one after the other, then put in `done` or in `refused`.

`FOLDER/<number of the silo>/<dataset>/file.csv`. A file is taken once nobody has written to it for a while;
it is first moved aside by one rename, so that of two workers one takes it. Beside what is refused stands a
report: why, or the lines to be mended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.imports import files, preparation, refusals, sentences, work
from lti_tool.imports.files import File
from tool_config import silos
from tool_config.database import transaction
from xapi import datasets
from xapi.sources.cells import TableFault

log = logging.getLogger(__name__)

DONE, REFUSED, _TAKEN = "done", "refused", ".taken"
#: Seconds without a write before a file is taken to be whole; a file moved aside and forgotten comes back.
_QUIET, _FORGOTTEN = 10.0, 600.0
#: Seconds left to another worker to read a file that it has just kept.
_BEING_READ = 60.0
#: Between the id of the import and the name of the file, while it is aside.
_MARK = "--"


class Watcher:
    """Looks at a folder every `interval` seconds, until stopped; a file's fault never ends it."""

    def __init__(
        self, engine: Engine, folder: Path, clock: Callable[[], datetime], interval: float = 20.0
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._clock = clock
        self._interval = interval
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="estime-deposits", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Let the current file be kept, and the thread end with it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def turn(self) -> None:
        """Take what has come, and put away what is over."""
        for silo_id, kind, folder in self._places():
            for path in sorted(folder.iterdir()):
                if not path.name.startswith(".") and path.is_file() and self._is_quiet(path, _QUIET):
                    self._take(silo_id, kind, folder, path)
            taken = folder / _TAKEN
            for path in sorted(taken.iterdir()) if taken.is_dir() else ():
                self._put_away(silo_id, folder, path)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except (OSError, SQLAlchemyError):
                log.exception("the folder of deposits cannot be looked at")
            self._stopping.wait(self._interval)

    def _places(self) -> Iterator[tuple[int, str, Path]]:
        """Yield the folders of known datasets of silos; others are left alone."""
        for silo_id in silos.list_ids(self._engine):
            root = self._folder / str(silo_id)
            if not root.is_dir() or self._stopping.is_set():
                continue
            with transaction(self._engine, silo_id, write=False) as conn:
                known = datasets.known(conn, silo_id)
            for kind in known:
                if (root / kind).is_dir():
                    yield silo_id, kind, root / kind

    def _is_quiet(self, path: Path, seconds: float) -> bool:
        return self._clock().timestamp() - path.stat().st_mtime >= seconds

    def _take(self, silo_id: int, kind: str, folder: Path, path: Path) -> None:
        """Move a file aside, keep its bytes, and ask for it to be taken in."""
        (folder / _TAKEN).mkdir(exist_ok=True)
        aside = folder / _TAKEN / path.name
        try:
            path.rename(aside)
        except FileNotFoundError:
            return  # another worker has it
        with aside.open("rb") as source, transaction(self._engine, silo_id) as conn:
            file_id = files.keep(conn, silo_id, path.name, source, now=self._clock())
        aside = aside.rename(aside.with_name(f"{file_id}{_MARK}{path.name}"))
        try:
            ready = preparation.prepare(self._engine, silo_id, file_id, now=self._clock(), kind=kind)
        except TableFault:
            return  # said when it is put away
        if not ready.faults:
            with transaction(self._engine, silo_id) as conn:
                work.ask(conn, silo_id, file_id, now=self._clock())

    def _put_away(self, silo_id: int, folder: Path, path: Path) -> None:
        """Put a file that is over where it belongs, with its report; give back one that was forgotten."""
        file_id, mark, name = path.name.partition(_MARK)
        with transaction(self._engine, silo_id, write=False) as conn:
            file = files.read(conn, silo_id, file_id) if mark else None
        if file is None:
            if self._is_quiet(path, _FORGOTTEN):
                path.rename(folder / (name or path.name))
            return
        waiting = self._clock() - file.created_at < timedelta(seconds=_BEING_READ)
        if file.state == files.RUNNING or (file.state == files.DRAFT and waiting):
            return
        whole = file.state == files.DONE and not file.refused
        target = folder / (DONE if whole else REFUSED)
        target.mkdir(exist_ok=True)
        place = target / f"{self._clock():%Y%m%d-%H%M%S}-{name}"
        path.rename(place)
        if not whole:
            place.with_name(place.name + ".report.csv").write_bytes(self._report(silo_id, file))

    def _report(self, silo_id: int, file: File) -> bytes:
        """Return the refused lines, or one line that says why the file is."""
        if file.state == files.DONE:
            with transaction(self._engine, silo_id, write=False) as conn:
                every = refusals.every(conn, silo_id, file.file_id)
                return refusals.as_csv(file.header, every, sentences.cell_fault)
        if file.state == files.REFUSED:
            return sentences.file_fault(file.notes["fault"], file.notes.get("params", {})).encode("utf-8-sig")
        return sentences.to_be_checked().encode("utf-8-sig")
