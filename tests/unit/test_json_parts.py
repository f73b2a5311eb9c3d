"""Large arrays cut into parts: together they are the array, whatever is in it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi import json_text
from xapi.batch import Batch
from xapi.errors import TooLarge, XapiError

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(alphabet='a"\\[]{},: é\n', max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('a"\\[}', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(st.text('a"\\[}', max_size=3), _VALUES, max_size=4)


def joined(body: bytes, largest: int = 10_000) -> list[Any]:
    found: list[Any] = []
    for start, end in json_text.parts(body, largest):
        found += orjson.loads(b"[" + body[start:end] + b"]")
    return found


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "PART", 20)
        yield


@given(items=st.lists(_OBJECTS | _VALUES, max_size=30), indent=st.booleans())
def test_the_parts_are_the_whole(items: list[Any], indent: bool) -> None:
    body = orjson.dumps(items, option=orjson.OPT_INDENT_2 if indent else None)
    assert joined(b" \n" + body + b"\t\r\n ") == items
    if len(items) > 1 and all(isinstance(item, dict) and len(orjson.dumps(item)) > 20 for item in items):
        assert len(list(json_text.parts(body, 10_000))) > 1


@given(
    items=st.lists(_OBJECTS, min_size=2, max_size=8),
    place=st.integers(0),
    mark=st.sampled_from(b'[]{},"\\ a0'),
)
def test_what_is_no_json_is_never_taken(items: list[Any], place: int, mark: int) -> None:
    body = bytearray(orjson.dumps(items))
    body[place % len(body)] = mark
    text = bytes(body)
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        with pytest.raises((XapiError, orjson.JSONDecodeError)):
            joined(text)
        return
    if isinstance(whole, list):
        assert joined(text) == whole


@pytest.mark.parametrize(
    "body",
    [b"[", b"[{}", b"[{},]", b"[{}]]", b"[{}] x", b"[{}}", b'["', b'[{"a', b"[{} {}]", b"[,{}]", b"[" * 500],
)
def test_no_array(body: bytes) -> None:
    with pytest.raises((XapiError, orjson.JSONDecodeError)):
        joined(body)


def test_an_item_too_large_is_named() -> None:
    items: list[Any] = [{"a": 1}, {"b": [1]}, {"c": "x" * 200}, {"d": 1}]
    with pytest.raises(TooLarge) as caught:
        joined(orjson.dumps(items), 100)
    assert caught.value.path == "[2]"


def test_a_batch_names_its_faults_by_their_place_in_the_whole() -> None:
    def look(items: list[dict[str, int]]) -> list[int]:
        for position, item in enumerate(items):
            if item["n"] == 17:
                raise XapiError("is seventeen", index=position)
        return [item["n"] for item in items]

    def read(numbers: range) -> Batch[int]:
        body = orjson.dumps([{"n": number} for number in numbers])
        return Batch(
            body, look=look, again=lambda items: [item["n"] for item in items], refers=lambda lot: 15 in lot
        )

    batch = read(range(17))
    assert (list(batch), batch.refers) == (list(range(17)), True)
    assert len(list(batch.lots())) > 4
    with pytest.raises(XapiError) as caught:
        read(range(40))
    assert caught.value.path == "[17]"
