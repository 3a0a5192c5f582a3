"""A model card is Markdown that a stranger may have written."""

import pytest

from dashboard.card import card_html


def test_markdown_becomes_html_below_the_page_s_own_headings() -> None:
    html = card_html("# Loans\n\n**Limits.** One *bank*.\n\n## Data\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")

    assert "Loans" not in html
    assert "<strong>Limits.</strong> One <em>bank</em>." in html
    assert "<h3>Data</h3>" in html
    assert "<td>1</td>" in html


def test_what_publishing_wrote_is_left_to_the_page() -> None:
    html = card_html("# Loans\n\nMine.\n\n## What it predicts\n\nIts own table.\n")

    assert "Mine." in html
    assert "Its own table" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[press](javascript:alert(1))",
        "[press](data:text/html;base64,PHNjcmlwdD4=)",
        "![seen](https://elsewhere.example/spy.png)",
        '"><svg onload=alert(1)>',
    ],
)
def test_nothing_of_a_card_runs_or_is_fetched(text: str) -> None:
    html = card_html(f"# Title\n\n{text}\n")

    assert "<script" not in html
    assert "<img" not in html
    assert "<svg" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html


def test_a_link_says_nothing_of_where_it_was_followed_from() -> None:
    assert 'rel="noopener noreferrer nofollow"' in card_html("# T\n\n[paper](https://example.org/paper)\n")
