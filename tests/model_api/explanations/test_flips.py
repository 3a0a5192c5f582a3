"""The nearest value of each feature at which the decision is another."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from model_api.errors import InvalidRequest, Unsupported
from model_api.explanations.boundaries import FINE, POINTS, READABLE
from model_api.explanations.flips import flips
from model_api.explanations.question import Question
from model_api.loading import LoadedModel
from model_api.signature import Feature, Target
from tests.model_api.explanations.made_up import YES_OR_NO, MadeUp, number

Loaded = Callable[[str], LoadedModel]
Ask = Callable[..., Question]
FINE_GRID = 2000


def test_it_is_asked_over_http(client: TestClient, applicant: dict[str, Any]) -> None:
    answer = client.post("/models/loans/explanations/flips", json={"data": applicant}).json()

    assert answer["decision"] in ("defaulted", "repaid")
    assert {flip["feature"] for flip in answer["flips"]} == set(applicant)


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {flip["feature"]: flip for flip in answer["flips"]}


def decided(model: LoadedModel, row: Any, name: str, values: list[Any], threshold: float | None) -> list[Any]:
    """Decide about a row with one value after another, by asking the model itself."""
    columns = {feature: [value] * len(values) for feature, value in row.items()}
    output = model.predictor.predict({**columns, name: values})
    if threshold is not None:
        assert output.numbers is not None
        return ["at_least" if number >= threshold else "below" for number in output.numbers]
    assert output.labels is not None
    return [model.artifact.signature.target.classes[label] for label in output.labels]


def test_a_flip_is_just_beyond_the_boundary_that_arithmetic_gives(question: Ask) -> None:
    for place in range(20):
        asked = question("line", place, options={"threshold": 6.0})
        found = by_name(flips(asked))
        score = 5 + 2 * asked.row["a"] - 3 * asked.row["b"] + 0.5 * asked.row["c"]  # type: ignore[operator]
        for name, slope in (("a", 2.0), ("b", -3.0), ("c", 0.5)):
            feature = next(feature for feature in asked.features if feature.name == name)
            assert isinstance(feature.minimum, float)
            assert isinstance(feature.maximum, float)
            boundary = asked.row[name] + (6.0 - score) / slope  # type: ignore[operator]
            if not feature.minimum + 0.01 < boundary < feature.maximum - 0.01:
                continue
            value = found[name]["flips_at"]
            assert abs(value - boundary) < 0.03  # a hundredth of a spread, which is about 1, and the step
            assert (value > boundary) == (asked.row[name] < boundary)  # type: ignore[operator]


def test_what_has_no_weight_never_flips_and_stands_last(question: Ask) -> None:
    answer = flips(question("line", options={"threshold": 6.0}))

    assert answer["flips"][-1] == {
        "feature": "idle",
        "value": question("line").row["idle"],
        **dict.fromkeys(("flips_at", "decision", "below", "above", "effort", "levels")),
    }
    efforts = [flip["effort"] for flip in answer["flips"] if flip["effort"] is not None]
    assert efforts == sorted(efforts)
    assert answer["decision"] in ("at_least", "below")
    assert answer["threshold"] == 6.0


@pytest.mark.parametrize(
    ("name", "threshold"),
    [("diabetes", 150.0), ("wide", 0.5), ("mixed", 190.0), ("wine", None), ("breast-cancer", None), ("loans", None)],
)
def test_a_flip_is_the_nearest_that_a_fine_grid_finds(
    loaded: Loaded, question: Ask, name: str, threshold: float | None
) -> None:
    model = loaded(name)
    found_any = 0
    for place in (1, 17, 33, 49):
        asked = question(name, place, options={} if threshold is None else {"threshold": threshold})
        answer = flips(asked)
        for at, feature in enumerate(asked.features):
            own = asked.row[feature.name]
            if feature.type not in ("number", "integer") or own is None:
                continue
            low, high = float(feature.minimum), float(feature.maximum)  # type: ignore[arg-type]
            grid = np.linspace(low, high, FINE_GRID)
            if feature.type == "integer":
                grid = np.unique(np.rint(grid))
            values = [int(value) for value in grid] if feature.type == "integer" else grid.tolist()
            said = decided(model, asked.row, feature.name, values, threshold)
            near = max(feature.step or 0, READABLE * asked.subject.spreads[at]) + (high - low) / FINE_GRID
            for direction, sign in (("above", 1), ("below", -1)):
                run = nearest_other(values, said, own, sign, answer["decision"])
                flip = by_name(answer)[feature.name][direction]
                if flip is None:
                    assert run is None or run[1] < (high - low) / (POINTS // 2 - 1), f"{feature.name} {direction}"
                    continue
                found_any += 1
                assert sign * (flip["value"] - own) > 0
                if run is not None and run[1] >= (high - low) / (POINTS // 2 - 1):
                    assert sign * (flip["value"] - own) <= run[0] + near
    assert found_any


def nearest_other(values: list[Any], said: list[Any], own: Any, sign: int, base: Any) -> tuple[float, float] | None:
    """Give how far away on one side the decision is first another, and over how much it stays so."""
    along = sorted((sign * (value - own), decision) for value, decision in zip(values, said, strict=True))
    beyond = [(distance, decision != base) for distance, decision in along if distance > 0]
    for other, run in groupby(beyond, key=lambda item: item[1]):
        if other:
            distances = [distance for distance, _ in run]
            return distances[0], distances[-1] - distances[0]
    return None


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("diabetes", 150.0),
        ("mixed", 190.0),
        ("mixed-as-it-is", 190.0),
        ("corners", None),
        ("wine", None),
        ("loans", None),
    ],
)
def test_the_model_says_what_a_flip_says_of_values_that_a_caller_could_send(
    loaded: Loaded, question: Ask, name: str, threshold: float | None
) -> None:
    seen = 0
    for place in range(0, 80, 9):
        asked = question(name, place, options={} if threshold is None else {"threshold": threshold})
        answer = flips(asked)
        for feature in asked.features:
            flip = by_name(answer)[feature.name]
            stated = [side for side in (flip["below"], flip["above"]) if side] + (flip["levels"] or [])
            stated += (
                [{"value": flip["flips_at"], "decision": flip["decision"]}] if flip["decision"] is not None else []
            )
            values = [side["value"] for side in stated]
            assert [feature.parse(value) for value in values] == values
            if values:
                seen += 1
                said = decided(loaded(name), asked.row, feature.name, values, threshold)
                assert said == [side["decision"] for side in stated]
            if flip["flips_at"] is not None:
                assert flip["decision"] != answer["decision"]
    assert seen


def test_the_value_is_written_with_few_digits() -> None:
    model = MadeUp(lambda columns: columns["income"])
    random = np.random.default_rng(1)
    table = {"income": random.normal(50_000, 20_000, 200).round().tolist()}
    feature = number("income", step=1.0)
    for case, threshold, value in ((30_000.0, 41_234.5, 41_300.0), (60_000.0, 41_234.5, 41_200.0)):
        asked = model.question(table, {"income": case}, [feature], {"threshold": threshold})
        assert flips(asked)["flips"][0]["flips_at"] == value


def test_a_boundary_that_is_a_written_value_is_that_value() -> None:
    model = MadeUp(lambda columns: columns["x"])
    table = {"x": np.linspace(0, 10, 101).round(2).tolist()}
    asked = model.question(table, {"x": 2.5}, [number("x", step=0.1)], {"threshold": 7.3})

    assert flips(asked)["flips"][0]["above"] == {"value": 7.3, "decision": "at_least"}


def test_both_sides_are_told_and_the_nearer_one_counts() -> None:
    model = MadeUp(lambda columns: np.abs(columns["x"] - 1))
    table = {"x": np.linspace(-10, 10, 201).round(2).tolist()}
    asked = model.question(table, {"x": 2.0}, [number("x", step=0.1)], {"threshold": 4.0})
    flip = flips(asked)["flips"][0]

    assert flip["below"]["value"] == -3.0
    assert flip["above"]["value"] == 5.0
    assert flip["flips_at"] == 5.0
    assert flip["effort"] == pytest.approx(3.0 / np.std(table["x"]))


def test_a_whole_number_flips_at_a_whole_number() -> None:
    model = MadeUp(lambda columns: columns["n"])
    table = {"n": list(range(0, 5000, 7))}
    asked = model.question(table, {"n": 20}, [Feature("n", "integer", step=1)], {"threshold": 2403.4})
    value = flips(asked)["flips"][0]["flips_at"]

    assert isinstance(value, int)
    assert 2404 <= value <= 2404 + READABLE * np.std(table["n"])


def test_when_every_value_was_tried_nothing_is_approximate() -> None:
    model = MadeUp(lambda columns: columns["n"] == 17)
    table: dict[str, list[Any]] = {"n": list(range(40)), "c": ["a", "b"] * 20}
    features = [Feature("n", "integer", step=1), Feature("c", "category", categories=("a", "b"))]
    answer = flips(model.question(table, {"n": 20, "c": "a"}, features, {"threshold": 0.5}))

    assert answer["approximation"] is None
    assert by_name(answer)["n"]["below"] == {"value": 17, "decision": "at_least"}


def test_it_says_that_a_narrow_band_can_be_missed(question: Ask) -> None:
    why = flips(question("diabetes", options={"threshold": 150}))["approximation"]["why"]

    assert "a change that holds only between two is missed" in why


def test_a_date_flips_at_a_date() -> None:
    def late(columns: dict[str, Any]) -> Any:
        return columns["day"] >= "2024-03-09"

    table = {"day": [f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in (1, 15, 28)]}
    asked = MadeUp(late).question(table, {"day": "2024-09-30"}, [Feature("day", "date")], {"threshold": 0.5})
    flip = flips(asked)["flips"][0]

    assert flip["below"] == {"value": "2024-03-08", "decision": "below"}
    assert flip["above"] is None


def test_of_levels_the_one_that_changes_the_score_most_stands() -> None:
    shares = {"a": 0.2, "b": 0.6, "c": 0.9, "d": 0.1}
    model = MadeUp(lambda columns: [shares[level] for level in columns["c"]], YES_OR_NO)
    feature = Feature("c", "category", categories=("a", "b", "c", "d"))
    flip = flips(model.question({"c": list("abcd")}, {"c": "a"}, [feature]))["flips"][0]

    assert (flip["flips_at"], flip["decision"]) == ("c", "yes")
    assert flip["levels"] == [
        {"value": level, "decision": "yes" if share > 0.5 else "no"} for level, share in shares.items()
    ]
    assert (flip["below"], flip["above"]) == (None, None)


def test_a_threshold_on_a_probability_decides_in_place_of_the_class() -> None:
    model = MadeUp(lambda columns: columns["x"] / 10, YES_OR_NO)
    table = {"x": [float(i) for i in range(11)]}
    asked = model.question(table, {"x": 4.0}, [number("x", step=0.1)], {"threshold": 0.2, "class": "yes"})
    answer = flips(asked)

    assert (answer["class"], answer["unit"], answer["decision"]) == ("yes", "probability", "at_least")
    assert answer["flips"][0]["flips_at"] == 1.9


def test_of_an_unknown_value_the_most_usual_that_flips_is_told() -> None:
    model = MadeUp(lambda columns: np.nan_to_num(columns["x"].astype(float), nan=0.0))
    table = {"x": [*(float(i) for i in range(11)), None]}
    asked = model.question(table, {"x": None}, [number("x", step=0.1, missing_allowed=True)], {"threshold": 7.0})
    flip = flips(asked)["flips"][0]

    assert flip["value"] is None
    assert 7.0 <= flip["flips_at"] < 7.5
    assert flip["decision"] == "at_least"
    assert (flip["effort"], flip["below"], flip["above"]) == (None, None, None)


def test_a_case_outside_the_training_range_is_looked_at_from_there() -> None:
    model = MadeUp(lambda columns: columns["x"])
    table = {"x": np.linspace(0, 10, 101).round(2).tolist()}
    asked = model.question(table, {"x": 25.0}, [number("x", step=0.1)], {"threshold": 20.0})

    assert flips(asked)["flips"][0]["below"]["value"] == 19.9


def test_classes_without_probabilities_flip_too(question: Ask) -> None:
    answer = flips(question("labels"))

    assert answer["unit"] == "predicted"
    assert {flip["decision"] for flip in answer["flips"]} - {None} == {"yes", "no"} - {answer["decision"]}


def test_there_are_few_questions_to_the_model() -> None:
    model = MadeUp(lambda columns: columns["x"] + columns["z"])
    random = np.random.default_rng(3)
    table = {name: random.lognormal(3, 1, 500).round(2).tolist() for name in ("x", "z")}
    flips(model.question(table, {"x": 5.0, "z": 5.0}, [number("x"), number("z")], {"threshold": 60.0}))

    assert len(model.asked) <= 5


def test_a_slow_model_is_asked_less_and_it_says_so() -> None:
    model = MadeUp(lambda columns: columns["x"])
    table = {"x": [float(i) for i in range(1000)]}
    options = {"threshold": 523.4}
    asked = model.question(table, {"x": 4.0}, [number("x")], options, milliseconds=100, thousand_rows_ms=4000)
    answer = flips(asked)

    assert answer["flips"][0]["flips_at"] >= 523.4
    assert answer["flips"][0]["decision"] == "at_least"
    assert "farther off than they need to be" in answer["approximation"]["why"]
    assert sum(len(columns["x"]) for columns in model.asked) <= 25


def test_how_near_a_boundary_is_looked_for_is_finer_than_how_a_value_is_rounded() -> None:
    assert FINE < READABLE


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("diabetes", {}, "the option threshold must be given"),
        ("diabetes", {"threshold": "high"}, 'the option threshold must be a number, not "high"'),
        ("wine", {"threshold": 1.5}, "the option threshold must be a number from 0 to 1, not 1.5"),
        ("wine", {"class": "cultivar 4"}, "the option class must be one of the classes"),
        ("labels", {"threshold": 0.5}, "needs probabilities, which this model has not"),
        ("wine", {"threshhold": 0.5}, "did you mean threshold"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    question: Ask, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        flips(question(name, options=options))


def test_a_version_without_data_is_refused(question: Ask) -> None:
    with pytest.raises(Unsupported, match="published without data"):
        flips(question("bare", {"a": 0.1, "b": 0.2, "c": 0.3, "idle": 0.4}, options={"threshold": 1.0}))


def test_several_numbers_have_a_threshold_each(question: Ask) -> None:
    answer = flips(question("pair", options={"output": "height", "threshold": 171.0}))

    assert answer["output"] == "height"
    assert answer["flips"][0]["feature"] == "shoe"


def test_a_target_of_three_classes_flips_to_any_other() -> None:
    model = ThreeSteps()
    table = {"x": [float(i) for i in range(31)]}
    answer = flips(model.question(table, {"x": 15.0}, [number("x", step=0.1)]))

    assert answer["decision"] == "middle"
    assert answer["flips"][0]["below"] == {"value": 9.9, "decision": "low"}
    assert answer["flips"][0]["above"] == {"value": 20.0, "decision": "high"}


class ThreeSteps(MadeUp):
    """Predicts `low` below 10, `high` from 20 on."""

    def __init__(self) -> None:
        super().__init__(lambda columns: columns["x"], Target("step", "multiclass", classes=("low", "middle", "high")))

    def predict(self, columns: Any) -> Any:
        """Predict for n instances."""
        said = super().predict(columns)
        labels = np.digitize(np.asarray(columns["x"], dtype=float), [10.0, 20.0])
        return said._replace(labels=labels, probabilities=np.eye(3)[labels])


@pytest.mark.parametrize(("kind", "known", "shown"), [("category", 60, 50), ("text", 15, 10)])
def test_it_says_of_how_many_levels_it_asked(kind: Any, known: int, shown: int) -> None:
    levels = tuple(f"level {place:02}" for place in range(known))
    feature = Feature("c", kind, categories=levels if kind == "category" else ())
    made = MadeUp(lambda columns: np.zeros(len(columns["c"])))

    answer = flips(made.question({"c": levels}, {"c": levels[0]}, [feature], {"threshold": 1}))

    assert len(answer["flips"][0]["levels"] or ()) == shown
    assert answer["approximation"] == {
        "why": f"only {shown} of the {known} values of c that are known are shown, the commonest"
    }
