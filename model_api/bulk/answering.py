"""A body of many rows → the answer, piece by piece; between two pieces it may be told to stop."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from model_api import json_body, wire
from model_api.bulk.csv_records import CsvSource
from model_api.bulk.ipc import ArrowSource
from model_api.bulk.media import Form
from model_api.bulk.parquet import ParquetSource
from model_api.bulk.predicting import check, predict
from model_api.bulk.results import Results
from model_api.bulk.sources import PIECE_ROWS, Bounds, Instances, Limited, Source, require_columns
from model_api.bulk.writing import open_writer
from model_api.errors import InvalidInstances, InvalidRequest, Problem
from model_api.inference import Options
from model_api.loading import LoadedModel
from model_api.signature import Signature
from model_api.stages import Stopwatch

MOST_BAD = 100_000
"""Bad rows of a table that are reported: each is looked at singly, which takes its time from other requests."""


@dataclass(frozen=True)
class Asked:
    """A request of many rows."""

    body: bytes
    """What was sent."""
    sent: Form
    """What it is."""
    wanted: Form
    """What the answer is to be."""
    options: Options
    """What was asked for beside; JSON brings its own."""
    request_id: str
    """What the answer is called."""


@dataclass(frozen=True)
class Answered:
    """The answer to it."""

    content: bytes
    rows: int
    """Rows that were sent."""


def answer(
    model: LoadedModel,
    asked: Asked,
    bounds: Bounds,
    *,
    most_instances: int,
    go_on: Callable[[int], None],
    watch: Stopwatch,
) -> Answered:
    """Answer a request. `go_on` gets the rows so far after each piece, and may raise.

    Raises UnreadableBody, InvalidRequest, InvalidInstances, BodyTooLarge or UnusablePrediction.
    """
    signature = model.artifact.signature
    with watch.stage("parse"):
        source, options = _source(asked, signature, bounds, most_instances)
    report = options.report_errors
    calibrated = model.artifact.calibration, model.artifact.calibration_groups
    results = Results(signature.target, *calibrated, options.coverage, report=report)
    sink, rows = io.BytesIO(), 0
    who = {"model": model.name, "version": model.version, "request_id": asked.request_id}
    writer = open_writer(asked.wanted, sink, results, who)
    problems: list[Problem] = []
    bad = 0
    pieces = iter(Limited(source, bounds).pieces(PIECE_ROWS))
    while True:
        with watch.stage("parse"):
            piece = next(pieces, None)
            if piece is None:
                break
            checked = check(signature, piece, rows)
        rows += piece.rows
        if not report:
            problems += checked.problems
            if len(problems) >= wire.MAX_PROBLEMS:
                break  # an answer lists no more
        bad += checked.rows - len(checked.good)
        if bad > MOST_BAD:
            raise InvalidRequest(f"more than {MOST_BAD} rows are not valid; score a file like this with servery score")
        if not problems:
            with watch.stage("predict"):
                scored = predict(model, checked, report=report)
            with watch.stage("encode"):
                writer.write(results.batch(scored), scored)
        go_on(rows)
    if problems:
        raise InvalidInstances(problems, rows)
    writer.close()
    return Answered(sink.getvalue(), rows)


def _source(asked: Asked, signature: Signature, bounds: Bounds, most_instances: int) -> tuple[Source, Options]:
    """Open what was sent, and see that its columns are the features."""
    if asked.sent == "json":
        request = wire.read_request(json_body.parse(asked.body), most_instances)
        return Instances(request.instances), request.options
    source: CsvSource | ParquetSource | ArrowSource
    if asked.sent == "csv":
        source = CsvSource(io.BytesIO(asked.body), len(asked.body))
        require_columns(signature, source.names, hint=source.hint)
    else:
        source = (ParquetSource if asked.sent == "parquet" else ArrowSource)(asked.body, bounds)
        require_columns(signature, source.names)
    return source, asked.options
