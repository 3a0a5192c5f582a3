"""An ensemble of trees, written and walked: splits, missing values, sets of categories, float32."""

from typing import Any

import numpy as np
import pytest

from model_api.errors import ArtifactError, UnusablePrediction
from model_api.publishing.lowering.ensembles import Split, TreeEnsemble
from model_api.runtimes.lowered.operations import OPERATIONS


def walk(built: TreeEnsemble, x: Any, *, width: int = 1, single: bool = False) -> list[list[float]]:
    trees = OPERATIONS["trees"](ensemble=built.to_onnx(width), single=single)
    with np.errstate(over="ignore"):  # as whoever computes a plan does
        answer: list[list[float]] = trees(np.asarray(x, dtype=np.float64)).tolist()
    return answer


def one_split(threshold: float = 0.5, **settings: Any) -> TreeEnsemble:
    """Give a tree that says 10 on the left and 20 on the right."""
    built = TreeEnsemble(1)
    built.add_tree(0, [Split(0, 1, 2, threshold, **settings)], {1: 10.0, 2: 20.0})
    return built


def test_what_is_at_most_the_threshold_goes_left() -> None:
    assert walk(one_split(), [[0.5], [np.nextafter(0.5, 1)], [-np.inf], [np.inf]]) == [[10], [20], [10], [20]]


@pytest.mark.parametrize(("missing_left", "answer"), [(True, 10), (False, 20)])
def test_what_is_missing_goes_where_training_sent_it(missing_left: bool, answer: float) -> None:
    assert walk(one_split(missing_left=missing_left), [[np.nan]]) == [[answer]]


def test_an_endless_threshold_parts_what_is_missing_from_all_else() -> None:
    assert walk(one_split(np.inf), [[np.nan], [1e308], [np.inf]]) == [[20], [10], [10]]


def test_members_of_a_set_go_left() -> None:
    built = one_split(0.0, members=[1.0, 3.0, 255.0])

    assert walk(built, [[0], [1], [2], [3], [254], [255]]) == [[20], [10], [20], [10], [20], [10]]


def test_an_empty_set_has_no_members() -> None:
    assert walk(one_split(0.0, members=[]), [[0], [1]]) == [[20], [20]]


@pytest.mark.parametrize(("missing_left", "answer"), [(True, 10), (False, 20)])
def test_a_missing_category_goes_where_training_sent_it(missing_left: bool, answer: float) -> None:
    assert walk(one_split(0.0, members=[1.0], missing_left=missing_left), [[np.nan]]) == [[answer]]


def test_trees_of_thresholds_and_of_sets_stand_side_by_side() -> None:
    built = one_split(0.0, members=[2.0, 5.0])
    built.add_tree(0, [Split(0, 1, 2, 4.0, feature=1)], {1: 1.0, 2: 2.0})
    built.add_tree(0, [Split(0, 1, 2, 0.0, feature=1, members=[7.0])], {1: 100.0, 2: 200.0})

    assert walk(built, [[2, 7], [3, 4]], width=2) == [[10 + 2 + 100], [20 + 1 + 200]]


def test_trees_add_up_for_each_target() -> None:
    built = TreeEnsemble(2)
    built.add_tree(0, [Split(0, 1, 2, 0.5)], {1: 1.0, 2: 2.0})
    built.add_tree(1, [Split(0, 1, 2, 1.5)], {1: 10.0, 2: 20.0})
    built.add_tree(1, [Split(0, 1, 2, 0.5)], {1: 100.0, 2: 200.0})

    assert walk(built, [[0.0], [1.0], [2.0]]) == [[1, 110], [2, 210], [2, 220]]


def test_a_tree_that_is_one_leaf_says_the_same_of_everything() -> None:
    built = TreeEnsemble(1)
    built.add_tree(0, [], {0: 42.0})

    assert walk(built, [[-1e300], [0], [np.nan], [1e300]]) == [[42]] * 4


def test_a_deep_tree_is_walked_to_its_end() -> None:
    depth = 200
    built = TreeEnsemble(1)
    nodes = [Split(i, 1000 + i, i + 1 if i + 1 < depth else 5000, float(i)) for i in range(depth)]
    built.add_tree(0, nodes, {**{1000 + i: float(i) for i in range(depth)}, 5000: -1.0})

    assert walk(built, [[-3], [0], [57.5], [198.5], [10_000]]) == [[0], [0], [58], [199], [-1]]


def test_numbers_are_split_as_float32_where_training_did_so() -> None:
    threshold = float(np.float32(0.1))  # a little more than 0.1
    just_above = np.nextafter(threshold, 1)

    assert walk(one_split(threshold), [[just_above]], single=False) == [[20]]
    assert walk(one_split(threshold), [[just_above]], single=True) == [[10]]


@pytest.mark.parametrize("value", [1e39, -1e39, np.inf])
def test_a_number_beyond_float32_is_refused_where_trees_split_float32(value: float) -> None:
    with pytest.raises(UnusablePrediction, match="too large"):
        walk(one_split(), [[value]], single=True)


def test_a_missing_value_is_not_too_large() -> None:
    assert walk(one_split(), [[np.nan]], single=True) == [[20]]


def test_the_same_ensemble_is_the_same_bytes() -> None:
    assert one_split(members=[1.0, 2.0]).to_onnx(1) == one_split(members=[1.0, 2.0]).to_onnx(1)


@pytest.mark.parametrize("data", [b"", b"no onnx", b"\x08\x0a"])
def test_a_file_that_is_no_onnx_is_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError, match="ONNX Runtime refuses the file"):
        OPERATIONS["trees"](ensemble=data, single=False)
