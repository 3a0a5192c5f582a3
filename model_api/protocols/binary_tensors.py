"""The binary extension of the Open Inference Protocol: JSON, and after it the bytes of the tensors, in their order."""

import struct
from typing import Any

import numpy as np

from model_api.errors import InvalidRequest, UnreadableBody
from model_api.protocols.tensors import BYTES, FORMATS, Tensor, count_of
from model_api.values import clip

HEADER = "Inference-Header-Content-Length"
"""Header that tells how many bytes of a body are JSON."""
MEDIA_TYPE = "application/octet-stream"
LENGTH = struct.Struct("<I")
"""What stands before each element of BYTES."""


def split(body: bytes, header: str | None) -> tuple[bytes, memoryview]:
    """Part a body into its JSON and the bytes of its tensors. Raises InvalidRequest."""
    if header is None:
        return body, memoryview(b"")
    if not (header.isascii() and header.isdigit() and len(header) <= 20 and int(header) <= len(body)):
        raise InvalidRequest(
            f"{HEADER} must be the number of bytes of the JSON, up to the {len(body)} of the body, not {header[:64]!a}"
        )
    return body[: int(header)], memoryview(body)[int(header) :]


class Binary:
    """The bytes after the JSON, taken piece by piece; a size is compared with what is there before it is used."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._start = 0

    def take(self, size: object, name: str) -> memoryview:
        """Give the next bytes. Raises InvalidRequest."""
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise InvalidRequest(f"binary_data_size of {clip(name)} must be a number of bytes, not {clip(size)}")
        left = len(self._data) - self._start
        if size > left:
            raise InvalidRequest(f"binary_data_size of {clip(name)} is {clip(size)}, and {left} bytes are left")
        self._start += size
        return self._data[self._start - size : self._start]

    def require_end(self) -> None:
        """Refuse bytes that belong to no tensor. Raises InvalidRequest."""
        if left := len(self._data) - self._start:
            raise InvalidRequest(f"{left} bytes after the JSON belong to no input; give each its binary_data_size")


def read_elements(data: memoryview, shape: tuple[int, ...], datatype: str, name: str) -> list[Any]:
    """Read the elements of a tensor; a NaN is missing. Raises InvalidRequest or UnreadableBody."""
    count = count_of(shape, name)
    if datatype == BYTES:
        elements = _texts(data, name)
    else:
        size = np.dtype(FORMATS[datatype]).itemsize
        if len(data) != count * size:
            raise InvalidRequest(
                f"the shape {list(shape)} of {clip(name)} needs {count * size} bytes of {datatype}, not {len(data)}"
            )
        elements = _numbers(data, datatype)
    if len(elements) != count:
        raise InvalidRequest(f"the shape {list(shape)} of {clip(name)} has {count} elements, its data {len(elements)}")
    return elements


def count_in(data: memoryview, datatype: str) -> int:
    """Tell how many elements some bytes hold, where no shape tells it. Raises InvalidRequest."""
    if datatype == BYTES:
        return len(_texts(data, "the body"))
    size = np.dtype(FORMATS[datatype]).itemsize
    if len(data) % size:
        raise InvalidRequest(f"the body is not made of whole elements of {datatype}, {size} bytes each")
    return len(data) // size


def write_elements(tensor: Tensor) -> bytes:
    """Give the bytes of a tensor."""
    if tensor.datatype != BYTES:
        return np.asarray(tensor.values, FORMATS[tensor.datatype]).tobytes()
    encoded = [str(value).encode() for value in tensor.values]
    return b"".join(LENGTH.pack(len(text)) + text for text in encoded)


def _numbers(data: memoryview, datatype: str) -> list[Any]:
    if datatype == "BOOL" and any(byte > 1 for byte in data):
        raise InvalidRequest("an element of BOOL is one byte, 0 or 1")
    array = np.frombuffer(data, FORMATS[datatype])
    values: list[Any] = array.tolist()
    if array.dtype.kind == "f" and np.isnan(array).any():
        return [None if value != value else value for value in values]  # noqa: PLR0124 -- only NaN differs from itself
    return values


def _texts(data: memoryview, name: str) -> list[Any]:
    texts, start = [], 0
    while start < len(data):
        if start + LENGTH.size > len(data):
            raise InvalidRequest(f"the bytes of {clip(name)} end within the length of an element")
        (length,) = LENGTH.unpack_from(data, start)
        start += LENGTH.size
        if length > len(data) - start:
            raise InvalidRequest(f"an element of {clip(name)} has {length} bytes, and {len(data) - start} are left")
        texts.append(_text(data[start : start + length], name))
        start += length
    return texts


def _text(data: memoryview, name: str) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableBody(f"an element of {clip(name)} is not UTF-8: byte {error.start} is not valid") from error
