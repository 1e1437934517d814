"""Rows drawn with replacement at a third of the cost of drawing them one by one.

How often each of n rows is drawn in n draws is multinomial. Independent Poisson counts are multinomial given their sum,
and a multinomial count of m draws with one of n - m added is one of n. So counts are read from a table of the Poisson
distribution by 16 random bits a row, with a mean so far below 1 that their sum stays below n (five standard
deviations), and the few draws that are missing are made one by one. The table's chances are right to 1/65536, which
changes the width of an interval by less than a thousandth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

_CELLS = 64_000  # weights of one portion at most: it stays in the processor's cache
_BITS = 16
_DEVIATIONS = 5.0


def quick_counts(n_rows: int, n_resamples: int, generator: np.random.Generator) -> Iterator[npt.NDArray[np.float32]]:
    """How often each row was drawn, a portion of the resamples at a time, shape (portion, n_rows)."""
    table = _poisson_table(max(0.0, 1 - _DEVIATIONS / math.sqrt(n_rows)))
    at_once = max(1, _CELLS // n_rows)
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        words = generator.bit_generator.random_raw(-(-size * n_rows * _BITS // 64))
        # ``take`` with a mode does not check bounds first, and a table of bytes stays near the processor.
        counts = np.take(table, words.view(np.uint16)[: size * n_rows], mode="wrap")
        weights = counts.astype(np.float32).reshape(size, n_rows)
        missing = np.maximum(n_rows - weights.sum(axis=1), 0).astype(np.int64)
        places = np.repeat(np.arange(size) * n_rows, missing)
        places += generator.integers(0, n_rows, size=len(places))
        np.add.at(weights.reshape(-1), places, np.float32(1))
        yield weights


def _poisson_table(mean: float) -> npt.NDArray[np.int8]:
    """The count for each of 65536 equally likely numbers."""
    chances = [math.exp(-mean)]
    while len(chances) < 2 or chances[-1] * 2**_BITS > 0.01:
        chances.append(chances[-1] * mean / len(chances))
    ends = np.rint(np.cumsum(chances) * 2**_BITS)
    return np.searchsorted(ends, np.arange(2**_BITS), side="right").astype(np.int8)
