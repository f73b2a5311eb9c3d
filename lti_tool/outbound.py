"""The one way out: every HTTP request that the tool makes to an address it was given.

Addresses come from registrations and from platforms, so each request is guarded (server-side request
forgery): https only, every address of the name must be public, and the connection goes to the very address
that was checked (no second look-up, hence no DNS rebinding). No redirect is followed, no cookie kept;
sizes and times are bounded.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import httpx

#: Seconds for one step of the network, and for the whole answer.
STEP_SECONDS = 3.0
WHOLE_SECONDS = 6.0
#: Largest answer, bytes, where the caller names no other.
MOST_BYTES = 256_000
#: Addresses of one name that are tried.
_MOST_ADDRESSES = 3

USER_AGENT = "Estime"

Resolve = Callable[[str, int], list[str]]


class OutboundError(Exception):
    """No whole answer could be had; the message says why, without the address nor what was sent."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whatever its status; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Outbound:
    """Makes guarded requests; ``allow_local`` (development only) lets plain http and private addresses."""

    def __init__(self, *, allow_local: bool, resolve: Resolve = resolve) -> None:
        self._allow_local = allow_local
        self.resolve = resolve

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most_bytes: int = MOST_BYTES,
        seconds: float | None = None,
    ) -> Answer:
        """Return the answer to one request; raises OutboundError when refused or without a whole answer.

        A redirection is an answer like another: who asked decides, and nothing is sent further.
        """
        target = _Target.read(url, self._allow_local)
        try:
            addresses = self.resolve(target.host, target.port)
        except (OSError, ValueError):
            raise OutboundError("name does not resolve") from None
        if not addresses or not all(allowed(address, self._allow_local) for address in addresses):
            raise OutboundError("address is private")
        sent = {"Host": target.host_header, "User-Agent": USER_AGENT, **(headers or {})}
        try:
            plain = _connect(addresses, target.port)
            plain.settimeout(max(STEP_SECONDS, seconds or 0.0))
            return _exchange(plain, target, method, sent, body, most_bytes, seconds or WHOLE_SECONDS)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutboundError(f"no answer ({type(error).__name__})") from None


@dataclass(frozen=True)
class _Target:
    """Where a request goes; ``tls_name`` is the name that the certificate must bear, "" in plain http."""

    host: str
    port: int
    tls_name: str
    host_header: str
    path: str

    @classmethod
    def read(cls, url: str, allow_local: bool) -> _Target:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise OutboundError("address is malformed") from None
        if parts.scheme != "https" and not (allow_local and parts.scheme == "http"):
            raise OutboundError("address is not https")
        host = parts.hostname or ""
        if not host:
            raise OutboundError("address is malformed")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not (path.isascii() and path.isprintable() and " " not in path):
            raise OutboundError("address is malformed")
        secure = parts.scheme == "https"
        return cls(
            host,
            port or (443 if secure else 80),
            host if secure else "",
            parts.netloc.rpartition("@")[2],
            path,
        )


def allowed(address: str, allow_local: bool) -> bool:
    """Return whether a request may go to an address: public ones, local ones too in development."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    return ip.is_global or (allow_local and (ip.is_loopback or ip.is_private))


def _connect(addresses: list[str], port: int) -> socket.socket:
    """Connect to the first of the checked addresses that answers."""
    failure: OSError = OSError("no address")
    for address in list(dict.fromkeys(addresses))[:_MOST_ADDRESSES]:
        try:
            return socket.create_connection((address, port), timeout=STEP_SECONDS)
        except OSError as error:
            failure = error
    raise failure


def _exchange(
    plain: socket.socket,
    target: _Target,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    most_bytes: int,
    seconds: float,
) -> Answer:
    """Send one request over a connection and read its answer to the end."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=STEP_SECONDS)
    # A server that drips bytes never trips the timeout of a step: this one ends it all.
    over = threading.Event()
    end = threading.Timer(seconds, _hang_up, [plain, over])
    end.daemon = True
    end.start()
    try:
        connection.sock = (
            _tls().wrap_socket(plain, server_hostname=target.tls_name) if target.tls_name else plain
        )
        connection.request(method, target.path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        content = answer.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise OutboundError("answer too large")
        # An answer that does not say its length ends where the connection does, even cut by the clock.
        if answer.length or over.is_set():
            raise OutboundError("answer cut short")
        return Answer(answer.status, _headers(answer), content)
    finally:
        end.cancel()
        connection.close()
        plain.close()


def _headers(answer: http.client.HTTPResponse) -> dict[str, str]:
    """Return the headers; those said several times are joined, as HTTP reads them."""
    found: dict[str, str] = {}
    for name, value in answer.getheaders():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _hang_up(plain: socket.socket, over: threading.Event) -> None:
    over.set()
    with suppress(OSError):  # already closed: the answer came in time
        plain.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
