"""A one-sided test that looks at the rows as they come and stops as soon as its answer is certain.

Rows come in an order that has nothing to do with what is in them (the subset order of row ids). At each look the
test of ``paired(...).p_worse`` is made on the rows so far, turned into z = Φ⁻¹(1 - p).

**Fail** where z is at or above a bound of O'Brien-Fleming type whose looks together spend the level (Lan & DeMets
1983): where the candidate is not worse than the margin allows, the chance to fail at any look is at most the level.

**Pass** where a fail on all rows has become improbable. Let the test on all rows fail. Then the chance, over the order
of the rows, that it passed at an earlier look is at most ``miss``, half of it for each of two rules:

- The path of z to its end is a Brownian bridge, whatever the true difference. z at or below the bound of a bridge to
  the least z that fails passes; only once ten rows have changed, as fewer make no normal distribution.
- p of a sign-flip test is at least 2 to the power of minus the number of worse rows, so failing takes a number of
  worse rows. If that many are among all rows, so few of them among the rows so far are improbable (hypergeometric,
  no approximation). This is how unchanged outputs pass, which have no variance.

Passing early only ever takes away fails, so it never adds a false alarm. At the last look everything that does not fail
passes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from grue.stats.bootstrap import RESAMPLES, Column
from grue.stats.boundaries import lower_bounds, upper_bounds
from grue.stats.influence import pseudo_differences
from grue.stats.randomization import p_worse_than

LEVEL = 0.05
MISS = 0.1
LOOKS = 10
FEWEST_ROWS = 8
FEWEST_CHANGED = 10
NOT_DEFINED = "the metric is not defined on these rows"
_FAR = 10.0

Decision = Literal["pass", "fail", "continue"]


@dataclass(frozen=True, slots=True)
class Plan:
    """When to look, and what decides there.

    Attributes:
        rows: Rows at each look, rising; the last is all.
        fail_at: z at or above which the look fails.
        pass_at: z at or below which the look passes; ``None`` at the last look, where what does not fail passes.
        worse_to_fail: Worse rows without which the look cannot fail.
        worse_to_pass: Worse rows up to which the look passes; -1 for none, ``None`` at the last look.
        level: One-sided chance of a false alarm.
        miss: Chance to pass early what fails on all rows.
    """

    rows: tuple[int, ...]
    fail_at: tuple[float, ...]
    pass_at: tuple[float | None, ...]
    worse_to_fail: tuple[int, ...]
    worse_to_pass: tuple[int | None, ...]
    level: float
    miss: float


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found.

    Attributes:
        decision: ``continue`` where it is not certain yet, and where the metric is not defined on these rows, even
            where they are all.
        n: Rows so far.
        z: Of the one-sided test; the higher, the worse the candidate. Between -10 and 10; ``None`` where not defined.
        p: Of the one-sided test.
        drop: How much worse the candidate is, in the metric's unit.
        n_changed: Rows that are not the same for both.
        n_worse: Rows of these on which the candidate is worse.
        why: What decided, in words.
    """

    decision: Decision
    n: int
    z: float | None
    p: float | None
    drop: float | None
    n_changed: int
    n_worse: int
    why: str


def plan(
    n_rows: int,
    *,
    level: float = LEVEL,
    miss: float = MISS,
    n_looks: int = LOOKS,
    margin: float = 0.0,
    largest_drop: float | None = None,
) -> Plan:
    """The looks of a test.

    Args:
        n_rows: All rows.
        level: One-sided chance of a false alarm; divide it by the number of tests where any of them stops a gate.
        miss: Chance to pass early what fails on all rows.
        n_looks: Looks at equal distances; fewer where a look would have fewer than 8 rows.
        margin: Drop allowed, in the metric's unit, at least 0.
        largest_drop: The most that one row can drop where the value is a mean of rows, else ``None``; with a margin it
            says how many rows must get worse.

    Raises:
        ValueError: for fewer than two rows.
    """
    if n_rows < 2:
        raise ValueError("a sequential test needs at least two rows")
    count = max(1, min(n_looks, n_rows // FEWEST_ROWS))
    rows = [math.ceil(n_rows * look / count) for look in range(1, count + 1)]
    fractions = [n / n_rows for n in rows]
    fail_at = upper_bounds(fractions, level)
    worse = [_worse_rows_to_reach(z) for z in fail_at]
    needed = worse[-1]
    if largest_drop is not None and margin > 0:
        needed = max(needed, math.floor(margin * n_rows / largest_drop) + 1)
    return Plan(
        rows=tuple(rows),
        fail_at=tuple(fail_at),
        pass_at=(*lower_bounds(fractions[:-1], fail_at[-1], miss / 2), None),
        worse_to_fail=tuple(worse),
        worse_to_pass=(*_few_enough(rows, needed, miss / 2), None),
        level=level,
        miss=miss,
    )


def look(
    plan: Plan,
    index: int,
    baseline: Column,
    candidate: Column,
    *,
    higher_is_better: bool,
    margin: float = 0.0,
    n_trials: int = RESAMPLES,
    seed: int = 0,
) -> Look:
    """Decide on the rows so far.

    Args:
        plan: Of all looks.
        index: Which look, from 0.
        baseline: Statistics of the baseline, of exactly the first ``plan.rows[index]`` rows in the order of the test.
        candidate: Of the candidate, the same rows.
        higher_is_better: Direction of the metric.
        margin: Drop allowed, in the metric's unit; the one given to ``plan``.
        n_trials: Trials of the randomisation.
        seed: Seed of the trials.

    Raises:
        ValueError: where there are other rows than the plan says.
    """
    n_rows = len(candidate.statistics)
    if n_rows != plan.rows[index]:
        raise ValueError(f"look {index} is planned for {plan.rows[index]} rows, not {n_rows}")
    better = 1 if higher_is_better else -1
    (p_worse,) = p_worse_than(
        baseline, [candidate], higher_is_better=higher_is_better, margin=margin, n_trials=n_trials, seed=seed
    )
    apart = pseudo_differences(baseline, candidate)
    if p_worse is None or apart is None:
        return Look("continue", n_rows, None, None, None, 0, 0, NOT_DEFINED)
    drops = -better * apart
    changed = (baseline.statistics != candidate.statistics).any(axis=1)
    n_changed, n_worse = int(changed.sum()), int((changed & (drops > 0)).sum())
    p = _sharper(p_worse, drops - margin, n_trials)
    z = _z(p)
    decision, why = _decide(plan, index, z, n_changed, n_worse)
    return Look(decision, n_rows, z, p, better * (baseline.value() - candidate.value()), n_changed, n_worse, why)


def _decide(plan: Plan, index: int, z: float, n_changed: int, n_worse: int) -> tuple[Decision, str]:
    if z >= plan.fail_at[index] and n_worse >= plan.worse_to_fail[index]:
        return "fail", f"z {z:.2f} is at or above {plan.fail_at[index]:.2f}"
    few, low = plan.worse_to_pass[index], plan.pass_at[index]
    if few is None or low is None:
        return "pass", f"z {z:.2f} is below {plan.fail_at[index]:.2f} on all rows"
    if n_worse <= few:
        return "pass", f"{n_worse} rows are worse, at most {few} here make a fail on all rows improbable"
    if n_changed >= FEWEST_CHANGED and z <= low:
        return "pass", f"z {z:.2f} is at or below {low:.2f}: a fail on all rows is improbable"
    return "continue", f"z {z:.2f} is between the bounds"


def _sharper(p: float, drops: np.ndarray[tuple[int], np.dtype[np.float64]], n_trials: int) -> float:
    """p, or where no trial was as extreme, that of the normal distribution if it is smaller."""
    if p > 1.5 / (n_trials + 1):
        return p
    size = math.sqrt(float((drops**2).sum()))
    return min(p, math.erfc(float(drops.sum()) / size / math.sqrt(2)) / 2) if size else p


def _z(p: float) -> float:
    if p >= 1:
        return -_FAR
    if p <= 1e-20:
        return _FAR
    return max(-_FAR, min(_FAR, -NormalDist().inv_cdf(p)))


def _worse_rows_to_reach(z: float) -> int:
    """The least number of worse rows with which a sign-flip test can have a p as small as z says."""
    p = math.erfc(z / math.sqrt(2)) / 2
    return math.ceil(-math.log2(p) - 1e-9)


def _few_enough(rows: Sequence[int], needed: int, miss: float) -> list[int]:
    """Worse rows up to which a look but the last passes; where there are ``needed``, any does at most with ``miss``."""
    total = rows[-1]
    if needed > total:
        return list(rows[:-1])
    going = {0: 1.0}  # worse rows met -> chance, not passed yet
    seen, spent = 0, 0.0
    few: list[int] = []
    for n in rows[:-1]:
        going = _drawn(going, n - seen, total - seen, needed)
        seen = n
        allowed = -1
        while (chance := going.get(allowed + 1, 0.0)) + spent <= miss and allowed + 1 < needed:
            allowed += 1
            spent += chance
            going.pop(allowed, None)
        few.append(allowed)
    return few


def _drawn(going: dict[int, float], drawn: int, left: int, needed: int) -> dict[int, float]:
    after: dict[int, float] = {}
    for met, chance in going.items():
        rest = needed - met
        for more in range(max(0, drawn - (left - rest)), min(rest, drawn) + 1):
            ways = math.comb(rest, more) * math.comb(left - rest, drawn - more) / math.comb(left, drawn)
            after[met + more] = after.get(met + more, 0.0) + chance * ways
    return after
