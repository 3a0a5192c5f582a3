"""A skops file is looked into, not loaded; what is no skops file, or is made to do harm, is refused with the reason."""

import gzip
import io
import json
import pickle  # noqa: TID251 -- such files are refused; here they are made
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import joblib  # noqa: TID251 -- likewise
import numpy as np
import pytest
import skops.io
from scipy import sparse  # type: ignore[import-untyped] # it ships no types
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

from model_api.errors import ArtifactError
from model_api.inspection import skops_file
from model_api.inspection.skops_file import is_pickle, look_into
from model_api.publishing.estimator_file import dump
from model_api.runtimes.sklearn import untrusted_types
from model_api.trust import Trust
from tests.model_api.zoo import ZOO

RIDGE = dump(Ridge().fit([[0.0, 1.0], [1.0, 3.0], [2.0, 2.0]], [0, 1, 2]))
OWN_FUNCTION = "a function of the user's own"


def entries_of(data: bytes) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return {name: archive.read(name) for name in archive.namelist()}


ENTRIES = entries_of(RIDGE)
SCHEMA: dict[str, Any] = json.loads(ENTRIES["schema.json"])
(ARRAY, *_) = sorted(name for name in ENTRIES if name.endswith(".npy"))


def packed(entries: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_schema(**changes: Any) -> bytes:
    return packed({**ENTRIES, "schema.json": json.dumps({**SCHEMA, **changes}).encode()})


def with_schema_text(text: str | bytes) -> bytes:
    return packed({**ENTRIES, "schema.json": text if isinstance(text, bytes) else text.encode()})


def with_array(data: bytes) -> bytes:
    return packed({**ENTRIES, ARRAY: data})


def npy(header: str, version: tuple[int, int] = (1, 0), values: bytes = b"\0" * 64) -> bytes:
    """Give the bytes of an array file with a header of one's own."""
    text = header.encode("latin1") + b" " * 8 + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text + values


def header(shape: str, dtype: str = "'<f8'") -> str:
    return f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}"


def declared(size: int, data: bytes = RIDGE) -> bytes:
    """Let the first entry say in the archive's table that it is of another size."""
    place = data.index(b"PK\x01\x02") + 24
    return data[:place] + struct.pack("<I", size) + data[place + 4 :]


def flagged(place: int, value: int, data: bytes = RIDGE) -> bytes:
    """Change a byte of the first entry in the archive's table."""
    at = data.index(b"PK\x01\x02") + place
    return data[:at] + bytes([value]) + data[at + 1 :]


def twice(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry, data in ENTRIES.items():
            archive.writestr(entry, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(name, ENTRIES[name])
    return buffer.getvalue()


def pickled(kind: str) -> bytes:
    buffer = io.BytesIO()
    estimator = Ridge().fit([[0.0], [1.0]], [0, 1])
    if kind == "pickle":
        return pickle.dumps(estimator)
    if kind == "old pickle":
        return pickle.dumps(estimator, protocol=0)
    joblib.dump(estimator, buffer, compress={"joblib": 0, "zlib": 3, "gzip": ("gzip", 3)}[kind])
    return buffer.getvalue()


@pytest.mark.parametrize("name", [name for name in ZOO if name != OWN_FUNCTION])
def test_every_estimator_of_the_zoo_is_let_in(name: str) -> None:
    data = dump(ZOO[name].fitted)

    found = look_into(data)

    assert found.refused(Trust()) == []
    assert found.types
    assert found.entries == len(entries_of(data))
    assert found.inflated == sum(map(len, entries_of(data).values()))


@pytest.mark.parametrize("name", [name for name in ZOO if name != OWN_FUNCTION])
def test_every_estimator_of_the_zoo_can_be_loaded_without_further_trust(name: str) -> None:
    assert untrusted_types(dump(ZOO[name].fitted), Trust()) == []


def test_a_function_of_the_users_own_is_named() -> None:
    found = look_into(dump(ZOO[OWN_FUNCTION].fitted))

    (refused,) = found.refused(Trust())
    assert refused.endswith("zoo._own_square")
    assert found.refused(Trust((refused,))) == []


def test_a_file_says_what_it_holds() -> None:
    found = look_into(RIDGE)

    assert found.types["sklearn.linear_model._ridge.Ridge"] == 1
    assert found.types["numpy.ndarray"] >= 1
    assert list(found.types) == sorted(found.types)
    assert found.protocol == SCHEMA["protocol"]
    assert found.skops_version == skops.__version__


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "it is not a zip archive"),
        (b"just some text", "it is not a zip archive"),
        (RIDGE[:-30], "it is not a zip archive"),
        (pickled("pickle"), "looks like a pickle, and that format is refused"),
        (pickled("old pickle"), "looks like a pickle, and that format is refused"),
        (pickled("joblib"), "looks like a pickle, and that format is refused"),
        (pickled("zlib"), r"looks like a compressed pickle \(joblib\)"),
        (pickled("gzip"), r"looks like a compressed pickle \(joblib\)"),
        (gzip.compress(pickled("pickle")), r"looks like a compressed pickle \(joblib\)"),
        (b"BZh91AY&SY", r"looks like a compressed pickle \(joblib\)"),
        (b"\xfd7zXZ\x00\x00", r"looks like a compressed pickle \(joblib\)"),
    ],
    ids=[
        *("empty", "picture", "text", "cut off", "pickle", "old pickle", "joblib", "joblib by zlib", "joblib by gzip"),
        *("gzip", "bzip2", "xz"),
    ],
)
def test_another_format_is_refused_by_its_name(data: bytes, reason: str) -> None:
    with pytest.raises(ArtifactError, match=rf"estimator\.skops is not a skops file: .*{reason}"):
        look_into(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (declared(2**31), "would inflate to 2,147,.* bytes, more than 268,435,456"),
        (packed({**ENTRIES, "zeros.bin": b"\0" * 2**25}), "would inflate to .* times its size"),
        (packed({**ENTRIES, **{f"{i}.bin": b"" for i in range(10_001)}}), "holds 10,0.. entries, more than 10,000"),
        (packed({**ENTRIES, "../x.npy": b""}), "no plain file name: '../x.npy'"),
        (packed({**ENTRIES, "a/b.npy": b""}), "no plain file name: 'a/b.npy'"),
        (packed({**ENTRIES, "/etc/passwd": b""}), "no plain file name"),
        (packed({**ENTRIES, "a\\b.npy": b""}), "no plain file name"),
        (packed({**ENTRIES, ".hidden": b""}), "no plain file name"),
        (packed({**ENTRIES, "a\nb.npy": b""}), "no plain file name"),
        (packed({**ENTRIES, "\u202eypn.a": b""}), "no plain file name"),
        (flagged(8, 1), "holds an encrypted entry"),
        (twice("schema.json"), "holds two entries of the same name: 'schema.json'"),
        (twice(ARRAY), "holds two entries of the same name"),
    ],
    ids=[
        *("declared size", "ratio", "10,001 entries", "parent folder", "folder", "absolute", "backslash", "hidden"),
        *("new line", "right to left", "encrypted", "schema twice", "array twice"),
    ],
)
def test_an_archive_made_to_do_harm_is_refused_before_it_is_inflated(
    data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inflated(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was inflated")

    monkeypatch.setattr(zlib, "decompressobj", inflated)
    monkeypatch.setattr(zipfile.ZipFile, "open", inflated)

    with pytest.raises(ArtifactError, match=reason):
        look_into(data)


def test_a_large_file_that_is_hardly_compressed_is_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skops_file, "SUSPICIOUS_BYTES", 1000)

    assert look_into(packed({**ENTRIES, "numbers.bin": np.random.default_rng(0).bytes(5000)})).inflated > 5000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed({name: data for name, data in ENTRIES.items() if name != "schema.json"}), r"it has no schema\.json"),
        (with_schema_text("[]"), r"schema\.json is no object"),
        (with_schema_text("null"), r"schema\.json is no object"),
        (with_schema_text("{"), r"schema\.json cannot be read"),
        (with_schema_text(b"\xff\xfe\x00"), r"schema\.json cannot be read"),
        (with_schema_text("[" * 100_000 + "]" * 100_000), r"schema\.json cannot be read"),
        (with_schema(protocol=999), "is of the protocol 999, which this server does not know"),
        (with_schema(protocol=-1), "is of the protocol -1"),
        (with_schema(protocol=True), "is of the protocol True"),
        (with_schema(protocol="2"), "is of the protocol 2"),
        (with_schema(protocol=None), "is of the protocol None"),
        (with_schema(protocol=2.0), r"is of the protocol 2\.0"),
        (with_schema(__loader__="EvalNode"), "asks for the unknown loader 'EvalNode'"),
        (with_schema(__loader__=None), "asks for the unknown loader 'None'"),
        (with_schema(inner=[{"deep": {"__loader__": "x" * 500}}]), "asks for the unknown loader 'x{64}'$"),
    ],
    ids=[
        *("no schema", "list", "null", "half", "no text", "very deep", "protocol 999", "negative", "truth", "text"),
        *("none", "fraction", "loader", "no loader", "loader deep inside"),
    ],
)
def test_a_schema_that_is_none_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        look_into(data)


@pytest.mark.parametrize("depth", [450, 900])
def test_objects_nested_too_deeply_are_refused(depth: int) -> None:
    text = f'{{"protocol": 2, "content": {"[" * depth}{"]" * depth}}}'

    with pytest.raises(ArtifactError, match="nested deeper than 400"):
        look_into(with_schema_text(text))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (npy(header("(1,)", "'|O'")), "holds an array of objects, which only a pickle can hold"),
        (npy(header("(1,)", "[('a', '<f8'), ('b', '|O')]")), "holds an array of objects"),
        (npy(header("(99,)")), "says it is larger than it is"),
        (npy(header("(1000000, 1000000)")), "says it is larger than it is"),
        (npy(header("(99,)"), (2, 0)), "says it is larger than it is"),
        (npy(header("(99,)"), (3, 0)), "says it is larger than it is"),
        (npy(header("(1,)", "'<z9'")), "is no array"),
        (npy(header("(1.5,)")), "is no array"),
        (npy("{'shape': (1,)}"), "is no array"),
        (npy("__import__('os').system('false')"), "is no array"),
        (npy("x" * 20_000), "is no array"),
        (b"", "is no array"),
        (b"\x93NUMPY", "is no array"),
        (b"\x93NUMPY\x01\x00\xff\xff", "is no array"),
        (pickle.dumps([1, 2, 3]), "is no array"),
    ],
    ids=[
        *("objects", "objects in a field", "one more", "very many", "version 2", "version 3", "no type", "no shape"),
        *("too little", "code", "too long", "empty", "magic alone", "cut off", "pickle"),
    ],
)
def test_an_array_that_is_none_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        look_into(with_array(data))


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_an_array_of_each_version_is_read(version: tuple[int, int]) -> None:
    assert look_into(with_array(npy(header("(8,)"), version))).entries == len(ENTRIES)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_however_it_is_compressed_it_is_read(compression: int) -> None:
    assert look_into(packed(ENTRIES, compression)).types == look_into(RIDGE).types


def test_an_unknown_compression_is_refused() -> None:
    with pytest.raises(ArtifactError, match="is damaged"):
        look_into(flagged(10, 77))


@pytest.mark.parametrize(
    ("module", "name", "loader"),
    [
        ("os", "system", "FunctionNode"),
        ("posix", "system", "FunctionNode"),
        ("builtins", "eval", "FunctionNode"),
        ("builtins", "exec", "FunctionNode"),
        ("builtins", "getattr", "FunctionNode"),
        ("builtins", "__import__", "FunctionNode"),
        ("operator", "attrgetter", "OperatorFuncNode"),
        ("subprocess", "Popen", "ObjectNode"),
        ("sklearnx.evil", "Estimator", "ObjectNode"),
        ("mypackage", "Estimator", "TypeNode"),
        (None, None, "MethodNode"),
        (["os"], {"system": 1}, "ReduceNode"),
    ],
)
def test_what_may_not_run_is_named(module: Any, name: Any, loader: str) -> None:
    node = {"__class__": name, "__module__": module, "__loader__": loader, "content": {}}

    found = look_into(with_schema(inner=[{"deep": node}]))

    assert found.refused(Trust()) == [f"{module}.{name}"]


def test_a_function_that_a_transformer_calls_is_named() -> None:
    found = look_into(dump(FunctionTransformer(eval)))

    assert found.refused(Trust()) == ["builtins.eval"]
    assert found.refused(Trust(("builtins.eval",))) == []


@pytest.mark.parametrize("data", [pickle.dumps(1), pickle.dumps(Ridge(), protocol=0), b"\x80\x05N."])
def test_a_pickle_is_known_by_its_first_operations(data: bytes) -> None:
    assert is_pickle(data)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"{}", b"\x93NUMPY", b"\x00\x01", RIDGE])
def test_what_is_no_pickle_does_not_look_like_one(data: bytes) -> None:
    assert not is_pickle(data)


def test_an_archive_inside_of_the_archive_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skops_file, "MOST_BYTES", 1_000_000)
    inner = io.BytesIO()
    zeros = np.zeros(300_000)
    sparse.save_npz(inner, sparse.csr_matrix((zeros, zeros.astype(np.int32), [0, len(zeros)]), shape=(1, 1)))
    assert len(inner.getvalue()) < 100_000

    with pytest.raises(ArtifactError):
        look_into(packed({**ENTRIES, "999.npz": inner.getvalue()}))


@pytest.mark.parametrize("place", [0, 20, 40])
def test_a_damaged_compressed_entry_is_refused(place: int) -> None:
    info = zipfile.ZipFile(io.BytesIO(RIDGE)).getinfo("schema.json")
    data = bytearray(RIDGE)
    data[info.header_offset + 30 + len("schema.json") + 5 + place] ^= 0xFF

    with pytest.raises(ArtifactError):
        look_into(bytes(data))


def test_an_archive_of_a_later_version_is_refused() -> None:
    data = bytearray(RIDGE)
    data[data.index(b"PK\x01\x02") + 6] = 99

    with pytest.raises(ArtifactError):
        look_into(bytes(data))


@pytest.mark.parametrize("loader", [[], {}, ["NdArrayNode"]])
def test_a_loader_that_is_no_text_is_refused(loader: Any) -> None:
    schema = json.dumps({**json.loads(ENTRIES["schema.json"]), "__loader__": loader}).encode()

    with pytest.raises(ArtifactError):
        look_into(packed({**ENTRIES, "schema.json": schema}))


@pytest.mark.parametrize("text", ["{'descr': '<f8', 'fortran_order': False, 'shape': (", "'''", "{1: 2, 'a': 3}"])
def test_an_array_whose_header_is_no_table_is_refused(text: str) -> None:
    name = next(entry for entry in ENTRIES if entry.endswith(".npy"))
    data = b"\x93NUMPY\x01\x00" + len(text + "\n").to_bytes(2, "little") + text.encode() + b"\n"

    with pytest.raises(ArtifactError):
        look_into(packed({**ENTRIES, name: data}))


@pytest.mark.parametrize("shape", ["(100000000,)", "(1,)"], ids=["larger than it is", "of objects"])
def test_an_array_is_looked_at_whatever_its_name_is(shape: str) -> None:
    """Names count for nothing: skops loads an array from any entry."""
    archive = zipfile.ZipFile(io.BytesIO(RIDGE))
    entries = {name: archive.read(name) for name in archive.namelist()}
    name = next(entry for entry in entries if entry.endswith(".npy"))
    header = (
        f"{{'descr': '{'|O' if shape == '(1,)' else '<f8'}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    )
    entries.pop(name)
    entries["x.bin"] = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    entries["schema.json"] = entries["schema.json"].replace(name.encode(), b"x.bin")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as renamed:
        for entry, data in entries.items():
            renamed.writestr(entry, data)

    with pytest.raises(ArtifactError):
        look_into(buffer.getvalue())
