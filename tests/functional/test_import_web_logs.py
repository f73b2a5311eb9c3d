"""Logs of a web server taken in as totals by month, resource and link; nobody is kept."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from lti_tool.imports import running
from lti_tool.imports.files import File
from tests.factories.imports import HOME, prepared
from tool_config.database import transaction
from xapi import datasets
from xapi.sources import web_log
from xapi.sources.cells import Reading, TableFault

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def line(
    url: str, agent: str = AGENT, status: int = 200, day: str = "03/Nov/2026", method: str = "GET"
) -> str:
    return (
        f'192.0.2.7 - camille [{day}:10:05:03 +0100] "{method} {url} HTTP/1.1" {status} 203 "-" "{agent}"\n'
    )


LOG = "".join(
    [
        line("/film/chapitre-2?promo=2026-2028&mail=a@b.fr"),
        line("/film/chapitre-2?promo=2026-2028"),
        line("/film/chapitre-2"),
        line("/film/chapitre-2", ROBOT),
        line("/film/chapitre-2", day="03/Dec/2026"),
        line("/style.css"),
        line("/film/perdu", status=404),
        line("/film/avis", method="POST"),
    ]
).encode()


def taken(engine: Engine, silo: int, content: bytes | Path, clock: Any) -> File:
    ready = prepared(engine, silo, content, clock())
    assert ready.file.kind == "consultations"
    return running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)


def stored(engine: Engine, silo: int) -> list[tuple[Any, ...]]:
    with transaction(engine, silo, write=False) as conn:
        rows = [row.data for row in datasets.rows(conn, silo, "consultations")]
    return sorted(
        (row["resource"], row["day"], row.get("promotion", ""), row["views"], row["robots"]) for row in rows
    )


def test_a_log_becomes_totals_by_month_and_link(engine: Engine, silo: int, clock: Any) -> None:
    done = taken(engine, silo, LOG, clock)
    assert (done.state, done.added, done.refused, done.notes) == ("done", 3, 0, {"robots": 1})
    assert stored(engine, silo) == [
        ("/film/chapitre-2", "2026-11-01", "", 1, 1),
        ("/film/chapitre-2", "2026-11-01", "2026-2028", 2, 0),
        ("/film/chapitre-2", "2026-12-01", "", 1, 0),
    ]
    with transaction(engine, silo, write=False) as conn:
        said = repr(datasets.rows(conn, silo, "consultations"))
    for told in ("192.0.2.7", "camille", "Mozilla", "a@b.fr"):
        assert told not in said


def test_the_same_log_counts_once_and_another_adds_up(engine: Engine, silo: int, clock: Any) -> None:
    taken(engine, silo, LOG, clock)
    again = taken(engine, silo, gzip.compress(LOG), clock)
    assert (again.added, again.changed, again.same) == (0, 0, 3)
    more = taken(engine, silo, line("/film/chapitre-2").encode() * 2, clock)
    assert more.added == 1
    november = [row for row in stored(engine, silo) if row[1:3] == ("2026-11-01", "")]
    assert sum(row[3] for row in november) == 3


@sqlite_only
@pytest.mark.parametrize(
    ("name", "rows", "views"),
    [
        ("weblogs-apache/access_1.log", 658, 1250),
        ("weblogs-formats/iis.log", 1, 1),
        ("weblogs-formats/iis_custom.log", 1, 1),
        ("weblogs-formats/gandi.log", 1, 1),
        ("weblogs-formats/amazon_cloudfront_web.log", 1, 1),
        ("weblogs-formats/common_vhost.log", 0, 0),
        ("weblogs-formats/common_encoding_big5.log", 0, 0),
        ("weblogs-formats/ovh.log", 0, 0),
    ],
)
def test_real_logs_go_in(
    engine: Engine, silo: int, clock: Any, shared_data: Path, name: str, rows: int, views: int
) -> None:
    done = taken(engine, silo, shared_data / name, clock)
    assert (done.state, done.added, done.refused) == ("done", rows, 0)
    assert sum(row[3] for row in stored(engine, silo)) == views


def test_many_pages_are_counted_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_log, "MOST_RESOURCES", 3)
    path = tmp_path / "access.log"
    path.write_text("".join(line(f"/films/{rank}") for rank in range(10)) + line("/a/b") + line("/films/1"))
    found: list[Any] = [row.cells for row in web_log.rows(path, Reading(web_log.NAME))][1:]
    assert {row[0]: row[4] for row in found} == {
        "/films/0": 1, "/films/1": 2, "/films/2": 1, "/films/…": 7, "/a/…": 1,
    }  # fmt: skip


def test_a_log_cut_in_its_middle_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(LOG * 50)[:-20])
    assert web_log.tells(path.read_bytes()[:4096])
    with pytest.raises(TableFault, match="damaged"):
        list(web_log.rows(path, Reading(web_log.NAME)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x1f\x8b", b"#Fields: date cs-uri-stem\n", LOG[:200], b"Heure,Description\n"]),
)
def test_any_bytes_are_counted_or_refused(tmp_path: Path, tail: bytes, head: bytes) -> None:
    path = tmp_path / "any.log"
    path.write_bytes(head + tail)
    try:
        found: list[Any] = [row.cells for row in web_log.rows(path, Reading(web_log.NAME))]
    except TableFault:
        return
    assert found[0] == web_log.HEADER
    assert all(row[4] + row[5] > 0 for row in found[1:])
