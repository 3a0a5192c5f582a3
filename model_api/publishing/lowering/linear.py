"""Linear models: x · coefᵀ + intercept, and what is made of it."""

from typing import Any

import numpy as np
from sklearn import cross_decomposition, discriminant_analysis, linear_model, svm

from model_api.publishing.lowering.graph import Graph, Node, Source, Unlowerable
from model_api.publishing.lowering.lowered import Lowered, by_decision, by_probability, logistic

IDENTITY, LOG = "IdentityLink", "LogLink"


def linear(graph: Graph, estimator: Any, source: Source) -> Node:
    """Give x · coefᵀ + intercept, n × outputs."""
    x = graph.matrix(source)
    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    x = graph.add("matmul", x, width=len(weights), weights=weights.T.copy())
    intercept = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    return graph.add("add", x, width=x.width, value=intercept) if intercept.any() else x


def regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """A linear regression."""
    return Lowered(numbers=linear(graph, estimator, source))


def generalized(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """A generalised linear model: the inverse of its link."""
    numbers = linear(graph, estimator, source)
    link = type(estimator._base_loss.link).__name__
    if link == LOG:
        numbers = graph.add("function", numbers, width=1, name="exp")
    elif link != IDENTITY:
        raise Unlowerable(f"{type(estimator).__name__} has the link {link}")
    return Lowered(numbers=numbers)


def partial_least_squares(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """(x - mean) · coefᵀ + intercept."""
    x = graph.matrix(source)
    centred = graph.add("subtract", x, width=x.width, value=np.asarray(estimator._x_mean))
    return Lowered(numbers=linear(graph, estimator, centred))


def classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """A classifier that only decides."""
    return by_decision(graph, linear(graph, estimator, source))


def logistic_regression(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Logistic regression of two or more classes, and linear discriminant analysis, which predicts alike."""
    decision = linear(graph, estimator, source)
    return by_decision(graph, decision, logistic(graph, decision))


def stochastic_gradient(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """One logistic regression for each class, its probabilities scaled to one; other losses only decide."""
    decision = linear(graph, estimator, source)
    if estimator.loss == "modified_huber":
        raise Unlowerable("SGDClassifier with the loss modified_huber")
    if estimator.loss != "log_loss":
        return by_decision(graph, decision)
    each = graph.add("sigmoid", decision, width=decision.width)
    shares = graph.add("pair", each, width=2) if each.width == 1 else graph.add("share", each, width=each.width)
    return by_decision(graph, decision, shares)


def quadratic_discriminant(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Quadratic discriminant analysis."""
    x = graph.matrix(source)
    scores = graph.add(
        "quadratic",
        x,
        width=len(estimator.classes_),
        means=np.asarray(estimator.means_),
        rotations=np.stack(estimator.rotations_),
        scalings=np.stack(estimator.scalings_),
        log_priors=np.log(estimator.priors_),
    )
    shares = graph.add("softmax", scores, width=scores.width)
    if scores.width == 2:
        scores = graph.add("matmul", scores, width=1, weights=np.array([[-1.0], [1.0]]))
    return by_probability(graph, shares, scores)


def random_consensus(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """RANSAC: the estimator that was found."""
    return regressor(graph, estimator.estimator_, source)


REGRESSORS = (
    *(linear_model.LinearRegression, linear_model.Ridge, linear_model.RidgeCV, linear_model.Lasso),
    *(linear_model.LassoCV, linear_model.ElasticNet, linear_model.ElasticNetCV, linear_model.Lars),
    *(linear_model.LarsCV, linear_model.LassoLars, linear_model.LassoLarsCV, linear_model.LassoLarsIC),
    *(linear_model.OrthogonalMatchingPursuit, linear_model.OrthogonalMatchingPursuitCV, linear_model.BayesianRidge),
    *(linear_model.ARDRegression, linear_model.HuberRegressor, linear_model.TheilSenRegressor),
    *(linear_model.SGDRegressor, linear_model.QuantileRegressor, linear_model.MultiTaskLasso),
    *(linear_model.MultiTaskElasticNet, svm.LinearSVR),
)
ESTIMATORS: dict[type, Any] = {
    **dict.fromkeys(REGRESSORS, regressor),
    **dict.fromkeys(
        (linear_model.PoissonRegressor, linear_model.GammaRegressor, linear_model.TweedieRegressor), generalized
    ),
    **dict.fromkeys(
        (linear_model.RidgeClassifier, linear_model.RidgeClassifierCV, linear_model.Perceptron, svm.LinearSVC),
        classifier,
    ),
    **dict.fromkeys(
        (
            linear_model.LogisticRegression,
            linear_model.LogisticRegressionCV,
            discriminant_analysis.LinearDiscriminantAnalysis,
        ),
        logistic_regression,
    ),
    linear_model.SGDClassifier: stochastic_gradient,
    linear_model.RANSACRegressor: random_consensus,
    cross_decomposition.PLSRegression: partial_least_squares,
    discriminant_analysis.QuadraticDiscriminantAnalysis: quadratic_discriminant,
}
