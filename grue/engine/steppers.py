"""A model that reads a batch token by token, with what it keeps of the tokens before."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from grue.engine.decodable import CACHES, cache_of, forward_of, no_cache
from grue.engine.token_ids import TokenIds


def padded(prompts: Sequence[Sequence[int]], pad: int, device: Any, *, left: bool) -> tuple[Any, Any]:
    """Token ids and mask of a batch, shape (n, longest), padded on one side."""
    import torch

    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        place = slice(width - len(prompt), width) if left else slice(0, len(prompt))
        ids[row, place] = torch.tensor(prompt, dtype=torch.long)
        mask[row, place] = 1
    return ids.to(device), mask.to(device)


class CausalStepper:
    """A decoder-only model with its cache; ``mask`` is as wide as prompt and new tokens together."""

    def __init__(self, model: Any, ids: Any, mask: Any, n_new: int) -> None:
        import torch

        self._model = model
        accepted = inspect.signature(forward_of(model)).parameters
        self._cache_name = next((name for name in CACHES if name in accepted), CACHES[0])
        self._knows_positions = "position_ids" in accepted
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._width = ids.shape[1]
        self._lengths = mask.sum(dim=1)
        self._mask = torch.cat([mask, mask.new_ones((mask.shape[0], n_new))], dim=1)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        self._cache: Any = None
        self._forward(ids, positions)

    def _forward(self, ids: Any, positions: Any) -> None:
        extra = {"position_ids": positions} if self._knows_positions else {}
        mask = self._mask[:, : self._width]
        if self._cache is not None:
            extra[self._cache_name] = self._cache
            if self._cache_name == "cache_params":
                # Their mask is that of the tokens being read, none of which is padding.
                mask = None
        out = self._model(input_ids=ids, attention_mask=mask, use_cache=True, **extra, **self._last_only)
        self._cache_name, self._cache = cache_of(out)
        if self._cache is None:
            raise no_cache(type(self._model).__name__)
        self._logits = out.logits[:, -1]

    def logits(self) -> Any:
        """Of the next token, shape (n, vocabulary)."""
        return self._logits

    def keep(self, index: Any) -> None:
        """Go on with these places only."""
        self._cache.reorder_cache(index)
        self._mask, self._lengths = self._mask[index], self._lengths[index]

    def step(self, chosen: Any) -> None:
        """Read one more token a row."""
        positions = self._lengths[:, None]
        self._lengths = self._lengths + 1
        self._width += 1
        self._forward(chosen[:, None], positions)


class Seq2SeqStepper:
    """An encoder-decoder model: the prompt is read once, the decoder has no padding."""

    def __init__(self, model: Any, ids: Any, mask: Any, start: int) -> None:
        self._model = model
        self._mask = mask
        self._hidden = model.get_encoder()(input_ids=ids, attention_mask=mask, return_dict=True)[0]
        self._cache: Any = None
        self._forward(ids.new_full((ids.shape[0], 1), start))

    def _forward(self, ids: Any) -> None:
        from transformers.modeling_outputs import BaseModelOutput

        out = self._model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self._hidden),
            attention_mask=self._mask,
            decoder_input_ids=ids,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = out.past_key_values
        self._logits = out.logits[:, -1]

    def logits(self) -> Any:
        """Of the next token, shape (n, vocabulary)."""
        return self._logits

    def keep(self, index: Any) -> None:
        """Go on with these places only."""
        self._cache.reorder_cache(index)
        self._mask, self._hidden = self._mask[index], self._hidden[index]

    def step(self, chosen: Any) -> None:
        """Read one more token a row."""
        self._forward(chosen[:, None])


def start_causal(model: Any, prompts: Sequence[Sequence[int]], tokens: TokenIds, n_new: int) -> CausalStepper:
    """A decoder-only model that has read a batch of prompts and may write ``n_new`` tokens."""
    ids, mask = padded(prompts, tokens.pad, model.device, left=True)
    return CausalStepper(model, ids, mask, n_new)


def start_seq2seq(model: Any, prompts: Sequence[Sequence[int]], tokens: TokenIds, n_new: int) -> Seq2SeqStepper:  # noqa: ARG001
    """An encoder-decoder model that has read a batch of prompts and its start token."""
    ids, mask = padded(prompts, tokens.pad, model.device, left=False)
    return Seq2SeqStepper(model, ids, mask, int(tokens.decoder_start or 0))
