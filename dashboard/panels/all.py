"""The panels of a model's page, in their order."""

from dashboard.panels import Panel
from dashboard.panels.counterfactuals import COUNTERFACTUALS
from dashboard.panels.decisions import DECISIONS
from dashboard.panels.flips import FLIPS
from dashboard.panels.how_sure import HOW_SURE
from dashboard.panels.robustness import ROBUSTNESS
from dashboard.panels.similar import SIMILAR
from dashboard.panels.what_if import WHAT_IF
from dashboard.panels.why import WHY
from dashboard.records import ModelVersion

PANELS: tuple[Panel, ...] = (WHY, HOW_SURE, WHAT_IF, FLIPS, COUNTERFACTUALS, SIMILAR, ROBUSTNESS, DECISIONS)


def panels_of(model: ModelVersion) -> list[Panel]:
    """Give the panels that a model has."""
    return [panel for panel in PANELS if panel.fits(model)]
