"""How much the order rests on how metrics are weighed: a figure of the board with its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from leaderboard_site.cards import Card
from leaderboard_site.charts import Dot, DotPlot, dot_plot
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, count, percent
from leaderboard_site.pages.panels import in_order

MOST_DOTS = 12  # entries in the picture
MOST_ROWS = 40  # in the table behind it: those most often first, then those left out
CLEAR = 0.95  # of the weightings


@dataclass(frozen=True, slots=True)
class WeightsRow:
    """An entry: how often it is first, or why it is left out."""

    name: str
    page: Page
    share: str
    reason: str


@dataclass(frozen=True, slots=True)
class WeightsFigure:
    """Who is first under random weightings.

    Attributes:
        says: The result in a sentence.
        note: How to read it.
    """

    says: str
    note: str
    plot: DotPlot
    rows: tuple[WeightsRow, ...]


def weights_figure(data: BoardData, cards: Mapping[str, Card]) -> WeightsFigure | None:
    """The figure; ``None`` where there is nothing to weigh."""
    found = data.robustness
    if found is None:
        return None
    entries = [run for run in in_order(data) if run.id in found.shares or run.id in found.left_out]
    shares = [(run, found.shares[run.id]) for run in entries if run.id in found.shares]
    shares.sort(key=lambda pair: -pair[1])  # stable: equal shares stay in the order of the board
    best, share = shares[0]
    says = f"{best.name} is first in {percent(share)} of weightings"
    if share >= CLEAR:
        says += ": that it leads does not rest on how the metrics are weighed."
    elif len(shares) > 1 and shares[1][1] > 0:
        second, other = shares[1]
        says += f", {second.name} in {percent(other)}: who leads rests on how the metrics are weighed."
    else:
        says += "."
    tasks = dict.fromkeys(task for task, _ in found.metrics)
    named = "; ".join(
        f"{cards[task].title}: {', '.join(metric for name, metric in found.metrics if name == task)}" for task in tasks
    )
    beyond = f" The first {MOST_DOTS} of {len(shares)}." if len(shares) > MOST_DOTS else ""
    return WeightsFigure(
        says=says,
        note=(
            f"Share of {count(found.n_weightings)} random weightings of {count(len(found.metrics))} primary metrics, "
            f"each from floor to ceiling, under which a run has the highest mean.{beyond} {named}."
        ),
        plot=dot_plot(
            [Dot(run.name, 100 * one, None, None, run.mark != "verified") for run, one in shares[:MOST_DOTS]],
            [("every weighting", 100.0)],
            0,
        ),
        rows=_rows(shares, [run for run in entries if run.id in found.left_out], found.left_out)[:MOST_ROWS],
    )


def _rows(
    shares: Sequence[tuple[BoardRun, float]], left_out: Sequence[BoardRun], lacks: Mapping[str, str]
) -> tuple[WeightsRow, ...]:
    return (
        *(WeightsRow(run.name, Page(kind="run", run=run.id), percent(one), "") for run, one in shares[:MOST_ROWS]),
        *(
            WeightsRow(run.name, Page(kind="run", run=run.id), NONE, f"lacks {lacks[run.id]}")
            for run in left_out[:MOST_ROWS]
        ),
    )
