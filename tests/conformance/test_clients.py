"""Real clients against a real service: what they get is what scikit-learn itself answers.

Each client makes its calls once, in an environment of its own; each call is one test, and one line of the table that
`make conformance` writes to bench/conformance.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from model_api import __version__
from tests.conformance.conftest import Truth
from tests.conformance.table import Table

Expectation = Callable[[Any, Truth], object]


class Client(NamedTuple):
    """A client, as the table names it, and what is expected of each of its calls."""

    title: str
    default: str
    """The service's default model while it asks."""
    calls: dict[str, Expectation]


@dataclass(frozen=True)
class Refused:
    """Expects an error of the client that holds these words."""

    words: tuple[str, ...]

    def __call__(self, found: Any, _: Truth) -> object:
        """Compare."""
        return all(word in found for word in self.words)


def close(found: Any, expected: Any) -> bool:
    return bool(found == pytest.approx(expected, rel=1e-9, abs=1e-12))


def is_(expected: Any) -> Expectation:
    return lambda found, _: found == expected


def predicts(model: str, *keys: str) -> Expectation:
    """Expect the predictions of a model, under the last of some keys."""

    def check(found: Any, truth: Truth) -> bool:
        for key in keys:
            found = found[key]
        return close(found, truth.predictions[model])

    return check


def both(found: Any, truth: Truth) -> bool:
    """Expect predictions and probabilities of the numeric model."""
    shares = [share for row in found["predict_proba"] for share in row]
    return found["predict"] == truth.predictions["numeric"] and close(
        shares, [share for row in truth.probabilities for share in row]
    )


def best_classes(found: Any, truth: Truth) -> bool:
    """Expect the two most probable classes, with their places."""
    for texts, shares in zip(found, truth.probabilities, strict=True):
        places = sorted(range(len(shares)), key=lambda place: -shares[place])[:2]
        parts = [text.split(":") for text in texts]
        if [int(part[1]) for part in parts] != places or [int(part[2]) for part in parts] != places:
            return False
        if not close([float(part[0]) for part in parts], [shares[place] for place in places]):
            return False
    return True


def statistics(found: Any, truth: Truth) -> bool:
    """Expect counts of the four requests before, each of all rows."""
    (counts,) = found["model_stats"]
    success = counts["inference_stats"]["success"]
    rows = len(truth.rows["numeric"])
    return bool(counts["inference_count"] == rows * counts["execution_count"] == rows * success["count"] >= rows * 4)


def metadata(found: Any, truth: Truth) -> bool:
    datatypes = {item["name"]: item["datatype"] for item in found["inputs"]}
    return datatypes == {"size": "FP64", "rooms": "INT64", "district": "BYTES", "heating": "BYTES"}


def generated(found: Any, truth: Truth) -> bool:
    return "arning" not in found and "rror" not in found


A_MISTAKE = 'size must be a number, not "big"'
CLIENTS = {
    "triton": Client(
        "tritonclient[http]",
        "numeric",
        {
            "is_server_live, is_server_ready": is_([True, True]),
            "is_model_ready": is_([True, False]),
            "get_server_metadata": lambda found, _: found["name"] == "servery" and "statistics" in found["extensions"],
            "get_model_metadata": metadata,
            "infer, JSON, table": both,
            "infer, binary, table": both,
            "infer, outputs not named": predicts("numeric", "predict"),
            "infer, JSON, columns": predicts("mixed", "predict"),
            "infer, binary, columns": predicts("mixed", "predict"),
            "infer, version and id": predicts("mixed", "predict"),
            "infer, classification": best_classes,
            "infer, a mistake": Refused(("InferenceServerException", "rooms, district are missing; got size")),
            "get_inference_statistics": statistics,
            "get_inference_statistics, all": lambda found, _: len(found["model_stats"]) == 2,
            "get_model_repository_index": lambda found, _: (
                {(m["name"], m["state"]) for m in found} == {("mixed", "READY"), ("numeric", "READY")}
            ),
            "load_model": is_(None),
            "unload_model": Refused(("InferenceServerException", "nobody can unload it")),
        },
    ),
    "kserve": Client(
        "kserve InferenceRESTClient",
        "numeric",
        {
            "v2 is_server_live": is_(True),
            "v2 is_server_ready": is_(True),
            "v2 is_model_ready": is_(True),
            "v2 infer, JSON, table": predicts("numeric", "predict"),
            "v2 infer, binary, table": predicts("numeric", "predict"),
            "v2 infer, JSON, columns": predicts("mixed", "predict"),
            "v2 infer, binary, columns": predicts("mixed", "predict"),
            "v1 is_server_live": is_(True),
            "v1 is_model_ready": is_(True),
            "v1 infer, lists": predicts("numeric", "predictions"),
            "v1 infer, objects": predicts("mixed", "predictions"),
            "v1 infer, a mistake": Refused(("400", A_MISTAKE)),
        },
    ),
    "mlflow": Client(
        "mlflow ScoringServerClient",
        "numeric",
        {
            "wait_server_ready": is_(None),
            "get_version": is_(__version__),
            "invoke, frame": predicts("numeric"),
            "invoke, frame with other columns": predicts("numeric"),
            "invoke, frame and params": predicts("numeric"),
            "invoke, array": predicts("numeric"),
            "invoke, columns as text": predicts("numeric"),
            "invoke, records as text": predicts("numeric"),
            "invoke, a mistake": Refused(("error code 400", '"error_code":"BAD_REQUEST"', "malic_acid")),
        },
    ),
    "mlflow, mixed": Client(
        "mlflow ScoringServerClient",
        "mixed",
        {
            "invoke, frame": predicts("mixed"),
            "invoke, frame with other columns": predicts("mixed"),
            "invoke, frame and params": predicts("mixed"),
            "invoke, array": predicts("mixed"),
            "invoke, columns as text": predicts("mixed"),
            "invoke, records as text": predicts("mixed"),
            "invoke, a mistake": Refused(("error code 400", "rooms, district are missing; got size")),
        },
    ),
    "vetiver": Client(
        "vetiver.predict",
        "numeric",
        {
            "predict, frame": predicts("numeric"),
            "predict, series": lambda found, truth: found == truth.predictions["numeric"][:1],
            "predict, dictionary": lambda found, truth: found == truth.predictions["numeric"][:1],
            "predict, frame of strings and gaps": predicts("mixed"),
            "predict, a mistake": Refused(("TypeError", "size must be a number")),
            "ping": is_({"ping": "pong"}),
            "metadata": lambda found, _: found["version"] == "1" and "scikit-learn" in found["required_pkgs"],
            "prototype": lambda found, truth: list(found["properties"]) == list(truth.rows["numeric"][0]),
        },
    ),
    "mlserver": Client(
        "mlserver infer",
        "numeric",
        {
            "infer, table": predicts("numeric"),
            "infer, columns": predicts("mixed"),
            "infer, table, micro-batches": predicts("numeric"),
            "infer, columns, micro-batches": predicts("mixed"),
            "infer, table, binary": predicts("numeric"),
        },
    ),
    "openapi": Client(
        "openapi-python-client",
        "numeric",
        {
            "generate": generated,
            "predict, many": predicts("numeric"),
            "predict, one": lambda found, truth: found == truth.predictions["numeric"][0],
            "predict, strings and gaps": predicts("mixed"),
            "predict_reference": is_(3),
            "predict, a mistake": lambda found, _: [error["message"] for error in found] == [A_MISTAKE],
        },
    ),
}
CALLS = [(name, call) for name, client in CLIENTS.items() for call in client.calls]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[f"{name}: {call}" for name, call in CALLS])
def test_a_client_gets_what_it_should(
    name: str, call: str, ask: Callable[[str, str], dict[str, Any]], truth: Truth, table: Table
) -> None:
    client = CLIENTS[name]
    line = table.line(client.title, f"{call} ({client.default})" if ", mixed" in name else call, len(CALLS))
    answers = ask(name.split(",", maxsplit=1)[0], client.default)
    expected = client.calls[call]
    answer = answers["calls"][call]

    found = answer.get("error") if isinstance(expected, Refused) else answer.get("got", answer)

    line.version = answers["version"]
    assert len(truth.rows["numeric"]) >= 20
    assert expected(found, truth), str(answer)[:2000]
    line.ok = "yes, refused" if isinstance(expected, Refused) else "yes"
