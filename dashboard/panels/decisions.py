"""Where the line should be drawn: the threshold whose mistakes cost least, and on which side of it the case is."""

from dataclasses import dataclass
from typing import Any

from dashboard.charts import Chart
from dashboard.charts.costs import Mark, Point, costs
from dashboard.errors import InvalidQuery, NotOffered
from dashboard.explanations_decisions import Decisions, Threshold
from dashboard.formatting import level, percent, rounded, sentence, significant
from dashboard.panels import Case, Panel
from dashboard.panels.fields import NumberText, PanelForm, asked_again
from dashboard.records import Level, ModelVersion

LARGEST_COST = 1e12
"""What the model service takes."""
EACH = 1000
"""Cases of which mistakes are counted in words."""
HEADER = ("threshold", "false positives", "false negatives", "share flagged", "cost per case")


class CostForm(PanelForm):
    """What mistakes cost, and how many cases can be flagged; the names of its fields are the panel's parameters."""

    def __init__(self, case: Case) -> None:
        wanted, other = sides(case.model)
        super().__init__(
            {
                "false_positive": NumberText(
                    f"Cost of a false alarm: “{level(other)}” taken for “{level(wanted)}”",
                    low=0, high=LARGEST_COST, id="cost-false-positive",
                ),
                "false_negative": NumberText(
                    f"Cost of a miss: “{level(wanted)}” taken for “{level(other)}”",
                    low=0, high=LARGEST_COST, id="cost-false-negative",
                ),
                "capacity": NumberText(
                    f"At most so many cases can be taken for “{level(wanted)}” (empty: any number)",
                    low=0, high=100, optional=True, id="cost-capacity",
                ),
            }
        )  # fmt: skip
        self.fill(case.lists, {"false_positive": "1", "false_negative": "1", "capacity": ""})

    @property
    def most(self) -> float | None:
        """Share of the cases that can be flagged, of a valid form."""
        number = self.number_in("capacity")
        return None if number is None else number / 100

    def options(self) -> dict[str, Any]:
        """Give the valid form as options of the call."""
        given = {
            "cost_false_positive": self.number_in("false_positive"),
            "cost_false_negative": self.number_in("false_negative"),
            "capacity": self.most,
        }
        return {name: number for name, number in given.items() if number is not None}


@dataclass(frozen=True)
class Line:
    """One threshold in words, for a table; all but the last of 1,000 cases."""

    name: str
    threshold: str
    cost: str
    false_positives: str
    false_negatives: str
    flagged: str


@dataclass(frozen=True)
class WhereToDraw:
    """What the panel shows."""

    form: CostForm
    sentence: str
    """The finding."""
    said: Decisions | None = None
    """None where nothing could be asked."""
    case: str = ""
    """On which side the case is."""
    served: str = ""
    """How the threshold in use compares, if there is one."""
    lines: tuple[Line, ...] = ()
    failure: str = ""
    """What the model service objected to."""
    offered: bool = True
    """Whether the version has what it needs."""
    status: int = 200


def sides(model: ModelVersion) -> tuple[Level, Level]:
    """Give the class that is looked for, and the other one."""
    first, second = model.signature.target.classes
    return (first, second) if model.signature.target.positive == first else (second, first)


def answer(case: Case) -> WhereToDraw:
    """Ask for the best threshold, or say what is wrong with the form."""
    form = CostForm(case)
    if not form.validate():
        return WhereToDraw(form, asked_again(len(form.invalid)), status=422)
    try:
        said = case.explain(Decisions, "decisions", **form.options())
    except NotOffered as error:
        return WhereToDraw(form, f"This cannot be told. {sentence(str(error))}", offered=False)
    except InvalidQuery as error:
        return WhereToDraw(form, "Nothing was found out.", failure=sentence(str(error)), status=422)
    lines = [("Best", said.best), ("In use", said.served)]
    return WhereToDraw(
        form,
        _best(said, form),
        said,
        _case(said),
        _served(said),
        tuple(_line(said, name, threshold) for name, threshold in lines if threshold is not None),
    )


def _best(said: Decisions, form: CostForm) -> str:
    """Say which threshold costs least, and what it does to 1,000 cases."""
    best, of = said.best, f"“{level(said.of)}”"
    if best is None:
        return f"No line can be drawn. {sentence(said.why_none or 'no threshold is within the limits')}"
    within = "" if form.most is None else f" of what takes at most {percent(form.most)} of the cases for it"
    if best.flagged in (0, 1):
        what = f"Taking {'every' if best.flagged else 'no'} case for {of} costs least{within}"
    else:
        what = f"Taking a case for {of} from a probability of {percent(best.threshold)} on costs least{within}"
    return (
        f"{what}: {amount(rounded(best.cost))} per case and {amount(of_each(best))} per 1,000 cases, among them "
        f"{counted(said, best.false_positives, 'false alarm')} and {counted(said, best.false_negatives, 'miss')}."
    )


def _case(said: Decisions) -> str:
    """Say on which side of the best threshold the case is, and by how much."""
    shown = f"This case, with a probability of {percent(said.case.probability)}, is"
    if said.best is None or said.case.decision is None:
        return ""
    return f"{shown} {side(said.case.probability, said.best.threshold)}: it is taken for “{level(said.case.decision)}”."


def _served(said: Decisions) -> str:
    """Compare the threshold in use with the best one."""
    served = said.served
    if served is None:
        return ""
    here = side(said.case.probability, served.threshold)
    text = f"The line in use is at {percent(served.threshold)}, and this case is {here}. "
    text += f"It costs {amount(of_each(served))} per 1,000 cases"
    if said.best is None:
        return f"{text}."
    more = of_each(served) - of_each(said.best)
    if not more:
        return f"{text}, as the best one does."
    than = "more than the best one" if more > 0 else "less, but takes more cases than can be"
    return f"{text}, {amount(abs(more))} {than}."


def side(probability: float, threshold: float) -> str:
    """Say on which side of a line a probability is: "14 percentage points above the line"."""
    points = (probability - threshold) * 100
    if points == 0:
        return "exactly on the line"
    shown = significant(abs(points), 2) if abs(points) >= 0.1 else "less than 0.1"
    return f"{shown} percentage points {'above' if points > 0 else 'below'} the line"


def of_each(threshold: Threshold) -> float:
    """Give the cost of 1,000 cases, from that of one as it is shown."""
    return rounded(threshold.cost) * EACH


def amount(cost: float) -> str:
    """Write a cost, which has no unit of its own."""
    return "nothing" if cost == 0 else significant(cost, 3)


def counted(said: Decisions, mistakes: float, name: str) -> str:
    """Count mistakes among 1,000 cases: "80 false alarms", "no miss"."""
    number = of_many(said, mistakes)
    plural = f"{name}es" if name.endswith("s") else f"{name}s"
    return f"no {name}" if mistakes == 0 else f"{number} {name if number == '1' else plural}"


def of_many(said: Decisions, mistakes: float) -> str:
    """Write how many of 1,000 cases so many of the held-out rows are."""
    number = mistakes / said.rows * EACH
    return "0" if number == 0 else f"{number:,.0f}" if number >= 9.5 else significant(number, 2).removesuffix(".0")


def _line(said: Decisions, name: str, threshold: Threshold) -> Line:
    return Line(
        name,
        percent(threshold.threshold),
        significant(of_each(threshold), 3),
        of_many(said, threshold.false_positives),
        of_many(said, threshold.false_negatives),
        percent(threshold.flagged),
    )


def chart(_case: Case, shown: WhereToDraw) -> Chart | None:
    """Draw the expected cost over the threshold; None where it is not known."""
    said = shown.said
    if said is None:
        return None
    capacity = shown.form.most
    points = [
        Point(point.threshold, point.cost * EACH, capacity is None or point.flagged <= capacity)
        for point in said.points
    ]
    marks = [_mark("best", said.best), _mark("in use", said.served)]
    here = Mark(f"this case: {percent(said.case.probability)}", said.case.probability)
    rows = tuple((p.threshold, p.false_positives, p.false_negatives, p.flagged, p.cost) for p in said.points)
    axis = f"Line at a probability of “{level(said.of)}”"
    return costs(shown.sentence, axis, points, [*marks, here], (HEADER, rows))


def _mark(name: str, threshold: Threshold | None) -> Mark | None:
    if threshold is None:
        return None
    cost = of_each(threshold)
    label = f"{name}: {percent(threshold.threshold)}"
    return Mark(label, threshold.threshold, cost, note=f", costs {amount(cost)}")


def _fits(model: ModelVersion) -> bool:
    target = model.signature.target
    return len(target.classes) == 2 and target.gives_probabilities and model.quality is not None


DECISIONS = Panel("decisions", "Where should the line be drawn?", answer, {"costs": chart}, _fits)
