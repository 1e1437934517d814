"""Models larger than one GPU: their layers spread over all of them, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from grue.core.errors import CheckpointError

# As ``--device`` takes it.
SPREAD = "spread"
# Share of a GPU's free memory for weights; keys and values of what is written, and what a layer works with, need the
# rest.
WEIGHTS_FRACTION = 0.8


def free_gpus() -> dict[int, int]:
    """Bytes that are free on each GPU, by number."""
    import torch

    return {number: int(torch.cuda.mem_get_info(number)[0]) for number in range(torch.cuda.device_count())}


def spread_layers(model: Any, free: Mapping[int, int], dtype: Any, place: str) -> dict[str, int]:
    """Where each module lies: layers whole and in order, about as much on every device.

    Args:
        model: The model laid out without its weights.
        free: Bytes that are free on each device, by number.
        dtype: Torch's number type of the weights.
        place: The checkpoint, for messages.

    Returns:
        The library's ``device_map``.

    Raises:
        CheckpointError: where the devices together cannot hold it; nothing is put on the CPU or the disk, where a
            token would take seconds.
    """
    from accelerate.utils import get_balanced_memory, infer_auto_device_map

    model.tie_weights()
    whole = list(getattr(model, "_no_split_modules", None) or ())
    for balanced in (True, False):
        # Evenly first; a model that fits only without gaps fills one device after the other.
        room: Any = {number: int(n_bytes * WEIGHTS_FRACTION) for number, n_bytes in free.items()}
        if balanced:
            room = get_balanced_memory(model, max_memory=room, no_split_module_classes=whole, dtype=dtype)
        found = infer_auto_device_map(model, max_memory=room, no_split_module_classes=whole, dtype=dtype)
        if all(device in free for device in found.values()):
            return {str(name): int(device) for name, device in found.items()}
    size = sum(parameter.numel() for parameter in model.parameters()) * dtype.itemsize
    raise CheckpointError(
        f"The weights take {size / 1e9:.1f} GB, and {len(free)} GPUs have {sum(free.values()) / 1e9:.1f} GB free.",
        "Give --dtype bfloat16, or more GPUs.",
        place=place,
    )


def layers_by_device(model: Any) -> dict[str, int]:
    """How many layers that keep keys and values lie on each device of a model that is spread."""
    stacks = [
        list(module.children())
        for name, module in model.named_modules()
        if type(module).__name__ == "ModuleList"
        # Lists inside a layer are its own parts, and an encoder keeps nothing.
        and not any(part.isdigit() or part == "encoder" for part in name.split("."))
    ]
    return dict(Counter(str(next(layer.parameters()).device) for layer in max(stacks, key=len)))
