"""A model as what an explanation asks about: one number, and one decision, for many cases at once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from model_api.artifact import Artifact
from model_api.errors import UnusablePrediction
from model_api.explanations.coding import NAMED, NUMBERS, Coding
from model_api.loading import LoadedModel
from model_api.runtimes import Floats, Output
from model_api.runtimes.selection import ChosenPredictor
from model_api.signature import Signature, Target

Integers = npt.NDArray[np.intp]
BACKGROUND = 100
"""Reference rows against which a case is explained; of more, as many at random, always the same."""
SEED = 0
CELLS = 4_000_000
"""Numbers that the model is asked about at once, features times rows; more are asked in parts, for want of memory."""

Kind = Literal["number", "probability", "predicted"]
"""What a number is; `predicted`: 1 where a class is predicted, else 0, by a classifier without probabilities."""


@dataclass(frozen=True)
class Focus:
    """The number that is looked at: of a regression an output, of a classification the probability of a class."""

    kind: Kind
    place: int
    """Which output, or which class."""

    def of(self, output: Output) -> Floats:
        """Give n numbers of what the model said of n cases."""
        if self.kind == "predicted":
            assert output.labels is not None
            said: Floats = (output.labels == self.place).astype(np.float64)
            return said
        matrix = output.numbers if self.kind == "number" else output.probabilities
        assert matrix is not None
        numbers: Floats = matrix if matrix.ndim == 1 else matrix[:, self.place]
        return numbers


class Subject:
    """One version, asked about rows of codes (see coding.py)."""

    def __init__(self, signature: Signature, predictor: ChosenPredictor, coding: Coding, reference: Floats) -> None:
        """`reference`: the reference sample, n × features."""
        self.signature = signature
        self.coding = coding
        self.reference = reference
        self._predictor = predictor
        self._arrays = False
        self._known_of: Subject | None = None
        """Who keeps what is known of the reference sample, which one more level does not change; None: this one."""

    @property
    def target(self) -> Target:
        """What the model predicts."""
        return self.signature.target

    @property
    def count(self) -> int:
        """How many features there are."""
        return len(self.signature.features)

    def seconds(self, rows: int) -> float:
        """Estimate how long the model takes for so many rows, with turning them into values."""
        return self._predictor.seconds(rows) + rows * self.count * (2e-8 if self._arrays else 1.5e-7)

    def ask(self, rows: Floats) -> Output:
        """Ask the model about n × features codes, n > 0. Raises UnusablePrediction where it gives no finite number."""
        most = max(1, CELLS // max(1, self.count))
        output = _joined([self._ask(rows[start : start + most]) for start in range(0, len(rows), most)])
        for part in (output.numbers, output.probabilities):
            if part is not None and not np.isfinite(part).all():
                raise UnusablePrediction("the model's prediction for a case near this one is not finite")
        return output

    def _ask(self, rows: Floats) -> Output:
        return self._predictor.predict(self.coding.columns(rows, arrays=self._arrays))

    def scores(self, rows: Floats, focus: Focus) -> Floats:
        """Give the number that is looked at for n × features codes; n may be 0."""
        return focus.of(self.ask(rows)) if len(rows) else np.empty(0)

    @cached_property
    def background(self) -> Floats:
        """At most `BACKGROUND` rows of the reference sample."""
        if self._known_of:
            return self._known_of.background
        if len(self.reference) <= BACKGROUND:
            return self.reference
        chosen = np.random.default_rng(SEED).choice(len(self.reference), BACKGROUND, replace=False)
        return self.reference[np.sort(chosen)]

    @cached_property
    def spreads(self) -> Floats:
        """How far values of each feature lie apart: the standard deviation, 1 where it is 0 or there is no order."""
        if self._known_of:
            return self._known_of.spreads
        spreads = np.ones(self.count)
        for place, feature in enumerate(self.signature.features):
            known = self.reference[:, place][~np.isnan(self.reference[:, place])]
            if feature.type not in NAMED and len(known) and (spread := float(known.std())) > 0:
                spreads[place] = spread
        return spreads

    @cached_property
    def reference_output(self) -> Output:
        """What the model says of the reference sample."""
        if self._known_of:
            return self._known_of.reference_output
        return self.ask(self.reference)

    def spread_of(self, focus: Focus) -> float:
        """Give the standard deviation of the number that is looked at over the reference sample; 1 where it is 0."""
        return float(focus.of(self.reference_output).std()) or 1.0

    def including(self, row: dict[str, Any]) -> "Subject":
        """Give a subject that knows the values of one more case."""
        coding = self.coding.including(row)
        if coding is self.coding:
            return self
        other = Subject(self.signature, self._predictor, coding, self.reference)
        other._arrays = self._arrays
        other._known_of = self._known_of or self
        return other

    def try_arrays(self) -> None:
        """Leave numbers in arrays from now on, if the model is seen to answer the same for them: it is much faster."""
        if not any(feature.type in NUMBERS for feature in self.signature.features) or not len(self.reference):
            return
        plain = self.ask(self.reference)
        self._arrays = True
        try:
            same = self.ask(self.reference).is_same(plain)
        except Exception:  # noqa: BLE001 -- a form can fail in any way on what it was not made for
            same = False
        self._arrays = same


def _joined(parts: list[Output]) -> Output:
    """Put the answers to the parts of a question together."""
    if len(parts) == 1:
        return parts[0]
    columns: list[Any] = [None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)]
    return Output(*columns)


_subjects: WeakKeyDictionary[Artifact, Subject] = WeakKeyDictionary()


def subject_of(model: LoadedModel) -> Subject:
    """Give the subject of a loaded model; it is made once. Takes a moment the first time."""
    artifact = model.artifact
    subject = _subjects.get(artifact)
    if subject is None:
        columns = artifact.reference.columns
        coding = Coding.of(artifact.signature.features, columns)
        subject = Subject(artifact.signature, model.predictor, coding, coding.codes(columns))
        subject.try_arrays()
        subject = _subjects.setdefault(artifact, subject)
    return subject
