"""Ranks: per task by the number it shows, over tasks by the GRUE score where there is one, else by the mean of the
places; yardsticks are never ranked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.core.run import NOT_SCORED, ScoreValue
from grue.registry.tasks import expand
from leaderboard_site.results import CEILING, FLOOR, BoardRun, Score, TaskResult
from leaderboard_site.settings import Setting

BENCHMARK = "grue"
ON_A_SUBSET = "a subset of rows: the score is given on whole splits"
OTHER_ROWS = "other rows or metrics"


@dataclass(frozen=True, slots=True)
class Entry:
    """One run on one task.

    Attributes:
        rank: 1 for the best; equal values share it. ``None`` for yardsticks, missing values and other rows.
        differs: Fields of the comparison key in which this result differs from the ranked ones.
        position: Value and interval on the way from floor (0) to ceiling (1), where both are there.
    """

    run: BoardRun
    result: TaskResult
    score: Score | None
    rank: int | None
    differs: tuple[str, ...]
    position: tuple[float, float | None, float | None] | None


@dataclass(frozen=True, slots=True)
class TaskBoard:
    """One task in one setting.

    Attributes:
        metric: The metric whose value is shown; ``None`` where no run has any value.
        wanted: The first primary metric where another stands in for it; else ``None``.
        entries: Run id -> entry, for all runs that have the task.
        floor: Value of ``null:random-reference`` on the same rows with the same signature.
        ceiling: Value of ``oracle:reference`` likewise; where rows have one reference, the best value there is.
    """

    task: str
    metric: str | None
    wanted: str | None
    scale: float | None
    higher_is_better: bool | None
    entries: Mapping[str, Entry]
    floor: float | None
    ceiling: float | None

    @property
    def ranked(self) -> list[Entry]:
        """Entries with a rank, best first."""
        return sorted((e for e in self.entries.values() if e.rank), key=lambda e: (e.rank or 0, e.run.name, e.run.id))


@dataclass(frozen=True, slots=True)
class Place:
    """A run's place in the order of the board.

    Attributes:
        place: 1 for the highest GRUE score; where no run has one, for the lowest mean. ``None`` for a run without a
            score beside runs that have one.
        mean: Mean of its places on the tasks.
    """

    place: int | None
    mean: float


@dataclass(frozen=True, slots=True)
class Overall:
    """A run's scores over all tasks, as they may be shown in a setting.

    Attributes:
        lack: What the GRUE score lacks to be ranked with the others; empty where nothing.
    """

    grue: ScoreValue
    naturalness: ScoreValue
    lack: str = ""


@dataclass(frozen=True, slots=True)
class BoardData:
    """A setting with its tasks ranked.

    Attributes:
        places: Run id -> place, in order, of the runs that have a rank anywhere.
        overall: Run id -> scores over all tasks, yardsticks included.
        by_score: Whether the order is that of the GRUE score.
    """

    setting: Setting
    tasks: Mapping[str, TaskBoard]
    places: Mapping[str, Place]
    overall: Mapping[str, Overall]
    by_score: bool

    @property
    def has_scores(self) -> bool:
        """Whether any run was made by a version that gives scores over all tasks."""
        return any(known(one.grue) or known(one.naturalness) for one in self.overall.values())


def known(score: ScoreValue) -> bool:
    """Whether a run says anything of a score: its value, or why there is none."""
    return score.value is not None or score.reason not in (None, NOT_SCORED)


def rank_board(setting: Setting, task_order: Sequence[str]) -> BoardData:
    """Rank every task of a setting, tasks in the given order and then by name."""
    names = {name for run in setting.runs for name in run.tasks}
    ordered = [name for name in task_order if name in names] + sorted(names - set(task_order))
    tasks = {name: rank_task(name, setting.runs) for name in ordered}
    overall = _overall(setting)
    scores = {
        run.id: one.grue.value
        for run in setting.ranked
        if (one := overall[run.id]).grue.value is not None and not one.lack
    }
    return BoardData(setting, tasks, _places(setting.ranked, tasks, scores), overall, bool(scores))


def rank_task(task: str, runs: Sequence[BoardRun]) -> TaskBoard:
    """Rank the runs that share the most common comparison key; the others keep their value without a rank."""
    present = [(run, run.tasks[task]) for run in runs if task in run.tasks]
    ranked = [(run, result) for run, result in present if not run.is_yardstick] or present
    rows_key = _most_common([result.rows_key for _, result in ranked])
    same_rows = [result for _, result in ranked if result.rows_key == rows_key]
    metric, wanted = _shown_metric(same_rows)
    if metric is None:
        entries = {run.id: Entry(run, result, None, None, (), None) for run, result in present}
        return TaskBoard(task, None, wanted, None, None, entries, None, None)
    scored = [score for result in same_rows if (score := result.scores.get(metric)) and score.value is not None]
    signature = _most_common([score.signature or "" for score in scored])
    example = next(score for score in scored if (score.signature or "") == signature)
    differs = {
        run.id: _differences(result, result.scores.get(metric), rows_key, signature, same_rows[0])
        for run, result in present
    }
    values = {
        run.id: score.value
        for run, result in present
        if not differs[run.id] and (score := result.scores.get(metric)) and score.value is not None
    }
    standings = [result.standing for run, result in present if run.id in values]
    floor = next((values[run.id] for run, _ in present if run.source == FLOOR and run.id in values), None)
    if floor is None:
        floor = next((one for standing in standings if (one := standing.floor.get(metric)) is not None), None)
    ceiling = next((values[run.id] for run, _ in present if run.source == CEILING and run.id in values), None)
    if ceiling is None:
        ceiling = next((one for standing in standings if (one := standing.ceiling.get(metric)) is not None), None)
    direction = {True: 1.0, False: -1.0, None: 0.0}[example.higher_is_better]
    competing = [values[run.id] * direction for run, _ in present if run.id in values and not run.is_yardstick]

    def entry(run: BoardRun, result: TaskResult) -> Entry:
        rank = position = None
        score = result.scores.get(metric)
        if run.id in values:
            if direction and not run.is_yardstick:
                rank = 1 + sum(other > values[run.id] * direction for other in competing)
            bounds = result.standing.floor.get(metric), result.standing.ceiling.get(metric)
            own = bounds if None not in bounds else (floor, ceiling)
            position = _position(score, *own, direction)
        return Entry(run, result, score, rank, differs[run.id], position)

    entries = {run.id: entry(run, result) for run, result in present}
    return TaskBoard(task, metric, wanted, example.scale, example.higher_is_better, entries, floor, ceiling)


def _most_common(keys: Sequence[object]) -> object:
    counts = Counter(keys)
    return max(counts, key=lambda key: (counts[key], str(key)))


def _shown_metric(results: Sequence[TaskResult]) -> tuple[str | None, str | None]:
    """The first primary metric with a value, else the first metric with a direction, else the first of all."""
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
            ("data", result.data.sha256, usual.data.sha256),
            ("prompts or rows", result.prompts_sha256, usual.prompts_sha256),
        )
        return tuple(name for name, found, expected in pairs if found != expected)
    if score and score.value is not None and (score.signature or "") != signature:
        return ("metric signature",)
    return ()


def _position(
    score: Score | None, floor: float | None, ceiling: float | None, direction: float
) -> tuple[float, float | None, float | None] | None:
    if score is None or score.value is None or floor is None or ceiling is None or (ceiling - floor) * direction <= 0:
        return None
    low, high = (None if bound is None else (bound - floor) / (ceiling - floor) for bound in (score.low, score.high))
    return (score.value - floor) / (ceiling - floor), low, high


def _overall(setting: Setting) -> dict[str, Overall]:
    """Scores over all tasks; on a subset none, and one on other rows or by other metrics than most is not ranked."""
    if setting.limit is not None:
        return {run.id: Overall(*_not_on_a_subset(run)) for run in setting.runs}
    benchmark = expand(BENCHMARK).names
    keys = {
        run.id: tuple(_score_key(run.tasks[name]) for name in benchmark if name in run.tasks)
        for run in setting.runs
        if run.results.scores.grue.value is not None
    }
    usual = _most_common([keys[run.id] for run in setting.ranked if run.id in keys] or list(keys.values()) or [()])
    return {
        run.id: Overall(*_scores_of(run), OTHER_ROWS if keys.get(run.id, usual) != usual else "")
        for run in setting.runs
    }


def _not_on_a_subset(run: BoardRun) -> tuple[ScoreValue, ScoreValue]:
    grue, natural = _scores_of(run)
    none = ScoreValue.none(ON_A_SUBSET)
    return none if known(grue) else grue, none if known(natural) else natural


def _scores_of(run: BoardRun) -> tuple[ScoreValue, ScoreValue]:
    return run.results.scores.grue, run.results.scores.naturalness


def _score_key(result: TaskResult) -> tuple[object, ...]:
    """Results with equal keys stand on the same rows and metrics."""
    scores = [result.scores.get(name) for name in result.primary]
    return (result.name, result.rows_key, *(score.signature if score else None for score in scores))


def _places(
    runs: Sequence[BoardRun], tasks: Mapping[str, TaskBoard], scores: Mapping[str, float | None]
) -> dict[str, Place]:
    """Order runs by their GRUE score, and those without one by the mean of their places on the tasks.

    A task without a rank counts as one place after its last. A run without any rank has no place: its rows or
    metrics are not those of the others.
    """
    used = [board for board in tasks.values() if board.ranked]
    ranked = {entry.run.id for board in used for entry in board.ranked}
    means = {}
    for run in runs:
        if run.id in ranked or run.id in scores:
            entries = [(board, board.entries.get(run.id)) for board in used]
            ranks = [entry.rank if entry and entry.rank else len(board.ranked) + 1 for board, entry in entries]
            means[run.id] = sum(ranks) / max(1, len(ranks))

    def score(run_id: str) -> float:
        return scores.get(run_id) or 0.0

    def place(run_id: str) -> int | None:
        if not scores:
            return 1 + sum(mean < means[run_id] - 1e-9 for mean in means.values())
        return 1 + sum(score(other) > score(run_id) for other in scores) if run_id in scores else None

    ordered = sorted(
        (run for run in runs if run.id in means),
        key=lambda run: (run.id not in scores, -score(run.id), means[run.id], run.name, run.id),
    )
    return {run.id: Place(place(run.id), means[run.id]) for run in ordered}
