"""Which options each call takes, beside `milliseconds`, which every call does: what is read, and what is documented."""

from collections.abc import Mapping

FOCUS = ("class", "output")
"""Which number is looked at."""
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "contributions": FOCUS,
    "counterfactuals": (*FOCUS, "at_least", "at_most", "threshold", "locked", "ranges", "directions", "count"),
    "curve": ("feature", "points", *FOCUS),
    "decisions": ("cost_false_positive", "cost_false_negative", "capacity", "class"),
    "dependence": ("feature", "points", *FOCUS),
    "flips": ("threshold", *FOCUS),
    "map": ("features", "points", *FOCUS),
    "robustness": ("percent", "count", "threshold", *FOCUS),
    "similar": ("count",),
    "trust": (),
}
"""Call → the names of its options. Not every model can be asked with each."""
