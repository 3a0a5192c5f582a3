"""Steps made of steps: pipelines, column transformers, unions. `transform` lowers any step that transforms."""

from typing import Any

import numpy as np
from sklearn import compose, feature_selection, pipeline

from model_api.publishing.lowering import encoders, preprocessing, text
from model_api.publishing.lowering.graph import Frame, Graph, Node, Source, Unlowerable


def transform(graph: Graph, step: Any, source: Source) -> Source:
    """Lower a fitted transformer. Raises Unlowerable, naming the class that has no plan."""
    if step is None or isinstance(step, str):
        if step not in (None, "passthrough"):
            raise Unlowerable(f"a step is {step!r}")
        return source
    if type(step) in TRANSFORMERS:
        lowered: Source = TRANSFORMERS[type(step)](graph, step, source)
        return lowered
    if isinstance(step, feature_selection.SelectorMixin) and type(step).__module__.startswith("sklearn."):
        return preprocessing.selector(graph, step, source)
    raise Unlowerable(f"{type(step).__name__} has no plan")


def whole_pipeline(graph: Graph, step: Any, source: Source) -> Source:
    """One step after the other."""
    for _, inner in step.steps:
        source = transform(graph, inner, source)
    return source


def column_transformer(graph: Graph, step: Any, source: Source) -> Node:
    """Each step on its columns, the results side by side."""
    parts = []
    for name, inner, _ in step.transformers_:
        if isinstance(inner, str) and inner == "drop":
            continue
        places = list(step._transformer_to_input_indices[name])
        if not places:
            continue
        part = graph.node(transform(graph, inner, _columns(graph, source, places)))
        parts.append(_weighted(graph, part, (step.transformer_weights or {}).get(name)))
    return graph.join(parts)


def _columns(graph: Graph, source: Source, places: list[int]) -> Source:
    if isinstance(source, Frame):
        return source.take(places)
    if places == list(range(source.width)):
        return source
    return graph.add("take", source, width=len(places), raw=source.raw, columns=np.array(places))


def feature_union(graph: Graph, step: Any, source: Source) -> Node:
    """Several steps on the same columns, the results side by side."""
    parts = []
    for name, inner in step.transformer_list:
        if isinstance(inner, str) and inner == "drop":
            continue
        part = graph.node(transform(graph, inner, source))
        parts.append(_weighted(graph, part, (step.transformer_weights or {}).get(name)))
    return graph.join(parts)


def _weighted(graph: Graph, part: Node, weight: float | None) -> Node:
    if weight is None:
        return part
    if part.raw:
        raise Unlowerable("a weight of plain values")
    return graph.add("multiply", part, width=part.width, value=np.full(part.width, float(weight)))


TRANSFORMERS: dict[type, Any] = {
    **preprocessing.TRANSFORMERS,
    **encoders.TRANSFORMERS,
    **text.TRANSFORMERS,
    pipeline.Pipeline: whole_pipeline,
    pipeline.FeatureUnion: feature_union,
    compose.ColumnTransformer: column_transformer,
}
