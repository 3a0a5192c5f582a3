"""Categories become numbers by looking them up; what is missing is None among plain values and NaN in a matrix."""

from typing import Any

import numpy as np
import pytest

from model_api.runtimes.lowered.operations import OPERATIONS


def one_hot(source: Any, **parameters: Any) -> Any:
    return OPERATIONS["one_hot"](**parameters)(source).tolist()


TWO_COLUMNS: dict[str, Any] = {
    "levels": [["a", "b", None], [1, 2]],
    "places": [[0, 1, 2], [3, 4]],
    "unknown": [-1, -1],
    "columns": 5,
}


def test_a_level_is_a_one_in_its_column() -> None:
    given = one_hot([["b", None, "a"], [1, 2, 1]], **TWO_COLUMNS)

    assert given == [[0, 1, 0, 1, 0], [0, 0, 1, 0, 1], [1, 0, 0, 1, 0]]


def test_a_row_alone_is_encoded_alike() -> None:
    assert one_hot([["b"], [2]], **TWO_COLUMNS) == [[0, 1, 0, 0, 1]]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("unknown", ["c", "", "A", "a ", 1, True])
def test_a_level_that_was_never_seen_is_zeros(unknown: Any, count: int) -> None:
    assert one_hot([[unknown] * count, [9] * count], **TWO_COLUMNS) == [[0] * 5] * count


@pytest.mark.parametrize("count", [1, 3])
def test_a_level_that_was_never_seen_is_infrequent_where_there_are_infrequent_ones(count: int) -> None:
    parameters = {"levels": [["a", "b", "c"]], "places": [[0, 1, 1]], "unknown": [1], "columns": 2}

    assert one_hot([["b"] * count], **parameters) == one_hot([["z"] * count], **parameters) == [[0, 1]] * count


@pytest.mark.parametrize("count", [1, 3])
def test_a_dropped_level_is_zeros(count: int) -> None:
    parameters = {"levels": [["a", "b"]], "places": [[-1, 0]], "unknown": [-1], "columns": 1}

    assert one_hot([["a"] * count], **parameters) == [[0]] * count


def test_levels_in_a_matrix_are_found_by_value_and_what_is_missing_as_none() -> None:
    parameters = {"levels": [[0, 1, None]], "places": [[0, 1, 2]], "unknown": [-1], "columns": 3}

    given = one_hot(np.array([[1.0], [np.nan], [0.0], [0.5]]), **parameters)

    assert given == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_lookup_gives_the_number_of_a_level_and_that_of_any_other() -> None:
    lookup = OPERATIONS["lookup"](
        inputs=[0, 0, 1], levels=[["a", None], ["a", None], [1]], values=[[1.5, 2], [10, 20], [7]], unknown=[0, -1, 9]
    )

    assert lookup([["a", None, "z"], [1, 2, None]]).tolist() == [[1.5, 10, 7], [2, 20, 9], [0, -1, 9]]


def test_lookup_reads_none_as_nan() -> None:
    lookup = OPERATIONS["lookup"](inputs=[0], levels=[["a", None]], values=[[0, None]], unknown=[None])

    given = lookup([["a", None, "z"]])

    assert given[0, 0] == 0
    assert np.isnan(given[1:]).all()


def test_fill_raw_puts_a_value_where_one_is_missing() -> None:
    fill = OPERATIONS["fill_raw"](values=["?", None, 0])

    assert fill([["a", None], ["b", None], [1, None]]) == [["a", "?"], ["b", None], [1, 0]]


def test_fill_raw_knows_another_mark_of_the_missing() -> None:
    assert OPERATIONS["fill_raw"](values=["?"], missing="n/a")([["n/a", None, "a"]]) == [["?", None, "a"]]


def test_missing_raw_tells_where_values_are_missing() -> None:
    tell = OPERATIONS["missing_raw"](chosen=np.array([1]))

    assert tell([["a", "b"], [None, "c"]]).tolist() == [[1], [0]]
