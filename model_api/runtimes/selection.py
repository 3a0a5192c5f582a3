"""Which runtime serves an artifact: of the compiled forms that were proved equal, the fastest; else the estimator.

Forms that compute in float64 go before those in float32, however fast these are: an answer is never made less exact to
save a microsecond. Each must answer the artifact's own examples before it counts, and is measured here, where it is
going to run, for one row and for many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from model_api.artifact import Artifact
from model_api.runtimes import Output, Predictor, Row, lowered, onnx
from model_api.runtimes.examples import require_examples
from model_api.runtimes.timing import Together, timed, tried_together, usable_cores
from model_api.signature import Columns
from model_api.trust import Trust

MANY = 16
"""Rows from which on a request is one of many rows."""
ESTIMATOR = "estimator"
MOST_THREADS = 4
"""Threads that are tried for many rows; requests side by side use the cores as well."""
WORTH_THREADS_MS = 5.0
"""Time for a thousand rows from which on several threads are tried."""
THREADS_GAIN = 1.5
"""How many times faster several threads must be to be taken."""
COMPILED = {"plan": lowered.PLAN, "onnx": onnx.FILE, "onnx-float32": onnx.FILE}
"""Compiled form → its file."""
TOLERANCES = {"float64": 1e-9, "float32": 1e-5}
"""Largest relative difference to the stored examples, by the precision in which a form computes."""


class Threads(NamedTuple):
    """How many threads a form uses, and what was measured."""

    used: int
    thousand_rows_ms: Mapping[int, float]
    """For each number of threads that was tried."""


ONE_THREAD = Threads(1, {})


@dataclass(frozen=True)
class Choice:
    """Which form was taken, and what was measured."""

    one: str
    """Form that answers for few rows."""
    many: str
    """Form that answers for many."""
    timings: dict[str, dict[str, float]]
    """For each form that could be taken, the time for one row in µs and for a thousand in ms."""
    threads: Threads = ONE_THREAD
    """How many threads the form for many rows uses."""
    together: Together | None = None
    """What was found when requests were predicted together; None where it was not tried."""


class ChosenPredictor:
    """Asks the form that is faster for so many rows."""

    def __init__(self, choice: Choice, one: Predictor, many: Predictor, names: Sequence[str] = ()) -> None:
        self.choice = choice
        self._names = list(names)
        self._one, self._many = one, many

    @property
    def goes_together(self) -> bool:
        """Whether requests that wait are predicted together, in a thread."""
        return self.choice.together is not None and self.choice.together.helps

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

    def predict_one(self, row: Row) -> Output:
        """Predict for one instance, the values of its features; None is missing. On the event loop only.

        Raises FloatingPointError where a number becomes too large for a form made for one row.
        """
        if isinstance(self._one, lowered.LoweredPredictor | onnx.OnnxPredictor):
            return self._one.predict_one(row)
        return self.predict({name: [value] for name, value in zip(self._names, row, strict=True)})

    def predict_rows(self, rows: Sequence[Row]) -> Output:
        """Predict for n instances, each a tuple of its features' values; None is missing."""
        return self.predict(dict(zip(self._names, map(list, zip(*rows, strict=True)), strict=True)))


def load_predictor(artifact: Artifact, trust: Trust) -> ChosenPredictor:
    """Load what computes an artifact's predictions. Raises ArtifactError."""
    candidates = {name: _load(artifact, name, trust) for name in proved_forms(artifact) or [ESTIMATOR]}
    for name, predictor in candidates.items():
        numbers = artifact.forms.get(name, {}).get("numbers", "float64")
        require_examples(predictor, artifact.examples, TOLERANCES[numbers], name)
    timings = {name: timed(predictor, artifact.examples.columns) for name, predictor in candidates.items()}
    one = min(timings, key=lambda name: timings[name]["one_row_us"])
    many = min(timings, key=lambda name: timings[name]["thousand_rows_ms"])
    threads, for_many = _with_threads(artifact, many, candidates[many], timings[many]["thousand_rows_ms"], trust)
    together = None
    if one == ESTIMATOR:
        together = tried_together(candidates[one], artifact.examples.columns, timings[one]["one_row_us"])
    choice = Choice(one, many, timings, threads, together)
    return ChosenPredictor(choice, candidates[one], for_many, artifact.signature.names)


def _with_threads(
    artifact: Artifact, form: str, predictor: Predictor, alone_ms: float, trust: Trust
) -> tuple[Threads, Predictor]:
    """Let a form for many rows use several threads, where that is measured to be much faster."""
    count = min(MOST_THREADS, usable_cores())
    if form not in COMPILED or count < 2 or alone_ms < WORTH_THREADS_MS:
        return ONE_THREAD, predictor
    with onnx.threads(count):
        other = _load(artifact, form, trust)
    ms = timed(other, artifact.examples.columns)["thousand_rows_ms"]
    taken = ms * THREADS_GAIN <= alone_ms
    return Threads(count if taken else 1, {1: alone_ms, count: ms}), other if taken else predictor


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
