"""The columns of a board: what each is called, shows and sorts by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from grue.comparison.standings_runs import Score
from grue.comparison.standings_task import Entry, TaskBoard
from leaderboard_site.board_state import BoardState
from leaderboard_site.charts import strip
from leaderboard_site.costs import amount
from leaderboard_site.numbers import NONE, between, day, decimals, half_width, number, rate, size
from leaderboard_site.pages.board_entries import BoardEntries, BoardEntry, rows_differ
from leaderboard_site.pages.frame import ScoreCell, overall_cell, scale_note, score_cell

PRIMARY = "primary"  # all primary metrics of each task
Value = float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardColumn:
    """One column.

    Attributes:
        key: In addresses.
        label: First line of its head.
        notes: Further lines.
        value: What it sorts by.
        cell: What it shows: a score, else text.
        is_number: Right aligned.
        is_descending: Whether the best is the highest: the first click sorts best first.
        is_score: Whether its cells are scores.
    """

    key: str
    label: str
    notes: tuple[str, ...] = ()
    value: Callable[[BoardEntry], Value]
    cell: Callable[[BoardEntry], ScoreCell | str] | None = None
    is_number: bool = True
    is_descending: bool = False
    is_score: bool = False

    def first(self, *, is_reversed: bool) -> str:
        """Which end comes first, in words."""
        descending = self.is_descending != is_reversed
        if self.key == "date":
            return "newest" if descending else "oldest"
        if self.key == "rank":
            return "worst" if is_reversed else "best"
        if self.is_number:
            return "highest" if descending else "lowest"
        return "Z" if descending else "A"


def columns_of(entries: BoardEntries, state: BoardState) -> tuple[BoardColumn, ...]:
    """The columns of a view, left to right; the first two are rank and name."""
    data = entries.data
    return (
        BoardColumn(
            key="rank",
            label="Rank",
            notes=("95 % range", "by GRUE" if data.by_score else "by mean place"),
            value=lambda entry: entry.order,
        ),
        BoardColumn(key="name", label="Run", notes=("mark",), value=lambda entry: entry.run.name, is_number=False),
        *_overall(entries, state),
        *(column for board in data.tasks.values() for column in _of_task(entries, board, state)),
        BoardColumn(
            key="speed",
            label="Speed",
            notes=("tokens/s",),
            value=lambda entry: entry.cost.tokens,
            cell=lambda entry: rate(entry.cost.tokens),
            is_descending=True,
        ),
        BoardColumn(
            key="latency",
            label="Latency",
            notes=("p50, ms",),
            value=lambda entry: entry.cost.p50,
            cell=lambda entry: number(entry.cost.p50, 0),
        ),
        *([_energy()] if entries.has_energy else []),
        BoardColumn(
            key="size",
            label="Size",
            notes=("parameters",),
            value=lambda entry: entry.run.parameters,
            cell=lambda entry: size(entry.run.parameters),
        ),
        BoardColumn(
            key="licence",
            label="Licence",
            notes=("as declared",),
            value=lambda entry: entry.run.licence,
            is_number=False,
        ),
        BoardColumn(
            key="date",
            label="Date",
            notes=("of the run",),
            value=lambda entry: entry.run.created_at.isoformat(),
            cell=lambda entry: day(entry.run.created_at),
            is_number=False,
            is_descending=True,
        ),
    )


FIXED = frozenset({"rank", "name", "grue", "naturalness", "speed", "latency", "energy", "size", "licence", "date"})


def task_key(task: str, name: str, *, is_only: bool) -> str:
    """A task column's key: the task's name where that says it all."""
    return task if is_only and task not in FIXED else f"{task}:{name}"


def _energy() -> BoardColumn:
    return BoardColumn(
        key="energy",
        label="Energy",
        notes=("J, 1,000 rows",),
        value=lambda entry: entry.cost.joules,
        cell=lambda entry: amount(entry.cost.joules),
    )


def _overall(entries: BoardEntries, state: BoardState) -> list[BoardColumn]:
    data = entries.data
    if not data.has_scores:
        return []

    def grue(entry: BoardEntry) -> ScoreCell:
        one = data.overall[entry.run.id]
        return overall_cell(one.grue, lack=one.lack, sd=one.sd)

    columns = [
        BoardColumn(
            key="grue",
            label="GRUE",
            notes=("mini rows" if data.setting.is_mini else "0 to 100",),
            value=lambda entry: data.overall[entry.run.id].grue.value,
            cell=grue,
            is_descending=True,
            is_score=True,
        ),
        BoardColumn(
            key="naturalness",
            label="Naturalness",
            notes=("0 to 100",),
            value=lambda entry: data.overall[entry.run.id].naturalness.value,
            cell=lambda entry: overall_cell(data.overall[entry.run.id].naturalness),
            is_descending=True,
            is_score=True,
        ),
    ]
    return columns[::-1] if state.view == "naturalness" else columns


def _of_task(entries: BoardEntries, board: TaskBoard, state: BoardState) -> list[BoardColumn]:
    if state.view == "naturalness":
        return [_naturalness(entries, board)]
    if state.view == "reward":
        rewards = entries.rewards.get(board.task, ())
        return [_reward(entries, board, name, is_only=len(rewards) == 1) for name in rewards]
    wanted = _wanted(entries, board, state)
    return [_metric(entries, board, name, is_only=len(wanted) == 1) for name in wanted]


def _wanted(entries: BoardEntries, board: TaskBoard, state: BoardState) -> list[str | None]:
    if not state.metrics:
        return [board.metric]
    chosen = {*state.metrics, *(board.example.primary if PRIMARY in state.metrics else ())}
    return [name for name in entries.metrics[board.task] if name in chosen]


def _metric(entries: BoardEntries, board: TaskBoard, metric: str | None, *, is_only: bool) -> BoardColumn:
    task, is_shown = board.task, metric == board.metric
    absent = (f"{board.wanted} absent",) if board.wanted and metric and is_shown else ()
    scores = (entry.result.scores.get(metric or "") for entry in board.entries.values())
    some = next((score for score in scores if score and score.value is not None), None)
    lower = some is not None and some.higher_is_better is False

    def value(entry: BoardEntry) -> float | None:
        found = entry.tasks.get(task)
        score = found.result.scores.get(metric) if found and metric else None
        return score.value if score else None

    def cell(entry: BoardEntry) -> ScoreCell:
        found = entry.tasks.get(task)
        if is_shown or metric is None or found is None:
            return score_cell(found, board)
        return _other_cell(found, metric, entries.usual_signature(task, metric))

    return BoardColumn(
        key=task_key(task, metric or "", is_only=is_only),
        label=entries.cards[task].title,
        notes=(metric or "no value", *absent, *(("lower is better",) if lower else ())),
        value=value,
        cell=cell,
        is_descending=not lower,
        is_score=True,
    )


def _naturalness(entries: BoardEntries, board: TaskBoard) -> BoardColumn:
    task = board.task

    def cell(entry: BoardEntry) -> ScoreCell:
        found = entry.tasks.get(task)
        return ScoreCell(NONE, reason="not run") if found is None else overall_cell(found.result.standing.naturalness)

    return BoardColumn(
        key=task_key(task, "naturalness", is_only=True),
        label=entries.cards[task].title,
        notes=("naturalness",),
        value=lambda entry: entry.tasks[task].result.standing.naturalness.value if task in entry.tasks else None,
        cell=cell,
        is_descending=True,
        is_score=True,
    )


def _reward(entries: BoardEntries, board: TaskBoard, reward: str, *, is_only: bool) -> BoardColumn:
    task = board.task

    def score(entry: BoardEntry) -> Score | None:
        found = entry.tasks.get(task)
        return found.result.rewards.get(reward) if found else None

    def cell(entry: BoardEntry) -> ScoreCell:
        found = score(entry)
        if found is None:
            return ScoreCell(NONE, reason="not computed" if task in entry.tasks else "not run")
        return _score_text(found, "", differs=rows_differ(entry.tasks[task]))

    def value(entry: BoardEntry) -> float | None:
        found = score(entry)
        return found.value if found else None

    some = next((s for entry in board.entries.values() if (s := entry.result.rewards.get(reward))), None)
    return BoardColumn(
        key=task_key(task, reward, is_only=is_only),
        label=entries.cards[task].title,
        notes=(reward, scale_note(some.scale if some else None)),
        value=value,
        cell=cell,
        is_descending=True,
        is_score=True,
    )


def _other_cell(found: Entry, metric: str, usual: str | None) -> ScoreCell:
    """A metric other than the one that the task is ranked by."""
    score = found.result.scores.get(metric)
    if score is None:
        return ScoreCell(NONE, reason=found.result.error or "not computed")
    differs = rows_differ(found) or ("metric signature" if score.signature != usual else "")
    cell = _score_text(score, metric, differs=differs)
    standing = found.result.standing
    floor, ceiling = standing.floor.get(metric), standing.ceiling.get(metric)
    if score.value is None or floor is None or ceiling is None or floor == ceiling:
        return cell
    at = [None if one is None else (one - floor) / (ceiling - floor) for one in (score.value, score.low, score.high)]
    return replace(cell, strip=strip(at[0] or 0.0, at[1], at[2]))


def _score_text(score: Score, metric: str, *, differs: str) -> ScoreCell:
    if score.value is None:
        return ScoreCell(NONE, reason=score.reason or "no value")
    places = decimals(metric, score.scale)
    lack = f"other {differs}" if differs else ""
    spread = "" if score.sd is None else f"sd {number(score.sd, places)}"
    if score.low is None or score.high is None:
        text = number(score.value, places)
        return ScoreCell(text, lack=lack or "no interval", interval=score.reason or "", spread=spread)
    return ScoreCell(
        text=number(score.value, places),
        pm=half_width(score.value, score.low, score.high, places),
        lack=lack,
        interval=between(score.low, score.high, places),
        spread=spread,
    )
