"""Chart → bytes of one format, drawn once per content, in a few threads, within a time limit."""

import csv
import hashlib
import io
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, get_args

from matplotlib.backends.backend_svg import FigureCanvasSVG

from dashboard.charts import Cell, Chart
from dashboard.charts.style import DPI, PALETTES, configure, new_figure

Format = Literal["svg", "png", "pdf", "csv"]
Theme = Literal["light", "dark"]
Size = Literal["wide", "narrow"]
FORMATS: tuple[Format, ...] = get_args(Format)
THEMES: tuple[Theme, ...] = get_args(Theme)
SIZES: tuple[Size, ...] = get_args(Size)
MEDIA_TYPES: dict[Format, str] = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "csv": "text/csv",
}
CODE_VERSION = "2"
"""Part of every key: to be raised when charts look different from the same numbers."""
THREADS = 2
SECONDS = 5.0
KEPT = 256
PAGE_FONT = (b"'DejaVu Sans'", b"system-ui, 'DejaVu Sans', sans-serif")
"""What matplotlib writes for its own font, and the font of the page."""
DOWNLOAD_SCALE = 2
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Key:
    """What decides a chart's bytes, known before anything is drawn."""

    model: str
    """Digest of the model version."""
    chart: str
    """Name of the chart and what it was asked for."""
    format: Format
    theme: Theme = "light"
    size: Size = "wide"

    @property
    def etag(self) -> str:
        """A hash of the key."""
        text = f"{CODE_VERSION}\n{self.model}\n{self.chart}\n{self.format}\n{self.theme}\n{self.size}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Renderer:
    """Draws charts in its own threads; who asks for a chart that is being drawn waits for that one."""

    def __init__(self) -> None:
        configure()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="chart")
        self._lock = Lock()
        self._drawn: OrderedDict[str, Future[bytes]] = OrderedDict()

    def start(self, key: Key, chart: Chart) -> Future[bytes]:
        """Begin to draw, unless it was drawn before."""
        with self._lock:
            future = self._drawn.get(key.etag)
            if future is None or (future.done() and future.exception()):
                future = self._drawn[key.etag] = self._threads.submit(render, chart, key)
            self._drawn.move_to_end(key.etag)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
            return future

    def bytes_of(self, key: Key, chart: Chart) -> bytes:
        """Give the chart's bytes. Raises TimeoutError when drawing takes longer than `SECONDS`."""
        try:
            return self.start(key, chart).result(SECONDS)
        except FutureTimeoutError as error:
            raise TimeoutError(f"the chart {chart.name} took longer than {SECONDS} s") from error


def render(chart: Chart, key: Key) -> bytes:
    """Draw a chart; the same chart gives the same bytes. Downloads other than SVG are twice as fine."""
    form, palette = key.format, PALETTES[key.theme]
    if form == "csv":
        return to_csv(chart.header, chart.rows)
    figure = new_figure(chart.sizes[key.size])
    FigureCanvasSVG(figure)
    chart.draw(figure, palette)
    buffer = io.BytesIO()
    by_format: dict[str, dict[str, Any]] = {
        "svg": {"metadata": {"Date": None, "Creator": None, "Title": chart.finding}},
        "png": {"metadata": {"Software": None, "Title": chart.finding}, "dpi": DPI * DOWNLOAD_SCALE},
        "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None, "Title": chart.finding}},
    }
    # A picture that leaves the page needs a ground of its own: text in dark colours on nothing is not readable.
    ground = "none" if form == "svg" else palette.paper
    figure.savefig(buffer, format=form, facecolor=ground, **by_format[form])
    return buffer.getvalue().replace(*PAGE_FONT) if form == "svg" else buffer.getvalue()


def to_csv(header: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]) -> bytes:
    """Write a table as CSV (RFC 4180); a text that a spreadsheet would run is put behind an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_inert(name) for name in header])
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode(errors="replace")  # half of a character has no UTF-8


def _inert(cell: Cell) -> Cell:
    return "'" + cell if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell
