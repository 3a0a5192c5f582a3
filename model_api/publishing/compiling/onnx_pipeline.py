"""The whole pipeline as ONNX, as skl2onnx converts it: right for some, wrong for others, so never believed."""

import warnings
from dataclasses import dataclass
from typing import Any

from sklearn.base import is_classifier

from model_api.publishing.lowering.graph import NUMERIC
from model_api.runtimes.frames import Layout
from model_api.runtimes.onnx import OnnxPredictor, session_of

OPSETS = {"": 18, "ai.onnx.ml": 3}


class Unconvertible(Exception):
    """skl2onnx, or ONNX Runtime after it, refuses the pipeline."""


@dataclass(frozen=True)
class Converted:
    """A pipeline as ONNX."""

    data: bytes
    """The file."""
    outputs: dict[str, str]
    """What each of its outputs is: numbers, or labels and probabilities."""


def convert(estimator: Any, layout: Layout, *, single: bool) -> Converted:
    """Convert for inputs in float64, or with `single` in float32. Raises Unconvertible, with the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _convert(estimator, layout, single=single)
    except Exception as error:  # skl2onnx raises whatever its converters happen to meet
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise Unconvertible(f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}") from error


def _convert(estimator: Any, layout: Layout, *, single: bool) -> Converted:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    number = FloatTensorType if single else DoubleTensorType
    numeric = [column["dtype"].startswith(NUMERIC) for column in layout]
    if all(numeric) and not _asks_for_columns(estimator):
        inputs = [("X", number([None, len(layout)]))]
    else:
        kinds = [number if is_number else StringTensorType for is_number in numeric]
        inputs = [(column["name"], kind([None, 1])) for column, kind in zip(layout, kinds, strict=True)]
    options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
    model = to_onnx(estimator, initial_types=inputs, options=options, target_opset=OPSETS)
    # The same estimator gives the same file: the names of graph and producer say nothing that is needed.
    model.graph.name = "pipeline"
    data: bytes = model.SerializeToString(deterministic=True)
    names = [output.name for output in model.graph.output]
    parts = ("labels", "probabilities") if is_classifier(estimator) else ("numbers",)
    kept = [part for part in parts if part != "probabilities" or hasattr(estimator, "predict_proba")]
    return Converted(data, dict(zip(kept, names, strict=False)))


def _asks_for_columns(estimator: Any) -> bool:
    """Tell whether a step takes columns by name, and so needs them one by one."""
    if type(estimator).__name__ == "ColumnTransformer":
        return True
    inner = [step for _, step in getattr(estimator, "steps", [])]
    inner += [step for _, step in getattr(estimator, "estimators", []) if not isinstance(step, str)]
    return any(_asks_for_columns(step) for step in inner)


def predictor_of(converted: Converted, layout: Layout, classes: tuple[Any, ...]) -> OnnxPredictor:
    """Make the predictor that would serve a converted pipeline. Raises ArtifactError."""
    return OnnxPredictor(session_of(converted.data), [c["name"] for c in layout], converted.outputs, classes)
