"""Compiles every combination of the tests' zoo, and times one row beside scikit-learn; writes compiling.md.

Run it as `make bench-compiling`, or `python bench/compiling.py`. It never fails because of a figure.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # the zoo belongs to the tests

from model_api.publishing.compiling import Compiled, compile_estimator  # noqa: E402 -- after the path
from model_api.publishing.table import NAMES  # noqa: E402 -- likewise
from tests.model_api.zoo import ZOO, Case  # noqa: E402 -- likewise

EXACT_FIRST = ("plan", "onnx", "onnx-float32")
CATEGORIES = {
    "region": ["north", "south", "east", "west"],
    "plan": ["free", "basic", "pro"],
    "device": ["phone", "tablet", "desktop"],
    "channel": ["search", "social", "email", "direct", "partner"],
}
ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """What became of one combination."""

    name: str
    compiled: Compiled

    @property
    def served(self) -> str:
        """The fastest for one row among the exact compiled forms, else among the others, else scikit-learn."""
        proved = [name for name in EXACT_FIRST if self._form(name).get("proved")]
        exact = [name for name in proved if self._form(name)["numbers"] == "float64"]
        times = self.compiled.timings
        return min(exact or proved, key=lambda name: times[name]["one_row_us"], default="estimator")

    @property
    def caught(self) -> list[str]:
        """The forms that were made and answered otherwise than the estimator."""
        return [name for name in self.compiled.forms if not self._form(name)["proved"] and "worst" in self._form(name)]

    def _form(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.compiled.forms.get(name, {})
        return found

    def cells(self) -> list[str]:
        """Write it as a row of the table."""
        ours, theirs = self.compiled.timings[self.served], self.compiled.timings["estimator"]
        verdict = NAMES[self.served]
        if self.served == "estimator" and self._form("array").get("proved"):
            verdict, ours = NAMES["array"], self.compiled.timings["array"]
        largest = self._form(self.served).get("largest_difference")
        rows = self.compiled.rows
        return [
            self.name,
            verdict,
            "" if largest is None else f"{largest:.0e}" if largest else "0",
            f"{rows['real'] + rows['drawn'] + rows['beside thresholds']:,}",
            *(_ratio(ours[key], theirs[key], digits) for key, digits in (("one_row_us", 0), ("thousand_rows_ms", 2))),
            "<br>".join(f"{NAMES[name]}: {form['reason']}" for name, form in self.compiled.forms.items()
                        if not form["proved"]).replace("|", "\\|"),
        ]  # fmt: skip


def _ratio(ours: float, theirs: float, digits: int) -> str:
    return f"{ours:,.{digits}f} ({theirs / ours:,.1f} ×)"


def compiled(case: Case) -> Compiled:
    """Compile one combination as publishing does."""
    return compile_estimator(case.fitted, case.signature, case.layout, case.columns, case.reference)


def mixed_table() -> tuple[pd.DataFrame, Any]:
    """Make 5,000 rows of six numbers and four categories, 5 % of all cells missing."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 5000).astype(float),
            "income": rng.lognormal(10, 0.5, 5000).round(2),
            "tenure": rng.exponential(24, 5000).round(1),
            "balance": rng.normal(1000, 800, 5000).round(2),
            "visits": rng.poisson(6, 5000).astype(float),
            "score": rng.uniform(0, 1, 5000).round(4),
            **{name: rng.choice(levels, 5000) for name, levels in CATEGORIES.items()},
        }
    )
    logit = 0.03 * (X.age - 50) - 0.02 * X.tenure + 2 * X.score + 0.8 * (X.region == "north") - (X.plan == "free")
    return X.mask(rng.uniform(size=X.shape) < 0.05), (rng.uniform(size=5000) < 1 / (1 + np.exp(-logit))).astype(int)


def typical() -> dict[str, Case]:
    """Give the four models of the one-row table."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("num", numbers, slice(0, 6)), ("cat", words, list(CATEGORIES))])

    def cancer() -> Any:
        return load_breast_cancer(as_frame=True, return_X_y=True)

    def diabetes() -> Any:
        return load_diabetes(scaled=False, as_frame=True, return_X_y=True)

    return {
        "ridge behind a scaler (diabetes)": Case(make_pipeline(StandardScaler(), Ridge()), diabetes),
        "forest of 100 trees (breast cancer)": Case(RandomForestClassifier(n_estimators=100, random_state=0), cancer),
        "HistGradientBoosting (diabetes)": Case(HistGradientBoostingRegressor(random_state=0), diabetes),
        "mixed table: imputers, scaler, one-hot, HistGradientBoosting": Case(
            Pipeline([("columns", columns), ("hgb", HistGradientBoostingClassifier(random_state=0))]), mixed_table
        ),
    }


def one_row(name: str, case: Case) -> list[str]:
    """Time one row several times over, scikit-learn and the chosen form in turn, and take the medians."""
    rounds = [Row(name, compiled(case)) for _ in range(ROUNDS)]
    served = Counter(row.served for row in rounds).most_common(1)[0][0]

    def median(form: str, key: str) -> float:
        return float(np.median([row.compiled.timings[form][key] for row in rounds]))

    cells = [name, NAMES[served]]
    for key, digits in (("one_row_us", 0), ("thousand_rows_ms", 2)):
        theirs, ours = median("estimator", key), median(served, key)
        cells += [f"{theirs:,.{digits}f}", f"{ours:,.{digits or 1}f}", f"{theirs / ours:,.0f} ×"]
    return cells


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write rows in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def report(rows: Sequence[Row], single: Sequence[Sequence[str]]) -> str:
    """Write the page."""
    reached = [row for row in rows if row.served != "estimator"]
    exact = [row for row in reached if row.compiled.forms[row.served]["numbers"] == "float64"]
    caught = [[row.name, NAMES[form], row.compiled.forms[form]["reason"]] for row in rows for form in row.caught]
    speedups = [
        row.compiled.timings["estimator"]["one_row_us"] / row.compiled.timings[row.served]["one_row_us"]
        for row in reached
    ]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "skl2onnx", "onnxruntime", "numpy"))
    return f"""# What compiles to what

{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} of {os.cpu_count()} cores, {libraries}.
Made by `bench/compiling.py`.

Of {len(rows)} combinations, {len(reached)} reach a compiled form that is proved equal, {len(exact)} of them in float64.
One row is answered {np.median(speedups):,.0f} times as fast as by scikit-learn (median; {min(speedups):,.1f} to
{max(speedups):,.0f}). {len(caught)} conversions were made and answered otherwise than the estimator; all were left out.

## One row and a thousand

Through the predictor that the service calls: plain values in, plain values out. Medians of {ROUNDS} rounds.

{table(["model", "served by", "scikit-learn, 1 row, µs", "ours", "ratio", "scikit-learn, 1,000 rows, ms", "ours", "ratio"], single)}

## Conversions that answer otherwise

{table(["combination", "form", "what the proof found"], caught)}

## Every combination

A difference is relative to the spread of the answers. Rows compared: real ones, drawn ones, and those beside thresholds.

{table(["combination", "served by", "largest difference", "rows compared", "1 row, µs", "1,000 rows, ms", "left out, and why"], [row.cells() for row in rows])}
"""  # noqa: E501 -- the heads of tables


def main() -> None:
    """Compile, time, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="combinations whose name holds this")
    options = parser.parse_args()
    single = [one_row(name, case) for name, case in typical().items()]
    rows = []
    for name, case in ZOO.items():
        if options.only in name:
            rows.append(Row(name, compiled(case)))
            print(" · ".join(rows[-1].cells()), file=sys.stderr)
    text = report(rows, single)
    print(text.split("## Conv")[0])
    if not options.only:
        (HERE / "compiling.md").write_text(text)


if __name__ == "__main__":
    main()
