"""What is read as JSON, and what a lenient reader would let through."""

import json
import math

import pytest

from model_api import json_body
from model_api.errors import UnreadableBody


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1.5, "text", [], {}, {"data": {"bmi": 30.5, "city": "Köln"}}, [[1], [2]], "😀", "a\u0000b", "\\"],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_is_read(value: object, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert json_body.parse(body) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" ", "offset 1"),
        (b'{"data": 1,}', "offset 11"),
        (b"{'data': 1}", "offset 1"),
        (b'{"data": 1} // why', "offset 12"),
        (b'{"data": 1}{"data": 2}', "offset 11"),
        (b'{"data": {"bmi": 3', "offset 18"),
        (b'{"data": "abc', "offset 9"),
        (b"NaN", "NaN is not JSON"),
        (b'{"data": {"bmi": Infinity}}', "Infinity is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"[01]", "offset 2"),
        (b"[+1]", "offset 1"),
        (b"[.5]", "offset 1"),
        (b"[0x10]", "offset 2"),
        (b"[1_000]", "offset 2"),
        (b"[1.]", "offset 2"),
        (b'["a\nb"]', "offset 3"),
        (b'{"data": "\xff"}', "UTF-8: byte 10"),
        (b'"\xed\xa0\x80"', "UTF-8: byte 1"),
        ("{}".encode("utf-16"), "UTF-8: byte 0"),
        ("{}".encode("utf-16-le"), "not JSON"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (rb'{"city": "\ud800"}', "lone surrogate"),
        (rb'{"\ud800": 1}', "lone surrogate"),
        (rb'["\udc00\ud800"]', "lone surrogate"),
        (b'{"a": 1, "a": 1}', "the key 'a' is given twice"),
        (b'{"data": {"bmi": 1, "age": 2, "bmi": 3}}', "the key 'bmi' is given twice"),
        ('{"ü": 1, "ü": 2}'.encode(), r"the key '\xfc' is given twice"),
        (rb'{"\ud800": 1, "\ud800": 2}', "given twice"),
    ],
)
def test_what_is_not_json_is_refused_with_the_reason(body: bytes, words: str) -> None:
    with pytest.raises(UnreadableBody) as refusal:
        json_body.parse(body)

    assert words in str(refusal.value)


def test_a_surrogate_pair_is_one_character() -> None:
    assert json_body.parse(rb'"\ud83d\ude00"') == "😀"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_ends_at_depth_32(opening: str, closing: str) -> None:
    def nested(depth: int) -> bytes:
        return (opening * depth + "1" + closing * depth).encode()

    json_body.parse(nested(32))
    for depth in (33, 500, 200_000):
        with pytest.raises(UnreadableBody, match="depth 32"):
            json_body.parse(nested(depth))


def test_a_number_too_large_for_a_float_is_infinite_and_left_to_the_signature() -> None:
    assert json_body.parse(b"1e400") == math.inf
    assert json_body.parse(b"9" * 4400) == math.inf


def test_a_large_integer_is_kept_exactly() -> None:
    assert json_body.parse(b"9" * 400) == 10**400 - 1
