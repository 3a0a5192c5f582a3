"""A model service made by hand that also explains: what it answers to each call, and with each coverage."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from dashboard.records import ModelVersion, Prediction, ReferencePredictions
from tests.dashboard import kitchen
from tests.dashboard.upstream import Asked, Behaviour, Connection, by_hand, message

SAID: Mapping[str, Any] = {"approximation": None, "milliseconds": 1.0}
"""What every explanation has."""


def explaining(
    model: ModelVersion,
    rows: ReferencePredictions,
    explanations: Mapping[str, Mapping[str, Any]],
    predicted: Callable[[float], Prediction],
    about: Mapping[str, Any] | None = None,
) -> Behaviour:
    """Answer for one model; `predicted` gives the answer with a coverage, `about` what else is said of the version."""
    path = f"/models/{model.name}/versions/{model.version}"
    known = kitchen.answers(model, rows=rows)
    known[path] = {**model.model_dump(), **(about or {})}
    known |= {f"POST {path}/explanations/{call}": {**SAID, **answer} for call, answer in explanations.items()}
    rest = by_hand(known)

    def answer(asked: Asked, connection: Connection) -> None:
        if asked.method == "POST" and asked.path == f"{path}/predict":
            coverage = json.loads(asked.body).get("options", {}).get("coverage", 0.9)
            connection.send(message(predicted(coverage).model_dump_json().encode()))
        else:
            rest(asked, connection)

    return answer


def datasheet(calibration: Mapping[str, Mapping[str, object]] | None) -> dict[str, Any]:
    """Give what is said of a version beside its signature; `calibration`: the curve of each class, if measured."""
    curves = {} if calibration is None else {"calibration": calibration}
    return {
        "quality": {
            "method": "5-fold cross-validation",
            "headline": "accuracy",
            "metrics": {"accuracy": 0.9},
            "rows": 100,
            "curves": curves,
        },
        "runtime": {"one_row": "plan", "many_rows": "plan", "measured": {}, "forms": {}},
        "provenance": {
            "published_at": "2026-11-22T00:00:00Z", "digest": "d1", "files": {}, "estimator": {}, "libraries": {},
        },
    }  # fmt: skip


def trust(model: ModelVersion, status: str = "inside", **changes: Any) -> dict[str, Any]:
    """Say how familiar a case is; every feature is inside."""
    features = [
        {"feature": feature.name, "status": "inside", "value": feature.default, "percentile": 0.5, "message": None}
        for feature in model.signature.features
    ]
    joint = {"status": status, "distance": 0.1, "usual": 0.05, "limit": 0.2, "percentile": 0.9}
    sentence = f"This case is {status} the training data."
    return {"status": status, "sentence": sentence, "features": features, "joint": joint, **changes}
