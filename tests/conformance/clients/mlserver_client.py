"""`mlserver infer`: files of requests, one a line."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import Rows, arguments, report

url, rows = arguments()


def table(row: dict[str, Any]) -> list[dict[str, Any]]:
    """One row as one input."""
    return [{"name": "input-0", "shape": [1, len(row)], "datatype": "FP64", "data": list(row.values())}]


def columns(row: dict[str, Any]) -> list[dict[str, Any]]:
    """One row as one input a feature; of text the command takes no null."""
    texts = [{"name": n, "shape": [1, 1], "datatype": "BYTES", "data": [row[n] or ""]} for n in sorted(TEXTS)]
    numbers = [{"name": n, "shape": [1, 1], "datatype": "FP64", "data": [row[n]]} for n in row if n not in TEXTS]
    return [*texts, *numbers]


TEXTS = {name for row in rows["mixed"] for name, value in row.items() if isinstance(value, str)}


def infer(model: str, sent: Rows, make: Any, *options: str) -> Any:
    """Ask for every row, and give the predictions in the order of the rows."""
    with tempfile.TemporaryDirectory() as folder:
        given, written = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        lines = [json.dumps({"id": str(number), "inputs": make(row)}) for number, row in enumerate(sent)]
        given.write_text("\n".join(lines))
        command = [str(Path(sys.executable).parent / "mlserver"), "infer", "-u", url.removeprefix("http://")]
        command += ["-m", model, "-i", str(given), "-o", str(written), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-500:])
        answers = [json.loads(line) for line in written.read_text().splitlines()]
    ordered = sorted(answers, key=lambda answer: answer["parameters"]["batch_index"])
    return [answer["outputs"][0]["data"][0] for answer in ordered]


report(
    "mlserver",
    {
        "infer, table": lambda: infer("numeric", rows["numeric"], table),
        "infer, columns": lambda: infer("mixed", rows["mixed"], columns),
        "infer, table, micro-batches": lambda: infer("numeric", rows["numeric"], table, "--batch-size", "5"),
        "infer, columns, micro-batches": lambda: infer("mixed", rows["mixed"], columns, "--batch-size", "5"),
        "infer, table, binary": lambda: infer("numeric", rows["numeric"], table, "--binary-data"),
    },
)
