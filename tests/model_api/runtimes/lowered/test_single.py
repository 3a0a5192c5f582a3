"""The forms for one row give what the general ones give, to the last bit."""

import numpy as np
import pytest

from model_api.runtimes.lowered import LoweredPredictor
from model_api.runtimes.lowered.operations import OPERATIONS
from model_api.runtimes.lowered.operations.making import Matrix
from model_api.runtimes.lowered.single import form_for_one, with_errors_raised
from tests.model_api.zoo import LOWERED, ZOO, rows

ROWS = 25


@pytest.mark.parametrize("name", LOWERED)
def test_a_plan_gives_for_one_row_what_it_gives_in_general(name: str) -> None:
    member = ZOO[name]
    predictor: LoweredPredictor = member.lowered
    columns = member.columns
    answered = 0

    for number in range(ROWS):
        row = tuple(values[number] for values in columns.values())
        expected = predictor.predict(rows(columns, number, number + 1))
        try:
            found = predictor.predict_one(row)
        except FloatingPointError:  # the general way is asked then
            continue
        assert found.is_same(expected), f"{found} is not {expected}"
        answered += 1
    assert answered


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
@pytest.mark.parametrize("value", [np.array([2.5]), np.array([2.5, -1.0, 1e-3])])
def test_arithmetic_puts_its_value_into_shape(name: str, value: Matrix) -> None:
    x = np.array([[1.5, np.nan, -7.25]])
    general = OPERATIONS[name](value=value)

    found = form_for_one({"op": name, "in": [0]}, {"value": value}, general, ["a"])(x)

    assert np.array_equal(found, general(x), equal_nan=True)


@pytest.mark.parametrize(("name", "value"), [("multiply", 1e308), ("divide", 0.0)])
def test_what_becomes_infinite_is_an_error(name: str, value: float) -> None:
    one = form_for_one({"op": name, "in": [0]}, {"value": np.array([value])}, OPERATIONS[name](value=value), ["a"])

    with pytest.raises(FloatingPointError):
        with_errors_raised(one, np.array([[1e3, 2e3]]))


@pytest.mark.parametrize("scores", [[[0.3]], [[-800.0]], [[800.0]], [[0.3, -2.0, 5.0]]])
def test_a_sigmoid_of_several_columns_is_the_general_one(scores: list[list[float]]) -> None:
    general, x = OPERATIONS["sigmoid"](), np.array(scores)

    assert np.array_equal(form_for_one({"op": "sigmoid", "in": [0]}, {}, general, ["a"])(x), general(x))
