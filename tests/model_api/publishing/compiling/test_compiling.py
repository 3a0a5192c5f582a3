"""Compiling as a whole: which forms are tried, which are kept, and what the record says of them."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression

from model_api.publishing import compiling, publish
from model_api.publishing.compiling import Compiled, compile_estimator, proof, proof_rows
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes import lowered
from model_api.runtimes.frames import layout_of
from model_api.runtimes.lowered import ARRAYS, PLAN
from model_api.runtimes.onnx import FILE as ONNX
from model_api.runtimes.sklearn import SklearnPredictor
from tests.model_api.zoo import ZOO, Case


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with fewer rows, and measure for a shorter time."""
    monkeypatch.setattr(proof, "SECONDS", 0.02)
    monkeypatch.setattr(compiling, "TIMED", 0.0005)
    for kind in ("MIXED", "SHAKEN", "STRETCHED", "GAPPED"):
        monkeypatch.setattr(proof_rows, kind, 150)


def compiled(case: Case, *, forms: bool = True) -> Compiled:
    return compile_estimator(case.fitted, case.signature, case.layout, case.columns, case.reference, forms=forms)


def test_both_exact_forms_of_a_linear_model_are_kept() -> None:
    found = compiled(ZOO["ridge"])

    assert set(found.files) == {PLAN, ARRAYS, ONNX}
    assert {name: form["proved"] for name, form in found.forms.items()} == {"plan": True, "onnx": True}
    assert {name: form["file"] for name, form in found.forms.items()} == {"plan": PLAN, "onnx": ONNX}
    assert found.forms["onnx"]["outputs"] == {"numbers": "variable"}
    assert set(found.timings) == {"estimator", "plan", "onnx"}


def test_a_form_in_float32_is_left_out_beside_an_exact_one() -> None:
    found = compiled(ZOO["tree"])

    assert found.forms["plan"]["proved"]
    assert found.forms["onnx-float32"]["proved"]
    assert "file" not in found.forms["onnx-float32"]
    assert ONNX not in found.files


def test_a_form_in_float32_is_kept_where_no_exact_one_is_proved() -> None:
    found = compiled(ZOO["support vectors with probabilities"])

    assert set(found.files) == {ONNX}
    assert not found.forms["plan"]["proved"]
    assert not found.forms["onnx"]["proved"]
    assert found.forms["onnx-float32"] == {
        "proved": True,
        "largest_difference": pytest.approx(5e-7, abs=5e-6),
        "reason": "",
        "numbers": "float32",
        "tolerance": 1e-5,
        "outputs": {"labels": "label", "probabilities": "probabilities"},
        "file": ONNX,
    }


def test_an_exact_conversion_is_kept_where_there_is_no_plan() -> None:
    found = compiled(ZOO["Gaussian process"])

    assert set(found.files) == {ONNX}
    assert found.forms["onnx"]["proved"]
    assert "onnx-float32" not in found.forms


def test_a_wrong_conversion_is_not_kept_and_says_what_it_got_wrong() -> None:
    found = compiled(ZOO["tuned threshold"])

    assert set(found.files) == {PLAN, ARRAYS}
    for name in ("onnx", "onnx-float32"):
        assert not found.forms[name]["proved"]
        assert set(found.forms[name]["worst"]["instance"]) == set(ZOO["tuned threshold"].signature.names)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_bare_array_is_tried_where_nothing_compiled_is_proved() -> None:
    found = compiled(ZOO["a function of the user's own"])

    assert found.files == {}
    assert found.forms["array"]["proved"]
    assert "array" in found.timings


@pytest.mark.parametrize("name", ["ridge", "people"])
def test_no_bare_array_is_tried_beside_a_compiled_form(name: str) -> None:
    assert "array" not in compiled(ZOO[name]).forms


def test_without_forms_there_are_examples_alone() -> None:
    found = compiled(ZOO["forest"], forms=False)

    assert (found.files, found.forms) == ({}, {})
    assert set(found.timings) == {"estimator"}
    assert found.rows["thresholds"] == found.rows["beside thresholds"] == 0
    assert len(found.examples["labels"]) == 20


@pytest.mark.parametrize("name", ["ridge", "two numbers", "forest of three classes", "hard votes", "people"])
def test_examples_are_rows_with_the_estimators_answers(name: str) -> None:
    case = ZOO[name]
    found = compiled(case, forms=False).examples

    answer = case.reference.predict(found["columns"])

    for part in ("numbers", "labels", "probabilities"):
        expected = getattr(answer, part)
        assert (found[part] is None) == (expected is None)
        if expected is not None:
            assert np.array(found[part]) == pytest.approx(expected, rel=1e-12)
    first = {feature: values[0] for feature, values in found["columns"].items()}
    assert first == {feature: values[0] for feature, values in case.columns.items()}
    assert len(next(iter(found["columns"].values()))) == 20


def test_the_record_counts_rows_of_each_kind() -> None:
    case = ZOO["tree for numbers"]

    rows = compiled(case).rows

    splits = len({*zip(case.fitted.tree_.feature, case.fitted.tree_.threshold, strict=True)} - {(-2, -2.0)})
    assert rows == {
        "real": len(case.frame),
        "drawn": 4 * 150,
        "beside thresholds": 2 * splits,
        "thresholds": splits,
        "thresholds tried": splits,
        "left out because the estimator refuses them": 0,
    }


def test_rows_that_the_estimator_refuses_are_counted() -> None:
    rows = compiled(ZOO["ridge after Box-Cox"]).rows

    assert 0 < rows["left out because the estimator refuses them"] < rows["drawn"]


@pytest.mark.parametrize("name", ["tuned threshold", "people", "support vectors with probabilities", "stack"])
def test_the_record_is_json_that_can_be_sent_on(name: str) -> None:
    found = compiled(ZOO[name])

    json.dumps([found.parity(), found.examples, found.timings], allow_nan=False)


@pytest.mark.parametrize(
    ("name", "by_probability"),
    [("logistic regression", True), ("tuned threshold", False), ("ridge", False), ("support vectors", False)],
)
def test_a_label_is_by_probability_only_when_it_always_is(name: str, by_probability: bool) -> None:
    assert compiled(ZOO[name], forms=False).by_probability is by_probability


def test_the_same_estimator_is_compiled_to_the_same_content() -> None:
    first, second = compiled(ZOO["forest of three classes"]), compiled(ZOO["forest of three classes"])

    assert (first.files, first.examples, first.rows) == (second.files, second.examples, second.rows)
    assert {n: f["proved"] for n, f in first.forms.items()} == {n: f["proved"] for n, f in second.forms.items()}


def test_of_very_many_real_rows_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "MOST_REAL", 100)

    assert compiled(ZOO["ridge"], forms=False).rows["real"] == 100


def test_a_plan_that_is_wrong_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(read: Any) -> Any:
        document = json.loads(read(PLAN))
        document["nodes"][0]["features"].reverse()
        return lowered.LoweredPredictor(document, read(ARRAYS), read)

    monkeypatch.setattr("model_api.publishing.compiling.lowered.load", damaged)

    found = compiled(ZOO["ridge"])

    assert not found.forms["plan"]["proved"]
    assert set(found.files) == {ONNX}


class Centred(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """Predicts the distance to the mean of the rows that it is asked about."""

    def predict(self, X: Any) -> Any:
        """Look at all rows at once."""
        values = np.asarray(X, dtype=float)[:, 0]
        return values - values.mean()


class Silent(RegressorMixin, BaseEstimator):  # type: ignore[misc] # likewise
    """Answers for nothing."""

    def predict(self, X: Any) -> Any:
        """Refuse."""
        raise ValueError(f"nothing to say of {len(X)} rows")


@pytest.mark.parametrize(
    ("estimator", "reason"), [(Centred(), "depends on the rows beside it"), (Silent(), "answers for none of the rows")]
)
def test_an_estimator_that_cannot_be_served_is_refused(estimator: Any, reason: str) -> None:
    X, y = pd.DataFrame({"x": np.arange(50.0)}), pd.Series(np.arange(50.0))
    signature = infer_signature(LinearRegression(), X, y, {}, {})
    layout = layout_of(X)
    predictor = SklearnPredictor(estimator, layout)

    with pytest.raises(ValueError, match=reason):
        compile_estimator(estimator, signature, layout, {"x": X["x"].tolist()}, predictor)


def test_publishing_says_nothing_of_feature_names_on_the_console(tmp_path: Path) -> None:
    case = ZOO["a function of the user's own"]

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        publish(case.fitted, case.frame, case.true, name="own", models=tmp_path)

    assert [str(warning.message) for warning in said] == []
