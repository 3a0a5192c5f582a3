"""Models that compare with training rows: support vectors, kernel ridge, nearest neighbours."""

from typing import Any

import numpy as np
from sklearn import kernel_ridge, neighbors, svm

from model_api.publishing.lowering.graph import Graph, Node, Source, Unlowerable
from model_api.publishing.lowering.lowered import Lowered, by_probability

KERNELS = ("linear", "rbf", "poly", "sigmoid")


def _compared(graph: Graph, estimator: Any, source: Source, vectors: Any, gamma: float) -> Node:
    if estimator.kernel not in KERNELS:
        raise Unlowerable(f"{type(estimator).__name__} has the kernel {estimator.kernel!r}")
    x = graph.matrix(source)
    graph.need(len(vectors) * (x.width if estimator.kernel == "rbf" else 1))
    return graph.add(
        "kernel",
        x,
        width=len(vectors),
        vectors=np.asarray(vectors, dtype=np.float64),
        name=estimator.kernel,
        gamma=float(gamma),
        degree=int(estimator.degree),
        coef0=float(estimator.coef0),
    )


def support_vector_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Σ dual · kernel(x, vector) + intercept."""
    compared = _compared(graph, estimator, source, _vectors(estimator), estimator._gamma)
    return Lowered(numbers=_scored(graph, compared, estimator.dual_coef_.T, estimator.intercept_))


def support_vector_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """One decision for each pair of classes, and their votes."""
    compared = _compared(graph, estimator, source, _vectors(estimator), estimator._gamma)
    if estimator.probability is True:
        raise Unlowerable("SVC with probability=True, which libsvm couples in a way of its own")
    classes = len(estimator.classes_)
    if classes == 2:
        decision = _scored(graph, compared, estimator.dual_coef_.T, estimator.intercept_)
        return Lowered(labels=graph.add("above", decision, width=1), decision=decision)
    weights, intercepts = _pairs(estimator)
    duels = _scored(graph, compared, weights, intercepts)
    scores = graph.add("duel_scores", duels, width=classes, classes=classes)
    decision = scores if estimator.decision_function_shape == "ovr" else duels
    if estimator.break_ties:
        return Lowered(labels=graph.add("argmax", scores, width=1), decision=decision)
    votes = graph.add("duels", duels, width=classes, classes=classes)
    return Lowered(labels=graph.add("argmax", votes, width=1), decision=decision)


def _vectors(estimator: Any) -> Any:
    if not isinstance(estimator.support_vectors_, np.ndarray):
        raise Unlowerable(f"{type(estimator).__name__} was fitted on a sparse matrix")
    return estimator.support_vectors_


def _pairs(estimator: Any) -> tuple[Any, Any]:
    """Spread libsvm's coefficients over one column for each pair of classes."""
    ends = np.cumsum([0, *estimator.n_support_])
    classes, dual = len(estimator.classes_), estimator.dual_coef_
    columns = []
    for first in range(classes):
        for second in range(first + 1, classes):
            column = np.zeros(dual.shape[1])
            column[ends[first] : ends[first + 1]] = dual[second - 1, ends[first] : ends[first + 1]]
            column[ends[second] : ends[second + 1]] = dual[first, ends[second] : ends[second + 1]]
            columns.append(column)
    return np.array(columns).T, estimator.intercept_


def _scored(graph: Graph, compared: Node, weights: Any, intercepts: Any) -> Node:
    dense = np.ascontiguousarray(weights, dtype=np.float64)
    scores = graph.add("matmul", compared, width=dense.shape[1], weights=dense)
    return graph.add("add", scores, width=scores.width, value=np.asarray(intercepts, dtype=np.float64))


def ridge_with_kernel(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """kernel(x, rows) · dual."""
    gamma = 1.0 / estimator.n_features_in_ if estimator.gamma is None else estimator.gamma
    kernel = {"polynomial": "poly"}.get(estimator.kernel, estimator.kernel)
    if kernel not in KERNELS:
        raise Unlowerable(f"KernelRidge has the kernel {estimator.kernel!r}")
    x = graph.matrix(source)
    rows = np.asarray(estimator.X_fit_, dtype=np.float64)
    graph.need(len(rows) * x.width)
    compared = graph.add(
        *("kernel", x), width=len(rows), vectors=rows, name=kernel, gamma=float(gamma),
        degree=int(estimator.degree), coef0=float(estimator.coef0),
    )  # fmt: skip
    weights = np.asarray(estimator.dual_coef_, dtype=np.float64).reshape(len(rows), -1)
    return Lowered(numbers=graph.add("matmul", compared, width=weights.shape[1], weights=weights))


def neighbours_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The share of each class among the nearest rows."""
    if np.ndim(estimator._y) != 1:
        raise Unlowerable("KNeighborsClassifier of several targets")
    targets = np.eye(len(estimator.classes_))[estimator._y]
    return by_probability(graph, _nearest(graph, estimator, source, targets))


def neighbours_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The mean of the nearest rows."""
    targets = np.asarray(estimator._y, dtype=np.float64).reshape(len(estimator._y), -1)
    return Lowered(numbers=_nearest(graph, estimator, source, targets))


def _nearest(graph: Graph, estimator: Any, source: Source, targets: Any) -> Node:
    power = {"euclidean": 2.0, "manhattan": 1.0, "minkowski": float(estimator.effective_metric_params_.get("p", 2))}
    metric = estimator.effective_metric_
    if metric not in power or estimator.weights not in ("uniform", "distance"):
        raise Unlowerable(f"neighbours by the metric {metric!r} and weights {estimator.weights!r}")
    if any(value is not None for name, value in estimator.effective_metric_params_.items() if name != "p"):
        raise Unlowerable(f"neighbours by the metric {metric!r} with parameters of its own")
    rows = np.asarray(estimator._fit_X, dtype=np.float64)
    x = graph.matrix(source)
    return graph.add(
        *("neighbours", x), width=targets.shape[1], rows=rows, targets=targets, count=int(estimator.n_neighbors),
        power=power[metric], by_distance=estimator.weights == "distance",
    )  # fmt: skip


ESTIMATORS: dict[type, Any] = {
    svm.SVR: support_vector_regressor,
    svm.NuSVR: support_vector_regressor,
    svm.SVC: support_vector_classifier,
    svm.NuSVC: support_vector_classifier,
    kernel_ridge.KernelRidge: ridge_with_kernel,
    neighbors.KNeighborsClassifier: neighbours_classifier,
    neighbors.KNeighborsRegressor: neighbours_regressor,
}
