"""What two runs cost, side by side, as lines of text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grue.comparison import numbers
from grue.comparison.values import TaskComparison
from grue.core.run import Cost


@dataclass(frozen=True, slots=True)
class CostLine:
    """One measure of one task.

    Attributes:
        measure: What was measured.
        baseline: As text, with its unit.
        candidate: Of the candidate.
        ratio: Candidate by baseline, ``1.25 ×``; empty where one is missing or 0.
    """

    measure: str
    baseline: str
    candidate: str
    ratio: str


def _rate(value: float | None) -> str:
    return numbers.NONE if value is None else f"{numbers.count(value) if value >= 10 else f'{value:.1f}'} /s"


def _milliseconds(value: float | None) -> str:
    return numbers.NONE if value is None else f"{numbers.count(value)} ms"


def _joules(value: float | None) -> str:
    return numbers.NONE if value is None else f"{numbers.count(value)} J"


_COSTS: tuple[tuple[str, Callable[[Cost], float | None], Callable[[float | None], str]], ...] = (
    ("time", lambda cost: cost.wall_seconds, numbers.duration),
    ("new tokens", lambda cost: cost.generated_tokens, numbers.count),
    ("new tokens a second", lambda cost: cost.tokens_per_second, _rate),
    ("median time a text", lambda cost: cost.latency_ms_p50, _milliseconds),
    ("most memory", lambda cost: cost.peak_memory_bytes, numbers.size),
    ("energy for 1,000 texts", lambda cost: cost.joules_per_1000, _joules),
)


def cost_lines(task: TaskComparison) -> list[CostLine]:
    """Measures that at least one of the runs has, then the shares of empty and cut texts."""
    lines = [
        CostLine(name, write(left), write(right), _ratio(left, right))
        for name, of, write in _COSTS
        for left, right in [(of(task.baseline_cost), of(task.candidate_cost))]
        if left is not None or right is not None
    ]
    for name, left, right in (
        ("empty outputs", task.baseline_rates.empty, task.candidate_rates.empty),
        ("cut prompts", task.baseline_rates.cut_prompt, task.candidate_rates.cut_prompt),
        ("cut outputs", task.baseline_rates.cut_output, task.candidate_rates.cut_output),
    ):
        if left is not None or right is not None:
            lines.append(CostLine(name, numbers.percent(left), numbers.percent(right), ""))
    return lines


def _ratio(left: float | None, right: float | None) -> str:
    return f"{right / left:.2f} ×" if left and right is not None else ""
