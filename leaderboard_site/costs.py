"""What a run cost, on one task or over several, in numbers that can stand beside those of other runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.core.run import Cost
from leaderboard_site.numbers import bytes_, number, percent, rate, size


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """Costs of a run; ``None`` where a task lacks what one needs.

    Attributes:
        seconds: Of generation for a thousand rows.
        tokens: New tokens a second of generation.
        prefill: Prompt tokens read a second.
        decode: New tokens written a second.
        p50: Median latency in ms; over several tasks the median of theirs.
        p95: 95 % of the texts took at most so many ms; over several tasks the largest.
        first_row: Seconds until the first row was stored.
        memory: Bytes held at most.
        memory_of: ``device`` or ``process``.
        joules: For a thousand rows.
        utilization: Share of what the devices were measured to do, an estimate.
        parameters: Of the model.
    """

    seconds: float | None
    tokens: float | None
    prefill: float | None
    decode: float | None
    p50: float | None
    p95: float | None
    first_row: float | None
    memory: int | None
    memory_of: str | None
    joules: float | None
    utilization: float | None
    parameters: int | None

    def to_json(self) -> dict[str, Any]:
        """Keys of the board's documents."""
        return {
            "seconds_per_1000_rows": self.seconds,
            "tokens_per_second": self.tokens,
            "prefill_tokens_per_second": self.prefill,
            "decode_tokens_per_second": self.decode,
            "latency_ms": {"p50": self.p50, "p95": self.p95},
            "first_row_seconds": self.first_row,
            "peak_memory_bytes": self.memory,
            "peak_memory_of": self.memory_of,
            "joules_per_1000_rows": self.joules,
            "flops_utilization": self.utilization,
            "parameters": self.parameters,
        }


@dataclass(frozen=True, slots=True)
class Axis:
    """A cost to set quality against.

    Attributes:
        key: In addresses.
        title: In links and headings.
        unit: On the axis and in tables.
        value: Takes it from a run's costs.
        text: Writes it in a table.
        tick: Writes it on the axis; ``None`` for plain numbers.
        more_is_cheaper: Whether the larger value is the better one.
    """

    key: str
    title: str
    unit: str
    value: Callable[[RunCost], float | None]
    text: Callable[[RunCost], str]
    tick: Callable[[float], str] | None = None
    more_is_cheaper: bool = False


AXES = (
    Axis("time", "Time", "seconds for 1,000 rows", lambda c: c.seconds, lambda c: amount(c.seconds)),
    Axis("speed", "Speed", "new tokens a second", lambda c: c.tokens, lambda c: rate(c.tokens), more_is_cheaper=True),
    Axis("energy", "Energy", "joules for 1,000 rows", lambda c: c.joules, lambda c: amount(c.joules)),
    Axis("size", "Size", "parameters", lambda c: c.parameters, lambda c: size(c.parameters), lambda v: size(round(v))),
)


def results_of(run: BoardRun, tasks: Iterable[str]) -> list[TaskResult]:
    """Results on some tasks, of all runs behind an entry: what it cost is the mean over them."""
    wanted = list(tasks)
    return [single.tasks[name] for single in run.singles for name in wanted if name in single.tasks]


def run_cost(run: BoardRun, results: Sequence[TaskResult]) -> RunCost:
    """Costs of a run over some of its tasks.

    Speeds are those of all tokens together, not means of speeds. Where no model ran there are none.
    """
    costs = [result.cost for result in results]
    ran = [cost for cost in costs if cost.generated_tokens is not None]
    whole = bool(costs) and len(ran) == len(costs)
    rows = sum(result.scored for result in results)
    seconds = sum(cost.wall_seconds for cost in costs)
    medians = sorted(cost.latency_ms_p50 for cost in ran if cost.latency_ms_p50 is not None)
    largest = max((cost for cost in ran if cost.peak_memory_bytes), key=_memory, default=None)
    return RunCost(
        seconds=1000 * seconds / rows if whole and rows and seconds else None,
        tokens=_speed((cost.generated_tokens, cost.tokens_per_second) for cost in ran),
        prefill=_speed((cost.prompt_tokens, cost.prefill_tokens_per_second) for cost in ran),
        decode=_speed((cost.generated_tokens, cost.decode_tokens_per_second) for cost in ran),
        p50=medians[len(medians) // 2] if medians else None,
        p95=max((cost.latency_ms_p95 for cost in ran if cost.latency_ms_p95 is not None), default=None),
        first_row=min((cost.first_row_seconds for cost in ran if cost.first_row_seconds is not None), default=None),
        memory=largest.peak_memory_bytes if largest else None,
        memory_of=largest.peak_memory_of if largest else None,
        joules=_joules(results) if whole else None,
        utilization=_utilization(ran) if whole else None,
        parameters=run.parameters,
    )


def amount(value: float | None) -> str:
    """A cost with about three digits."""
    return number(value, 0 if value is None or value >= 100 else 1 if value >= 10 else 2)


def _speed(pairs: Iterable[tuple[int | None, float | None]]) -> float | None:
    """Tokens over the time that they took at their speeds."""
    known = [(tokens, speed) for tokens, speed in pairs if tokens and speed]
    return sum(tokens for tokens, _ in known) / sum(tokens / speed for tokens, speed in known) if known else None


def _joules(results: Sequence[TaskResult]) -> float | None:
    """A row takes as much as its generations; a task counts by its rows."""
    total, rows = 0.0, 0
    for result in results:
        each = result.cost.joules_per_1000
        if each is None:
            return None
        total += each * result.samples * result.scored
        rows += result.scored
    return total / rows if rows else None


def _utilization(costs: Sequence[Cost]) -> float | None:
    could = 0.0
    for cost in costs:
        if cost.flops_utilization is None or not cost.device_peak_flops:
            return None
        could += cost.wall_seconds * cost.device_peak_flops
    return sum(cost.flops or 0.0 for cost in costs) / could if could else None


def _memory(cost: Cost) -> int:
    return cost.peak_memory_bytes or 0


# Head, second line and cell of each column of a table of costs.
COLUMNS: tuple[tuple[str, str, Callable[[RunCost], str]], ...] = (
    ("Time", "s, 1,000 rows", lambda c: amount(c.seconds)),
    ("Speed", "tokens/s", lambda c: rate(c.tokens)),
    ("Reads", "tokens/s", lambda c: rate(c.prefill)),
    ("Writes", "tokens/s", lambda c: rate(c.decode)),
    ("p50", "ms", lambda c: number(c.p50, 0)),
    ("p95", "ms", lambda c: number(c.p95, 0)),
    ("First row", "s", lambda c: number(c.first_row, 1)),
    ("Memory", "at most", lambda c: bytes_(c.memory)),
    ("Energy", "J, 1,000 rows", lambda c: amount(c.joules)),
    ("Of peak", "an estimate", lambda c: percent(c.utilization)),
    ("Size", "parameters", lambda c: size(c.parameters)),
)
