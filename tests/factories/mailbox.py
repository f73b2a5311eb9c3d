"""A mail server of the tests: a real one (aiosmtpd) on loopback, that refuses, delays and stops as told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests import services


@dataclass
class Mailbox:
    """What the server received, and how it answers to each recipient (RCPT)."""

    port: int = field(default_factory=services.free_port)
    #: address -> answer of the server, such as "550 5.1.1 unknown".
    answers: dict[str, str] = field(default_factory=dict)
    #: The same, to DATA.
    data_answers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, EmailMessage]] = field(default_factory=list)
    _controller: Any = None
    _lock: Any = field(default_factory=threading.Lock)

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        address = envelope.rcpt_tos[0]
        if address in self.data_answers:
            return self.data_answers[address]
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._lock:
            self.received.append((address, message))
        return "250 OK"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, server_hostname="mail.test")
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, address: str) -> list[EmailMessage]:
        return [message for who, message in self.received if who == address]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    made.start()
    yield made
    made.stop()


def text(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link(message: EmailMessage) -> str:
    """Return the link that a message brings, as its reader would copy it."""
    found = re.findall(r"https?://\S+/answer/\S+", text(message))
    assert len(found) == 1
    return str(found[0])
