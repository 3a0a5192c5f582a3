"""A client that openapi-python-client generates from our own document.

The generator has to be told that a table is bytes; JSON, as which the telling is written, is YAML too.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import arguments, report

url, rows = arguments()
folder = tempfile.TemporaryDirectory()
NAME = "servery_model_service_client"
TABLES = (
    *("text/csv", "application/vnd.apache.parquet", "application/x-parquet"),
    *("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"),
)


def generate() -> str:
    """Generate the client; gives what the generator says, which should be nothing bad."""
    settings = Path(folder.name) / "settings.yaml"
    settings.write_text(json.dumps({"content_type_overrides": dict.fromkeys(TABLES, "application/octet-stream")}))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{url}/openapi.json"]
    command += ["--output-path", str(Path(folder.name) / "client"), "--meta", "none", "--config", str(settings)]
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it formats what it writes
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": tools})
    (Path(folder.name) / "client").rename(Path(folder.name) / NAME)
    sys.path.insert(0, folder.name)
    return done.stdout + done.stderr


def predict(model: str, data: Any) -> Any:
    """Ask by the generated function for one model."""
    client = importlib.import_module(NAME).Client(base_url=url)
    call = importlib.import_module(f"{NAME}.api.{model}.predict_{model}")
    request = importlib.import_module(f"{NAME}.models.{model}_request")
    kind = getattr(request, f"{model.capitalize()}Request")
    answer = call.sync(client=client, body=kind.from_dict({"data": data}))
    return answer.to_dict()


def reference(model: str) -> Any:
    """Ask for the data that came with the model."""
    client = importlib.import_module(NAME).Client(base_url=url)
    call = importlib.import_module(f"{NAME}.api.{model}.predict_reference_{model}")
    return call.sync(client=client, limit=3).to_dict()


report(
    "openapi-python-client",
    {
        "generate": generate,
        "predict, many": lambda: predict("numeric", rows["numeric"])["prediction"],
        "predict, one": lambda: predict("numeric", rows["numeric"][0])["prediction"],
        "predict, strings and gaps": lambda: predict("mixed", rows["mixed"])["prediction"],
        "predict_reference": lambda: len(reference("mixed")["data"]),
        "predict, a mistake": lambda: predict("mixed", {**rows["mixed"][0], "size": "big"})["errors"],
    },
)
