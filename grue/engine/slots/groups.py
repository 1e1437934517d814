"""Which rows of a step read which part of which shelf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grue.engine.slots.attention import Group
from grue.engine.slots.rows import Row, Source
from grue.engine.slots.shelves import Shelf


def own_groups(
    spans: Sequence[tuple[Shelf, int]], device: Any, dtype: Any, bias: Any = None
) -> tuple[list[Group], Any]:
    """Groups of self-attention for one new token a row.

    Args:
        spans: Shelves with the first place that takes part; the places after it all do.
        device: Of indices and masks.
        dtype: Of masks.
        bias: By distance, shape (heads, distances); ``None`` for models without.

    Returns:
        The groups, and the position of each row's new token, shape (rows,).
    """
    import torch

    groups, positions = [], []
    for shelf, first in spans:
        lengths = [tenant.length for tenant in shelf.tenants[first:] for _ in range(shelf.lanes)]
        start, stop = first * shelf.lanes, len(shelf.tenants) * shelf.lanes
        at = torch.tensor(lengths, device=device)
        width = max(lengths) + 1
        mask = None
        if bias is not None or min(lengths) + 1 < width:
            distance = at[:, None] - torch.arange(width, device=device)
            hidden = (distance < 0)[:, None, None]
            if bias is None:
                mask = torch.zeros((len(lengths), 1, 1, width), device=device, dtype=dtype)
            else:
                mask = bias[:, distance.clamp(min=0)].transpose(0, 1).unsqueeze(2)
            mask = mask.masked_fill(hidden, float("-inf"))
        lines = torch.arange(start * shelf.heads, stop * shelf.heads, device=device).view(-1, shelf.heads)
        write = (lines * shelf.width + at[:, None]).view(-1)
        groups.append(Group(shelf, start, stop, width, mask, write))
        positions.append(at)
    return groups, positions[0] if len(positions) == 1 else torch.cat(positions)


class CrossGroups:
    """Groups of cross-attention; masks of a shelf are kept while its sources stay."""

    def __init__(self, device: Any, dtype: Any) -> None:
        self._device, self._dtype = device, dtype
        self._masks: dict[int, tuple[tuple[int, int, int], Any]] = {}

    def groups(self, spans: Sequence[tuple[Shelf, int]], places: Mapping[Row, int], lanes: int) -> list[Group]:
        """Groups for the rows of a step.

        Args:
            spans: Shelves of sources with the first place that takes part.
            places: Row -> its first row in the step; rows that take no part are not in it.
            lanes: Rows of the step that each of them is (its beams).
        """
        import torch

        groups = []
        for shelf, first in spans:
            sources: list[Source] = shelf.tenants[first:]
            asking = [[places[row] + lane for row in source.rows for lane in range(lanes)] for source in sources]
            most = max(map(len, asking))
            queries = [place for ask in asking for place in (*ask, *[ask[0]] * (most - len(ask)))]
            answers = None
            if any(len(ask) < most for ask in asking):
                counted = [at < len(ask) for ask in asking for at in range(most)]
                answers = torch.tensor(counted, device=self._device).nonzero()[:, 0]
            ordered = len(spans) == 1 and answers is None and queries == list(range(len(queries)))
            width = max(source.length for source in sources)
            groups.append(
                Group(
                    shelf,
                    first,
                    len(shelf.tenants),
                    width,
                    self._mask(shelf, first, sources, width),
                    queries=None if ordered else torch.tensor(queries, device=self._device),
                    asking=most,
                    answers=answers,
                )
            )
        return groups

    def _mask(self, shelf: Shelf, first: int, sources: Sequence[Source], width: int) -> Any:
        import torch

        if all(source.length == width for source in sources):
            return None
        key = (shelf.version, first, width)
        known = self._masks.get(shelf.width)
        if known is not None and known[0] == key:
            return known[1]
        lengths = torch.tensor([source.length for source in sources], device=self._device)
        hidden = torch.arange(width, device=self._device) >= lengths[:, None]
        mask = torch.zeros((len(sources), 1, 1, width), device=self._device, dtype=self._dtype)
        mask = mask.masked_fill(hidden[:, None, None], float("-inf"))
        self._masks[shelf.width] = (key, mask)
        return mask
