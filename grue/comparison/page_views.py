"""What the template of a comparison's report shows: every number written, nothing left to compute."""

from __future__ import annotations

from dataclasses import dataclass

from grue.comparison.charts import Forest, Histogram, Whisker
from grue.comparison.cost import CostLine
from grue.comparison.values import Setting, Skipped
from grue.comparison.word_diff import Piece


@dataclass(frozen=True, slots=True)
class PowerView:
    """What the rows can show."""

    n_rows: str
    rows_needed: str
    smallest: str
    reason: str


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric, every number written."""

    task: str
    name: str
    baseline: str
    baseline_interval: str
    candidate: str
    candidate_interval: str
    difference: str
    interval: str
    p_holm: str
    p_randomization: str
    p_bootstrap: str
    effect: str
    effect_interval: str
    rows: str
    n: str
    verdict: str
    verdict_class: str
    power: PowerView | None
    note: str
    is_primary: bool
    is_headline: bool
    whisker: Whisker | None = None


@dataclass(frozen=True, slots=True)
class TextView:
    """One text of a row; words that the other run's text lacks are marked."""

    pieces: list[Piece]
    is_empty: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """A row that moved."""

    id: str
    difference: str
    is_better: bool | None
    baseline: str
    candidate: str
    prompt: str
    references: tuple[str, ...]
    baseline_texts: list[TextView]
    candidate_texts: list[TextView]


@dataclass(frozen=True, slots=True)
class MovedView:
    """Rows of one direction."""

    heading: str
    rows: list[RowView]


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task."""

    name: str
    anchor: str
    facts: list[tuple[str, str]]
    metrics: list[MetricView]
    moved_by: str
    moved: list[MovedView]
    histogram: Histogram | None
    histogram_metric: str
    costs: list[CostLine]


@dataclass(frozen=True, slots=True)
class PairView:
    """A candidate against the baseline."""

    anchor: str
    title: str
    lead: str
    score: str
    baseline: str
    candidate: str
    is_equal: bool
    facts: list[tuple[str, str, str]]
    headlines: list[MetricView]
    forest: Forest | None
    tasks: list[TaskView]
    differing: tuple[Setting, ...]
    skipped: tuple[Skipped, ...]
    subset: bool
    n_rows: str
    with_power: bool


@dataclass(frozen=True, slots=True)
class PageView:
    """The whole report."""

    title: str
    method: str
    resamples: str
    seed: int
    pairs: list[PairView]
    version: str
    style: str
    style_hash: str
