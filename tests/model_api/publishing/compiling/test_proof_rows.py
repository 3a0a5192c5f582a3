"""The rows that a proof is about: enough of them, always the same, and such as a caller may send."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from model_api.publishing.compiling import proof_rows
from model_api.publishing.compiling.proof_rows import drawn, joined, rows_of
from model_api.publishing.reference_sample import plain_columns
from model_api.publishing.signature_inference import infer_signature
from model_api.signature import Columns, Feature, Signature, Target
from tests.model_api.zoo import ZOO

NAMES = ["ridge", "people", "people, unknown categories refused", "histograms of categories by dtype", "counted words"]
EVERY_KIND = pd.DataFrame(
    {
        "number": [0.5, 1e9, None, -3.25],
        "whole": [1, 2, 3, 40],
        "yes": [True, False, True, True],
        "level": ["a", "b", None, "b"],
        "known": ["x", "y", "x", "y"],
        "day": pd.to_datetime(["2024-02-28", "2024-12-31", "2023-01-01", "2024-06-01"]),
        "moment": np.array(["2024-02-28T10:00", "NaT", "2023-01-01T23:59:59", "2024-06-01T00:00"], "datetime64[us]"),
        "zoned": pd.to_datetime(["2024-02-28T10:00Z", "2024-03-31T02:30Z", "2023-01-01T23:59Z", "2024-06-01T00:00Z"]),
        "note": ["The plot is slow.", "", "été", "a b c"],
    }
)


class Anything(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """An estimator that nobody asks: it copes with everything."""

    def predict(self, X: Any) -> Any:
        """Predict zeros."""
        return np.zeros(len(X))


@pytest.fixture(scope="module")
def every_kind() -> tuple[Signature, Columns]:
    """A signature with a feature of every kind, and rows of it."""
    described: dict[str, dict[str, Any]] = {"note": {"type": "text"}, "known": {"unknown_categories": False}}
    y = pd.Series(np.zeros(len(EVERY_KIND)))
    signature = infer_signature(Anything(), EVERY_KIND, y, described, {})
    return signature, plain_columns(EVERY_KIND, signature)


def count(columns: Columns) -> int:
    (length,) = {len(values) for values in columns.values()}
    return length


def test_there_are_at_least_ten_thousand_rows() -> None:
    case = ZOO["ridge"]

    assert count(drawn(case.signature, case.columns)) >= 10_000


def test_the_same_rows_are_drawn_each_time() -> None:
    case = ZOO["people"]

    assert drawn(case.signature, case.columns) == drawn(case.signature, case.columns)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_the_zoo_is_valid_by_its_signature(name: str) -> None:
    case = ZOO[name]

    assert problems(case.signature, drawn(case.signature, case.columns)) == []


def test_every_row_is_valid_for_features_of_every_kind(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind

    assert {feature.type for feature in signature.features} == {
        *("number", "integer", "boolean", "category", "date", "datetime", "text")
    }
    assert problems(signature, drawn(signature, columns)) == []


def problems(signature: Signature, columns: Columns) -> list[str]:
    instances = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [problem.message for problem in signature.check(instances).problems]


def test_values_are_already_in_the_form_that_a_caller_s_take(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind
    around = drawn(signature, columns)

    for feature in signature.features:
        given = [value for value in around[feature.name] if value is not None]
        assert [feature.parse(value) for value in given] == given


def test_values_are_missing_only_where_they_may_be(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind
    around = drawn(signature, columns)

    missing = {name for name, values in around.items() if None in values}

    assert missing == {"number", "level", "moment"}


def test_levels_were_never_seen_only_where_they_may_be(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind
    around = drawn(signature, columns)

    assert set(around["known"]) == {"x", "y"}
    assert set(around["level"]) > {"a", "b"}
    assert {"never seen", "ünbekannt 未知"} < set(around["level"])


def test_a_level_that_training_had_is_no_stranger() -> None:
    feature = Feature("x", "category", categories=("never seen", "0"), unknown_categories=True)
    signature = Signature((feature,), Target("y", "regression"))

    assert set(drawn(signature, {"x": ["0", "never seen"]})["x"]) <= {"never seen", "0", "-", "ünbekannt 未知"}


def test_whole_numbers_stay_whole(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind

    assert {type(value) for value in drawn(signature, columns)["whole"]} == {int}


def test_booleans_stay_booleans(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind

    assert {type(value) for value in drawn(signature, columns)["yes"]} == {bool}


def test_numbers_are_mixed_moved_by_a_hair_and_far_outside() -> None:
    feature = Feature("x", "number", minimum=1.0, maximum=2.0)
    signature = Signature((feature,), Target("y", "regression"))

    given = np.array(drawn(signature, {"x": [1.0, 1.5, 2.0]})["x"], dtype=float)

    assert {1.0, 1.5, 2.0, 0.0} < set(given.tolist())
    assert {np.nextafter(1.5, -np.inf), np.nextafter(1.5, np.inf)} < set(given.tolist())
    assert given.min() < 0
    assert given.max() > 3
    assert np.isfinite(given).all()


def test_a_number_that_never_varied_is_stretched_all_the_same() -> None:
    signature = Signature((Feature("x", "number"),), Target("y", "regression"))

    given = np.array(drawn(signature, {"x": [7.0] * 5})["x"], dtype=float)

    assert given.min() < 7 < given.max()


def test_texts_are_shuffled_and_odd(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind

    given = set(drawn(signature, columns)["note"])

    assert {*proof_rows.TEXTS, "slow. is plot The", "The"} & given > set(proof_rows.TEXTS)


def test_the_real_rows_are_left_as_they_are(every_kind: tuple[Signature, Columns]) -> None:
    signature, columns = every_kind
    before = {name: list(values) for name, values in columns.items()}

    drawn(signature, columns)

    assert columns == before


def test_rows_are_put_one_after_the_other_and_picked_out_again() -> None:
    columns = joined([{"a": [1], "b": ["x"]}, {"a": [2, 3], "b": ["y", None]}])

    assert columns == {"a": [1, 2, 3], "b": ["x", "y", None]}
    assert rows_of(columns, [2, 0]) == {"a": [3, 1], "b": [None, "x"]}
    assert rows_of(columns, range(1, 2)) == {"a": [2], "b": ["y"]}


def test_a_level_that_no_caller_can_send_is_not_drawn() -> None:
    feature = Feature("x", "category", categories=("a", "b"), unknown_categories=True)
    signature = Signature((feature,), Target("y", "regression"))

    given = drawn(signature, {"x": ["a", "b"]})["x"]

    assert signature.check([{"x": level} for level in set(given)]).problems == []
