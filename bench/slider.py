"""Measures in a real browser how long a slider's move takes until the new number and the mark on the curve are seen.

Run it as `python -m bench.slider --models FOLDER`, or with `--dashboard URL` for one that runs already.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.page import FLAGS, HERE, find_browser, free_port, percentile, started

FEATURES = {"diabetes": "bmi", "breast-cancer": "worst area", "wine": "alcohol", "loans": "interest_rate"}
"""Model → the feature of its slider."""
KEYS = (("ArrowRight", "PageUp"), ("ArrowLeft", "PageDown"))
"""Up in the lower half of the range, down in the upper one: at an end a key moves nothing."""
SIDE = "slider => Number(2 * slider.value > Number(slider.min) + Number(slider.max))"
WARM_UPS = 5
WATCHED = {
    "number": "#what-if-result .hero-value",
    "mark": "#what-if-result .mark-wide circle",
    "said": "#what-if-result .sentence",
}


def main() -> None:
    """Measure each model and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="folder of published models, so as not to train them again")
    parser.add_argument("--dashboard", help="address of a dashboard that runs already")
    parser.add_argument("--moves", type=int, default=100, help="moves of each slider (%(default)s)")
    options = parser.parse_args()
    executable = find_browser()
    with ExitStack() as stack:
        dashboard = options.dashboard or stack.enter_context(serving(options.models))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        print("| slider move → …, ms | number p50 | number p95 | curve p50 | curve p95 | moves | lost |")
        print("|---|--:|--:|--:|--:|--:|--:|")
        for model, feature in FEATURES.items():
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            times = measure(page, f"{dashboard}/models/{model}", feature, options.moves)
            number, curve = ([move[name] for move in times if name in move] for name in ("number", "curve"))
            cells = [f"{percentile(figures, share):.0f}" for figures in (number, curve) for share in (50, 95)]
            print(f"| {model} | {' | '.join(cells)} | {len(number)} | {len(times) - len(number)} |")
            page.close()
        browser.close()


@contextmanager
def serving(models: Path | None) -> Iterator[str]:
    """Start both services for the time of a block; gives the dashboard's address."""
    with tempfile.TemporaryDirectory() as folder:
        api, dashboard = free_port(), free_port()
        command = ["servery", "run", "--models", str(models or f"{folder}/models")]
        command += ["--api-port", str(api), "--dashboard-port", str(dashboard)]
        url = f"http://127.0.0.1:{dashboard}"
        with started(command, Path(folder) / "servery.log", f"{url}/models/diabetes"):
            yield url


def measure(page: Page, url: str, feature: str, moves: int) -> list[dict[str, float]]:
    """Open a model's page with an answer, and move the slider of a feature with keys; gives the ms of each move."""
    page.add_init_script((HERE / "slider.js").read_text(encoding="utf-8"))
    page.goto(url)
    page.locator("#predict").click()
    panel = page.locator("#panel-what-if")
    panel.scroll_into_view_if_needed()
    page.locator("#what-if-form").evaluate("form => form.setAttribute('data-before', '')")
    page.locator("#what-if-feature").select_option(feature)
    page.locator("#what-if-form:not([data-before])").wait_for()
    slider = page.locator("#what-if-value")
    slider.focus()
    chance, times = random.Random(0), []
    for number in range(WARM_UPS + moves):
        page.wait_for_timeout(chance.uniform(60, 120))
        page.evaluate("what => bench.arm(what)", WATCHED)
        page.keyboard.press(chance.choice(KEYS[slider.evaluate(SIDE)]))
        seen = page.evaluate("bench.shown")
        if number >= WARM_UPS:
            times.append({name: seen[name] for name in ("number", "curve") if name in seen})
    return times


if __name__ == "__main__":
    main()
