"""Where a run's tasks stand between floor and ceiling, and beside the references: two tables of the run page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings_overall import known
from grue.comparison.standings_runs import TaskResult
from leaderboard_site.cards import Card
from leaderboard_site.numbers import decimals, number
from leaderboard_site.pages.frame import ScoreCell, overall_cell

STATISTIC_PLACES = 3
OTHER_NULL_SYSTEMS = ("null:empty", "null:constant", "null:copy-input")  # the fourth is the floor
_PLACES = {"mean_length": 1}


@dataclass(frozen=True, slots=True)
class PrimaryRow:
    """A primary metric between its floor and its ceiling, with the other null systems' values."""

    metric: str
    floor: str
    value: str
    reason: str
    ceiling: str
    nulls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The quality of a task with the metrics it is made of, and its naturalness.

    Attributes:
        statistics: Name, value of the outputs and of the references, of each statistic that naturalness is made of.
    """

    title: str
    quality: ScoreCell
    naturalness: ScoreCell
    primaries: tuple[PrimaryRow, ...]
    statistics: tuple[tuple[str, str, str], ...]


def standings(results: Sequence[TaskResult], cards: Mapping[str, Card]) -> tuple[Standing, ...]:
    """A standing for each task that a run of a version with scores has."""
    return tuple(
        _standing(result, cards[result.name].title)
        for result in results
        if known(result.standing.quality) or known(result.standing.naturalness)
    )


def _standing(result: TaskResult, title: str) -> Standing:
    standing = result.standing
    return Standing(
        title=title,
        quality=overall_cell(standing.quality),
        naturalness=overall_cell(standing.naturalness),
        primaries=tuple(_primary(name, result) for name in standing.ceiling or result.primary),
        statistics=tuple(
            (name, statistic(name, value), statistic(name, reference))
            for name, (value, reference) in standing.statistics.items()
        ),
    )


def statistic(name: str, value: float | None) -> str:
    """A statistic of naturalness as text."""
    return number(value, _PLACES.get(name, STATISTIC_PLACES))


def _primary(name: str, result: TaskResult) -> PrimaryRow:
    score = result.scores.get(name)
    places = decimals(name, score.scale if score else None)
    floor, ceiling = result.standing.floor.get(name), result.standing.ceiling.get(name)
    reason = "" if score and score.value is not None else (score and score.reason) or "no value"
    value = number(score.value if score else None, places)
    nulls = tuple(
        number(result.standing.null_systems.get(system, {}).get(name), places) for system in OTHER_NULL_SYSTEMS
    )
    return PrimaryRow(name, number(floor, places), value, reason, number(ceiling, places), nulls)
