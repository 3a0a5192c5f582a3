"""`servery score` as a person uses it: any form in, any form out, bad rows told, interruptions survived."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import uvicorn

import servery
from model_api.app import create_app
from model_api.bulk import csv_records
from model_api.scoring import run
from model_api.settings import Settings
from tests.model_api.bulk.tables import FILE, PARQUET, as_csv, file, parquet, read_back, stream

FLAT = {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": 4.5}
Say = Callable[..., tuple[int, str, str]]
KINDS = {"csv": "text/csv", "parquet": PARQUET, "arrow": FILE, "feather": FILE}


@pytest.fixture
def say(
    published_small_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Say:
    """Say `servery score` in an empty folder; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = servery.main(["score", *words, "--model", "rent", "--models", str(published_small_models)])
        return code, *capsys.readouterr()

    return call


def flats(count: int, bad: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """Give so many flats, all different."""
    rows = [FLAT | {"area": 20.0 + number % 1000 / 10, "rooms": 1 + number % 5} for number in range(count)]
    for row in bad:
        rows[row] = rows[row] | {"rooms": -(2**60)}
    return rows


def written(rows: list[dict[str, Any]], name: str) -> Path:
    path = Path(name)
    table = pa.Table.from_pylist(rows)
    contents: dict[str, Callable[[], bytes]] = {
        ".csv": lambda: as_csv(rows),
        ".jsonl": lambda: b"".join(json.dumps(row).encode() + b"\n" for row in rows),
        ".parquet": lambda: parquet(table, row_group_size=700),
        ".arrow": lambda: stream(table),
        ".feather": lambda: file(table, compression="lz4"),
    }
    path.write_bytes(contents[path.suffix]())
    return path


def told_in(path: str) -> list[dict[str, Any]]:
    """Give the lines of a file of errors."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def read(path: str) -> list[dict[str, Any]]:
    content = Path(path).read_bytes()
    if path.endswith(".jsonl"):
        return [json.loads(line) for line in content.splitlines()]
    return read_back(KINDS[path.rpartition(".")[2]], content)


@pytest.mark.parametrize("source", ["in.csv", "in.jsonl", "in.parquet", "in.arrow", "in.feather"])
def test_every_form_is_read_and_gives_the_same(say: Say, source: str) -> None:
    written(flats(2000), "reference.csv")
    written(flats(2000), source)
    say("reference.csv", "expected.csv")

    code, out, err = say(source, "out.csv")

    assert code == 0, err
    assert "2,000 rows are scored in out.csv" in out
    assert read("out.csv") == read("expected.csv")
    assert sorted(path.name for path in Path().glob("out*")) == ["out.csv"]


@pytest.mark.parametrize("out", ["out.csv", "out.jsonl", "out.parquet", "out.arrow", "out.feather"])
def test_every_form_is_written_with_bad_rows_empty_and_told(say: Say, out: str) -> None:
    written(flats(300, bad=(7, 299)), "in.jsonl")

    code, said, _ = say("in.jsonl", out, "--chunk-rows", "64")
    rows = read(out)
    told = told_in(f"{out}.errors.jsonl")

    assert code == 1
    assert "2 of them have no prediction" in said
    assert [number for number, row in enumerate(rows) if row["prediction"] is None] == [7, 299]
    assert len(rows) == 300
    assert [line["row"] for line in told] == [7, 299]
    assert [error["feature"] for error in told[1]["errors"]] == ["rooms"]
    assert told[1]["errors"][0]["row"] == 299


def test_rows_that_are_no_records_are_bad_rows(say: Say) -> None:
    lines = as_csv(flats(4)).splitlines(keepends=True)
    Path("in.csv").write_bytes(b"".join([*lines[:2], b"1,2\r\n", *lines[2:]]))
    Path("in.jsonl").write_text(f'{json.dumps(FLAT)}\n{{"area": \n\n7\n{json.dumps(FLAT)}\n')

    assert say("in.csv", "csv.csv")[0] == 1
    assert say("in.jsonl", "jsonl.csv")[0] == 1

    (told,) = told_in("csv.csv.errors.jsonl")
    assert told["errors"][0]["message"] == "row 1 (line 3) has 2 fields, and the header 5"
    messages = [
        json.loads(line)["errors"][0]["message"] for line in Path("jsonl.csv.errors.jsonl").read_text().splitlines()
    ]
    assert messages[0].startswith("line 2 cannot be read: it is not JSON")
    assert messages[1] == "line 4 must be an object of features, not 7"
    assert [row["prediction"] is None for row in read("jsonl.csv")] == [False, True, True, False]


def test_the_errors_may_go_elsewhere(say: Say) -> None:
    written(flats(5, bad=(2,)), "in.csv")

    assert say("in.csv", "out.csv", "--errors", "bad.jsonl")[0] == 1
    assert Path("bad.jsonl").is_file()
    assert not Path("out.csv.errors.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("absent.csv", "out.csv"), "absent.csv"),
        (("in.xlsx", "out.csv"), "must end in"),
        (("in.csv", "out.txt"), "must end in"),
        (("in.csv", "in.csv"), "must be three files"),
        (("in.csv", "exists.csv"), "exists.csv exists; overwrite it with --force"),
        (("in.csv", "out.csv", "--version", "9"), "rent has no version '9'; there is champion, 1"),
        (("empty.csv", "out.csv"), "the body is empty"),
        (("header.csv", "out.csv"), "no rows"),
        (("columns.csv", "out.csv"), "Area is not a feature of this model; did you mean area?"),
        (("quote.csv", "out.csv"), "the quote that opens in line 3 is never closed"),
        (("broken.parquet", "out.csv"), "cannot be read as Parquet"),
        (("in.csv", "out.csv", "--url", "file:///etc"), "is not an address of a service"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(say: Say, words: tuple[str, ...], told: str) -> None:
    content = written(flats(3), "in.csv").read_bytes()
    Path("in.xlsx").touch()
    Path("exists.csv").touch()
    Path("empty.csv").touch()
    Path("header.csv").write_bytes(content.splitlines(keepends=True)[0])
    Path("columns.csv").write_text("Area\n1\n")
    Path("quote.csv").write_bytes(content.replace(b"20.1", b'"20.1'))
    Path("broken.parquet").write_bytes(b"PAR1")

    code, _, err = say(*words)

    assert code == 2
    assert told in err
    assert err.count("\n") == 1
    assert not Path("out.csv").exists()
    assert not Path("out.csv.progress").exists()


def test_a_file_that_exists_is_overwritten_when_that_is_wanted(say: Say) -> None:
    written(flats(3), "in.csv")
    Path("out.csv").touch()

    assert say("in.csv", "out.csv", "--force")[0] == 0
    assert len(read("out.csv")) == 3


COMMAND = """
import os, signal, sys
import servery
from model_api.bulk import csv_records
from model_api.scoring import outputs

csv_records.BLOCK = 1000
writes, write, most = 0, outputs.Output.write, int(sys.argv.pop(1))

def die_sometime(self, batch):
    global writes
    writes += 1
    write(self, batch)
    if writes > most:
        self.file._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

outputs.Output.write = die_sometime
sys.exit(servery.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("in.csv", "out.csv"),
        ("in.jsonl", "out.jsonl"),
        ("in.parquet", "out.parquet"),
        ("in.feather", "out.arrow"),
        ("in.arrow", "out.csv"),
    ],
)
def test_a_run_that_was_killed_goes_on_and_gives_the_same_bytes(
    say: Say, published_small_models: Path, source: str, out: str
) -> None:
    """The process is killed a few pieces after its last finished part, again and again."""
    written(flats(3000, bad=(5, 640, 1999, 2998)), source)
    words = [source, out, "--chunk-rows", "100"]
    say(source, f"whole-{out}", "--chunk-rows", "100")
    options = ["--model", "rent", "--models", str(published_small_models)]
    command = [sys.executable, "-c", COMMAND, "12", "score", *words, *options, "--resume"]

    ends: list[int] = []
    while not ends or ends[-1] == -signal.SIGKILL:
        ends.append(subprocess.run(command, capture_output=True, check=False, env=os.environ | AT_HOME).returncode)
        assert len(ends) < 10

    assert len(ends) > 2
    assert ends[-1] == 1
    assert Path(out).read_bytes() == Path(f"whole-{out}").read_bytes()
    assert Path(f"{out}.errors.jsonl").read_bytes() == Path(f"whole-{out}.errors.jsonl").read_bytes()
    assert not list(Path().glob("*.progress")) + list(Path().glob("*.unfinished"))


AT_HOME = {"PYTHONPATH": str(Path(servery.__file__).parent)}


def test_a_run_that_was_killed_at_any_time_goes_on(say: Say, published_small_models: Path) -> None:
    written(flats(60_000, bad=(77,)), "in.csv")
    say("in.csv", "whole.csv", "--chunk-rows", "500")
    words = ["score", "in.csv", "out.csv", "--chunk-rows", "500", "--model", "rent"]
    command = [sys.executable, "-m", "servery", *words, "--models", str(published_small_models)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | AT_HOME)
    while not Path("out.csv.progress").exists() or Path("out.csv.progress").read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.001)
    process.kill()
    process.wait()
    begun = Path("out.csv.progress").read_bytes()
    Path("out.csv.progress").write_bytes(begun + b'{"rows": 12')  # a line that was being written

    refused = say("in.csv", "out.csv", "--chunk-rows", "500")
    assert refused[0] == 2
    assert "was begun: go on with --resume" in refused[2]
    other = say("in.csv", "out.csv", "--chunk-rows", "400", "--resume")
    assert other[0] == 2
    assert "of another run, with another chunk_rows" in other[2]
    assert say("in.csv", "out.csv", "--chunk-rows", "500", "--resume")[0] == 1
    assert Path("out.csv").read_bytes() == Path("whole.csv").read_bytes()


def test_a_run_that_was_killed_while_it_put_its_output_in_place_goes_on(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(flats(50), "in.csv")
    say("in.csv", "whole.parquet")

    for late in ("replace", "unlink"):
        with monkeypatch.context() as patched:
            patched.setattr(Path, late, interrupted)
            assert say("in.csv", "out.parquet")[0] == 130
        assert say("in.csv", "out.parquet", "--resume")[0] == 0
        assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()
        Path("out.parquet").unlink()


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_unfinished_run_may_be_begun_anew(say: Say) -> None:
    written(flats(5), "in.csv")
    Path("out.csv.progress").write_text("{}\n")

    assert say("in.csv", "out.csv", "--resume")[0] == 2
    assert say("in.csv", "out.csv", "--force")[0] == 0


def test_pieces_do_not_depend_on_blocks(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    written(flats(500), "in.csv")
    say("in.csv", "one.csv")
    monkeypatch.setattr(csv_records, "BLOCK", 333)
    monkeypatch.setattr(run, "PIECE_ROWS", 64)
    say("in.csv", "other.csv")

    assert [row["prediction"] for row in read("one.csv")] == pytest.approx(
        [row["prediction"] for row in read("other.csv")]
    )


@pytest.fixture
def service(published_small_models: Path, unused_ports: tuple[int, int]) -> Iterator[str]:
    """The address of a service with the small models."""
    app = create_app(Settings(models=str(published_small_models)))
    server = uvicorn.Server(uvicorn.Config(app, port=unused_ports[0], log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{unused_ports[0]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("source", ["in.csv", "in.jsonl"])
def test_a_service_gives_the_same_as_a_model_that_is_loaded_here(say: Say, service: str, source: str) -> None:
    written(flats(3000, bad=(1500,)), source)
    if source == "in.csv":
        with Path(source).open("ab") as more:
            more.write(b"1,2\r\n")

    assert say(source, "here.csv")[0] == 1
    assert say(source, "there.csv", "--url", service)[0] == 1

    assert Path("here.csv").read_bytes() == Path("there.csv").read_bytes()
    here, there = (told_in(f"{name}.csv.errors.jsonl") for name in ("here", "there"))
    assert [line["row"] for line in here] == [line["row"] for line in there]
    assert [line["errors"][0]["message"] for line in here] == [line["errors"][0]["message"] for line in there]
