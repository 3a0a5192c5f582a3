"""What can go wrong in the model service. Knows no HTTP: routes/errors.py holds the one table of statuses.

ServeryError
├── RequestError                 the caller can mend it
│   ├── UnreadableBody           the body is not a JSON document we accept
│   ├── UnsupportedMediaType     the body is declared to be something else than JSON
│   ├── BodyTooLarge             more bytes than the settings allow
│   ├── InvalidRequest           readable, but not a prediction request
│   ├── InvalidInstances         features that do not fit the signature, all of them at once
│   ├── UnknownModel             no model of that name
│   ├── UnknownVersion           the model has no such version or alias
│   └── UnknownExplanation       there is no such call about a prediction
├── Unsupported                  a protocol has such a call, this service has not
├── CallerLeft                   nobody waits for the answer any more
├── Overloaded                   more is asked for than can be answered soon
├── DeadlinePassed               the caller's own deadline passed before there was an answer
├── NotReady                     the model is known but not loaded (yet)
├── UnusablePrediction           the model gave a number that is not finite
├── ArtifactError                a version on disk that must not be served, with its reason
└── OperatorError                what was asked on the command line cannot be done; reaches no caller
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


class ServeryError(Exception):
    """The root: `str(error)` is one sentence that a stranger can act on."""


class RequestError(ServeryError):
    """The request cannot be answered as it was sent."""


class UnreadableBody(RequestError):
    """The body is empty, not UTF-8, not JSON, nested too deeply, or names a key twice."""


class UnsupportedMediaType(RequestError):
    """The request declares a content type or charset that is not read here."""


class BodyTooLarge(RequestError):
    """The body is longer than `Settings.max_body_bytes`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one feature of one instance."""

    feature: str | None
    """Name of the feature; None when the whole row is at fault."""
    code: str
    """A stable word for programs, such as `not_a_number`."""
    message: str
    """One sentence for people."""
    expected: str | None = None
    """What would have been accepted."""
    value: str | None = None
    """What was sent, as text and clipped."""
    row: int = 0
    """Which instance, counted from 0."""

    def to_dict(self) -> dict[str, Any]:
        """Give the problem in its wire form."""
        return asdict(self)


class InvalidRequest(RequestError):
    """The JSON is sound but is not a prediction request."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class InvalidInstances(RequestError):
    """Some features do not fit the signature; `problems` lists every one of them."""

    def __init__(self, problems: Sequence[Problem], rows: int) -> None:
        self.problems = tuple(problems)
        bad = sorted({problem.row for problem in problems})
        where = f"of row {bad[0]}" if len(bad) == 1 else f"in {len(bad)} of {rows} rows"
        features = "1 feature" if len(problems) == 1 else f"{len(problems)} features"
        super().__init__(f"{features} {where} {'is' if len(problems) == 1 else 'are'} not valid")


class UnknownModel(RequestError):
    """Nobody published a model of that name here."""


class UnknownVersion(RequestError):
    """The model exists, the version or alias does not."""


class UnknownExplanation(RequestError):
    """There is no such call about a prediction."""


class NotReady(ServeryError):
    """The model, or all of them, cannot answer now but may soon."""


class Unsupported(ServeryError):
    """The protocol that is spoken has such a call, but here it cannot be made."""


class CallerLeft(ServeryError):
    """The connection was closed before the work was begun."""


class Overloaded(ServeryError):
    """The line of waiting work is full; whoever comes again a little later is likely to be served."""


class DeadlinePassed(ServeryError):
    """The seconds that the caller gave in `X-Request-Timeout` are over."""


class UnusablePrediction(RequestError):
    """The instance is valid but the model's answer for it is not a finite number."""


class ArtifactError(ServeryError):
    """A version on disk is broken, altered, or holds what the operator does not trust."""


class OperatorError(ServeryError):
    """What an operator asked for cannot be done: each module of the command line has its own."""
