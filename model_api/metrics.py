"""What Prometheus reads: how many predictions were asked for, of whom, how they ended and how long they took."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from model_api.registry import Registry

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the histogram of durations."""
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

    def count(self, model: str, status: int, rows: int, seconds: float) -> None:
        """Count one request that was answered by `model`, written name/version."""
        name, _, version = model.partition("/")
        outcome = "success" if status < 400 else "refused" if status < 500 else "failed"
        self._requests.labels(name, version, outcome).inc()
        self._seconds.labels(name, version).observe(seconds)
        if status < 400:
            self._rows.labels(name, version).inc(rows)

    def exposition(self) -> bytes:
        """Give all counts, of every worker, in Prometheus' text format."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # the library types all but this
        return generate_latest(registry) + self._ready().encode()

    def _ready(self) -> str:
        """Tell whether this worker is ready; not a sum over workers, so not part of their registry."""
        ready = 0 if self._models.problem else 1
        return f"# HELP servery_ready Whether models are loaded.\n# TYPE servery_ready gauge\nservery_ready {ready}\n"
