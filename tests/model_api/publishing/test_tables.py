"""Whatever people pass as data becomes a frame with names and true values beside it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_api.publishing.tables import as_table


def test_a_frame_keeps_its_names_and_is_numbered_from_0() -> None:
    X = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[7, 3])
    y = pd.Series([0.5, 1.5], name="rent", index=[9, 9])

    frame, true = as_table(X, y)

    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert list(frame.index) == list(true.index) == [0, 1]
    assert true.name == "rent"


def test_what_was_passed_is_left_as_it_is() -> None:
    X = pd.DataFrame({0: [1, 2], 1: [3, 4]}, index=[7, 3])

    frame, _ = as_table(X, [0, 1])

    assert [*frame.columns] == ["0", "1"]
    assert [*map(int, X.columns)] == [0, 1]
    assert [*X.index] == [7, 3]


@pytest.mark.parametrize("X", [np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]], ((1, 2), (3, 4))])
def test_a_bare_table_gets_names(X: Any) -> None:
    frame, _ = as_table(X, [0, 1])

    assert frame.to_dict("list") == {"x0": [1, 3], "x1": [2, 4]}


@pytest.mark.parametrize("y", [[1, 2], (1, 2), np.array([1, 2]), np.array([[1], [2]]), [[1], [2]]])
def test_bare_true_values_get_a_name(y: Any) -> None:
    _, true = as_table([[0], [1]], y)

    assert isinstance(true, pd.Series)
    assert true.name == "target"
    assert true.tolist() == [1, 2]


def test_several_bare_numbers_get_names() -> None:
    _, true = as_table([[0], [1]], [[1, 10], [2, 20]])

    assert isinstance(true, pd.DataFrame)
    assert true.to_dict("list") == {"y0": [1, 2], "y1": [10, 20]}


def test_several_named_numbers_keep_their_names() -> None:
    _, true = as_table([[0], [1]], pd.DataFrame({"rent": [1, 2], "costs": [3, 4]}, index=[5, 6]))

    assert list(true.columns) == ["rent", "costs"]


@pytest.mark.parametrize(
    ("X", "y", "reason"),
    [
        ([[1], [2]], [1, 2, 3], "there are 2 rows and 3 true values"),
        (pd.DataFrame({"a": [1]}), pd.Series([1, 2]), "there are 1 rows and 2 true values"),
        (pd.DataFrame({"a": []}), [], "there are no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), [1], "two columns have the same name"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), [1], "two columns have the same name"),
        ([1, 2], [1, 2], "not an array of 1 dimensions"),
        (np.zeros((2, 2, 2)), [1, 2], "not an array of 3 dimensions"),
        (5, [1], "not an array of 0 dimensions"),
        ([[1], [2]], [1.0, np.nan], "a true value is missing"),
        ([[1], [2]], ["a", None], "a true value is missing"),
        ([[1], [2]], pd.Series([pd.NA, 1], dtype="Int64"), "a true value is missing"),
        ([[1], [2]], pd.Series(["a", None], dtype="category"), "a true value is missing"),
        ([[1], [2]], pd.DataFrame({"a": [1, 2], "b": [1, None]}), "a true value is missing"),
        ([[1], [2]], np.zeros((2, 2, 2)), "2-d input"),
    ],
)
def test_what_does_not_fit_together_is_refused(X: Any, y: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        as_table(X, y)


def test_features_without_true_values_are_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="true value"):
        as_table(pd.DataFrame({"x": [1, 2]}), None)
