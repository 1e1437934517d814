"""All metrics of one task in two runs: values, paired tests, wins and losses, power."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grue.comparison.aligned import Aligned, aligned
from grue.comparison.columns import MetricRows, all_metric_rows, reason_of, result_entries
from grue.comparison.values import MetricComparison, RowCounts, Verdict
from grue.core.metric import Floats, MetricValue
from grue.core.text import finite_or_none
from grue.runs.read import StoredRun
from grue.stats.bootstrap import interval
from grue.stats.paired import paired
from grue.stats.power import paired_power

OTHER_FREQUENCIES = "its document frequencies or idf weights are those of all rows of each run, which differ"
OTHER_SIGNATURE = "its signature differs"
OTHER_SAMPLES = "the runs drew other numbers of samples a row, so that their sums of statistics cannot be exchanged"
NO_COMMON_VALUES = "no row has a value in both runs"
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Asked:
    """What a comparison computes.

    Attributes:
        metrics: Metrics and rewards wanted; all where ``None``.
        n_resamples: Resamples of the bootstrap and trials of the randomisation.
        seed: Seed of both.
        power: Whether rows needed are computed.
    """

    metrics: tuple[str, ...] | None
    n_resamples: int
    seed: int
    power: bool


def tested(
    baseline: StoredRun, candidate: StoredRun, task: str, rows: Collection[str] | None, asked: Asked
) -> tuple[list[MetricComparison], dict[str, Aligned]]:
    """Compare every metric that either run has.

    Args:
        baseline: The first run.
        candidate: The other.
        task: A task of both with equal keys.
        rows: Rows to compare; all where ``None``.
        asked: What to compute.

    Returns:
        Metrics in the order of the baseline, without Holm's correction; and the rows of those that have any.
    """
    ours, theirs = result_entries(baseline, task), result_entries(candidate, task)
    names = [name for name in dict.fromkeys((*ours, *theirs)) if asked.metrics is None or name in asked.metrics]
    left, right = all_metric_rows(baseline, task, names), all_metric_rows(candidate, task, names)
    if rows is not None:
        left = {name: found.only(rows) for name, found in left.items()}
        right = {name: found.only(rows) for name, found in right.items()}
    compared, by_row = [], {}
    primary = set(baseline.manifest_value().tasks[task].primary)
    for name in names:
        one = _One(baseline, candidate, task, name, rows is not None, name in primary, asked)
        metric, found = one.compared(ours.get(name), theirs.get(name), left.get(name), right.get(name))
        compared.append(metric)
        if found is not None:
            by_row[name] = found
    return compared, by_row


@dataclass(frozen=True, slots=True)
class _One:
    baseline: StoredRun
    candidate: StoredRun
    task: str
    name: str
    is_subset: bool
    is_primary: bool
    asked: Asked

    def compared(
        self,
        ours: Mapping[str, Any] | None,
        theirs: Mapping[str, Any] | None,
        left: MetricRows | None,
        right: MetricRows | None,
    ) -> tuple[MetricComparison, Aligned | None]:
        signatures = [str(entry["signature"]) for entry in (ours, theirs) if entry and entry.get("signature")]
        why = self._why_untested(ours, theirs, left, right)
        found = aligned(left, right) if why is None and left is not None and right is not None else None
        if why is None and found is None:
            why = NO_COMMON_VALUES
        known = ours or theirs or {}
        values = self._value(ours, left, why), self._value(theirs, right, why)
        if found is None or why is not None:
            return self._untested(known, signatures, values, why), None
        return self._tested(known, signatures, values, found, left.note if left else ""), found

    def _why_untested(
        self,
        ours: Mapping[str, Any] | None,
        theirs: Mapping[str, Any] | None,
        left: MetricRows | None,
        right: MetricRows | None,
    ) -> str | None:
        for entry, run, rows in ((ours, self.baseline, left), (theirs, self.candidate, right)):
            if entry is None:
                return f"{run.manifest['model']['name']} was not scored by it"
            if entry.get("value") is None or rows is None:
                return reason_of(run, self.task, self.name)
        if left is not None and right is not None and left.signature != right.signature:
            return OTHER_SIGNATURE
        if left is not None and left.sums_samples and self._samples(self.baseline) != self._samples(self.candidate):
            return OTHER_SAMPLES
        if self.is_subset and left is not None and ("df:corpus" in left.signature or "idf:yes" in left.signature):
            return OTHER_FREQUENCIES
        return None

    def _samples(self, run: StoredRun) -> int:
        return int(run.manifest["tasks"][self.task].get("samples", 1))

    def _value(self, entry: Mapping[str, Any] | None, rows: MetricRows | None, why: str | None) -> MetricValue:
        """The run's own value; of the rows compared where these are not all."""
        if entry is None:
            return MetricValue.absent(why or "")
        shown = (entry.get("scale"), entry.get("higher_is_better"), entry.get("signature"))
        if not self.is_subset:
            low_high = entry.get("ci95")
            ci95 = (float(low_high[0]), float(low_high[1])) if low_high else None
            return MetricValue(entry.get("value"), ci95, int(entry.get("n", 0)), *shown, reason=entry.get("reason"))
        if rows is None or why == OTHER_FREQUENCIES:
            return MetricValue(None, None, 0, *shown, reason=why or "its value is that of all rows of the run")
        column = rows.column
        value = finite_or_none(column.value()) if len(rows.ids) else None
        ci95 = interval(
            column.statistics, column.corpus_value, n_resamples=self.asked.n_resamples, seed=self.asked.seed
        )
        return MetricValue(value, ci95, len(rows.ids), *shown)

    def _untested(
        self,
        known: Mapping[str, Any],
        signatures: Sequence[str],
        values: tuple[MetricValue, MetricValue],
        why: str | None,
    ) -> MetricComparison:
        left, right = values
        both = left.value is not None and right.value is not None and why != OTHER_SIGNATURE
        return MetricComparison(
            name=self.name,
            is_primary=self.is_primary,
            is_headline=False,
            scale=known.get("scale"),
            higher_is_better=known.get("higher_is_better"),
            signature=signatures[0] if signatures else None,
            baseline=left,
            candidate=right,
            verdict=Verdict.UNTESTED,
            difference=right.value - left.value
            if both and left.value is not None and right.value is not None
            else None,
            reason=why,
        )

    def _tested(
        self,
        known: Mapping[str, Any],
        signatures: Sequence[str],
        values: tuple[MetricValue, MetricValue],
        found: Aligned,
        note: str,
    ) -> MetricComparison:
        result = paired(
            found.baseline,
            found.candidate,
            higher_is_better=known.get("higher_is_better"),
            n_resamples=self.asked.n_resamples,
            seed=self.asked.seed,
            rows_baseline=found.baseline_values,
            rows_candidate=found.candidate_values,
        )
        apart = row_differences(found)
        untested = result.p_randomization is None
        return MetricComparison(
            name=self.name,
            is_primary=self.is_primary,
            is_headline=False,
            scale=known.get("scale"),
            higher_is_better=known.get("higher_is_better"),
            signature=signatures[0],
            baseline=values[0],
            candidate=values[1],
            verdict=Verdict.EQUAL if found.is_equal else Verdict.UNTESTED if untested else Verdict.NONE_SHOWN,
            difference=result.difference,
            ci95=result.ci95,
            p_bootstrap=result.p_bootstrap,
            p_randomization=result.p_randomization,
            effect_size=result.effect_size,
            effect_ci95=result.effect_ci95,
            rows=None if apart is None else _counts(apart, known.get("higher_is_better")),
            row_differences=apart,
            n=result.n,
            power=paired_power(found.baseline, found.candidate) if self.asked.power else None,
            note=note,
            reason=result.reason,
        )


def row_differences(found: Aligned) -> Floats | None:
    """Candidate minus baseline of the rows that have a value in both, in id order; ``None`` without such values."""
    if found.baseline_values is None or found.candidate_values is None:
        return None
    apart = found.candidate_values - found.baseline_values
    known: Floats = apart[np.isfinite(apart)]
    size = max(float(np.abs(found.baseline_values[np.isfinite(apart)]).max(initial=0.0)), 1.0)
    return np.where(np.abs(known) <= _ROUNDING * size, 0.0, known)


def _counts(apart: Floats, higher_is_better: bool | None) -> RowCounts:
    better = -apart if higher_is_better is False else apart
    wins, losses = int(np.count_nonzero(better > 0)), int(np.count_nonzero(better < 0))
    return RowCounts(wins, len(apart) - wins - losses, losses)
