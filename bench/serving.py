"""Measures the model service beside two yardsticks in the same run; writes results.md.

The floor is an ASGI application that parses the body and answers a constant. The tutorial is what every blog post
builds: FastAPI, a data frame of one row, `model.predict`. Each is one process on one core, and wrk asks from another.
Run it as `make bench`, or `python bench/serving.py --rounds 1 --seconds 2`. It never fails because of a figure.
"""

import argparse
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import joblib  # noqa: TID251 -- the tutorial loads its model so
import msgspec
import psutil
import requests

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from bench.compiling import typical  # noqa: E402 -- after the path
from model_api.publishing import publish  # noqa: E402 -- likewise

NAMES = {"ridge": 0, "forest": 1, "mixed": 3}
"""Name of a model → its place among those of bench/compiling.py."""
CONNECTIONS = 32
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies, place = {{}}, 0
for line in io.lines("{}") do bodies[#bodies + 1] = line end
request = function() place = place % #bodies + 1; return wrk.format(nil, nil, nil, bodies[place]) end
"""
FLOOR = """
import msgspec
ANSWER = b'{"prediction":205.48601048405718}'

async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    msgspec.json.decode(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})
"""
TUTORIAL = """
import joblib, os, pandas as pd
from fastapi import FastAPI

app = FastAPI()
model = joblib.load(os.environ["MODEL"])

@app.post("/predict")
def predict(body: dict):
    return {"prediction": model.predict(pd.DataFrame([body["data"]])).tolist()}
"""


class Load(NamedTuple):
    """What wrk found."""

    per_second: float
    p50: float
    """In ms."""
    p99: float
    """In ms."""
    failed: int


class Subject(NamedTuple):
    """A process under test."""

    port: int
    path: str
    process: psutil.Process


@contextmanager
def started(command: Sequence[str], path: str, folder: Path, **environment: str) -> Iterator[Subject]:
    """Run uvicorn on the first core until the end of a block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    whole = ["taskset", "-c", "0", sys.executable, "-m", "uvicorn", *command, "--port", str(port)]
    places = {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{folder}", "OMP_NUM_THREADS": "1"}
    everything = {**os.environ, **places, **environment}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(whole, cwd=folder, env=everything, stderr=log, stdout=log)
    try:
        wait(port, process)
        yield Subject(port, path, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(20)


def wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a port answers, and where there is a health check until that is content."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.post(f"http://127.0.0.1:{port}/health/ready", json={}, timeout=5).status_code != 503:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError("it does not start")


def ask(subject: Subject, script: Path, connections: int, seconds: int) -> Load:
    """Let wrk ask for some seconds."""
    address = f"http://127.0.0.1:{subject.port}{subject.path}"
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(script)]
    text = subprocess.run([*command, address], check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found, text
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(float(found[1]), _percentile(text, 50), _percentile(text, 99), int(failed[1]) if failed else 0)


def _percentile(text: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s) *$", text, re.MULTILINE)
    assert found, text
    return float(found[1]) * UNITS[found[2]]


def prepare(folder: Path) -> None:
    """Fit the models, publish them, and write 64 bodies for each."""
    cases = list(typical().values())
    for name, place in NAMES.items():
        case = cases[place]
        publish(case.fitted, case.frame, case.true, name=name, models=folder / "models")
        joblib.dump(case.fitted, folder / f"{name}.joblib")
        rows = case.frame.dropna().head(64).to_dict("records")
        (folder / f"{name}.jsonl").write_bytes(b"\n".join(msgspec.json.encode({"data": row}) for row in rows) + b"\n")
        (folder / f"{name}.lua").write_text(SCRIPT.format(folder / f"{name}.jsonl"))
    (folder / "floor.py").write_text(FLOOR)
    (folder / "tutorial.py").write_text(TUTORIAL)


def measure(folder: Path, rounds: int, seconds: int) -> dict[tuple[str, str, int], list[Load]]:
    """Ask each subject in turn, several rounds of it; memory is that after all."""
    found: dict[tuple[str, str, int], list[Load]] = {}
    quiet = ("--no-access-log", "--lifespan", "off")
    ours = ("model_api.main:app", "--http", "model_api.http_protocol:Protocol")
    with ExitStack() as stack:
        floor = stack.enter_context(started(["floor:app", *quiet], "/predict", folder))
        service = stack.enter_context(started(ours, "", folder, MODEL_API_MODELS=str(folder / "models")))
        subjects: dict[tuple[str, str], Subject] = {}
        for name in NAMES:
            tutorial = started(["tutorial:app"], "/predict", folder, MODEL=str(folder / f"{name}.joblib"))
            subjects["floor", name] = floor
            subjects["Servery", name] = service._replace(path=f"/models/{name}/predict")
            subjects["tutorial", name] = stack.enter_context(tutorial)
        for number in range(rounds):
            for (who, name), subject in subjects.items():
                for connections in (1, CONNECTIONS):
                    load = ask(subject, folder / f"{name}.lua", connections, seconds)
                    found.setdefault((who, name, connections), []).append(load)
                    print(number + 1, who, name, connections, load, file=sys.stderr)
        memory = service.process.memory_full_info()
        found["memory", "MB", 0] = [Load(memory.rss / 1e6, memory.pss / 1e6, 0, 0)]
    return found


def report(found: dict[tuple[str, str, int], list[Load]], rounds: int, seconds: int) -> str:
    """Write the page: medians, and ratios within a round."""

    def median(who: str, name: str, connections: int, field: str) -> float:
        values: list[float] = [getattr(load, field) for load in found[who, name, connections]]
        return statistics.median(values)

    def ratio(who: str, name: str) -> float:
        pairs = zip(found["Servery", name, CONNECTIONS], found[who, name, CONNECTIONS], strict=True)
        return statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs)

    rows = []
    for name in NAMES:
        for who in ("Servery", "floor", "tutorial"):
            cells: list[Any] = [name, who, f"{median(who, name, CONNECTIONS, 'per_second'):,.0f}"]
            cells.append("" if who == "Servery" else f"{ratio(who, name):.2f} ×")
            cells += [f"{median(who, name, 1, 'p50'):.3f}", f"{median(who, name, CONNECTIONS, 'p50'):.2f}"]
            cells += [
                f"{median(who, name, CONNECTIONS, 'p99'):.2f}",
                sum(x.failed for x in found[who, name, CONNECTIONS]),
            ]
            rows.append("| " + " | ".join(map(str, cells)) + " |")
    (memory,) = found["memory", "MB", 0]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "fastapi", "scikit-learn", "onnxruntime"))
    return f"""# The model service, measured

{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {libraries}.
Made by `bench/serving.py`: medians of {rounds} rounds of {seconds} s, one process on one core, wrk on the other.
Validation, request ids, metrics and a log line a request are on. Trust ratios more than figures.

| model | who | requests/s at {CONNECTIONS} | Servery ÷ it | p50 ms at 1 | p50 ms at {CONNECTIONS} | p99 ms | failed |
|---|---|--:|--:|--:|--:|--:|--:|
{chr(10).join(rows)}

Memory of the service with all three models: {memory.per_second:.0f} MB RSS, {memory.p50:.0f} MB PSS.
"""


def main() -> None:
    """Prepare, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        found = measure(Path(name), options.rounds, options.seconds)
    text = report(found, options.rounds, options.seconds)
    print(text)
    (HERE / "results.md").write_text(text)


if __name__ == "__main__":
    main()
