"""`/models/<name>/versions/<version>/charts/<chart>.<format>`: each chart at its own address."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, request, url_for

from dashboard.charts import Chart
from dashboard.charts.confusion import NAME as CONFUSION
from dashboard.charts.confusion import confusion
from dashboard.charts.predicted_true import NAME as PREDICTED_TRUE
from dashboard.charts.predicted_true import predicted_true
from dashboard.charts.rendering import FORMATS, MEDIA_TYPES, SIZES, THEMES, Format, Key, Renderer, Size, Theme
from dashboard.charts.standing import NAME as STANDING
from dashboard.charts.standing import Standing, standing
from dashboard.errors import InvalidQuery, UnknownModel
from dashboard.model_client import ModelClient
from dashboard.records import ModelVersion, Prediction, ReferencePredictions, number_of
from dashboard.views.drawings import Drawing

T = TypeVar("T", bound=str)
MOST_STANDINGS = 3
"""Outputs of a prediction whose charts stand on its page."""
# A chart opened by itself is a document: it may style itself, and nothing else.
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True)
class CaseChart:
    """The chart of one prediction, as its address says it."""

    model: ModelVersion
    case: Standing

    @classmethod
    def all_of(cls, model: ModelVersion, prediction: Prediction) -> list["CaseChart"]:
        """Choose what is shown: each of the first numbers, or the probability of the class that people look for."""
        target = model.signature.target
        if STANDING not in chart_names(model):
            return []
        if prediction.probabilities is None:
            outputs = target.outputs[:MOST_STANDINGS] or (None,)
            return [cls(model, Standing(number_of(prediction.prediction, name), output=name)) for name in outputs]
        assert not isinstance(prediction.prediction, dict)
        of = target.positive if target.positive is not None else prediction.prediction
        return [cls(model, Standing(prediction.probabilities[str(of)], of))]

    @classmethod
    def from_query(cls, model: ModelVersion) -> "CaseChart":
        """Read it back from an address. Raises InvalidQuery."""
        target = model.signature.target
        of, output = None, None
        if target.classes:
            of = next((level for level in target.classes if str(level) == request.args.get("class")), None)
            if of is None:
                raise InvalidQuery("The parameter class must name a class of the model.")
        elif target.outputs:
            output = request.args.get("output", target.outputs[0])
            if output not in target.outputs:
                raise InvalidQuery("The parameter output must name an output of the model.")
        try:
            value = float(request.args.get("value", ""))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (of is not None and not 0 <= value <= 1):
            raise InvalidQuery("The parameter value must be a number.")
        return cls(model, Standing(value, of, output))

    @property
    def query(self) -> dict[str, str]:
        """The parameters of its address."""
        query = {"value": repr(self.case.value)}
        if self.case.of is not None:
            query["class"] = str(self.case.of)
        return query | {"output": self.case.output} if self.case.output is not None else query

    def key(self, form: Format, theme: Theme, size: Size) -> Key:
        """What decides its bytes."""
        return Key(self.model.provenance.digest, f"{STANDING} {self.query}", form, theme, size)

    def drawing(self, reference: ReferencePredictions) -> Drawing:
        """Make the chart, and say where it is."""
        chart = self.build(reference)
        return Drawing(chart, address_of(self.model, chart), urlencode(self.query), output=self.case.output)

    def build(self, reference: ReferencePredictions) -> Chart:
        """Make the chart."""
        return standing(self.model, reference, self.case)


def address_of(model: ModelVersion, chart: Chart) -> str:
    """Give the address of a chart, without its format."""
    return url_for("charts.chart", name=model.name, version=model.version, chart=chart.name, form="").removesuffix(".")


def chart_names(model: ModelVersion) -> tuple[str, ...]:
    """Name the charts that a model has: none without reference rows, and no standing where nothing can be ordered."""
    target = model.signature.target
    if not model.reference_rows:
        return ()
    quality = CONFUSION if target.classes else PREDICTED_TRUE
    return (quality, STANDING) if target.gives_probabilities or not target.classes else (quality,)


def quality_chart(model: ModelVersion, reference: ReferencePredictions) -> Chart:
    """Make the chart that compares predictions with what was true."""
    return (confusion if model.signature.target.classes else predicted_true)(model, reference)


def chart_views(client: ModelClient, renderer: Renderer) -> Blueprint:
    """Make the address of every chart in every format."""
    views = Blueprint("charts", __name__)

    @views.get("/models/<name>/versions/<version>/charts/<chart>.<form>")
    def chart(name: str, version: str, chart: str, form: str) -> Response:
        """Give the chart, or 304 without drawing it when the browser has it."""
        found = next((known for known in FORMATS if known == form), None)
        if found is None or chart not in (STANDING, PREDICTED_TRUE, CONFUSION):
            raise UnknownModel(f"no chart {chart}.{form}")
        theme, size = look_of()
        model = client.version(name, version)
        if chart not in chart_names(model):
            raise UnknownModel(f"{name} has no chart {chart}")
        case = CaseChart.from_query(model) if chart == STANDING else None
        key = case.key(found, theme, size) if case else Key(model.provenance.digest, chart, found, theme, size)

        def build() -> Chart:
            reference = client.all_reference(model)
            return case.build(reference) if case else quality_chart(model, reference)

        return chart_response(renderer, key, build, lambda drawn: file_name(model, drawn, _parts(case), found))

    return views


def chart_response(
    renderer: Renderer, key: Key, build: Callable[[], Chart], name: Callable[[Chart], str], prefix: str = ""
) -> Response:
    """Give a chart in its format, or 304 without making it when the browser has it; `name` is that of a download."""
    response = make_response()
    response.set_etag(key.etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.mimetype = MEDIA_TYPES[key.format]
    if key.format == "svg":  # with a 304 too: a browser takes the headers of that over
        response.headers["Content-Security-Policy"] = SVG_POLICY
    if request.if_none_match.contains(key.etag):
        response.status_code = 304
        return response
    drawn = build()
    response.set_data(renderer.bytes_of(key, drawn))
    if key.format != "svg" or f"{prefix}download" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{name(drawn)}"'
    return response


def look_of(prefix: str = "") -> tuple[Theme, Size]:
    """Read theme and size from the address. Raises InvalidQuery."""
    return _one_of(f"{prefix}theme", THEMES), _one_of(f"{prefix}size", SIZES)


def _one_of(name: str, known: tuple[T, ...]) -> T:
    """Read a query parameter that has a few values, the first of them if it is not given."""
    text = request.args.get(name, known[0])
    found = next((value for value in known if value == text), None)
    if found is None:
        raise InvalidQuery(f"The parameter {name} must be {' or '.join(map(str, known))}.")
    return found


def _parts(case: CaseChart | None) -> list[str]:
    """Tell in a file's name which case a chart is of."""
    if case is None:
        return []
    return [*([case.case.output[:40]] if case.case.output else []), f"{case.case.value:.5g}"]


def file_name(model: ModelVersion, chart: Chart, parts: Sequence[str], form: Format) -> str:
    """Name a download after what is in it: "diabetes-v1_standing_152.13_2026-11-22.png"."""
    words = [f"{model.name}-v{model.version}", chart.name, *parts, datetime.now(UTC).date().isoformat()]
    return re.sub(r"[^A-Za-z0-9._-]", "-", "_".join(words))[:100] + f".{form}"
