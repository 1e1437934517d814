"""The rows of one task of one run, to browse: in id order, worst first, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import BoardRun, TaskResult
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, decimals, number, plural
from leaderboard_site.pages.explained import Why, why
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.rows import SampleRow, TaskRows

ROWS_A_PAGE = 50
MOST_SORTED = 500  # rows of the worst and best orders; the id order has all
LONG_PROMPT = 600  # letters above which a prompt folds
FOLD_AT = 350
REWARD_PLACES = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """One generation as text. ``rest`` is the folded part of a long prompt."""

    anchor: str
    id: str
    number: str
    prompt: str | None
    rest: str
    rest_letters: str
    references: tuple[str, ...]
    prediction: str
    scores: tuple[tuple[str, str], ...]
    rewards: tuple[tuple[str, str], ...]
    why: Why | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesView:
    """Page value of ``samples.html``. Without ``shows_texts`` prompts and references are left out."""

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
    """All pages of samples of one task of one run.

    Args:
        run: The run.
        result: Its task.
        rows: The task's generations, in id order.
        card: The task's card.
        tabs: Links to the samples of the run's other tasks.
    """
    hidden = may_show_texts(card, result)
    samples = {
        id(row): _sample(row, place, rows, result, shows_texts=not hidden)
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
    lead = _lead(result, rows)
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
                    range_label=f"Rows {count(first + 1)} to {count(first + len(shown))} of {of}"
                    if shown
                    else "No rows",
                    previous=_page(base, sort, index - 1) if index > 1 else None,
                    next=_page(base, sort, index + 1) if index < n_pages else None,
                )
            )
    return views


def _page(base: Page, sort: str, index: int) -> Page:
    return Page(kind="samples", run=base.run, task=base.task, sort=sort, number=index)


def _sample(row: SampleRow, place: int, rows: TaskRows, result: TaskResult, *, shows_texts: bool) -> Sample:
    names = [rows.metric] if rows.metric else []
    names += [name for name in row.scores if name != rows.metric]
    scores = []
    for name in names:
        value = row.scores.get(name)
        score = result.scores.get(name)
        if value is not None:
            scores.append((name, number(value, decimals(name, score.scale if score else None))))
    if row.generated_tokens is not None:
        scores.append(("tokens", count(row.generated_tokens)))
    if row.finish_reason:
        scores.append(("finish", {"length": "length (cut)"}.get(row.finish_reason, row.finish_reason)))
    if row.prompt_cut:
        scores.append(("prompt", "cut"))
    rewards = tuple((name, number(value, REWARD_PLACES)) for name, value in row.rewards.items() if value is not None)
    prompt, rest = (row.prompt, "") if shows_texts else (None, "")
    if prompt and len(prompt) > LONG_PROMPT:
        prompt, rest = prompt[:FOLD_AT], prompt[FOLD_AT:]
    draw = f", sample {row.sample + 1}" if result.samples > 1 else ""
    return Sample(
        anchor=f"row-{place}",
        id=row.id,
        number=f"{count(place)} of {count(len(rows.rows))}{draw}",
        prompt=prompt,
        rest=rest,
        rest_letters=count(len(rest)),
        references=row.references if shows_texts else (),
        prediction=row.prediction,
        scores=tuple(scores),
        rewards=rewards,
        # What is missing from a prediction stands in its references.
        why=why(row, result) if shows_texts else None,
    )


def _lead(result: TaskResult, rows: TaskRows) -> str:
    n = len(rows.rows)
    if not n:
        return "The samples of this task are not published."
    parts = [plural(n, "row" if result.samples == 1 else "generation")]
    score = result.scores.get(rows.metric or "")
    if rows.metric and score and score.value is not None:
        parts[0] += f", {rows.metric} {number(score.value, decimals(rows.metric, score.scale))} over all"
    empty = sum(not row.prediction.strip() for row in rows.rows)
    cut = sum(row.finish_reason == "length" for row in rows.rows)
    odd = []
    if empty:
        odd.append(f"{count(empty)} {'prediction is' if empty == 1 else 'predictions are'} empty")
    if cut:
        odd.append(f"{count(cut)} stopped at the token limit")
    parts.append(", ".join(odd).capitalize() if odd else "No prediction is empty or cut")
    return ". ".join(parts) + "."
