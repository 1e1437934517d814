"""The rows of one task of one run, to browse: in id order, worst first, best first; a server filters them too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import BoardRun, TaskResult
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import count
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.rows import SampleRow, TaskRows
from leaderboard_site.pages.sample_texts import Sample, Scales, sample_of, samples_lead
from leaderboard_site.pages.samples_form import SamplesForm

ROWS_A_PAGE = 50
MOST_SORTED = 500  # rows of the worst and best orders of the static board; the id order has all


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesView:
    """Page value of ``samples.html``. Without ``shows_texts`` prompts and references are left out.

    Attributes:
        orders: Links to orders, and to what is odd.
        hidden_reason: Why texts, or all rows, are not shown.
        form: Filters, which only a server has.
        matches: How many rows the filters found; empty where nothing is filtered.
        other: Name of the run that words are compared with.
        first: First page, from the third on; likewise ``last``.
    """

    frame: Frame
    run_name: str
    run_page: Page
    title: str
    lead: str
    tabs: tuple[Tab, ...]
    orders: tuple[Tab, ...]
    shows_texts: bool
    hidden_reason: str
    language: str
    samples: tuple[Sample, ...]
    range_label: str
    previous: Page | None
    next: Page | None
    form: SamplesForm | None = None
    matches: str = ""
    other: str = ""
    first: Page | None = None
    last: Page | None = None


def may_show_texts(card: Card, result: TaskResult) -> str:
    """Why prompts and references of a task must stay hidden; empty where they may be shown."""
    if result.data.source == "mini" or card.shows_texts:
        return ""
    if not card.is_installed:
        return (
            "Prompts and references are not shown: the plugin of this task is not installed here, "
            "so whether its data may be shown is not known."
        )
    licence = f" Licence of the data: {card.licence.rstrip('.')}." if card.licence else ""
    return f"Prompts and references are not shown: the task's card does not let them be.{licence}"


def samples_views(
    run: BoardRun, result: TaskResult, rows: TaskRows, card: Card, tabs: Sequence[Tab]
) -> list[SamplesView]:
    """All pages of samples of one task of one run, as the static board has them.

    Args:
        run: The run.
        result: Its task.
        rows: The task's generations, in id order.
        card: The task's card.
        tabs: Links to the samples of the run's other tasks.
    """
    hidden = may_show_texts(card, result)
    scales = Scales.of(result, rows.metric)
    samples = {
        id(row): sample_of(row, place, len(rows.rows), result, scales, shows_texts=not hidden)
        for place, row in enumerate(rows.rows, start=1)
    }
    orders: list[tuple[str, str, Sequence[SampleRow]]] = [("", "By id", rows.rows)]
    if rows.metric:
        metric = rows.metric
        known = [row for row in rows.rows if row.scores.get(metric) is not None]
        best = sorted(known, key=lambda row: row.scores[metric] or 0.0, reverse=rows.higher_is_better)
        worst = sorted(known, key=lambda row: row.scores[metric] or 0.0, reverse=not rows.higher_is_better)
        orders += [("worst", f"Worst {metric}", worst[:MOST_SORTED]), ("best", f"Best {metric}", best[:MOST_SORTED])]
    base = Page(kind="samples", run=run.id, task=result.name)
    json = Page(kind="json", name=f"runs/{run.id}/samples/{result.name}")
    n_empty = sum(not row.prediction.strip() for row in rows.rows)
    n_cut = sum(row.finish_reason == "length" for row in rows.rows)
    lead = samples_lead(result, rows.metric, len(rows.rows), n_empty, n_cut)
    views = []
    for sort, label, ordered in orders:
        n_pages = max(1, -(-len(ordered) // ROWS_A_PAGE))
        for index in range(1, n_pages + 1):
            first = (index - 1) * ROWS_A_PAGE
            shown = ordered[first : first + ROWS_A_PAGE]
            of = (
                f"{count(len(ordered))}"
                if len(ordered) == len(rows.rows)
                else f"the first {count(len(ordered))} in this order"
            )
            title = f"{card.title} samples of {run.name}"
            if sort or index > 1:
                title = f"{title}, {label.lower()}, page {index}"
            views.append(
                SamplesView(
                    frame=Frame(_page(base, sort, index), title, "board", None if hidden else json),
                    run_name=run.name,
                    run_page=Page(kind="run", run=run.id),
                    title=f"{card.title} samples",
                    lead=lead,
                    tabs=tuple(tabs),
                    orders=tuple(Tab(text, _page(base, key, 1), key == sort) for key, text, _ in orders),
                    shows_texts=not hidden,
                    hidden_reason=hidden,
                    language=card.language,
                    samples=tuple(samples[id(row)] for row in shown),
                    range_label=range_label(first, len(shown), of),
                    previous=_page(base, sort, index - 1) if index > 1 else None,
                    next=_page(base, sort, index + 1) if index < n_pages else None,
                )
            )
    return views


def range_label(first: int, n_shown: int, of: str) -> str:
    """``Rows 51 to 100 of 993``."""
    return f"Rows {count(first + 1)} to {count(first + n_shown)} of {of}" if n_shown else "No rows"


def _page(base: Page, sort: str, index: int) -> Page:
    return Page(kind="samples", run=base.run, task=base.task, sort=sort, number=index)
