"""Panels: what a person wants to know beside the number, each asked of the model service when it is looked at.

A panel is a module of its own: what it asks, what it says, which charts it has; its words are in
templates/panel_<name>.html. The same address gives the fragment for the model's page and a whole page of its own, so
that every panel works without JavaScript too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dashboard.charts import Chart
from dashboard.explanations import Explanation
from dashboard.forms import ASK
from dashboard.model_client import Asked, ModelClient
from dashboard.records import Feature, ModelVersion, Prediction, Value

E = TypeVar("E", bound=Explanation)
VERSION = "version"
"""Parameter of a panel's address, after `forms.ASK`: the version whose number stands above the panel."""


@dataclass(frozen=True)
class Case:
    """The case that a panel is about, and what was asked about it."""

    client: ModelClient
    model: ModelVersion
    instance: Mapping[str, Value]
    query: tuple[tuple[str, str], ...]
    """What reproduces the instance in an address."""
    asked: Mapping[str, str]
    """The panel's own parameters, without `forms.ASK`; of one given several times the last."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The same, with every value."""
    request_id: str = ""
    version: str = ""
    """The version that its address names; "" where it follows the champion."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """What reproduces the case in the address of a panel, with the version if that is named."""
        return (*self.query, (ASK + VERSION, self.version)) if self.version else self.query

    def explain(self, record: type[E], call: str, **options: Any) -> E:
        """Ask the model service about the case. Raises InvalidQuery or ModelServiceError."""
        asked = Asked(call, self.instance, options)
        return self.client.explain(record, self.model, asked, self.request_id)

    def options(self, *names: str) -> dict[str, str]:
        """Give those of some parameters that are in the address, as options of a call."""
        return {name: self.asked[name] for name in names if self.asked.get(name)}

    def predict(self, instance: Mapping[str, Value] | None = None) -> Prediction:
        """Predict for the case, or for one like it. Raises InvalidInstance or ModelServiceError."""
        return self.client.predict(self.model, instance or self.instance, self.request_id)

    def feature(self, name: str) -> Feature:
        """Find a feature of the model that an explanation names."""
        return next(feature for feature in self.model.signature.features if feature.name == name)


@dataclass(frozen=True)
class Panel:
    """One panel."""

    name: str
    """Part of its address, its template and its id."""
    title: str
    """Its heading: a question or a thing to do."""
    answer: Callable[[Case], Any]
    """Gives what the template shows, as `said`; its `status`, if it has one, is that of the page (422: see there)."""
    charts: Mapping[str, Callable[[Case, Any], Chart | None]] = field(default_factory=dict)
    """Its charts by name, made of the case and of what `answer` gave; None where there is nothing to draw."""
    fits: Callable[[ModelVersion], bool] = lambda model: bool(model.reference_rows)
    """Whether a model has it."""
    at_once: bool = False
    """Whether it is loaded with the answer, rather than when it is scrolled to."""

    @property
    def template(self) -> str:
        """The template of its content."""
        return f"panel_{self.name.replace('-', '_')}.html"
