"""What generation cost and how often it was cut: sums over what was stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from grue.core.rows import Generation
from grue.core.run import Cost, Rates
from grue.evaluation.throughput import Done, Start, rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What was measured while generations were made.

    A kill between storing a batch and noting its time leaves that batch out of both, so that their ratio stays true.

    Attributes:
        seconds: That went by.
        tokens: New tokens of the generations that were stored in them.
        starts: What devices did in each start of the run, in order.
        first_row_seconds: Until the first row was stored, in the start that stored it.
        joules: What devices took; ``None`` where none told.
        joules_generations: Generations that were stored while they told.
        joules_of: Names of these devices.
    """

    seconds: float = 0.0
    tokens: int = 0
    starts: tuple[Start, ...] = ()
    first_row_seconds: float | None = None
    joules: float | None = None
    joules_generations: int = 0
    joules_of: tuple[str, ...] = ()


def timed_of(run: Path, task: str) -> Timed:
    """What the events of a run directory say of a task, over all starts."""
    seconds, tokens = 0.0, 0
    starts: list[list[Done]] = [[]]
    first_row: float | None = None
    energy: list[Mapping[str, Any]] = []
    for event in _events(run):
        kind = event.get("kind")
        if kind == "started":
            starts.append([])
        elif event.get("task") != task:
            continue
        elif kind == "generated":
            seconds += float(event["seconds"])
            tokens += int(event["tokens"])
            starts[-1] += [Done.of(work, event["time"]) for work in event.get("work") or ()]
        elif kind == "first_row" and first_row is None:
            first_row = float(event["seconds"])
        elif kind == "energy":
            energy.append(event)
    return Timed(
        seconds=seconds,
        tokens=tokens,
        starts=tuple(Start(tuple(done)) for done in starts if done),
        first_row_seconds=first_row,
        joules=sum(float(event["joules"]) for event in energy) if energy else None,
        joules_generations=sum(int(event["generations"]) for event in energy),
        joules_of=tuple(dict.fromkeys(str(name) for event in energy for name in event["of"])),
    )


def joined(parts: Sequence[Timed]) -> Timed:
    """Parts of a run that were made apart, as if one had followed the other."""
    joules = [part.joules for part in parts if part.joules is not None]
    return Timed(
        seconds=sum(part.seconds for part in parts),
        tokens=sum(part.tokens for part in parts),
        starts=tuple(start for part in parts for start in part.starts),
        first_row_seconds=min((s for part in parts if (s := part.first_row_seconds) is not None), default=None),
        joules=sum(joules) if joules else None,
        joules_generations=sum(part.joules_generations for part in parts),
        joules_of=tuple(dict.fromkeys(name for part in parts for name in part.joules_of)),
    )


def _events(run: Path) -> Iterable[Mapping[str, Any]]:
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # a line cut short by a kill
        if isinstance(event, Mapping):
            yield event


def rates_of(generations: Sequence[Generation]) -> Rates:
    """Shares of empty predictions, cut prompts and outputs ended by the length limit; ``None`` where not known."""
    cuts = [g.prompt_cut for g in generations if g.prompt_cut is not None]
    ends = [g.finish_reason == "length" for g in generations if g.finish_reason is not None]
    return Rates(
        empty=_share([not g.prediction.strip() for g in generations]), cut_prompt=_share(cuts), cut_output=_share(ends)
    )


def cost_of(
    generations: Sequence[Generation],
    *,
    timed: Timed,
    load_seconds: float | None,
    peak_memory_bytes: int | None,
    peak_memory_of: str | None = None,
    flops: int | None = None,
) -> Cost:
    """Cost of a task.

    Args:
        generations: All of the task.
        timed: What was measured while they were made, over all starts of the run.
        load_seconds: Time to load the weights; ``None`` where no model ran.
        peak_memory_bytes: Most memory held at once; ``None`` where no model ran.
        peak_memory_of: ``device``, or ``process`` where that is the memory of a process.
        flops: Operations that the texts asked of the model; ``None`` where they cannot be counted.
    """
    prompt_tokens = [g.prompt_tokens for g in generations if g.prompt_tokens is not None]
    new_tokens = [g.generated_tokens for g in generations if g.generated_tokens is not None]
    latencies = [1000 * g.latency_seconds for g in generations if g.latency_seconds is not None]
    speed = timed.tokens / timed.seconds if new_tokens and timed.tokens and timed.seconds > 0 else None
    return Cost(
        wall_seconds=timed.seconds,
        load_seconds=load_seconds,
        prompt_tokens=sum(prompt_tokens) if prompt_tokens else None,
        generated_tokens=sum(new_tokens) if new_tokens else None,
        tokens_per_second=speed,
        prefill_tokens_per_second=rate(timed.starts, "prefill"),
        decode_tokens_per_second=rate(timed.starts, "decode"),
        latency_ms_p50=float(np.percentile(latencies, 50)) if latencies else None,
        latency_ms_p95=float(np.percentile(latencies, 95)) if latencies else None,
        first_row_seconds=timed.first_row_seconds,
        peak_memory_bytes=peak_memory_bytes,
        peak_memory_of=peak_memory_of if peak_memory_bytes is not None else None,
        energy_joules=timed.joules,
        energy_generations=timed.joules_generations if timed.joules is not None else None,
        energy_of=timed.joules_of,
        flops=_timed_share(flops, timed, sum(new_tokens)),
    )


def with_peak(cost: Cost, peak_flops: float) -> Cost:
    """A cost with the share of the devices' measured peak that the texts' operations came to, an estimate.

    Args:
        cost: What a task cost.
        peak_flops: Operations a second that were measured on all its devices together.
    """
    if not cost.flops or not cost.wall_seconds or peak_flops <= 0:
        return cost
    return replace(cost, device_peak_flops=peak_flops, flops_utilization=cost.flops / cost.wall_seconds / peak_flops)


def _timed_share(flops: int | None, timed: Timed, tokens: int) -> float | None:
    """The operations of what was timed: a kill may have left out the time of a batch that is stored."""
    if flops is None or not tokens:
        return None
    return flops * min(1.0, timed.tokens / tokens)


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
