"""Which cases can be reached from one: limits, what stays unknown, and numbers as a person would write them."""

from typing import Any

import numpy as np
import pytest

from model_api.explanations.coding import Coding
from model_api.explanations.reach import Reach, unit_of
from model_api.explanations.subject import Subject
from model_api.explanations.wishes import Limits
from model_api.signature import Feature, Signature, Target

AGE, INCOME, JOB, NOTE = range(4)
FEATURES = (
    Feature("age", "integer", step=1.0),
    Feature("income", "number", step=0.01, missing_allowed=True),
    Feature("job", "category", categories=("none", "half", "full")),
    Feature("note", "text"),
)
COLUMNS: dict[str, list[Any]] = {
    "age": [20, 30, 40, 50, 60],
    "income": [1000.0, 2000.0, None, 4000.0, 9000.0],
    "job": ["none", "half", "full", "full", "half"],
    "note": ["a", "b", "c", "d", "e"],
}


@pytest.fixture
def subject() -> Subject:
    return made(FEATURES, COLUMNS)


def made(features: tuple[Feature, ...], columns: dict[str, list[Any]]) -> Subject:
    """Make a subject that nobody is going to ask anything."""
    coding = Coding.of(features, columns)
    nobody: Any = None
    return Subject(Signature(features, Target("t", "regression")), nobody, coding, coding.codes(columns))


def case(subject: Subject, age: int = 35, income: float | None = 2500.0, job: str = "half", note: str = "a") -> Any:
    row = {"age": age, "income": income, "job": job, "note": note}
    return np.array([subject.coding.code(place, row[feature.name]) for place, feature in enumerate(FEATURES)])


def test_reference_rows_are_taken_as_they_are_but_for_texts(subject: Subject) -> None:
    rows = Reach(subject, case(subject), Limits()).project(subject.reference)
    expected = subject.reference.copy()
    expected[:, NOTE] = 0  # the case's
    expected[2, INCOME] = 2500.0  # what is known does not become unknown
    np.testing.assert_array_equal(rows, expected)


def test_what_is_unknown_stays_so_unless_it_may_be_given(subject: Subject) -> None:
    unknown = case(subject, income=None)
    assert np.isnan(Reach(subject, unknown, Limits()).project(subject.reference)[:, INCOME]).all()
    free = Reach(subject, unknown, Limits(), free=True).project(subject.reference)
    np.testing.assert_array_equal(free, subject.reference)


def test_locks_ranges_and_directions_are_kept(subject: Subject) -> None:
    limits = Limits(frozenset({AGE}), {INCOME: (1500.0, 5000.0)}, {JOB: frozenset({1.0, 2.0})}, {INCOME: 1})
    reach = Reach(subject, case(subject), limits)
    rows = reach.project(subject.reference)
    assert (rows[:, AGE] == 35).all()
    assert rows[:, INCOME].tolist() == [2500.0, 2500.0, 2500.0, 4000.0, 5000.0]
    assert rows[:, JOB].tolist() == [1.0, 1.0, 2.0, 2.0, 1.0]
    assert all(reach.holds(row) for row in rows)


@pytest.mark.parametrize(
    ("place", "code"), [(AGE, 36.0), (INCOME, 2400.0), (INCOME, 5000.1), (INCOME, np.nan), (JOB, 0.0), (NOTE, 1.0)]
)
def test_a_row_that_breaks_a_limit_is_told(subject: Subject, place: int, code: float) -> None:
    limits = Limits(frozenset({AGE}), {INCOME: (1500.0, 5000.0)}, {JOB: frozenset({1.0, 2.0})}, {INCOME: 1})
    reach = Reach(subject, case(subject), limits)
    row = case(subject)
    assert reach.holds(row)
    row[place] = code
    assert not reach.holds(row)


def test_a_case_outside_its_ranges_is_drawn_back_to_their_edge(subject: Subject) -> None:
    limits = Limits(spans={AGE: (40.0, 60.0)}, levels={JOB: frozenset({0.0, 2.0})})
    reach = Reach(subject, case(subject), limits)
    assert reach.conflict is None
    assert reach.base[AGE] == 40.0
    assert reach.base[JOB] == 2.0  # the commoner of the two


@pytest.mark.parametrize(
    ("limits", "place"),
    [
        (Limits(frozenset({AGE}), spans={AGE: (40.0, 60.0)}), AGE),
        (Limits(frozenset({JOB}), levels={JOB: frozenset({0.0})}), JOB),
        (Limits(spans={AGE: (40.0, 60.0)}, directions={AGE: -1}), AGE),
        (Limits(frozenset({INCOME}), spans={AGE: (20.0, 60.0)}), None),
    ],
)
def test_limits_that_cannot_be_kept_at_once_are_found(subject: Subject, limits: Limits, place: int | None) -> None:
    assert Reach(subject, case(subject), limits).conflict == place


def test_an_unknown_value_cannot_be_seen_to_go_up(subject: Subject) -> None:
    reach = Reach(subject, case(subject, income=None), Limits(directions={INCOME: 1}), free=True)
    assert np.isnan(reach.project(subject.reference)[:, INCOME]).all()


def test_effort_is_counted_in_spreads_and_a_changed_level_as_one(subject: Subject) -> None:
    reach = Reach(subject, case(subject), Limits())
    row = case(subject, age=45, job="full")
    spread = np.std([20, 30, 40, 50, 60])
    np.testing.assert_allclose(reach.efforts(row[None])[0], np.array([10 / spread, 0, 1, 0]))


def test_values_to_try_are_in_the_range_and_as_a_person_would_write_them(subject: Subject) -> None:
    reach = Reach(subject, case(subject), Limits(spans={INCOME: (0.0, 4321.0)}))
    assert reach.values(AGE).tolist() == sorted(set(reach.values(AGE).tolist()) - {35.0})
    assert (reach.values(AGE) % 1 == 0).all()
    incomes = reach.values(INCOME)
    assert incomes.max() == 4321.0
    assert (incomes[:-1] % 10 == 0).all()  # a fiftieth of the spread is some 60
    assert reach.values(JOB).tolist() == [0.0, 2.0]
    assert reach.values(NOTE).tolist() == []


@pytest.mark.parametrize(
    ("feature", "spread", "unit"),
    [
        (Feature("a", "number", step=0.01), 0.8, 0.01),
        (Feature("a", "number", step=0.01), 60.0, 1.0),
        (Feature("a", "number", step=10.0), 60.0, 10.0),
        (Feature("a", "number"), 0.004, 1e-5),
        (Feature("a", "integer", step=1.0), 2.0, 1.0),
        (Feature("a", "integer", step=1.0), 20000.0, 100.0),
        (Feature("a", "date"), 900.0, 1.0),
        (Feature("a", "datetime"), 1e6, 3600.0),
        (Feature("a", "datetime"), 10.0, 1.0),
        (Feature("a", "boolean"), 1.0, 1.0),
    ],
)
def test_a_unit_is_that_of_the_data_or_a_coarser_one(feature: Feature, spread: float, unit: float) -> None:
    assert unit_of(feature, spread) == pytest.approx(unit, rel=1e-12)


def test_a_rounded_number_has_no_noise_digits() -> None:
    shares = made((Feature("share", "number", step=0.1),), {"share": [0.0, 0.1, 0.7, 1.0]})
    reach = Reach(shares, np.array([0.5]), Limits())
    values = np.array([0.29, 0.31, 0.68])
    assert reach.written(values, np.zeros(3, dtype=np.intp)).tolist() == [0.3, 0.3, 0.7]


@pytest.mark.parametrize(
    ("step", "expected"), [(0.4, [0.4, 1.2, 2.0]), (0.3, [0.3, 1.2, 2.1]), (0.75, [0.75, 1.5, 2.25])]
)
def test_a_step_that_is_no_part_of_one_is_kept_too(step: float, expected: list[float]) -> None:
    table = made((Feature("dose", "number", step=step),), {"dose": [0.0, step, 2 * step, 4 * step]})
    reach = Reach(table, np.array([0.0]), Limits())
    found = reach.written(np.array(expected) + 0.01, np.zeros(3, dtype=np.intp))
    assert found.tolist() == expected
    assert reach.units[0] == step
