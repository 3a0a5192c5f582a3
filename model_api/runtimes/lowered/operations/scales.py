"""What preprocessing does to numbers: fill gaps, bend, bin and scale."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes.lowered.operations.making import Matrix, plain

BOUNDS = 1e-7
"""How near to an end of its quantiles a value counts as the end, and how near to 0 and 1 a share may come."""
_ppf = statistics.NormalDist().inv_cdf  # Wichura, Algorithm AS 241 (1988): exact to about 1e-16
_LOWEST, _HIGHEST = _ppf(BOUNDS - float(np.spacing(1))), _ppf(1 - (BOUNDS - float(np.spacing(1))))
_normal = np.frompyfunc(lambda share: -np.inf if share <= 0 else np.inf if share >= 1 else _ppf(share), 1, 1)


def fill(x: Matrix, *, value: Matrix, missing: float | None = None) -> Matrix:
    """Put a value for each column where one is missing; `missing` is the number that means so, None is NaN."""
    gaps = np.isnan(x) if missing is None else x == missing
    return np.where(gaps, value, x)


def missing_mask(x: Matrix, *, columns: npt.NDArray[np.int64], missing: float | None = None) -> Matrix:
    """Tell by 1 and 0 where a value is missing in some columns."""
    chosen = x[:, columns]
    return (np.isnan(chosen) if missing is None else chosen == missing).astype(np.float64)


def normalize(x: Matrix, *, norm: str) -> Matrix:
    """Scale each row to length one by the norm l1, l2 or max; a row of zeros stays."""
    if norm == "l1":
        lengths = np.abs(x).sum(axis=1)
    elif norm == "l2":
        lengths = np.sqrt(np.einsum("ij,ij->i", x, x))
    else:
        lengths = np.abs(x).max(axis=1)
    return x / np.where(lengths == 0, 1.0, lengths)[:, None]


def binarize(x: Matrix, *, threshold: float) -> Matrix:
    """Give 1 above a threshold, else 0."""
    return (x > threshold).astype(np.float64)


def yeo_johnson(x: Matrix, *, lambdas: Matrix) -> Matrix:
    """Bend each column (Yeo & Johnson, Biometrika 87, 2000)."""
    result = np.empty_like(x)
    epsilon = np.spacing(1.0)
    for column, power in enumerate(lambdas.tolist()):
        values = x[:, column]
        positive = values >= 0
        up, down = np.log1p(np.where(positive, values, 0)), np.log1p(np.where(positive, 0, -values))
        high = up if abs(power) < epsilon else np.expm1(power * up) / power
        low = -down if abs(power - 2) <= epsilon else -np.expm1((2 - power) * down) / (2 - power)
        result[:, column] = np.where(np.isnan(values), np.nan, np.where(positive, high, low))
    return result


def box_cox(x: Matrix, *, lambdas: Matrix) -> Matrix:
    """Bend each column of positive values (Box & Cox, 1964)."""
    logs = np.log(x)
    safe = np.where(lambdas == 0, 1.0, lambdas)
    return np.where(lambdas == 0, logs, np.expm1(safe * logs) / safe)


def quantiles(x: Matrix, *, landmarks: Matrix, references: Matrix, normal: bool) -> Matrix:
    """Turn values into the share of training values below them, or into the normal score of that share.

    `landmarks`: quantiles × k, the training values at the shares `references`.
    """
    result = np.empty_like(x)
    for column in range(x.shape[1]):
        values, marks = x[:, column], landmarks[:, column]
        slack = BOUNDS if normal else 0.0
        below = values - slack < marks[0] if normal else values == marks[0]
        above = values + slack > marks[-1] if normal else values == marks[-1]
        up = np.interp(values, marks, references)
        down = np.interp(-values, -marks[::-1], -references[::-1])
        share = np.where(np.isnan(values), np.nan, 0.5 * (up - down))
        result[:, column] = np.where(below, 0.0, np.where(above, 1.0, share))
    if not normal:
        return result
    known = np.where(np.isnan(result), 0.5, result)
    scores = np.clip(_normal(known).astype(np.float64), _LOWEST, _HIGHEST)
    return np.where(np.isnan(result), np.nan, scores)


def bins(x: Matrix, *, edges: Sequence[Matrix]) -> Matrix:
    """Give the number of the bin in which each value lies; `edges`: inner edges of each column, ascending."""
    columns = [np.searchsorted(inner, x[:, column], side="right") for column, inner in enumerate(edges)]
    return np.array(columns, dtype=np.float64).T


OPERATIONS: dict[str, Any] = {
    operation.__name__: plain(operation)
    for operation in (fill, missing_mask, normalize, binarize, yeo_johnson, box_cox, quantiles, bins)
}
