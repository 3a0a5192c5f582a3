"""Are the trees and vectors of a loaded estimator sound? scikit-learn follows their numbers without looking.

A file can number nodes, features or rows that are not there: skops loads it, and the first prediction reads memory that
is not the model's, or goes round for ever. So every number is looked at before anything is predicted.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from model_api.errors import ArtifactError

WORDS = 8
"""Of 32 bits, in a set of categories."""
MOST_DEGREE = 20
"""Of a spline."""
MOST_OBJECTS = 200_000
"""Parts of an estimator that are looked at; no real one has more."""


def require_sound(estimator: Any) -> None:
    """Look at every tree in an estimator. Raises ArtifactError when one numbers what is not there."""
    for part in _parts(estimator):
        kind = type(part).__name__
        if kind == "Tree":
            _require_tree(part.children_left, part.children_right, part.feature, part.n_features)
        elif kind == "TreePredictor":
            _require_predictor(part)
        elif kind == "BSpline":
            _require_spline(part)
        elif kind in ("KDTree", "BallTree"):
            _require_index(part)
        elif hasattr(part, "tree_") and getattr(part.tree_, "n_features", 0) != part.n_features_in_:
            raise ArtifactError("a tree of the estimator is for another number of features")
        elif kind.startswith("HistGradientBoosting") and hasattr(part, "_predictors"):
            _require_features(part)
        elif kind in ("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM") and hasattr(part, "_n_support"):
            _require_vectors(part)


def _parts(root: Any) -> Iterator[Any]:
    """Give every object below an estimator, each once."""
    waiting, seen = [root], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | bool | np.generic | type(None)):
            continue
        seen.add(id(part))
        if len(seen) > MOST_OBJECTS:
            raise ArtifactError(f"the estimator has more than {MOST_OBJECTS:,} parts")
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype == object else []
        else:
            waiting += vars(part).values() if hasattr(part, "__dict__") else []


def _require_tree(left: Any, right: Any, feature: Any, features: int) -> None:
    """Children come after their parent, as scikit-learn writes them: so no path is endless."""
    numbers = np.arange(len(left))
    inner = left != -1
    for children in (left[inner], right[inner]):
        if not ((children > numbers[inner]) & (children < len(left))).all():
            raise ArtifactError("a tree of the estimator numbers a node that is not there")
    if not ((feature[inner] >= 0) & (feature[inner] < features)).all():
        raise ArtifactError("a tree of the estimator numbers a feature that is not there")


def _require_predictor(predictor: Any) -> None:
    nodes = predictor.nodes
    inner = nodes[nodes["is_leaf"] == 0]
    numbers = np.flatnonzero(nodes["is_leaf"] == 0)
    for side in ("left", "right"):
        if not ((inner[side] > numbers) & (inner[side] < len(nodes))).all():
            raise ArtifactError("a tree of the estimator numbers a node that is not there")
    categorical = inner[inner["is_categorical"] == 1]
    sets = np.asarray(predictor.raw_left_cat_bitsets)
    whole = sets.ndim == 2 and sets.shape[1] == WORDS
    if len(categorical) and not (whole and (categorical["bitset_idx"] < len(sets)).all()):
        raise ArtifactError("a tree of the estimator numbers a set of categories that is not there")


def _require_features(estimator: Any) -> None:
    predictors = [predictor for stage in estimator._predictors for predictor in stage]  # noqa: SLF001 -- its only place
    numbers = [predictor.nodes["feature_idx"][predictor.nodes["is_leaf"] == 0] for predictor in predictors]
    if any(((found < 0) | (found >= estimator.n_features_in_)).any() for found in numbers):
        raise ArtifactError("a tree of the estimator numbers a feature that is not there")
    known = np.zeros(estimator.n_features_in_, dtype=bool)
    remapped = getattr(estimator, "_is_categorical_remapped", None)  # in the order in which the trees count features
    if remapped is not None:
        known = np.asarray(remapped, dtype=bool)
    for nodes in (predictor.nodes for predictor in predictors):
        split = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 1)]["feature_idx"]
        if len(split) and not (split.max() < len(known) and known[split].all()):
            raise ArtifactError("a tree of the estimator splits a number by categories")


def _require_vectors(estimator: Any) -> None:
    """Look at how many support vectors each class is said to have, and at the lists that libsvm reads with them."""
    counts, vectors = np.asarray(estimator._n_support), estimator.support_vectors_  # noqa: SLF001 -- its only place
    classes = len(getattr(estimator, "classes_", (0, 1)))
    total = counts.sum() if hasattr(estimator, "classes_") else counts.max(initial=0)
    pairs = classes * (classes - 1) // 2
    dual, intercepts = estimator._dual_coef_, np.asarray(estimator._intercept_)
    if (
        counts.shape != (classes,)
        or (counts < 0).any()
        or total != vectors.shape[0]
        or dual.shape != (classes - 1, vectors.shape[0])
        or intercepts.shape != (pairs,)
    ):
        raise ArtifactError("a support vector machine of the estimator numbers a vector that is not there")


def _require_index(tree: Any) -> None:
    """Look at the rows and nodes that a search tree of neighbours numbers; node i has the children 2i + 1, 2i + 2."""
    data, rows, nodes, bounds = (np.asarray(part) for part in tree.get_arrays())
    count = len(data)
    if len(rows) != count or not ((rows >= 0) & (rows < count)).all():
        raise ArtifactError("a search tree of the estimator numbers a row that is not there")
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    if len(inner) and 2 * int(inner[-1]) + 2 >= len(nodes):
        raise ArtifactError("a search tree of the estimator numbers a node that is not there")
    if bounds.ndim != 3 or bounds.shape[1:] != (len(nodes), data.shape[1]) or not len(nodes):
        raise ArtifactError("a search tree of the estimator has nodes without bounds")
    weights = next(part for part in tree.__getstate__() if type(part).__name__.endswith("Distance64")).__getstate__()[1]
    if len(weights) not in (0, 1, data.shape[1]):
        raise ArtifactError("a search tree of the estimator weighs features that are not there")
    starts, ends = nodes["idx_start"], nodes["idx_end"]
    if not ((starts >= 0) & (starts <= ends) & (ends <= count)).all():
        raise ArtifactError("a search tree of the estimator numbers a row that is not there")


def _require_spline(spline: Any) -> None:
    """Look at knots and coefficients: compiled code reads k + 1 of them on either side."""
    knots, values, degree = np.asarray(spline.t), np.asarray(spline.c), spline.k
    if (
        not isinstance(degree, int | np.integer)
        or not 0 <= degree <= MOST_DEGREE
        or knots.ndim != 1
        or len(knots) < 2 * degree + 2
        or not (np.diff(knots) >= 0).all()
        or len(values) < len(knots) - degree - 1
    ):
        raise ArtifactError("a spline of the estimator has knots without coefficients")
