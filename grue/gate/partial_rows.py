"""Rows of a candidate whose texts are still coming, scored as the whole run would score them.

A text is scored once. Metrics that need all texts at hand (document frequencies come from all references) get the rows
that are not there yet with an empty text, so that a row's number is the one it will have in the whole run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grue.comparison.columns import REWARD
from grue.core.metric import Floats, PooledMetric
from grue.core.reward import PooledReward
from grue.core.rows import Generation
from grue.evaluation.chunks import ChunkScores, score_chunk
from grue.evaluation.plan import PlannedTask
from grue.evaluation.portions import chunk_of
from grue.evaluation.scoring import TaskScores, finish
from grue.evaluation.suite import BuiltSuite
from grue.gate.row_data import RATE, RowData, rate_rows_of
from grue.stats.bootstrap import Column


class PartialRows:
    """What is known of the rows of one task so far.

    Args:
        planned: The task.
        names: The numbers asked for, named as in a check.
    """

    def __init__(self, planned: PlannedTask, names: Sequence[str]) -> None:
        self._rows = {row.id: row for row in planned.rows}
        self._samples = planned.manifest.samples
        built = planned.asked.built
        metrics = {name: built.metrics[name] for name in names if name in built.metrics}
        plain = {name.removeprefix(REWARD) for name in names if name.startswith(REWARD)}
        rewards = {name: built.rewards[name] for name in plain if name in built.rewards}
        self._suite = BuiltSuite(metrics, {}, rewards)
        self._alone = BuiltSuite(
            {name: one for name, one in metrics.items() if not isinstance(one, PooledMetric)},
            {},
            {name: one for name, one in rewards.items() if not isinstance(one, PooledReward)},
        )
        self._pooled = BuiltSuite(
            {name: one for name, one in metrics.items() if name not in self._alone.metrics},
            {},
            {name: one for name, one in rewards.items() if name not in self._alone.rewards},
        )
        self._chunks: list[ChunkScores] = []
        self._generations: dict[tuple[str, int], Generation] = {}
        self._scores: list[TaskScores] = []

    def add(self, generations: Sequence[Generation]) -> None:
        """Score generations that came; those that are known already are passed over."""
        new = [one for one in generations if (one.id, one.sample) not in self._generations]
        if new:
            self._chunks.append(score_chunk(self._suite, chunk_of(new, self._rows)))
            self._generations.update({(one.id, one.sample): one for one in new})
        keys = sorted(self._generations)
        self._scores = [finish(self._alone, self._chunks, keys, intervals=False)]
        if self._pooled.metrics or self._pooled.rewards:
            self._scores.append(self._with_all_rows(keys))

    def failure(self, name: str) -> str | None:
        """Why a metric or reward raised; ``None`` where it did not."""
        for scores in self._scores:
            value = (
                scores.rewards.get(name.removeprefix(REWARD)) if name.startswith(REWARD) else scores.values.get(name)
            )
            if value is not None and value.failed:
                return value.reason
        return None

    def rows_of(self, name: str, baseline: RowData) -> RowData | None:
        """A number by row, for the formula of the baseline's rows; ``None`` where no row has one."""
        if name.startswith(RATE):
            return rate_rows_of(list(self._generations.values()), name.removeprefix(RATE))
        for scores in self._scores:
            columns: Mapping[str, Floats] = scores.per_sample
            if name.startswith(REWARD):
                columns = {f"{REWARD}{reward}": values for reward, values in scores.reward_samples.items()}
            numbers = scores.statistics.get(name, columns.get(name))
            if numbers is not None:
                return _by_row(self._keys(scores is self._scores[0]), numbers, self._generations, baseline)
        return None

    def _with_all_rows(self, keys: Sequence[tuple[str, int]]) -> TaskScores:
        others = [
            Generation(id=row_id, sample=sample, prediction="")
            for row_id in self._rows
            for sample in range(self._samples)
            if (row_id, sample) not in self._generations
        ]
        chunks = list(self._chunks)
        if others:
            chunks.append(score_chunk(self._pooled, chunk_of(others, self._rows)))
        every = sorted([*keys, *((one.id, one.sample) for one in others)])
        return finish(self._pooled, chunks, every, intervals=False)

    def _keys(self, only_known: bool) -> list[tuple[str, int]]:
        if only_known:
            return sorted(self._generations)
        return sorted((row_id, sample) for row_id in self._rows for sample in range(self._samples))


def _by_row(
    keys: Sequence[tuple[str, int]],
    numbers: Floats,
    generated: Mapping[tuple[str, int], Generation],
    baseline: RowData,
) -> RowData | None:
    """Samples of a row together: sums of statistics, means of numbers; rows without a text or a number left out."""
    is_sum = numbers.ndim == 2
    table = numbers if is_sum else numbers[:, None]
    known = ~np.isnan(table).any(axis=1) & np.array([key in generated for key in keys], dtype=bool)
    sums: dict[str, tuple[Floats, int]] = {}
    for place in np.flatnonzero(known).tolist():
        row_id = keys[place][0]
        before, count = sums.get(row_id, (np.zeros(table.shape[1]), 0))
        sums[row_id] = (before + table[place], count + 1)
    if not sums:
        return None
    ids = sorted(sums)
    if is_sum:
        statistics = np.array([sums[row_id][0] for row_id in ids])
    else:
        statistics = np.array([[float(sums[row_id][0][0]) / sums[row_id][1], 1.0] for row_id in ids])
    return RowData(tuple(ids), Column(statistics, baseline.column.corpus_value))
