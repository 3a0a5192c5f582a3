"""Where one prediction stands among the predictions for the reference data."""

import pytest

from dashboard.charts import Chart
from dashboard.charts.standing import BINS, Standing, standing
from tests.dashboard import kitchen

SPACE = "\N{NO-BREAK SPACE}"
CLASSES = kitchen.model(of=kitchen.target("low", "high", positive="high"))


def among(values: list[float], value: float, unit: str | None = None) -> Chart:
    """Make the chart of a number among numbers."""
    return standing(kitchen.model(of=kitchen.target(unit=unit)), kitchen.reference(values), Standing(value))


def among_shares(shares: list[float], share: float) -> Chart:
    """Make the chart of a probability of the class `high`."""
    rows = [{"low": 1 - p, "high": p} for p in shares]
    return standing(CLASSES, kitchen.reference(["low"] * len(shares), probabilities=rows), Standing(share, "high"))


def among_outputs(output: str, value: float) -> Chart:
    """Make the chart of one of two outputs, `weight` from 1 to 10 and `height` ten times that."""
    model = kitchen.model(of=kitchen.target(name="size", unit="cm", outputs=("weight", "height")))
    rows = [{"weight": number, "height": number * 10} for number in TEN]
    return standing(model, kitchen.reference(rows), Standing(value, output=output))


TEN = [float(i) for i in range(1, 11)]


@pytest.mark.parametrize(
    ("values", "value", "finding"),
    [
        (TEN, 7.5, "is higher than for 70 % of the 10 reference cases."),
        (TEN, 3.5, "is lower than for 70 % of the 10 reference cases."),
        (TEN, 5.5, "is higher than for 50 % of the 10 reference cases."),
        (TEN, 7.0, "is higher than for 60 % of the 10 reference cases."),
        (TEN, 0.5, "is lower than all 10 reference cases."),
        (TEN, 1.0, "is among the lowest of all 10 reference cases."),
        (TEN, 10.5, "is higher than all 10 reference cases."),
        (TEN, 10.0, "is among the highest of all 10 reference cases."),
        ([5.0] * 10, 5.0, "is among the lowest of all 10 reference cases."),
        ([5.0], 6.0, "is higher than all 1 reference cases."),
    ],
)
def test_the_finding_says_how_many_are_below_or_above(values: list[float], value: float, finding: str) -> None:
    assert among(values, value).finding.replace(SPACE, " ").endswith(finding)


@pytest.mark.parametrize(("value", "side"), [(999.5, "higher"), (1.5, "lower")])
def test_nearly_all_is_never_called_all(value: float, side: str) -> None:
    finding = among([float(i) for i in range(1, 1001)], value).finding.replace(SPACE, " ")

    assert f"is {side} than for 99.9 % of the 1,000 reference cases" in finding


def test_few_is_never_called_none() -> None:
    finding = among([1.0] + [5.0] * 998 + [9.0], 5.0).finding.replace(SPACE, " ")

    assert "is higher than for 0.1 % of the 1,000 reference cases" in finding


def test_the_finding_begins_with_the_number_and_its_unit() -> None:
    assert among(TEN, 7.5, "kg").finding.startswith(f"The prediction, 7.5000{SPACE}kg, is ")


def test_the_finding_of_a_classification_names_the_class() -> None:
    finding = among_shares([0.1, 0.2, 0.9], 0.6).finding.replace(SPACE, " ")

    assert finding == "The probability of high, 60 %, is higher than for 67 % of the 3 reference cases."


@pytest.mark.parametrize(("output", "value", "shown"), [("weight", 7.5, "7.5000"), ("height", 75.0, "75.000")])
def test_of_several_outputs_one_is_compared_with_its_own_kind(output: str, value: float, shown: str) -> None:
    finding = among_outputs(output, value).finding.replace(SPACE, " ")

    assert finding == f"The predicted {output}, {shown} cm, is higher than for 70 % of the 10 reference cases."


def test_the_class_true_is_called_yes() -> None:
    model = kitchen.model(of=kitchen.target(False, True, positive=True))
    shares = [{"False": 1 - share, "True": share} for share in (0.1, 0.9)]
    chart = standing(model, kitchen.reference([False, True], probabilities=shares), Standing(0.5, of=True))

    assert chart.finding.startswith("The probability of yes, 50")


def test_every_reference_case_is_counted_once() -> None:
    chart = among([*TEN, 10.0, 10.0], 5.5)

    assert sum(int(row[2]) for row in chart.rows) == 12
    assert len(chart.rows) == BINS
    assert chart.header == ("from", "to", "reference cases")


def test_the_bins_join_and_hold_both_the_cases_and_the_reference() -> None:
    rows = among(TEN, 50.0).rows

    assert [row[1] for row in rows[:-1]] == [row[0] for row in rows[1:]]
    assert float(rows[0][0]) <= 1
    assert float(rows[-1][1]) >= 50


def test_probabilities_are_counted_from_none_to_all() -> None:
    rows = among_shares([0.0, 0.5, 1.0], 0.5).rows

    assert (rows[0][0], rows[-1][1]) == (0, 1)
    assert (rows[0][2], rows[-1][2]) == (1, 1)


def test_bins_of_tiny_numbers_are_told_apart() -> None:
    rows = among([1e-9, 2e-9, 3e-9], 2e-9).rows

    assert len({row[0] for row in rows}) == BINS


@pytest.mark.parametrize(
    ("values", "value"),
    [
        ([5.0], 5.0),
        ([5.0] * 3, 5.0),
        ([0.0, 0.0], 0.0),
        ([1e17, 1e17], 1e17),
        ([1e-300, 2e-300], 1.5e-300),
        ([-1e300, 1e300], 0.0),
        ([1.0, 2.0], 1.79e308),
        ([1.0, 2.0], -1.79e308),
        ([-1.7e308, 1.7e308], 1.7e308),
        ([1.0, 2.0], 5e-324),
    ],
)
def test_any_numbers_make_a_chart(values: list[float], value: float) -> None:
    assert len(among(values, value).rows) == BINS


def test_the_chart_has_a_wide_and_a_narrow_size() -> None:
    assert set(among(TEN, 5.0).sizes) == {"wide", "narrow"}
    assert among(TEN, 5.0).sizes["narrow"][0] < 360


def test_hostile_words_are_cleaned_in_the_finding() -> None:
    classes = kitchen.model(of=kitchen.target("a\x00b", "c"))
    rows = kitchen.reference(["c"], probabilities=[{"a\x00b": 0.1, "c": 0.9}])

    assert "\x00" not in standing(classes, rows, Standing(0.5, "a\x00b")).finding
    assert "\x00" not in among(TEN, 5.0, "k\x00g").finding
    several = kitchen.model(of=kitchen.target(outputs=("a\x00b", "c")))
    row = kitchen.reference([{"a\x00b": 1.0, "c": 2.0}])
    assert "\x00" not in standing(several, row, Standing(0.5, output="a\x00b")).finding
