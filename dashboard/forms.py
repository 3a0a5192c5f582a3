"""Signature → form. A field knows its feature; text that people type becomes the value that the model service gets."""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import StopValidation

from dashboard.formatting import cell, listed, plain_number
from dashboard.records import Feature, ModelVersion, Value

DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
UNKNOWN = "unknown"
"""Query and form parameter that names the features whose value is not known."""
RESERVED = {UNKNOWN, "example", "csrf_token"}
FOLD_FROM = 12
"""Features from which on the groups of a form can be folded."""
FEW_LEVELS = 3
"""Levels up to which a category is shown as buttons rather than a list."""
MAX_ECHO = 40


class FeatureMixin(Field):
    """What the fields of all types share."""

    feature: Feature

    def __init__(self, feature: Feature, **options: Any) -> None:
        self.feature = feature
        super().__init__(label=feature.title, description=feature.description, **options)

    @property
    def hint(self) -> str:
        """Say in a few words what is usual."""
        feature = self.feature
        if feature.minimum is None or feature.maximum is None:
            return ""
        return f"{plain_number(feature.minimum)} to {plain_number(feature.maximum)} in the training data"

    @property
    def takes_unknown(self) -> bool:
        """Whether the value may be unknown."""
        return self.feature.missing_allowed

    def to_value(self) -> Value:
        """Give the value for the model service; None is unknown."""
        raise NotImplementedError  # each type of field has its own


class NumberField(FeatureMixin, StringField):
    """A number or whole number, typed as text so that what was typed survives an error."""

    unknown = False
    """Whether the box beside the field is ticked."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the typed text, without the spaces around it."""
        self.data = _one(valuelist).strip() if valuelist else self.data

    @property
    def shown(self) -> str:
        """The text in the field."""
        return "" if self.unknown or self.data is None else str(self.data)

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is not a number, or not a whole one; raises StopValidation."""
        if self.unknown or self.process_errors:
            return
        text = str(self.data or "")
        noun = "a whole number" if self.feature.type == "integer" else "a number"
        if not text:
            raise StopValidation(f"Enter {noun}" + (" or tick “unknown”." if self.takes_unknown else "."))
        if not DECIMAL.fullmatch(text):
            comma = " Write decimals with a point." if "," in text else ""
            raise StopValidation(f"Enter {noun}: “{_clip(text)}” is not one.{comma}")
        if self.feature.type == "integer" and not float(text).is_integer():
            raise StopValidation(f"Enter a whole number: “{_clip(text)}” is not one.")

    def to_value(self) -> Value:
        """Give the number; None is unknown."""
        if self.unknown:
            return None
        # Text goes on as it was typed where a float would lose digits or overflow: the service judges it.
        number = float(self.data or "")
        return number if math.isfinite(number) else self.data


class ChoiceMixin(FeatureMixin):
    """A value out of a few; the empty choice is "unknown"."""

    choices: list[tuple[str, str]]
    """For each choice, what is sent and what is shown."""
    data: Any

    def __init__(self, feature: Feature, **options: Any) -> None:
        super().__init__(feature, **options)
        self.choices = [(_choice(level), cell(level)) for level in _levels(feature)]
        if feature.missing_allowed:
            self.choices.append(("", "Unknown"))

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the chosen value."""
        self.data = _one(valuelist) if valuelist else self.data

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is not among the choices; raises StopValidation."""
        known = [value for value, _ in self.choices]
        if self.data in known or self.process_errors:
            return
        names = listed([label for _, label in self.choices[:10]])
        typed = f": “{_clip(self.data)}” is not one of them" if self.data else ""
        raise StopValidation(f"Choose {'one of ' if len(known) > 1 else ''}{names}{typed}.")

    def to_value(self) -> Value:
        """Give the chosen level; None is unknown."""
        if self.data == "" and self.takes_unknown:
            return None
        return next(level for level in _levels(self.feature) if _choice(level) == self.data)


class ButtonsField(ChoiceMixin):
    """Yes or no, or one of up to three levels."""


class ListField(ChoiceMixin):
    """One of many levels."""


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
            if isinstance(field, NumberField):
                given = bool(formdata) and field.name in formdata
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
            if isinstance(field, NumberField) and field.unknown:
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
    return {f"feature_{i}": _typed(f, instance.get(f.name)) for i, f in enumerate(model.signature.features)}


def field_name(feature: Feature) -> str:
    """Give the name of a feature's parameter in forms and addresses."""
    return f"{feature.name}_" if feature.name.rstrip("_") in RESERVED else feature.name


def defaults(model: ModelVersion) -> dict[str, Value]:
    """Give the typical instance: medians and most frequent values of the training data."""
    return {feature.name: feature.default for feature in model.signature.features}


def _field(feature: Feature, html_id: str) -> Any:
    """Make the field; its id is made from its place, because a name may hold spaces."""
    few = len(_levels(feature)) <= FEW_LEVELS
    kind = NumberField if feature.type in ("number", "integer") else ButtonsField if few else ListField
    return kind(feature, name=field_name(feature), id=html_id)


def _levels(feature: Feature) -> tuple[Value, ...]:
    return (True, False) if feature.type == "boolean" else feature.categories


def _choice(level: Value) -> str:
    return str(level).lower() if isinstance(level, bool) else str(level)


def _typed(feature: Feature, value: Value) -> str | None:
    """Write a value as it would be typed into its field."""
    if value is None:
        return None if feature.type in ("number", "integer") else ""
    if isinstance(value, float) and feature.type in ("number", "integer"):
        return repr(value).removesuffix(".0")
    return _choice(value)


def _one(texts: list[str]) -> str:
    if len(texts) > 1:
        raise ValueError("This value was sent twice.")
    return texts[0]


def _clip(text: object) -> str:
    return str(text) if len(str(text)) <= MAX_ECHO else str(text)[: MAX_ECHO - 1] + "…"
