"""A library model as slots need it: its attention replaced for a while, its keys' shape known, its positions given."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from grue.engine.slots.attention import LengthDependentError, Step, UnsupportedAttentionError
from grue.engine.slots.hooks import NAME, Holder, caches, layout_of, register, taking
from grue.engine.slots.shelves import Layout

PROBE = (5, 7, 6)
# Kinds of rotary positions that are scaled by the length of what is read.
_FOLLOWING = {"dynamic", "longrope"}
_ORIGINAL = "original_max_position_embeddings"


class SlotModel:
    """A model whose attention reads shelves.

    Attributes:
        model: The library's model, as it was given.
        layout: What its layers keep of a token.
        device: Where its inputs go.
        bias: Of self-attention by distance, shape (heads, distances), the same in all layers; ``None`` without.
        cache: A stand-in for the library's cache.
        holder: What the stand-in answers.
    """

    def __init__(self, model: Any, *, is_encoder_decoder: bool, longest: int) -> None:
        import torch

        register()
        self.model = model
        self.is_encoder_decoder = is_encoder_decoder
        self.device = model.device
        base = getattr(model, "get_base_model", lambda: model)()
        self._accepted = inspect.signature(base.forward).parameters
        self._configs = _configs(base)
        self._own_attention = [config._attn_implementation for config in self._configs]
        _refuse_shared_frequencies(base, longest)
        self._biased: list[Any] = []
        self._slow_gelus = [module for module in base.modules() if type(module).__name__ == "NewGELUActivation"]
        with torch.inference_mode():
            self.layout: Layout = self._probed(longest)
        decoder = base.get_decoder() if is_encoder_decoder else base
        self.bias = self._relative_bias(decoder, longest)
        self.holder = Holder(nothing=torch.zeros((1, 1, 1, 1), device=self.device, dtype=self.layout.dtype))
        self.cache = caches(len(self.layout.devices), self.holder, is_encoder_decoder=is_encoder_decoder)
        self._mask = torch.ones((1, 1, 1, 1), dtype=torch.bool, device=self.device)
        self._no_source: Any = None

    def read(self, ids: Any, positions: Any, keep: Any, step: Step) -> Any:
        """Logits of a decoder-only model, shape (kept tokens, vocabulary).

        Args:
            ids: Token ids, shape (tokens,).
            positions: Of each token in its own row, shape (tokens,).
            keep: Which tokens' logits are wanted, ascending.
            step: How they attend.
        """
        with taking(step):
            out = self.model(
                input_ids=ids.unsqueeze(0),
                position_ids=positions.unsqueeze(0),
                past_key_values=self.cache,
                use_cache=True,
                logits_to_keep=keep,
            )
        return out.logits[0]

    def encode(self, ids: Any, mask: Any) -> Any:
        """Encoder states, shape (n, longest, width), with the library's own attention."""
        self._use(None)
        try:
            return self.model.get_encoder()(input_ids=ids, attention_mask=mask, return_dict=True)[0]
        finally:
            self._use(NAME)

    def write(self, ids: Any, positions: Any, states: Any, step: Step) -> Any:
        """Logits of a decoder with cross-attention, shape (rows, vocabulary).

        Args:
            ids: Token ids, shape (rows,).
            positions: Of each token in its own row, shape (rows,).
            states: Encoder states of new sources, packed, shape (tokens, width); ``None`` where there are none.
            step: How the rows attend.
        """
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        if states is None and self._no_source is None:
            width = int(self.model.config.hidden_size)
            self._no_source = torch.zeros((1, 1, width), device=self.device, dtype=self.layout.dtype)
        for layer in range(len(self.layout.devices)):
            self.cache.is_updated[layer] = states is None
        # The library counts a row's position from the tokens before the first of the sequence: so we answer by row.
        self.holder.past = positions - torch.arange(len(positions), device=positions.device)
        with taking(step):
            out = self.model(
                encoder_outputs=BaseModelOutput(
                    last_hidden_state=self._no_source if states is None else states.unsqueeze(0)
                ),
                decoder_input_ids=ids.unsqueeze(0),
                decoder_attention_mask=self._mask,
                past_key_values=self.cache,
                use_cache=True,
            )
        return out.logits[0]

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Our attention inside; afterwards the model is as it was."""
        from torch.nn.functional import gelu

        self._use(NAME)
        for module in self._biased:
            # The step adds the bias itself, row by row; what the library would make of a packed sequence is wrong.
            module.compute_bias = lambda *args, **kwargs: self.holder.nothing  # noqa: ARG005
        for module in self._slow_gelus:
            # The same formula, written there as eight passes over memory.
            module.forward = partial(gelu, approximate="tanh")
        try:
            yield
        finally:
            for module in self._biased:
                del module.compute_bias
            for module in self._slow_gelus:
                del module.forward
            self._use(None)

    def _use(self, name: str | None) -> None:
        for config, own in zip(self._configs, self._own_attention, strict=True):
            config._attn_implementation_internal = name or own

    def _probed(self, longest: int) -> Layout:
        """The layout, from a prompt of a few tokens; refuses models that slots cannot hold."""
        import torch

        if not self.is_encoder_decoder:
            missing = {"position_ids", "logits_to_keep"} - self._accepted.keys()
            if missing:
                raise UnsupportedAttentionError(f"it takes no {', '.join(sorted(missing))}")
        ids = torch.tensor([PROBE], device=self.device)
        given = {"input_ids": ids, "decoder_input_ids": ids[:, :2]} if self.is_encoder_decoder else {"input_ids": ids}
        cache = getattr(self.model(**given, use_cache=True), "past_key_values", None)
        if self.is_encoder_decoder:
            cache = getattr(cache, "self_attention_cache", None)
        layers = getattr(cache, "layers", None)
        if not layers:
            raise UnsupportedAttentionError("it keeps no keys and values")
        for layer in layers:
            window = layer.get_max_length() if hasattr(layer, "get_max_length") else -1
            if not hasattr(layer, "keys") or layer.keys is None or 0 <= window < longest:
                raise UnsupportedAttentionError("a layer looks at a part of the text only")
            if layer.keys.shape != layer.values.shape or layer.keys.dim() != 4:
                raise UnsupportedAttentionError("keys and values differ in shape")
        return layout_of([layer.keys for layer in layers])

    def _relative_bias(self, decoder: Any, longest: int) -> Any:
        import torch

        biases = []
        for module in decoder.modules():
            if getattr(module, "has_relative_attention_bias", False) and hasattr(module, "compute_bias"):
                with torch.inference_mode():
                    # The last of ``longest`` tokens looks back at all of them, the nearest one last.
                    bias = module.compute_bias(1, longest, device=self.device, past_seen_tokens=longest - 1)
                biases.append(bias[0, :, 0].flip(-1).to(self.layout.dtype))
                self._biased.append(module)
        if len(biases) > 1:
            raise UnsupportedAttentionError("layers have biases of their own")
        return biases[0] if biases else None


def _refuse_shared_frequencies(model: Any, longest: int) -> None:
    """Rotary positions whose frequencies follow the longest row at hand make every row depend on the others."""
    for module in model.modules():
        kinds = getattr(module, "rope_type", None)
        kinds = set(kinds.values()) if isinstance(kinds, Mapping) else {kinds}
        if kinds & _FOLLOWING and longest > _first_length(module):
            raise LengthDependentError("its rotary positions change with the longest row beside it")


def _first_length(module: Any) -> int:
    """Tokens up to which the frequencies stay as they are."""
    parameters = getattr(module.config, "rope_parameters", None) or {}
    nested = [one for one in parameters.values() if isinstance(one, Mapping)] or [parameters]
    told = [int(one[_ORIGINAL]) for one in nested if one.get(_ORIGINAL)]
    return min(told, default=int(module.config.max_position_embeddings))


def _configs(model: Any) -> Sequence[Any]:
    found = {id(model.config): model.config}
    for module in model.modules():
        config = getattr(module, "config", None)
        if config is not None and hasattr(config, "_attn_implementation"):
            found[id(config)] = config
    return list(found.values())
