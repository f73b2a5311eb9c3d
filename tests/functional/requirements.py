"""The numbered requirements of a learning record store, XAPI-00001 to XAPI-00336, and what tests each.

The numbers are those of the public list that goes with ADL's conformance suite; the words are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

FIRST, LAST = 1, 336

#: Numbers without a test, and why.
LEFT_OUT = {
    21: "a property at most once: the duplicate keys of test_xapi_hostile, for every property at once",
    95: "withdrawn from the list",
    112: "the same as 149",
    136: "no such number",
    137: "withdrawn from the list",
    138: "withdrawn from the list",
    140: "every resource is there: sum of the others",
    141: "the same as 195, 275 and 294",
    152: "withdrawn from the list",
    185: "about what a store may do: nothing to observe",
    186: "about what a store may do: nothing to observe",
    205: "the state resource has no parameter since for DELETE",
    222: "the same as 195",
    223: "the state resource has no parameter since for DELETE",
    246: "no such number",
    247: "no such number",
    276: "no such number",
    277: "no such number",
    304: "the activity profile has no parameter agent",
    320: "the property extensions of about is optional, and absent here",
    323: "the codes of errors: every answer of the other tests",
    329: "500 when the server fails: test_app",
}

_tested: dict[int, list[str]] = {}
Test = TypeVar("Test", bound=Callable[..., object])


def requirement(*numbers: int) -> Callable[[Test], Test]:
    """Mark a test as the one of these requirements."""

    def mark(test: Test) -> Test:
        for number in numbers:
            _tested.setdefault(number, []).append(test.__name__)
        return test

    return mark


def by_number() -> dict[int, list[str]]:
    """Return the names of the tests of each requirement, of the modules imported so far."""
    return _tested
