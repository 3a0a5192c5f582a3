"""What Servery calls. `load_model` and `load_data` are required; everything else a package may leave out."""

from functools import cache
from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from no_show.data import ROWS, SEED, TEST_ROWS, appointments
from no_show.features import DateParts

TITLE = "Missed appointments (synthetic data)"
DESCRIPTION = "Whether a patient will miss an appointment, from what is known when it is booked. The data is made up."
SYNTHETIC = True
FEATURES = {
    "booked_at": {"label": "Booked", "description": "When the appointment was made"},
    "appointment": {"label": "Appointment", "description": "The day of the appointment"},
    "age": {"label": "Age", "unit": "years"},
    "distance": {"label": "Distance", "unit": "km", "description": "From home to the clinic"},
    "reminded": {"label": "Reminded", "description": "Whether a reminder was sent"},
    "clinic": {"label": "Clinic"},
    "reason": {"label": "Reason"},
}
TARGET = {"name": "missed appointment", "classes": ["comes", "misses"], "positive": "misses"}
CARD = """# Missed appointments (synthetic)

**The data is synthetic: a program made it up.** It shows a model package: dates, nullable numbers, yes-or-no
questions and categories, all of which may be missing, with a preparation of the package's own.
"""


def load_data() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Give the predefined data: what GET /predict predicts for, and what the form is made from."""
    return _named(*appointments(ROWS, SEED))


def load_test_data() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Give rows that the model has not seen, so that its answers can say how sure they are."""
    return _named(*appointments(TEST_ROWS, SEED + 1))


def load_model() -> Pipeline:
    """Give the fitted model. A real package would read a file of its own here."""
    return _fitted()


def preprocess_data(X: pd.DataFrame) -> pd.DataFrame:
    """Put right what people write differently."""
    return X.assign(reason=X["reason"].str.strip().str.casefold())


def feature_engineering(X: pd.DataFrame) -> pd.DataFrame:
    """Add how many days lie between booking and appointment, and give scikit-learn plain numbers."""
    wait = (X["appointment"] - X["booked_at"].dt.normalize()).dt.days
    numbers = {name: X[name].astype("float64") for name in ("age", "reminded")}
    return X.assign(wait=wait.astype("float64"), **numbers)


def predict(model: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    """Give the probability of each class, a column a class."""
    return pd.DataFrame(model.predict_proba(X), columns=list(model.classes_))


def _named(X: pd.DataFrame, missed: "pd.Series[bool]") -> tuple[pd.DataFrame, "pd.Series[str]"]:
    return X, missed.map({True: "misses", False: "comes"}).rename("outcome")


@cache
def _fitted() -> Pipeline:
    X, y = load_data()
    columns: Any = make_column_transformer(
        (DateParts(), ["booked_at", "appointment"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["clinic", "reason"]),
        ("passthrough", ["age", "distance", "reminded", "wait"]),
    )
    trees = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, learning_rate=0.1, random_state=0)
    return make_pipeline(columns, trees).fit(feature_engineering(preprocess_data(X)), y)
