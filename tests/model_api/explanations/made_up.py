"""Models made up for a test, a function of arrays and a table; they note what they were asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from model_api.explanations.budget import Budget
from model_api.explanations.coding import Coding
from model_api.explanations.question import Question
from model_api.explanations.subject import Subject
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.runtimes.selection import Choice, ChosenPredictor
from model_api.signature import Columns, Feature, Signature, Target
from model_api.values import Value

NUMBER = Target("y", "regression")
YES_OR_NO = Target("said", "binary", classes=("no", "yes"), positive="yes")


class MadeUp:
    """A regression, or with classes the probability of the second of two, as a function of columns in arrays."""

    def __init__(self, function: Callable[[dict[str, Any]], Any], target: Target = NUMBER) -> None:
        self._function = function
        self.target = target
        self.asked: list[Columns] = []
        """The columns of every question."""

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances."""
        self.asked.append(columns)
        said = np.asarray(self._function({name: np.array(column) for name, column in columns.items()}), dtype=float)
        if not self.target.classes:
            return Output(numbers=said)
        return Output(labels=(said > 0.5).astype(np.intp), probabilities=np.column_stack([1 - said, said]))

    def question(
        self,
        table: Mapping[str, Sequence[Value]],
        case: Mapping[str, Value],
        features: Sequence[Feature],
        options: Mapping[str, Any] | None = None,
        *,
        milliseconds: float = 600_000,
        thousand_rows_ms: float = 1.0,
    ) -> Question:
        """Ask about a case; `table` is the reference sample."""
        signature = Signature(tuple(features), self.target)
        columns = {name: list(column) for name, column in table.items()}
        coding = Coding.of(signature.features, columns)
        timings = {"made up": {"one_row_us": thousand_rows_ms, "thousand_rows_ms": thousand_rows_ms}}
        predictor = ChosenPredictor(Choice("made up", "made up", timings), self, self)
        subject = Subject(signature, predictor, coding, coding.codes(columns)).including(dict(case))
        codes = [subject.coding.code(place, case[name]) for place, name in enumerate(signature.names)]
        return Question(
            cast("LoadedModel", None), subject, case, np.array(codes), dict(options or {}), Budget(milliseconds)
        )


def number(name: str, **facts: Any) -> Feature:
    """Describe a number with two decimals."""
    return Feature(name, "number", **{"step": 0.01, **facts})
