"""Memory that runs short: inside a model's layers, at any allocation, for large steps only, or for one row for ever."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

MESSAGE = "CUDA out of memory. Tried to allocate 2.00 GiB"
# What reads a value back takes no memory of the device.
FREE = ("_local_scalar_dense", "detach", "alias", "item")


def short() -> torch.cuda.OutOfMemoryError:
    """The library's own error."""
    return torch.cuda.OutOfMemoryError(MESSAGE)


class Count:
    """How often memory was short."""

    def __init__(self) -> None:
        self.raised = 0
        self.calls = 0
        self.steps = 0


@contextmanager
def hooked(module: torch.nn.Module, is_short: Callable[[Any, Any], bool]) -> Iterator[Count]:
    """A module whose call raises where ``is_short`` says so of its arguments, positional and named."""
    count = Count()

    def before(_: torch.nn.Module, args: Any, kwargs: Any) -> None:
        count.calls += 1
        if is_short(args, kwargs):
            count.raised += 1
            raise short()

    handle = module.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield count
    finally:
        handle.remove()


def layers(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The blocks of a model, the encoder's too."""
    return [
        module
        for found in model.modules()
        if isinstance(found, torch.nn.ModuleList)
        for module in found
        if any(True for _ in module.parameters()) and not isinstance(module, torch.nn.Linear)
    ]


@contextmanager
def short_layers(model: torch.nn.Module, seed: int, share: float, *, most: int = 40) -> Iterator[Count]:
    """Layers that raise at random; the layers before have written their keys and values by then.

    Nothing is raised in the model's first call, in which an engine learns what it is like.
    """
    rng, total = random.Random(seed), Count()
    begun = itertools.count()
    handles = [model.register_forward_pre_hook(lambda *_: setattr(total, "steps", next(begun)))]

    def before(*_: Any) -> None:
        total.calls += 1
        if total.steps and total.raised < most and rng.random() < share:
            total.raised += 1
            raise short()

    for layer in layers(model):
        handles.append(layer.register_forward_pre_hook(before))
    try:
        yield total
    finally:
        for handle in handles:
            handle.remove()


class _ShortAllocations(TorchDispatchMode):
    def __init__(self, rng: random.Random, share: float, most: int, count: Count) -> None:
        super().__init__()
        self.rng, self.share, self.most, self.count = rng, share, most, count

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.split("::")[1]
        if not (name.endswith("_") or func.is_view or name in FREE):
            self.count.calls += 1
            if self.count.raised < self.most and self.rng.random() < self.share:
                self.count.raised += 1
                raise short()
        return func(*args, **(kwargs or {}))


@contextmanager
def short_allocations(model: torch.nn.Module, seed: int, share: float, *, most: int = 30) -> Iterator[Count]:
    """Any operation that makes a new tensor may raise, the choice of tokens included, after the model's first call."""
    rng, count = random.Random(seed), Count()
    begun: set[int] = set()

    def before(*_: Any) -> None:
        count.steps += 1
        # The mode holds for a thread alone, and the model runs in one of the engine's.
        if count.steps > 1 and threading.get_ident() not in begun:
            begun.add(threading.get_ident())
            _ShortAllocations(rng, share, most, count).__enter__()

    handle = model.register_forward_pre_hook(before)
    try:
        yield count
    finally:
        handle.remove()
