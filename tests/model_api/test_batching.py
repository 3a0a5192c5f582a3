"""Requests that wait are predicted together, and never suffer for it."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_api.admission import Admission
from model_api.artifact import Artifact
from model_api.batching import MOST_ROWS, Batcher, Batchers
from model_api.errors import CallerLeft, Overloaded, UnusablePrediction
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.runtimes.selection import Choice, ChosenPredictor
from model_api.runtimes.timing import Together
from model_api.signature import Columns

HELPS = Together(helps=True, why="", one_row_us=2000.0, sixteen_rows_us=2100.0)
POISON = 666.0


class Slow:
    """Gives each row's one value back, when it is let; fails where a row is poisonous."""

    def __init__(self) -> None:
        self.began, self.gate = threading.Event(), threading.Event()
        self.calls: list[list[Any]] = []

    def predict(self, columns: Columns) -> Output:
        """Predict."""
        values = columns["x"]
        self.calls.append(list(values))
        self.began.set()
        self.gate.wait(5)
        if POISON in values:
            raise UnusablePrediction("it cannot be computed")
        return Output(numbers=np.array(values, dtype=np.float64))


async def stays() -> bool:
    return False


async def leaves() -> bool:
    return True


def model_of(predictor: Slow, models: Path) -> LoadedModel:
    timings = {"estimator": {"one_row_us": 2000.0, "thousand_rows_ms": 100.0}}
    choice = Choice("estimator", "estimator", timings, together=HELPS)
    return LoadedModel(Artifact(models / "rent" / "1"), ChosenPredictor(choice, predictor, predictor, ["x"]))


@pytest.fixture
def slow() -> Slow:
    """What predicts."""
    return Slow()


@pytest.fixture
def model(slow: Slow, published_small_models: Path) -> LoadedModel:
    """A model that is asked together."""
    return model_of(slow, published_small_models)


def told(outcome: Any) -> Any:
    return np.asarray(outcome.numbers).tolist() if isinstance(outcome, Output) else type(outcome)


def asked(model: LoadedModel, slow: Slow, *values: list[float], has_left: Any = stays) -> list[Any]:
    """Ask for the first alone, then for the others while it is being predicted."""

    async def ask() -> list[Any]:
        batcher = Batcher(model, Admission())
        tasks = [asyncio.create_task(batcher.predict({"x": list(values[0])}, len(values[0]), stays))]
        await asyncio.to_thread(slow.began.wait, 5)
        tasks += [asyncio.create_task(batcher.predict({"x": list(v)}, len(v), has_left)) for v in values[1:]]
        await asyncio.sleep(0.01)
        slow.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return [told(outcome) for outcome in asyncio.run(ask())]


def test_one_request_is_predicted_at_once(model: LoadedModel, slow: Slow) -> None:
    assert asked(model, slow, [1.0]) == [[1.0]]
    assert slow.calls == [[1.0]]


def test_what_waits_is_predicted_together_and_each_gets_its_own(model: LoadedModel, slow: Slow) -> None:
    assert asked(model, slow, [1.0], [2.0], [3.0, 4.0], [5.0]) == [[1.0], [2.0], [3.0, 4.0], [5.0]]
    assert slow.calls == [[1.0], [2.0, 3.0, 4.0, 5.0]]


def test_a_row_that_cannot_be_computed_harms_no_neighbour(model: LoadedModel, slow: Slow) -> None:
    outcomes = asked(model, slow, [1.0], [2.0], [POISON], [4.0])

    assert outcomes == [[1.0], [2.0], UnusablePrediction, [4.0]]
    assert slow.calls[1:] == [[2.0, POISON, 4.0], [2.0], [POISON], [4.0]]


def test_a_row_that_cannot_be_computed_alone_is_asked_once(model: LoadedModel, slow: Slow) -> None:
    assert asked(model, slow, [POISON]) == [UnusablePrediction]
    assert slow.calls == [[POISON]]


def test_whoever_has_left_is_not_predicted_for(model: LoadedModel, slow: Slow) -> None:
    assert asked(model, slow, [1.0], [2.0], has_left=leaves) == [[1.0], CallerLeft]
    assert slow.calls == [[1.0]]


def test_no_more_rows_are_predicted_together_than_fit(model: LoadedModel, slow: Slow) -> None:
    many = [[float(number)] * 15 for number in range(6)]

    assert asked(model, slow, [1.0], *many) == [[1.0], *many]
    assert [len(call) for call in slow.calls] == [1, 60, 30]
    assert max(len(call) for call in slow.calls) <= MOST_ROWS


def test_what_gives_up_waiting_is_not_predicted_for(model: LoadedModel, slow: Slow) -> None:
    async def ask() -> None:
        batcher = Batcher(model, Admission())
        first = asyncio.create_task(batcher.predict({"x": [1.0]}, 1, stays))
        await asyncio.to_thread(slow.began.wait, 5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await batcher.predict({"x": [2.0]}, 1, stays)
        slow.gate.set()
        await first
        assert (await batcher.predict({"x": [3.0]}, 1, stays)).numbers is not None

    asyncio.run(ask())

    assert slow.calls == [[1.0], [3.0]]


def test_more_than_a_quarter_of_a_second_of_work_does_not_wait(model: LoadedModel, slow: Slow) -> None:
    outcomes = asked(model, slow, [1.0], *([2.0] * 1000 for _ in range(4)))

    assert outcomes.count(Overloaded) == 2
    assert len(outcomes) - outcomes.count(Overloaded) == 3


def test_a_version_that_is_loaded_anew_gets_a_batcher_anew(published_small_models: Path) -> None:
    batchers, first = Batchers(Admission()), model_of(Slow(), published_small_models)

    batcher = batchers.of(first)

    assert batchers.of(first) is batcher
    assert batchers.of(model_of(Slow(), published_small_models)) is not batcher
