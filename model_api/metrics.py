"""What Prometheus reads: how many predictions were asked for, of whom, how they ended and how long they took."""

import os
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from model_api.registry import Registry
from model_api.stages import Stages

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the histogram of durations."""
ROWS = (1, 2, 5, 10, 20, 50, 100, 1000, 10_000, 100_000)
"""Upper bounds of the histogram of instances."""
DIFFERENCES = (1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper bounds of the histogram of differences between challenger and champion."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


NOTHING = Stages()


class Access(NamedTuple):
    """One request for predictions that was answered, or turned away because there was no time for it."""

    at: float
    """When, in seconds since 1970."""
    path: str
    """Path of its address."""
    seconds: float
    """How long it took."""
    model: str
    """Who answered, as name/version."""
    rows: int
    """How many instances; none when it was turned away."""
    traceparent: str
    """The trace that the caller is part of; may be empty."""
    request_id: str
    """Its id."""
    stages: Stages = NOTHING
    """Where its time went."""


class Batches(Histogram):
    """A histogram that takes many values at once: one after the other, each would cost as much as its prediction."""

    def observe_all(self, values: Sequence[float]) -> None:
        """Count values, as `observe` does each."""
        self._sum.inc(sum(values))
        for bucket, times in Counts(bisect_left(self._upper_bounds, value) for value in values).items():
            self._buckets[bucket].inc(times)


class Metrics:
    """Counts of one application. Several workers of one service share them through `PROMETHEUS_MULTIPROC_DIR`."""

    def __init__(self, models: Registry) -> None:
        self._models = models
        self.before_reading: Callable[[], None] = lambda: None
        """Called before the counts are read: what waits to be counted is counted then."""
        self._registry = CollectorRegistry()
        labels = ["model", "version"]
        self._requests = Counter(
            "servery_requests", "Prediction requests, by outcome.", [*labels, "outcome"], registry=self._registry
        )
        self._rows = Counter("servery_rows", "Instances predicted.", labels, registry=self._registry)
        self._seconds = Batches(
            "servery_request_seconds", "Time of a request.", labels, registry=self._registry, buckets=SECONDS
        )
        self._instances = Batches(
            "servery_request_rows", "Instances of a request.", labels, registry=self._registry, buckets=ROWS
        )
        self._stages = Counter(
            "servery_stage_seconds",
            "Time of requests by what was done: queue, parse, predict, encode.",
            [*labels, "stage"],
            registry=self._registry,
        )
        self._shadows = Counter(
            "servery_shadow_requests",
            "Requests that a challenger looked at: agree, disagree, refused, failed or dropped.",
            [*labels, "outcome"],
            registry=self._registry,
        )
        self._differences = Histogram(
            "servery_shadow_difference",
            "Relative difference of a challenger's numbers to the champion's.",
            labels,
            registry=self._registry,
            buckets=DIFFERENCES,
        )

    def count(self, model: str, status: int, rows: int, seconds: float, stages: Stages = NOTHING) -> None:
        """Count one request that was answered by `model`, written name/version."""
        outcome = "success" if status < 400 else "refused" if status < 500 else "failed"
        self._count(model, outcome, [seconds], [rows] if status < 400 else [], [stages])

    def count_accesses(self, accesses: Sequence[Access]) -> None:
        """Count requests that were answered, or turned away."""
        by_model: dict[tuple[str, str], list[Access]] = {}
        for access in accesses:
            by_model.setdefault((access.model, "success" if access.rows else "failed"), []).append(access)
        for (model, outcome), group in by_model.items():
            _, _, seconds, _, rows, _, _, stages = zip(*group, strict=True)
            self._count(model, outcome, seconds, rows if outcome == "success" else (), stages)

    def _count(
        self, model: str, outcome: str, seconds: Sequence[float], rows: Sequence[int], stages: Sequence[Stages]
    ) -> None:
        labels = model.partition("/")[::2]
        self._requests.labels(*labels, outcome).inc(len(seconds))
        self._seconds.labels(*labels).observe_all(seconds)
        if rows:
            self._rows.labels(*labels).inc(sum(rows))
            self._instances.labels(*labels).observe_all(rows)
        for stage, spent in zip(Stages._fields, map(sum, zip(*stages, strict=True)), strict=True):
            if spent:
                self._stages.labels(*labels, stage).inc(spent)

    def count_shadow(self, model: str, version: str, outcome: str, difference: float | None) -> None:
        """Count one request that a challenger looked at, and for numbers by how much it differs."""
        self._shadows.labels(model, version, outcome).inc()
        if difference is not None:
            self._differences.labels(model, version).observe(difference)

    def exposition(self) -> bytes:
        """Give all counts, of every worker, in Prometheus' text format."""
        self.before_reading()
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # the library types all but this
        return generate_latest(registry) + self._state().encode()

    def _state(self) -> str:
        """Tell what this worker serves; not a sum over workers, so not part of their registry."""
        lines = [
            *_head("servery_ready", "Whether models are loaded."),
            f"servery_ready {int(not self._models.problem)}",
        ]
        lines += _head("servery_version_state", "1 for the state that a version is in.")
        entries = [] if self._models.problem else self._models.entries
        for entry in entries:
            lines += [
                f'servery_version_state{{model="{entry.name}",version="{number}",state="{state}"}} 1'
                for state, numbers in (
                    ("ready", entry.loaded), ("failed", entry.failed), ("loading", entry.loading), ("idle", entry.idle),
                )
                for number in numbers
            ]  # fmt: skip
        lines += _head("servery_traffic_share", "Percent of the keys that an alias answers.")
        for entry in entries:
            if share := entry.traffic.share:
                lines.append(f'servery_traffic_share{{model="{entry.name}",alias="{share.alias}"}} {share.percent}')
        lines += _head("servery_load_seconds", "How long a version took to load.")
        lines += [
            f'servery_load_seconds{{model="{entry.name}",version="{number}"}} {model.seconds}'
            for entry in entries
            for number, model in entry.loaded.items()
        ]
        return "\n".join(lines) + "\n"


def _head(name: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
