"""How varied a set of outputs is: distinct, unique, vocabulary, entropies and MSTTR.

Definitions of GEM-metrics (Gehrmann et al. 2021), which the paper uses: n-grams never cross outputs, entropies are
in bits, the conditional entropy sets an n-gram's share among n-grams against its prefix's share among
(n-1)-grams, and MSTTR averages types by words over consecutive blocks of all outputs in order, the short last
block left out. MSTTR is not rounded here; the reference rounds to five digits. A set without any n-gram has 0.

All of these depend on how many outputs there are, so no plain bootstrap gives an interval that promises anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Digests, Texts
from grue.core.task import Setting
from grue.metrics.text import words

NO_INTERVAL = "no interval: the value depends on the number of outputs, which a resample of them does not keep"
Ngrams = Counter[tuple[str, ...]]


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

    def digest(self, texts: Texts) -> words.Tokens:
        """The words of each prediction."""
        return words.tokens(texts, self.tokenize, punctuation=self.punctuation)

    def value(self, digests: Digests) -> float:
        """The statistic; NaN for MSTTR where there are fewer words than one block."""
        if self.measure == "msttr":
            return msttr([word for row in digests.items for word in row], self.segment)
        counts = self._counts(digests, self.order)
        total = counts.total()
        if self.measure == "vocab_size":
            return float(len(counts))
        if self.measure == "unique":
            return float(sum(count == 1 for count in counts.values()))
        if total == 0:
            return 0.0
        if self.measure == "distinct":
            return len(counts) / total
        if self.measure == "entropy":
            return entropy(counts)
        return conditional_entropy(counts, self._counts(digests, self.order - 1))

    def _counts(self, digests: Digests, order: int) -> Ngrams:
        return digests.derived(("n-grams", order), lambda: ngrams(digests.items, order))


def word_signature(tokenize: str, punctuation: bool) -> str:
    """The settings that make words, for signatures."""
    return f"tok:{words.signature(tokenize)}|punct:{'yes' if punctuation else 'no'}|case:lc"


def ngrams(rows: Sequence[list[str]], order: int) -> Ngrams:
    """Counts of all n-grams; none crosses a row."""
    counts: Ngrams = Counter()
    for row in rows:
        counts.update(zip(*(row[start:] for start in range(order)), strict=False))
    return counts


def entropy(counts: Ngrams) -> float:
    """Shannon entropy in bits; 0 where there is one n-gram alone."""
    share = np.fromiter(counts.values(), dtype=np.float64, count=len(counts)) / counts.total()
    return abs(float(-(share * np.log2(share)).sum()))


def conditional_entropy(counts: Ngrams, prefixes: Ngrams) -> float:
    """-sum p(n-gram) log2(p(n-gram) / p(prefix)); may fall below 0, as last words of rows are prefixes of nothing."""
    total, prefix_total = counts.total(), prefixes.total()
    share = np.fromiter(counts.values(), dtype=np.float64, count=len(counts)) / total
    prefix = np.fromiter((prefixes[gram[:-1]] for gram in counts), dtype=np.float64, count=len(counts)) / prefix_total
    return float(-(share * np.log2(share / prefix)).sum())


def msttr(line: list[str], segment: int) -> float:
    """Mean of types by words over whole blocks; NaN where no block is whole."""
    starts = range(0, len(line) - segment + 1, segment)
    ratios = [len(set(line[start : start + segment])) / segment for start in starts]
    return sum(ratios) / len(ratios) if ratios else float("nan")


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
