"""The score of a task as a formula, with the numbers that it is made from on these rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_overall import known
from grue.comparison.standings_runs import TaskResult
from grue.comparison.standings_task import Entry
from grue.stats.grue_score import NATURALNESS
from leaderboard_site.numbers import decimals, number
from leaderboard_site.pages.run_scores import statistic


@dataclass(frozen=True, slots=True)
class FormulaRow:
    """A primary metric with its floor, ceiling and null systems' values."""

    metric: str
    signature: str
    floor: str
    ceiling: str
    nulls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """How the score of a task is made.

    Attributes:
        lines: Formulas, one a line.
        systems: Names of the null systems, the heads of ``FormulaRow.nulls``.
        references: Name and the references' value of each statistic of naturalness.
    """

    lines: tuple[str, ...]
    systems: tuple[str, ...]
    rows: tuple[FormulaRow, ...]
    references: tuple[tuple[str, str], ...]


def formulas(primary: Sequence[str] = ()) -> tuple[str, str, str]:
    """Quality, naturalness and GRUE as formulas; quality of a task where its primary metrics are given."""
    metrics = ", ".join(primary) or "the task's primary metrics"
    return (
        f"quality     = 100 × mean over {metrics} of (value − floor) / (ceiling − floor)",
        f"naturalness = 100 × mean over {', '.join(NATURALNESS)} of min(x / r, r / x)",
        "GRUE        = mean quality over the seven tasks",
    )


def formula(entries: Sequence[Entry]) -> Formula | None:
    """From the first run on the ranked rows that has a score; ``None`` where none has."""
    for entry in entries:
        if not entry.differs and known(entry.result.standing.quality):
            return _of(entry.result)
    return None


def _of(result: TaskResult) -> Formula:
    standing = result.standing
    names = tuple(standing.ceiling or result.primary)
    systems = tuple(standing.null_systems)
    return Formula(
        lines=formulas(names)[:2],
        systems=systems,
        rows=tuple(_row(name, result, systems) for name in names),
        references=tuple((name, statistic(name, reference)) for name, (_, reference) in standing.statistics.items()),
    )


def _row(name: str, result: TaskResult, systems: Sequence[str]) -> FormulaRow:
    score, standing = result.scores.get(name), result.standing
    places = decimals(name, score.scale if score else None)
    return FormulaRow(
        metric=name,
        signature=(score and score.signature) or "",
        floor=number(standing.floor.get(name), places),
        ceiling=number(standing.ceiling.get(name), places),
        nulls=tuple(number(standing.null_systems[system].get(name), places) for system in systems),
    )
