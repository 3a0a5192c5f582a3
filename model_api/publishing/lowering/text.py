"""Vectorisers of free text."""

from typing import Any

import numpy as np
from sklearn.feature_extraction import text

from model_api.publishing.lowering.graph import Graph, Node, Source, Unlowerable

WORDS = {r"(?u)\b\w\w+\b": "two", r"(?u)\b\w+\b": "one"}


def count_vectorizer(graph: Graph, step: Any, source: Source) -> Node:
    """Counts of the vocabulary's n-grams."""
    node = graph.node(source)
    if not node.raw or node.width != 1:
        raise Unlowerable(f"{type(step).__name__} gets something else than one column of text")
    if step.preprocessor or step.tokenizer or callable(step.analyzer) or callable(step.strip_accents):
        raise Unlowerable(f"{type(step).__name__} calls a function of the user's own")
    if step.analyzer == "word" and step.token_pattern not in WORDS:
        raise Unlowerable(f"{type(step).__name__} has a pattern of the user's own for words")
    shortest, longest = step.ngram_range
    terms = sorted(step.vocabulary_, key=step.vocabulary_.__getitem__)
    return graph.add(
        "counts",
        node,
        width=len(terms),
        vocabulary=terms,
        analyzer=step.analyzer,
        words=WORDS.get(step.token_pattern, "two"),
        shortest=int(shortest),
        longest=int(longest),
        stop_words=sorted(step.get_stop_words() or ()) if step.analyzer == "word" else [],
        lowercase=bool(step.lowercase),
        strip_accents=step.strip_accents,
        binary=bool(step.binary),
    )


def tfidf_transformer(graph: Graph, step: Any, source: Source) -> Node:
    """Counts → tf-idf."""
    x = graph.matrix(source)
    return graph.add(
        "term_weights",
        x,
        width=x.width,
        sublinear=bool(step.sublinear_tf),
        weights=np.asarray(step.idf_) if step.use_idf else None,
        norm=step.norm,
    )


def tfidf_vectorizer(graph: Graph, step: Any, source: Source) -> Node:
    """Text → tf-idf."""
    return tfidf_transformer(graph, step._tfidf, count_vectorizer(graph, step, source))


TRANSFORMERS: dict[type, Any] = {
    text.CountVectorizer: count_vectorizer,
    text.TfidfTransformer: tfidf_transformer,
    text.TfidfVectorizer: tfidf_vectorizer,
}
