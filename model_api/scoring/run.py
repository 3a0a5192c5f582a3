"""The loop: pieces of IN → predictions → the unfinished OUT, and after each part a line in the journal."""

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from model_api.bulk.sources import PIECE_ROWS, Position, Source
from model_api.errors import ServeryError
from model_api.scoring.errors import CannotScore
from model_api.scoring.inputs import open_input
from model_api.scoring.journal import Journal, Part
from model_api.scoring.outputs import Appended, Output, kind_of, write_errors
from model_api.scoring.progress import Progress
from model_api.scoring.scorers import Scorer


@dataclass(frozen=True)
class Places:
    """The files of a run."""

    source: Path
    """What is scored."""
    out: Path
    """Where the predictions go."""
    errors: Path
    """Where bad rows are told."""

    @property
    def unfinished(self) -> Path:
        """The predictions so far."""
        return self.out.with_name(self.out.name + ".unfinished")

    @property
    def journal(self) -> Path:
        """Which parts are finished."""
        return self.out.with_name(self.out.name + ".progress")

    def forget(self) -> None:
        """Take away what was begun."""
        for path in (self.unfinished, self.errors, self.journal):
            path.unlink(missing_ok=True)

    def require_free(self, *, resume: bool, force: bool) -> None:
        """See that nothing is overwritten. Raises CannotScore."""
        kind_of(self.out)
        if len({self.source.resolve(), self.out.resolve(), self.errors.resolve()}) < 3:
            raise CannotScore("IN, OUT and the file of errors must be three files")
        if force:
            return
        if self.journal.exists():
            if not resume:
                raise CannotScore(f"{self.out} was begun: go on with --resume, or begin anew with --force")
            return
        for path in (self.out, self.errors):
            if path.exists():
                raise CannotScore(f"{path} exists; overwrite it with --force")


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    rows: int
    bad: int
    """Rows without a prediction."""


class Run:
    """One run, from its beginning or from where it was interrupted."""

    def __init__(self, places: Places, journal: Journal, part: Part, chunk_rows: int) -> None:
        """`part`: what is finished already; `chunk_rows`: rows after which what is done is recorded."""
        self._journal, self._chunk_rows = journal, chunk_rows
        self._output = Output(places.out, places.unfinished, part.out)
        self._errors = Appended(places.errors, part.errors)
        self.part = part

    def work(self, source: Source, scorer: Scorer, progress: Progress) -> Part:
        """Score what is left, and put OUT in place."""
        try:
            if not self.part.complete:
                self._score(source, scorer, progress)
        finally:
            self._errors.close()
            self._output.file.close()
        self._output.finish()
        progress.show(self.part.rows, 1.0, last=True)
        return self.part

    def _score(self, source: Source, scorer: Scorer, progress: Progress) -> None:
        rows, bad, after = self.part.rows, self.part.bad, self.part.after
        for piece in source.pieces(min(self._chunk_rows, PIECE_ROWS), after or None):
            batch, problems = scorer.score(piece, rows)
            self._output.write(batch)
            bad += write_errors(self._errors, problems)
            rows, after = rows + piece.rows, piece.after
            if rows - self.part.rows >= self._chunk_rows:
                self._record(rows, bad, after, complete=False)
            progress.show(rows, piece.done)
        if not rows:
            raise CannotScore("the file has no rows")
        self._record(rows, bad, after, complete=True)

    def _record(self, rows: int, bad: int, after: Position, *, complete: bool) -> None:
        """Write down that a part is finished, once it is on the disk."""
        self._output.file.sync()
        self._errors.sync()
        self.part = Part(rows, bad, self._output.file.size, self._errors.size, after, complete)
        self._journal.add(self.part)


def score(places: Places, scorer: Scorer, *, chunk_rows: int, coverage: float, resume: bool, stream: TextIO) -> Outcome:
    """Score a file; `resume` goes on with what was begun; `stream` shows how far it is.

    Raises CannotScore, or what is wrong with IN.
    """
    with open_input(places.source) as (source, names, hint):
        if names is not None:
            scorer.require(names, hint)
        status = places.source.stat()
        facts = {"coverage": coverage, "size": status.st_size, "changed": status.st_mtime_ns, "chunk_rows": chunk_rows}
        journal = Journal(places.journal, {**scorer.run, **facts})
        part = journal.resume() if resume and places.journal.exists() else journal.begin()
        if not part.complete or places.unfinished.exists():
            run = Run(places, journal, part, chunk_rows)
            try:
                part = run.work(source, scorer, Progress(stream, part.rows))
            except ServeryError:
                if not run.part.rows:  # nothing is lost
                    places.forget()
                raise
        elif not places.out.exists():
            raise CannotScore(f"{places.out} was finished and is gone; begin anew with --force")
    if not part.bad:
        places.errors.unlink(missing_ok=True)
    places.journal.unlink()
    return Outcome(part.rows, part.bad)
