"""Where the time of a request goes."""

import re
import time
from types import SimpleNamespace

import pytest

from model_api.stages import Stages, Stopwatch, stopwatch


def test_stages_are_written_as_browsers_read_them() -> None:
    written = Stages(queue=0.0015, parse=0.00002, predict=1.25).server_timing()

    assert written == "queue;dur=1.500, parse;dur=0.020, predict;dur=1250.000, encode;dur=0.000"


def test_a_stage_that_comes_twice_is_added_up() -> None:
    watch = Stopwatch()
    watch.add("parse", 0.25)
    watch.add("parse", 0.5)

    assert watch.stages == Stages(parse=0.75)


def test_a_stage_that_fails_is_measured_too() -> None:
    watch = Stopwatch()

    def fail() -> None:
        time.sleep(0.01)
        raise RuntimeError

    with pytest.raises(RuntimeError), watch.stage("predict"):
        fail()

    assert watch.stages.predict >= 0.01


def test_a_request_has_one_stopwatch() -> None:
    state = SimpleNamespace()

    assert stopwatch(state) is stopwatch(state)


def test_the_names_are_those_of_the_header() -> None:
    assert re.findall("[a-z]+(?=;)", Stages().server_timing()) == list(Stages._fields)
