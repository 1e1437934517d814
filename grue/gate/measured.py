"""Lays the two sides of a check beside each other: equal keys, both values, and a test on paired rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from grue.comparison.columns import REWARD, ComparisonKey, comparison_key
from grue.core.run import Manifest, TaskResult
from grue.gate.planned import EXACT, Planned
from grue.gate.report import Check, Outcome
from grue.gate.row_data import RATE, Paired, lay_beside
from grue.gate.rules import RATES
from grue.gate.side import Side, number_of, value_of
from grue.stats.bootstrap import RESAMPLES
from grue.stats.paired import PairedResult, paired
from grue.stats.randomization import p_worse_than

# Two numbers are one where they agree to nine digits: another processor sums in another order.
SAME = 1e-9
# Judges compute in single precision: another processor gives another seventh digit.
SAME_EXACT = 1e-6
_SHOWN = 5
# Trials for each test of the gate, over the level: the smallest p-value is then a twentieth of what Holm asks for.
_TRIALS_A_TEST = 20
_SHOWN_DIGITS = 12
NO_ROWS_LEFT = "the two runs have no row in common"


@dataclass(frozen=True, slots=True)
class Measured:
    """A check whose numbers are known.

    Attributes:
        check: Its answer where that is known already; else a draft that waits for the correction over all tests.
        is_open: Whether it waits.
        rows: The paired rows; ``None`` where there are none.
        left_out: Rows that only one side has a number for.
    """

    check: Check
    is_open: bool = False
    rows: Paired | None = None


def measure(planned: Planned, baseline: Side, candidate: Side, *, n_tests: int, level: float) -> Measured:
    """Compare one number of two runs.

    Args:
        planned: The check.
        baseline: The baseline.
        candidate: The candidate.
        n_tests: Tests of the whole gate; more of them ask for finer p-values.
        level: Of all tests together.

    Raises:
        BaselineError: where the baseline's rows are damaged.
        RunDirectoryError: where a run's are.
    """
    draft = draft_of(planned)
    if planned.task not in candidate.results.tasks:
        return Measured(_not_comparable(draft, ("task",), f"the candidate has no task {planned.task}"))
    if planned.name == EXACT:
        return Measured(_exact(draft, baseline, candidate))
    refusal = refused(planned, baseline.manifest, candidate.manifest, _reason(candidate, planned))
    if refusal is not None:
        return Measured(refusal)
    before, after = _value(baseline, planned), _value(candidate, planned)
    stored = value_of(baseline.results.tasks[planned.task], planned.name) if _has_signature(planned) else None
    draft = replace(draft, baseline=before, candidate=after, scale=stored.scale if stored else None)
    if before is None or after is None:
        side, where = (baseline, "baseline") if before is None else (candidate, "candidate")
        reason = _reason(side, planned) or "it was not measured"
        message = f"the {where} has no value: {reason}"
        return Measured(replace(draft, outcome=Outcome.UNCERTAIN, message=message, reason=reason))
    if planned.tolerance is None or planned.higher_is_better is None:
        raise ValueError(f"{planned.name} has neither tolerance nor direction")
    drop = before - after if planned.higher_is_better else after - before
    allowed = planned.tolerance.of(before)
    draft = replace(draft, drop=drop, allowed=allowed, beyond_tolerance=drop > allowed and not _same(drop, allowed))
    if planned.kind == "cost":
        return Measured(draft, is_open=True)
    return _tested(draft, planned, baseline, candidate, n_tests, level)


def _tested(draft: Check, planned: Planned, baseline: Side, candidate: Side, n_tests: int, level: float) -> Measured:
    left = baseline.rows_of(planned.task, planned.name)
    right = candidate.rows_of(planned.task, planned.name)
    if left is None or right is None:
        return Measured(draft, is_open=True)
    rows = lay_beside(left, right)
    if not rows.ids:
        return Measured(_not_comparable(draft, ("rows",), NO_ROWS_LEFT))
    result: PairedResult = paired(rows.baseline, rows.candidate, higher_is_better=planned.higher_is_better)
    p = result.p_worse
    n_trials = math.ceil(_TRIALS_A_TEST * n_tests / level)
    if p is not None and p <= level and n_trials > RESAMPLES:
        # The smallest p-value of few trials would not survive the correction over many tests.
        (p,) = p_worse_than(
            rows.baseline, [rows.candidate], higher_is_better=planned.higher_is_better is True, n_trials=n_trials
        )
    draft = replace(draft, difference_ci95=result.ci95, p=p, n=result.n, n_rows=result.n)
    return Measured(replace(draft, reason=result.reason if p is None else None), is_open=True, rows=rows)


def draft_of(planned: Planned) -> Check:
    """A check without its numbers."""
    return Check(
        task=planned.task,
        name=planned.name,
        outcome=Outcome.PASS,
        message="",
        tolerance=planned.tolerance,
        higher_is_better=planned.higher_is_better,
    )


def refused(planned: Planned, baseline: Manifest, candidate: Manifest, absent: str | None) -> Check | None:
    """The answer of a check whose two sides must not be compared; ``None`` where they may.

    Args:
        planned: A check of one number.
        baseline: Of the baseline; it has the task.
        candidate: Of the candidate.
        absent: Why the candidate has no such number, where it has none.
    """
    draft = draft_of(planned)
    if planned.task not in candidate.tasks:
        return _not_comparable(draft, ("task",), f"the candidate has no task {planned.task}")
    left = comparison_key(baseline, planned.task, planned.name)
    right = comparison_key(candidate, planned.task, planned.name)
    if not _has_signature(planned):
        left, right = replace(left, signature=None), replace(right, signature=None)
    different = left.differences(right)
    if different == ("signature",) and right.signature is None:
        reason = absent or "it is not in its suite"
        message = f"the candidate has no value: {reason}"
        return replace(draft, outcome=Outcome.INFRASTRUCTURE, message=message, reason=reason)
    return _not_comparable(draft, different, _differences(left, right, different)) if different else None


def _has_signature(planned: Planned) -> bool:
    return planned.kind in ("metrics", "rewards")


def _value(side: Side, planned: Planned) -> float | None:
    result = side.results.tasks[planned.task]
    if not _has_signature(planned):
        return number_of(result, planned.name)
    value = value_of(result, planned.name)
    return value.value if value else None


def _reason(side: Side, planned: Planned) -> str | None:
    value = value_of(side.results.tasks[planned.task], planned.name)
    return value.reason if value else None


def _not_comparable(draft: Check, different: tuple[str, ...], message: str) -> Check:
    return replace(draft, outcome=Outcome.NOT_COMPARABLE, message=f"not comparable: {message}", fields=different)


def _differences(left: ComparisonKey, right: ComparisonKey, names: tuple[str, ...]) -> str:
    """``field: baseline …, candidate …`` for every field that differs."""
    known = {field.name for field in fields(left)}
    return "; ".join(
        f"{name}: baseline {_short(getattr(left, name))}, candidate {_short(getattr(right, name))}"
        for name in names
        if name in known
    )


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    is_hash = len(text) == 64 and all(digit in "0123456789abcdef" for digit in text)
    return f"{text[:_SHOWN_DIGITS]}…" if is_hash else text


def _same(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=SAME, abs_tol=SAME * SAME)


def _exact(draft: Check, baseline: Side, candidate: Side) -> Check:
    """Every metric, reward and rate of a task, and its numbers of rows: any difference fails."""
    task = draft.task
    before, after = baseline.results.tasks[task], candidate.results.tasks[task]
    different: dict[str, None] = {}
    told: list[str] = []
    for name in dict.fromkeys([*_signed(before), *_signed(after)]):
        left, right = comparison_key(baseline.manifest, task, name), comparison_key(candidate.manifest, task, name)
        for field in left.differences(right):
            if field == "signature" or field not in different:
                told.append(f"{name} " * (field == "signature") + _differences(left, right, (field,)))
            different[field] = None
    if different:
        return _not_comparable(draft, tuple(different), _listed(told))
    moved = [
        f"{name}: {_number(left)} → {_number(right)}"
        for name, left, right in _numbers(before, after)
        if (left is None) != (right is None)
        or (left is not None and right is not None and not math.isclose(left, right, rel_tol=SAME_EXACT))
    ]
    n_numbers = sum(1 for _ in _numbers(before, after))
    if moved:
        message = f"{len(moved)} of {n_numbers} numbers moved: {_listed(moved)}"
        return replace(draft, outcome=Outcome.FAIL, message=message)
    return replace(draft, outcome=Outcome.PASS, message=f"all {n_numbers} numbers are the same")


def _signed(result: TaskResult) -> list[str]:
    return [*result.metrics, *(f"{REWARD}{name}" for name in result.rewards)]


def _numbers(before: TaskResult, after: TaskResult) -> Iterator[tuple[str, float | None, float | None]]:
    for name in dict.fromkeys([*_signed(before), *_signed(after)]):
        left, right = value_of(before, name), value_of(after, name)
        yield name, left.value if left else None, right.value if right else None
    for rate in RATES:
        yield f"{RATE}{rate}", number_of(before, RATE + rate), number_of(after, RATE + rate)
    yield "n.scored", float(before.scored), float(after.scored)


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _listed(parts: list[str]) -> str:
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + more
