"""pyarrow, with as few threads as a server leaves it: its pools would take the cores of other requests."""

import pyarrow as pa
import pyarrow.compute as pc

pa.set_cpu_count(1)
pa.set_io_thread_count(1)

FAILURES = (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError)
"""What pyarrow raises for bytes that are not what they claim to be."""


def reason(error: BaseException) -> str:
    """Give the first line of an error of pyarrow's, short."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


__all__ = ["FAILURES", "pa", "pc", "reason"]
