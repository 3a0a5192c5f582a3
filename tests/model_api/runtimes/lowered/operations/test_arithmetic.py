"""Sources, and arithmetic on a matrix, against numbers worked out by hand."""

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from model_api.runtimes.lowered.operations import OPERATIONS
from model_api.runtimes.lowered.operations.arithmetic import FUNCTIONS

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def ask(operation: str, *inputs: Any, **parameters: Any) -> Any:
    given = OPERATIONS[operation](**parameters)(*inputs)
    return given.tolist() if isinstance(given, np.ndarray) else given


def test_numbers_takes_features_in_the_order_that_it_names() -> None:
    assert ask("numbers", {"a": [1, 2], "b": [True, False], "c": [0, 0]}, features=["b", "a"]) == [[1, 1], [0, 2]]


def test_numbers_reads_what_is_missing_as_nan() -> None:
    matrix = OPERATIONS["numbers"](features=["a"])({"a": [None, 1.5]})

    assert np.isnan(matrix[0, 0])
    assert matrix[1, 0] == 1.5


def test_numbers_of_no_rows_is_an_empty_matrix() -> None:
    assert OPERATIONS["numbers"](features=["a", "b"])({"a": [], "b": []}).shape == (0, 2)


def test_single_numbers_are_rounded_to_float32_and_those_beside_them_are_not() -> None:
    given = ask("numbers", {"a": [0.1], "b": [0.1]}, features=["a", "b"], single=[1])

    assert given == [[0.1, float(np.float32(0.1))]]


def test_raw_takes_features_as_they_are() -> None:
    assert ask("raw", {"a": ["x", None], "b": [1, 2]}, features=["b", "a"]) == [[1, 2], ["x", None]]


def test_raw_columns_of_numbers_become_a_matrix() -> None:
    assert ask("as_numbers", [[1, 2], [True, False]]) == [[1, 1], [2, 0]]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("subtract", [[0, 0, 0], [3, 3, 3]]),
        ("add", [[2, 4, 6], [5, 7, 9]]),
        ("multiply", [[1, 4, 9], [4, 10, 18]]),
        ("divide", [[1, 1, 1], [4, 2.5, 2]]),
    ],
)
def test_each_column_meets_a_value_of_its_own(operation: str, expected: list[list[float]]) -> None:
    assert ask(operation, X, value=np.array([1.0, 2.0, 3.0])) == expected


def test_clip_keeps_values_between_two_others() -> None:
    assert ask("clip", np.array([[-1.0, 0.5, 2.0]]), low=0.0, high=1.0) == [[0, 0.5, 1]]


def test_matmul_multiplies_with_a_matrix() -> None:
    assert ask("matmul", X, weights=np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])) == [[4, 5], [10, 11]]


@pytest.mark.parametrize(("source", "expected"), [(X, [[3, 1], [6, 4]]), ([["a"], ["b"], ["c"]], [["c"], ["a"]])])
def test_take_gives_columns_in_the_order_asked_for(source: Any, expected: Any) -> None:
    assert ask("take", source, columns=np.array([2, 0])) == expected


def test_join_puts_matrices_side_by_side() -> None:
    assert ask("join", X[:, :1], X[:, 2:]) == [[1, 3], [4, 6]]


def test_join_raw_puts_columns_side_by_side() -> None:
    assert ask("join_raw", [["a"]], [["b"], [None]]) == [["a"], ["b"], [None]]


def test_total_adds_up_and_leaves_its_inputs_alone() -> None:
    first = X.copy()

    assert ask("total", first, X, X) == (3 * X).tolist()
    assert first.tolist() == X.tolist()


def test_total_adds_up_one_after_the_other() -> None:
    huge, one = np.array([[1e16]]), np.array([[1.0]])

    assert ask("total", huge, one, one) == [[1e16]]  # as scikit-learn does: 1e16 + 1 is 1e16
    assert ask("total", one, one, huge) == [[1e16 + 2]]


def test_average_weighs_matrices() -> None:
    assert ask("average", np.array([[0.0]]), np.array([[3.0]]), weights=np.array([2.0, 1.0])) == [[1]]


@pytest.mark.parametrize("source", [X, [["a", "b"], ["c", "d"], ["e", "f"]]])
def test_constant_gives_the_same_row_for_every_instance(source: Any) -> None:
    assert ask("constant", source, value=np.array([7.0, 8.0])) == [[7, 8], [7, 8]]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_numpys_own(name: str) -> None:
    assert ask("function", X / 10, name=name) == getattr(np, name)(X / 10).tolist()


@pytest.mark.parametrize("settings", [{"degree": 2}, {"degree": 3, "interaction_only": True, "include_bias": False}])
def test_products_are_scikit_learns_polynomial_features(settings: dict[str, Any]) -> None:
    polynomial = PolynomialFeatures(**settings).fit(X)
    factors = [
        [column for column, power in enumerate(powers) for _ in range(power)] for powers in polynomial.powers_.tolist()
    ]
    widest = max(map(len, factors))
    padded = np.array([term + [X.shape[1]] * (widest - len(term)) for term in factors])

    assert ask("products", X, factors=padded) == polynomial.transform(X).tolist()
