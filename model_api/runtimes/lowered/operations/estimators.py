"""Models that are more than a product of matrices: naive Bayes, kernels, neighbours, isotonic steps."""

from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes.lowered.operations.making import Matrix, plain, product


def gaussian(x: Matrix, *, means: Matrix, variances: Matrix, log_priors: Matrix) -> Matrix:
    """Give joint log-likelihoods under independent normal distributions, n × classes.

    `means` and `variances`: classes × k; `log_priors`: classes.
    """
    constants = log_priors - 0.5 * np.log(2.0 * np.pi * variances).sum(axis=1)
    differences = x[:, None, :] - means[None]
    return constants - 0.5 * (differences**2 / variances[None]).sum(axis=2)


def quadratic(x: Matrix, *, means: Matrix, rotations: Matrix, scalings: Matrix, log_priors: Matrix) -> Matrix:
    """Give the scores of quadratic discriminant analysis, n × classes.

    `means`: classes × k; `rotations`: classes × k × k; `scalings`: classes × k.
    """
    scores = []
    for mean, rotation, scaling, prior in zip(means, rotations, scalings, log_priors.tolist(), strict=True):
        turned = product(x - mean, rotation * scaling**-0.5)
        scores.append(-0.5 * (np.sum(turned**2, axis=1) + np.log(scaling).sum()) + prior)
    return np.array(scores).T


def kernel(x: Matrix, *, vectors: Matrix, name: str, gamma: float, degree: int, coef0: float) -> Matrix:
    """Compare each row with each support vector, n × vectors."""
    if name == "rbf":
        differences = x[:, None, :] - vectors[None]
        return np.exp(-gamma * np.einsum("ijk,ijk->ij", differences, differences))
    inner = product(x, vectors.T)
    if name == "linear":
        return inner
    bent = gamma * inner + coef0
    return np.tanh(bent) if name == "sigmoid" else bent**degree


class Neighbours:
    """The mean of what the nearest training rows have, each alike or by the inverse of its distance."""

    def __init__(self, *, rows: Matrix, targets: Matrix, count: int, power: float, by_distance: bool) -> None:
        """`rows`: training rows, m × k; `targets`: what they have, m × t; `power`: of the Minkowski distance."""
        self._rows, self._targets, self._count = rows, targets, count
        self._power, self._by_distance = power, by_distance

    def __call__(self, x: Matrix) -> Matrix:
        """Give n × t means."""
        result = np.empty((len(x), self._targets.shape[1]))
        for place, row in enumerate(x):
            distances = self._distances(row)
            nearest = np.argpartition(distances, self._count - 1)[: self._count]
            result[place] = self._mean(distances[nearest], self._targets[nearest])
        return result

    def _distances(self, row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        gaps = np.abs(self._rows - row)
        if self._power == 2:
            return np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
        if self._power == 1:
            return gaps.sum(axis=1)
        return (gaps**self._power).sum(axis=1) ** (1 / self._power)

    def _mean(self, distances: npt.NDArray[np.float64], targets: Matrix) -> npt.NDArray[np.float64]:
        if not self._by_distance:
            return targets.mean(axis=0)
        same = distances == 0  # a row that is just the same counts alone
        weights = same.astype(np.float64) if same.any() else 1 / distances
        mean: npt.NDArray[np.float64] = weights @ targets / weights.sum()
        return mean


def isotonic(x: Matrix, *, landmarks: Matrix, values: Matrix) -> Matrix:
    """Interpolate between the steps of an isotonic regression; beyond the ends, the ends."""
    return np.interp(x, landmarks, values)


OPERATIONS: dict[str, Any] = {
    "gaussian": plain(gaussian),
    "quadratic": plain(quadratic),
    "kernel": plain(kernel),
    "neighbours": Neighbours,
    "isotonic": plain(isotonic),
}
