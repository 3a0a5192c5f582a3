"""`GET /predict`: the predictions for the data that came with a model, as a paged table with a chart."""

import math

from flask import Blueprint, Response, make_response, render_template, request

from dashboard.errors import InvalidQuery
from dashboard.fragments import is_fragment
from dashboard.model_client import ModelClient
from dashboard.views.charts import address_of, quality_chart
from dashboard.views.drawings import Drawing

PAGE_ROWS = 20


def predict_results_views(client: ModelClient) -> Blueprint:
    """Make the table of predictions, for the default model and for each."""
    views = Blueprint("predict_results", __name__)

    @views.get("/predict", defaults={"name": None})
    @views.get("/models/<name>/predict")
    def table(name: str | None) -> Response:
        """Show one page of the table."""
        catalogue = client.catalogue()
        model = client.champion(name or catalogue.default)
        if not model.reference_rows:
            template = "predict_results_none.html" if is_fragment() else "predict_results.html"
            return make_response(render_template(template, model=model, catalogue=catalogue))
        pages = max(1, math.ceil(model.reference_rows / PAGE_ROWS))
        page = _page(pages)
        rows = client.reference(model, (page - 1) * PAGE_ROWS, PAGE_ROWS)
        chart = quality_chart(model, client.all_reference(model))
        drawing = Drawing(chart, address_of(model, chart))
        template = "predict_results_table.html" if is_fragment() else "predict_results.html"
        html = render_template(
            template, model=model, rows=rows, page=page, pages=pages, drawing=drawing, catalogue=catalogue
        )
        return make_response(html)

    return views


def _page(pages: int) -> int:
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= pages):
        raise InvalidQuery(f"There are pages 1 to {pages}.")
    return int(text)
