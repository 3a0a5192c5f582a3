"""The calls by name: each takes a question and gives its answer in the wire form, with its `approximation`."""

from collections.abc import Callable, Mapping
from typing import Any

from model_api.explanations.contributions import contributions
from model_api.explanations.question import Question

CALLS: Mapping[str, Callable[[Question], dict[str, Any]]] = {
    "contributions": contributions,
}
