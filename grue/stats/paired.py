"""Two systems on the same rows, from statistics alone: paired bootstrap, approximate randomisation, effect size.

- ``p_bootstrap`` is SacreBLEU's paired bootstrap (``grue.stats.paired_bootstrap``), for comparison with papers.
- ``p_randomization`` is two-sided approximate randomisation (``grue.stats.randomization``): exact where the outputs of
  a row are exchangeable. Take it to say whether two runs differ, with Holm's correction over tasks.
- ``p_worse`` is the same, one-sided, against a margin: small where the candidate is worse by more than the margin and
  beyond noise. The gate and the bands decide by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.stats.bootstrap import RESAMPLES, TOO_FEW, Column
from grue.stats.effect import effect
from grue.stats.paired_bootstrap import paired_bootstrap
from grue.stats.pairs import pair_of
from grue.stats.randomization import trials

NOT_DEFINED = "no difference: the metric is not defined on these rows for one of the runs"
NO_RESAMPLE = "no interval: no resample has a value"
NO_DIRECTION = "no one-sided test: the metric has no direction"


@dataclass(frozen=True, slots=True)
class PairedResult:
    """How a candidate differs from a baseline.

    Attributes:
        difference: Candidate minus baseline, in the metric's unit; ``None`` where one has no value.
        ci95: Percentile interval of the paired bootstrap; contains the difference.
        p_bootstrap: Two-sided, SacreBLEU's definition.
        p_randomization: Two-sided approximate randomisation.
        p_worse: One-sided: small where the candidate is worse than the baseline by more than the margin.
        effect_size: Cohen's d_z, the mean of the rows' differences over their standard deviation.
        effect_ci95: Its percentile interval; contains it.
        n: Rows compared.
        reason: Why fields are ``None``; ``None`` where all have a value.
    """

    difference: float | None
    ci95: tuple[float, float] | None
    p_bootstrap: float | None
    p_randomization: float | None
    p_worse: float | None
    effect_size: float | None
    effect_ci95: tuple[float, float] | None
    n: int
    reason: str | None


def paired(
    baseline: Column,
    candidate: Column,
    *,
    higher_is_better: bool | None,
    margin: float = 0.0,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
    rows_baseline: Floats | None = None,
    rows_candidate: Floats | None = None,
) -> PairedResult:
    """Compare two systems on the same rows.

    The result does not depend on the order of the rows, and exchanging the systems flips the signs exactly.

    Args:
        baseline: Statistics of the baseline by row; several samples of a row are summed before.
        candidate: Of the candidate, the same rows in the same order, the same metric.
        higher_is_better: Direction of the metric; ``None`` for one without.
        margin: Drop that is allowed, in the metric's unit, at least 0 (``p_worse`` only).
        n_resamples: Resamples of the bootstrap and trials of the randomisation.
        seed: Seed of both.
        rows_baseline: Values per row, shape (rows,), for the effect size; NaN where a row has none.
        rows_candidate: Of the candidate.

    Raises:
        ValueError: where shapes differ or the margin is below 0.
    """
    if not margin >= 0:
        raise ValueError(f"a margin is at least 0, not {margin}")
    pair = pair_of(baseline, candidate, rows_baseline, rows_candidate)
    difference = 0.0 + pair.sign * pair.difference()
    if not np.isfinite(difference):
        return PairedResult(None, None, None, None, None, None, None, pair.n, NOT_DEFINED)
    if pair.n < 2:
        return PairedResult(difference, None, None, None, None, None, None, pair.n, TOO_FEW)
    boot = paired_bootstrap(pair, n_resamples=n_resamples, seed=seed)
    tried = trials(pair, n_trials=n_resamples, seed=seed)
    size = effect(pair, n_resamples=n_resamples, seed=seed)
    rounding = pair.rounding()
    p_worse = None
    if higher_is_better is not None:
        p_worse = tried.one_sided(difference, margin, higher_is_better=higher_is_better, rounding=rounding)
    reasons = (
        NO_RESAMPLE if boot.ci95 is None else None,
        NO_DIRECTION if higher_is_better is None else None,
        size.reason,
    )
    return PairedResult(
        difference=difference,
        ci95=boot.ci95,
        p_bootstrap=boot.p,
        p_randomization=tried.two_sided(difference, rounding),
        p_worse=p_worse,
        effect_size=size.size,
        effect_ci95=size.ci95,
        n=pair.n,
        reason="; ".join(reason for reason in reasons if reason) or None,
    )
