"""Pass, fail or cannot tell: a drop fails where it is beyond the tolerance and beyond noise, both together.

Beyond the tolerance: the drop as it was measured is more than is allowed. Beyond noise: a one-sided test on paired
rows, with Holm's correction over all tests of the gate, finds that the candidate is worse at all. A drop that is beyond
the tolerance but within noise is "cannot tell"; the answer says which drops these rows can show, and how many rows this
one asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grue.gate.measured import Measured
from grue.gate.report import Check, Outcome
from grue.gate.side import COST
from grue.stats.holm import holm
from grue.stats.influence import pseudo_differences
from grue.stats.power import power

# A drop that asks for more rows than this times those there are is, as far as anyone can tell, none.
_MOST_ROWS = 50
NO_TEST = "no rows to test with"


def decide(measured: Sequence[Measured], *, level: float) -> tuple[Check, ...]:
    """Answer all checks that wait.

    Args:
        measured: All checks of the gate, in order.
        level: Chance of a false alarm over all tests together.
    """
    adjusted = holm([one.check.p if one.is_open else None for one in measured])
    n_tests = sum(p is not None for p in adjusted)
    return tuple(
        _answer(one, p, level, n_tests) if one.is_open else one.check for one, p in zip(measured, adjusted, strict=True)
    )


def _answer(one: Measured, p_adjusted: float | None, level: float, n_tests: int) -> Check:
    check = replace(one.check, p_adjusted=p_adjusted)
    size = describe_drop(check)
    if p_adjusted is None:
        return _untested(check, size)
    check = replace(check, beyond_noise=p_adjusted <= level)
    rest = _left_out(one)
    if check.beyond_tolerance and check.beyond_noise:
        message = f"{size}: beyond the tolerance and beyond noise{rest}"
        return replace(check, outcome=Outcome.FAIL, message=message)
    if check.beyond_tolerance:
        resolution = _resolution(one, check.drop or 0.0, level / n_tests)
        message = f"{size}: beyond the tolerance, but within noise{resolution}{rest}"
        return replace(check, outcome=Outcome.UNCERTAIN, message=message)
    noise = ", but beyond noise" if check.beyond_noise else ""
    return replace(check, outcome=Outcome.PASS, message=f"{size}: within the tolerance{noise}{rest}")


def _untested(check: Check, size: str) -> Check:
    """Costs are judged by the tolerance alone; a metric that no test can be made of is never red."""
    is_cost = check.name.startswith(COST)
    why = NO_TEST if is_cost or not check.reason else check.reason
    if not check.beyond_tolerance:
        return replace(check, outcome=Outcome.PASS, message=f"{size}: within the tolerance ({why})", reason=why)
    outcome = Outcome.FAIL if is_cost else Outcome.UNCERTAIN
    rest = "judged by it alone" if is_cost else "noise is not known"
    return replace(check, outcome=outcome, message=f"{size}: beyond the tolerance; {rest} ({why})", reason=why)


def describe_drop(check: Check) -> str:
    """How the number moved, in words."""
    drop = check.drop or 0.0
    if drop == 0:
        return "no change"
    if drop < 0:
        return f"better by {_shown(-drop)}"
    return f"worse by {_shown(drop)} (allowed {check.tolerance})"


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 1e5 else f"{number:.4g}"


def _resolution(one: Measured, drop: float, level: float) -> str:
    """Which drop these rows can show, and how many rows would show this one; power 80 %, one-sided, at the level of
    one test of all.
    """
    apart = pseudo_differences(one.rows.baseline, one.rows.candidate) if one.rows else None
    if apart is None:
        return ""
    n_rows = len(apart)
    found = power(drop, float(apart.std(ddof=1)), n_rows, level=2 * level)
    if found.smallest_difference is None:
        return ""
    told = f"; {n_rows:,} rows show drops from {_shown(found.smallest_difference)} up"
    if found.rows_needed is None or not n_rows < found.rows_needed <= _MOST_ROWS * n_rows:
        return told
    return f"{told}; about {found.rows_needed:,} would show this one"


def _left_out(one: Measured) -> str:
    if one.rows is None or not one.rows.left_out:
        return ""
    return f"; tested on the {len(one.rows.ids):,} rows that both have a number for"
