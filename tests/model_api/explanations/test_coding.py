"""Cases as rows of numbers: whatever goes in comes out again."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_api.explanations.coding import Coding
from model_api.loading import LoadedModel
from model_api.signature import Feature
from model_api.values import date_time

FEATURES = (
    Feature("number", "number"),
    Feature("integer", "integer"),
    Feature("boolean", "boolean"),
    Feature("category", "category", categories=("low", "high", "1", "true")),
    Feature("numbered", "category", categories=(1, 2.5, 10)),
    Feature("day", "date"),
    Feature("local", "datetime"),
    Feature("moment", "datetime", zone="Europe/Amsterdam"),
    Feature("text", "text"),
)
PLACES = {feature.name: place for place, feature in enumerate(FEATURES)}
VALUES: dict[str, list[Any]] = {
    "number": [0.1, -1e300, 5e-324],
    "integer": [0, -(2**53) + 1, 2**53 - 1],
    "boolean": [True, False, True],
    "category": ["1", "low", "true"],
    "numbered": [10, 1, 2.5],
    "day": ["1678-01-01", "2024-02-29", "2261-12-31"],
    "local": ["1969-12-31T23:59:59.999999", "2024-02-29T00:00:00", "2100-07-01T12:30:00.000001"],
    "moment": ["2024-03-31T00:59:59.123457+00:00", "2024-03-31T01:00:00+00:00", "2024-10-27T01:30:00+00:00"],
    "text": ["", "a fine film\nindeed", "été 🌍"],
}
CODING = Coding.of(FEATURES, VALUES)


def as_sent(values: object) -> str:
    """Write values as they go over the wire, where 1, 1.0 and true differ."""
    return json.dumps(values)


def test_every_type_comes_back_as_it_was() -> None:
    assert as_sent(CODING.columns(CODING.codes(VALUES))) == as_sent(VALUES)


def test_every_type_comes_back_one_by_one_too() -> None:
    for name, column in VALUES.items():
        place = PLACES[name]
        assert as_sent([CODING.value(place, CODING.code(place, value)) for value in column]) == as_sent(column)


def test_many_rows_come_back_as_few_do() -> None:
    many = {name: column * 50 for name, column in VALUES.items()}

    assert as_sent(CODING.columns(CODING.codes(many))) == as_sent(many)


@pytest.mark.parametrize("times", [1, 50])
def test_a_missing_value_of_any_type_comes_back_missing(times: int) -> None:
    gaps = {name: [None, column[0]] * times for name, column in VALUES.items()}

    codes = CODING.codes(gaps)

    assert np.isnan(codes[::2]).all()
    assert not np.isnan(codes[1::2]).any()
    assert as_sent(CODING.columns(codes)) == as_sent(gaps)


def test_numbers_may_stay_in_arrays() -> None:
    codes = CODING.codes({name: [*column, None] for name, column in VALUES.items()})

    columns = CODING.columns(codes, arrays=True)

    for name in ("number", "integer"):
        array: Any = columns[name]
        assert isinstance(array, np.ndarray)
        assert array[:3].tolist() == VALUES[name]
        assert math.isnan(array[3])
    assert all(isinstance(columns[name], list) for name in VALUES if name not in ("number", "integer"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_to_the_last_bit(value: float) -> None:
    back = CODING.value(PLACES["number"], CODING.code(PLACES["number"], value))

    assert as_sent(back) == as_sent(value)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_any_whole_number_comes_back_as_one(value: int) -> None:
    assert as_sent(CODING.value(PLACES["integer"], CODING.code(PLACES["integer"], value))) == as_sent(value)


@given(st.dates(datetime(1678, 1, 1).date(), datetime(2261, 12, 31).date()))  # noqa: DTZ001 -- a day has no zone
def test_any_day_that_is_served_comes_back(value: Any) -> None:
    assert CODING.value(PLACES["day"], CODING.code(PLACES["day"], value.isoformat())) == value.isoformat()


@given(st.datetimes(datetime(1698, 1, 1), datetime(2241, 12, 31, 23, 59)))  # noqa: DTZ001 -- naive ones are meant
def test_any_moment_of_five_centuries_comes_back_to_the_microsecond(value: datetime) -> None:
    local, moment = value.isoformat(), value.replace(tzinfo=UTC).isoformat()

    assert CODING.value(PLACES["local"], CODING.code(PLACES["local"], local)) == local
    assert CODING.value(PLACES["moment"], CODING.code(PLACES["moment"], moment)) == moment


@pytest.mark.parametrize("value", ["1678-01-01T00:00:00.000001", "2261-12-31T23:59:59.999999"])
def test_a_moment_that_is_farther_away_comes_back_within_a_microsecond(value: str) -> None:
    back = datetime.fromisoformat(str(CODING.value(PLACES["local"], CODING.code(PLACES["local"], value))))

    assert abs(back - datetime.fromisoformat(value)) <= timedelta(microseconds=1)


@pytest.mark.parametrize("sent", ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00", "2024-07-01T12:00:00.5"])
def test_a_moment_of_any_zone_comes_back_as_the_checked_value(sent: str) -> None:
    checked = date_time(sent, "Europe/Amsterdam")

    assert CODING.value(PLACES["moment"], CODING.code(PLACES["moment"], checked)) == checked


def test_later_has_the_larger_code() -> None:
    for name in ("day", "local", "moment"):
        codes = [CODING.code(PLACES[name], value) for value in sorted(VALUES[name])]
        assert codes == sorted(set(codes))


def test_the_levels_of_the_signature_are_known_without_a_row_that_has_them() -> None:
    coding = Coding.of(FEATURES, {name: [] for name in VALUES})

    assert coding.code(PLACES["category"], "high") == 1
    assert coding.code(PLACES["numbered"], 10) == 2
    assert coding.code(PLACES["boolean"], True) == 1


def test_no_rows_are_no_codes() -> None:
    assert CODING.codes({name: [] for name in VALUES}).shape == (0, len(FEATURES))


def test_an_unseen_category_and_text_are_known_after_including_the_row() -> None:
    row = {name: column[0] for name, column in VALUES.items()} | {"category": "unheard of", "text": "new words"}

    coding = CODING.including(row)

    for name, value in row.items():
        assert coding.value(PLACES[name], coding.code(PLACES[name], value)) == value
    codes = CODING.codes(VALUES)
    assert as_sent(coding.columns(codes)) == as_sent(CODING.columns(codes)), "the codes of others changed"
    with pytest.raises(KeyError):
        CODING.code(PLACES["category"], "unheard of")


def test_including_a_row_of_known_or_missing_values_changes_nothing() -> None:
    assert CODING.including({name: column[1] for name, column in VALUES.items()}) is CODING
    assert CODING.including(dict.fromkeys(VALUES)) is CODING


@pytest.mark.parametrize("name", ["mixed", "mixed-as-it-is", "loans", "wine"])
def test_the_reference_sample_of_a_model_comes_back(loaded: Callable[[str], LoadedModel], name: str) -> None:
    artifact = loaded(name).artifact
    columns = artifact.reference.columns
    coding = Coding.of(artifact.signature.features, columns)

    assert as_sent(coding.columns(coding.codes(columns))) == as_sent(columns)
