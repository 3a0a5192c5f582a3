"""The OpenAPI document: valid, typed for each model, and true of the answers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api import openapi, openapi_shared
from model_api.artifact import Reference
from model_api.bulk.media import TYPES, WRITTEN
from model_api.examples import NAMES
from model_api.explanations.calls import CALLS
from model_api.routes.errors import TABLE
from model_api.signature import Feature, Signature, Target

Json = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}
KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}


@pytest.fixture(scope="module")
def document(client: TestClient) -> Json:
    answer = client.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    found: Json = answer.json()
    return found


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> str:
    """The name of each embedded model in turn."""
    return str(request.param)


def walk(node: object) -> Iterator[Json]:
    """Give every object of a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def resolve(document: Json, reference: str) -> Json:
    node: Any = document
    for key in reference.removeprefix("#/").split("/"):
        node = node[key]
    assert isinstance(node, dict)
    return node


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method]


def faults(value: object, schema: Json, document: Json, at: str = "$") -> list[str]:
    """Check a value against the part of JSON Schema that the document uses; give what does not hold."""
    if "$ref" in schema:
        return faults(value, resolve(document, schema["$ref"]), document, at)
    found = []
    if "oneOf" in schema or "anyOf" in schema:
        options = schema.get("oneOf") or schema["anyOf"]
        matching = sum(not faults(value, option, document, at) for option in options)
        fits = matching == 1 if "oneOf" in schema else matching > 0
        found += [] if fits else [f"{at}: {matching} of the options match"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_of(value, kind) for kind in kinds):
        found.append(f"{at}: {value!r} is not {kinds}")
    if "enum" in schema and not any(same(value, level) for level in schema["enum"]):
        found.append(f"{at}: {value!r} is not one of {schema['enum']}")
    if isinstance(value, dict):
        found += faults_of_object(value, schema, document, at)
    if isinstance(value, list):
        items = schema.get("items", {})
        found += [] if len(value) >= schema.get("minItems", 0) else [f"{at}: too few items"]
        found += [fault for n, item in enumerate(value) for fault in faults(item, items, document, f"{at}[{n}]")]
    if isinstance(value, str) and not (schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))):
        found.append(f"{at}: {len(value)} characters are too few or too many")
    if isinstance(value, str) and not re.fullmatch(schema.get("pattern", r"[\s\S]*"), value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{at}: {value!r} is out of range")
    return found


def is_of(value: object, kind: str) -> bool:
    """To JSON Schema 1.0 is an integer, and true no number."""
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def same(value: object, level: object) -> bool:
    return value == level and isinstance(value, bool) == isinstance(level, bool)


def faults_of_object(value: Json, schema: Json, document: Json, at: str) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{at}: {name} is absent" for name in schema.get("required", []) if name not in value]
    if schema.get("additionalProperties") is False:
        found += [f"{at}: {name} is too much" for name in value if name not in properties]
    for name in properties.keys() & value.keys():
        found += faults(value[name], properties[name], document, f"{at}.{name}")
    return found


def test_the_checker_of_these_tests_finds_faults() -> None:
    schema: Json = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "number", "maximum": 1}, "b": {"enum": ["x"]}, "c": {"type": ["integer", "null"]}},
        "additionalProperties": False,
    }

    assert faults({"a": 1, "b": "x", "c": None}, schema, {}) == []
    for bad in (3, {}, {"a": "1"}, {"a": True}, {"a": 2}, {"a": 1, "b": "y"}, {"a": 1, "c": 1.5}, {"a": 1, "d": 1}):
        assert faults(bad, schema, {}) != []
    assert faults(1, {"oneOf": [{"type": "number"}, {"type": "integer"}]}, {}) != []
    assert faults(1, {"anyOf": [{"type": "number"}, {"type": "integer"}]}, {}) == []
    assert faults(True, {"anyOf": [{"type": "number"}, {"enum": [1]}]}, {}) != []
    assert faults("12a", {"type": "string", "pattern": "^[0-9]+$"}, {}) != []
    assert faults("12", {"type": "string", "maxLength": 1}, {}) != []
    assert faults([1, "2"], {"type": "array", "items": {"type": "number"}}, {}) != []


def test_the_document_says_what_it_is(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    assert document["info"]["version"]


def test_every_reference_leads_somewhere(document: Json) -> None:
    references = [node["$ref"] for node in walk(document) if "$ref" in node]

    assert len(references) > 20
    for reference in references:
        assert resolve(document, reference)


def test_every_schema_has_a_name_that_is_allowed(document: Json) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in document["components"]["schemas"])


def test_every_type_is_one_of_json_schema(document: Json) -> None:
    for schema in walk(document["components"]["schemas"]):
        kinds = schema.get("type", [])
        if isinstance(kinds, str | list):  # and not a feature of that name
            assert set([kinds] if isinstance(kinds, str) else kinds) <= set(KINDS)


def test_every_operation_has_an_id_of_its_own(document: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(ids) > 10
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[A-Za-z0-9_]+", identifier) for identifier in ids)


def test_every_operation_describes_its_answers(document: Json) -> None:
    for path, method, operation in operations(document):
        assert operation["summary"], path
        assert any(status.startswith("2") for status in operation["responses"]), (path, method)
        assert all(answer["description"] for answer in operation["responses"].values())


def test_every_name_in_a_path_is_a_parameter(document: Json) -> None:
    for path, _, operation in operations(document):
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_every_documented_path_without_parameters_answers(client: TestClient, document: Json) -> None:
    for path, method, _ in operations(document):
        if method == "get" and "{" not in path:
            assert client.get(path).status_code == 200, path


def test_every_model_has_its_own_typed_paths(document: Json) -> None:
    for name in NAMES:
        assert set(document["paths"][f"/models/{name}/predict"]) == {"get", "post"}
    assert "diabetes.Request" in json.dumps(document["paths"]["/predict"])


def test_an_instance_is_typed_with_the_features_of_its_model(client: TestClient, document: Json, model: str) -> None:
    features = client.get(f"/models/{model}/versions/1").json()["signature"]["features"]
    schema = document["components"]["schemas"][f"{model}.Instance"]

    assert list(schema["properties"]) == [feature["name"] for feature in features]
    assert schema["required"] == [feature["name"] for feature in features if not feature["missing_allowed"]]
    assert schema["additionalProperties"] is False
    for feature in features:
        described = schema["properties"][feature["name"]]
        if feature["unit"]:
            assert feature["unit"] in described["description"]
        if feature["minimum"] is not None:
            assert f"{feature['minimum']:.10g} to {feature['maximum']:.10g}" in described["description"]


def test_the_types_of_loans_are_those_of_its_features(document: Json) -> None:
    properties = document["components"]["schemas"]["loans.Instance"]["properties"]

    assert properties["age"]["type"] == ["integer", "string"]
    assert properties["yearly_income"]["type"] == ["number", "string", "null"]
    assert properties["home_owner"]["type"] == ["boolean", "integer", "string"]
    assert properties["employment"]["anyOf"] == [
        {"type": "string", "enum": ["salaried", "self-employed", "retired", "student", "unemployed", ""]},
        {"type": "null"},
    ]


def test_a_category_that_may_be_unknown_is_any_text(small_client: TestClient) -> None:
    schemas = small_client.get("/openapi.json").json()["components"]["schemas"]

    assert schemas["rent.Instance"]["properties"]["district"]["type"] == "string"


VALUES: list[Any] = [
    *(None, True, False, 0, 1, 2, 1.0, 0.5, -3, 12, 2**53 - 1, 2**53, "", "1", "0", "1.0", "-2.5", "1e3", "12", "x"),
    *("true", "False", "TRUE", "yes", " 1", "1 ", "nan", "NaN", "1_0", "berlin", "Berlin", "a", [], {}, [1]),
    *(
        "2024-02-29",
        "1678-01-01",
        "1677-12-31",
        "2261-12-31",
        "2262-01-01",
        "2024-13-01",
        "24-01-01",
        "2024-01-01T25:00",
    ),
    *("2024-01-01T10:30", "2024-01-01 10:30:59", "2024-01-01T10:30:59.5", "2024-01-01T10:30:59Z", "tab\tand\nline"),
    *(
        "2024-01-01T10:30:59.123456+05:30",
        "2024-01-01T10:30:59.1234567",
        "\u0000",
        "x" * 2000,
        "x" * 2001,
        "x" * 10_001,
    ),
]
FEATURES = [
    feature
    for missing in (False, True)
    for feature in (
        Feature("number", "number", missing_allowed=missing),
        Feature("integer", "integer", missing_allowed=missing),
        Feature("boolean", "boolean", missing_allowed=missing),
        Feature("text", "text", missing_allowed=missing),
        Feature("date", "date", missing_allowed=missing),
        Feature("datetime", "datetime", missing_allowed=missing),
        Feature("zoned", "datetime", zone="Europe/Berlin", missing_allowed=missing),
        Feature("words", "category", categories=("a", "Berlin"), missing_allowed=missing),
        Feature("numbers", "category", categories=(1, 2), missing_allowed=missing),
        Feature("mixed", "category", categories=(0.5, "x", ""), missing_allowed=missing),
        Feature("any", "category", categories=("a",), unknown_categories=True, missing_allowed=missing),
    )
]
TAKEN_BUT_NOT_TOLD: dict[str, list[Any]] = {"integer": ["1e3"], "numbers": ["1.0"]}
"""Whole numbers as text, in another form than their own."""


@pytest.mark.parametrize("feature", FEATURES, ids=lambda found: f"{found.name}-{found.missing_allowed}")
def test_the_schema_of_a_feature_takes_what_the_service_takes(feature: Feature) -> None:
    signature = Signature((feature,), Target("y", "regression"))
    reference = Reference({feature.name: [None]}, [0.0])
    model: Any = SimpleNamespace(artifact=SimpleNamespace(signature=signature, reference=reference))
    schema = openapi.instance_schema(model)["properties"][feature.name]

    told = [repr(value) for value in VALUES if faults(value, schema, {}) == []]
    taken = [repr(value) for value in VALUES if not signature.check([{feature.name: value}]).problems]

    assert [value for value in told if value not in taken] == []
    more = TAKEN_BUT_NOT_TOLD.get(feature.name, [])
    assert [value for value in taken if value not in told] == [repr(value) for value in more]


def test_the_example_is_a_real_reference_row_that_is_answered(
    client: TestClient, document: Json, models_folder: Path, model: str
) -> None:
    columns = json.loads((models_folder / model / "1" / "reference.json").read_bytes())["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    post = document["paths"][f"/models/{model}/predict"]["post"]
    example = post["requestBody"]["content"]["application/json"]["example"]

    assert example["data"] in rows
    assert None not in example["data"].values()
    assert document["components"]["schemas"][f"{model}.Instance"]["example"] == example["data"]
    assert client.post(f"/models/{model}/predict", json=example).status_code == 200


def schema_of(document: Json, path: str, method: str, status: str = "200") -> Json:
    content = document["paths"][path][method]["responses"][status]["content"]
    schema: Json = content["application/json" if status == "200" else "application/problem+json"]["schema"]
    return schema


@pytest.mark.parametrize("coverage", [0.9, 0.9999])
def test_the_answers_are_what_the_document_says(
    client: TestClient,
    document: Json,
    reference_rows: Callable[[str, int], list[Json]],
    model: str,
    coverage: float,
) -> None:
    path = f"/models/{model}/predict"
    rows = reference_rows(model, 20)
    request = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]

    for data in (rows[0], rows):
        body = {"data": data, "options": {"coverage": coverage}}
        assert faults(body, request, document) == []
        assert faults(client.post(path, json=body).json(), schema_of(document, path, "post"), document) == []
    assert faults(client.get(path).json(), schema_of(document, path, "get"), document) == []


def test_every_field_of_an_answer_is_documented_in_its_order(
    client: TestClient, document: Json, reference_rows: Callable[[str, int], list[Json]], model: str
) -> None:
    schemas = document["components"]["schemas"]
    rows = reference_rows(model, 2)

    one = client.post(f"/models/{model}/predict", json={"data": rows[0]}).json()
    many = client.post(f"/models/{model}/predict", json={"data": rows}).json()
    page = client.get(f"/models/{model}/predict").json()

    assert list(one) == list(schemas[f"{model}.Prediction"]["properties"])
    assert list(many) == list(schemas[f"{model}.Predictions"]["properties"])
    assert list(page) == list(schemas[f"{model}.ReferencePredictions"]["properties"])


@pytest.mark.parametrize(("content", "status"), [(b"{", "400"), (b'{"data": {"bmi": "abc"}}', "422"), (b"3", "422")])
def test_the_problems_are_what_the_document_says(
    client: TestClient, document: Json, content: bytes, status: str
) -> None:
    answer = client.post("/predict", content=content)

    assert str(answer.status_code) == status
    assert faults(answer.json(), schema_of(document, "/predict", "post", status), document) == []


def test_what_on_error_report_takes_and_gives_is_documented(
    client: TestClient, document: Json, reference_rows: Callable[[str, int], list[Json]], model: str
) -> None:
    path = f"/models/{model}/predict"
    (good,) = reference_rows(model, 1)
    request = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]

    for data in ({}, [good, {}, 3], good):
        body = {"data": data, "options": {"on_error": "report"}}
        assert faults(body, request, document) == []
        answer = client.post(path, json=body)
        assert answer.status_code == 200
        assert faults(answer.json(), schema_of(document, path, "post"), document) == []
    assert faults({"data": {}}, request, document) != []
    assert faults({"data": {}, "options": {"on_error": "reject"}}, request, document) != []


def test_every_error_that_can_come_is_documented_in_its_one_shape(document: Json) -> None:
    statuses = {str(kind.status) for kind in TABLE.values()} - {"499", "501"}  # nobody waits; another protocol's
    prediction = document["paths"]["/predict"]["post"]["responses"]

    assert statuses | {"200", "400", "406", "500"} == set(prediction)
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status != "200" and (path, status) != ("/health/ready", "503"):
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
            assert "X-Request-ID" in answer["headers"]
            assert ("Retry-After" in answer["headers"]) == (status == "503")


def test_the_documented_headers_are_given(client: TestClient, document: Json) -> None:
    for path, method, operation in operations(document):
        if method == "get" and "{" not in path:
            answer = client.get(path)
            for name in operation["responses"]["200"]["headers"]:
                pattern = document["components"]["headers"][name]["schema"]["pattern"]
                assert re.fullmatch(pattern, answer.headers[name])


def test_tables_are_documented_with_all_their_media_types(document: Json) -> None:
    post = document["paths"]["/predict"]["post"]

    assert set(post["requestBody"]["content"]) == set(TYPES)
    assert set(post["responses"]["200"]["content"]) == {written.partition(";")[0] for written in WRITTEN.values()}
    assert {parameter["name"] for parameter in post["parameters"]} >= {"coverage", "on_error"}


def test_the_example_of_a_table_is_answered(client: TestClient, document: Json, model: str) -> None:
    path = f"/models/{model}/predict"
    example = document["paths"][path]["post"]["requestBody"]["content"]["text/csv"]["example"]

    answer = client.post(path, content=example, headers={"Content-Type": "text/csv"})

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")


def test_no_address_is_left_as_fastapi_describes_it(document: Json) -> None:
    own = ("/predict", *(f"/explanations/{call}" for call in CALLS))
    described = {path for path, item in document["paths"].items() if not path.endswith(own)}

    assert described == set(openapi.OTHERS)
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def explained(document: Json) -> list[str]:
    return [path for path in document["paths"] if "/explanations/" in path]


def test_every_call_about_every_model_is_described(document: Json) -> None:
    described = {tuple(path.split("/")[2::2]) for path in explained(document)}
    two_classes = {"breast-cancer", "loans"}

    assert described == {(name, call) for name in NAMES for call in CALLS if call != "decisions" or name in two_classes}


def test_what_a_call_needs_and_takes_is_what_the_document_says(client: TestClient, document: Json) -> None:
    for path in explained(document):
        operation = document["paths"][path]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        instance = resolve(document, body["properties"]["data"]["$ref"])["example"]
        options = body["properties"]["options"]
        chosen = {name: _some_value(options["properties"][name]) for name in options["properties"]}
        ways = options.get("anyOf", [options])  # one of these is enough
        needed = {name: chosen[name] for name in ways[0].get("required", [])}

        for sent in (chosen, needed):
            answer = client.post(path, json={"data": instance, "options": sent})
            assert answer.status_code == 200, (path, answer.text)
            assert faults(answer.json(), schema_of(document, path, "post"), document) == []
        for name in needed:
            without = {key: value for key, value in needed.items() if key != name}
            assert client.post(path, json={"data": instance, "options": without}).status_code == 422, (path, name)
        assert client.post(path, json={"data": instance, "options": {**needed, "nonsense": 1}}).status_code == 422


def _some_value(schema: Json) -> object:
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array":
        return schema["items"]["enum"][:2]
    if kind == "object":
        return {}
    return schema.get("default", schema.get("minimum", 0.5))


@pytest.mark.parametrize("path", ["/models", "/models/{model}", "/models/{model}/versions/{version}", "/health/ready"])
def test_what_is_told_of_models_is_what_the_document_says(client: TestClient, document: Json, path: str) -> None:
    examples = {p["name"]: p["example"] for p in document["paths"][path]["get"].get("parameters", [])}

    answer = client.get(path.format(**examples))

    assert answer.status_code == 200
    assert faults(answer.json(), schema_of(document, path, "get"), document) == []


def test_the_documented_warnings_are_those_that_are_given(client: TestClient, document: Json) -> None:
    codes = document["components"]["schemas"]["InputWarning"]["properties"]["code"]["enum"]

    assert set(codes) == {"outside_training_range", "unknown_category", "missing"}
    assert openapi_shared.SCHEMAS["InputWarning"]["properties"]["code"]["enum"] == codes


def test_a_service_without_models_still_documents_the_rest(serving: Callable[..., TestClient], tmp_path: Path) -> None:
    document = serving(tmp_path).get("/openapi.json").json()

    assert "/models" in document["paths"]
    assert "/predict" not in document["paths"]
