"""The command line as a person uses it: publish, inspect, promote, rollback, challenge, decide."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib  # noqa: TID251 -- the command line is given one
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

import servery
from model_api import promotion
from model_api.cli import report_table
from model_api.folders import move_alias, read_aliases, read_history
from model_api.gate import Check, Report
from model_api.publishing.estimator_file import dump
from model_api.trial import Limits
from model_api.trust import Trust

ROOT = Path(__file__).parent.parent.parent
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Say something to `servery` in an empty folder; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = servery.main(words)
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV file with two features and what is to be predicted."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"area": random.uniform(20, 90, 90).round(1), "rooms": random.integers(1, 5, 90)})
    X.assign(rent=(9 * X["area"] + 20 * X["rooms"] + random.normal(0, 5, 90)).round(2)).to_csv(
        tmp_path / "flats.csv", index=False
    )
    return tmp_path / "flats.csv"


def fitted(table: Path, estimator: LinearRegression | DummyRegressor) -> LinearRegression | DummyRegressor:
    rows = pd.read_csv(table)
    return estimator.fit(rows[["area", "rooms"]], rows["rent"])


@pytest.fixture
def model(table: Path) -> Path:
    """A skops file with a model of the table."""
    path = table.with_name("rent.skops")
    path.write_bytes(dump(fitted(table, LinearRegression())))
    return path


PUBLISH = ("publish", "rent.skops", "--data", "flats.csv", "--target", "rent", "--name", "rent")


@pytest.fixture
def published(say: Say, model: Path) -> Path:
    """The model, published as version 1."""
    assert say(*PUBLISH)[0] == 0
    return model.parent / "models" / "rent"


@pytest.fixture
def two_versions(say: Say, published: Path, table: Path) -> Path:
    """A second version, which is much worse."""
    table.with_name("worse.skops").write_bytes(dump(fitted(table, DummyRegressor())))
    assert say("publish", "worse.skops", *PUBLISH[2:])[0] == 0
    return published


def test_publishing_says_where_and_how_fast(say: Say, model: Path) -> None:
    code, out, _ = say(*PUBLISH)

    assert code == 0
    assert out.startswith("published rent, version 1, in models\n")
    assert "our own plan   proved" in out
    assert read_aliases(model.parent / "models" / "rent") == {"champion": "1"}


def test_publishing_the_same_again_makes_no_version(say: Say, published: Path) -> None:
    code, out, _ = say(*PUBLISH)

    assert code == 0
    assert out.startswith("rent was published already, byte for byte: it is version 1 in models\n")
    assert not (published / "2").exists()


def test_a_later_version_waits_and_the_command_is_named(say: Say, published: Path, table: Path) -> None:
    table.with_name("worse.skops").write_bytes(dump(fitted(table, DummyRegressor())))

    _, out, _ = say("publish", "worse.skops", *PUBLISH[2:])

    assert "version 1 still answers; to try this one and let it answer: servery promote rent 2" in out
    assert read_aliases(published) == {"champion": "1"}


def test_a_description_reaches_the_signature(say: Say, model: Path) -> None:
    (model.parent / "d.toml").write_text('title = "Rent"\n[features.area]\nunit = "m²"\n[target]\nunit = "€"\n')

    assert say(*PUBLISH, "--describe", "d.toml", "--alias", "candidate")[0] == 0

    version = model.parent / "models" / "rent" / "1"
    signature = json.loads((version / "signature.json").read_bytes())
    assert json.loads((version / "manifest.json").read_bytes())["title"] == "Rent"
    assert (signature["features"][0]["unit"], signature["target"]["unit"]) == ("m²", "€")
    assert read_aliases(version.parent) == {"candidate": "1"}


def test_rows_that_the_model_has_not_seen_judge_it(say: Say, model: Path, table: Path) -> None:
    pd.read_csv(table).head(40).to_csv(table.with_name("unseen.csv"), index=False)

    assert say(*PUBLISH, "--test", "unseen.csv")[0] == 0

    quality = json.loads((model.parent / "models" / "rent" / "1" / "quality.json").read_bytes())
    assert quality["rows"] == 40


def test_a_model_without_data_is_published_with_guesses(say: Say, model: Path) -> None:
    assert say("publish", "rent.skops", "--name", "rent")[0] == 0

    signature = json.loads((model.parent / "models" / "rent" / "1" / "signature.json").read_bytes())
    assert "minimum" in signature["features"][0]["guessed"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("publish",), "MODEL is missing: servery publish MODEL --name NAME"),
        (("publish", "rent.skops"), "--name is missing"),
        (("publish", "rent.skops", "--name", "rent", "--data", "flats.csv"), "--data and --target go together"),
        (("publish", "rent.skops", "--name", "Rent!"), "Rent!"),
        (("publish", "gone.skops", "--name", "rent"), "gone.skops cannot be read: No such file"),
        (("publish", "--package", "absent"), "absent"),
        (
            ("publish", "--package", "absent", "--name", "x", "--test", "flats.csv", "--no-compile"),
            "a package brings its own name, data and descriptions: leave out --name, --test, --no-compile",
        ),
        (("publish", "rent.skops", "--package", "absent"), "leave out MODEL"),
        (
            ("publish", *PUBLISH[1:4], "--target", "rent", "--target", "rooms", "--name", "rent"),
            "there must be as many true values a row as the estimator predicts, 1, not 2: rent, rooms",
        ),
        (("inspect", "flats.csv"), "flats.csv is no version, no skops, ONNX or pickle file"),
        (("promote", "rent", "1"), "there is no model 'rent' in models; there is none"),
        (("rollback", "rent"), "there is no model 'rent'"),
        (("challenge", "rent", "--off"), "there is no model 'rent'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    say: Say, model: Path, words: tuple[str, ...], reason: str
) -> None:
    code, out, errors = say(*words)

    assert (code, out) == (2, "")
    assert errors.startswith("servery: ")
    assert reason in errors
    assert errors.count("\n") == 1
    assert not list(model.parent.glob("models/*/*"))


def test_a_pickle_is_published_only_when_that_is_said(say: Say, table: Path) -> None:
    joblib.dump(fitted(table, LinearRegression()), table.with_name("rent.joblib"))
    words = ("publish", "rent.joblib", *PUBLISH[2:])

    code, _, errors = say(*words)
    assert code == 2
    assert "say --trust-pickle" in errors
    assert say(*words, "--trust-pickle")[0] == 0


def test_a_version_is_inspected_without_being_loaded(say: Say, published: Path) -> None:
    code, out, _ = say("inspect", "models/rent/1")

    assert code == 0
    assert "estimator: sklearn.linear_model._base.LinearRegression" in out
    assert "area: number, 20" in out
    assert "  plan: proved" in out
    code, out, _ = say("inspect", "models/rent/1", "--json")
    assert json.loads(out)["files"]["estimator.skops"]["bytes"] == (published / "1" / "estimator.skops").stat().st_size


def test_a_damaged_version_is_told_and_has_exit_code_1(say: Say, published: Path) -> None:
    (published / "1" / "card.md").write_text("Trust me.")

    code, out, _ = say("inspect", "models/rent/1")

    assert code == 1
    assert "problems: card.md is incomplete: 9 of" in out


def test_what_a_model_says_of_itself_does_not_steer_the_terminal(say: Say, published: Path) -> None:
    manifest = json.loads((published / "1" / "manifest.json").read_bytes())
    (published / "1" / "manifest.json").write_text(json.dumps({**manifest, "title": "a\x1b[2Jb\nproblems: none"}))

    _, out, _ = say("inspect", "models/rent/1")

    assert "title: a\\u001b[2Jb\\u000aproblems: none\n" in out


def test_a_folder_of_models_is_listed(say: Say, two_versions: Path) -> None:
    _, out, _ = say("inspect", "models")

    assert "versions: 1, 2" in out
    assert "champion: 1" in out


@pytest.mark.usefixtures("tried_here")
def test_a_worse_version_is_refused_and_what_was_found_is_shown(say: Say, two_versions: Path) -> None:
    code, out, errors = say("promote", "rent", "2")

    assert code == 2
    assert "NO  it is as good: mean absolute error" in out
    assert "does not become the champion" in errors
    assert read_aliases(two_versions) == {"champion": "1"}


@pytest.mark.usefixtures("tried_here")
def test_force_overrules_and_is_written_down_and_rollback_goes_back(say: Say, two_versions: Path) -> None:
    code, out, _ = say("promote", "rent", "2", "--force")
    assert (code, out.splitlines()[-1]) == (0, "rent: version 2 is the champion now")
    assert read_aliases(two_versions) == {"champion": "2"}
    assert read_history(two_versions)[-1]["forced"]

    code, out, _ = say("rollback", "rent")
    assert (code, out) == (0, "rent: version 1 is the champion again, instead of 2\n")
    assert read_aliases(two_versions) == {"champion": "1"}


def test_a_challenger_looks_on_or_takes_a_share(say: Say, two_versions: Path) -> None:
    move_alias(two_versions, "candidate", "2")
    code, out, _ = say("challenge", "rent", "--shadow", "candidate")
    assert (code, out) == (0, "rent: the champion answers alone; the candidate looks on\n")
    assert say("challenge", "rent", "--share", "candidate", "--percent", "5", "--key", "header:x-user")[0] == 0
    assert json.loads((two_versions / "traffic.json").read_bytes())["share"]["percent"] == 5

    code, out, _ = say("challenge", "rent", "--off")
    assert (code, out) == (0, "rent: the champion answers alone\n")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "say --shadow ALIAS, --share ALIAS --key KEY, or --off"),
        (("--share", "candidate"), "key"),
        (("--share", "nobody", "--key", "header:x", "--percent", "30"), "no version has the alias 'nobody'; there is"),
        (("--shadow", "nobody"), "no version has the alias 'nobody'; there is champion"),
        (("--share", "candidate", "--key", "header:x", "--percent", "300"), "percent"),
    ],
)
def test_a_challenge_that_says_too_little_is_refused(
    say: Say, two_versions: Path, words: tuple[str, ...], reason: str
) -> None:
    code, _, errors = say("challenge", "rent", *words)

    assert code == 2
    assert reason in errors
    assert not (two_versions / "traffic.json").exists()


def test_a_threshold_is_decided_and_taken_away(say: Say, small_models: Path) -> None:
    code, out, _ = say("decide", "spam", "champion", "--threshold", "0.3", "--by", "ann")
    assert (code, out) == (0, "spam: version 1 is to be taken for 1 from a probability of 0.3 on\n")
    told = json.loads((small_models / "spam" / "decisions.json").read_bytes())["1"]
    assert (told["threshold"], told["class"], told["by"]) == (0.3, 1, "ann")

    code, out, _ = say("decide", "spam", "1", "--clear")
    assert (code, out) == (0, "spam: version 1 has no threshold any more\n")
    assert json.loads((small_models / "spam" / "decisions.json").read_bytes()) == {}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("spam", "1"), "say --threshold T, a probability from 0 to 1, or --clear"),
        (("spam", "1", "--threshold", "0.5", "--clear"), "say --threshold T"),
        (("spam", "1", "--threshold", "30"), "a threshold is a probability from 0 to 1, not 30"),
        (("spam", "9", "--threshold", "0.5"), "spam has no version '9'; there is champion, 1"),
        (("ham", "1", "--threshold", "0.5"), "there is no model 'ham'"),
        (("rent", "1", "--threshold", "0.5"), "a threshold is for two classes"),
    ],
)
def test_what_cannot_be_decided_is_one_sentence(
    say: Say, small_models: Path, words: tuple[str, ...], reason: str
) -> None:
    code, _, errors = say("decide", *words)

    assert code == 2
    assert reason in errors


def test_models_may_lie_elsewhere(say: Say, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(model.parent / "cache"))
    place = (model.parent / "elsewhere").as_uri()

    assert say(*PUBLISH, "--models", place)[0] == 0

    assert read_aliases(model.parent / "elsewhere" / "rent") == {"champion": "1"}
    shutil.rmtree(model.parent / "cache")
    _, out, _ = say(*PUBLISH, "--models", place)
    assert out.startswith(f"rent was published already, byte for byte: it is version 1 in {place}")


def test_a_description_that_is_wrong_is_one_sentence(say: Say, model: Path) -> None:
    for text, reason in (
        ('[target]\npositive = "nope"', "the target is a regression, and has no classes"),
        ("title = 5", "d.toml: the description: title must be text, not 5"),
        ('[features.area]\nunits = "m"', "d.toml: the feature area has no 'units'; did you mean unit?"),
        (
            '[features.area]\ntype = "boolean"',
            "the data does not fit what is said of it: area must be true or false, not",
        ),
        ('[target]\nclasses = ["a"]', 'the target: classes must be what the estimator knows, none, not "a"'),
    ):
        (model.parent / "d.toml").write_text(text)
        code, _, errors = say(*PUBLISH, "--describe", "d.toml")
        assert (code, errors.count("\n")) == (2, 1)
        assert reason in errors


def test_codes_that_the_estimator_knows_keep_their_zeros(say: Say, tmp_path: Path) -> None:
    rows = pd.DataFrame({"zip": ["01234", "00070", "12345"] * 20, "rent": np.arange(60.0)})
    rows.to_csv(tmp_path / "zips.csv", index=False)
    estimator = make_pipeline(OneHotEncoder(), LinearRegression()).fit(rows[["zip"]], rows["rent"])
    (tmp_path / "zips.skops").write_bytes(dump(estimator))

    assert say("publish", "zips.skops", "--data", "zips.csv", "--target", "rent", "--name", "zips")[0] == 0

    signature = json.loads((tmp_path / "models" / "zips" / "1" / "signature.json").read_bytes())
    assert signature["features"][0]["categories"] == ["00070", "01234", "12345"]


def test_a_broken_version_in_a_bucket_blocks_no_other_model(
    say: Say, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(model.parent / "cache"))
    elsewhere = model.parent / "elsewhere"
    (elsewhere / "other" / "1").mkdir(parents=True)
    (elsewhere / "other" / "1" / "card.md").write_text("half")

    code, _, errors = say(*PUBLISH, "--models", elsewhere.as_uri())

    assert code == 0
    assert "could be fetched: other/1: it is incomplete: it has no manifest.json yet" in errors
    assert read_aliases(elsewhere / "rent") == {"champion": "1"}


def test_an_alias_is_taken_away(say: Say, two_versions: Path) -> None:
    move_alias(two_versions, "candidate", "2")

    code, out, _ = say("demote", "rent", "--alias", "candidate")

    assert (code, out) == (0, "rent: no version is the candidate any more; it was version 2\n")
    assert read_aliases(two_versions) == {"champion": "1"}
    assert say("demote", "rent", "--alias", "champion")[0] == 2


def test_promotion_trusts_and_limits_what_the_service_does(
    say: Say, two_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def examine(*given: Any) -> Report:
        asked.append(given[-2:])
        return Report("rent", "2", "1", (Check("it can be served", True, ""),), ())

    monkeypatch.setattr(promotion, "examine", examine)
    for name, value in (("TRUSTED_TYPES", "a.B"), ("PACKAGES", "x"), ("LOAD_SECONDS", "7"), ("TRUST_PICKLE", "true")):
        monkeypatch.setenv(f"MODEL_API_{name}", value)

    assert say("promote", "rent", "2", "--trust-type", "c.D")[0] == 0

    assert asked == [(Trust(("a.B", "c.D"), True, ("x",)), Limits(seconds=7))]


def test_what_could_not_be_compared_is_marked() -> None:
    checks = (Check("a", True, "1"), Check("b", False, "2"), Check("c", True, "3", compared=False))

    lines = report_table(Report("rent", "2", "1", checks, ())).splitlines()

    assert [line[2:4] for line in lines[1:]] == ["ok", "NO", "--"]


def test_what_is_guessed_is_marked_when_it_is_shown(say: Say, model: Path) -> None:
    assert say("publish", "rent.skops", "--name", "rent")[0] == 0

    _, out, _ = say("inspect", "models/rent/1")

    assert "area: number (guessed)" in out


def test_types_that_are_named_are_trusted_when_a_file_is_inspected(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "sklearn.preprocessing._data.binarize"
    (tmp_path / "own.skops").write_bytes(dump(make_pipeline(FunctionTransformer(eval))))
    assert say("inspect", "own.skops")[0] == 1
    assert say("inspect", "own.skops", "--trust-type", "builtins.eval")[0] == 0
    monkeypatch.setenv("MODEL_API_TRUSTED_TYPES", f"{name},builtins.eval")
    assert say("inspect", "own.skops")[0] == 0


def test_an_mlflow_model_is_inspected(say: Say, model: Path) -> None:
    folder = model.parent / "mlflow"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {python_function: {}, sklearn: {pickled_model: model.skops}}")
    model.rename(folder / "model.skops")

    code, out, _ = say("inspect", "mlflow")

    assert code == 0
    for line in (
        *("kind: an MLflow model", "flavours: python_function, sklearn", "model file: model.skops"),
        *("  kind: a skops file", "    sklearn.linear_model._base.LinearRegression: 1"),
    ):
        assert line in out.splitlines()
    code, _, errors = say("inspect", ".")
    assert code == 2
    assert "holds no version and no model" in errors


def test_who_reads_only_the_first_line_gets_no_traceback(published: Path) -> None:
    command = [sys.executable, "-m", "servery", "inspect", "models/rent/1"]
    where = {"cwd": published.parent.parent, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **where) as process:  # type: ignore[call-overload] # its options in a table
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (141, "")
