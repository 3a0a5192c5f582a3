"""Encoders of categories: one column a level, one number a level, or what the target was for a level."""

from typing import Any

import numpy as np
from sklearn import preprocessing

from model_api.publishing.lowering.graph import Graph, Node, Source, plain_level


def one_hot_encoder(graph: Graph, step: Any, source: Source) -> Node:
    """One column a level, without dropped levels, infrequent ones together."""
    node = graph.node(source)
    levels, places, unknown, start = [], [], [], 0
    for column, categories in enumerate(step.categories_):
        codes, infrequent = _codes(step, column, len(categories))
        dropped = _dropped(step, column)
        outputs = [_output(code, dropped, start) for code in codes]
        levels.append([plain_level(level) for level in categories])
        places.append(outputs)
        takes_unknown = step.handle_unknown in ("infrequent_if_exist", "warn") and infrequent is not None
        unknown.append(_output(infrequent, dropped, start) if takes_unknown else -1)
        start += _outputs(step, column)
    return graph.add("one_hot", node, width=start, columns=start, levels=levels, places=places, unknown=unknown)


def _output(code: int | None, dropped: int | None, start: int) -> int:
    """Give the output column of a code, -1 for the dropped one."""
    assert code is not None
    if dropped is None:
        return start + code
    return -1 if code == dropped else start + code - (code > dropped)


def _codes(step: Any, column: int, count: int) -> tuple[list[int], int | None]:
    """Give the code of each level, and that of all infrequent levels."""
    mappings = getattr(step, "_default_to_infrequent_mappings", None)
    mapping = mappings[column] if mappings else None
    if mapping is None:
        return list(range(count)), None
    return [int(code) for code in mapping], int(max(mapping))


def _dropped(step: Any, column: int) -> int | None:
    after_grouping = getattr(step, "_drop_idx_after_grouping", None)
    if after_grouping is None or after_grouping[column] is None:
        return None
    return int(after_grouping[column])


def _outputs(step: Any, column: int) -> int:
    return int(step._n_features_outs[column])


def ordinal_encoder(graph: Graph, step: Any, source: Source) -> Node:
    """The place of a level among the levels."""
    node = graph.node(source)
    levels, values, unknown = [], [], []
    other = step.unknown_value if step.handle_unknown == "use_encoded_value" else None
    for column, categories in enumerate(step.categories_):
        known = [plain_level(level) for level in categories]
        codes = iter(_codes(step, column, len(categories))[0])  # where rare ones are grouped, the missing has none
        levels.append(known)
        values.append([step.encoded_missing_value if level is None else next(codes) for level in known])
        unknown.append(other)
    inputs = list(range(len(levels)))
    return _lookup(graph, node, inputs=inputs, levels=levels, values=values, unknown=unknown)


def target_encoder(graph: Graph, step: Any, source: Source) -> Node:
    """What the target was, on average, for a level."""
    node = graph.node(source)
    known = [[plain_level(level) for level in categories] for categories in step.categories_]
    if step.target_type_ == "multiclass":
        classes = len(step.classes_)
        inputs = [place // classes for place in range(len(step.encodings_))]
        means = [float(step.target_mean_[place % classes]) for place in range(len(step.encodings_))]
    else:
        inputs = list(range(len(known)))
        means = [float(step.target_mean_)] * len(known)
    values = [encodings.tolist() for encodings in step.encodings_]
    levels = [known[place] for place in inputs]
    return _lookup(graph, node, inputs=inputs, levels=levels, values=values, unknown=means)


def _lookup(graph: Graph, node: Node, *, inputs: list[int], values: Any, unknown: Any, levels: Any) -> Node:
    written = [[_number(value) for value in column] for column in values]
    others = [_number(value) for value in unknown]
    return graph.add("lookup", node, width=len(inputs), inputs=inputs, levels=levels, values=written, unknown=others)


def _number(value: Any) -> float | None:
    """Write a number for JSON, which has no NaN: None."""
    return None if value is None or np.isnan(value) else float(value)


TRANSFORMERS: dict[type, Any] = {
    preprocessing.OneHotEncoder: one_hot_encoder,
    preprocessing.OrdinalEncoder: ordinal_encoder,
    preprocessing.TargetEncoder: target_encoder,
}
