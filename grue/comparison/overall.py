"""By how much the GRUE score of two runs differs, with the interval of the difference."""

from __future__ import annotations

from collections.abc import Mapping

from grue.comparison.aligned import Aligned
from grue.core.metric import Floats
from grue.core.run import ScoreValue, TaskScore
from grue.registry.tasks import expand
from grue.runs.read import StoredRun
from grue.stats.bootstrap import resampled_together
from grue.stats.grue_score import Primary, Quality, over_tasks, quality

BENCHMARK = "grue"
NO_SCORE = "one of the runs has no GRUE score"
OTHER_ROWS = "the GRUE score is that of all rows of a run"
OTHER_YARDSTICKS = "the runs have other floors or ceilings"


def grue_difference(
    baseline: StoredRun,
    candidate: StoredRun,
    by_row: Mapping[str, Mapping[str, Aligned]],
    *,
    is_subset: bool,
    n_resamples: int,
    seed: int,
) -> ScoreValue:
    """Candidate minus baseline on the scale of 0 (floor) to 100 (ceiling).

    Both runs share the rows drawn of a task, so that the interval is that of the paired difference; tasks are
    independent, as in the score itself.

    Args:
        baseline: The first run.
        candidate: The other.
        by_row: Task -> metric -> rows of both.
        is_subset: Whether only some rows are compared.
        n_resamples: Resamples drawn.
        seed: Seed of the draws.
    """
    if is_subset:
        return ScoreValue.none(OTHER_ROWS)
    ours, theirs = baseline.results_value(), candidate.results_value()
    if ours.scores.grue.value is None or theirs.scores.grue.value is None:
        return ScoreValue.none(NO_SCORE)
    qualities: dict[str, Quality | None] = {}
    for task in expand(BENCHMARK).names:
        if task not in by_row or task not in ours.tasks or task not in theirs.tasks:
            return ScoreValue.none(f"{task} is not compared")
        left, right = ours.tasks[task].score, theirs.tasks[task].score
        if (left.floor, left.ceiling) != (right.floor, right.ceiling):
            return ScoreValue.none(f"{task}: {OTHER_YARDSTICKS}")
        primary = baseline.manifest_value().tasks[task].primary
        scales = {name: value.scale for name, value in ours.tasks[task].metrics.items()}
        found = _task(primary, left, scales, by_row[task], n_resamples, seed)
        if found is None:
            return ScoreValue.none(f"a primary metric of {task} has no values to resample")
        qualities[task] = found
    return over_tasks(qualities, dict.fromkeys(qualities)).grue


def _task(
    primary: tuple[str, ...],
    score: TaskScore,
    scales: Mapping[str, float | None],
    by_row: Mapping[str, Aligned],
    n_resamples: int,
    seed: int,
) -> Quality | None:
    """The difference of the task's qualities: quality is linear in its values, so that the floor cancels out."""
    if any(name not in by_row for name in primary):
        return None
    pairs = [by_row[name] for name in primary]
    columns = [column for pair in pairs for column in (pair.baseline, pair.candidate)]
    drawn = resampled_together(columns, n_resamples=n_resamples, seed=seed)
    return quality(
        [
            Primary(
                name,
                pair.candidate.value() - pair.baseline.value(),
                0.0,
                _length(score, name),
                scales.get(name),
                _apart(drawn[2 * at], drawn[2 * at + 1]),
            )
            for at, (name, pair) in enumerate(zip(primary, pairs, strict=True))
        ]
    )


def _length(score: TaskScore, name: str) -> float | None:
    floor, ceiling = score.floor.get(name), score.ceiling.get(name)
    return None if floor is None or ceiling is None else ceiling - floor


def _apart(left: Floats | None, right: Floats | None) -> Floats | None:
    return None if left is None or right is None else right - left
