"""Where the model service runs, found out from what platforms set."""

from pathlib import Path

from model_api.containers import Defaults, defaults

NOWHERE = Path("/nowhere/at/all")


def test_on_a_machine_of_one_s_own_it_is_alone() -> None:
    assert defaults({}, NOWHERE) == Defaults("127.0.0.1", "8000", "models", None, {})
    assert defaults({"MODEL_API_MODELS": "mine"}, NOWHERE).models == "mine"


def test_vertex_ai_names_port_and_models() -> None:
    environment = {"AIP_HTTP_PORT": "8085", "AIP_STORAGE_URI": "gs://bucket/models"}

    assert defaults(environment, NOWHERE) == Defaults("0.0.0.0", "8085", "gs://bucket/models", "*", {})
    assert defaults({"AIP_HTTP_PORT": "8085"}, NOWHERE).models == "models"


def test_sagemaker_puts_the_models_into_a_folder(tmp_path: Path) -> None:
    assert defaults({}, tmp_path) == Defaults("0.0.0.0", "8080", str(tmp_path), "*", {})


def test_the_payload_of_batch_transform_may_come() -> None:
    environment = {"AIP_HTTP_PORT": "1", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}

    assert defaults(environment, NOWHERE).environment == {"MODEL_API_MAX_BODY_BYTES": str(6 * 2**20)}
    assert defaults({**environment, "MODEL_API_MAX_BODY_BYTES": "9999"}, NOWHERE).environment == {}
    assert defaults({**environment, "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, NOWHERE).environment == {}
