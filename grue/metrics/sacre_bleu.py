"""BLEU as SacreBLEU computes it: corpus n-gram precision with a brevity penalty, 0 to 100.

Papineni et al. 2002; Post 2018. Statistics and values equal those of the `sacrebleu` package, version 2.6.0. Words are
made piece by piece (``text.mt_tokens``), n-grams of a portion are counted together (``text.shared_grams``), and the
formula over sums of statistics works on whole arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Explanation, Floats, Texts
from grue.core.task import Setting
from grue.core.text import finite_or_none
from grue.metrics.card import Card
from grue.metrics.mt_explain import gram_parts
from grue.metrics.sacre import distinct, library_signature, numbered_words
from grue.metrics.text.mt_tokens import Cut, tokenizer
from grue.metrics.text.shared_grams import Ints, Symbols, matches

_SMOOTH_DEFAULTS = {"floor": 0.1, "add-k": 1.0}

CARDS: Mapping[str, Card] = {
    "sacrebleu": Card(
        "Share of word n-grams of order 1 to 4 that references have too (geometric mean), cut where texts are short.",
        0.0,
        100.0,
        "Papineni et al. 2002, 'BLEU'; Post 2018, 'A Call for Clarity in Reporting BLEU Scores'; equal to sacrebleu "
        "2.6.0",
        (
            "Values of different tokenisers do not compare; the signature names it.",
            "A corpus value: sentence values (effective order) do not average to it.",
            "The tokeniser 13a finds no words in Chinese, Japanese or Thai; take zh, ja-mecab or char there.",
            "Synonyms and free word order count as errors; agreement with people is weak for strong systems.",
        ),
    )
}


@dataclass(frozen=True)
class SacreBleu:
    """Corpus BLEU; sentence scores use effective order, as the library advises.

    A row's statistics: hypothesis length, closest reference length, then matches and totals for each order.
    """

    library: Any = field(repr=False)
    order: int
    smooth_method: str
    smooth_value: float
    effective_order: bool
    name: str = "sacrebleu"
    scale: float | None = 100.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    def signature(self) -> str:
        """SacreBLEU's signature; the n-gram order is added where it is not 4."""
        text = library_signature(self.library)
        if self.smooth_method in _SMOOTH_DEFAULTS and round(self.smooth_value, 2) != self.smooth_value:
            # The library rounds the value to two digits, which would make two settings look alike.
            text = text.replace(f"[{self.smooth_value:.2f}]", f"[{self.smooth_value!r}]")
        return text if self.order == 4 else f"{text}|order:{self.order}"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 2 + 2 * order); NaN for a row without references."""
        found = distinct(texts)
        symbols: Symbols = texts.derived(
            ("bleu words", self.library.tokenizer_signature, self.library.lowercase),
            lambda: numbered_words(found.texts, self.words()),
        )
        out = np.full((len(texts), 2 + 2 * self.order), np.nan)
        for indices, rows in found.alike():
            lengths = symbols.lengths[rows]
            out[indices, 0] = lengths[:, 0]
            out[indices, 1] = _closest(lengths)
            out[indices, 2 : 2 + self.order] = matches(symbols, rows, self.order)
            out[indices, 2 + self.order :] = symbols.totals(self.order)[rows[:, 0]]
        return out

    def explain(self, texts: Texts) -> list[Explanation]:
        """N-grams that counted, precisions and brevity penalty."""
        cut = self.words()
        statistics = self.statistics(texts)
        return [
            self._explained(row, value, cut(text), [cut(reference) for reference in references])
            for row, value, text, references in zip(
                statistics, self.sample_values(statistics), texts.predictions, texts.references, strict=True
            )
        ]

    def _explained(self, row: Floats, value: float, words: list[str], references: list[list[str]]) -> Explanation:
        if not references:
            return Explanation(None, "there is no reference")
        return Explanation(
            finite_or_none(value),
            f"sentence BLEU of {precisions(row, self.order)} and {brevity(row[0], row[1], 'closest')}",
            0 if len(references) == 1 else None,
            gram_parts(words, references, self.order),
        )

    def words(self) -> Cut:
        """A new function from a text to its words as they are compared."""
        cut = tokenizer(self.library.tokenizer_signature, self.library.tokenizer)
        lowercase = self.library.lowercase
        return lambda text: cut((text.lower() if lowercase else text).rstrip())

    def corpus_value(self, total: Floats) -> Floats:
        """BLEU of summed statistics, shape (..., 2 + 2 * order) -> (...)."""
        return self._bleu(total, effective=self.effective_order)

    def sample_values(self, statistics: Floats) -> Floats:
        """Sentence BLEU with effective order."""
        return self._bleu(statistics, effective=True)

    def _bleu(self, total: Floats, *, effective: bool) -> Floats:
        stats = np.asarray(total, dtype=np.float64)
        length, reference = stats[..., 0], stats[..., 1]
        matches, totals = stats[..., 2 : 2 + self.order], stats[..., 2 + self.order :]
        ratio = np.divide(reference, length, out=np.full_like(length, np.inf), where=length > 0)
        penalty = np.where(length < reference, np.exp(1 - ratio), 1.0)
        logs = np.zeros(stats.shape[:-1])
        orders = np.full(stats.shape[:-1], float(self.order))
        halving = np.ones(stats.shape[:-1])
        going = np.ones(stats.shape[:-1], dtype=bool)  # false from the first order that has no n-grams at all
        for n in range(self.order):
            added = self.smooth_value if self.smooth_method == "add-k" and n > 0 else 0.0
            hits, count = matches[..., n] + added, totals[..., n] + added
            going = going & (count > 0)
            if effective:
                orders = np.where(going, n + 1.0, np.where(n == 0, float(self.order), orders))
            missing = going & (hits == 0)
            if self.smooth_method == "exp":
                halving = np.where(missing, halving * 2, halving)
                hits = np.where(missing, 1 / halving, hits)
            elif self.smooth_method == "floor":
                hits = np.where(missing, self.smooth_value, hits)
            counted = going if effective else np.ones_like(going)
            precision = np.where(going & (hits > 0), 100 * hits, 0.0) / np.where(count > 0, count, 1.0)
            with np.errstate(divide="ignore"):
                logs = logs + np.where(counted, np.log(precision), 0.0)
        score = penalty * np.exp(logs / orders)
        return np.where(np.isnan(stats).any(axis=-1), np.nan, np.where(matches.any(axis=-1), score, 0.0))


def precisions(row: Floats, order: int) -> str:
    """The n-gram precisions of a row's statistics, in words."""
    shares = ", ".join(f"{row[1 + n]:.0f}/{row[1 + order + n]:.0f}" for n in range(1, order + 1))
    return f"precisions {shares} for n-grams of 1 to {order} words"


def brevity(length: float, reference: float, which: str) -> str:
    """The brevity penalty, in words."""
    penalty = 1.0 if length >= reference else float(np.exp(1 - reference / length)) if length else 0.0
    return f"brevity penalty {penalty:.3f} ({length:.0f} words, {which} reference {reference:.0f})"


def _closest(lengths: Ints) -> Ints:
    """Of each row's references the length nearest to the text's, the smaller where two are as near."""
    text, references = lengths[:, :1], lengths[:, 1:]
    apart = np.abs(references - text)
    near = apart == apart.min(axis=1, keepdims=True)
    closest: Ints = np.where(near, references, np.iinfo(np.int64).max).min(axis=1)
    return closest


def make(name: str, settings: Mapping[str, Setting | None]) -> SacreBleu:
    """Build from the settings of the family ``sacrebleu``, named as the library's.

    Raises:
        MetricUnavailableError: where the tokeniser needs a package that is not installed.
    """
    from sacrebleu.metrics import BLEU

    try:
        library = BLEU(force=True, **settings)
    except (ImportError, RuntimeError) as error:
        extra = {"ja-mecab": "sacrebleu[ja]", "ko-mecab": "sacrebleu[ko]"}.get(str(settings["tokenize"]), "sacrebleu")
        raise MetricUnavailableError(
            f"the tokeniser {settings['tokenize']!r} needs a package that is not installed: pip install '{extra}'"
        ) from error
    method = str(settings["smooth_method"])
    value = settings["smooth_value"]
    return SacreBleu(
        library=library,
        order=int(settings["max_ngram_order"] or 4),
        smooth_method=method,
        smooth_value=float(value) if value is not None else _SMOOTH_DEFAULTS.get(method, 0.0),
        effective_order=bool(settings["effective_order"]),
        name=name,
    )
