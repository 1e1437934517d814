"""The decode loop: greedy and sampled, both architectures, rows that are done leave the batch.

Prompts of a decoder-only model are aligned right with explicit positions, so that a row's numbers do not depend on
its neighbours. The logits processors are the library's (transformers); the loop is ours because the library's own
draws from one generator for the whole batch, and shows its repetition penalty the padding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from grue.core.decoding import Decoding
from grue.engine.sampling import RowRandom, draw
from grue.engine.scores import NOT_NUMBERS, processed, warped
from grue.engine.steppers import start_causal, start_seq2seq
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
        start = start_seq2seq if is_encoder_decoder else start_causal
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

    start = start_seq2seq if is_encoder_decoder else start_causal
    with torch.inference_mode():
        return start(model, prompts, tokens, 1).logits().float()


def _finished(ids: Sequence[int], token: int, tokens: TokenIds, decoding: Decoding, stops: Stops) -> str:
    if token in tokens.ends or stops.met(ids):
        return "stop"
    return "length" if len(ids) >= decoding.max_new_tokens else ""
