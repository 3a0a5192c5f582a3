"""The table that publishing prints: what compiled to what, what did not and why, and how much faster it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_api.artifact import Artifact

NAMES = {
    "plan": "our own plan",
    "onnx": "ONNX, float64",
    "onnx-float32": "ONNX, float32",
    "array": "scikit-learn, array",
    "estimator": "scikit-learn",
}


def form_table(version: Path) -> str:
    """Write the table of a version."""
    artifact = Artifact(version)
    timings: dict[str, Any] = dict(artifact.manifest.timings)
    base = timings.get("estimator")
    rows = [("form", "verdict", "1 row", "1,000 rows")]
    package = "package" in artifact.manifest.estimator
    first = "the package's own code" if package else NAMES["estimator"]
    rows.append((first, "answers" if package else "what the others have to equal", *_times(base, base)))
    for name, form in artifact.forms.items():
        verdict = f"proved, largest difference {form['largest_difference']:.1e}" if form["proved"] else form["reason"]
        rows.append((NAMES.get(name, name), verdict, *_times(timings.get(name), base)))
    return aligned(rows)


def _times(timing: dict[str, float] | None, base: dict[str, float] | None) -> tuple[str, str]:
    """Write both times, and how many times faster than scikit-learn each is."""
    if not timing or not base:
        return "", ""
    one, many = timing["one_row_us"], timing["thousand_rows_ms"]
    if timing is base:
        return f"{one:,.0f} µs", f"{many:.2f} ms"
    return (
        f"{one:,.0f} µs ({base['one_row_us'] / one:,.0f} ×)",
        f"{many:.2f} ms ({base['thousand_rows_ms'] / many:,.1f} ×)",
    )


def aligned(rows: Sequence[Sequence[str]], widest: int = 78) -> str:
    """Set rows in columns; a cell that is too long is cut."""
    cut = [[cell if len(cell) <= widest else cell[: widest - 1] + "…" for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cut) for column in range(len(cut[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]
    return "\n".join(lines)
