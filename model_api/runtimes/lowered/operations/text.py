"""Free text → counts of the words that training knew."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes.lowered.operations.making import Matrix, Raw, plain

WORDS = {"two": re.compile(r"(?u)\b\w\w+\b"), "one": re.compile(r"(?u)\b\w+\b")}
"""What counts as a word: two or more characters, scikit-learn's default, or one. No pattern of a model's own is run."""
SPACE = re.compile(r"\s\s+")


class Counts:
    """Counts the n-grams of a text that are in the vocabulary."""

    def __init__(
        self,
        *,
        vocabulary: Sequence[str],
        analyzer: str,
        words: str,
        shortest: int,
        longest: int,
        stop_words: Sequence[str],
        lowercase: bool,
        strip_accents: str | None,
        binary: bool,
    ) -> None:
        """`analyzer`: word, char or char_wb; `shortest` and `longest`: words or characters of an n-gram."""
        self._places = {term: place for place, term in enumerate(vocabulary)}
        self._grams = {"word": self._word_grams, "char": self._char_grams, "char_wb": self._edge_grams}[analyzer]
        self._word = WORDS[words]
        self._range = range(shortest, longest + 1)
        self._stop_words = frozenset(stop_words)
        self._lowercase, self._accents, self._binary = lowercase, strip_accents, binary

    def __call__(self, source: Raw) -> Matrix:
        """Give n × terms counts for n texts."""
        (texts,) = source
        result = np.zeros((len(texts), len(self._places)))
        for row, text in enumerate(texts):
            for gram, count in Counter(self._grams(self._prepared(text))).items():
                place = self._places.get(gram)
                if place is not None:
                    result[row, place] = 1.0 if self._binary else count
        return result

    def _prepared(self, text: str) -> str:
        text = text.lower() if self._lowercase else text
        if self._accents == "unicode" and not text.isascii():
            text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        elif self._accents == "ascii":
            text = unicodedata.normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")
        return text

    def _word_grams(self, text: str) -> Iterator[str]:
        tokens = [word for word in self._word.findall(text) if word not in self._stop_words]
        for length in self._range:
            for start in range(len(tokens) - length + 1):
                yield tokens[start] if length == 1 else " ".join(tokens[start : start + length])

    def _char_grams(self, text: str) -> Iterator[str]:
        text = SPACE.sub(" ", text)
        for length in self._range:
            for start in range(len(text) - length + 1):
                yield text[start : start + length]

    def _edge_grams(self, text: str) -> Iterator[str]:
        """Give character n-grams inside of words, which have a blank before and behind."""
        for word in SPACE.sub(" ", text).split():
            padded = f" {word} "
            for length in self._range:
                if length >= len(padded):
                    yield padded  # a word that is shorter counts once
                    break
                for start in range(len(padded) - length + 1):
                    yield padded[start : start + length]


def term_weights(
    x: Matrix, *, sublinear: bool, weights: npt.NDArray[np.float64] | None = None, norm: str | None = None
) -> Matrix:
    """Turn counts into tf-idf: `weights` are the terms' inverse document frequencies."""
    if sublinear:
        x = np.where(x > 0, np.log(np.where(x > 0, x, 1.0)) + 1.0, 0.0)
    if weights is not None:
        x = x * weights
    if norm is None:
        return x
    lengths = np.abs(x).sum(axis=1) if norm == "l1" else np.sqrt(np.einsum("ij,ij->i", x, x))
    return x / np.where(lengths == 0, 1.0, lengths)[:, None]


OPERATIONS: dict[str, Any] = {"counts": Counts, "term_weights": plain(term_weights)}
