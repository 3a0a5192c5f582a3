"""What the command line is given: data, descriptions, and estimators that are not trusted by their ending."""

import io
import pickle  # noqa: TID251 -- such files are given to the command line
from pathlib import Path
from typing import Any

import joblib  # noqa: TID251 -- likewise
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, binarize

from model_api.publishing.estimator_file import dump
from model_api.publishing.sources import UnusableSource, read_data, read_description, read_model, texts_known_to

RIDGE = Ridge().fit(pd.DataFrame({"x": [0.0, 1.0, 2.0]}), [0.0, 1.0, 2.0])
ROWS = pd.DataFrame(
    {"area": [50.0, np.nan, 70.5], "built": ["1990-01-02", "2000-05-06", None], "rent": [500, 600, 700]}
)


def given(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.fixture(params=["csv", "parquet"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same three rows as both kinds of file."""
    path = tmp_path / f"rows.{request.param}"
    ROWS.to_csv(path, index=False) if request.param == "csv" else ROWS.to_parquet(path)
    return path


def test_a_table_is_features_and_true_values(rows: Path) -> None:
    X, y = read_data(rows, ["rent"], [], {})

    assert list(X.columns) == ["area", "built"]
    assert y.tolist() == [500, 600, 700]


def test_only_the_columns_that_the_estimator_asks_for_are_taken_in_its_order(rows: Path) -> None:
    X, _ = read_data(rows, ["rent"], ["built", "area"], {})
    assert list(X.columns) == ["built", "area"]

    X, y = read_data(rows, ["rent", "area"], ["built"], {})
    assert list(X.columns) == ["built"]
    assert list(y.columns) == ["rent", "area"]


def test_rows_without_a_true_value_are_left_out(rows: Path) -> None:
    X, y = read_data(rows, ["area"], ["rent"], {})

    assert (X["rent"].tolist(), y.tolist()) == ([500, 700], [50.0, 70.5])


def test_a_column_gets_the_dtype_that_was_told(rows: Path) -> None:
    X, _ = read_data(rows, ["rent"], [], {"built": "datetime64", "area": "Float64", "absent": "Int64"})

    assert str(X["built"].dtype).startswith("datetime64")
    assert str(X["area"].dtype) == "Float64"


def test_a_column_that_is_not_of_the_told_dtype_is_named(rows: Path) -> None:
    with pytest.raises(UnusableSource, match=r"rows\.\w+: the column built is no Int64"):
        read_data(rows, ["rent"], [], {"built": "Int64"})


def test_an_absent_column_is_named_and_so_are_those_that_are_there(rows: Path) -> None:
    for target, names in (["price"], []), (["rent"], ["price"]):
        with pytest.raises(UnusableSource, match=r"has no column 'price'; it has area, built, rent"):
            read_data(rows, target, names, {})


@pytest.mark.parametrize(
    ("name", "data"), [("x.csv", b""), ("x.csv", b'a,b\n"1,2\n'), ("x.csv", b"\xff\xfe\x00"), ("x.parquet", b"PAR1")]
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(UnusableSource, match=r"x\.\w+ cannot be read as a table"):
        read_data(given(tmp_path, name, data), ["y"], [], {})


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match=r"nowhere\.csv cannot be read as a table"):
        read_data(tmp_path / "nowhere.csv", ["y"], [], {})
    with pytest.raises(UnusableSource, match=r"nowhere\.skops cannot be read: No such file"):
        read_model(tmp_path / "nowhere.skops", trust_pickle=True, trusted=[])


def test_nothing_is_described_without_a_file() -> None:
    assert read_description(None).features == {}


def test_a_description_says_what_data_does_not(tmp_path: Path) -> None:
    told = read_description(
        given(
            tmp_path,
            "d.toml",
            'title = "Rent"\nsynthetic = true\n[features.built]\ntype = "date"\nlabel = "Built"\n'
            '[features.rooms]\ndtype = "Int64"\nunit = "rooms"\n[target]\nunit = "€"\n',
        )
    )

    assert (told.title, told.synthetic, told.target) == ("Rent", True, {"unit": "€"})
    assert told.dtypes == {"built": "datetime64", "rooms": "Int64"}
    assert told.described == {"built": {"type": "date", "label": "Built"}, "rooms": {"unit": "rooms"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "cannot be read"),
        ('titel = "Rent"', r"d\.toml: the description has no 'titel'; did you mean title\?"),
        ("x = 3", "the description has no 'x'; there is title, description, card"),
        ("title = 5", "the description: title must be text, not 5"),
        ("features = 3", "features must be a table, such as"),
        ("target = 3", "target must be a table, such as"),
        ("[features]\nage = 3", "the feature age must be a table, not 3"),
        ("[features.age]\nunits = 3", r"the feature age has no 'units'; did you mean unit\?"),
        ("[features.age]\ndtype = 3", "the feature age: dtype must be text, not 3"),
        ('[features.age]\ntype = "numbr"', r"did you mean number\?"),
        ('[target]\nposition = "a"', r"the target has no 'position'; did you mean positive\?"),
    ],
)
def test_a_description_that_is_wrong_is_refused_by_its_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UnusableSource, match=words):
        read_description(given(tmp_path, "d.toml", text))


def test_a_date_of_toml_s_own_is_a_date(tmp_path: Path) -> None:
    told = read_description(given(tmp_path, "d.toml", '[features.built]\ntype = "date"\nminimum = 1990-01-02\n'))

    assert told.described == {"built": {"type": "date", "minimum": "1990-01-02"}}


@pytest.mark.parametrize("dtype", ["str", "string", "object"])
def test_codes_keep_their_zeros_when_they_are_said_to_be_text(tmp_path: Path, dtype: str) -> None:
    path = given(tmp_path, "x.csv", "zip,rent\n01234,1\n,2\n00070,3\n")

    X, _ = read_data(path, ["rent"], [], {"zip": dtype, "absent": "str"})

    assert X["zip"].dropna().tolist() == ["01234", "00070"]
    assert X["zip"].isna().tolist() == [False, True, False]


def test_large_whole_numbers_keep_their_digits_beside_gaps(tmp_path: Path) -> None:
    path = given(tmp_path, "x.csv", "id,rent\n9007199254740993,1\n,2\n")

    X, _ = read_data(path, ["rent"], [], {"id": "Int64"})

    assert X["id"][0] == 9007199254740993


def test_categories_of_numbers_stay_numbers_unless_they_are_text(tmp_path: Path) -> None:
    path = given(tmp_path, "x.csv", "zip,rent\n01234,1\n00070,2\n")

    X, _ = read_data(path, ["rent"], [], {"zip": "category"})
    assert X["zip"].cat.categories.tolist() == [70, 1234]
    X, _ = read_data(path, ["rent"], [], {"zip": "category"}, ["zip"])
    assert X["zip"].cat.categories.tolist() == ["00070", "01234"]


def test_what_an_estimator_knows_as_text_is_read_as_text(tmp_path: Path) -> None:
    path = given(tmp_path, "x.csv", "zip,size,kind\n01234,1,01\n00070,2,02\n01234,3,01\n")
    rows = pd.read_csv(path, dtype={"zip": "str", "kind": "str"})
    columns = make_column_transformer((OneHotEncoder(), ["zip"]), ("passthrough", ["size"]))
    estimator = make_pipeline(columns, LogisticRegression()).fit(rows[["zip", "size"]], rows["kind"])

    texts = texts_known_to(estimator, ["kind"])
    X, y = read_data(path, ["kind"], ["zip", "size"], {}, texts)

    assert texts == {"zip", "kind"}
    assert (X["zip"].tolist(), X["size"].tolist()) == (["01234", "00070", "01234"], [1, 2, 3])
    assert y.tolist() == ["01", "02", "01"]


def test_a_column_that_is_said_to_be_a_date_is_one_though_it_looks_like_a_code(tmp_path: Path) -> None:
    path = given(tmp_path, "x.csv", "built,rent\n20200101,1\n")

    X, _ = read_data(path, ["rent"], [], {"built": "datetime64"}, ["built"])

    assert str(X["built"].dtype).startswith("datetime64")


def test_skops_is_read_by_what_it_is_not_by_its_ending(tmp_path: Path) -> None:
    path = given(tmp_path, "model.pkl", dump(RIDGE))

    assert read_model(path, trust_pickle=False, trusted=[]).coef_.tolist() == RIDGE.coef_.tolist()


def pickled(estimator: Any, how: str) -> bytes:
    if how == "pickle":
        return pickle.dumps(estimator)
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer, compress=3 if how == "compressed" else 0)
    return buffer.getvalue()


@pytest.mark.parametrize("how", ["pickle", "joblib", "compressed"])
def test_a_pickle_is_loaded_only_when_that_is_said(tmp_path: Path, how: str) -> None:
    path = given(tmp_path, "model.skops", pickled(RIDGE, how))

    with pytest.raises(UnusableSource, match=r"is no skops file.*say --trust-pickle: loading one runs"):
        read_model(path, trust_pickle=False, trusted=[])
    assert read_model(path, trust_pickle=True, trusted=[]).coef_.tolist() == RIDGE.coef_.tolist()


def test_what_cannot_be_unpickled_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match=r"x\.pkl cannot be unpickled"):
        read_model(given(tmp_path, "x.pkl", b"no pickle"), trust_pickle=True, trusted=[])


def test_types_that_nobody_reviewed_are_named_and_can_be_trusted(tmp_path: Path) -> None:
    path = given(tmp_path, "x.skops", dump(make_pipeline(FunctionTransformer(binarize))))
    name = "sklearn.preprocessing._data.binarize"

    with pytest.raises(UnusableSource, match=f"types that are not trusted: {name}"):
        read_model(path, trust_pickle=True, trusted=[])
    assert read_model(path, trust_pickle=False, trusted=[name]).steps


def test_a_damaged_skops_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match=r"x\.skops: estimator\.skops is not a skops file"):
        read_model(given(tmp_path, "x.skops", b"PK\x03\x04 and no more"), trust_pickle=True, trusted=[])


def mlflow_model(folder: Path, about: Any, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "MLmodel").write_text(yaml.safe_dump(about))
    (folder / "model.pkl").write_bytes(data)
    return folder


def test_an_mlflow_model_names_the_file_of_its_estimator(tmp_path: Path) -> None:
    about = {"flavors": {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}}}

    folder = mlflow_model(tmp_path / "a", about, pickled(RIDGE, "pickle"))
    assert read_model(folder, trust_pickle=True, trusted=[]).coef_.tolist() == RIDGE.coef_.tolist()
    with pytest.raises(UnusableSource, match="trust-pickle"):
        read_model(folder, trust_pickle=False, trusted=[])

    folder = mlflow_model(tmp_path / "b", about, dump(RIDGE))  # MLflow writes skops when it is told to
    assert read_model(folder, trust_pickle=False, trusted=[]).coef_.tolist() == RIDGE.coef_.tolist()


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"flavors": {"xgboost": {}}}, "without a scikit-learn flavour"),
        ({"flavors": {"sklearn": {"pickled_model": "../../etc/passwd"}}}, "names a file outside of itself"),
        ([], "without a scikit-learn flavour"),
    ],
)
def test_another_mlflow_model_is_refused(tmp_path: Path, about: Any, words: str) -> None:
    with pytest.raises(UnusableSource, match=words):
        read_model(mlflow_model(tmp_path / "m", about, b""), trust_pickle=True, trusted=[])


def test_a_folder_that_is_no_mlflow_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match="is a folder, but no MLflow model: it has no file MLmodel"):
        read_model(tmp_path, trust_pickle=True, trusted=[])
