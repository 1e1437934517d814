"""What a gate found, as values, and the exit code that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from grue.core.errors import Exit
from grue.core.text import Json
from grue.gate.rules import Uncertain
from grue.gate.tolerance import Tolerance


class Outcome(StrEnum):
    """What one check, or all together, came to."""

    PASS = "pass"
    FAIL = "fail"
    UNCERTAIN = "cannot tell"
    NOT_COMPARABLE = "not comparable"
    INFRASTRUCTURE = "infrastructure"


# The first of these that any check or problem has is the outcome of all: what is no answer about quality never
# turns red for quality.
_PRECEDENCE = (Outcome.INFRASTRUCTURE, Outcome.NOT_COMPARABLE, Outcome.FAIL, Outcome.UNCERTAIN)
_EXITS: Mapping[Outcome, Exit] = {
    Outcome.PASS: Exit.YES,
    Outcome.FAIL: Exit.NO,
    Outcome.UNCERTAIN: Exit.YES,
    Outcome.NOT_COMPARABLE: Exit.NOT_COMPARABLE,
    Outcome.INFRASTRUCTURE: Exit.PARTLY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One number of one task, judged.

    Attributes:
        name: Of a metric; ``reward:NAME``, ``rates.NAME``, ``cost.NAME``, or ``exact`` for all numbers of a task.
        message: One sentence that says why.
        drop: How much worse the candidate is, in the number's unit; below 0 where it is better.
        tolerance: What is let pass; ``None`` for ``exact``.
        allowed: The same in the number's unit.
        beyond_tolerance: Whether the drop is more than is allowed.
        beyond_noise: Whether a test on paired rows finds a drop; ``None`` where there is no test.
        difference_ci95: Of candidate minus baseline.
        p: One-sided: small where the candidate is worse and noise does not explain it.
        p_adjusted: After Holm over all tests of the gate.
        n: Rows that the test saw.
        n_rows: Rows that there are.
        reason: Why a value is missing.
        fields: Of the comparison key, that differ.
    """

    task: str
    name: str
    outcome: Outcome
    message: str
    baseline: float | None = None
    candidate: float | None = None
    scale: float | None = None
    higher_is_better: bool | None = None
    drop: float | None = None
    tolerance: Tolerance | None = None
    allowed: float | None = None
    beyond_tolerance: bool | None = None
    beyond_noise: bool | None = None
    difference_ci95: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    n: int | None = None
    n_rows: int | None = None
    reason: str | None = None
    fields: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The object of the gate's JSON."""
        return {
            "task": self.task,
            "name": self.name,
            "outcome": str(self.outcome),
            "message": self.message,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "scale": self.scale,
            "higher_is_better": self.higher_is_better,
            "drop": self.drop,
            "tolerance": str(self.tolerance) if self.tolerance is not None else None,
            "allowed": self.allowed,
            "beyond_tolerance": self.beyond_tolerance,
            "beyond_noise": self.beyond_noise,
            "difference_ci95": list(self.difference_ci95) if self.difference_ci95 else None,
            "p": self.p,
            "p_adjusted": self.p_adjusted,
            "n": self.n,
            "n_rows": self.n_rows,
            "reason": self.reason,
            "fields": list(self.fields),
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a whole side gives no answer: always ``infrastructure`` or ``not comparable``."""

    outcome: Outcome
    place: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class SideInfo:
    """Which run stands on a side; all but ``place`` is ``None`` where it could not be read."""

    place: str
    run_id: str | None = None
    name: str | None = None
    created_at: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The object of the gate's JSON."""
        return {"place": self.place, "run_id": self.run_id, "name": self.name, "created_at": self.created_at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A gate's answer.

    Attributes:
        level: Chance of a false alarm over all tests together.
        uncertain: What "cannot tell" comes to.
        notes: What was not gated and why, and what a reader should know.
        sequential: How rows were spared; ``None`` for a gate on whole runs.
    """

    baseline: SideInfo
    candidate: SideInfo
    checks: tuple[Check, ...]
    problems: tuple[Problem, ...] = ()
    level: float
    uncertain: Uncertain
    notes: tuple[str, ...] = ()
    sequential: Mapping[str, Json] | None = None

    @property
    def outcome(self) -> Outcome:
        """The gravest of all checks and problems."""
        found = {check.outcome for check in self.checks} | {problem.outcome for problem in self.problems}
        return next((outcome for outcome in _PRECEDENCE if outcome in found), Outcome.PASS)

    @property
    def exit_code(self) -> Exit:
        """Pass 0, fail 1, infrastructure 3, not comparable 4; cannot tell 0, or 1 where that is to fail."""
        if self.outcome is Outcome.UNCERTAIN and self.uncertain == "fail":
            return Exit.NO
        return _EXITS[self.outcome]

    def count(self, outcome: Outcome) -> int:
        """How many checks came to this."""
        return sum(check.outcome is outcome for check in self.checks)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if self.problems:
            return f"{self.outcome}: {self.problems[0].place}: {self.problems[0].message}"
        n = len(self.checks)
        if not n:
            return "pass: nothing is gated"
        parts = [f"{self.count(one)} {one}" for one in Outcome if self.count(one)]
        return f"{self.outcome}: of {n} check{'s' * (n != 1)}, {', '.join(parts)}"

    def to_json(self) -> dict[str, Json]:
        """The gate's JSON document, without its version."""
        return {
            "outcome": str(self.outcome),
            "exit_code": int(self.exit_code),
            "headline": self.headline,
            "level": self.level,
            "uncertain": self.uncertain,
            "baseline": self.baseline.to_json(),
            "candidate": self.candidate.to_json(),
            "checks": [check.to_json() for check in self.checks],
            "problems": [
                {"outcome": str(one.outcome), "place": one.place, "message": one.message, "fix": one.fix}
                for one in self.problems
            ],
            "notes": list(self.notes),
            "sequential": dict(self.sequential) if self.sequential is not None else None,
        }
