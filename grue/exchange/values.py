"""Every value of stored runs as a table: one row a run, task and metric, reward or score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grue.core.metric import MetricValue
from grue.core.run import NOT_SCORED, Manifest, Results, ScoreValue
from grue.exchange.table import Cell, Column, Score, Table
from grue.runs.read import StoredRun

REWARD = "reward:"
_DECIMALS = 4
_COLUMNS = (
    Column("run_id", "Id", for_people=False),
    Column("name", "Run"),
    Column("task", "Task"),
    Column("metric", "Metric"),
    Column("value", "Value", is_score=True, decimals=_DECIMALS),
    Column("n", "n"),
    Column("scale", "Scale", for_people=False),
    Column("higher_is_better", "Higher is better", for_people=False),
    Column("is_primary", "Primary", for_people=False),
    Column("signature", "Signature", for_people=False),
    Column("split", "Split", for_people=False),
    Column("profile", "Profile", for_people=False),
    Column("task_version", "Task version", for_people=False),
    Column("data_sha256", "Data", for_people=False),
    Column("prompts_sha256", "Prompts", for_people=False),
    Column("reason", "Reason", for_people=False),
)


def values_table(runs: Sequence[StoredRun], *, task: str | None = None) -> Table:
    """All metrics, rewards (``reward:NAME``) and scores of runs, runs in the given order, the rest in theirs.

    Scores over all tasks have no task; ``task`` leaves out all others.
    """
    rows = [row for run in runs for row in _rows(run.manifest_value(), run.results_value()) if task in (None, row[2])]
    return Table(_COLUMNS, tuple(rows), "Values with their 95 % intervals.")


def _rows(manifest: Manifest, results: Results) -> Iterator[tuple[Cell, ...]]:
    who: tuple[Cell, ...] = (manifest.run_id, manifest.model.name)
    for task, result in results.tasks.items():
        asked = manifest.tasks.get(task)
        rewards = {f"{REWARD}{name}": value for name, value in result.rewards.items()}
        key: tuple[Cell, ...] = (None, None, None, None, None)
        if asked is not None:
            key = (asked.split, asked.profile, asked.version, asked.data.sha256, asked.prompts_sha256)
        for name, value in {**result.metrics, **rewards}.items():
            is_primary = asked is not None and name in asked.primary
            yield (*who, task, name, *_value(value, is_primary=is_primary), *key, value.reason)
        for name, score in (("quality", result.score.quality), ("naturalness", result.score.naturalness)):
            if score.reason == NOT_SCORED:
                continue
            yield (*who, task, name, *_score(score, result.scored), *key, score.reason)
    for name, score in (("grue", results.scores.grue), ("naturalness", results.scores.naturalness)):
        if score.reason == NOT_SCORED:
            continue
        yield (*who, None, name, *_score(score, None), None, None, None, None, None, score.reason)


def _value(value: MetricValue, *, is_primary: bool) -> tuple[Cell, ...]:
    low, high = value.ci95 or (None, None)
    number = Score(value.value, low, high, reason=value.reason or "")
    return (number, value.n, value.scale, value.higher_is_better, is_primary, value.signature)


def _score(score: ScoreValue, n: int | None) -> tuple[Cell, ...]:
    low, high = score.ci95 or (None, None)
    return (Score(score.value, low, high, reason=score.reason or ""), n, 100.0, True, False, None)
