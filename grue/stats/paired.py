"""Two systems on the same rows, from statistics alone: paired bootstrap, approximate randomisation, effect size.

- ``p_bootstrap`` is the paired bootstrap of SacreBLEU and Moses (Koehn 2004; Post 2018): rows are drawn with
  replacement, the same for both systems, and p = (count + 1) / (resamples + 1), counting resamples whose absolute
  difference, less the mean of all absolute differences, is at least the absolute difference of the systems.
  It is here because papers report it. Its null is not the usual one: the absolute differences are centred by their
  mean, which for clear differences makes p about half of a two-sided one. Decide by the other two.
- ``p_randomization`` is approximate randomisation, two-sided (``grue.stats.randomization``): exact where outputs of a
  row are exchangeable.
- ``p_worse`` is the same, one-sided, against a margin: small where the candidate is worse by more than the margin and
  beyond noise. The gate decides by it.

SacreBLEU counts strictly larger differences; here equal ones count too, so that a run against itself has p = 1 (there
1/(resamples + 1)). Where values do not tie, the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.stats.bootstrap import RESAMPLES, TOO_FEW, Column, bounds, resampled_together
from grue.stats.pairs import Pair, pair_of
from grue.stats.randomization import p_value, trials

NOT_DEFINED = "no difference: the metric is not defined on these rows for one of the runs"
NO_DIRECTION = "no one-sided test: the metric has no direction"
NO_ROW_VALUES = "no effect size: the metric has no value per row"
NO_ROW_DIFFERS = "no effect size: no row differs"
NO_SPREAD = "no effect size: all rows differ by the same amount"


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
    first, second = pair.values() if pair.n else (np.nan, np.nan)
    difference = pair.sign * (second - first) if pair.sign else 0.0 * (second - first)
    if not np.isfinite(difference):
        return PairedResult(None, None, None, None, None, None, None, pair.n, NOT_DEFINED)
    if pair.n < 2:
        return PairedResult(difference, None, None, None, None, None, None, pair.n, TOO_FEW)
    effect, values_first, values_second = _resampled(pair, n_resamples, seed)
    differences = (pair.sign or 1) * (values_second - values_first)
    tried = trials(pair, n_trials=n_resamples, seed=seed)
    rounding = pair.rounding()
    better = 0 if higher_is_better is None else 1 if higher_is_better else -1
    effect_size, effect_ci95, no_effect = effect
    reasons = [reason for reason in (None if better else NO_DIRECTION, no_effect) if reason]
    return PairedResult(
        difference=difference,
        ci95=_signed(pair, bounds(difference, differences)),
        p_bootstrap=_bootstrap_p(difference, differences, rounding),
        p_randomization=tried.two_sided(difference, rounding),
        p_worse=tried.one_sided(-better * difference, margin, better, rounding) if better else None,
        effect_size=effect_size,
        effect_ci95=effect_ci95,
        n=pair.n,
        reason="; ".join(reasons) or None,
    )


_Effect = tuple[float | None, tuple[float, float] | None, str | None]


def _resampled(pair: Pair, n_resamples: int, seed: int) -> tuple[_Effect, Floats, Floats]:
    columns = [Column(pair.first, pair.corpus_value), Column(pair.second, pair.corpus_value)]
    apart = _row_differences(pair)
    if apart is not None:
        columns.append(Column(np.column_stack((apart, apart**2, np.ones_like(apart))), _d_z))
    drawn = resampled_together(columns, n_resamples=n_resamples, seed=seed)
    first, second = drawn[0], drawn[1]
    if first is None or second is None:
        raise ValueError(TOO_FEW)
    return _effect(pair, apart, drawn[2] if apart is not None else None), first, second


def _row_differences(pair: Pair) -> Floats | None:
    """Second minus first where both rows have a value, centred for the squares' precision; 0-padded never."""
    if pair.rows_first is None or pair.rows_second is None:
        return None
    apart = pair.rows_second - pair.rows_first
    known: Floats = apart[np.isfinite(apart)]
    return known if len(known) > 1 else None


def _effect(pair: Pair, apart: Floats | None, drawn: Floats | None) -> _Effect:
    if apart is None:
        return None, None, NO_ROW_VALUES
    if not apart.any():
        return None, None, NO_ROW_DIFFERS
    spread = float(apart.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(apart).max()):
        return None, None, NO_SPREAD
    size = float(apart.mean()) / spread if pair.sign else 0.0
    interval = bounds(size, drawn)
    sign = pair.sign or 1
    return sign * size, _signed(pair, interval if interval is None or sign > 0 else (-interval[1], -interval[0])), None


def _d_z(total: Floats) -> Floats:
    """Sums of differences, squares and counts -> mean over standard deviation; NaN without spread."""
    count = total[..., 2]
    mean = total[..., 0] / count
    variance = (total[..., 1] - count * mean**2) / (count - 1)
    safe = np.where(variance > 1e-12 * total[..., 1] / count, variance, np.nan)
    size: Floats = mean / np.sqrt(safe)
    return size


def _bootstrap_p(difference: float, differences: Floats, rounding: float) -> float | None:
    apart = np.abs(differences[np.isfinite(differences)])
    if not len(apart):
        return None
    return p_value(apart - apart.mean() >= abs(difference) - rounding)


def _signed(pair: Pair, interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """The interval; symmetric where exchanging the systems changes nothing."""
    if interval is None or pair.sign:
        return interval
    reach = max(-interval[0], interval[1])
    return 0.0 - reach, reach
