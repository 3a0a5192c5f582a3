"""Four times as much is asked as can be answered: what can be is, the rest is told so at once, and it passes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.ensemble import RandomForestRegressor

from model_api.publishing import publish
from tests.e2e.services import free_ports, wait_until_ready
from tests.soak.open_loop import Caller, Replies, get, new_runner, post

FACTOR, SECONDS = 4, 30
PEAK_SECONDS, AFTER_SECONDS = 3, 3
LEAST = 0.6
"""Of the peak. What is aimed at is 0.85, which a quiet machine reaches: it is printed. What is asserted is that it does
not collapse: where system calls are slow, as on a busy virtual machine, three refusals cost a quarter of an answer."""
CONNECTIONS, MANY_CONNECTIONS = 16, 500
ROW = dict.fromkeys("abcde", 0.25)
QUESTIONS = {
    "an estimator in threads": post("/models/forest/predict", json.dumps({"data": ROW}).encode()),
    "a compiled model on the event loop": post("/models/plan/predict", json.dumps({"data": [ROW] * 250}).encode()),
    "many rows in threads": post("/models/plan/predict", json.dumps({"data": [ROW] * 2500}).encode()),
}
"""So many rows a request because to refuse one costs about 0.1 ms, however few rows it has: it has to be read."""


class Burst(NamedTuple):
    """What was measured."""

    good: float
    """Good answers a second while four times as much is asked."""
    during: Replies
    after: Replies
    """Of half the peak, from the end of the burst on."""
    after_began: float
    live: Replies
    """Of /health/live, meanwhile."""
    busy: float
    """Share of its core that the caller used."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model that takes milliseconds in a thread, and one that is compiled."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("models")
    X = pd.DataFrame(random.normal(size=(400, 5)), columns=list("abcde"))
    y = (2 * X["a"] + X["b"] ** 2).rename("y")
    for name, compiled in (("forest", False), ("plan", True)):
        estimator = RandomForestRegressor(100, max_depth=8, random_state=0).fit(X, y)
        publish(estimator, X, y, name=name, models=folder, compiled=compiled)
    return folder


@pytest.fixture
def port(models: Path, tmp_path: Path) -> Iterator[int]:
    """The service on one core, and the caller on another."""
    (port,) = free_ports(1)
    ours = os.sched_getaffinity(0)
    server, *callers = sorted(ours)
    served = ("model_api.main:app", "--http", "model_api.http_protocol:Protocol", "--no-access-log")
    command = [sys.executable, "-m", "uvicorn", *served, "--port", str(port)]
    environment = {**os.environ, "MODEL_API_MODELS": str(models), "OMP_NUM_THREADS": "1"}
    with (tmp_path / "log").open("w") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    os.sched_setaffinity(service.pid, {server})
    os.sched_setaffinity(0, set(callers) or ours)
    wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
    yield port
    service.terminate()
    assert service.wait(10) in (0, -signal.SIGTERM)
    os.sched_setaffinity(0, ours)


async def peak_of(port: int, question: bytes) -> float:
    """Find how many are answered well a second, asking again as soon as there is an answer."""
    caller = Caller(port, [question], connections=CONNECTIONS)
    began = await caller.closed_loop(PEAK_SECONDS)
    return caller.replies.rate(began, PEAK_SECONDS)


async def burst_of(port: int, question: bytes, peak: float) -> Burst:
    """Ask for four times as much, and then for half."""
    caller = Caller(port, [question], connections=MANY_CONNECTIONS)
    live, after = Caller(port, [get("/health/live")], connections=1), Caller(port, [question], connections=64)
    me = psutil.Process()
    me.cpu_percent()
    watching = asyncio.create_task(live.open_loop(2, SECONDS))
    began = await caller.open_loop(FACTOR * peak, SECONDS)
    busy = me.cpu_percent() / 100
    await watching
    after_began = await after.open_loop(peak / 2, AFTER_SECONDS)
    good = caller.replies.rate(began, SECONDS)
    return Burst(good, caller.replies, after.replies, after_began, live.replies, busy)


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_can_be_answered_is_and_the_rest_is_told_so(port: int, name: str) -> None:
    with new_runner() as runner:
        before = runner.run(peak_of(port, QUESTIONS[name]))
        burst = runner.run(burst_of(port, QUESTIONS[name], before))
        peak = (before + runner.run(peak_of(port, QUESTIONS[name]))) / 2  # the machine's speed may change meanwhile

    good, refused = burst.during.of("200"), burst.during.not_of("200")
    late = [reply.due - burst.after_began for reply in burst.after.not_of("200").all]
    print(
        f"\n{name}: peak {peak:.0f}/s, asked {FACTOR * before:.0f}/s, good {burst.good / peak:.2f} of the peak, "
        f"outcomes {dict(burst.during.outcomes())}, good p50 {1000 * good.percentile(50):.0f} ms, "
        f"p99 {1000 * good.percentile(99):.0f} ms, refused p99 {1000 * refused.percentile(99):.0f} ms, "
        f"live p99 {1000 * burst.live.percentile(99):.0f} ms, caller busy {burst.busy:.2f}, "
        f"last bad {max(late, default=0):.2f} s after"
    )
    assert burst.good >= LEAST * peak
    assert set(burst.during.outcomes()) == {"200", "503"}
    assert all(reply.retry_after for reply in refused.all)
    assert all(moment <= 1 for moment in late)
    assert set(burst.live.outcomes()) == {"200"}
