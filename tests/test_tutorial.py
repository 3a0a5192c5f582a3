"""The tutorial works: its files are saved, its commands typed and its output compared, as a reader would do it.

The first words behind a fence say what becomes of a block. `sh` is typed into a shell (`exit=2`: it ends with that
code; `soon`: until it shows what is printed below it; `background`: it stays), `python` is run, `file=NAME` is saved,
and `text` is what the block before it shows, with … for anything.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import requests

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
FENCE = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_SECONDS, START_SECONDS, SOON_SECONDS, STOP_SECONDS = 60, 60, 20, 10
NOT_INHERITED = ("MODEL_API_", "DASHBOARD_", "PYTHONWARNINGS")


class TutorialIsWrong(AssertionError):
    """A block does not do what the text says."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    words: tuple[str, ...]
    """What stands behind the language."""
    text: str

    def option(self, name: str) -> str | None:
        """Give the value of NAME=VALUE among the words."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), None)


def blocks_of(text: str) -> list[Block]:
    return [Block(language, tuple(words.split()), body) for language, words, body in FENCE.findall(text)]


def shows(output: str, shown: str) -> bool:
    """Tell whether an output is what a text shows, where … stands for anything, lines too."""
    parts = [re.escape(part) for part in _tidy(shown).split("…")]
    return re.fullmatch(".*".join(parts), _tidy(output), re.DOTALL) is not None


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@dataclass
class Reader:
    """Somebody who does what the tutorial says, in a folder."""

    folder: Path
    environment: Mapping[str, str]
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def read(self, blocks: list[Block]) -> None:
        """Do all of it. Raises TutorialIsWrong, with the block and its output."""
        for place, block in enumerate(blocks):
            after = blocks[place + 1] if place + 1 < len(blocks) else None
            self._do(block, after.text if after and after.language == "text" else None)

    def _do(self, block: Block, shown: str | None) -> None:
        if name := block.option("file"):
            (self.folder / name).write_text(block.text, encoding="utf-8")
        elif block.language == "sh" and "background" in block.words:
            self._start(block, shown or "")
        elif block.language == "sh":
            self._run(block, ["bash", "-euo", "pipefail", "-c", block.text], shown)
        elif block.language == "python":
            self._run(block, ["python", "-c", block.text], shown)
        elif block.language != "text":
            raise TutorialIsWrong(f"nobody knows what to do with this block: {block}")

    def _run(self, block: Block, command: list[str], shown: str | None) -> None:
        deadline = time.monotonic() + (SOON_SECONDS if "soon" in block.words else 0)
        while True:
            done = subprocess.run(
                command, check=False, cwd=self.folder, env=self.environment, text=True, timeout=COMMAND_SECONDS,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            if done.returncode != int(block.option("exit") or 0):
                raise TutorialIsWrong(f"this ended with {done.returncode}:\n{block.text}\n{done.stdout}")
            if shown is None or shows(done.stdout, shown):
                return
            if time.monotonic() > deadline:
                raise TutorialIsWrong(f"{block.text}\nshows\n\n{done.stdout}\nand not, as is written,\n\n{shown}")
            time.sleep(0.3)

    def _start(self, block: Block, shown: str) -> None:
        """Start what stays, and wait until it has said every line that is shown."""
        log = self.folder.parent / f"{self.folder.name}.log"
        with log.open("w", encoding="utf-8") as output:
            command = ["bash", "-c", f"exec {block.text}"]
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, text=True, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.started.append(process)
        deadline = time.monotonic() + START_SECONDS
        while not all(line in log.read_text(encoding="utf-8") for line in _tidy(shown).splitlines()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise TutorialIsWrong(f"{block.text}\nwrites\n\n{log.read_text(encoding='utf-8')}\nand not\n\n{shown}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End what was started as Ctrl-C does; kill what does not end, it and those below it alone."""
        for process in self.started:
            with contextlib.suppress(psutil.NoSuchProcess):
                below = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGINT)
                psutil.wait_procs([psutil.Process(process.pid)], timeout=STOP_SECONDS)
                for child in [*below, psutil.Process(process.pid)]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            process.wait()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader in an empty folder, whose `python` and `servery` are those of this environment."""
    folder = tmp_path / "tutorial"
    folder.mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")])
    someone = Reader(folder, {**inherited, "PATH": path, "PYTHONUNBUFFERED": "1"})
    try:
        yield someone
    finally:
        someone.stop()


def test_the_tutorial_does_what_it_says_from_the_csv_to_the_dashboard(
    reader: Reader, unused_ports: tuple[int, int]
) -> None:
    api, dashboard = unused_ports
    text = TUTORIAL.read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{api}").replace("127.0.0.1:5000", f"127.0.0.1:{dashboard}")
    text = text.replace("\nservery run\n", f"\nservery run --api-port {api} --dashboard-port {dashboard}\n")

    reader.read(blocks_of(text))

    page, permalink = re.findall(rf"http://127\.0\.0\.1:{dashboard}/\S+", text)
    asked, answered = requests.get(page, timeout=10), requests.get(permalink, timeout=10)
    assert (asked.status_code, answered.status_code) == (200, 200)
    for word in ("Delivery time", "Distance", "km", "Old town", "Cargo bike"):
        assert word in asked.text
    assert "Predicted minutes" in answered.text
    assert re.search(r"\b17\.4\d*\b", answered.text), "the page does not show the prediction of the tutorial"


def test_every_block_of_the_tutorial_is_saved_run_or_compared() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")

    assert 2 * len(blocks_of(text)) == len(re.findall(r"^ *(```|~~~)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```sh\necho no\n```\n\n```text\nyes\n```", "and not, as is written"),
        ("```sh\nfalse\n```", "this ended with 1"),
        ("```sh exit=2\ntrue\n```", "this ended with 0"),
        ("```python\nprint(1 / 0)\n```", "ZeroDivisionError"),
        ("```sh background\necho no\n```\n\n```text\nyes\n```", "and not"),
        ("```ruby\nputs 1\n```", "nobody knows"),
    ],
)
def test_a_tutorial_that_is_wrong_is_found_out(reader: Reader, text: str, complaint: str) -> None:
    with pytest.raises(TutorialIsWrong, match=complaint):
        reader.read(blocks_of(text))


@pytest.mark.parametrize(
    ("output", "shown", "same"),
    [
        ("a 1.25 b\n", "a 1.… b", True),
        ("a\nb\nc\n", "a\n…\nc", True),
        ("a\nb\n", "a", False),
        ("a 2.25 b", "a 1.… b", False),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(output: str, shown: str, same: bool) -> None:
    assert shows(output, shown) is same


def test_what_a_reader_started_ends_also_when_the_tutorial_is_wrong(reader: Reader) -> None:
    text = "```sh background\nsleep 60\n```\n\n```sh\nfalse\n```"
    with pytest.raises(TutorialIsWrong):
        reader.read(blocks_of(text))

    reader.stop()

    assert reader.started[0].poll() is not None
