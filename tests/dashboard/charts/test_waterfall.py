"""From the usual number to this one."""

import io

from matplotlib.figure import Figure

from dashboard.charts.style import PALETTES, new_figure
from dashboard.charts.waterfall import Bar, End, Way, waterfall

LONG = "A feature whose label is forty characters"
ENDS = (End("usual", 10.0, "10 points"), End("this case", 12.0, "12 points"))


def drawn(labels: list[str], size: str) -> Figure:
    chart = waterfall("x", Way(*ENDS, [Bar(label, 1.0, "+1.00 percentage points"[:14]) for label in labels]), ())
    figure = new_figure(chart.sizes[size])
    chart.draw(figure, PALETTES["light"])
    figure.savefig(io.BytesIO(), format="png")
    return figure


def test_no_text_leaves_the_figure_or_meets_another() -> None:
    for size in ("wide", "narrow"):
        figure = drawn([f"{LONG} {i}: 12,345.6 units" for i in range(10)], size)
        boxes = [text.get_window_extent() for text in figure.texts]
        for box in boxes:
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= figure.bbox.width
            assert box.y1 <= figure.bbox.height
        for place, box in enumerate(boxes):
            for other in boxes[place + 1 :]:
                across = min(box.x1, other.x1) - max(box.x0, other.x0)
                down = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert not (across > 1 and down > 2), (size, place)


def test_no_difference_at_all_can_be_drawn() -> None:
    chart = waterfall("x", Way(*ENDS, [Bar("a", 0.0, "0")]), (("a", "1", 0.0, 0.0),))
    chart.draw(new_figure(chart.sizes["wide"]), PALETTES["dark"])

    assert chart.rows == (("a", "1", 0.0, 0.0),)
