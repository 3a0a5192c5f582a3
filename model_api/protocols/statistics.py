"""How often and how long each version computed for callers of other protocols, counted in this process's memory."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Durations(NamedTuple):
    """Nanoseconds that one request spent where."""

    queue: int
    """Waiting for a thread."""
    read: int
    """Making instances of its bytes."""
    compute: int
    """Checking the instances and predicting."""
    write: int
    """Making bytes of the answer."""

    @property
    def total(self) -> int:
        """Nanoseconds in all."""
        return sum(self)


@dataclass
class Sum:
    """A number of requests and their nanoseconds."""

    count: int = 0
    ns: int = 0

    def add(self, ns: int) -> None:
        """Count one request."""
        self.count += 1
        self.ns += ns

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
    read: Sum = field(default_factory=Sum)
    compute: Sum = field(default_factory=Sum)
    write: Sum = field(default_factory=Sum)


class Statistics:
    """Counts by name and version; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], Counts] = {}

    def succeeded(self, name: str, version: str, rows: int, took: Durations) -> None:
        """Count a request that was answered."""
        with self._lock:
            counts = self._counts.setdefault((name, version), Counts())
            counts.rows += rows
            counts.last_ms = time.time_ns() // 10**6
            counts.success.add(took.total)
            for part in ("queue", "read", "compute", "write"):
                getattr(counts, part).add(getattr(took, part))

    def failed(self, name: str, version: str, ns: int) -> None:
        """Count a request that was refused or failed."""
        with self._lock:
            self._counts.setdefault((name, version), Counts()).fail.add(ns)

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
                    "compute_input": counts.read.to_dict(),
                    "compute_infer": counts.compute.to_dict(),
                    "compute_output": counts.write.to_dict(),
                },
            }
