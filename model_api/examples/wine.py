"""wine: which of three cultivars a wine was made from (three classes)."""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from model_api.publishing import publish

FEATURES = {
    "alcohol": {"label": "Alcohol", "unit": "% vol", "description": "Alcohol by volume"},
    "malic_acid": {"label": "Malic acid", "unit": "g/l"},
    "ash": {"label": "Ash", "unit": "g/l"},
    "alcalinity_of_ash": {"label": "Alkalinity of ash", "unit": "meq/l"},
    "magnesium": {"label": "Magnesium", "unit": "mg/l"},
    "total_phenols": {"label": "Total phenols", "unit": "g/l"},
    "flavanoids": {"label": "Flavanoids", "unit": "g/l"},
    "nonflavanoid_phenols": {"label": "Nonflavanoid phenols", "unit": "g/l"},
    "proanthocyanins": {"label": "Proanthocyanins", "unit": "g/l"},
    "color_intensity": {"label": "Colour intensity", "description": "Optical density"},
    "hue": {"label": "Hue", "description": "Ratio of two optical densities"},
    "od280/od315_of_diluted_wines": {
        "label": "OD280/OD315",
        "description": "Optical density of the diluted wine at 280 nm over that at 315 nm",
    },
    "proline": {"label": "Proline", "unit": "mg/l", "description": "An amino acid"},
}
CARD = """# Wine cultivars

A random forest of 100 trees on thirteen chemical measurements of 178 wines, grown in one region of Italy from
three cultivars. It tells which cultivar a wine was made from.

**Data.** The wine recognition data that ships with scikit-learn (Forina and others, 1991). The source names
no units; those shown are the usual ones of the quantities.

**Limits.** Few wines, one region. It is here to show how three classes are served.
"""


def estimator() -> RandomForestClassifier:
    """Make the estimator, not yet fitted."""
    return RandomForestClassifier(n_estimators=100, random_state=0)


def load_data() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Load 178 rows × 13 features, and for each row "cultivar 1", "cultivar 2" or "cultivar 3"."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    return X, y.map(lambda number: f"cultivar {number + 1}").rename("cultivar")


def publish_model(models: Path) -> Path:
    """Fit on all rows and publish."""
    X, y = load_data()
    return publish(
        estimator().fit(X, y),
        X,
        y,
        name="wine",
        title="Wine cultivars",
        description="Which of three cultivars a wine was made from, from thirteen chemical measurements.",
        features=FEATURES,
        target={"name": "cultivar", "description": "The cultivar that the wine was made from"},
        card=CARD,
        models=models,
    )
