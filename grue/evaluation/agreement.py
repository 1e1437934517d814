"""Rank correlations of row values: with length, and of rewards and metrics with each other.

Spearman's rho, ties at their average rank. Intervals by Fisher's transformation with the variance of Bonett and
Wright (2000), (1 + rho²/2) / (n − 3), which is right for ranks. A threshold is compared with the bound that is
nearer to zero, so that few rows raise no alarm by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.runs.validity import FINE, NOTICE, WARNING, Agreement, Correlation, LengthBias, Share

LEAST_ROWS = 10
LENGTH_NOTICE, LENGTH_WARNING = 0.35, 0.6
AGAINST_NOTICE, AGAINST_WARNING = -0.1, -0.3
FIFTH = 0.2
SINGLE_NOTICE, SINGLE_WARNING = 0.03, 0.1
HIGH_REWARD = 0.9
MOST_EXAMPLES = 10
_Z = 1.959963984540054

# Metrics of one family count the same things; only those of others are independent of it.
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "bleu": ("sacrebleu", "bleu"),
    "rouge": ("rouge",),
    "chrf": ("chrf",),
    "meteor": ("meteor",),
    "cider": ("cider",),
    "coverage": ("coverage",),
    "parent": ("parent",),
    "squad": ("exact_match", "f1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric or reward with a value a generation.

    Attributes:
        name: Of the metric, or ``reward NAME``.
        values: Shape (n,), turned so that higher is better; NaN where not defined.
        families: What it counts.
    """

    name: str
    values: Floats
    families: frozenset[str]

    def is_independent(self, other: Measured) -> bool:
        """Whether the two count different things."""
        return not self.families & other.families


def family_of(metric: str) -> str:
    """The family of a metric; one that has no relatives is its own."""
    return next((family for family, starts in _FAMILIES.items() if metric.startswith(starts)), metric)


def correlation(left: Floats, right: Floats, given: Floats | None = None) -> Correlation:
    """Spearman's rho over the rows where all are defined.

    Args:
        left: Shape (n,).
        right: Shape (n,).
        given: What is held fixed: then the partial correlation of ranks.
    """
    known = np.isfinite(left) & np.isfinite(right)
    if given is not None:
        known &= np.isfinite(given)
    n = int(known.sum())
    if n < LEAST_ROWS:
        return Correlation(rho=None, ci95=None, n=n)
    ranked = [_ranks(side[known]) for side in (left, right, *(() if given is None else (given,)))]
    rho = _pearson(ranked[0], ranked[1])
    fixed = 0
    if rho is not None and given is not None:
        to_left, to_right = _pearson(ranked[0], ranked[2]), _pearson(ranked[1], ranked[2])
        if to_left is not None and to_right is not None:
            rest = (1 - to_left**2) * (1 - to_right**2)
            rho, fixed = ((rho - to_left * to_right) / math.sqrt(rest), 1) if rest > 1e-9 else (None, 1)
    if rho is None:
        return Correlation(rho=None, ci95=None, n=n)
    rho = min(1.0, max(-1.0, rho))
    centre = math.atanh(min(0.999999, max(-0.999999, rho)))
    side = _Z * math.sqrt((1 + rho**2 / 2) / (n - fixed - 3))
    low, high = math.tanh(centre - side), math.tanh(centre + side)
    return Correlation(rho=rho, ci95=(min(low, rho), max(high, rho)), n=n)


def length_bias(measured: Measured, lengths: Floats, reference_lengths: Floats | None) -> LengthBias:
    """How row values go with length; judged with the references' length held fixed where rows have references.

    Args:
        measured: The metric.
        lengths: Words of each prediction, shape (n,).
        reference_lengths: Mean words of each row's references, NaN where it has none; ``None`` where no row has.
    """
    plain = correlation(measured.values, lengths)
    given = None if reference_lengths is None else correlation(measured.values, lengths, reference_lengths)
    judged = plain if given is None else given
    strength = _surely(judged)
    severity = WARNING if strength >= LENGTH_WARNING else NOTICE if strength >= LENGTH_NOTICE else FINE
    return LengthBias(with_length=plain, given_references=given, severity=severity)


def agreement(subject: Measured, others: Sequence[Measured], high: str = "") -> Agreement | None:
    """Whether independent metrics go with a reward or metric; ``None`` where there is no independent one.

    Args:
        subject: The reward or metric.
        others: All metrics with row values and a direction.
        high: A sentence where the whole value is high while independent ones are not; empty where it is not so.
    """
    found = {other.name: correlation(subject.values, other.values) for other in others if subject.is_independent(other)}
    known = {name: one for name, one in found.items() if one.rho is not None and one.ci95}
    if not found or not (known or high):
        return None
    if high:
        return Agreement(against=found, severity=WARNING, finding=high)

    def below(bound: float) -> list[str]:
        return [name for name, one in known.items() if one.ci95 and one.ci95[1] < bound]

    strong, weak = below(AGAINST_WARNING), below(AGAINST_NOTICE)
    if 2 * len(strong) > len(known):
        return Agreement(against=found, severity=WARNING, finding=_against(subject, strong))
    if 2 * len(weak) >= len(known) and weak:
        return Agreement(against=found, severity=NOTICE, finding=_against(subject, weak))
    return Agreement(against=found, severity=FINE)


def single_metric(subject: Measured, others: Sequence[Measured], ids: Sequence[str]) -> Share | None:
    """Rows among the best fifth by one metric and the worst fifth by every independent one.

    Args:
        subject: The metric.
        others: All metrics with row values and a direction; two or more families must be independent of it.
        ids: Row of each value.
    """
    independent = [other for other in others if subject.is_independent(other)]
    if len({family for other in independent for family in other.families}) < 2:
        return None
    best = _places(subject.values) >= 1 - FIFTH
    worst = np.ones(len(ids), dtype=bool)
    for other in independent:
        places = _places(other.values)
        if not np.isnan(places).all():
            worst &= places <= FIFTH
    known = int(np.isfinite(subject.values).sum())
    if known < LEAST_ROWS:
        return None
    found = np.flatnonzero(best & worst).tolist()
    share = len(found) / known
    severity = WARNING if share >= SINGLE_WARNING else NOTICE if share >= SINGLE_NOTICE and len(found) > 2 else FINE
    names = ", ".join(other.name for other in independent)
    return Share(
        count=len(found),
        share=share,
        severity=severity,
        meaning=f"among the best fifth by {subject.name}, the worst fifth by {names}",
        examples=tuple(dict.fromkeys(ids[place] for place in found))[:MOST_EXAMPLES],
    )


def _against(subject: Measured, names: Sequence[str]) -> str:
    return f"{subject.name} goes against {', '.join(names)}: rows it rates higher are rated lower by them"


def _surely(one: Correlation) -> float:
    """The bound of an interval that is nearer to zero, without its sign; 0 where the interval holds zero."""
    if one.ci95 is None or one.ci95[0] <= 0 <= one.ci95[1]:
        return 0.0
    return min(abs(one.ci95[0]), abs(one.ci95[1]))


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    average = np.cumsum(counts) - (counts - 1) / 2
    ranks: Floats = average[inverse]
    return ranks


def _places(values: Floats) -> Floats:
    """Average rank as a share, 0 to 1; ties in the middle of their places, NaN where not defined."""
    places = np.full(len(values), np.nan)
    known = np.isfinite(values)
    if known.any():
        places[known] = (_ranks(values[known]) - 0.5) / known.sum()
    return places


def _pearson(left: Floats, right: Floats) -> float | None:
    left, right = left - left.mean(), right - right.mean()
    scale = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / scale if scale > 0 else None
