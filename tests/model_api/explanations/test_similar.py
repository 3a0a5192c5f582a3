"""Who was like this: the nearest reference rows and what is told of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_api.errors import InvalidRequest, Unsupported
from model_api.explanations.question import question_of
from model_api.explanations.similar import similar
from model_api.loading import LoadedModel, load_version
from model_api.trust import Trust


@pytest.fixture(scope="module")
def rent(published_small_models: Path) -> LoadedModel:
    return load_version(published_small_models / "rent" / "1", Trust())


@pytest.fixture(scope="module")
def spam(published_small_models: Path) -> LoadedModel:
    return load_version(published_small_models / "spam" / "1", Trust())


def asked(model: LoadedModel, row: dict[str, Any], **options: Any) -> dict[str, Any]:
    return similar(question_of(model, row, options, 250))


def test_the_nearest_to_a_reference_row_is_itself_with_its_true_value(rent: LoadedModel) -> None:
    reference = rent.artifact.reference
    answer = asked(rent, reference.row(7))
    first = answer["rows"][0]
    assert (first["row"], first["distance"], first["differences"]) == (7, 0, [])
    assert first["instance"] == reference.row(7)
    assert first["true"] == reference.target[7]
    assert answer["of"] == 60
    assert answer["approximation"] is None


def test_five_rows_come_nearest_first_or_as_many_as_are_asked_for(rent: LoadedModel, flat: dict[str, Any]) -> None:
    distances = [row["distance"] for row in asked(rent, flat)["rows"]]
    assert len(distances) == 5
    assert distances == sorted(distances)
    assert 0 < asked(rent, flat)["usual_distance"] < 1
    assert len(asked(rent, flat, count=20)["rows"]) == 20


def test_predictions_are_those_of_the_model(rent: LoadedModel, spam: LoadedModel, flat: dict[str, Any]) -> None:
    for row in asked(rent, flat)["rows"]:
        said = rent.predictor.predict({name: [value] for name, value in row["instance"].items()}).numbers
        assert said is not None
        assert row["prediction"] == pytest.approx(float(said[0]), rel=1e-12)
        assert row["probabilities"] is None
    for row in asked(spam, {"links": 0.1, "capitals": 0.2, "length": 0.3})["rows"]:
        said = spam.predictor.predict({name: [value] for name, value in row["instance"].items()}).probabilities
        assert said is not None
        assert list(row["probabilities"].values()) == pytest.approx(said[0].tolist(), rel=1e-12)
        assert row["prediction"] == int(said[0].argmax())


def test_large_differences_are_marked_and_small_ones_are_not(rent: LoadedModel) -> None:
    third: dict[str, Any] = rent.artifact.reference.row(3)
    case = {**third, "area": third["area"] + 0.1, "furnished": not third["furnished"]}
    row = next(row for row in asked(rent, case, count=20)["rows"] if row["row"] == 3)
    by_name = {item["feature"]: item for item in row["differences"]}
    assert list(by_name) == ["furnished", "area"]
    assert by_name["furnished"]["notable"] is True
    assert by_name["area"]["notable"] is False
    assert by_name["area"]["case"] == case["area"]
    assert by_name["area"]["other"] == third["area"]


def test_a_number_is_notable_from_a_standard_deviation_on(rent: LoadedModel) -> None:
    areas: Any = rent.artifact.reference.columns["area"]
    third: dict[str, Any] = rent.artifact.reference.row(3)
    for share, notable in ((0.9, False), (1.1, True)):
        case = {**third, "area": third["area"] + share * float(np.std(areas))}
        rows = asked(rent, case, count=20)["rows"]
        row = next((row for row in rows if row["row"] == 3), None)
        assert row is not None
        assert [item["notable"] for item in row["differences"] if item["feature"] == "area"] == [notable]


def test_what_is_unknown_on_one_side_only_is_notable(rent: LoadedModel) -> None:
    reference = rent.artifact.reference
    place = next(place for place, value in enumerate(reference.columns["balcony"]) if value is not None)
    case = {**reference.row(place), "balcony": None}
    row = next(row for row in asked(rent, case, count=20)["rows"] if row["row"] == place)
    assert [(item["feature"], item["case"], item["notable"]) for item in row["differences"]] == [
        ("balcony", None, True)
    ]


def test_a_level_that_was_never_seen_is_no_error(rent: LoadedModel, flat: dict[str, Any]) -> None:
    rows = asked(rent, {**flat, "district": "moon"})["rows"]
    assert all(any(item["feature"] == "district" and item["notable"] for item in row["differences"]) for row in rows)


def test_the_largest_number_there_is_is_notable(rent: LoadedModel, flat: dict[str, Any]) -> None:
    for row in asked(rent, {**flat, "area": 1.7e308})["rows"]:
        assert row["distance"] <= 1
        area = {"feature": "area", "case": 1.7e308, "other": row["instance"]["area"], "notable": True}
        assert area in row["differences"]


@pytest.mark.parametrize("count", [0, 21, 2.5, True, "3"])
def test_a_count_that_is_none_is_refused(rent: LoadedModel, flat: dict[str, Any], count: object) -> None:
    with pytest.raises(InvalidRequest, match="count must be a whole number from 1 to 20"):
        asked(rent, flat, count=count)


def test_an_unknown_option_is_refused(rent: LoadedModel, flat: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="did you mean count"):
        asked(rent, flat, counts=3)


def test_without_data_there_is_nobody_to_be_like(loaded: Callable[[str], LoadedModel]) -> None:
    with pytest.raises(Unsupported, match="published without data"):
        asked(loaded("bare"), {"a": 1.0, "b": 2.0, "c": 3.0, "idle": 4.0})
