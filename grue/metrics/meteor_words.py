"""Words as the paper's METEOR saw them: NLTK's ``word_tokenize`` with the rules it had before version 3.10.

Two rules were changed there: an opening single quote is now always a word of its own (before, it stuck to a word of
several letters, so that ``, 'the dog']`` gave ``'the``), and long dashes are now split off. Printed lists of
references are full of such quotes, and the published values of the printed list rest on the older rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from grue.core.metric import Texts
from grue.metrics.text import words
from grue.metrics.text.nltk_words import plain_words

RULES = "3.9"
# Texts without any of these have the same words under both rules.
_CHANGED = re.compile("['\u2012-\u2015]")
_LONG_DASH = re.compile("[\u2012-\u2015]")
_OLD_OPENING_QUOTE = (re.compile(r"(?i)(')(?!re|ve|ll|m|t|s|d|n)(\w)\b"), r"\1 \2")


def signature() -> str:
    """The tokeniser, for a metric's signature."""
    return f"{words.signature('nltk')}[rules:{RULES}]"


def of_predictions(texts: Texts) -> words.Tokens:
    """Lower-cased words of each prediction; those that the rules' change leaves alone are shared with other metrics."""
    shared = words.tokens(texts, "nltk", punctuation=True)
    return [split(line) if _CHANGED.search(line) else row for line, row in zip(texts.predictions, shared, strict=True)]


def of_printed(lists: Sequence[str]) -> words.Tokens:
    """Lower-cased words of printed lists."""
    return [split(line) for line in lists]


def split(text: str) -> list[str]:
    """Lower-cased words of one text."""
    if not _LONG_DASH.search(text) and (plain := plain_words(text)) is not None:
        return [word.lower() for word in plain]
    from nltk.tokenize import sent_tokenize

    tokenizer = _tokenizer()
    return [word.lower() for sentence in sent_tokenize(text) for word in tokenizer.tokenize(sentence)]


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from nltk.tokenize import NLTKWordTokenizer

    older = NLTKWordTokenizer()
    # On the instance, so that NLTK's own tokeniser stays as it is.
    older.STARTING_QUOTES = [*NLTKWordTokenizer.STARTING_QUOTES[:-1], _OLD_OPENING_QUOTE]
    older.PUNCTUATION = [rule for rule in NLTKWordTokenizer.PUNCTUATION if "2012" not in rule[0].pattern]
    return older
