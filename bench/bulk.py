"""Tables: rows a second through the service and in process with pandas, and the memory of `servery score`.

Run it as `make bench-bulk`, or `python bench/bulk.py`; `--long` scores ten million rows as well. It writes bulk.md and
never fails because of a figure.
"""

import argparse
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import skops.io

from model_api.artifact import Artifact
from model_api.examples import publish_examples
from model_api.trust import Trust

ROOT = Path(__file__).parent.parent
MODELS = ("diabetes", "loans")
ROWS, FEW = 100_000, 1_000
SIZES = (10**5, 10**6)
LONG = 10**7
ROUNDS = 5
PORT = 8077
SCORE = """
import sys
from pathlib import Path
import servery

assert servery.main(sys.argv[1:]) == 0
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""
"""What `servery` does, and then the most memory that it took, in KiB: Linux alone tells it for one process."""
TYPES = {
    "JSON": "application/json",
    "CSV": "text/csv",
    "Parquet": "application/vnd.apache.parquet",
    "Arrow": "application/vnd.apache.arrow.stream",
}


def table_of(artifact: Artifact, rows: int) -> pd.DataFrame:
    """Give so many rows, made of the data that came with a model."""
    reference = pd.DataFrame(artifact.reference.columns)
    return pd.concat([reference] * (rows // len(reference) + 1), ignore_index=True).iloc[:rows]


def bodies(table: pd.DataFrame) -> dict[str, bytes]:
    """Write a table in every form."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    parquet, stream = io.BytesIO(), io.BytesIO()
    pq.write_table(arrow, parquet)
    with pa.ipc.new_stream(stream, arrow.schema) as writer:
        writer.write_table(arrow)
    return {
        "CSV": table.to_csv(index=False).encode(),
        "Parquet": parquet.getvalue(),
        "Arrow": stream.getvalue(),
    }


def in_process(artifact: Artifact, form: str, body: bytes) -> Callable[[], object]:
    """Make what a script would do: read with pandas, ask the pipeline."""
    estimator = skops.io.loads(artifact.read("estimator.skops"), trusted=Trust().all_types)
    layout = {column["name"]: column["dtype"] for column in artifact.manifest.estimator["columns"]}
    read: dict[str, Callable[[], pd.DataFrame]] = {
        "CSV": lambda: pd.read_csv(io.BytesIO(body)),
        "Parquet": lambda: pd.read_parquet(io.BytesIO(body)),
        "Arrow": lambda: pa.ipc.open_stream(body).read_all().to_pandas(),
    }

    def work() -> object:
        table = read[form]()
        for name, dtype in layout.items():
            if str(table[name].dtype) != dtype:
                table[name] = table[name].astype(dtype)
        if hasattr(estimator, "predict_proba"):
            return estimator.predict(table), estimator.predict_proba(table)
        return estimator.predict(table)

    return work


def ask(model: str, form: str, body: bytes) -> Callable[[], object]:
    """Make a request to the service."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/models/{model}/predict", body, {"Content-Type": TYPES[form]}
    )

    def work() -> object:
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    return work


def per_second(rows: int, work: Callable[[], object]) -> float:
    """Give rows a second: the median of some rounds, after one that does not count."""
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return rows / statistics.median(times)


@contextmanager
def service(models: Path) -> Iterator[None]:
    """Run the service, until it is not needed any more."""
    environment = os.environ | {"MODEL_API_MODELS": str(models), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "uvicorn", "model_api.main:app", "--port", str(PORT), "--no-access-log"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/ready").close()
                break
            if time.monotonic() > deadline:
                raise TimeoutError("the service is not ready")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def speeds(models: Path) -> Iterator[str]:
    """Give the rows of the first table."""
    for model in MODELS:
        artifact = Artifact(models / model / "1")
        few = msgspec.json.encode({"data": table_of(artifact, FEW).astype(object).to_dict("records")})
        speed = per_second(FEW, ask(model, "JSON", few))
        yield f"| {model} | JSON, {FEW:,} rows | {len(few) / 2**20:.1f} | {speed:,.0f} | | |"
        for form, body in bodies(table_of(artifact, ROWS)).items():
            ours, theirs = (
                per_second(ROWS, work) for work in (ask(model, form, body), in_process(artifact, form, body))
            )
            sent = f"{model} | {form}, {ROWS:,} rows | {len(body) / 2**20:.1f}"
            yield f"| {sent} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.1f} |"


def score(models: Path, folder: Path, model: str, rows: int, form: str) -> str:
    """Score a file in a process of its own; gives a row of the second table."""
    source, out = folder / f"in.{form}", folder / f"out.{form}"
    write_file(Artifact(models / model / "1"), rows, source)
    command = [sys.executable, "-c", SCORE, "score", str(source), str(out), "--model", model, "--models", str(models)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    megabytes, memory = source.stat().st_size / 2**20, int(done.stdout.split()[-1]) / 2**10
    source.unlink()
    out.unlink()
    return f"| {model} | {rows:,} | {form} | {megabytes:,.1f} | {seconds:.1f} | {rows / seconds:,.0f} | {memory:.0f} |"


def write_file(artifact: Artifact, rows: int, path: Path) -> None:
    """Write a large file in pieces; of Parquet in row groups as pyarrow makes them."""
    piece = table_of(artifact, 100_000)
    if path.suffix == ".parquet":
        arrow = pa.Table.from_pandas(piece, preserve_index=False)
        with pq.ParquetWriter(path, arrow.schema) as writer:
            for _ in range(0, rows, len(piece)):
                writer.write_table(arrow)
        return
    with path.open("wb") as sink:
        for start in range(0, rows, len(piece)):
            piece.to_csv(sink, index=False, header=not start)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"score {LONG:,} rows as well")
    parser.add_argument("--models", type=Path, help="folder with the embedded models; without it they are trained")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        models: Path = options.models or folder / "models"
        if not options.models:
            publish_examples(models)
        lines = [*head("Through the service", "model | sent | MiB | rows/s | pandas and pipeline in process | ratio")]
        with service(models):
            lines += told(speeds(models))
        lines += head("servery score", "model | rows | file | MiB | seconds | rows/s | peak RSS, MiB")
        lines += told(
            score(models, folder, model, rows, form)
            for rows in (*SIZES, *([LONG] if options.long else []))
            for model, form in (("diabetes", "csv"), ("loans", "csv"), ("loans", "parquet"))
        )
    text = [f"# Tables\n\nMeasured by bulk.py on {os.cpu_count()} cores, Python {platform.python_version()}.", *lines]
    (Path(__file__).parent / "bulk.md").write_text("\n".join(text) + "\n")


def head(title: str, columns: str) -> list[str]:
    """Begin a table."""
    return [f"\n## {title}\n", f"| {columns} |", "|" + "---|" * (columns.count("|") + 1)]


def told(lines: Iterator[str]) -> Iterator[str]:
    """Print lines as they come."""
    for line in lines:
        print(line, flush=True)
        yield line


if __name__ == "__main__":
    main()
