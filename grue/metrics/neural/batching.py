"""Texts through a judge: distinct ones, longest together, in batches that fit, looked up before they are computed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Floats
from grue.metrics.neural.cache import lookup, output_key, store

BLOCK_TEXTS = 2_048
MAX_ROWS = 256
CPU_TOKENS = 4_096
GPU_TOKENS = 65_536

Parts = tuple[str, ...]


def judged(
    items: Sequence[Parts], compute: Callable[[Sequence[Parts]], Floats], *, judge: str, settings: str, judging: Judging
) -> Floats:
    """Outputs of a judge, in the order of ``items``, equal ones computed once.

    Args:
        items: What is read, the parts of one text or pair each.
        compute: Outputs of some items, shape (n, width) -> float64.
        judge: The judge's ``key``.
        settings: Whatever else an output depends on.
        judging: Names the cache.

    Returns:
        Shape (n, width); (0, 0) for no items.
    """
    if not items:
        return np.empty((0, 0))
    distinct = sorted(set(items), key=lambda parts: (sum(map(len, parts)), parts))
    place = {parts: index for index, parts in enumerate(distinct)}
    outputs: list[Floats] = []
    for start in range(0, len(distinct), BLOCK_TEXTS):
        outputs.append(_block(distinct[start : start + BLOCK_TEXTS], compute, judge, settings, judging))
    table = np.concatenate(outputs)
    chosen: Floats = table[[place[parts] for parts in items]]
    return chosen


def _block(
    block: Sequence[Parts], compute: Callable[[Sequence[Parts]], Floats], judge: str, settings: str, judging: Judging
) -> Floats:
    if judging.cache is None:
        return compute(block)
    keys = [output_key(judge, settings, parts) for parts in block]
    known = lookup(judging.cache, keys)
    missing = [index for index, key in enumerate(keys) if key not in known]
    if missing:
        computed = compute([block[index] for index in missing])
        fresh = {keys[index]: values for index, values in zip(missing, computed, strict=True)}
        store(judging.cache, fresh)
        known |= fresh
    return np.stack([known[key] for key in keys])


def run_batches(
    lengths: Sequence[int],
    forward: Callable[[list[int]], Floats],
    *,
    width: int,
    batch_tokens: int,
    max_rows: int = MAX_ROWS,
) -> Floats:
    """Run rows through a model, those of like length together.

    A batch that does not fit into memory is halved, and so are those after it.

    Args:
        lengths: Tokens of each row; a row of length 0 is not read and gives NaN.
        forward: Outputs of the rows with these indices, shape (rows, width).
        width: Numbers a row.
        batch_tokens: Padded tokens a batch.
        max_rows: Rows a batch.

    Returns:
        Shape (n, width).
    """
    out = np.full((len(lengths), width), np.nan)
    waiting = sorted((i for i, n in enumerate(lengths) if n), key=lambda i: (lengths[i], i), reverse=True)
    budget = batch_tokens
    while waiting:
        batch = waiting[: max(1, min(max_rows, budget // lengths[waiting[0]]))]
        try:
            out[batch] = forward(batch)
        except (RuntimeError, MemoryError) as error:
            if len(batch) == 1 or not is_out_of_memory(error):
                raise
            budget = lengths[waiting[0]] * (len(batch) // 2)
            _free()
            continue
        del waiting[: len(batch)]
    return out


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def default_batch_tokens(given: int | None, device: str) -> int:
    """The budget that a user gave, or what suits the device."""
    return given or (GPU_TOKENS if device.startswith("cuda") else CPU_TOKENS)


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
