"""How varied a set of outputs is: distinct, unique, vocabulary, entropies and MSTTR.

Definitions of GEM-metrics (Gehrmann et al. 2021), which the paper uses: n-grams never cross outputs, entropies are
in bits, the conditional entropy sets an n-gram's share among n-grams against its prefix's share among
(n-1)-grams, and MSTTR averages types by words over consecutive blocks of all outputs in order, the short last
block left out. MSTTR is not rounded here; the reference rounds to five digits. A set without any n-gram has 0.

All of these depend on how many outputs there are, so no plain bootstrap gives an interval that promises anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from grue.core.metric import Digests, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.text import words
from grue.metrics.word_counts import counts, mean_type_ratio, numbered, pack

NO_INTERVAL = "no interval: the value depends on the number of outputs, which a resample of them does not keep"


@dataclass(frozen=True)
class Diversity:
    """One statistic over all outputs.

    Attributes:
        measure: ``distinct``, ``unique``, ``entropy``, ``cond_entropy``, ``vocab_size`` or ``msttr``.
        order: Length of the n-grams, in words.
        segment: Words a block, for ``msttr``.
    """

    name: str
    measure: str
    order: int
    tokenize: str
    punctuation: bool
    segment: int
    scale: float | None
    higher_is_better: bool | None = None
    needs_references: bool = False
    no_interval: str = NO_INTERVAL
    undefined: str = "there are fewer words than one block"
    kind: ClassVar[str] = "corpus"

    def signature(self) -> str:
        """Tokeniser, punctuation, and for MSTTR the block."""
        block = f"segment:{self.segment}|" if self.measure == "msttr" else ""
        return f"{self.name}|{block}{word_signature(self.tokenize, self.punctuation)}|impl:gem-metrics|v:1"

    @property
    def digest_key(self) -> tuple[str, str, bool]:
        """All statistics of one tokeniser read the same words."""
        return ("words", self.tokenize, self.punctuation)

    def digest(self, texts: Texts) -> Sequence[bytes]:
        """The words of each prediction, packed."""
        return pack(words.tokens(texts, self.tokenize, punctuation=self.punctuation))

    def value(self, digests: Digests) -> float:
        """The statistic; NaN for MSTTR where there are fewer words than one block."""
        if self.measure == "msttr":
            return mean_type_ratio(numbered(digests), self.segment)
        found = counts(digests, self.order)
        if self.measure == "vocab_size":
            return float(found.types)
        if self.measure == "unique":
            return float(found.once)
        if self.measure == "distinct":
            return found.types / found.total if found.total else 0.0
        return found.entropy if self.measure == "entropy" else found.conditional


def word_signature(tokenize: str, punctuation: bool) -> str:
    """The settings that make words, for signatures."""
    return f"tok:{words.signature(tokenize)}|punct:{'yes' if punctuation else 'no'}|case:lc"


_SOURCE = "Gehrmann et al. 2021; equal to GEM-metrics (the modules that RL4LMs pins) on the same words."
_SIZE = "Depends on how many outputs there are: compare only sets of the same rows."
_BABBLE = "Random words score best: it says nothing about sense, so read it beside a quality metric."
_WORDS = ("word", "word pair", "word triple")


def _card(measures: str, high: float | None, *failings: str) -> Card:
    return Card(measures, 0.0, high, _SOURCE, (*failings, _SIZE, _BABBLE))


CARDS: Mapping[str, Card] = {
    "msttr": _card(
        "Mean share of distinct words in consecutive blocks of 100 words of all outputs (diversity.segment).",
        1.0,
        "Depends on the order of the outputs, which is that of row ids; the last short block is left out.",
    ),
    **{
        f"distinct_{n}": _card(f"Share of distinct ones among all {word}s of all outputs.", 1.0)
        for n, word in enumerate(_WORDS, 1)
    },
    **{
        f"unique_{n}": _card(f"Number of {word}s that occur exactly once in all outputs.", None)
        for n, word in enumerate(_WORDS, 1)
    },
    **{
        f"entropy_{n}": _card(f"Shannon entropy of the {word}s of all outputs, in bits.", None)
        for n, word in enumerate(_WORDS, 1)
    },
    **{
        f"cond_entropy_{n}": Card(
            f"Entropy of a word given the {given} before it, over all outputs, in bits.",
            None,
            None,
            _SOURCE,
            ("May fall below 0, as the last words of outputs are prefixes of nothing.", _SIZE, _BABBLE),
        )
        for n, given in ((2, "word"), (3, "two words"))
    },
    "vocab_size": _card("Number of distinct words in all outputs.", None),
}


def make(name: str, settings: Mapping[str, Setting | None]) -> Diversity:
    """Build from the settings of the family ``diversity``.

    Raises:
        MetricUnavailableError: where the tokeniser's data are missing.
    """
    words.require(str(settings["tokenize"]))
    measure, _, digit = name.rpartition("_") if name[-1].isdigit() else (name, "", "1")
    return Diversity(
        name=name,
        measure=measure,
        order=int(digit),
        tokenize=str(settings["tokenize"]),
        punctuation=bool(settings["punctuation"]),
        segment=int(settings["segment"] or 1),
        scale=1.0 if measure in ("distinct", "msttr") else None,
    )
