"""Intervals against values computed by hand, and the coverage that they reach on rows not seen before."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from model_api import conformal
from model_api.artifact import ScoreGroups
from model_api.conformal import Margins
from model_api.examples.diabetes import estimator
from model_api.publishing.quality.unseen import answers_for_unseen
from model_api.signature import Target

NINE = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]


@pytest.mark.parametrize(
    ("scores", "coverage", "margin"),
    [
        (NINE, 0.9, 9.0),  # the 9th: ceil(10 × 0.9)
        (NINE, 0.89, 9.0),
        (NINE, 0.8, 8.0),
        (NINE, 0.75, 8.0),  # the 8th: ceil(7.5)
        (NINE, 0.5, 5.0),
        (NINE, 0.01, 1.0),
        (NINE, 0.91, None),  # would need a 10th score
        (NINE[:8], 0.9, None),
        ([2.5], 0.5, 2.5),
        ([2.5], 0.6, None),
        ([], 0.5, None),
    ],
)
def test_the_margin_is_the_score_of_the_right_rank(scores: list[float], coverage: float, margin: float | None) -> None:
    assert conformal.margin(scores, coverage) == margin


def test_the_scores_of_a_regression_are_its_absolute_errors_ascending() -> None:
    scores = conformal.regression_scores(np.array([10.0, 20.0, 30.0]), np.array([13.0, 19.0, 28.0]))

    assert scores.tolist() == [1.0, 2.0, 3.0]


def test_the_scores_of_a_classification_are_what_the_true_class_lacks_ascending() -> None:
    probabilities = np.array([[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]])

    scores = conformal.classification_scores(np.array([0, 1, 0]), probabilities)

    assert scores.tolist() == [0.25, 0.5, 0.875]


@pytest.mark.parametrize(
    ("probabilities", "coverage", "kept"),
    [
        ([0.7, 0.2, 0.1], 0.5, (0,)),
        ([0.7, 0.2, 0.1], 0.8, (0, 1)),
        ([0.1, 0.2, 0.7], 0.8, (2, 1)),
        ([0.7, 0.2, 0.1], 0.9, (0, 1, 2)),
        ([0.4, 0.35, 0.25], 0.2, (0,)),  # none is likely enough: the likeliest stays
        ([0.4, 0.4, 0.2], 0.2, (0,)),
    ],
)
def test_a_prediction_set_keeps_what_the_coverage_leaves(
    probabilities: list[float], coverage: float, kept: tuple[int, ...]
) -> None:
    limit = conformal.margin([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 0.95], coverage)

    assert limit is not None
    assert conformal.prediction_set(probabilities, limit) == kept


SMALL, LARGE = tuple(float(score) for score in range(1, 21)), tuple(float(score) for score in range(101, 121))
BY_SIZE = ScoreGroups((10.0,), (SMALL, LARGE))


@pytest.mark.parametrize(("number", "half"), [(-5.0, 19.0), (9.999, 19.0), (10.0, 119.0), (1e300, 119.0)])
def test_a_margin_is_that_of_numbers_of_the_same_size(number: float, half: float) -> None:
    margins = Margins([*SMALL, *LARGE], BY_SIZE, 0.9)

    assert margins.varies
    assert margins.at(number) == half
    assert np.asarray(margins.of(np.array([number, 0.0]))).tolist() == [half, 19.0]


def test_a_group_that_is_too_small_for_a_coverage_has_the_usual_margin_or_its_largest_score() -> None:
    margins = Margins([*SMALL, *LARGE], BY_SIZE, 0.96)  # of 20 scores a 21st would be needed

    assert margins.usual == 120.0
    assert (margins.at(0.0), margins.at(99.0)) == (120.0, 120.0)


def test_there_is_no_margin_where_all_together_are_too_few() -> None:
    margins = Margins([*SMALL, *LARGE], BY_SIZE, 0.99)

    assert not margins.varies
    assert (margins.usual, margins.at(0.0)) == (None, None)


def test_there_is_one_margin_for_all_sizes_where_there_are_no_groups() -> None:
    margins = Margins(NINE, None, 0.8)

    assert not margins.varies
    assert (margins.usual, margins.at(-1e9), margins.of(np.array([1.0, 2.0]))) == (8.0, 8.0, 8.0)


def numbers(rows: int, growing: bool) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    random = np.random.default_rng(0)
    predicted = random.uniform(0, 30, rows)
    return predicted + random.normal(size=rows) * (predicted if growing else 10), predicted


def test_numbers_are_grouped_in_thirds_where_their_margins_differ() -> None:
    true, predicted = numbers(3000, growing=True)

    groups = conformal.groups_by_size(true, predicted)

    assert groups
    assert groups.edges == pytest.approx((10, 20), abs=1)
    assert [len(scores) for scores in groups.scores] == [1000, 1000, 1000]
    assert all(list(scores) == sorted(scores) for scores in groups.scores)


def test_numbers_are_not_grouped_where_a_group_would_be_small_or_like_the_others() -> None:
    assert conformal.groups_by_size(*numbers(299, growing=True)) is None
    assert conformal.groups_by_size(*numbers(3000, growing=False)) is None
    assert conformal.groups_by_size(np.arange(900.0), np.zeros(900)) is None  # all of one size


def test_a_model_that_is_always_right_has_no_groups() -> None:
    assert conformal.groups_by_size(np.arange(900.0), np.arange(900.0)) is None


def test_intervals_by_size_hold_small_and_large_numbers_equally_often() -> None:
    true, predicted = numbers(20_000, growing=True)
    half = len(true) // 2
    groups = conformal.groups_by_size(true[:half], predicted[:half])
    scores = conformal.regression_scores(true[:half], predicted[:half]).tolist()

    for margins, furthest in ((Margins(scores, groups, 0.9), 0.02), (Margins(scores, None, 0.9), 0.2)):
        held = np.abs(true - predicted)[half:] <= margins.of(predicted[half:])
        thirds = [float(held[place].mean()) for place in np.array_split(np.argsort(predicted[half:]), 3)]
        assert held.mean() == pytest.approx(0.9, abs=0.02)
        assert max(abs(share - 0.9) for share in thirds) < furthest
    assert thirds[0] > 0.98  # what one margin for all does to small numbers


@pytest.fixture(scope="module")
def splits() -> list[tuple[list[float], npt.NDArray[np.float64]]]:
    """Ten splits of diabetes: the scores of the rows that were seen, the errors on those that were not."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    found = []
    for seed in range(10):
        X_seen, X_new, y_seen, y_new = train_test_split(X, y, test_size=0.3, random_state=seed)
        unseen = answers_for_unseen(estimator(), Target("progression", "regression"), (X_seen, y_seen), None)
        scores = conformal.regression_scores(unseen.true, unseen.said).tolist()
        errors = np.abs(y_new.to_numpy() - estimator().fit(X_seen, y_seen).predict(X_new))
        found.append((scores, errors))
    return found


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_the_intervals_of_diabetes_hold_the_truth_as_often_as_they_say(
    splits: list[tuple[list[float], npt.NDArray[np.float64]]], coverage: float
) -> None:
    reached = []
    for scores, errors in splits:
        half = conformal.margin(scores, coverage)
        assert half is not None
        reached.append(float((errors <= half).mean()))

    assert np.mean(reached) == pytest.approx(coverage, abs=0.05)
