"""Encoder-decoder models in slots: prompts are encoded in batches of one length, then each row writes in its slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grue.engine.slots.attention import Packed, Step
from grue.engine.slots.groups import CrossGroups, own_groups
from grue.engine.slots.model import SlotModel
from grue.engine.slots.rows import Prompt, Row, Source
from grue.engine.slots.shelves import Shelf, Shelves, clear_all, remove

# Padded tokens of a batch of the encoder over its real ones.
PADDING = 1.1


class Seq2SeqSlots:
    """Rows of an encoder-decoder model.

    Attributes:
        own: Shelves of self-attention.
        start: Tokens that a row's own text begins with: the decoder's start.
    """

    def __init__(
        self,
        model: SlotModel,
        widths: tuple[int, ...],
        source_widths: tuple[int, ...],
        *,
        start: int,
        pad: int,
        lanes: int,
        make_row: Any = Row,
    ) -> None:
        self.model = model
        self.start = (start,)
        self.own = Shelves(model.layout, widths, lanes)
        self._sources = Shelves(model.layout, source_widths)
        self._cross = CrossGroups(model.device, model.layout.dtype)
        self._pad, self._lanes, self._make_row = pad, lanes, make_row

    @property
    def n_bytes(self) -> int:
        """Bytes of all buffers."""
        return self.own.n_bytes + self._sources.n_bytes

    def cost(self, prompt: Prompt) -> int:
        """Tokens that are read to admit a prompt."""
        return len(prompt.ids)

    def admit(self, prompts: Sequence[Prompt]) -> tuple[list[Row], Any]:
        """Encode prompts and give their rows slots.

        Returns:
            The rows, a prompt's together, and logits of their first new tokens, shape (rows, vocabulary).
        """
        states = self._encoded(prompts)
        rows: list[Row] = []
        spans: dict[Shelf, int] = {}
        source_spans: dict[Shelf, int] = {}
        sources: list[Source] = []
        packed, begin = [], 0
        try:
            self._sources.expect(len(prompt.ids) for prompt in prompts)
            self.own.expect(1 for prompt in prompts for _ in prompt.draws)
            for prompt in prompts:
                source = Source()
                shelf = self._sources.shelf(len(prompt.ids))
                source_spans.setdefault(shelf, len(shelf.tenants))
                shelf.add(source)
                sources.append(source)
                packed.append(Packed(shelf, source.slot, begin, begin + len(prompt.ids)))
                begin += len(prompt.ids)
                source.length = len(prompt.ids)
                for draw in prompt.draws:
                    row = self._make_row(prompt=prompt, draw=draw, source=source)
                    source.rows.append(row)
                    rows.append(row)
                    own = self.own.shelf(1)
                    spans.setdefault(own, len(own.tenants))
                    own.add(row)
            logits = self._write(list(spans.items()), list(source_spans.items()), states, packed)
        except BaseException:
            self.drop(rows)
            for source in sources:
                if source.shelf is not None:
                    source.shelf.remove(source)
            raise
        return rows, logits[:: self._lanes] if self._lanes > 1 else logits

    def order(self) -> list[Row]:
        """Live rows in the order of the next step."""
        return self.own.tenants

    def step(self) -> tuple[list[Row], Any]:
        """Read the last token of every row.

        Returns:
            The rows in order, and logits of their next tokens, shape (rows x lanes, vocabulary).
        """
        self.own.make_room()
        rows = self.order()
        spans = [(shelf, 0) for shelf in self.own.used]
        return rows, self._write(spans, [(shelf, 0) for shelf in self._sources.used], None, ())

    def drop(self, rows: Sequence[Row], *, clear: bool = False) -> None:
        """Free the slots of rows, and of sources that nobody reads any more; ``clear`` overwrites what was there."""
        placed = [row for row in rows if row.shelf is not None]
        unread: list[Source] = []
        for row in rows:
            source, row.source = row.source, None
            if source is not None:
                source.rows.remove(row)
                if not source.rows and source.shelf is not None:
                    unread.append(source)
        if clear:
            clear_all([*placed, *unread])
        for tenant in (*placed, *unread):
            remove(tenant)

    def release(self) -> None:
        """Give back buffers that nobody uses."""
        self.own.release()
        self._sources.release()

    def _write(
        self,
        spans: Sequence[tuple[Shelf, int]],
        source_spans: Sequence[tuple[Shelf, int]],
        states: Any,
        packed: Sequence[Packed],
    ) -> Any:
        import torch

        rows = [row for shelf, first in spans for row in shelf.tenants[first:]]
        device, dtype = self.model.device, self.model.layout.dtype
        groups, positions = own_groups(spans, device, dtype, self.model.bias)
        cross = self._cross.groups(
            source_spans, {row: place * self._lanes for place, row in enumerate(rows)}, self._lanes
        )
        ids = torch.tensor(
            [token for row in rows for token in (row.next_ids() or self.start * self._lanes)], device=device
        )
        logits = self.model.write(ids, positions, states, Step(own=groups, cross=cross, sources=packed))
        for row in rows:
            row.length += 1
        return logits

    def _encoded(self, prompts: Sequence[Prompt]) -> Any:
        """States of all prompts, packed in their order, shape (tokens, width)."""
        import torch

        device = self.model.device
        order = sorted(range(len(prompts)), key=lambda at: -len(prompts[at].ids))
        states: list[Any] = [None] * len(prompts)
        for group in _alike(order, [len(prompt.ids) for prompt in prompts]):
            lengths = [len(prompts[at].ids) for at in group]
            width = lengths[0]
            ids = torch.full((len(group), width), self._pad, dtype=torch.long)
            for row, at in enumerate(group):
                ids[row, : lengths[row]] = torch.tensor(prompts[at].ids, dtype=torch.long)
            mask = None
            if lengths[-1] < width:
                mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long().to(device)
            out = self.model.encode(ids.to(device), mask)
            for row, at in enumerate(group):
                states[at] = out[row, : lengths[row]]
        return torch.cat(states)


def _alike(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Prompts of falling length in groups that need little padding."""
    groups: list[list[int]] = []
    real = 0
    for at in order:
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= PADDING * (real + lengths[at]):
            groups[-1].append(at)
            real += lengths[at]
        else:
            groups.append([at])
            real = lengths[at]
    return groups
