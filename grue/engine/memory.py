"""What short memory looks like, and how to get some back."""

from __future__ import annotations

import gc


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was short, and nothing else."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in message or "can't allocate memory" in message or "not enough memory" in message
    )


def free_cached() -> None:
    """Give back what a failed attempt left behind."""
    import torch

    # The younger generations hold what a failed batch left.
    gc.collect(1)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
