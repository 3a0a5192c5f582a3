"""Signature → form, and a filled-in form → instance, address and messages."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm

from dashboard.fields import ChoiceMixin, FeatureMixin, TypedField, field_type
from dashboard.records import Feature, ModelVersion, Value

UNKNOWN = "unknown"
"""Query and form parameter that names the features whose value is not known."""
ASK = "ask."
"""What the names of a panel's parameters begin with, beside those of the case."""
RESERVED = {UNKNOWN, "example", "csrf_token"}
FOLD_FROM = 12
"""Features from which on the groups of a form can be folded."""


class InstanceForm(FlaskForm):  # type: ignore[misc] # flask-wtf ships no types
    """The form of one model version; `form_class` makes a subclass with the fields."""

    model: ModelVersion

    @property
    def fields(self) -> list[FeatureMixin]:
        """The features' fields, in the order of the signature."""
        return [field for field in self if isinstance(field, FeatureMixin)]

    @property
    def groups(self) -> list[tuple[str | None, list[FeatureMixin]]]:
        """The fields under their headings, in the order of the signature."""
        groups: dict[str | None, list[FeatureMixin]] = {}
        for field in self.fields:
            groups.setdefault(field.feature.group, []).append(field)
        return list(groups.items())

    @property
    def folds(self) -> bool:
        """Whether the form is so long that its groups can be folded."""
        return len(self.fields) > FOLD_FROM

    @property
    def invalid(self) -> list[FeatureMixin]:
        """The fields with an error."""
        return [field for field in self.fields if field.errors]

    def process(self, formdata: Any = None, *arguments: Any, **options: Any) -> None:
        """Fill the fields from posted text or a query; `unknown` names the features that are not known."""
        super().process(formdata, *arguments, **options)
        unknown = formdata.getlist(UNKNOWN) if formdata else ()
        for field in self.fields:
            given = bool(formdata) and field.name in formdata
            if isinstance(field, ChoiceMixin) and field.name in unknown and not given:
                field.data = ""  # the choice that says so; the default would be an answer to another question
            elif isinstance(field, TypedField):
                field.unknown = field.name in unknown or (not given and field.data is None and field.takes_unknown)

    def instance(self) -> dict[str, Value]:
        """Give the valid form's values, by feature."""
        return {field.feature.name: field.to_value() for field in self.fields}

    def refuse(self, messages: Mapping[str, str]) -> None:
        """Put the model service's objections beside the fields they are about."""
        for field in self.fields:
            if message := messages.get(field.feature.name):
                field.errors = [*field.errors, message[:1].upper() + message[1:] + "."]

    def query(self) -> list[tuple[str, str]]:
        """Give what reproduces the form in an address."""
        pairs = []
        for field in self.fields:
            if isinstance(field, TypedField) and field.unknown:
                pairs.append((UNKNOWN, field.name))
            else:
                pairs.append((field.name, "" if field.data is None else str(field.data)))
        return pairs


@lru_cache(maxsize=64)
def form_class(model: ModelVersion) -> type[InstanceForm]:
    """Make the form of a model version."""
    # Features may be called like a form's own attributes ("data", "errors"): only the HTML sees their names.
    fields = {f"feature_{i}": _field(feature, f"feature-{i}") for i, feature in enumerate(model.signature.features)}
    return type("InstanceForm", (InstanceForm,), {**fields, "model": model})


def form_values(model: ModelVersion, instance: Mapping[str, Value]) -> dict[str, Any]:
    """Give what a form needs to show an instance, such as a reference row."""
    features = enumerate(model.signature.features)
    return {f"feature_{i}": field_type(f).typed(f, instance.get(f.name)) for i, f in features}


def field_name(feature: Feature) -> str:
    """Give the name of a feature's parameter in forms and addresses."""
    if feature.name.lstrip("_").startswith(ASK):
        return f"_{feature.name}"
    return f"{feature.name}_" if feature.name.rstrip("_") in RESERVED else feature.name


def defaults(model: ModelVersion) -> dict[str, Value]:
    """Give the typical instance: medians and most frequent values of the training data."""
    return {feature.name: feature.default for feature in model.signature.features}


def _field(feature: Feature, html_id: str) -> Any:
    """Make the field; its id is made from its place, because a name may hold spaces."""
    return field_type(feature)(feature, name=field_name(feature), id=html_id)
