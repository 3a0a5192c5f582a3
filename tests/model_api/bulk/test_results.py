"""Columns of predictions say what inference.py says row by row."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_api import inference, wire
from model_api.artifact import ScoreGroups
from model_api.bulk.predicting import Scored
from model_api.bulk.results import Results
from model_api.bulk.writing import rows_as_json
from model_api.inference import Answer, Options
from model_api.runtimes import Output
from model_api.signature import Target

Groups = list[ScoreGroups | None] | None


def by_rows(
    target: Target, scores: list[list[float]], output: Output, rows: int, coverage: float, groups: Groups = None
) -> dict[str, Any]:
    """Give what a JSON answer says."""
    groups = groups or [None] * len(scores)
    artifact = SimpleNamespace(signature=SimpleNamespace(target=target), calibration=scores, calibration_groups=groups)
    predictor = SimpleNamespace(predict=lambda _: output)
    model: Any = SimpleNamespace(artifact=artifact, predictor=predictor, name="m", version="1")
    predictions = inference.predict_columns(model, {}, [[] for _ in range(rows)], Options(coverage))
    return wire.answer(Answer(model, predictions), "prediction", "", single=False)


def by_columns(
    target: Target, scores: list[list[float]], output: Output, rows: int, coverage: float, groups: Groups = None
) -> dict[str, Any]:
    results = Results(target, scores, groups or [None] * len(scores), coverage, report=False)
    good = np.arange(rows)
    scored = Scored(start=0, rows=rows, columns={}, good=good, warnings={}, problems=[], output=output)
    return rows_as_json(results.batch(scored), good, target, coverage)


SHARES = st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.3, 0.5, 0.6, 1.0])
"""Few values, so that many are alike."""


@pytest.mark.parametrize("classes", [("no", "yes"), (0, 1), (1, 2, 3), (0.5, 1.5), ("a", "b", "c", "d")])
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_classes_their_probabilities_and_sets_are_the_same(classes: tuple[Any, ...], data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 6))
    shares = np.array(data.draw(st.lists(st.tuples(*[SHARES] * len(classes)), min_size=rows, max_size=rows)))
    labels = np.array(data.draw(st.lists(st.integers(0, len(classes) - 1), min_size=rows, max_size=rows)))
    scores = [sorted(data.draw(st.lists(SHARES, max_size=12)))]
    coverage = data.draw(st.sampled_from([0.5, 0.8, 0.9]))
    target, output = Target("y", "multiclass", classes=classes), Output(labels=labels, probabilities=shares)

    expected = by_rows(target, scores, output, rows, coverage)
    found = by_columns(target, scores, output, rows, coverage)

    for key in ("prediction", "probabilities", "interval"):
        assert list(map(repr, found[key])) == list(map(repr, expected[key]))


def test_classes_without_probabilities_are_the_same() -> None:
    target = Target("y", "binary", classes=("no", "yes"), probabilities=False)
    output = Output(labels=np.array([1, 0]))

    expected = by_rows(target, [], output, 2, 0.9)
    found = by_columns(target, [], output, 2, 0.9)

    assert found["prediction"] == expected["prediction"] == ["yes", "no"]
    assert found["interval"] == expected["interval"] == [None, None]
    assert "probabilities" not in found


TIDES = ("low tide", "high tide")


@pytest.mark.parametrize(
    ("outputs", "scores"),
    [
        ((), []),
        ((), [[]]),
        ((), [[0.5] * 20]),
        (TIDES, []),
        (TIDES, [[], []]),
        (TIDES, [[0.5] * 20, [0.25] * 20]),
        (TIDES, [[0.5] * 20, [0.25]]),
    ],
)
def test_numbers_and_their_intervals_are_the_same(outputs: tuple[str, ...], scores: list[list[float]]) -> None:
    target = Target("y", "regression", outputs=outputs)
    numbers = np.array([[1.5, -2.0], [0.1, 1e300], [3.0, 4.0]]) if outputs else np.array([1.5, 0.1, 1e300])

    expected = by_rows(target, scores, Output(numbers=numbers), 3, 0.9)
    found = by_columns(target, scores, Output(numbers=numbers), 3, 0.9)

    assert found["prediction"] == expected["prediction"]
    assert found["interval"] == expected["interval"]


SMALL, LARGE = (0.5,) * 20, (2.0,) * 20


@pytest.mark.parametrize("coverage", [0.9, 0.96, 0.99])
@pytest.mark.parametrize("outputs", [(), TIDES])
def test_intervals_that_fit_the_size_of_a_number_are_the_same(outputs: tuple[str, ...], coverage: float) -> None:
    target = Target("y", "regression", outputs=outputs)
    scores = [[0.5] * 20 + [2.0] * 20] * (len(outputs) or 1)
    groups = [ScoreGroups((1.0,), (SMALL, LARGE)), *([None] if outputs else [])]
    column = np.array([-3.0, 0.999, 1.0, 1e300])
    output = Output(numbers=np.stack([column, column], axis=1) if outputs else column)

    expected = by_rows(target, scores, output, 4, coverage, groups)
    found = by_columns(target, scores, output, 4, coverage, groups)

    assert found["interval"] == expected["interval"]
    if coverage == 0.9:
        low = [interval["low"] for interval in expected["interval"]]
        assert [each["low tide"] if outputs else each for each in low] == [-3.5, 0.499, -1.0, 1e300]
