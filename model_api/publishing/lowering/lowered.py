"""What an estimator becomes: the nodes of its answers, as scikit-learn's methods would give them."""

from dataclasses import dataclass

from model_api.publishing.lowering.graph import Graph, Node, Unlowerable


@dataclass(frozen=True)
class Lowered:
    """The answers of one estimator; None where it has no such method."""

    numbers: Node | None = None
    """A regressor's `predict`, n × outputs."""
    labels: Node | None = None
    """A classifier's `predict`, as positions among its `classes_`."""
    probabilities: Node | None = None
    """`predict_proba`, n × classes."""
    decision: Node | None = None
    """`decision_function`; of two classes n × 1."""


def required(node: Node | None, what: str) -> Node:
    """Give a node that must be there. Raises Unlowerable."""
    if node is None:
        raise Unlowerable(f"{what} is not lowered")
    return node


def by_decision(graph: Graph, decision: Node, probabilities: Node | None = None) -> Lowered:
    """Label by the sign of the one decision, or the largest of several."""
    labels = graph.add("above" if decision.width == 1 else "argmax", decision, width=1)
    return Lowered(labels=labels, probabilities=probabilities, decision=decision)


def by_probability(graph: Graph, probabilities: Node, decision: Node | None = None) -> Lowered:
    """Label by the largest probability."""
    labels = graph.add("argmax", probabilities, width=1)
    return Lowered(labels=labels, probabilities=probabilities, decision=decision)


def logistic(graph: Graph, decision: Node) -> Node:
    """Turn a decision into probabilities: the sigmoid of one, the softmax of several."""
    if decision.width == 1:
        second = graph.add("sigmoid", decision, width=1)
        return graph.add("pair", second, width=2)
    return graph.add("softmax", decision, width=decision.width)
