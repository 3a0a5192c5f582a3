"""A small client of the model service, `servery.Client`, that needs nothing but Python's own library.

What it raises is seen from outside, so it is another tree than errors.py; `str(error)` is one sentence.

ServiceError             there is no usable answer
├── InvalidInput         the service refused what was sent; `errors` names every feature that is wrong
├── NotFound             there is no such model, version or alias
├── Unavailable          nobody listens, the connection broke, or the service cannot answer now but may soon
└── TimedOut             the deadline passed, here or there
"""

import http.client
import json
import math
import random
import socket
import ssl
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from model_api import __version__

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Record = TypeVar("Record", bound=DataclassInstance)

T = TypeVar("T")
Level = str | int | float
"""A class, as the model knows it."""
RETRIES = 2
BACKOFF_SECONDS = 0.1
"""Longest pause before the first retry; twice as long before the second."""
POLL_SECONDS = 0.1
MOST_SHOWN = 3
"""Features that the text of an error names; `errors` holds all of them."""
MOST_KEPT = 32
"""Connections that are kept while nobody uses them."""
LONGEST_SECONDS = 999_999
"""The service reads no longer X-Request-Timeout."""


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


class Table(Protocol):
    """Something that gives itself as rows, such as a pandas DataFrame."""

    def to_dict(self, orient: Literal["records"], /) -> list[Any]:
        """Give a dictionary a row."""


Instance = Mapping[Any, Any]
"""Values by the names of the features."""


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
        self,
        url: str,
        *,
        timeout: float = 5.0,
        headers: Mapping[str, str] | None = None,
        max_answer_bytes: int = 32 * 2**20,
    ) -> None:
        """`headers` go with every request, such as what a proxy before the service wants."""
        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not place.hostname or place.username or place.query:
            raise ValueError(f"{url!r} is not the address of a service, such as http://127.0.0.1:8000")
        if not timeout > 0:
            raise ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}")
        self._url = url.rstrip("/")
        self._path = place.path.rstrip("/")
        self._timeout = timeout
        self._headers = {"User-Agent": f"servery/{__version__}", "Accept": "application/json", **(headers or {})}
        self._most_bytes = max_answer_bytes
        tls = _tls_context() if place.scheme == "https" else None
        self._connections = _Connections(place.hostname, place.port or (443 if tls else 80), tls)
        weakref.finalize(self, self._connections.close)

    def models(self) -> list[Model]:
        """Give what is served. Raises ServiceError."""
        return self._ask("GET", "/models", _models)

    def predict(
        self,
        instance: Instance,
        *,
        model: str | None = None,
        version: str | int | None = None,
        coverage: float | None = None,
        request_id: str | None = None,
    ) -> Prediction:
        """Predict for one instance, by the default model's champion unless told otherwise. Raises ServiceError."""
        body = _body(_row(instance), coverage=coverage)
        return self._ask("POST", f"{_path(model, version)}/predict", _single, body, request_id)

    def predict_many(
        self,
        instances: Iterable[Instance] | Table,
        *,
        model: str | None = None,
        version: str | int | None = None,
        coverage: float | None = None,
        on_error: Literal["reject", "report"] = "reject",
        request_id: str | None = None,
    ) -> list[Prediction]:
        """Predict for each instance, in order and in one request. Raises ServiceError.

        With `on_error="report"` a bad instance gets a prediction without value, whose `errors` say what is wrong; else
        it raises InvalidInput. A missing value is None, NaN or pandas' NA.
        """
        rows = _rows(instances)
        if not rows:
            return []
        body = _body(rows, coverage=coverage, on_error=None if on_error == "reject" else on_error)
        predictions = self._ask("POST", f"{_path(model, version)}/predict", _several, body, request_id)
        if len(predictions) != len(rows):
            raise ServiceError(f"{self._url}: {len(predictions)} predictions came for {len(rows)} instances")
        return predictions

    def reference(
        self, model: str | None = None, limit: int = 20, offset: int = 0, *, version: str | int | None = None
    ) -> Reference:
        """Give rows of the data that came with a model, with their predictions. Raises ServiceError."""
        query = urlencode({"limit": limit, "offset": offset})
        return self._ask("GET", f"{_path(model, version)}/predict?{query}", _reference)

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Return when models are loaded; until then nobody needs to listen. Raises TimedOut or another ServiceError."""
        with _deadline(seconds):
            while True:
                try:
                    with _deadline(self._timeout):
                        self._try(self._request("GET", "/health/ready", None, None))
                    return
                except (Unavailable, TimedOut) as error:
                    if _rest() < POLL_SECONDS:
                        raise TimedOut(f"{self._url} is not ready after {seconds:g} s: {error}") from error
                    time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Close the connections that are kept; the next call opens one anew."""
        self._connections.close()

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
        with _deadline(self._timeout):
            answer = self._insist(request)
        try:
            return read(answer)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self._failure(ServiceError, "the answer is not as expected", request) from error

    def _insist(self, request: "_Request") -> dict[str, Any]:
        for retry in range(RETRIES):
            try:
                return self._try(request)
            except Unavailable as error:
                wanted = error.retry_after or 0.0
                room = _rest() - wanted
                if room <= 0:
                    raise
                # Callers that were turned away together come back apart, each with time left for an answer.
                most = min(max(wanted, BACKOFF_SECONDS * 2**retry), room / 2)
                time.sleep(wanted + random.uniform(0, most))  # noqa: S311 -- no secret
        return self._try(request)

    def _try(self, request: "_Request") -> dict[str, Any]:
        """Ask once."""
        try:
            status, headers, data = self._connections.exchange(request, self._most_bytes)
        except TimeoutError as error:
            raise self._failure(TimedOut, "there was no answer in time", request) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(Unavailable, str(error) or type(error).__name__, request) from error
        if len(data) > self._most_bytes:
            raise self._failure(ServiceError, f"the answer is longer than {self._most_bytes} bytes", request)
        document = _object(data)
        if status != 200:
            raise _refusal(status, headers, document or {}, request.headers["X-Request-ID"])
        if document is None:
            raise self._failure(ServiceError, "the answer is not JSON", request)
        return document

    def _request(self, method: str, path: str, body: bytes | None, request_id: str | None) -> "_Request":
        headers = {**self._headers, "X-Request-ID": request_id or uuid.uuid4().hex}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return _Request(method, self._path + path, body, headers)

    def _failure(self, kind: type[ServiceError], what: str, request: "_Request") -> ServiceError:
        return kind(f"{self._url}: {what}", request_id=request.headers["X-Request-ID"])


def _path(model: str | None, version: str | int | None) -> str:
    if model is None:
        if version is not None:
            raise ValueError("a version is one of a model: name the model too")
        return ""
    place = f"/models/{quote(model, safe='')}"
    return place if version is None else f"{place}/versions/{quote(str(version), safe='')}"


# What is sent.


def _rows(instances: Iterable[Instance] | Table) -> list[dict[str, Any]]:
    """Give instances as JSON can hold them."""
    if isinstance(instances, Mapping):
        raise TypeError("predict_many takes several instances; one by itself goes to predict")
    # Asked first: a DataFrame is iterable too, and gives the names of its columns.
    rows = instances.to_dict("records") if hasattr(instances, "to_dict") else instances
    return [_row(row) for row in rows]


def _row(instance: Instance) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in dict(instance).items()}


def _plain(value: Any) -> Any:
    """Give a value as JSON knows it, or as text; whether it fits the feature is the service's to say."""
    if _is_missing(value):
        return None
    if isinstance(value, str | int):
        return value
    if isinstance(value, float | Decimal):
        return value if isinstance(value, float) and math.isfinite(value) else str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _plain(value.item()) if hasattr(value, "item") else value  # a scalar of NumPy's, else whatever JSON can hold


def _is_missing(value: Any) -> bool:
    """Tell None and all that does not equal itself: NaN, NaT, and pandas' NA, which does not even say."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 -- that is how NaN is told
    except TypeError:
        return True


def _body(data: object, **options: object) -> bytes:
    """Write a request; options that are None are left to the service."""
    chosen = {name: value for name, value in options.items() if value is not None}
    body = {"data": data, "options": chosen} if chosen else {"data": data}
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


# What comes back. A newer service may say more than is known here; that is left out.


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _refusal(
    status: int, headers: http.client.HTTPMessage, problem: Mapping[str, Any], request_id: str
) -> ServiceError:
    """Make an error of a problem document (RFC 9457), or of whatever something between here and the service sent."""
    message = str(problem.get("detail") or f"the service answered {status}")
    if "Location" in headers:
        message += f" and points to {headers['Location'][:200]}; redirects are not followed"
    if errors := _field_errors(problem.get("errors")):
        message += ": " + "; ".join(error.message for error in errors[:MOST_SHOWN])
    kind = KINDS.get(status, ServiceError)
    refusal = kind(
        message, status=status, problem=problem.get("type"), request_id=problem.get("request_id") or request_id
    )
    if isinstance(refusal, InvalidInput):
        refusal.errors = errors
    if isinstance(refusal, Unavailable):
        given = headers.get("Retry-After", "")
        refusal.retry_after = float(given) if given.isascii() and given.isdigit() else None  # a date is as good as none
    return refusal


def _field_errors(tables: Any) -> tuple[FieldError, ...]:
    rows = tables if isinstance(tables, list) else []
    known = (table for table in rows if isinstance(table, dict) and {"feature", "code", "message"} <= set(table))
    return tuple(_record(FieldError, table) for table in known)


def _record(kind: "type[Record]", table: Mapping[str, Any]) -> "Record":
    return kind(**{field.name: table[field.name] for field in fields(kind) if field.name in table})


def _single(answer: Mapping[str, Any]) -> Prediction:
    parts = answer["prediction"], answer.get("probabilities"), answer["interval"], answer["warnings"]
    return _prediction(*parts, _who(answer))


def _several(answer: Mapping[str, Any]) -> list[Prediction]:
    values, who = answer["prediction"], _who(answer)
    shares = answer.get("probabilities") or [None] * len(values)
    rows = zip(values, shares, answer["interval"], answer["warnings"], strict=True)
    return [_prediction(*parts, who) for parts in rows]


def _who(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("model", "version", "request_id")}


def _prediction(value: Any, shares: Any, interval: Any, warnings: Any, who: Mapping[str, Any]) -> Prediction:
    if isinstance(value, dict) and isinstance(value.get("errors"), list):
        return Prediction(None, None, None, (), **who, errors=_field_errors(value["errors"]))
    noted = tuple(_record(InputWarning, warning) for warning in warnings)
    return Prediction(value, shares, _interval(interval) if interval else None, noted, **who)


def _interval(table: Mapping[str, Any]) -> Interval:
    return Interval(table["coverage"], table.get("low"), table.get("high"), tuple(table.get("classes", ())))


def _reference(answer: Mapping[str, Any]) -> Reference:
    return _record(Reference, {**answer, "predictions": _several(answer)})


def _models(answer: Mapping[str, Any]) -> list[Model]:
    return [_model(table, answer["default"]) for table in answer["models"]]


def _model(table: Mapping[str, Any], default: str | None) -> Model:
    champion = table["champion"] or {}
    ready = tuple(state["version"] for state in table["versions"] if state["state"] == "ready")
    return Model(
        name=table["name"],
        title=champion.get("title", table["name"]),
        description=champion.get("description", ""),
        champion=champion.get("version"),
        aliases=table["aliases"],
        versions=ready,
        default=table["name"] == default,
    )


# One deadline for all that a call does. The timeouts of sockets count each read anew: a peer that sends a byte a second
# would hold a thread for ever. Here each connection, write and read gets what is left. (Names are resolved by the
# system, which has a patience of its own.)

_ends: ContextVar[float] = ContextVar("ends", default=math.inf)


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Give all inside this block `seconds` in all, and no more than an outer block has left."""
    token = _ends.set(min(time.monotonic() + seconds, _ends.get()))
    try:
        yield
    finally:
        _ends.reset(token)


def _rest() -> float:
    return _ends.get() - time.monotonic()


def _left() -> float:
    """Give the seconds that are left. Raises TimeoutError when there are none."""
    if (left := _rest()) <= 0:
        raise TimeoutError("the deadline passed")
    return left


_Answer = tuple[int, http.client.HTTPMessage, bytes]
"""Status, headers and body."""


class _Request(NamedTuple):
    """What is sent."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]


class _Connections:
    """The connections to one service; they are taken and given back in one step each, so threads need no lock."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._place = host, port, tls
        self._kept: list[_Connection] = []

    def exchange(self, request: _Request, most_bytes: int) -> _Answer:
        """Send a request and read its answer, of one that is too long a byte more than `most_bytes`."""
        kept = self._take()
        if kept is not None:
            try:
                return self._over(kept, request, most_bytes)
            except TimeoutError:
                raise
            except (OSError, http.client.HTTPException):  # the service closes what was not used for a while
                self.close()
        return self._over(_Connection(*self._place), request, most_bytes)

    def close(self) -> None:
        """Close those that nobody uses."""
        while (kept := self._take()) is not None:
            kept.close()

    def _take(self) -> "_Connection | None":
        try:
            return self._kept.pop()
        except IndexError:
            return None

    def _over(self, connection: "_Connection", request: _Request, most_bytes: int) -> _Answer:
        try:
            seconds = max(0.001, min(_left(), LONGEST_SECONDS))
            headers = {**request.headers, "X-Request-Timeout": f"{seconds:.3f}"}
            with suppress(BrokenPipeError):  # who does not read a body to its end may have said why
                connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            data = response.read(most_bytes + 1)
            if response.length and len(data) <= most_bytes:
                raise http.client.IncompleteRead(data, response.length)
        except BaseException:
            connection.close()
            raise
        if response.isclosed() and connection.sock is not None and len(self._kept) < MOST_KEPT:
            self._kept.append(connection)
        else:
            response.close()
            connection.close()
        return response.status, response.headers, data


class _Connection(http.client.HTTPConnection):
    """A connection that is opened within the deadline."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self.default_port = 443 if tls else 80  # which the Host header leaves out
        self._tls = tls

    def connect(self) -> None:
        plain = _reach(self.host, self.port)
        if self._tls is None:
            self.sock = plain
            return
        try:
            plain.settimeout(_left())
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _reach(host: str, port: int) -> socket.socket:
    """Connect to the first address of a host that answers."""
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connected = _Socket(family, kind, protocol)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(_left())
            connected.connect(address)
            return connected
        except OSError as error:
            connected.close()
            failure = error
    raise failure


class _Socket(socket.socket):
    """A socket whose every write and read ends with the deadline."""

    def send(self, *arguments: Any) -> int:
        self.settimeout(_left())
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(_left())
        super().sendall(*arguments)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*arguments, **options)


class _TlsSocket(_Socket, ssl.SSLSocket):
    """The same over TLS."""


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return context
