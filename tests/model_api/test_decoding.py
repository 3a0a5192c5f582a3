"""The decoder of the fast path: it takes what is plain, says the same as the full contract, and never more."""

import json
import random
from typing import Any

import pytest

from model_api import json_body, wire
from model_api.decoding import MOST_LEVELS, Decoded, Decoder
from model_api.errors import RequestError
from model_api.inference import Options
from model_api.signature import Feature, Signature, Target

SIGNATURE = Signature(
    (
        Feature("size", "number", minimum=0.5, maximum=90.0),
        Feature("depth", "number"),
        Feature("rooms", "integer", minimum=1, maximum=9, missing_allowed=True, missing_rate=0.1),
        Feature("new", "boolean"),
        Feature("town: part", "category", categories=("north", "so:uth", "")),
        Feature("grade", "category", categories=(1, 2, 3)),
        Feature("colour", "category", categories=("red", "blue"), unknown_categories=True, missing_allowed=True),
        Feature("day", "date", minimum="2020-01-01", maximum="2024-12-31"),
        Feature("since", "datetime", minimum="2020-01-01T00:00", maximum="2024-12-31T23:59", zone="Europe/Amsterdam"),
        Feature("note", "text"),
        Feature("tariff", "category", categories=(10, 20), unknown_categories=True),
    ),
    Target("rent", "regression"),
)
PLAIN: dict[str, Any] = {
    "size": 12.5, "depth": -3, "rooms": 3, "new": True, "town: part": "so:uth", "grade": "2", "colour": "red",
    "day": "2021-05-04", "since": "2021-05-04T10:30", "note": "a: b", "tariff": 10,
}  # fmt: skip
ODD_VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 7, 1.0, 3.5, 1e308, -1e308, 2**53, 2**70, 10**400, "", "1", "x", "red", "green"),
    *("north", "so:uth", "NaN", "2021-05-04", "2031-05-04", "2021-13-04", "2021-05-04T10:30Z", [], {}, [1], {"a": 1}),
    *("true", "é", "\u2028", "a\\b", 'a"b', "x" * 3000),
]
LAYOUTS = [None, (",", ":"), (" , ", " : ")]


def ordinary(body: bytes, max_rows: int = 100) -> tuple[Any, ...] | None:
    """Read a body as the application does; None when it refuses it."""
    try:
        asked = wire.read_request(json_body.parse(body), max_rows)
    except RequestError:
        return None
    checked = SIGNATURE.check(asked.instances)
    if checked.problems or asked.options != Options():
        return None
    return list(zip(*checked.columns.values(), strict=True)), checked.warnings, asked.key, asked.single


def types(rows: list[tuple[Any, ...]]) -> list[list[type]]:
    return [[type(value) for value in row] for row in rows]


def envelope(rows: list[dict[str, Any]], form: str) -> Any:
    return {"one": {"data": rows[0]}, "many": {"data": rows}, "instances": {"instances": rows}, "bare": rows}[form]


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    """A decoder for a feature of every type."""
    return Decoder(SIGNATURE, max_rows=100)


def decoded(decoder: Decoder, body: bytes) -> Decoded:
    found = decoder.decode(body)
    assert found is not None
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("form", "count"), [("one", 1), ("many", 1), ("many", 3), ("instances", 2), ("bare", 2)])
def test_plain_bodies_are_read_in_every_form(
    decoder: Decoder, form: str, count: int, layout: tuple[str, str] | None
) -> None:
    body = json.dumps(envelope([PLAIN] * count, form), separators=layout).encode()

    found = decoded(decoder, body)

    assert tuple(found) == ordinary(body)
    assert found.single is (form == "one")


def test_it_says_what_the_contract_says_and_takes_no_more(decoder: Decoder) -> None:
    """Ten thousand bodies with up to three odd values, keys left out, added or given twice."""
    chance = random.Random(0)
    taken = refused = 0
    for _ in range(10_000):
        rows = [dict(PLAIN) for _ in range(chance.choice([1, 1, 1, 2, 2, 20]))]
        for row in chance.sample(rows, min(2, len(rows))):
            for name in chance.sample(list(row), chance.choice([0, 1, 1, 2, 3])):
                row[name] = chance.choice(ODD_VALUES)
            if chance.random() < 0.05:
                row.pop(chance.choice(list(row)))
            if chance.random() < 0.05:
                row["extra"] = 1
        text = json.dumps(
            envelope(rows, chance.choice(["one", "many", "instances", "bare"])),
            separators=chance.choice(LAYOUTS),
            ensure_ascii=chance.random() < 0.5,
        )
        if chance.random() < 0.1:
            twice = ['"new": false, "depth"', '"size" :1, "depth"', '"\\u0064epth"']
            text = text.replace('"depth"', chance.choice(twice), 1)
        found, expected = decoder.decode(text.encode()), ordinary(text.encode())

        if found is not None:
            assert tuple(found) == expected, text
            assert types(found.rows) == types(expected[0]), text
            taken += 1
        refused += expected is None
    assert taken > 1000
    assert refused > 1000


USUAL = Signature((*SIGNATURE.features[:2], *SIGNATURE.features[3:5], SIGNATURE.features[6]), SIGNATURE.target)


def test_one_usual_instance_is_read_as_any_other_and_nothing_else_is() -> None:
    """Ten thousand bodies of one instance: taken only where the decoder takes them too, without anything to say."""
    decoder, chance = Decoder(USUAL, max_rows=100), random.Random(0)
    taken = 0
    for _ in range(10_000):
        row = {name: PLAIN[name] for name in USUAL.names}
        for name in chance.sample(list(row), chance.choice([0, 0, 1, 2])):
            row[name] = chance.choice(ODD_VALUES)
        text = json.dumps({"data": row}, separators=chance.choice(LAYOUTS), ensure_ascii=chance.random() < 0.5)
        if chance.random() < 0.1:
            text = text.replace('"depth"', chance.choice(['"new": false, "depth"', '"\\u0064epth"']), 1)
        found, expected = decoder.decode_one(text.encode()), decoder.decode(text.encode())

        usual = expected is not None and expected.warnings == [[]] and None not in expected.rows[0]
        assert (found is not None) == usual, text
        if found is not None and expected is not None:
            assert (found, types([found])) == (expected.rows[0], types(expected.rows)), text
            taken += 1
    assert 1000 < taken < 9000


def test_one_instance_of_a_signature_with_dates_or_text_is_read_as_several_are(decoder: Decoder) -> None:
    assert decoder.decode_one(json.dumps({"data": PLAIN}).encode()) is None


@pytest.mark.parametrize("form", ["many", "instances", "bare"])
def test_one_instance_in_another_envelope_is_not_the_commonest_body(form: str) -> None:
    row = {name: PLAIN[name] for name in USUAL.names}

    assert Decoder(USUAL, max_rows=100).decode_one(json.dumps(envelope([row], form)).encode()) is None


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"{}", b'{"data": []}', b'{"data": null}', b"3", b'"x"', b"[" * 100_000),
        b'{"data": {}, "instances": []}',
        b'\xef\xbb\xbf{"data": {}}',
        b'{"data": {"size": 1}}',
        json.dumps({"data": PLAIN, "options": {}}).encode(),
        json.dumps([PLAIN] * 101).encode(),
        json.dumps({"data": PLAIN}).encode() + b" x",
        json.dumps({"data": PLAIN}).encode().replace(b"12.5", b"1e400"),
        json.dumps({"data": PLAIN}).encode().replace(b"12.5", b"NaN"),
        json.dumps({"data": PLAIN}).encode().replace(b"so:uth", b"so:uth\xff"),
        json.dumps({"data": PLAIN}).encode().replace(b"a: b", b"a: b\xff"),
    ],
)
def test_everything_else_is_left_to_the_application(decoder: Decoder, body: bytes) -> None:
    assert decoder.decode(body) is None


def test_a_body_that_names_a_key_twice_is_left_to_the_application(decoder: Decoder) -> None:
    whole = json.dumps({"data": PLAIN})

    for twice in (
        whole.replace('"size": 12.5', '"size": 12.5, "size": 13'),
        whole.replace('"size": 12.5', '"size": 12.5, "size" \n : 13'),
        whole.replace('{"data"', '{"data": {}, "data"'),
        # an escaped colon in a text must not make up for a key that is given twice
        whole.replace("a: b", "a\\u003a b").replace('"size": 12.5', '"size": 12.5, "size": 13'),
    ):
        assert decoder.decode(twice.encode()) is None


def test_what_is_missing_or_out_of_range_is_warned_about(decoder: Decoder) -> None:
    body = json.dumps({"data": PLAIN | {"size": 91, "rooms": None, "day": "2031-01-01"}}).encode()

    (warnings,) = decoded(decoder, body).warnings

    assert [(warning.feature, warning.code) for warning in warnings] == [
        ("size", "outside_training_range"),
        ("rooms", "missing"),
        ("day", "outside_training_range"),
    ]


def test_levels_that_are_too_many_to_compile_are_looked_up() -> None:
    levels = tuple(f"level {i}" for i in range(MOST_LEVELS + 1))
    decoder = Decoder(Signature((Feature("x", "category", categories=levels),), Target("y", "regression")), 10)

    assert decoded(decoder, b'{"data": {"x": "level 7"}}').rows == [("level 7",)]
    assert decoder.decode(b'{"data": {"x": "level"}}') is None
