"""Who was like this: the nearest reference rows, with their true values, predictions, and what is different."""

from typing import Any

import numpy as np

from model_api.explanations.coding import NAMED
from model_api.explanations.distances import Distances, nearest_within
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question
from model_api.inference import Options, predict_columns
from model_api.runtimes import Floats

COUNT, MOST = 5, 20
NOTABLE = 1.0
"""Spreads by which a number has to differ to be worth a mark."""


def similar(question: Question) -> dict[str, Any]:
    """Answer the call `similar`; its option is `count`. Of rows that are equally near the first ones are given."""
    question.require_options(*OPTIONS["similar"])
    question.require_data()
    count = question.whole("count", COUNT, 1, MOST)
    subject, reference = question.subject, question.model.artifact.reference
    distances = Distances(subject)
    away = distances.to_reference(question.case[None])[0]
    nearest = np.argsort(away, kind="stable")[:count]
    rows = subject.reference[nearest]
    columns = {name: [column[row] for row in nearest.tolist()] for name, column in reference.columns.items()}
    predictions = predict_columns(question.model, columns, [[] for _ in nearest], Options())
    apart = distances.by_feature(question.case, rows)
    return {
        "rows": [
            {
                "row": row,
                "distance": float(away[row]),
                "instance": reference.row(row),
                "true": reference.target[row],
                "prediction": prediction.value,
                "probabilities": prediction.probabilities,
                "differences": _differences(question, reference.row(row), codes, differs),
            }
            for row, prediction, codes, differs in zip(nearest.tolist(), predictions, rows, apart, strict=True)
        ],
        "of": len(reference),
        "usual_distance": float(np.median(nearest_within(subject)[1])),
        "approximation": None,
    }


def _differences(question: Question, other: dict[str, Any], codes: Floats, apart: Floats) -> list[dict[str, Any]]:
    """List the features in which a row differs, those that make it most distant first."""
    names = question.subject.signature.names
    return [
        {
            "feature": names[place],
            "case": question.row[names[place]],
            "other": other[names[place]],
            "notable": _is_notable(question, place, codes[place]),
        }
        for place in sorted(range(len(names)), key=lambda place: -apart[place])
        if question.row[names[place]] != other[names[place]]
    ]


def _is_notable(question: Question, place: int, code: float) -> bool:
    """Tell whether a feature that differs does so by more than a spread; all others do that differ at all."""
    if question.features[place].type in NAMED:
        return True
    with np.errstate(over="ignore"):
        apart = abs(code - question.case[place]) / question.subject.spreads[place]
    return bool(np.isnan(apart) or apart > NOTABLE)
