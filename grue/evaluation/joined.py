"""All portions of a task in id order, which is the order of every sum and every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Digests, Floats
from grue.evaluation.chunks import ChunkScores, DigestKey, Key


class Joined:
    """What the chunks gave, joined.

    Attributes:
        n: Number of generations.
        n_rows: Number of rows; several samples are one row.
        has_references: Shape (n,), in id order.
        values: Metric -> shape (n,).
        statistics: Metric -> shape (n, k).
        rewards: Reward -> shape (n,).
        failures: What raised -> message.
        unavailable: What found something missing -> reason.
    """

    def __init__(self, chunks: Sequence[ChunkScores], keys: Sequence[Key]) -> None:
        came = [key for part in chunks for key in part.keys]
        if sorted(came) != sorted(keys) or len(set(keys)) != len(keys):
            raise ValueError("the chunks do not hold exactly the keys")
        self._chunks = chunks
        self._sizes = [len(part.keys) for part in chunks]
        self._came_order = sorted(range(len(came)), key=came.__getitem__)
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._rank = np.argsort(np.array(order, dtype=np.intp), kind="stable")
        ids = [keys[index][0] for index in order]
        self._starts = np.array(
            [index for index, row in enumerate(ids) if index == 0 or row != ids[index - 1]], dtype=np.intp
        )
        self.n, self.n_rows = len(keys), len(self._starts)
        masks = [part.has_references for part in chunks] or [np.empty(0, dtype=bool)]
        self.has_references: NDArray[np.bool_] = np.concatenate(masks)[self._came_order]
        self.values = self._join([part.per_sample for part in chunks])
        self.statistics = self._join([part.statistics for part in chunks])
        self.rewards = self._join([part.rewards for part in chunks])
        self.failures = {name: message for part in chunks for name, message in part.failures.items()}
        self.unavailable = {name: reason for part in chunks for name, reason in part.unavailable.items()}
        self._digests: dict[DigestKey, Digests] = {}

    def digests(self, key: DigestKey) -> Digests:
        """The digests of one key, of those generations that ``kept`` names."""
        if key not in self._digests:
            items = [item for part in self._chunks for item in part.digests.get(key, ())]
            if key[1]:
                given = np.concatenate([part.has_references for part in self._chunks])
                place = (np.cumsum(given) - 1).tolist()
                known = given.tolist()
                order = [place[came] for came in self._came_order if known[came]]
            else:
                order = self._came_order
            self._digests[key] = Digests([items[index] for index in order])
        return self._digests[key]

    def kept(self, needs_references: bool) -> list[int]:
        """Indices, in id order, of what can be scored."""
        return np.flatnonzero(self.has_references).tolist() if needs_references else list(range(self.n))

    def rows_with_references(self) -> int:
        """Number of rows that have references."""
        return int(self.has_references[self._starts].sum()) if self.n_rows else 0

    def row_sums(self, statistics: Floats) -> Floats:
        """Statistics summed over the samples of a row, shape (rows, k); rows without any are left out."""
        known: NDArray[np.bool_] = np.asarray(~np.isnan(statistics).any(axis=1))
        filled = np.where(known[:, None], statistics, 0.0)
        sums: Floats = np.add.reduceat(filled, self._starts, axis=0)
        kept: Floats = sums[np.logical_or.reduceat(known, self._starts)]
        return kept

    def row_means(self, values: Floats) -> Floats:
        """Means over the samples of a row, shape (rows,); rows without a value are left out."""
        known = ~np.isnan(values)
        sums = np.add.reduceat(np.where(known, values, 0.0), self._starts)
        counts = np.add.reduceat(known.astype(np.float64), self._starts)
        means: Floats = sums[counts > 0] / counts[counts > 0]
        return means

    def given(self, values: Floats) -> Floats:
        """From id order to the order of the caller's keys."""
        return values[self._rank]

    def _join(self, parts: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
        shapes = {name: array.shape[1:] for part in parts for name, array in part.items()}
        return {
            name: np.concatenate(
                [part.get(name, np.full((size, *shape), np.nan)) for part, size in zip(parts, self._sizes, strict=True)]
            )[self._came_order]
            for name, shape in shapes.items()
        }
