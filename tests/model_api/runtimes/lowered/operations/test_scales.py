"""Filling, bending, binning and scaling, against SciPy and scikit-learn."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped] # it ships no types
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import KBinsDiscretizer, Normalizer, QuantileTransformer

from model_api.runtimes.lowered.operations import OPERATIONS

SKEWED = np.random.default_rng(3).lognormal(size=(200, 3))
ODD = np.array([-1e12, -7.5, -1.0, -1e-9, -0.0, 0.0, 1e-300, 1e-9, 0.5, 1.0, 2.0, 40.0, 1e12])


def ask(operation: str, x: Any, **parameters: Any) -> Any:
    with np.errstate(all="ignore"):  # as a plan is computed
        return OPERATIONS[operation](**parameters)(np.asarray(x, dtype=np.float64))


def test_fill_is_a_simple_imputer() -> None:
    x = np.array([[1.0, np.nan], [np.nan, 4.0], [3.0, 6.0]])

    assert ask("fill", x, value=np.array([2.0, 5.0])).tolist() == SimpleImputer().fit_transform(x).tolist()


def test_fill_knows_another_number_for_the_missing_and_leaves_nan_alone() -> None:
    given = ask("fill", [[-1.0], [np.nan], [3.0]], value=np.array([9.0]), missing=-1)

    assert given[[0, 2], 0].tolist() == [9, 3]
    assert np.isnan(given[1, 0])


def test_missing_mask_is_a_missing_indicator() -> None:
    x = np.array([[1.0, np.nan, 5.0], [np.nan, 4.0, 5.0]])
    indicator = MissingIndicator().fit(x)

    given = ask("missing_mask", x, columns=indicator.features_)

    assert given.tolist() == indicator.transform(x).astype(float).tolist()


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_normalize_is_a_normalizer_and_leaves_zeros_alone(norm: str) -> None:
    x = np.vstack([SKEWED[:5] - 1, np.zeros(3)])

    assert ask("normalize", x, norm=norm) == pytest.approx(Normalizer(norm=norm).fit_transform(x), abs=1e-15)


def test_binarize_takes_what_exceeds_the_threshold() -> None:
    assert ask("binarize", [[5.0, np.nextafter(5.0, 6.0), 4.0]], threshold=5.0).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("power", [-2.0, -0.5, 0.0, 1e-17, 0.3, 1.0, 1.7, 2.0, 2 + 1e-17, 3.5])
def test_yeo_johnson_is_scipys(power: float) -> None:
    values = ODD[(np.abs(ODD) < 1e6) | (power == 1)]
    expected = stats.yeojohnson(values, power)

    given = ask("yeo_johnson", values[:, None], lambdas=np.array([power]))[:, 0]

    assert given == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_yeo_johnson_bends_each_column_by_itself_and_keeps_what_is_missing() -> None:
    given = ask("yeo_johnson", [[3.0, 3.0, np.nan]], lambdas=np.array([1.0, 0.0, 0.5]))

    assert given[0, :2].tolist() == [3, math.log(4)]
    assert np.isnan(given[0, 2])


@pytest.mark.parametrize("power", [-1.5, 0.0, 0.4, 1.0, 3.0])
def test_box_cox_is_scipys(power: float) -> None:
    values = ODD[ODD > 0]

    given = ask("box_cox", values[:, None], lambdas=np.array([power]))[:, 0]

    assert given == pytest.approx(stats.boxcox(values, power), rel=1e-9)


@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_quantiles_are_a_quantile_transformer(shape: str) -> None:
    x = np.vstack([SKEWED, np.repeat(SKEWED[:1], 30, axis=0)])  # many rows alike
    fitted = QuantileTransformer(n_quantiles=40, output_distribution=shape).fit(x)
    ends = np.vstack([fitted.quantiles_, fitted.quantiles_ + 1e-8, fitted.quantiles_ - 1e-8, x * 3, -x])
    asked = np.vstack([x, ends, np.full((1, 3), np.nan)])

    given = ask(
        "quantiles", asked, landmarks=fitted.quantiles_, references=fitted.references_, normal=shape == "normal"
    )

    assert given == pytest.approx(fitted.transform(asked), abs=1e-12, nan_ok=True)


def test_bins_are_a_discretizer_whose_bins_begin_with_their_edge() -> None:
    fitted = KBinsDiscretizer(5, encode="ordinal", strategy="uniform").fit(SKEWED)
    edges = np.concatenate([np.ravel(column) for column in fitted.bin_edges_])
    beside = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    asked = np.vstack([SKEWED, np.repeat(beside[:, None], 3, axis=1)])

    given = ask("bins", asked, edges=[column[1:-1] for column in fitted.bin_edges_])

    assert given.tolist() == fitted.transform(asked).tolist()


def test_a_column_with_one_bin_is_all_zeros() -> None:
    assert ask("bins", [[-5.0], [5.0]], edges=[np.array([])]).tolist() == [[0], [0]]
