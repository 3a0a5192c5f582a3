"""Scalers, imputers and other steps that take numbers and give numbers."""

from typing import Any

import numpy as np
from sklearn import decomposition, impute, preprocessing

from model_api.publishing.lowering.graph import Frame, Graph, Node, Source, Unlowerable, plain_level
from model_api.runtimes.lowered.operations.arithmetic import FUNCTIONS

NARROW = [f"{name}{bits}" for name in ("int", "uint", "float", "Int", "UInt", "Float") for bits in (8, 16, 32)]
"""Dtypes in which NumPy itself would compute, with results of their own: squares of int16 wrap around."""
WHOLE, OF_WHOLE = ("int64", "uint64"), ("reciprocal", "square", "negative")
"""Dtypes, and functions whose results are whole numbers too."""


def standard_scaler(graph: Graph, step: Any, source: Source) -> Node:
    """(x - mean) / scale."""
    return _shift_and_divide(graph, source, step.mean_ if step.with_mean else None, step.scale_)


def robust_scaler(graph: Graph, step: Any, source: Source) -> Node:
    """(x - median) / interquartile range."""
    shift = step.center_ if step.with_centering else None
    return _shift_and_divide(graph, source, shift, step.scale_ if step.with_scaling else None)


def max_abs_scaler(graph: Graph, step: Any, source: Source) -> Node:
    """x / largest absolute value."""
    return _clipped(graph, step, _shift_and_divide(graph, source, None, step.scale_), -1.0, 1.0)


def _shift_and_divide(graph: Graph, source: Source, shift: Any, scale: Any) -> Node:
    x = graph.matrix(source)
    if shift is not None:
        x = graph.add("subtract", x, width=x.width, value=np.asarray(shift))
    if scale is not None:
        x = graph.add("divide", x, width=x.width, value=np.asarray(scale))
    return x


def min_max_scaler(graph: Graph, step: Any, source: Source) -> Node:
    """x · scale + min."""
    x = graph.matrix(source)
    x = graph.add("multiply", x, width=x.width, value=step.scale_)
    x = graph.add("add", x, width=x.width, value=step.min_)
    return _clipped(graph, step, x, *map(float, step.feature_range))


def _clipped(graph: Graph, step: Any, x: Node, low: float, high: float) -> Node:
    return graph.add("clip", x, width=x.width, low=low, high=high) if getattr(step, "clip", False) else x


def normalizer(graph: Graph, step: Any, source: Source) -> Node:
    """Rows of length one."""
    x = graph.matrix(source)
    return graph.add("normalize", x, width=x.width, norm=step.norm)


def binarizer(graph: Graph, step: Any, source: Source) -> Node:
    """1 above the threshold."""
    x = graph.matrix(source)
    return graph.add("binarize", x, width=x.width, threshold=float(step.threshold))


def power_transformer(graph: Graph, step: Any, source: Source) -> Node:
    """Yeo-Johnson or Box-Cox, then standardised."""
    x = graph.matrix(source)
    operation = {"yeo-johnson": "yeo_johnson", "box-cox": "box_cox"}[step.method]
    x = graph.add(operation, x, width=x.width, lambdas=np.asarray(step.lambdas_))
    return standard_scaler(graph, step._scaler, x) if step.standardize else x


def quantile_transformer(graph: Graph, step: Any, source: Source) -> Node:
    """Ranks, as shares or as normal scores."""
    x = graph.matrix(source)
    normal = step.output_distribution == "normal"
    return graph.add(
        "quantiles", x, width=x.width, landmarks=step.quantiles_, references=step.references_, normal=normal
    )


def bins(graph: Graph, step: Any, source: Source) -> Node:
    """Numbers of bins, or one column a bin."""
    x = graph.matrix(source)
    edges = [np.asarray(column[1:-1], dtype=np.float64) for column in step.bin_edges_]
    codes = graph.add("bins", x, width=x.width, edges=edges)
    if step.encode == "ordinal":
        return codes
    levels = [[float(i) for i in range(count)] for count in step.n_bins_]
    return one_column_a_level(graph, codes, levels)


def one_column_a_level(graph: Graph, codes: Node, levels: list[list[Any]]) -> Node:
    """Encode without unknown and dropped levels."""
    starts = np.cumsum([0, *map(len, levels)]).tolist()
    places = [list(range(start, start + len(known))) for start, known in zip(starts, levels, strict=False)]
    width, unknown = starts[-1], [-1] * len(levels)
    return graph.add("one_hot", codes, width=width, columns=width, levels=levels, places=places, unknown=unknown)


def polynomial_features(graph: Graph, step: Any, source: Source) -> Node:
    """Products of columns."""
    x = graph.matrix(source)
    powers = step.powers_
    degree = max(1, int(powers.sum(axis=1).max(initial=1)))
    factors = np.full((len(powers), degree), x.width, dtype=np.int64)
    for term, exponents in enumerate(powers):
        used = np.repeat(np.arange(x.width), exponents)
        factors[term, : len(used)] = used
    return graph.add("products", x, width=len(powers), factors=factors)


def function_transformer(graph: Graph, step: Any, source: Source) -> Source:
    """A NumPy function by its name, or none."""
    if step.func is None:
        return source
    known = next((name for name, function in FUNCTIONS.items() if function is step.func), None)
    if known is None or step.kw_args:
        name = getattr(step.func, "__name__", str(step.func))
        raise Unlowerable(f"FunctionTransformer calls {name}, which is not a NumPy function of a known name")
    dtypes = [column["dtype"] for column in source.layout] if isinstance(source, Frame) else []
    if any(dtype in NARROW or (known in OF_WHOLE and dtype.lower() in WHOLE) for dtype in dtypes):
        raise Unlowerable(f"FunctionTransformer calls {known} on columns of {', '.join(sorted(set(dtypes)))}")
    x = graph.matrix(source)
    return graph.add("function", x, width=x.width, name=known)


def selector(graph: Graph, step: Any, source: Source) -> Node:
    """Feature selection keeps some columns."""
    chosen = np.flatnonzero(step.get_support())
    node = graph.node(source)
    return graph.add("take", node, width=len(chosen), raw=node.raw, columns=chosen)


def principal_components(graph: Graph, step: Any, source: Source) -> Node:
    """x · componentsᵀ - mean · componentsᵀ, whitened if asked for."""
    x = graph.matrix(source)
    weights = step.components_.T
    x = graph.add("matmul", x, width=weights.shape[1], weights=weights)
    x = graph.add("subtract", x, width=x.width, value=(step.mean_.reshape(1, -1) @ weights)[0])
    if step.whiten:
        smallest = np.finfo(step.explained_variance_.dtype).eps
        x = graph.add("divide", x, width=x.width, value=np.maximum(np.sqrt(step.explained_variance_), smallest))
    return x


def truncated_svd(graph: Graph, step: Any, source: Source) -> Node:
    """x · componentsᵀ."""
    x = graph.matrix(source)
    return graph.add("matmul", x, width=len(step.components_), weights=step.components_.T)


def simple_imputer(graph: Graph, step: Any, source: Source) -> Node:
    """Fill each column's gaps, and tell where they were if asked for."""
    node = graph.node(source)
    fills = [plain_level(value) for value in step.statistics_]
    if step.keep_empty_features:
        fills = [0 if value is None else value for value in fills]
    kept = np.array([i for i, value in enumerate(fills) if value is not None], dtype=np.int64)
    missing = plain_level(step.missing_values)
    others = _marked_otherwise(source, step.missing_values)
    if others and step.add_indicator:
        raise Unlowerable("SimpleImputer tells of gaps that it does not fill")
    fills = [None if i in others else value for i, value in enumerate(fills)]
    filled = _filled(graph, node, fills, missing)
    if len(kept) < node.width:
        filled = graph.add("take", filled, width=len(kept), raw=node.raw, columns=kept)
    if not step.add_indicator:
        return filled
    mask = _mask(graph, node, step.indicator_.features_, missing)
    return graph.join([filled, mask])


def _marked_otherwise(source: Source, missing: Any) -> set[int]:
    """Give the columns of objects whose gaps are marked by None where the step looks for NaN, or the other way."""
    if not isinstance(source, Frame) or not (missing is None or isinstance(missing, float)):
        return set()
    looked_for = "none" if missing is None else "nan"
    return {i for i, column in enumerate(source.layout) if column.get("missing", looked_for) != looked_for}


def _filled(graph: Graph, node: Node, fills: list[Any], missing: Any) -> Node:
    if node.raw:
        return graph.add("fill_raw", node, width=node.width, raw=True, values=fills, missing=missing)
    values = np.array([np.nan if value is None else value for value in fills], dtype=np.float64)
    return graph.add("fill", node, width=node.width, value=values, missing=missing)


def missing_indicator(graph: Graph, step: Any, source: Source) -> Node:
    """1 where a value is missing."""
    if _marked_otherwise(source, step.missing_values):
        raise Unlowerable("MissingIndicator looks for another mark than the frame has")
    node = graph.node(source)
    return _mask(graph, node, step.features_, plain_level(step.missing_values))


def _mask(graph: Graph, node: Node, features: Any, missing: Any) -> Node:
    chosen = np.asarray(features, dtype=np.int64)
    if node.raw:
        return graph.add("missing_raw", node, width=len(chosen), chosen=chosen, missing=missing)
    return graph.add("missing_mask", node, width=len(chosen), columns=chosen, missing=missing)


def nothing(graph: Graph, step: Any, source: Source) -> Source:  # noqa: ARG001 -- all steps are called alike
    """Pass on what comes."""
    return source if isinstance(source, Frame) else graph.node(source)


TRANSFORMERS: dict[type, Any] = {
    preprocessing.StandardScaler: standard_scaler,
    preprocessing.RobustScaler: robust_scaler,
    preprocessing.MaxAbsScaler: max_abs_scaler,
    preprocessing.MinMaxScaler: min_max_scaler,
    preprocessing.Normalizer: normalizer,
    preprocessing.Binarizer: binarizer,
    preprocessing.PowerTransformer: power_transformer,
    preprocessing.QuantileTransformer: quantile_transformer,
    preprocessing.KBinsDiscretizer: bins,
    preprocessing.PolynomialFeatures: polynomial_features,
    preprocessing.FunctionTransformer: function_transformer,
    decomposition.PCA: principal_components,
    decomposition.TruncatedSVD: truncated_svd,
    impute.SimpleImputer: simple_imputer,
    impute.MissingIndicator: missing_indicator,
}
