"""Send a batch of a silo's statements to another store, as they are stored, and settle what became of them.

The JSON is sent byte for byte. A batch that is refused is halved until the faulty statements stand alone:
they become dead letters, the others go on. Only what speaks of the statements is a refusal (400, 409, 413,
422); anything else (no answer, 401, 404, 5xx, a page of HTML with 200) is the peer's or the configuration's
fault: nothing moves, and the same statements are tried again later.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, select

from tool_config.database import transaction
from xapi import answers, attachments, forward, multipart, store
from xapi.forward import ClaimLost, Forward
from xapi.multipart import Part
from xapi.tables import statement

#: Statements of one request, and bytes of their JSON, and of their attachments.
MOST = 100
MOST_BYTES = 2_000_000
MOST_ATTACHED = 8_000_000
#: Statuses that speak of what was sent.
REFUSALS = (400, 409, 413, 422)
#: Refusals without a single acceptance after which the peer itself is in doubt.
DOUBT = 20
#: Seconds before a first new attempt; doubled each time, up to the longest.
FIRST_WAIT = 2.0
LONGEST_WAIT = 900.0
#: Longest Retry-After that is obeyed, seconds.
LONGEST_ASKED = 3_600.0
_SHOWN = 300


@dataclass(frozen=True)
class Reply:
    """A peer's answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class PeerError(Exception):
    """The peer cannot take anything just now; `wait`: seconds that it asks for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


#: Sends a body to an address of a copy's peer, with headers and the copy's credentials; raises PeerError.
Post = Callable[[Forward, str, Mapping[str, str], bytes], Reply]


@dataclass(frozen=True)
class _Letter:
    """One statement on its way, or one that stays here (`raw` empty)."""

    id: str
    stored: datetime
    raw: str
    version: str
    refers_to: str | None
    hashes: tuple[str, ...]


def deliver(
    engine: Engine,
    silo_id: int,
    name: str,
    *,
    clock: Callable[[], datetime],
    post: Post,
    chance: Callable[[], float] = random.random,
) -> bool:
    """Send one batch of a copy; tell whether more may be waiting.

    `chance` draws from 0 to 1: workers that failed together do not come back together.
    """
    with transaction(engine, silo_id) as conn:
        one = forward.claim(conn, silo_id, name, secrets.token_hex(16), clock())
    if one is None:
        return False
    turn = _Turn(engine, one, clock, post)
    try:
        left = turn.run()
        with transaction(engine, silo_id) as conn:
            forward.release(conn, one)
    except ClaimLost:
        return True
    except PeerError as error:
        _wait(engine, one, error, clock(), chance())
        return False
    return left


def _wait(engine: Engine, one: Forward, error: PeerError, now: datetime, drawn: float) -> None:
    """Leave the copy for twice as long as the last time, give or take a half."""
    seconds = min(LONGEST_WAIT, FIRST_WAIT * 2**one.failures) * (0.5 + drawn)
    if error.wait is not None:
        seconds = max(seconds, min(error.wait, LONGEST_ASKED))
    try:
        with transaction(engine, one.silo_id) as conn:
            forward.fail(conn, one, str(error), next_at=now + timedelta(seconds=seconds))
    except ClaimLost:
        return  # removed or brought back meanwhile: there is nothing to leave


class _Doubt(Exception):  # noqa: N818
    """Everything is refused: somebody should look before more is set aside."""


class _Turn:
    """One batch of one copy, under its claim."""

    def __init__(self, engine: Engine, one: Forward, clock: Callable[[], datetime], post: Post) -> None:
        self._engine, self._one, self._clock, self._post = engine, one, clock, post
        self._refused_in_a_row = 0

    def run(self) -> bool:
        """Send what is to be sent again, then what comes next; tell whether there was anything."""
        with transaction(self._engine, self._one.silo_id, write=False) as conn:
            again = forward.again(conn, self._one, limit=MOST)
            letters = self._next(conn) if not again else []
        try:
            for statement_id in again:
                self._send_again(statement_id)
            for _, run in groupby(letters, key=lambda letter: letter.version):
                self._offer(list(run))
        except _Doubt as doubt:
            with transaction(self._engine, self._one.silo_id) as conn:
                forward.fail(conn, self._one, str(doubt), next_at=None)
            raise ClaimLost from None
        return bool(again or letters)

    # --- what to send ---------------------------------------------------------------------------------------

    def _next(self, conn: Connection) -> list[_Letter]:
        """Return the next letters: fewer after each failure, so that a slow peer answers in time."""
        most = max(1, MOST >> self._one.failures)
        chosen: list[str] = []
        size = 0
        for place in forward.places(conn, self._one, self._clock(), limit=most):
            size += place.length
            if chosen and size > MOST_BYTES:
                break
            chosen.append(place.id)
        return self._letters(conn, chosen)

    def _letters(self, conn: Connection, ids: Sequence[str]) -> list[_Letter]:
        """Return letters in the order of the cursor; answers to questionnaires stay unless told otherwise."""
        columns = statement.c
        wanted = select(columns.id, columns.stored, columns.verb, columns.refers_to, columns.raw).where(
            columns.silo_id == self._one.silo_id, columns.id.in_(ids)
        )
        rows = conn.execute(wanted.order_by(columns.stored, columns.id)).all()
        kept_back: set[str] = set()
        if not self._one.with_answers:
            targets = [row.refers_to for row in rows if row.refers_to is not None]
            known = {row.id: row.raw for row in rows}
            known.update(store.kept(conn, self._one.silo_id, [key for key in targets if key not in known]))
            kept_back = {row.id for row in rows if _is_answer(row.raw)}
            kept_back |= {
                row.id
                for row in rows
                if row.refers_to is not None and _is_answer(known.get(row.refers_to, ""))
            }
        found: list[_Letter] = []
        for row in rows:
            stays = row.id in kept_back
            # What stays is passed over with its neighbours, in one run.
            version = found[-1].version if stays and found else self._version(row.raw)
            hashes = () if stays else _hashes(row.raw)
            found.append(
                _Letter(row.id, row.stored, "" if stays else row.raw, version, row.refers_to, hashes)
            )
        return found

    def _version(self, raw: str) -> str:
        """Return the version of xAPI in which a statement is sent: its own, unless the copy has one."""
        if self._one.version != "auto":
            return self._one.version
        modern = '"contextAgents"' in raw or '"contextGroups"' in raw
        return "2.0.0" if modern or str(orjson.loads(raw).get("version", "")).startswith("2.") else "1.0.3"

    def _early(self, going: Sequence[_Letter]) -> list[_Letter]:
        """Return the targets that would only come in a later batch, after what refers to them."""
        inside = {letter.id for letter in going}
        wanted = {letter.refers_to for letter in going if letter.refers_to} - inside
        if not wanted:
            return []
        end = (going[-1].stored, going[-1].id)
        with transaction(self._engine, self._one.silo_id, write=False) as conn:
            found = self._letters(conn, sorted(wanted))
        version = going[-1].version
        return [one for one in found if one.raw and one.version == version and (one.stored, one.id) > end]

    # --- sending --------------------------------------------------------------------------------------------

    def _offer(self, run: Sequence[_Letter]) -> None:
        """Send a run of letters and settle it, by halves where the peer refuses it."""
        going = [letter for letter in run if letter.raw]
        if not going:
            self._settle(run, sent=0)
            return
        alone = len(going) == 1
        early = self._early(going)
        parts = self._parts([*early, *going])
        if parts is None and early:
            early, parts = [], self._parts(going)
        reply = None if parts is None else self._request([*early, *going], parts)
        if reply is not None and reply.status == 200:
            self._refused_in_a_row = 0
            self._settle(run, sent=len(going))
        elif reply is None or not alone:
            middle = run.index(going[len(going) // 2])
            self._offer(run[:middle])
            self._offer(run[middle:])
        else:
            self._settle(run, sent=0, refused=(going[0], reply))

    def _parts(self, letters: Sequence[_Letter]) -> list[Part] | None:
        """Return the data of attachments; None when it is too much for one request of several statements."""
        hashes = list(dict.fromkeys(sha2 for letter in letters for sha2 in letter.hashes))
        if not hashes:
            return []
        with transaction(self._engine, self._one.silo_id, write=False) as conn:
            if len(letters) > 1:
                total = sum(attachments.sizes(conn, self._one.silo_id, hashes).values())
                if total > MOST_ATTACHED:
                    return None
            return attachments.read(conn, self._one.silo_id, hashes)

    def _request(self, letters: Sequence[_Letter], parts: Sequence[Part]) -> Reply:
        """Send letters; return an acceptance or a refusal, raise PeerError for anything else."""
        ordered = _targets_first(letters)
        body = b"[" + b",".join(letter.raw.encode() for letter in ordered) + b"]"
        kind = "application/json"
        if parts:
            boundary = secrets.token_hex(20)
            kind, body = f"multipart/mixed; boundary={boundary}", multipart.write(boundary, body, parts)
        headers = {"Content-Type": kind, "X-Experience-API-Version": letters[-1].version}
        reply = self._post(self._one, f"{self._one.url}/statements", headers, body)
        if reply.status in REFUSALS:
            return reply
        if reply.status != 200:
            raise PeerError(
                f"the peer answers {reply.status}: {_excerpt(reply)}", _asked(reply, self._clock())
            )
        if sorted(_ids(reply)) != sorted(letter.id for letter in ordered):
            raise PeerError("the peer answers 200 without the ids of the statements: it is no store")
        return reply

    def _settle(
        self, run: Sequence[_Letter], *, sent: int, refused: tuple[_Letter, Reply] | None = None
    ) -> None:
        """Write what became of a run, and that it is over."""
        now, last = self._clock(), run[-1]
        with transaction(self._engine, self._one.silo_id) as conn:
            if refused is not None:
                self._bury(conn, refused[0].id, refused[1], now)
            left_out = sum(not letter.raw for letter in run)
            forward.advance(
                conn, self._one, after=(last.stored, last.id), sent=sent, left_out=left_out, now=now
            )
        self._doubt(refused)

    def _bury(self, conn: Connection, statement_id: str, reply: Reply, now: datetime) -> None:
        reason = _excerpt(reply)
        if reply.status == 409:
            reason = f"the peer has another statement under this id: {reason}"
        forward.bury(conn, self._one, statement_id, status=reply.status, reason=reason, now=now)

    def _doubt(self, refused: tuple[_Letter, Reply] | None) -> None:
        self._refused_in_a_row += refused is not None
        if refused is not None and self._refused_in_a_row >= DOUBT:
            raise _Doubt(
                f"paused: the peer refuses everything ({DOUBT} statements in a row), the last one with "
                f"{refused[1].status}: {_excerpt(refused[1])}"
            )

    def _send_again(self, statement_id: str) -> None:
        """Send one dead letter; it stays dead, with its new reason, when it is refused again."""
        silo_id = self._one.silo_id
        with transaction(self._engine, silo_id, write=False) as conn:
            letter = next(iter(self._letters(conn, [statement_id])), None)
            parts = attachments.read(conn, silo_id, letter.hashes) if letter else []
        reply = self._request([letter], parts) if letter and letter.raw else None
        now = self._clock()
        with transaction(self._engine, silo_id) as conn:
            if reply is None or reply.status == 200:
                forward.unbury(conn, self._one, statement_id)
            else:
                self._bury(conn, statement_id, reply, now)
            forward.keep_claim(conn, self._one, sent=int(reply is not None and reply.status == 200), now=now)
        if letter is not None and reply is not None:
            self._doubt(None if reply.status == 200 else (letter, reply))


# --- PURE -------------------------------------------------------------------------------------------------


def _is_answer(raw: str) -> bool:
    return answers.EXTENSION in raw and answers.is_answer(orjson.loads(raw))


def _hashes(raw: str) -> tuple[str, ...]:
    if '"attachments"' not in raw:
        return ()
    return tuple(dict.fromkeys(item["sha2"].lower() for item, _ in attachments.of(orjson.loads(raw))))


def _targets_first(letters: Sequence[_Letter]) -> list[_Letter]:
    """Return letters so that what is referred to (voided) comes before what refers to it."""
    inside = {letter.id: letter for letter in letters}

    def depth(letter: _Letter) -> int:
        found, seen = 0, {letter.id}
        while letter.refers_to in inside and letter.refers_to not in seen:
            letter = inside[letter.refers_to]
            seen.add(letter.id)
            found += 1
        return found

    return sorted(inside.values(), key=depth)


def _ids(reply: Reply) -> list[str]:
    try:
        found: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return []
    return [str(item).lower() for item in found] if isinstance(found, list) else []


def _excerpt(reply: Reply) -> str:
    text = " ".join(reply.body[: 4 * _SHOWN].decode("utf-8", "replace").split())
    return "".join(sign for sign in text if sign.isprintable())[:_SHOWN] or "(nothing said)"


def _asked(reply: Reply, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for (RFC 9110, 10.2.3): a number or a date."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
