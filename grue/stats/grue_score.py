"""The GRUE score: quality of a task between its floor and its ceiling, and naturalness beside it, never mixed.

The paper defines no score over its tasks; this is ours. ``FORMULA`` is what pages and ``grue tasks show`` print.

- quality of a task = 100 × mean over its primary metrics of (value − floor) / (ceiling − floor), on the same rows.
  Floor: ``null:random-reference`` (right form, wrong content; seed 0). Ceiling: ``oracle:reference`` where rows have
  several references, else the metric's maximum. Not clipped.
- naturalness of a task = 100 × mean over msttr, distinct_1, distinct_2, entropy_1, entropy_2 and mean_length of
  min(x/r, r/x), r being the same statistic of the rows' first references. 0 where x is 0 or does not exist; a
  statistic that does not exist for the references is left out.
- grue = mean quality over the seven tasks. A missing primary metric or task gives no score; nothing is imputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.core.run import RunScores, ScoreValue
from grue.core.text import sha256_text
from grue.stats.bootstrap import bounds

FORMULA = (
    "quality of a task = 100 × mean over its primary metrics of (value − floor) / (ceiling − floor); "
    "floor: null:random-reference, ceiling: oracle:reference where rows have several references, else the metric's "
    "maximum. naturalness = 100 × mean of min(x/r, r/x) over msttr, distinct_1, distinct_2, entropy_1, entropy_2 and "
    "mean_length, r being the statistic of the first references. GRUE = mean quality over the seven tasks."
)
NATURALNESS = ("msttr", "distinct_1", "distinct_2", "entropy_1", "entropy_2", "mean_length")
NEAREST_FRACTION = 0.05
NO_NATURALNESS_INTERVAL = "no interval: its statistics depend on the number of outputs"


@dataclass(frozen=True, slots=True)
class Primary:
    """A primary metric of a task on its rows.

    Attributes:
        name: The metric.
        value: Of the run; ``None`` where absent.
        floor: Of ``null:random-reference``; ``None`` where it has none.
        ceiling: Of the oracle, or the best value there is; ``None`` where there is neither.
        scale: The metric's maximum; ``None`` for an unbounded one.
        resampled: Values of the bootstrap, shape (n_resamples,), the draws shared by a task's metrics.
    """

    name: str
    value: float | None
    floor: float | None
    ceiling: float | None
    scale: float | None
    resampled: Floats | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of a task, and its resampled values for the score over all tasks."""

    score: ScoreValue
    resampled: Floats | None = None


def too_near(floor: float, ceiling: float, scale: float | None) -> bool:
    """Whether floor and ceiling are nearer than 0.05 of the metric's scale: noise would rule such a quality."""
    return abs(ceiling - floor) < NEAREST_FRACTION * (1.0 if scale is None else scale)


def quality(primaries: Sequence[Primary]) -> Quality:
    """100 × mean of (value − floor) / (ceiling − floor); a score without a value names what is missing."""
    if not primaries:
        return Quality(ScoreValue.none("the task has no primary metric"))
    for metric in primaries:
        for word, number in (("value", metric.value), ("floor", metric.floor), ("ceiling", metric.ceiling)):
            if number is None:
                return Quality(ScoreValue.none(f"the primary metric {metric.name} has no {word}"))
    known = [(m, m.value or 0.0, m.floor or 0.0, m.ceiling or 0.0) for m in primaries]
    for metric, _, floor, ceiling in known:
        if too_near(floor, ceiling, metric.scale):
            reason = f"floor {floor:.4g} and ceiling {ceiling:.4g} of {metric.name} are too near each other"
            return Quality(ScoreValue.none(reason))
    value = 100 * float(np.mean([(value - floor) / (ceiling - floor) for _, value, floor, ceiling in known]))
    draws = [
        (metric.resampled - floor) / (ceiling - floor)
        for metric, _, floor, ceiling in known
        if metric.resampled is not None
    ]
    if len(draws) < len(known):
        return Quality(ScoreValue(value, None, "no interval: a primary metric has none"))
    resampled = 100 * np.mean(draws, axis=0)
    return Quality(ScoreValue(value, bounds(value, resampled)), resampled)


def naturalness(values: Mapping[str, float | None], references: Mapping[str, float | None]) -> ScoreValue:
    """100 × mean of min(x/r, r/x).

    Args:
        values: Statistic -> value of the outputs; a name that was not computed is missing, one without a value
            (no whole block of 100 words) is ``None``.
        references: The same of the first references; ``None`` where a statistic does not exist for them.
    """
    missing = [name for name in NATURALNESS if name not in values]
    if missing:
        return ScoreValue.none(f"not computed: {', '.join(missing)}")
    ratios = []
    for name in NATURALNESS:
        reference = references.get(name)
        if reference is None:
            continue
        value = values[name]
        ratios.append(_ratio(value, reference) if value else 0.0)
    if not ratios:
        return ScoreValue.none("no references in this split to compare with")
    return ScoreValue(100 * float(np.mean(ratios)), None, NO_NATURALNESS_INTERVAL)


def over_tasks(qualities: Mapping[str, Quality | None], naturals: Mapping[str, ScoreValue | None]) -> RunScores:
    """The mean over all tasks of the benchmark.

    Args:
        qualities: Every task of the benchmark; ``None`` where the run does not have it.
        naturals: The same for naturalness.
    """
    return RunScores(_mean_quality(qualities), _mean_naturalness(naturals))


def _ratio(value: float, reference: float) -> float:
    # Both are at least 0, and the value is not 0 here.
    return min(value / reference, reference / value) if reference else 0.0


def _mean_quality(qualities: Mapping[str, Quality | None]) -> ScoreValue:
    if without := _without({name: q.score if q else None for name, q in qualities.items()}):
        return ScoreValue.none(without)
    known = {name: q for name, q in qualities.items() if q is not None}
    value = float(np.mean([q.score.value for q in known.values()]))
    draws = [_shuffled(q.resampled, name) for name, q in known.items() if q.resampled is not None]
    if len(draws) < len(known):
        return ScoreValue(value, None, "no interval: the quality of a task has none")
    return ScoreValue(value, bounds(value, np.mean(draws, axis=0)))


def _mean_naturalness(naturals: Mapping[str, ScoreValue | None]) -> ScoreValue:
    if without := _without(naturals):
        return ScoreValue.none(without)
    return ScoreValue(float(np.mean([n.value for n in naturals.values() if n])), None, NO_NATURALNESS_INTERVAL)


def _without(scores: Mapping[str, ScoreValue | None]) -> str | None:
    """Which tasks have no score and why; ``None`` where all have one."""
    absent = [name for name, score in scores.items() if score is None]
    if absent:
        return f"tasks missing: {', '.join(absent)}"
    return (
        "; ".join(f"{name}: {score.reason}" for name, score in scores.items() if score and score.value is None) or None
    )


def _shuffled(values: Floats, task: str) -> Floats:
    # Tasks are independent: equal draws for tasks of equal size must not pair their resamples.
    return np.random.default_rng(int(sha256_text(task)[:16], 16)).permutation(values)
