"""The one queue: which requests wait, which are with a worker, and which rows are suspected to end their worker.

Chunks are large at first and smaller towards the end (guided self-scheduling, Polychronopoulos and Kuck 1987), long
prompts first, so that workers of any speed end at about the same time. A chunk is no smaller than what a worker
decodes at once, unless that is more than its part of what is left: a half-empty batch takes as long as a full one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grue.core.rows import Generation
from grue.engine.protocol import Failure, Job, Portion, Request

# A chunk takes this part of what would make its worker's load an equal one.
SHARE = 0.75
# Rows that a worker decodes at once, unless it told of more.
LEAST_ROWS = 32
# Chunks into which the rows that were with a worker at its end are divided: the one that ended it is found in two more.
SUSPECT_CHUNKS = 16
CHARACTERS_A_TOKEN = 4

Key = tuple[str, int]


@dataclass(slots=True, eq=False)
class _Unit:
    """Requests that stay together: those of one row, whose prompt is read once for all its draws, or of a fixed batch.

    Attributes:
        tokens: What one of them costs, about.
        deaths: Workers that ended while they had it.
    """

    requests: tuple[Request, ...]
    tokens: int
    deaths: int = 0

    @property
    def row_id(self) -> str:
        return self.requests[0].row.id


@dataclass(slots=True)
class _Load:
    """What is open of a chunk that is with a worker."""

    rows: int = 0
    tokens: int = 0


class Ledger:
    """Requests of one job, each to be answered exactly once.

    Args:
        requests: All that are to be answered.
        job: How.
        batches: Row ids that are decoded together whatever happens; empty where a worker may choose.
    """

    def __init__(self, requests: Sequence[Request], job: Job, batches: Iterable[Sequence[str]] = ()) -> None:
        together = {row_id: number for number, ids in enumerate(batches) for row_id in ids}
        groups: dict[str | int, list[Request]] = {}
        for request in requests:
            groups.setdefault(together.get(request.row.id, request.row.id), []).append(request)
        units = [_Unit(tuple(group), max(_tokens(request, job) for request in group)) for group in groups.values()]
        units.sort(key=lambda unit: (-unit.tokens, unit.row_id))
        self._waiting = deque(units)
        self._suspects: deque[list[_Unit]] = deque()
        self._unit_of = {request.row.id: unit for unit in units for request in unit.requests}
        # Number of the chunk that an open request is with; 0 where it waits.
        self._open: dict[Key, int] = {_key(request): 0 for request in requests}
        self._loads: dict[int, _Load] = {}
        self._waiting_tokens = sum(unit.tokens * len(unit.requests) for unit in units)

    @property
    def n_open(self) -> int:
        """Requests that are not answered."""
        return len(self._open)

    def open_in(self, *chunks: int) -> int:
        """How many requests of some chunks are not answered."""
        return sum(self._loads[number].rows for number in chunks if number in self._loads)

    def take(self, number: int, held: Sequence[int], workers: int, rows_together: int) -> list[Request]:
        """The requests of the next chunk; empty where nothing waits that this worker may have.

        Args:
            number: The chunk's, above 0 and new.
            held: Chunks that the worker has already: suspected rows are only given to one that has none.
            workers: How many workers share the rest.
            rows_together: Rows that the worker was seen to decode at once.
        """
        if not self._waiting:
            return self._hand_out(number, self._suspects.popleft()) if self._suspects and not held else []
        own = sum(self._loads[one].tokens for one in held if one in self._loads)
        others = sum(load.tokens for load in self._loads.values())
        fair = (self._waiting_tokens + others) / max(workers, 1) - own
        if held and fair <= 0:
            return []
        taken: list[_Unit] = []
        tokens = rows = 0
        while self._waiting and (not taken or tokens < SHARE * fair or (rows < rows_together and tokens < fair)):
            unit = self._waiting.popleft()
            taken.append(unit)
            tokens += unit.tokens * len(unit.requests)
            rows += len(unit.requests)
        self._waiting_tokens -= tokens
        return self._hand_out(number, taken)

    def accept(self, portion: Portion) -> tuple[list[Generation], list[Failure]]:
        """What of a portion answers a request that is open; a second answer that comes late is dropped."""
        return (
            [one for one in portion.generations if self._close((one.id, one.sample))],
            [one for one in portion.failures if self._close((one.id, one.sample))],
        )

    def end(self, number: int, requests: Iterable[Request]) -> list[Failure]:
        """A chunk came to its end: what is still open of it fails, the engine passed over it."""
        failures = self._fail(requests, "the engine returned nothing for it")
        self._loads.pop(number, None)
        return failures

    def give_back(self, number: int, requests: Iterable[Request]) -> None:
        """Rows of a chunk that its worker had not begun wait again, before all others."""
        for unit in reversed(self._withdraw(number, requests)):
            self._waiting.appendleft(unit)
            self._waiting_tokens += unit.tokens * len(unit.requests)

    def suspect(self, number: int, requests: Iterable[Request], reason: str) -> tuple[list[Failure], bool]:
        """Rows that were with a worker when it ended: tried again apart from others, fewer at a time.

        Returns:
            The failures of what was with its worker alone when that ended the second time; and whether that is to
            blame rather than the worker.
        """
        requests = list(requests)
        units = self._withdraw(number, requests)
        for unit in units:
            unit.deaths += 1
        is_alone = len({id(self._unit_of[request.row.id]) for request in requests}) == 1
        if not units:
            return [], False
        if is_alone and units[0].deaths > 1:
            return self._fail(requests, f"its worker ended each time it was generated: {reason}"), True
        size = math.ceil(len(units) / SUSPECT_CHUNKS) if all(unit.deaths == 1 for unit in units) else 1
        self._suspects.extend(units[at : at + size] for at in range(0, len(units), size))
        return [], False

    def abandon(self, reason: str) -> list[Failure]:
        """Everything that is open fails."""
        self._waiting.clear()
        self._suspects.clear()
        self._loads.clear()
        failures = [Failure(row_id, sample, reason) for row_id, sample in self._open]
        self._open.clear()
        return failures

    def _hand_out(self, number: int, units: Sequence[_Unit]) -> list[Request]:
        load = self._loads[number] = _Load()
        requests = [request for unit in units for request in unit.requests if _key(request) in self._open]
        for request in requests:
            self._open[_key(request)] = number
            load.rows += 1
            load.tokens += self._unit_of[request.row.id].tokens
        return requests

    def _withdraw(self, number: int, requests: Iterable[Request]) -> list[_Unit]:
        """Units of a chunk's requests that are open, in their order; they are with nobody now."""
        self._loads.pop(number, None)
        units: dict[int, _Unit] = {}
        for request in requests:
            if _key(request) in self._open:
                self._open[_key(request)] = 0
                unit = self._unit_of[request.row.id]
                units[id(unit)] = unit
        return list(units.values())

    def _fail(self, requests: Iterable[Request], reason: str) -> list[Failure]:
        return [Failure(*_key(one), reason) for one in requests if self._close(_key(one))]

    def _close(self, key: Key) -> bool:
        number = self._open.pop(key, None)
        if number is None:
            return False
        load = self._loads.get(number)
        if load is not None:
            load.rows -= 1
            load.tokens -= self._unit_of[key[0]].tokens
        return True


def _key(request: Request) -> Key:
    return request.row.id, request.sample


def _tokens(request: Request, job: Job) -> int:
    prompt = min(len(request.row.prompt) // CHARACTERS_A_TOKEN + 1, job.truncation.max_tokens)
    return prompt + job.decoding.max_new_tokens
