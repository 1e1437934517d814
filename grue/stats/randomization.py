"""Approximate randomisation: the difference of two systems against those after exchanging them on random rows.

Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"; for text generation Riezler & Maxwell 2005. The null
hypothesis: on every row the two outputs are exchangeable. Each trial exchanges the two systems' statistics on every row
with probability 1/2 and takes the difference of the two corpus values; p = (trials at least as extreme + 1) /
(trials + 1), which never is 0 and keeps the level exactly. The same null as SciPy's ``permutation_test`` with
``permutation_type="samples"`` and as SacreBLEU's ``--paired-ar`` (which counts only larger differences).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grue.core.metric import Floats
from grue.stats.bootstrap import RESAMPLES, Column
from grue.stats.pairs import Pair, pair_of
from grue.stats.sums import Weights, weight_type, weighted_sums

_CHUNK_CELLS = 4_000_000  # about 32 MB of choices at a time
_STREAM = 1  # draws other than the bootstrap's of the same seed


@dataclass(frozen=True, slots=True)
class Trials:
    """What exchanging rows gives.

    Attributes:
        differences: Candidate minus baseline of each trial, shape (trials,).
        balance: Of each trial the share of rows kept minus that exchanged, shape (trials,), -1 to 1.
    """

    differences: Floats
    balance: Floats

    def two_sided(self, difference: float, rounding: float) -> float:
        """How often a trial differs at least as much as the systems do."""
        return _p_value(np.abs(self.differences), abs(difference) - rounding)

    def one_sided(self, difference: float, margin: float, *, higher_is_better: bool, rounding: float) -> float:
        """How often a trial drops at least as much beyond the margin as the candidate does.

        Under the null the drop of a row is symmetric about the margin, so that exchanging a row turns its drop d into
        2 margin - d. For a mean this is the sign-flip test of d - margin, exact where that is symmetric; other metrics
        take it to first order. With margin 0 it is plain approximate randomisation.

        Args:
            difference: Candidate minus baseline.
            margin: Drop allowed, in the metric's unit, at least 0.
            higher_is_better: Direction of the metric.
            rounding: Differences smaller than this are rounding.
        """
        towards = -1.0 if higher_is_better else 1.0
        drops = towards * self.differences - self.balance * margin
        return _p_value(drops, towards * difference - margin - rounding)


def _p_value(found: Floats, at_least: float) -> float:
    """(count + 1) / (trials + 1): the systems as they are count as one of the trials.

    A trial without a value counts as extreme, so that it never makes a difference look clearer.
    """
    return (int(np.count_nonzero(~(found < at_least))) + 1) / (len(found) + 1)


def trials(pair: Pair, *, n_trials: int = RESAMPLES, seed: int = 0) -> Trials:
    """Exchange rows at random; equal seeds exchange equal positions."""
    return _trials([pair], n_trials, seed)[0]


def p_worse_than(
    leader: Column,
    others: Sequence[Column],
    *,
    higher_is_better: bool,
    margin: float = 0.0,
    n_trials: int = RESAMPLES,
    seed: int = 0,
) -> list[float | None]:
    """One-sided p for each of the others that it is worse than the leader, as ``paired(leader, other).p_worse`` has it.

    All share one matrix of choices, which makes many tests against one leader cheap.

    Args:
        leader: Statistics of the leader.
        others: Of the others, on the same rows in the same order.
        higher_is_better: Direction of the metric.
        margin: Drop that is allowed, in the metric's unit, at least 0.
        n_trials: Trials of each test.
        seed: Seed of the choices.

    Returns:
        In order; ``None`` for fewer than two rows or a value that is not defined.
    """
    if len(leader.statistics) < 2:
        return [None] * len(others)
    pairs = [pair_of(leader, other) for other in others]
    found: list[float | None] = []
    for pair, tried in zip(pairs, _trials(pairs, n_trials, seed), strict=True):
        difference = pair.sign * pair.difference()
        p = tried.one_sided(difference, margin, higher_is_better=higher_is_better, rounding=pair.rounding())
        found.append(p if np.isfinite(difference) else None)
    return found


def _trials(pairs: Sequence[Pair], n_trials: int, seed: int) -> list[Trials]:
    """Trials of pairs with one number of rows."""
    if not pairs:
        return []
    deltas = [pair.first - pair.second for pair in pairs]
    totals = [(pair.second.sum(axis=0), pair.first.sum(axis=0) + pair.second.sum(axis=0)) for pair in pairs]
    differences: list[list[Floats]] = [[] for _ in pairs]
    balance = []
    dtype = weight_type(deltas)
    for kept in _choices(pairs[0].n, n_trials, seed):
        weights: Weights = kept.astype(dtype)
        balance.append(2 * weighted_sums(weights, np.ones((pairs[0].n, 1)))[:, 0] / pairs[0].n - 1)
        for pair, delta, (second, both), parts in zip(pairs, deltas, totals, differences, strict=True):
            mixed = second + weighted_sums(weights, delta)
            parts.append((pair.sign or 1) * (pair.corpus_value(both - mixed) - pair.corpus_value(mixed)))
    balances = np.concatenate(balance)
    return [Trials(np.concatenate(parts), balances) for parts in differences]


def _choices(n_rows: int, n_trials: int, seed: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Which rows stay as they are (1) and which are exchanged (0), a portion of the trials at a time."""
    generator = np.random.default_rng((seed, _STREAM))
    at_once = max(1, _CHUNK_CELLS // n_rows)
    for start in range(0, n_trials, at_once):
        size = min(at_once, n_trials - start)
        bits = generator.integers(0, 256, size=(size, -(-n_rows // 8)), dtype=np.uint8)
        yield np.unpackbits(bits, axis=1, count=n_rows)
