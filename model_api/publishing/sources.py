"""What the command line is given → an estimator, data and descriptions."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io

from model_api.errors import ArtifactError, OperatorError
from model_api.inspection import skops_file
from model_api.publishing.quality.unseen import Table
from model_api.trust import Trust

MOST_BYTES = 2**31
"""Of a file with a model or with data."""
DESCRIBED = ("title", "description", "card", "synthetic", "features", "target")


class UnusableSource(OperatorError):
    """A file that was named on the command line cannot be used; says which, and what to do."""


@dataclass(frozen=True)
class Description:
    """What a person tells of a model, read from a TOML file."""

    title: str = ""
    description: str = ""
    card: str = ""
    synthetic: bool = False
    features: dict[str, dict[str, Any]] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)

    @property
    def dtypes(self) -> dict[str, str]:
        """Dtypes of columns, where the file says what data alone would not tell."""
        kinds = {"date": "datetime64", "datetime": "datetime64"}
        told = {name: kinds.get(str(facts.get("type")), "") for name, facts in self.features.items()}
        told |= {name: str(facts["dtype"]) for name, facts in self.features.items() if "dtype" in facts}
        return {name: dtype for name, dtype in told.items() if dtype}

    @property
    def described(self) -> dict[str, dict[str, Any]]:
        """What is said of the features, without their dtypes."""
        return {
            name: {key: value for key, value in facts.items() if key != "dtype"}
            for name, facts in self.features.items()
        }


def read_description(path: Path | None) -> Description:
    """Read what a person tells of a model. Raises UnusableSource, naming the key that is wrong."""
    if path is None:
        return Description()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableSource(f"{path} cannot be read: {error}") from error
    if unknown := sorted(set(told) - set(DESCRIBED)):
        raise UnusableSource(f"{path} has the unknown key {unknown[0]!r}; there is {', '.join(DESCRIBED)}")
    for key in ("features", "target"):
        if not isinstance(told.get(key, {}), dict):
            raise UnusableSource(f"{path}: {key} must be a table, such as [{key}.age]")
    for name, facts in told.get("features", {}).items():
        if not isinstance(facts, dict):
            raise UnusableSource(f"{path}: the feature {name} must be a table, such as [features.{name}]")
    return Description(**told)


def read_data(path: Path, target: Sequence[str], names: Sequence[str], dtypes: dict[str, str]) -> Table:
    """Read rows from CSV or Parquet: features and true values. `names`: those the estimator asks for, if it says so.

    Raises UnusableSource.
    """
    frame = _typed(_frame(path), dtypes, path)
    lacking = [name for name in (*target, *names) if name not in frame.columns]
    if lacking:
        found = ", ".join(map(str, frame.columns[:20]))
        raise UnusableSource(f"{path} has no column {lacking[0]!r}; it has {found}")
    y = frame[target[0]] if len(target) == 1 else frame[list(target)]
    kept = frame.dropna(subset=list(target)).index  # rows without a true value tell nothing of the model
    X = frame[list(names)] if names else frame.drop(columns=list(target))
    return X.loc[kept].reset_index(drop=True), y.loc[kept].reset_index(drop=True)


def _frame(path: Path) -> pd.DataFrame:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnusableSource(f"{path} is larger than {MOST_BYTES:,} bytes; publish with a sample of it")
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return pd.read_csv(path)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise UnusableSource(f"{path} cannot be read as a table: {error}") from error


def _typed(frame: pd.DataFrame, dtypes: dict[str, str], path: Path) -> pd.DataFrame:
    for name, dtype in dtypes.items():
        if name not in frame.columns:
            continue
        try:
            column = pd.to_datetime(frame[name]) if dtype == "datetime64" else frame[name].astype(dtype)  # type: ignore[call-overload] # the name of a dtype, told by the user
        except (ValueError, TypeError) as error:
            raise UnusableSource(f"{path}: the column {name} is no {dtype}: {error}") from error
        frame = frame.assign(**{name: column})
    return frame


def read_model(path: Path, *, trust_pickle: bool, trusted: Sequence[str]) -> Any:
    """Load an estimator: a skops file, an MLflow model, or with `trust_pickle` a pickle. Raises UnusableSource."""
    if path.is_dir():
        path = _mlflow_file(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnusableSource(f"{path} is larger than {MOST_BYTES:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise UnusableSource(f"{path} cannot be read: {error.strerror}") from error
    if data[:4] == b"PK\x03\x04":
        return _from_skops(data, path, trusted)
    if not trust_pickle:
        raise UnusableSource(
            f"{path} is no skops file. If it is a pickle or joblib file that you made yourself, say --trust-pickle: "
            "loading one runs whatever code is in it"
        )
    import joblib  # noqa: TID251 -- the person at the command line trusts this very file

    try:
        return joblib.load(path)
    except Exception as error:  # a pickle can raise anything
        raise UnusableSource(f"{path} cannot be unpickled: {type(error).__name__}: {error}") from error


def _from_skops(data: bytes, path: Path, trusted: Sequence[str]) -> Any:
    trust = Trust(tuple(trusted))
    try:
        skops_file.look_into(data)
    except ArtifactError as error:
        raise UnusableSource(f"{path}: {error}") from error
    refused = sorted(set(skops.io.get_untrusted_types(data=data)) - set(trust.all_types))
    if refused:
        raise UnusableSource(
            f"{path} holds types that are not trusted: {', '.join(refused)}. Those that you know can be named with "
            "--trust-type"
        )
    try:
        return skops.io.loads(data, trusted=trust.all_types)
    except Exception as error:  # a broken file can fail anywhere inside the reader
        raise UnusableSource(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _mlflow_file(folder: Path) -> Path:
    """Find the estimator in an MLflow model with a scikit-learn flavour. Raises UnusableSource."""
    import yaml

    try:
        about = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavour = about["flavors"]["sklearn"]
        name = str(flavour["pickled_model"])
    except OSError as error:
        raise UnusableSource(f"{folder} is a folder, but no MLflow model: it has no file MLmodel") from error
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UnusableSource(f"{folder} is an MLflow model without a scikit-learn flavour") from error
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise UnusableSource(f"{folder} names a file outside of itself: {name}")
    return file
