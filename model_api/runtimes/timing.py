"""How long a form takes: for one row, and for a thousand."""

import statistics
import time

from model_api.runtimes import Predictor
from model_api.signature import Columns

ROUNDS = 3


def timed(predictor: Predictor, columns: Columns, seconds: float = 0.002) -> dict[str, float]:
    """Give the median time for one row, in µs, and for 1,000 rows, in ms; each round takes `seconds`."""
    count = len(next(iter(columns.values())))
    one = {name: column[:1] for name, column in columns.items()}
    many = {name: [column[i % count] for i in range(1000)] for name, column in columns.items()}
    return {
        "one_row_us": round(_median(predictor, one, seconds) * 1e6, 2),
        "thousand_rows_ms": round(_median(predictor, many, seconds) * 1e3, 3),
    }


def _median(predictor: Predictor, columns: Columns, seconds: float) -> float:
    predictor.predict(columns)
    return statistics.median(_mean(predictor, columns, seconds) for _ in range(ROUNDS))


def _mean(predictor: Predictor, columns: Columns, seconds: float) -> float:
    calls, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds or not calls:
        predictor.predict(columns)
        calls += 1
    return spent / calls
