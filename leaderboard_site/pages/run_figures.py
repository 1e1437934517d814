"""How a run's rows are distributed: histograms of values and lengths, and a table of lengths, one line a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grue.comparison.standings_runs import TaskResult
from grue.core.metric import Floats
from leaderboard_site.cards import Card
from leaderboard_site.charts import Histogram, histogram
from leaderboard_site.numbers import NONE, count, decimals, number, percent, plural
from leaderboard_site.pages.rows import RowNumbers


@dataclass(frozen=True, slots=True)
class Figure:
    """A histogram with its title and how to read it."""

    title: str
    note: str
    label: str
    unit: str
    histogram: Histogram
    is_length: bool


@dataclass(frozen=True, slots=True)
class LengthRow:
    """How long a task's outputs are.

    Attributes:
        tokens: Median, range of the middle 90 % and longest, in tokens; en dashes where no model of ours counted.
        words: Mean of the outputs and of the first references.
        limit: New tokens allowed.
    """

    title: str
    rows: str
    mean_tokens: str
    median_tokens: str
    middle: str
    longest: str
    limit: str
    cut: str
    empty: str
    words: str
    reference_words: str
    ratio: str


def figures(
    results: Sequence[TaskResult], numbers: Mapping[str, RowNumbers], cards: Mapping[str, Card]
) -> list[Figure]:
    """Values of the shown metric, then lengths, a histogram a task."""
    scores = [_scores(cards[result.name].title, numbers[result.name]) for result in results]
    lengths = [_lengths(cards[result.name].title, result, numbers[result.name]) for result in results]
    return [figure for figure in (*scores, *lengths) if figure is not None]


def length_rows(
    results: Sequence[TaskResult], numbers: Mapping[str, RowNumbers], cards: Mapping[str, Card]
) -> tuple[LengthRow, ...]:
    """A line for each task whose outputs are there."""
    return tuple(
        _length_row(cards[result.name].title, result, numbers[result.name])
        for result in results
        if len(numbers[result.name].words)
    )


def _scores(title: str, found: RowNumbers) -> Figure | None:
    if not found.metric:
        return None
    places = decimals(found.metric, found.scale)
    values = found.values.tolist()
    drawn = histogram(values, max(places, 1), upper=found.scale if found.scale in (1.0, 100.0) else None)
    if drawn is None:
        return None
    zeros = int(np.count_nonzero(found.values == 0))
    note = f"{plural(drawn.n, 'row')}; median {number(_median(found.values), places)}; {count(zeros)} at 0."
    label = f"Histogram of per-sample {found.metric}, {title}"
    return Figure(f"{found.metric}, {title}", note, label, found.metric, drawn, is_length=False)


def _lengths(title: str, result: TaskResult, found: RowNumbers) -> Figure | None:
    """Tokens where they were counted, else words."""
    limit = result.generation.get("max_new_tokens")
    has_limit = isinstance(limit, int) and len(found.tokens) > 0
    unit, values = ("tokens", found.tokens) if len(found.tokens) else ("words", found.words)
    drawn = histogram(values.tolist(), 0, upper=float(str(limit)) if has_limit else None)
    if drawn is None:
        return None
    cut = f" {percent(result.rates.cut_output)} stopped there." if result.rates.cut_output else ""
    note = f"Limit {limit}.{cut}" if has_limit else f"{plural(drawn.n, 'row')}; median {count(int(_median(values)))}."
    label = f"Histogram of output {unit}, {title}"
    return Figure(f"Output {unit}, {title}", note, label, unit, drawn, is_length=True)


def _length_row(title: str, result: TaskResult, found: RowNumbers) -> LengthRow:
    tokens, limit = found.tokens, result.generation.get("max_new_tokens")
    has_tokens = len(tokens) > 0
    low, high = (round(float(value)) for value in np.percentile(tokens, [5, 95])) if has_tokens else (0, 0)
    words = float(found.words.mean())
    references = float(found.reference_words.mean()) if len(found.reference_words) else None
    return LengthRow(
        title=title,
        rows=count(len(found.words)),
        mean_tokens=number(float(tokens.mean()), 1) if has_tokens else NONE,
        median_tokens=count(int(_median(tokens))) if has_tokens else NONE,
        middle=f"{count(low)} to {count(high)}" if has_tokens else NONE,
        longest=count(int(tokens.max())) if has_tokens else NONE,
        limit=count(limit) if isinstance(limit, int) else NONE,
        cut=percent(result.rates.cut_output),
        empty=percent(result.rates.empty),
        words=number(words, 1),
        reference_words=number(references, 1),
        ratio=number(words / references, 2) if references else NONE,
    )


def _median(values: Floats) -> float:
    """The value in the middle; of an even number the higher of both."""
    return float(np.sort(values)[len(values) // 2])
