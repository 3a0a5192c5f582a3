"""Whether a case is like the training data: which odd ones are found, which ordinary ones, and what is said."""

import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from model_api.errors import InvalidRequest
from model_api.explanations.coding import Coding
from model_api.explanations.combination import left_out, shrunk
from model_api.explanations.familiarity import Familiarity, familiarity_of, trust
from model_api.explanations.question import Question, question_of
from model_api.explanations.subject import Subject
from model_api.explanations.tails import Tails
from model_api.loading import LoadedModel, load_version
from model_api.runtimes import Floats
from model_api.signature import Columns, Feature, Signature, Target
from model_api.trust import Trust

NOBODY: Any = None
NAMED: Any = SimpleNamespace(artifact=SimpleNamespace(manifest=SimpleNamespace(name="odd", version="3")))
"""Stands for the model: it is never asked."""


def subject_of(features: Sequence[Feature], columns: Columns) -> Subject:
    coding = Coding.of(features, columns)
    return Subject(Signature(tuple(features), Target("y", "regression")), NOBODY, coding, coding.codes(columns))


def numbers(columns: Floats, **facts: Any) -> Subject:
    """A subject of numbers x0, x1 and so on."""
    names = [f"x{place}" for place in range(columns.shape[1])]
    features = [
        Feature(name, "number", minimum=float(column.min()), maximum=float(column.max()), **facts)
        for name, column in zip(names, columns.T, strict=True)
    ]
    return subject_of(features, dict(zip(names, columns.T.tolist(), strict=True)))


def inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def question(subject: Subject, row: dict[str, Any]) -> Question:
    subject = subject.including(row)
    case = np.array([subject.coding.code(place, row[name]) for place, name in enumerate(subject.signature.names)])
    return Question(NAMED, subject, row, case, {})


def asked(subject: Subject, **row: Any) -> dict[str, Any]:
    return trust(question(subject, row))


def measurements(rows: int, seed: int, features: int = 30) -> Floats:
    """Numbers that ten causes make, three by three: those of one cause go together (correlation 0.95)."""
    random = np.random.default_rng(seed)
    causes = random.normal(size=(rows, features // 3))
    return np.asarray(np.repeat(causes, 3, axis=1) * 0.95**0.5 + random.normal(size=(rows, features)) * 0.05**0.5)


def familiar(subject: Subject, cases: Floats) -> list[Familiarity]:
    return [familiarity_of(subject, case) for case in cases]


@pytest.mark.parametrize("rows", [150, 500])
def test_of_ordinary_cases_one_in_ten_at_most_is_called_odd(rows: int) -> None:
    found = familiar(numbers(measurements(rows, 1)), measurements(500, 2))
    assert 0.01 <= np.mean([one.status != "inside" for one in found]) <= 0.1
    assert np.mean([one.status == "outside" for one in found]) <= 0.03


def test_of_ordinary_cases_with_skewed_numbers_and_categories_too() -> None:
    def table(rows: int, seed: int) -> Columns:
        random = np.random.default_rng(seed)
        income = random.lognormal(10, 0.8, rows)
        return {
            "income": [None if random.random() < 0.1 else value for value in income.tolist()],
            "loan": (income * random.lognormal(-1, 0.4, rows)).tolist(),
            "children": random.poisson(0.7, rows).tolist(),
            "job": random.choice(["a", "b", "c", "d"], rows, p=[0.6, 0.3, 0.08, 0.02]).tolist(),
            "town": random.choice(400, rows).astype(str).tolist(),
            "owner": (random.random(rows) < 0.03).tolist(),
        }

    training = table(600, 1)
    features = [
        Feature("income", "number", missing_allowed=True, missing_rate=0.1),
        Feature("loan", "number"),
        Feature("children", "integer"),
        Feature("job", "category", categories=("a", "b", "c", "d")),
        Feature("town", "category", categories=tuple(map(str, range(400)))),
        Feature("owner", "boolean"),
    ]
    subject, others = subject_of(features, training), table(400, 2)
    rows = [{name: column[place] for name, column in others.items()} for place in range(400)]
    statuses = [asked(subject, **row)["status"] for row in rows]
    assert 0.01 <= np.mean([status != "inside" for status in statuses]) <= 0.1


def test_numbers_that_cannot_be_together_are_found_where_the_distance_finds_nothing() -> None:
    subject = numbers(measurements(500, 1))
    cases = measurements(200, 3)
    cases[:, 4], cases[:, 5] = 1.5, -1.5  # each alone is ordinary
    found = familiar(subject, cases)
    assert np.mean([one.combination == "outside" for one in found]) >= 0.99
    assert np.mean([one.values[4] == one.values[5] == "inside" for one in found]) >= 0.99
    assert np.mean([one.distance != "inside" for one in found]) <= 0.5
    assert {one.rest.place for one in found if one.rest} <= {3, 4, 5}


def test_a_number_that_does_not_go_with_a_level_is_found() -> None:
    random = np.random.default_rng(0)
    retired = random.random(400) < 0.4
    age = np.where(retired, random.normal(72, 4, 400), random.normal(40, 9, 400))
    features = [
        Feature("age", "number"),
        Feature("retired", "boolean"),
        Feature("height", "number"),
    ]
    columns: Columns = {"age": age.tolist(), "retired": retired.tolist(), "height": random.normal(170, 9, 400).tolist()}
    answer = asked(subject_of(features, columns), age=30.0, retired=True, height=170.0)
    assert answer["status"] != "inside"
    assert answer["joint"]["combination"]["feature"] == "age"
    assert [feature["status"] for feature in answer["features"]] == ["inside"] * 3


def test_it_says_which_numbers_do_not_go_together_and_what_the_others_suggest() -> None:
    random = np.random.default_rng(0)
    radius = random.normal(15, 3, 400)
    around = 6.283 * radius + random.normal(0, 1, 400)
    features = [
        Feature("radius", "number", "Radius", "mm"),
        Feature("around", "number", "Perimeter", "mm"),
        Feature("age", "number", "Age", "years"),
    ]
    columns = {"radius": radius.tolist(), "around": around.tolist(), "age": random.uniform(20, 80, 400).tolist()}
    answer = asked(subject_of(features, columns), radius=11.0, around=120.0, age=50.0)
    assert answer["status"] == answer["joint"]["status"] == answer["joint"]["combination"]["status"] == "outside"
    odd = answer["joint"]["combination"]
    assert {odd["feature"], odd["other"]} == {"radius", "around"}
    suggested = 120 / 6.283 if odd["feature"] == "radius" else 11 * 6.283
    assert odd["expected"] == pytest.approx(suggested, rel=0.05)
    assert answer["sentence"].startswith("This case is outside the training data: ")
    assert "does not go with" in answer["sentence"]
    assert "Radius 11 mm" in answer["sentence"]
    assert "Perimeter 120 mm" in answer["sentence"]


def test_a_value_far_beyond_all_others_is_outside_and_named_with_their_range() -> None:
    subject = numbers(measurements(500, 1), unit="kg")
    row = dict(zip(subject.signature.names, subject.reference[0].tolist(), strict=True))
    answer = asked(subject, **{**row, "x7": 25.0})
    assert answer["status"] == "outside"
    seventh = answer["features"][7]
    assert (seventh["feature"], seventh["status"], seventh["value"], seventh["percentile"]) == (
        "x7",
        "outside",
        25.0,
        1,
    )
    assert seventh["message"].startswith("x7 25 kg is above every training value (")
    assert seventh["message"] in answer["sentence"]
    assert [item["status"] for item in answer["features"]].count("inside") == 29


def test_a_value_a_little_beyond_the_range_is_inside_and_worth_a_word() -> None:
    columns = np.random.default_rng(0).normal(size=(300, 12))
    subject = numbers(columns)
    row = dict.fromkeys(subject.signature.names, 0.0)
    first_beyond = int(columns.max(axis=0).argmin())  # of this feature, the last value is the least far out
    answer = asked(subject, **{**row, f"x{first_beyond}": float(columns[:, first_beyond].max()) + 0.01})
    assert answer["status"] == answer["features"][first_beyond]["status"] == "inside"
    message = answer["features"][first_beyond]["message"]
    assert " is a little above every training value (" in message
    assert answer["sentence"] == f"This case is inside the training data, though {message}."


def test_a_value_that_occurs_is_at_the_edge_at_most() -> None:
    values = np.append(np.random.default_rng(0).normal(size=999), 1000.0)[:, None]
    answer = asked(numbers(values), x0=1000.0)
    assert answer["features"][0]["status"] == "edge"
    assert answer["sentence"] == (
        "This case is at the edge of the training data: x0 1000 is as high as in only 0.1 % of the training cases."
    )


def test_an_ordinary_case_is_inside_in_one_sentence() -> None:
    subject = numbers(measurements(500, 1))
    row = dict(zip(subject.signature.names, subject.reference[17].tolist(), strict=True))
    answer = asked(subject, **row)
    assert answer["sentence"] == "This case is inside the training data: cases like it occur there."
    assert answer["joint"]["distance"] == 0
    assert answer["joint"]["percentile"] == 0
    assert 0 < answer["joint"]["usual"] < answer["joint"]["limit"] < 1
    assert {item["message"] for item in answer["features"]} == {None}
    assert answer["approximation"] is None


LEVELS = (
    Feature("job", "category", "Job", categories=("salaried", "student", "priest"), unknown_categories=True),
    Feature("income", "number", "Income", "€", minimum=0.0, maximum=70.0, missing_allowed=True),
    Feature("term", "number", "Term", missing_allowed=True, missing_rate=0.1),
)


def people(rows: int = 1000) -> Subject:
    random = np.random.default_rng(0)
    jobs = random.choice(["salaried", "student"], rows).tolist()
    jobs[5] = "priest"
    terms = random.uniform(1, 9, rows).tolist()
    columns: Columns = {
        "job": jobs,
        "income": random.normal(30, 8, rows).tolist(),
        "term": [None if place % 10 == 0 else term for place, term in enumerate(terms)],
    }
    return subject_of(LEVELS, columns)


def test_a_level_that_never_occurred_is_outside() -> None:
    answer = asked(people(), job="astronaut", income=30.0, term=5.0)
    assert answer["status"] == answer["features"][0]["status"] == "outside"
    assert answer["sentence"] == 'This case is outside the training data: Job "astronaut" never occurred in training.'
    assert answer["features"][0]["percentile"] is None


def test_a_level_that_hardly_occurred_is_not_inside() -> None:
    answer = asked(people(), job="priest", income=30.0, term=5.0)
    assert answer["status"] != "inside"
    assert answer["features"][0]["message"] == 'Job "priest" occurs in only 0.1 % of the training cases'


def test_to_be_unknown_is_odd_only_where_it_hardly_ever_was() -> None:
    usual = asked(people(), job="student", income=30.0, term=None)
    assert usual["status"] == "inside"
    nothing = {"value": None, "percentile": None, "message": None}
    assert usual["features"][2] == {"feature": "term", "status": "inside", **nothing}
    never = asked(people(), job="student", income=None, term=5.0)
    assert never["status"] == "outside"
    assert never["features"][1]["message"] == "Income is unknown, which it never was in training"


def test_levels_that_are_all_rare_are_not_odd() -> None:
    towns = tuple(str(place) for place in range(500))
    town = Feature("town", "category", categories=towns, unknown_categories=True)
    subject = subject_of([town], {"town": list(towns)})
    assert asked(subject, town="7")["features"][0]["status"] == "inside"
    new = asked(subject, town="of its own")["features"][0]
    assert new["status"] == "inside"
    assert new["message"] == 'town "of its own" never occurred in training'


def test_texts_that_share_no_word_with_any_are_far_away() -> None:
    random = np.random.default_rng(0)
    words = [f"word{place}" for place in range(40)]
    texts = [" ".join(random.choice(words, 12)) for _ in range(300)]
    subject = subject_of([Feature("note", "text")], {"note": list(texts)})
    assert asked(subject, note=" ".join(random.choice(words, 12)))["status"] == "inside"
    odd = asked(subject, note="lorem ipsum dolor sit amet")
    assert odd["status"] == odd["joint"]["status"] == "outside"
    assert odd["sentence"] == (
        "This case is outside the training data: "
        "no case like it was seen, and the nearest differs by 100 % on average, most in note."
    )
    assert odd["joint"]["combination"] is None


def test_dates_are_written_as_dates() -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in (1, 2, 3, 4) for day in range(1, 29)]
    subject = subject_of([Feature("day", "date", minimum=days[0], maximum=days[-1])], {"day": list(days)})
    answer = asked(subject, day="2027-03-05")
    assert answer["status"] == "outside"
    expected = "day 2027-03-05 is after every training value (2026-01-01 to 2026-04-28)"
    assert answer["features"][0]["message"] == expected


def test_features_of_the_same_label_go_by_their_names() -> None:
    random = np.random.default_rng(0)
    features = [Feature(f"{part} radius", "number", "Radius", minimum=0.0, maximum=1.0) for part in ("mean", "worst")]
    columns = {feature.name: random.uniform(0, 1, 200).tolist() for feature in features}
    answer = asked(subject_of(features, columns), **{"mean radius": 9.0, "worst radius": 0.5})
    assert "mean radius 9 is above" in answer["sentence"]


def test_reasons_that_are_many_are_counted() -> None:
    subject = numbers(measurements(200, 1))
    answer = asked(subject, **dict.fromkeys(subject.signature.names, 40.0))
    assert answer["sentence"].endswith("; and 27 more.")


@pytest.mark.parametrize("rows", [1, 2, 25])
def test_of_few_reference_rows_it_says_so(rows: int) -> None:
    subject = numbers(measurements(rows, 1, 6))
    answer = asked(subject, **dict(zip(subject.signature.names, subject.reference[0].tolist(), strict=True)))
    assert answer["status"] == "inside"
    assert answer["approximation"]["rows"] == rows


def test_a_case_outside_is_noted_in_the_log_without_its_values(caplog: pytest.LogCaptureFixture) -> None:
    subject = people()
    with caplog.at_level(logging.INFO, logger="model_api.explanations"):
        asked(subject, job="student", income=30.0, term=5.0)
        assert not caplog.records
        asked(subject, job="student", income=4711.0, term=5.0)
    assert [record.getMessage() for record in caplog.records] == [
        "a case is outside the training data model=odd version=3"
    ]


@pytest.fixture(scope="module")
def rent(published_small_models: Path) -> LoadedModel:
    return load_version(published_small_models / "rent" / "1", Trust())


def test_it_answers_for_a_published_model(rent: LoadedModel, flat: dict[str, Any]) -> None:
    answer = trust(question_of(rent, flat, {}, 250))
    assert answer["status"] == "inside"
    assert [feature["feature"] for feature in answer["features"]] == list(flat)
    away = trust(question_of(rent, {**flat, "area": 4000.0, "district": "moon"}, {}, 250))
    assert away["sentence"] == (
        "This case is outside the training data: Living area 4000 m² is above every training value "
        f'({away["features"][0]["message"].split("(")[1]}; district "moon" never occurred in training.'
    )


@pytest.mark.parametrize("area", [1.7e308, -1.7e308, 5e-324])
def test_the_largest_numbers_there_are_do_no_harm(rent: LoadedModel, flat: dict[str, Any], area: float) -> None:
    answer = trust(question_of(rent, {**flat, "area": area}, {}, 250))
    assert answer["features"][0]["message"]
    assert all(np.isfinite(value) for value in answer["joint"].values() if isinstance(value, float)), answer


def test_it_has_no_options(rent: LoadedModel, flat: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="no option 'count' here"):
        trust(question_of(rent, flat, {"count": 3}, 250))


def test_correlations_are_shrunk_as_scikit_learn_does() -> None:
    scores = measurements(120, 4, 12)
    scores = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    expected, shrinkage = ledoit_wolf(scores, assume_centered=True)
    found = shrunk(scores)
    assert found[0] == pytest.approx(shrinkage, rel=1e-9)
    np.testing.assert_allclose(found[1], expected, atol=1e-12)


def test_a_row_is_left_out_as_if_the_correlations_were_found_without_it() -> None:
    scores = measurements(60, 4, 9)
    weight, ridge = 0.9 / 60, 0.1 * np.eye(9)
    precision = inverse(weight * scores.T @ scores + ridge)
    found = left_out(scores, precision, weight)
    for row in (0, 17, 59):
        others = np.delete(scores, row, axis=0)
        precision = inverse(weight * others.T @ others + ridge)
        np.testing.assert_allclose(found[row], precision @ scores[row] / np.sqrt(np.diag(precision)), rtol=1e-9)


def test_the_surprise_of_a_number_is_that_of_an_exponential_tail() -> None:
    column = np.random.default_rng(0).exponential(size=(2000, 1))
    tails = Tails.of(column)
    assert tails.surprise(np.array([[float(np.median(column))]])) == 0
    # exp(-8) of all values are above 8, and one in twenty is above log(20): the surprise is 8 - log(20)
    assert tails.surprise(np.array([[8.0]]))[0, 0] == pytest.approx(8 - np.log(20), abs=0.6)
    assert tails.surprise(np.array([[np.nan]])) == 0


def test_among_the_rows_it_was_learnt_from_each_is_compared_with_the_others() -> None:
    column = np.append(np.linspace(0, 1, 99), 50.0)[:, None]
    tails = Tails.of(column)
    assert tails.surprise(column, among=True)[-1, 0] > 3 * tails.surprise(column)[-1, 0]
