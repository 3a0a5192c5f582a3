"""The only module that speaks to the model service."""

import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import requests
from pydantic import ValidationError
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from dashboard.about import About
from dashboard.deadline import DeadlineAdapter, deadline, has_left, remaining
from dashboard.errors import (
    BadAnswer,
    InvalidInstance,
    InvalidQuery,
    NotOffered,
    TooSlow,
    Unavailable,
    UnknownModel,
)
from dashboard.explanations import Explanation
from dashboard.records import Catalogue, ModelVersion, Prediction, Problem, Record, ReferencePredictions, Value

R = TypeVar("R", bound=Record)
E = TypeVar("E", bound=Explanation)
CATALOGUE_SECONDS = 2.0
"""How long a catalogue is believed: a new champion shows after this time at the latest."""
ABOUT_SECONDS = 60.0
"""How long a datasheet is believed: it says how fast the version answers, which changes."""
CONNECT_SECONDS = 1.0
PAUSES, PAUSE_SECONDS = 2, 1.0
"""How often, and how long, it is waited before a busy service is asked for an explanation again."""
POOL = 32
MOST_EXPLANATIONS = 256
"""Answers about single cases that are kept."""
MOMENT_SECONDS = 20.0
"""How long an answer is kept that might be another one if it was asked for again: its page and charts agree."""


class Asked(NamedTuple):
    """A question about one instance."""

    call: str
    """One of the model service's explanations."""
    instance: Mapping[str, Value]
    options: Mapping[str, Any]


class ModelClient:
    """Asks the model service, with one deadline per call, and keeps what never changes."""

    def __init__(self, url: str, *, timeout: float, max_bytes: int) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"  # nothing that could inflate in memory
        self._session.trust_env = False  # a proxy in the environment must not get what people type
        # One more try when a kept connection turns out to be closed; only where asking twice does no harm.
        retry = Retry(total=1, status=0, redirect=0, other=0, allowed_methods={"GET"}, respect_retry_after_header=False)
        self._session.mount("http://", DeadlineAdapter(pool_maxsize=POOL, max_retries=retry))
        self._session.mount("https://", DeadlineAdapter(pool_maxsize=POOL, max_retries=retry))
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._catalogue_time = 0.0
        self._versions: dict[tuple[str, str], ModelVersion] = {}
        self._explanations: OrderedDict[str, tuple[float, Explanation]] = OrderedDict()
        """Until when each answer is kept, and the answer."""
        self._abouts: dict[ModelVersion, tuple[float, About]] = {}
        self._references: dict[tuple[str, str], Future[ReferencePredictions]] = {}

    def catalogue(self) -> Catalogue:
        """Give all models. Raises ModelServiceError."""
        if self._catalogue is None or time.monotonic() - self._catalogue_time > CATALOGUE_SECONDS:
            self._catalogue = self._get(Catalogue, "/models")
            self._catalogue_time = time.monotonic()
        return self._catalogue

    def champion(self, name: str) -> ModelVersion:
        """Give the version that answers for a model. Raises UnknownModel or ModelServiceError."""
        listing = self.catalogue().find(name)
        if listing and not listing.understood:
            raise BadAnswer(f"/models: what is said of {name} is not as expected")
        if listing is None or listing.champion is None:
            raise UnknownModel(name)
        return self.version(name, listing.champion.version)

    def version(self, name: str, version: str) -> ModelVersion:
        """Give one version; it is asked for once. Raises UnknownModel or ModelServiceError."""
        if known := self._versions.get((name, version)):
            return known
        found = self._get(ModelVersion, _path(name, version))
        # Kept under its number: `version` may be an alias, which moves.
        return self._versions.setdefault((found.name, found.version), found)

    def about(self, model: ModelVersion) -> About:
        """Give everything that is known of a version; it is believed for a minute. Raises ModelServiceError."""
        kept = self._abouts.get(model)
        if kept is not None and time.monotonic() - kept[0] <= ABOUT_SECONDS:
            return kept[1]
        path = _path(model.name, model.version)
        known = self._get(About, path)
        if not known.fits(model):
            raise BadAnswer(f"{path}: it is about another version")
        self._abouts[model] = time.monotonic(), known
        return known

    def last_known(self, name: str) -> ModelVersion | None:
        """Give the newest version of a model seen so far, asking nobody."""
        headline = self._catalogue.champion(name) if self._catalogue else None
        return self._versions.get((name, headline.version)) if headline else None

    def predict(
        self, model: ModelVersion, instance: Mapping[str, Value], request_id: str, coverage: float | None = None
    ) -> Prediction:
        """Predict for one instance, with a coverage of one's own. Raises InvalidInstance or ModelServiceError."""
        path = f"{_path(model.name, model.version)}/predict"
        options = {} if coverage is None else {"options": {"coverage": coverage}}
        answer = self._ask(Prediction, "POST", path, {"data": dict(instance), **options}, request_id)
        target = model.signature.target
        if not (target.fits(answer.prediction, answer.probabilities) and target.bounds(answer.interval)):
            raise BadAnswer(f"{path}: the prediction is not one that this model can make")
        if coverage is not None and answer.interval is not None and answer.interval.coverage != coverage:
            raise BadAnswer(f"{path}: the interval has not the coverage that was asked for")
        return answer

    def explain(self, record: type[E], model: ModelVersion, asked: Asked, request_id: str) -> E:
        """Ask about one instance; the last exact answers are kept. Raises DashboardError."""
        path = f"{_path(model.name, model.version)}/explanations/{asked.call}"
        body = {"data": dict(asked.instance), "options": dict(asked.options)}
        key = f"{model.provenance.digest} {asked.call} {json.dumps(body, sort_keys=True)}"
        with self._lock:
            until, known = self._explanations.get(key, (0.0, None))
            if known is not None:
                self._explanations.move_to_end(key)
        if isinstance(known, record) and time.monotonic() < until:  # a chart asks what its panel asked a moment before
            return known
        answer = self._ask_patiently(record, path, body, request_id)
        if not answer.fits(model):
            raise BadAnswer(f"{path}: the answer is not about this model")
        # A busy machine says less in its time than an idle one: asked again later, it may say more.
        lasting = record.lasting and answer.approximation is None
        until = math.inf if lasting else time.monotonic() + MOMENT_SECONDS
        with self._lock:
            self._explanations[key] = until, answer
            while len(self._explanations) > MOST_EXPLANATIONS:
                self._explanations.popitem(last=False)
        return answer

    def reference(self, model: ModelVersion, offset: int, limit: int) -> ReferencePredictions:
        """Give predictions for rows of the data that came with a model. Raises ModelServiceError."""
        path = f"{_path(model.name, model.version)}/predict?limit={limit}&offset={offset}"
        answer = self._get(ReferencePredictions, path)
        if len(answer.data) != max(0, min(limit, model.reference_rows - offset)) or not answer.fits(model.signature):
            raise BadAnswer(f"{path}: the rows are not ones of this model")
        return answer

    def all_reference(self, model: ModelVersion) -> ReferencePredictions:
        """Give predictions for all reference rows; they are asked for once. Raises ModelServiceError."""
        key = (model.name, model.version)
        with self._lock:  # the first visitors ask together: one question is enough, and one wait
            asked = self._references.get(key)
            future = asked or self._references.setdefault(key, Future())
        if asked is None:
            try:
                future.set_result(self.reference(model, 0, model.reference_rows))
            except BaseException as error:
                self._references.pop(key)
                future.set_exception(error)
                raise
        try:
            with deadline(self._timeout):
                return future.result(remaining())
        except TimeoutError as error:
            raise TooSlow(str(error)) from error

    def _ask_patiently(self, record: type[R], path: str, body: Mapping[str, Any], request_id: str) -> R:
        """Ask, and again after a pause while the service is busy: a page asks for its panels all at once."""
        with deadline(self._timeout):
            for _ in range(PAUSES):
                try:
                    return self._ask(record, "POST", path, body, request_id)
                except Unavailable as error:
                    if not error.soon or not has_left(2 * PAUSE_SECONDS):
                        raise
                time.sleep(PAUSE_SECONDS)
            return self._ask(record, "POST", path, body, request_id)

    def _get(self, record: type[R], path: str) -> R:
        return self._ask(record, "GET", path)

    def _ask(
        self,
        record: type[R],
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        request_id: str | None = None,
    ) -> R:
        headers = {"Accept": "application/json"} | ({"X-Request-ID": request_id} if request_id else {})
        status, data = self._exchange(method, path, body, headers)
        if status != 200:
            raise _refusal(status, data)
        try:
            return record.model_validate_json(data)
        except ValidationError as error:
            raise BadAnswer(f"{path}: {error.error_count()} fields are not as expected") from error

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """Send one request and read its answer within the deadline and the size limit."""
        try:
            with (
                deadline(self._timeout),
                self._session.request(
                    method,
                    self._url + path,
                    json=body,
                    headers=headers,
                    timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                return response.status_code, self._read(response)
        except (TimeoutError, requests.Timeout) as error:
            raise TooSlow(str(error)) from error
        except (requests.RequestException, HTTPError, OSError) as error:  # HTTPError: while the body is read
            if _caused_by_timeout(error):
                raise TooSlow(str(error)) from error
            raise Unavailable(str(error)) from error

    def _read(self, response: requests.Response) -> bytes:
        data = bytearray()
        while chunk := response.raw.read1(2**16, decode_content=False):
            data += chunk
            if len(data) > self._max_bytes:
                raise BadAnswer(f"the answer is longer than {self._max_bytes} bytes")
            remaining()
        return bytes(data)


def _path(name: str, version: str) -> str:
    return f"/models/{quote(name, safe='')}/versions/{quote(version, safe='')}"


def _refusal(status: int, data: bytes) -> Exception:
    """Understand an error answer."""
    if status == 404:
        return UnknownModel("the model service does not know it")
    if status in (429, 503):
        return Unavailable(f"the model service answered {status}", soon=True)
    if status == 504:
        return TooSlow("the model service passed its own deadline")
    if status not in (422, 501):
        return BadAnswer(f"the model service answered {status}")
    return _objection(status, data)


def _objection(status: int, data: bytes) -> Exception:
    """Understand an error answer that says what is wrong with the question."""
    try:
        problem = Problem.model_validate_json(data)
    except ValidationError:
        return BadAnswer(f"the model service answered {status} without saying why")
    if status == 501:
        return NotOffered(problem.detail)
    messages = {refusal.feature: refusal.message for refusal in problem.errors if refusal.feature}
    return InvalidInstance(messages) if messages else InvalidQuery(problem.detail)


def _caused_by_timeout(error: BaseException | None) -> bool:
    while error is not None:
        if any(isinstance(cause, TimeoutError) for cause in (error, *error.args)):  # urllib3 keeps it among these
            return True
        error = error.__cause__ or error.__context__
    return False
