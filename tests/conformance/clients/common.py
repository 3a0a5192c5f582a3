"""What the clients' scripts share; each runs in its own environment, so nothing of Servery's is imported here.

A script is called with the address of a service and a file of rows; it prints, as JSON, what each call gave.
"""

import json
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def arguments() -> tuple[str, dict[str, Rows]]:
    """Give the address of the service, and the rows by model."""
    return sys.argv[1], json.loads(Path(sys.argv[2]).read_text())


def report(distribution: str, calls: Mapping[str, Callable[[], Any]]) -> None:
    """Make every call, and print what it gave or how it failed."""
    found = {name: _attempt(call) for name, call in calls.items()}
    sys.stdout.flush()
    print()
    print(json.dumps({"version": version(distribution), "calls": found}))


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    """Give the values by name."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def table_of(rows: Rows) -> list[list[Any]]:
    """Give the rows as lists of values."""
    return [list(row.values()) for row in rows]


def _attempt(call: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"got": call()}
    except Exception as error:  # noqa: BLE001 -- whatever a client raises is what it gave
        return {"error": f"{type(error).__name__}: {error}"}
