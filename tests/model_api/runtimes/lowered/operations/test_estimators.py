"""Models that are more than a product of matrices, each against scikit-learn's own on the same numbers."""

from typing import Any

import numpy as np
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor

from model_api.runtimes.lowered.operations import OPERATIONS
from tests.model_api.zoo_data import wine

RANDOM = np.random.default_rng(4)
ROWS, ASKED = RANDOM.normal(size=(60, 3)), RANDOM.normal(size=(40, 3))
TARGETS = RANDOM.normal(size=(60, 2))


def ask(operation: str, x: Any, **parameters: Any) -> Any:
    return OPERATIONS[operation](**parameters)(np.asarray(x, dtype=np.float64))


def test_gaussian_gives_naive_bayes_log_likelihoods() -> None:
    X, y = wine()
    fitted = GaussianNB().fit(X.to_numpy(), y)

    given = ask("gaussian", X, means=fitted.theta_, variances=fitted.var_, log_priors=np.log(fitted.class_prior_))

    assert given == pytest.approx(fitted.predict_joint_log_proba(X.to_numpy()), rel=1e-12)


def test_quadratic_gives_the_scores_of_quadratic_discriminants() -> None:
    X, y = wine()
    fitted = QuadraticDiscriminantAnalysis().fit(X.to_numpy(), y)

    given = ask(
        "quadratic",
        X,
        means=fitted.means_,
        rotations=np.stack(fitted.rotations_),
        scalings=np.stack(fitted.scalings_),
        log_priors=np.log(fitted.priors_),
    )

    assert given == pytest.approx(fitted.decision_function(X.to_numpy()), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "gamma", "degree", "coef0", "settings"),
    [
        ("linear", 1.0, 3, 0.0, {}),
        ("rbf", 0.3, 3, 0.0, {"gamma": 0.3}),
        ("poly", 0.5, 3, 1.5, {"gamma": 0.5, "degree": 3, "coef0": 1.5}),
        ("sigmoid", 0.2, 3, -0.5, {"gamma": 0.2, "coef0": -0.5}),
    ],
)
def test_a_kernel_is_scikit_learns(name: str, gamma: float, degree: int, coef0: float, settings: Any) -> None:
    given = ask("kernel", ASKED, vectors=ROWS, name=name, gamma=gamma, degree=degree, coef0=coef0)

    assert given == pytest.approx(pairwise_kernels(ASKED, ROWS, metric=name, **settings), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("count", [1, 5, 60])
def test_neighbours_are_scikit_learns(power: float, weights: str, count: int) -> None:
    fitted = KNeighborsRegressor(count, weights=weights, p=power).fit(ROWS, TARGETS)

    given = ask(
        "neighbours",
        ASKED,
        rows=ROWS,
        targets=TARGETS,
        count=count,
        power=power,
        by_distance=weights == "distance",
    )

    assert given == pytest.approx(fitted.predict(ASKED), rel=1e-12, abs=1e-14)


def test_a_training_row_itself_counts_alone_among_its_neighbours() -> None:
    rows = np.array([[0.0], [0.0], [1.0], [5.0]])
    targets = np.array([[10.0], [20.0], [1000.0], [0.0]])

    given = ask("neighbours", [[0.0], [0.5]], rows=rows, targets=targets, count=3, power=2.0, by_distance=True)

    assert given.tolist() == [[15], [pytest.approx((10 + 20 + 1000) / 3)]]


def test_isotonic_interpolates_between_steps_and_keeps_the_ends() -> None:
    x, y = ROWS[:, 0], ROWS[:, 0] + TARGETS[:, 0]
    fitted = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    asked = np.concatenate([ASKED[:, 0], fitted.X_thresholds_, [-1e9, 1e9]])

    given = ask("isotonic", asked[:, None], landmarks=fitted.X_thresholds_, values=fitted.y_thresholds_)

    assert given[:, 0] == pytest.approx(fitted.predict(asked), rel=1e-12)


def test_isotonic_of_one_step_is_that_step() -> None:
    assert ask("isotonic", [[-3.0], [7.0]], landmarks=np.array([0.0]), values=np.array([0.25])).tolist() == [
        [0.25],
        [0.25],
    ]
