"""The tables that the zoo's estimators are fitted on: what scikit-learn ships, and a few seeded ones."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

Table = tuple[pd.DataFrame, Any]
NUMBERS, CATEGORIES = ["age", "income", "visits"], ["city", "plan"]
WORDS = [
    *("good", "bad", "fine", "awful", "great", "film", "plot", "actor"),
    *("slow", "fast", "boring", "lovely", "été", "the", "a", "I"),
]


@cache
def diabetes() -> Table:
    """442 rows of ten numbers; a number to predict."""
    X, y = load_diabetes(as_frame=True, return_X_y=True, scaled=False)
    return X, y


@cache
def cancer() -> Table:
    """569 rows of the ten mean measurements; the classes 0 and 1."""
    X, y = load_breast_cancer(as_frame=True, return_X_y=True)
    return X.iloc[:, :10], y


@cache
def wine() -> Table:
    """178 rows of thirteen numbers; the classes 0, 1 and 2."""
    X, y = load_wine(as_frame=True, return_X_y=True)
    return X, y


@cache
def named_wine() -> Table:
    """Wine, its classes called by names."""
    X, y = wine()
    return X, pd.Series(np.array(["barolo", "grignolino", "barbera"])[y], name="grape")


@cache
def diabetes_with_gaps() -> Table:
    """Diabetes, every eighth value of four columns missing."""
    X, y = diabetes()
    random = np.random.default_rng(5)
    gaps = pd.DataFrame(random.random(X.shape) < 0.125, columns=X.columns)
    gaps[X.columns[4:]] = False
    return X.mask(gaps), y


@cache
def diabetes_by_category() -> Table:
    """Diabetes, the column of two different numbers as a category."""
    X, y = diabetes()
    return X.astype({"sex": "int64"}).astype({"sex": "category"}), y


@cache
def two_numbers() -> Table:
    """Diabetes with two numbers to predict, of very different size."""
    X, y = diabetes()
    return X, pd.DataFrame({"progression": y, "burden": X["bmi"] * 300 + X["age"]})


@cache
def people() -> Table:
    """400 rows of numbers, texts and a boolean, with gaps; the classes yes and no."""
    random = np.random.default_rng(0)
    count = 400
    X = pd.DataFrame(
        {
            "age": random.integers(18, 80, count).astype(float),
            "income": np.round(random.lognormal(10, 0.5, count), 2),
            "visits": random.poisson(4, count),
            "city": random.choice(["ams", "ber", "cph", "dub"], count, p=[0.45, 0.35, 0.15, 0.05]),
            "plan": random.choice(["free", "pro"], count),
            "owner": random.random(count) < 0.4,
        }
    )
    score = (X["age"] - 50) / 20 + (X["plan"] == "pro") * 1.5 + (X["city"] == "ber") - X["visits"] / 4
    y = (score + random.normal(size=count) > 0).map({True: "yes", False: "no"}).rename("buys")
    for name in ("age", "income", "city", "plan"):
        X.loc[random.random(count) < 0.07, name] = np.nan
    return X, y


@cache
def spending() -> Table:
    """The same people; a number to predict."""
    X, _ = people()
    noise = np.random.default_rng(1).normal(size=len(X))
    return X, (X["age"].fillna(40) * 2 + (X["plan"] == "pro") * 10 + noise).rename("spent")


@cache
def people_by_dtype() -> Table:
    """The same people, texts as category columns."""
    X, y = people()
    return X.astype(dict.fromkeys(CATEGORIES, "category")), y


@cache
def spending_by_dtype() -> Table:
    """The same people with category columns; a number to predict."""
    return people_by_dtype()[0], spending()[1]


@cache
def reviews() -> Table:
    """200 short texts with stars; the classes neg and pos."""
    random = np.random.default_rng(2)
    texts = [" ".join(random.choice(WORDS, random.integers(3, 20))) for _ in range(200)]
    X = pd.DataFrame({"review": texts, "stars": random.integers(1, 6, len(texts)).astype(float)})
    good = X["review"].str.count("good|great|lovely") >= X["review"].str.count("bad|awful|boring")
    return X, good.map({True: "pos", False: "neg"}).rename("mood")
