"""Keys and values of rows that are decoded together, in buffers that are written in place.

A shelf holds rows of about one length, so that attention reads little more than what is there: a row moves to the next
wider shelf when it outgrows its own, and the last row takes the place of one that ends. Buffers are laid out
(layers, 2, rows, heads, width, head width): a row's tokens lie one after the other from column 0, head by head, so that
rows and heads together are one dimension of matrix products.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

# Places that a shelf has at least: growing copies.
FEWEST = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """What a model's layers keep of a token.

    Attributes:
        devices: Device of each layer.
        heads: Key and value heads.
        width: Values a head.
        dtype: Torch's number type.
    """

    devices: tuple[Any, ...]
    heads: int
    width: int
    dtype: Any

    @property
    def token_bytes(self) -> int:
        """Bytes of one token over all layers."""
        return 2 * len(self.devices) * self.heads * self.width * int(self.dtype.itemsize)


@dataclass(slots=True, eq=False)
class Tenant:
    """Something that has a place on a shelf.

    Attributes:
        length: Tokens whose keys and values are there.
        shelf: Where; ``None`` before it is placed.
        slot: Its place, in units of the shelf's lanes.
    """

    length: int = 0
    shelf: Shelf | None = None
    slot: int = -1

    @property
    def home(self) -> Shelf:
        """The shelf of a tenant that has one.

        Raises:
            LookupError: for a tenant without.
        """
        if self.shelf is None:
            raise LookupError("this tenant has no place on a shelf")
        return self.shelf


class Shelf:
    """Rows of at most ``width`` tokens; ``lanes`` rows (the beams of a prompt) share a place and move together.

    Attributes:
        tenants: Who lives here, in the order of the places; places are filled without gaps.
        keys: Of each layer, shape (places x lanes, heads, width, head width).
        values: The same for values.
        version: Changes with every change of ``tenants``.
    """

    def __init__(self, width: int, lanes: int, layout: Layout) -> None:
        self.width = width
        self.lanes = lanes
        self.tenants: list[Any] = []
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.version = 0
        self._layout = layout
        self._places = 0
        self._buffers: list[Any] = []

    @property
    def n_bytes(self) -> int:
        """Bytes of the buffers."""
        return self._places * self.lanes * self.width * self._layout.token_bytes

    def reserve(self, places: int) -> None:
        """Have room for so many places; what is there stays. Raises torch's out-of-memory error, changing nothing."""
        if places <= self._places:
            return
        places = max(places, FEWEST, 2 * self._places)
        layout = self._layout
        grown = []
        for device, n_layers in _runs(layout.devices):
            shape = (n_layers, 2, places * self.lanes, layout.heads, self.width, layout.width)
            grown.append(_zeros(shape, layout.dtype, device))
        used = len(self.tenants) * self.lanes
        for old, new in zip(self._buffers, grown, strict=False):
            new[:, :, :used] = old[:, :, :used]
        self._buffers, self._places = grown, places
        self.keys = [buffer[layer, 0] for buffer in grown for layer in range(buffer.shape[0])]
        self.values = [buffer[layer, 1] for buffer in grown for layer in range(buffer.shape[0])]

    def add(self, tenant: Tenant) -> None:
        """Give a tenant the next place; its content is whatever is written there."""
        self.reserve(len(self.tenants) + 1)
        tenant.shelf, tenant.slot = self, len(self.tenants)
        self.tenants.append(tenant)
        self.version += 1

    def remove(self, tenant: Tenant) -> None:
        """Free a tenant's place; the last tenant moves into it."""
        last = self.tenants.pop()
        if last is not tenant:
            self._copy(last.slot, self, tenant.slot, last.length)
            self.tenants[tenant.slot] = last
            last.slot = tenant.slot
        tenant.shelf, tenant.slot = None, -1
        self.version += 1

    def lift(self, tenant: Tenant, other: Shelf) -> None:
        """Move a tenant with its content to another shelf."""
        other.reserve(len(other.tenants) + 1)
        self._copy(tenant.slot, other, len(other.tenants), tenant.length)
        self.remove(tenant)
        other.add(tenant)

    def clear(self, tenant: Tenant) -> None:
        """Overwrite a tenant's content, so that values that are no numbers do not outlive it."""
        for buffer in self._buffers:
            buffer[:, :, tenant.slot * self.lanes : (tenant.slot + 1) * self.lanes] = 0

    @property
    def heads(self) -> int:
        """Key and value heads."""
        return self._layout.heads

    def fill(self, row: int, source: Shelf, source_row: int, stop: int) -> None:
        """Copy the first ``stop`` columns of one row (not place) from a shelf."""
        for theirs, mine in zip(source._buffers, self._buffers, strict=True):
            mine[:, :, row, :, :stop] = theirs[:, :, source_row, :, :stop]

    def branch(self, moves: Sequence[tuple[int, int]], start: int, stop: int) -> None:
        """Copy columns ``start`` to ``stop`` from rows (not places) to others.

        Args:
            moves: Where from and where to; no row is both.
            start: First column.
            stop: After the last column.
        """
        for buffer in self._buffers:
            for origin, row in moves:
                buffer[:, :, row, :, start:stop] = buffer[:, :, origin, :, start:stop]

    def _copy(self, slot: int, other: Shelf, place: int, stop: int) -> None:
        lanes = self.lanes
        for mine, theirs in zip(self._buffers, other._buffers, strict=True):
            kept = mine[:, :, slot * lanes : (slot + 1) * lanes, :, :stop]
            theirs[:, :, place * lanes : (place + 1) * lanes, :, :stop] = kept


def clear_all(tenants: Sequence[Tenant]) -> None:
    """Overwrite the content of tenants, before any of them moves."""
    for tenant in tenants:
        if tenant.shelf is not None:
            tenant.shelf.clear(tenant)


def remove(tenant: Tenant) -> None:
    """Free a tenant's place, where it has one."""
    if tenant.shelf is not None:
        tenant.shelf.remove(tenant)


@dataclass(slots=True)
class Shelves:
    """Shelves of growing widths for one kind of content.

    Attributes:
        layout: What the layers keep.
        widths: Widths of the shelves, ascending; longer rows get a shelf of exactly their need.
        lanes: Rows that share a place.
    """

    layout: Layout
    widths: tuple[int, ...]
    lanes: int = 1
    _shelves: dict[int, Shelf] = field(default_factory=dict)

    @property
    def used(self) -> list[Shelf]:
        """Shelves with tenants, narrow ones first."""
        return [self._shelves[width] for width in sorted(self._shelves) if self._shelves[width].tenants]

    @property
    def n_bytes(self) -> int:
        """Bytes of all buffers."""
        return sum(shelf.n_bytes for shelf in self._shelves.values())

    def shelf(self, length: int) -> Shelf:
        """The narrowest shelf for a row of so many tokens."""
        width = next((width for width in self.widths if width >= length), length)
        if width not in self._shelves:
            self._shelves[width] = Shelf(width, self.lanes, self.layout)
        return self._shelves[width]

    def place(self, tenant: Tenant, length: int) -> None:
        """Give a tenant a place for so many tokens."""
        self.shelf(length).add(tenant)

    @property
    def tenants(self) -> list[Any]:
        """All tenants, shelf by shelf."""
        return [tenant for shelf in self.used for tenant in shelf.tenants]

    def expect(self, lengths: Iterable[int]) -> None:
        """Have room for tenants of such lengths that are about to come: growing for each copies again and again."""
        for shelf, coming in Counter(map(self.shelf, lengths)).items():
            shelf.reserve(len(shelf.tenants) + coming)

    def make_room(self) -> None:
        """See that every tenant has room for one more token."""
        outgrown = [tenant for tenant in self.tenants if tenant.length >= tenant.shelf.width]
        self.expect(tenant.length + 1 for tenant in outgrown)
        for tenant in outgrown:
            self.widen(tenant, tenant.length + 1)

    def widen(self, tenant: Tenant, length: int) -> None:
        """See that a tenant has room for so many tokens."""
        shelf = tenant.shelf
        if shelf is not None and length > shelf.width:
            shelf.lift(tenant, self.shelf(length))

    def release(self) -> None:
        """Give back the buffers of shelves that nobody uses."""
        for width in [width for width, shelf in self._shelves.items() if not shelf.tenants]:
            del self._shelves[width]


def widths(longest: int, *, on_gpu: bool) -> tuple[int, ...]:
    """Widths of shelves up to what the longest row needs.

    On a GPU each shelf costs a launch a layer and reading padding is cheap: there are few. On a CPU it is the other
    way round.
    """
    found, width = [], 256 if on_gpu else 32
    while width < longest:
        found.append(width)
        width = width * 2 if on_gpu else max(width + 16, width * 4 // 3 // 16 * 16)
    return (*found, longest)


def _zeros(shape: Sequence[int], dtype: Any, device: Any) -> Any:
    """Zeros: what is masked counts 0 times what is there, and 0 times what the memory held may be no number."""
    import torch

    if torch.device(device).type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    import numpy as np

    # From here the system hands out zeroed pages as they are touched, large ones; torch would write them all now.
    n_bytes = math.prod(shape) * int(dtype.itemsize)
    return torch.from_numpy(np.zeros(n_bytes, dtype=np.uint8)).view(dtype).view(shape)


def _runs(devices: Sequence[Any]) -> list[tuple[Any, int]]:
    """Devices with the number of consecutive layers on each."""
    runs: list[tuple[Any, int]] = []
    for device in devices:
        if runs and runs[-1][0] == device:
            runs[-1] = (device, runs[-1][1] + 1)
        else:
            runs.append((device, 1))
    return runs
