"""A case of the corpus: what is sent, byte by byte, and what has to come back."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]
Error = tuple[int, str | None, str]
"""Row, feature and code of one thing that is wrong."""


class Case(NamedTuple):
    """One bad or odd request."""

    request: bytes
    """All that is sent."""
    status: int
    """Status of the last answer; 0 when the connection is closed without one."""
    words: tuple[str, ...] = ()
    """What the answer has to name."""
    errors: tuple[Error, ...] = ()
    """What it has to list, where it lists anything."""
    like: bytes = b""
    """Another way of writing the request, which has to be answered alike."""
    value: Callable[[], float] | None = None
    """Gives what scikit-learn itself predicts."""
    before: tuple[int, ...] = ()
    """Statuses of the answers before the last one."""
    closes: bool = False
    """Whether the service has to close the connection."""
    leaves: bool = False
    """Whether the caller leaves once all is sent."""


Cases = dict[str, Case]
"""By number and title."""

ROWS: Mapping[str, Json] = {
    "diabetes": {
        "age": 59, "sex": 2, "bmi": 32.1, "bp": 101, "s1": 157, "s2": 93.2, "s3": 38, "s4": 4, "s5": 4.8598, "s6": 87,
    },
    "loans": {
        "age": 73, "employment": "salaried", "yearly_income": 62800, "home_owner": True, "open_loans": 1,
        "defaulted_before": False, "amount": 4500, "term": 84, "purpose": "car", "interest_rate": 6.2,
    },
    "wine": {
        "alcohol": 14.23, "malic_acid": 1.71, "ash": 2.43, "alcalinity_of_ash": 15.6, "magnesium": 127,
        "total_phenols": 2.8, "flavanoids": 3.06, "nonflavanoid_phenols": 0.28, "proanthocyanins": 2.29,
        "color_intensity": 5.64, "hue": 1.04, "od280/od315_of_diluted_wines": 3.92, "proline": 1065,
    },
    "rent": {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": 4.5},
    "stay": {
        "arrived": "2025-03-01", "booked": "2025-01-10T09:30", "nights": 3, "price": 80.5, "breakfast": True,
        "room": "double",
    },
}  # fmt: skip
"""A valid instance for each model."""


def request(body: object, path: str = "/predict", *headers: str, method: str = "POST") -> bytes:
    """Write a request; a body that is not bytes yet is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def asked(model: str, changes: Mapping[str, object] | None = None, *headers: str) -> bytes:
    """Ask for the prediction of a valid instance with something changed."""
    return request({"data": {**ROWS[model], **(changes or {})}}, f"/models/{model}/predict", *headers)


def with_token(token: str, model: str = "diabetes", feature: str = "bmi") -> bytes:
    """Ask with a bare token in place of one value."""
    text = json.dumps({"data": {**ROWS[model], feature: "TOKEN"}}).replace('"TOKEN"', token)
    return request(text.encode(), f"/models/{model}/predict")


def refused(sent: bytes, status: int, *words: str, errors: tuple[Error, ...] = ()) -> Case:
    """Expect an error that names the fault."""
    return Case(sent, status, words, errors)


def accepted(sent: bytes, *words: str, like: bytes = b"", value: Callable[[], float] | None = None) -> Case:
    """Expect a prediction."""
    return Case(sent, 200, words, like=like, value=value)


def bad(model: str, feature: str, value: object, code: str, *words: str) -> Case:
    """Expect one error about one value."""
    return refused(asked(model, {feature: value}), 422, feature, *words, errors=((0, feature, code),))


def without(model: str, *features: str) -> Json:
    """Give a valid instance that lacks some features."""
    return {name: value for name, value in ROWS[model].items() if name not in features}
