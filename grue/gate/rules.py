"""What a gate demands, as values: which numbers of which tasks, and how much worse each may get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grue.gate.tolerance import Tolerance

Uncertain = Literal["warn", "fail"]
Kind = Literal["metrics", "rewards", "rates", "cost"]
KINDS: tuple[Kind, ...] = ("metrics", "rewards", "rates", "cost")
LEVEL = 0.05
ZERO = Tolerance()

# Key of ``rates`` and ``cost`` in results.json -> whether more of it is better.
RATES: Mapping[str, bool] = {"empty": False, "cut_prompt": False, "cut_output": False}
COSTS: Mapping[str, bool] = {
    "tokens_per_second": True,
    "prefill_tokens_per_second": True,
    "decode_tokens_per_second": True,
    "flops_utilization": True,
    "wall_seconds": False,
    "load_seconds": False,
    "latency_ms_p50": False,
    "latency_ms_p95": False,
    "first_row_seconds": False,
    "peak_memory_bytes": False,
    "energy_joules": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRules:
    """What one task is gated by.

    Attributes:
        named: Kind -> name -> tolerance; ``None`` takes ``max_drop``.
        max_drop: Tolerance of what names none.
        exact: Whether any difference in any number but costs fails.
        metrics_named: Whether the metrics were chosen; else the task's first primary metric is gated.
    """

    named: Mapping[Kind, Mapping[str, Tolerance | None]] = field(default_factory=dict)
    max_drop: Tolerance = ZERO
    exact: bool = False
    metrics_named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A whole gate; as it stands here it is the gate without a file.

    Attributes:
        level: Chance of a false alarm over all tests together, one-sided.
        uncertain: Whether "cannot tell" is let through with a warning, or fails.
        defaults: Rules of the tasks that are not named; ``None`` where only named tasks are gated.
        tasks: Rules of the named tasks.
        place: File the rules come from; empty without one.
        baseline: Baseline that the file names, ``None`` where it names none.
        candidate: Run that the file names.
    """

    level: float = LEVEL
    uncertain: Uncertain = "warn"
    defaults: TaskRules | None = TaskRules()
    tasks: Mapping[str, TaskRules] = field(default_factory=dict)
    place: str = ""
    baseline: Path | None = None
    candidate: Path | None = None

    def of(self, task: str) -> TaskRules | None:
        """The rules of a task; ``None`` where it is not gated."""
        return self.tasks.get(task, self.defaults)


def is_better_higher(kind: Kind, name: str) -> bool:
    """Direction of a rate or cost.

    Raises:
        KeyError: for a name that is none.
    """
    return (RATES if kind == "rates" else COSTS)[name]
