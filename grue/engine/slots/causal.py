"""Decoder-only models in slots: prompts are read packed, without padding, and each row goes on from its slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grue.engine.slots.attention import Packed, Step
from grue.engine.slots.groups import own_groups
from grue.engine.slots.model import SlotModel
from grue.engine.slots.rows import Prompt, Row
from grue.engine.slots.shelves import Shelves, Tenant, clear_all, remove


class CausalSlots:
    """Rows of a decoder-only model.

    Attributes:
        own: Shelves of self-attention.
        start: Tokens that a row's own text begins with: none, the prompt is read as it is.
    """

    start: tuple[int, ...] = ()

    def __init__(self, model: SlotModel, widths: tuple[int, ...], *, lanes: int, make_row: Any = Row) -> None:
        self.model = model
        self.own = Shelves(model.layout, widths, lanes)
        self._lanes = lanes
        self._make_row = make_row
        self._prefix = Tenant()
        self._prefix_shelves = Shelves(model.layout, widths)

    @property
    def n_bytes(self) -> int:
        """Bytes of all buffers."""
        return self.own.n_bytes + self._prefix_shelves.n_bytes

    def share_prefix(self, ids: Sequence[int]) -> None:
        """Read what all prompts begin with once; prompts must be longer than that."""
        self._prefix_shelves.place(self._prefix, len(ids))
        try:
            self._read([(ids, self._prefix, 0)])
        except BaseException:
            self._drop_prefix()
            raise
        self._prefix.length = len(ids)

    def _drop_prefix(self) -> None:
        shelf = self._prefix.shelf
        if shelf is not None:
            shelf.remove(self._prefix)

    def cost(self, prompt: Prompt) -> int:
        """Tokens that are read to admit a prompt."""
        return len(prompt.ids) - self._prefix.length

    def admit(self, prompts: Sequence[Prompt]) -> tuple[list[Row], Any]:
        """Read prompts and give their rows slots.

        Returns:
            The rows, a prompt's together, and logits of their first new tokens, shape (rows, vocabulary).
        """
        import torch

        rows: list[Row] = []
        firsts: list[Row] = []
        skipped = self._prefix.length
        try:
            self.own.expect(len(prompt.ids) + 1 for prompt in prompts for _ in prompt.draws)
            for prompt in prompts:
                for at, draw in enumerate(prompt.draws):
                    row = self._make_row(prompt=prompt, draw=draw)
                    self.own.place(row, len(prompt.ids) + 1)
                    rows.append(row)
                    if at == 0:
                        firsts.append(row)
            if skipped and self._prefix.shelf is not None:
                for row in firsts:
                    row.home.fill(row.slot * self._lanes, self._prefix.shelf, 0, skipped)
            logits = self._read([(row.prompt.ids[skipped:], row, skipped) for row in firsts])
        except BaseException:
            self.drop(rows)
            raise
        origin = firsts[0]
        for row in rows:
            row.length = len(row.prompt.ids)
            origin = row if row.draw == row.prompt.draws[0] else origin
            for lane in range(self._lanes):
                if row is not origin or lane:
                    row.home.fill(row.slot * self._lanes + lane, row.home, origin.slot * self._lanes, row.length)
        if len(rows) > len(firsts):
            places = [place for place, row in enumerate(firsts) for _ in row.prompt.draws]
            logits = logits.index_select(0, torch.tensor(places, device=logits.device))
        return rows, logits

    def order(self) -> list[Row]:
        """Live rows in the order of the next step."""
        return self.own.tenants

    def step(self) -> tuple[list[Row], Any]:
        """Read the last token of every row.

        Returns:
            The rows in order, and logits of their next tokens, shape (rows x lanes, vocabulary).
        """
        import torch

        self.own.make_room()
        rows = self.order()
        device = self.model.device
        groups, positions = own_groups([(shelf, 0) for shelf in self.own.used], device, self.model.layout.dtype)
        ids = torch.tensor([token for row in rows for token in row.next_ids()], device=device)
        every = torch.arange(len(ids), device=device)
        logits = self.model.read(ids, positions, every, Step(own=groups))
        for row in rows:
            row.length += 1
        return rows, logits

    def drop(self, rows: Sequence[Row], *, clear: bool = False) -> None:
        """Free the slots of rows; ``clear`` overwrites what was there."""
        placed = [row for row in rows if row.shelf is not None]
        if clear:
            clear_all(placed)
        for row in placed:
            remove(row)

    def release(self) -> None:
        """Give back buffers that nobody uses."""
        self.own.release()

    def _read(self, texts: Sequence[tuple[Sequence[int], Tenant, int]]) -> Any:
        import torch

        packed: list[Packed] = []
        ids: list[int] = []
        positions: list[int] = []
        last: list[int] = []
        for text, tenant, offset in texts:
            shelf = tenant.home
            packed.append(Packed(shelf, tenant.slot * shelf.lanes, len(ids), len(ids) + len(text), offset))
            ids += text
            positions += range(offset, offset + len(text))
            last.append(len(ids) - 1)
        device = self.model.device
        return self.model.read(
            torch.tensor(ids, device=device),
            torch.tensor(positions, device=device),
            torch.tensor(last, device=device),
            Step(prompts=packed),
        )
