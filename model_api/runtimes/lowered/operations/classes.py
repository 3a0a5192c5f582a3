"""Scores → probabilities → labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes.lowered.operations.making import Matrix, plain

Labels = npt.NDArray[np.intp]


def rectify(x: Matrix) -> Matrix:
    """Give x, or 0 where it is less."""
    return np.maximum(x, 0.0)


def sigmoid(x: Matrix) -> Matrix:
    """Give 1 / (1 + e^-x), without overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def softmax(x: Matrix) -> Matrix:
    """Give e^x over its sum in each row."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return np.divide(powers, powers.sum(axis=1, keepdims=True))


def log_normalize(x: Matrix) -> Matrix:
    """Turn joint log-likelihoods into probabilities: e^(x - log Σ e^x)."""
    highest = x.max(axis=1, keepdims=True)
    return np.exp(x - (np.log(np.exp(x - highest).sum(axis=1, keepdims=True)) + highest))


def pair(x: Matrix) -> Matrix:
    """Turn the probability of the second class into that of both."""
    return np.concatenate([1 - x, x], axis=1)


def share(x: Matrix, *, of_nothing: float | None = None) -> Matrix:
    """Divide each row by its sum; a row of zeros becomes equal shares, or `of_nothing` each."""
    sums = x.sum(axis=1, keepdims=True)
    return np.where(sums == 0, 1 / x.shape[1] if of_nothing is None else of_nothing, x / np.where(sums == 0, 1.0, sums))


def argmax(x: Matrix) -> Labels:
    """Give the position of the largest value of each row, the first of several."""
    return x.argmax(axis=1)


def above(x: Matrix, *, threshold: float = 0.0) -> Labels:
    """Give 1 where the one column exceeds a threshold, else 0."""
    return (x[:, 0] > threshold).astype(np.intp)


def at_least(x: Matrix, *, column: int, threshold: float, labels: Sequence[int] = (0, 1)) -> Labels:
    """Give `labels[1]` where a column reaches a threshold, else `labels[0]`."""
    return np.where(x[:, column] >= threshold, labels[1], labels[0]).astype(np.intp)


def as_column(labels: Labels) -> Matrix:
    """Turn labels into a matrix of one column."""
    return labels.astype(np.float64)[:, None]


def indicators(labels: Labels, *, classes: int) -> Matrix:
    """Give a 1 at each label's place, n × classes."""
    return np.eye(classes)[labels]


def votes(*labels: Labels, weights: Matrix, classes: int) -> Matrix:
    """Add up the weights of those that say each label, n × classes."""
    result = np.zeros((len(labels[0]), classes))
    for found, weight in zip(labels, weights.tolist(), strict=True):
        result[np.arange(len(found)), found] += weight
    return result


def duels(x: Matrix, *, classes: int) -> Matrix:
    """Count the votes of all pairs: a positive score of the pair (i, j) is a vote for i (libsvm)."""
    result = np.zeros((len(x), classes))
    column = 0
    for first in range(classes):
        for second in range(first + 1, classes):
            won = x[:, column] > 0
            result[:, first] += won
            result[:, second] += ~won
            column += 1
    return result


def duel_scores(x: Matrix, *, classes: int) -> Matrix:
    """Give one score a class from the scores of all pairs: votes, ties broken by confidence (scikit-learn's rule)."""
    counts, sums = np.zeros((len(x), classes)), np.zeros((len(x), classes))
    column = 0
    for first in range(classes):
        for second in range(first + 1, classes):
            score = -x[:, column]
            sums[:, first] -= score
            sums[:, second] += score
            counts[:, first] += score <= 0
            counts[:, second] += score > 0
            column += 1
    return counts + sums / (3 * (np.abs(sums) + 1))


OPERATIONS: dict[str, Any] = {
    operation.__name__: plain(operation)
    for operation in (
        *(rectify, sigmoid, softmax, log_normalize, pair, share, argmax, above, at_least, as_column, indicators),
        *(votes, duels, duel_scores),
    )
}
