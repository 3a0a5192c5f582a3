"""Which form serves: a proved one, an exact one before one in float32, the faster of two for few rows or many."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.runtimes import Output, onnx, selection
from model_api.runtimes.selection import COMPILED, MANY, Choice, ChosenPredictor, load_predictor, proved_forms
from model_api.signature import Columns
from model_api.trust import Trust

PROVED = {"proved": True, "numbers": "float64"}
SINGLE = {"proved": True, "numbers": "float32"}


class Named:
    """A predictor that remembers for how many rows it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def predict(self, columns: Columns) -> Output:
        """Say nothing."""
        rows = len(columns["x"])
        self.asked.append(rows)
        return Output(numbers=np.zeros(rows))


def artifact_with(forms: dict[str, Any], files: list[str]) -> Any:
    """Give what the choice looks at: what the proof says, and which files are there."""
    return SimpleNamespace(forms=forms, manifest=SimpleNamespace(files=dict.fromkeys(files, "hash")))


def test_few_rows_are_answered_by_one_form_and_many_by_another() -> None:
    one, many = Named(), Named()
    chosen = ChosenPredictor(Choice("plan", "onnx", {}), one, many)

    for rows in (1, MANY - 1, MANY, 1000):
        chosen.predict({"x": [0] * rows})

    assert one.asked == [1, MANY - 1]
    assert many.asked == [MANY, 1000]


@pytest.mark.parametrize(
    ("forms", "files", "names"),
    [
        (
            {"plan": {**PROVED, "file": "plan.json"}, "onnx": {**PROVED, "file": "pipeline.onnx"}},
            ["plan.json", "pipeline.onnx"],
            ["plan", "onnx"],
        ),
        (
            {"plan": {**PROVED, "file": "plan.json"}, "onnx-float32": {**SINGLE, "file": "pipeline.onnx"}},
            ["plan.json", "pipeline.onnx"],
            ["plan"],
        ),
        ({"onnx-float32": {**SINGLE, "file": "pipeline.onnx"}}, ["pipeline.onnx"], ["onnx-float32"]),
        ({"plan": {**PROVED, "file": "plan.json"}}, [], []),
        ({"plan": PROVED}, ["plan.json"], []),
        ({"plan": {**PROVED, "file": "pipeline.onnx"}}, ["plan.json", "pipeline.onnx"], []),
        ({"plan": {"proved": False, "numbers": "float64", "file": "plan.json"}}, ["plan.json"], []),
        ({"array": {**PROVED, "file": "plan.json"}}, ["plan.json"], []),
        ({"other": {**PROVED, "file": "other.bin"}}, ["other.bin"], []),
        ({}, ["plan.json"], []),
    ],
    ids=[
        *("both exact", "exact before single", "single alone", "not carried", "without a file", "another's file"),
        *("not proved", "an array", "unknown", "nothing said"),
    ],
)
def test_forms_that_are_proved_and_carried_may_serve(forms: dict[str, Any], files: list[str], names: list[str]) -> None:
    assert proved_forms(artifact_with(forms, files)) == names


def test_a_compiled_model_serves_by_the_faster_of_its_forms(published_small_models: Path) -> None:
    artifact = Artifact(published_small_models / "rent" / "1")

    chosen = load_predictor(artifact, Trust())

    timings = chosen.choice.timings
    assert set(timings) == set(proved_forms(artifact)) <= set(COMPILED)
    assert chosen.choice.one == min(timings, key=lambda name: timings[name]["one_row_us"])
    assert chosen.choice.many == min(timings, key=lambda name: timings[name]["thousand_rows_ms"])
    assert chosen.predict(artifact.examples.columns).numbers == pytest.approx(artifact.examples.numbers)


def test_the_estimator_serves_where_nothing_is_proved(models_with_binarize: Path) -> None:
    artifact = Artifact(models_with_binarize / "binary" / "1")

    chosen = load_predictor(artifact, Trust(("sklearn.preprocessing._data.binarize",)))

    assert (chosen.choice.one, chosen.choice.many) == ("estimator", "estimator")


def test_the_faster_form_is_taken_for_one_row_and_for_many(
    published_small_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = iter([{"one_row_us": 1.0, "thousand_rows_ms": 9.0}, {"one_row_us": 2.0, "thousand_rows_ms": 3.0}])
    monkeypatch.setattr(selection, "timed", lambda *_: next(measured))
    artifact = Artifact(published_small_models / "spam" / "1")
    assert proved_forms(artifact) == ["plan", "onnx"]

    choice = load_predictor(artifact, Trust()).choice

    assert (choice.one, choice.many) == ("plan", "onnx")


def test_a_form_that_answers_its_examples_otherwise_does_not_serve(
    small_models: Path, reseal: Callable[[Path, str, bytes], None]
) -> None:
    version = small_models / "rent" / "1"
    examples = json.loads((version / "examples.json").read_bytes())
    examples["numbers"][3] += 1.0
    reseal(version, "examples.json", json.dumps(examples).encode())

    with pytest.raises(ArtifactError, match="the form plan answers its own examples differently"):
        load_predictor(Artifact(version), Trust())


def test_a_plan_that_was_changed_does_not_serve(small_models: Path, reseal: Callable[[Path, str, bytes], None]) -> None:
    version = small_models / "rent" / "1"
    plan = json.loads((version / "plan.json").read_bytes())
    plan["nodes"].append({"op": "exec", "in": [0]})
    reseal(version, "plan.json", json.dumps(plan).encode())

    with pytest.raises(ArtifactError, match=r"plan\.json is not a plan"):
        load_predictor(Artifact(version), Trust())


@pytest.mark.parametrize(("with_two", "used"), [(5.0, 2), (9.0, 1)])
def test_a_slow_form_for_many_rows_uses_several_threads_where_that_is_much_faster(
    published_small_models: Path, monkeypatch: pytest.MonkeyPatch, with_two: float, used: int
) -> None:
    asked: list[int] = []
    measured = iter(
        {"one_row_us": 1.0 + number, "thousand_rows_ms": ms} for number, ms in enumerate((10.0, 20.0, with_two))
    )
    monkeypatch.setattr(selection, "timed", lambda *_: next(measured))
    monkeypatch.setattr(selection, "usable_cores", lambda: 2)
    threads = onnx.threads

    def watched(count: int) -> AbstractContextManager[None]:
        asked.append(count)
        return threads(count)

    monkeypatch.setattr(onnx, "threads", watched)

    chosen = load_predictor(Artifact(published_small_models / "spam" / "1"), Trust())

    assert asked == [2]
    assert chosen.choice.threads == (used, {1: 10.0, 2: with_two})


def test_one_core_uses_one_thread(published_small_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "timed", lambda *_: {"one_row_us": 1.0, "thousand_rows_ms": 50.0})
    monkeypatch.setattr(selection, "usable_cores", lambda: 1)

    assert load_predictor(Artifact(published_small_models / "spam" / "1"), Trust()).choice.threads.used == 1
