"""loans: will a loan be repaid (two classes). The data is synthetic; every ordinary kind of feature is in it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from model_api.publishing import publish

ROWS = 2000
SEED = 20
EMPLOYMENT = {"salaried": 0.6, "self-employed": 0.8, "retired": 0.5, "student": 1.1, "unemployed": 1.6}
"""Level → what it adds to the log-odds of default."""
PURPOSE = {"car": 0.0, "education": 0.1, "home": -0.3, "business": 0.5, "other": 0.2}
CATEGORIES = ["employment", "purpose"]
CLOSED = {"unknown_categories": False}
"""The estimator would ignore another level; who types one has made a mistake and should hear of it."""
FEATURES: dict[str, dict[str, Any]] = {
    "age": {"label": "Age", "unit": "years", "group": "Applicant"},
    "employment": {"label": "Employment", "group": "Applicant", **CLOSED, "categories": tuple(EMPLOYMENT)},
    "yearly_income": {
        "label": "Yearly income",
        "unit": "€",
        "group": "Applicant",
        "description": "Before taxes",
    },
    "home_owner": {"label": "Owns a home", "group": "Applicant"},
    "open_loans": {"label": "Open loans", "group": "Applicant", "description": "Loans being paid back now"},
    "defaulted_before": {
        "label": "Defaulted before",
        "type": "boolean",
        "group": "Applicant",
        "description": "Whether an earlier loan was not repaid",
    },
    "amount": {"label": "Amount", "unit": "€", "group": "Loan"},
    "term": {"label": "Term", "unit": "months", "group": "Loan"},
    "purpose": {"label": "Purpose", "group": "Loan", **CLOSED, "categories": tuple(PURPOSE)},
    "interest_rate": {"label": "Interest rate", "unit": "%", "group": "Loan", "description": "A year"},
}
CARD = """# Loans (synthetic)

**The data is synthetic: a program made it up.** No person, no bank and no loan stands behind a row of it, and
nothing here says anything about real loans.

2,000 applications are drawn from a seeded generator (`model_api/examples/loans.py`). The log-odds of default
grow with the yearly instalment as a share of income, with open loans, an earlier default, and a higher
interest rate; they fall with age and home ownership, and depend on employment and purpose. Some values are
then removed: 8 % of the incomes, 5 % of the employments, 6 % of the earlier defaults.

The model is a gradient boosting of histogram-based trees; categories are one-hot encoded, and missing values
are a case of their own to it.

**Limits.** It exists to show a form with numbers, whole numbers, yes-or-no questions, categories and unknown
values. It must not be used for any decision.
"""


def load_data() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Generate 2,000 rows × 10 features, and for each row "repaid" or "defaulted"."""
    random = np.random.default_rng(SEED)
    age = random.integers(18, 80, ROWS)
    employment = random.choice(list(EMPLOYMENT), ROWS, p=[0.62, 0.14, 0.12, 0.06, 0.06])
    income = np.round(random.lognormal(10.45, 0.45, ROWS), -2)
    amount = np.round(np.clip(random.lognormal(9.2, 0.8, ROWS), 500, 90_000), -2)
    term = random.choice([12, 24, 36, 48, 60, 84], ROWS)
    frame = pd.DataFrame(
        {
            "age": age,
            "employment": employment,
            "yearly_income": income,
            "home_owner": random.random(ROWS) < np.clip((age - 18) / 80, 0.05, 0.6),
            "open_loans": random.poisson(0.9, ROWS),
            "defaulted_before": (random.random(ROWS) < 0.12).astype("float64"),
            "amount": amount,
            "term": term,
            "purpose": random.choice(list(PURPOSE), ROWS, p=[0.32, 0.12, 0.26, 0.14, 0.16]),
            "interest_rate": np.round(np.clip(random.normal(6.5, 2.2, ROWS), 1.2, 16), 1),
        }
    )
    defaulted = random.random(ROWS) < 1 / (1 + np.exp(-_log_odds(frame)))
    y = pd.Series(np.where(defaulted, "defaulted", "repaid"), name="outcome", dtype=object)
    for column, share in {"yearly_income": 0.08, "employment": 0.05, "defaulted_before": 0.06}.items():
        frame.loc[random.random(ROWS) < share, column] = np.nan
    return frame, y


def _log_odds(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    instalment_share = frame["amount"] / frame["term"] * 12 / frame["yearly_income"]
    return np.asarray(
        -4.2
        + 3.0 * np.minimum(instalment_share, 1.5)
        + 0.35 * frame["open_loans"]
        + 1.6 * frame["defaulted_before"]
        + 0.16 * frame["interest_rate"]
        - 0.012 * (frame["age"] - 45)
        - 0.5 * frame["home_owner"]
        + frame["employment"].map(EMPLOYMENT)
        + frame["purpose"].map(PURPOSE),
        dtype=np.float64,
    )


def estimator() -> Pipeline:
    """Make the estimator, not yet fitted."""
    one_hot = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="unknown"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    columns = ColumnTransformer([("categories", one_hot, CATEGORIES)], remainder="passthrough")
    trees = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.08, max_leaf_nodes=8, random_state=0)
    return make_pipeline(columns, trees)


def publish_model(models: Path) -> Path:
    """Fit on all rows and publish."""
    X, y = load_data()
    return publish(
        estimator().fit(X, y),
        X,
        y,
        name="loans",
        title="Loans (synthetic data)",
        description="Whether a loan will be repaid, from ten facts about applicant and loan. The data is made up.",
        features=FEATURES,
        target={"name": "outcome", "positive": "defaulted", "description": "What became of the loan"},
        card=CARD,
        synthetic=True,
        models=models,
    )
