"""Estimators made of estimators. `estimate` lowers any estimator that predicts."""

from typing import Any

import numpy as np
from sklearn import calibration, compose, ensemble, isotonic, model_selection, multiclass, multioutput, pipeline

from model_api.publishing.lowering import bayes, ensembles, kernels, linear, neural
from model_api.publishing.lowering.composition import transform
from model_api.publishing.lowering.graph import Graph, Node, Source, Unlowerable
from model_api.publishing.lowering.lowered import Lowered, by_probability, required


def estimate(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Lower a fitted regressor or classifier. Raises Unlowerable, naming the class that has no plan."""
    if type(estimator) not in ESTIMATORS:
        raise Unlowerable(f"{type(estimator).__name__} has no plan")
    lowered: Lowered = ESTIMATORS[type(estimator)](graph, estimator, source)
    return lowered


def last_of_pipeline(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Steps that transform, then one that predicts."""
    for _, step in estimator.steps[:-1]:
        source = transform(graph, step, source)
    return estimate(graph, estimator.steps[-1][1], source)


def best_of_search(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """What a search found."""
    return estimate(graph, estimator.best_estimator_, source)


def transformed_target(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """A regression of a transformed target, and the way back."""
    numbers = required(estimate(graph, estimator.regressor_, source).numbers, "the regressor")
    way_back = estimator.transformer_
    if type(way_back).__name__ == "FunctionTransformer":
        known = {np.expm1: "expm1", np.exp: "exp", np.square: "square", np.sqrt: "sqrt", np.log: "log"}
        if way_back.inverse_func not in known or way_back.inv_kw_args:
            raise Unlowerable("TransformedTargetRegressor calls a function of the user's own")
        return Lowered(numbers=graph.add("function", numbers, width=numbers.width, name=known[way_back.inverse_func]))
    if type(way_back).__name__ != "StandardScaler":
        raise Unlowerable(f"TransformedTargetRegressor with {type(way_back).__name__}")
    if way_back.with_std:
        numbers = graph.add("multiply", numbers, width=numbers.width, value=way_back.scale_)
    if way_back.with_mean:
        numbers = graph.add("add", numbers, width=numbers.width, value=way_back.mean_)
    return Lowered(numbers=numbers)


def voting_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The weighted mean of several regressors."""
    members = [required(estimate(graph, member, source).numbers, "a member") for member in estimator.estimators_]
    return Lowered(numbers=_average(graph, members, _weights(estimator)))


def voting_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The weighted mean of probabilities, or the weighted votes."""
    members = [estimate(graph, member, source) for member in estimator.estimators_]
    weights, classes = _weights(estimator), len(estimator.classes_)
    if estimator.voting == "soft":
        shares = [required(member.probabilities, "a member without probabilities") for member in members]
        return by_probability(graph, _average(graph, shares, weights))
    labels = [required(member.labels, "a member") for member in members]
    votes = graph.add("votes", *labels, width=classes, weights=weights, classes=classes)
    return Lowered(labels=graph.add("argmax", votes, width=1))


def _weights(estimator: Any) -> Any:
    weights = estimator._weights_not_none
    return np.ones(len(estimator.estimators_)) if weights is None else np.asarray(weights, dtype=np.float64)


def _average(graph: Graph, members: list[Node], weights: Any) -> Node:
    width = members[0].width
    graph.need(width * len(members))
    return graph.add("average", *members, width=width, weights=weights)


def stacking(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """A last estimator on the answers of others."""
    answers = []
    kept = [member for member in estimator.estimators_ if member != "drop"]
    for member, method in zip(kept, estimator.stack_method_, strict=True):
        classes = getattr(member, "classes_", None) if estimator.cv == "prefit" else None
        answers.append(_answer(graph, estimate(graph, member, source), method, classes))
    if estimator.passthrough:
        answers.append(graph.matrix(source))
    return estimate(graph, estimator.final_estimator_, graph.join(answers))


def _answer(graph: Graph, member: Lowered, method: str, classes: Any) -> Node:
    """Give what a member passes on; one that came fitted passes on its `classes` themselves, not their positions."""
    if method == "predict_proba":
        shares = required(member.probabilities, "a member without probabilities")
        if shares.width > 2:
            return shares
        return graph.add("take", shares, width=1, columns=np.array([1]))
    if method == "decision_function":
        return required(member.decision, "a member without a decision function")
    if member.numbers is not None:
        return member.numbers
    labels = required(member.labels, "a member")
    if classes is None:
        return graph.add("as_column", labels, width=1)
    if np.asarray(classes).dtype.kind not in "iufb":
        raise Unlowerable("a stack on the names of classes")
    chosen = graph.add("indicators", labels, width=len(classes), classes=len(classes))
    return graph.add("matmul", chosen, width=1, weights=np.asarray(classes, dtype=np.float64).reshape(-1, 1))


def bagging_regressor(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The mean of members, each on its features."""
    members = [required(member.numbers, "a member") for member in _bag(graph, estimator, source)]
    total = graph.add("total", *members, width=members[0].width)
    return Lowered(numbers=_mean(graph, total, len(members)))


def bagging_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The mean of members' probabilities."""
    classes = len(estimator.classes_)
    if any(len(member.classes_) != classes for member in estimator.estimators_):
        raise Unlowerable("BaggingClassifier has a member that never saw one of the classes")
    members = [
        required(member.probabilities, "a member without probabilities") for member in _bag(graph, estimator, source)
    ]
    return by_probability(graph, _mean(graph, graph.add("total", *members, width=classes), len(members)))


def _bag(graph: Graph, estimator: Any, source: Source) -> list[Lowered]:
    x = graph.matrix(source)
    lowered = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        places = np.asarray(features)
        whole = len(places) == x.width and (places == np.arange(x.width)).all()
        part = x if whole else graph.add("take", x, width=len(places), columns=places)
        lowered.append(estimate(graph, member, part))
    return lowered


def _mean(graph: Graph, total: Node, count: int) -> Node:
    return graph.add("divide", total, width=total.width, value=np.array([float(count)]))


def adaptive_boosting(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """AdaBoost's classifier (SAMME): weighted votes, centred."""
    classes = len(estimator.classes_)
    x = graph.matrix(source)
    labels = [required(estimate(graph, member, x).labels, "a member") for member in estimator.estimators_]
    votes = []
    for label, weight in zip(labels, estimator.estimator_weights_, strict=False):
        chosen = graph.add("indicators", label, width=classes, classes=classes)
        step = (classes / (classes - 1)) * float(weight)
        scaled = graph.add("multiply", chosen, width=classes, value=np.full(classes, step))
        votes.append(graph.add("add", scaled, width=classes, value=np.full(classes, -float(weight) / (classes - 1))))
    total = graph.add("total", *votes, width=classes) if len(votes) > 1 else votes[0]
    scores = graph.add("divide", total, width=classes, value=np.array([float(estimator.estimator_weights_.sum())]))
    if classes == 2:
        weights = np.array([[-1.0], [1.0]])
        decision = graph.add("matmul", scores, width=1, weights=weights)
        halves = graph.add("divide", decision, width=1, value=np.array([2.0]))
        both = graph.join([graph.add("multiply", halves, width=1, value=np.array([-1.0])), halves])
        shares = graph.add("softmax", both, width=2)
        return Lowered(labels=graph.add("above", decision, width=1), probabilities=shares, decision=decision)
    spread = graph.add("divide", scores, width=classes, value=np.array([float(classes - 1)]))
    return Lowered(
        labels=graph.add("argmax", scores, width=1),
        probabilities=graph.add("softmax", spread, width=classes),
        decision=scores,
    )


def calibrated(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """The mean of several calibrated classifiers."""
    members = [_calibrated(graph, member, source, estimator) for member in estimator.calibrated_classifiers_]
    if len(members) == 1:
        return by_probability(graph, members[0])
    total = graph.add("total", *members, width=members[0].width)
    return by_probability(graph, _mean(graph, total, len(members)))


def _calibrated(graph: Graph, member: Any, source: Source, whole: Any) -> Node:
    inner = estimate(graph, member.estimator, source)
    classes = len(whole.classes_)
    if len(member.estimator.classes_) != classes:
        raise Unlowerable("CalibratedClassifierCV has a member that never saw one of the classes")
    scores = inner.decision
    if scores is None:
        shares = required(inner.probabilities, "a member without probabilities")
        scores = graph.add("take", shares, width=1, columns=np.array([1])) if classes == 2 else shares
    if member.method == "temperature":
        raise Unlowerable("CalibratedClassifierCV by temperature")
    columns = []
    for place, calibrator in enumerate(member.calibrators):
        column = scores if scores.width == 1 else graph.add("take", scores, width=1, columns=np.array([place]))
        columns.append(_calibration(graph, calibrator, column))
    if classes == 2:
        return graph.add("pair", columns[0], width=2)
    return graph.add("share", graph.join(columns), width=classes)


def _calibration(graph: Graph, calibrator: Any, score: Node) -> Node:
    if isinstance(calibrator, isotonic.IsotonicRegression):
        return graph.add(
            "isotonic", score, width=1, landmarks=calibrator.X_thresholds_, values=calibrator.y_thresholds_
        )
    slope = graph.add("multiply", score, width=1, value=np.array([-float(calibrator.a_)]))
    shifted = graph.add("subtract", slope, width=1, value=np.array([float(calibrator.b_)]))
    return graph.add("sigmoid", shifted, width=1)


def one_against_rest(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """One classifier for each class."""
    if estimator.multilabel_:
        raise Unlowerable("OneVsRestClassifier of several labels")
    if len(estimator.estimators_) == 1:
        return estimate(graph, estimator.estimators_[0], source)
    members = [estimate(graph, member, source) for member in estimator.estimators_]
    if all(member.probabilities is not None for member in members):
        each = [
            graph.add("take", required(member.probabilities, ""), width=1, columns=np.array([1])) for member in members
        ]
        shares = graph.add("share", graph.join(each), width=len(each), of_nothing=0.0)
    else:
        shares, each = None, []
    scores = [member.decision for member in members]
    known = [score for score in scores if score is not None]
    best = graph.join(known if len(known) == len(members) else each)
    return Lowered(labels=graph.add("argmax", best, width=1), probabilities=shares, decision=best)


def each_output(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """One regressor for each number."""
    members = [required(estimate(graph, member, source).numbers, "a member") for member in estimator.estimators_]
    return Lowered(numbers=graph.join(members))


def chain(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """Each number from the features and the numbers before it."""
    x = graph.matrix(source)
    found: list[Node] = []
    for member in estimator.estimators_:
        found.append(required(estimate(graph, member, graph.join([x, *found])).numbers, "a member"))
    order = np.argsort(estimator.order_)
    return Lowered(numbers=graph.add("take", graph.join(found), width=len(found), columns=order))


def threshold_classifier(graph: Graph, estimator: Any, source: Source) -> Lowered:
    """A classifier of two classes with a threshold of its own, fixed or tuned."""
    inner = estimate(graph, estimator.estimator_, source)
    method = getattr(estimator, "response_method", "auto")
    threshold = getattr(estimator, "best_threshold_", None)
    if threshold is None:
        threshold = estimator.threshold
    use_shares = inner.probabilities is not None and method in ("auto", "predict_proba")
    if threshold == "auto":
        threshold = 0.5 if use_shares else 0.0
    positive = getattr(estimator, "pos_label", None)
    if hasattr(estimator, "_curve_scorer"):
        positive = estimator._curve_scorer._get_pos_label()
    place = 1 if positive is None else int(np.flatnonzero(estimator.classes_ == positive)[0])
    if use_shares:
        score, column = required(inner.probabilities, "the classifier"), place
    else:
        score, column = required(inner.decision, "the classifier"), 0
        if place == 0:
            score = graph.add("multiply", score, width=1, value=np.array([-1.0]))
    labels = graph.add("at_least", score, width=1, column=column, threshold=float(threshold), labels=[1 - place, place])
    return Lowered(labels=labels, probabilities=inner.probabilities, decision=inner.decision)


ESTIMATORS: dict[type, Any] = {
    **bayes.ESTIMATORS,
    **ensembles.ESTIMATORS,
    **kernels.ESTIMATORS,
    **linear.ESTIMATORS,
    **neural.ESTIMATORS,
    pipeline.Pipeline: last_of_pipeline,
    **dict.fromkeys((model_selection.GridSearchCV, model_selection.RandomizedSearchCV), best_of_search),
    compose.TransformedTargetRegressor: transformed_target,
    ensemble.VotingRegressor: voting_regressor,
    ensemble.VotingClassifier: voting_classifier,
    **dict.fromkeys((ensemble.StackingClassifier, ensemble.StackingRegressor), stacking),
    ensemble.BaggingRegressor: bagging_regressor,
    ensemble.BaggingClassifier: bagging_classifier,
    ensemble.AdaBoostClassifier: adaptive_boosting,
    calibration.CalibratedClassifierCV: calibrated,
    multiclass.OneVsRestClassifier: one_against_rest,
    multioutput.MultiOutputRegressor: each_output,
    multioutput.RegressorChain: chain,
    **dict.fromkeys(
        (model_selection.FixedThresholdClassifier, model_selection.TunedThresholdClassifierCV), threshold_classifier
    ),
}
