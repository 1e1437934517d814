"""BLEU-1 to BLEU-4 of the COCO caption evaluation, 0 to 1.

Papineni et al. 2002; equal to the `Bleu` scorer of pycocoevalcap 1.2 with its closest reference length and its two
small constants in place of smoothing, so that a value is hardly ever exactly 0. Tokens are the evaluation's PTB
tokens (``coco.tokenize=ptb``, by ``grue.metrics.text.ptb``) or what stands between white space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.core.text import finite_or_none
from grue.metrics.card import Card
from grue.metrics.coco_words import ORDERS, Captions, Counted, Whole, captions, counted, grams_of, lengths_of
from grue.metrics.text import ptb
from grue.metrics.text.gram_lists import compared

_SMALL = 1e-9
_TINY = 1e-15


@dataclass(frozen=True)
class CocoBleu:
    """BLEU up to one order; all four share the work.

    A row's statistics: hypothesis length, closest reference length, then matches and totals for each order.
    """

    name: str
    order: int
    tokenize: str
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    def signature(self) -> str:
        """Tokeniser, choice of the reference length and the implementation that it equals."""
        return f"{self.name}|{tokenizer_signature(self.tokenize)}|reflen:closest|impl:pycocoevalcap-1.2|v:1"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 2 + 2 * order)."""
        every = texts.derived(("coco bleu", self.tokenize), lambda: _statistics(texts, captions(texts, self.tokenize)))
        lengths, matches, totals = every[:, :2], every[:, 2:6], every[:, 6:]
        return np.hstack((lengths, matches[:, : self.order], totals[:, : self.order]))

    def corpus_value(self, total: Floats) -> Floats:
        """BLEU of summed statistics, shape (..., 2 + 2 * order) -> (...)."""
        stats = np.asarray(total, dtype=np.float64)
        length, reference = stats[..., 0], stats[..., 1]
        matches, totals = stats[..., 2 : 2 + self.order], stats[..., 2 + self.order :]
        product = np.prod((matches + _TINY) / (totals + _SMALL), axis=-1)
        ratio = (length + _TINY) / (reference + _SMALL)
        value = product ** (1 / self.order) * np.where(ratio < 1, np.exp(1 - 1 / np.minimum(ratio, 1.0)), 1.0)
        return np.asarray(value)

    def sample_values(self, statistics: Floats) -> Floats:
        """The scorer's own sentence scores, which have the same formula."""
        return self.corpus_value(statistics)

    def explain(self, texts: Texts) -> list[Explanation]:
        """N-grams of each order that matched, and those of the closest reference and of the prediction that did not."""
        shared = captions(texts, self.tokenize)
        rows = []
        statistics = self.statistics(texts)
        for prediction, references, value, row in zip(
            texts.predictions, texts.references, self.sample_values(statistics), statistics, strict=True
        ):
            words = shared.caption(prediction).split()
            others = [shared.caption(reference).split() for reference in references]
            parts = tuple(
                Part("words" if order == 1 else f"{order}-grams", *compared(words, others, order))
                for order in ORDERS[: self.order]
            )
            matches, totals = row[2 : 2 + self.order], row[2 + self.order :]
            shares = ", ".join(f"{int(hit)}/{int(all_)}" for hit, all_ in zip(matches, totals, strict=True))
            rows.append(
                Explanation(
                    finite_or_none(float(value)),
                    f"precisions {shares}; {int(row[0])} words against {int(row[1])} of the closest reference",
                    None,
                    parts,
                )
            )
        return rows


def tokenizer_signature(tokenize: str) -> str:
    """The part of a signature that names the tokeniser."""
    return f"tok:ptb-v{ptb.VERSION}|case:lc|punct:no" if tokenize == "ptb" else "tok:whitespace|case:mixed|punct:yes"


def _statistics(texts: Texts, shared: Captions) -> Floats:
    """Lengths, matches of four orders, totals of four orders, shape (n, 10)."""
    groups: dict[tuple[str, ...], int] = {}
    group = np.fromiter(
        (groups.setdefault(tuple(references), len(groups)) for references in texts.references),
        dtype=np.int64,
        count=len(texts),
    )
    coded = [shared.code(text) for text in texts.predictions]
    n = len(coded)
    coded += [shared.code(text) for references in groups for text in references]
    owner = np.repeat(np.arange(len(groups), dtype=np.int64), [len(references) for references in groups])
    lengths = lengths_of(coded)
    out = np.empty((n, 10))
    out[:, 0] = lengths[:n]
    out[:, 1] = _closest(lengths[:n], group, _split(lengths[n:], [len(references) for references in groups]))
    for order, grams in zip(ORDERS, grams_of(coded), strict=True):
        out[:, 1 + order] = _matches(counted(grams), n, group, owner)
        out[:, 5 + order] = np.maximum(lengths[:n] - order + 1, 0)
    return out


def _split(lengths: Whole, sizes: Sequence[int]) -> list[list[int]]:
    flat, out, start = lengths.tolist(), [], 0
    for size in sizes:
        out.append(flat[start : start + size])
        start += size
    return out


def _closest(lengths: Whole, group: Whole, references: list[list[int]]) -> list[int]:
    """The reference length nearest to each hypothesis, the shorter of two equally near."""
    return [
        min((abs(other - length), other) for other in references[index])[1] if references[index] else 0
        for length, index in zip(lengths.tolist(), group.tolist(), strict=True)
    ]


def _matches(found: Counted, n: int, group: Whole, owner: Whole) -> Floats:
    """Clipped matches of each of the first n texts with the references of its group, shape (n,)."""
    size = max(len(found.distinct), 1)
    ours = found.unit < n
    wanted = owner[found.unit[~ours] - n] * size + found.gram[~ours]
    order = np.argsort(wanted, kind="stable")
    keys, first = np.unique(wanted[order], return_index=True)
    if not len(keys):
        return np.zeros(n)
    most = np.maximum.reduceat(found.count[~ours][order], first)
    mine = group[found.unit[ours]] * size + found.gram[ours]
    place = np.minimum(np.searchsorted(keys, mine), len(keys) - 1)
    hits = np.where(keys[place] == mine, np.minimum(most[place], found.count[ours]), 0)
    summed: Floats = np.bincount(found.unit[ours], weights=hits, minlength=n).astype(np.float64)
    return summed


def make(name: str, settings: Mapping[str, Setting | None]) -> CocoBleu:
    """Build ``bleu_1`` … ``bleu_4`` from the settings of the family ``coco``."""
    return CocoBleu(name, int(name.removeprefix("bleu_")), str(settings["tokenize"]))


CARDS: Mapping[str, Card] = {
    f"bleu_{order}": Card(
        f"Share of a prediction's word n-grams up to {order} that its references have, geometric mean over orders, "
        "times a penalty for texts shorter than the closest reference.",
        0.0,
        1.0,
        "Papineni et al. 2002; the Bleu scorer of pycocoevalcap 1.2 (Fang and Lin 2015)",
        (
            "A row without a match gets a value near 0, not 0, as the scorer adds small constants and smooths nothing.",
            "Sentence values of short texts say little: an order that a text is too short for counts as 1e-6.",
            "Brackets stay as -lrb- and -rrb- in the evaluation's tokens and count as words.",
        ),
    )
    for order in ORDERS
}
