"""How a run's rows are distributed: histograms of values and lengths, one a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import TaskResult
from leaderboard_site.cards import Card
from leaderboard_site.charts import Histogram, histogram
from leaderboard_site.numbers import count, decimals, number, percent, plural
from leaderboard_site.pages.rows import TaskRows


@dataclass(frozen=True, slots=True)
class Figure:
    """A histogram with its title and how to read it."""

    title: str
    note: str
    label: str
    unit: str
    histogram: Histogram
    is_length: bool


def figures(results: Sequence[TaskResult], rows: Mapping[str, TaskRows], cards: Mapping[str, Card]) -> list[Figure]:
    """Values of the shown metric, then lengths, a histogram a task."""
    scores, lengths = [], []
    for result in results:
        title, found = cards[result.name].title, rows[result.name]
        if found.metric:
            places = decimals(found.metric, found.scale)
            values = [v for row in found.rows if (v := row.scores.get(found.metric)) is not None]
            drawn = histogram(values, max(places, 1), upper=found.scale if found.scale in (1.0, 100.0) else None)
            if drawn:
                middle = sorted(values)[len(values) // 2]
                zeros = sum(value == 0 for value in values)
                note = f"{plural(drawn.n, 'row')}; median {number(middle, places)}; {count(zeros)} at 0."
                label = f"Histogram of per-sample {found.metric}, {title}"
                scores.append(Figure(f"{found.metric}, {title}", note, label, found.metric, drawn, is_length=False))
        tokens = [float(row.generated_tokens) for row in found.rows if row.generated_tokens is not None]
        limit = result.generation.get("max_new_tokens")
        upper = float(limit) if isinstance(limit, int) else None
        drawn = histogram(tokens, 0, upper=upper)
        if drawn:
            cut = f" {percent(result.rates.cut_output)} stopped there." if result.rates.cut_output else ""
            note = f"Limit {count(limit)}.{cut}" if isinstance(limit, int) else plural(drawn.n, "row")
            label = f"Histogram of output tokens, {title}"
            lengths.append(Figure(f"Output tokens, {title}", note, label, "tokens", drawn, is_length=True))
    return scores + lengths
