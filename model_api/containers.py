"""What the platform expects that runs this in a container: its environment and folders → how to serve.

Vertex AI sets AIP_HTTP_PORT and AIP_STORAGE_URI; SageMaker unpacks the models into /opt/ml/model. Both call from
outside the container, by whatever name: there the service listens on every address and answers to every host name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SAGEMAKER_MODELS = Path("/opt/ml/model")
PORT, MODELS, MAX_BODY, MEGABYTES = (
    "AIP_HTTP_PORT",
    "AIP_STORAGE_URI",
    "MODEL_API_MAX_BODY_BYTES",
    "SAGEMAKER_MAX_PAYLOAD_IN_MB",
)
EVERY_ADDRESS, EVERY_HOST = "0.0.0.0", "*"  # noqa: S104 -- what a platform calls from outside


class Defaults(NamedTuple):
    """How to serve, unless the operator says otherwise."""

    host: str
    port: str
    models: str
    allowed_hosts: str | None
    """Host names that are answered to; None to take them from the host."""
    environment: Mapping[str, str]
    """Other settings of the service."""


def defaults(environment: Mapping[str, str], sagemaker: Path = SAGEMAKER_MODELS) -> Defaults:
    """Find out where this runs, and what is expected there."""
    models = environment.get("MODEL_API_MODELS")
    if not sagemaker.is_dir() and not {PORT, MODELS} & set(environment):
        return Defaults("127.0.0.1", "8000", models or "models", None, {})
    there = str(sagemaker) if sagemaker.is_dir() else "models"
    size = environment.get(MEGABYTES, "")
    more = {MAX_BODY: str(int(size) * 2**20)} if size.isdigit() and int(size) else {}
    more = {} if MAX_BODY in environment else more
    port = environment.get(PORT, "8080")
    return Defaults(EVERY_ADDRESS, port, models or environment.get(MODELS, there), EVERY_HOST, more)
