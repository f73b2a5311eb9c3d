"""The frame of the community put together from rows of traces and of files: PURE.

Sessions first (those of the platform, then those that files alone know), then enrolments, then the traits of
people; `community` closes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analyzers.community import (
    MODALITIES,
    MODES,
    STATUSES,
    Community,
    Dimension,
    Path,
    encode,
    school_years,
    seniority_band,
)
from analyzers.shapes import local_days
from tool_config.references import plain

#: A row of a dataset: key of its person, session as written, course that it is, values by field.
Line = tuple[str | None, str | None, int | None, Mapping[str, Any]]

#: Hours planned in person and at a distance, by course.
Hours = Mapping[int, tuple[float | None, float | None]]

#: Places asked for that were not, or are not yet, given.
_ASKED = (STATUSES.index("applied"), STATUSES.index("refused"))
_DAYS = ("enrolled_on", "first_on", "last_on", "finished_on", "left_on")
_NAT = np.iinfo(np.int64).min


def traits(
    lines: Iterable[Line],
    fields: Sequence[str],
    zones: Mapping[str, str],
    people: dict[str, int],
    identity: Mapping[str, str],
) -> dict[str, Dimension]:
    """Return the traits of the people of the dataset of origins; those who are enrolled nowhere are added.

    `zones`: académie -> zone of the school calendar. A trait that nobody has is left out.
    """
    values: dict[str, dict[int, str]] = {name: {} for name in (*fields, "zone", "seniority")}
    for key, _, _, data in lines:
        if key is None:
            continue
        who = people.setdefault(identity.get(key, key), len(people))
        for name in fields:
            value = data.get(name)
            if value not in (None, "", []):
                values[name][who] = str(value[0] if isinstance(value, list) else value)
        if data.get("academie") in zones:
            values["zone"][who] = zones[data["academie"]]
        if isinstance(data.get("seniority"), int | float):
            values["seniority"][who] = seniority_band(float(data["seniority"]))
    return {
        name: encode([said.get(who) for who in range(len(people))]) for name, said in values.items() if said
    }


def community(
    sessions: Sessions,
    enrolments: Enrolments,
    traits: Mapping[str, Dimension],
    *,
    people: int,
    made_at: datetime,
    today: date,
    version: str,
    in_files: int,
    matched: int,
) -> Community:
    """Return the frame, closed."""
    table, made = sessions.columns(), enrolments.columns()
    first = np.where(np.isnat(made["enrolled_on"]), made["first_on"], made["enrolled_on"])
    own = table["year"][made["session"]]
    made["year"] = np.where(own > 0, own, school_years(first)).astype(np.int16)
    return Community(
        made_at=made_at,
        version=version,
        today=today,
        people=people,
        traits=traits,
        paths=tuple(sessions.paths),
        names=tuple(sessions.names),
        sessions=table,
        enrolments=made,
        applications=enrolments.applications(),
        in_files=in_files,
        matched=matched,
    )


# --- sessions -----------------------------------------------------------------------------------------

_MEASURES = ("hours_in_person", "hours_distance", "days", "capacity", "cost_planned", "cost")


@dataclass
class Sessions:
    """Sessions of the platform, then those that files alone know, numbered."""

    paths: list[Path] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    #: What each says of itself, by number.
    rows: list[dict[str, Any]] = field(default_factory=list)
    by_course: dict[int, int] = field(default_factory=dict)
    by_name: dict[str, int] = field(default_factory=dict)
    _path_at: dict[str, int] = field(default_factory=dict)

    def of_platform(self, rows: Iterable[Any], hours: Hours) -> None:
        """Add the courses that `frames.community.sessions` read, with the hours that their outlines plan."""
        for row in rows:
            place = self._add(" · ".join(filter(None, (row.title, row.label))))
            self.by_course[row.course_id] = place
            own = self.rows[place]
            present, distance = hours.get(row.course_id, (None, None))
            own |= {
                "course_id": row.course_id, "starts": row.starts_on, "ends": row.ends_on,
                "partial": bool(row.partial), "hours_in_person": present, "hours_distance": distance,
            }  # fmt: skip
            if row.path_id is not None:
                own["path"] = self._path(row.path_title or "", row.path_id)

    def of_files(self, lines: Iterable[Line]) -> None:
        """Complete the sessions by the dataset of sessions; those that no course is are sessions as well."""
        for _, session, course_id, data in lines:
            own = self.rows[self.place(session, course_id, data.get("path"))]
            for name in ("starts_on", "ends_on"):
                if own.get(name[:-3]) is None and data.get(name):
                    own[name[:-3]] = date.fromisoformat(data[name])
            own |= {name: data[name] for name in (*_MEASURES, "modality") if data.get(name) is not None}

    def place(self, session: str | None, course_id: int | None, path: str | None) -> int:
        """Return the number of the session that a line names; a new one when none is known by that name."""
        if course_id in self.by_course:
            found = self.by_course[course_id]
        else:
            name = plain(session or "")
            if name not in self.by_name:
                self.by_name[name] = self._add(session or "")
            found = self.by_name[name]
        if path and "path" not in self.rows[found]:
            self.rows[found]["path"] = self._path(path, 0)
        return found

    def columns(self) -> dict[str, NDArray[Any]]:
        rows = self.rows
        starts, ends = (_day_column([row.get(name) for row in rows]) for name in ("starts", "ends"))
        made: dict[str, NDArray[Any]] = {
            "course_id": np.array([row.get("course_id", 0) for row in rows], dtype=np.int64),
            "path": np.array([row.get("path", -1) for row in rows], dtype=np.int32),
            "starts": starts,
            "ends": ends,
            "year": school_years(starts),
            "partial": np.array([row.get("partial", False) for row in rows], dtype=bool),
            "modality": np.array([_modality(row) for row in rows], dtype=np.int8),
        }
        for name in _MEASURES:
            made[name] = np.array(
                [np.nan if row.get(name) is None else float(row[name]) for row in rows], dtype=np.float64
            )
        return made

    def _add(self, name: str) -> int:
        self.names.append(name)
        self.rows.append({})
        return len(self.rows) - 1

    def _path(self, title: str, path_id: int) -> int:
        name = plain(title)
        if name not in self._path_at:
            self._path_at[name] = len(self.paths)
            self.paths.append(Path(path_id, title))
        return self._path_at[name]


def _modality(row: Mapping[str, Any]) -> int:
    """Return what a file says, else what the planned hours tell; −1 unknown."""
    if row.get("modality") in MODALITIES:
        return MODALITIES.index(row["modality"])
    present, distance = row.get("hours_in_person") or 0, row.get("hours_distance") or 0
    if not present and not distance:
        return -1
    return MODALITIES.index("blended" if present and distance else "in_person" if present else "distance")


# --- enrolments ---------------------------------------------------------------------------------------


class Enrolments:
    """Rows of (person, session), from traces then completed by files."""

    def __init__(self, sessions: Sessions, people: dict[str, int]) -> None:
        self._sessions, self._people = sessions, people
        self._lots: list[dict[str, NDArray[Any]]] = []
        #: (person, session) -> what files say of it
        self._said: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self._asked: list[tuple[int, int, int, int, int, int]] = []

    def traced(self, lots: Iterable[Sequence[Sequence[Any]]], tz: ZoneInfo) -> None:
        """Add the enrolled whom traces and rosters show (`frames.community.enrolments`)."""
        place, people = self._sessions.by_course, self._people
        for rows in lots:
            course, actor, enrolled, first, last, completed, seconds, attended, days, over, module = zip(
                *rows, strict=True
            )
            finished = np.array([bool(one) for one in over], dtype=bool)
            ended = [
                None if not over_ else when if when is not None else other
                for over_, when, other in zip(finished, completed, module, strict=True)
            ]
            dates = [local_days(list(column), tz) for column in (enrolled, first, last, ended)]
            self._lots.append(
                {
                    "person": np.array([people.setdefault(a, len(people)) for a in actor], dtype=np.int32),
                    "session": np.array([place[c] for c in course], dtype=np.int32),
                    **dict(zip(_DAYS, dates, strict=False)),
                    "left_on": np.full(len(rows), np.datetime64("NaT", "D")),
                    "finished": finished,
                    "seconds": np.array(seconds, dtype=np.int32),
                    "attended": np.array(attended, dtype=np.int16),
                    "active_days": np.array(days, dtype=np.int16),
                }
            )

    def listed(self, lines: Iterable[Line], identity: Mapping[str, str]) -> None:
        """Add what files of enrolments say; the last line of a person and session wins."""
        for key, session, course_id, data in lines:
            if key is None:
                continue
            who = self._people.setdefault(identity.get(key, key), len(self._people))
            where = self._sessions.place(session, course_id, data.get("path"))
            mode, status = _place(MODES, data.get("mode")), _place(STATUSES, data.get("status"))
            asked, left = _day(data.get("enrolled_on")), _day(data.get("left_on"))
            if status in _ASKED:
                self._asked.append((who, where, mode, status, asked, int(data.get("rank") or 0)))
            else:
                self._said[who, where] = (mode, status, asked, left)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the enrolments of both sources, one row a person and session."""
        traced = {
            name: np.concatenate([lot[name] for lot in self._lots]) if self._lots else _EMPTY[name]
            for name in _EMPTY
        }
        count = len(traced["person"])
        pairs = zip(traced["person"].tolist(), traced["session"].tolist(), strict=True)
        row_of = {pair: row for row, pair in enumerate(pairs) if pair in self._said}
        alone = [pair for pair in self._said if pair not in row_of]
        row_of |= {pair: count + rank for rank, pair in enumerate(alone)}
        made = {name: np.concatenate([column, _blank(name, len(alone))]) for name, column in traced.items()}
        made["person"][count:] = [who for who, _ in alone]
        made["session"][count:] = [where for _, where in alone]
        made["mode"], made["status"] = (np.full(count + len(alone), -1, dtype=np.int8) for _ in range(2))
        if self._said:
            rows = np.array([row_of[pair] for pair in self._said])
            mode, status, asked, left = np.array(list(self._said.values()), dtype=np.int64).T
            made["mode"][rows], made["status"][rows] = mode, status
            made["left_on"][rows] = left.astype("datetime64[D]")
            said = asked != _NAT
            made["enrolled_on"][rows[said]] = asked[said].astype("datetime64[D]")
            made["finished"][rows[status == STATUSES.index("finished")]] = True
        return made

    def applications(self) -> dict[str, NDArray[Any]]:
        """Return the places asked for that were not, or not yet, given."""
        table = np.array(self._asked, dtype=np.int64).reshape(-1, 6)
        kinds = ("i4", "i4", "i1", "i1", "M8[D]", "i2")
        names = ("person", "session", "mode", "status", "asked_on", "rank")
        return {
            name: column.astype(np.dtype(kind))
            for name, column, kind in zip(names, table.T, kinds, strict=True)
        }


_EMPTY: dict[str, NDArray[Any]] = {
    "person": np.zeros(0, np.int32),
    "session": np.zeros(0, np.int32),
    **{name: np.zeros(0, "datetime64[D]") for name in _DAYS},
    "finished": np.zeros(0, bool),
    "seconds": np.zeros(0, np.int32),
    "attended": np.zeros(0, np.int16),
    "active_days": np.zeros(0, np.int16),
}


def _blank(name: str, count: int) -> NDArray[Any]:
    kind = _EMPTY[name].dtype
    return np.full(count, np.datetime64("NaT", "D")) if kind.kind == "M" else np.zeros(count, kind)


def _place(values: Sequence[str], value: Any) -> int:
    return values.index(value) if value in values else -1


def _day(text: str | None) -> int:
    return _NAT if not text else (date.fromisoformat(text) - date(1970, 1, 1)).days


def _day_column(days: Sequence[date | None]) -> NDArray[np.datetime64]:
    return np.array(
        [np.datetime64("NaT") if day is None else np.datetime64(day) for day in days], "datetime64[D]"
    )
