"""Logs of a web server -> what was consulted, by month, resource and link: totals, and nobody.

What one line says is read by `web_dialects`, plain or in gzip. Read line by line: addresses, agents and
names are looked at to tell robots and are never kept. A page counts when it is asked for (GET), found
(200, 304) and is no picture nor style sheet.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from xapi.sources import web_dialects
from xapi.sources.cells import LONGEST_CELL, Reading, Row, TableFault
from xapi.sources.web_dialects import Request

NAME = "weblog"
#: Headings of the rows that a log becomes: fields of the dataset of consultations.
HEADER = ("resource", "day", "source", "promotion", "views", "robots", "part")
#: Resources told apart; beyond, a page counts for its folder, then for the site.
MOST_RESOURCES = 20_000
#: Sites, and links of promotions, told apart.
_MOST_NAMES = 200
#: Longest log once unfolded, bytes.
_LARGEST = 20_000_000_000
_LONGEST_LINE = 65_536
_ROBOT = re.compile(
    r"bot\b|bot[/;_-]|crawl|spider|slurp|archiver|facebookexternalhit|mediapartners|feed|rss|monitor|pingdom|"
    r"curl/|wget|python-|java/|libwww|httpclient|go-http|okhttp|scrapy|headless|preview|validator|checker|"
    r"universalfeedparser|tiny tiny|prometheus|uptime|nagios|zabbix|scan",
    re.I,
)
_STATIC = re.compile(r"\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf)$", re.I)
#: Parameters of a link by which a promotion is told.
_LINKS = ("promotion", "promo", "cohorte", "utm_campaign", "mtm_campaign", "pk_campaign")
_SEEN = frozenset({"200", "304"})


@dataclass
class _Tally:
    """What a log has said so far."""

    views: Counter[tuple[date, str, str, str]] = field(default_factory=Counter)
    robots: Counter[tuple[date, str, str, str]] = field(default_factory=Counter)
    resources: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    promotions: set[str] = field(default_factory=set)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def count(self, hit: _Hit) -> None:
        resource = self._resource(hit.resource)
        counter = self.robots if hit.robot else self.views
        source = _bounded(hit.source, self.sources)
        counter[hit.month, resource, source, _bounded(hit.promotion, self.promotions)] += 1

    def _resource(self, path: str) -> str:
        """Return a path as it is counted: itself, its folder once there are too many, else the site."""
        if path in self.resources:
            return path
        if len(self.resources) < MOST_RESOURCES:
            self.resources.add(path)
            return path
        folder = "/" + path.strip("/").partition("/")[0] + "/…"
        if folder in self.folders or len(self.folders) < MOST_RESOURCES:
            self.folders.add(folder)
            return folder
        return "/…"


@dataclass(frozen=True)
class _Hit:
    """One page asked for; the day is the first of its month."""

    month: date
    resource: str
    source: str
    promotion: str
    robot: bool


def _bounded(name: str, known: set[str]) -> str:
    """Return a name, or "…" when there are too many others."""
    if name not in known and len(known) < _MOST_NAMES:
        known.add(name)
    return name if name in known else "…"


def tells(start: bytes) -> bool:
    """Tell a log from its first bytes, unfolded when they are gzip."""
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, 65_536)
        except zlib.error:
            return False
    return web_dialects.tells(start.decode("utf-8", "replace").lstrip("\ufeff"))


def rows(path: Path, _reading: Reading) -> Iterator[Row]:
    """Yield the totals of a log under their headings; raises TableFault."""
    tally = _Tally()
    reader = web_dialects.Reader()
    read = told = 0
    for line in _lines(path, tally):
        text = line.decode("utf-8", "replace")
        if text.startswith("#"):
            reader.directive(text)
            continue
        if not text.strip():
            continue
        read += 1
        said = reader.read(text)
        told += said is not None
        hit = _page(said) if isinstance(said, Request) else None
        if hit is not None:
            tally.count(hit)
    if read and not told:
        raise TableFault("unknown_log")
    yield Row(1, HEADER)
    whole = tally.digest.hexdigest()
    keys = sorted(tally.views.keys() | tally.robots.keys())
    for rank, key in enumerate(keys, 2):
        month, resource, source, promotion = key
        # Keys of rows fold case and punctuation, addresses do not: the exact ones are told apart here.
        part = hashlib.sha256("\n".join((whole, resource, source, promotion)).encode()).hexdigest()[:12]
        yield Row(
            rank, (resource, month, source, promotion or None, tally.views[key], tally.robots[key], part)
        )


def _lines(path: Path, tally: _Tally) -> Iterator[bytes]:
    """Yield the lines of a log, unfolded; raises TableFault for what no server writes."""
    with path.open("rb") as source:
        packed = source.read(2) == b"\x1f\x8b"
    size = 0
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            opened = io.BufferedReader(stream) if packed else stream
            while line := opened.readline(_LONGEST_LINE):
                size += len(line)
                if size > _LARGEST:
                    raise TableFault("bomb")
                if len(line) == _LONGEST_LINE:
                    raise TableFault("long_cell", line=1, maximum=LONGEST_CELL)
                tally.digest.update(line)
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise TableFault("damaged") from None


def _page(said: Request) -> _Hit | None:
    """Return the page that a request asked for; None when it is none, or was not found."""
    if said.method != "GET" or said.status not in _SEEN:
        return None
    path, _, query = said.url.partition("?")
    path = re.sub(r"^[a-z]{2,5}://[^/]+", "", path) or "/"
    path = unquote(path).split("#")[0][:500]
    if _STATIC.search(path) or path in ("/robots.txt", "/favicon.ico") or not path.isprintable():
        return None
    robot = _ROBOT.search(said.agent) is not None
    return _Hit(said.day.replace(day=1), path, said.host.lower(), _link(query), robot)


def _link(query: str) -> str:
    """Return the promotion that a link names; "" for none. Nothing else of a query is looked at."""
    if not any(name in query for name in _LINKS):
        return ""
    said = dict(parse_qsl(query[:2000], max_num_fields=100)) if query.count("&") < 100 else {}
    found = next((said[name] for name in _LINKS if said.get(name)), "")
    return found if re.fullmatch(r"[\w .-]{1,60}", found) and "@" not in found else ""
