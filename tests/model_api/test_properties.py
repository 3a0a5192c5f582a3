"""What holds for any valid rows: alone or together, in any order, in any form, they get the answer of the estimator.

`make unit` looks at a few examples of each property; `make fuzz` sets SERVERY_EXAMPLES and looks at many.
"""

import io
import json
import logging
import os
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from model_api.app import create_app
from model_api.artifact import Artifact
from model_api.protocols.binary_tensors import HEADER
from model_api.runtimes import Output, Predictor, sklearn
from model_api.runtimes.selection import MANY
from model_api.settings import Settings
from model_api.signature import Feature, Signature
from model_api.trust import Trust
from tests.fuzz import every_kind
from tests.model_api.bulk.tables import FILE, PARQUET, STREAM, as_csv, file, parquet, read_back, stream
from tests.model_api.conftest import never_fails_inside, wait_until_loaded
from tests.model_api.protocols.test_binary_tensors import input_of, outputs_of, post, texts
from tests.model_api.roads import BothRoads
from tests.model_api.zoo import ZOO, rows

Json = dict[str, Any]
Instance = dict[str, Any]
EMBEDDED = ("diabetes", "wine", "loans")
MODELS = (*EMBEDDED, *every_kind.NAMES)
AS_IT_IS = every_kind.NAMES[1]
TOLERANCE = 1e-9
"""What publishing proves of a compiled form: the largest difference to the estimator, relative to the usual size."""
BEYOND = 3
"""How far numbers go beyond the training range, in its widths."""
YEARS = ("1678-01-01", "2261-12-31")
"""First and last day that a model can be asked about."""
SHORT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)


def look_at(examples: int) -> settings:
    """Look at so many examples, always the same; or at as many as the environment says."""
    return settings(
        max_examples=int(os.environ.get("SERVERY_EXAMPLES", str(examples))),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Served:
    """A model, and who serves it."""

    name: str
    client: TestClient
    artifact: Artifact

    @property
    def signature(self) -> Signature:
        """What its instances look like."""
        return self.artifact.signature

    def predict(self, data: Instance | list[Instance]) -> Json:
        """Ask in our own language."""
        answer = self.client.post(f"/models/{self.name}/predict", json={"data": data})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found


@pytest.fixture(scope="module", autouse=True)
def no_log_lines() -> Iterator[None]:
    """Leave out the line of each request: there are thousands."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def every_kind_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models of every type of feature."""
    folder = tmp_path_factory.mktemp("kinds")
    every_kind.publish_every_kind(folder)
    return folder


@pytest.fixture(scope="module")
def every_kind_client(every_kind_folder: Path) -> Iterator[TestClient]:
    """A guest at the counter of a service with these models."""
    service = create_app(Settings(models=str(every_kind_folder), allowed_hosts=("testserver",)))
    with TestClient(BothRoads(service)) as client:
        wait_until_loaded(client)
        client.event_hooks["response"].append(never_fails_inside)
        yield client


@pytest.fixture(params=MODELS)
def served(
    request: pytest.FixtureRequest,
    client: TestClient,
    every_kind_client: TestClient,
    models_folder: Path,
    every_kind_folder: Path,
) -> Served:
    """Each model in turn."""
    name = request.param
    who, folder = (client, models_folder) if name in EMBEDDED else (every_kind_client, every_kind_folder)
    return Served(name, who, Artifact(folder / name / "1"))


def values_of(feature: Feature) -> st.SearchStrategy[Any]:
    """Draw values of a feature, also some that training never saw."""
    kinds: dict[str, Callable[[Feature], st.SearchStrategy[Any]]] = {
        "number": lambda found: st.floats(*_limits(found)),
        "integer": lambda found: st.integers(*map(int, _limits(found))),
        "boolean": lambda _: st.booleans(),
        "category": _levels,
        "date": lambda _: st.dates(*map(date.fromisoformat, YEARS)).map(date.isoformat),
        "datetime": lambda _: st.datetimes(*map(datetime.fromisoformat, YEARS)).map(datetime.isoformat),
        "text": lambda _: st.one_of(SHORT, st.lists(st.sampled_from(every_kind.WORDS), min_size=1).map(" ".join)),
    }
    values = kinds[feature.type](feature)
    return st.one_of(values, values, values, st.none()) if feature.missing_allowed else values


def _limits(feature: Feature) -> tuple[float, float]:
    low, high = feature.minimum, feature.maximum
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    return low - BEYOND * (high - low), high + BEYOND * (high - low)


def _levels(feature: Feature) -> st.SearchStrategy[Any]:
    known = st.sampled_from(feature.categories)
    return st.one_of(known, known, SHORT) if feature.unknown_categories else known


def instances_of(signature: Signature, most: int = 5) -> st.SearchStrategy[list[Instance]]:
    """Draw valid instances."""
    values = st.tuples(*(values_of(feature) for feature in signature.features))
    one = values.map(lambda drawn: dict(zip(signature.names, drawn, strict=True)))
    return st.lists(one, min_size=1, max_size=most)


PER_ROW = ("prediction", "probabilities", "interval", "warnings")


def row_of(answer: Json, place: int) -> Json:
    """Give what an answer to several instances says of one."""
    return {key: answer[key][place] for key in PER_ROW if key in answer}


def numbers_in(answer: Json) -> list[float]:
    """Give the numbers that a model says of one instance."""
    shares = answer.get("probabilities")
    return list(shares.values()) if shares else [answer["prediction"]]


@cache
def estimator_of(version: Path) -> Predictor:
    """Load the estimator as scikit-learn runs it."""
    return sklearn.load(Artifact(version), Trust())


def size_of(artifact: Artifact) -> float:
    """Give the size below which publishing measures differences against it."""
    scale = artifact.examples.scale
    return max(scale) if isinstance(scale, list) else scale


@given(data=st.data())
@look_at(20)
def test_rows_get_the_same_answer_alone_and_together(served: Served, data: st.DataObject) -> None:
    """Of a compiled form to the last bit; in that, scikit-learn's own sums depend on how many rows it gets."""
    sent = data.draw(instances_of(served.signature))

    together = served.predict(sent)

    for place, instance in enumerate(sent):
        alone, beside = served.predict(instance), row_of(together, place)
        if served.name == AS_IT_IS:
            assert numbers_in(beside) == pytest.approx(numbers_in(alone), rel=TOLERANCE, abs=TOLERANCE)
            assert beside["warnings"] == alone["warnings"]
        else:
            assert beside == {key: alone[key] for key in beside}


def test_many_rows_get_the_answers_of_each(served: Served) -> None:
    """From `MANY` rows on another form may answer, if it is faster: then the answers are as near as was proved."""
    reference = served.artifact.reference
    sent = [reference.row(place) for place in range(3 * MANY)]
    runtime = served.client.get(f"/models/{served.name}/versions/1").json()["runtime"]
    same = runtime["one_row"] == runtime["many_rows"] != "estimator"

    together = served.predict(sent)

    for place, instance in enumerate(sent):
        alone, beside = served.predict(instance), row_of(together, place)
        allowed = 0.0 if same else TOLERANCE
        assert numbers_in(beside) == pytest.approx(
            numbers_in(alone), rel=allowed, abs=allowed * size_of(served.artifact)
        )


@pytest.mark.parametrize(
    "name",
    [
        *("ridge", "logistic regression of three classes", "quadratic discriminants", "kernel ridge"),
        *("perceptrons of three classes", "two numbers", "people", "weighted words and stars"),
    ],
)
@pytest.mark.parametrize("together", [2, 7, 33])
def test_a_plan_gives_a_row_the_same_bits_whatever_is_beside_it(name: str, together: int) -> None:
    case = ZOO[name]
    batch: tuple[Any, ...] = case.lowered.predict(rows(case.columns, 0, together))

    for place in range(together):
        alone: tuple[Any, ...] = case.lowered.predict(rows(case.columns, place, place + 1))
        for given_alone, given_together in zip(alone, batch, strict=True):
            if given_alone is not None:
                assert given_alone[0].tolist() == given_together[place].tolist()


@given(data=st.data())
@look_at(20)
def test_the_order_of_rows_is_the_order_of_answers(served: Served, data: st.DataObject) -> None:
    sent = data.draw(instances_of(served.signature))
    order = data.draw(st.permutations(range(len(sent))))

    before, after = served.predict(sent), served.predict([sent[place] for place in order])

    for place, origin in enumerate(order):
        moved, first = row_of(after, place), row_of(before, origin)
        if served.name == AS_IT_IS:
            assert numbers_in(moved) == pytest.approx(numbers_in(first), rel=TOLERANCE, abs=TOLERANCE)
        else:
            assert moved == first


@given(data=st.data())
@look_at(25)
def test_the_service_answers_as_the_estimator_does_in_this_process(served: Served, data: st.DataObject) -> None:
    """To the last bit where the estimator itself serves; a compiled form is as near as was proved."""
    sent = data.draw(instances_of(served.signature))
    expected = estimator_of(served.artifact.folder).predict(served.signature.check(sent).columns)

    answer = served.predict(sent)

    allowed = 0.0 if served.name == AS_IT_IS else TOLERANCE
    classes = served.signature.target.classes
    for place in range(len(sent)):
        found = row_of(answer, place)
        assert numbers_in(found) == pytest.approx(
            _numbers(expected, place), rel=allowed, abs=allowed * size_of(served.artifact)
        )
        if expected.labels is not None:
            assert _as_likely(found, classes[int(expected.labels[place])])


def _numbers(output: Output, place: int) -> list[float]:
    numbers: Any = output.numbers if output.numbers is not None else output.probabilities
    return [float(number) for number in np.atleast_1d(numbers[place])]


def _as_likely(found: Json, label: Any) -> bool:
    """Tell whether a class was predicted, or one that is just as probable."""
    shares = found["probabilities"]
    return bool(shares[str(label)] == pytest.approx(shares[str(found["prediction"])], abs=TOLERANCE))


@given(data=st.data())
@look_at(10)
def test_every_form_gets_the_same_answer(served: Served, data: st.DataObject) -> None:
    """JSON, CSV, Parquet, Arrow, and tensors as JSON and as bytes."""
    sent = data.draw(instances_of(served.signature))
    expected = served.predict(sent)
    lines = [as_line(row_of(expected, place)) for place in range(len(sent))]
    tables = {
        "text/csv": as_csv(sent),
        PARQUET: parquet(native(served.signature, sent)),
        STREAM: stream(pa.Table.from_pylist(sent)),
        FILE: file(native(served.signature, sent)),
    }

    for media_type, content in tables.items():
        answer = served.client.post(
            f"/models/{served.name}/predict", content=content, headers={"Content-Type": media_type}
        )
        assert answer.status_code == 200, answer.text
        assert read_back(answer.headers["Content-Type"], answer.content) == lines, media_type
    shares = [share for row in expected.get("probabilities", []) for share in row.values()]
    for found in (asked_by_tensors(served, sent), asked_by_bytes(served, sent)):
        assert found["predict"] == expected["prediction"]
        assert found.get("predict_proba", []) == shares


def asked_by_tensors(served: Served, sent: list[Instance]) -> Json:
    """Ask with one tensor a feature, its elements in JSON; gives the elements of each output."""
    told = served.client.get(f"/v2/models/{served.name}").json()
    inputs = [{**item, "shape": [len(sent)], "data": elements_of(item, sent)} for item in told["inputs"]]
    outputs = [{"name": output["name"]} for output in told["outputs"]]
    content = json.dumps({"inputs": inputs, "outputs": outputs})
    answer = served.client.post(f"/v2/models/{served.name}/infer", content=content)
    assert answer.status_code == 200, answer.text
    return {item["name"]: item["data"] for item in answer.json()["outputs"]}


def asked_by_bytes(served: Served, sent: list[Instance]) -> Json:
    """Ask with the bytes of one tensor a feature, and for bytes where the answer is numbers."""
    told = served.client.get(f"/v2/models/{served.name}").json()
    outputs = [
        {"name": output["name"], "parameters": {"binary_data": output["datatype"] != "BYTES"}}
        for output in told["outputs"]
    ]
    return outputs_of(
        post(served.client, served.name, [as_bytes(item, sent) for item in told["inputs"]], outputs=outputs)
    )


def as_line(row: Json) -> Json:
    """Write an answer to one instance as a row of a table."""
    line = {"prediction": row["prediction"]}
    line |= {f"probability_{level}": share for level, share in row.get("probabilities", {}).items()}
    interval = row["interval"]
    held = ("classes",) if "probabilities" in row else ("low", "high")
    line |= {f"interval_{key}": interval and interval[key] for key in held}
    return line | {"warnings": "; ".join(found["message"] for found in row["warnings"]) or None}


def native(signature: Signature, sent: list[Instance]) -> Any:
    """Make a table whose dates and moments are of the types that are made for them."""
    types = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
    columns = {}
    for feature in signature.features:
        read = types.get(feature.type, lambda value: value)
        columns[feature.name] = [None if row[feature.name] is None else read(row[feature.name]) for row in sent]
    return pa.table(columns)


def elements_of(item: Json, sent: list[Instance]) -> list[Any]:
    """Give a feature's values as elements of its datatype: a boolean that may be missing is a number."""
    values = [row[item["name"]] for row in sent]
    return [float(value) if item["datatype"] == "FP64" and value is not None else value for value in values]


def as_bytes(item: Json, sent: list[Instance]) -> tuple[Json, bytes]:
    """Write a feature's values as the bytes of a tensor; NaN and an empty text are missing values."""
    values = elements_of(item, sent)
    if item["datatype"] == "BYTES":
        data = texts(["" if value is None else str(value) for value in values])
    else:
        dtype = {"FP64": "<f8", "INT64": "<i8", "BOOL": "?"}[item["datatype"]]
        data = np.array([np.nan if value is None else value for value in values], dtype).tobytes()
    return input_of(item["name"], item["datatype"], data, [len(sent)])


ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.text(string.digits)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
WORDS = st.sampled_from(
    [
        *("data", "instances", "options", "inputs", "outputs", "name", "shape", "datatype", "coverage", "on_error"),
        *("dataframe_split", "dataframe_records", "columns", "index", "examples", "signature_name", "parameters"),
    ]
)
PATHS = (
    *("/predict", "/models/{}/predict", "/models/{}/versions/1/predict", "/v2/models/{}/infer"),
    *("/v1/models/{}:predict", "/v1/models/{}:classify", "/invocations", "/v2/repository/index"),
)


@st.composite
def bodies(draw: st.DrawFn, signature: Signature) -> Any:
    """Draw a JSON document: any, one with words that mean something, or instances with any values."""
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return draw(ANY_JSON)
    if kind == 1:
        return draw(st.dictionaries(WORDS, ANY_JSON, max_size=4))
    names = st.one_of(st.sampled_from(signature.names), st.text(max_size=5))
    instance = st.one_of(
        st.fixed_dictionaries({name: st.one_of(st.floats(), ANY_JSON) for name in signature.names}),
        st.dictionaries(names, ANY_JSON, max_size=6),
    )
    (good,) = draw(instances_of(signature, most=1))
    changed = good | {name: draw(ANY_JSON) for name in draw(st.lists(st.sampled_from(signature.names), max_size=2))}
    key = draw(st.sampled_from(["data", "instances", "dataframe_records"]))
    options = draw(st.one_of(st.none(), st.dictionaries(WORDS, ANY_JSON, max_size=2)))
    content = draw(st.one_of(st.just(changed), st.lists(st.one_of(st.just(changed), instance), max_size=3)))
    return {key: content} | ({} if options is None else {"options": options})


def strictly(text: str) -> Any:
    """Read JSON as RFC 8259 has it: without NaN, and with no name twice in an object."""

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    return json.loads(text, parse_constant=pytest.fail, object_pairs_hook=unique)


@given(data=st.data())
@look_at(60)
def test_any_document_is_answered_in_strict_json(served: Served, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS)).format(served.name)
    body = data.draw(bodies(served.signature))

    answer = served.client.post(path, content=json.dumps(body).encode())

    assert answer.status_code == 200 or 400 <= answer.status_code < 500, (answer.status_code, body)
    strictly(answer.content.decode())


@given(data=st.data())
@look_at(60)
def test_any_bytes_are_answered_in_strict_json(served: Served, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS)).format(served.name)
    media_type = data.draw(
        st.sampled_from(["application/json", "text/csv", PARQUET, STREAM, FILE, "application/octet-stream"])
    )
    content = data.draw(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
    headers = {"Content-Type": media_type} | data.draw(st.sampled_from([{}, {HEADER: "0"}, {HEADER: "9"}]))

    answer = served.client.post(path, content=content, headers=headers)

    assert answer.status_code == 200 or 400 <= answer.status_code < 500, (answer.status_code, content)
    strictly(answer.content.decode())


def test_the_examples_of_these_tests_reach_what_they_are_for(served: Served) -> None:
    """Rows as these tests draw them are valid, and odd documents come near to valid ones."""
    drawn: list[Instance] = []

    @given(instances_of(served.signature))
    @settings(look_at(20), max_examples=20)
    def draw(sent: list[Instance]) -> None:
        drawn.extend(sent)

    draw()

    checked = served.signature.check(drawn)
    assert checked.problems == []
    assert {warning.code for found in checked.warnings for warning in found} >= {"outside_training_range"}
    assert io.StringIO(as_csv(drawn).decode(), newline="").readline().count(",") >= len(served.signature.features) - 1
