"""Standings on one task: rank, rank interval and band of each entry by the metric that is shown.

Ranked are the entries that share the most common comparison key; the others keep their value without a rank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC

import numpy as np

from grue.comparison.bands_of import Scaled, bands_on_rows
from grue.comparison.row_cache import EntryRows, RowCache
from grue.comparison.standings_rows import MetricDraws, stand_in, task_draws, with_seeds
from grue.comparison.standings_runs import CEILING, FLOOR, BoardRun, Score, TaskResult
from grue.core.metric import Floats
from grue.stats.rank_intervals import rank_intervals
from grue.stats.ranking import Candidate, rank

Position = tuple[float, float | None, float | None]
YARDSTICK = "a yardstick is never ranked"
SUPERSEDED = "superseded by another run"
NO_DIRECTION = "the metric has no direction"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, or one run behind it, on one task.

    Attributes:
        rank: 1 for the best; equal values share it. ``None`` for yardsticks, missing values and other rows.
        differs: Fields of the comparison key in which this result differs from the ranked ones.
        position: Value and interval on the way from floor (0) to ceiling (1), where both are there.
        rank_ci95: Lowest and highest rank of 95 % of resamples; contains the rank.
        band: From 1; an entry of another band is told apart from the band's leader.
        reason: Why rank, interval or band is missing; empty where none is.
    """

    run: BoardRun
    result: TaskResult
    score: Score | None
    rank: int | None
    differs: tuple[str, ...]
    position: Position | None
    rank_ci95: tuple[int, int] | None = None
    band: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskBoard:
    """One task in one setting.

    Attributes:
        metric: The metric whose value is shown; ``None`` where no run has any value.
        wanted: The first primary metric where another stands in for it; else ``None``.
        entries: Entry id -> entry, for all that have the task, in the order shown.
        singles: Run id -> the same of single runs that are no entry: those behind an entry of several, ranked as it is,
            and superseded ones.
        floor: Value of ``null:random-reference`` on the same rows with the same signature.
        ceiling: Value of ``oracle:reference`` likewise; where rows have one reference, the best value there is.
        draws: Metric -> resampled rows of the ranked entries, primary metrics and the shown one.
        resampled: Entry id -> values of the shown metric as ranks count them, shape (n_resamples,).
    """

    task: str
    metric: str | None
    wanted: str | None
    scale: float | None
    higher_is_better: bool | None
    entries: Mapping[str, Entry]
    singles: Mapping[str, Entry]
    floor: float | None
    ceiling: float | None
    draws: Mapping[str, MetricDraws] = field(default_factory=dict, compare=False, repr=False)
    resampled: Mapping[str, Floats] = field(default_factory=dict, compare=False, repr=False)

    @property
    def ranked(self) -> list[Entry]:
        """Entries with a rank, best first."""
        return [entry for entry in self.entries.values() if entry.rank]

    @property
    def example(self) -> TaskResult:
        """One result of the task: a comparable one where there is any, else one of a superseded run."""
        some = [*self.entries.values(), *self.singles.values()]
        return next((entry for entry in some if not entry.differs), some[0]).result

    def of_run(self, run_id: str) -> Entry:
        """What a single run has on the task, ranked as its entry."""
        return self.singles[run_id] if run_id in self.singles else self.entries[run_id]

    def scaled(self) -> dict[str, Scaled]:
        """Entry id -> the rows of its shown value, higher being better; without those that have none."""
        rows: Mapping[str, EntryRows] = self.draws.get(self.metric or "", MetricDraws()).rows
        return {key: Scaled(((1.0 if self.higher_is_better else -1.0, one),)) for key, one in rows.items()}


def rank_task(task: str, entries: Sequence[BoardRun], by: str = "", cache: RowCache | None = None) -> TaskBoard:
    """Rank the entries of a task.

    Args:
        task: Its name.
        entries: Those of a setting; superseded runs among them get no rank.
        by: Metric to rank by where any of the comparable results has a value of it; else, and by default, the first
            primary metric with one.
        cache: Rows drawn for earlier rankings.
    """
    present = [(run, run.tasks[task]) for run in entries if task in run.tasks]
    current = [(run, result) for run, result in present if run.superseded is None]
    ranked = [(run, result) for run, result in current if not run.is_yardstick] or current or present
    rows_key = most_common([result.rows_key for _, result in ranked])
    same_rows = [result for _, result in ranked if result.rows_key == rows_key]
    metric, wanted = _shown_metric(same_rows, by)
    if metric is None:
        found = {run.id: Entry(run, result, None, None, (), None, reason="no value") for run, result in present}
        return _with_singles(TaskBoard(task, None, wanted, None, None, found, {}, None, None))
    scored = [score for result in same_rows if (score := result.scores.get(metric)) and score.value is not None]
    signature = most_common([score.signature or "" for score in scored])
    example = next(score for score in scored if (score.signature or "") == signature)
    differs = {
        run.id: _differences(result, result.scores.get(metric), rows_key, signature, same_rows[0])
        for run, result in present
    }
    comparable = [
        (run, result) for run, result in present if not differs[run.id] and _value(result, metric) is not None
    ]
    floor = _yardstick(FLOOR, metric, comparable)
    ceiling = _yardstick(CEILING, metric, comparable)
    unranked = [
        Entry(
            run=run,
            result=result,
            score=result.scores.get(metric),
            rank=None,
            differs=differs[run.id],
            position=None if differs[run.id] else _position(result, metric, floor, ceiling, example.higher_is_better),
            reason=_why_unranked(run, result, metric, differs[run.id], example.higher_is_better),
        )
        for run, result in present
    ]
    board = TaskBoard(task, metric, wanted, example.scale, example.higher_is_better, {}, {}, floor, ceiling)
    return _with_singles(_ranked(board, unranked, cache))


def created(run: BoardRun) -> str:
    """When it was made, as text that sorts by time."""
    return run.created_at.astimezone(UTC).isoformat(timespec="microseconds")


def most_common(keys: Sequence[object]) -> object:
    """The most frequent; of several the last as text."""
    counts = Counter(keys)
    return max(counts, key=lambda key: (counts[key], str(key)))


def _ranked(board: TaskBoard, unranked: Sequence[Entry], cache: RowCache | None) -> TaskBoard:
    """Give the competing entries rank, interval and band; the others come after them by time."""
    competing = [entry for entry in unranked if not entry.reason]
    order = rank(
        [Candidate(e.run.id, e.score.value if e.score else None, created(e.run)) for e in competing],
        higher_is_better=board.higher_is_better,
    )
    by_id = {entry.run.id: entry for entry in unranked}
    names = dict.fromkeys([board.metric or "", *(name for e in competing for name in e.result.primary)])
    draws = task_draws(board.task, [entry.run for entry in competing], list(names), cache) if competing else {}
    shown = draws.get(board.metric or "", MetricDraws())
    resampled = {entry.run.id: _resampled(entry, shown) for entry in competing}
    board = replace(board, draws=draws, resampled=resampled)
    intervals: dict[str, tuple[int, int]] = {}
    if competing:
        values = np.array([by_id[one.key].score.value for one in order], dtype=np.float64)  # type: ignore[union-attr]
        drawn = np.stack([resampled[one.key] for one in order])
        found = rank_intervals(values, drawn, higher_is_better=bool(board.higher_is_better))
        intervals = {one.key: interval for one, interval in zip(order, found, strict=True) if one.key in shown.rows}
    bands = bands_on_rows([one.key for one in order], board.scaled())
    placed = {
        one.key: replace(
            by_id[one.key],
            rank=one.rank,
            rank_ci95=intervals.get(one.key),
            band=bands.get(one.key),
            reason=shown.reasons.get(one.key, ""),
        )
        for one in order
    }
    rest = sorted((e for e in unranked if e.reason), key=lambda e: (created(e.run), e.run.id))
    return replace(board, entries={**placed, **{entry.run.id: entry for entry in rest}})


def _resampled(entry: Entry, shown: MetricDraws) -> Floats:
    if entry.run.id in shown.rows:
        return with_seeds(entry.run, shown.rows[entry.run.id])
    score = entry.score
    interval = (score.low, score.high) if score and score.low is not None and score.high is not None else None
    return stand_in(entry.run, score.value if score and score.value is not None else np.nan, interval)


def _with_singles(board: TaskBoard) -> TaskBoard:
    singles = {key: entry for key, entry in board.entries.items() if entry.run.superseded is not None}
    entries = {key: entry for key, entry in board.entries.items() if key not in singles}
    for entry in entries.values():
        for run in entry.run.members:
            if board.task not in run.tasks:
                continue
            result = run.tasks[board.task]
            position = entry.position
            if position is not None and board.metric:
                position = _position(result, board.metric, board.floor, board.ceiling, board.higher_is_better)
            score = result.scores.get(board.metric or "")
            singles[run.id] = replace(entry, run=run, result=result, score=score, position=position)
    return replace(board, entries=entries, singles=singles)


def _value(result: TaskResult, metric: str) -> float | None:
    score = result.scores.get(metric)
    return score.value if score else None


def _yardstick(source: str, metric: str, comparable: Sequence[tuple[BoardRun, TaskResult]]) -> float | None:
    """The value of a run of the yardstick, else the one that a run was scored with."""
    for run, result in comparable:
        if run.source == source:
            return _value(result, metric)
    for _, result in comparable:
        known = result.standing.floor if source == FLOOR else result.standing.ceiling
        if (value := known.get(metric)) is not None:
            return value
    return None


def _shown_metric(results: Sequence[TaskResult], by: str) -> tuple[str | None, str | None]:
    """The one asked for, else the first primary metric, the first with a direction, the first of all with a value."""
    if any((score := result.scores.get(by)) and score.value is not None for result in results):
        return by, None
    primary = results[0].primary
    scores = [(name, score) for result in results for name, score in result.scores.items()]
    directed = [name for name, score in scores if score.higher_is_better is not None]
    for name in (*primary, *directed, *(name for name, _ in scores)):
        if any((score := result.scores.get(name)) and score.value is not None for result in results):
            return name, (primary[0] if primary and name != primary[0] else None)
    return None, primary[0] if primary else None


def _differences(
    result: TaskResult, score: Score | None, rows_key: object, signature: object, usual: TaskResult
) -> tuple[str, ...]:
    if result.rows_key != rows_key:
        pairs = (
            ("task version", result.version, usual.version),
            ("split", result.split, usual.split),
            ("data", result.data.sha256, usual.data.sha256),
            ("prompts or rows", result.prompts_sha256, usual.prompts_sha256),
        )
        return tuple(name for name, found, expected in pairs if found != expected)
    if score and score.value is not None and (score.signature or "") != signature:
        return ("metric signature",)
    return ()


def _why_unranked(
    run: BoardRun, result: TaskResult, metric: str, differs: Sequence[str], higher_is_better: bool | None
) -> str:
    if run.superseded is not None:
        return SUPERSEDED
    if run.is_yardstick:
        return YARDSTICK
    if differs:
        return f"other {', other '.join(differs)}"
    score = result.scores.get(metric)
    if score is None or score.value is None:
        return (score and score.reason) or result.error or "no value"
    return "" if higher_is_better is not None else NO_DIRECTION


def _position(
    result: TaskResult, metric: str, floor: float | None, ceiling: float | None, higher_is_better: bool | None
) -> Position | None:
    score = result.scores.get(metric)
    own = result.standing.floor.get(metric), result.standing.ceiling.get(metric)
    low, high = (floor, ceiling) if None in own else own
    if score is None or score.value is None or low is None or high is None or higher_is_better is None:
        return None
    if (high - low) * (1 if higher_is_better else -1) <= 0:
        return None
    bounds = (None if bound is None else (bound - low) / (high - low) for bound in (score.low, score.high))
    return (score.value - low) / (high - low), *bounds  # type: ignore[return-value]
