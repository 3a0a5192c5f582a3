"""Numbers and words as people read them."""

import math
from collections.abc import Sequence

from dashboard.moments import clock_time
from dashboard.records import Feature, Level, Target, Value

MINUS = "−"
SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that no line ends between them."""
LONG_NUMBER = 9
"""Characters up to which a number is shown with all its digits."""
METRICS = {
    "mean_absolute_error": "mean error",
    "root_mean_squared_error": "root mean squared error",
    "r2": "R²",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "average_precision": "average precision",
    "brier_score": "Brier score",
}
"""Metric → what to call it."""
FORMS = {
    "plan": "array operations in float64",
    "onnx": "ONNX in float64",
    "onnx-float32": "ONNX in float32",
    "array": "scikit-learn, asked with a bare array",
    "estimator": "scikit-learn itself",
}
"""Form of a model → what to call it."""


def plain_number(value: float) -> str:
    """Write a number as it is typed into a form: "42.2", "1e-7"."""
    return f"{value:.15g}"


def measured(value: float) -> str:
    """Write a true number: as it is typed, unless it has more digits than anybody measured."""
    text = plain_number(value)
    return text if len(text) <= LONG_NUMBER else significant(value, 7)


def rounded(value: float) -> float:
    """Keep three significant digits, for what is only a guess."""
    return float(f"{value:.3g}")


def significant(value: float, digits: int = 5) -> str:
    """Write a number with so many significant digits, never cutting off whole ones: "152.13", "0.041230", "34,600"."""
    if not math.isfinite(value):
        return str(value)
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    if not -5 <= magnitude < 12:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}".replace("-", MINUS)


def signed(value: float, digits: int = 5) -> str:
    """Write a change, with its sign: "+12.3", "−4.10"."""
    text = significant(value, digits)
    return text if text.startswith(MINUS) or not value else f"+{text}"


def percent(share: float) -> str:
    """Write a share from 0 to 1 as "92 %", honest at both ends: "more than 99.9 %"."""
    if 0 < share < 0.001:
        return f"less than 0.1{SPACE}%"
    if 0.999 < share < 1:
        return f"more than 99.9{SPACE}%"
    return f"{share * 100:.{3 if share >= 0.01 else 2}g}{SPACE}%"


def level(value: Level) -> str:
    """Write a class or a level: true and false as yes and no."""
    return cell(value) if isinstance(value, bool) else str(value)


def clock_text(text: str, zone: str | None) -> str:
    """Write a moment as people read it: "2026-11-24 09:30"."""
    return clock_time(text, zone).replace("T", " ")


def clipped(text: str, most: int) -> str:
    """Shorten a text to at most so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def feature_value(value: Value, feature: Feature) -> str:
    """Write a feature's value in a table, a moment by the clock of its time zone."""
    if feature.type == "datetime" and isinstance(value, str):
        return clock_text(value, feature.zone)
    return cell(value)


def cell(value: Value) -> str:
    """Write a value in a table."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else plain_number(value)


def with_unit(text: str, unit: str | None) -> str:
    """Put a unit behind a number."""
    return f"{text}{SPACE}{unit}" if unit else text


def listed(words: Sequence[Level]) -> str:
    """Join words as in a sentence: "a", "a and b", "a, b and c"."""
    texts = [level(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def metric_value(name: str, value: float | None, target: Target) -> str:
    """Write a metric without its name; "–" where there is none."""
    if value is None:
        return "–"
    label = METRICS.get(name, name.replace("_", " "))
    return metric(name, value, target).removeprefix(label).strip()


def metric(name: str, value: float, target: Target) -> str:
    """Write a metric in a few words: "mean error ±44.3 points", "ROC AUC 0.995"."""
    label = METRICS.get(name, name.replace("_", " "))
    if name in ("mean_absolute_error", "root_mean_squared_error"):
        return f"{label} {with_unit('±' + significant(value, 3), target.unit)}"
    if "accuracy" in name:
        return f"{label} {percent(value)}"
    return f"{label} {value:.3f}"


def sentence(text: str) -> str:
    """Write what the model service says, which begins small and ends without a full stop, as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
