"""Trees of a loaded estimator that number what is not there are refused before anything is predicted."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from model_api.errors import ArtifactError
from model_api.publishing.estimator_file import dump
from model_api.runtimes import sound
from model_api.runtimes.sound import require_sound
from model_api.trust import Trust
from tests.model_api.zoo import ZOO
from tests.model_api.zoo_data import diabetes, wine


@pytest.mark.parametrize("name", ZOO)
def test_every_estimator_of_the_zoo_is_sound(name: str) -> None:
    require_sound(ZOO[name].fitted)


@pytest.mark.parametrize(
    "name", ["forest", "histograms of categories by dtype", "neighbours", "people by histograms", "tree with gaps"]
)
def test_an_estimator_is_sound_after_it_was_written_and_read(name: str) -> None:
    data = dump(ZOO[name].fitted)

    require_sound(skops.io.loads(data, trusted=Trust().all_types))


def fitted_tree() -> DecisionTreeRegressor:
    return DecisionTreeRegressor(max_depth=4, random_state=0).fit(*diabetes())


def damaged_tree(change: Callable[[Any], None]) -> DecisionTreeRegressor:
    """Give a tree whose nodes were changed, as a file could hold it."""
    estimator = fitted_tree()
    state = estimator.tree_.__getstate__()
    nodes = state["nodes"].copy()
    change(nodes)
    estimator.tree_.__setstate__({**state, "nodes": nodes})
    return estimator


def put(field: str, value: int, node: int = 0) -> Callable[[Any], None]:
    """Give a change of one field of one node."""

    def change(nodes: Any) -> None:
        nodes[field][node] = value

    return change


NODE, FEATURE = "numbers a node that is not there", "numbers a feature that is not there"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("left_child", 10_000), NODE),
        (put("right_child", 10_000), NODE),
        (put("left_child", -5), NODE),
        (put("right_child", -2), NODE),
        (put("left_child", 0), NODE),
        (put("right_child", 1, node=2), NODE),
        (put("feature", 10), FEATURE),
        (put("feature", 10**9), FEATURE),
        (put("feature", -2), FEATURE),
        (put("feature", -(10**9), node=1), FEATURE),
    ],
    ids=[
        *("left beyond", "right beyond", "left below", "right below", "itself", "an earlier one"),
        *("one feature too far", "far too far", "no feature", "a negative one"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda tree: tree,
        lambda tree: make_pipeline(Ridge(), tree),
        lambda tree: {"nested": [(tree,)]},
        lambda tree: np.array([[tree]], dtype=object),
    ],
    ids=["alone", "in a pipeline", "in containers", "in an array"],
)
def test_a_tree_that_numbers_what_is_not_there_is_refused(
    wrap: Callable[[Any], Any], change: Callable[[Any], None], reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        require_sound(wrap(damaged_tree(change)))


def test_a_tree_in_a_forest_is_looked_at() -> None:
    forest = RandomForestRegressor(3, max_depth=3, random_state=0).fit(*diabetes())
    require_sound(forest)
    forest.estimators_[2] = damaged_tree(put("feature", 99))

    with pytest.raises(ArtifactError, match=FEATURE):
        require_sound(forest)


def test_a_tree_for_more_features_than_its_estimator_takes_is_refused() -> None:
    estimator = fitted_tree()
    estimator.n_features_in_ = 3

    with pytest.raises(ArtifactError, match="another number of features"):
        require_sound(estimator)


def test_a_tree_of_one_leaf_is_sound() -> None:
    require_sound(DecisionTreeRegressor().fit([[1.0], [2.0]], [5.0, 5.0]))


def histograms() -> Any:
    """Give boosting on a category and a number."""
    case = ZOO["histograms of categories by name"]
    return deepcopy(case.fitted)


def change_histogram(field: str, value: int, *, where: str = "inner") -> Any:
    estimator = histograms()
    predictor = estimator._predictors[1][0]  # noqa: SLF001 -- its only place
    nodes = predictor.nodes.copy()
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    categorical = np.flatnonzero(nodes["is_categorical"] == 1)
    nodes[field][{"inner": inner, "last": inner[-1:], "categorical": categorical}[where]] = value
    predictor.nodes = nodes
    return estimator


@pytest.mark.parametrize(
    ("field", "value", "where", "reason"),
    [
        ("left", 10_000, "inner", NODE),
        ("right", 10_000, "last", NODE),
        ("left", 0, "inner", NODE),
        ("right", 1, "last", NODE),
        ("feature_idx", 6, "last", FEATURE),
        ("feature_idx", 10**6, "inner", FEATURE),
        ("feature_idx", -1, "last", FEATURE),
        ("bitset_idx", 1000, "categorical", "numbers a set of categories that is not there"),
    ],
)
def test_histograms_that_number_what_is_not_there_are_refused(field: str, value: int, where: str, reason: str) -> None:
    estimator = change_histogram(field, value, where=where)

    with pytest.raises(ArtifactError, match=reason):
        require_sound(estimator)


def test_leaves_may_hold_any_number_as_their_children() -> None:
    estimator = HistGradientBoostingRegressor(max_iter=2).fit(*diabetes())
    nodes = estimator._predictors[0][0].nodes.copy()  # noqa: SLF001 -- its only place
    nodes["left"][nodes["is_leaf"] == 1] = 10_000
    estimator._predictors[0][0].nodes = nodes  # noqa: SLF001 -- likewise

    require_sound(estimator)


def test_a_number_that_is_split_by_categories_is_refused() -> None:
    estimator = HistGradientBoostingRegressor(max_iter=2).fit(*diabetes())
    predictor = estimator._predictors[0][0]  # noqa: SLF001 -- its only place
    nodes = predictor.nodes.copy()
    nodes["is_categorical"] = 1
    predictor.nodes, predictor.raw_left_cat_bitsets = nodes, np.zeros((1, 8), dtype=np.uint32)

    with pytest.raises(ArtifactError, match="splits a number by categories"):
        require_sound(estimator)


def searching(algorithm: str, change: Callable[[list[Any]], None]) -> KNeighborsRegressor:
    """Give neighbours whose search tree was changed, as a file could hold it."""
    estimator = KNeighborsRegressor(algorithm=algorithm, leaf_size=5).fit(*diabetes())
    tree = estimator._tree  # noqa: SLF001 -- its only place
    state = list(tree.__getstate__())
    state[:4] = [np.asarray(part).copy() for part in state[:4]]
    change(state)
    tree.__setstate__(tuple(state))
    return estimator


def at(part: int, place: Any, value: int) -> Callable[[list[Any]], None]:
    def change(state: list[Any]) -> None:
        if isinstance(place, str):
            state[part][place][0] = value
        else:
            state[part][place] = value

    return change


def fewer_rows(state: list[Any]) -> None:
    state[1] = state[1][:-1].copy()


ROW = "numbers a row that is not there"


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
@pytest.mark.parametrize(
    "change",
    [
        at(1, 7, 442),
        at(1, 0, 10**12),
        at(1, 441, -1),
        at(2, "idx_start", -1),
        at(2, "idx_end", 443),
        at(2, "idx_start", 10**9),
        fewer_rows,
    ],
    ids=["row beyond", "row far beyond", "row below", "start below", "end beyond", "start after end", "too few rows"],
)
def test_a_search_tree_that_numbers_what_is_not_there_is_refused(
    algorithm: str, change: Callable[[list[Any]], None]
) -> None:
    with pytest.raises(ArtifactError, match=ROW):
        require_sound(searching(algorithm, change))


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree", "brute"])
def test_a_search_tree_as_it_was_fitted_is_sound(algorithm: str) -> None:
    require_sound(KNeighborsRegressor(algorithm=algorithm, leaf_size=5).fit(*diabetes()))


def test_an_estimator_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "MOST_OBJECTS", 50)

    with pytest.raises(ArtifactError, match="more than 50 parts"):
        require_sound(ZOO["forest"].fitted)


def test_an_estimator_that_holds_itself_is_looked_at_once() -> None:
    estimator = Ridge()
    estimator.me = [estimator, {"again": estimator}]

    require_sound(estimator)


def test_deep_nesting_is_no_recursion() -> None:
    nested: list[Any] = []
    for _ in range(50_000):
        nested = [nested]

    require_sound(nested)


def test_other_objects_are_passed_over() -> None:
    require_sound([1, "text", b"bytes", None, 2.5, np.float64(1), pd.DataFrame({"x": [1]}), object(), int, len])


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_a_search_tree_whose_leaves_are_none_is_refused(algorithm: str) -> None:
    estimator = KNeighborsRegressor(algorithm=algorithm, leaf_size=5).fit(*diabetes())
    tree = estimator._tree  # noqa: SLF001 -- its only place
    state = list(tree.__getstate__())
    nodes = np.asarray(tree.get_arrays()[2]).copy()
    nodes["is_leaf"] = 0
    state[2] = nodes
    tree.__setstate__(tuple(state))

    with pytest.raises(ArtifactError):
        require_sound(estimator)


def test_a_search_tree_with_too_few_bounds_is_refused() -> None:
    estimator = KNeighborsRegressor(algorithm="kd_tree", leaf_size=5).fit(*diabetes())
    tree = estimator._tree  # noqa: SLF001 -- its only place
    state = list(tree.__getstate__())
    state[3] = np.zeros((2, 1, 1))
    tree.__setstate__(tuple(state))

    with pytest.raises(ArtifactError):
        require_sound(estimator)


def test_sets_of_categories_that_are_too_short_are_refused() -> None:
    case = ZOO["histograms of categories by name"]
    estimator = case.estimator.fit(case.frame, case.true)
    for predictor in (predictor for stage in estimator._predictors for predictor in stage):  # noqa: SLF001 -- scikit-learn tells them nowhere else
        predictor.raw_left_cat_bitsets = np.zeros((len(predictor.raw_left_cat_bitsets), 1), dtype=np.uint32)

    with pytest.raises(ArtifactError):
        require_sound(estimator)


def test_support_vectors_that_are_numbered_wrongly_are_refused() -> None:
    estimator = SVC().fit(*wine())
    count = len(estimator.support_vectors_)
    estimator._n_support = np.array([10**6, count - 10**6, 0], dtype=np.int32)  # noqa: SLF001 -- its only place

    with pytest.raises(ArtifactError):
        require_sound(estimator)


def test_a_vocabulary_of_very_many_words_is_sound() -> None:
    require_sound({f"word {i}": np.int64(i) for i in range(200_001)})
