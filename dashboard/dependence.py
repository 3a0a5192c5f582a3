"""What a model makes of a feature on average: its curve over reference cases (partial dependence)."""

from dataclasses import replace

from pydantic import Field

from dashboard.charts import Chart
from dashboard.charts.curve import CurveDrawing, Marked, curve_chart
from dashboard.charts.levels import Bar, LevelsDrawing, levels_chart
from dashboard.charts.scales import Scale
from dashboard.errors import ModelServiceError, NotOffered, UnknownModel
from dashboard.explanations import Looked, known_features
from dashboard.explanations_what_if import Density, Point
from dashboard.formatting import cell, clipped, feature_value
from dashboard.forms import defaults
from dashboard.model_client import Asked, ModelClient
from dashboard.panels.amounts import amount, name_of, title_of
from dashboard.records import Feature, ModelVersion

NAME = "dependence"
MOST = 6
"""Features that have a chart, the most important ones."""


class Dependence(Looked):
    """The mean of the number that is looked at over reference cases, for values of one feature."""

    feature: str
    kind: str
    points: tuple[Point, ...] = Field(strict=False, min_length=1)
    density: Density | None
    rows: int

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether it is about a feature of the model."""
        return known_features(model, [self.feature])


def dependences(client: ModelClient, model: ModelVersion, names: list[str], request_id: str) -> list[Chart]:
    """Make a chart for each of some features; none where the service has no such thing to tell."""
    try:
        return [dependence_chart(client, model, name, request_id) for name in names[:MOST]]
    except (NotOffered, UnknownModel, ModelServiceError):
        return []


def dependence_chart(client: ModelClient, model: ModelVersion, name: str, request_id: str) -> Chart:
    """Make the chart of one feature. Raises ModelServiceError, NotOffered or InvalidQuery."""
    said = client.explain(Dependence, model, Asked(NAME, defaults(model), {"feature": name}), request_id)
    feature = next(feature for feature in model.signature.features if feature.name == said.feature)
    number = f"{name_of(model, said)}, on average"
    scores = [point.score for point in said.points]
    lowest, highest = amount(said, min(scores)), amount(said, max(scores))
    title = title_of(model, feature)
    place = f"between {lowest} and {highest}" if lowest != highest else f"at {lowest} whatever its value"
    finding = f"{title}: {number} over {said.rows} reference cases, lies {place}."
    rows = tuple((clipped(feature_value(point.value, feature), 200), point.score) for point in said.points)
    usual = Marked(None, sum(scores) / len(scores), amount(said, sum(scores) / len(scores)))
    header = (title, number)
    if said.kind == "bars":
        bars = [Bar(clipped(cell(p.value), 80), p.score, amount(said, p.score), None) for p in said.points]
        return levels_chart(
            LevelsDrawing(number, bars, usual, percent=said.of is not None, usual="average"), finding, header, rows
        )
    return curve_chart(_curve(said, feature, number, replace(usual, shown="")), finding, header, rows)


def _curve(said: Dependence, feature: Feature, number: str, usual: Marked) -> CurveDrawing:
    scale = Scale.of(feature, [point.value for point in said.points])
    places = [(scale.place(feature, point.value) or 0.0, point.score) for point in said.points]
    edges = [scale.place(feature, edge) or 0.0 for edge in (said.density.edges or ())] if said.density else []
    counts = said.density.counts if said.density else ()
    density = list(zip(edges[:-1], edges[1:], counts, strict=False))
    title = f"{feature.title} in {feature.unit}" if feature.unit else feature.title
    return CurveDrawing(title, number, scale, places, density, usual, percent=said.of is not None)
