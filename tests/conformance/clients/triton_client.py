"""tritonclient.http, with JSON and with binary tensors."""

from typing import Any

import numpy as np
from common import arguments, columns_of, report, table_of
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

url, rows = arguments()
client = InferenceServerClient(url.removeprefix("http://"))
NUMPY: dict[str, Any] = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def table(binary: bool) -> list[Any]:
    """All of the numeric model's features as one input."""
    array = np.array(table_of(rows["numeric"]), np.float64)
    tensor = InferInput("input-0", list(array.shape), "FP64")
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def columns(binary: bool) -> list[Any]:
    """The mixed model's features, one input each, with the datatypes that the service tells."""
    values = columns_of(rows["mixed"])
    inputs = []
    for told in client.get_model_metadata("mixed")["inputs"]:
        gap: Any = "" if told["datatype"] == "BYTES" else np.nan
        column = [gap if value is None else value for value in values[told["name"]]]
        array: Any = np.array(column, NUMPY[told["datatype"]])
        tensor = InferInput(told["name"], list(array.shape), told["datatype"])
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    return inputs


def infer(model: str, inputs: list[Any], binary: bool, *names: str, **more: Any) -> Any:
    """Ask for outputs; give them by name."""
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in names]
    result = client.infer(model, inputs, outputs=outputs or None, **more)
    return {name: result.as_numpy(name).tolist() for name in names or ("predict",)}


def classes() -> Any:
    """The two best classes of each row."""
    outputs = [InferRequestedOutput("predict_proba", binary_data=True, class_count=2)]
    found = client.infer("numeric", table(True), outputs=outputs).as_numpy("predict_proba")
    return [[text.decode() for text in row] for row in found]


def a_mistake() -> Any:
    """Ask with one column alone."""
    return client.infer("mixed", columns(False)[:1])


report(
    "tritonclient",
    {
        "is_server_live, is_server_ready": lambda: [client.is_server_live(), client.is_server_ready()],
        "is_model_ready": lambda: [client.is_model_ready("mixed", "1"), client.is_model_ready("nobody")],
        "get_server_metadata": client.get_server_metadata,
        "get_model_metadata": lambda: client.get_model_metadata("mixed"),
        "infer, JSON, table": lambda: infer("numeric", table(False), False, "predict", "predict_proba"),
        "infer, binary, table": lambda: infer("numeric", table(True), True, "predict", "predict_proba"),
        "infer, outputs not named": lambda: infer("numeric", table(True), True),
        "infer, JSON, columns": lambda: infer("mixed", columns(False), False, "predict"),
        "infer, binary, columns": lambda: infer("mixed", columns(True), True, "predict"),
        "infer, version and id": lambda: infer("mixed", columns(True), True, model_version="1", request_id="7"),
        "infer, classification": classes,
        "infer, a mistake": a_mistake,
        "get_inference_statistics": lambda: client.get_inference_statistics("numeric", "1"),
        "get_inference_statistics, all": client.get_inference_statistics,
        "get_model_repository_index": client.get_model_repository_index,
        "load_model": lambda: client.load_model("mixed"),
        "unload_model": lambda: client.unload_model("mixed"),
    },
)
