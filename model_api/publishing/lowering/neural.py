"""Multi-layer perceptrons."""

from typing import Any

from sklearn import neural_network

from model_api.publishing.lowering.graph import Graph, Node, Source
from model_api.publishing.lowering.lowered import Lowered, by_probability

ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "tanh": ("function", {"name": "tanh"}),
    "logistic": ("sigmoid", {}),
    "relu": ("rectify", {}),
}


def _layers(graph: Graph, estimator: Any, source: Source) -> Node:
    x = graph.matrix(source)
    last = len(estimator.coefs_) - 1
    for place, (weights, intercepts) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        x = graph.add("matmul", x, width=weights.shape[1], weights=weights)
        x = graph.add("add", x, width=x.width, value=intercepts)
        if place < last and estimator.activation != "identity":
            operation, parameters = ACTIVATIONS[estimator.activation]
            x = graph.add(operation, x, width=x.width, **parameters)
    return x


def regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The last layer as it is, or its exponential."""
    numbers = _layers(graph, estimator, source)
    if estimator.out_activation_ == "exp":
        numbers = graph.add("function", numbers, width=numbers.width, name="exp")
    return Lowered(numbers=numbers)


def classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The sigmoid or softmax of the last layer."""
    scores = _layers(graph, estimator, source)
    if scores.width > 1:
        return by_probability(graph, graph.add("softmax", scores, width=scores.width))
    second = graph.add("sigmoid", scores, width=1)
    labels = graph.add("above", second, width=1, threshold=0.5)
    return Lowered(labels=labels, probabilities=graph.add("pair", second, width=2))


ESTIMATORS: dict[type, Any] = {neural_network.MLPRegressor: regressor, neural_network.MLPClassifier: classifier}
