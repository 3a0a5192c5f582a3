"""Whole pipelines as skl2onnx converts them: right ones are proved, the known wrong ones are caught."""

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from model_api.errors import ArtifactError
from model_api.inspection import onnx_file
from model_api.publishing.compiling import proof, proof_rows
from model_api.publishing.compiling.onnx_pipeline import Unconvertible, convert, predictor_of
from model_api.publishing.compiling.proof import Expected, Verdict, compare, expect
from model_api.runtimes.selection import TOLERANCES
from tests.model_api.zoo import ZOO, Case
from tests.model_api.zoo_data import diabetes

RIGHT = ["ridge", "two numbers", "logistic regression", "logistic regression of named classes", "support vectors"]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with fewer rows, and each size of batch for a shorter time."""
    monkeypatch.setattr(proof, "SECONDS", 0.02)
    for kind in ("MIXED", "SHAKEN", "STRETCHED", "GAPPED"):
        monkeypatch.setattr(proof_rows, kind, 500)


def asked(case: Case) -> Expected:
    rows = proof_rows.joined([case.columns, proof_rows.drawn(case.signature, case.columns)])
    expected, _ = expect(case.reference, rows)
    assert expected is not None
    return expected


def verdict_on(name: str, *, single: bool) -> Verdict:
    case = ZOO[name]
    predictor = predictor_of(
        convert(case.fitted, case.layout, single=single), case.layout, case.signature.target.classes
    )
    return compare(predictor, asked(case), TOLERANCES["float32" if single else "float64"])


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("single", [False, True], ids=["float64", "float32"])
def test_a_right_conversion_is_proved(name: str, single: bool) -> None:
    verdict = verdict_on(name, single=single)

    assert verdict.reason == ""
    assert verdict.proved


@pytest.mark.parametrize(
    ("name", "single"),
    [
        ("tuned threshold", False),
        ("tuned threshold", True),
        ("forest of three classes", False),
        ("forest", False),
        ("histograms behind a scaler", True),
        ("histograms", True),
        ("histograms for counts", True),
        ("neighbours by distance", False),
        ("linear discriminants", False),
        ("calibrated by steps", True),
        ("quadratic discriminants", False),
    ],
)
def test_a_wrong_conversion_is_caught(name: str, single: bool) -> None:
    verdict = verdict_on(name, single=single)

    assert not verdict.proved
    assert verdict.reason.startswith(("it gives ", "it fails: "))


def test_a_tuned_threshold_is_forgotten_by_the_conversion_and_shows_in_the_label() -> None:
    case = ZOO["tuned threshold"]
    assert abs(case.fitted.best_threshold_ - 0.5) > 0.01

    verdict = verdict_on("tuned threshold", single=False)

    assert verdict.reason.startswith("it gives class ")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("people", "missing values are string"),
        ("fixed threshold", "FixedThresholdClassifier"),
        ("two numbers in a chain", "RegressorChain"),
        ("a function of the user's own", "FunctionTransformer"),
    ],
)
def test_what_cannot_be_converted_says_why(name: str, reason: str) -> None:
    case = ZOO[name]

    with pytest.raises(Unconvertible, match=reason) as refusal:
        convert(case.fitted, case.layout, single=False)

    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_what_onnx_runtime_refuses_is_not_served() -> None:
    case = ZOO["histograms"]
    converted = convert(case.fitted, case.layout, single=False)

    with pytest.raises(ArtifactError, match="ONNX Runtime refuses the file"):
        predictor_of(converted, case.layout, case.signature.target.classes)


def test_the_same_estimator_is_converted_to_the_same_bytes() -> None:
    case = ZOO["logistic regression"]

    assert convert(case.fitted, case.layout, single=False) == convert(case.fitted, case.layout, single=False)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("ridge", {"numbers"}),
        ("logistic regression", {"labels", "probabilities"}),
        ("support vectors", {"labels"}),
    ],
)
def test_a_conversion_says_what_its_outputs_are(name: str, outputs: set[str]) -> None:
    case = ZOO[name]

    assert set(convert(case.fitted, case.layout, single=False).outputs) == outputs


BY_COLUMN = Case(
    make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), ["bmi", "age"])], remainder=MinMaxScaler()), LinearRegression()
    ),
    diabetes,
)


@pytest.mark.parametrize(("case", "inputs"), [(ZOO["ridge"], 1), (BY_COLUMN, 10)], ids=["as a whole", "by name"])
def test_columns_are_taken_one_by_one_only_where_a_step_asks_for_them(case: Case, inputs: int) -> None:
    converted = convert(case.fitted, case.layout, single=False)

    found = onnx_file.look_into(converted.data, "pipeline.onnx")

    assert len(found.inputs) == inputs


def test_a_conversion_that_takes_columns_one_by_one_is_proved() -> None:
    converted = convert(BY_COLUMN.fitted, BY_COLUMN.layout, single=False)

    assert compare(predictor_of(converted, BY_COLUMN.layout, ()), asked(BY_COLUMN), TOLERANCES["float64"]).proved
