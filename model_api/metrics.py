"""What Prometheus reads: how many predictions were asked for, of whom, how they ended and how long they took."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from model_api.registry import Registry

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the histogram of durations."""
DIFFERENCES = (1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper bounds of the histogram of differences between challenger and champion."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of one application. Several workers of one service share them through `PROMETHEUS_MULTIPROC_DIR`."""

    def __init__(self, models: Registry) -> None:
        self._models = models
        self._registry = CollectorRegistry()
        labels = ["model", "version"]
        self._requests = Counter(
            "servery_requests", "Prediction requests, by outcome.", [*labels, "outcome"], registry=self._registry
        )
        self._rows = Counter("servery_rows", "Instances predicted.", labels, registry=self._registry)
        self._seconds = Histogram(
            "servery_request_seconds", "Time of a request.", labels, registry=self._registry, buckets=SECONDS
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

    def count(self, model: str, status: int, rows: int, seconds: float) -> None:
        """Count one request that was answered by `model`, written name/version."""
        name, _, version = model.partition("/")
        outcome = "success" if status < 400 else "refused" if status < 500 else "failed"
        self._requests.labels(name, version, outcome).inc()
        self._seconds.labels(name, version).observe(seconds)
        if status < 400:
            self._rows.labels(name, version).inc(rows)

    def count_shadow(self, model: str, version: str, outcome: str, difference: float | None) -> None:
        """Count one request that a challenger looked at, and for numbers by how much it differs."""
        self._shadows.labels(model, version, outcome).inc()
        if difference is not None:
            self._differences.labels(model, version).observe(difference)

    def exposition(self) -> bytes:
        """Give all counts, of every worker, in Prometheus' text format."""
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
        return "\n".join(lines) + "\n"


def _head(name: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
