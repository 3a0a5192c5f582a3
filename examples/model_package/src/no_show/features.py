"""A step of our own: dates as numbers that a tree can split."""

from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class DateParts(TransformerMixin, BaseEstimator):
    """Turns dates into month, weekday and hour; missing stays missing."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> "DateParts":  # noqa: ARG002 -- scikit-learn passes it
        """Learn nothing but how many columns there are."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Give three numbers for each date."""
        parts = {}
        for name in X.columns:
            moment = X[name].dt
            parts |= {
                f"{name}_month": moment.month,
                f"{name}_weekday": moment.day_of_week,
                f"{name}_hour": moment.hour,
            }
        return pd.DataFrame(parts).astype("float64")
