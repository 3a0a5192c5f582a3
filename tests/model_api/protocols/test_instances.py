"""Rows and columns → instances, and the words that mean a gap."""

import pytest

from model_api.errors import InvalidRequest
from model_api.protocols.instances import column_of, from_columns, from_rows, listed
from model_api.signature import Feature, Signature, Target

SIGNATURE = Signature(
    (
        Feature("when", "datetime", missing_allowed=True),
        Feature("day", "date", missing_allowed=True),
        Feature("size", "number", missing_allowed=True),
        Feature("kind", "category", categories=("NaN", "NaT"), missing_allowed=True),
        Feature("note", "text"),
    ),
    Target("y", "regression"),
)


def test_nat_is_a_gap_in_dates_and_a_word_in_texts() -> None:
    expected = [{"when": None, "day": None, "size": None, "kind": "NaT", "note": "NaT"}]

    assert from_rows(SIGNATURE, [["NaT"] * 5], 10) == expected
    assert from_columns(SIGNATURE, {name: ["NaT"] for name in SIGNATURE.names}, 10) == expected


def test_rows_that_are_neither_are_left_to_the_signature() -> None:
    assert from_rows(SIGNATURE, [None, 3, {}], 10) == [None, 3, {}]


def test_columns_are_parted_before_they_are_many() -> None:
    with pytest.raises(InvalidRequest, match="1000000 instances are more than the 10"):
        from_columns(SIGNATURE, {"note": [""] * 1_000_000}, 10)


def test_a_column_may_be_a_list_of_lists_of_one() -> None:
    assert column_of([[1], [2]], "x") == [1, 2]
    assert column_of([[1], [2, 3]], "x") == [[1], [2, 3]]
    assert column_of([], "x") == []


def test_of_many_names_the_first_are_told() -> None:
    assert listed([f"f{number}" for number in range(40)]).endswith("f29 and 10 more")
