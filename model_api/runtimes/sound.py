"""Are the trees of a loaded estimator sound? scikit-learn follows their node numbers without looking.

A file can number nodes, features or rows that are not there: skops loads it, and the first prediction reads memory that
is not the model's, or goes round for ever. So every number is looked at before anything is predicted.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from model_api.errors import ArtifactError

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
        elif kind in ("KDTree", "BallTree"):
            _require_index(part)
        elif hasattr(part, "tree_") and getattr(part.tree_, "n_features", 0) != part.n_features_in_:
            raise ArtifactError("a tree of the estimator is for another number of features")
        elif kind.startswith("HistGradientBoosting"):
            _require_features(part)


def _parts(root: Any) -> Iterator[Any]:
    """Give every object below an estimator, each once."""
    waiting, seen = [root], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | bool | type(None)):
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
    if (inner["feature_idx"] < 0).any():
        raise ArtifactError("a tree of the estimator numbers a feature that is not there")
    categorical = inner[inner["is_categorical"] == 1]
    if (categorical["bitset_idx"] >= len(predictor.raw_left_cat_bitsets)).any():
        raise ArtifactError("a tree of the estimator numbers a set of categories that is not there")


def _require_features(estimator: Any) -> None:
    predictors = [predictor for stage in estimator._predictors for predictor in stage]  # noqa: SLF001 -- its only place
    if any((predictor.nodes["feature_idx"] >= estimator.n_features_in_).any() for predictor in predictors):
        raise ArtifactError("a tree of the estimator numbers a feature that is not there")


def _require_index(tree: Any) -> None:
    """Look at the rows that a search tree of neighbours numbers."""
    data, rows, nodes, _ = (np.asarray(part) for part in tree.get_arrays())
    count = len(data)
    if len(rows) != count or not ((rows >= 0) & (rows < count)).all():
        raise ArtifactError("a search tree of the estimator numbers a row that is not there")
    starts, ends = nodes["idx_start"], nodes["idx_end"]
    if not ((starts >= 0) & (starts <= ends) & (ends <= count)).all():
        raise ArtifactError("a search tree of the estimator numbers a row that is not there")
