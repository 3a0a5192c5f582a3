"""A made-up model with every type of feature: `stays`, and `stays-as-it-is`, which is not compiled."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model_api.publishing import publish

NAMES = ("stays", "stays-as-it-is")
ROWS = 160
WORDS = ["quiet", "bright", "noisy", "garden", "balcony", "stairs", "old", "new", "warm", "cold"]


def publish_every_kind(models: Path) -> Pipeline:
    """Publish the model twice; gives the estimator."""
    X = _stays()
    price = 80 + 20 * X["children"].fillna(0).astype(float) + 3 * X["area"].fillna(30) + 25 * X["breakfast"]
    price = (price + np.random.default_rng(8).normal(0, 5, ROWS)).rename("price")
    estimator = _pipeline().fit(X, price)
    for name in NAMES:
        about = {"city": {"unknown_categories": True}}
        publish(estimator, X, price, name=name, features=about, models=models, compiled=name == "stays")
    return estimator


def _stays() -> pd.DataFrame:
    random = np.random.default_rng(7)
    hours = pd.to_timedelta(random.integers(0, 4 * 365 * 24, ROWS), unit="h")
    arrival = pd.Series(pd.Timestamp("2021-01-01T12:30", tz="Europe/Amsterdam") + hours)
    naive = arrival.dt.tz_localize(None)
    children = pd.Series(random.integers(0, 5, ROWS), dtype="Int64")
    children[random.random(ROWS) < 0.1] = pd.NA
    return pd.DataFrame(
        {
            "day": naive.dt.normalize(),
            "booked": (naive - pd.to_timedelta(90, unit="m")).where(random.random(ROWS) > 0.1),
            "arrival": arrival,
            "wish": [" ".join(random.choice(WORDS, 6)) for _ in range(ROWS)],
            "breakfast": random.random(ROWS) < 0.5,
            "board": pd.Series(random.choice(["none", "half", "full"], ROWS)).where(random.random(ROWS) > 0.1),
            "city": random.choice(["Amsterdam", "Zürich", "old, town"], ROWS),
            "stars": pd.Categorical(random.integers(1, 6, ROWS)),
            "children": children,
            "area": np.where(random.random(ROWS) < 0.2, np.nan, random.uniform(12, 60, ROWS).round(1)),
        }
    )


def _pipeline() -> Pipeline:
    """Use what a linear model can use, and leave out the dates."""
    kinds = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["children", "breakfast", "area"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["board", "city", "stars"]),
            ("text", TfidfVectorizer(), "wish"),
        ]
    )
    return make_pipeline(kinds, Ridge())
