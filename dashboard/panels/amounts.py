"""The number that an explanation looks at, in words."""

from dashboard.explanations import Looked
from dashboard.formatting import feature_value, level, percent, signed, significant, with_unit
from dashboard.records import Feature, ModelVersion, Prediction, Value, number_of


def amount(said: Looked, number: float) -> str:
    """Write the number: "152.1 points", as a probability "23 %", or without one whether the class is predicted."""
    if said.of is None:
        return with_unit(significant(number, 4), said.unit)
    if said.unit == "predicted":
        return "predicted" if number else "not predicted"
    return percent(number)


def difference(said: Looked, number: float) -> str:
    """Write how far two numbers are apart, without a sign."""
    if said.of is None:
        return with_unit(significant(abs(number), 3), said.unit)
    points = significant(abs(number) * 100, 2)
    return f"{points} percentage {'point' if points == '1.0' else 'points'}"


def change(said: Looked, number: float) -> str:
    """Write a difference in short, with its sign."""
    return f"{signed(number * 100, 2)} pp" if said.of is not None else signed(number, 3)


def name_of(model: ModelVersion, said: Looked) -> str:
    """Name the number: "probability of defaulted", "class defaulted", "predicted disease progression"."""
    if said.of is None:
        return f"predicted {said.output or model.signature.target.name}"
    return f"{'class' if said.unit == 'predicted' else 'probability of'} {level(said.of)}"


def score_of(prediction: Prediction, said: Looked) -> float:
    """Give the same number of another prediction."""
    if said.of is None:
        return number_of(prediction.prediction, said.output)
    if prediction.probabilities is None:
        return float(prediction.prediction == said.of)
    return prediction.probabilities[str(said.of)]


def title_of(model: ModelVersion, feature: Feature) -> str:
    """Name a feature, with its group where another one is called the same."""
    same = sum(other.title == feature.title for other in model.signature.features)
    return f"{feature.title} ({feature.group})" if same > 1 and feature.group else feature.title


def value_text(value: Value, feature: Feature) -> str:
    """Write a feature's value with its unit."""
    shown = feature_value(value, feature)
    return shown if value is None else with_unit(shown, feature.unit)
