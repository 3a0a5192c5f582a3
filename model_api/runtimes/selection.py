"""Which runtime serves an artifact: of the compiled forms that were proved equal, the fastest; else the estimator.

Forms that compute in float64 go before those in float32, however fast these are: an answer is never made less exact to
save a microsecond. Each must answer the artifact's own examples before it counts, and is measured here, where it is
going to run, for one row and for many.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model_api.artifact import Artifact
from model_api.runtimes import Output, Predictor, Row, lowered, onnx
from model_api.runtimes.examples import require_examples
from model_api.runtimes.timing import timed
from model_api.signature import Columns
from model_api.trust import Trust

MANY = 16
"""Rows from which on a request is one of many rows."""
COMPILED = {"plan": lowered.PLAN, "onnx": onnx.FILE, "onnx-float32": onnx.FILE}
"""Compiled form → its file."""
TOLERANCES = {"float64": 1e-9, "float32": 1e-5}
"""Largest relative difference to the stored examples, by the precision in which a form computes."""


@dataclass(frozen=True)
class Choice:
    """Which form was taken, and what was measured."""

    one: str
    """Form that answers for few rows."""
    many: str
    """Form that answers for many."""
    timings: dict[str, dict[str, float]]
    """For each form that could be taken, the time for one row in µs and for a thousand in ms."""


class ChosenPredictor:
    """Asks the form that is faster for so many rows."""

    def __init__(self, choice: Choice, one: Predictor, many: Predictor, names: Sequence[str] = ()) -> None:
        self.choice = choice
        self._names = list(names)
        self._one, self._many = one, many

    def seconds(self, rows: int) -> float:
        """Estimate how long a prediction takes, from what was measured when the model was loaded."""
        one, many = self.choice.timings[self.choice.one], self.choice.timings[self.choice.many]
        if rows < MANY:
            return rows * one["one_row_us"] * 1e-6
        return max(one["one_row_us"] * 1e-6, rows * many["thousand_rows_ms"] * 1e-6)

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        few = len(next(iter(columns.values()))) < MANY
        return (self._one if few else self._many).predict(columns)

    def predict_rows(self, rows: Sequence[Row]) -> Output:
        """Predict for n instances, each a tuple of its features' values; None is missing."""
        predictor = self._one if len(rows) < MANY else self._many
        if isinstance(predictor, lowered.LoweredPredictor | onnx.OnnxPredictor) and len(rows) < MANY:
            return predictor.predict_rows(rows)
        return predictor.predict(dict(zip(self._names, map(list, zip(*rows, strict=True)), strict=True)))


def load_predictor(artifact: Artifact, trust: Trust) -> ChosenPredictor:
    """Load what computes an artifact's predictions. Raises ArtifactError."""
    candidates = {name: _load(artifact, name, trust) for name in proved_forms(artifact) or ["estimator"]}
    for name, predictor in candidates.items():
        numbers = artifact.forms.get(name, {}).get("numbers", "float64")
        require_examples(predictor, artifact.examples, TOLERANCES[numbers], name)
    timings = {name: timed(predictor, artifact.examples.columns) for name, predictor in candidates.items()}
    one = min(timings, key=lambda name: timings[name]["one_row_us"])
    many = min(timings, key=lambda name: timings[name]["thousand_rows_ms"])
    return ChosenPredictor(Choice(one, many, timings), candidates[one], candidates[many], artifact.signature.names)


def proved_forms(artifact: Artifact) -> list[str]:
    """Name the compiled forms that may serve: those that are proved and carried, the exact ones if there are any."""
    forms, files = artifact.forms, artifact.manifest.files
    proved = [
        name
        for name, file in COMPILED.items()
        if forms.get(name, {}).get("proved") and forms[name].get("file") == file and file in files
    ]
    return [name for name in proved if forms[name].get("numbers") == "float64"] or proved


def _load(artifact: Artifact, name: str, trust: Trust) -> Predictor:
    if name == "plan":
        return lowered.load(artifact.read, artifact.signature.names)
    if name in COMPILED:
        outputs, signature = artifact.forms[name].get("outputs"), artifact.signature
        return onnx.load(artifact.read, signature.names, outputs, signature.target.classes)
    if "package" in artifact.manifest.estimator:
        from model_api.runtimes import package

        return package.load(artifact, trust)
    from model_api.runtimes import sklearn  # only where no compiled form is proved: it costs seconds and 150 MB

    bare = bool(artifact.forms.get("array", {}).get("proved"))
    return sklearn.load(artifact, trust, bare=bare)
