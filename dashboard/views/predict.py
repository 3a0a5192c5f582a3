"""`/models/<name>`: the form, and the answer to it. One URL for both, for page and fragment."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, Response, after_this_request, g, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict

from dashboard.charts import Chart
from dashboard.charts.rendering import Key, Renderer, Size, Theme
from dashboard.errors import DashboardError, InvalidInstance, InvalidQuery, ModelServiceError
from dashboard.forms import InstanceForm, defaults, form_class, form_values
from dashboard.fragments import is_fragment, push_url
from dashboard.model_client import ModelClient
from dashboard.records import ModelVersion, Output, Prediction, Value
from dashboard.views import errors
from dashboard.views.charts import CaseChart
from dashboard.views.drawings import Drawing
from dashboard.views.errors import Failure, failure_of
from dashboard.views.panels import Place, places_of

NARROW = 640
"""Width of the viewport, in CSS pixels, up to which templates/chart.html asks for the narrow chart."""
LONGEST_QUERY = 7_000
"""Characters of an address's query; common proxies refuse a request line of more than 8 kB."""
NO_EXAMPLES = "This model came without data: it has no examples."
EXPIRED = Failure(400, "This page was open for a long time", "Nothing is lost: press Predict once more.")
Answered = tuple[Response, int]


@dataclass(frozen=True)
class Answer:
    """Everything that the answer panel shows."""

    prediction: Prediction
    ms: float
    """Milliseconds from asking the model service to its answer."""
    charts: tuple[Drawing, ...] = ()
    """Where the prediction stands, a chart for each of its first numbers."""
    charts_missing: bool = False
    """Whether there would be charts, but the reference predictions could not be had."""
    true: Output | None = None
    """True value, when the input is a reference row."""
    row: int | None = None
    """Which reference row it is, counted from 1."""
    too_long: bool = False
    """Whether the case is too long for an address."""
    places: tuple[Place, ...] = ()
    """The panels about it, still to be loaded."""


def predict_views(client: ModelClient, renderer: Renderer) -> Blueprint:
    """Make the page of a model."""
    views = Blueprint("predict", __name__)

    @views.get("/models/<name>")
    def page(name: str) -> Response:
        """Show the form, filled from the address; with values in it, the answer too."""
        model = _model(client, name)
        if "example" in request.args:
            return _example(client, renderer, model)
        form = form_class(model)(request.args, data=form_values(model, defaults(model)))
        if not _names_features(form, request.args):
            return _show(form, None)
        return _respond(client, renderer, form)

    @views.post("/models/<name>")
    def predict(name: str) -> Response:
        """Answer the form; without JavaScript, by way of the permalink."""
        model = _model(client, name)
        return _respond(client, renderer, form_class(model)(request.form))

    @views.post("/predict")
    def predict_default() -> Response:
        """Answer for the default model."""
        return predict(client.catalogue().default)

    @views.get("/models/<name>/example")
    def example(name: str) -> Response:
        """Go to a real reference row, chosen at random."""
        model = client.champion(name)
        if not model.reference_rows:
            raise InvalidQuery(NO_EXAMPLES)
        row = random.randrange(model.reference_rows)  # noqa: S311 -- an example, not a secret
        response = make_response(redirect(url_for(".page", name=name, example=row + 1), 303))
        response.headers["Cache-Control"] = "no-store"
        return response

    @views.app_errorhandler(CSRFError)
    def expired(_: CSRFError) -> Response:
        """Show the form again, with what was typed and a fresh token."""
        try:
            model = _model(client, (request.view_args or {}).get("name") or client.catalogue().default)
        except DashboardError as error:  # Flask would not come back to the handlers from inside one
            return errors.answer(error)
        return _show(form_class(model)(request.form), None, EXPIRED, EXPIRED.status)

    return views


def _model(client: ModelClient, name: str) -> ModelVersion:
    """Find the model; while the service is away, as it was last seen, so that the form and its text survive."""
    try:
        return client.champion(name)
    except ModelServiceError:
        known = client.last_known(name)
        if known is None:
            raise
        return known


def _names_features(form: InstanceForm, query: Mapping[str, str]) -> bool:
    return "unknown" in query or any(field.name in query for field in form.fields)


def _respond(client: ModelClient, renderer: Renderer, form: InstanceForm) -> Response:
    """Validate, predict, and show: 422 with messages beside the fields, or the answer with its permalink."""
    for field in form.fields:
        field.validate(form)
    if form.invalid:
        return _show(form, None, status=422)
    try:
        began = time.perf_counter()
        prediction = client.predict(form.model, form.instance(), g.request_id)
        ms = (time.perf_counter() - began) * 1000
    except InvalidInstance as error:
        form.refuse(error.messages)
        failure = None if form.invalid else failure_of(error)
        return _show(form, None, failure, 422)
    except (InvalidQuery, ModelServiceError) as error:
        failure = failure_of(error)
        return _show(form, None, failure, failure.status)
    query = urlencode(form.query())
    too_long = len(query) > LONGEST_QUERY
    address = url_for("predict.page", name=form.model.name)
    permalink = address if too_long else f"{address}?{query}"
    if request.method == "POST" and not is_fragment() and not too_long:
        return make_response(redirect(permalink, 303))
    places = () if too_long else tuple(places_of(form.model, form.query()))
    answer = replace(_answer(client, renderer, form.model, prediction, ms), too_long=too_long, places=places)
    return push_url(_show(form, answer), permalink)


def _example(client: ModelClient, renderer: Renderer, model: ModelVersion) -> Response:
    """Show one reference row: its values, the prediction for it, and what was true."""
    text = request.args["example"]
    if not model.reference_rows:
        raise InvalidQuery(NO_EXAMPLES)
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= model.reference_rows):
        raise InvalidQuery(f"There are reference rows 1 to {model.reference_rows}.")
    row = int(text)
    reference = client.all_reference(model)
    instance: dict[str, Value] = reference.data[row - 1]
    form = form_class(model)(MultiDict(), data=form_values(model, instance))
    began = time.perf_counter()
    prediction = client.predict(model, instance, g.request_id)
    ms = (time.perf_counter() - began) * 1000
    answer = _answer(client, renderer, model, prediction, ms, true=reference.target[row - 1], row=row)
    answer = replace(answer, places=tuple(places_of(model, form.query())))
    return push_url(_show(form, answer), url_for("predict.page", name=model.name, example=row))


def _answer(
    client: ModelClient,
    renderer: Renderer,
    model: ModelVersion,
    prediction: Prediction,
    ms: float,
    *,
    true: Output | None = None,
    row: int | None = None,
) -> Answer:
    answer = Answer(prediction, ms, true=true, row=row)
    cases = CaseChart.all_of(model, prediction)
    if not cases:
        return answer
    try:
        reference = client.all_reference(model)
    except ModelServiceError as error:
        failure_of(error)  # the number is here: it is shown without the chart
        return replace(answer, charts_missing=True)
    drawings = tuple(case.drawing(reference) for case in cases)
    for case, drawing in zip(cases, drawings, strict=True):
        _draw_ahead(renderer, case.key("svg", *_likely_look()), drawing.chart)
    return replace(answer, charts=drawings)


def _draw_ahead(renderer: Renderer, key: Key, chart: Chart) -> None:
    """Draw a chart once the answer is on its way: by the time the browser asks for it, it is there."""

    @after_this_request
    def when_sent(response: Response) -> Response:
        response.call_on_close(lambda: renderer.start(key, chart))
        return response


def _likely_look() -> tuple[Theme, Size]:
    """Tell in which theme and size the browser is going to ask for the chart, as far as it says."""
    theme: Theme = "dark" if "dark" in request.headers.get("Sec-CH-Prefers-Color-Scheme", "") else "light"
    width = request.headers.get("Sec-CH-Viewport-Width", "")
    size: Size = "narrow" if width.isascii() and width.isdigit() and int(width) <= NARROW else "wide"
    return theme, size


def _show(form: InstanceForm, answer: Answer | None, failure: Failure | None = None, status: int = 200) -> Response:
    html = render_template(_template(answer, status), form=form, model=form.model, answer=answer, failure=failure)
    return make_response(html, status)


def _template(answer: Answer | None, status: int) -> str:
    """Choose how much of the page is sent."""
    if not is_fragment():
        return "predict.html"
    if status >= 500:
        # What is wrong on the other side of the counter is shown beside the form, which stays as it is on the page.
        return "error_failure.html"
    if answer and request.headers.get("HX-Target", "").endswith("#answer"):
        return "predict_result.html"
    return "predict_workspace.html"
