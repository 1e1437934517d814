"""Which n-grams made a CIDEr value: those with the largest tf-idf weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from grue.core.metric import Explanation, Part, Texts
from grue.core.text import finite_or_none
from grue.metrics.cider_frequencies import Frequencies, Item
from grue.metrics.cider_scores import scores
from grue.metrics.coco_words import ORDERS, captions, code, grams_of
from grue.metrics.text.gram_lists import counts

_HEAVIEST = 20


def explain(
    texts: Texts, items: Sequence[Item], frequencies: Frequencies, tokenize: str, *, clipped: bool
) -> list[Explanation]:
    """One explanation a prediction: its 20 heaviest n-grams, and of its references, with their weights."""
    values = scores(items, frequencies, clipped=clipped)
    shared = captions(texts, tokenize)
    rows = []
    for prediction, references, value in zip(texts.predictions, texts.references, values, strict=True):
        words = shared.caption(prediction).split()
        others = [shared.caption(reference).split() for reference in references]
        weights: list[tuple[float, str, str]] = []
        for order in ORDERS:
            mine = counts(words, order)
            most: Counter[str] = Counter()
            for other in others:
                most |= counts(other, order)
            for gram, weight in _weights(mine | most, order, frequencies).items():
                kind = "extra" if gram not in most else "matched" if gram in mine else "missing"
                weights.append((weight, gram, kind))
        weights.sort(key=lambda entry: (-entry[0], entry[1]))
        lists = {
            kind: tuple(f"{gram} ({weight:.2f})" for weight, gram, found in weights if found == kind)[:_HEAVIEST]
            for kind in ("matched", "missing", "extra")
        }
        summary = (
            f"mean cosine with {len(references)} references over 1- to 4-grams, times 10; "
            f"{frequencies.documents} documents"
        )
        rows.append(
            Explanation(
                finite_or_none(float(value)), summary, None, (Part("n-grams with their tf-idf weight", **lists),)
            )
        )
    return rows


def _weights(grams: Counter[str], order: int, frequencies: Frequencies) -> dict[str, float]:
    """Count times inverse document frequency of n-grams of one order."""
    if not grams:
        return {}
    *_, found = grams_of([code(gram.split(" ")) for gram in grams], ORDERS[:order])
    idf = frequencies.idf(order, found.keys)
    return dict(zip(grams, (np.array(list(grams.values())) * idf).tolist(), strict=True))
