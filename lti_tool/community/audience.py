"""The frame of the public site's totals by month, link and page, kept beside that of the enrolments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from analyzers.aftermath import Seen
from analyzers.frames import afterwards
from lti_tool.community.keeping import Source, read

#: Pages are those of the last twelve months that have any.
_DAYS = 365


@dataclass(frozen=True)
class Totals:
    """What files say of the public site: nobody in particular."""

    seen: tuple[Seen, ...]
    #: Page -> (views, visits) of the last year.
    pages: dict[str, tuple[int, int]]


def gather(conn: Connection, silo_id: int, now: datetime) -> Totals:
    """Read the totals of the public site."""
    seen = tuple(afterwards.seen(conn, silo_id))
    last = max((one.month for one in seen), default=now.date())
    since = date.fromordinal(last.toordinal() - _DAYS)
    return Totals(seen, afterwards.pages(conn, silo_id, since=since) if seen else {})


def pack(found: Totals) -> bytes:
    """Return the frame as bytes."""
    seen = [{**asdict(one), "month": one.month.isoformat()} for one in found.seen]
    return json.dumps({"seen": seen, "pages": found.pages}, ensure_ascii=False).encode()


def unpack(packed: bytes) -> Totals | None:
    """Return the frame that `pack` wrote."""
    said = json.loads(packed)
    seen = tuple(Seen(**{**one, "month": date.fromisoformat(one["month"])}) for one in said["seen"])
    return Totals(seen, {name: (views, visits) for name, (views, visits) in said["pages"].items()})


def state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    return afterwards.audience_state(conn, silo_id)


AUDIENCE: Source[Totals] = Source("audience", gather, pack, unpack, state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Totals:
    """Return the totals of the public site, as they are kept."""
    return read(conn, silo_id, AUDIENCE, now=now)
