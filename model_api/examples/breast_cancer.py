"""breast-cancer: is a tumour malignant or benign, from the shape of its cell nuclei (two classes)."""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.publishing import publish

MEASURES = {
    "radius": "mean distance from the centre to the outline, in pixels",
    "texture": "spread of the grey values",
    "perimeter": "length of the outline, in pixels",
    "area": "area inside the outline, in pixels",
    "smoothness": "local variation in the lengths of the radius",
    "compactness": "perimeter² / area − 1",
    "concavity": "depth of the hollow parts of the outline",
    "concave points": "share of the outline that is hollow",
    "symmetry": "difference between the two halves",
    "fractal dimension": "roughness of the outline (coastline approximation − 1)",
}
GROUPS = {
    "mean": "Mean of all nuclei",
    "error": "Standard error of the mean",
    "worst": "Mean of the three largest",
}
CARD = """# Breast cancer

Logistic regression on thirty standardised measurements of the cell nuclei in a digitised image of a fine
needle aspirate of a breast mass. Ten measures are given three times: their mean over the nuclei, the
standard error of that mean, and the mean of the three largest values ("worst").

**Data.** Breast Cancer Wisconsin (Diagnostic), 569 cases, as it ships with scikit-learn.

**Limits.** One hospital, before 1995, and measurements that depend on how the images were made.
It is here to show how a long form with two classes is served. It is not for diagnosis.
"""


def describe(name: str) -> dict[str, str]:
    """Describe one of the thirty features by its name, such as `worst radius` or `radius error`."""
    group = next(group for group in GROUPS if group in name.split())
    measure = name.replace(group, "").strip()
    return {
        "label": measure.capitalize(),
        "group": GROUPS[group],
        "description": MEASURES[measure].capitalize(),
    }


def estimator() -> Pipeline:
    """Make the estimator, not yet fitted."""
    return make_pipeline(StandardScaler(), LogisticRegression())


def load_data() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Load 569 rows × 30 features, and for each row "malignant" or "benign"."""
    data = load_breast_cancer(as_frame=True)
    return data.data, data.target.map(dict(enumerate(data.target_names.tolist()))).rename("diagnosis")


def publish_model(models: Path) -> Path:
    """Fit on all rows and publish."""
    X, y = load_data()
    return publish(
        estimator().fit(X, y),
        X,
        y,
        name="breast-cancer",
        title="Breast cancer",
        description="Whether a breast mass is malignant or benign, from thirty measurements of its cell nuclei.",
        features={name: describe(name) for name in X.columns},
        target={"name": "diagnosis", "positive": "malignant", "description": "The diagnosis of the mass"},
        card=CARD,
        models=models,
    )
