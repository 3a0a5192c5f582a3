"""What the command line is given → an estimator, data and descriptions."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io
from sklearn.base import is_classifier

from model_api.errors import ArtifactError, OperatorError
from model_api.facts import FEATURE, MODEL, TARGET, TEXT, Fact, require_facts
from model_api.inspection import mlflow_model, skops_file
from model_api.publishing.estimator_knowledge import features_known_to
from model_api.publishing.quality.unseen import Table
from model_api.trust import Trust

MOST_BYTES = 2**31
"""Of a file with a model or with data."""
DESCRIPTION = {
    **MODEL,
    "features": Fact("a table, such as [features.age]", lambda value: isinstance(value, dict)),
    "target": Fact("a table, such as [target]", lambda value: isinstance(value, dict)),
}
DESCRIBED = tuple(DESCRIPTION)
"""What a description may say."""


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
    told = _with_texts_for_dates(told)
    try:
        require_facts("the description", told, DESCRIPTION)
        for name, facts in told.get("features", {}).items():
            require_facts(f"the feature {name}", facts, {**FEATURE, "dtype": TEXT})
        require_facts("the target", told.get("target", {}), TARGET)
    except ValueError as error:
        raise UnusableSource(f"{path}: {error}") from error
    return Description(**told)


def _with_texts_for_dates(told: Any) -> Any:
    """Write TOML's own dates as text, as a signature has them."""
    if isinstance(told, dict):
        return {key: _with_texts_for_dates(value) for key, value in told.items()}
    return told.isoformat() if isinstance(told, date | datetime) else told


def read_data(
    path: Path, target: Sequence[str], names: Sequence[str], dtypes: dict[str, str], texts: Collection[str] = ()
) -> Table:
    """Read rows from CSV or Parquet: features and true values. `names`: those the estimator asks for, if it says so.

    `texts`: columns that are text whatever they look like, unless `dtypes` says otherwise. Raises UnusableSource.
    """
    frame = _typed(_frame(path, {**dict.fromkeys(texts, "str"), **dtypes}, texts), dtypes, path)
    lacking = [name for name in (*target, *names) if name not in frame.columns]
    if lacking:
        found = ", ".join(map(str, frame.columns[:20]))
        raise UnusableSource(f"{path} has no column {lacking[0]!r}; it has {found}")
    y = frame[target[0]] if len(target) == 1 else frame[list(target)]
    kept = frame.dropna(subset=list(target)).index  # rows without a true value tell nothing of the model
    X = frame[list(names)] if names else frame.drop(columns=list(target))
    return X.loc[kept].reset_index(drop=True), y.loc[kept].reset_index(drop=True)


def texts_known_to(estimator: Any, target: Sequence[str]) -> set[str]:
    """Name the columns that an estimator knows as text: a CSV would make numbers of codes such as 01234."""
    known = {name: fact.categories for name, fact in features_known_to(estimator).items()}
    if len(target) == 1 and is_classifier(estimator):
        known[target[0]] = tuple(getattr(estimator, "classes_", ()))
    return {name for name, levels in known.items() if levels and all(isinstance(level, str) for level in levels)}


def _frame(path: Path, dtypes: Mapping[str, str], texts: Collection[str]) -> pd.DataFrame:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnusableSource(f"{path} is larger than {MOST_BYTES:,} bytes; publish with a sample of it")
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return _csv(path, dtypes, texts)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise UnusableSource(f"{path} cannot be read as a table: {error}") from error


def _csv(path: Path, dtypes: Mapping[str, str], texts: Collection[str]) -> pd.DataFrame:
    """Read a CSV with the dtypes that were told: what is made of a column first cannot be brought back later."""
    later = {"datetime64": None, "category": "str"}  # categories of numbers are numbers, unless they are text
    told = {name: later.get(dtype, dtype) for name, dtype in dtypes.items()}
    told = {name: dtype for name, dtype in told.items() if dtypes[name] != "category" or name in texts}
    told = {name: dtype for name, dtype in told.items() if dtype}
    try:
        return pd.read_csv(path, dtype=told)  # type: ignore[arg-type] # names of dtypes, told by the user
    except (ValueError, TypeError) as error:
        for name, dtype in told.items():
            _require_dtype(path, name, str(dtype))
        raise UnusableSource(f"{path} cannot be read as a table: {error}") from error


def _require_dtype(path: Path, name: str, dtype: str) -> None:
    """Name the column that is not of the dtype that was told. Raises UnusableSource."""
    try:
        pd.read_csv(path, usecols=lambda column: column == name, dtype={name: dtype})
    except pd.errors.ParserError:
        raise  # it is no table at all
    except (ValueError, TypeError) as error:
        raise UnusableSource(f"{path}: the column {name} is no {dtype}: {error}") from error


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
    try:
        return mlflow_model.look_into(folder).file
    except ArtifactError as error:
        raise UnusableSource(str(error)) from error
