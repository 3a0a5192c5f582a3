"""Runs everything that measures explanations, one after the other; writes explanations.md.

`make bench-explanations` takes about five minutes on a quiet machine. It never fails because of a figure.
"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PARTS = {
    "explanations": "Contributions beside shap, and every call over HTTP on one core",
    "intervals": "Coverage on data never used",
    "familiarity": "What the trust line flags",
    "counterfactuals": "Counterfactuals",
    "slider": "The slider, in Chromium",
}
"""Script → heading."""


def main() -> None:
    """Run each part and write what all of them print."""
    parts = [f"# Explanations, measured\n\n{datetime.now(UTC).date()}, by `bench/all_explanations.py`."]
    for part, heading in PARTS.items():
        print(part, file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"bench.{part}"]
        run = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
        parts.append(f"## {heading}\n\n{run.stdout.strip()}")
    (HERE / "explanations.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
