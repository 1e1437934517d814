"""The rows behind a task's values: resampled together for rank intervals, and row by row for paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grue.comparison.columns import MetricRows, all_metric_rows, reason_of
from grue.comparison.row_cache import EntryRows, Ids, Kept, Key, RowCache
from grue.comparison.standings_entries import chosen, has_value
from grue.comparison.standings_runs import BoardRun
from grue.core.errors import RunDirectoryError
from grue.core.metric import Floats
from grue.core.text import sha256_text
from grue.stats.bootstrap import RESAMPLES, TOO_FEW, Column
from grue.stats.rank_intervals import entry_draws
from grue.stats.seeds import seed_noise

WITHOUT_ROWS = "published without its rows"
UNREADABLE = "its rows cannot be read"
NOT_WITHOUT_A_ROW = "its value is not defined without one of the rows"
_Z = 1.959963984540054  # half of a 95 % interval, in standard deviations


@dataclass(frozen=True, slots=True)
class MetricDraws:
    """One metric of the entries of a task.

    Attributes:
        rows: Entry id -> its rows.
        reasons: Entry id -> why it has none.
    """

    rows: Mapping[str, EntryRows] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def task_draws(
    task: str, entries: Sequence[BoardRun], metrics: Sequence[str], cache: RowCache | None = None
) -> dict[str, MetricDraws]:
    """Resample the rows of a task, the same rows for all entries and metrics.

    An entry that lacks some of the rows (they failed, or do not count for a metric) is resampled on those it has.

    Args:
        task: Name of the task.
        entries: Those of one comparison key.
        metrics: Names; an entry without a value of one is left out of that.
        cache: Of earlier rankings; what it has is not drawn again.

    Returns:
        Metric -> what was drawn.
    """
    drawing = _Drawing(task, metrics, RowCache() if cache is None else cache)
    seeds = {(entry.id, metric): _seeds(entry, task, metric) for metric in metrics for entry in entries}
    shared = drawing.shared_ids([(metric, runs) for (_, metric), runs in seeds.items() if runs])
    out = {}
    for metric in metrics:
        made = drawing.made(metric, {key: runs for (key, name), runs in seeds.items() if name == metric}, shared)
        out[metric] = MetricDraws(
            {key: one for key, one in made.items() if isinstance(one, EntryRows)},
            {key: one for key, one in made.items() if isinstance(one, str)},
        )
    return out


class _Drawing:
    """Draws for one task what the cache does not have."""

    def __init__(self, task: str, metrics: Sequence[str], cache: RowCache) -> None:
        self._task = task
        self._cache = cache
        self._reader = _Reader(task, metrics)

    def shared_ids(self, wanted: Sequence[tuple[str, Sequence[BoardRun]]]) -> Ids:
        """The rows that any entry has by any metric, sorted."""
        found = {id(ids): ids for metric, runs in wanted if (ids := self._known(metric, runs).ids)}
        if len(found) == 1:
            return next(iter(found.values()))
        return self._cache.one_copy(tuple(sorted({row for ids in found.values() for row in ids})))

    def made(self, metric: str, wanted: Mapping[str, Sequence[BoardRun]], shared: Ids) -> dict[str, EntryRows | str]:
        """The rows of each entry, or why it has none; nothing for an entry without a value."""
        known = {key: self._known(metric, runs) for key, runs in wanted.items() if runs}
        missing = [key for key, kept in known.items() if kept.ids and kept.shared is not shared]
        columns = {key: [_aligned(one, shared) for one in self._rows(metric, wanted[key])] for key in missing}
        flat = [column for key in missing for column in columns[key]]
        seed = int(sha256_text(self._task)[:8], 16)
        draws = entry_draws(flat, seed=seed) if len(shared) > 1 else np.empty((len(flat), 0))
        start = 0
        for key in missing:
            stop = start + len(columns[key])
            known[key] = Kept(known[key].ids, shared, _entry(columns[key], draws[start:stop]))
            self._cache.put(self._key(metric, wanted[key]), known[key])
            start = stop
        return {key: kept.made for key, kept in known.items()}

    def _known(self, metric: str, runs: Sequence[BoardRun]) -> Kept:
        """What is kept of an entry, or which rows it has: those are not drawn yet."""
        key = self._key(metric, runs)
        kept = self._cache.get(key)
        if kept is None:
            found = [self._reader.rows(run, metric) for run in runs]
            reason = next((one for one in found if isinstance(one, str)), "")
            ids: Ids = ()
            if not reason:
                each = [one.ids for one in found if isinstance(one, MetricRows)]
                ids = each[0] if len(set(each)) == 1 else tuple(sorted({row for one in each for row in one}))
            kept = Kept(self._cache.one_copy(ids), (), reason)
            if not reason.startswith(UNREADABLE):
                self._cache.put(key, kept)
        return kept

    def _rows(self, metric: str, runs: Sequence[BoardRun]) -> list[MetricRows]:
        return [one for run in runs if isinstance(one := self._reader.rows(run, metric), MetricRows)]

    def _key(self, metric: str, runs: Sequence[BoardRun]) -> Key:
        return self._task, metric, tuple(str(run.stored.results["checksum"]) for run in runs)


def with_seeds(entry: BoardRun, found: EntryRows) -> Floats:
    """An entry's draws with its seeds drawn anew too, as every rank of it is resampled."""
    if len(found.seeds) == 1:
        return found.draws
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
            return f"{UNREADABLE}: {error.cause}"


def _seeds(entry: BoardRun, task: str, metric: str) -> list[BoardRun]:
    return chosen(entry.seeds, lambda run: has_value(run, task, metric))


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
