"""Trees and ensembles of trees → one TreeEnsemble of ONNX in double, which gives scikit-learn's very bits.

Leaves hold what scikit-learn adds up, and trees stand in the order in which it does so; what it starts from is part of
the first tree's leaves. A leaf of ONNX has one target, so a tree with several outputs is written once for each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper
from sklearn import ensemble, tree

from model_api.publishing.lowering.composition import transform
from model_api.publishing.lowering.graph import Graph, Node, Source, Unlowerable
from model_api.publishing.lowering.lowered import Lowered, by_decision, by_probability, logistic

LEAF = -1
LESS_OR_EQUAL, MEMBER = 0, 6
"""Modes of a node, as ai.onnx.ml's TreeEnsemble numbers them."""
OPSETS = (helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5))
IR_VERSION = 10
NO_CATEGORY = -1.0
"""Stands in an empty set of categories, which ONNX does not allow."""


@dataclass
class TreeEnsemble:
    """The attributes of one TreeEnsemble, tree by tree."""

    targets: int
    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    missing_true: list[int] = field(default_factory=list)
    true_ids: list[int] = field(default_factory=list)
    true_leafs: list[int] = field(default_factory=list)
    false_ids: list[int] = field(default_factory=list)
    false_leafs: list[int] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    leaf_targets: list[int] = field(default_factory=list)
    leaf_weights: list[float] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    def add_tree(self, target: int, nodes: "list[Split]", weights: dict[int, float]) -> None:
        """Add a tree: inner nodes in any order, the root first, and the weight of each leaf by its number."""
        if not nodes:  # a tree that is one leaf: ONNX wants a split, which goes nowhere else
            nodes = [Split(0, 0, 0, 0.0)]
            weights = {0: next(iter(weights.values()))}
            leaves = {0: len(self.leaf_weights)}
            inner = {-2: len(self.features)}
        else:
            leaves = {number: len(self.leaf_weights) + i for i, number in enumerate(weights)}
            inner = {node.number: len(self.features) + i for i, node in enumerate(nodes)}
        self.roots.append(len(self.features))
        for node in nodes:
            self.features.append(node.feature)
            self.splits.append(node.threshold)
            self.missing_true.append(int(node.missing_left))
            self.modes.append(LESS_OR_EQUAL if node.members is None else MEMBER)
            if node.members is not None:
                self.members += [*(node.members or [NO_CATEGORY]), float("nan")]
            self.true_ids.append(leaves.get(node.left, inner.get(node.left, 0)))
            self.true_leafs.append(int(node.left in leaves))
            self.false_ids.append(leaves.get(node.right, inner.get(node.right, 0)))
            self.false_leafs.append(int(node.right in leaves))
        self.leaf_targets += [target] * len(weights)
        self.leaf_weights += weights.values()

    def to_onnx(self, width: int) -> bytes:
        """Write the file: x, n × width, to y, n × targets."""
        double = onnx.TensorProto.DOUBLE
        members = {"membership_values": _doubles("membership_values", self.members)} if self.members else {}
        node = helper.make_node(
            "TreeEnsemble",
            ["x"],
            ["y"],
            domain="ai.onnx.ml",
            tree_roots=self.roots,
            nodes_featureids=self.features,
            nodes_splits=_doubles("nodes_splits", self.splits),
            nodes_modes=helper.make_tensor("nodes_modes", onnx.TensorProto.UINT8, [len(self.modes)], self.modes),
            nodes_missing_value_tracks_true=self.missing_true,
            nodes_truenodeids=self.true_ids,
            nodes_trueleafs=self.true_leafs,
            nodes_falsenodeids=self.false_ids,
            nodes_falseleafs=self.false_leafs,
            leaf_targetids=self.leaf_targets,
            leaf_weights=_doubles("leaf_weights", self.leaf_weights),
            n_targets=self.targets,
            aggregate_function=1,  # the sum
            **members,
        )
        shapes = [helper.make_tensor_value_info(*value) for value in (("x", double, [None, width]),)]
        out = helper.make_tensor_value_info("y", double, [None, self.targets])
        model = helper.make_model(helper.make_graph([node], "trees", shapes, [out]), opset_imports=OPSETS)
        model.ir_version = IR_VERSION
        data: bytes = model.SerializeToString(deterministic=True)
        return data


@dataclass(frozen=True)
class Split:
    """One inner node."""

    number: int
    left: int
    """Where values go that are at most the threshold, or among the members."""
    right: int
    threshold: float
    feature: int = 0
    missing_left: bool = False
    members: list[float] | None = None
    """Of a split by category, the categories that go left."""


def _doubles(name: str, values: Iterable[float]) -> Any:
    written = list(values)
    return helper.make_tensor(name, onnx.TensorProto.DOUBLE, [len(written)], written)


def _splits(fitted: Any) -> list[Split]:
    """Give the inner nodes of scikit-learn's Tree, the root first."""
    missing = getattr(fitted, "missing_go_to_left", np.zeros(fitted.node_count))
    return [
        Split(i, int(left), int(right), float(threshold), int(feature), bool(missing_left))
        for i, (left, right, threshold, feature, missing_left) in enumerate(
            zip(fitted.children_left, fitted.children_right, fitted.threshold, fitted.feature, missing, strict=True)
        )
        if left != LEAF
    ]


def _leaves(fitted: Any, values: Any) -> dict[int, float]:
    return {int(i): float(values[i]) for i in np.flatnonzero(fitted.children_left == LEAF)}


def _compiled(graph: Graph, built: TreeEnsemble, x: Node, *, single: bool) -> Node:
    name = f"trees-{len(graph.files)}.onnx"
    file = graph.keep_file(name, built.to_onnx(x.width))
    return graph.add("trees", x, width=built.targets, ensemble=file, single=single)


def _sum_of_trees(graph: Graph, source: Source, trees: list[Any], outputs: Any) -> Node:
    """Add up trees; `outputs` gives for a tree the value of each node, nodes × targets."""
    values = [outputs(fitted) for fitted in trees]
    built = TreeEnsemble(values[0].shape[1])
    for target in range(built.targets):
        for fitted, value in zip(trees, values, strict=True):
            built.add_tree(target, _splits(fitted), _leaves(fitted, value[:, target]))
    return _compiled(graph, built, graph.matrix(source), single=True)


def tree_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The shares of the classes in a leaf."""
    _one_target(estimator)
    return by_probability(graph, _sum_of_trees(graph, source, [estimator.tree_], lambda t: t.value[:, 0, :]))


def forest_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The mean of the trees' shares."""
    _one_target(estimator)
    trees = [member.tree_ for member in estimator.estimators_]
    sums = _sum_of_trees(graph, source, trees, lambda t: t.value[:, 0, :])
    return by_probability(graph, graph.add("divide", sums, width=sums.width, value=np.array([float(len(trees))])))


def _one_target(estimator: Any) -> None:
    if estimator.n_outputs_ != 1:
        raise Unlowerable(f"{type(estimator).__name__} of several targets")


def tree_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The value of a leaf."""
    return Lowered(numbers=_sum_of_trees(graph, source, [estimator.tree_], lambda t: t.value[:, :, 0]))


def forest_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The mean of the trees' values."""
    trees = [member.tree_ for member in estimator.estimators_]
    sums = _sum_of_trees(graph, source, trees, lambda t: t.value[:, :, 0])
    return Lowered(numbers=graph.add("divide", sums, width=sums.width, value=np.array([float(len(trees))])))


def gradient_boosting(graph: Graph, estimator: Any, source: Source) -> Node:
    """Give the raw scores: what it starts from, and the learning rate times each tree."""
    if not (isinstance(estimator.init_, str) or type(estimator.init_).__module__ == "sklearn.dummy"):
        raise Unlowerable(f"{type(estimator).__name__} starts from an estimator of the user's own")
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32))[0]
    built = TreeEnsemble(len(start))
    for target, first in enumerate(start.tolist()):
        for stage, member in enumerate(estimator.estimators_[:, target]):
            weights = _leaves(member.tree_, estimator.learning_rate * member.tree_.value[:, 0, 0])
            if stage == 0:
                weights = {number: first + weight for number, weight in weights.items()}
            built.add_tree(target, _splits(member.tree_), weights)
    return _compiled(graph, built, graph.matrix(source), single=True)


def boosting_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The raw score."""
    return Lowered(numbers=gradient_boosting(graph, estimator, source))


def boosting_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Sigmoid or softmax of the raw scores."""
    scores = gradient_boosting(graph, estimator, source)
    if scores.width > 1:
        return by_decision(graph, scores, logistic(graph, scores))
    double = estimator.loss == "exponential"
    bent = graph.add("multiply", scores, width=1, value=np.array([2.0])) if double else scores
    labels = graph.add("at_least", scores, width=1, column=0, threshold=0.0)
    return Lowered(labels=labels, probabilities=logistic(graph, bent), decision=scores)


def hist_boosting(graph: Graph, estimator: Any, source: Source) -> Node:
    """Give the raw scores of histogram-based boosting, its own handling of categories and missing values included."""
    if estimator._preprocessor is not None:
        source = _prepared(graph, estimator, source)
    x = graph.matrix(source)
    start = np.ravel(estimator._baseline_prediction).tolist()
    built = TreeEnsemble(len(start))
    for target, first in enumerate(start):
        for stage, predictors in enumerate(estimator._predictors):
            splits, weights = _histogram_tree(predictors[target])
            if stage == 0:
                weights = {number: first + weight for number, weight in weights.items()}
            built.add_tree(target, splits, weights)
    if not estimator._predictors:
        return graph.add("constant", x, width=len(start), value=np.array(start))
    return _compiled(graph, built, x, single=False)


def _prepared(graph: Graph, estimator: Any, source: Source) -> Node:
    """Encode categories as the estimator does, and put them first, as it does."""
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    categorical = estimator.is_categorical_
    places = np.flatnonzero(categorical), np.flatnonzero(~categorical)
    parts = [
        graph.matrix(transform(graph, encoder, _some(graph, source, places[0]))),
        *([graph.matrix(_some(graph, source, places[1]))] if len(places[1]) else []),
    ]
    return graph.join(parts)


def _some(graph: Graph, source: Source, places: Any) -> Source:
    if not isinstance(source, Node):
        return source.take(places.tolist())
    return graph.add("take", source, width=len(places), raw=source.raw, columns=places)


def _histogram_tree(predictor: Any) -> tuple[list[Split], dict[int, float]]:
    splits, weights = [], {}
    for number, node in enumerate(predictor.nodes):
        if node["is_leaf"]:
            weights[number] = float(node["value"])
            continue
        members = None
        if node["is_categorical"]:
            words = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            members = [float(value) for value in range(256) if words[value // 32] >> (value % 32) & 1]
        splits.append(
            Split(
                number,
                int(node["left"]),
                int(node["right"]),
                float(node["num_threshold"]),
                int(node["feature_idx"]),
                bool(node["missing_go_to_left"]),
                members,
            )
        )
    return splits, weights


def hist_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The raw score, or its exponential for counts."""
    numbers = hist_boosting(graph, estimator, source)
    if estimator.loss in ("poisson", "gamma"):
        numbers = graph.add("function", numbers, width=1, name="exp")
    return Lowered(numbers=numbers)


def hist_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Sigmoid or softmax of the raw scores."""
    scores = hist_boosting(graph, estimator, source)
    return by_decision(graph, scores, logistic(graph, scores))


ESTIMATORS: dict[type, Any] = {
    **dict.fromkeys((tree.DecisionTreeClassifier, tree.ExtraTreeClassifier), tree_classifier),
    **dict.fromkeys((tree.DecisionTreeRegressor, tree.ExtraTreeRegressor), tree_regressor),
    **dict.fromkeys((ensemble.RandomForestClassifier, ensemble.ExtraTreesClassifier), forest_classifier),
    **dict.fromkeys((ensemble.RandomForestRegressor, ensemble.ExtraTreesRegressor), forest_regressor),
    ensemble.GradientBoostingClassifier: boosting_classifier,
    ensemble.GradientBoostingRegressor: boosting_regressor,
    ensemble.HistGradientBoostingClassifier: hist_classifier,
    ensemble.HistGradientBoostingRegressor: hist_regressor,
}
