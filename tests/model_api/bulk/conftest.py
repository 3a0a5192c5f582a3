"""Models with something odd about them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from model_api.publishing import publish


@pytest.fixture(scope="session")
def formula_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose classes a spreadsheet would take for formulas."""
    folder = tmp_path_factory.mktemp("formula")
    X = pd.DataFrame({"x": np.linspace(-9, 9, 60)})
    y = pd.Series(np.where(X["x"] < 0, "=cmd|' /C calc'!A0", "-1"), name="what")
    publish(LogisticRegression().fit(X, y), X, y, name="formula", models=folder)
    return folder


@pytest.fixture(scope="session")
def overflowing_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose numbers leave the range of float64 where its input is near the end of it."""
    folder = tmp_path_factory.mktemp("overflow")
    X = pd.DataFrame({"x": np.linspace(0, 9, 60)})
    y = pd.Series(1000 * X["x"], name="y")
    publish(LinearRegression().fit(X, y), X, y, name="overflow", models=folder)
    return folder
