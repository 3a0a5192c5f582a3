"""The table of what real clients got, written when every call was made."""

from dataclasses import dataclass
from pathlib import Path

HEAD = """# Conformance

What real clients got from a running service, call by call, compared with scikit-learn's own answers on {rows} rows of
a numeric and a mixed model. Where it says "refused", that is what should happen. Written by `make conformance`; the
calls are in `tests/conformance/`.

| client | version | call | ok |
|---|---|---|---|
"""


@dataclass
class Line:
    """One call of one client."""

    client: str
    call: str
    version: str = ""
    ok: str = "**no**"

    def __str__(self) -> str:
        """Write it in Markdown."""
        return f"| {self.client} | {self.version} | {self.call} | {self.ok} |\n"


class Table:
    """All calls, in the order in which they are made."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._lines: list[Line] = []
        self._expected = 0

    def line(self, client: str, call: str, expected: int) -> Line:
        """Add a call, one of that many; it counts as failed until its line says otherwise."""
        self._expected = expected
        self._lines.append(Line(client, call))
        return self._lines[-1]

    def write(self, path: Path) -> None:
        """Write the table, if it is whole."""
        if len(self._lines) == self._expected:
            path.write_text(HEAD.format(rows=self._rows) + "".join(map(str, self._lines)))
