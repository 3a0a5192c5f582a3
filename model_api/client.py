"""A client of the model service, `servery.Client`.

What it raises is seen from outside, so it is another tree than errors.py; `str(error)` is one sentence.

ServiceError             there is no usable answer
├── InvalidInput         the service refused what was sent; `errors` names every feature that is wrong
├── NotFound             there is no such model, version or alias
├── Unavailable          nobody listens, the connection broke, or the service cannot answer now but may soon
└── TimedOut             the deadline passed, here or there
"""

import json
import math
import random
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import requests

from model_api import __version__
from model_api.client_transport import Transport, deadline, remaining

T = TypeVar("T")
Level = str | bool | int | float
"""A class, as the model knows it."""
RETRIES = 2
BACKOFF_SECONDS = 0.1
"""Longest pause before the first retry; twice as long before the second."""
POLL_SECONDS = 0.1
MOST_SHOWN = 3
"""Features that the text of an error names; `errors` holds all of them."""
LONGEST_SECONDS = 999_999
"""The service reads no longer X-Request-Timeout."""
COLUMNS = ("prediction", "probabilities", "interval", "warnings")
"""What an answer to several instances tells of each."""
MISSING = ("nan", "NaN", "NaT", "<NA>")
"""How Python, NumPy and pandas write that there is no value."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one feature of one instance."""

    feature: str | None
    """Name of the feature; None when the whole row is at fault."""
    code: str
    """A stable word for programs, such as `not_a_number`."""
    message: str
    """One sentence for people."""
    expected: str | None = None
    """What would have been accepted."""
    value: str | None = None
    """What was sent, as text and clipped."""
    row: int = 0
    """Which instance, counted from 0."""


@dataclass(frozen=True, slots=True)
class InputWarning:
    """Something odd about an instance that is valid."""

    feature: str
    code: str
    """outside_training_range, unknown_category or missing."""
    message: str
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What the coverage leaves: `low` and `high` of a number, or `classes`."""

    coverage: float
    low: float | dict[str, float] | None = None
    high: float | dict[str, float] | None = None
    """Of several numbers, each by its name."""
    classes: tuple[Level, ...] = ()
    """Likeliest first."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row out."""

    value: Level | dict[str, float] | None
    """A number, several by name, or a class; None when the instance was refused and `errors` says why."""
    probabilities: dict[str, float] | None
    """Of each class, if the model tells it."""
    interval: Interval | None
    warnings: tuple[InputWarning, ...]
    model: str
    version: str
    """Who answered."""
    request_id: str
    errors: tuple[FieldError, ...] = ()
    """Only with `on_error="report"`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of the data that came with a model, and what it says of them."""

    predictions: list[Prediction]
    data: list[dict[str, Any]]
    """The instances, as `predict` takes them."""
    target: list[Any]
    """What was true of each."""
    offset: int
    total: int
    """How many rows there are in all."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is served under one name."""

    name: str
    title: str
    description: str
    champion: str | None
    """Version that answers; None when there is none yet."""
    aliases: dict[str, str]
    versions: tuple[str, ...]
    """Those that can be asked."""
    default: bool
    """Whether it answers when no model is named."""


class ServiceError(Exception):
    """There is no usable answer."""

    def __init__(
        self, message: str, *, status: int | None = None, problem: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status of the answer; None when there was none."""
        self.problem = problem
        """Which problem it is, such as `/problems/unknown-model`: the `type` of RFC 9457, if the service says one."""
        self.request_id = request_id
        """What to quote to the service's operator."""


class InvalidInput(ServiceError):
    """The service refused what was sent."""

    errors: tuple[FieldError, ...] = ()
    """What is wrong, feature by feature; of very many the first."""


class NotFound(ServiceError):
    """There is no such model, version or alias."""


class Unavailable(ServiceError):
    """Nobody listens, the connection broke, or the service cannot answer now but may soon."""

    retry_after: float | None = None
    """Seconds after which the service wants to be asked again."""


class TimedOut(ServiceError):
    """The deadline passed."""


KINDS: dict[int, type[ServiceError]] = {
    404: NotFound,
    413: InvalidInput,
    422: InvalidInput,
    429: Unavailable,
    503: Unavailable,
    504: TimedOut,
}


class Client:
    """Asks a model service.

        with servery.Client("http://127.0.0.1:8000", timeout=5) as client:
            client.predict({"age": 59, ...}, model="diabetes").value

    `timeout` is the deadline of a whole call: connecting, retries, pauses and the last byte of the answer. A call that
    meets a broken connection or a busy service is made again, at most twice: a prediction changes nothing. Redirects
    are not followed and proxies of the environment not used, so that nobody else gets what is sent. Threads may share
    a client; a forked process makes its own.
    """

    def __init__(
        self, url: str, *, timeout: float = 5.0, headers: Mapping[str, str] | None = None, max_answer_bytes: int = 2**25
    ) -> None:
        """`headers` go with every request, such as what a proxy before the service wants."""
        place = urlsplit(url)
        unusable = place.username or place.query or place.port == 0
        if place.scheme not in ("http", "https") or not place.hostname or unusable:
            raise ValueError(f"{url!r} is not the address of a service, such as http://127.0.0.1:8000")
        if not timeout > 0:
            raise ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}")
        self._url = url.rstrip("/")
        self._timeout = min(timeout, LONGEST_SECONDS)
        self._most_bytes = max_answer_bytes
        named = {"User-Agent": f"servery/{__version__}", "Accept": "application/json", **(headers or {})}
        self._transport = Transport(named, max_answer_bytes)
        weakref.finalize(self, self._transport.close)

    def models(self) -> list[Model]:
        """Give what is served. Raises ServiceError."""
        return self._ask("GET", "/models", _models)

    def predict(
        self,
        instance: Mapping[Any, Any],
        *,
        model: str | None = None,
        version: str | int | None = None,
        coverage: float | None = None,
        request_id: str | None = None,
    ) -> Prediction:
        """Predict for one instance, by the default model's champion unless told otherwise. Raises ServiceError."""
        body = _body(_row(instance), coverage=coverage)
        return self._ask("POST", f"{_path(model, version)}/predict", _prediction, body, request_id)

    def predict_many(
        self,
        instances: Iterable[Any],
        *,
        model: str | None = None,
        version: str | int | None = None,
        coverage: float | None = None,
        on_error: Literal["reject", "report"] = "reject",
        request_id: str | None = None,
    ) -> list[Prediction]:
        """Predict for each instance, in order and in one request. Raises ServiceError.

        `instances` are dictionaries, or the rows of a DataFrame; a missing value is None, NaN or pandas' NA. With
        `on_error="report"` a bad instance gets a prediction without value, whose `errors` say what is wrong; else it
        raises InvalidInput.
        """
        rows = _rows(instances)
        if not rows:
            return []
        body = _body(rows, coverage=coverage, on_error=None if on_error == "reject" else on_error)
        predictions = self._ask("POST", f"{_path(model, version)}/predict", _predictions, body, request_id)
        if len(predictions) != len(rows):
            raise ServiceError(f"{self._url}: {len(predictions)} predictions came for {len(rows)} instances")
        return predictions

    def explain(
        self,
        call: str,
        instance: Mapping[Any, Any],
        *,
        model: str,
        version: str | int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Ask about one instance: why, how sure, what would change it (docs/explanations.md). Raises ServiceError.

        `call`, such as `contributions`, and its `options` are those of the service; so is the answer.
        """
        path = f"{_path(model, version)}/explanations/{_quoted(call)}"
        return self._ask("POST", path, dict, _body(_row(instance), **options))

    def reference(
        self, model: str | None = None, limit: int = 20, offset: int = 0, *, version: str | int | None = None
    ) -> Reference:
        """Give rows of the data that came with a model, with their predictions. Raises ServiceError."""
        query = urlencode({"limit": limit, "offset": offset})
        return self._ask("GET", f"{_path(model, version)}/predict?{query}", _reference)

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Return when models are loaded; until then nobody needs to listen. Raises TimedOut or another ServiceError."""
        with deadline(seconds) as ends:
            while True:
                try:
                    with deadline(self._timeout):
                        self._try(self._request("GET", "/health/ready"))
                    return
                except (Unavailable, TimedOut) as error:
                    if ends - time.monotonic() < POLL_SECONDS:
                        raise TimedOut(f"{self._url} is not ready after {seconds:g} s: {error}") from error
                    time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Close the connections that are kept; the next call opens one anew."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections that are kept."""
        self.close()

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[dict[str, Any]], T],
        body: bytes | None = None,
        request_id: str | None = None,
    ) -> T:
        """Ask until there is an answer, within one deadline, and read it."""
        request = self._request(method, path, body, request_id)
        with deadline(self._timeout) as ends:
            answer = self._insist(request, ends)
        try:
            return read(json.loads(answer))
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise self._failure(ServiceError, "the answer is not as expected", request) from error

    def _request(
        self, method: str, path: str, body: bytes | None = None, request_id: str | None = None
    ) -> requests.PreparedRequest:
        headers = {"X-Request-ID": request_id or uuid.uuid4().hex}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._transport.prepare_request(requests.Request(method, self._url + path, headers, data=body))

    def _insist(self, request: requests.PreparedRequest, ends: float) -> bytes:
        for retry in range(RETRIES):
            try:
                return self._try(request)
            except Unavailable as error:
                wanted = error.retry_after or 0.0
                room = ends - time.monotonic() - wanted
                if room <= 0:
                    raise
                # Callers that were turned away together come back apart, each with time left for an answer.
                most = min(max(wanted, BACKOFF_SECONDS * 2**retry), room / 2)
                time.sleep(wanted + random.uniform(0, most))  # noqa: S311 -- no secret
        return self._try(request)

    def _try(self, request: requests.PreparedRequest) -> bytes:
        """Ask once."""
        try:
            request.headers["X-Request-Timeout"] = f"{max(0.001, remaining()):.3f}"
            response, body = self._transport.exchange(request)
        except TimeoutError as error:
            raise self._failure(TimedOut, "there was no answer in time", request) from error
        except ConnectionError as error:
            raise self._failure(Unavailable, str(error), request) from error
        if len(body) > self._most_bytes:
            raise self._failure(ServiceError, f"the answer is longer than {self._most_bytes} bytes", request)
        if response.status_code != 200:
            raise _refusal(response, body)
        return body

    def _failure(self, kind: type[ServiceError], what: str, request: requests.PreparedRequest) -> ServiceError:
        return kind(f"{self._url}: {what}", request_id=request.headers["X-Request-ID"])


# What is sent.


def _path(model: str | None, version: str | int | None) -> str:
    if model is None:
        if version is not None:
            raise ValueError("a version is one of a model: name the model too")
        return ""
    place = f"/models/{_quoted(model)}"
    return place if version is None else f"{place}/versions/{_quoted(str(version))}"


def _quoted(name: str) -> str:
    if name in (".", ".."):  # requests would take it out of the address, and another model would answer
        raise NotFound(f"there is no model, version or alias {name!r}")
    return quote(name, safe="")


def _rows(instances: Iterable[Any]) -> list[dict[str, Any]]:
    """Give instances as JSON can hold them."""
    if isinstance(instances, Mapping):
        raise TypeError("predict_many takes several instances; one by itself goes to predict")
    # Asked first: a DataFrame can be walked through too, and gives the names of its columns.
    rows = instances.to_dict("records") if hasattr(instances, "to_dict") else instances
    return [_row(row) for row in rows]


def _row(instance: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in dict(instance).items()}


def _plain(value: Any) -> Any:
    """Give a value as JSON knows it, or as text; whether it fits the feature is the service's to say."""
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if str(value) in MISSING:
        return None
    if isinstance(value, float | Decimal):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _plain(value.item()) if hasattr(value, "item") else value  # a scalar of NumPy's, else whatever JSON can hold


def _body(data: object, **options: object) -> bytes:
    """Write a request; options that are None are left to the service."""
    chosen = {name: value for name, value in options.items() if value is not None}
    body = {"data": data, "options": chosen} if chosen else {"data": data}
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


# What comes back. A newer service may say more than is known here; that is left out.


def _prediction(answer: Mapping[str, Any]) -> Prediction:
    value, known = answer["prediction"], {"probabilities": None, **answer}
    if isinstance(value, dict) and isinstance(value.get("errors"), list):
        return msgspec.convert({**known, "value": None, "errors": value["errors"]}, Prediction)
    return msgspec.convert({**known, "value": value}, Prediction)


def _predictions(answer: Mapping[str, Any]) -> list[Prediction]:
    columns = {name: answer[name] for name in COLUMNS if answer.get(name) is not None}
    rows = zip(*columns.values(), strict=True)
    return [_prediction({**answer, **dict(zip(columns, row, strict=True))}) for row in rows]


def _reference(answer: Mapping[str, Any]) -> Reference:
    return msgspec.convert({**answer, "predictions": _predictions(answer)}, Reference)


def _models(answer: Mapping[str, Any]) -> list[Model]:
    return [_model(listed, answer["default"]) for listed in answer["models"]]


def _model(listed: Mapping[str, Any], default: str | None) -> Model:
    champion = listed["champion"] or {"title": listed["name"], "description": "", "version": None}
    told = {
        "champion": champion["version"],
        "versions": [state["version"] for state in listed["versions"] if state["state"] == "ready"],
        "default": listed["name"] == default,
    }
    return msgspec.convert({**champion, **listed, **told}, Model)


class _Problem(msgspec.Struct):
    """A problem document (RFC 9457), or what is left of whatever something between here and the service sent."""

    detail: str = ""
    type: str | None = None
    request_id: str | None = None
    errors: tuple[FieldError, ...] = ()


def _refusal(response: requests.Response, body: bytes) -> ServiceError:
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (ValueError, RecursionError):
        problem = _Problem()
    message = problem.detail or f"the service answered {response.status_code}"
    if "Location" in response.headers:
        message += f" and points to {response.headers['Location'][:200]}; redirects are not followed"
    if problem.errors:
        message += ": " + "; ".join(error.message for error in problem.errors[:MOST_SHOWN])
    request_id = problem.request_id or response.request.headers["X-Request-ID"]
    kind = KINDS.get(response.status_code, ServiceError)
    refusal = kind(message, status=response.status_code, problem=problem.type, request_id=request_id)
    if isinstance(refusal, InvalidInput):
        refusal.errors = problem.errors
    if isinstance(refusal, Unavailable):
        given = response.headers.get("Retry-After", "")
        refusal.retry_after = float(given) if given.isascii() and given.isdigit() else None  # a date is as good as none
    return refusal
