"""kserve's InferenceRESTClient, for both versions of the protocol."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from common import arguments, columns_of, report, table_of
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

url, rows = arguments()


def ask(protocol: str, call: Callable[[Any], Any]) -> Any:
    """Make one call, with a client of its own."""

    async def made() -> Any:
        async with InferenceRESTClient(RESTConfig(protocol=protocol)) as client:
            return await call(client)

    return asyncio.run(made())


def values_of(response: Any) -> dict[str, Any]:
    """Give the outputs by name."""
    return {output.name: output.as_numpy().tolist() for output in response.outputs}


def table(binary: bool) -> Any:
    """Ask the numeric model for all rows, as one input."""
    array = np.array(table_of(rows["numeric"]), np.float64)
    tensor = InferInput("input-0", list(array.shape), "FP64")
    tensor.set_data_from_numpy(array, binary_data=binary)
    request = InferRequest(model_name="numeric", infer_inputs=[tensor], request_id="9")
    return values_of(ask("v2", lambda client: client.infer(url, request, model_name="numeric")))


def columns(binary: bool) -> Any:
    """Ask the mixed model for all rows, with one input a feature."""
    inputs = []
    for name, values in columns_of(rows["mixed"]).items():
        text = any(isinstance(value, str) for value in values)
        gap: Any = "" if text else np.nan
        column = [gap if value is None else value for value in values]
        array = np.array(column, np.object_ if text else np.float64)
        tensor = InferInput(name, list(array.shape), "BYTES" if text else "FP64")
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    request = InferRequest(model_name="mixed", infer_inputs=inputs)
    return values_of(ask("v2", lambda client: client.infer(url, request, model_name="mixed")))


def first_version(model: str, instances: Any) -> Any:
    """Ask in the first version of the protocol."""
    return ask("v1", lambda client: client.infer(url, {"instances": instances}, model_name=model))


report(
    "kserve",
    {
        "v2 is_server_live": lambda: ask("v2", lambda client: client.is_server_live(url)),
        "v2 is_server_ready": lambda: ask("v2", lambda client: client.is_server_ready(url)),
        "v2 is_model_ready": lambda: ask("v2", lambda client: client.is_model_ready(url, "mixed")),
        "v2 infer, JSON, table": lambda: table(False),
        "v2 infer, binary, table": lambda: table(True),
        "v2 infer, JSON, columns": lambda: columns(False),
        "v2 infer, binary, columns": lambda: columns(True),
        "v1 is_server_live": lambda: ask("v1", lambda client: client.is_server_live(url)),
        "v1 is_model_ready": lambda: ask("v1", lambda client: client.is_model_ready(url, "mixed")),
        "v1 infer, lists": lambda: first_version("numeric", table_of(rows["numeric"])),
        "v1 infer, objects": lambda: first_version("mixed", rows["mixed"]),
        "v1 infer, a mistake": lambda: first_version("mixed", [{**rows["mixed"][0], "size": "big"}]),
    },
)
