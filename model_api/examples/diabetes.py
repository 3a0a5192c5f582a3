"""diabetes: how far the disease will have progressed after one year (regression)."""

from pathlib import Path
from typing import Any

from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.publishing import publish

SERUM = "Blood serum"
FEATURES: dict[str, dict[str, Any]] = {
    "age": {"label": "Age", "unit": "years", "group": "Patient"},
    "sex": {
        "label": "Sex",
        "type": "category",
        "categories": (1, 2),
        "group": "Patient",
        "description": "Coded 1 or 2 in the data, which does not say which is which",
    },
    "bmi": {
        "label": "Body mass index",
        "unit": "kg/m²",
        "group": "Patient",
        "description": "Weight over height squared",
    },
    "bp": {
        "label": "Blood pressure",
        "unit": "mmHg",
        "group": "Patient",
        "description": "Average blood pressure",
    },
    "s1": {
        "label": "Total cholesterol",
        "unit": "mg/dl",
        "group": SERUM,
        "description": "tc, total serum cholesterol",
    },
    "s2": {"label": "LDL", "unit": "mg/dl", "group": SERUM, "description": "ldl, low-density lipoproteins"},
    "s3": {"label": "HDL", "unit": "mg/dl", "group": SERUM, "description": "hdl, high-density lipoproteins"},
    "s4": {
        "label": "Cholesterol ratio",
        "group": SERUM,
        "description": "tch, total cholesterol divided by HDL",
    },
    "s5": {
        "label": "Triglycerides, log",
        "group": SERUM,
        "description": "ltg, possibly the natural logarithm of the triglycerides level",
    },
    "s6": {"label": "Blood sugar", "unit": "mg/dl", "group": SERUM, "description": "glu, blood sugar level"},
}
CARD = """# Diabetes progression

Ridge regression on ten standardised measurements of 442 diabetes patients, made at the start of a study.
It predicts a quantitative measure of how far the disease had progressed one year later; in the study the
measure lay between 25 and 346.

**Data.** The diabetes data that ships with scikit-learn, in its original units
(Efron, Hastie, Johnstone and Tibshirani, *Least Angle Regression*, Annals of Statistics, 2004).

**Limits.** A small study from before 2004. The model explains about half of the variation between patients.
It is here to show how a regression is served. It is not for decisions about anybody's health.
"""


def estimator() -> Pipeline:
    """Make the estimator, not yet fitted."""
    return make_pipeline(StandardScaler(), Ridge())


def publish_model(models: Path) -> Path:
    """Fit on all rows and publish."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    return publish(
        estimator().fit(X, y),
        X,
        y,
        name="diabetes",
        title="Diabetes progression",
        description="How far diabetes will have progressed after one year, from ten measurements of a patient.",
        features=FEATURES,
        target={
            "name": "disease progression after one year",
            "description": "A score of the disease's progression, between 25 and 346 in the study",
            "unit": "points",
        },
        card=CARD,
        models=models,
    )
