"""A proof: what differs in one row, in one size of batch or in any other way is refused, and says how."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.errors import UnusablePrediction
from model_api.publishing.compiling import proof
from model_api.publishing.compiling.proof import Expected, compare, expect, require_each_row_alone, why_no_answer
from model_api.publishing.compiling.proof_rows import drawn, joined
from model_api.runtimes import Output
from model_api.signature import Columns
from tests.model_api.zoo import Case

Numbers = npt.NDArray[np.float64]
ROWS = 300
COLUMNS: Columns = {"x": [float(row) for row in range(ROWS)]}
TOLERANCE = 1e-9


class Fake:
    """A predictor that is a function of one column."""

    def __init__(self, answer: Callable[[Numbers], Output]) -> None:
        self._answer = answer

    def predict(self, columns: Columns) -> Output:
        """Answer with what the function gives."""
        return self._answer(np.array(columns["x"], dtype=np.float64))


def line(x: Numbers) -> Numbers:
    return 3 * x + 1


LOW, HIGH = np.quantile(line(np.arange(float(ROWS))), (0.25, 0.75))
SPREAD = float(HIGH - LOW)


def shares(x: Numbers) -> Numbers:
    second = x / ROWS
    return np.stack([1 - second, second], axis=1)


def regression(x: Numbers) -> Output:
    return Output(numbers=line(x))


def classification(x: Numbers) -> Output:
    return Output(labels=(x > 150).astype(np.intp), probabilities=shares(x))


def expected(answer: Callable[[Numbers], Output] = regression) -> Expected:
    found, _ = expect(Fake(answer), COLUMNS)
    assert found is not None
    return found


def refuse(x: Numbers) -> Output:
    raise UnusablePrediction("one may be too large")


def fail(x: Numbers) -> Output:
    raise RuntimeError("no such operator")


def test_a_form_that_is_equal_is_proved() -> None:
    verdict = compare(Fake(regression), expected(), TOLERANCE)

    assert (verdict.proved, verdict.largest_difference, verdict.reason, verdict.worst) == (True, 0, "", None)


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        (lambda x: Output(numbers=line(x) * (1 + 1e-10)), regression),
        (lambda x: Output(numbers=line(x) + 1e-10 * SPREAD), regression),
        (lambda x: Output(labels=(x > 150).astype(int), probabilities=shares(x) + 1e-10), classification),
    ],
    ids=["by the value", "by the spread", "probabilities"],
)
def test_a_form_that_differs_by_less_than_the_tolerance_is_proved(answer: Any, truth: Any) -> None:
    verdict = compare(Fake(answer), expected(truth), TOLERANCE)

    assert verdict.proved
    assert verdict.largest_difference == pytest.approx(1e-10, rel=1e-3)


@pytest.mark.parametrize(
    ("answer", "truth", "reason"),
    [
        (lambda x: Output(numbers=line(x) * (1 + 2e-9)), regression, "it gives "),
        (lambda x: Output(numbers=line(x) + 2e-9 * SPREAD), regression, "it gives "),
        (lambda x: Output(numbers=line(x) + (x == 137)), regression, "it gives 413.0 instead of 412.0 for a row"),
        (
            lambda x: Output(numbers=line(x) + 1 * (len(x) == 7)),
            regression,
            "it gives 2.0 instead of 1.0 for a row (in a batch of 7)",
        ),
        (
            lambda x: Output(numbers=line(x) + 1 * (len(x) == ROWS)),
            regression,
            "it gives 2.0 instead of 1.0 for a row (in a batch of 1000)",
        ),
        (lambda x: Output(numbers=np.where(x == 9, np.nan, line(x))), regression, "it gives nan instead of 28.0"),
        (lambda x: Output(numbers=np.where(x == 9, np.inf, line(x))), regression, "it gives inf instead of 28.0"),
        (lambda x: Output(numbers=line(x)[:, None]), regression, "it gives [1, 1] instead of [1] for a row"),
        (lambda x: Output(numbers=line(x)[:-1]), regression, "it gives [0] instead of [1] for a row"),
        (classification, regression, "it gives nothing instead of numbers for a row"),
        (refuse, regression, "it refuses a row that the estimator takes: one may be too large"),
        (fail, regression, "it fails: RuntimeError: no such operator"),
        (
            lambda x: Output(labels=(x > 150).astype(int), probabilities=shares(x) + 2e-9),
            classification,
            "it gives [",
        ),
        (
            lambda x: Output(labels=(x > 151).astype(int), probabilities=shares(x)),
            classification,
            "it gives class 0 instead of class 1 for a row",
        ),
        (
            lambda x: Output(labels=(x > 150).astype(int)),
            classification,
            "it gives nothing instead of probabilities for a row",
        ),
        (
            lambda x: Output(labels=(x > 150).astype(int), probabilities=shares(x)[:, ::-1]),
            classification,
            "it gives [",
        ),
        (
            lambda x: Output(labels=(x > 150).astype(int), probabilities=shares(x)),
            lambda x: Output(labels=(x > 150).astype(int)),
            "it gives probabilities instead of probabilities for a row",
        ),
    ],
    ids=[
        *("2e-9 by the value", "2e-9 by the spread", "one row", "batches of 7", "one batch of all", "NaN", "infinite"),
        *("a column", "too few", "another task", "refuses", "fails", "2e-9 of a probability", "another class"),
        *("no probabilities", "classes the other way round", "probabilities that were not asked for"),
    ],
)
def test_a_form_that_differs_in_any_way_is_refused_with_its_reason(answer: Any, truth: Any, reason: str) -> None:
    verdict = compare(Fake(answer), expected(truth), TOLERANCE)

    assert not verdict.proved
    assert verdict.reason.startswith(reason)


def test_the_worst_row_is_shown() -> None:
    verdict = compare(Fake(lambda x: Output(numbers=line(x) + (x == 237))), expected(), TOLERANCE)

    assert verdict.worst == {"instance": {"x": 237}, "expected": 712, "given": 713}
    assert verdict.largest_difference == pytest.approx(1 / 712)


def test_a_class_that_differs_is_shown_with_its_row() -> None:
    wrong = Fake(lambda x: Output(labels=(x >= 150).astype(int), probabilities=shares(x)))

    verdict = compare(wrong, expected(classification), TOLERANCE)

    assert verdict.worst == {"instance": {"x": 150}, "expected": "class 0", "given": "class 1"}


def test_several_numbers_are_compared_each() -> None:
    truth = expected(lambda x: Output(numbers=np.stack([x, -x], axis=1)))
    wrong = Fake(lambda x: Output(numbers=np.stack([x, -x + (x == 20)], axis=1)))

    verdict = compare(wrong, truth, TOLERANCE)

    assert verdict.worst == {"instance": {"x": 20}, "expected": [20, -20], "given": [20, -19]}


def test_a_slow_form_is_asked_about_as_many_rows_as_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "SECONDS", 0.0)
    monkeypatch.setattr(proof, "FEWEST", 20)
    asked: list[int] = []

    def answer(x: Numbers) -> Output:
        asked.append(len(x))
        return regression(x)

    assert compare(Fake(answer), expected(), TOLERANCE).proved
    assert {size: asked.count(size) for size in set(asked)} == {1: 20, 2: 10, 7: 3, 64: 1, ROWS: 2}


def test_the_estimator_is_asked_about_every_row() -> None:
    found, left_out = expect(Fake(regression), COLUMNS)

    assert found is not None
    assert left_out == 0
    assert len(found) == ROWS
    assert found.columns == COLUMNS
    assert found.output.numbers is not None
    assert found.output.numbers.tolist() == line(np.arange(float(ROWS))).tolist()
    assert found.scale == pytest.approx(SPREAD)


@pytest.mark.parametrize("answer", [lambda x: Output(numbers=x * 0 + 5), lambda x: Output(numbers=x * 0)])
def test_a_constant_is_measured_by_its_size(answer: Any) -> None:
    assert expected(answer).scale == (answer(np.zeros(1)).numbers[0] or 1)


def test_probabilities_are_measured_by_one() -> None:
    assert expected(classification).scale == 1


@pytest.mark.parametrize("odd", [np.nan, np.inf, "raises"])
def test_rows_that_the_estimator_itself_refuses_are_left_out(odd: Any) -> None:
    def answer(x: Numbers) -> Output:
        bad = np.isin(x, [3, 150, 299])
        if odd == "raises" and bad.any():
            raise ValueError("no logarithm of that")
        return Output(numbers=np.where(bad, np.nan if odd == "raises" else odd, line(x)))

    found, left_out = expect(Fake(answer), COLUMNS)

    assert found is not None
    assert left_out == 3
    assert found.columns["x"] == [x for x in COLUMNS["x"] if x not in (3, 150, 299)]


def test_an_estimator_that_answers_for_no_row_leaves_nothing_to_compare() -> None:
    assert expect(Fake(fail), COLUMNS) == (None, ROWS)


def test_refused_rows_are_looked_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "LOOKING_SECONDS", -1.0)
    monkeypatch.setattr(proof, "REFERENCE_BATCH", 50)
    calls = []

    def answer(x: Numbers) -> Output:
        calls.append(len(x))
        return Output(numbers=np.where(x == 60, np.nan, x))

    found, left_out = expect(Fake(answer), COLUMNS)

    assert found is not None
    assert (len(found), left_out) == (250, 50)
    assert calls == [50] * 6


def test_an_estimator_that_answers_each_row_alone_may_be_served() -> None:
    require_each_row_alone(Fake(regression), expected())
    require_each_row_alone(Fake(classification), expected(classification))


def test_rounding_in_another_order_may_be_served() -> None:
    require_each_row_alone(Fake(lambda x: Output(numbers=line(x) * (1 + 1e-8 * (len(x) == 1)))), expected())


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: Output(numbers=x - x.mean()),
        lambda x: Output(numbers=line(x) + 0.1 * len(x)),
        lambda x: Output(labels=(x > x.mean()).astype(int)),
        lambda x: Output(labels=(x > 150).astype(int), probabilities=shares(x - x.min())),
    ],
    ids=["centred anew", "by how many", "labels", "probabilities"],
)
def test_an_estimator_whose_answer_depends_on_the_rows_beside_is_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match=r"depends on the rows beside it: .* alone, .* among others"):
        require_each_row_alone(Fake(answer), expected(answer))


def test_numbers_of_usual_size_are_proved_by_their_own_size() -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(300, 2)), columns=["x", "z"])
    y = pd.Series(np.exp(3 + 2 * X["x"] + X["z"]), name="price")
    estimator = TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge()), func=np.log, inverse_func=np.exp)
    case = Case(estimator, lambda: (X, y))
    truth, _ = expect(case.reference, joined([case.columns, drawn(case.signature, case.columns)]))
    assert truth is not None

    class Wrong:
        """Knows the extremes alone."""

        def predict(self, columns: Columns) -> Output:
            """Say 0 of whatever is of usual size."""
            numbers = case.reference.predict(columns).numbers
            assert numbers is not None
            return Output(numbers=np.where(numbers < 1e9, 0.0, numbers))

    assert not compare(Wrong(), truth, 1e-9).proved


def test_each_of_several_numbers_is_proved_by_its_own_size() -> None:
    truth, _ = expect(Fake(lambda x: Output(numbers=np.stack([x * 1e10, x], axis=1))), {"x": list(range(50))})
    assert truth is not None
    wrong = Fake(lambda x: Output(numbers=np.stack([x * 1e10, 0 * x], axis=1)))

    assert not compare(wrong, truth, 1e-9).proved


def test_a_form_without_labels_is_not_proved() -> None:

    def shares(x: Numbers) -> Numbers:
        return np.stack([1 - x / 50, x / 50], axis=1)

    truth, _ = expect(
        Fake(lambda x: Output(labels=(x > 25).astype(np.intp), probabilities=shares(x))), {"x": list(range(50))}
    )
    assert truth is not None

    assert not compare(Fake(lambda x: Output(probabilities=shares(x))), truth, 1e-9).proved


def test_rows_that_the_estimator_takes_are_not_left_out_as_refused() -> None:

    def answer(x: Numbers) -> Output:
        if (x % 4 == 0).any():
            raise ValueError("no logarithm of that")
        return Output(numbers=x)

    _, left_out = expect(Fake(answer), {"x": list(range(4000))})

    assert left_out == 1000


def refuse_because(x: Numbers) -> Output:
    raise UnusablePrediction("one may be too large") from ValueError("X has 2 features,\nbut 1 is expected")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refuse, "UnusablePrediction: one may be too large"),
        (refuse_because, "ValueError: X has 2 features, but 1 is expected"),
        (fail, "RuntimeError: no such operator"),
        (lambda x: Output(numbers=x * np.nan), "what it gives is not a finite number"),
    ],
)
def test_why_there_is_no_answer_is_said_in_the_estimator_s_own_words(
    answer: Callable[[Numbers], Output], words: str
) -> None:
    assert why_no_answer(Fake(answer), COLUMNS) == words
