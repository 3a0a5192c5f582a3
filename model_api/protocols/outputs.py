"""What a request of the Open Inference Protocol asks to be told, and the tensors that tell it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from model_api.errors import InvalidRequest
from model_api.inference import Answer, Prediction
from model_api.protocols.tensors import BYTES, FP64, Tensor, datatype_of_levels
from model_api.signature import Target
from model_api.values import clip

PREDICT, PROBABILITIES = "predict", "predict_proba"
"""Names of outputs, as in MLServer."""
Json = dict[str, Any]


class Output(NamedTuple):
    """One output that is asked for."""

    name: str
    binary: bool
    """As bytes after the JSON."""
    classification: int | None
    """That many of the best classes with their names, rather than numbers."""


def declared(target: Target) -> list[Json]:
    """Describe the outputs of a model."""
    width = [len(target.outputs)] if target.outputs else []
    outputs: list[Json] = [{"name": PREDICT, "datatype": datatype_of_target(target), "shape": [-1, *width]}]
    if has_probabilities(target):
        outputs.append({"name": PROBABILITIES, "datatype": FP64, "shape": [-1, len(target.classes)]})
    return outputs


def has_probabilities(target: Target) -> bool:
    """Tell whether a model gives a probability for each class."""
    return bool(target.classes) and target.probabilities


def datatype_of_target(target: Target) -> str:
    """Give the datatype of predictions."""
    return datatype_of_levels(target.classes) if target.classes else FP64


def read_outputs(document: Json, target: Target) -> list[Output]:
    """Understand what is asked for; by default the predictions. Raises InvalidRequest."""
    asked = document.get("outputs")
    if asked is None:
        asked = []
    if not isinstance(asked, list):
        raise InvalidRequest('"outputs" must be an array')
    binary = read_flag(read_parameters(document, "the request"), "binary_data_output")
    outputs = [_output(item, target, binary=binary) for item in asked]
    for position, output in enumerate(outputs):
        if output.name in {other.name for other in outputs[:position]}:
            raise InvalidRequest(f"the output {output.name} is asked for twice")
    return outputs or [Output(PREDICT, binary, None)]


def read_parameters(item: Json, what: str) -> Json:
    """Read the parameters of a request, an input or an output. Raises InvalidRequest."""
    parameters = item.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"the parameters of {what} must be an object")
    return parameters


def read_flag(parameters: Json, name: str, *, default: bool = False) -> bool:
    """Read a parameter that is true or false. Raises InvalidRequest."""
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"the parameter {name} must be true or false, not {clip(value)}")
    return value


def _output(item: object, target: Target, *, binary: bool) -> Output:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise InvalidRequest('each of "outputs" must be an object with a name')
    name = item["name"]
    known = [output["name"] for output in declared(target)]
    if name not in known:
        raise InvalidRequest(f"there is no output {clip(name)}; there is {', '.join(known)}")
    parameters = read_parameters(item, f"the output {name}")
    best = parameters.get("classification")
    if best is not None:
        if isinstance(best, bool) or not isinstance(best, int) or best < 1:
            raise InvalidRequest(f"the parameter classification must be a number of classes, not {clip(best)}")
        if not has_probabilities(target):
            raise InvalidRequest("the parameter classification needs a model that gives probabilities of classes")
    return Output(name, read_flag(parameters, "binary_data", default=binary), best)


def tensor_of(output: Output, answer: Answer) -> Tensor:
    """Give the tensor of an output."""
    target = answer.model.artifact.signature.target
    predictions = [row for row in answer.predictions if isinstance(row, Prediction)]
    count = len(predictions)
    if output.classification:
        best = min(output.classification, len(target.classes))
        texts = [text for row in predictions for text in _best(row, best)]
        return Tensor(output.name, BYTES, (count, best), texts)
    if output.name == PROBABILITIES:
        shares = [share for row in predictions for share in (row.probabilities or {}).values()]
        return Tensor(output.name, FP64, (count, len(target.classes)), shares)
    if target.outputs:
        numbers = [number for row in predictions for number in _numbers(row, target.outputs)]
        return Tensor(output.name, FP64, (count, len(target.outputs)), numbers)
    return Tensor(output.name, datatype_of_target(target), (count,), [row.value for row in predictions])


def _best(prediction: Prediction, count: int) -> list[str]:
    """Give the most probable classes, each as "probability:position:class"."""
    shares = list((prediction.probabilities or {}).items())
    order = sorted(range(len(shares)), key=lambda position: -shares[position][1])
    return [f"{shares[position][1]!r}:{position}:{shares[position][0]}" for position in order[:count]]


def _numbers(prediction: Prediction, names: Sequence[str]) -> list[float]:
    assert isinstance(prediction.value, dict)
    return [prediction.value[name] for name in names]
