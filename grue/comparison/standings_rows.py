"""The rows behind a task's values: resampled together for rank intervals, and row by row for paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grue.comparison.columns import MetricRows, all_metric_rows, reason_of
from grue.comparison.standings_entries import chosen, has_value
from grue.comparison.standings_runs import BoardRun
from grue.core.errors import RunDirectoryError
from grue.core.metric import Floats
from grue.core.text import sha256_text
from grue.stats.bootstrap import RESAMPLES, TOO_FEW, Column
from grue.stats.rank_intervals import entry_draws
from grue.stats.seeds import seed_noise

WITHOUT_ROWS = "published without its rows"
NOT_WITHOUT_A_ROW = "its value is not defined without one of the rows"
_Z = 1.959963984540054  # half of a 95 % interval, in standard deviations


@dataclass(frozen=True, slots=True)
class EntryRows:
    """One metric of one entry on the rows of a task, in the order shared by all entries.

    Attributes:
        draws: Mean over seeds under resampling, shape (n_resamples,).
        parts: Each row's part in it, shape (rows,): pseudo-values of the jackknife (Efron & Stein 1981), for a mean the
            rows' own values, whose standard error is that of the value.
        seeds: The value of each seed.
    """

    draws: Floats
    parts: Floats
    seeds: Floats


@dataclass(frozen=True, slots=True)
class MetricDraws:
    """One metric of the entries of a task.

    Attributes:
        rows: Entry id -> its rows.
        reasons: Entry id -> why it has none.
    """

    rows: Mapping[str, EntryRows] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def task_draws(task: str, entries: Sequence[BoardRun], metrics: Sequence[str]) -> dict[str, MetricDraws]:
    """Resample the rows of a task, the same rows for all entries and metrics.

    An entry that lacks some of the rows (they failed, or do not count for a metric) is resampled on those it has.

    Args:
        task: Name of the task.
        entries: Those of one comparison key.
        metrics: Names; an entry without a value of one is left out of that.

    Returns:
        Metric -> what was drawn.
    """
    read = _Reader(task, metrics)
    found = {
        (entry.id, metric): [read.rows(run, metric) for run in _seeds(entry, task, metric)]
        for metric in metrics
        for entry in entries
    }
    known = {key: _rows(seeds) for key, seeds in found.items()}
    ids = sorted({row for seeds in known.values() for one in seeds for row in one.ids})
    seed = int(sha256_text(task)[:8], 16)
    out = {}
    for metric in metrics:
        members = [entry.id for entry in entries if known[entry.id, metric]]
        columns = {key: [_aligned(one, ids) for one in known[key, metric]] for key in members}
        flat = [column for key in members for column in columns[key]]
        draws = entry_draws(flat, seed=seed) if len(ids) > 1 else np.empty((len(flat), 0))
        rows: dict[str, EntryRows] = {}
        reasons = {
            entry.id: next((text for text in found[entry.id, metric] if isinstance(text, str)), "")
            for entry in entries
            if entry.id not in columns and found[entry.id, metric]
        }
        start = 0
        for key in members:
            stop = start + len(columns[key])
            made = _entry(columns[key], draws[start:stop])
            if isinstance(made, str):
                reasons[key] = made
            else:
                rows[key] = made
            start = stop
        out[metric] = MetricDraws(rows, reasons)
    return out


def with_seeds(entry: BoardRun, found: EntryRows) -> Floats:
    """An entry's draws with its seeds drawn anew too, as every rank of it is resampled."""
    return found.draws + seed_noise(found.seeds, shares_of_seeds(entry, len(found.seeds)))


def shares_of_seeds(entry: BoardRun, n_seeds: int) -> Floats:
    """How often each seed of an entry is drawn, the same on all its tasks, shape (n_resamples, seeds)."""
    generator = np.random.default_rng(int(sha256_text(entry.id)[:16], 16))
    counts = generator.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=RESAMPLES)
    shares: Floats = counts / n_seeds
    return shares


def stand_in(entry: BoardRun, value: float, interval: tuple[float, float] | None) -> Floats:
    """Draws for an entry without rows, as others' ranks must count it: normal of its interval's width, else its value.

    That ignores that the rows are shared, which makes others' rank intervals wider, never narrower.
    """
    if interval is None:
        return np.full(RESAMPLES, value)
    generator = np.random.default_rng(int(sha256_text(f"stand-in {entry.id}")[:16], 16))
    return generator.normal(value, (interval[1] - interval[0]) / (2 * _Z), RESAMPLES)


class _Reader:
    """Reads a run's rows of a task once for all metrics."""

    def __init__(self, task: str, metrics: Sequence[str]) -> None:
        self._task, self._metrics = task, metrics
        self._read: dict[str, Mapping[str, MetricRows] | str] = {}

    def rows(self, run: BoardRun, metric: str) -> MetricRows | str:
        """The rows, or why there are none."""
        if run.id not in self._read:
            self._read[run.id] = self._rows_of(run)
        found = self._read[run.id]
        if isinstance(found, str):
            return found
        return found[metric] if metric in found else reason_of(run.stored, self._task, metric)

    def _rows_of(self, run: BoardRun) -> Mapping[str, MetricRows] | str:
        if run.stored.submission is not None and not run.stored.has_samples(self._task):
            return WITHOUT_ROWS
        try:
            return all_metric_rows(run.stored, self._task, self._metrics)
        except RunDirectoryError as error:
            return f"its rows cannot be read: {error.cause}"


def _seeds(entry: BoardRun, task: str, metric: str) -> list[BoardRun]:
    return chosen(entry.seeds, lambda run: has_value(run, task, metric))


def _rows(seeds: Sequence[MetricRows | str]) -> list[MetricRows]:
    """The rows of all seeds; none where one has none."""
    rows = [one for one in seeds if isinstance(one, MetricRows)]
    return rows if len(rows) == len(seeds) else []


def _aligned(rows: MetricRows, ids: Sequence[str]) -> Column:
    """Its statistics in the shared order; a row that it lacks adds nothing to any sum."""
    if len(rows.ids) == len(ids):
        return rows.column
    statistics = np.zeros((len(ids), rows.column.statistics.shape[1]))
    statistics[np.searchsorted(ids, rows.ids)] = rows.column.statistics
    return Column(statistics, rows.column.corpus_value)


def _entry(columns: Sequence[Column], draws: Floats) -> EntryRows | str:
    if not draws.shape[1]:
        return TOO_FEW
    parts = np.mean([_parts(column) for column in columns], axis=0)
    values = np.array([column.value() for column in columns])
    if not np.isfinite(parts).all():
        return NOT_WITHOUT_A_ROW
    # A resample on which the metric is not defined says nothing of the value.
    drawn = np.where(np.isfinite(draws), draws, values[:, None])
    return EntryRows(drawn.mean(axis=0), parts, values)


def _parts(column: Column) -> Floats:
    """Of each row: n · value − (n − 1) · value without the row."""
    n, total = len(column.statistics), column.statistics.sum(axis=0)
    without = np.asarray(column.corpus_value(total - column.statistics), dtype=np.float64)
    parts: Floats = n * column.value() - (n - 1) * without
    return parts
