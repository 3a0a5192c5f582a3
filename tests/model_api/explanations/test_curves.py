"""How the prediction changes along one feature, along two, and for everybody."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from model_api.errors import InvalidRequest, Unsupported
from model_api.explanations.curves import BINS, ROWS, curve, dependence, map_
from model_api.explanations.question import Question
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.signature import Feature
from tests.model_api.explanations.made_up import MadeUp, number

Loaded = Callable[[str], LoadedModel]
Ask = Callable[..., Question]
EMBEDDED = ["diabetes", "breast-cancer", "wine", "loans"]
STAY = ["area", "children", "breakfast", "board", "stars", "day", "booked", "arrival", "wish"]


def test_they_are_asked_over_http(client: TestClient, applicant: dict[str, Any]) -> None:
    for call, options in (
        ("curve", {"feature": "age"}),
        ("dependence", {"feature": "purpose"}),
        ("map", {"features": ["age", "purpose"]}),
    ):
        body = {"data": applicant, "options": options}
        answer = client.post(f"/models/loans/explanations/{call}", json=body).json()
        assert answer["class"] == "defaulted"


def said_of(model: LoadedModel, row: Any, name: str, values: list[Any]) -> Output:
    """Ask a model itself about a row with one value after another."""
    columns = {feature: [value] * len(values) for feature, value in row.items()}
    return model.predictor.predict({**columns, name: values})


def values_of(answer: dict[str, Any]) -> list[Any]:
    return [point["value"] for point in answer["points"]]


def scores_of(answer: dict[str, Any]) -> list[float]:
    return [point["score"] for point in answer["points"]]


@pytest.mark.parametrize("name", STAY)
@pytest.mark.parametrize("model", ["mixed", "mixed-as-it-is"])
def test_a_curve_tells_what_the_model_says_of_values_that_a_caller_could_send(
    loaded: Loaded, question: Ask, model: str, name: str
) -> None:
    asked = question(model, 3, options={"feature": name})
    answer = curve(asked)
    feature = next(feature for feature in asked.features if feature.name == name)

    assert [feature.parse(value) for value in values_of(answer)] == values_of(answer)
    said = said_of(loaded(model), asked.row, name, values_of(answer)).numbers
    assert said is not None
    np.testing.assert_allclose(scores_of(answer), said, rtol=1e-9)


@pytest.mark.parametrize("place", range(0, 60, 7))
@pytest.mark.parametrize("name", STAY)
def test_the_case_is_on_its_own_curve(loaded: Loaded, question: Ask, name: str, place: int) -> None:
    asked = question("mixed", place, options={"feature": name})
    answer = curve(asked)

    said = loaded("mixed").predictor.predict({name: [value] for name, value in asked.row.items()}).numbers
    assert said is not None
    assert answer["case"]["value"] == asked.row[name]
    assert answer["case"]["score"] == pytest.approx(said[0], rel=1e-9)
    if asked.row[name] is not None:
        assert {"value": asked.row[name], "score": answer["case"]["score"]} in answer["points"]


@pytest.mark.parametrize("name", STAY)
def test_a_line_is_in_order_and_bars_are_for_what_has_none(question: Ask, name: str) -> None:
    answer = curve(question("mixed", options={"feature": name}))

    if name in {"breakfast", "board", "stars", "wish"}:
        assert answer["kind"] == "bars"
        assert len(set(values_of(answer))) == len(answer["points"])
    else:
        assert answer["kind"] == "line"
        assert values_of(answer) == sorted(set(values_of(answer)))


@pytest.mark.parametrize("model", EMBEDDED)
def test_the_values_of_a_curve_have_few_digits(question: Ask, model: str) -> None:
    for feature in question(model).features:
        if feature.type == "number":
            answer = curve(question(model, options={"feature": feature.name}))
            for value in values_of(answer)[1:-1]:
                if value != answer["case"]["value"]:
                    assert value == pytest.approx(float(f"{value:.4g}"), abs=0.51e-3 * float(feature.maximum or 0))
                    assert len(repr(round(value, 6))) <= 8, f"{feature.name} {value}"


def test_a_curve_has_about_as_many_points_as_asked_for_and_the_ends_of_the_range(question: Ask) -> None:
    answer = curve(question("diabetes", options={"feature": "bmi", "points": 12}))

    assert len(answer["points"]) in (12, 13)
    assert (values_of(answer)[0], values_of(answer)[-1]) == (18.0, 42.2)
    assert answer["approximation"] is None


def test_whole_numbers_are_not_repeated(question: Ask) -> None:
    answer = curve(question("loans", options={"feature": "open_loans"}))

    assert values_of(answer) == [0, 1, 2, 3, 4, 5]
    assert all(isinstance(value, int) for value in values_of(answer))


@pytest.mark.parametrize("bmi", [9.25, 71.5])
def test_a_case_outside_the_training_range_widens_it(question: Ask, bmi: float) -> None:
    answer = curve(question("diabetes", options={"feature": "bmi"}, changed={"bmi": bmi}))

    assert (min(values_of(answer)), max(values_of(answer))) == (min(bmi, 18.0), max(bmi, 42.2))
    assert answer["density"]["edges"][0] == 18.0


def test_a_category_has_its_levels_in_the_order_of_the_signature_with_their_counts(
    loaded: Loaded, question: Ask
) -> None:
    answer = curve(question("loans", options={"feature": "purpose"}))

    assert values_of(answer) == ["car", "education", "home", "business", "other"]
    counted = Counter(loaded("loans").artifact.reference.columns["purpose"])
    assert answer["density"]["counts"] == [counted[level] for level in values_of(answer)]


def test_a_level_that_was_never_seen_stands_beside_those_that_were(question: Ask) -> None:
    answer = curve(question("mixed", options={"feature": "board"}, changed={"board": "brunch"}))

    assert values_of(answer)[-1] == "brunch"
    assert answer["density"]["counts"][-1] == 0


def test_of_texts_the_commonest_are_shown_and_it_says_so() -> None:
    model = MadeUp(lambda columns: np.char.str_len(columns["t"].astype(str)))
    table = {"t": ["b", "cc", "b", "a", *(f"text {i}" for i in range(30))]}
    answer = curve(model.question(table, {"t": "mine"}, [Feature("t", "text")], {"feature": "t"}))

    assert values_of(answer)[0] == "b"
    assert values_of(answer)[-1] == "mine"
    assert answer["density"]["counts"][0] == 2
    assert "11 of the 34 values of t" in answer["approximation"]["why"]


def test_what_an_unknown_value_would_give_is_told_where_it_may_be_unknown(loaded: Loaded, question: Ask) -> None:
    asked = question("mixed", 3, options={"feature": "area"})

    said = said_of(loaded("mixed"), asked.row, "area", [None]).numbers
    assert said is not None
    assert curve(asked)["missing"]["score"] == pytest.approx(said[0])
    assert curve(question("diabetes", options={"feature": "bmi"}))["missing"] is None


def test_a_case_whose_value_is_unknown_has_a_curve_too(question: Ask) -> None:
    answer = curve(question("mixed", 3, options={"feature": "area"}, changed={"area": None}))

    assert answer["case"] == {"value": None, "score": answer["missing"]["score"]}
    assert None not in values_of(answer)


@pytest.mark.parametrize(("model", "name"), [("diabetes", "bmi"), ("loans", "age"), ("loans", "open_loans")])
def test_the_density_counts_the_reference_sample_in_bins_of_one_width(
    loaded: Loaded, question: Ask, model: str, name: str
) -> None:
    density = curve(question(model, options={"feature": name}))["density"]

    column = loaded(model).artifact.reference.columns[name]
    edges = density["edges"]
    counts = [sum(low <= value < high for value in column) for low, high in itertools.pairwise(edges)]
    assert density["counts"] == counts
    assert sum(counts) == len(column)
    assert len(counts) <= BINS
    np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0])


@pytest.mark.parametrize("name", ["day", "booked", "arrival"])
def test_the_edges_between_moments_are_moments(question: Ask, name: str) -> None:
    asked = question("mixed", options={"feature": name})
    density = curve(asked)["density"]
    feature = next(feature for feature in asked.features if feature.name == name)

    assert [feature.parse(edge) for edge in density["edges"]] == density["edges"]
    assert sum(density["counts"]) == 150


def test_the_curves_of_all_classes_add_up_to_one(question: Ask) -> None:
    classes = ["cultivar 1", "cultivar 2", "cultivar 3"]
    answers = [curve(question("wine", 40, options={"feature": "hue", "class": level})) for level in classes]

    np.testing.assert_allclose(np.sum([scores_of(answer) for answer in answers], axis=0), 1)
    assert answers[1]["class"] == "cultivar 2"
    assert answers[1]["unit"] == "probability"


def test_a_curve_of_one_of_several_numbers_is_of_that_one(question: Ask) -> None:
    answer = curve(question("pair", options={"feature": "age", "output": "height"}))

    np.testing.assert_allclose(scores_of(answer), scores_of(answer)[0], rtol=1e-3)  # height does not depend on age
    assert answer["output"] == "height"


@pytest.mark.parametrize("call", [curve, dependence])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the option feature must be given"),
        ({"feature": "bmj"}, 'must name a feature, not "bmj"; did you mean bmi?'),
        ({"feature": ["bmi"]}, "must name a feature, not a list"),
        ({"feature": "bmi", "points": 1}, "the option points must be a whole number from 2 to 200, not 1"),
        ({"feature": "bmi", "points": 201}, "from 2 to 200, not 201"),
        ({"feature": "bmi", "point": 20}, "there is no option 'point' here; did you mean points?"),
        ({"feature": "bmi", "class": "yes"}, "the option class is for models that predict classes"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    question: Ask, call: Callable[[Question], Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message.replace("?", r"\?")):
        call(question("diabetes", options=options))


@pytest.mark.parametrize("call", [curve, dependence])
def test_a_version_without_data_has_no_range_to_draw(question: Ask, call: Callable[[Question], Any]) -> None:
    row = {"a": 0.1, "b": 0.2, "c": 0.3, "idle": 0.4}
    with pytest.raises(Unsupported, match="published without data"):
        call(question("bare", row, options={"feature": "a"}))


@pytest.mark.parametrize("call", [curve, dependence])
def test_a_slow_model_is_asked_about_fewer_points(call: Callable[[Question], Any]) -> None:
    model = MadeUp(lambda columns: columns["x"])
    table = {"x": [float(i) for i in range(300)]}
    asked = model.question(table, {"x": 4.0}, [number("x")], {"feature": "x"}, milliseconds=100, thousand_rows_ms=4000)
    answer = call(asked)

    assert 2 <= len(answer["points"]) <= 25
    assert answer["approximation"] is not None
    assert sum(len(columns["x"]) for columns in model.asked) <= 30


def test_dependence_is_the_mean_of_the_curves_of_the_reference_rows() -> None:
    model = MadeUp(lambda columns: columns["x"] * columns["z"] + columns["z"] ** 2)
    random = np.random.default_rng(2)
    table = {"x": random.normal(size=20).round(2).tolist(), "z": random.normal(size=20).round(2).tolist()}
    case = {"x": 9.0, "z": 8.0}
    answer = dependence(model.question(table, case, [number("x"), number("z")], {"feature": "x", "points": 7}))

    assert answer["approximation"] is None
    assert "case" not in answer
    for point in answer["points"]:
        curves = sorted(point["value"] * z + z**2 for z in table["z"])
        assert point["score"] == pytest.approx(sum(curves) / 20)
        assert point["low"] == pytest.approx(curves[1] + 0.9 * (curves[2] - curves[1]))  # 10 % of 19 steps is 1.9
        assert point["high"] == pytest.approx(curves[17] + 0.1 * (curves[18] - curves[17]))


@pytest.mark.parametrize("name", STAY)
def test_dependence_is_there_for_every_type_of_feature_whatever_the_case(question: Ask, name: str) -> None:
    first, second = (dependence(question("mixed", row, options={"feature": name})) for row in (0, 9))

    assert first == second or name == "wish"
    assert (first["missing"] is None) == (name not in {"area", "children", "board"})
    assert all(
        point["low"] <= point["score"] <= point["high"] or point["low"] < point["high"] for point in first["points"]
    )


def test_dependence_says_over_how_many_rows_it_is_the_mean(question: Ask) -> None:
    answer = dependence(question("diabetes", options={"feature": "bmi"}))

    assert answer["rows"] == ROWS
    assert answer["approximation"]["why"] == "the mean is over 50 of the 442 reference rows"


@pytest.mark.parametrize("names", [["x", "steps"], ["open", "y"], ["steps", "open"]])
def test_a_map_tells_what_the_model_says_of_every_pair(loaded: Loaded, question: Ask, names: list[str]) -> None:
    asked = question("corners", 5, options={"features": names, "class": "high", "points": 9})
    answer = map_(asked)
    across, down = answer["values"]

    assert answer["features"] == names
    assert (len(answer["scores"]), len(answer["scores"][0])) == (len(down), len(across))
    for row, second in zip(answer["scores"], down, strict=True):
        said = said_of(loaded("corners"), {**asked.row, names[1]: second}, names[0], across).probabilities
        assert said is not None
        np.testing.assert_allclose(
            row, said[:, list(loaded("corners").artifact.signature.target.classes).index("high")]
        )


def test_a_map_holds_the_case_itself(question: Ask) -> None:
    asked = question("diabetes", 7, options={"features": ["bmi", "s5"]}, changed={"bmi": 50.5})
    answer = map_(asked)

    assert asked.output.numbers is not None
    assert answer["case"]["values"] == [50.5, asked.row["s5"]]
    assert answer["case"]["score"] == pytest.approx(asked.output.numbers[0])
    assert max(answer["values"][0]) == 50.5
    assert [len(values) for values in answer["values"]] == [21, 21]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the option features must be a list of two names of features, not None"),
        ({"features": ["bmi"]}, "must be a list of two names of features, not a list"),
        ({"features": "bmi"}, 'not "bmi"'),
        ({"features": ["bmi", "bmj"]}, 'the option features must name a feature, not "bmj"'),
        ({"features": ["bmi", "bmi"]}, 'must name two features, not "bmi" twice'),
        ({"features": ["bmi", "age"], "points": 51}, "from 2 to 50, not 51"),
        ({"feature": "bmi"}, "did you mean features"),
    ],
)
def test_a_map_of_what_are_no_two_features_is_refused(question: Ask, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        map_(question("diabetes", options=options))


def test_a_map_of_a_slow_model_is_coarser() -> None:
    model = MadeUp(lambda columns: columns["x"] + columns["z"])
    table = {"x": [0.0, 1.0], "z": [0.0, 1.0]}
    options = {"features": ["x", "z"]}
    asked = model.question(
        table, table_row(table), [number("x"), number("z")], options, milliseconds=100, thousand_rows_ms=1000
    )
    answer = map_(asked)

    assert 4 <= sum(map(len, answer["scores"])) <= 60
    assert "instead of 21" in answer["approximation"]["why"]


def table_row(table: dict[str, list[float]]) -> dict[str, float]:
    return {name: column[0] for name, column in table.items()}


@pytest.mark.parametrize("model", EMBEDDED)
@pytest.mark.parametrize("call", [curve, dependence])
def test_it_takes_milliseconds(question: Ask, model: str, call: Callable[[Question], Any]) -> None:
    name = question(model).features[0].name
    taken = []
    for row in range(5):
        began = time.perf_counter()
        call(question(model, row, options={"feature": name}, milliseconds=250))
        taken.append(time.perf_counter() - began)

    assert min(taken) < 0.25
