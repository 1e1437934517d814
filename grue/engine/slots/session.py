"""Slots for one job: the model taken in, checked, and its prompts decoded to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from grue.core.decoding import Decoding
from grue.engine.memory import free_cached, is_out_of_memory
from grue.engine.slots.attention import UnsupportedAttentionError
from grue.engine.slots.beam_writer import BeamRow, BeamWriter
from grue.engine.slots.causal import CausalSlots
from grue.engine.slots.choose import Chooser
from grue.engine.slots.loop import Limits, Loop, Turn, Writer
from grue.engine.slots.model import SlotModel
from grue.engine.slots.rows import Prompt, Row
from grue.engine.slots.seq2seq import Seq2SeqSlots
from grue.engine.slots.shelves import widths
from grue.engine.slots.trust import check_agreement
from grue.engine.slots.writer import TextWriter
from grue.engine.stops import Stops
from grue.engine.token_ids import TokenIds

# Tokens that all prompts begin with, from which on reading them once pays for the copying.
SHARED_PREFIX = 24


class SlotSession:
    """Decodes prompts of one job in slots.

    Args:
        model: The library's model.
        decoding: Generation settings.
        tokens: The checkpoint's own ids.
        is_encoder_decoder: Whether an encoder reads the prompts.
        longest_prompt: Tokens of the longest prompt.
        text_of: Token ids -> their text.

    Raises:
        UnsupportedAttentionError: where slots cannot hold the model; it says why.
    """

    def __init__(
        self,
        model: Any,
        decoding: Decoding,
        tokens: TokenIds,
        *,
        is_encoder_decoder: bool,
        longest_prompt: int,
        text_of: Callable[[Sequence[int]], str],
    ) -> None:
        self._decoding, self._tokens = decoding, tokens
        self._encoder = is_encoder_decoder
        self._longest_prompt = longest_prompt
        self._longest = (0 if is_encoder_decoder else longest_prompt) + decoding.max_new_tokens + 1
        self._stops = Stops(decoding.stop, text_of)
        try:
            self.model = SlotModel(model, is_encoder_decoder=is_encoder_decoder, longest=self._longest)
        except (TypeError, ValueError, AttributeError, KeyError, IndexError, NotImplementedError) as error:
            # Modules of families that nobody has seen are looked into: what they lack or do another way shows as any
            # of these, and batches that are decoded to their end ask less of them.
            raise UnsupportedAttentionError(f"{type(error).__name__}: {error}") from error
        check_agreement(self.model, lambda: self._slots(1), start=tokens.decoder_start)

    def run(
        self, prompts: Sequence[Prompt], limits: Limits, *, shared_prefix: int, is_stopped: Callable[[], bool]
    ) -> Iterator[Turn]:
        """Decode prompts, in their order.

        Args:
            prompts: What is decoded.
            limits: Bounds of what is held at once.
            shared_prefix: Tokens that all prompts begin with.
            is_stopped: Asked between steps.
        """
        import torch

        with self.model.prepared(), torch.inference_mode():
            beams = self._decoding.num_beams
            slots = self._slots(beams)
            if shared_prefix >= SHARED_PREFIX and len(prompts) > 2 and isinstance(slots, CausalSlots):
                _share(slots, prompts[0].ids[:shared_prefix])
            writer: Writer
            if beams > 1:
                writer = BeamWriter(self._decoding, self._tokens, slots.start, reads_prompt=not self._encoder)
            else:
                chooser = Chooser(self._decoding, self._tokens, slots.start, reads_prompt=not self._encoder)
                writer = TextWriter(chooser, self._decoding, self._tokens, self._stops)
            loop = Loop(slots, writer, limits, most_new_tokens=self._decoding.max_new_tokens, is_stopped=is_stopped)
            yield from loop.run(prompts)

    def _slots(self, lanes: int) -> CausalSlots | Seq2SeqSlots:
        on_gpu = self.model.device.type != "cpu"
        own = widths(self._longest, on_gpu=on_gpu)
        make_row = BeamRow if lanes > 1 else Row
        if not self._encoder:
            return CausalSlots(self.model, own, lanes=lanes, make_row=make_row)
        return Seq2SeqSlots(
            self.model,
            own,
            widths(self._longest_prompt, on_gpu=on_gpu),
            start=int(self._tokens.decoder_start or 0),
            pad=self._tokens.pad,
            lanes=lanes,
            make_row=make_row,
        )


def _share(slots: CausalSlots, prefix: Sequence[int]) -> None:
    """Read what all prompts begin with; where memory is short each prompt reads it by itself."""
    try:
        slots.share_prefix(prefix)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return
    free_cached()
