"""The panels of a model's page, in their order."""

from dashboard.panels import Panel
from dashboard.panels.how_sure import HOW_SURE
from dashboard.panels.robustness import ROBUSTNESS
from dashboard.panels.similar import SIMILAR
from dashboard.panels.why import WHY
from dashboard.records import ModelVersion

PANELS: tuple[Panel, ...] = (WHY, HOW_SURE, SIMILAR, ROBUSTNESS)


def panels_of(model: ModelVersion) -> list[Panel]:
    """Give the panels that a model has."""
    return [panel for panel in PANELS if panel.fits(model)]
