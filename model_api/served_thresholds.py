"""From which probability on a version's positive class is acted on: set by people, told to whoever asks.

    models/<name>/decisions.json    {"1": {"threshold": 0.3, "class": "defaulted", "at": "2026-11-29T…", "by": "ann"}}

It changes no prediction: it is what the callers of a version compare its probability with, kept where the version is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_api.artifact import VERSION, Artifact, parse_json, read_regular_file
from model_api.errors import ArtifactError, OperatorError
from model_api.facts import LEVEL, NUMBER, TEXT, require_facts
from model_api.folders import DECISIONS, alone, as_json, read_aliases, versions_of, write_aside, write_down
from model_api.signature import Target
from model_api.values import Level, quote

FACTS = {"threshold": NUMBER, "class": LEVEL, "at": TEXT, "by": TEXT}


class CannotDecide(OperatorError):
    """There is no such version, or none whose class is a matter of a threshold."""


@dataclass(frozen=True)
class ServedThreshold:
    """What was decided for one version."""

    threshold: float
    """The class is acted on where its probability is at least this, from 0 to 1."""
    level: Level
    """The class."""
    at: str
    """When it was decided, ISO 8601 in UTC."""
    by: str
    """Who decided it."""

    def is_of(self, target: Target) -> bool:
        """Tell whether it fits what a version predicts: it is of the positive of two classes."""
        return has_threshold(target) and self.level == target.classes[target.positive_place]

    def as_table(self) -> dict[str, Any]:
        """Give the wire form."""
        return {"threshold": self.threshold, "class": self.level, "at": self.at, "by": self.by}


def has_threshold(target: Target) -> bool:
    """Tell whether a prediction is a matter of a threshold: two classes, with probabilities."""
    return target.task == "binary" and target.probabilities


def read_thresholds(model: Path) -> dict[str, ServedThreshold]:
    """Read what is decided for a model's versions; nothing when there is no file. Raises ArtifactError."""
    if not (model / DECISIONS).exists():
        return {}
    try:
        return {
            number: _read(number, told) for number, told in parse_json(read_regular_file(model / DECISIONS)).items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{DECISIONS} is not a table of decisions: {error}") from error


def _read(number: str, told: Any) -> ServedThreshold:
    if not VERSION.fullmatch(number):
        raise ValueError(f"{number[:64]!r} is not the number of a version")
    require_facts(f"version {number}", told, FACTS)
    if missing := sorted(set(FACTS) - set(told)):
        raise ValueError(f"version {number} has no {missing[0]}")
    if not 0 <= told["threshold"] <= 1:
        raise ValueError(f"version {number}: the threshold must be from 0 to 1, not {told['threshold']:g}")
    return ServedThreshold(float(told["threshold"]), told["class"], told["at"], told["by"])


def decide(
    model: Path, version: str, threshold: float | None, by: str = "decide"
) -> tuple[str, ServedThreshold | None]:
    """Set the threshold of a version, by number or alias, or with None take it away; both are written down.

    Gives the version's number, and what is decided for it now. Raises CannotDecide or ArtifactError.
    """
    number = _number(model, version)
    decided = None if threshold is None else _decision(model, number, threshold, by)
    with alone(model):
        served = read_thresholds(model)
        before = served.pop(number, None)
        if decided is None and before is None:
            raise CannotDecide(f"{model.name}, version {number}, has no threshold that could be taken away")
        if decided:
            served[number] = decided
        tables = {key: served[key].as_table() for key in sorted(served, key=int)}
        write_aside(model / DECISIONS, as_json(tables))
        line = {"threshold": threshold, "before": before and before.threshold, "by": by}
        write_down(model, {"decided": number, **line})
    return number, decided


def _number(model: Path, version: str) -> str:
    aliases, versions = read_aliases(model), versions_of(model)
    number = aliases.get(version, version)
    if number not in versions:
        raise CannotDecide(f"{model.name} has no version {version!r}; there is {', '.join([*aliases, *versions])}")
    return number


def _decision(model: Path, number: str, threshold: float, by: str) -> ServedThreshold:
    if not 0 <= threshold <= 1:
        raise CannotDecide(f"a threshold is a probability from 0 to 1, not {threshold:g}")
    target = Artifact(model / number).signature.target
    if not has_threshold(target):
        kind = "a number" if not target.classes else f"{len(target.classes)} classes"
        without = "" if target.probabilities else ", without probabilities"
        raise CannotDecide(f"{model.name}, version {number}, predicts {kind}{without}: a threshold is for two classes")
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return ServedThreshold(threshold, target.classes[target.positive_place], now, by)


def in_words(version: str, decided: ServedThreshold | None) -> str:
    """Say what is decided for a version, in a sentence."""
    if decided is None:
        return f"version {version} has no threshold any more"
    return f"version {version} is to be taken for {quote(decided.level)} from a probability of {decided.threshold:g} on"


def misplaced(served: Mapping[str, ServedThreshold], targets: Mapping[str, Target]) -> list[str]:
    """Name the decisions that do not fit the version that they are of."""
    return [
        f"{DECISIONS} has a threshold of version {number} for the class {quote(decided.level)}, which is not the one "
        "that this version looks for; it is not used"
        for number, decided in served.items()
        if number in targets and not decided.is_of(targets[number])
    ]
