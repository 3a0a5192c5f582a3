"""Runs everything that measures explanations, one after the other; writes explanations.md.

`make bench-explanations` takes about a quarter of an hour on a quiet machine. It never fails because of a figure.
"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PARTS = ("explanations", "intervals", "familiarity", "counterfactuals", "slider")


def main() -> None:
    """Run each part and write what all of them print."""
    parts = [f"# Explanations, measured\n\n{datetime.now(UTC).date()}, by `bench/all_explanations.py`."]
    for part in PARTS:
        print(part, file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"bench.{part}"]
        run = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
        parts.append(run.stdout.strip())
    (HERE / "explanations.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
