"""Token ids of a checkpoint that steer decoding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIds:
    """Token ids of a checkpoint that steer decoding; ``forced_first`` is a first new token it always writes."""

    ends: tuple[int, ...]
    pad: int
    decoder_start: int | None
    forced_first: int | None
