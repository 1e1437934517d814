"""The decode loop: greedy and sampled, both architectures, rows that are done leave the batch.

Prompts of a decoder-only model are aligned right with explicit positions, so that a row's numbers do not depend on
its neighbours. The logits processors are the library's (transformers); the loop is ours because the library's own
draws from one generator for the whole batch, and shows its repetition penalty the padding.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError
from grue.engine.sampling import RowRandom, draw
from grue.engine.scores import NOT_NUMBERS, processed, warped
from grue.engine.stops import Stops
from grue.engine.token_ids import TokenIds

# The cache is copied when rows leave; below this share of live rows that is worth it.
COMPACT_FRACTION = 0.75


@dataclass(slots=True)
class Output:
    """New tokens of a row, the end token included; ``seconds`` from the batch's start to the last of them.

    ``fault`` says why the row has no text.
    """

    ids: list[int] = field(default_factory=list)
    finish_reason: str = ""
    seconds: float = 0.0
    fault: str = ""


def decode_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    decoding: Decoding,
    tokens: TokenIds,
    is_encoder_decoder: bool,
    randoms: list[RowRandom] | None,
    text_of: Callable[[Sequence[int]], str],
) -> list[Output]:
    """Decode a batch, greedy or (with ``randoms``, one a row) sampled.

    Returns:
        Outputs in the order of ``prompts``.
    """
    import torch

    started = time.perf_counter()
    with torch.inference_mode():
        start = _start_seq2seq if is_encoder_decoder else _start_causal
        stepper = start(model, prompts, tokens, decoding.max_new_tokens)
        outputs = [Output() for _ in prompts]
        stops = Stops(decoding.stop, text_of)
        live = list(range(len(prompts)))  # the row of each place in the batch
        contexts: list[list[int]] = [
            [int(tokens.decoder_start or 0)] if is_encoder_decoder else list(prompt) for prompt in prompts
        ]
        for step in range(decoding.max_new_tokens):
            logits = stepper.logits()
            scores = processed(logits, decoding, tokens, [contexts[row] for row in live], [step] * len(live))
            sound = logits.max(dim=-1).values.isfinite().tolist()
            if randoms is None:
                chosen = scores.argmax(dim=-1)
            else:
                chosen = draw(warped(scores, decoding), [randoms[row] for row in live])
            for place, token in enumerate(chosen.tolist()):
                output = outputs[live[place]]
                if output.finish_reason or output.fault:
                    continue
                output.fault = "" if sound[place] else NOT_NUMBERS
                output.ids.append(token)
                contexts[live[place]].append(token)
                output.finish_reason = _finished(output.ids, token, tokens, decoding, stops)
                output.seconds = time.perf_counter() - started
            kept = [place for place, row in enumerate(live) if not (outputs[row].finish_reason or outputs[row].fault)]
            if not kept:
                break
            if len(kept) <= COMPACT_FRACTION * len(live):
                index = torch.tensor(kept, device=chosen.device)
                stepper.keep(index)
                chosen, live = chosen[index], [live[place] for place in kept]
            stepper.step(chosen)
    return outputs


def first_logits(model: Any, prompts: Sequence[Sequence[int]], *, tokens: TokenIds, is_encoder_decoder: bool) -> Any:
    """Logits of the first new token as a batch gives them, shape (n, vocabulary), float32."""
    import torch

    start = _start_seq2seq if is_encoder_decoder else _start_causal
    with torch.inference_mode():
        return start(model, prompts, tokens, 1).logits().float()


def _finished(ids: Sequence[int], token: int, tokens: TokenIds, decoding: Decoding, stops: Stops) -> str:
    if token in tokens.ends or stops.met(ids):
        return "stop"
    return "length" if len(ids) >= decoding.max_new_tokens else ""


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


class _CausalStepper:
    """A decoder-only model with its cache; ``mask`` is as wide as prompt and new tokens together."""

    def __init__(self, model: Any, ids: Any, mask: Any, n_new: int) -> None:
        import torch

        self._model = model
        accepted = inspect.signature(getattr(model, "get_base_model", lambda: model)().forward).parameters
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
        out = self._model(
            input_ids=ids,
            attention_mask=self._mask[:, : self._width],
            past_key_values=self._cache,
            use_cache=True,
            **extra,
            **self._last_only,
        )
        self._cache = getattr(out, "past_key_values", None)
        if self._cache is None:
            raise CheckpointError(
                f"{type(self._model).__name__} keeps no cache of keys and values, which --engine hf needs.",
                "Give a model with attention layers.",
            )
        self._logits = out.logits[:, -1]

    def logits(self) -> Any:
        """Of the next token, shape (n, vocabulary)."""
        return self._logits

    def keep(self, index: Any) -> None:
        """Go on with these places only."""
        self._cache.batch_select_indices(index)
        self._mask, self._lengths = self._mask[index], self._lengths[index]

    def step(self, chosen: Any) -> None:
        """Read one more token a row."""
        positions = self._lengths[:, None]
        self._lengths = self._lengths + 1
        self._width += 1
        self._forward(chosen[:, None], positions)


class _Seq2SeqStepper:
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
        self._cache.batch_select_indices(index)
        self._mask, self._hidden = self._mask[index], self._hidden[index]

    def step(self, chosen: Any) -> None:
        """Read one more token a row."""
        self._forward(chosen[:, None])


def _start_causal(model: Any, prompts: Sequence[Sequence[int]], tokens: TokenIds, n_new: int) -> _CausalStepper:
    ids, mask = padded(prompts, tokens.pad, model.device, left=True)
    return _CausalStepper(model, ids, mask, n_new)


def _start_seq2seq(model: Any, prompts: Sequence[Sequence[int]], tokens: TokenIds, n_new: int) -> _Seq2SeqStepper:  # noqa: ARG001
    ids, mask = padded(prompts, tokens.pad, model.device, left=False)
    return _Seq2SeqStepper(model, ids, mask, int(tokens.decoder_start or 0))
