"""The verbs of the command line that are about models: publish, inspect, promote, rollback, challenge, decide.

Each is a function from options to an exit code; what cannot be done is a ServeryError or ValueError with one sentence.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_api.artifact import CHAMPION
from model_api.errors import ArtifactError
from model_api.folders import TRAFFIC, as_json, models_in, read_aliases, versions_of, write_aside
from model_api.scoring.command import add_score
from model_api.stores import NotAllFetched, Store, open_store

if TYPE_CHECKING:
    from model_api.gate import Report
    from model_api.trust import Trust


def add_verbs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs to a command line; each sets `run`."""
    _add_publish(commands)
    inspect = commands.add_parser("inspect", help="tell what is in a version or a model file, without loading it")
    inspect.add_argument(
        "path",
        type=Path,
        help="a version's folder, a models folder, an MLflow model, or a .skops, .onnx or pickle file",
    )
    inspect.add_argument("--json", action="store_true", help="as JSON")
    inspect.add_argument("--trust-type", action="append", default=[], metavar="TYPE", help=_TRUST_TYPE)
    inspect.set_defaults(run=_inspect)
    promote = commands.add_parser("promote", help="make a version the champion, if it passes the gate")
    _name_model(promote)
    promote.add_argument("version", help="number of the version")
    promote.add_argument("--alias", default=CHAMPION, help="alias to move (%(default)s)")
    promote.add_argument("--force", action="store_true", help="promote whatever the gate finds; this is written down")
    promote.add_argument("--trust-type", action="append", default=[], metavar="TYPE", help=_TRUST_TYPE)
    promote.add_argument("--trust-pickle", action="store_true", help="load a version that was published from a pickle")
    promote.set_defaults(run=_promote)
    rollback = commands.add_parser("rollback", help="go back to the version that was champion before")
    _name_model(rollback)
    rollback.add_argument("--alias", default=CHAMPION, help="alias to move (%(default)s)")
    rollback.set_defaults(run=_rollback)
    demote = commands.add_parser("demote", help="take an alias other than the champion away")
    _name_model(demote)
    demote.add_argument("--alias", required=True, help="alias to take away")
    demote.set_defaults(run=_demote)
    challenge = commands.add_parser("challenge", help="let a challenger look on, or answer a share of the requests")
    _name_model(challenge)
    challenge.add_argument("--shadow", metavar="ALIAS", help="its answers are compared, and never returned")
    challenge.add_argument("--share", metavar="ALIAS", help="it answers a steady share of the keys")
    challenge.add_argument("--percent", type=float, default=10.0, help="how many of 100 keys (%(default)g)")
    challenge.add_argument("--key", help="what is shared by: header:NAME or feature:NAME")
    challenge.add_argument("--off", action="store_true", help="the champion answers alone")
    challenge.set_defaults(run=_challenge)
    decide = commands.add_parser("decide", help="set from which probability on a version's positive class is acted on")
    _name_model(decide)
    decide.add_argument("version", help="number or alias of the version")
    decide.add_argument("--threshold", type=float, metavar="T", help="a probability from 0 to 1")
    decide.add_argument("--clear", action="store_true", help="take the threshold away")
    decide.add_argument("--by", default="decide", metavar="NAME", help="who decided it; this is written down and told")
    decide.set_defaults(run=_decide)
    add_score(commands)


_TRUST_TYPE = "type that the model may hold besides the reviewed ones; may be given several times"


def _name_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="name of the model")
    _name_models(parser)


def _name_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", default="models", help="folder or url of the models (%(default)s/)")


def _add_publish(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    publish = commands.add_parser("publish", help="publish a fitted estimator as a new version")
    publish.add_argument(
        "model", nargs="?", type=Path, help="a .skops file, an MLflow model, or with --trust-pickle a pickle"
    )
    publish.add_argument("--package", metavar="NAME", help="publish an installed model package instead")
    publish.add_argument("--name", help="name of the model, such as body-weight")
    publish.add_argument("--data", type=Path, help="CSV or Parquet file with the rows that it was fitted on")
    publish.add_argument("--target", action="append", default=[], metavar="COLUMN", help="column that it predicts")
    publish.add_argument("--test", type=Path, help="CSV or Parquet file with rows that it has not seen")
    publish.add_argument("--describe", type=Path, metavar="TOML", help="labels, units and descriptions")
    publish.add_argument("--alias", help="alias to point at the version; without it, the first one is the champion")
    publish.add_argument(
        "--trust-pickle", action="store_true", help="load a pickle or joblib file, which can run any code"
    )
    publish.add_argument("--trust-type", action="append", default=[], metavar="TYPE", help=_TRUST_TYPE)
    publish.add_argument("--no-compile", action="store_true", help="serve scikit-learn itself")
    _name_models(publish)
    publish.set_defaults(run=_publish)


def _publish(options: argparse.Namespace) -> int:
    from model_api.publishing.table import form_table

    store = _pulled(options.models)
    before = {(model.name, version) for model in models_in(store.folder) for version in versions_of(model)}
    folder = _publish_package(options, store) if options.package else _publish_file(options, store)
    name, version = folder.parent.name, folder.name
    store.push(name)
    if (name, version) in before:
        print(f"{name} was published already, byte for byte: it is version {version} in {options.models}")
    else:
        print(f"published {name}, version {version}, in {options.models}")
    print(form_table(folder))
    champion = read_aliases(folder.parent).get(CHAMPION)
    if champion != version:
        print(f"version {champion} still answers; to try this one and let it answer: servery promote {name} {version}")
    return 0


def _publish_package(options: argparse.Namespace, store: Store) -> Path:
    """Publish an installed package: that it is named is the operator's word that its code may run."""
    from model_api.packages import find_package
    from model_api.publishing.from_package import publish_package

    if told := [flag for flag, name in _NOT_OF_A_PACKAGE.items() if getattr(options, name)]:
        raise ArtifactError(f"a package brings its own name, data and descriptions: leave out {', '.join(told)}")
    return publish_package(find_package(options.package), store.folder, options.alias)


_NOT_OF_A_PACKAGE = {
    "MODEL": "model",
    **{f"--{name.replace('_', '-')}": name for name in ("name", "data", "target", "test", "describe")},
    **{f"--{name.replace('_', '-')}": name for name in ("trust_pickle", "trust_type", "no_compile")},
}
"""What says nothing beside `--package`, and the option's name."""


def _publish_file(options: argparse.Namespace, store: Store) -> Path:
    from model_api.publishing import publish
    from model_api.publishing.sources import UnusableSource, read_data, read_description, read_model, texts_known_to

    for what, given in (("MODEL", options.model), ("--name", options.name)):
        if given is None:
            raise UnusableSource(f"{what} is missing: servery publish MODEL --name NAME [--data FILE --target COLUMN]")
    if (options.data is None) != (not options.target):
        raise UnusableSource("--data and --target go together: rows, and the column in them that is predicted")
    described = read_description(options.describe)
    estimator = read_model(options.model, trust_pickle=options.trust_pickle, trusted=options.trust_type)
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    texts = texts_known_to(estimator, options.target)

    def rows(path: Path | None) -> tuple[Any, Any] | None:
        return read_data(path, options.target, names, described.dtypes, texts) if path else None

    X, y = rows(options.data) or (None, None)
    return publish(
        estimator,
        X,
        y,
        name=options.name,
        test=rows(options.test),
        title=described.title,
        description=described.description,
        features=described.described,
        target=described.target,
        card=described.card,
        synthetic=described.synthetic,
        models=store.folder,
        alias=options.alias,
        compiled=not options.no_compile,
        allow_pickle=options.trust_pickle,
    )


def _inspect(options: argparse.Namespace) -> int:
    from model_api.inspection.report import as_text, facts_of

    facts = facts_of(options.path, _trust(options))
    print(json.dumps(facts, indent=1, ensure_ascii=False) if options.json else as_text(facts))
    return 1 if facts.get("problems") else 0


def _promote(options: argparse.Namespace) -> int:
    from model_api.promotion import Refused, promote
    from model_api.settings import read_settings

    trust, limits = _trust(options), read_settings().limits
    store = _pulled(options.models)
    model = _model(store, options.name)
    try:
        report = promote(model, options.version, alias=options.alias, force=options.force, trust=trust, limits=limits)
    except Refused as refused:
        if refused.report:
            store.push(options.name)  # that it was refused is written down
            print(report_table(refused.report))
        raise
    store.push(options.name)
    print(report_table(report))
    print(f"{options.name}: version {options.version} is the {options.alias} now")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from model_api.promotion import rollback

    store = _pulled(options.models)
    current, before = rollback(_model(store, options.name), options.alias)
    store.push(options.name)
    print(f"{options.name}: version {before} is the {options.alias} again, instead of {current}")
    return 0


def _trust(options: argparse.Namespace) -> "Trust":
    """Trust what the service's settings do, and what the command line adds."""
    from model_api.settings import read_settings

    trust = read_settings().trust
    return replace(
        trust,
        types=(*trust.types, *options.trust_type),
        pickle=trust.pickle or getattr(options, "trust_pickle", False),
    )


def _demote(options: argparse.Namespace) -> int:
    from model_api.promotion import demote

    store = _pulled(options.models)
    version = demote(_model(store, options.name), options.alias)
    store.push(options.name)
    print(f"{options.name}: no version is the {options.alias} any more; it was version {version}")
    return 0


def _challenge(options: argparse.Namespace) -> int:
    from model_api.traffic import as_table, in_words, require_aliases, traffic_of

    store = _pulled(options.models)
    model = _model(store, options.name)
    if not (options.off or options.shadow or options.share):
        raise ArtifactError("say --shadow ALIAS, --share ALIAS --key KEY, or --off")
    table: dict[str, Any] = {}
    if not options.off:
        share = {"alias": options.share, "percent": options.percent, "key": options.key or ""}
        table = {"shadow": options.shadow, "share": share if options.share else None}
    try:
        traffic = traffic_of(table)
        require_aliases(traffic, read_aliases(model))
    except (ValueError, TypeError) as error:
        raise ArtifactError(str(error)) from error
    write_aside(model / TRAFFIC, as_json(as_table(traffic)))
    store.push(options.name)
    print(f"{options.name}: {in_words(traffic)}")
    return 0


def _decide(options: argparse.Namespace) -> int:
    from model_api.served_thresholds import CannotDecide, decide, in_words

    if (options.threshold is None) != options.clear:
        raise CannotDecide("say --threshold T, a probability from 0 to 1, or --clear")
    store = _pulled(options.models)
    number, decided = decide(_model(store, options.name), options.version, options.threshold, options.by)
    store.push(options.name)
    print(f"{options.name}: {in_words(number, decided)}")
    return 0


def _pulled(models: str) -> Store:
    store = open_store(models)
    try:
        store.pull()
    except NotAllFetched as error:  # another model's broken version, as a rule
        print(f"servery: not everything in {models} could be fetched: {error}", file=sys.stderr)
    return store


def _model(store: Store, name: str) -> Path:
    known = {model.name: model for model in models_in(store.folder)}
    if name not in known:
        raise ArtifactError(f"there is no model {name!r} in {store.folder}; there is {', '.join(known) or 'none'}")
    return known[name]


def report_table(report: "Report") -> str:
    """Write what the gate found, a line a rule, and then what else it saw."""
    against = f"beside version {report.champion}, the champion" if report.champion else "with nothing to compare with"
    lines = [f"{report.name}, version {report.candidate}, {against}:"]
    marks = {check.rule: ("ok " if check.compared else "-- ") if check.passed else "NO " for check in report.checks}
    lines += [f"  {marks[check.rule]} {check.rule}: {check.found}" for check in report.checks]
    lines += [f"      {what}: {found}" for what, found in report.facts]
    return "\n".join(lines)
