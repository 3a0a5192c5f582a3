"""Who predicts: a version that is loaded here, or a service that is asked piece by piece."""

import io
import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from model_api.artifact import Artifact
from model_api.bulk.arrow import FAILURES, pa
from model_api.bulk.predicting import check, predict
from model_api.bulk.results import Results
from model_api.bulk.sources import Piece, require_columns
from model_api.errors import Problem
from model_api.folders import models_in, read_aliases, versions_of
from model_api.loading import LoadedModel, load_version
from model_api.runtimes.selection import load_predictor, proved_forms
from model_api.scoring.errors import CannotScore
from model_api.stores import open_store
from model_api.trust import Trust

STREAM = "application/vnd.apache.arrow.stream"
TRIES, SECONDS, LIMIT = 5, 60.0, 2**28
"""How often a service is asked that is busy or away, how long one answer may take, and its bytes."""


class Scorer(Protocol):
    """Predicts for pieces."""

    run: dict[str, Any]
    """Who it is: a run goes on only with the same."""

    def require(self, names: Sequence[str], hint: str) -> None:
        """See that the columns of a table are the features. Raises InvalidRequest."""
        ...

    def score(self, piece: Piece, start: int) -> tuple[Any, list[Problem]]:
        """Give a row of predictions for each row of a piece, empty for bad ones, and what is wrong with those."""
        ...


class LocalScorer:
    """A version that is loaded in this process."""

    def __init__(self, model: LoadedModel, coverage: float) -> None:
        self._model = model
        artifact = model.artifact
        calibrated = artifact.calibration, artifact.calibration_groups
        self._results = Results(artifact.signature.target, *calibrated, coverage, report=False)
        self.run = {"model": model.name, "version": model.version, "digest": artifact.manifest.digest}

    def require(self, names: Sequence[str], hint: str) -> None:
        """See that the columns of a table are the features."""
        require_columns(self._model.artifact.signature, names, hint=hint)

    def score(self, piece: Piece, start: int) -> tuple[Any, list[Problem]]:
        """Predict for a piece."""
        scored = predict(self._model, check(self._model.artifact.signature, piece, start), report=True)
        return self._results.batch(scored), scored.problems


def load_local(models: str, name: str, version: str, trust: Trust) -> LoadedModel:
    """Load a version of a folder or a bucket, by number or alias. Raises CannotScore or ArtifactError."""
    store = open_store(models)
    store.pull()
    known = {model.name: model for model in models_in(store.folder)}
    if name not in known:
        raise CannotScore(f"there is no model {name!r} in {models}; there is {', '.join(known) or 'none'}")
    aliases = read_aliases(known[name])
    number = aliases.get(version, version)
    versions = versions_of(known[name])
    if number not in versions:
        raise CannotScore(f"{name} has no version {version!r}; there is {', '.join([*aliases, *versions])}")
    return _steady(load_version(Path(known[name]) / number, trust), trust)


def _steady(model: LoadedModel, trust: Trust) -> LoadedModel:
    """Let one form answer, chosen by what was measured when the version was published: what is measured today may
    choose another for the rest of a run, whose last digits may differ.
    """
    forms, timings = proved_forms(model.artifact), model.artifact.manifest.timings
    if len(forms) < 2:
        return model
    fastest = min(forms, key=lambda form: timings.get(form, {}).get("thousand_rows_ms", math.inf))
    artifact = Artifact(model.artifact.folder)
    artifact.forms = {fastest: model.artifact.forms[fastest]}
    return LoadedModel(artifact, load_predictor(artifact, trust))


class RemoteScorer:
    """A service, asked for each piece; problems come as sentences."""

    def __init__(self, url: str, name: str, version: str, coverage: float) -> None:
        place = f"/models/{urllib.parse.quote(name, safe='')}"
        about = json.loads(_asked(f"{url.rstrip('/')}{place}"))
        number = about.get("aliases", {}).get(version, version)
        query = urllib.parse.urlencode({"on_error": "report", "coverage": coverage})
        self._url = f"{url.rstrip('/')}{place}/versions/{urllib.parse.quote(number, safe='')}/predict?{query}"
        self._coverage = coverage
        self.run = {"model": name, "version": number, "url": url}

    def require(self, names: Sequence[str], hint: str) -> None:
        """Leave it to the service."""

    def score(self, piece: Piece, start: int) -> tuple[Any, list[Problem]]:
        """Ask for a piece."""
        broken = {problem.row: problem.message for problem in piece.broken}
        answered = self._answer(piece) if len(broken) < piece.rows else None
        problems = []
        places = [row for row in range(piece.rows) if row not in broken]
        if answered is not None:
            told = answered.column("error").to_pylist()
            broken |= {places[row]: text for row, text in enumerate(told) if text}
        for row, text in sorted(broken.items()):
            problems.append(Problem(None, "refused", text, row=start + row))
        return self._spread(answered, places, piece.rows), problems

    def _answer(self, piece: Piece) -> Any:
        if piece.columns is None:
            options = {"on_error": "report", "coverage": self._coverage}
            body, kind = json.dumps({"data": list(piece.instances), "options": options}).encode(), "application/json"
        else:
            batch = pa.RecordBatch.from_arrays(list(piece.columns.values()), list(piece.columns))
            sink = io.BytesIO()
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            body, kind = sink.getvalue(), STREAM
        content = _asked(self._url, body, {"Content-Type": kind, "Accept": STREAM})
        try:
            return pa.ipc.open_stream(content).read_all().combine_chunks()
        except FAILURES as error:
            raise CannotScore("the service answered with something else than an Arrow stream") from error

    def _spread(self, answered: Any, places: list[int], rows: int) -> Any:
        """Put empty rows where broken ones were left out."""
        if answered is None:
            raise CannotScore(f"none of {rows} rows is a record; is this the right file?")
        table = answered.drop_columns(["error"])
        if len(places) < rows:
            taken: list[int | None] = [None] * rows
            for position, row in enumerate(places):
                taken[row] = position
            table = table.take(pa.array(taken, pa.int64()))
        return table.combine_chunks().to_batches()[0]


def _asked(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """Ask a service, again when it is busy or away. Raises CannotScore."""
    if not url.startswith(("http://", "https://")):
        raise CannotScore(f"{url} is not an address of a service; it begins with http:// or https://")
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310 -- only HTTP, see above
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 -- likewise
                content: bytes = answer.read(LIMIT + 1)
                return content
        except urllib.error.HTTPError as error:
            detail = _detail(error)
            if error.code not in (429, 503):
                raise CannotScore(f"the service refuses: {detail}") from error
            reason = detail
        except OSError as error:
            reason = str(error)
        time.sleep(0.5 * 2**attempt)
    raise CannotScore(f"the service does not answer: {reason}")


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(2**20))["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.code}"
