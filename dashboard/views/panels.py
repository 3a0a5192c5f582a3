"""`/models/<name>/panels/<panel>`: what a person wants to know beside the number, as a fragment or as a page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from dashboard.charts import Chart
from dashboard.charts.rendering import FORMATS, Key, Renderer
from dashboard.errors import InvalidInstance, InvalidQuery, ModelServiceError, NotOffered, UnknownModel
from dashboard.forms import ASK, InstanceForm, defaults, form_class, form_values
from dashboard.fragments import is_fragment
from dashboard.model_client import ModelClient
from dashboard.panels import VERSION, Case, Panel
from dashboard.panels.all import panels_of
from dashboard.panels.amounts import title_of
from dashboard.records import ModelVersion
from dashboard.views.charts import chart_response, file_name, look_of
from dashboard.views.drawings import Drawing
from dashboard.views.errors import failure_of

LOOK = ("theme", "size", "download")
"""Parameters of a chart's address that do not decide what it shows."""


@dataclass(frozen=True)
class Place:
    """A panel on the page of an answer, before it is loaded."""

    panel: Panel
    url: str


def panel_views(client: ModelClient, renderer: Renderer) -> Blueprint:
    """Make the addresses of all panels and their charts."""
    views = Blueprint("panels", __name__)

    @views.get("/models/<name>/panels/<panel>")
    def panel(name: str, panel: str) -> Response:
        """Show a panel for the case in the address."""
        version = request.args.get(ASK + VERSION)
        model = client.version(name, version) if version else client.champion(name)
        found = _panel(model, panel)
        try:
            case = _case(client, model)
            said = found.answer(case)
        except (InvalidInstance, InvalidQuery, NotOffered, ModelServiceError) as error:
            if not is_fragment():
                raise
            failure = failure_of(error)
            html = render_template("panel.html", model=model, panel=found, failure=failure, again=request.full_path)
            return make_response(html, failure.status)
        drawn = {chart: _drawing(case, found, chart, said) for chart in found.charts}
        drawings = {chart: drawing for chart, drawing in drawn.items() if drawing}
        template = "panel.html" if is_fragment() else "panel_page.html"
        html = render_template(
            template, model=model, panel=found, case=case, said=said, drawings=drawings, permalink=permalink(case)
        )
        return make_response(html, getattr(said, "status", 200))

    @views.get("/models/<name>/versions/<version>/panels/<panel>/<chart>.<form>")
    def chart(name: str, version: str, panel: str, chart: str, form: str) -> Response:
        """Give a panel's chart, or 304 without drawing it when the browser has this one."""
        model = client.version(name, version)
        found, known = _panel(model, panel), next((known for known in FORMATS if known == form), None)
        if chart not in found.charts or known is None:
            raise UnknownModel(f"no chart {panel}/{chart}.{form}")
        case = _case(client, model)
        theme, size = look_of(ASK)
        # What is approximate or depends on the operator's settings may be another answer now: its numbers are in the
        # key. An exact answer is in the client's memory, so that asking costs nothing.
        built = _build(found, chart, case)
        what = f"{panel}/{chart} {_query(case)} {(built.finding, built.rows)!r}"
        key = Key(model.provenance.digest, what, known, theme, size)
        return chart_response(renderer, key, lambda: built, lambda drawn: file_name(model, drawn, [panel], known), ASK)

    return views


def places_of(model: ModelVersion, query: list[tuple[str, str]]) -> list[Place]:
    """Give the panels of an answer, each with its address for the case and for the version that answered."""
    text = urlencode([*query, (ASK + VERSION, model.version)])
    return [
        Place(panel, f"{url_for('panels.panel', name=model.name, panel=panel.name)}?{text}")
        for panel in panels_of(model)
    ]


def permalink(case: Case) -> str:
    """Give the address of the case on its model's page."""
    return f"{url_for('predict.page', name=case.model.name)}?{urlencode(case.query)}"


def _panel(model: ModelVersion, name: str) -> Panel:
    found = next((panel for panel in panels_of(model) if panel.name == name), None)
    if found is None:
        raise UnknownModel(f"{model.name} has no panel {name}")
    return found


def _case(client: ModelClient, model: ModelVersion) -> Case:
    """Read the case from the address. Raises InvalidInstance."""
    form: InstanceForm = form_class(model)(MultiDict(request.args), data=form_values(model, defaults(model)))
    for field in form.fields:
        field.validate(form)
    if form.invalid:
        raise InvalidInstance(
            {title_of(model, field.feature): " ".join(map(str, field.errors)) for field in form.invalid}
        )
    lists = {name.removeprefix(ASK): tuple(request.args.getlist(name)) for name in request.args if name.startswith(ASK)}
    version = lists.pop(VERSION, ("",))[-1]  # no question to the model, but which model is asked
    asked = {name: values[-1] for name, values in lists.items()}
    return Case(client, model, form.instance(), tuple(form.query()), asked, lists, g.request_id, version)


def _query(case: Case) -> str:
    asked = [(ASK + name, value) for name, values in case.lists.items() if name not in LOOK for value in values]
    return urlencode([*case.query, *asked])


def _drawing(case: Case, panel: Panel, chart: str, said: Any) -> Drawing | None:
    base = f"/models/{case.model.name}/versions/{case.model.version}/panels/{panel.name}/{chart}"
    drawn = panel.charts[chart](case, said)
    return Drawing(drawn, base, _query(case), ASK) if drawn else None


def _build(panel: Panel, chart: str, case: Case) -> Chart:
    drawn = panel.charts[chart](case, panel.answer(case))
    if drawn is None:
        raise UnknownModel(f"there is nothing to draw in {panel.name}/{chart}")
    return drawn
