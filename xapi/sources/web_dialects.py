"""PURE: one line of a web server's log -> what was asked for, whatever the server.

Read: Apache and nginx (common, combined, with a virtual host or the host second, Gandi's and Icecast's
additions), W3C Extended Log File Format (IIS, CloudFront, Netscaler, SHOUTcast, Incapsula), Amazon S3 server
access logs, Amazon load balancers (Classic and Application), HAProxy's HTTP format, and one JSON object a
line (Caddy, Traefik, nginx with a JSON `log_format`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

_MONTHS = {name: rank for rank, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
)}  # fmt: skip
#: "GET /page HTTP/1.1", and a pair of quoted texts: referrer, agent.
_ASKED = r'"(?P<method>[A-Z]+) (?P<url>\S+)(?: HTTP/[\d.]+)?"'
_AGENT = r'(?:\s+"(?:[^"\\]|\\.)*"\s+"(?P<agent>(?:[^"\\]|\\.)*)")?'
_DAY = r"\[(?P<day>\d{2})/(?P<month>[A-Za-z]{3})/(?P<year>\d{4}):\d{2}:\d{2}:\d{2}[^\]]*\]"
_NCSA = re.compile(
    rf'(?P<before>[^"\[]{{1,500}}){_DAY}(?:\s+\([^)]*\))?\s+{_ASKED}\s+(?P<status>\d{{3}})\s+(?:\d+|-){_AGENT}'
)
_S3 = re.compile(
    rf"[0-9a-f]{{16,}} (?P<before>\S+) {_DAY} \S+ \S+ \S+ [A-Z]+\.[A-Z._]+ \S+ {_ASKED} "
    rf"(?P<status>\d{{3}}|-) \S+ \S+ \S+ \S+ \S+{_AGENT}"
)
_HAPROXY = re.compile(
    rf"(?:.{{0,200}}\S*haproxy\[\d+\]: )\S+ {_DAY} \S+ \S+ [-+\d/]+ "
    rf"(?P<status>-?\d{{1,3}}) \+?\d+ \S+ \S+ \S{{4}} [+\d/]+ [\d/]+ (?:\{{[^}}]*\}} )*{_ASKED}"
)
#: Classic balancers begin with the instant, Application ones with the kind of request.
_BALANCER = re.compile(
    r"(?:(?:https?|h2|grpcs?|wss?) )?(?P<at>\d{4}-\d\d-\d\d)T\S+(?: \S+){6} (?P<status>\d{3}|-)(?: \S+){3} "
    r'"(?P<method>[A-Z]+|-) (?P<url>\S+) [^"]*" "(?P<agent>[^"]*)"'
)
_ADDRESS = re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+)$", re.I)
_HOST = re.compile(r"^(?=.*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$", re.I)
_W3C = re.compile(r"#\s*(?:Software|Version|Fields|Date|Start-Date)\s*:", re.I)
_W3C_FIELDS = re.compile(r"#\s*Fields\s*:\s*(.*)", re.I | re.DOTALL)
_W3C_CELL = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
#: What only a log of a server holds, in a form or another: an address first, a request between quotes.
_LOGLIKE = re.compile(r'\S*\d{1,3}(?:\.\d{1,3}){3}\b.*"(?:GET|POST|HEAD|PUT|OPTIONS) \S+ HTTP/\d')


@dataclass(frozen=True)
class Request:
    """What a line says was asked for; `host`: the site, where the line names it."""

    day: date
    host: str
    method: str
    status: str
    url: str
    agent: str


#: What a line is: a request, one that asks for nothing (True), no line of that dialect (None).
Said = Request | bool | None


def tells(text: str) -> bool:
    """Tell a log from its first lines, one of which may be cut; a log of no known form is one too."""
    if _W3C.match(text):
        return "#fields" in re.sub(r"#\s+", "#", text.lower())
    lines = [line for line in text.splitlines()[:6] if line.strip() and not line.startswith("#")][:5]
    known = sum(any(dialect(line) is not None for dialect in _DIALECTS) for line in lines)
    alike = sum(_LOGLIKE.match(line) is not None for line in lines)
    return bool(lines) and max(known, alike) > len(lines) / 2


class Reader:
    """Reads the lines of one log: the dialect that fitted last is tried first."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._dialects = list(_DIALECTS)

    def directive(self, text: str) -> None:
        """Take in a line that begins with #: in W3C logs it names the columns of those below."""
        fields = _W3C_FIELDS.match(text)
        if fields:
            self._names = _clean(fields[1]).lower().split()

    def read(self, text: str) -> Said:
        """Return what a line says."""
        if self._names:
            return _of_w3c(self._names, _clean(text))
        for rank, dialect in enumerate(self._dialects):
            said = dialect(text)
            if said is not None:
                if rank:
                    self._dialects.insert(0, self._dialects.pop(rank))
                return said
        return None


def _clean(text: str) -> str:
    """Take the marks without width away that a copied log may hold."""
    return text.replace("\u200b", "").rstrip("\r\n")


# --- lines ------------------------------------------------------------------------------------------------


def _of_ncsa(text: str) -> Said:
    return _of_match(_NCSA.match(text))


def _of_s3(text: str) -> Said:
    return _of_match(_S3.match(text))


def _of_haproxy(text: str) -> Said:
    return _of_match(_HAPROXY.match(text))


def _of_match(found: re.Match[str] | None) -> Said:
    month = _MONTHS.get(found["month"].lower()) if found else None
    if found is None or month is None:
        return None
    day = _day(int(found["year"]), month, int(found["day"]))
    if day is None:
        return None
    said = found.groupdict()
    words = (said.get("before") or "").split()[:2]
    hosts = [word for word in words if _HOST.match(word) and not _ADDRESS.match(word)]
    host = hosts[0] if hosts else ""
    return Request(day, host, said["method"], said["status"], said["url"], said.get("agent") or "")


def _of_balancer(text: str) -> Said:
    found = _BALANCER.match(text)
    day = _iso(found["at"]) if found else None
    if found is None or day is None:
        return None
    if found["method"] == "-":
        return True
    host = re.match(r"\w+://([^/:]+)", found["url"])
    return Request(
        day, host[1] if host else "", found["method"], found["status"], found["url"], found["agent"]
    )


def _of_json(text: str) -> Said:
    """Read one object: as Caddy, Traefik, or the usual `log_format` of nginx name its members."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict):
        return None
    inner = said["request"] if isinstance(said.get("request"), dict) else said
    line = re.fullmatch(r"([A-Z]+) (\S+)(?: HTTP/[\d.]+)?", str(said.get("request", "")))
    url = line[2] if line else _first(inner, "uri", "request_uri", "RequestPath", "path", "url")
    status = _first(said, "status", "DownstreamStatus", "OriginStatus", "response_status")
    day = _moment(said)
    if not url.startswith(("/", "http")) or not re.fullmatch(r"\d{3}", status) or day is None:
        return None
    method = line[1] if line else _first(inner, "method", "request_method", "RequestMethod") or "GET"
    host = _first(inner, "host", "http_host", "server_name", "RequestHost", "vhost").partition(":")[0]
    headers = inner.get("headers")
    agent = _first(said, "http_user_agent", "user_agent", "request_User-Agent", "agent") or _first(
        headers if isinstance(headers, dict) else {}, "User-Agent", "user-agent"
    )
    return Request(day, host, method, status, url, agent)


def _first(said: Mapping[str, Any], *names: str) -> str:
    """Return the first of some members that is there, as a text; of a list, its first item."""
    for name in names:
        value = said.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _moment(said: Mapping[str, Any]) -> date | None:
    """Return the day of an object: an instant in ISO form, one of Apache's, or seconds since 1970."""
    for name in ("ts", "StartUTC", "StartLocal", "time_iso8601", "time_local", "date", "time", "timestamp",
                 "@timestamp", "msec"):  # fmt: skip
        value = said.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**33:
            return datetime.fromtimestamp(value, UTC).date()
        if isinstance(value, str):
            found = re.match(r"\[?(\d{2})/([A-Za-z]{3})/(\d{4}):", value)
            if found and found[2].lower() in _MONTHS:
                return _day(int(found[3]), _MONTHS[found[2].lower()], int(found[1]))
            if re.match(r"\d{4}-\d\d-\d\d", value):
                return _iso(value[:10])
    return None


_DIALECTS: tuple[Callable[[str], Said], ...] = (_of_ncsa, _of_balancer, _of_s3, _of_haproxy, _of_json)


# --- W3C ---------------------------------------------------------------------------------------------------


def _of_w3c(names: list[str], text: str) -> Said:
    tabbed = "\t" in text and len(text.split("\t")) == len(names)
    cells = text.split("\t") if tabbed else [a or b for a, b in _W3C_CELL.findall(text)]
    if len(cells) != len(names):
        return None
    row = dict(zip(names, cells, strict=True))
    day = _iso(row.get("date", row.get("date-local", "")))
    path = row.get("cs-uri-stem") or row.get("cs-uri")
    if day is None or path is None:
        return None
    if row.get("x-event", "play") != "play":
        return True  # a stream: connections and stops beside what is played
    if "x-event" in row:
        path, query, status = f"{path}/{row.get('x-sname', '').strip('-')}", "-", "200"
    else:
        query, status = row.get("cs-uri-query", "-"), row.get("sc-status", row.get("c-status", "200"))
    url = path if query in ("-", "") or "?" in path else f"{path}?{query}"
    host = row.get("cs(host)", row.get("cs-host", row.get("x-host-header", ""))).strip("-")
    agent = row.get("cs(user-agent)", row.get("c-user-agent", "")).replace("+", " ")
    method = row.get("cs-method", "GET")
    return Request(day, host if _HOST.match(host) else "", method, status, url, agent)


def _iso(text: str) -> date | None:
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text)
    return _day(int(found[1]), int(found[2]), int(found[3])) if found else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
