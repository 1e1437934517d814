"""Batches that are decoded together to their end, for models that slots do not take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from grue.core.decoding import Decoding
from grue.core.text import Json
from grue.engine import watchdog
from grue.engine.batching import Budget, Item, batches
from grue.engine.beams import beam_batch, sees_padding
from grue.engine.decode import decode_batch, first_logits
from grue.engine.memory import free_cached, is_out_of_memory
from grue.engine.sampling import RowRandom
from grue.engine.slots.loop import NO_ROOM, Turn
from grue.engine.slots.rows import Ended
from grue.engine.slots.trust import PROMPTS, TOLERANCES
from grue.engine.token_ids import TokenIds


class StaticBatches:
    """Decodes prompts in batches, longest first.

    Where a batch does not fit into memory it is halved, and so are later ones as large.
    """

    def __init__(
        self,
        model: Any,
        decoding: Decoding,
        tokens: TokenIds,
        *,
        is_encoder_decoder: bool,
        text_of: Callable[[Sequence[int]], str],
    ) -> None:
        self._model, self._decoding, self._tokens = model, decoding, tokens
        self._encoder, self._text_of = is_encoder_decoder, text_of
        self._equal_lengths = (decoding.num_beams > 1 and sees_padding(decoding, is_encoder_decoder)) or (
            not is_encoder_decoder and _padding_matters(model, tokens)
        )

    def run(
        self, items: Sequence[Item], budget: Budget, random: Callable[[Item, int], RowRandom] | None
    ) -> Iterator[Turn]:
        """Yield what ends, a batch at a time.

        Args:
            items: What to decode; several draws of a prompt are decoded one after the other.
            budget: Bounds of a batch.
            random: Makes the random numbers of an item's draw; ``None`` where nothing is drawn.
        """
        single = [Item(item.prompt, item.index, (draw,)) for item in items for draw in item.draws]
        decoding = self._decoding
        pending = batches(
            single,
            budget,
            new_tokens=decoding.max_new_tokens,
            beams=decoding.num_beams,
            equal_lengths=self._equal_lengths,
        )
        pending.reverse()
        too_large: int | None = None
        while pending:
            batch = pending.pop()
            size = len(batch) * (batch[0].n_tokens + decoding.max_new_tokens)
            turn = Turn(rows=len(batch) * decoding.num_beams)
            ended: list[Ended] | None = None
            if len(batch) == 1 or too_large is None or size < too_large:
                ended = self._attempt(batch, random)
                if ended is None and len(batch) == 1:
                    # What was freed may be enough now.
                    ended = self._attempt(batch, random)
                if ended is None:
                    turn.events.append(_short(batch))
            if ended is not None:
                turn.ended = ended
                turn.decode_tokens = sum(len(one.ids) for one in ended)
                turn.prefill_tokens = sum(item.n_tokens for item in batch)
                turn.decode_seconds = max(one.seconds for one in ended)
            elif len(batch) == 1:
                turn.ended = [Ended(batch[0].index, batch[0].draws[0], [], "", 0.0, NO_ROOM)]
            else:
                too_large = size if too_large is None else min(size, too_large)
                middle = len(batch) // 2
                pending += [batch[middle:], batch[:middle]]
            yield turn

    def _attempt(self, batch: Sequence[Item], random: Callable[[Item, int], RowRandom] | None) -> list[Ended] | None:
        """Texts of a batch, or ``None`` where memory was short."""
        watchdog.beat("batch", rows=len(batch))
        try:
            prompts = [item.prompt.ids for item in batch]
            if self._decoding.num_beams > 1:
                outputs = beam_batch(
                    self._model,
                    prompts,
                    decoding=self._decoding,
                    tokens=self._tokens,
                    is_encoder_decoder=self._encoder,
                )
            else:
                outputs = decode_batch(
                    self._model,
                    prompts,
                    decoding=self._decoding,
                    tokens=self._tokens,
                    is_encoder_decoder=self._encoder,
                    randoms=None if random is None else [random(item, item.draws[0]) for item in batch],
                    text_of=self._text_of,
                )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            return [
                Ended(item.index, item.draws[0], output.ids, output.finish_reason, output.seconds, output.fault)
                for item, output in zip(batch, outputs, strict=True)
            ]
        # Outside the handler: the error's traceback holds the batch's tensors.
        free_cached()
        return None


def _padding_matters(model: Any, tokens: TokenIds) -> bool:
    """Whether a prompt's logits change with the padding before it, as where states run over it, tried on two prompts.

    Where memory is short for those two, none are put together with padding either.
    """
    try:
        _, padded = first_logits(model, PROMPTS, tokens=tokens, is_encoder_decoder=False)
        [alone] = first_logits(model, PROMPTS[1:], tokens=tokens, is_encoder_decoder=False)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return True
    spread = float(alone.max() - alone.min()) or 1.0
    tolerance = TOLERANCES.get(str(model.dtype).removeprefix("torch."), 0.02)
    return not float((padded - alone).abs().max()) / spread <= tolerance


def _short(batch: Sequence[Item]) -> Mapping[str, Json]:
    return {"kind": "memory_short", "phase": "batch", "rows": len(batch), "prompt_tokens": batch[0].n_tokens}
