"""How long a form takes: for one row, and for a thousand."""

import os
import statistics
import time
from typing import NamedTuple

from model_api.runtimes import Predictor
from model_api.signature import Columns

ROUNDS = 3
TOGETHER = 16
"""Rows that are tried together."""
WORTH_IT_US = 1000.0
"""Time of one row from which on it is worth to wait for a thread."""
GAIN = 2.0
"""How many times faster rows must be together."""


def timed(predictor: Predictor, columns: Columns, seconds: float = 0.002) -> dict[str, float]:
    """Give the median time for one row, in µs, and for 1,000 rows, in ms; each round takes `seconds`."""
    count = len(next(iter(columns.values())))
    one = {name: column[:1] for name, column in columns.items()}
    many = {name: [column[i % count] for i in range(1000)] for name, column in columns.items()}
    return {
        "one_row_us": round(_median(predictor, one, seconds) * 1e6, 2),
        "thousand_rows_ms": round(_median(predictor, many, seconds) * 1e3, 3),
    }


class Together(NamedTuple):
    """What was found when rows that came by themselves were predicted together."""

    helps: bool
    """Whether requests are predicted together."""
    why: str
    """In words."""
    one_row_us: float
    sixteen_rows_us: float


def tried_together(predictor: Predictor, columns: Columns, one_row_us: float, seconds: float = 0.002) -> Together:
    """Find out whether rows that come by themselves are better predicted together: much faster, and no different."""
    count = len(next(iter(columns.values())))
    some = {name: [column[i % count] for i in range(TOGETHER)] for name, column in columns.items()}
    sixteen_rows_us = round(_median(predictor, some, seconds) * 1e6, 2)
    if one_row_us < WORTH_IT_US:
        return Together(False, "a row by itself is answered quickly enough", one_row_us, sixteen_rows_us)
    if sixteen_rows_us * GAIN > TOGETHER * one_row_us:
        return Together(False, "rows take about as long together", one_row_us, sixteen_rows_us)
    if not _same_together(predictor, some):
        return Together(False, "its answers would differ in their last digits", one_row_us, sixteen_rows_us)
    return Together(True, "rows take much less time together", one_row_us, sixteen_rows_us)


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _same_together(predictor: Predictor, columns: Columns) -> bool:
    whole = predictor.predict(columns)
    for row in range(TOGETHER):
        alone = predictor.predict({name: column[row : row + 1] for name, column in columns.items()})
        if not whole.of(slice(row, row + 1)).is_same(alone):
            return False
    return True


def _median(predictor: Predictor, columns: Columns, seconds: float) -> float:
    predictor.predict(columns)
    return statistics.median(_mean(predictor, columns, seconds) for _ in range(ROUNDS))


def _mean(predictor: Predictor, columns: Columns, seconds: float) -> float:
    calls, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds or not calls:
        predictor.predict(columns)
        calls += 1
    return spent / calls
