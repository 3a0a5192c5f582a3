"""Every plan of the zoo says what scikit-learn says, and what has no plan says why."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from model_api.inspection.skops_file import is_pickle
from model_api.publishing.compiling import proof_rows
from model_api.publishing.compiling.proof import expect
from model_api.publishing.compiling.thresholds import threshold_rows
from model_api.publishing.lowering import Unlowerable, lower
from model_api.runtimes import Floats, Output
from model_api.runtimes.lowered import ARRAYS, PLAN
from tests.model_api.zoo import LOWERED, WITHOUT_PLAN, ZOO, rows

TOLERANCE = 1e-9
ALONE = 30
"""Rows that are asked about one by one."""
DRAWN = 100
"""Rows that are drawn in each of four ways."""


def assert_equal(given: Output, expected: Output, spread: float) -> None:
    """Labels are all the same; numbers differ by 1e-9 of their spread at most, probabilities by 1e-9."""
    assert_close(given.numbers, expected.numbers, TOLERANCE * spread)
    assert_close(given.probabilities, expected.probabilities, TOLERANCE)
    assert (given.labels is None) == (expected.labels is None)
    if given.labels is not None and expected.labels is not None:
        assert given.labels.tolist() == expected.labels.tolist()


def assert_close(given: Floats | None, expected: Floats | None, most: float) -> None:
    assert (given is None) == (expected is None)
    if given is not None and expected is not None:
        assert given.shape == expected.shape
        assert np.abs(given - expected).max() <= most


def spread_of(output: Output) -> float:
    return 1.0 if output.numbers is None else float(np.std(output.numbers, axis=0).min()) or 1.0


def of_row(output: Output, row: int) -> Output:
    """Give the answer for one row."""
    parts: list[Any] = [output.numbers, output.labels, output.probabilities]
    return Output(*(None if part is None else part[row : row + 1] for part in parts))


@pytest.mark.parametrize("name", LOWERED)
def test_a_plan_says_what_scikit_learn_says(name: str) -> None:
    case = ZOO[name]
    expected = case.reference.predict(case.columns)

    assert_equal(case.lowered.predict(case.columns), expected, spread_of(expected))


@pytest.mark.parametrize("name", LOWERED)
def test_a_plan_says_the_same_of_a_row_alone(name: str) -> None:
    case = ZOO[name]
    some = rows(case.columns, 0, ALONE)
    expected = case.reference.predict(some)

    for row in range(ALONE):
        alone = case.lowered.predict(rows(some, row, row + 1))
        assert_equal(alone, of_row(expected, row), spread_of(expected))


@pytest.mark.parametrize("name", LOWERED)
def test_a_plan_says_the_same_of_odd_rows_and_beside_its_thresholds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("MIXED", "SHAKEN", "STRETCHED", "GAPPED"):
        monkeypatch.setattr(proof_rows, kind, DRAWN)
    case = ZOO[name]
    beside = threshold_rows(case.plan, case.lowered, case.signature, case.columns)
    odd = proof_rows.joined([proof_rows.drawn(case.signature, case.columns), beside.columns])

    expected, _ = expect(case.reference, odd)

    assert expected is not None
    assert_equal(case.lowered.predict(expected.columns), expected.output, spread_of(expected.output))


@pytest.mark.parametrize("name", WITHOUT_PLAN)
def test_what_has_no_plan_is_named(name: str) -> None:
    case = ZOO[name]

    with pytest.raises(Unlowerable, match=case.unlowerable):
        lower(case.fitted, case.layout)


@pytest.mark.parametrize("name", LOWERED)
def test_a_plan_is_the_same_bytes_each_time(name: str) -> None:
    case = ZOO[name]

    assert lower(case.fitted, case.layout).files == case.plan


@pytest.mark.parametrize("name", LOWERED)
def test_a_plan_is_json_numbers_and_onnx_and_no_pickle(name: str) -> None:
    plan = dict(ZOO[name].plan)
    document, blob = json.loads(plan.pop(PLAN)), plan.pop(ARRAYS)

    assert not is_pickle(blob)
    assert b"sklearn" not in blob
    sizes = {"float64": 8, "float32": 4, "int64": 8}
    ends = [a["offset"] + int(np.prod(a["shape"])) * sizes[a["dtype"]] for a in document["arrays"]]
    assert max(ends, default=0) == len(blob)  # nothing else is in it
    assert all(file.endswith(".onnx") for file in plan)
    assert not any(is_pickle(data) for data in plan.values())


class Doubled(LinearRegression):  # type: ignore[misc] # scikit-learn ships no types
    """A linear regression of the user's own, with another way to predict."""

    def predict(self, X: Any) -> Any:
        """Predict twice as much."""
        return 2 * super().predict(X)


class Halved(StandardScaler):  # type: ignore[misc] # likewise
    """A scaler of the user's own."""

    def transform(self, X: Any, copy: Any = None) -> Any:
        """Scale to half as much."""
        return super().transform(X, copy) / 2


@pytest.mark.parametrize(
    ("estimator", "named"),
    [
        (Doubled(), "Doubled has no plan"),
        (make_pipeline(StandardScaler(), Doubled()), "Doubled has no plan"),
        (make_pipeline(Halved(), Ridge()), "Halved has no plan"),
        (make_pipeline(FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 1}), Ridge()), "calls clip"),
        (make_pipeline(FunctionTransformer(np.log1p, kw_args={"dtype": "float32"}), Ridge()), "calls log1p"),
    ],
    ids=["estimator", "last step", "step", "function", "function with settings"],
)
def test_what_only_looks_like_a_known_class_has_no_plan(estimator: BaseEstimator, named: str) -> None:
    case = ZOO["ridge"]

    with pytest.raises(Unlowerable, match=named):
        lower(estimator.fit(case.frame, case.true), case.layout)


def test_an_attribute_that_is_not_there_is_a_reason_and_no_crash() -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0]})
    estimator = LinearRegression().fit(frame, [0, 1])
    del estimator.coef_

    with pytest.raises(Unlowerable, match=r"AttributeError while lowering: .*coef_"):
        lower(estimator, [{"name": "x", "dtype": "float64"}])


def test_dates_that_reach_an_estimator_have_no_plan() -> None:
    estimator = LinearRegression().fit([[0.0], [1.0]], [0, 1])

    with pytest.raises(Unlowerable, match="dates reach a step"):
        lower(estimator, [{"name": "x", "dtype": "datetime64[us]"}])
