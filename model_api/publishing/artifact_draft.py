"""Everything that a version will hold, from a model that can be asked and the data it belongs to."""

from dataclasses import asdict, dataclass, field
from typing import Any

from model_api.artifact import Reference
from model_api.publishing.card import write_card
from model_api.publishing.compiling import compile_estimator
from model_api.publishing.estimator_file import estimator_hash
from model_api.publishing.quality import assess
from model_api.publishing.quality.unseen import Table
from model_api.publishing.reference_sample import plain_columns, sample
from model_api.publishing.version_folder import Draft
from model_api.publishing.without_data import stand_in_rows
from model_api.runtimes import Predictor
from model_api.runtimes.frames import Layout
from model_api.signature import Signature


@dataclass(frozen=True)
class Subject:
    """What is going to be published."""

    estimator: Any
    """The estimator; it is fitted anew only in copies."""
    predictor: Predictor
    """What answers as the stored estimator does: the truth that compiled forms have to equal."""
    signature: Signature
    layout: Layout
    """The data frame that it is asked with."""
    training: Table | None
    """The rows that it was fitted on."""
    test: Table | None
    """Rows that it has not seen."""
    about: str
    """What it is, for the card."""
    described: dict[str, Any]
    """What the manifest says of it."""
    files: dict[str, bytes] = field(default_factory=dict)
    """The file that holds it; none for a package."""


def draft_of(subject: Subject, *, title: str, description: str, card: str, synthetic: bool, compiled: bool) -> Draft:
    """Compile with proof, assess, describe. Raises ValueError when the model cannot be served."""
    signature, training = subject.signature, subject.training
    if training:
        rows, reference = plain_columns(training[0], signature), sample(*training, signature)
    else:
        rows, reference = stand_in_rows(signature), Reference({name: [] for name in signature.names}, [])
    forms = compile_estimator(subject.estimator, signature, subject.layout, rows, subject.predictor, forms=compiled)
    assessed = assess(subject.estimator, signature, training, subject.test, subject.predictor) if training else None
    quality = assessed.quality if assessed else None
    proved = estimator_hash(subject.files) if subject.files else None
    text = write_card(signature, quality, title=title, description=description, text=card, about=subject.about)
    return Draft(
        title=title,
        description=description,
        synthetic=synthetic,
        estimator={"by_probability": forms.by_probability, **subject.described, "columns": subject.layout},
        timings=forms.timings,
        documents={
            "signature.json": signature.to_dict(),
            "reference.json": asdict(reference),
            "quality.json": quality,
            "calibration.json": assessed.calibration.to_dict() if assessed else {"scores": []},
            "examples.json": forms.examples,
            "parity.json": {"estimator": proved, **forms.parity()},
        },
        files={**subject.files, **forms.files, "card.md": text.encode()},
    )
