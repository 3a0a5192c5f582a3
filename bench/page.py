"""Measures the dashboard in a real browser, beside bare Flask and htmx in the same run; writes page.md.

Run it as `make bench-page`, or `python bench/page.py --rounds 2 --predictions 30`. It never fails because of a figure.
"""

import argparse
import math
import os
import random
import re
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import requests
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from dashboard.formatting import percent, significant

HERE = Path(__file__).parent
FIND_BROWSER = HERE.parent / "tests" / "e2e" / "browser.py"
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
TYPICAL = "diabetes"
"""The model that both pages have."""
TYPED = {
    TYPICAL: ["bmi"],
    "breast-cancer": ["worst area"],
    "wine": ["flavanoids", "proline", "alcohol"],
    "loans": ["interest_rate", "amount", "yearly_income"],
}
"""Model → the features that are typed anew; a forest needs several for its answers to differ."""
VISITS = 5
WARM_UPS = 3
START_SECONDS = 900
"""The embedded models are trained first, which takes minutes on a busy machine."""
TARGETS = {"requests": 5, "kB": 30, "usable": 80, "number p50": 40, "chart p50": 60, "rss": 130}
ROWS = {
    "requests": "First visit: requests",
    "kB": "– kB on the wire",
    "usable": "– ms until the input is usable",
    "paint": "– ms until first contentful paint",
    "number p50": "Press → number, ms p50",
    "number p95": "– p95",
    "chart p50": "Press → chart, ms p50",
    "chart p95": "– p95",
    "rss": "Memory of the dashboard, MB RSS",
    "pss": "– PSS",
}
LOGGED = {
    "dashboard, the answer": rf"dashboard .*method=POST ms=([\d.]+) path=/models/{TYPICAL} ",
    "– of which model service": rf"model api .*ms=([\d.]+) path=/models/{TYPICAL}/versions/\S+/predict .*rows=1 ",
    "dashboard, the chart": rf"dashboard .*method=GET ms=([\d.]+) path=/models/{TYPICAL}/versions/\S+/charts/",
}
Case = tuple[dict[str, str], str]
"""What is typed, and what the page must show for it."""
http = requests.Session()
http.trust_env = False  # all servers are on this machine: no proxy


@dataclass
class Site:
    """A page: where it is, how to read it, and what was measured."""

    url: str
    input: str = TYPED[TYPICAL][0]
    """Name of the input that makes the page usable."""
    number: str = ".hero"
    """Selector of the number, with its unit."""
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figures: dict[str, float]) -> None:
        """Keep the figures of one visit or one prediction."""
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def get(self, name: str) -> float:
        """Give a figure's median, or what its name ends with: "number p95"."""
        kind, _, share = name.partition(" p")
        return percentile(self.figures.get(kind, []), int(share or 50))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="times that both pages are measured (%(default)s)")
    parser.add_argument("--predictions", type=int, default=30, help="predictions a round (%(default)s)")
    parser.add_argument("--models", type=Path, help="folder of published models, so as not to train them again")
    options = parser.parse_args()
    executable, load = find_browser(), os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = [free_port() for _ in range(3)]
        api, dashboard, floor_url = (f"http://127.0.0.1:{port}" for port in ports)
        ours, base, service = Site(f"{dashboard}/models/{TYPICAL}"), Site(f"{floor_url}/", number="#number"), Site(api)
        command = ["servery", "run", "--models", str(options.models or folder / "models")]
        command += ["--api-port", str(ports[0]), "--dashboard-port", str(ports[1])]
        process = stack.enter_context(started(command, folder / "servery.log", ours.url))
        command = ["uvicorn", "floor:app", "--app-dir", str(HERE), "--port", str(ports[2]), "--no-access-log"]
        floor_process = stack.enter_context(started(command, folder / "floor.log", base.url))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        measure_both(browser, api, ours, base, options)
        sites = {TYPICAL: ours}
        for name, throttle in [(name, 1) for name in TYPED if name != TYPICAL] + [(TYPICAL, 4)]:
            site = Site(f"{dashboard}/models/{name}", TYPED[name][0])
            predict_in_turn([(site, model_cases(api, name, options.predictions, 99))], browser, throttle)
            sites[f"{name}, CPU {throttle} × slower" if throttle > 1 else name] = site
        browser.close()
        note_memory(ours, process, "dashboard.main")
        note_memory(base, floor_process, "floor:app")
        note_memory(service, process, "model_api.main")
        log = (folder / "servery.log").read_text(encoding="utf-8")
    tables = [heading(browser.version, load, options), page_table(ours, base), model_table(sites), log_table(log)]
    memory = f"Memory of the model service: {service.get('rss'):.0f} MB RSS, {service.get('pss'):.0f} MB PSS."
    report = "\n\n".join("\n".join(lines) for lines in [*tables, [memory]])
    print(report)
    (HERE / "page.md").write_text(report + "\n", encoding="utf-8")


# The servers.


@contextmanager
def started(module: Sequence[str], log: Path, url: str) -> Iterator[int]:
    """Run a module with its arguments, from the time that its page answers; gives its process."""
    with log.open("w", encoding="utf-8") as lines:
        command = [sys.executable, "-m", *module]
        process = subprocess.Popen(command, stdout=lines, stderr=lines, start_new_session=True)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(url):
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit(f"{url} does not answer; the log of its server:\n{log.read_text(encoding='utf-8')}")
                time.sleep(0.2)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def answers(url: str) -> bool:
    """Tell whether a page can be had."""
    try:
        return http.get(url, timeout=10).ok
    except requests.RequestException:
        return False


def free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# What is typed, and the right answers.


def model_cases(api: str, name: str, count: int, seed: int) -> list[Case]:
    """Choose instances whose answers all differ, and let the model service tell these."""
    signature = http.get(f"{api}/models/{name}/versions/champion", timeout=10).json()["signature"]
    features = {feature["name"]: feature for feature in signature["features"]}
    ranges = {key: (features[key]["minimum"], features[key]["maximum"]) for key in TYPED[name]}
    chance = random.Random(seed)
    typed = [{key: f"{chance.uniform(*ends):.2f}" for key, ends in ranges.items()} for _ in range(1000)]
    typical = {key: feature["default"] for key, feature in features.items()}
    instances = [typical | {key: float(text) for key, text in row.items()} for row in typed]
    answer = http.post(f"{api}/models/{name}/predict", json={"data": instances}, timeout=30).json()
    shown = [shown_text(answer, i, signature["target"]["unit"]) for i in range(len(typed))]
    by_text = dict(zip(shown, typed, strict=True))
    return [(row, text) for text, row in by_text.items()][: WARM_UPS + count]


def shown_text(answer: dict[str, Any], row: int, unit: str | None) -> str:
    """Write an answer of the model service as the page must show it."""
    value = answer["prediction"][row]
    chances = answer.get("probabilities")
    text = f"{value} {percent(chances[row][str(value)])}" if chances else f"{significant(value)} {unit or ''}"
    return " ".join(text.split())


# The measurements.


def measure_both(browser: Browser, api: str, ours: Site, base: Site, options: argparse.Namespace) -> None:
    """Measure visits and predictions of both pages in turn."""
    for turn in range(options.rounds):
        for _ in range(VISITS):
            visit(browser, ours)
            visit(browser, base)
        cases = model_cases(api, TYPICAL, options.predictions, turn)
        same = [(typed, http.get(f"{base.url}number", params=typed, timeout=10).text) for typed, _ in cases]
        predict_in_turn([(ours, cases), (base, same)], browser)


@contextmanager
def opened(browser: Browser, site: Site) -> Iterator[tuple[Page, CDPSession, list[float]]]:
    """Open a page for the first time, without cache; gives the bytes on the wire for each request too."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        weights: list[float] = []
        cdp = context.new_cdp_session(page)
        cdp.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
        cdp.send("Network.enable")
        cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
        probe = (HERE / "probe.js").read_text(encoding="utf-8")
        page.add_init_script(f"{probe}; bench.open({site.input!r})")
        page.goto(site.url, wait_until="networkidle")
        yield page, cdp, weights


def visit(browser: Browser, site: Site) -> None:
    """Measure one first visit."""
    with opened(browser, site) as (page, _, weights):
        page.wait_for_function("bench.paint()")
        times = {"usable": page.evaluate("bench.opened")["usable"], "paint": page.evaluate("bench.paint()")}
        heavy = [weight for weight in weights if weight]  # a data: address weighs nothing
        site.note(times | {"requests": len(heavy), "kB": sum(heavy) / 1000})


def predict_in_turn(work: Sequence[tuple[Site, list[Case]]], browser: Browser, throttle: float = 1) -> None:
    """Measure predictions, one on each page in turn; the first few are to warm up."""
    with ExitStack() as stack:
        pages = []
        for site, _ in work:
            page, cdp, _ = stack.enter_context(opened(browser, site))
            cdp.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
            pages.append(page)
        for number, turn in enumerate(zip(*(cases for _, cases in work), strict=True)):
            for (site, _), page, case in zip(work, pages, turn, strict=True):
                times = predict(page, site, case)
                if len(times) < 2 or number >= WARM_UPS:
                    site.note(times if len(times) == 2 else {"lost": 1})


def predict(page: Page, site: Site, case: Case) -> dict[str, float]:
    """Type, press Predict, and give the ms until the right number and the new chart are seen."""
    typed, shown = case
    for name, text in typed.items():
        page.locator(f'[name="{name}"]').click(click_count=3)
        page.keyboard.type(text)
    time.sleep(0.2)
    page.evaluate("what => bench.arm(what)", {"number": site.number, "chart": "#chart", "want": shown})
    page.locator("#predict").click()
    return dict(page.evaluate("bench.shown"))


def note_memory(site: Site, parent: int, word: str) -> None:
    """Keep the memory of the process whose command holds a word: `parent` or one that it started."""
    family = [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]
    process = next(process for process in family if any(word in part for part in process.cmdline()))
    memory = process.memory_full_info()
    site.note({"rss": memory.rss / 1e6, "pss": getattr(memory, "pss", math.nan) / 1e6})


def find_browser() -> str:
    """Find the browser that the tests use."""
    if not FIND_BROWSER.exists():
        sys.exit("bench/page.py finds its browser with tests/e2e/browser.py, which is not there")
    return str(runpy.run_path(str(FIND_BROWSER))["find_browser"]())


# The report.


def percentile(values: Sequence[float], share: int) -> float:
    """Give the smallest value that `share` of 100 values do not exceed; not a number when there are none."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1] if values else math.nan


def heading(browser: str, load: float, options: argparse.Namespace) -> list[str]:
    """Say what was measured, when and with what."""
    names = ("servery", "flask", "uvicorn", "matplotlib", "scikit-learn", "playwright")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    machine = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f} before the start"
    work = f"{options.rounds * VISITS} first visits (medians) and {options.rounds * options.predictions} predictions"
    return [
        "# The page, measured\n",
        f"{machine}. Python {sys.version.split()[0]}, Chromium {browser}, {versions}.\n",
        f"Made by `bench/page.py`: {work} on each page, in turn.",
        "The floor is bare Flask and htmx with the model in the same process. Trust ratios more than figures.",
    ]


def page_table(ours: Site, base: Site) -> list[str]:
    """Set both pages and the targets side by side."""
    lines = ["| | Servery | target | floor | Servery ÷ floor |", "|---|--:|--:|--:|--:|"]
    for name, label in ROWS.items():
        a, b = ours.get(name), base.get(name)
        target = f"≤ {TARGETS[name]}" if name in TARGETS else ""
        lines.append(f"| {label} | {a:.0f} | {target} | {b:.0f} | {a / b:.2f} |")
    return lines


def model_table(sites: dict[str, Site]) -> list[str]:
    """Compare the models."""
    figures = ("number p50", "number p95", "chart p50", "chart p95")
    lines = [f"| press → …, ms | {' | '.join(figures)} | predictions | lost |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, site in sites.items():
        cells = [f"{site.get(figure):.0f}" for figure in figures]
        counts = [f"{len(site.figures.get(figure, []))}" for figure in ("number", "lost")]
        lines.append(f"| {' | '.join([name, *cells, *counts])} |")
    return lines


def log_table(log: str) -> list[str]:
    """Tell from the services' own log lines how long they took for the typical model."""
    lines = ["| ms by the services' own log lines | p50 | p95 |", "|---|--:|--:|"]
    for label, pattern in LOGGED.items():
        times = [float(ms) for ms in re.findall(pattern, log)]
        lines.append(f"| {label} | {percentile(times, 50):.1f} | {percentile(times, 95):.1f} |")
    return lines


if __name__ == "__main__":
    main()
