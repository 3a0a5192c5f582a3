"""Numbers → matplotlib figure → bytes. A chart knows its finding, its numbers and how to draw itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from dashboard.charts.style import Palette

Cell = str | float | int


@dataclass(frozen=True)
class Chart:
    """What a chart shows, in words, in numbers and as a drawing."""

    name: str
    """Which chart it is; part of its address and file name."""
    finding: str
    """The finding in one sentence: the title, and the text for who cannot see it."""
    header: tuple[str, ...]
    """Names of the columns of `rows`."""
    rows: tuple[tuple[Cell, ...], ...]
    """The numbers in the drawing."""
    sizes: Mapping[str, tuple[int, int]]
    """Width and height in CSS pixels, `wide` and `narrow`: type stays readable on a phone."""
    draw: Callable[[Figure, Palette], None]
    """Draws on an empty figure of one of the sizes."""
