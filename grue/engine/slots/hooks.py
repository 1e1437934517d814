"""How the library's models come to attend over shelves.

They call an attention function by the name in their config: ours is registered there, and follows the step of its
thread. They ask a cache for keys: ours keeps none, and tells the step which layer asks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grue.engine.slots.attention import Step, UnsupportedAttentionError
from grue.engine.slots.shelves import Layout

NAME = "grue_slots"
# What other kinds of attention ask for; a model that uses one is decoded without slots.
_FOREIGN = ("softcap", "s_aux", "sinks", "block_table", "indices")
_local = threading.local()


@contextmanager
def taking(step: Step | None) -> Iterator[None]:
    """Have attention in this thread follow a step; ``None`` is the library's own, with the masks it made."""
    before = getattr(_local, "step", None)
    _local.step = step
    try:
        yield
    finally:
        _local.step = before


def register() -> None:
    """Make our attention known to the library under its name; again does nothing."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if NAME not in ALL_ATTENTION_FUNCTIONS.valid_keys():
        ALL_ATTENTION_FUNCTIONS.register(NAME, _attention)


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,  # noqa: ARG001 - the library's shape; what counts is in the step
    dropout: float = 0.0,  # noqa: ARG001
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Any, None]:
    step: Step | None = getattr(_local, "step", None)
    if step is None:
        raise UnsupportedAttentionError(f"{type(module).__name__} attends outside a step")
    foreign = [name for name in _FOREIGN if kwargs.get(name) is not None]
    if foreign:
        raise UnsupportedAttentionError(f"{type(module).__name__} asks for {', '.join(foreign)}")
    return step.attend(query, key, value, scaling), None


def caches(n_layers: int, holder: Holder, *, is_encoder_decoder: bool) -> Any:
    """A cache in the library's shape that keeps nothing itself: it tells the step which layer asks."""
    from transformers.cache_utils import Cache, CacheLayerMixin, EncoderDecoderCache

    class _Layer(CacheLayerMixin):  # type: ignore[misc]
        is_sliding = False

        def __init__(self, layer: int, is_cross: bool) -> None:
            self._layer, self._is_cross = layer, is_cross
            self.is_initialized = True

        def lazy_initialization(self, key_states: Any, value_states: Any) -> None:
            """Nothing: keys and values are on the shelves."""

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:  # noqa: ARG002
            self._ask()
            return key_states, value_states

        def _ask(self) -> None:
            step = _local.step
            step.layer, step.is_cross = self._layer, self._is_cross

        @property
        def keys(self) -> Any:
            self._ask()
            return holder.nothing

        @property
        def values(self) -> Any:
            return holder.nothing

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            return query_length, 0

        def get_seq_length(self) -> Any:
            return holder.past

        def get_max_length(self) -> int:
            return -1

    own = Cache(layers=[_Layer(layer, False) for layer in range(n_layers)])
    if not is_encoder_decoder:
        return own
    return EncoderDecoderCache(own, Cache(layers=[_Layer(layer, True) for layer in range(n_layers)]))


@dataclass(slots=True)
class Holder:
    """What the stand-in cache answers: ``past`` tokens before the step's, and keys of no content."""

    past: Any = 0
    nothing: Any = None


def layout_of(keys: Sequence[Any]) -> Layout:
    """The layout of layers whose keys have the shape (1, heads, tokens, width).

    Raises:
        UnsupportedAttentionError: where the layers differ.
    """
    shapes = {(key.shape[1], key.shape[3], key.dtype) for key in keys}
    if len(shapes) != 1:
        raise UnsupportedAttentionError("layers keep keys of different shapes")
    heads, width, dtype = shapes.pop()
    return Layout(tuple(key.device for key in keys), heads, width, dtype)
