"""Model packages: found by their entry points, described by their own words, served by their own code."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model_api import arrivals
from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.folders import read_aliases, versions_of
from model_api.loading import load_version
from model_api.packages import GROUP, find_package, import_package, installed_packages
from model_api.publishing.from_package import publish_package
from model_api.trust import Trust

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "model_package"
LINE = """
import pandas as pd

X = pd.DataFrame({"x": [float(i) for i in range(30)]})

def load_data():
    return X, (2 * X["x"]).rename("y")

def load_model():
    return 2.0

def predict(model, frame):
    return model * frame["x"]
"""


COUNTS = LINE.replace('(2 * X["x"])', '(2 * X["x"]).astype("int64")')
"""True values that are whole numbers, and answers that are not."""
NO_CLASS = LINE.replace('(2 * X["x"])', '(X["x"] > 9).map({True: "a", False: "b"})').replace("model *", "1 / 0 *")
"""Texts to be predicted, and code that fails when it is asked."""


class Site:
    """A folder of installed packages that a test may fill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, code: str, version: str = "1.0") -> None:
        """Install a package whose module holds `code`."""
        module = name.replace("-", "_")
        for old in self.folder.glob(f"{module}-*.dist-info"):
            old.rename(self.folder / f"{old.name}.gone")
        about = self.folder / f"{module}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (about / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}\n")
        (self.folder / f"{module}.py").write_text(code)
        sys.modules.pop(module, None)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder of packages on the path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if name in ("line", "other", "no_show") or name.startswith("no_show."):
            del sys.modules[name]


@pytest.fixture
def no_show(site: Site) -> Site:
    """The example package, as pip installs it."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(site.folder), str(EXAMPLE)], check=True, capture_output=True)
    return site


def test_packages_are_found_by_their_entry_points_and_not_imported(site: Site) -> None:
    site.install("line", "raise RuntimeError('imported')")

    (package,) = [package for package in installed_packages() if package.name == "line"]

    assert (package.module, package.distribution, package.version) == ("line", "line", "1.0")


def test_only_those_that_are_allowed_are_found(site: Site) -> None:
    site.install("line", LINE)
    site.install("other", LINE)

    assert [package.name for package in installed_packages(["other"])] == ["other"]
    assert installed_packages(["none"]) == []
    with pytest.raises(ArtifactError, match="no model package 'line' is installed and allowed; there is other"):
        find_package("line", ["other"])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no data base')", "cannot be imported: RuntimeError: no data base"),
        ("x = 1", "has no function load_model"),
        ("def load_model(): pass", "has no function load_data: its columns are not known"),
        (LINE.replace("return 2.0", "raise OSError('no file')"), "line.load_model fails: OSError: no file"),
        (LINE.replace("return model * frame", "return 1 / 0 #"), "for none of the rows .* ZeroDivisionError: division"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        (LINE.replace("return 2.0", "raise SystemExit(3)"), "line.load_model fails: SystemExit: 3"),
        (LINE.replace("return X, ", "return X, 3, "), r"line.load_data must give a pair \(X, y\), not tuple"),
        (LINE + "TITLE = 5", "the model: title must be text, not 5"),
        (LINE + "TARGET = 5", "the target must be a table, not 5"),
        (LINE + "FEATURES = {'x': {'units': 'm'}}", "the feature x has no 'units'; did you mean unit"),
        (NO_CLASS, "the model package line fails: ZeroDivisionError: division by zero"),
    ],
)
def test_a_package_that_cannot_be_served_says_why(site: Site, tmp_path: Path, code: str, words: str) -> None:
    site.install("line", code)

    with pytest.raises((ArtifactError, ValueError), match=words):
        publish_package(find_package("line"), tmp_path / "models")


def test_a_package_is_published_once_and_served_by_its_own_code(site: Site, tmp_path: Path) -> None:
    site.install("line", LINE)
    folder = publish_package(find_package("line"), tmp_path / "models")

    assert publish_package(find_package("line"), tmp_path / "models") == folder
    assert {path.name for path in folder.iterdir()} >= {"signature.json", "reference.json", "card.md"}
    assert not list(folder.glob("estimator.*"))
    output = load_version(folder, Trust()).predictor.predict({"x": [4.0, 5.5]})
    assert output.numbers is not None
    assert output.numbers.tolist() == [8.0, 11.0]


def test_another_version_of_the_package_is_not_what_was_published(site: Site, tmp_path: Path) -> None:
    site.install("line", LINE)
    folder = publish_package(find_package("line"), tmp_path / "models")
    site.install("line", LINE, "2.0")

    with pytest.raises(ArtifactError, match=r"the installed model package is line 2\.0; this version was .* line 1\.0"):
        load_version(folder, Trust())


def test_a_package_without_rows_that_it_has_not_seen_claims_no_intervals(site: Site, tmp_path: Path) -> None:
    site.install("line", LINE)
    folder = publish_package(find_package("line"), tmp_path / "models")
    seen = Artifact(folder)
    assert seen.calibration == [[]]
    assert seen.quality is not None
    assert "which flatters it" in seen.quality["method"]

    unseen = LINE + "\ndef load_test_data():\n    return X + 0.5, (2 * X['x'] + 1.5).rename('y')\n"
    site.install("line", unseen, "1.1")
    folder = publish_package(find_package("line"), tmp_path / "models")
    assert Artifact(folder).calibration == [[0.5] * 30]


def test_what_is_installed_is_published_when_servery_starts(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "absent", lambda _: [])
    site.install("line", LINE)
    arrivals.publish(tmp_path)
    arrivals.publish(tmp_path)
    assert capsys.readouterr().out == "publishing the model package line 1.0 as line\n"
    assert versions_of(tmp_path / "line") == ["1"]

    site.install("line", LINE.replace("2.0", "3.0"), "2.0")
    arrivals.publish(tmp_path)
    assert versions_of(tmp_path / "line") == ["1", "2"]
    assert read_aliases(tmp_path / "line") == {"champion": "2"}


def test_a_package_that_fails_keeps_no_other_from_being_published(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "absent", lambda _: [])
    site.install("line", "raise RuntimeError('no')")
    site.install("other", LINE)

    arrivals.publish(tmp_path)

    assert (
        "line is not published: the model package line cannot be imported: RuntimeError: no" in capsys.readouterr().out
    )
    assert versions_of(tmp_path / "other") == ["1"]


def test_a_package_that_fails_in_any_way_keeps_no_other_from_being_published(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "absent", lambda _: [])
    site.install("line", NO_CLASS)
    site.install("other", LINE)

    arrivals.publish(tmp_path)

    assert "line is not published: the model package line fails: ZeroDivisionError" in capsys.readouterr().out
    assert versions_of(tmp_path / "other") == ["1"]


def test_a_package_that_the_operator_does_not_allow_is_not_run_when_servery_starts(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "absent", lambda _: [])
    site.install("line", f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()" + LINE)
    for allowed in ("none", "other"):
        monkeypatch.setenv("MODEL_API_PACKAGES", allowed)
        assert arrivals.main(tmp_path) == 0
    assert not (tmp_path / "ran").exists()
    assert capsys.readouterr().out == ""

    monkeypatch.setenv("MODEL_API_PACKAGES", "line")
    assert arrivals.main(tmp_path) == 0
    assert (tmp_path / "ran").exists()


def test_a_wrong_setting_is_named_before_any_package_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_API_MAX_ROWS", "many")

    assert arrivals.main(tmp_path) == 2
    assert capsys.readouterr().out.startswith("MODEL_API_MAX_ROWS is 'many': Input should be a valid integer")


def test_whole_numbers_are_classes_only_when_the_package_answers_with_nothing_else(site: Site, tmp_path: Path) -> None:
    site.install("line", COUNTS.replace("return 2.0", "return 1.3"))
    assert Artifact(publish_package(find_package("line"), tmp_path)).signature.target.task == "regression"

    site.install("line", COUNTS, "1.1")
    assert Artifact(publish_package(find_package("line"), tmp_path)).signature.target.task == "multiclass"


def test_a_package_may_say_what_its_whole_numbers_are(site: Site, tmp_path: Path) -> None:
    site.install("line", COUNTS + "TARGET = {'task': 'regression'}")
    assert Artifact(publish_package(find_package("line"), tmp_path)).signature.target.classes == ()

    site.install("line", COUNTS + "TARGET = {'task': 'binary'}", "1.1")
    with pytest.raises(ValueError, match='task must be what the estimator knows, "multiclass", not "binary"'):
        publish_package(find_package("line"), tmp_path)


def test_the_example_answers_as_its_pipeline_on_every_row(no_show: Site, tmp_path: Path) -> None:
    """Dates, nullable integers and booleans, categories and strings, all of them with missing values."""
    package = find_package("no-show")
    model = load_version(publish_package(package, tmp_path), Trust())
    module = import_package(package)
    X, _ = module.load_data()
    X = X.head(1000)
    assert (X.isna().sum() > 0).all()
    assert [str(dtype) for dtype in X.dtypes] == [
        *("datetime64[us]", "datetime64[us]", "Int64", "float64", "boolean", "category", "str"),
    ]
    pipeline, prepared = module.load_model(), module.feature_engineering(module.preprocess_data(X))

    rows = [{name: plain(value) for name, value in row.items()} for row in X.to_dict("records")]
    checked = model.artifact.signature.check(rows)
    output = model.predictor.predict(checked.columns)

    assert checked.problems == []
    assert output.probabilities is not None
    assert output.probabilities.tolist() == pipeline.predict_proba(prepared).tolist()
    assert output.labels is not None
    assert [pipeline.classes_[label] for label in output.labels] == pipeline.predict(prepared).tolist()


def plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def test_the_example_describes_every_kind_of_feature(no_show: Site, tmp_path: Path) -> None:
    signature = Artifact(publish_package(find_package("no-show"), tmp_path)).signature

    assert {feature.name: feature.type for feature in signature.features} == {
        "booked_at": "datetime",
        "appointment": "date",
        "age": "integer",
        "distance": "number",
        "reminded": "boolean",
        "clinic": "category",
        "reason": "category",
    }
    assert all(feature.missing_allowed for feature in signature.features)
    assert signature.target.classes == ("comes", "misses")


def test_the_example_is_served_by_a_service_of_its_own(no_show: Site, tmp_path: Path) -> None:
    publish_package(find_package("no-show"), tmp_path)
    code = "from model_api.cli import add_verbs; import sys; from model_api.trial import *; "
    code += "from pathlib import Path; print(require_trial(Path(sys.argv[1]), Trust(), Limits()).memory > 0)"
    path = os.pathsep.join([str(no_show.folder), os.environ.get("PYTHONPATH", "")])

    tried = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "no-show" / "1")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert tried.stdout.strip() == "True"
