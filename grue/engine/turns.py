"""One job's prompts through the model: in slots where they can hold it, else in batches decoded to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from grue.engine.batching import Budget, Item, common_prefix, longest_first
from grue.engine.estimate import Room
from grue.engine.memory import free_cached, is_out_of_memory
from grue.engine.protocol import Job
from grue.engine.sampling import RowRandom
from grue.engine.slots.attention import LengthDependentError, UnsupportedAttentionError
from grue.engine.slots.loop import Limits, Turn
from grue.engine.slots.rows import Prompt
from grue.engine.slots.session import SlotSession
from grue.engine.static import StaticBatches
from grue.engine.token_ids import TokenIds

# Prompts that are decoded together where that has to be fixed by the job alone.
FIXED_PROMPTS = 32


class Turns:
    """Decodes items of a job.

    Args:
        model: The library's model.
        job: How they are decoded.
        tokens: The checkpoint's own ids.
        is_encoder_decoder: Whether an encoder reads the prompts.
        room: What memory allows.
        row_ids: Of each item's row, for its random numbers.
        text_of: Token ids -> their text.
    """

    def __init__(
        self,
        model: Any,
        job: Job,
        tokens: TokenIds,
        *,
        is_encoder_decoder: bool,
        room: Room,
        row_ids: Sequence[str],
        text_of: Callable[[Sequence[int]], str],
    ) -> None:
        self._model, self._job, self._tokens = model, job, tokens
        self._encoder, self._room, self._row_ids, self._text_of = is_encoder_decoder, room, row_ids, text_of

    def run(self, groups: Sequence[Sequence[Item]], is_stopped: Callable[[], bool]) -> Iterator[Turn]:
        """Yield what ends as it ends; a group begins when the one before is done.

        Args:
            groups: Items; what is decoded together is of one group.
            is_stopped: Asked between steps.
        """
        items = [item for group in groups for item in group]
        if not items:
            return
        try:
            session = self._session(items)
        except UnsupportedAttentionError as error:
            yield Turn(events=[{"kind": "static_batches", "reason": str(error)}])
            rows = 1 if isinstance(error, LengthDependentError) else self._room.static_rows
            yield from self._static(groups, rows, is_stopped)
            return
        limits = self._limits()
        shared = self._shared_prefix(items)
        for group in groups:
            yield from self._named(group)
            # Which groups are left must not matter where a group's numbers are fixed.
            prefix = self._shared_prefix(group) if self._job.deterministic else shared
            prompts = [Prompt(item.index, item.prompt.ids, item.draws, self._randoms(item)) for item in group]
            yield from session.run(prompts, limits, shared_prefix=prefix, is_stopped=is_stopped)

    def _session(self, items: Sequence[Item]) -> SlotSession:
        try:
            return SlotSession(
                self._model,
                self._job.decoding,
                self._tokens,
                is_encoder_decoder=self._encoder,
                longest_prompt=max(item.n_tokens for item in items),
                text_of=self._text_of,
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        free_cached()
        raise UnsupportedAttentionError("not even a few tokens fit into the memory of the device")

    def _shared_prefix(self, items: Sequence[Item]) -> int:
        return 0 if self._encoder else common_prefix([item.prompt.ids for item in items])

    def _named(self, group: Sequence[Item]) -> Iterator[Turn]:
        """Where composition is fixed, the events say what it was."""
        if self._job.deterministic:
            yield Turn(events=[{"kind": "fixed_batch", "rows": [self._row_ids[item.index] for item in group]}])

    def _limits(self) -> Limits:
        beams = self._job.decoding.num_beams
        return Limits(self._room.rows * beams, self._room.tokens, self._room.prefill_tokens)

    def _static(self, groups: Sequence[Sequence[Item]], rows: int, is_stopped: Callable[[], bool]) -> Iterator[Turn]:
        batches = StaticBatches(
            self._model,
            self._job.decoding,
            self._tokens,
            is_encoder_decoder=self._encoder,
            text_of=self._text_of,
        )
        random = self._random if self._job.decoding.do_sample else None
        for group in groups:
            yield from self._named(group)
            for turn in batches.run(group, Budget(rows, self._room.tokens), random):
                yield turn
                if is_stopped():
                    return

    def _random(self, item: Item, draw: int) -> RowRandom:
        return RowRandom(self._job.seed, self._row_ids[item.index], draw)

    def _randoms(self, item: Item) -> Callable[[int], RowRandom] | None:
        if not self._job.decoding.do_sample:
            return None
        return lambda draw: self._random(item, draw)


def fixed_groups(items: Sequence[Item]) -> list[list[Item]]:
    """Groups that depend on the items alone."""
    ordered = longest_first(items)
    return [ordered[start : start + FIXED_PROMPTS] for start in range(0, len(ordered), FIXED_PROMPTS)]
