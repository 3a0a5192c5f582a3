"""Naive Bayes, and models that know nothing but how frequent the classes are."""

from typing import Any

import numpy as np
from sklearn import dummy, naive_bayes

from model_api.publishing.lowering.graph import Graph, Node, Source, Unlowerable, plain_level
from model_api.publishing.lowering.lowered import Lowered, by_probability


def gaussian(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Independent normal distributions."""
    x = graph.matrix(source)
    classes = len(estimator.classes_)
    graph.need(classes * x.width)
    scores = graph.add(
        "gaussian",
        x,
        width=classes,
        means=estimator.theta_,
        variances=estimator.var_,
        log_priors=np.log(estimator.class_prior_),
    )
    return _normalized(graph, scores)


def multinomial(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Counts of events."""
    return _normalized(graph, _weighted(graph, source, estimator.feature_log_prob_, estimator.class_log_prior_))


def complement(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Counts of events in the other classes."""
    alone = len(estimator.classes_) == 1
    priors = estimator.class_log_prior_ if alone else np.zeros(len(estimator.classes_))
    return _normalized(graph, _weighted(graph, source, estimator.feature_log_prob_, priors))


def bernoulli(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Yes or no for each event."""
    x = graph.matrix(source)
    if estimator.binarize is not None:
        x = graph.add("binarize", x, width=x.width, threshold=float(estimator.binarize))
    absent = np.log(1 - np.exp(estimator.feature_log_prob_))
    priors = estimator.class_log_prior_ + absent.sum(axis=1)
    return _normalized(graph, _weighted(graph, x, estimator.feature_log_prob_ - absent, priors))


def _weighted(graph: Graph, source: Source, weights: Any, priors: Any) -> Node:
    x = graph.matrix(source)
    scores = graph.add("matmul", x, width=len(weights), weights=np.ascontiguousarray(weights.T))
    return graph.add("add", scores, width=scores.width, value=np.asarray(priors))


def _normalized(graph: Graph, scores: Node) -> Lowered:
    """Label by the largest score, as scikit-learn does; the probabilities follow from the same scores."""
    probabilities = graph.add("log_normalize", scores, width=scores.width)
    return Lowered(labels=graph.add("argmax", scores, width=1), probabilities=probabilities)


def constant_number(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The same number for all."""
    value = np.asarray(estimator.constant_, dtype=np.float64).ravel()
    return Lowered(numbers=graph.add("constant", graph.node(source), width=len(value), value=value))


def constant_class(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The same class for all."""
    if estimator.strategy in ("stratified", "uniform"):
        raise Unlowerable(f"DummyClassifier draws at random ({estimator.strategy})")
    if estimator.strategy == "constant":
        chosen = plain_level(np.ravel(estimator.constant)[0])
        shares = np.array([float(plain_level(level) == chosen) for level in estimator.classes_])
    else:
        shares = np.asarray(estimator.class_prior_, dtype=np.float64)
        if estimator.strategy == "most_frequent":
            shares = np.eye(len(shares))[shares.argmax()]
    return by_probability(graph, graph.add("constant", graph.node(source), width=len(shares), value=shares))


ESTIMATORS: dict[type, Any] = {
    naive_bayes.GaussianNB: gaussian,
    naive_bayes.MultinomialNB: multinomial,
    naive_bayes.ComplementNB: complement,
    naive_bayes.BernoulliNB: bernoulli,
    dummy.DummyRegressor: constant_number,
    dummy.DummyClassifier: constant_class,
}
