"""Output → bytes, for one instance about which there is nothing to say: what `inference` and `wire` give together.

The text is cut from an answer that they wrote for stand-ins, so there is one contract; the numbers are put in here.
"""

import math
import secrets
from typing import Any

from model_api import conformal, inference, wire
from model_api.inference import Answer, Options, Prediction
from model_api.loading import LoadedModel
from model_api.runtimes import Output

Parts = tuple[bytes, ...]
VALUE, LOW, HIGH, CLASSES, ID = (secrets.token_hex(8) for _ in range(5))
"""What stands for the parts of an answer: nothing that a class or a model could be called."""
MOST_SETS = 1000
"""Sets of classes whose text is kept."""


class ShortAnswers:
    """Writes the answers of one version at the usual coverage."""

    def __init__(self, model: LoadedModel, options: Options) -> None:
        signature, calibration = model.artifact.signature, model.artifact.calibration
        target = signature.target
        self._margin = conformal.margin(calibration[0], options.coverage) if calibration else None
        self._margins = [] if target.classes else inference.margins_of(model.artifact, options.coverage)
        by_size = any(margins.varies for margins in self._margins)
        number = self._number_by_size if by_size else self._number
        self._writes = self._class if target.classes else None if target.outputs else number
        self._classes = [wire.encode(level) for level in target.classes]
        self._sets: dict[tuple[int, ...], bytes] = {}
        names = target.class_names if target.classes and target.probabilities else []
        interval: dict[str, Any] | None = None
        if self._margin is not None:
            left: dict[str, Any] = {"classes": CLASSES} if target.classes else {"low": LOW, "high": HIGH}
            interval = {**left, "coverage": options.coverage}
        shares: Any = {name: secrets.token_hex(8) for name in names} or None
        stands = [VALUE, *(shares or {}).values(), *([] if interval is None else [*left.values()])]
        sample = wire.answer(Answer(model, [Prediction(VALUE, shares, interval, [])]), "prediction", ID, single=True)
        self._template = _with_places(wire.encode(sample), stands)

    def write(self, output: Output, request_id: str) -> bytes | None:
        """Write the answer to one instance; None where it is not a usual one. `request_id` needs no escaping."""
        parts = self._writes(output) if self._writes else None
        return self._template % (*parts, request_id.encode()) if parts else None

    def _number(self, output: Output) -> Parts | None:
        assert output.numbers is not None
        number = output.numbers.item()
        if not math.isfinite(number):
            return None
        encode, margin = wire.encode, self._margin
        if margin is None:
            return (encode(number),)
        return encode(number), encode(number - margin), encode(number + margin)

    def _number_by_size(self, output: Output) -> Parts | None:
        assert output.numbers is not None
        number = output.numbers.item()
        margin = self._margins[0].at(number)
        if not math.isfinite(number) or margin is None:
            return None
        return wire.encode(number), wire.encode(number - margin), wire.encode(number + margin)

    def _class(self, output: Output) -> Parts | None:
        assert output.labels is not None
        label = output.labels.item()
        if output.probabilities is None:
            return (self._classes[label],)
        (shares,) = output.probabilities.tolist()
        if not math.isfinite(sum(shares)):
            return None
        parts = (self._classes[label], *map(wire.encode, shares))
        return parts if self._margin is None else (*parts, self._set(inference.kept(shares, label, self._margin)))

    def _set(self, positions: tuple[int, ...]) -> bytes:
        known = self._sets.get(positions)
        if known is None:
            known = b"[" + b",".join(self._classes[position] for position in positions) + b"]"
            if len(self._sets) < MOST_SETS:
                self._sets[positions] = known
        return known


def _with_places(sample: bytes, stands: list[str]) -> bytes:
    """Put places where the stand-ins are, which stand there in this order, and the request id at the end."""
    template = sample.replace(b"%", b"%%")
    for stand in stands:
        template = template.replace(wire.encode(stand), b"%b")
    return template.replace(ID.encode(), b"%b")
