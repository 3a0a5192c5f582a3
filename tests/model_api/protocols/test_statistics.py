"""Counts of versions, from many threads at once."""

from concurrent.futures import ThreadPoolExecutor

from model_api.protocols.statistics import Statistics
from model_api.stages import Stages


def test_nothing_is_lost_when_many_count_at_once() -> None:
    statistics = Statistics()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(2000):
            pool.submit(statistics.succeeded, "rent", "1", 3, Stages(1e-9, 2e-9, 3e-9, 4e-9))
            pool.submit(statistics.failed, "rent", "1", Stages(queue=5e-9))

    counts = statistics.of("rent", "1")

    assert counts["inference_count"] == 6000
    assert counts["execution_count"] == 2000
    times = counts["inference_stats"]
    assert times["success"] == {"count": 2000, "ns": 20_000}
    assert times["fail"] == {"count": 2000, "ns": 10_000}
    assert times["compute_infer"] == {"count": 2000, "ns": 6000}


def test_versions_are_counted_apart() -> None:
    statistics = Statistics()
    statistics.succeeded("rent", "1", 1, Stages(1, 1, 1, 1))

    assert statistics.of("rent", "2")["inference_count"] == 0
