"""Estimator + data → artifact: a new immutable version, written aside and put in place in one step."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from model_api.facts import MODEL, require_facts
from model_api.publishing.artifact_draft import Subject, draft_of
from model_api.publishing.estimator_file import answers_alike, store
from model_api.publishing.reference_sample import plain_columns
from model_api.publishing.signature_inference import infer_signature
from model_api.publishing.tables import as_table
from model_api.publishing.version_folder import require_name, write_version
from model_api.publishing.without_data import guess_signature, stand_in_rows
from model_api.runtimes.frames import layout_of
from model_api.runtimes.sklearn import SklearnPredictor
from model_api.stores import NotAllFetched, open_store

__all__ = ["publish"]

LIKE_ROWS = 200
"""Rows for which the estimator that was written has to answer as the one that was passed in."""


def publish(
    estimator: Any,
    X: Any = None,
    y: Any = None,
    *,
    name: str,
    test: tuple[Any, Any] | None = None,
    title: str = "",
    description: str = "",
    features: Mapping[str, Mapping[str, Any]] | None = None,
    target: Mapping[str, Any] | None = None,
    card: str = "",
    synthetic: bool = False,
    models: Path | str = "models",
    alias: str | None = None,
    compiled: bool = True,
    allow_pickle: bool = False,
) -> Path:
    """Fit nothing, prove what can be proved, and write `estimator` as a version that can be served.

    `estimator` is fitted on `X` (n rows, a column per feature) and `y` (n values, or n × m numbers); `test` are rows
    that it has not seen. `features` and `target` add what data cannot tell: label, unit, description, group. Without
    data the version says what is guessed. `compiled=False` serves scikit-learn itself; `allow_pickle` keeps a pickle
    where skops has no form for the estimator. The version gets `alias`; without one it becomes the champion of a model
    that has none. Publishing the same content again makes no new version. `models` is a folder, or the address of a
    place elsewhere, such as `s3://bucket/models`.
    Returns the version's folder, of a place elsewhere the one in the copy. Raises ValueError when name, data and
    estimator do not fit together, and StoreFailed when the place elsewhere cannot take the version.
    """
    features, target = features or {}, target or {}
    about_model = {"title": title, "description": description, "card": card, "synthetic": synthetic}
    require_facts("the model", about_model, MODEL)
    require_name(name, alias)
    place = open_store(models)
    with suppress(NotAllFetched):  # somebody else's broken version is no reason not to publish
        place.pull()
    training = None if X is None else as_table(X, y)
    if training is None:
        signature, layout = guess_signature(estimator, features, target)
    else:
        signature, layout = infer_signature(estimator, *training, features, target), layout_of(training[0])
    rows = stand_in_rows(signature) if training is None else plain_columns(training[0].head(LIKE_ROWS), signature)
    stored = store(estimator, lambda other: answers_alike(estimator, other, layout, rows), allow_pickle=allow_pickle)
    bare = not hasattr(estimator, "feature_names_in_") and all(column["dtype"] == "float64" for column in layout)
    about = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    subject = Subject(
        estimator=estimator,
        predictor=SklearnPredictor(stored.estimator, layout, signature.target.classes, bare=bare),
        signature=signature,
        layout=layout,
        training=training,
        test=test and as_table(*test),
        about=about,
        described={"class": about, "bare": bare},
        files=stored.files,
    )
    draft = draft_of(
        subject,
        title=title or name,
        description=description,
        card=card,
        synthetic=synthetic,
        compiled=compiled,
    )
    folder = write_version(place.folder, name, draft, alias)
    place.push(name)
    return folder
