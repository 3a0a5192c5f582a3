"""HTML as a browser would see it: a tree, read so strictly that a template's slip fails the test."""

import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "source"}
"""Elements that have no end tag."""


class Page:
    """A page or a fragment."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.root = _parse(html)

    @property
    def is_whole(self) -> bool:
        """Whether it is a page rather than a fragment."""
        return "<html" in self.html

    def all(self, path: str) -> list[ET.Element]:
        """Find elements: `all("input[@type='text']")`."""
        return self.root.findall(f".//{path}")

    def one(self, path: str) -> ET.Element:
        """Find the only element of its kind."""
        found = self.all(path)
        assert len(found) == 1, f"{len(found)} × {path}"
        return found[0]

    def by_id(self, name: str) -> ET.Element:
        return next(element for element in self.root.iter() if element.get("id") == name)

    def has_id(self, name: str) -> bool:
        return name in self.ids

    @property
    def ids(self) -> list[str]:
        return [element.get("id", "") for element in self.root.iter() if "id" in element.attrib]

    def text(self, name: str) -> str:
        """Give the text of the element with an id, with single spaces."""
        return text_of(self.by_id(name))

    def named(self, name: str) -> ET.Element:
        """Find the only control with a name."""
        found = [element for element in self.root.iter() if element.get("name") == name]
        assert len(found) == 1, f"{len(found)} controls are called {name}"
        return found[0]

    def label(self, name: str) -> str:
        """Give the text of the label for the element with an id."""
        return text_of(next(label for label in self.all("label") if label.get("for") == name))

    def described(self, element: ET.Element) -> str:
        """Give the text that describes an element to who cannot see it; each id must exist."""
        return " ".join(self.text(name) for name in element.get("aria-describedby", "").split())

    def fields(self) -> list[tuple[str, str]]:
        """Give what a browser would send for the form as it stands."""
        pairs = []
        for element in self.by_id("case").iter():
            name, value = element.get("name"), element.get("value", "")
            if not name:
                continue
            if element.tag == "select":
                options = element.findall("option")
                chosen = next((option for option in options if "selected" in option.attrib), options[0])
                pairs.append((name, chosen.get("value", "")))
            elif element.tag == "textarea":
                pairs.append((name, typed_in(element)))
            elif element.get("type") not in ("radio", "checkbox") or "checked" in element.attrib:
                pairs.append((name, value))
        return pairs


def typed_in(textarea: ET.Element) -> str:
    """Give the text in a textarea as a browser has it: without the first line end."""
    return (textarea.text or "").removeprefix("\n")


def text_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).replace("\N{NO-BREAK SPACE}", " ").split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = ET.TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        twice = [name for name, count in Counter(name for name, _ in attrs).items() if count > 1]
        assert not twice, f"<{tag}> has {twice} twice"
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        self.open.append(tag)
        if tag in VOID:
            self.handle_endtag(tag)
        if tag == "br":
            self.builder.data("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> was never opened"
        assert self.open.pop() == tag, f"</{tag}> closes another element"
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)


def _parse(html: str) -> ET.Element:
    reader = _Reader()
    reader.builder.start("document", {})
    reader.feed(html)
    reader.close()
    assert not reader.open, f"never closed: {reader.open}"
    reader.builder.end("document")
    root = reader.builder.close()
    twice = [name for name, count in Counter(e.get("id") for e in root.iter() if "id" in e.attrib).items() if count > 1]
    assert not twice, f"these ids are there twice: {twice}"
    return root
