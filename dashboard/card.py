"""A model card, Markdown that a stranger may have written, as HTML: no HTML of its own, no pictures, no scripts."""

from markdown_it import MarkdownIt
from markupsafe import Markup

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image"])
HEADINGS = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6"}
"""The page has headings of its own above those of the card."""
GENERATED = "\n## What it predicts\n"
"""Heading of the first part of a card that publishing wrote (model_api/publishing/card.py)."""


def card_html(text: str) -> Markup:
    """Give the card's own text as HTML: without its first heading, and without the tables, which the page has too."""
    lines = text[: text.rfind(GENERATED) if GENERATED in text else None].lstrip().splitlines()
    if lines and lines[0].startswith("# "):
        lines = lines[1:]
    tokens = MARKDOWN.parse("\n".join(lines))
    for token in tokens:
        token.tag = HEADINGS.get(token.tag, token.tag)
        for child in token.children or ():
            if child.type == "link_open":  # what a card links to is not ours to vouch for
                child.attrSet("rel", "noopener noreferrer nofollow")
    # markdown-it escapes text and addresses, and with `html` off lets no tag of the card through.
    return Markup(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))  # noqa: S704 -- see above
