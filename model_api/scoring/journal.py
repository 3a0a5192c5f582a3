"""Which parts of a run are finished: a line each, written after what it speaks of is safely on disk."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from model_api.scoring.errors import CannotScore

FORMAT = 1


@dataclass(frozen=True)
class Part:
    """How far a run has come."""

    rows: int = 0
    """Rows that are scored."""
    bad: int = 0
    """How many of them have no prediction."""
    out: int = 0
    """Bytes of the unfinished output."""
    errors: int = 0
    """Bytes of the file of errors."""
    after: dict[str, int] = field(default_factory=dict)
    """Where reading goes on."""
    complete: bool = False
    """Whether there is nothing left to read."""


class Journal:
    """The side file of one run."""

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        """`run`: what must be the same for the rest of a run to fit what is there."""
        self.path, self._run = path, {"format": FORMAT, **run}

    def begin(self) -> Part:
        """Begin a run."""
        self.path.write_text(json.dumps(self._run) + "\n")
        return Part()

    def resume(self) -> Part:
        """Find the last finished part; what was written of a later line is cut off. Raises CannotScore."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        try:
            run, *parts = map(json.loads, whole)
            last = Part(**parts[-1]) if parts else Part()
        except (ValueError, TypeError) as error:
            raise CannotScore(f"{self.path} is not the record of a run; begin anew with --force") from error
        changed = [key for key in self._run if run.get(key) != self._run[key]]
        if changed:
            before = {key: run.get(key) for key in changed}
            raise CannotScore(
                f"{self.path} is of another run, with another {', '.join(changed)} ({before}); ask for the same, or "
                "begin anew with --force"
            )
        os.truncate(self.path, sum(map(len, whole)))
        return last

    def add(self, part: Part) -> None:
        """Record a part."""
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(part)) + "\n")
            file.flush()
            os.fsync(file.fileno())
