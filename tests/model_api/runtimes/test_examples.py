"""A form must answer the stored examples before it serves, together and one by one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from model_api.artifact import Examples
from model_api.errors import ArtifactError, UnusablePrediction
from model_api.runtimes import Output
from model_api.runtimes.examples import require_examples
from model_api.signature import Columns

Numbers = npt.NDArray[np.float64]
REGRESSION = Examples({"x": [1, 2, 30]}, [10.0, 20.0, 300.0], None, None, 100.0)
CLASSIFICATION = Examples({"x": [1, 2, 30]}, None, [0, 0, 1], [[0.9, 0.1], [0.8, 0.2], [0.0, 1.0]], 1.0)
TABLE: dict[float, tuple[int, list[float]]] = {1: (0, [0.9, 0.1]), 2: (0, [0.8, 0.2]), 30: (1, [0.0, 1.0])}


class Fake:
    """A predictor that is a function of one column."""

    def __init__(self, answer: Callable[[Numbers], Output]) -> None:
        self._answer = answer

    def predict(self, columns: Columns) -> Output:
        """Answer with what the function gives."""
        return self._answer(np.array(columns["x"], dtype=np.float64))


def tenfold(x: Numbers) -> Output:
    return Output(numbers=10 * x)


def looked_up(x: Numbers, **changes: Any) -> Output:
    labels, shares = zip(*(TABLE[value] for value in x.tolist()), strict=True)
    return Output(labels=np.array(labels), probabilities=np.array(shares))._replace(**changes)


def refuse(x: Numbers) -> Output:
    raise UnusablePrediction(f"{len(x)} rows are too many")


def fail(x: Numbers) -> Output:
    try:
        raise KeyError("no such leaf")
    except KeyError as error:
        raise RuntimeError("the session ended") from error


def broken(x: Numbers) -> Output:
    raise ArtifactError("plan.bin is damaged")


def require(answer: Callable[[Numbers], Output], examples: Examples, tolerance: float = 1e-9) -> None:
    require_examples(Fake(answer), examples, tolerance, "plan")


def test_a_form_that_answers_as_it_did_may_serve() -> None:
    require(tenfold, REGRESSION)
    require(looked_up, CLASSIFICATION)


def test_a_form_that_differs_by_less_than_the_tolerance_may_serve() -> None:
    require(lambda x: Output(numbers=10 * x + 9e-8), REGRESSION)  # 1e-9 of 100, the spread
    require(lambda x: Output(numbers=10 * x * (1 + 9e-6)), REGRESSION, 1e-5)


@pytest.mark.parametrize(
    ("answer", "examples", "reason"),
    [
        (
            lambda x: Output(numbers=10 * x + 3 * (x == 30) + (x == 1)),
            REGRESSION,
            "the form plan answers its own examples differently: by 0.01 of the value, at most 1e-09 is allowed",
        ),
        (lambda x: Output(numbers=10 * x + 2e-7), REGRESSION, "differently: by 2e-09 of the value"),
        (lambda x: Output(numbers=10 * x + (len(x) == 1)), REGRESSION, "differently: by 0.01 of the value"),
        (lambda x: Output(numbers=10 * x * np.nan), REGRESSION, "with a number that is not finite"),
        (lambda x: Output(numbers=10 * x * np.inf), REGRESSION, "with a number that is not finite"),
        (lambda x: Output(numbers=10 * x[:, None]), REGRESSION, r"in the shape \[3, 1\] rather than \[3\]"),
        (lambda x: Output(numbers=10 * x[:1]), REGRESSION, r"in the shape \[1\] rather than \[3\]"),
        (lambda x: Output(labels=x.astype(int)), REGRESSION, "gives no numbers, unlike its examples"),
        (
            lambda x: Output(numbers=10 * x, probabilities=x[:, None]),
            REGRESSION,
            "gives probabilities, unlike its examples",
        ),
        (tenfold, CLASSIFICATION, "gives numbers, unlike its examples"),
        (lambda x: looked_up(x, labels=np.zeros(len(x), int)), CLASSIFICATION, "gives another class"),
        (lambda x: looked_up(x, labels=None), CLASSIFICATION, "gives another class"),
        (lambda x: looked_up(x, probabilities=None), CLASSIFICATION, "gives no probabilities"),
        (
            lambda x: looked_up(x, probabilities=np.array([TABLE[v][1][::-1] for v in x.tolist()])),
            CLASSIFICATION,
            "differently: by 1 of the value",
        ),
        (refuse, REGRESSION, "the form plan cannot answer its own examples: 3 rows are too many"),
        (fail, REGRESSION, "the form plan cannot answer its own examples: 'no such leaf'"),
        (broken, REGRESSION, "^plan.bin is damaged$"),
    ],
)
def test_a_form_that_answers_otherwise_is_refused_with_the_largest_difference(
    answer: Any, examples: Examples, reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        require(answer, examples)


def test_several_numbers_a_row_are_compared_each() -> None:
    examples = Examples({"x": [1, 2]}, [[10, -1], [20, -2]], None, None, 1.0)

    require(lambda x: Output(numbers=np.stack([10 * x, -x], axis=1)), examples)
    with pytest.raises(ArtifactError, match=r"differently: by 0\.5 of the value"):
        require(lambda x: Output(numbers=np.stack([10 * x, -x + (x == 2)], axis=1)), examples)


@pytest.mark.parametrize("columns", [{}, {"x": []}])
def test_without_examples_nothing_is_shown(columns: Columns) -> None:
    with pytest.raises(ArtifactError, match="no examples to be tried with"):
        require(tenfold, replace(REGRESSION, columns=columns))
