"""How often and how long each version computed for callers of other protocols, counted in this process's memory."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from model_api.stages import Stages


@dataclass
class Sum:
    """A number of requests and their nanoseconds."""

    count: int = 0
    ns: int = 0

    def add(self, seconds: float) -> None:
        """Count one request."""
        self.count += 1
        self.ns += round(seconds * 1e9)

    def to_dict(self) -> dict[str, int]:
        """Give it in the form of the protocol."""
        return {"count": self.count, "ns": self.ns}


@dataclass
class Counts:
    """What one version did."""

    rows: int = 0
    last_ms: int = 0
    success: Sum = field(default_factory=Sum)
    fail: Sum = field(default_factory=Sum)
    queue: Sum = field(default_factory=Sum)
    parse: Sum = field(default_factory=Sum)
    predict: Sum = field(default_factory=Sum)
    encode: Sum = field(default_factory=Sum)


class Statistics:
    """Counts by name and version; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], Counts] = {}

    def succeeded(self, name: str, version: str, rows: int, took: Stages) -> None:
        """Count a request that was answered."""
        with self._lock:
            counts = self._counts.setdefault((name, version), Counts())
            counts.rows += rows
            counts.last_ms = time.time_ns() // 10**6
            counts.success.add(sum(took))
            for stage, seconds in zip(Stages._fields, took, strict=True):
                getattr(counts, stage).add(seconds)

    def failed(self, name: str, version: str, took: Stages) -> None:
        """Count a request that was refused or failed."""
        with self._lock:
            self._counts.setdefault((name, version), Counts()).fail.add(sum(took))

    def of(self, name: str, version: str) -> dict[str, Any]:
        """Give the counts of a version, in the form of the statistics extension."""
        with self._lock:
            counts = self._counts.get((name, version)) or Counts()
            return {
                "name": name,
                "version": version,
                "last_inference": counts.last_ms,
                "inference_count": counts.rows,
                "execution_count": counts.success.count,
                "inference_stats": {
                    "success": counts.success.to_dict(),
                    "fail": counts.fail.to_dict(),
                    "queue": counts.queue.to_dict(),
                    "compute_input": counts.parse.to_dict(),
                    "compute_infer": counts.predict.to_dict(),
                    "compute_output": counts.encode.to_dict(),
                },
            }
