"""Bounds of a group-sequential test: how far out a statistic must be at each look for the errors to stay as promised.

The statistic at information fraction t is that of a Brownian motion: B(t) = Z(t) √t. A bound at each look is found so
that the chance to cross it there first is what a spending function allots (Lan & DeMets 1983), by integrating the
density of the paths that have not crossed (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000, chapter 19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from grue.core.metric import Floats

_NODES = 128  # Gauss-Legendre nodes of an integral: bounds are right to six digits
_FAR = 10.0  # standard deviations beyond which a path is not followed
_HALVINGS = 45
_NEGLIGIBLE = 1e-9  # of the chance looked for


@dataclass(frozen=True, slots=True)
class _Step:
    """The law of B at a look given B at the look before: normal with mean ``slope * b + shift``."""

    slope: float
    shift: float
    sd: float


def obrien_fleming_spent(fraction: float, level: float) -> float:
    """Error spent up to a fraction, O'Brien-Fleming type: 2 - 2 Φ(z of 1 - level/2 over the root of the fraction)."""
    if fraction <= 0:
        return 0.0
    return math.erfc(NormalDist().inv_cdf(1 - level / 2) / math.sqrt(fraction) / math.sqrt(2))


def upper_bounds(fractions: Sequence[float], level: float) -> list[float]:
    """One-sided efficacy bounds for Z with O'Brien-Fleming type spending.

    Args:
        fractions: Information at each look, rising, the last one 1.
        level: One-sided chance to cross any of them where there is no drift.

    Returns:
        Z at each look, at or above which the null is rejected.
    """
    spent = [obrien_fleming_spent(fraction, level) for fraction in fractions]
    steps = [
        _Step(1.0, 0.0, math.sqrt(later - earlier))
        for earlier, later in zip([0.0, *fractions[:-1]], fractions, strict=True)
    ]
    found = _crossed_above(steps, spent)
    return [bound / math.sqrt(fraction) for bound, fraction in zip(found, fractions, strict=True)]


def lower_bounds(fractions: Sequence[float], end: float, miss: float) -> list[float]:
    """Bounds for Z at or below which a path that ends at or above ``end`` comes with a chance of at most ``miss``.

    Given its end, the path is a Brownian bridge, whatever the drift. The chance is spent in proportion to the
    fraction, all of it by the last of these looks.

    Args:
        fractions: Information at each look but the last, rising, all below 1.
        end: Z at fraction 1.
        miss: Chance that such a path crosses any of the bounds.
    """
    steps = []
    for earlier, later in zip([0.0, *fractions][:-1], fractions, strict=True):
        share = (later - earlier) / (1 - earlier)
        # Mirrored, so that crossing is above: a bridge to -end.
        steps.append(_Step(1 - share, -end * share, math.sqrt((later - earlier) * (1 - later) / (1 - earlier))))
    found = _crossed_above(steps, [miss * fraction / fractions[-1] for fraction in fractions])
    return [-bound / math.sqrt(fraction) for bound, fraction in zip(found, fractions, strict=True)]


def _crossed_above(steps: Sequence[_Step], spent: Sequence[float]) -> list[float]:
    """Bounds for B such that paths first above them make up what is spent, look by look."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    points, mass = np.zeros(1), np.ones(1)  # the paths still going: where they are, and how much of them
    bounds: list[float] = []
    before = 0.0
    for step, total in zip(steps, spent, strict=True):
        means = step.slope * points + step.shift
        low, high = float(means.min()) - _FAR * step.sd, float(means.max()) + _FAR * step.sd
        bound = _level_crossed(means, mass, step.sd, total - before, low, high)
        bounds.append(bound)
        before = total
        width = (bound - low) / 2
        points = low + width * (nodes + 1)
        away = (points[:, None] - means) / step.sd
        density = np.exp(-(away**2) / 2) @ mass / (step.sd * math.sqrt(2 * math.pi))
        mass = density * weights * width
    return bounds


def _level_crossed(means: Floats, mass: Floats, sd: float, wanted: float, low: float, high: float) -> float:
    """Where the chance to be above is the wanted one."""
    counts = mass > _NEGLIGIBLE * wanted
    paths = list(zip(mass[counts].tolist(), means[counts].tolist(), strict=True))
    width = sd * math.sqrt(2)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = sum(part * math.erfc((middle - mean) / width) for part, mean in paths) / 2
        low, high = (middle, high) if above > wanted else (low, middle)
    return high
