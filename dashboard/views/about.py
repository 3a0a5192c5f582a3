"""`/models/<name>/about`: the datasheet of a model, and its charts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import numpy as np
from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from dashboard.about import About, Curves
from dashboard.card import card_html
from dashboard.charts import Chart
from dashboard.charts.confusion import confusion_of
from dashboard.charts.histogram import histogram
from dashboard.charts.predicted_true import Pairs, predicted_true_of
from dashboard.charts.ranking import ranking
from dashboard.charts.relation import Line, Words, relation
from dashboard.charts.rendering import FORMATS, Key, Renderer
from dashboard.dependence import MOST, NAME, dependence_chart, dependences
from dashboard.errors import UnknownModel
from dashboard.formatting import METRICS, metric_value, percent, signed
from dashboard.model_client import ModelClient
from dashboard.panels.amounts import title_of
from dashboard.records import ModelVersion
from dashboard.views.charts import chart_response, file_name, look_of
from dashboard.views.drawings import Drawing

MOST_BARS = 15
"""Features in the chart of importance; the others are in its table."""
Maker = Callable[[], Chart]


@dataclass(frozen=True)
class Sheet:
    """A version, and everything that is known of it."""

    model: ModelVersion
    about: About

    def makers(self) -> Mapping[str, Maker]:
        """Name the charts that the version has, each with what makes it."""
        quality = self.about.quality
        if quality is None:
            return {}
        curves = quality.curves
        found: dict[str, Maker] = {}
        if curves.confusion:
            found["confusion"] = self._confusion
        if curves.roc:
            found["roc"] = self._roc
        if curves.precision_recall:
            found["precision-recall"] = self._precision_recall
        if curves.calibration:
            found["calibration"] = self._calibration
        if curves.predicted_true:
            found["predicted-true"] = self._predicted_true
        if curves.residuals:
            found["residuals"] = self._residuals
        if quality.importance and quality.importance.features:
            found["importance"] = self._importance
        return found

    @property
    def important(self) -> list[str]:
        """Name the features that get a curve: the most important ones, as far as that was measured."""
        quality = self.about.quality
        weights = quality.importance.features if quality and quality.importance else ()
        names = [weight.feature for weight in weights] or [feature.name for feature in self.model.signature.features]
        return names[:MOST]

    @property
    def _curves(self) -> Curves:
        assert self.about.quality
        return self.about.quality.curves

    @property
    def _rows(self) -> str:
        assert self.about.quality
        return "rows it had not seen" if self.about.quality.is_honest else "rows it was fitted on"

    def _confusion(self) -> Chart:
        matrix = self._curves.confusion
        assert matrix
        return confusion_of(matrix.classes, np.array(matrix.counts), self._rows)

    def _roc(self) -> Chart:
        assert self.about.quality
        area = self.about.quality.metrics.get("roc_auc")
        finding = "How many others are taken along, when so many of a class are found."
        if area is not None:
            finding = f"Of two cases of different classes, it ranks them rightly in {percent(area)} of pairs (ROC AUC)."
        lines = [Line(name, *curve.both()) for name, curve in self._curves.roc.items()]
        return relation(Words("roc", finding, "Share of others taken along", "Share found", "guessing"), lines)

    def _precision_recall(self) -> Chart:
        finding = "The more of a class it finds, the more of those that it names are wrong."
        lines = [Line(name, *curve.both()) for name, curve in self._curves.precision_recall.items()]
        return relation(Words("precision-recall", finding, "Share found (recall)", "Share right (precision)"), lines)

    def _calibration(self) -> Chart:
        lines = [Line(name, *curve.both()) for name, curve in self._curves.calibration.items()]
        off = [curve.error for curve in self._curves.calibration.values()]
        finding = f"What it says is off by {percent(sum(off) / len(off))} on average from how often it came true."
        words = Words(
            "calibration", finding, "Probability that was said", "Share that came true", "just right", dots=True
        )
        return relation(words, lines)

    def _predicted_true(self) -> Chart:
        name, curve = next(iter(self._curves.predicted_true.items()))
        return predicted_true_of(Pairs(name, self.model.signature.target.unit, curve.true, curve.predicted), self._rows)

    def _residuals(self) -> Chart:
        name, residuals = next(iter(self._curves.residuals.items()))
        unit = self.model.signature.target.unit
        what = f"True minus predicted {name}" + (f", in {unit}" if unit else "")
        finding = "How far off its predictions were, and to which side."
        return histogram("residuals", finding, what, residuals.edges, residuals.counts)

    def _importance(self) -> Chart:
        assert self.about.quality
        assert self.about.quality.importance
        importance, titles = self.about.quality.importance, _titles(self.model)
        bars = [(titles[w.feature], w.mean, signed(w.mean, 3)) for w in importance.features[:MOST_BARS]]
        error = METRICS.get(importance.error, importance.error.replace("_", " "))
        first = importance.features[0]
        growth = signed(first.mean, 3).lstrip("+")
        finding = f"{titles[first.feature]} matters most: when it is shuffled, the {error} grows by {growth}."
        if first.mean <= 0:
            finding = f"No feature matters by itself: whichever is shuffled, the {error} does not grow."
        rows = tuple((w.feature, w.mean, w.deviation) for w in importance.features)
        return ranking("importance", finding, ("feature", f"growth of {error}", "standard deviation"), bars, rows)


def about_views(client: ModelClient, renderer: Renderer) -> Blueprint:
    """Make the datasheet of every model, and the addresses of its charts."""
    views = Blueprint("about", __name__)

    @views.get("/models/<name>/about")
    def page(name: str) -> Response:
        """Show what is known of a model's champion."""
        model = client.champion(name)
        sheet = Sheet(model, client.about(model))
        drawings = {chart: Drawing(make(), _address(model, chart)) for chart, make in sheet.makers().items()}
        names = sheet.important
        curves = [
            Drawing(drawn, _address(model, NAME), urlencode({"feature": feature}))
            for feature, drawn in zip(names, dependences(client, model, names, g.request_id), strict=False)
        ]
        html = render_template(
            "about.html", model=model, about=sheet.about, drawings=drawings, curves=curves, titles=_titles(model),
            card=card_html(sheet.about.card), metrics=_metrics(sheet),
        )  # fmt: skip
        return make_response(html)

    @views.get("/models/<name>/versions/<version>/about/<chart>.<form>")
    def chart(name: str, version: str, chart: str, form: str) -> Response:
        """Give a chart of the datasheet, or 304 without drawing it when the browser has it."""
        model, found = client.version(name, version), next((known for known in FORMATS if known == form), None)
        sheet, feature = Sheet(model, client.about(model)), request.args.get("feature", "")
        make = sheet.makers().get(chart)
        if chart == NAME and feature in sheet.important:
            make = partial(dependence_chart, client, model, feature, g.request_id)
        if make is None or found is None:
            raise UnknownModel(f"no chart about/{chart}.{form}")
        theme, size = look_of()
        key = Key(model.provenance.digest, f"about/{chart} {feature if chart == NAME else ''}", found, theme, size)
        return chart_response(renderer, key, make, lambda drawn: file_name(model, drawn, ["about"], found))

    return views


def _titles(model: ModelVersion) -> dict[str, str]:
    return {feature.name: title_of(model, feature) for feature in model.signature.features}


def _address(model: ModelVersion, chart: str) -> str:
    address = url_for("about.chart", name=model.name, version=model.version, chart=chart, form="x")
    return address.removesuffix(".x")


def _metrics(sheet: Sheet) -> list[tuple[str, str]]:
    """Give each metric's name and its value in words, the headline first."""
    quality, target = sheet.about.quality, sheet.model.signature.target
    if quality is None:
        return []
    names = sorted(quality.metrics, key=lambda name: name != quality.headline)
    table = []
    for name in names:
        label = METRICS.get(name, name.replace("_", " "))
        table.append((label[:1].upper() + label[1:], metric_value(name, quality.metrics[name], target)))
    return table
