"""Attention over shelves: all rows of a step lie one after the other in a single sequence, and what belongs together
is in the ``Step`` at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grue.engine.slots.shelves import Shelf


class UnsupportedAttentionError(RuntimeError):
    """The model attends in a way that slots do not know."""


class LengthDependentError(UnsupportedAttentionError):
    """What the model writes for a row depends on the length of the rows beside it: each is decoded alone."""


@dataclass(slots=True)
class Group:
    """Places of one shelf that a step reads, and for self-attention writes.

    Attributes:
        shelf: The shelf.
        start: First row of the shelf.
        stop: After the last row of the shelf.
        width: Columns that are read.
        mask: To be added to the scores, shape (rows, 1 or heads, 1, width); ``None`` where every column counts.
        write: Where each row's new token goes, head by head, as an index into (rows x heads x shelf width) of the
            whole shelf.
        queries: Which rows of the step ask, shape (rows x asking,); ``None`` for the next ones in order.
        asking: Rows of the step that ask the same row of the shelf.
        answers: Which of the answers count, and ``None`` for all.
    """

    shelf: Shelf
    start: int
    stop: int
    width: int
    mask: Any
    write: Any = None
    queries: Any = None
    asking: int = 1
    answers: Any = None
    _folded: Any = None

    def folded(self, kept: int, together: int, device: Any) -> Any:
        """The mask for heads that ask ``together``, (rows, kept heads, 1 or tokens, width), for all layers."""
        if self.mask is None:
            return None
        if self._folded is None or self._folded.device != device:
            mask = self.mask.to(device)
            n, heads, _, width = mask.shape
            if heads > 1 and together > 1:
                mask = mask.view(n, kept, together, width).repeat(1, 1, self.asking, 1)
            self._folded = mask.expand(n, kept, mask.shape[2], width).contiguous()
        return self._folded


@dataclass(slots=True)
class Packed:
    """Tokens ``start`` to ``stop`` of a packed sequence, kept in row ``row`` of ``shelf`` from column ``offset`` on."""

    shelf: Shelf
    row: int
    start: int
    stop: int
    offset: int = 0


class Step:
    """One forward pass: which groups its rows attend to.

    Attributes:
        own: Groups of self-attention, in the order of the step's rows.
        cross: Groups of cross-attention; together they answer every row once.
        prompts: Prompts of a packed prefill; then there is no group.
        sources: Encoder outputs whose keys and values come with this step.
    """

    def __init__(
        self,
        *,
        own: Sequence[Group] = (),
        cross: Sequence[Group] = (),
        prompts: Sequence[Packed] = (),
        sources: Sequence[Packed] = (),
    ) -> None:
        self.own = own
        self.cross = cross
        self.prompts = prompts
        self.sources = sources
        self.layer = 0
        self.is_cross = False

    def attend(self, query: Any, key: Any, value: Any, scale: float | None) -> Any:
        """Attention of one layer.

        Args:
            query: Shape (1, heads, rows, width).
            key: New keys, shape (1, key heads, tokens, width); not read where cross-attention has them already.
            value: The same for values.
            scale: Of the scores.

        Returns:
            Shape (1, rows, heads, width).
        """
        if self.prompts:
            return self._prefill(query, key, value, scale)
        if self.is_cross:
            if self.sources:
                self._keep_sources(key, value)
            return self._cross(query, scale)
        return self._own(query, key, value, scale)

    def _prefill(self, query: Any, key: Any, value: Any, scale: float | None) -> Any:
        import torch
        from torch.nn.functional import scaled_dot_product_attention as attention

        n_heads, kept = query.shape[1], key.shape[1]
        out = torch.empty((1, query.shape[2], n_heads, query.shape[3]), dtype=query.dtype, device=query.device)
        for prompt in self.prompts:
            part = slice(prompt.start, prompt.stop)
            end = prompt.offset + prompt.stop - prompt.start
            own_keys, own_values = prompt.shelf.keys[self.layer], prompt.shelf.values[self.layer]
            own_keys[prompt.row, :, prompt.offset : end] = key[0][:, part]
            own_values[prompt.row, :, prompt.offset : end] = value[0][:, part]
            asked, read_keys, read_values = query[:, :, part], key[:, :, part], value[:, :, part]
            mask = None
            if prompt.offset:
                read_keys = own_keys[prompt.row : prompt.row + 1, :, :end]
                read_values = own_values[prompt.row : prompt.row + 1, :, :end]
                mask = torch.ones((end - prompt.offset, end), dtype=torch.bool, device=query.device)
                mask = mask.tril(prompt.offset)
            if n_heads != kept:
                read_keys = read_keys.repeat_interleave(n_heads // kept, dim=1)
                read_values = read_values.repeat_interleave(n_heads // kept, dim=1)
            found = attention(asked, read_keys, read_values, mask, is_causal=mask is None, scale=scale)
            out[:, part] = found.transpose(1, 2)
        return out

    def _own(self, query: Any, key: Any, value: Any, scale: float | None) -> Any:
        rows, keys, values = query[0].transpose(0, 1), key[0].transpose(0, 1), value[0].transpose(0, 1)
        found, begin = [], 0
        for group in self.own:
            end = begin + group.stop - group.start
            own_keys, own_values = group.shelf.keys[self.layer], group.shelf.values[self.layer]
            # Layers may lie on several devices; where it is the same one nothing is copied.
            write = group.write.to(own_keys.device)
            for shelf, new in ((own_keys, keys), (own_values, values)):
                shelf.view(-1, shelf.shape[-1]).index_copy_(0, write, new[begin:end].reshape(-1, new.shape[-1]))
            found.append(_read(group, rows[begin:end].unsqueeze(1), own_keys, own_values, scale))
            begin = end
        return _joined(found)

    def _keep_sources(self, key: Any, value: Any) -> None:
        for source in self.sources:
            length = source.stop - source.start
            source.shelf.keys[self.layer][source.row, :, :length] = key[0][:, source.start : source.stop]
            source.shelf.values[self.layer][source.row, :, :length] = value[0][:, source.start : source.stop]

    def _cross(self, query: Any, scale: float | None) -> Any:
        import torch

        rows = query[0].transpose(0, 1)
        if len(self.cross) == 1 and self.cross[0].queries is None:
            return self._answers(self.cross[0], rows, scale).unsqueeze(0)
        out = torch.empty_like(rows)
        for group in self.cross:
            queries = group.queries.to(rows.device)
            found = self._answers(group, rows.index_select(0, queries), scale)
            if group.answers is None:
                out.index_copy_(0, queries, found)
            else:
                answers = group.answers.to(rows.device)
                out.index_copy_(0, queries[answers], found[answers])
        return out.unsqueeze(0)

    def _answers(self, group: Group, asked: Any, scale: float | None) -> Any:
        keys, values = group.shelf.keys[self.layer], group.shelf.values[self.layer]
        asked = asked.reshape(group.stop - group.start, group.asking, *asked.shape[1:])
        return _read(group, asked, keys, values, scale)


def _read(group: Group, asked: Any, keys: Any, values: Any, scale: float | None) -> Any:
    """Answers to ``asked``, shape (rows, asking, heads, width), as (rows x asking, heads, width)."""
    n, asking, heads, width = asked.shape
    kept = keys.shape[1]
    read_keys = keys[group.start : group.stop, :, : group.width]
    read_values = values[group.start : group.stop, :, : group.width]
    # Heads that share keys ask together, as if they were several tokens of one head.
    together = heads // kept
    asked = (
        asked.view(n, asking, kept, together, width).permute(0, 2, 1, 3, 4).reshape(n, kept, asking * together, width)
    )
    found = _attend(asked, read_keys, read_values, group.folded(kept, together, keys.device), scale)
    found = found.view(n, kept, asking, together, -1).permute(0, 2, 1, 3, 4)
    return found.reshape(n * asking, heads, -1)


def _attend(asked: Any, keys: Any, values: Any, mask: Any, scale: float | None) -> Any:
    """Attention of a few tokens a row, all of shape (rows, heads, tokens or width, head width).

    On a CPU two batches of products and a softmax take up to a fifth less time than the library's kernel, which is
    made for long queries; where a layer's keys exceed the caches both wait for memory.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    if keys.device.type != "cpu" or keys.dtype != torch.float32:
        return scaled_dot_product_attention(asked, keys, values, mask, scale=scale)
    n, heads, tokens, width = asked.shape
    flat_keys, flat_values = keys.flatten(0, 1), values.flatten(0, 1)
    scale = width**-0.5 if scale is None else scale
    queries = asked.reshape(n * heads, tokens, width)
    if mask is None:
        scores = torch.bmm(queries, flat_keys.transpose(1, 2))
        scores = scores.mul_(scale) if scale != 1 else scores
    else:
        scores = torch.baddbmm(mask.flatten(0, 1), queries, flat_keys.transpose(1, 2), alpha=scale)
    return torch.bmm(torch.softmax(scores, -1), flat_values).view(n, heads, tokens, -1)


def _joined(found: Sequence[Any]) -> Any:
    import torch

    return (found[0] if len(found) == 1 else torch.cat(list(found))).unsqueeze(0)
