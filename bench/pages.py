"""Server time of pages through the WSGI application, and the weight of a first load."""

from __future__ import annotations

import re
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import brotli
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bench.course import SITE, Measured
from lti_tool import sessions
from lti_tool.tool import Tool
from lti_tool.web.assets import DIST
from tool_config.database import transaction
from xapi.tables import outline_item

_ASSET = re.compile(r'(?:src|href|data-[a-z-]+)="(/static/[^"]+)"')


@dataclass(frozen=True)
class Timing:
    """One page on one store: milliseconds, of the wall clock and of this thread's processor; bytes."""

    p50: float
    p95: float
    cpu: float
    cpu95: float
    size: int


@dataclass(frozen=True)
class Part:
    """One file of a first load: bytes as they travel."""

    name: str
    plain: int
    travelled: int


def tutor_launch(app: Flask, measured: Measured, now: datetime) -> sessions.Opened:
    """Open a launch for the tutor of the measured course."""
    tool: Tool = app.extensions["estime"]
    values = {
        "issuer": SITE,
        "client_id": "bench",
        "deployment_id": "1",
        "actor": measured.tutor,
        "role": "tutor",
        "course_id": measured.course_id,
        "resource_link_id": "1",
        "locale": "fr",
        "services": {},
    }
    with transaction(tool.engine, measured.silo_id) as conn:
        return sessions.open_launch(conn, measured.silo_id, values, now=now)


def tutor_client(app: Flask, opened: sessions.Opened) -> FlaskClient:
    """Return a client that holds the launch."""
    client = app.test_client()
    client.set_cookie(sessions.cookie_name(opened.launch_id), opened.secret, domain="localhost", secure=True)
    return client


def tutor_urls(app: Flask, measured: Measured, base: str) -> list[tuple[str, str]]:
    """Return (name, address) of the tutor's pages."""
    tool: Tool = app.extensions["estime"]
    with transaction(tool.engine, measured.silo_id, write=False) as conn:
        module = conn.execute(
            select(outline_item.c.iri)
            .where(
                outline_item.c.silo_id == measured.silo_id,
                outline_item.c.course_id == measured.course_id,
                outline_item.c.level == "module",
            )
            .order_by(outline_item.c.position)
            .limit(1)
        ).scalar_one()
    course = f"{base}/courses/{measured.course_id}"
    return [
        ("Ce matin", f"{course}/today"),
        ("Modules", f"{course}/modules"),
        ("One module", f"{course}/modules/one?iri={quote(module, safe='')}"),
        ("Participants", f"{course}/people"),
        ("Participants (CSV)", f"{course}/people.csv"),
        ("One participant", f"{course}/people/{measured.learners[0]}"),
        ("Outline", f"{course}/outline"),
        ("Attendance", f"{course}/attendance"),
    ]


def measure(
    clients: Sequence[FlaskClient], urls: Sequence[tuple[str, str]], rounds: int
) -> dict[str, list[Timing]]:
    """Ask for every page of every store in turn, ``rounds`` times after two that do not count.

    One client a store. A page of one store comes just after the same page of the other, so that what else
    the machine does weighs on both alike. Returns, by page, one timing a store.
    """
    walls: dict[tuple[str, int], list[float]] = defaultdict(list)
    processors: dict[tuple[str, int], list[float]] = defaultdict(list)
    sizes: dict[tuple[str, int], int] = {}
    for turn in range(rounds + 2):
        for name, url in urls:
            for store, client in enumerate(clients):
                wall, processor = time.perf_counter(), time.thread_time()
                answer = client.get(url, base_url="https://localhost")
                body = answer.get_data()
                if turn >= 2:
                    walls[name, store].append((time.perf_counter() - wall) * 1000)
                    processors[name, store].append((time.thread_time() - processor) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"{name}: {answer.status} for {url}\n{body[:2000].decode()}")
                sizes[name, store] = len(body)
    return {
        name: [
            Timing(
                statistics.median(walls[name, store]),
                _p95(walls[name, store]),
                statistics.median(processors[name, store]),
                _p95(processors[name, store]),
                sizes[name, store],
            )
            for store in range(len(clients))
        ]
        for name, _ in urls
    }


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def first_load(client: FlaskClient, url: str) -> list[Part]:
    """Return what a browser fetches for a page with nothing kept: the page, then the files it names.

    Charts' library included, though it comes after the first paint. The page itself is not precompressed:
    its weight is what a proxy would send (brotli, quality 5).
    """
    body = client.get(url, base_url="https://localhost").get_data()
    parts = [Part("the page (HTML)", len(body), len(brotli.compress(body, quality=5)))]
    names = dict.fromkeys(_ASSET.findall(body.decode()))
    lazy = [f"/static/{file.name}" for file in sorted(DIST.glob("plotly.*.js"))]
    for name in [*names, *(name for name in lazy if name not in names)]:
        answer = client.get(name, headers={"Accept-Encoding": "br"}, base_url="https://localhost")
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status} for {name}")
        plain = (DIST / name.removeprefix("/static/")).stat().st_size
        parts.append(Part(name.removeprefix("/static/"), plain, len(answer.get_data())))
    return parts
