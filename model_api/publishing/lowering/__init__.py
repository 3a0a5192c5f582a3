"""Estimator → plan: what scikit-learn would compute, written down as array operations.

One module for each family of steps, one function for each class; a class without a function has no plan. Nothing here
is trusted: publishing/proof.py compares the plan with the estimator before it may be served.
"""

from dataclasses import dataclass
from typing import Any

from model_api.publishing.lowering.graph import Frame, Graph, Unlowerable
from model_api.publishing.lowering.meta import estimate
from model_api.runtimes.frames import Layout
from model_api.runtimes.lowered import ARRAYS, PLAN

__all__ = ["Plan", "Unlowerable", "lower"]


@dataclass(frozen=True)
class Plan:
    """The files of a plan."""

    files: dict[str, bytes]


def lower(estimator: Any, layout: Layout) -> Plan:
    """Write the plan of a fitted estimator. Raises Unlowerable, with the reason."""
    graph = Graph()
    try:
        answer = estimate(graph, estimator, Frame(layout))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        # A private attribute that another version of scikit-learn does not have, or a shape that was not foreseen.
        raise Unlowerable(f"{type(error).__name__} while lowering: {error}") from error
    outputs = {"numbers": answer.numbers, "labels": answer.labels, "probabilities": answer.probabilities}
    document, arrays = graph.document(outputs)
    return Plan({PLAN: document, ARRAYS: arrays, **graph.files})
