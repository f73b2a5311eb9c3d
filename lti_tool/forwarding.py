"""The thread that keeps copies of silos in other stores, and how it speaks to them."""

from __future__ import annotations

import base64
import ipaddress
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from lti_tool import outbound
from lti_tool.outbound import Answer, Outbound, OutboundError
from tool_config import sealing
from tool_config.database import transaction
from tool_config.sealing import SealError
from tool_config.silos import list_ids
from xapi import delivery, forward
from xapi.delivery import PeerError, Reply
from xapi.forward import Forward

log = logging.getLogger(__name__)

#: Seconds for one request: a store that takes a batch may be slow. Shorter than the lease of a copy.
WHOLE_SECONDS = 30.0
MOST_BYTES = 1_000_000
#: Between two looks at what there is to send, and after a failure of the store itself.
_INTERVAL = 1.0
_AFTER_FAILURE = 5.0


def sealed(secret_key: str, silo_id: int, name: str, secret: str) -> str:
    """Return the secret of a peer as it is kept."""
    return sealing.seal(secret_key, _use(silo_id, name), secret)


def _use(silo_id: int, name: str) -> str:
    return f"forward {silo_id} {name}"


class Peers:
    """Speaks to peers under the guard of every request that leaves, with each copy's own rights."""

    def __init__(self, secret_key: str, resolve: outbound.Resolve = outbound.resolve) -> None:
        self._secret_key = secret_key
        self._resolve = resolve

    def post(self, one: Forward, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send a body under the credentials of a copy; raises PeerError."""
        answer = self._ask(one, "POST", url, {**headers, **self._credentials(one)}, body)
        return Reply(answer.status, answer.headers, answer.body)

    def about(self, one: Forward) -> None:
        """Ask the peer who it is; raises PeerError when it does not answer as a store."""
        answer = self._ask(one, "GET", f"{one.url}/about", {"Accept": "application/json"}, None)
        if answer.status != 200 or b'"version"' not in answer.body:
            raise PeerError(f"{one.url}/about answers {answer.status}: it may be no store")

    def _credentials(self, one: Forward) -> dict[str, str]:
        try:
            secret = sealing.unseal(self._secret_key, _use(one.silo_id, one.name), one.sealed_secret)
        except SealError as error:
            raise PeerError(str(error)) from None
        text = base64.b64encode(f"{one.username}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {text}"}

    def _ask(
        self, one: Forward, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        plain = urlsplit(one.url).scheme == "http"
        guarded = Outbound(
            allow_local=one.allow_private, resolve=self._local_only if plain else self._resolve
        )
        try:
            return guarded.request(
                method, url, headers=headers, body=body, most_bytes=MOST_BYTES, seconds=WHOLE_SECONDS
            )
        except OutboundError as error:
            raise PeerError(f"the peer cannot be reached: {error}") from None

    def _local_only(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name; refuse one that would take a secret in clear over the Internet."""
        found = self._resolve(host, port)
        if any(ipaddress.ip_address(address.partition("%")[0]).is_global for address in found):
            raise OutboundError("plain http is for private addresses only")
        return found


class Forwarder:
    """Goes from silo to silo and sends what their copies wait for, until stopped; an error never ends it."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        post: delivery.Post,
        interval: float = _INTERVAL,
    ) -> None:
        self._engine, self._clock, self._post, self._interval = engine, clock, post, interval
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="estime-forwarder", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Let the batch on its way arrive, and the thread end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def turn(self) -> bool:
        """Send one batch of every copy that waits; tell whether more may be left."""
        left = False
        for silo_id in list_ids(self._engine):
            try:
                for name in self._due(silo_id):
                    if self._stopping.is_set():
                        return False
                    left |= delivery.deliver(self._engine, silo_id, name, clock=self._clock, post=self._post)
            except Exception:
                # One silo's fault must not hold back the others; it is tried again at the next turn.
                log.exception("the statements of silo %s could not be forwarded", silo_id)
        return left

    def _due(self, silo_id: int) -> list[str]:
        with transaction(self._engine, silo_id, write=False) as conn:
            return forward.due(conn, silo_id, self._clock())

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self._interval
            try:
                if self.turn():
                    pause = 0.0
            except SQLAlchemyError:
                log.exception("the store does not answer the forwarder")
                pause = _AFTER_FAILURE
            self._stopping.wait(pause)
