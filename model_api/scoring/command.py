"""The verb `servery score`."""

import argparse
import sys
from pathlib import Path

from model_api.artifact import CHAMPION

CHUNK_ROWS = 65_536


def add_score(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to a command line."""
    score = commands.add_parser("score", help="predict for a file of any size")
    score.add_argument("source", metavar="IN", type=Path, help="a .csv, .jsonl, .parquet, .arrow or .feather file")
    score.add_argument("out", metavar="OUT", type=Path, help="the predictions, a row for each row, by its extension")
    score.add_argument("--model", required=True, metavar="NAME", help="name of the model")
    score.add_argument("--version", default=CHAMPION, help="number or alias of the version (%(default)s)")
    score.add_argument("--models", default="models", help="folder or url of the models (%(default)s/)")
    score.add_argument("--url", help="ask the service at this address instead of loading the model")
    score.add_argument("--errors", type=Path, metavar="FILE", help="where bad rows are told (OUT.errors.jsonl)")
    score.add_argument("--coverage", type=_share, default=0.9, help="of the intervals (%(default)s)")
    score.add_argument("--chunk-rows", type=_rows, default=CHUNK_ROWS, metavar="N", help=_CHUNK_ROWS)
    score.add_argument("--resume", action="store_true", help="go on with a run that was interrupted")
    score.add_argument("--force", action="store_true", help="overwrite OUT, or begin a run anew")
    score.add_argument("--trust-type", action="append", default=[], metavar="TYPE", help=_TRUST_TYPE)
    score.add_argument("--trust-pickle", action="store_true", help="load a version that was published from a pickle")
    score.set_defaults(run=_score)


_CHUNK_ROWS = "rows after which the work done is safe from an interruption (%(default)s)"
_TRUST_TYPE = "type that the model may hold besides the reviewed ones; may be given several times"


def _rows(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10**7):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows: 1 to 10000000")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1, such as 0.9")
    return value


def _score(options: argparse.Namespace) -> int:
    """Score; 0 when every row has a prediction, 1 when some have none."""
    from model_api.scoring.errors import CannotScore
    from model_api.scoring.run import Places, score

    errors = options.errors or options.out.with_name(options.out.name + ".errors.jsonl")
    places = Places(options.source, options.out, errors)
    places.require_free(resume=options.resume, force=options.force)
    try:
        outcome = score(
            places,
            _scorer(options),
            chunk_rows=options.chunk_rows,
            coverage=options.coverage,
            resume=options.resume and not options.force,
            stream=sys.stderr,
        )
    except OSError as error:
        raise CannotScore(f"{error.filename or options.source}: {error.strerror or error}") from error
    except KeyboardInterrupt:
        print(f"servery: interrupted; go on with --resume, what is finished is in {places.unfinished}", file=sys.stderr)
        return 130
    print(f"{outcome.rows:,} rows are scored in {options.out}")
    if outcome.bad:
        print(f"{outcome.bad:,} of them have no prediction; {errors} tells why")
    return 1 if outcome.bad else 0


def _scorer(options: argparse.Namespace):  # type: ignore[no-untyped-def] # a Scorer, whose module is heavy
    from model_api.scoring.scorers import LocalScorer, RemoteScorer, load_local
    from model_api.trust import Trust

    if options.url:
        return RemoteScorer(options.url, options.model, options.version, options.coverage)
    trust = Trust(tuple(options.trust_type), options.trust_pickle)
    return LocalScorer(load_local(options.models, options.model, options.version, trust), options.coverage)
