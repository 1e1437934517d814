"""Whether slots read a model as the library does: tried on two prompts before any family not known to is trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grue.engine.slots.attention import UnsupportedAttentionError
from grue.engine.slots.model import SlotModel
from grue.engine.slots.rows import Prompt

# Families whose texts in slots are compared with the library's, prompt by prompt, in the tests.
KNOWN = frozenset({"gpt2", "llama", "t5", "bart"})
PROMPTS = ((5, 9, 6, 11, 7, 10, 8), (7, 5, 12))
WRITTEN = (6, 13, 9)
# Largest difference of logits that rounding explains, as a share of their spread.
TOLERANCES = {"float32": 1e-3, "bfloat16": 0.1, "float16": 0.02}


def check_agreement(model: SlotModel, make_slots: Callable[[], Any], *, start: int | None) -> None:
    """Compare logits of a few steps in slots with those of the library.

    Raises:
        UnsupportedAttentionError: where they differ, or the model cannot be read in slots at all.
    """
    import torch

    base = getattr(model.model, "get_base_model", lambda: model.model)()
    if base.config.model_type in KNOWN:
        return
    with torch.inference_mode():
        expected = [_library(model, prompt, start) for prompt in PROMPTS]
        try:
            found = _slots(model, make_slots())
        except (RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
            raise UnsupportedAttentionError(f"{type(error).__name__}: {error}") from error
    tolerance = TOLERANCES.get(str(model.layout.dtype).removeprefix("torch."), 0.02)
    for wanted, got in zip(expected, found, strict=True):
        spread = float(wanted.max() - wanted.min()) or 1.0
        if not float((wanted - got).abs().max()) / spread <= tolerance:
            raise UnsupportedAttentionError("its logits in slots are not the library's")


def _library(model: SlotModel, prompt: tuple[int, ...], start: int | None) -> Any:
    """Logits after each written token, the prompt read anew every time, shape (steps, vocabulary)."""
    import torch

    rows = []
    for n in range(len(WRITTEN) + 1):
        if model.is_encoder_decoder:
            given = {"input_ids": [list(prompt)], "decoder_input_ids": [[int(start or 0), *WRITTEN[:n]]]}
        else:
            given = {"input_ids": [[*prompt, *WRITTEN[:n]]]}
        tensors = {name: torch.tensor(ids, device=model.device) for name, ids in given.items()}
        rows.append(model.model(**tensors, use_cache=False).logits[0, -1])
    return torch.stack(rows).float()


def _slots(model: SlotModel, slots: Any) -> list[Any]:
    import torch

    found: dict[int, list[Any]] = {0: [], 1: []}
    with model.prepared():
        rows, logits = slots.admit([Prompt(index, prompt) for index, prompt in enumerate(PROMPTS)])
        for token in (*WRITTEN, None):
            for place, row in enumerate(rows):
                found[row.prompt.index].append(logits[place])
                row.ids.append(token)
            if token is not None:
                rows, logits = slots.step()
        slots.drop(list(rows))
    return [torch.stack(found[index]).float() for index in (0, 1)]
