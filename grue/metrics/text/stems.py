"""Porter stems of words, each made once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from grue.metrics.text import porter as porter_rules
from grue.metrics.text.kept import kept


@kept(2**17)
def porter(word: str) -> str:
    """The stem that NLTK's Porter stemmer gives, in its default mode with the extensions of its authors."""
    return porter_rules.stem(word)


@kept(2**16)
def original_porter(word: str) -> str:
    """The stem of the algorithm as Porter published it in 1980, by NLTK's stemmer."""
    stem: str = _original_stemmer().stem(word)
    return stem


@lru_cache(maxsize=1)
def _original_stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer("ORIGINAL_ALGORITHM")
