"""Whether probabilities can be taken at their word: only if that was measured."""

from dashboard.about import Calibration
from dashboard.formatting import level, significant
from dashboard.panels.rough import rough_percent
from dashboard.records import Level, Quality

CALIBRATED = 0.05
"""Mean difference, by rows, between what was said and how often it was so, up to which probabilities are calibrated."""
NEAR = 0.1
"""How far a probability may be from what was said of a group of cases, to be compared with them."""
NOT_MEASURED = (
    "Whether its probabilities are calibrated was not measured: they put cases in an order, "
    "and need not be how often it happens."
)


def calibration_sentence(curve: Calibration | None, of: Level, share: float, quality: Quality | None) -> str:
    """Say how far the probabilities of a class were off, and what became of cases like this one.

    `share`: how probable the class is for this case; `quality`: how that was measured.
    """
    if curve is None or quality is None or not sum(curve.rows):
        return NOT_MEASURED
    off = f"off by {significant(curve.error * 100, 2)} percentage points on average"
    if not quality.is_honest:
        found = f"{off}, in {quality.method}: cases that it knew, so it may be further off on new ones"
    elif curve.error <= CALIBRATED:
        found = f"measured to be calibrated: {off}, in {quality.method}"
    else:
        found = f"measured, and are not calibrated: {off}, in {quality.method}"
    return f"The probabilities of {level(of)} were {found}. {_alike(curve, of, share)}".strip()


def _alike(curve: Calibration, of: Level, share: float) -> str:
    """Say how often the class was true of the cases that were given about the same probability, if there were any."""
    said, true, rows = min(
        zip(curve.said, curve.true, curve.rows, strict=True), key=lambda group: abs(group[0] - share)
    )
    if abs(said - share) > NEAR or not rows:
        return ""
    return f"Of the {rows:,} cases given about {rough_percent(said)}, {rough_percent(true)} were {level(of)}."
