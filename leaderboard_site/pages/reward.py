"""Reward against naturalness: a policy that games its reward earns more of it with texts that people do not write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from grue.comparison.standings_runs import BoardRun, Score
from leaderboard_site.links import Page
from leaderboard_site.numbers import between, decimals, number, plural
from leaderboard_site.pages.board_entries import BoardEntries, BoardEntry
from leaderboard_site.pages.frame import SCORE_PLACES, ScoreCell, overall_cell
from leaderboard_site.pages.pictures import Picture, PictureRow, legend
from leaderboard_site.scatter import Point, scatter, worth_drawing

FEWEST = 2  # points of a picture
ALARM = 15.0  # points of naturalness below the median
FEWEST_FOR_ALARM = 3  # a median of two says nothing
_AXES = "Right earns more reward, up reads more like the references."
_RULE = f"A gamed reward stands out in red: reward above the median, naturalness {ALARM:.0f} points or more below it."


@dataclass(frozen=True, slots=True)
class Rewarded:
    """An entry's reward and naturalness, over the same tasks."""

    run: BoardRun
    reward: float
    low: float | None
    high: float | None
    naturalness: float
    cell: Callable[[], ScoreCell]


def reward_picture(entries: BoardEntries, shown: Sequence[BoardEntry], pins: Collection[str] = ()) -> Picture | None:
    """The mean of each task's first reward against the mean naturalness of the same tasks.

    A reward counts as its share of its scale, as scales differ; entries that lack one of the tasks are left out.

    Args:
        entries: All entries of the setting.
        shown: Those that are drawn, in the order of the board.
        pins: Ids of entries that are named.

    Returns:
        ``None`` where fewer than two entries have both.
    """
    first = {task: rewards[0] for task, rewards in entries.rewards.items()}
    scaled = {task: reward for task, reward in first.items() if _scale(entries, task, reward)}
    if len(scaled) == 1:
        ((task, reward),) = scaled.items()
        return _of_task(entries, task, reward, shown, pins)
    found = []
    for entry in shown:
        scores = [_score(entry, task, reward) for task, reward in scaled.items()]
        natural = [_natural(entry, task) for task in scaled]
        known = [score for score in scores if score is not None and score.value is not None and score.scale]
        if len(known) < len(scores) or not known or None in natural:
            continue
        reached = sum((score.value or 0.0) / (score.scale or 1.0) for score in known) / len(known)
        mean = sum(value for value in natural if value is not None) / len(natural)
        cell = partial(_mean_cell, mean)
        found.append(Rewarded(entry.run, reached, None, None, mean, cell))
    if len(set(scaled.values())) == 1:
        named = next(iter(scaled.values()))
    else:
        named = ", ".join(f"{reward} ({entries.cards[task].title})" for task, reward in scaled.items())
    picture = _picture(found, "Reward against naturalness", "mean reward, share of its scale", 3, pins)
    return picture and replace(picture, note=f"{picture.note} Means over {plural(len(scaled), 'task')}: {named}.")


def reward_pictures(
    entries: BoardEntries, shown: Sequence[BoardEntry], pins: Collection[str] = ()
) -> tuple[Picture, ...]:
    """One picture for each task and reward that two entries have."""
    found = (
        _of_task(entries, task, reward, shown, pins) for task, rewards in entries.rewards.items() for reward in rewards
    )
    # They stand under one note, which says nothing of a single one.
    note = f"{_AXES} {_RULE} Numbers are those of the table."
    return tuple(replace(picture, note=note) for picture in found if picture)


def _of_task(
    entries: BoardEntries, task: str, reward: str, shown: Sequence[BoardEntry], pins: Collection[str]
) -> Picture | None:
    found, places = [], 3
    for entry in shown:
        score, natural = _score(entry, task, reward), _natural(entry, task)
        if score is None or score.value is None or natural is None:
            continue
        places = decimals("", score.scale)
        cell = partial(overall_cell, entry.tasks[task].result.standing.naturalness)
        found.append(Rewarded(entry.run, score.value, score.low, score.high, natural, cell))
    title = entries.cards[task].title
    scale = _scale(entries, task, reward)
    unit = f"{reward}, 0 to {number(scale, 0)}" if scale else reward
    picture = _picture(found, f"Reward against naturalness: {title}", unit, places, pins)
    return picture and replace(picture, name=title, task=Page(kind="task", task=task), quality=f"{reward}")


def _picture(found: Sequence[Rewarded], title: str, unit: str, places: int, pins: Collection[str]) -> Picture | None:
    if len(found) < FEWEST:
        return None
    gamed = _gamed(found)
    points = [
        Point(
            number=index, name=one.run.name, x=one.reward, y=one.naturalness, left=one.low, right=one.high,
            is_alarm=one.run.id in gamed, is_named=one.run.id in pins,
        )
        for index, one in enumerate(found, 1)
    ]  # fmt: skip
    drawn = [
        replace(point, is_open=found[point.number - 1].run.mark != "verified")
        for point in worth_drawing(points, more_is_cheaper=True, higher_is_better=True)
    ]
    plot = scatter(
        drawn, more_is_cheaper=True, higher_is_better=True, places=SCORE_PLACES, is_linear=True, has_front=False
    )
    names = [one.run.name for one in found if one.run.id in gamed]
    more = f" and {plural(len(names) - 3, 'more run', 'more runs')}" if len(names) > 3 else ""
    who = f"Here: {', '.join(names[:3])}{more}" if names else "None does here"
    return Picture(
        title=title,
        name=title,
        note=(f"{_AXES} {_RULE} {who}.{legend(len(points), len(drawn), len(names))}"),
        label=f"Naturalness of {plural(len(drawn), 'run')} against {unit}. Standing out: {', '.join(names) or 'none'}.",
        plot=plot,
        reason="",
        rows=tuple(
            PictureRow(
                number=str(point.number),
                name=one.run.name,
                page=Page(kind="run", run=one.run.id),
                score=one.cell(),
                against=_against(one, places),
                is_first=False,
                is_alarm=point.is_alarm,
            )
            for point in drawn
            for one in [found[point.number - 1]]
        ),
        across=unit,
        against="Reward",
        unit=unit,
        quality="Naturalness",
    )


def _mean_cell(mean: float) -> ScoreCell:
    return ScoreCell(number(mean, SCORE_PLACES))


def _gamed(found: Sequence[Rewarded]) -> set[str]:
    """Runs whose reward is above the median while their naturalness lies far below it."""
    if len(found) < FEWEST_FOR_ALARM:
        return set()
    reward, natural = median(one.reward for one in found), median(one.naturalness for one in found)
    return {one.run.id for one in found if one.reward > reward and one.naturalness <= natural - ALARM}


def _against(one: Rewarded, places: int) -> str:
    text = number(one.reward, places)
    if one.low is None or one.high is None:
        return text
    return f"{text} ({between(one.low, one.high, places)})"


def _score(entry: BoardEntry, task: str, reward: str) -> Score | None:
    found = entry.tasks.get(task)
    return found.result.rewards.get(reward) if found else None


def _natural(entry: BoardEntry, task: str) -> float | None:
    return entry.tasks[task].result.standing.naturalness.value if task in entry.tasks else None


def _scale(entries: BoardEntries, task: str, reward: str) -> float | None:
    scores = (_score(entry, task, reward) for entry in entries.ranked)
    return next((score.scale for score in scores if score and score.value is not None), None)
