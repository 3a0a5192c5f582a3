"""Scores, probabilities and labels, against numbers worked out by hand and against SciPy."""

from typing import Any

import numpy as np
import pytest
from scipy import special  # type: ignore[import-untyped] # it ships no types
from sklearn.svm import SVC

from model_api.runtimes.lowered.operations import OPERATIONS
from tests.model_api.zoo_data import wine


def ask(operation: str, *inputs: Any, **parameters: Any) -> Any:
    return OPERATIONS[operation](**parameters)(*(np.asarray(given) for given in inputs)).tolist()


def test_rectify_leaves_out_what_is_below_zero() -> None:
    assert ask("rectify", [[-1.0, 0.0, 2.0]]) == [[0, 0, 2]]


def test_sigmoid_is_scipys_and_never_overflows() -> None:
    scores = np.array([[-1e308, -750.0, -40.0, -1.5, 0.0, 1e-300, 1.5, 40.0, 750.0, 1e308]])

    with np.errstate(all="raise", under="ignore"):
        shares = OPERATIONS["sigmoid"]()(scores)

    assert np.abs(shares - special.expit(scores)).max() < 1e-15
    assert shares[0, 0] == 0
    assert shares[0, -1] == 1


def test_softmax_is_scipys_and_never_overflows() -> None:
    scores = np.array([[1.0, 2.0, 3.0], [1000.0, 1000.0, -1000.0], [-1e300, 0.0, 1e300]])

    with np.errstate(over="raise", invalid="raise"):
        shares = OPERATIONS["softmax"]()(scores)

    assert np.abs(shares - special.softmax(scores, axis=1)).max() < 1e-15


def test_log_normalize_turns_log_likelihoods_into_probabilities() -> None:
    logs = np.log([[0.2, 0.6], [1e-300, 3e-300]]) - 2000

    assert OPERATIONS["log_normalize"]()(logs) == pytest.approx(np.array([[0.25, 0.75], [0.25, 0.75]]), rel=1e-9)


def test_pair_gives_both_classes() -> None:
    assert ask("pair", [[0.25], [1.0]]) == [[0.75, 0.25], [0, 1]]


def test_share_divides_by_the_sum_and_shares_nothing_equally() -> None:
    assert ask("share", [[1.0, 3.0], [0.0, 0.0]]) == [[0.25, 0.75], [0.5, 0.5]]


def test_share_of_nothing_may_be_nothing() -> None:
    assert ask("share", [[1.0, 3.0], [0.0, 0.0]], of_nothing=0.0) == [[0.25, 0.75], [0, 0]]


def test_argmax_gives_the_first_of_several() -> None:
    assert ask("argmax", [[1.0, 2.0, 2.0], [5.0, 5.0, 1.0]]) == [1, 0]


def test_above_takes_what_exceeds_the_threshold_and_not_the_threshold_itself() -> None:
    just_above = np.nextafter(0.5, 1)

    assert ask("above", [[0.5], [just_above]], threshold=0.5) == [0, 1]
    assert ask("above", [[0.0], [5e-324]]) == [0, 1]


def test_at_least_takes_the_threshold_itself_and_what_exceeds_it() -> None:
    scores = [[0.0, 0.5], [0.0, np.nextafter(0.5, 0)]]

    assert ask("at_least", scores, column=1, threshold=0.5) == [1, 0]
    assert ask("at_least", scores, column=1, threshold=0.5, labels=[1, 0]) == [0, 1]


def test_labels_become_a_column() -> None:
    assert ask("as_column", [2, 0]) == [[2.0], [0.0]]


def test_indicators_give_a_one_at_each_labels_place() -> None:
    assert ask("indicators", [2, 0], classes=3) == [[0, 0, 1], [1, 0, 0]]


def test_votes_add_up_the_weights_of_those_that_say_a_label() -> None:
    weights = np.array([2.0, 1.0, 1.5])

    assert ask("votes", [0, 1], [1, 1], [1, 2], weights=weights, classes=3) == [[2, 2.5, 0], [0, 3, 1.5]]


def test_a_duel_is_won_by_the_first_of_a_pair_only_when_its_score_is_positive() -> None:
    scores = [[1.0, 1.0, 1.0], [-1.0, 1.0, 0.0]]  # of the pairs 0-1, 0-2 and 1-2

    assert ask("duels", scores, classes=3) == [[2, 1, 0], [1, 1, 1]]


def test_duel_scores_are_scikit_learns_decision_function() -> None:
    X, y = wine()
    one_against_one = SVC(decision_function_shape="ovo").fit(X, y)
    one_against_rest = SVC(decision_function_shape="ovr").fit(X, y)

    given = OPERATIONS["duel_scores"](classes=3)(one_against_one.decision_function(X))

    assert np.abs(given - one_against_rest.decision_function(X)).max() < 1e-12
