"""The arithmetic of CIDEr on arrays of n-grams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grue.core.metric import Floats
from grue.metrics.cider_frequencies import Frequencies, Item, referenced
from grue.metrics.coco_words import ORDERS, counted, grams_of, lengths_of

_SIGMA = 6.0
_ROWS_AT_ONCE = 2048


def scores(items: Sequence[Item], frequencies: Frequencies, *, clipped: bool) -> Floats:
    """CIDEr-D (clipped) or CIDEr of each item, shape (n,); NaN for one without references."""
    parts = [
        _portion(items[start : start + _ROWS_AT_ONCE], frequencies, clipped)
        for start in range(0, len(items), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _portion(items: Sequence[Item], frequencies: Frequencies, clipped: bool) -> Floats:
    n = len(items)
    references = [referenced(item) for item in items]
    sizes = np.array([len(own) for own in references], dtype=np.int64)
    coded = [item[1] for item in items] + [one for own in references for one in own]
    owner = np.repeat(np.arange(n), sizes)
    pairs = np.maximum(lengths_of(coded) - 1, 0)
    total = np.zeros(len(owner))
    for order, grams in zip(ORDERS, grams_of(coded), strict=True):
        found = counted(grams)
        weight = found.count * frequencies.idf(order, found.distinct)[found.gram]
        norm = np.sqrt(np.bincount(found.unit, weights=weight * weight, minlength=len(coded)))
        ours = found.unit < n
        size = max(len(found.distinct), 1)
        mine = found.unit[ours] * size + found.gram[ours]
        theirs = found.unit[~ours] - n
        place = np.searchsorted(mine, owner[theirs] * size + found.gram[~ours])
        place = np.minimum(place, max(len(mine) - 1, 0))
        if not len(mine):
            continue
        shared = mine[place] == owner[theirs] * size + found.gram[~ours]
        left, right = weight[ours][place][shared], weight[~ours][shared]
        product = (np.minimum(left, right) if clipped else left) * right
        dot = np.bincount(theirs[shared], weights=product, minlength=len(owner)).astype(np.float64)
        both = norm[:n][owner] * norm[n:]
        total += np.divide(dot, both, out=dot.copy(), where=both != 0)
    if clipped:
        distance = (pairs[:n][owner] - pairs[n:]).astype(np.float64)
        total *= np.exp(-(distance**2) / (2 * _SIGMA**2))
    summed = np.bincount(owner, weights=total, minlength=n)
    values: Floats = np.divide(10.0 * summed / len(ORDERS), sizes, out=np.full(n, np.nan), where=sizes > 0)
    return values
