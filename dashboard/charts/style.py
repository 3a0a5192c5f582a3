"""One place for the look of charts: colours of both themes, type, safe text, and a light pair of axes."""

import math
import unicodedata
from dataclasses import dataclass
from textwrap import wrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Transform

DPI = 96
"""CSS pixels an inch: a figure of w × h inches is 96 w × 96 h pixels on the page."""
MAX_LABEL = 80
SMALL, NORMAL = 9, 10
"""Type sizes in points (12 and 13 CSS pixels)."""
ROUND = [1, 2, 2.5, 5, 10]
"""Steps between ticks, times a power of ten."""
CHARACTER, GAP, EDGE = 6.6, 24, 4
"""Width of a small character, room between labels and room beside the outermost, in CSS pixels."""
WIDE, WIDER = frozenset("MWmw@%"), 1.6
"""Characters that are wider than others, and how many times."""


@dataclass(frozen=True)
class Palette:
    """Colours of one theme; the same as the tokens in static/styles/tokens.css."""

    ink: str
    quiet: str
    hairline: str
    fill: str
    accent: str
    paper: str
    ramp: tuple[str, str]
    """Lightest and darkest colour of a sequence."""


PALETTES = {
    "light": Palette("#1b2623", "#56635f", "#d9e0dd", "#c3d3ce", "#0b6b5b", "#ffffff", ("#eef4f2", "#0b6b5b")),
    "dark": Palette("#e6edea", "#a3b3ad", "#2e3a36", "#3d544d", "#5cc9b0", "#17201d", ("#1f2b27", "#2c8f7b")),
}


def configure() -> None:
    """Set matplotlib's global settings, once, before any figure is made."""
    mpl.rcParams.update(
        {
            "figure.dpi": DPI,
            "font.family": ["DejaVu Sans"],
            "font.size": NORMAL,
            "svg.fonttype": "none",  # text stays text: small, selectable, in the reader's own font
            "svg.hashsalt": "servery",  # the same numbers give the same bytes
            "text.parse_math": False,  # a feature may be called "$x$"
            "axes.unicode_minus": True,
            "pdf.fonttype": 42,
        }
    )


def clean(text: object) -> str:
    """Make text safe to draw: no control characters, no halves of characters, not too long."""
    shown = (c for c in str(text) if unicodedata.category(c) != "Cf")  # joiners and direction marks
    kept = "".join("�" if unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co") else c for c in shown)
    return kept if len(kept) <= MAX_LABEL else kept[: MAX_LABEL - 1] + "…"


def fit(text: str, room: float) -> str:
    """Shorten small text to `room` CSS pixels."""
    most = max(1, int(room / CHARACTER))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def clean_finding(text: str) -> str:
    """Make a sentence safe to draw, however long."""
    return "".join(clean(text[start : start + MAX_LABEL - 20]) for start in range(0, len(text), MAX_LABEL - 20))


def label_lines(label: str, room: float, *, most: int = 2, character: float = CHARACTER) -> list[str]:
    """Break a label into at most so many lines of small text, `room` CSS pixels wide; `character`: width of one."""
    text = clean_finding(label)
    wide = sum(letter in WIDE for letter in text) / max(1, len(text))
    length = max(8, int(room / (character * (1 + (WIDER - 1) * wide))))
    lines = wrap(text, length) or [""]
    return lines if len(lines) <= most else [*lines[: most - 1], fit(" ".join(lines[most - 1 :]), length * CHARACTER)]


def text_on(color: str | tuple[float, float, float, float]) -> str:
    """Choose black or white, whichever stands out more on a colour: never less than 4.5 to 1."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color))
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else "#000000"


def new_figure(size: tuple[int, int]) -> Figure:
    """Make an empty figure of `size` CSS pixels, transparent."""
    return Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor="none", edgecolor="none")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Choose a few round values between `low` and `high`."""
    values = MaxNLocator(most, steps=ROUND).tick_values(low, high)
    slack = (high - low) * 1e-9
    return [float(value) for value in values if low - slack <= value <= high + slack]


def tick_label(value: float, step: float) -> str:
    """Write a tick with as many decimals as the step between ticks needs."""
    decimals = max(0, -math.floor(math.log10(step))) if step > 0 else 0
    if step > 0 and round(step * 10**decimals, 6) != int(round(step * 10**decimals, 6)):
        decimals += 1
    return f"{value:,.{min(decimals, 10)}f}".replace("-", "−")


class Strip:
    """A number line at the foot of a figure with room to draw above it.

    matplotlib's own axes take 20 ms of the 25 that a small chart costs; a line, four labels and a transform are all
    that a chart on the page of a prediction needs, so it is drawn in 6.
    """

    def __init__(self, figure: Figure, box: tuple[float, float, float, float], low: float, high: float) -> None:
        self.figure = figure
        self.box = box
        self._low, self._high = low, high
        left, bottom, width, height = box
        scale = Affine2D().translate(-low, 0).scale(width / (high - low), height)
        self.transform: Transform = scale.translate(left, bottom) + figure.transSubfigure
        """From (value, share of the height) to the figure."""

    def place(self, value: float) -> float:
        """Give the place of a value, as a share of the figure's width."""
        left, _, width, _ = self.box
        return left + width * (value - self._low) / (self._high - self._low)

    def line(self, palette: Palette, *, percent: bool = False) -> None:
        """Draw the line with as many labels as have room."""
        left, bottom, width, _ = self.box
        axis = Line2D([left, left + width], [bottom, bottom], color=palette.quiet, linewidth=0.8)
        self.figure.add_artist(axis)
        for value, text in self._labels(width * self.figure.bbox.width, percent=percent):
            self.figure.text(
                self._inside(value, text), bottom - 0.03, text, color=palette.quiet, size=SMALL, ha="center", va="top"
            )

    def _inside(self, value: float, text: str) -> float:
        """Give the place of a label's middle: below its value, but no part of it outside the figure."""
        half = (len(text) * CHARACTER / 2 + EDGE) / self.figure.bbox.width
        return min(max(self.place(value), half), 1 - half)

    def _labels(self, room: float, *, percent: bool) -> list[tuple[float, str]]:
        """Choose the labels: the more, the better, while they leave each other room (in pixels)."""
        labels: list[tuple[float, str]] = []
        for most in (8, 6, 5, 4, 3, 2):
            values = ticks(self._low, self._high, most)
            step = values[1] - values[0] if len(values) > 1 else 1
            labels = [(v, f"{v * 100:.0f} %" if percent else tick_label(v, step)) for v in values]
            if sum(len(text) * CHARACTER + GAP for _, text in labels) < room:
                break
        return labels


def place_axes(figure: Figure, *, left: float, bottom: float, right: float = 12, top: float = 14) -> Axes:
    """Add axes with margins in CSS pixels, so that labels fit whatever the figure's size."""
    width, height = figure.get_size_inches() * DPI
    left = min(left, width / 2)
    return figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def calm_axes(axes: Axes, palette: Palette) -> None:
    """Give ordinary axes the page's look: no box, few ticks, quiet colours."""
    axes.set_facecolor("none")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.hairline)
    axes.tick_params(colors=palette.quiet, length=0, labelsize=SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    axes.xaxis.label.set_color(palette.ink)
    axes.yaxis.label.set_color(palette.ink)
