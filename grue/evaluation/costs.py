"""What generation cost and how often it was cut: sums over what was stored."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from grue.core.rows import Generation
from grue.core.run import Cost, Rates


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
    wall_seconds: float,
    load_seconds: float | None,
    peak_memory_bytes: int | None,
) -> Cost:
    """Cost of a task.

    Args:
        generations: All of the task.
        wall_seconds: Time that went by while they were generated, over all starts of the run.
        load_seconds: Time to load the weights; ``None`` where no model ran.
        peak_memory_bytes: Most memory held at once; ``None`` where no model ran.
    """
    prompt_tokens = [g.prompt_tokens for g in generations if g.prompt_tokens is not None]
    new_tokens = [g.generated_tokens for g in generations if g.generated_tokens is not None]
    latencies = [1000 * g.latency_seconds for g in generations if g.latency_seconds is not None]
    speed = sum(new_tokens) / wall_seconds if new_tokens and wall_seconds > 0 else None
    return Cost(
        wall_seconds=wall_seconds,
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
