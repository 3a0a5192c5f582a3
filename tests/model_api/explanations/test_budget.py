"""The time that an answer may take."""

import pytest

from model_api.explanations import budget
from model_api.explanations.budget import Budget


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        """Give the time in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the budget looks at."""
    clock = Clock()
    monkeypatch.setattr(budget, "time", clock)
    return clock


def test_what_is_left_grows_less_as_time_passes(clock: Clock) -> None:
    allowed = Budget(200)

    clock.now += 0.05

    assert allowed.left == pytest.approx(0.15)
    assert allowed.milliseconds == pytest.approx(50)


def test_nothing_is_left_when_the_time_is_up(clock: Clock) -> None:
    allowed = Budget(200)

    clock.now += 0.3

    assert allowed.left == 0
    assert allowed.milliseconds == pytest.approx(300)


def test_an_answer_has_a_quarter_of_a_second_unless_told_otherwise(clock: Clock) -> None:
    assert Budget().left == pytest.approx(0.25)
