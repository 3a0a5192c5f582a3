"""Versions that must not be served: each made from a good one, with the reason that must be named.

The numbers are those of the list of bad artifacts in the project's threat model: R1 to R42.
"""

import hashlib
import io
import json
import os
import pickle  # noqa: TID251 -- bad ones are made here
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib  # noqa: TID251 -- bad ones are made here
import numpy as np
import onnx

Attack = Callable[[Path], object]
SKOPS = "estimator.skops"
TREES = "trees-0.onnx"


@dataclass(frozen=True)
class Case:
    """One bad version."""

    number: str
    what: str
    reason: str
    """What the service must say of it, as a regular expression."""
    attack: Attack
    """Makes a good version, given as a folder, into the bad one."""
    model: str = "forest"
    """The model that gets it."""


class Canary:
    """Code that leaves a trace should anything ever run it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled as a command."""
        return os.system, (f"touch {self.path}",)


def reseal(version: Path, name: str, data: bytes) -> None:
    """Replace a file and every hash of it, as somebody would who may write to the folder."""
    (version / name).write_bytes(data)
    manifest = json.loads((version / "manifest.json").read_bytes())
    _list(manifest, name, data)
    if name == SKOPS:
        parity = json.loads((version / "parity.json").read_bytes()) | {"estimator": manifest["files"][name]}
        data = json.dumps(parity).encode()
        (version / "parity.json").write_bytes(data)
        _list(manifest, "parity.json", data)
    (version / "manifest.json").write_text(json.dumps(manifest))


def _list(manifest: dict[str, Any], name: str, data: bytes) -> None:
    manifest["files"][name] = hashlib.sha256(data).hexdigest()
    manifest["sizes"][name] = len(data)


def cases(canary: Path) -> list[Case]:
    """Give every case; a canary that runs would make the file `canary`."""
    return [*_files(), *_manifests(), *_pickles(canary), *_skops(canary), *_onnx(), *_contradictions(), *_code()]


# What is wrong with the files themselves.


def _files() -> Iterator[Case]:
    yield Case("R1", "a file is missing", "estimator.skops cannot be read: No such file", _remove(SKOPS))
    yield Case("R2", "a file is empty", r"estimator.skops is incomplete: 0 of [\d,]+ bytes are there", _cut(SKOPS, 0))
    yield Case(
        "R2b", "a file is empty, and sealed", "estimator.skops is not a skops file: it is empty", _put(SKOPS, b"")
    )
    yield Case("R3", "a file is cut off", r"estimator.skops is incomplete: [\d,]+ of", _cut(SKOPS, 700))
    yield Case("R5", "another hash", "plan.json is not the file that was published: its SHA-256 differs", _other_hash)
    yield Case("R21", "a link", r"card.md cannot be read: Too many levels of symbolic links", _link)
    yield Case("R21b", "a pipe", "card.md is not a regular file", _replaced(os.mkfifo))
    yield Case(
        "R21c", "a folder", "card.md is not a regular file|card.md cannot be read: Is a directory", _replaced(os.mkdir)
    )
    yield Case("R21d", "a device", "card.md cannot be read|card.md is not a regular file", _device)
    yield Case("R36", "still being copied", r"plan.bin is incomplete: [\d,]+ of", _cut("plan.bin", 40))
    yield Case("R36b", "not copied yet", "it is incomplete: it has no manifest.json yet", _remove("manifest.json"))
    yield Case(
        "R37", "no permission", "plan.json cannot be read: Permission denied", lambda v: (v / "plan.json").chmod(0)
    )
    yield Case("R41", "10 GB without content", "plan.bin is larger than 268435456 bytes", _sparse)


def flipped_bits(version: Path, count: int, seed: int = 4) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give `count` flips of one bit in some file, each as the file's name and what undoes the flip."""
    random = np.random.default_rng(seed)
    files = sorted(path for path in version.iterdir() if path.name != "manifest.json")
    for _ in range(count):
        path = files[random.integers(len(files))]
        good = path.read_bytes()
        place, bit = int(random.integers(len(good))), int(random.integers(8))
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])
        yield path.name, lambda path=path, good=good: path.write_bytes(good)  # type: ignore[misc]


def _remove(name: str) -> Attack:
    return lambda version: (version / name).unlink()


def _cut(name: str, size: int) -> Attack:
    return lambda version: os.truncate(version / name, size)


def _put(name: str, data: bytes) -> Attack:
    return lambda version: reseal(version, name, data)


def _other_hash(version: Path) -> None:
    (version / "plan.json").write_bytes((version / "plan.json").read_bytes().replace(b"]", b" ]", 1))


def _link(version: Path) -> None:
    (version / "card.md").unlink()
    (version / "card.md").symlink_to("/etc/hostname")


def _replaced(make: Callable[[Path], None]) -> Attack:
    def attack(version: Path) -> None:
        (version / "card.md").unlink()
        make(version / "card.md")

    return attack


def _device(version: Path) -> None:
    (version / "card.md").unlink()
    (version / "card.md").symlink_to("/dev/zero")


def _sparse(version: Path) -> None:
    os.truncate(version / "plan.bin", 10 * 2**30)


# What is wrong with the manifest.


def _manifests() -> Iterator[Case]:
    yield Case("R6", "no manifest", "it is incomplete: it has no manifest.json yet", _remove("manifest.json"))
    for letter, text, reason in (
        ("", b"card", "Expecting value"),
        ("b", b'{"format": NaN}', "NaN is not JSON"),
        ("c", b'{"format": 1, "format": 1}', "it names a key twice"),
        ("d", b'{"a":' * 100_000, "nested too deeply|Expecting"),
    ):
        yield Case(f"R7{letter}", f"its manifest is {text[:30]!r}", reason, _manifest(text))
    yield Case("R8", "a format from the future", "manifest.json is of another format than 1", _manifest_says(format=99))
    yield Case("R39", "a file's name leads out", r"it lists the file '../../passwd'", _lists("../../passwd"))


def _manifest(text: bytes) -> Attack:
    return lambda version: (version / "manifest.json").write_bytes(text)


def _manifest_says(**changes: Any) -> Attack:
    def attack(version: Path) -> None:
        manifest = json.loads((version / "manifest.json").read_bytes())
        (version / "manifest.json").write_text(json.dumps({**manifest, **changes}))

    return attack


def _lists(name: str) -> Attack:
    def attack(version: Path) -> None:
        manifest = json.loads((version / "manifest.json").read_bytes())
        manifest["files"][name] = "0" * 64
        (version / "manifest.json").write_text(json.dumps(manifest))

    return attack


# Code that would run if it were loaded.


def _pickles(canary: Path) -> Iterator[Case]:
    evil = pickle.dumps(Canary(canary))
    buffer = io.BytesIO()
    joblib.dump(Canary(canary), buffer)
    refused = "estimator.skops is not a skops file: it looks like a (compressed )?pickle"
    yield Case("R9", "a pickle under another name", refused, _put(SKOPS, evil))
    yield Case("R9b", "a joblib file under another name", refused, _put(SKOPS, buffer.getvalue()))
    yield Case(
        "R10", "a pickle as a pickle", "it was published from a pickle, which can run any code", _as_pickle(evil)
    )
    bomb = io.BytesIO()
    joblib.dump(np.zeros(30_000_000), bomb, compress=("zlib", 9))
    yield Case("R11", "240 MB in a small joblib file", refused, _put(SKOPS, bomb.getvalue()))


def _as_pickle(data: bytes) -> Attack:
    def attack(version: Path) -> None:
        manifest = json.loads((version / "manifest.json").read_bytes())
        del manifest["files"][SKOPS]
        (version / SKOPS).unlink()
        _list(manifest, "estimator.pickle", data)
        (version / "estimator.pickle").write_bytes(data)
        parity = json.loads((version / "parity.json").read_bytes())
        parity["estimator"] = manifest["files"]["estimator.pickle"]
        (version / "parity.json").write_text(json.dumps(parity))
        _list(manifest, "parity.json", (version / "parity.json").read_bytes())
        (version / "manifest.json").write_text(json.dumps(manifest))

    return attack


# Archives that are made to do harm.


def _skops(canary: Path) -> Iterator[Case]:
    command = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": f'"touch {canary}"'}
    call = {
        "__class__": "system", "__module__": "posix", "__loader__": "FunctionNode", "__id__": 1,
        "content": {"module_path": "posix", "function": "system"},
    }  # fmt: skip
    arguments = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [command]}
    reduced = {
        "__class__": "system", "__module__": "posix", "__loader__": "ReduceNode", "__id__": 2,
        "content": {"args": arguments},
    }  # fmt: skip
    untrusted = r"estimator.skops holds types that are not trusted: posix.system"
    yield Case("R12", "skops that calls os.system", untrusted, _schema(lambda schema: _hide(schema, reduced)))
    yield Case("R13", "skops that names a function", untrusted, _schema(lambda schema: _hide(schema, call)))
    yield Case("R14", "protocol 999", "is of the protocol 999", _schema(lambda schema: schema | {"protocol": 999}))
    strange = command | {"__loader__": "EvalNode"}
    yield Case("R15", "an unknown loader", "unknown loader 'EvalNode'", _schema(lambda schema: _hide(schema, strange)))
    objects = io.BytesIO()
    np.save(objects, np.array([Canary(canary)], dtype=object), allow_pickle=True)
    yield Case("R16", "an array of objects", "holds an array of objects", _entry("evil.npy", objects.getvalue()))
    zeros = io.BytesIO()
    np.save(zeros, np.zeros(30_000_000))
    yield Case(
        "R17",
        "an array of 240 MB of zeros",
        r"would inflate to [\d,]+ times its size",
        _entry("big.npy", zeros.getvalue()),
    )
    yield Case("R18", "10,001 entries", r"holds 10,0\d\d entries, more than 10,000", _many_entries)
    yield Case("R19", "an entry that leads out", r"no plain file name: '../../evil'", _entry("../../evil", b"x"))
    yield Case("R20", "an entry twice", "two entries of the same name: 'schema.json'", _twice)
    yield Case("R20b", "an encrypted entry", "holds an encrypted entry: 'schema.json'", _encrypted)


def _entries(version: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(version / SKOPS) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(entries: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def _schema(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Attack:
    def attack(version: Path) -> None:
        entries = _entries(version)
        entries["schema.json"] = json.dumps(change(json.loads(entries["schema.json"]))).encode()
        reseal(version, SKOPS, _zip(list(entries.items())))

    return attack


def _hide(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Put a node among the attributes of the estimator."""
    schema["content"]["content"]["verbose"] = node
    return schema


def _entry(name: str, data: bytes) -> Attack:
    return lambda version: reseal(version, SKOPS, _zip([*_entries(version).items(), (name, data)]))


def _many_entries(version: Path) -> None:
    more = [(f"more-{number}", b"") for number in range(10_001)]
    reseal(version, SKOPS, _zip([*_entries(version).items(), *more]))


def _twice(version: Path) -> None:
    entries = list(_entries(version).items())
    other = [("schema.jsox", data) for name, data in entries if name == "schema.json"]
    data = _zip([*entries, *other])
    reseal(version, SKOPS, data.replace(b"schema.jsox", b"schema.json"))


def _encrypted(version: Path) -> None:
    data = bytearray(_zip(list(_entries(version).items())))
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"schema.json"))
    data[place + 8] |= 1
    reseal(version, SKOPS, bytes(data))


# ONNX files that are made to do harm.


def _onnx() -> Iterator[Case]:
    yield Case("R23", "rubbish for ONNX", f"{TREES} is not an ONNX file", _put(TREES, b"\x08\x0arubbish" * 50))
    yield Case("R24", "tensors in another file", f"{TREES} keeps the tensor 'x' in another file", _model(_external))
    yield Case("R25", "operators of the future", "is of opset 99 of ai.onnx.ml", _model(_future))
    yield Case("R26", "operators of nobody", "uses the custom operator|unknown domain 'evil'", _model(_custom))
    yield Case("R27", "2^40 numbers in a tensor", "has a tensor of the size 1048576×1048576", _model(_huge))


def _model(change: Callable[[Any], None]) -> Attack:
    def attack(version: Path) -> None:
        model = onnx.load_from_string((version / TREES).read_bytes())
        change(model)
        reseal(version, TREES, model.SerializeToString())

    return attack


def _external(model: Any) -> None:
    tensor = model.graph.initializer.add(name="x", data_type=1, dims=[1], data_location=1)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def _future(model: Any) -> None:
    next(opset for opset in model.opset_import if opset.domain == "ai.onnx.ml").version = 99


def _custom(model: Any) -> None:
    model.opset_import.add(domain="evil", version=1)
    model.graph.node[0].domain = "evil"


def _huge(model: Any) -> None:
    model.graph.initializer.add(name="x", data_type=1, dims=[2**20, 2**20])


# Parts that do not belong together, and answers that are not right.


def _contradictions() -> Iterator[Case]:
    yield Case(
        "R28",
        "a feature too few",
        "the examples have 5 features, the signature 4",
        _signature(lambda s: s["features"].pop()),
    )
    yield Case("R29", "a feature of another type", "its own reference row is not valid", _signature(_as_boolean))
    yield Case("R30", "other stored answers", r"answers? .* otherwise|differ", _examples(lambda e: _plus(e, 1.0)))
    yield Case("R33", "NaN among the numbers of its trees", "not finite|differ|otherwise", poison)
    yield Case(
        "R34",
        "a classification, it says",
        "the target is a regression, and has no classes",
        _signature(_classes),
    )


def _signature(change: Callable[[dict[str, Any]], Any]) -> Attack:
    return _changed("signature.json", change)


def _examples(change: Callable[[dict[str, Any]], Any]) -> Attack:
    return _changed("examples.json", change)


def _changed(name: str, change: Callable[[dict[str, Any]], Any]) -> Attack:
    def attack(version: Path) -> None:
        document = json.loads((version / name).read_bytes())
        change(document)
        reseal(version, name, json.dumps(document).encode())

    return attack


def _as_boolean(signature: dict[str, Any]) -> None:
    area = signature["features"][0]
    signature["features"][0] = {"name": area["name"], "type": "boolean", "label": area["label"]}


def _classes(signature: dict[str, Any]) -> None:
    signature["target"] |= {"classes": ["cheap", "dear"]}


def _plus(examples: dict[str, Any], more: float) -> None:
    examples["numbers"] = [number + more for number in examples["numbers"]]


def poison(version: Path) -> None:
    """Let all trees answer NaN, and seal that."""
    model = onnx.load_from_string((version / TREES).read_bytes())
    weights = next(a for a in model.graph.node[0].attribute if a.name == "leaf_weights").t
    values = np.full_like(onnx.numpy_helper.to_array(weights), np.nan)
    weights.CopyFrom(onnx.numpy_helper.from_array(values))
    reseal(version, TREES, model.SerializeToString())


# Code of a model package that misbehaves when it is loaded; the service lets the package `odd` run.

ODD = """
import ctypes, os, time
from pathlib import Path
import pandas as pd

def load_data():
    return pd.DataFrame({"x": [float(i) for i in range(30)]}), pd.Series([2.0 * i for i in range(30)], name="y")

def predict(model, X):
    return X["x"] * 2

def load_model():
    behaviour = Path(__file__).with_name("behaviour").read_text()
    if behaviour == "hang":
        time.sleep(600)
    if behaviour == "raise":
        raise RuntimeError("no such weights")
    if behaviour == "crash":
        ctypes.string_at(0)
    if behaviour == "eat":
        return bytearray(8 * 2**30)
    if behaviour == "exit":
        os._exit(3)
"""


def install_odd(site: Path) -> None:
    """Make the package `odd`, which behaves as the file beside it says."""
    about = site / "odd-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[servery.models]\nodd = odd_model\n")
    (site / "odd_model.py").write_text(ODD)
    (site / "behaviour").write_text("good")


def _code() -> Iterator[Case]:
    for number, what, behaviour, reason in (
        ("R31", "loading hangs", "hang", "it was not loaded after 20 s, and its trial was ended"),
        ("R32", "loading raises", "raise", "RuntimeError: no such weights"),
        ("R42", "loading crashes", "crash", "the process that tried it was ended by SIGSEGV"),
        ("R42b", "loading eats all memory", "eat", r"loading it takes more than [\d,]+ bytes of memory"),
        ("R42c", "loading ends the process", "exit", "ended with code 3 and said nothing"),
    ):
        yield Case(number, what, reason, _behave(behaviour), model="odd")


def _behave(behaviour: str) -> Attack:
    return lambda version: (version.parents[1] / "site" / "behaviour").write_text(behaviour)
