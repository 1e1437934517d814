"""Why a row got its values: what was stored at scoring, short enough for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import TaskResult
from grue.core.metric import Explanation, Part
from grue.runs.explanations import Piece, pieces
from leaderboard_site.numbers import count, decimals, number
from leaderboard_site.pages.rows import SampleRow

MOST_METRICS = 8
MOST_THINGS = 24


@dataclass(frozen=True, slots=True)
class PartRow:
    """One kind of thing that a metric compares."""

    kind: str
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricWhy:
    """Why one metric gave its value; ``reference`` names the one that counted, from 1."""

    metric: str
    value: str
    summary: str
    reference: str
    parts: tuple[PartRow, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The explanations of a row.

    Attributes:
        marked_by: The metric whose matches are marked in the prediction.
        marked: The prediction in pieces; empty where nothing matched.
    """

    marked_by: str
    marked: tuple[Piece, ...]
    metrics: tuple[MetricWhy, ...]


def why(row: SampleRow, result: TaskResult) -> Why | None:
    """What was stored for a row, the primary metrics first; ``None`` where nothing was."""
    if not row.explanations:
        return None
    names = [name for name in result.primary if name in row.explanations]
    names += [name for name in (*result.scores, *row.explanations) if name in row.explanations]
    marking = next((name for name in names if any(part.matched for part in row.explanations[name].parts)), "")
    names = _telling(list(dict.fromkeys(names)), row)
    return Why(
        marked_by=marking,
        marked=pieces(row.prediction, row.explanations[marking]) if marking else (),
        metrics=tuple(_metric(name, row.explanations[name], row, result) for name in names[:MOST_METRICS]),
    )


def _telling(names: Sequence[str], row: SampleRow) -> list[str]:
    """Those that have a value, and of metrics that compare the same things the first."""
    seen: list[tuple[Part, ...]] = []
    found = []
    for name in names:
        one = row.explanations[name]
        if one.value is None or (one.parts and one.parts in seen):
            continue
        seen.append(one.parts)
        found.append(name)
    return found


def _metric(name: str, one: Explanation, row: SampleRow, result: TaskResult) -> MetricWhy:
    score = result.scores.get(name)
    stored = row.scores.get(name)
    value = one.value if stored is None else stored
    return MetricWhy(
        metric=name,
        value=number(value, decimals(name, score.scale if score else None)),
        summary=one.summary,
        reference=count(one.reference + 1) if one.reference is not None and len(row.references) > 1 else "",
        parts=tuple(
            PartRow(part.kind, _few(part.matched), _few(part.missing), _few(part.extra))
            for part in one.parts
            if part.matched or part.missing or part.extra
        ),
    )


def _few(things: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(things[:MOST_THINGS])
    return (*shown, f"… {count(len(things) - MOST_THINGS)} more") if len(things) > MOST_THINGS else shown
