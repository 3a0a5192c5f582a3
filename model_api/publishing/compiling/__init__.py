"""Compile with proof: every form that might be faster is compared with the estimator, and what differs is left out.

Forms: `plan`, our own (publishing/lowering); `onnx`, the whole pipeline as skl2onnx converts it, in float64 or, where
that is not proved, in float32; `array`, scikit-learn asked with a bare array; `estimator`, scikit-learn as it is, which
is what the others are compared with.
"""

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from model_api.errors import ArtifactError
from model_api.publishing.compiling import onnx_pipeline
from model_api.publishing.compiling.onnx_pipeline import Unconvertible
from model_api.publishing.compiling.proof import (
    Expected,
    Verdict,
    compare,
    expect,
    require_each_row_alone,
    why_no_answer,
)
from model_api.publishing.compiling.proof_rows import drawn, joined, rows_of
from model_api.publishing.compiling.thresholds import ThresholdRows, threshold_rows
from model_api.publishing.lowering import Unlowerable, lower
from model_api.publishing.lowering.graph import NUMERIC
from model_api.runtimes import Predictor, lowered
from model_api.runtimes.frames import Layout
from model_api.runtimes.lowered import PLAN
from model_api.runtimes.onnx import FILE as ONNX
from model_api.runtimes.selection import TOLERANCES
from model_api.runtimes.sklearn import SklearnPredictor
from model_api.runtimes.timing import timed
from model_api.signature import Columns, Signature

MOST_REAL = 5000
"""Real rows that are compared; of more, as many at random."""
TIMED = 0.02
"""Seconds of each round of a timing."""
EXAMPLES = 20
"""Rows whose answers are kept, for a server to try before it serves."""


@dataclass
class Compiled:
    """What was tried, and what may serve."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Files of the proved forms."""
    rows: dict[str, int] = field(default_factory=dict)
    """How many rows of each kind were compared."""
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Verdict on each form."""
    timings: dict[str, dict[str, float]] = field(default_factory=dict)
    """How long each proved form takes, and the estimator as it is."""
    examples: dict[str, Any] = field(default_factory=dict)
    """Rows and the estimator's answers."""
    by_probability: bool = False
    """Whether the estimator's label is that of the largest probability on every row."""

    def parity(self) -> dict[str, Any]:
        """Give the record of the proof."""
        return {"rows": self.rows, "forms": self.forms}


def compile_estimator(
    estimator: Any, signature: Signature, layout: Layout, rows: Columns, reference: Predictor, *, forms: bool = True
) -> Compiled:
    """Try every form on `rows`, plain values by feature, and on rows drawn around them; `reference` is the truth.

    Without `forms` nothing is compiled: the estimator is asked for examples alone.
    Raises ValueError when the estimator answers for none of the rows.
    """
    with np.errstate(all="ignore"):  # drawn rows are odd on purpose; who asks looks at the outcome
        return _Compilation(estimator, signature, layout, rows, reference).run(forms=forms)


class _Compilation:
    def __init__(
        self, estimator: Any, signature: Signature, layout: Layout, rows: Columns, reference: Predictor
    ) -> None:
        self._estimator, self._signature, self._layout = estimator, signature, layout
        self._classes = signature.target.classes
        self._reference = reference
        self._rows = _sampled(rows)
        self._compiled = Compiled()

    def run(self, *, forms: bool) -> Compiled:
        compiled = self._compiled
        plan, predictor = self._plan() if forms else (None, None)
        self._expected = self._expect(self._thresholds(plan, predictor))
        require_each_row_alone(self._reference, self._expected)
        compiled.by_probability = _by_probability(self._expected)
        compiled.timings["estimator"] = timed(self._reference, self._expected.columns, TIMED)
        compiled.examples = _examples(self._expected)
        if predictor and plan is not None and self._judge("plan", "float64", predictor):
            compiled.files |= plan
            compiled.forms["plan"]["file"] = PLAN
        if forms:
            self._try_onnx()
            self._try_bare_array()
        return compiled

    def _try_bare_array(self) -> None:
        """Ask scikit-learn with an array instead of a frame, where nothing faster is proved."""
        if any(form["proved"] for form in self._compiled.forms.values()):
            return
        if all(column["dtype"].startswith(NUMERIC) for column in self._layout):
            by_probability = self._compiled.by_probability
            bare = SklearnPredictor(
                self._estimator, self._layout, self._classes, by_probability=by_probability, bare=True
            )
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
                self._judge("array", "float64", bare)

    def _plan(self) -> tuple[dict[str, bytes] | None, lowered.LoweredPredictor | None]:
        try:
            files = lower(self._estimator, self._layout).files
            return files, lowered.load(files.__getitem__)
        except (Unlowerable, ArtifactError) as error:
            self._compiled.forms["plan"] = {"proved": False, "reason": str(error)}
            return None, None

    def _thresholds(self, plan: dict[str, bytes] | None, predictor: lowered.LoweredPredictor | None) -> ThresholdRows:
        if plan is None or predictor is None:
            return ThresholdRows({feature.name: [] for feature in self._signature.features}, 0, 0)
        return threshold_rows(plan, predictor, self._signature, self._rows)

    def _expect(self, thresholds: ThresholdRows) -> Expected:
        """Ask the estimator about all rows, and count them."""
        around = drawn(self._signature, self._rows)
        expected, left_out = expect(self._reference, joined([self._rows, around, thresholds.columns]))
        if expected is None:
            raise ValueError(self._why_no_answer())
        self._compiled.rows = {
            "real": _count(self._rows),
            "drawn": _count(around),
            "beside thresholds": _count(thresholds.columns),
            "thresholds": thresholds.of,
            "thresholds tried": thresholds.tried,
            "left out because the estimator refuses them": left_out,
        }
        return expected

    def _why_no_answer(self) -> str:
        """Say what the estimator itself says of a row, and whether it was fitted on as many columns."""
        reason = why_no_answer(self._reference, rows_of(self._rows, [0]))
        words = f"the estimator answers for none of the rows that it was published with: {reason}"
        fitted = getattr(self._estimator, "n_features_in_", None)
        if fitted is not None and fitted != len(self._layout):
            names = ", ".join(column["name"] for column in self._layout[:20])
            words += f". It was fitted on {fitted} columns, and the data has {len(self._layout)}: {names}"
        return words

    def _try_onnx(self) -> None:
        """Try the whole pipeline in float64, and in float32 only where that is not proved."""
        for numbers, name in (("float64", "onnx"), ("float32", "onnx-float32")):
            try:
                converted = onnx_pipeline.convert(self._estimator, self._layout, single=numbers == "float32")
                predictor = onnx_pipeline.predictor_of(converted, self._layout, self._classes)
            except (Unconvertible, ArtifactError) as error:
                self._compiled.forms[name] = {"proved": False, "reason": str(error)}
                continue
            if self._judge(name, numbers, predictor):
                self._compiled.forms[name]["outputs"] = converted.outputs
                if not self._exact() or numbers == "float64":
                    self._compiled.files[ONNX] = converted.data
                    self._compiled.forms[name]["file"] = ONNX
                return

    def _exact(self) -> bool:
        """Tell whether a form that computes in float64 is proved: then no other is carried."""
        return any(form["proved"] and form["numbers"] == "float64" for form in self._compiled.forms.values())

    def _judge(self, name: str, numbers: str, predictor: Predictor) -> bool:
        verdict = compare(predictor, self._expected, TOLERANCES[numbers])
        self._compiled.forms[name] = {**_written(verdict), "numbers": numbers, "tolerance": TOLERANCES[numbers]}
        if verdict.proved:
            self._compiled.timings[name] = timed(predictor, self._expected.columns, TIMED)
        return verdict.proved


def _written(verdict: Verdict) -> dict[str, Any]:
    difference = verdict.largest_difference
    fields = {**asdict(verdict), "largest_difference": difference if np.isfinite(difference) else None}
    return {name: value for name, value in fields.items() if name != "worst" or value is not None}


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _by_probability(expected: Expected) -> bool:
    labels, shares = expected.output.labels, expected.output.probabilities
    return labels is not None and shares is not None and bool((shares.argmax(axis=1) == labels).all())


def _sampled(rows: Columns) -> Columns:
    count = _count(rows)
    if count <= MOST_REAL:
        return rows
    return rows_of(rows, np.sort(np.random.default_rng(0).choice(count, MOST_REAL, replace=False)))


def _examples(expected: Expected) -> dict[str, Any]:
    """Keep a few rows from all kinds, the first real one among them, with the estimator's answers."""
    places = np.unique(np.linspace(0, len(expected) - 1, EXAMPLES).astype(int))
    parts: Mapping[str, Any] = {part: getattr(expected.output, part) for part in ("numbers", "labels", "probabilities")}
    answers = {part: None if found is None else found[places].tolist() for part, found in parts.items()}
    return {"columns": rows_of(expected.columns, places), **answers, "scale": expected.scale}
