"""Where things are in a chart, in CSS pixels: for matplotlib, and for what a page draws over the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from dashboard.charts.scales import Tick
from dashboard.charts.style import CHARACTER, SMALL, Palette

EDGE, LINE = 8, 15
"""Margin, and height of a line of small text."""


@dataclass(frozen=True)
class Frame:
    """A picture with room for things placed by two numbers."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    """Margins."""
    across: tuple[float, float]
    """Numbers at the left and the right end."""
    up: tuple[float, float] = (0.0, 1.0)
    """Numbers at the bottom and at the top."""

    def x(self, number: float) -> float:
        """Give the pixels from the left, never beyond an end."""
        return self.left + (self.width - self.left - self.right) * _share(number, self.across)

    def y(self, number: float) -> float:
        """Give the pixels from the top, never beyond an end."""
        return self.height - self.bottom - (self.height - self.top - self.bottom) * _share(number, self.up)

    @property
    def floor(self) -> float:
        """Pixels from the top to the bottom of the room."""
        return self.height - self.bottom


class Pen:
    """Draws on a figure in CSS pixels from the top left: artists without axes, which cost most of a small chart."""

    def __init__(self, figure: Figure, palette: Palette) -> None:
        self.palette = palette
        self._figure = figure
        self._width, self._height = figure.bbox.width, figure.bbox.height

    def line(self, xs: Sequence[float], ys: Sequence[float], color: str, width: float = 1.0, **look: Any) -> None:
        """Draw a line through points."""
        places = [x / self._width for x in xs], [1 - y / self._height for y in ys]
        self._figure.add_artist(Line2D(*places, color=color, linewidth=width, **look))

    def dot(self, x: float, y: float, size: float = 9, *, hollow: bool = False, marker: str = "o") -> None:
        """Draw a mark of a size; a hollow one has a ground, so that it stands out on what is below."""
        palette = self.palette
        face = palette.paper if hollow else palette.accent
        edge = palette.accent if hollow else palette.paper
        self.line([x], [y], palette.accent, marker=marker, markersize=size * 0.75, markerfacecolor=face,
                  markeredgecolor=edge, markeredgewidth=1.6 if hollow else 1.0)  # fmt: skip

    def areas(self, boxes: Sequence[tuple[float, float, float, float]], color: str, seam: float = 0.0) -> None:
        """Fill boxes (left, top, right, bottom) as one shape; `seam` covers the hairlines between them."""
        if not boxes:
            return
        vertices, codes = [], []
        for left, top, right, bottom in boxes:
            corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
            vertices += [(x / self._width, 1 - y / self._height) for x, y in corners]
            codes += [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY]
        self._figure.add_artist(
            PathPatch(Path(vertices, codes), facecolor=color, edgecolor=color, linewidth=seam, joinstyle="miter")
        )

    def bar(self, left: float, right: float, top: float, height: float, *, filled: bool) -> None:
        """Draw a bar, filled or hollow: the two differ in more than colour. One of no length is a hairline."""
        start, end = sorted((left, right))
        face = self.palette.accent if filled else self.palette.paper
        place = start / self._width, 1 - (top + height) / self._height
        size = max(end - start, 1.5) / self._width, height / self._height
        self._figure.add_artist(Rectangle(place, *size, facecolor=face, edgecolor=self.palette.accent, linewidth=1.4))

    def text(self, x: float, y: float, text: str, **look: Any) -> None:
        """Write small text; `y` is its top unless `va` says otherwise."""
        chosen = {"size": SMALL, "color": self.palette.ink, "va": "top", **look}
        self._figure.text(x / self._width, 1 - y / self._height, text, **chosen)

    def labels_below(self, frame: Frame, labels: Sequence[Tick], y: float) -> None:
        """Write labels under their places, none of them outside the picture."""
        for number, text in labels:
            half = len(text) * CHARACTER / 2 + 2
            x = min(max(frame.x(number), half), frame.width - half)
            self.text(x, y, text, color=self.palette.quiet, ha="center")


def label_room(labels: Sequence[Tick]) -> float:
    """Give the pixels that labels on the left need."""
    return max((len(text) for _, text in labels), default=0) * CHARACTER + EDGE + 4


def _share(number: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return min(max((number - low) / (high - low), 0.0), 1.0)
