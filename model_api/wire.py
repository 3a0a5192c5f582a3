"""The native contract: which bodies are understood, and the answers to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from model_api.errors import InvalidRequest, Problem
from model_api.inference import Answer, Options, Prediction

AnswerKey = Literal["prediction", "predictions", "predict"]
OPTIONS = ("coverage", "on_error")
MAX_PROBLEMS = 100
"""Problems that one answer lists; its detail tells how many there are."""


@dataclass(frozen=True)
class PredictRequest:
    """A prediction request, understood but with unchecked instances."""

    instances: list[object]
    """What was sent, one item an instance."""
    key: AnswerKey
    """Name under which the answer gives the predictions."""
    single: bool
    """One instance was sent by itself: answer with one prediction, not a list."""
    options: Options
    """What was asked for beside."""


def read_request(body: object, max_rows: int) -> PredictRequest:
    """Understand a JSON body. Raises InvalidRequest."""
    if isinstance(body, list):
        return _many(body, "predict", Options(), max_rows)
    if not isinstance(body, dict):
        raise InvalidRequest('the body must be an object such as {"data": {...}}, or an array of instances')
    if unknown := sorted(set(body) - {"data", "instances", "options"}):
        hint = "" if {"data", "instances"} & set(body) else '; put the features under "data": {"data": {...}}'
        raise InvalidRequest(f"the body has the unknown key {unknown[0][:64]!a}{hint}")
    if ("data" in body) == ("instances" in body):
        raise InvalidRequest('the body must have either "data" or "instances"')
    options = read_options(body.get("options", {}))
    if "instances" in body:
        if not isinstance(body["instances"], list):
            raise InvalidRequest('"instances" must be an array of instances')
        return _many(body["instances"], "predictions", options, max_rows)
    if isinstance(body["data"], list):
        return _many(body["data"], "prediction", options, max_rows)
    if not isinstance(body["data"], dict):
        raise InvalidRequest('"data" must be an object of features, or an array of such objects')
    return PredictRequest([body["data"]], "prediction", single=True, options=options)


def _many(instances: list[object], key: AnswerKey, options: Options, max_rows: int) -> PredictRequest:
    if not instances:
        raise InvalidRequest("there must be at least 1 instance")
    if len(instances) > max_rows:
        raise InvalidRequest(f"{len(instances)} instances are more than the {max_rows} of one request")
    return PredictRequest(instances, key, single=False, options=options)


def read_options(options: object) -> Options:
    """Understand the `options` of a request. Raises InvalidRequest."""
    if not isinstance(options, Mapping):
        raise InvalidRequest('"options" must be an object')
    if unknown := sorted(set(options) - set(OPTIONS)):
        known = ", ".join(OPTIONS)
        raise InvalidRequest(f"there is no option {str(unknown[0])[:64]!a}; there is {known}")
    on_error = options.get("on_error", "reject")
    if on_error not in ("reject", "report"):
        raise InvalidRequest('the option on_error must be "reject" or "report"')
    return Options(read_coverage(options.get("coverage", Options().coverage)), on_error == "report")


def read_coverage(value: object) -> float:
    """Understand a coverage. Raises InvalidRequest."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise InvalidRequest("the option coverage must be a number between 0 and 1, such as 0.9")
    return float(value)


def answer(answer: Answer, key: AnswerKey, request_id: str, *, single: bool) -> dict[str, Any]:
    """Give an answer in its wire form: values for a single instance, else lists of them."""
    target = answer.model.artifact.signature.target
    rows = [_row(position, row) for position, row in enumerate(answer.predictions)]
    values, shares, intervals, warnings = rows[0] if single else _turned(rows)
    body: dict[str, Any] = {key: values}
    if target.classes and target.probabilities:
        body["probabilities"] = shares
    who = {"model": answer.model.name, "version": answer.model.version, "request_id": request_id}
    return {**body, "interval": intervals, "warnings": warnings, **who}


encode = msgspec.json.Encoder().encode
"""Write an answer as JSON, each number with as few digits as give it back exactly."""


def shortened(text: str, most: int) -> str:
    """Cut a text to so many bytes of JSON."""
    while (size := len(encode(text))) > most:
        text = text[: len(text) * (most - len("…".encode())) // size - 1] + "…"
    return text


def _turned(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [[row[part] for row in rows] for part in range(4)]


def _row(position: int, row: Prediction | list[Problem]) -> tuple[Any, Any, Any, list[Any]]:
    """Give prediction, probabilities, interval and warnings of a row."""
    if isinstance(row, list):
        errors = [problem.to_dict() for problem in row[:MAX_PROBLEMS]]
        report = {"row": position, "errors": errors}
        return report, None, None, []
    return row.value, row.probabilities, row.interval, [warning.to_dict() for warning in row.warnings]
