"""A whole pipeline as ONNX, computed by ONNX Runtime: one tensor a feature in, numbers or classes out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from model_api.errors import ArtifactError
from model_api.runtimes import Output, Row
from model_api.signature import Columns

FILE = "pipeline.onnx"
KINDS: Mapping[str, tuple[Any, Any]] = {
    "tensor(float)": (np.float32, np.nan),
    "tensor(double)": (np.float64, np.nan),
    "tensor(int64)": (np.int64, 0),
    "tensor(string)": (object, ""),
}
"""Type of an input → dtype of the array, and what stands for a missing value."""


_threads: ContextVar[int] = ContextVar("threads", default=1)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Make sessions of so many threads; of one by default, for requests come side by side."""
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


def session_of(data: bytes) -> Any:
    """Make an ONNX Runtime session. Raises ArtifactError."""
    import onnxruntime  # only a process with such a model pays for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = _threads.get(), 1
    options.log_severity_level = 4  # what is wrong comes as an exception
    try:
        return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a dozen classes of its own, with no common root
        raise ArtifactError(f"ONNX Runtime refuses the file: {_first_line(error)}") from error


def direct_run(session: Any) -> Callable[[Sequence[str], Mapping[str, Any]], list[Any]]:
    """Give the compiled run of a session, without the checks of names that its wrapper makes on each call."""
    compiled = getattr(session, "_sess", None)
    if compiled is None:
        run: Callable[[Sequence[str], Mapping[str, Any]], list[Any]] = session.run
        return run
    return lambda outputs, feed: compiled.run(outputs, feed, None)


class OnnxPredictor:
    """Runs a pipeline that was converted as a whole: one matrix of all features in, or one tensor a feature."""

    def __init__(
        self, session: Any, features: Sequence[str], outputs: Mapping[str, str], classes: Sequence[Any]
    ) -> None:
        """`outputs`: the name of each part; `classes`: the target's. Raises ArtifactError."""
        self._session = session
        self._features = list(features)
        self._outputs = dict(outputs)
        self._names = list(self._outputs.values())
        self._compute = direct_run(session)
        self._positions = {level: position for position, level in enumerate(classes)}
        inputs = {found.name: found.type for found in session.get_inputs()}
        if not all(kind in KINDS for kind in inputs.values()):
            raise ArtifactError(f"{FILE} has an input of an unknown type: {', '.join(inputs.values())}")
        self._matrix = (next(iter(inputs)), list(features)) if set(inputs) != set(features) else None
        if self._matrix and len(inputs) != 1:
            raise ArtifactError(f"{FILE} has the inputs {', '.join(inputs)}, which are not the features")
        self._inputs = [(name, *KINDS[kind]) for name, kind in inputs.items()]

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        return self._run(self._feed(columns))

    def predict_one(self, row: Row) -> Output:
        """Predict for one instance, the values of its features; None is missing."""
        if self._matrix:
            tensor, dtype, _ = self._inputs[0]
            return self._run({tensor: np.array([row], dtype=dtype)})
        return self._run(self._feed({name: [value] for name, value in zip(self._features, row, strict=True)}))

    def _run(self, feed: dict[str, Any]) -> Output:
        results = dict(zip(self._outputs, self._compute(self._names, feed), strict=True))
        if "numbers" in results:
            numbers = np.asarray(results["numbers"], dtype=np.float64)
            return Output(numbers=numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers)
        shares = np.asarray(results["probabilities"], dtype=np.float64) if "probabilities" in results else None
        positions = [self._positions[level] for level in results["labels"].tolist()]
        return Output(labels=np.array(positions, dtype=np.intp), probabilities=shares)

    def _feed(self, columns: Columns) -> dict[str, Any]:
        if self._matrix:
            (tensor, dtype, _), names = self._inputs[0], self._matrix[1]
            return {tensor: np.ascontiguousarray(np.array([columns[name] for name in names], dtype=dtype).T)}
        return {
            name: np.array([missing if value is None else value for value in columns[name]], dtype=dtype)[:, None]
            for name, dtype, missing in self._inputs
        }


def load(read: Callable[[str], bytes], features: Sequence[str], outputs: Any, classes: Sequence[Any]) -> OnnxPredictor:
    """Load a converted pipeline from an artifact's files. Raises ArtifactError."""
    if not isinstance(outputs, Mapping) or not set(outputs) <= {"numbers", "labels", "probabilities"}:
        raise ArtifactError(f"{FILE} is not described as a pipeline")
    return OnnxPredictor(session_of(read(FILE)), features, outputs, classes)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
