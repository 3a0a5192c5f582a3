"""The same estimator gives the same bytes."""

import io
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from model_api.publishing.estimator_file import EPOCH, dump
from model_api.trust import REVIEWED_TYPES

X = np.random.default_rng(0).random((80, 3))
Y = (X[:, 0] > 0.5).astype(int)
PIPELINE = make_pipeline(
    make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [0]), remainder=StandardScaler()),
    LogisticRegression(),
)
ESTIMATORS = [
    Ridge(),
    PIPELINE,
    RandomForestClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingRegressor(max_iter=5, random_state=0),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_what_was_dumped_predicts_the_same(estimator: BaseEstimator) -> None:
    fitted = estimator.fit(X, Y)
    data = dump(fitted)

    loaded = skops.io.loads(data, trusted=[*REVIEWED_TYPES, *skops.io.get_untrusted_types(data=data)])

    assert loaded.predict(X).tolist() == fitted.predict(X).tolist()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_the_same_estimator_gives_the_same_bytes(estimator: BaseEstimator) -> None:
    first = dump(estimator.fit(X, Y))
    elsewhere = [np.empty(n) for n in range(1000)]  # moves what comes after it to other addresses

    assert dump(estimator.fit(X, Y)) == first
    assert len(elsewhere) == 1000


def test_another_estimator_gives_other_bytes() -> None:
    assert dump(Ridge(alpha=1.0).fit(X, Y)) != dump(Ridge(alpha=1.1).fit(X, Y))


def test_no_entry_tells_when_it_was_written() -> None:
    entries = zipfile.ZipFile(io.BytesIO(dump(Ridge().fit(X, Y)))).infolist()

    assert {entry.date_time for entry in entries} == {EPOCH}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_what_lies_between_the_fields_of_a_trees_nodes_does_not_count() -> None:
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 3
    tree = DecisionTreeClassifier(max_depth=3).fit(X, y)
    again = skops.io.loads(dump(tree), trusted=["sklearn.tree._tree.Tree"])
    state = again.tree_.__getstate__()
    dirty = np.frombuffer(b"\xff" * state["nodes"].nbytes, dtype=state["nodes"].dtype).copy()
    for name in dirty.dtype.names or ():
        dirty[name] = state["nodes"][name]
    again.tree_.__setstate__({**state, "nodes": dirty})

    assert dump(again) == dump(tree)
