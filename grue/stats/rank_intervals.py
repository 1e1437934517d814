"""How sure a rank is: the ranks over resamples of the rows, and of the tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grue.core.metric import Floats
from grue.stats.bootstrap import LEVEL, RESAMPLES, Column, draw_counts
from grue.stats.pairs import ROUNDING
from grue.stats.sums import weight_type, weighted_sums

Ints = npt.NDArray[np.int64]
_BLOCK_CELLS = 4_000_000  # about 32 MB of sums at a time


def entry_draws(columns: Sequence[Column], *, n_resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """The resampled values of all entries of one task on one metric; all see the same rows in each resample.

    Args:
        columns: One for each entry, on the same rows in the same order (``n`` at least 2).
        n_resamples: Resamples drawn.
        seed: Seed of the draws; give each task another one where tasks are combined.

    Returns:
        Shape (entries, n_resamples); NaN where a resample has no value.

    Raises:
        ValueError: where entries have different numbers of rows, or fewer than two.
    """
    if not columns:
        return np.empty((0, n_resamples))
    sizes = {len(column.statistics) for column in columns}
    if len(sizes) > 1 or min(sizes) < 2:
        raise ValueError(f"entries are resampled together on the same two or more rows, not on {sorted(sizes)}")
    (n_rows,) = sizes
    out = np.empty((len(columns), n_resamples))
    start = 0
    dtype = weight_type(column.statistics for column in columns)
    for weights in draw_counts(n_rows, n_resamples, seed, dtype):
        stop = start + len(weights)
        for block in _blocks(columns, max(n_rows, len(weights))):
            stacked = np.concatenate([columns[index].statistics for index in block], axis=1)
            sums = weighted_sums(weights, stacked)
            left = 0
            for index in block:
                right = left + columns[index].statistics.shape[1]
                out[index, start:stop] = columns[index].corpus_value(sums[:, left:right])
                left = right
        start = stop
    return out


def rank_intervals(values: Floats, draws: Floats, *, higher_is_better: bool) -> list[tuple[int, int]]:
    """The 95 % interval of each entry's rank.

    Args:
        values: Shape (entries,), finite: entries without a value have no rank and are left out by the caller.
        draws: Shape (entries, n_resamples), resampled together; NaN counts as last in that resample.
        higher_is_better: Direction of the metric.

    Returns:
        Lowest and highest rank of each entry, from 1; contains the rank itself.

    Raises:
        ValueError: where a value is not finite or shapes do not fit.
    """
    if draws.shape[:1] != values.shape or not np.isfinite(values).all():
        raise ValueError("rank intervals need one finite value and one row of draws for each entry")
    own = ranks(values[:, None], higher_is_better=higher_is_better)[:, 0]
    if not draws.size:
        return [(int(place), int(place)) for place in own]
    places = np.sort(ranks(draws, higher_is_better=higher_is_better), axis=1)
    outside = int((1 - LEVEL) / 2 * places.shape[1])  # resamples left out on either side
    low = np.minimum(places[:, outside], own)
    high = np.maximum(places[:, places.shape[1] - 1 - outside], own)
    return [(int(first), int(last)) for first, last in zip(low, high, strict=True)]


def rank_intervals_over_tasks(
    values: Floats, draws: Floats, *, higher_is_better: bool = True, seed: int = 0
) -> list[tuple[int, int]]:
    """The same for the mean over tasks, with tasks drawn with replacement in each resample too.

    Args:
        values: Shape (tasks, entries), finite, on scales that may be averaged.
        draws: Shape (tasks, entries, n_resamples): rows resampled together within each task.
        higher_is_better: Direction of the mean.
        seed: Seed of the drawn tasks.
    """
    return rank_intervals(
        values.mean(axis=0), means_over_drawn_tasks(draws, seed=seed), higher_is_better=higher_is_better
    )


def means_over_drawn_tasks(draws: Floats, *, seed: int = 0) -> Floats:
    """Means over tasks drawn with replacement, shape (tasks, entries, n_resamples) -> (entries, n_resamples).

    The resamples of each task are shuffled first, alike for all entries, so that tasks whose rows were drawn with one
    seed are independent.
    """
    n_tasks, _, n_resamples = draws.shape
    generator = np.random.default_rng((seed, n_tasks))
    chosen = generator.multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size=n_resamples) / n_tasks
    total = np.zeros(draws.shape[1:])
    for task in range(n_tasks):
        weight = chosen[:, task]
        drawn = draws[task][:, generator.permutation(n_resamples)]
        total += np.where(weight > 0, weight * drawn, 0.0)
    return total


def _blocks(columns: Sequence[Column], longest: int) -> list[list[int]]:
    """Entries whose statistics are summed in one product, within the memory allowed."""
    blocks: list[list[int]] = [[]]
    width = 0
    for index, column in enumerate(columns):
        k = column.statistics.shape[1]
        if blocks[-1] and (width + k) * longest > _BLOCK_CELLS:
            blocks.append([])
            width = 0
        blocks[-1].append(index)
        width += k
    return blocks


def ranks(values: Floats, *, higher_is_better: bool) -> Ints:
    """Ranks down each column, from 1, shared by values that differ by rounding alone; NaN last."""
    towards = np.where(np.isnan(values), np.inf, -values if higher_is_better else values)
    order = np.argsort(towards, axis=0, kind="stable")
    ordered = np.take_along_axis(towards, order, axis=0)
    with np.errstate(invalid="ignore"):  # inf - inf: two missing values are equal
        opens = np.diff(ordered, axis=0) > ROUNDING * np.abs(ordered[:-1])
    opens |= np.isinf(ordered[1:]) & np.isfinite(ordered[:-1])
    places = np.ones(values.shape, dtype=np.int64)
    places[1:] = np.where(opens, np.arange(2, len(values) + 1)[:, None], 1)
    np.maximum.accumulate(places, axis=0, out=places)
    ranks = np.empty_like(places)
    np.put_along_axis(ranks, order, places, axis=0)
    return ranks
