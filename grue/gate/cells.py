"""Cells of the gate's tables, the same in the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from grue.gate.report import Check, Outcome

NOTHING = "–"
# Maximum of the metric's unit -> decimals that tell two systems apart.
_DECIMALS = {1.0: 4, 10.0: 3, 100.0: 2}
MARKS: Mapping[Outcome, str] = {
    Outcome.PASS: "✅",
    Outcome.FAIL: "❌",
    Outcome.UNCERTAIN: "❔",
    Outcome.NOT_COMPARABLE: "⚠️",
    Outcome.INFRASTRUCTURE: "🛠️",
}
HEADINGS = ("task", "number", "baseline", "candidate", "change, 95 %", "allowed drop", "p (Holm)", "rows", "answer")


def cells(check: Check) -> tuple[str, ...]:
    """One row under ``HEADINGS``."""
    return (
        check.task,
        check.name,
        _number(check, check.baseline),
        _number(check, check.candidate),
        _change(check),
        NOTHING if check.tolerance is None else str(check.tolerance),
        NOTHING if check.p_adjusted is None else _p(check.p_adjusted),
        _rows(check),
        str(check.outcome),
    )


def _number(check: Check, value: float | None, sign: str = "") -> str:
    if value is None:
        return NOTHING
    if abs(value) >= 1e5:
        return f"{value:{sign}z,.0f}"
    return f"{value:{sign}z.{_DECIMALS.get(check.scale or 0.0, 4)}f}"


def _change(check: Check) -> str:
    if check.baseline is None or check.candidate is None:
        return NOTHING
    change = _number(check, check.candidate - check.baseline, "+")
    if check.difference_ci95 is None:
        return change
    low, high = (_number(check, bound, "+") for bound in check.difference_ci95)
    return f"{change} [{low}, {high}]"


def _rows(check: Check) -> str:
    if check.n is None:
        return NOTHING
    if check.n_rows is not None and check.n_rows != check.n:
        return f"{check.n:,} of {check.n_rows:,}"
    return f"{check.n:,}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
