"""What the model says of rows that it was not fitted on."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold

from model_api.runtimes import Floats
from model_api.signature import Target

FOLDS = 10
SEED = 0
MOST_ROWS = 20_000
"""Rows that are cross-validated; of more, as many at random."""


Table = tuple[pd.DataFrame, Any]
"""Features and true values of n rows."""


@dataclass(frozen=True)
class Unseen:
    """n rows, what was true and what was said."""

    method: str
    """How it was found out, in words."""
    honest: bool
    """Whether the model had really not seen the rows."""
    X: pd.DataFrame
    true: npt.NDArray[Any]
    """True numbers, n or n × m, or positions of the true classes, n."""
    said: npt.NDArray[Any]
    """What the model said, likewise."""
    probabilities: Floats | None
    """Classification: n × k, where the model has them."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.X)

    @property
    def numbers(self) -> tuple[Floats, Floats]:
        """True and predicted numbers of a regression, both n × outputs."""
        return self.true.reshape(len(self), -1), self.said.reshape(len(self), -1)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Unseen":
        """Give some of the rows, by a mask."""
        shares = None if self.probabilities is None else self.probabilities[rows]
        return Unseen(self.method, self.honest, self.X[rows], self.true[rows], self.said[rows], shares)


def answers_for_unseen(estimator: Any, target: Target, training: Table, held_out: Table | None) -> Unseen:
    """Ask about held-out rows; without any, fit copies on parts of the training rows and ask about the others."""
    if held_out is not None:
        X, y = held_out
        return _answers([(estimator, np.arange(len(X)))], X, y, target, f"{len(X):,} held-out rows", honest=True)
    X, y = _sampled(*training)
    folds = _folds(y, target)
    if folds >= 2:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                method = f"{folds}-fold cross-validation on {len(X):,} rows"
                return _answers(_members(estimator, X, y, target, folds), X, y, target, method, honest=True)
        except Exception:  # noqa: BLE001, S110 -- an estimator that cannot be fitted anew is assessed as it is, below
            pass
    method = f"{len(X):,} rows that it was fitted on, which flatters it"
    return _answers([(estimator, np.arange(len(X)))], X, y, target, method, honest=False)


def _sampled(X: pd.DataFrame, y: Any) -> Table:
    if len(X) <= MOST_ROWS:
        return X, y
    places = np.sort(np.random.default_rng(SEED).choice(len(X), MOST_ROWS, replace=False))
    return X.iloc[places], y.iloc[places]


def _folds(y: Any, target: Target) -> int:
    """Give as many folds as the rarest class has rows, up to FOLDS."""
    fewest = int(y.value_counts().reindex(list(target.classes), fill_value=0).min()) if target.classes else len(y)
    return min(FOLDS, fewest)


def _members(
    estimator: Any, X: pd.DataFrame, y: Any, target: Target, folds: int
) -> Iterator[tuple[Any, npt.NDArray[Any]]]:
    kind = StratifiedKFold if target.classes else KFold
    for fitted_on, asked_about in kind(folds, shuffle=True, random_state=SEED).split(X, y if target.classes else None):
        yield clone(estimator).fit(X.iloc[fitted_on], y.iloc[fitted_on]), asked_about


def _answers(members: Any, X: pd.DataFrame, y: Any, target: Target, method: str, *, honest: bool) -> Unseen:
    """Ask each member about its rows."""
    if not target.classes:
        true = y.to_numpy(dtype=np.float64)
        numbers = np.full(true.shape, np.nan)
        for member, rows in members:
            numbers[rows] = np.asarray(member.predict(X.iloc[rows])).reshape(numbers[rows].shape)
        return Unseen(method, honest, X, true, numbers, None)
    positions = {level: place for place, level in enumerate(target.classes)}
    labels = np.array([positions[value] for value in y.tolist()], dtype=np.intp)
    said = np.zeros(len(X), dtype=np.intp)
    shares = np.zeros((len(X), len(positions))) if target.probabilities else None
    for member, rows in members:
        said[rows] = [positions[value] for value in np.asarray(member.predict(X.iloc[rows])).tolist()]
        if shares is not None:
            shares[rows] = member.predict_proba(X.iloc[rows])
    return Unseen(method, honest, X, labels, said, shares)
