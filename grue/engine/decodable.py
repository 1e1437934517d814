"""Whether a model can be decoded here at all, seen before its weights are loaded."""

from __future__ import annotations

import inspect
from typing import Any

from grue.core.errors import CheckpointError
from grue.engine.slots.trust import KNOWN

# Where a model hands out what it keeps of what it has read, and takes it back: keys and values, or states.
CACHES = ("past_key_values", "cache_params")
FIX = "Give a model with attention or Mamba layers, or one behind an endpoint: -m openai:NAME --base-url URL."


def forward_of(model: Any) -> Any:
    """The model's own ``forward``, an adapter's wrapping taken off."""
    return getattr(model, "get_base_model", lambda: model)().forward


def cache_of(out: Any) -> tuple[str, Any]:
    """Name and value of what a model kept, by its output; an empty name where it kept nothing."""
    for name in CACHES:
        cache = getattr(out, name, None)
        if cache is not None:
            return name, cache
    return "", None


def no_cache(architecture: str, place: str = "") -> CheckpointError:
    """The refusal of a model that keeps nothing, or keeps it where it cannot be had."""
    return CheckpointError(
        f"{architecture} hands out no cache of what it has read, which --engine hf needs.",
        FIX,
        place=place,
    )


def check_decodable(model: Any, architecture: str, place: str) -> None:
    """Let a decoder-only model that is laid out without weights read one token, and look at what it keeps.

    A model that the library cannot run without its weights is let pass: it is tried when it is decoded.

    Raises:
        CheckpointError: where it cannot read a batch of prompts, or hands out nothing to go on from.
    """
    import torch

    if model.config.model_type in KNOWN:
        return
    accepted = inspect.signature(forward_of(model)).parameters
    # Code of a checkpoint's own may name none of them.
    if "input_ids" in accepted and not any(name in accepted for name in CACHES):
        raise no_cache(architecture, place)
    if "input_ids" in accepted and "attention_mask" not in accepted:
        raise CheckpointError(f"{architecture} takes no mask of padding, which --engine hf needs.", FIX, place=place)
    try:
        with torch.inference_mode():
            out = model.eval()(input_ids=torch.zeros((1, 1), dtype=torch.long, device="meta"), use_cache=True)
    except (RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError, ImportError, AssertionError):
        return
    _, cache = cache_of(out)
    if not hasattr(cache, "reorder_cache"):
        raise no_cache(architecture, place)
