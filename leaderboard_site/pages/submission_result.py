"""What a submission came to, and where it stands on the board, or would stand while it is private."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun, Score, TaskResult
from grue.comparison.standings_task import TaskBoard
from grue.core.run import ScoreValue
from grue.core.text import Json
from leaderboard_site.numbers import between, count, decimals, half_width, number
from leaderboard_site.pages.frame import SCORE_PLACES
from leaderboard_site.pages.standing import range_in_words


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task of the result; ``reason`` says why there is no value."""

    title: str
    metric: str
    value: str
    pm: str
    interval: str
    rank: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Scores in a sentence and by task.

    Attributes:
        headline: The score over all tasks, bold.
        sentence: Its interval and its place, which go on where the headline ends.
        is_certain: Whether the places are those of the board, not what they would be.
    """

    headline: str
    sentence: str
    tasks: tuple[TaskLine, ...]
    is_certain: bool


def result_of(run: BoardRun, data: BoardData | None, title_of: Callable[[str], str]) -> Result:
    """The result of a run.

    Args:
        run: The run.
        data: The board of its setting, on which it may stand already; ``None`` where no run of it is public.
        title_of: Task name -> title.
    """
    is_on_board = data is not None and run.id in data.entry_of
    score = data.overall_of_run(run.id).grue if data is not None and is_on_board else run.results.scores.grue
    headline, parts = _headline(score, len(run.tasks))
    if data is not None and score.value is not None:
        parts.append(_place(run, score, data, is_on_board=is_on_board))
    lines = tuple(_line(task, title_of(name), data, run) for name, task in run.tasks.items())
    return Result(headline, " ".join(filter(None, parts)), lines, is_on_board)


def rounded_result(scores: Mapping[str, Json], title_of: Callable[[str], str]) -> Result:
    """The result of a run on a hidden split, of which only rounded scores have left the worker.

    Args:
        scores: Task -> primary metric -> rounded value, or ``None`` where there is none.
        title_of: Task name -> title.
    """
    lines = []
    for name, metrics in scores.items():
        for metric, value in metrics.items() if isinstance(metrics, Mapping) else ():
            is_known = isinstance(value, int | float)
            # As many digits as were left by the rounding, no more.
            shown = f"{value:g}" if is_known else ""
            reason = "" if is_known else "no value"
            lines.append(TaskLine(title_of(name), metric, shown, "", "", "", reason))
    tasks = "one task" if len(scores) == 1 else f"{count(len(scores))} tasks"
    return Result(f"Scored on {tasks}", ". Rounded, as all scores of this split.", tuple(lines), is_certain=False)


def _headline(score: ScoreValue, n_tasks: int) -> tuple[str, list[str]]:
    if score.value is None:
        tasks = "one task" if n_tasks == 1 else f"{count(n_tasks)} tasks"
        return f"Scored on {tasks}", [f". There is no GRUE score: {score.reason}." if score.reason else "."]
    interval = "."
    if score.ci95 is not None:
        interval = f", interval {between(*score.ci95, SCORE_PLACES)}."
    return f"GRUE score {number(score.value, SCORE_PLACES)}", [interval]


def _place(run: BoardRun, score: ScoreValue, data: BoardData, *, is_on_board: bool) -> str:
    if is_on_board:
        place = data.places.get(data.entry_of[run.id])
        if place is None or place.place is None:
            return "It has no rank yet."
        return f"{range_in_words(place, len(data.places))}."
    others = [
        data.overall[key].grue.value for key, place in data.places.items() if place.place is not None and data.by_score
    ]
    values = [value for value in others if value is not None]
    if not values or score.value is None:
        return ""
    rank = _would_be(score.value, values, higher_is_better=True)
    span = ""
    if score.ci95 is not None:
        low, high = (_would_be(bound, values, higher_is_better=True) for bound in reversed(score.ci95))
        span = f", between {count(low)} and {count(high)} by its interval" if low < high else ""
    return f"It would stand at rank {count(rank)} of {count(len(values) + 1)}{span}."


def _would_be(value: float, others: Sequence[float], *, higher_is_better: bool) -> int:
    return 1 + sum(other > value if higher_is_better else other < value for other in others)


def _line(task: TaskResult, title: str, data: BoardData | None, run: BoardRun) -> TaskLine:
    board = data.tasks.get(task.name) if data is not None else None
    metric = board.metric if board is not None and board.metric in task.scores else None
    metric = metric or next((name for name in task.primary if name in task.scores), None)
    score = task.scores.get(metric or "")
    if score is None or score.value is None or metric is None:
        reason = (score.reason if score else None) or task.error or "no value"
        return TaskLine(title, metric or "", "–", "", "", "", reason)
    places = decimals(metric, score.scale)
    pm = interval = ""
    if score.low is not None and score.high is not None:
        pm = half_width(score.value, score.low, score.high, places)
        interval = between(score.low, score.high, places)
    rank = _task_rank(task, score, board, run) if board is not None else ""
    return TaskLine(title, metric, number(score.value, places), pm, interval, rank)


def _task_rank(task: TaskResult, score: Score, board: TaskBoard, run: BoardRun) -> str:
    on_board = board.singles.get(run.id) or board.entries.get(run.id)
    if on_board is not None:
        return f"{count(on_board.rank)} of {count(len(board.ranked))}" if on_board.rank else ""
    ranked = board.ranked
    if not ranked or score.metric != board.metric or board.higher_is_better is None or score.value is None:
        return ""
    example = ranked[0]
    same = example.result.rows_key == task.rows_key
    if not same or example.score is None or example.score.signature != score.signature:
        return ""
    values = [one.score.value for one in ranked if one.score is not None and one.score.value is not None]
    rank = _would_be(score.value, values, higher_is_better=board.higher_is_better)
    return f"would be {count(rank)} of {count(len(values) + 1)}"
