"""Tokens a second of the devices that worked, each phase by itself: how fast they read prompts, how fast they write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Phase = Literal["prefill", "decode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a worker did, as an event tells it.

    Attributes:
        worker: Its name.
        ended: When it was told, in seconds of any clock; the work was done right before.
        prefill: Prompt tokens, and the seconds spent reading them.
        decode: New tokens, and the seconds spent writing them.
    """

    worker: str
    ended: float
    prefill: tuple[int, float]
    decode: tuple[int, float]

    @classmethod
    def of(cls, work: Mapping[str, Any], time: str) -> Done:
        """From an object of an event's ``work`` and the event's time."""
        return cls(
            worker=str(work["worker"]),
            ended=datetime.fromisoformat(time).timestamp(),
            prefill=(int(work["prefill_tokens"]), float(work["prefill_seconds"])),
            decode=(int(work["decode_tokens"]), float(work["decode_seconds"])),
        )

    @property
    def began(self) -> float:
        """When it began, at the latest."""
        return self.ended - self.prefill[1] - self.decode[1]


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a run: what its workers did."""

    done: tuple[Done, ...]

    def lanes(self) -> list[list[Done]]:
        """Workers that ran side by side, a lane each; one that came when another was gone is in the other's lane."""
        workers: dict[str, list[Done]] = {}
        for done in self.done:
            workers.setdefault(done.worker, []).append(done)
        lanes: list[list[Done]] = []
        for own in sorted(workers.values(), key=lambda own: min(done.began for done in own)):
            began = min(done.began for done in own)
            free = next((lane for lane in lanes if max(done.ended for done in lane) <= began), None)
            if free is None:
                lanes.append(own)
            else:
                free += own
        return lanes


def rate(starts: Sequence[Start], phase: Phase) -> float | None:
    """Tokens a second of all devices together, over all starts.

    A lane's speed is its tokens over the seconds it spent in that phase; those of lanes that ran side by side add up to
    the speed of a start; starts follow each other, so their tokens and the times at these speeds are summed.

    Args:
        starts: Of one run, or of parts as if they had followed each other.
        phase: Reading prompts or writing new tokens.

    Returns:
        ``None`` where no work of that phase was timed.
    """
    tokens, seconds = 0, 0.0
    for start in starts:
        speeds, done = 0.0, 0
        for lane in start.lanes():
            amounts = [getattr(one, phase) for one in lane]
            in_lane, took = sum(n for n, s in amounts if s > 0), sum(s for _, s in amounts)
            if in_lane and took > 0:
                speeds += in_lane / took
                done += in_lane
        if done:
            tokens += done
            seconds += done / speeds
    return tokens / seconds if seconds else None
