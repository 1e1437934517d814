"""How many threads compute on a CPU: chosen by a short measurement, since a number that is wrong costs tenfold.

A thread that waits for a core which another process holds keeps all others waiting at every barrier, and what other
processes do cannot be known beforehand. So a decoder's step is timed with one thread, two, four and so on, and the
fewest are taken beside which more are not clearly faster.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grue.checkpoints.device import available_cores

# Whole measurement, all numbers of threads together.
MEASURE_SECONDS = 0.04
ROUNDS = 2
# More threads are taken only where a step takes at most this share of its time with fewer.
CLEARLY_FASTER = 0.9
ROWS = 8
NARROWEST, WIDEST = 256, 768
# How often an OpenMP thread looks at a barrier before it sleeps. The library's own 300,000 looks take milliseconds, in
# which it holds the core that the thread it waits for may need.
SPIN_COUNT = "1000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Threads that compute.

    Attributes:
        count: How many.
        chosen: Why so many, in words.
    """

    count: int
    chosen: str


def sleep_at_barriers() -> None:
    """Have threads that wait sleep soon; to be called before torch is imported, and later without effect.

    ``OMP_WAIT_POLICY`` and ``GOMP_SPINCOUNT`` of the user win.
    """
    if "torch" not in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


def settle_threads(hidden: int) -> Threads:
    """Choose the number of threads and apply it to this thread; ``OMP_NUM_THREADS`` wins.

    Args:
        hidden: Width of the model's layers.
    """
    import torch

    limit = min(available_cores(), int(torch.get_num_threads()))
    if os.environ.get("OMP_NUM_THREADS", "").strip().isdigit():
        return Threads(count=int(torch.get_num_threads()), chosen="OMP_NUM_THREADS")
    if limit == 1:
        found = Threads(count=1, chosen="one core")
    else:
        seconds = _measured(limit, hidden)
        told = ", ".join(f"{count}: {1000 * value:.2f} ms" for count, value in seconds.items())
        found = Threads(count=fewest(seconds), chosen=f"measured a step, {told}")
    apply_threads(found.count)
    return found


def apply_threads(count: int) -> None:
    """Let the calling thread compute with so many; the setting is a thread's own."""
    import torch

    torch.set_num_threads(count)


def fewest(seconds: Mapping[int, float]) -> int:
    """The smallest number of threads beside which no larger one is clearly faster."""
    best, *others = sorted(seconds)
    for count in others:
        if seconds[count] < CLEARLY_FASTER * seconds[best]:
            best = count
    return best


def _measured(limit: int, hidden: int) -> dict[int, float]:
    """Seconds that a decoder's step takes on the mean, by number of threads."""
    import torch

    width = max(NARROWEST, min(hidden, WIDEST))
    widen, narrow = torch.zeros(4 * width, width), torch.zeros(width, 4 * width)
    counts = [1 << power for power in range(limit.bit_length()) if 1 << power < limit] + [limit]
    seconds, steps = dict.fromkeys(counts, 0.0), dict.fromkeys(counts, 0)
    share = MEASURE_SECONDS / (ROUNDS * len(counts))
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for count in counts:
                torch.set_num_threads(count)
                state = torch.zeros(ROWS, width)
                if not steps[count]:
                    _step(state, widen, narrow)
                begin = time.perf_counter()
                while (passed := time.perf_counter() - begin) < share:
                    state = _step(state, widen, narrow)
                    steps[count] += 1
                seconds[count] += passed
    return {count: seconds[count] / max(1, steps[count]) for count in counts}


def _step(state: Any, widen: Any, narrow: Any) -> Any:
    """What a layer does beside attention."""
    from torch.nn import functional

    return functional.layer_norm(
        functional.linear(functional.gelu(functional.linear(state, widen)), narrow), state.shape[1:]
    )
