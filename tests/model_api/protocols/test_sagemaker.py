"""What SageMaker asks of a container, besides what it shares with MLflow."""

from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from tests.model_api.protocols.conftest import Sample
from tests.model_api.protocols.test_mlflow import table_of


def test_batch_transform_is_told_how_much_to_send(serving: Callable[..., TestClient], odd_models: Path) -> None:
    client = serving(odd_models, max_body_bytes=6 * 2**20)

    parameters = client.get("/execution-parameters").json()

    assert parameters["BatchStrategy"] == "MULTI_RECORD"
    assert parameters["MaxPayloadInMB"] == 6
    assert parameters["MaxConcurrentTransforms"] >= 1


def test_headers_of_the_platform_change_nothing(small_client: TestClient, flats: Sample) -> None:
    headers = {"Content-Type": "text/csv", "Accept": "text/csv", "X-Amzn-SageMaker-Custom-Attributes": "a=b"}

    answer = small_client.post("/invocations", content=table_of(flats, header=False), headers=headers)

    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == len(flats.rows)
