"""What a person sees while a file is scored: a bar in a terminal, else a line now and then."""

import time
from typing import TextIO

BAR = 24
OFTEN, SELDOM = 0.2, 10.0
"""Seconds between two looks, in a terminal and elsewhere."""


class Progress:
    """Tells on a stream how far a run has come."""

    def __init__(self, stream: TextIO, rows: int) -> None:
        """`rows` that were scored before."""
        self._stream, self._bar = stream, stream.isatty()
        self._rows = rows
        self._first: float | None = None
        self._began = self._shown = time.monotonic()

    def show(self, rows: int, done: float, *, last: bool = False) -> None:
        """Tell it, if it was not told just now; `done` is the part of the input that was read."""
        now = time.monotonic()
        self._first = done if self._first is None else self._first
        if not last and now - self._shown < (OFTEN if self._bar else SELDOM):
            return
        self._shown = now
        text = self._text(rows, done, now - self._began)
        if self._bar:
            self._stream.write(f"\r[{'#' * round(done * BAR):.<{BAR}}] {text}\x1b[K" + ("\n" if last else ""))
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def _text(self, rows: int, done: float, seconds: float) -> str:
        speed = (rows - self._rows) / max(seconds, 1e-9)
        text = f"{done:4.0%}  {rows:,} rows  {speed:,.0f} rows/s"
        if self._first is not None and self._first < done < 1:
            left = round(seconds * (1 - done) / (done - self._first))
            text += f"  {left // 60}:{left % 60:02} left"
        return text
