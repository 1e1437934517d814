"""What generation cost and how often it was cut: sums over what was stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grue.core.rows import Generation
from grue.core.run import Cost, Rates


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds that went by while generations were made, and the new tokens made in them.

    A kill between storing a batch and noting its time leaves that batch out of both, so that their ratio stays true.
    """

    seconds: float
    tokens: int


def timed_of(run: Path, task: str) -> Timed:
    """What the events of a run directory say of a task, over all starts."""
    seconds, tokens = 0.0, 0
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # a line cut short by a kill
        if isinstance(event, Mapping) and event.get("kind") == "generated" and event.get("task") == task:
            seconds += float(event["seconds"])
            tokens += int(event["tokens"])
    return Timed(seconds, tokens)


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
) -> Cost:
    """Cost of a task.

    Args:
        generations: All of the task.
        timed: What was measured while they were made, over all starts of the run.
        load_seconds: Time to load the weights; ``None`` where no model ran.
        peak_memory_bytes: Most memory held at once; ``None`` where no model ran.
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
        latency_ms_p50=float(np.percentile(latencies, 50)) if latencies else None,
        latency_ms_p95=float(np.percentile(latencies, 95)) if latencies else None,
        peak_memory_bytes=peak_memory_bytes,
    )


def peak_resident_bytes() -> int | None:
    """Most memory this process ever held; ``None`` where the system does not tell."""
    try:
        import resource
    except ImportError:  # not a Unix system
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
