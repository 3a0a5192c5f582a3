"""How long a form takes is measured for one row and for a thousand."""

import time

import numpy as np
import pytest

from model_api.runtimes import Output
from model_api.runtimes.timing import timed, tried_together
from model_api.signature import Columns


class Slow:
    """A predictor that takes its time, and remembers for how many rows."""

    def __init__(self, fixed: float = 0.0, each: float = 0.0) -> None:
        self.asked: list[int] = []
        self._fixed, self._each = fixed, each

    def predict(self, columns: Columns) -> Output:
        """Sleep, then say nothing."""
        (rows,) = {len(column) for column in columns.values()}
        self.asked.append(rows)
        time.sleep(self._fixed + self._each * rows)
        return Output(numbers=np.zeros(rows))


def test_one_row_and_a_thousand_are_timed_whatever_the_examples_are() -> None:
    slow = Slow()

    timed(slow, {"a": [1, 2, 3], "b": ["x", "y", None]}, seconds=0.0005)

    assert set(slow.asked) == {1, 1000}


def test_the_time_is_that_of_one_call() -> None:
    found = timed(Slow(fixed=0.002, each=1e-6), {"a": [1]}, seconds=0.01)

    assert 2000 <= found["one_row_us"] < 20_000
    assert 3 <= found["thousand_rows_ms"] < 30


def test_a_slow_form_is_called_once_a_round_and_once_before() -> None:
    slow = Slow(fixed=0.005)

    timed(slow, {"a": [1]}, seconds=0.001)

    assert slow.asked == [1] * 4 + [1000] * 4


def test_a_form_that_fails_does_so_at_once() -> None:
    class Broken:
        """Fails."""

        def predict(self, columns: Columns) -> Output:
            """Raise."""
            raise RuntimeError(f"no answer for {len(columns)} features")

    with pytest.raises(RuntimeError, match="no answer"):
        timed(Broken(), {"a": [1]})


class Blurred(Slow):
    """A predictor whose numbers depend on how many rows there are."""

    def predict(self, columns: Columns) -> Output:
        """Give the number of rows."""
        super().predict(columns)
        rows = len(columns["a"])
        return Output(numbers=np.full(rows, float(rows)))


@pytest.mark.parametrize(
    ("predictor", "one_row_us", "helps", "why"),
    [
        (Slow(fixed=0.002), 2000.0, True, "much less time together"),
        (Slow(fixed=0.002), 900.0, False, "quickly enough"),
        (Slow(each=0.002), 2000.0, False, "about as long"),
        (Blurred(fixed=0.002), 2000.0, False, "last digits"),
    ],
)
def test_rows_are_predicted_together_where_that_is_faster_and_no_different(
    predictor: Slow, one_row_us: float, helps: bool, why: str
) -> None:
    found = tried_together(predictor, {"a": [1, 2, 3]}, one_row_us)

    assert found.helps is helps
    assert why in found.why
    assert found.sixteen_rows_us > 1900
