"""Counting words and characters as scikit-learn's vectorisers do, in odd texts as well."""

from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from model_api.publishing.lowering.text import WORDS
from model_api.runtimes.lowered.operations import OPERATIONS

TEXTS = [
    "",
    " ",
    "\t\n \r\n",
    "a",
    "A good film, a GOOD film!",
    "one-two  three   four",
    "Été à l'école: naïve façade, Ærøskøbing",
    "ÉTÉ ete été",
    "ﬁne ﬂow ½ ² ＡＢＣ １２３",
    "İstanbul ISTANBUL ıstanbul ß ẞ SS",
    "👍🏽 👨\u200d👩\u200d👧 good👍good",
    "中文 テキスト 한국어 हिन्दी",
    "e\u0301te\u0301 a\u0300",
    "under_score 3.14 x2 2x __",
    "no\u00a0break\u2003space\u200bzero",
    "x" * 300,
    "the and of the a",
    "\x00 nul \x1f",
]
ANALYZERS: list[dict[str, Any]] = [
    {},
    {"lowercase": False},
    {"ngram_range": (1, 3)},
    {"ngram_range": (2, 2)},
    {"token_pattern": r"(?u)\b\w+\b"},
    {"stop_words": "english", "ngram_range": (1, 2)},
    {"stop_words": ["film", "good"]},
    {"strip_accents": "unicode"},
    {"strip_accents": "ascii"},
    {"binary": True},
    {"analyzer": "char"},
    {"analyzer": "char", "ngram_range": (2, 4), "strip_accents": "ascii"},
    {"analyzer": "char_wb"},
    {"analyzer": "char_wb", "ngram_range": (1, 6)},
    {"analyzer": "char_wb", "ngram_range": (3, 5), "strip_accents": "unicode", "lowercase": False},
]


def counts_like(fitted: CountVectorizer) -> Any:
    """Make the operation with a vectoriser's settings."""
    return OPERATIONS["counts"](
        vocabulary=sorted(fitted.vocabulary_, key=fitted.vocabulary_.__getitem__),
        analyzer=fitted.analyzer,
        words=WORDS[fitted.token_pattern],
        shortest=fitted.ngram_range[0],
        longest=fitted.ngram_range[1],
        stop_words=sorted(fitted.get_stop_words() or ()) if fitted.analyzer == "word" else [],
        lowercase=fitted.lowercase,
        strip_accents=fitted.strip_accents,
        binary=fitted.binary,
    )


@pytest.mark.parametrize("settings", ANALYZERS, ids=str)
def test_counts_are_a_count_vectorizers(settings: dict[str, Any]) -> None:
    fitted = CountVectorizer(**settings).fit(TEXTS)

    assert counts_like(fitted)([TEXTS]).tolist() == fitted.transform(TEXTS).toarray().tolist()


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_text_alone_is_counted_alike(text: str) -> None:
    fitted = CountVectorizer(analyzer="char_wb", ngram_range=(1, 3)).fit(TEXTS)

    assert counts_like(fitted)([[text]]).tolist() == fitted.transform([text]).toarray().tolist()


def test_words_that_training_did_not_know_count_nothing() -> None:
    fitted = CountVectorizer().fit(["good film"])

    assert counts_like(fitted)([["bad plot", "good plot"]]).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("sublinear", [False, True])
@pytest.mark.parametrize("use_idf", [False, True])
def test_term_weights_are_tf_idf(norm: str | None, sublinear: bool, use_idf: bool) -> None:
    counts = CountVectorizer().fit_transform([*TEXTS, ""]).toarray().astype(float)
    fitted = TfidfTransformer(norm=norm, sublinear_tf=sublinear, use_idf=use_idf).fit(counts)
    weights = fitted.idf_ if use_idf else None

    given = OPERATIONS["term_weights"](sublinear=sublinear, weights=weights, norm=norm)(counts)

    assert np.abs(given - fitted.transform(counts).toarray()).max() < 1e-14


def test_a_vocabulary_of_the_users_own_is_kept_in_its_order() -> None:
    fitted = TfidfVectorizer(vocabulary=["zebra", "ape"]).fit(["ape zebra zebra"])

    assert counts_like(fitted)([["zebra zebra ape"]]).tolist() == [[2, 1]]
