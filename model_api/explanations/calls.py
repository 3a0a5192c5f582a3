"""The calls by name: each takes a question and gives its answer in the wire form, with its `approximation`."""

from collections.abc import Callable, Mapping
from typing import Any

from model_api.explanations.contributions import contributions
from model_api.explanations.counterfactuals import counterfactuals
from model_api.explanations.curves import curve, dependence, map_
from model_api.explanations.decisions import decisions
from model_api.explanations.familiarity import trust
from model_api.explanations.flips import flips
from model_api.explanations.question import Question
from model_api.explanations.robustness import robustness
from model_api.explanations.similar import similar

CALLS: Mapping[str, Callable[[Question], dict[str, Any]]] = {
    "contributions": contributions,
    "counterfactuals": counterfactuals,
    "curve": curve,
    "decisions": decisions,
    "dependence": dependence,
    "flips": flips,
    "map": map_,
    "robustness": robustness,
    "similar": similar,
    "trust": trust,
}
