"""What a stored run says of each row, as the columns that intervals, paired tests and ranks are made from.

Numbers come from ``samples/<task>.parquet`` (a number a generation) and ``statistics/<task>.parquet`` (sums that a
corpus value is made from); no text is read and no metric is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grue.comparison.aggregates import aggregate_of, mean_of_known
from grue.comparison.formulas import formula
from grue.comparison.row_groups import RowGroups, matrix_of, numbers_of
from grue.core.metric import Floats
from grue.core.run import Manifest
from grue.metrics.resampling import SUMS, how_averaged
from grue.runs.read import StoredRun
from grue.stats.bootstrap import Column

REWARD = "reward:"
_COLUMN_OF_REWARD = "reward_"
_TOLERANCE = 1e-9

NO_VALUE = "no value"
NO_NUMBERS = "its value is made from all outputs together: no row has a number of its own"
OTHER_VALUE = "the numbers of its rows do not give its value by any rule known here"


@dataclass(frozen=True, slots=True)
class MetricRows:
    """One metric of one task of one run by row; samples of a row stand together.

    Attributes:
        name: The metric's name; ``reward:NAME`` for a reward.
        signature: Every setting that can change the number.
        scale: Maximum in the metric's unit; ``None`` where it has none.
        higher_is_better: ``None`` where the metric has no direction.
        ids: Rows that count, sorted.
        column: Statistics, shape (rows, k), in the order of ``ids``, and the formula over their sum; ``column.value()``
            is the value in ``results.json``.
        values: Per-row values, shape (rows,), means over a row's samples, NaN where a row has none; ``None`` for a
            metric without.
        note: How it is resampled, in words.
        sums_samples: Whether a row's statistics are sums over its samples, which grow with their number.
    """

    name: str
    signature: str
    scale: float | None
    higher_is_better: bool | None
    ids: tuple[str, ...]
    column: Column
    values: Floats | None
    note: str
    sums_samples: bool = False

    def only(self, ids: Iterable[str]) -> MetricRows:
        """The same of some of the rows; ids that it lacks are passed over."""
        wanted = set(ids)
        kept = np.fromiter((row in wanted for row in self.ids), dtype=bool, count=len(self.ids))
        return replace(
            self,
            ids=tuple(row for row, keep in zip(self.ids, kept.tolist(), strict=True) if keep),
            column=aggregate_of(self.signature, self.column.statistics[kept], self.column.corpus_value),
            values=None if self.values is None else self.values[kept],
        )


@dataclass(frozen=True, slots=True)
class ComparisonKey:
    """What must be equal for two results to be ranked or compared."""

    task: str
    task_version: int
    split: str
    data_sha256: str
    prompts_sha256: str
    signature: str | None

    def differences(self, other: ComparisonKey) -> tuple[str, ...]:
        """Names of the fields that differ, in the order above."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name))


def comparison_key(run: StoredRun | Manifest, task: str, metric: str) -> ComparisonKey:
    """The comparison key of one result.

    Args:
        run: A stored run or its manifest.
        task: A task of it.
        metric: A metric's name, or ``reward:NAME``; its signature is ``None`` where the run has no such metric.

    Raises:
        KeyError: for a task that the run does not have.
    """
    manifest = run.manifest_value() if isinstance(run, StoredRun) else run
    asked = manifest.tasks[task]
    is_reward = metric.startswith(REWARD)
    signatures = asked.rewards if is_reward else asked.metrics
    return ComparisonKey(
        task=task,
        task_version=asked.version,
        split=asked.split,
        data_sha256=asked.data.sha256,
        prompts_sha256=asked.prompts_sha256,
        signature=signatures.get(metric.removeprefix(REWARD) if is_reward else metric),
    )


def metric_rows(run: StoredRun, task: str, metric: str) -> MetricRows | None:
    """One metric by row.

    Args:
        run: A stored run.
        task: A task of it.
        metric: A metric's name, or ``reward:NAME``.

    Returns:
        ``None`` where the metric has no value, or no per-row numbers that give it; ``reason_of`` says which.

    Raises:
        RunDirectoryError: where a file is no table of rows in id order.
    """
    return all_metric_rows(run, task, [metric]).get(metric)


def all_metric_rows(run: StoredRun, task: str, metrics: Iterable[str] | None = None) -> dict[str, MetricRows]:
    """Several metrics by row, each file read once.

    Args:
        run: A stored run.
        task: A task of it.
        metrics: Names, ``reward:NAME`` among them; all metrics and rewards of the task where nothing is said.

    Returns:
        Name -> rows, without those that have none.

    Raises:
        RunDirectoryError: where a file is no table of rows in id order.
    """
    entries = {
        name: entry
        for name, entry in result_entries(run, task).items()
        if entry.get("value") is not None and entry.get("signature")
    }
    wanted = [name for name in (entries if metrics is None else dict.fromkeys(metrics)) if name in entries]
    if not wanted or f"samples/{task}.parquet" not in run.results["files"]:
        return {}
    place = f"{run.path}/samples/{task}.parquet"
    samples = run.samples(task, ["id", *map(_column_name, wanted)])
    rows = RowGroups.of(samples, place)
    sums = {}
    if f"statistics/{task}.parquet" in run.results["files"]:
        table = run.statistics(task, wanted)
        sums = {name: matrix_of(table.column(name), rows.n) for name in wanted if name in table.column_names}
    n_samples = int(run.manifest["tasks"][task].get("samples", 1))
    found = {}
    for name in wanted:
        entry = entries[name]
        numbers = numbers_of(samples, _column_name(name), rows.n)
        made = _made(name, entry, rows, numbers, sums.get(name), n_samples)
        # An imported run may hold a value that other rules made; a test on its rows would be one of another number.
        if made is not None and _agrees(made.column.value(), float(entry["value"])):
            found[name] = made
    return found


def reason_of(run: StoredRun, task: str, metric: str) -> str:
    """Why ``metric_rows`` gives nothing for a metric."""
    entry = result_entries(run, task).get(metric)
    if entry is None or entry.get("value") is None:
        return str((entry or {}).get("reason") or NO_VALUE)
    if f"samples/{task}.parquet" not in run.results["files"]:
        return "the run holds no rows of the task"
    samples = run.samples(task, [_column_name(metric)])
    if _column_name(metric) in samples.column_names:
        return OTHER_VALUE
    # With an interval the reason tells of that; without one it tells why rows cannot be resampled.
    return NO_NUMBERS if entry.get("ci95") else str(entry.get("reason") or NO_NUMBERS)


def result_entries(run: StoredRun, task: str) -> dict[str, Mapping[str, Any]]:
    """The objects of ``results.json`` for a task's metrics and, as ``reward:NAME``, its rewards, in the run's order."""
    result = run.results["tasks"].get(task, {})
    rewards = {f"{REWARD}{name}": entry for name, entry in result.get("rewards", {}).items()}
    return {**result.get("metrics", {}), **rewards}


def _made(
    name: str, entry: Mapping[str, Any], rows: RowGroups, numbers: Floats | None, sums: Floats | None, n_samples: int
) -> MetricRows | None:
    if not rows.n:
        return None
    signature = str(entry["signature"])
    means = None if numbers is None else rows.means(numbers)
    if sums is not None:
        corpus_value = formula(name, signature)
        if corpus_value is None:
            return None
        known: NDArray[np.bool_] = np.asarray(~np.isnan(sums).any(axis=1))
        kept = rows.kept(known)
        column = Column(rows.sums(sums, known)[kept], corpus_value)
        note = SUMS
    elif means is not None:
        kept = ~np.isnan(means)
        statistics = np.column_stack((means[kept], np.ones(int(kept.sum()))))
        column = aggregate_of(signature, statistics, mean_of_known, value=float(entry["value"]))
        note = how_averaged(name, signature)
    else:
        return None
    return MetricRows(
        name=name,
        signature=signature,
        scale=entry.get("scale"),
        higher_is_better=entry.get("higher_is_better"),
        ids=tuple(row for row, keep in zip(rows.ids, kept.tolist(), strict=True) if keep),
        column=column,
        values=None if means is None else means[kept],
        note=f"{note}; the {n_samples} samples of a row stay together" if n_samples > 1 else note,
        sums_samples=sums is not None,
    )


def _agrees(found: float, stored: float) -> bool:
    return abs(found - stored) <= _TOLERANCE * max(1.0, abs(stored))


def _column_name(metric: str) -> str:
    return _COLUMN_OF_REWARD + metric.removeprefix(REWARD) if metric.startswith(REWARD) else metric
