"""The statements of one body: looked at whole before anything is written, then taken a lot at a time.

What is read of a text costs many times its bytes. A large body is therefore read twice, a lot after the
other: before the transaction, to find every fault; and within it, to be written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import orjson

from tool_config import memory
from xapi import json_text
from xapi.errors import TooLarge, XapiError

#: Bytes of one statement as it is sent: real ones have a thousand, and data goes into attachments.
LARGEST_STATEMENT = 1_000_000

#: What is written for a statement.
Item = TypeVar("Item")

#: A process reads one large body at a time: each takes its part of the memory.
_large = threading.Lock()


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Wait until no other large body is read, if this one (bytes) is; give its memory back afterwards."""
    if size <= json_text.PART:
        yield
        return
    with _large:
        try:
            yield
        finally:
            memory.release()


class Batch(Generic[Item]):
    """The statements of a body in lots of about `json_text.PART` bytes.

    `look` refuses what is not to be taken of a lot (XapiError, its index in the lot) and makes what is
    written; `again` makes it another time. Made, the whole body has been looked at; a fault has then its
    index in the batch.
    """

    def __init__(
        self,
        body: bytes,
        *,
        look: Callable[[Any], list[Item]],
        again: Callable[[list[Any]], list[Item]],
        refers: Callable[[Sequence[Item]], bool],
    ) -> None:
        self._body, self._again = body, again
        self._lots: list[tuple[int, int]] = []
        #: What is to be written of a body of one lot: nothing is read twice.
        self.only: list[Item] | None = None
        #: A statement has another as its object.
        self.refers = False
        if len(body) <= json_text.PART or not json_text.is_array(body):
            if len(body) > LARGEST_STATEMENT:
                raise TooLarge(f"a statement is over {LARGEST_STATEMENT} bytes")
            self.only = look(json_text.load(body))
            self.refers = refers(self.only)
            return
        count = 0
        for start, end in json_text.parts(body, LARGEST_STATEMENT):
            try:
                lot = look(json_text.load(_array(body, start, end)))
            except XapiError as fault:
                if fault.index is not None:
                    fault.index += count
                raise
            self.refers = self.refers or refers(lot)
            self._lots.append((start, end))
            count += len(lot)

    def lots(self) -> Iterator[list[Item]]:
        """Yield what is to be written, a lot at a time; each time anew."""
        if self.only is not None:
            yield self.only
        for start, end in self._lots:
            yield self._again(orjson.loads(_array(self._body, start, end)))

    def __iter__(self) -> Iterator[Item]:
        for lot in self.lots():
            yield from lot


def _array(body: bytes, start: int, end: int) -> bytes:
    return b"".join((b"[", body[start:end], b"]"))
