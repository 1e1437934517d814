"""From generations and their scores to a task's files and its entry in ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grue.core.metric import MetricValue
from grue.core.rows import Generation, Row
from grue.core.run import Cost, RunScores, TaskManifest, TaskResult, TaskScore
from grue.evaluation.chunks import message_of
from grue.evaluation.costs import rates_of
from grue.evaluation.scoring import TaskScores
from grue.evaluation.standing import Standing
from grue.evaluation.task_scoring import Scored
from grue.evaluation.validity import TaskSamples, task_validity
from grue.registry.tasks import expand
from grue.runs.directory import RunDirectory
from grue.runs.validity import TaskValidity
from grue.stats.grue_score import over_tasks

FINISHED = "finished"
PARTIAL = "partial"
BENCHMARK = "grue"


def write_scored(
    run: RunDirectory, task: str, rows: Sequence[Row], generations: Sequence[Generation], scored: Scored
) -> None:
    """Write a task's samples and statistics; without scores the samples alone.

    Args:
        run: The open run directory.
        task: Name of the task.
        rows: Rows as they were scored.
        generations: In (id, sample) order.
        scored: Values of exactly these generations, or an error.
    """
    scores = scored.scores
    run.write_task(
        task,
        {row.id: row for row in rows},
        generations,
        scores.per_sample if scores else {},
        scores.reward_samples if scores else {},
        scores.statistics if scores else {},
    )
    run.write_explanations(task, scored.explanations)


def task_result(
    manifest: TaskManifest,
    generations: Sequence[Generation],
    *,
    expected: int,
    scored: Scored,
    error: str | None,
    cost: Cost,
) -> TaskResult:
    """A task's entry.

    A task is partial where it has an error or a metric of it failed; an absent metric leaves it finished.

    Args:
        manifest: What was asked of the task.
        generations: All that are stored.
        expected: Rows asked for.
        scored: Its values, or why there are none.
        error: What went wrong with the task as a whole.
        cost: What generation cost.
    """
    scores = scored.scores or _without_scores(manifest, error or scored.error or "not scored")
    n_scored = len({row_id for row_id, _ in scored.keys}) if scored.scores else 0
    failed = {name: value for name, value in [*scores.values.items(), *scores.rewards.items()] if value.failed}
    if error is None and failed:
        error = f"failed: {', '.join(f'{name} ({value.reason})' for name, value in failed.items())}"
    return TaskResult(
        status=PARTIAL if error else FINISHED,
        expected=expected,
        scored=n_scored,
        failed=expected - n_scored,
        metrics=scores.values,
        rewards=scores.rewards,
        rates=rates_of(generations),
        cost=cost,
        score=scored.standing.score if scored.standing else TaskScore(),
        error=error,
    )


def validity_of(
    run: RunDirectory,
    name: str,
    rows: Sequence[Row],
    generations: Sequence[Generation],
    result: TaskResult,
    scored: Scored,
    *,
    language: str,
    primary: Sequence[str],
) -> TaskValidity | None:
    """The validity report of a task; ``None`` where it has no values or the report failed, which an event says.

    Args:
        run: The open run directory.
        name: Name of the task.
        rows: Rows as they were scored.
        generations: In (id, sample) order.
        result: The task's entry.
        scored: Values of exactly these generations.
        language: Of the task, as a BCP 47 tag.
        primary: Names of the primary metrics.
    """
    if scored.scores is None:
        return None
    try:
        samples = TaskSamples.of(
            {row.id: row for row in rows},
            generations,
            language=language,
            values=result.metrics,
            rewards=result.rewards,
            columns=scored.scores.per_sample,
            reward_columns=scored.scores.reward_samples,
            primary=primary,
            score=result.score,
        )
        return task_validity(samples)
    except Exception as error:  # noqa: BLE001 - odd texts must not cost the values that stand already
        run.event("validity_failed", task=name, error=message_of(error))
        return None


def run_scores(standings: Mapping[str, Standing | None]) -> RunScores:
    """The GRUE score and naturalness over the benchmark's tasks.

    Args:
        standings: Task -> where it stands; ``None`` where it has no values.
    """
    names = expand(BENCHMARK).names
    found = {name: standings.get(name) for name in names}
    return over_tasks(
        {name: one.quality if one else None for name, one in found.items()},
        {name: one.score.naturalness if one else None for name, one in found.items()},
    )


def _without_scores(manifest: TaskManifest, reason: str) -> TaskScores:
    return TaskScores(
        values={name: MetricValue.absent(reason, failed=True) for name in manifest.metrics},
        rewards={name: MetricValue.absent(reason, failed=True) for name in manifest.rewards},
    )
