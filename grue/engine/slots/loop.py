"""The schedule: admit prompts while there is room, read all rows, free what ended, and go on where memory is short."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from grue.core.text import Json
from grue.engine import watchdog
from grue.engine.memory import free_cached, is_out_of_memory
from grue.engine.slots.rows import Ended, Prompt, Row

NO_ROOM = "it did not fit into the memory of the device"
# Steps without short memory after which more rows are tried again.
GROW_AFTER = 32
# Share of the slots that are free before more prompts are read: a few at once are cheaper than one by one.
REFILL = 1 / 16


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is held at once.

    Attributes:
        rows: Rows, a prompt's draws and beams each counted.
        tokens: Tokens whose keys and values are held, a row's longest text counted.
        prefill_tokens: Tokens of the prompts that are read together.
    """

    rows: int
    tokens: int
    prefill_tokens: int


class Slots(Protocol):
    """Where rows live: ``CausalSlots`` or ``Seq2SeqSlots``."""

    @property
    def n_bytes(self) -> int: ...  # noqa: D102

    def cost(self, prompt: Prompt) -> int: ...  # noqa: D102 - documented where it is done
    def admit(self, prompts: Sequence[Prompt]) -> tuple[list[Row], Any]: ...  # noqa: D102
    def step(self) -> tuple[list[Row], Any]: ...  # noqa: D102
    def order(self) -> list[Row]: ...  # noqa: D102
    def drop(self, rows: Sequence[Row], *, clear: bool = False) -> None: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


class Writer(Protocol):
    """Who turns logits into texts."""

    lanes: int

    def take(self, rows: Sequence[Any], logits: Any) -> list[tuple[Row, Ended]]:
        """Append tokens; the rows that are done."""
        ...


@dataclass(slots=True)
class Turn:
    """What came of a part of the schedule; times and tokens as ``Work`` has them."""

    ended: list[Ended] = field(default_factory=list)
    events: list[Mapping[str, Json]] = field(default_factory=list)
    prefill_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_tokens: int = 0
    decode_seconds: float = 0.0
    rows: int = 0


class Loop:
    """Decodes prompts to their end.

    Args:
        slots: Where rows live.
        writer: Who chooses tokens.
        limits: Bounds at the start; memory may make them smaller for a while.
        most_new_tokens: Tokens a row may write.
        is_stopped: Asked between steps; true ends the schedule.
    """

    def __init__(
        self,
        slots: Slots,
        writer: Writer,
        limits: Limits,
        *,
        most_new_tokens: int,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._slots, self._writer, self._limits = slots, writer, limits
        self._new = most_new_tokens
        self._is_stopped = is_stopped
        self._rows = limits.rows
        self._prefill_tokens = limits.prefill_tokens
        self._calm = 0
        self._waiting: deque[Prompt] = deque()
        self._tried: set[int] = set()
        self._live = 0
        self._held = 0

    def run(self, prompts: Iterable[Prompt]) -> Iterator[Turn]:
        """Yield what ends as it ends.

        Args:
            prompts: In the order in which they are admitted; longest first shows early whether memory is enough.
        """
        self._waiting.extend(prompts)
        while (self._waiting or self._live) and not self._is_stopped():
            turn = Turn()
            if self._wants_more():
                self._admit(turn)
            if self._live:
                self._step(turn)
            yield turn

    def _wants_more(self) -> bool:
        if not self._waiting:
            return False
        first = self._waiting[0]
        if not self._live:
            return True
        room = self._rows - self._live
        needed = len(first.draws) * self._writer.lanes
        fits = self._held + self._most_tokens(first) <= self._limits.tokens
        return fits and room >= needed and (room >= self._rows * REFILL or room >= len(self._waiting))

    def _most_tokens(self, prompt: Prompt) -> int:
        return len(prompt.draws) * self._writer.lanes * (len(prompt.ids) + self._new)

    def _next_prompts(self) -> list[Prompt]:
        """The next prompts to read together; at least one."""
        lanes = self._writer.lanes
        if not self._live and len(self._waiting[0].draws) * lanes > self._rows:
            self._split()
        taken = [self._waiting.popleft()]
        rows = self._live + len(taken[0].draws) * lanes
        held = self._held + self._most_tokens(taken[0])
        tokens = self._slots.cost(taken[0])
        while self._waiting:
            prompt = self._waiting[0]
            rows += len(prompt.draws) * lanes
            held += self._most_tokens(prompt)
            tokens += self._slots.cost(prompt)
            if rows > self._rows or held > self._limits.tokens or tokens > self._prefill_tokens:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _split(self) -> None:
        """Divide the draws of the first prompt, where not all of them fit at once."""
        prompt = self._waiting.popleft()
        at = max(1, self._rows // self._writer.lanes)
        if at < len(prompt.draws):
            self._waiting.appendleft(Prompt(prompt.index, prompt.ids, prompt.draws[at:], prompt.randoms))
        self._waiting.appendleft(Prompt(prompt.index, prompt.ids, prompt.draws[:at], prompt.randoms))

    def _admit(self, turn: Turn) -> None:
        while self._wants_more():
            prompts = self._next_prompts()
            watchdog.beat("prefill", prompts=len(prompts))
            begin = time.perf_counter()
            rows: list[Row] = []
            try:
                rows, logits = self._slots.admit(prompts)
                done = self._writer.take(rows, logits)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                done = None
                self._slots.drop(rows)
            turn.prefill_seconds += time.perf_counter() - begin
            if done is None:
                self._did_not_fit(prompts, turn)
                return
            turn.prefill_tokens += sum(map(self._slots.cost, prompts))
            self._live += len(rows) * self._writer.lanes
            self._held += sum(map(self._most_tokens, prompts))
            self._end(done, turn)

    def _step(self, turn: Turn) -> None:
        watchdog.beat("decode", rows=self._live)
        begin = time.perf_counter()
        rows: list[Row] = []
        try:
            rows, logits = self._slots.step()
            done = self._writer.take(rows, logits)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            done = None
            for row in rows:
                # Read, and nothing written: the same token is read again, to the same place.
                row.length -= 1
        turn.decode_seconds += time.perf_counter() - begin
        if done is None:
            self._shrink(turn)
            return
        turn.rows = max(turn.rows, self._live)
        turn.decode_tokens += len(rows)
        self._end(done, turn)
        self._calm += 1
        if self._calm >= GROW_AFTER and self._rows < self._limits.rows:
            before, self._rows = self._rows, min(self._limits.rows, self._rows + max(1, self._rows // 4))
            self._prefill_tokens = min(self._limits.prefill_tokens, 2 * self._prefill_tokens)
            self._calm = 0
            turn.events.append({"kind": "batch_grown", "rows_before": before, "rows": self._rows})

    def _end(self, done: Sequence[tuple[Row, Ended]], turn: Turn) -> None:
        # Faulty rows first and all at once: what another row's leaving would move is cleared by then.
        self._slots.drop([row for row, ended in done if ended.fault], clear=True)
        self._slots.drop([row for row, ended in done if not ended.fault])
        self._forget([row for row, _ in done])
        turn.ended += [ended for _, ended in done]

    def _forget(self, rows: Sequence[Row]) -> None:
        lanes = self._writer.lanes
        self._live -= len(rows) * lanes
        self._held -= sum(lanes * (len(row.prompt.ids) + self._new) for row in rows)

    def _did_not_fit(self, prompts: Sequence[Prompt], turn: Turn) -> None:
        """Prompts could not be read: fewer at once, then after the others, then once more alone, then not at all."""
        free_cached()
        self._slots.release()
        self._calm = 0
        self._waiting.extendleft(reversed(prompts))
        if len(prompts) > 1:
            self._prefill_tokens = max(1, sum(map(self._slots.cost, prompts)) // 2)
        elif self._live:
            self._rows = max(self._live, 1)
        elif len(prompts[0].draws) > 1:
            self._rows = max(1, len(prompts[0].draws) * self._writer.lanes // 2)
            self._split()
        else:
            self._alone(self._waiting.popleft(), turn)
        turn.events.append(self._short("prefill"))

    def _shrink(self, turn: Turn) -> None:
        """A step did not fit: half of the rows, the youngest, begin anew later."""
        free_cached()
        self._calm = 0
        rows = sorted(self._slots.order(), key=lambda row: (row.started, row.prompt.index, row.draw))
        back = rows[(len(rows) + 1) // 2 :] if len(rows) > 1 else rows
        self._slots.drop(back)
        self._forget(back)
        self._slots.release()
        if len(rows) == 1:
            self._alone(self._again(rows)[0], turn)
        else:
            self._waiting.extendleft(reversed(self._again(back)))
            self._rows = max(1, self._live)
        turn.events.append(self._short("decode"))

    def _again(self, rows: Sequence[Row]) -> list[Prompt]:
        """The prompts of rows that begin anew, each with the draws that are left."""
        draws: dict[int, list[Row]] = {}
        for row in rows:
            draws.setdefault(row.prompt.index, []).append(row)
        return [
            Prompt(index, own[0].prompt.ids, sorted(row.draw for row in own), own[0].prompt.randoms)
            for index, own in draws.items()
        ]

    def _alone(self, prompt: Prompt, turn: Turn) -> None:
        """A prompt that does not fit by itself: what was freed may be enough the second time."""
        if prompt.index not in self._tried:
            self._tried.add(prompt.index)
            self._waiting.appendleft(prompt)
            return
        for draw in prompt.draws:
            turn.ended.append(Ended(prompt.index, draw, [], "", 0.0, NO_ROOM))

    def _short(self, phase: str) -> Mapping[str, Json]:
        return {
            "kind": "memory_short",
            "phase": phase,
            "rows": self._rows,
            "prefill_tokens": self._prefill_tokens,
            "live_rows": self._live,
            "cache_bytes": self._slots.n_bytes,
        }
