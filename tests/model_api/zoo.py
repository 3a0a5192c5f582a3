"""The zoo: estimators and preprocessing in many combinations, each fitted once for a whole run of the tests.

`ZOO["forest"].fitted` is the estimator, `.frame` what it was fitted on, `.columns` the same as plain values, `.plan`
the files that it is lowered to.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from model_api.publishing.lowering import lower
from model_api.publishing.reference_sample import plain_columns
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes.frames import layout_of
from model_api.runtimes.lowered import LoweredPredictor, load
from model_api.runtimes.sklearn import SklearnPredictor
from model_api.signature import Columns, Signature
from tests.model_api.zoo_data import (
    CATEGORIES,
    NUMBERS,
    Table,
    cancer,
    diabetes,
    diabetes_by_category,
    diabetes_with_gaps,
    named_wine,
    people,
    people_by_dtype,
    reviews,
    spending,
    spending_by_dtype,
    two_numbers,
    wine,
)


@dataclass(frozen=True)
class Case:
    """One combination, and what is made of it; each part is made once."""

    estimator: Any
    """Not fitted."""
    data: Callable[[], Table]
    """Gives features and true values."""
    unlowerable: str = ""
    """What the refusal names, for one that has no plan."""

    @property
    def frame(self) -> pd.DataFrame:
        """The features."""
        return self.data()[0]

    @property
    def true(self) -> Any:
        """The true values."""
        return self.data()[1]

    @cached_property
    def fitted(self) -> Any:
        """The estimator, fitted."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a few rounds are enough here
            warnings.simplefilter("ignore", FutureWarning)  # SVC(probability=True) is on its way out, and still about
            return clone(self.estimator).fit(self.frame, self.true)

    @cached_property
    def signature(self) -> Signature:
        """What an instance must look like."""
        return infer_signature(self.fitted, self.frame, self.true, {}, {})

    @cached_property
    def layout(self) -> list[dict[str, Any]]:
        """The columns that the estimator was fitted on."""
        return layout_of(self.frame)

    @cached_property
    def columns(self) -> Columns:
        """The features as plain values."""
        return plain_columns(self.frame, self.signature)

    @cached_property
    def reference(self) -> SklearnPredictor:
        """The estimator as it is, asked with plain values."""
        return SklearnPredictor(self.fitted, self.layout, self.signature.target.classes)

    @cached_property
    def plan(self) -> dict[str, bytes]:
        """The files of its plan."""
        return lower(self.fitted, self.layout).files

    @cached_property
    def lowered(self) -> LoweredPredictor:
        """The plan, loaded."""
        return load(self.plan.__getitem__, self.signature.names)


def rows(columns: Columns, start: int, stop: int) -> Columns:
    """Give some rows of columns."""
    return {name: values[start:stop] for name, values in columns.items()}


def scaled(estimator: Any) -> Any:
    """Put a standard scaler before an estimator."""
    return make_pipeline(StandardScaler(), estimator)


def mixed(estimator: Any, numbers: Any = None, categories: Any = None) -> Any:
    """Prepare numbers and categories apart, and pass on the rest."""
    numbers = numbers or make_pipeline(SimpleImputer(), StandardScaler())
    encoder = OneHotEncoder(handle_unknown="ignore")
    categories = categories or make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
    steps = [("numbers", numbers, NUMBERS), ("categories", categories, CATEGORIES)]
    return make_pipeline(ColumnTransformer(steps, remainder="passthrough"), estimator)


def _forest(trees: int = 8) -> RandomForestClassifier:
    return RandomForestClassifier(trees, random_state=0)


def _forest_regressor(trees: int = 8) -> RandomForestRegressor:
    return RandomForestRegressor(trees, random_state=0, max_depth=6)


def _hist_regressor(**settings: Any) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(max_iter=10, random_state=0, **settings)


def _hist_classifier(**settings: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=10, random_state=0, **settings)


def _own_square(X: Any) -> Any:
    """Stand for a function of the user's own."""
    return X**2


LINEAR: dict[str, Case] = {
    "linear regression": Case(LinearRegression(), diabetes),
    "linear regression, min-max scaled and clipped": Case(
        make_pipeline(MinMaxScaler(clip=True), LinearRegression()), diabetes
    ),
    "ridge": Case(scaled(Ridge()), diabetes),
    "lasso on products": Case(scaled(make_pipeline(PolynomialFeatures(2), Lasso())), diabetes),
    "elastic net, robust": Case(make_pipeline(RobustScaler(), ElasticNet()), diabetes),
    "Bayesian ridge, scaled by the largest": Case(make_pipeline(MaxAbsScaler(), BayesianRidge()), diabetes),
    "Huber on bent numbers": Case(make_pipeline(PowerTransformer(), HuberRegressor()), diabetes),
    "ridge after Box-Cox": Case(make_pipeline(PowerTransformer(method="box-cox"), Ridge()), diabetes),
    "ridge on normal scores": Case(
        make_pipeline(QuantileTransformer(n_quantiles=50, output_distribution="normal"), Ridge()), diabetes
    ),
    "ridge on ranks": Case(make_pipeline(QuantileTransformer(n_quantiles=50), Ridge()), diabetes),
    "ridge on bins": Case(make_pipeline(KBinsDiscretizer(5, strategy="uniform"), Ridge()), diabetes),
    "ridge on numbered bins": Case(
        make_pipeline(KBinsDiscretizer(5, encode="ordinal", strategy="uniform"), Ridge()), diabetes
    ),
    "RANSAC": Case(RANSACRegressor(random_state=0), diabetes),
    "Poisson": Case(scaled(PoissonRegressor()), diabetes),
    "Tweedie with the identity": Case(scaled(TweedieRegressor(power=0, link="identity")), diabetes),
    "partial least squares": Case(PLSRegression(3), diabetes),
    "linear support vectors": Case(scaled(LinearSVR(random_state=0)), diabetes),
    "logistic regression": Case(scaled(LogisticRegression()), cancer),
    "logistic regression of three classes": Case(scaled(LogisticRegression()), wine),
    "logistic regression of named classes": Case(scaled(LogisticRegression()), named_wine),
    "logistic regression on components": Case(
        scaled(make_pipeline(PCA(4, whiten=True, random_state=0), LogisticRegression())), cancer
    ),
    "stochastic gradient": Case(scaled(SGDClassifier(loss="log_loss", random_state=0)), wine),
    "ridge classifier": Case(scaled(RidgeClassifier()), wine),
    "linear support vector classifier": Case(scaled(LinearSVC(random_state=0)), cancer),
    "linear discriminants": Case(LinearDiscriminantAnalysis(), cancer),
    "linear discriminants of three classes": Case(LinearDiscriminantAnalysis(), wine),
    "quadratic discriminants": Case(QuadraticDiscriminantAnalysis(), wine),
    "no model for numbers": Case(DummyRegressor(strategy="median"), diabetes),
    "no model for classes": Case(DummyClassifier(), cancer),
}

COMPARING: dict[str, Case] = {
    "support vector regression": Case(scaled(SVR()), diabetes),
    "support vectors": Case(scaled(SVC()), cancer),
    "support vectors of three classes": Case(scaled(SVC(kernel="poly")), wine),
    "nu support vectors": Case(scaled(NuSVC()), named_wine),
    "kernel ridge": Case(scaled(KernelRidge(kernel="rbf", alpha=0.1)), diabetes),
    "neighbours": Case(scaled(KNeighborsClassifier()), wine),
    "neighbours by distance": Case(scaled(KNeighborsRegressor(weights="distance", p=1)), diabetes),
    "neighbours by the cube": Case(scaled(KNeighborsRegressor(p=3)), diabetes),
}

BAYES: dict[str, Case] = {
    "Gaussian naive Bayes": Case(GaussianNB(), wine),
    "Bernoulli naive Bayes": Case(BernoulliNB(binarize=5), wine),
    "Bernoulli naive Bayes behind a binarizer": Case(make_pipeline(Binarizer(threshold=5), BernoulliNB()), wine),
    "multinomial naive Bayes": Case(make_pipeline(MinMaxScaler(), MultinomialNB()), wine),
    "complement naive Bayes": Case(make_pipeline(MinMaxScaler(), ComplementNB()), wine),
}

TREES: dict[str, Case] = {
    "tree": Case(DecisionTreeClassifier(random_state=0), cancer),
    "tree for numbers": Case(DecisionTreeRegressor(max_depth=6, random_state=0), diabetes),
    "tree behind a scaler": Case(scaled(DecisionTreeRegressor(max_depth=5, random_state=0)), diabetes),
    "tree with gaps": Case(DecisionTreeRegressor(max_depth=5, random_state=0), diabetes_with_gaps),
    "forest": Case(_forest(30), cancer),
    "forest of three classes": Case(_forest(), named_wine),
    "forest for numbers": Case(_forest_regressor(20), diabetes),
    "extra trees": Case(ExtraTreesClassifier(8, random_state=0), wine),
    "extra trees for numbers": Case(ExtraTreesRegressor(8, random_state=0, max_depth=6), diabetes),
    "boosting": Case(GradientBoostingClassifier(n_estimators=20, random_state=0), cancer),
    "boosting of three classes": Case(GradientBoostingClassifier(n_estimators=8, random_state=0), wine),
    "boosting by exponentials": Case(
        GradientBoostingClassifier(loss="exponential", n_estimators=10, random_state=0), cancer
    ),
    "boosting for numbers": Case(GradientBoostingRegressor(n_estimators=20, random_state=0), diabetes),
    "histograms": Case(_hist_classifier(), cancer),
    "histograms of three classes": Case(_hist_classifier(), wine),
    "histograms for numbers with gaps": Case(_hist_regressor(), diabetes_with_gaps),
    "histograms behind a scaler": Case(scaled(_hist_classifier()), cancer),
    "histograms for counts": Case(_hist_regressor(loss="poisson"), diabetes),
    "histograms of categories by dtype": Case(_hist_classifier(categorical_features="from_dtype"), people_by_dtype),
    "histograms of categories by name": Case(_hist_regressor(categorical_features=CATEGORIES), spending_by_dtype),
    "histograms of categories by a mask": Case(
        _hist_regressor(categorical_features=[False, True, *[False] * 8]), diabetes
    ),
}

COMBINING: dict[str, Case] = {
    "AdaBoost": Case(AdaBoostClassifier(n_estimators=8, random_state=0), cancer),
    "AdaBoost of three classes": Case(AdaBoostClassifier(n_estimators=8, random_state=0), wine),
    "bagging": Case(BaggingClassifier(DecisionTreeClassifier(max_depth=4), max_samples=0.9, random_state=0), cancer),
    "bagging on some features": Case(BaggingRegressor(Ridge(), max_features=0.7, random_state=0), diabetes),
    "perceptrons": Case(scaled(MLPClassifier((10,), max_iter=40, random_state=0)), cancer),
    "perceptrons of three classes": Case(
        scaled(MLPClassifier((10, 5), max_iter=40, activation="tanh", random_state=0)), wine
    ),
    "perceptrons for numbers": Case(
        scaled(MLPRegressor(hidden_layer_sizes=(10,), max_iter=40, random_state=0)), diabetes
    ),
    "soft votes": Case(
        VotingClassifier([("line", scaled(LogisticRegression())), ("trees", _forest())], voting="soft", weights=[2, 1]),
        wine,
    ),
    "hard votes": Case(
        VotingClassifier([("line", scaled(LogisticRegression())), ("trees", _forest()), ("vectors", SVC())]), wine
    ),
    "mean of regressors": Case(VotingRegressor([("line", scaled(Ridge())), ("trees", _forest_regressor())]), diabetes),
    "stack": Case(
        StackingClassifier([("line", scaled(LogisticRegression())), ("trees", _forest()), ("margin", LinearSVC())]),
        cancer,
    ),
    "stack on classes": Case(
        StackingClassifier(
            [("line", scaled(LogisticRegression())), ("trees", _forest())], stack_method="predict", cv=3
        ),
        wine,
    ),
    "stack that passes on": Case(
        StackingRegressor([("line", scaled(Ridge())), ("trees", _forest_regressor())], passthrough=True), diabetes
    ),
    "calibrated by a sigmoid": Case(CalibratedClassifierCV(scaled(LinearSVC(random_state=0)), cv=3), cancer),
    "calibrated by steps": Case(CalibratedClassifierCV(_forest(), method="isotonic", cv=3), wine),
    "one against the rest": Case(OneVsRestClassifier(scaled(LogisticRegression())), wine),
    "one naive Bayes against the rest": Case(OneVsRestClassifier(GaussianNB()), wine),
    "tuned threshold": Case(
        TunedThresholdClassifierCV(scaled(LogisticRegression()), scoring="balanced_accuracy", cv=3), cancer
    ),
    "fixed threshold": Case(FixedThresholdClassifier(scaled(LogisticRegression()), threshold=0.8, pos_label=0), cancer),
    "fixed threshold of a margin": Case(FixedThresholdClassifier(scaled(LinearSVC()), threshold=0.3), cancer),
    "search": Case(GridSearchCV(scaled(LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=3), cancer),
    "search among histograms": Case(GridSearchCV(_hist_regressor(), {"max_leaf_nodes": [4, 8]}, cv=2), diabetes),
    "logarithm of the target": Case(
        TransformedTargetRegressor(scaled(Ridge()), func=np.log1p, inverse_func=np.expm1), diabetes
    ),
    "scaled target": Case(TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), diabetes),
    "two numbers": Case(scaled(Ridge()), two_numbers),
    "two numbers by trees": Case(_forest_regressor(), two_numbers),
    "two numbers, a model each": Case(MultiOutputRegressor(_hist_regressor()), two_numbers),
    "two numbers in a chain": Case(RegressorChain(Ridge(), order=[1, 0]), two_numbers),
}

PREPARED: dict[str, Case] = {
    "people": Case(mixed(LogisticRegression()), people),
    "people by histograms": Case(mixed(_hist_classifier()), people),
    "people by numbered categories": Case(
        mixed(
            _forest(),
            SimpleImputer(add_indicator=True),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        ),
        people,
    ),
    "people by what the target was": Case(
        mixed(LogisticRegression(), categories=TargetEncoder(random_state=0)), people
    ),
    "people without first and rare categories": Case(
        mixed(
            LogisticRegression(),
            categories=OneHotEncoder(drop="first", min_frequency=60, handle_unknown="infrequent_if_exist"),
        ),
        people,
    ),
    "people, rare categories numbered together": Case(
        mixed(
            _forest(),
            categories=make_pipeline(
                SimpleImputer(strategy="constant", fill_value="?"),
                OrdinalEncoder(min_frequency=60, handle_unknown="use_encoded_value", unknown_value=-1),
            ),
        ),
        people,
    ),
    "people, unknown categories refused": Case(
        mixed(
            LogisticRegression(),
            categories=make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder()),
        ),
        people,
    ),
    "people, gaps in their categories told": Case(
        mixed(
            LogisticRegression(),
            categories=FeatureUnion(
                [
                    ("gaps", MissingIndicator()),
                    (
                        "levels",
                        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                    ),
                ]
            ),
        ),
        people,
    ),
    "people, categories filled apart and encoded together": Case(
        make_pipeline(
            ColumnTransformer(
                [
                    ("city", SimpleImputer(strategy="most_frequent"), ["city"]),
                    ("plan", SimpleImputer(strategy="constant", fill_value="none"), ["plan"]),
                ]
            ),
            OneHotEncoder(handle_unknown="ignore"),
            LogisticRegression(),
        ),
        people,
    ),
    "numbers that came as a category": Case(Ridge(), diabetes_by_category),
    "people's spending by boosting": Case(mixed(GradientBoostingRegressor(n_estimators=10)), spending),
    "gaps as features": Case(
        make_pipeline(FeatureUnion([("filled", SimpleImputer()), ("gaps", MissingIndicator())]), Ridge()),
        diabetes_with_gaps,
    ),
    "columns in nested pipelines": Case(
        make_pipeline(
            ColumnTransformer(
                [
                    ("bent", make_pipeline("passthrough", PowerTransformer()), slice(0, 3)),
                    ("left out", "drop", [3]),
                    ("kept", "passthrough", [4, 5]),
                ],
                remainder=make_pipeline(MinMaxScaler(), FunctionTransformer()),
            ),
            Ridge(),
        ),
        diabetes,
    ),
    "best columns": Case(make_pipeline(SelectKBest(k=4), StandardScaler(), LogisticRegression()), cancer),
    "columns that a forest likes": Case(
        make_pipeline(VarianceThreshold(), SelectFromModel(_forest()), StandardScaler(), LogisticRegression()), cancer
    ),
    "union": Case(
        make_pipeline(
            FeatureUnion(
                [("scaled", StandardScaler()), ("binned", KBinsDiscretizer(4, encode="ordinal"))],
                transformer_weights={"scaled": 2.0},
            ),
            LogisticRegression(max_iter=1000),
        ),
        cancer,
    ),
    "logarithms of length one": Case(
        make_pipeline(FunctionTransformer(np.log1p), Normalizer(), LogisticRegression()), cancer
    ),
}

READING: dict[str, Case] = {
    "weighted words and stars": Case(
        make_pipeline(
            ColumnTransformer(
                [("text", TfidfVectorizer(ngram_range=(1, 2)), "review"), ("stars", StandardScaler(), ["stars"])]
            ),
            LogisticRegression(),
        ),
        reviews,
    ),
    "counted words": Case(
        make_pipeline(
            ColumnTransformer([("text", CountVectorizer(strip_accents="unicode", stop_words=["the"]), "review")]),
            TfidfTransformer(norm="l1"),
            MultinomialNB(),
        ),
        reviews,
    ),
    "pieces of words": Case(
        make_pipeline(
            ColumnTransformer(
                [("text", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), sublinear_tf=True), "review")]
            ),
            TruncatedSVD(8, random_state=0),
            LogisticRegression(),
        ),
        reviews,
    ),
    "characters, there or not": Case(
        make_pipeline(
            ColumnTransformer([("text", CountVectorizer(analyzer="char", ngram_range=(1, 2), binary=True), "review")]),
            BernoulliNB(),
        ),
        reviews,
    ),
}

WITHOUT_PLAN: dict[str, Case] = {
    "gaps filled by neighbours": Case(make_pipeline(KNNImputer(), Ridge()), diabetes_with_gaps, "KNNImputer"),
    "support vectors with probabilities": Case(scaled(SVC(probability=True, random_state=0)), cancer, "SVC"),
    "Gaussian process": Case(scaled(GaussianProcessRegressor(alpha=1.0)), diabetes, "GaussianProcessRegressor"),
    "a function of the user's own": Case(
        make_pipeline(FunctionTransformer(_own_square), Ridge()), diabetes, "FunctionTransformer calls _own_square"
    ),
}

ZOO: dict[str, Case] = {
    **LINEAR,
    **COMPARING,
    **BAYES,
    **TREES,
    **COMBINING,
    **PREPARED,
    **READING,
    **WITHOUT_PLAN,
}
LOWERED = [name for name in ZOO if name not in WITHOUT_PLAN]
"""Those that have a plan."""
