"""Hands and eyes for the page of a model."""

import re
from collections.abc import Mapping

from playwright.sync_api import Locator, Page, expect

from tests.e2e.api import Value

DRAWN = """async (image) => {
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""
"""How many colours a picture has; a picture that is not drawn has one."""


class ModelPage:
    """The form of a model and the answer beside it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.number = page.locator("#number")
        self.errors = page.locator("#errors")
        self.summary = page.locator("#error-summary")
        self.predict_button = page.get_by_role("button", name="Predict", exact=True)
        self.try_again = page.get_by_role("button", name="Try again")
        self.chart = page.locator("#chart")

    def open(self, model: str, query: str = "") -> "ModelPage":
        """Open the page."""
        self.page.goto(f"/models/{model}{query}")
        return self

    def field(self, feature: str) -> Locator:
        """The control of a feature; the buttons of one that is chosen by buttons."""
        return self.page.locator(f'#case [name="{feature}"]')

    def unknown(self, feature: str) -> Locator:
        """The box that says that a number is not known."""
        return self.page.locator(f'#case input[name="unknown"][value="{feature}"]')

    def message(self, feature: str) -> Locator:
        """The error beside a field."""
        field = self.page.locator(".field", has=self.page.locator(f'[name="{feature}"]'))
        return field.locator(".error")

    def fill(self, instance: Mapping[str, Value]) -> None:
        """Give each feature its value, as a person does with the control that the page has for it."""
        kinds: dict[str, str] = self.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('#case [name]')].map(e => [e.name, e.type]))"
        )
        for feature, value in instance.items():
            match kinds[feature]:
                case "radio":
                    self.page.locator(f'#case [name="{feature}"][value="{typed(value)}"]').check()
                case "select-one":
                    self.field(feature).select_option(typed(value))
                case _ if value is None:
                    self.unknown(feature).check()
                case _:
                    self.field(feature).fill(typed(value))

    def values(self) -> dict[str, list[str]]:
        """Read what the form holds now, as it would be sent."""
        script = "Object.fromEntries([...new FormData(document.getElementById('case'))].map(([k]) => [k, \
            new FormData(document.getElementById('case')).getAll(k)]).filter(([k]) => k !== 'csrf_token'))"
        found: dict[str, list[str]] = self.page.evaluate(script)
        return found

    def predict(self) -> None:
        """Press Predict and wait for the answer, whatever it is, to be on the page."""
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.predict_button.click()
        expect(self.page.locator("#answer")).to_have_attribute("aria-busy", "false")

    def expect_number(self, prediction: Value) -> None:
        """Expect the prediction, to the last digit."""
        expect(self.number).to_have_attribute("value", str(prediction))


def expect_drawn(image: Locator) -> None:
    """Expect a picture to be really drawn: with a size, and with more than one colour."""
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0
    assert image.evaluate(DRAWN) > 3


def typed(value: Value) -> str:
    """Write a value as it is typed or chosen; "" is the choice "Unknown"."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def address(path: str) -> re.Pattern[str]:
    """Match an address without a query by its path."""
    return re.compile(rf"^http://127\.0\.0\.1:\d+{re.escape(path)}$")
