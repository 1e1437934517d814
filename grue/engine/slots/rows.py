"""What is decoded: prompts that wait, rows that write, and sources that encoder-decoder rows read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grue.engine.sampling import RowRandom, Uniform
from grue.engine.slots.shelves import Tenant


class _Undrawn:
    """The random numbers of a text whose tokens are not drawn: there are none."""

    def uniform(self) -> float:
        """Never asked for."""
        raise LookupError("nothing is drawn here")


UNDRAWN = _Undrawn()


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """A prompt that waits for a slot.

    Attributes:
        index: The caller's number.
        ids: Token ids.
        draws: Which texts are to be written.
        randoms: Makes the random numbers of a draw anew; ``None`` where nothing is drawn.
    """

    index: int
    ids: Sequence[int]
    draws: Sequence[int] = (0,)
    randoms: Callable[[int], RowRandom] | None = None


@dataclass(slots=True, eq=False)
class Source(Tenant):
    """An encoder's output for a prompt: keys and values of cross-attention, read by one row or several."""

    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Row(Tenant):
    """One text that is being written.

    Attributes:
        prompt: What it goes on from.
        draw: Which of the prompt's draws.
        ids: New tokens.
        source: What cross-attention reads; ``None`` for decoder-only models.
        started: When its prompt was admitted.
        random: Its random numbers.
    """

    prompt: Prompt = field(default_factory=lambda: Prompt(-1, ()))
    draw: int = 0
    ids: list[int] = field(default_factory=list)
    source: Source | None = None
    started: float = field(default_factory=time.perf_counter)
    random: Uniform = UNDRAWN
    _uniform: float | None = None

    def __post_init__(self) -> None:
        if self.prompt.randoms is not None:
            self.random = self.prompt.randoms(self.draw)

    def uniform(self) -> float:
        """The number in [0, 1) that draws the next token: the same again until that token is written."""
        if self._uniform is None:
            self._uniform = self.random.uniform()
        return self._uniform

    def write(self, token: int) -> None:
        """Append a token."""
        self.ids.append(token)
        self._uniform = None

    def next_ids(self) -> Sequence[int]:
        """Tokens the model reads next, one a lane."""
        return self.ids[-1:]


@dataclass(frozen=True, slots=True)
class Ended:
    """A row that is done: its new tokens, why it ended, and the seconds since its prompt was admitted.

    Attributes:
        index: Of the prompt.
        draw: Of the prompt's draws.
        ids: New tokens, the end token included.
        finish_reason: ``stop`` or ``length``; empty where ``fault`` says why there is no text.
        seconds: Since its prompt was admitted.
        fault: Why the row failed.
    """

    index: int
    draw: int
    ids: list[int]
    finish_reason: str
    seconds: float
    fault: str = ""
