"""How far cases are apart: beside a plain computation, one pair of values at a time."""

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from model_api.explanations.coding import Coding
from model_api.explanations.distances import Distances, nearest_within, once_per_reference
from model_api.explanations.subject import Subject
from model_api.runtimes import Floats
from model_api.signature import Columns, Feature, Signature, Target
from model_api.values import Value

NOBODY: Any = None
"""Stands for the predictor: no model is asked."""
WEIGHT, DAY, COLOUR, PAID = (
    Feature("weight", "number", missing_allowed=True),
    Feature("day", "date"),
    Feature("colour", "category", categories=("red", "green", "blue"), unknown_categories=True, missing_allowed=True),
    Feature("paid", "boolean"),
)
MIXED = (WEIGHT, DAY, COLOUR, PAID)


def subject_of(features: Sequence[Feature], columns: Columns) -> Subject:
    coding = Coding.of(features, columns)
    return Subject(Signature(tuple(features), Target("y", "regression")), NOBODY, coding, coding.codes(columns))


def numbers(columns: Floats) -> Subject:
    names = [f"x{place}" for place in range(columns.shape[1])]
    return subject_of([Feature(name, "number") for name in names], dict(zip(names, columns.T.tolist(), strict=True)))


def mixed(rows: int = 80) -> Subject:
    random = np.random.default_rng(3)
    colours = random.choice(["red", "green", "blue"], rows).tolist()
    columns: Columns = {
        "weight": random.lognormal(2, 1, rows).tolist(),
        "day": [f"2026-0{month}-1{day}" for month, day in random.integers(1, 9, (rows, 2)).tolist()],
        "colour": [None if random.random() < 0.2 else colour for colour in colours],
        "paid": (random.random(rows) < 0.3).tolist(),
    }
    columns["weight"][4] = columns["weight"][9] = None
    return subject_of(MIXED, columns)


def plainly(subject: Subject, one: Floats, other: Floats) -> float:
    """The distance of two rows, value by value."""
    total = 0.0
    for place, feature in enumerate(subject.signature.features):
        a, b, known = one[place], other[place], subject.reference[:, place]
        known = known[~np.isnan(known)]
        named = feature.type in ("category", "boolean")
        width = np.quantile(known, 0.99) - np.quantile(known, 0.01)
        if np.isnan(a) and np.isnan(b):
            continue
        if np.isnan(a) or np.isnan(b):
            pairs = [(x, y) for i, x in enumerate(known) for j, y in enumerate(known) if i != j]
            if named:
                shares = [float((known == level).mean()) for level in set(known.tolist())]
                total += 1 - sum(share**2 for share in shares)
            else:
                total += min(1, float(np.mean([abs(x - y) for x, y in pairs])) / width)
        elif named:
            total += float(a != b)
        else:
            total += min(1, abs(a - b) / width)
    return total / subject.count


def test_it_is_the_mean_over_features_of_every_type_with_missing_values() -> None:
    subject = mixed()
    rows = subject.reference[:12]
    found = Distances(subject).to_reference(rows)
    assert found.shape == (12, 80)
    expected = [[plainly(subject, row, other) for other in subject.reference] for row in rows]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert found.min() >= 0
    assert found.max() <= 1


def test_what_differs_is_told_by_feature() -> None:
    subject = mixed()
    case, others = subject.reference[0], subject.reference[1:30]
    parts = Distances(subject).by_feature(case, others)
    assert parts.shape == (29, 4)
    np.testing.assert_allclose(parts.mean(axis=1), Distances(subject).to_reference(case[None])[0, 1:30], atol=1e-12)


def test_one_outlier_does_not_make_all_others_look_alike() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e6)[:, None]
    subject = numbers(values)
    found = Distances(subject).to_reference(np.array([[0.0]]))[0]
    assert found[499] == pytest.approx(0.5, abs=0.02)
    assert found[999] == 1


def test_a_level_that_was_never_seen_is_like_none() -> None:
    subject = mixed()
    row: dict[str, Value] = {"weight": 5.0, "day": "2026-01-11", "colour": "violet", "paid": True}
    knowing = subject.including(row)
    case = np.array([[knowing.coding.code(place, row[feature.name]) for place, feature in enumerate(MIXED)]])
    known = knowing.reference[~np.isnan(knowing.reference[:, 2])]
    assert (Distances(knowing).by_feature(case[0], known)[:, 2] == 1).all()


def test_a_number_that_is_always_the_same_differs_by_all_or_nothing() -> None:
    subject = numbers(np.full((5, 1), 0.001))
    assert Distances(subject).to_reference(np.array([[0.001], [0.002]]))[:, 0].tolist() == [0, 1]


def test_texts_are_apart_by_the_words_that_only_one_has() -> None:
    texts = ["the cat sat", "The cat ran away", "", None]
    subject = subject_of([Feature("note", "text", missing_allowed=True)], {"note": list(texts)})
    row = {"note": "a cat sat"}
    knowing = subject.including(row)
    found = Distances(knowing).to_reference(np.array([[knowing.coding.code(0, row["note"])]]))[0]
    np.testing.assert_allclose(found, [1 - 2 / 4, 1 - 1 / 6, 1, 1], atol=1e-6)
    assert Distances(subject).to_reference(subject.reference)[2:, 2:].tolist() == [[0, 1], [1, 0]]


def test_a_percentile_counts_the_rows_that_are_farther_from_their_own_neighbour() -> None:
    random = np.random.default_rng(0)
    subject = numbers(random.normal(size=(150, 3)))
    rows = random.normal(size=(20, 3)) * 1.5
    distances = Distances(subject)
    own = distances.to_reference(subject.reference)
    np.fill_diagonal(own, np.inf)
    nearest = distances.to_reference(rows).min(axis=1)
    expected = [(own.min(axis=1) > away).mean() for away in nearest]
    np.testing.assert_allclose(distances.nearest_percentile(rows), expected, atol=1e-12)
    assert distances.nearest_percentile(np.full((1, 3), 50.0))[0] == 0


def test_rows_that_are_there_twice_are_their_own_nearest_neighbours() -> None:
    subject = numbers(np.array([[1.0], [1.0], [5.0]]))
    assert nearest_within(subject)[1].tolist()[:2] == [0, 0]


def test_one_reference_row_has_no_neighbour() -> None:
    subject = numbers(np.array([[1.0, 2.0]]))
    assert nearest_within(subject)[1].tolist() == [1]
    assert Distances(subject).nearest_percentile(np.array([[1.0, 2.0]])).tolist() == [1]


def test_of_very_many_features_only_some_rows_are_compared() -> None:
    subject = numbers(np.random.default_rng(0).normal(size=(1000, 400)))
    rows, own = nearest_within(subject)
    assert 200 <= len(rows) == len(own) < 1000
    apart = Distances(subject).to_reference(subject.reference[rows[:1]])[0]
    assert own[0] == np.sort(apart)[1]


def test_what_depends_on_the_sample_is_made_once_and_kept_no_longer_than_it() -> None:
    made = []

    @once_per_reference
    def rows(subject: Subject) -> int:
        made.append(subject)
        return len(subject.reference)

    subject = mixed()
    knowing = subject.including({"weight": 5.0, "day": "2026-01-11", "colour": "violet", "paid": True})
    assert knowing is not subject
    assert rows(subject) == rows(knowing) == rows(subject) == 80
    assert len(made) == 1
    made.clear()
    del subject, knowing
    gc.collect()
    assert rows(mixed(30)) == 30
    assert len(made) == 1
