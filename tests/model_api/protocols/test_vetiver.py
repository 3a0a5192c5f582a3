"""What vetiver's clients ask for."""

import json

from starlette.testclient import TestClient

from tests.model_api.protocols.conftest import Sample


def test_a_bare_array_without_a_content_type_is_answered(small_client: TestClient, flats: Sample) -> None:
    answer = small_client.post("/predict", content=json.dumps(flats.rows).encode())

    assert len(answer.json()["predict"]) == len(flats.rows)


def test_metadata_name_version_and_libraries(small_client: TestClient) -> None:
    answer = small_client.get("/metadata")

    assert answer.headers["Servery-Model"] == "rent/1"
    assert answer.json()["version"] == "1"
    assert "scikit-learn" in answer.json()["required_pkgs"]
    assert answer.json()["user"]["estimator"] == "sklearn.pipeline.Pipeline"


def test_the_prototype_is_the_schema_of_an_instance(small_client: TestClient, flats: Sample) -> None:
    schema = small_client.get("/prototype").json()

    assert schema["type"] == "object"
    assert list(schema["properties"]) == list(flats.columns)
    assert schema["properties"]["balcony"]["type"] == ["number", "string", "null"]
    assert "balcony" not in schema["required"]
