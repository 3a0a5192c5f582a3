"""A small model of one's own: every type of feature but text, each of which may be missing; its trees are 32-bit."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from model_api.publishing import publish

ROOMS = ["single", "double", "👩‍👩‍👧", "01"]


@cache
def fitted() -> tuple[Any, pd.DataFrame, "pd.Series[float]"]:
    """Give the estimator, and the features and values that it was fitted on."""
    random, count = np.random.default_rng(4), 80
    X = pd.DataFrame(
        {
            "arrived": pd.to_datetime("2025-01-01") + pd.to_timedelta(random.integers(0, 365, count), "D"),
            "booked": pd.to_datetime("2024-12-01T08:00") + pd.to_timedelta(random.integers(0, 9000, count), "h"),
            "nights": random.integers(1, 15, count).astype("float64"),
            "price": np.round(random.uniform(40, 200, count), 1),
            "breakfast": (random.random(count) < 0.5).astype("float64"),
            "room": random.choice(ROOMS, count),
        }
    )
    y = (X["nights"] * X["price"]).rename("total")
    for column in X:
        X.loc[random.random(count) < 0.1, column] = np.nan
    room = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    numbers = ["nights", "price", "breakfast"]
    columns = ColumnTransformer([("room", room, ["room"]), ("numbers", SimpleImputer(), numbers)])
    return make_pipeline(columns, RandomForestRegressor(5, random_state=0)).fit(X, y), X, y


def publish_stay(models: Path) -> Path:
    """Publish it."""
    estimator, X, y = fitted()
    types = {"nights": {"type": "integer"}, "breakfast": {"type": "boolean"}}
    return publish(estimator, X, y, name="stay", models=models, features=types)


def predicted(**row: object) -> float:
    """Give what the estimator itself predicts for an instance; what is not given is missing."""
    estimator, X, _ = fitted()
    frame = pd.DataFrame([{name: row.get(str(name)) for name in X}]).astype(X.dtypes)
    return float(estimator.predict(frame)[0])
