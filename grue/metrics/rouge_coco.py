"""ROUGE-L of the COCO caption evaluation (beta 1.2), 0 to 1.

Lin 2004; equal to the `Rouge` scorer of pycocoevalcap 1.2: best precision and best recall over the references, which
may be of two different references, joined by F with beta 1.2. A text is split at single blanks, so that an empty one
is one empty word: two empty texts match fully.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.coco_bleu import tokenizer_signature
from grue.metrics.coco_words import captions
from grue.metrics.text import lcs
from grue.metrics.text.gram_lists import MOST

_BETA_SQUARED = 1.2**2
_MOST_CELLS = 4 * 10**9
_MOST_SHOWN_CELLS = 4 * 10**6


@dataclass(frozen=True)
class CocoRougeL:
    """ROUGE-L by best precision and best recall."""

    name: str
    tokenize: str
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Tokeniser, beta and the implementation that it equals."""
        return f"{self.name}|{tokenizer_signature(self.tokenize)}|beta:1.2|refs:max|impl:pycocoevalcap-1.2|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,).

        Raises:
            ValueError: for a pair of texts whose comparison is beyond reach.
        """
        shared = captions(texts, self.tokenize)
        split: dict[str, list[str]] = {}

        def words(text: str) -> list[str]:
            if text not in split:
                split[text] = shared.caption(text).split(" ")
            return split[text]

        return np.array(
            [
                _score(words(prediction), [words(reference) for reference in references])
                for prediction, references in zip(texts.predictions, texts.references, strict=True)
            ],
            dtype=np.float64,
        )

    def explain(self, texts: Texts) -> list[Explanation]:
        """The common subsequence with the reference of best recall."""
        shared = captions(texts, self.tokenize)
        rows = []
        for prediction, references in zip(texts.predictions, texts.references, strict=True):
            words = shared.caption(prediction).split(" ")
            others = [shared.caption(reference).split(" ") for reference in references]
            if not others:
                rows.append(Explanation(None, "there is no reference"))
                continue
            lengths = [common(other, words) for other in others]
            best = max(range(len(others)), key=lambda index: lengths[index] / len(others[index]))
            precision = max(lengths) / len(words)
            recall = lengths[best] / len(others[best])
            kept = _common_words(others[best], words)
            rows.append(
                Explanation(
                    _f(precision, recall),
                    f"best precision {max(lengths)}/{len(words)}, best recall {lengths[best]}/{len(others[best])}",
                    best,
                    (Part("words", *_parts(kept, others[best], words)),),
                )
            )
        return rows


def _score(words: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    if not references:
        return float("nan")
    lengths = [common(reference, words) for reference in references]
    return _f(
        max(lengths) / len(words),
        max(length / len(reference) for length, reference in zip(lengths, references, strict=True)),
    )


def _f(precision: float, recall: float) -> float:
    if not precision or not recall:
        return 0.0
    return (1 + _BETA_SQUARED) * precision * recall / (recall + _BETA_SQUARED * precision)


def common(reference: Sequence[str], words: Sequence[str]) -> int:
    """Length of the longest common subsequence (Hyyrö 2004's bit vectors).

    Raises:
        ValueError: where both texts have so many shared words that the comparison is beyond reach.
    """
    start = 0
    for mine, other in zip(words, reference, strict=False):
        if mine != other:
            break
        start += 1
    if start:
        return start + common(reference[start:], words[start:])
    if not words or not reference:
        return 0
    both = set(words).intersection(reference)
    if not both:
        return 0
    if len(both) < len(words):
        words = [word for word in words if word in both]
    reference = [word for word in reference if word in both]
    if len(reference) > len(words):
        reference, words = words, reference
    if len(reference) * len(words) > _MOST_CELLS:
        raise ValueError(
            f"rougeL_coco: a row compares {len(words)} with {len(reference)} words; at most {_MOST_CELLS:.0e} pairs of "
            "words are compared"
        )
    places: dict[str, int] = {}
    if len(reference) < 64:
        for position, word in enumerate(reference):
            places[word] = places.get(word, 0) | (1 << position)
    else:
        places = _places(reference)
    everywhere = (1 << len(reference)) - 1
    row = everywhere
    for word in words:
        matches = row & places[word]
        row = ((row + matches) | (row - matches)) & everywhere
    return len(reference) - row.bit_count()


def _places(words: Sequence[str]) -> dict[str, int]:
    """Bit vectors of each word's places, made in one go from bytes as long shifts are slow."""
    found: dict[str, list[int]] = {}
    for position, word in enumerate(words):
        found.setdefault(word, []).append(position)
    out = {}
    for word, positions in found.items():
        bits = np.zeros(positions[-1] + 1, dtype=np.uint8)
        bits[positions] = 1
        out[word] = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
    return out


def _common_words(reference: Sequence[str], words: Sequence[str]) -> list[str]:
    """Words of one longest common subsequence; of long texts those that both have."""
    if len(reference) * len(words) <= _MOST_SHOWN_CELLS:
        return [reference[index] for index in lcs.indices(reference, words)]
    return list((Counter(reference) & Counter(words)).elements())


def _parts(
    kept: Sequence[str], reference: Sequence[str], words: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    have = Counter(kept)
    return (
        tuple(kept)[:MOST],
        tuple((Counter(reference) - have).elements())[:MOST],
        tuple((Counter(words) - have).elements())[:MOST],
    )


def make(name: str, settings: Mapping[str, Setting | None]) -> CocoRougeL:
    """Build from the settings of the family ``coco``."""
    return CocoRougeL(name, str(settings["tokenize"]))


CARDS: Mapping[str, Card] = {
    "rougeL_coco": Card(
        "F-measure (beta 1.2) of the longest common subsequence of words, best precision and best recall of the "
        "references.",
        0.0,
        1.0,
        "Lin 2004; the Rouge scorer of pycocoevalcap 1.2 (Vedantam 2015)",
        (
            "Best precision and best recall may come of two different references.",
            "Two empty texts get 1; no word is stemmed.",
        ),
    )
}
