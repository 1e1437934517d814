"""One check of a sequential gate: what each look at the rows so far says.

A look fails where the test of a drop crosses the bound of its look, and so does the test of a drop beyond the
tolerance: certain of both. It passes where a fail on all rows has become improbable: because the test of a drop, or the
measured drop beyond the tolerance, would have to come back too far. On all rows it decides as the gate on whole runs
does, by the bound of the last look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from grue.gate.decision import describe_drop
from grue.gate.measured import SAME, draft_of
from grue.gate.planned import Planned
from grue.gate.report import Check, Outcome
from grue.gate.row_data import RowData, lay_beside
from grue.stats.bootstrap import Column
from grue.stats.boundaries import lower_bounds
from grue.stats.sequential import MISS, Look, Plan, look, plan

NOT_DEFINED = "it is not defined on the rows so far"


@dataclass(slots=True)
class Watch:
    """A check that waits for certainty.

    Attributes:
        planned: The check.
        baseline: Rows of the baseline.
        allowed: Tolerance in the number's unit.
        scale: Maximum of the metric's unit.
        bounds: Of the test of a drop.
        inside: z of the test of a drop beyond the tolerance, at or below which a look but the last passes.
        answer: The check when it is certain.
    """

    planned: Planned
    baseline: RowData
    allowed: float
    scale: float | None
    bounds: Plan
    inside: tuple[float, ...]
    answer: Check | None = None

    @classmethod
    def of(
        cls, planned: Planned, baseline: RowData, value: float, scale: float | None, *, n_rows: int, level: float
    ) -> Watch:
        """A watch over a task's rows.

        Args:
            planned: A check with tolerance and direction.
            baseline: Its rows in the baseline.
            value: The baseline's value, for a relative tolerance.
            scale: Maximum of the metric's unit.
            n_rows: All rows of the task.
            level: One-sided, of this check alone.
        """
        allowed = planned.tolerance.of(value) if planned.tolerance else 0.0
        bounds = plan(n_rows, level=level)
        fractions = [n / n_rows for n in bounds.rows[:-1]]
        inside = lower_bounds(fractions, 0.0, MISS / 2) if allowed > 0 else []
        return cls(planned, baseline, allowed, scale, bounds, tuple(inside))

    def see(self, index: int, candidate: RowData | None) -> None:
        """Look at the rows so far; the answer is set where it is certain.

        Args:
            index: Which look, from 0.
            candidate: Rows of the candidate so far; ``None`` where none has a number.
        """
        is_last = index == len(self.bounds.rows) - 1
        if candidate is None:
            if is_last:
                self.answer = self._check(Outcome.UNCERTAIN, NOT_DEFINED)
            return
        rows = lay_beside(self.baseline, candidate)
        n_rows = len(rows.ids)
        if n_rows < 2:
            if is_last:
                self.answer = self._check(Outcome.UNCERTAIN, NOT_DEFINED)
            return
        # The same text scored in other company may differ in the last digits; that is no change.
        left, right = rows.baseline.statistics, rows.candidate.statistics
        same = np.isclose(left, right, rtol=SAME, atol=SAME * SAME)
        rows = replace(rows, candidate=Column(np.where(same, left, right), rows.candidate.corpus_value))
        # Rows without a number are in no test: the look has those that are left.
        bounds = replace(self.bounds, rows=(*self.bounds.rows[:index], n_rows, *self.bounds.rows[index + 1 :]))
        better = self.planned.higher_is_better is True
        drop = look(bounds, index, rows.baseline, rows.candidate, higher_is_better=better)
        beyond = (
            look(bounds, index, rows.baseline, rows.candidate, higher_is_better=better, margin=self.allowed)
            if self.allowed > 0
            else drop
        )
        if drop.z is None or beyond.z is None:
            if is_last:
                self.answer = self._check(Outcome.UNCERTAIN, NOT_DEFINED)
            return
        draft = self._draft(rows.baseline, rows.candidate, drop)
        self.answer = self._answer(draft, index, drop, beyond.z, is_last=is_last)

    def _answer(self, draft: Check, index: int, drop: Look, beyond_z: float, *, is_last: bool) -> Check | None:
        size = describe_drop(draft)
        where = f"{size} on {draft.n:,} of {draft.n_rows:,} rows"
        is_noise = drop.decision != "fail"
        if is_last:
            if draft.beyond_tolerance and not is_noise:
                return _end(draft, Outcome.FAIL, f"{where}: beyond the tolerance and beyond noise ({drop.why})", True)
            if draft.beyond_tolerance:
                return _end(draft, Outcome.UNCERTAIN, f"{where}: beyond the tolerance, but within noise", False)
            return _end(draft, Outcome.PASS, f"{where}: within the tolerance", not is_noise)
        if drop.decision == "fail" and draft.beyond_tolerance and beyond_z >= self.bounds.fail_at[index]:
            return _end(draft, Outcome.FAIL, f"{where}: beyond the tolerance and beyond noise ({drop.why})", True)
        if drop.decision == "pass":
            return _end(draft, Outcome.PASS, f"{where}: {drop.why}", False)
        if self.inside and beyond_z <= self.inside[index]:
            message = f"{where}: that all rows go beyond the tolerance is improbable"
            return _end(draft, Outcome.PASS, message, None)
        return None

    def _draft(self, baseline: Column, candidate: Column, seen: Look) -> Check:
        before, after = baseline.value(), candidate.value()
        drop = before - after if self.planned.higher_is_better else after - before
        return replace(
            draft_of(self.planned),
            baseline=before,
            candidate=after,
            scale=self.scale,
            drop=drop,
            allowed=self.allowed,
            beyond_tolerance=drop > self.allowed
            and not math.isclose(drop, self.allowed, rel_tol=SAME, abs_tol=SAME * SAME),
            p=seen.p,
            n=len(baseline.statistics),
            n_rows=self.bounds.rows[-1],
        )

    def _check(self, outcome: Outcome, message: str) -> Check:
        return replace(draft_of(self.planned), outcome=outcome, message=message, reason=message)


def _end(draft: Check, outcome: Outcome, message: str, beyond_noise: bool | None) -> Check:
    return replace(draft, outcome=outcome, message=message, beyond_noise=beyond_noise)
