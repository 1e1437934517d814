"""What a run's tasks cost, as a table of its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun, TaskResult
from leaderboard_site.cards import Card
from leaderboard_site.costs import COLUMNS, run_cost
from leaderboard_site.links import Page
from leaderboard_site.pages.cost import known_axes


@dataclass(frozen=True, slots=True)
class CostLine:
    """What a task cost, a text a column."""

    title: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CostTable:
    """A line a task that a model wrote, and where there are several one for all.

    Attributes:
        heads: Head and unit of each column.
        page: The page that compares runs and says what each number holds; ``None`` where there is none.
    """

    heads: tuple[tuple[str, str], ...]
    lines: tuple[CostLine, ...]
    page: Page | None


def cost_table(
    run: BoardRun, results: Sequence[TaskResult], data: BoardData, board: Page, cards: Mapping[str, Card]
) -> CostTable | None:
    """The costs of a run; ``None`` where no model ran.

    Args:
        run: The run.
        results: Its tasks.
        data: The setting it stands in.
        board: The board of that setting.
        cards: Task name -> card.
    """
    ran = [result for result in results if result.cost.generated_tokens is not None]
    if not ran:
        return None
    parts = [(cards[result.name].title, [result]) for result in ran]
    if len(ran) > 1:
        parts.append(("All tasks", ran))
    axes = known_axes(data)
    return CostTable(
        heads=tuple((head, unit) for head, unit, _ in COLUMNS),
        lines=tuple(
            CostLine(title, tuple(text(run_cost(run, some)) for _, _, text in COLUMNS)) for title, some in parts
        ),
        page=Page(kind="cost", setting=board.setting, axis=axes[0].key) if axes else None,
    )
