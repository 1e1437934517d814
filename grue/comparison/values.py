"""A comparison as values: what terminal, reports, JSON and Python read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from grue.comparison.columns import REWARD, ComparisonKey
from grue.core.metric import Floats, MetricValue
from grue.core.run import Cost, Rates, RunScores, ScoreValue
from grue.stats.power import Power

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05


class Verdict(StrEnum):
    """What a test says of one metric of one task."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"
    NONE_SHOWN = "no difference shown"
    EQUAL = "equal"
    UNTESTED = "not tested"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the runs.

    Attributes:
        label: The model's name, made unique among the runs compared.
        status: ``finished`` or ``partial``.
        scores: GRUE score and naturalness as the run stores them.
    """

    label: str
    run_id: str
    name: str
    source: str
    identity: str
    created_at: str
    status: str
    path: Path
    scores: RunScores


@dataclass(frozen=True, slots=True)
class Setting:
    """Something in which two comparable runs differ.

    Attributes:
        task: The task it belongs to; empty for the whole run.
        name: Where it stands in the manifest.
    """

    task: str
    name: str
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows on which the candidate is better, equal and worse; for a metric without direction: higher, equal, lower."""

    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One metric of one task in two runs.

    Attributes:
        name: The metric's name; ``reward:NAME`` for a reward.
        is_primary: Whether it is one of the task's primary metrics.
        is_headline: Whether it decides the task's verdict: the first primary metric that can be tested.
        baseline: Value, interval and rows of the baseline.
        candidate: Of the candidate.
        difference: Candidate minus baseline, in the metric's unit.
        ci95: Interval of the difference; contains it.
        p_bootstrap: Two-sided, paired bootstrap.
        p_randomization: Two-sided, approximate randomisation.
        p_bootstrap_holm: Corrected over the family.
        p_randomization_holm: Corrected over the family; at most 0.05 makes a verdict.
        family: Which tests are corrected together.
        effect_size: Cohen's d_z of the rows' differences.
        effect_ci95: Its interval; contains it.
        rows: Wins, ties and losses; ``None`` where rows have no values.
        row_differences: Candidate minus baseline by row, shape (rows,), those that both have; ``None`` likewise.
        n: Rows tested.
        power: What this many rows can show; ``None`` where not asked for or not tested.
        note: How the metric is resampled.
        reason: Why fields are ``None``.
    """

    name: str
    is_primary: bool
    is_headline: bool
    scale: float | None
    higher_is_better: bool | None
    signature: str | None
    baseline: MetricValue
    candidate: MetricValue
    verdict: Verdict
    difference: float | None = None
    ci95: tuple[float, float] | None = None
    p_bootstrap: float | None = None
    p_randomization: float | None = None
    p_bootstrap_holm: float | None = None
    p_randomization_holm: float | None = None
    family: str = ""
    effect_size: float | None = None
    effect_ci95: tuple[float, float] | None = None
    rows: RowCounts | None = None
    row_differences: Floats | None = None
    n: int = 0
    power: Power | None = None
    note: str = ""
    reason: str | None = None

    @property
    def is_reward(self) -> bool:
        """Whether it is a reward."""
        return self.name.startswith(REWARD)


@dataclass(frozen=True, slots=True)
class MovedRow:
    """A row whose value changed.

    Attributes:
        difference: Candidate minus baseline.
        baseline: The row's value in the baseline, a mean over its samples.
        candidate: In the candidate.
        prompt: The task's prompt.
        references: The row's references.
        baseline_texts: What the baseline wrote, one text a sample.
        candidate_texts: What the candidate wrote.
    """

    id: str
    difference: float
    baseline: float
    candidate: float
    prompt: str
    references: tuple[str, ...]
    baseline_texts: tuple[str, ...]
    candidate_texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """The rows of a task that moved most.

    Attributes:
        metric: By which they moved.
        better: Largest change for the better first; upwards for a metric without direction.
        worse: Largest change for the worse first.
    """

    metric: str
    higher_is_better: bool | None
    better: tuple[MovedRow, ...]
    worse: tuple[MovedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskComparison:
    """One task in two runs.

    Attributes:
        key: What both have in common; its signature is ``None``, as each metric has its own.
        n_baseline: Rows the baseline scored.
        n_candidate: Rows the candidate scored.
        n_common: Rows compared where these are fewer than each run has; else ``None``.
        moved: ``None`` where no metric has values by row.
        yardsticks: Primary metric -> floor and ceiling, where both are known.
    """

    name: str
    key: ComparisonKey
    n_baseline: int
    n_candidate: int
    n_common: int | None
    metrics: tuple[MetricComparison, ...]
    moved: Moved | None
    baseline_cost: Cost
    candidate_cost: Cost
    baseline_rates: Rates
    candidate_rates: Rates
    yardsticks: Mapping[str, tuple[float, float]]

    @property
    def headline(self) -> MetricComparison | None:
        """The metric that decides the task's verdict; ``None`` where none can be tested."""
        return next((metric for metric in self.metrics if metric.is_headline), None)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A task that is not compared, and why."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate against the baseline.

    Attributes:
        differing: In what the runs differ that need not be equal.
        skipped: Tasks that are not compared.
        is_same_run: Whether both are the very same run.
        grue: Difference of the GRUE scores.
    """

    candidate: Side
    tasks: tuple[TaskComparison, ...]
    differing: tuple[Setting, ...]
    skipped: tuple[Skipped, ...]
    is_same_run: bool
    grue: ScoreValue

    def with_verdict(self, verdict: Verdict) -> list[str]:
        """Names of tasks whose headline says so."""
        return [task.name for task in self.tasks if task.headline and task.headline.verdict is verdict]

    @property
    def is_equal(self) -> bool:
        """Whether no metric of any task differs anywhere."""
        return all(
            metric.verdict is Verdict.EQUAL
            or (metric.verdict is Verdict.UNTESTED and metric.baseline.value == metric.candidate.value)
            for task in self.tasks
            for metric in task.metrics
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Candidates against one baseline.

    Attributes:
        pairs: One a candidate, in the order given.
        n_resamples: Resamples of the bootstrap and trials of the randomisation.
        seed: Seed of both.
        common_rows: Whether rows that only one run has were left out.
    """

    baseline: Side
    pairs: tuple[Pair, ...]
    n_resamples: int
    seed: int
    common_rows: bool

    @property
    def is_partial(self) -> bool:
        """Whether one of the runs is partial, so that tasks of it may not be compared."""
        return any(side.status != "finished" for side in (self.baseline, *(pair.candidate for pair in self.pairs)))

    def to_frame(self) -> pd.DataFrame:
        """One row a candidate, task and metric, with the columns of ``grue compare --format csv``."""
        from grue.comparison.tables import long_table
        from grue.exchange.formats import frame

        return frame(long_table(self))
